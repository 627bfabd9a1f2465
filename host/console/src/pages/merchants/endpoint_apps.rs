//! Endpoint applications of a merchant: what they hold, who reaches them, and where they may be used.

use axum::{
    Router,
    extract::{Path, Query},
    http::Method,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::Value;

use berth_model::{
    access::Action,
    endpoint::{
        Channel, InstanceState, Merchant, OrgNode, ProductInstance,
        app::{EditEndpointApp, EndpointApp, EndpointAppView, NewEndpointApp},
        channel::BindChannel,
        org::Reach,
    },
};

use super::{head, merchant, of_merchant, page_of_endpoint as page_of, purchase, scope};
use crate::{
    Console,
    act::{Confirm, Sent},
    frame::done,
    parts::{Filled, Shown},
    path::at,
    refused::{Refused, read},
    texts::Texts,
    visit::{Answer, OrShow, Visit},
};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/merchants/{id}/endpoint-apps/new", get(new).post(create))
        .route("/ui/merchants/{id}/endpoint-apps/{cid}", get(one).post(rename))
        .route("/ui/merchants/{id}/endpoint-apps/{cid}/products", post(add_product))
        .route("/ui/merchants/{id}/endpoint-apps/{cid}/products/{instance}/take", get(confirm_take).post(take))
        .route("/ui/merchants/{id}/endpoint-apps/{cid}/channels", post(bind))
        .route("/ui/merchants/{id}/endpoint-apps/{cid}/delete", get(confirm_delete).post(delete))
}

/// The merchant and the endpoint application of an address.
type Of = Path<(String, String)>;

#[derive(askama::Template)]
#[template(path = "merchants/new_endpoint_app.html")]
struct New<'a> {
    t: Texts,
    merchant: &'a Merchant,
    products: Vec<ProductInstance>,
    may_record: bool,
    /// How the order system says that something was bought.
    purchase: String,
    filled: &'a Filled,
}

/// The product instances that may be chosen: all but those that the merchant gave up.
pub async fn choices(visit: &Visit, id: &str) -> Result<Vec<ProductInstance>, crate::visit::Shown> {
    let mut products = of_merchant::<ProductInstance>(visit, "product-instances", id).await?;
    products.retain(|product| product.state != InstanceState::Unsubscribed);
    Ok(products)
}

async fn new(visit: Visit, Path(id): Path<String>) -> Answer {
    show_new(&visit, &id, &Filled::default()).await
}

async fn show_new(visit: &Visit, id: &str, filled: &Filled) -> Answer {
    let merchant = merchant(visit, id).await?;
    let products = choices(visit, id).await?;
    let (may_record, purchase) = (purchase::may_record(visit), purchase::command(visit, &merchant));
    let page = New { t: visit.t, merchant: &merchant, products, may_record, purchase, filled };
    visit.page(head(visit, visit.t.new_endpoint_app(), Some(&merchant)), &page)
}

async fn create(visit: Visit, Path(id): Path<String>, sent: Sent) -> Answer {
    match create_of(&visit, &id, &sent).await {
        Ok(view) => done(&page_of(&id, view.app.id.as_str()), &visit.t.endpoint_app_created(&view.app.name)),
        Err(refused) => show_new(&visit, &id, &sent.again(&visit, refused)?).await,
    }
}

async fn create_of(visit: &Visit, id: &str, sent: &Sent) -> Result<EndpointAppView, Refused> {
    let new = NewEndpointApp {
        merchant: read("merchant", id)?,
        name: sent.get("name").into(),
        products: sent.all("products").map(|product| read("products", product)).collect::<Result<_, _>>()?,
    };
    visit.api.tell(Method::POST, "/v1/endpoint-apps", &new).await
}

#[derive(askama::Template)]
#[template(path = "merchants/endpoint_app.html")]
struct One<'a> {
    t: Texts,
    merchant: &'a Merchant,
    it: &'a EndpointAppView,
    /// The product instances that could be added.
    addable: Vec<ProductInstance>,
    /// The channels of the merchant that are not bound to it.
    bindable: Vec<Channel>,
    nodes: Vec<OrgNode>,
    reach: Reach,
    runtime: String,
    may_operate: bool,
    filled: &'a Filled,
}

impl One<'_> {
    /// The name of a node, which is its id where it is not known.
    fn node<'a>(&'a self, id: &'a berth_base::ids::OrgNodeId) -> &'a str {
        self.nodes.iter().find(|node| node.id == *id).map_or(id.as_str(), |node| &node.name)
    }

    /// The commands that show what the page shows, and do what it offers.
    fn commands(&self) -> String {
        let cid = &self.it.app.id;
        let add = self.addable.first().map(|product| format!("berth endpoint add {cid} {}", product.id));
        let show = [format!("berth endpoint show {cid}"), format!("berth endpoint runtime {cid}")];
        show.into_iter().chain(add).collect::<Vec<_>>().join("\n")
    }
}

async fn view(visit: &Visit, cid: &str) -> Result<EndpointAppView, crate::visit::Shown> {
    visit.api.get(&at!("/v1/endpoint-apps/{}", cid)).await.or_show(visit)
}

/// The product instance that an address is about: it is chosen in the form, where it can be added.
#[derive(Default, Deserialize)]
#[serde(default)]
struct About {
    product: String,
}

async fn one(visit: Visit, Path((id, cid)): Of, Query(about): Query<About>) -> Answer {
    show(&visit, &id, &cid, &Filled::with(vec![("product".into(), about.product)])).await
}

async fn show(visit: &Visit, id: &str, cid: &str, filled: &Filled) -> Answer {
    let merchant = merchant(visit, id).await?;
    let it = view(visit, cid).await?;
    let may_operate = visit.can(Action::Operate, &scope(&merchant));
    let mut addable = if may_operate && !it.app.is_default { choices(visit, id).await? } else { Vec::new() };
    addable.retain(|product| it.products.iter().all(|held| held.id != product.id));
    let mut bindable = of_merchant::<Channel>(visit, "channels", id).await?;
    bindable.retain(|channel| channel.endpoint_app.as_ref() != Some(&it.app.id));
    let runtime: Value = visit.api.get(&at!("/v1/endpoint-apps/{}/runtime", cid)).await.or_show(visit)?;
    let page = One {
        t: visit.t,
        merchant: &merchant,
        addable,
        bindable,
        nodes: of_merchant(visit, "org-nodes", id).await?,
        reach: visit.api.get(&at!("/v1/endpoint-apps/{}/org-nodes", cid)).await.or_show(visit)?,
        runtime: format!("{runtime:#}"),
        may_operate,
        filled,
        it: &it,
    };
    visit.page(head(visit, &it.app.name, Some(&merchant)), &page)
}

/// What comes after an act: the page of the endpoint application, which says so or shows what stands against it.
async fn after(visit: &Visit, (id, cid): (&str, &str), result: Result<(), Refused>, said: &str, sent: Sent) -> Answer {
    match result {
        Ok(()) => done(&page_of(id, cid), said),
        Err(refused) => show(visit, id, cid, &sent.again(visit, refused)?).await,
    }
}

async fn rename(visit: Visit, Path((id, cid)): Of, sent: Sent) -> Answer {
    let edit = EditEndpointApp { name: Some(sent.get("name").into()) };
    let result = visit.api.act(Method::PATCH, &at!("/v1/endpoint-apps/{}", cid), &edit).await;
    after(&visit, (&id, &cid), result, visit.t.edited(), sent).await
}

async fn add_product(visit: Visit, Path((id, cid)): Of, sent: Sent) -> Answer {
    let path = at!("/v1/endpoint-apps/{}/products/{}", cid, sent.get("product"));
    let result = visit.api.just(Method::PUT, &path).await;
    after(&visit, (&id, &cid), result, visit.t.product_added(), sent).await
}

async fn bind(visit: Visit, Path((id, cid)): Of, sent: Sent) -> Answer {
    if let Some(move_of) = asks_to_move(&visit, sent.get("channel"), &cid, &sent).await? {
        let back = page_of(&id, &cid);
        return show_move(&visit, &id, move_of, back, sent).await;
    }
    let result = bind_to(&visit, sent.get("channel"), &cid, sent.is_sure()).await;
    after(&visit, (&id, &cid), result, visit.t.channel_bound(), sent).await
}

/// Binds a channel to an endpoint application.
pub async fn bind_to(visit: &Visit, channel: &str, cid: &str, take: bool) -> Result<(), Refused> {
    let bind = BindChannel { endpoint_app: read("endpoint_app", cid)?, take };
    visit.api.act(Method::PUT, &at!("/v1/channels/{}/endpoint-app", channel), &bind).await
}

/// A channel that leaves one endpoint application for another.
pub struct Move {
    channel: Channel,
    from: EndpointApp,
    to: EndpointApp,
}

/// What binding a channel takes away from another endpoint application; `None` when it takes nothing, or the visitor has been
/// told.
pub async fn asks_to_move(
    visit: &Visit,
    channel: &str,
    cid: &str,
    sent: &Sent,
) -> Result<Option<Move>, crate::visit::Shown> {
    if sent.is_sure() {
        return Ok(None);
    }
    let channel: Channel = visit.api.get(&at!("/v1/channels/{}", channel)).await.or_show(visit)?;
    let Some(from) = channel.endpoint_app.clone().filter(|from| from.as_str() != cid) else { return Ok(None) };
    let (from, to) = (view(visit, from.as_str()).await?.app, view(visit, cid).await?.app);
    Ok(Some(Move { channel, from, to }))
}

/// Tells what it means to move a channel.
pub async fn show_move(visit: &Visit, id: &str, move_of: Move, back: String, sent: Sent) -> Answer {
    let merchant = merchant(visit, id).await?;
    let t = visit.t;
    let Move { channel, from, to } = move_of;
    let confirm = Confirm {
        act: t.move_channel().into(),
        effects: vec![t.move_channel_effect(&channel.name, &from.name, &to.name)],
        is_dangerous: true,
        hidden: sent.into_hidden(),
        command: format!("berth channel bind {} {} --move", channel.id, to.id),
        back,
        ..Confirm::default()
    };
    confirm.show(visit, head(visit, t.move_channel(), Some(&merchant)), &Filled::default())
}

type OfProduct = Path<(String, String, String)>;

async fn confirm_take(visit: Visit, Path((id, cid, instance)): OfProduct) -> Answer {
    show_take(&visit, &id, &cid, &instance, &Filled::default()).await
}

async fn show_take(visit: &Visit, id: &str, cid: &str, instance: &str, filled: &Filled) -> Answer {
    let merchant = merchant(visit, id).await?;
    let it = view(visit, cid).await?;
    let t = visit.t;
    let name = it.products.iter().find(|held| held.id.as_str() == instance).map_or(instance, |held| &held.name);
    let confirm = Confirm {
        act: t.take_product().into(),
        effects: vec![t.take_product_effect(name, &it.app.name)],
        is_dangerous: true,
        command: format!("berth endpoint remove {cid} {instance}"),
        back: page_of(id, cid),
        ..Confirm::default()
    };
    let mut head = head(visit, t.take_product(), Some(&merchant));
    head.above.push((it.app.name.clone(), page_of(id, cid)));
    confirm.show(visit, head, filled)
}

async fn take(visit: Visit, Path((id, cid, instance)): OfProduct, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/endpoint-apps/{}/products/{}", cid, instance)).await {
        Ok(()) => done(&page_of(&id, &cid), visit.t.product_taken()),
        Err(refused) => show_take(&visit, &id, &cid, &instance, &sent.again(&visit, refused)?).await,
    }
}

async fn confirm_delete(visit: Visit, Path((id, cid)): Of) -> Answer {
    show_delete(&visit, &id, &cid, &Filled::default()).await
}

async fn show_delete(visit: &Visit, id: &str, cid: &str, filled: &Filled) -> Answer {
    let merchant = merchant(visit, id).await?;
    let it = view(visit, cid).await?;
    let t = visit.t;
    let confirm = Confirm {
        act: t.delete_endpoint_app().into(),
        effects: vec![t.delete_endpoint_app_effect(&it.app.name)],
        is_dangerous: true,
        command: format!("berth endpoint delete {cid}"),
        back: page_of(id, cid),
        ..Confirm::default()
    };
    let mut head = head(visit, t.delete_endpoint_app(), Some(&merchant));
    head.above.push((it.app.name.clone(), page_of(id, cid)));
    confirm.show(visit, head, filled)
}

async fn delete(visit: Visit, Path((id, cid)): Of, sent: Sent) -> Answer {
    match visit.api.just(Method::DELETE, &at!("/v1/endpoint-apps/{}", cid)).await {
        Ok(()) => done(&at!("/ui/merchants/{}", id), visit.t.endpoint_app_deleted()),
        Err(refused) => show_delete(&visit, &id, &cid, &sent.again(&visit, refused)?).await,
    }
}
