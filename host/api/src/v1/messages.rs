//! Handlers for subscription messages: templates, consents, sending, reports.

use axum::http::HeaderMap;
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    ids::{HostAppId, MessageTemplateId, MiniAppId, UserMessageId},
    page::Page,
};
use berth_model::{
    access::Caller,
    app_secret::MiniAppServer,
    message::{
        AskSubscription, LibraryQuery, MessageQuery, MessageReport, MessageTemplate, NewMessageTemplate,
        PublicTemplate, SendMessage, Subscribe, Subscription, SubscriptionQuery, SubscriptionRequest, UserMessage,
        Withdraw,
    },
};
use berth_work::message;

use crate::{Api, idempotency::IDEMPOTENCY_KEY, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(library))
        .routes(routes!(templates, add_template))
        .routes(routes!(remove_template))
        .routes(routes!(ask))
        .routes(routes!(subscriptions, subscribe))
        .routes(routes!(withdraw))
        .routes(routes!(send))
        .routes(routes!(get))
        .routes(routes!(list))
        .routes(routes!(report))
}

/// List the public templates for subscription messages, in both languages.
#[utoipa::path(get, path = "/v1/message-library", tag = "messages", params(LibraryQuery), responses((status = 200, body = Items<PublicTemplate>)))]
async fn library(caller: Caller, Query(query): Query<LibraryQuery>) -> Result<Json<Items<PublicTemplate>>> {
    items(message::search_library(&caller, &query)?)
}

/// List the message templates of a MiniApp, newest first.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/message-templates", tag = "messages", params(("id" = MiniAppId, Path)), responses((status = 200, body = Items<MessageTemplate>)))]
async fn templates(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
) -> Result<Json<Items<MessageTemplate>>> {
    items(message::templates(&app.db, &caller, &id).await?)
}

/// Add a public template, with 1 to 5 of its keywords in an order, to the message templates of a MiniApp.
#[utoipa::path(post, path = "/v1/mini-apps/{id}/message-templates", tag = "messages", params(("id" = MiniAppId, Path)), request_body = NewMessageTemplate, responses((status = 201, body = MessageTemplate)))]
async fn add_template(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    Json(new): Json<NewMessageTemplate>,
) -> Created<MessageTemplate> {
    created(message::add(&app.db, &caller, &id, new).await?)
}

/// Remove a message template of a MiniApp. What users have allowed for it is gone.
#[utoipa::path(delete, path = "/v1/mini-apps/{id}/message-templates/{template}", tag = "messages", params(("id" = MiniAppId, Path), ("template" = MessageTemplateId, Path)), responses((status = 204)))]
async fn remove_template(
    State(app): AppState,
    caller: Caller,
    Path((id, template)): Path<(MiniAppId, MessageTemplateId)>,
) -> Result<StatusCode> {
    message::remove(&app.db, &caller, &id, &template).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask what to ask a user, when a MiniApp calls `requestSubscribeMessage`, in the name of the host app's server.
///
/// At most three templates, all one-time or all long-term. Of two with the same title one is kept. The SDK calls this only
/// after the user has tapped something.
#[utoipa::path(post, path = "/v1/host-apps/{id}/subscription-requests", tag = "messages", params(("id" = HostAppId, Path)), request_body = AskSubscription, responses((status = 200, body = SubscriptionRequest)))]
async fn ask(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Json(ask): Json<AskSubscription>,
) -> Result<Json<SubscriptionRequest>> {
    Ok(Json(message::ask(&app.db, &caller, &id, ask).await?))
}

/// Record what a user has answered, in the name of the host app's server. Returns what is allowed now.
///
/// Each consent to a one-time template allows one message more, so send an `Idempotency-Key`.
#[utoipa::path(post, path = "/v1/host-apps/{id}/subscriptions", tag = "messages", params(("id" = HostAppId, Path)), request_body = Subscribe, responses((status = 200, body = Items<Subscription>)))]
async fn subscribe(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Json(said): Json<Subscribe>,
) -> Result<Json<Items<Subscription>>> {
    items(message::subscribe(&app.db, &caller, &id, said).await?)
}

/// List what a user allows a MiniApp, in the name of the host app's server.
#[utoipa::path(get, path = "/v1/host-apps/{id}/subscriptions", tag = "messages", params(("id" = HostAppId, Path), SubscriptionQuery), responses((status = 200, body = Items<Subscription>)))]
async fn subscriptions(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Query(query): Query<SubscriptionQuery>,
) -> Result<Json<Items<Subscription>>> {
    items(message::subscriptions(&app.db, &caller, &id, &query).await?)
}

/// Withdraw what a user has allowed, for one template or all of a MiniApp, in the name of the host app's server.
#[utoipa::path(post, path = "/v1/host-apps/{id}/subscriptions/withdraw", tag = "messages", params(("id" = HostAppId, Path)), request_body = Withdraw, responses((status = 204)))]
async fn withdraw(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Json(withdraw): Json<Withdraw>,
) -> Result<StatusCode> {
    message::withdraw(&app.db, &caller, &id, withdraw).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send a subscription message, in the name of the MiniApp's server.
///
/// With an `Idempotency-Key` it is sent once, however often the request comes within 90 days. The host app is told by the
/// event `message.sent`.
#[utoipa::path(post, path = "/v1/messages", tag = "messages", request_body = SendMessage, responses((status = 201, body = UserMessage)))]
async fn send(
    State(app): AppState,
    server: MiniAppServer,
    headers: HeaderMap,
    Json(send): Json<SendMessage>,
) -> Created<UserMessage> {
    let key = headers.get(IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok());
    created(message::send(&app.db, &server, send, key).await?)
}

/// Get a message of the MiniApp whose server asks: when it was sent, and what became of it.
#[utoipa::path(get, path = "/v1/messages/{id}", tag = "messages", params(("id" = UserMessageId, Path)), responses((status = 200, body = UserMessage)))]
async fn get(State(app): AppState, server: MiniAppServer, Path(id): Path<UserMessageId>) -> Result<Json<UserMessage>> {
    Ok(Json(message::get(&app.db, &server, &id).await?))
}

/// List the messages that a MiniApp has sent, newest first, without what they say and to whom.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/messages", tag = "messages", params(("id" = MiniAppId, Path), MessageQuery), responses((status = 200, body = Page<UserMessage>)))]
async fn list(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    Query(query): Query<MessageQuery>,
) -> Result<Json<Page<UserMessage>>> {
    Ok(Json(message::list(&app.db, &caller, &id, &query).await?))
}

/// Report what became of a message, in the name of the host app's server: shown, opened or refused.
#[utoipa::path(post, path = "/v1/host-apps/{id}/messages/{message}", tag = "messages", params(("id" = HostAppId, Path), ("message" = UserMessageId, Path)), request_body = MessageReport, responses((status = 200, body = UserMessage)))]
async fn report(
    State(app): AppState,
    caller: Caller,
    Path((id, message)): Path<(HostAppId, UserMessageId)>,
    Json(report): Json<MessageReport>,
) -> Result<Json<UserMessage>> {
    Ok(Json(message::report(&app.db, &caller, &id, &message, report).await?))
}
