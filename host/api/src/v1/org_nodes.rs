//! Handlers for organisation nodes, what is open on them, and which endpoint applications are assigned to them.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    ids::{EndpointAppId, InstanceId, OrgNodeId},
    page::Page,
};
use berth_model::{
    access::Caller,
    endpoint::{
        OrgNode,
        org::{EditOrgNode, NewOrgNode, OrgNodeDetail, OrgNodeQuery, Reach},
    },
    runtime::Runtime,
};
use berth_work::endpoint::{org, runtime};

use crate::{Api, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, edit, delete))
        .routes(routes!(open, close))
        .routes(routes!(assign, unassign))
        .routes(routes!(reach))
        .routes(routes!(runtime))
}

/// Create an organisation node.
#[utoipa::path(post, path = "/v1/org-nodes", tag = "org-nodes", request_body = NewOrgNode, responses((status = 201, body = OrgNode)))]
async fn create(State(app): AppState, caller: Caller, Json(new): Json<NewOrgNode>) -> Created<OrgNode> {
    created(org::create(&app.db, &caller, new).await?)
}

/// List the organisation nodes of the merchants that the caller may know.
#[utoipa::path(get, path = "/v1/org-nodes", tag = "org-nodes", params(OrgNodeQuery), responses((status = 200, body = Page<OrgNode>)))]
async fn list(State(app): AppState, caller: Caller, Query(query): Query<OrgNodeQuery>) -> Result<Json<Page<OrgNode>>> {
    Ok(Json(org::list(&app.db, &caller, &query).await?))
}

/// Get one organisation node, with the product instances open on it and the endpoint applications assigned to it.
#[utoipa::path(get, path = "/v1/org-nodes/{vid}", tag = "org-nodes", params(("vid" = OrgNodeId, Path)), responses((status = 200, body = OrgNodeDetail)))]
async fn get(State(app): AppState, caller: Caller, Path(vid): Path<OrgNodeId>) -> Result<Json<OrgNodeDetail>> {
    Ok(Json(org::get(&app.db, &caller, &vid).await?))
}

/// Rename, move or limit an organisation node. `parent: null` makes it a root.
#[utoipa::path(patch, path = "/v1/org-nodes/{vid}", tag = "org-nodes", params(("vid" = OrgNodeId, Path)), request_body = EditOrgNode, responses((status = 200, body = OrgNode)))]
async fn edit(
    State(app): AppState,
    caller: Caller,
    Path(vid): Path<OrgNodeId>,
    Json(edit): Json<EditOrgNode>,
) -> Result<Json<OrgNode>> {
    Ok(Json(org::edit(&app.db, &caller, &vid, edit).await?))
}

/// Delete an organisation node that has none below it, with its open product instances and its assignments.
#[utoipa::path(delete, path = "/v1/org-nodes/{vid}", tag = "org-nodes", params(("vid" = OrgNodeId, Path)), responses((status = 204)))]
async fn delete(State(app): AppState, caller: Caller, Path(vid): Path<OrgNodeId>) -> Result<StatusCode> {
    org::delete(&app.db, &caller, &vid).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Open a product instance on an organisation node.
#[utoipa::path(put, path = "/v1/org-nodes/{vid}/products/{instance}", tag = "org-nodes", params(("vid" = OrgNodeId, Path), ("instance" = InstanceId, Path)), responses((status = 200, body = OrgNodeDetail)))]
async fn open(
    State(app): AppState,
    caller: Caller,
    Path((vid, instance)): Path<(OrgNodeId, InstanceId)>,
) -> Result<Json<OrgNodeDetail>> {
    Ok(Json(org::open(&app.db, &caller, &vid, &instance).await?))
}

/// Close a product instance on an organisation node. Assignments that only it allowed end with it.
#[utoipa::path(delete, path = "/v1/org-nodes/{vid}/products/{instance}", tag = "org-nodes", params(("vid" = OrgNodeId, Path), ("instance" = InstanceId, Path)), responses((status = 204)))]
async fn close(
    State(app): AppState,
    caller: Caller,
    Path((vid, instance)): Path<(OrgNodeId, InstanceId)>,
) -> Result<StatusCode> {
    org::close(&app.db, &caller, &vid, &instance).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Assign an endpoint application to an organisation node on which one of its product instances is open.
#[utoipa::path(put, path = "/v1/endpoint-apps/{cid}/org-nodes/{vid}", tag = "org-nodes", params(("cid" = EndpointAppId, Path), ("vid" = OrgNodeId, Path)), responses((status = 204)))]
async fn assign(
    State(app): AppState,
    caller: Caller,
    Path((cid, vid)): Path<(EndpointAppId, OrgNodeId)>,
) -> Result<StatusCode> {
    org::assign(&app.db, &caller, &cid, &vid).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End the assignment of an endpoint application to an organisation node.
#[utoipa::path(delete, path = "/v1/endpoint-apps/{cid}/org-nodes/{vid}", tag = "org-nodes", params(("cid" = EndpointAppId, Path), ("vid" = OrgNodeId, Path)), responses((status = 204)))]
async fn unassign(
    State(app): AppState,
    caller: Caller,
    Path((cid, vid)): Path<(EndpointAppId, OrgNodeId)>,
) -> Result<StatusCode> {
    org::unassign(&app.db, &caller, &cid, &vid).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get the organisation nodes at which an endpoint application may be used.
#[utoipa::path(get, path = "/v1/endpoint-apps/{cid}/org-nodes", tag = "org-nodes", params(("cid" = EndpointAppId, Path)), responses((status = 200, body = Reach)))]
async fn reach(State(app): AppState, caller: Caller, Path(cid): Path<EndpointAppId>) -> Result<Json<Reach>> {
    Ok(Json(org::reach(&app.db, &caller, &cid).await?))
}

/// Get the `runtime` that checks return for the MiniApps that are channels of an endpoint application.
#[utoipa::path(get, path = "/v1/endpoint-apps/{cid}/runtime", tag = "endpoint-apps", params(("cid" = EndpointAppId, Path)), responses((status = 200, body = Runtime)))]
async fn runtime(State(app): AppState, caller: Caller, Path(cid): Path<EndpointAppId>) -> Result<Json<Runtime>> {
    Ok(Json(runtime::get(&app.db, &caller, &cid).await?))
}
