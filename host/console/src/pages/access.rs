//! Events.

use axum::Router;
use berth_model::event::Event;

use crate::{Console, visit::Visit};

pub fn routes() -> Router<Console> {
    Router::new()
}

/// The newest events that the visitor may read, newest first.
pub async fn newest_events(visit: &Visit, _count: i64) -> Vec<Event> {
    let page = visit.api.get::<serde_json::Value>("/v1/events?limit=1").await;
    drop(page);
    Vec::new()
}
