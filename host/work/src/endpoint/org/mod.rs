//! Organisation nodes: a merchant's tree of regions and stores. The products that are open on a node and the endpoint
//! applications that are assigned to it decide where an endpoint application may be used (E9).

mod assign;
mod ending;
mod open;
mod tree;

pub use assign::{assign, reach, unassign};
pub use berth_model::endpoint::org::*;
pub use ending::{close_everywhere, prune_assignments, unassign_everywhere};
pub use open::{close, open};

use std::collections::HashMap;

use berth_base::{
    error::{Code, Error, Result},
    ids::{MerchantId, OrgNodeId},
    page::Page,
    sql::is_unique_violation,
    text,
};
use berth_model::{
    access::{Action, Caller, TokenScope},
    event::{Kind, kind},
};
use berth_store::{Db, NewEvent, Tx};

use crate::endpoint::{
    merchant,
    owned::{self, Owned},
};

/// How many nodes a merchant may have. A check carries the ids of all that an endpoint application reaches.
const MAX_NODES: i64 = 5_000;

fn tell<'a>(tx: &'a mut Tx, kind: Kind<OrgNode>, actor: &str, node: &OrgNode) -> &'a mut NewEvent {
    tx.tell(kind, &node.id, actor, node).for_merchant(&node.merchant)
}

impl Owned for OrgNode {
    const WHAT: &'static str = "organisation node";
    type Id = OrgNodeId;

    async fn load(tx: &mut Tx, id: &OrgNodeId) -> Result<Option<Self>> {
        tx.org_node(id).await
    }

    fn merchant(&self) -> &MerchantId {
        &self.merchant
    }
}

/// Creates a node. The caller must be able to operate what the merchant owns.
///
/// # Errors
/// `org-node-exists` when the id is taken, `not-found` for a parent of another merchant, `invalid-field` when the
/// merchant has 5,000 nodes.
#[tracing::instrument(name = "org_node.create", skip_all, fields(merchant = %new.merchant))]
pub async fn create(db: &Db, caller: &Caller, new: NewOrgNode) -> Result<OrgNode> {
    let mut tx = db.begin().await?;
    let merchant = merchant::authorise_change(&mut tx, caller, &new.merchant, Action::Operate).await?;
    let node = OrgNode {
        id: new.id.unwrap_or_else(|| OrgNodeId::generate(db.random())),
        merchant: merchant.id,
        parent: new.parent,
        name: text::name("name", &new.name, 64)?,
        limited: new.limited,
        created_at: tx.now(),
    };
    require_parent(&mut tx, &node).await?;
    if tx.count_org_nodes(&node.merchant).await? >= MAX_NODES {
        let detail = format!("the merchant has {MAX_NODES} nodes, and may not have more.");
        return Err(Error::field("merchant", detail));
    }
    match tx.insert_org_node(&node).await {
        Err(error) if is_unique_violation(&error) => {
            let detail = format!("The id {} is taken. Choose another one.", node.id);
            return Err(Error::new(Code::OrgNodeExists, detail));
        }
        inserted => inserted?,
    }
    tell(&mut tx, kind::ORG_NODE_CREATED, caller.account.as_str(), &node);
    tx.commit().await?;
    Ok(node)
}

/// Refuses a parent that does not exist or is another merchant's, in the same words.
async fn require_parent(tx: &mut Tx, node: &OrgNode) -> Result<()> {
    let Some(parent) = &node.parent else { return Ok(()) };
    let known = tx.org_node(parent).await?.filter(|parent| parent.merchant == node.merchant);
    known.map(drop).ok_or_else(|| Error::not_found("organisation node", parent))
}

/// Renames, moves or limits a node. The nodes below it move with it. When nothing changes, nothing is written.
///
/// # Errors
/// `not-found` for a parent of another merchant, `org-node-cycle` when the new parent is the node itself or below it.
#[tracing::instrument(name = "org_node.edit", skip_all, fields(org_node = %id))]
pub async fn edit(db: &Db, caller: &Caller, id: &OrgNodeId, edit: EditOrgNode) -> Result<OrgNode> {
    let mut tx = db.begin().await?;
    let (_, before) = owned::hold::<OrgNode>(&mut tx, caller, id).await?;
    let mut node = before.clone();
    if let Some(name) = &edit.name {
        node.name = text::name("name", name, 64)?;
    }
    if let Some(parent) = edit.parent {
        node.parent = parent;
        require_parent(&mut tx, &node).await?;
        refuse_cycle(&mut tx, &node).await?;
    }
    node.limited = edit.limited.unwrap_or(node.limited);
    if node == before {
        return Ok(node);
    }
    tx.set_org_node(&node).await?;
    tell(&mut tx, kind::ORG_NODE_EDITED, caller.account.as_str(), &node).was(Some(&before));
    tx.commit().await?;
    Ok(node)
}

async fn refuse_cycle(tx: &mut Tx, node: &OrgNode) -> Result<()> {
    let parents: HashMap<_, _> = tx.org_parents(&node.merchant).await?.into_iter().collect();
    match &node.parent {
        Some(parent) if tree::is_within(&parents, parent, &node.id) => {
            let detail = format!("{parent} is {} or below it, so {} cannot move there.", node.id, node.id);
            Err(Error::new(Code::OrgNodeCycle, detail))
        }
        _ => Ok(()),
    }
}

/// Deletes a node that has none below it. Its products are closed and its assignments end, each with an event.
///
/// # Errors
/// `org-node-in-use` while there are nodes below it.
#[tracing::instrument(name = "org_node.delete", skip_all, fields(org_node = %id))]
pub async fn delete(db: &Db, caller: &Caller, id: &OrgNodeId) -> Result<()> {
    let (mut tx, actor) = (db.begin().await?, caller.account.as_str());
    let (_, node) = owned::hold::<OrgNode>(&mut tx, caller, id).await?;
    if tx.has_org_children(id).await? {
        let detail = format!("There are nodes below {id}. Move or delete them first.");
        return Err(Error::new(Code::OrgNodeInUse, detail));
    }
    ending::clear(&mut tx, actor, &node).await?;
    tx.delete_org_node(id).await?;
    tell(&mut tx, kind::ORG_NODE_DELETED, actor, &node);
    tx.commit().await
}

/// One node with the products that are open on it and the endpoint applications that are assigned to it (E7).
pub async fn get(db: &Db, caller: &Caller, id: &OrgNodeId) -> Result<OrgNodeDetail> {
    let mut tx = db.read().await?;
    let node = owned::authorise(&mut tx, caller, id, Action::Read).await?;
    detail(&mut tx, node).await
}

async fn detail(tx: &mut Tx, node: OrgNode) -> Result<OrgNodeDetail> {
    let products = tx.products_open_on(&node.id).await?;
    let endpoint_apps = tx.endpoint_apps_assigned_to(&node.id).await?;
    Ok(OrgNodeDetail { node, products, endpoint_apps })
}

/// One page of the nodes that the caller may know of and that the query asks for, ordered by id.
pub async fn list(db: &Db, caller: &Caller, query: &OrgNodeQuery) -> Result<Page<OrgNode>> {
    caller.require_scope(TokenScope::Read)?;
    let page = query.page();
    let mut tx = db.read().await?;
    if let Some(id) = &query.merchant {
        merchant::authorise(&mut tx, caller, id, Action::Read).await?;
    }
    let items = tx.org_nodes_known_to(caller, query, &page).await?;
    Ok(Page::of(items, &page, |node| node.id.to_string()))
}
