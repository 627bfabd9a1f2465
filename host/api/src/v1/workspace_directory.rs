//! Handlers for address books that are pulled from where the organisation keeps them, and for what directories tell by themselves,
//! which have no token: a push is recognised by its signature.

use axum::{
    body::Bytes,
    extract::{DefaultBodyLimit, rejection::BytesRejection},
};
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::ids::WorkspaceId;
use berth_model::{
    access::Caller,
    workspace::directory::{AskSync, Directory, PutDirectory},
};
use berth_work::{
    wechat::{Envelope, push},
    workspace::directory,
};

use crate::{
    Api,
    extract::{SomeQuery, bytes_problem},
    routes::routes,
};

/// Size of a push in bytes, at most. Usual ones have a few hundred.
const LARGEST_PUSH: usize = 64 << 10;

pub(super) fn routes() -> OpenApiRouter<Api> {
    let pushes = OpenApiRouter::new().routes(routes!(echo, hear)).layer(DefaultBodyLimit::max(LARGEST_PUSH));
    OpenApiRouter::new().routes(routes!(get, put, remove)).routes(routes!(sync)).merge(pushes)
}

/// Get from where the address book of a workspace is pulled, and how the last sync went. The secrets are not told.
#[utoipa::path(get, path = "/v1/workspaces/{id}/directory", tag = "workspaces", operation_id = "directories.get", params(("id" = WorkspaceId, Path)), responses((status = 200, body = Directory)))]
async fn get(State(app): AppState, caller: Caller, Path(id): Path<WorkspaceId>) -> Result<Json<Directory>> {
    Ok(Json(directory::get(&app.directories, &caller, &id).await?))
}

/// Set from where the address book of a workspace is pulled, in place of what is set.
///
/// The directory is asked whether it lets this host in, and the first sync begins at once. From then on SCIM writes nothing into this
/// address book.
#[utoipa::path(put, path = "/v1/workspaces/{id}/directory", tag = "workspaces", operation_id = "directories.put", params(("id" = WorkspaceId, Path)), request_body = PutDirectory, responses((status = 200, body = Directory)))]
async fn put(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
    Json(put): Json<PutDirectory>,
) -> Result<Json<Directory>> {
    Ok(Json(directory::put(&app.directories, &caller, &id, put).await?))
}

/// Pull the address book of a workspace no more. What came stays as it is, and SCIM may go on with it.
#[utoipa::path(delete, path = "/v1/workspaces/{id}/directory", tag = "workspaces", operation_id = "directories.remove", params(("id" = WorkspaceId, Path)), responses((status = 204)))]
async fn remove(State(app): AppState, caller: Caller, Path(id): Path<WorkspaceId>) -> Result<StatusCode> {
    directory::remove(&app.directories, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask for a sync now. How it goes is seen by getting the directory.
///
/// With `force` it takes away as much as the directory says, even where that looks like a mistake.
#[utoipa::path(post, path = "/v1/workspaces/{id}/directory/sync", tag = "workspaces", operation_id = "directories.sync", params(("id" = WorkspaceId, Path)), request_body = AskSync, responses((status = 202, body = Directory)))]
async fn sync(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
    Json(ask): Json<AskSync>,
) -> Result<(StatusCode, Json<Directory>)> {
    let directory = directory::ask_for_sync(&app.directories, &caller, &id, ask).await?;
    Ok((StatusCode::ACCEPTED, Json(directory)))
}

/// What WeCom asks to try an address.
#[derive(serde::Deserialize)]
struct Echo {
    /// An encrypted text.
    echostr: String,
}

/// Answer the question by which WeCom tries the address of callbacks.
#[utoipa::path(get, path = "/v1/wecom/directory/{workspace}", tag = "workspaces", operation_id = "directories.echo", params(("workspace" = WorkspaceId, Path), Envelope, ("echostr" = String, Query, description = "An encrypted text, which is answered in plain")), responses((status = 200, content_type = "text/plain", body = String)))]
async fn echo(
    State(app): AppState,
    Path(id): Path<WorkspaceId>,
    SomeQuery(envelope): SomeQuery<Envelope>,
    SomeQuery(asked): SomeQuery<Echo>,
) -> Result<String> {
    Ok(directory::echo(&app.directories, &id, &envelope, &asked.echostr).await?)
}

/// Hear from WeCom that the address book has changed. The next sync is brought forward.
#[utoipa::path(post, path = "/v1/wecom/directory/{workspace}", tag = "workspaces", operation_id = "directories.hear", params(("workspace" = WorkspaceId, Path), Envelope), request_body(content = String, content_type = "text/xml"), responses((status = 200, content_type = "text/plain", body = String)))]
async fn hear(
    State(app): AppState,
    Path(id): Path<WorkspaceId>,
    SomeQuery(envelope): SomeQuery<Envelope>,
    body: Result<Bytes, BytesRejection>,
) -> Result<&'static str> {
    let body = body.map_err(bytes_problem)?;
    directory::hear(&app.directories, &id, &envelope, &String::from_utf8_lossy(&body)).await?;
    Ok(push::HEARD)
}
