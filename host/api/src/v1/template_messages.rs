//! Handlers for template messages to members, by official accounts.

use axum::http::HeaderMap;
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    ids::{MerchantId, TemplateMessageId},
    page::Page,
};
use berth_model::{
    access::Caller,
    official_account::{SendTemplateMessage, TemplateMessage, TemplateMessageQuery},
};
use berth_work::official_account;

use crate::{Api, idempotency::IDEMPOTENCY_KEY, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(send, list)).routes(routes!(get))
}

/// Send a template message to a member, by the official account that the member is reached by.
///
/// `state` of the answer says what became of it: `sent`, `refused` with WeChat's reasons, or `unknown` when no answer came. With
/// an `Idempotency-Key` it is sent once, however often the request comes within 90 days.
#[utoipa::path(post, path = "/v1/merchants/{id}/template-messages", tag = "official-accounts", operation_id = "template-messages.send", params(("id" = MerchantId, Path)), request_body = SendTemplateMessage, responses((status = 201, body = TemplateMessage)))]
async fn send(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MerchantId>,
    headers: HeaderMap,
    Json(send): Json<SendTemplateMessage>,
) -> Created<TemplateMessage> {
    let key = headers.get(IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok());
    created(official_account::send(&app.official_accounts, &caller, &id, send, key).await?)
}

/// List the template messages of a merchant, newest first, without what they say.
#[utoipa::path(get, path = "/v1/merchants/{id}/template-messages", tag = "official-accounts", operation_id = "template-messages.list", params(("id" = MerchantId, Path), TemplateMessageQuery), responses((status = 200, body = Page<TemplateMessage>)))]
async fn list(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MerchantId>,
    Query(query): Query<TemplateMessageQuery>,
) -> Result<Json<Page<TemplateMessage>>> {
    Ok(Json(official_account::template_messages(&app.db, &caller, &id, &query).await?))
}

/// Get a template message of a merchant, and what became of it.
#[utoipa::path(get, path = "/v1/merchants/{id}/template-messages/{message}", tag = "official-accounts", operation_id = "template-messages.get", params(("id" = MerchantId, Path), ("message" = TemplateMessageId, Path)), responses((status = 200, body = TemplateMessage)))]
async fn get(
    State(app): AppState,
    caller: Caller,
    Path((id, message)): Path<(MerchantId, TemplateMessageId)>,
) -> Result<Json<TemplateMessage>> {
    Ok(Json(official_account::template_message(&app.db, &caller, &id, &message).await?))
}
