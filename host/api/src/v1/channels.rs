//! Handlers for channels and the endpoint applications to which they are bound.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{ids::ChannelId, page::Page};
use berth_model::{
    access::Caller,
    endpoint::{
        Channel,
        channel::{BindChannel, ChannelQuery, EditChannel, NewChannel},
    },
};
use berth_work::endpoint::channel;

use crate::{Api, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(get, edit, delete)).routes(routes!(bind, unbind))
}

/// Record a channel for which the merchant vouches by hand.
///
/// For a MiniApp of this host the caller must be a developer of it.
#[utoipa::path(post, path = "/v1/channels", tag = "channels", request_body = NewChannel, responses((status = 201, body = Channel)))]
async fn create(State(app): AppState, caller: Caller, Json(new): Json<NewChannel>) -> Created<Channel> {
    created(channel::create(&app.db, &caller, new).await?)
}

/// List the channels of the merchants that the caller may know.
#[utoipa::path(get, path = "/v1/channels", tag = "channels", params(ChannelQuery), responses((status = 200, body = Page<Channel>)))]
async fn list(State(app): AppState, caller: Caller, Query(query): Query<ChannelQuery>) -> Result<Json<Page<Channel>>> {
    Ok(Json(channel::list(&app.db, &caller, &query).await?))
}

/// Get one channel.
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

/// Delete a channel that is not bound to an endpoint application.
#[utoipa::path(delete, path = "/v1/channels/{id}", tag = "channels", params(("id" = ChannelId, Path)), responses((status = 204)))]
async fn delete(State(app): AppState, caller: Caller, Path(id): Path<ChannelId>) -> Result<StatusCode> {
    channel::delete(&app.db, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Bind a channel to an endpoint application; a channel that is bound to another one moves only if `move` says so.
#[utoipa::path(put, path = "/v1/channels/{id}/endpoint-app", tag = "channels", params(("id" = ChannelId, Path)), request_body = BindChannel, responses((status = 200, body = Channel)))]
async fn bind(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<ChannelId>,
    Json(bind): Json<BindChannel>,
) -> Result<Json<Channel>> {
    Ok(Json(channel::bind(&app.db, &caller, &id, &bind).await?))
}

/// Unbind a channel from its endpoint application.
#[utoipa::path(delete, path = "/v1/channels/{id}/endpoint-app", tag = "channels", params(("id" = ChannelId, Path)), responses((status = 200, body = Channel)))]
async fn unbind(State(app): AppState, caller: Caller, Path(id): Path<ChannelId>) -> Result<Json<Channel>> {
    Ok(Json(channel::unbind(&app.db, &caller, &id).await?))
}
