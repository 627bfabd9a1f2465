//! Handlers for webhooks, which receive events.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    ids::WebhookId,
    page::{Page, PageQuery},
};
use berth_model::{
    access::Caller,
    event::webhook::{
        Attempt, AttemptQuery, Delivery, DeliveryQuery, EditWebhook, NewWebhook, Ping, Replay, RotateSecret, Webhook,
        WebhookDetail, WebhookWithSecret,
    },
};
use berth_work::event::webhook;

use crate::{Api, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, edit, delete))
        .routes(routes!(rotate_secret))
        .routes(routes!(test))
        .routes(routes!(deliveries))
        .routes(routes!(attempts))
        .routes(routes!(replay_delivery))
        .routes(routes!(replay))
}

/// Create a webhook, which gets the events from now on, signed as Standard Webhooks 1.0 says.
///
/// The secret is shown only in this answer.
#[utoipa::path(post, path = "/v1/webhooks", tag = "events", operation_id = "webhooks.create", request_body = NewWebhook, responses((status = 201, body = WebhookWithSecret)))]
async fn create(
    State(app): AppState,
    caller: Caller,
    Json(new): Json<NewWebhook>,
) -> Result<(StatusCode, SecretHeaders, Json<WebhookWithSecret>)> {
    Ok((StatusCode::CREATED, secret_headers(), Json(webhook::create(&app.outbox, &caller, new).await?)))
}

/// List the webhooks in the scopes that the caller may read, by id.
#[utoipa::path(get, path = "/v1/webhooks", tag = "events", operation_id = "webhooks.list", params(PageQuery), responses((status = 200, body = Page<Webhook>)))]
async fn list(State(app): AppState, caller: Caller, Query(query): Query<PageQuery>) -> Result<Json<Page<Webhook>>> {
    Ok(Json(webhook::list(&app.db, &caller, &query).await?))
}

/// Get one webhook, with how far its deliveries are.
#[utoipa::path(get, path = "/v1/webhooks/{id}", tag = "events", operation_id = "webhooks.get", params(("id" = WebhookId, Path)), responses((status = 200, body = WebhookDetail)))]
async fn get(State(app): AppState, caller: Caller, Path(id): Path<WebhookId>) -> Result<Json<WebhookDetail>> {
    Ok(Json(webhook::get(&app.db, &caller, &id).await?))
}

/// Edit, disable or enable a webhook.
#[utoipa::path(patch, path = "/v1/webhooks/{id}", tag = "events", operation_id = "webhooks.edit", params(("id" = WebhookId, Path)), request_body = EditWebhook, responses((status = 200, body = Webhook)))]
async fn edit(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WebhookId>,
    Json(edit): Json<EditWebhook>,
) -> Result<Json<Webhook>> {
    Ok(Json(webhook::edit(&app.outbox, &caller, &id, edit).await?))
}

/// Delete a webhook, with all deliveries that wait.
#[utoipa::path(delete, path = "/v1/webhooks/{id}", tag = "events", operation_id = "webhooks.delete", params(("id" = WebhookId, Path)), responses((status = 204)))]
async fn delete(State(app): AppState, caller: Caller, Path(id): Path<WebhookId>) -> Result<StatusCode> {
    webhook::delete(&app.db, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replace the secret of a webhook. For a while messages are signed with the old secret too.
#[utoipa::path(post, path = "/v1/webhooks/{id}/rotate-secret", tag = "events", operation_id = "webhooks.rotate_secret", params(("id" = WebhookId, Path)), request_body = RotateSecret, responses((status = 200, body = WebhookWithSecret)))]
async fn rotate_secret(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WebhookId>,
    OptionalJson(how): OptionalJson<RotateSecret>,
) -> Result<(SecretHeaders, Json<WebhookWithSecret>)> {
    Ok((secret_headers(), Json(webhook::rotate(&app.db, &caller, &id, how).await?)))
}

/// Send a `webhook.ping` at once, and get what the receiver answered.
#[utoipa::path(post, path = "/v1/webhooks/{id}/test", tag = "events", operation_id = "webhooks.test", params(("id" = WebhookId, Path)), responses((status = 200, body = Ping)))]
async fn test(State(app): AppState, caller: Caller, Path(id): Path<WebhookId>) -> Result<Json<Ping>> {
    Ok(Json(webhook::ping(&app.outbox, &caller, &id).await?))
}

/// List the deliveries of a webhook that wait for another attempt, and those that were given up.
#[utoipa::path(get, path = "/v1/webhooks/{id}/deliveries", tag = "events", operation_id = "webhooks.deliveries", params(("id" = WebhookId, Path), DeliveryQuery), responses((status = 200, body = Page<Delivery>)))]
async fn deliveries(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WebhookId>,
    Query(query): Query<DeliveryQuery>,
) -> Result<Json<Page<Delivery>>> {
    Ok(Json(webhook::deliveries(&app.db, &caller, &id, &query).await?))
}

/// List what a webhook's receiver answered to the attempts of the last week, newest first.
#[utoipa::path(get, path = "/v1/webhooks/{id}/attempts", tag = "events", operation_id = "webhooks.attempts", params(("id" = WebhookId, Path), AttemptQuery), responses((status = 200, body = Page<Attempt>)))]
async fn attempts(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WebhookId>,
    Query(query): Query<AttemptQuery>,
) -> Result<Json<Page<Attempt>>> {
    Ok(Json(webhook::attempts(&app.db, &caller, &id, &query).await?))
}

/// Attempt one delivery again, at once.
#[utoipa::path(post, path = "/v1/webhooks/{id}/deliveries/{seq}/replay", tag = "events", operation_id = "webhooks.replay_delivery", params(("id" = WebhookId, Path), ("seq" = i64, Path)), responses((status = 202)))]
async fn replay_delivery(
    State(app): AppState,
    caller: Caller,
    Path((id, seq)): Path<(WebhookId, i64)>,
) -> Result<StatusCode> {
    webhook::replay_delivery(&app.db, &caller, &id, seq).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Deliver all events after a certain one again, or skip to it.
#[utoipa::path(post, path = "/v1/webhooks/{id}/replay", tag = "events", operation_id = "webhooks.replay", params(("id" = WebhookId, Path)), request_body = Replay, responses((status = 202)))]
async fn replay(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WebhookId>,
    Json(how): Json<Replay>,
) -> Result<StatusCode> {
    webhook::replay(&app.db, &caller, &id, how).await?;
    Ok(StatusCode::ACCEPTED)
}
