//! The event log.

use std::convert::Infallible;

use axum::{
    body::Body,
    http::{HeaderMap, header::CONTENT_TYPE},
    response::IntoResponse,
};
use futures_util::StreamExt;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::*;
use crate::{
    access::Caller,
    error::Error,
    event::{
        self, Event, EventPage, EventQuery, EventTypeView, catalogue,
        stream::{Item, StreamQuery},
    },
};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(stream)).routes(routes!(types)).routes(routes!(schema))
}

/// What happened, oldest first: of a MiniApp or host app for its members, of everything for admins of the platform.
#[utoipa::path(get, path = "/v1/events", tag = "events", params(EventQuery), responses((status = 200, body = EventPage)))]
async fn list(State(app): AppState, caller: Caller, Query(query): Query<EventQuery>) -> Result<Json<EventPage>> {
    Ok(Json(event::list(&app.db, &caller, &query).await?))
}

/// What happens, as it happens: server-sent events whose `id` is the event's number, `event` its type and `data` the event. A
/// client that comes again with `Last-Event-ID` misses nothing. A message with an `id` and no data says that nothing happened
/// up to there.
#[utoipa::path(get, path = "/v1/events/stream", tag = "events", params(StreamQuery), responses((status = 200, body = Event, content_type = "text/event-stream")))]
async fn stream(
    State(app): AppState,
    caller: Caller,
    headers: HeaderMap,
    Query(mut query): Query<StreamQuery>,
) -> Result<impl IntoResponse> {
    if let Some(seen) = headers.get("last-event-id").and_then(|id| id.to_str().ok()) {
        let seen = seen.parse().map_err(|_| Error::field("Last-Event-ID", "must be the number of an event."))?;
        query.after = Some(seen);
    }
    let items = event::stream::open(app.outbox.clone(), caller, query).await?;
    let body = Body::from_stream(items.map(|item| Ok::<_, Infallible>(line(&item))));
    Ok(([(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-cache")], [("x-accel-buffering", "no")], body))
}

/// One message of the stream.
fn line(item: &Item) -> String {
    match item {
        // An id without data tells no event, and moves `Last-Event-ID` on.
        Item::Heartbeat(seq) => format!("id: {seq}\n: nothing happened\n\n"),
        Item::Event(event) => {
            let data = serde_json::to_string(event).unwrap_or_default();
            format!("id: {}\nevent: {}\ndata: {data}\n\n", event.seq, event.kind)
        }
    }
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
