//! Which endpoint applications are assigned to which organisation nodes (E9).

use berth_base::{
    error::{Code, Error, Result},
    ids::{EndpointAppId, OrgNodeId},
};
use berth_model::{
    access::{Action, Caller},
    endpoint::{
        EndpointApp,
        org::{NodeOfEndpoint, Reach},
    },
    event::kind,
};
use berth_store::Db;

use super::MAX_NODES;
use crate::endpoint::{org::ending, owned};

/// Assigns an endpoint application to a node. When it is assigned already nothing changes.
///
/// # Errors
/// `not-found` for a node of another merchant, `org-node-not-open` when no product instance of the endpoint application
/// is open on the node.
#[tracing::instrument(name = "endpoint_app.assign", skip_all, fields(endpoint_app = %cid, org_node = %vid))]
pub async fn assign(db: &Db, caller: &Caller, cid: &EndpointAppId, vid: &OrgNodeId) -> Result<()> {
    let (mut tx, actor) = (db.begin().await?, caller.account.as_str());
    let (_, endpoint) = owned::hold::<EndpointApp>(&mut tx, caller, cid).await?;
    let node = tx.org_node(vid).await?.filter(|node| node.merchant == endpoint.merchant);
    let node = node.ok_or_else(|| Error::not_found("organisation node", vid))?;
    if !tx.may_assign(cid, vid).await? {
        let detail = format!("No product instance of {cid} is open on {vid}. Open one of them there first.");
        return Err(Error::new(Code::OrgNodeNotOpen, detail));
    }
    if tx.insert_assignment(cid, vid, actor, tx.now()).await? {
        let data = NodeOfEndpoint { endpoint_app: cid.clone(), org_node: vid.clone() };
        tx.tell(kind::ENDPOINT_ORG_NODE_ADDED, cid, actor, &data).for_merchant(&node.merchant);
    }
    tx.commit().await
}

/// Ends the assignment of an endpoint application to a node.
///
/// # Errors
/// `not-found` when there is none.
#[tracing::instrument(name = "endpoint_app.unassign", skip_all, fields(endpoint_app = %cid, org_node = %vid))]
pub async fn unassign(db: &Db, caller: &Caller, cid: &EndpointAppId, vid: &OrgNodeId) -> Result<()> {
    let mut tx = db.begin().await?;
    let (_, endpoint) = owned::hold::<EndpointApp>(&mut tx, caller, cid).await?;
    let what = NodeOfEndpoint { endpoint_app: cid.clone(), org_node: vid.clone() };
    if !ending::unassign(&mut tx, caller.account.as_str(), &endpoint.merchant, what).await? {
        return Err(Error::new(Code::NotFound, format!("{cid} is not assigned to {vid}.")));
    }
    tx.commit().await
}

/// The organisation nodes at which an endpoint application may be used.
pub async fn reach(db: &Db, caller: &Caller, cid: &EndpointAppId) -> Result<Reach> {
    let mut tx = db.read().await?;
    let endpoint = owned::authorise::<EndpointApp>(&mut tx, caller, cid, Action::Read).await?;
    let holdings = tx.holdings_of(&endpoint.merchant).await?;
    Ok(Reach { org_nodes: holdings.reach(cid), assigned: tx.assigned_org_nodes(cid, MAX_NODES).await? })
}
