//! The event log.

use axum::{http::header::CONTENT_TYPE, response::IntoResponse};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::*;
use crate::{
    access::Caller,
    event::{self, EventPage, EventQuery, EventTypeView, catalogue},
};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(types)).routes(routes!(schema))
}

/// What happened, oldest first: of a MiniApp or host app for its members, of everything for admins of the platform.
#[utoipa::path(get, path = "/v1/events", tag = "events", params(EventQuery), responses((status = 200, body = EventPage)))]
async fn list(State(app): AppState, caller: Caller, Query(query): Query<EventQuery>) -> Result<Json<EventPage>> {
    Ok(Json(event::list(&app, &caller, &query).await?))
}

/// Every type of event, with a sentence and the address of the schema of its data.
#[utoipa::path(get, path = "/v1/event-types", tag = "events", responses((status = 200, body = Items<EventTypeView>)))]
async fn types(caller: Caller) -> Result<Json<Items<EventTypeView>>> {
    items(catalogue::list(&caller)?)
}

/// The JSON Schema of the data of one type of event.
#[utoipa::path(get, path = "/v1/event-types/{kind}", tag = "events", params(("kind" = String, Path)),
    responses((status = 200, body = serde_json::Value, content_type = "application/schema+json")))]
async fn schema(caller: Caller, Path(kind): Path<String>) -> Result<impl IntoResponse> {
    let document = catalogue::schema(&caller, &kind)?;
    Ok(([(CONTENT_TYPE, "application/schema+json")], document.to_string()))
}
