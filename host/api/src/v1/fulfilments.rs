//! Handlers for fulfilment messages.

use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{ids::MessageId, page::Page};
use berth_model::{
    access::Caller,
    endpoint::fulfilment::{Delivery, Discard, Fulfilment, FulfilmentQuery, Receipt, Receipts, Replay, ReplayAll},
};
use berth_work::endpoint::fulfilment;

use crate::{Api, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(deliver, list))
        .routes(routes!(get))
        .routes(routes!(discard))
        .routes(routes!(replay))
        .routes(routes!(replay_all))
}

/// Send one fulfilment message, or several.
///
/// Messages may come in any order and any number of times; the result is the same. A message that cannot be applied is
/// parked, with the reason.
#[utoipa::path(post, path = "/v1/fulfilments", tag = "fulfilment", request_body = Delivery, responses((status = 200, body = Receipts)))]
async fn deliver(State(app): AppState, caller: Caller, Json(body): Json<Value>) -> Result<Json<Receipts>> {
    let messages = fulfilment::messages_of(body)?;
    Ok(Json(fulfilment::deliver(&app.intake, &caller, &messages).await?))
}

/// List the messages that were sent, newest first.
///
/// Members of a merchant list those that name it, by the parameter `merchant`.
#[utoipa::path(get, path = "/v1/fulfilments", tag = "fulfilment", params(FulfilmentQuery), responses((status = 200, body = Page<Fulfilment>)))]
async fn list(
    State(app): AppState,
    caller: Caller,
    Query(query): Query<FulfilmentQuery>,
) -> Result<Json<Page<Fulfilment>>> {
    Ok(Json(fulfilment::list(&app.db, &caller, &query).await?))
}

/// Get one fulfilment message.
///
/// Members of the merchant that it names may, too.
#[utoipa::path(get, path = "/v1/fulfilments/{id}", tag = "fulfilment", params(("id" = MessageId, Path)), responses((status = 200, body = Fulfilment)))]
async fn get(State(app): AppState, caller: Caller, Path(id): Path<MessageId>) -> Result<Json<Fulfilment>> {
    Ok(Json(fulfilment::get(&app.db, &caller, &id).await?))
}

/// Discard a parked message, with a note that says why.
///
/// It is not applied and does not wait any more. The same message, sent again, stays discarded; a replay takes it back.
#[utoipa::path(post, path = "/v1/fulfilments/{id}/discard", tag = "fulfilment", params(("id" = MessageId, Path)), request_body = Discard, responses((status = 200, body = Fulfilment)))]
async fn discard(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MessageId>,
    Json(discard): Json<Discard>,
) -> Result<Json<Fulfilment>> {
    Ok(Json(fulfilment::discard(&app.db, &caller, &id, discard).await?))
}

/// Try a parked or discarded message again, corrected or unchanged.
#[utoipa::path(post, path = "/v1/fulfilments/{id}/replay", tag = "fulfilment", params(("id" = MessageId, Path)), request_body = Replay, responses((status = 200, body = Receipt)))]
async fn replay(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MessageId>,
    OptionalJson(replay): OptionalJson<Replay>,
) -> Result<Json<Receipt>> {
    Ok(Json(fulfilment::replay(&app.db, &caller, &id, replay).await?))
}

/// Try up to 1,000 parked messages again, those tried least often first.
#[utoipa::path(post, path = "/v1/fulfilments/replay", tag = "fulfilment", request_body = ReplayAll, responses((status = 200, body = Receipts)))]
async fn replay_all(
    State(app): AppState,
    caller: Caller,
    OptionalJson(which): OptionalJson<ReplayAll>,
) -> Result<Json<Receipts>> {
    Ok(Json(fulfilment::replay_all(&app.db, &app.intake, &caller, &which).await?))
}
