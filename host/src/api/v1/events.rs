//! The event log.

use utoipa_axum::{router::OpenApiRouter, routes};

use super::*;
use crate::{
    access::Caller,
    event::{self, EventPage, EventQuery},
};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What happened, oldest first: of a MiniApp or host app for its members, of everything for admins of the platform.
#[utoipa::path(get, path = "/v1/events", tag = "events", params(EventQuery), responses((status = 200, body = EventPage)))]
async fn list(State(app): AppState, caller: Caller, Query(query): Query<EventQuery>) -> Result<Json<EventPage>> {
    Ok(Json(event::list(&app, &caller, &query).await?))
}
