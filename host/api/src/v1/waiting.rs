//! The handler of what waits for people.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_model::{access::Caller, waiting::WaitingList};
use berth_work::waiting;

use crate::{Api, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list))
}

/// List what waits for the caller: decisions, agreements, publications, and what went wrong.
///
/// What neither the roles nor the token of the caller allow to do is not in it. The oldest is first; there are at most 20 of
/// a kind and 100 in all, and `more` says whether there are others.
#[utoipa::path(get, path = "/v1/waiting", tag = "access", responses((status = 200, body = WaitingList)))]
async fn list(State(app): AppState, caller: Caller) -> Result<Json<WaitingList>> {
    Ok(Json(waiting::list(&app.db, &caller).await?))
}
