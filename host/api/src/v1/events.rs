//! Handlers for the event log.

use axum::{
    http::{HeaderMap, header::CONTENT_TYPE},
    response::{IntoResponse, Sse, sse},
};
use futures_util::StreamExt;
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::error::Error;
use berth_model::{
    access::Caller,
    event::{Event, EventPage, EventQuery, EventTypeView, catalogue, stream::StreamQuery},
};
use berth_work::event::{self, stream::Item};

use crate::{Api, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(stream)).routes(routes!(types)).routes(routes!(schema))
}

/// List events, oldest first or newest first: of a MiniApp, host app or merchant for its members, all for readers of the platform.
#[utoipa::path(get, path = "/v1/events", tag = "events", params(EventQuery), responses((status = 200, body = EventPage)))]
async fn list(State(app): AppState, caller: Caller, Query(query): Query<EventQuery>) -> Result<Json<EventPage>> {
    Ok(Json(event::list(&app.db, &caller, &query).await?))
}

/// Stream events as they happen, as server-sent events.
///
/// Of each message `id` is the number of the event, `event` its type, and `data` the event. A client that connects
/// again with `Last-Event-ID` misses nothing. A message with an `id` and no data says that nothing happened up to this
/// number.
#[utoipa::path(get, path = "/v1/events/stream", tag = "events", params(StreamQuery), responses((status = 200, body = Event, content_type = "text/event-stream")))]
async fn stream(
    State(app): AppState,
    caller: Caller,
    headers: HeaderMap,
    Query(mut query): Query<StreamQuery>,
) -> Result<impl IntoResponse> {
    if let Some(seen) = headers.get("last-event-id").and_then(|id| id.to_str().ok()) {
        let seen = seen.parse().map_err(|_| Error::parameter("Last-Event-ID", "must be the number of an event."))?;
        query.after = Some(seen);
    }
    let items = event::stream::open(app.outbox.clone(), caller, query).await?;
    // axum's own keep-alive would say nothing of where to go on: ours does, and it looks at the token.
    Ok(([("x-accel-buffering", "no")], Sse::new(items.map(|item| message(&item)))))
}

/// One message of the stream.
fn message(item: &Item) -> Result<sse::Event, axum::Error> {
    match item {
        // An id without data tells no event, and moves `Last-Event-ID` on.
        Item::Heartbeat(seq) => Ok(sse::Event::default().id(seq.to_string()).comment("nothing happened")),
        Item::Entry(event) => sse::Event::default().id(event.seq.to_string()).event(&event.kind).json_data(event),
    }
}

/// List all types of events, each with a sentence about it and the address of the schema of its data.
#[utoipa::path(get, path = "/v1/event-types", tag = "events", responses((status = 200, body = Items<EventTypeView>)))]
async fn types(caller: Caller) -> Result<Json<Items<EventTypeView>>> {
    items(catalogue::list(&caller)?)
}

/// Get the JSON Schema of the data of one type of event.
#[utoipa::path(get, path = "/v1/event-types/{kind}", tag = "events", params(("kind" = String, Path)),
    responses((status = 200, body = serde_json::Value, content_type = "application/schema+json")))]
async fn schema(caller: Caller, Path(kind): Path<String>) -> Result<impl IntoResponse> {
    let document = catalogue::schema(&caller, &kind)?;
    Ok(([(CONTENT_TYPE, "application/schema+json")], document.to_string()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_happened_is_told_and_nothing_is_a_number_without_data() {
        let text = r#"{"seq":7,"id":"evt_01arz3ndektsv4rrffq69g5fav","type":"version.published","subject":"mp-shop",
            "actor":"berth","at":"2030-01-31T08:00:00.000Z","data":{}}"#;
        let event: Event = serde_json::from_str(text).unwrap();
        let items = futures_util::stream::iter([Item::Heartbeat(6), Item::Entry(Box::new(event))]);
        let response = Sse::new(items.map(|item| message(&item))).into_response();
        assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-cache");
        let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        let text = std::str::from_utf8(&body).unwrap();
        assert!(text.starts_with("id: 6\n: nothing happened\n\nid: 7\nevent: version.published\ndata: {"), "{text}");
    }
}
