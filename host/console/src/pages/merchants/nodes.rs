//! The organisation of a merchant: its regions and stores as a tree, what is open on each, and what is assigned to it.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::{get, post},
};
use serde::Deserialize;

use berth_model::{
    access::Action,
    endpoint::{
        EndpointApp, Merchant, OrgNode, ProductInstance,
        org::{EditOrgNode, NewOrgNode, OrgNodeDetail},
    },
};

use super::{Tab, endpoint_apps::choices, head, merchant, of_merchant, scope, tabs};
use crate::{
    Console,
    act::{Confirm, Sent},
    api::MOST,
    frame::done,
    parts::Filled,
    path::at,
    refused::{Refused, read},
    texts::Texts,
    tree::{Piece, pieces},
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/merchants/{id}/nodes", get(tree))
        .route("/ui/merchants/{id}/nodes/new", get(new).post(create))
        .route("/ui/merchants/{id}/nodes/{vid}", get(one).post(edit))
        .route("/ui/merchants/{id}/nodes/{vid}/products", post(open))
        .route("/ui/merchants/{id}/nodes/{vid}/products/{instance}/close", get(confirm_close).post(close))
        .route("/ui/merchants/{id}/nodes/{vid}/assign", post(assign))
        .route("/ui/merchants/{id}/nodes/{vid}/endpoint-apps/{cid}/unassign", get(confirm_unassign).post(unassign))
        .route("/ui/merchants/{id}/nodes/{vid}/delete", get(confirm_delete).post(delete))
}

/// The merchant and the node of an address.
type Of = Path<(String, String)>;

fn page_of(id: &str, vid: &str) -> String {
    at!("/ui/merchants/{}/nodes/{}", id, vid)
}

/// The nodes of a merchant, and whether there are more than a tree shows.
async fn all(visit: &Visit, id: &str) -> Result<(Vec<OrgNode>, bool), crate::visit::Shown> {
    visit.api.first("/v1/org-nodes", Some(("merchant", id))).await.or_show(visit)
}

#[derive(askama::Template)]
#[template(path = "merchants/nodes.html")]
struct Tree<'a> {
    t: Texts,
    merchant: &'a Merchant,
    tabs: Vec<Tab>,
    pieces: Vec<Piece<'a, OrgNode>>,
    has_more: bool,
    may_operate: bool,
}

async fn tree(visit: Visit, Path(id): Path<String>) -> Answer {
    let merchant = merchant(&visit, &id).await?;
    let (mut nodes, has_more) = all(&visit, &id).await?;
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    let page = Tree {
        t: visit.t,
        merchant: &merchant,
        tabs: tabs(visit.t, &id, "/nodes"),
        pieces: pieces(&nodes, |node| node.id.as_str(), |node| node.parent.as_ref().map(|parent| parent.as_str())),
        has_more,
        may_operate: visit.can(Action::Operate, &scope(&merchant)),
    };
    visit.page(head(&visit, visit.t.org_nodes(), Some(&merchant)), &page)
}

/// A node that forms choose.
struct Choice {
    id: String,
    /// Its name and its id, as those of the nodes in the list.
    label: String,
}

/// The node above that a form begins with, where it is none of those in the list: without it the form would move the node that
/// it is about to the top.
async fn unlisted(visit: &Visit, nodes: &[OrgNode], parent: &str) -> Option<Choice> {
    if parent.is_empty() || nodes.iter().any(|node| node.id.as_str() == parent) {
        return None;
    }
    let found: Result<OrgNodeDetail, Refused> = visit.api.get(&at!("/v1/org-nodes/{}", parent)).await;
    let label = found.map_or_else(|_| parent.to_owned(), |found| format!("{} ({parent})", found.node.name));
    Some(Choice { id: parent.to_owned(), label })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Below {
    parent: String,
}

#[derive(askama::Template)]
#[template(path = "merchants/new_node.html")]
struct New<'a> {
    t: Texts,
    merchant: &'a Merchant,
    nodes: &'a [OrgNode],
    parent: &'a str,
    /// The node above, where it is none of these.
    unlisted: Option<Choice>,
    filled: &'a Filled,
}

async fn new(visit: Visit, Path(id): Path<String>, Query(Below { parent }): Query<Below>) -> Answer {
    show_new(&visit, &id, &parent, &Filled::default()).await
}

async fn show_new(visit: &Visit, id: &str, parent: &str, filled: &Filled) -> Answer {
    let merchant = merchant(visit, id).await?;
    let (nodes, _) = all(visit, id).await?;
    let parent = filled.or("parent", parent);
    let unlisted = unlisted(visit, &nodes, parent).await;
    let page = New { t: visit.t, merchant: &merchant, nodes: &nodes, parent, unlisted, filled };
    let mut head = head(visit, visit.t.new_node(), Some(&merchant));
    head.above.push((visit.t.org_nodes().to_owned(), at!("/ui/merchants/{}/nodes", id)));
    visit.page(head, &page)
}

async fn create(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match create_of(&visit, &id, &sent).await {
        Ok(node) => done(&page_of(&id, node.id.as_str()), visit.t.node_created()),
        Err(refused) => show_new(&visit, &id, "", &sent.again(&visit, refused)?).await,
    }
}

async fn create_of(visit: &Visit, id: &str, sent: &Sent) -> Result<OrgNode, Refused> {
    let new = NewOrgNode {
        merchant: read("merchant", id)?,
        name: sent.get("name").into(),
        id: sent.read_some("id")?,
        parent: sent.read_some("parent")?,
        limited: sent.is_on("limited"),
    };
    visit.api.tell(Method::POST, "/v1/org-nodes", &new).await
}

#[derive(askama::Template)]
#[template(path = "merchants/node.html")]
struct One<'a> {
    t: Texts,
    merchant: &'a Merchant,
    it: &'a OrgNodeDetail,
    nodes: &'a [OrgNode],
    parent: &'a str,
    /// The node above, where it is none of these.
    unlisted: Option<Choice>,
    products: Vec<ProductInstance>,
    apps: Vec<EndpointApp>,
    may_operate: bool,
    filled: &'a Filled,
}

impl One<'_> {
    fn is_below(&self, parent: &OrgNode) -> bool {
        self.parent == parent.id.as_str()
    }

    fn is_open(&self, product: &ProductInstance) -> bool {
        self.it.products.contains(&product.id)
    }

    fn is_assigned(&self, app: &EndpointApp) -> bool {
        self.it.endpoint_apps.contains(&app.id)
    }
}

async fn detail(visit: &Visit, vid: &str) -> Result<OrgNodeDetail, crate::visit::Shown> {
    visit.api.get(&at!("/v1/org-nodes/{}", vid)).await.or_show(visit)
}

async fn one(visit: Visit, Path((id, vid)): Of) -> Answer {
    show(&visit, &id, &vid, &Filled::default()).await
}

async fn show(visit: &Visit, id: &str, vid: &str, filled: &Filled) -> Answer {
    let merchant = merchant(visit, id).await?;
    let it = detail(visit, vid).await?;
    let (nodes, _) = all(visit, id).await?;
    let parent = filled.or("parent", it.node.parent.as_ref().map_or("", |parent| parent.as_str()));
    let page = One {
        t: visit.t,
        merchant: &merchant,
        unlisted: unlisted(visit, &nodes, parent).await,
        parent,
        nodes: &nodes,
        products: choices(visit, id).await?,
        apps: of_merchant(visit, "endpoint-apps", id).await?,
        may_operate: visit.can(Action::Operate, &scope(&merchant)),
        filled,
        it: &it,
    };
    let mut head = head(visit, &it.node.name, Some(&merchant));
    head.above.push((visit.t.org_nodes().to_owned(), at!("/ui/merchants/{}/nodes", id)));
    visit.page(head, &page)
}

/// What comes after an act: the page of the node, which says so or shows what stands against it.
async fn after(visit: &Visit, (id, vid): (&str, &str), result: Result<(), Refused>, sent: Sent) -> Answer {
    match result {
        Ok(()) => done(&page_of(id, vid), visit.t.edited()),
        Err(refused) => show(visit, id, vid, &sent.again(visit, refused)?).await,
    }
}

async fn edit(visit: Visit, Path((id, vid)): Of, sent: Sent) -> Answer {
    let result = edit_of(&visit, &vid, &sent).await;
    after(&visit, (&id, &vid), result, sent).await
}

async fn edit_of(visit: &Visit, vid: &str, sent: &Sent) -> Result<(), Refused> {
    let edit = EditOrgNode {
        name: Some(sent.get("name").into()),
        parent: Some(sent.read_some("parent")?),
        limited: Some(sent.is_on("limited")),
    };
    visit.api.act(Method::PATCH, &at!("/v1/org-nodes/{}", vid), &edit).await
}

async fn open(visit: Visit, Path((id, vid)): Of, sent: Sent) -> Answer {
    let path = at!("/v1/org-nodes/{}/products/{}", vid, sent.get("product"));
    let result = visit.api.just(Method::PUT, &path).await;
    after(&visit, (&id, &vid), result, sent).await
}

async fn assign(visit: Visit, Path((id, vid)): Of, sent: Sent) -> Answer {
    let path = at!("/v1/endpoint-apps/{}/org-nodes/{}", sent.get("endpoint_app"), vid);
    let result = visit.api.just(Method::PUT, &path).await;
    after(&visit, (&id, &vid), result, sent).await
}

async fn confirm_unassign(visit: Visit, Path((id, vid, cid)): Path<(String, String, String)>) -> Answer {
    show_unassign(&visit, &id, &vid, &cid, &Filled::default()).await
}

async fn show_unassign(visit: &Visit, id: &str, vid: &str, cid: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let effect = |name: &str| t.unassign_effect(cid, name);
    let command = format!("berth org-node unassign {vid} {cid}");
    show_act(visit, (id, vid), (t.unassign(), effect, command), filled).await
}

async fn unassign(visit: Visit, Path((id, vid, cid)): Path<(String, String, String)>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/endpoint-apps/{}/org-nodes/{}", cid, vid)).await {
        Ok(()) => done(&page_of(&id, &vid), visit.t.edited()),
        Err(refused) => show_unassign(&visit, &id, &vid, &cid, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_close(visit: Visit, Path((id, vid, instance)): Path<(String, String, String)>) -> Answer {
    show_close(&visit, &id, &vid, &instance, &Filled::default()).await
}

async fn show_close(visit: &Visit, id: &str, vid: &str, instance: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let effect = |name: &str| t.close_product_effect(instance, name);
    let command = format!("berth org-node close {vid} {instance}");
    show_act(visit, (id, vid), (t.close_product(), effect, command), filled).await
}

async fn close(visit: Visit, Path((id, vid, instance)): Path<(String, String, String)>, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/org-nodes/{}/products/{}", vid, instance)).await {
        Ok(()) => done(&page_of(&id, &vid), visit.t.edited()),
        Err(refused) => show_close(&visit, &id, &vid, &instance, &sent.again(&visit, refused)?).await,
    }
}

/// Says what an act takes away from a node: its name, its effect and its command.
async fn show_act(
    visit: &Visit,
    (id, vid): (&str, &str),
    (act, effect, command): (&str, impl Fn(&str) -> String, String),
    filled: &Filled,
) -> Answer {
    let merchant = merchant(visit, id).await?;
    let it = detail(visit, vid).await?;
    let confirm = Confirm {
        act: act.to_owned(),
        effects: vec![effect(&it.node.name)],
        is_dangerous: true,
        command,
        back: page_of(id, vid),
        ..Confirm::default()
    };
    let mut head = head(visit, act, Some(&merchant));
    head.above.push((it.node.name.clone(), page_of(id, vid)));
    confirm.show(visit, head, filled)
}

async fn confirm_delete(visit: Visit, Path((id, vid)): Of) -> Answer {
    show_delete(&visit, &id, &vid, &Filled::default()).await
}

async fn show_delete(visit: &Visit, id: &str, vid: &str, filled: &Filled) -> Answer {
    let t = visit.t;
    let effect = |name: &str| t.delete_node_effect(name);
    let command = format!("berth org-node delete {vid}");
    show_act(visit, (id, vid), (t.delete_node(), effect, command), filled).await
}

async fn delete(visit: Visit, Path((id, vid)): Of, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/org-nodes/{}", vid)).await {
        Ok(()) => done(&at!("/ui/merchants/{}/nodes", id), visit.t.node_deleted()),
        Err(refused) => show_delete(&visit, &id, &vid, &sent.again(&visit, refused)?).await,
    }
}
