//! Channels, and which endpoint application each reaches.

use utoipa_axum::{router::OpenApiRouter, routes};

use super::*;
use crate::{
    access::Caller,
    api::Api,
    endpoint::channel::{self, BindChannel, Channel, ChannelQuery, EditChannel, NewChannel},
    ids::ChannelId,
    page::Page,
};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(get, edit, delete)).routes(routes!(bind, unbind))
}

/// Record a channel that the merchant vouches for by hand. A MiniApp of ours needs a developer of it.
#[utoipa::path(post, path = "/v1/channels", tag = "channels", request_body = NewChannel, responses((status = 201, body = Channel)))]
async fn create(State(app): AppState, caller: Caller, Json(new): Json<NewChannel>) -> Created<Channel> {
    created(channel::create(&app.db, &caller, new).await?)
}

/// The channels of the caller's merchants.
#[utoipa::path(get, path = "/v1/channels", tag = "channels", params(ChannelQuery), responses((status = 200, body = Page<Channel>)))]
async fn list(State(app): AppState, caller: Caller, Query(query): Query<ChannelQuery>) -> Result<Json<Page<Channel>>> {
    Ok(Json(channel::list(&app.db, &caller, &query).await?))
}

/// One channel.
#[utoipa::path(get, path = "/v1/channels/{id}", tag = "channels", params(("id" = ChannelId, Path)), responses((status = 200, body = Channel)))]
async fn get(State(app): AppState, caller: Caller, Path(id): Path<ChannelId>) -> Result<Json<Channel>> {
    Ok(Json(channel::get(&app.db, &caller, &id).await?))
}

/// Rename a channel.
#[utoipa::path(patch, path = "/v1/channels/{id}", tag = "channels", params(("id" = ChannelId, Path)), request_body = EditChannel, responses((status = 200, body = Channel)))]
async fn edit(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(edit): Json<EditChannel>,
) -> Result<Json<Channel>> {
    Ok(Json(channel::edit(&app.db, &caller, &id, edit).await?))
}

/// Give a channel up; it must be bound to nothing.
#[utoipa::path(delete, path = "/v1/channels/{id}", tag = "channels", params(("id" = ChannelId, Path)), responses((status = 204)))]
async fn delete(State(app): AppState, caller: Caller, Path(id): Path<ChannelId>) -> Result<StatusCode> {
    channel::delete(&app.db, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Bind a channel to an endpoint application; a bound one moves only when `move` says so.
#[utoipa::path(put, path = "/v1/channels/{id}/endpoint-app", tag = "channels", params(("id" = ChannelId, Path)), request_body = BindChannel, responses((status = 200, body = Channel)))]
async fn bind(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(bind): Json<BindChannel>,
) -> Result<Json<Channel>> {
    Ok(Json(channel::bind(&app.db, &caller, &id, &bind).await?))
}

/// Take a channel from its endpoint application.
#[utoipa::path(delete, path = "/v1/channels/{id}/endpoint-app", tag = "channels", params(("id" = ChannelId, Path)), responses((status = 200, body = Channel)))]
async fn unbind(State(app): AppState, caller: Caller, Path(id): Path<ChannelId>) -> Result<Json<Channel>> {
    Ok(Json(channel::unbind(&app.db, &caller, &id).await?))
}
