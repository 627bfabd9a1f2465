//! Handlers for audits, and for the decisions of host apps in them.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::ids::AuditId;
use berth_model::{
    access::Caller,
    audit::{Audit, Decide},
};
use berth_work::audit;

use crate::{Api, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(get)).routes(routes!(decide))
}

/// Get one audit, as a member of its team or of a host app that decides in it.
#[utoipa::path(get, path = "/v1/audits/{id}", tag = "audits", params(("id" = AuditId, Path)), responses((status = 200, body = Audit)))]
async fn get(State(app): AppState, caller: Caller, Path(id): Path<AuditId>) -> Result<Json<Audit>> {
    Ok(Json(audit::get(&app.db, &caller, &id).await?))
}

/// Approve or reject a version on behalf of a host app.
#[utoipa::path(post, path = "/v1/audits/{id}/decisions", tag = "audits", params(("id" = AuditId, Path)), request_body = Decide, responses((status = 200, body = Audit)))]
async fn decide(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<AuditId>,
    Json(how): Json<Decide>,
) -> Result<Json<Audit>> {
    Ok(Json(audit::decide(&app.db, &caller, &id, how).await?))
}
