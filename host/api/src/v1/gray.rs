//! Handlers for gray tasks and the uploaded lists of their conditions.

use axum::body::Body;
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    ids::{GrayTaskId, MiniAppId},
    page::Page,
};
use berth_model::{
    access::Caller,
    check::{CheckRecord, SetCheckRecord},
    rollout::{Cohort, EditGrayTask, GrayTask, GrayTaskQuery, NewGrayTask, Note, Progress, Take, UploadedCohort},
};
use berth_work::{check, rollout};

use crate::{Api, proved::Proved, routes::routes};

/// The name of a list to upload.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CohortQuery {
    /// Display name of the list, 1 to 64 characters.
    name: String,
    /// The column to take of a table (tab, semicolon or comma between columns): its number from 1, or its heading.
    column: Option<String>,
    /// Take every line as it is, even if it looks like a row of a table or like a heading.
    #[serde(default)]
    as_is: bool,
}

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(list_all))
        .routes(routes!(get, edit))
        .routes(routes!(suspend))
        .routes(routes!(resume))
        .routes(routes!(end))
        .routes(routes!(progress))
        .routes(routes!(upload_cohort, cohorts))
        .routes(routes!(record, set_record, delete_record))
}

/// Create a gray task, which releases an approved version to some devices.
#[utoipa::path(post, path = "/v1/mini-apps/{id}/gray-tasks", tag = "grayscale", params(("id" = MiniAppId, Path)), request_body = NewGrayTask, responses((status = 201, body = GrayTask)))]
async fn create(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    Json(new): Json<NewGrayTask>,
) -> Created<GrayTask> {
    created(rollout::create(&app.db, &*app.judges, &caller, &id, new).await?)
}

/// List the gray tasks of a MiniApp, newest first.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/gray-tasks", tag = "grayscale", params(("id" = MiniAppId, Path), GrayTaskQuery), responses((status = 200, body = Page<GrayTask>)))]
async fn list(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    Query(query): Query<GrayTaskQuery>,
) -> Result<Json<Page<GrayTask>>> {
    Ok(Json(rollout::list(&app.db, &caller, Some(&id), &query).await?))
}

/// List the gray tasks of all MiniApps whose team the caller knows, newest first.
#[utoipa::path(get, path = "/v1/gray-tasks", tag = "grayscale", params(GrayTaskQuery), responses((status = 200, body = Page<GrayTask>)))]
async fn list_all(
    State(app): AppState,
    caller: Caller,
    Query(query): Query<GrayTaskQuery>,
) -> Result<Json<Page<GrayTask>>> {
    Ok(Json(rollout::list(&app.db, &caller, None, &query).await?))
}

/// Get one gray task with its conditions in words, its policies and its moves.
#[utoipa::path(get, path = "/v1/gray-tasks/{id}", tag = "grayscale", params(("id" = GrayTaskId, Path)), responses((status = 200, body = GrayTask)))]
async fn get(State(app): AppState, caller: Caller, Path(id): Path<GrayTaskId>) -> Result<Json<GrayTask>> {
    Ok(Json(rollout::get(&app.db, &caller, &id).await?))
}

/// Edit a gray task. One that has started can only be widened: it goes on to admit whomever it admitted before.
#[utoipa::path(patch, path = "/v1/gray-tasks/{id}", tag = "grayscale", params(("id" = GrayTaskId, Path)), request_body = EditGrayTask, responses((status = 200, body = GrayTask)))]
async fn edit(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<GrayTaskId>,
    Json(edit): Json<EditGrayTask>,
) -> Result<Json<GrayTask>> {
    Ok(Json(rollout::edit(&app.db, &*app.judges, &caller, &id, &edit).await?))
}

/// Suspend a gray task: it admits no new devices. Devices already admitted keep the version.
#[utoipa::path(post, path = "/v1/gray-tasks/{id}/suspend", tag = "grayscale", params(("id" = GrayTaskId, Path)), request_body = Option<Note>, responses((status = 200, body = GrayTask)))]
async fn suspend(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<GrayTaskId>,
    OptionalJson(note): OptionalJson<Note>,
) -> Result<Json<GrayTask>> {
    Ok(Json(rollout::suspend(&app.db, &caller, &id, &note).await?))
}

/// Resume a suspended gray task.
#[utoipa::path(post, path = "/v1/gray-tasks/{id}/resume", tag = "grayscale", params(("id" = GrayTaskId, Path)), request_body = Option<Note>, responses((status = 200, body = GrayTask)))]
async fn resume(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<GrayTaskId>,
    OptionalJson(note): OptionalJson<Note>,
) -> Result<Json<GrayTask>> {
    Ok(Json(rollout::resume(&app.db, &caller, &id, &note).await?))
}

/// End a gray task. Its devices return to the online version.
#[utoipa::path(post, path = "/v1/gray-tasks/{id}/end", tag = "grayscale", params(("id" = GrayTaskId, Path)), request_body = Option<Note>, responses((status = 200, body = GrayTask)))]
async fn end(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<GrayTaskId>,
    OptionalJson(note): OptionalJson<Note>,
) -> Result<Json<GrayTask>> {
    Ok(Json(rollout::end(&app.db, &caller, &id, &note).await?))
}

/// Get how many devices were offered the version, downloaded it, run it and failed with it and why, in total and over
/// time.
#[utoipa::path(get, path = "/v1/gray-tasks/{id}/progress", tag = "grayscale", params(("id" = GrayTaskId, Path)), responses((status = 200, body = Progress)))]
async fn progress(State(app): AppState, caller: Caller, Path(id): Path<GrayTaskId>) -> Result<Json<Progress>> {
    Ok(Json(rollout::progress(&app.db, &app.config.gray, &caller, &id).await?))
}

/// Upload a list of guids, device ids or accounts, one on each line, with up to 1,000,000 members. Lines that look like
/// rows of a table are refused, and told one by one.
#[utoipa::path(post, path = "/v1/mini-apps/{id}/cohorts", tag = "grayscale", params(("id" = MiniAppId, Path), CohortQuery), request_body(content = String, content_type = "text/plain"), responses((status = 201, body = UploadedCohort)))]
async fn upload_cohort(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    Query(query): Query<CohortQuery>,
    proved: Proved,
    body: Body,
) -> Created<UploadedCohort> {
    let list = super::packages::chunks(body, rollout::MAX_COHORT_BYTES as u64, proved)?;
    let take = Take::of(query.column.as_deref(), query.as_is)?;
    created(rollout::upload_cohort(&app.db, &app.blobs, &caller, &id, &query.name, take, list).await?)
}

/// List the uploaded lists of a MiniApp, newest first.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/cohorts", tag = "grayscale", params(("id" = MiniAppId, Path)), responses((status = 200, body = Items<Cohort>)))]
async fn cohorts(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<Json<Items<Cohort>>> {
    items(rollout::cohorts(&app.db, &caller, &id).await?)
}

/// Get what is recorded of the devices that ask for a MiniApp, by which grayscale policies are replayed; nothing unless a record was
/// begun.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/check-record", tag = "grayscale", params(("id" = MiniAppId, Path)), responses((status = 200, body = CheckRecord)))]
async fn record(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<Json<CheckRecord>> {
    Ok(Json(check::get_record(&app.db, &caller, &id).await?))
}

/// Begin to record the devices that ask for a MiniApp, in place of what was recorded before. What tells whose a device is is not
/// recorded.
#[utoipa::path(put, path = "/v1/mini-apps/{id}/check-record", tag = "grayscale", params(("id" = MiniAppId, Path)), request_body = SetCheckRecord, responses((status = 200, body = CheckRecord)))]
async fn set_record(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    Json(set): Json<SetCheckRecord>,
) -> Result<Json<CheckRecord>> {
    Ok(Json(check::set_record(&app.db, &caller, &id, set).await?))
}

/// End the record of the devices that ask for a MiniApp, and delete all that was recorded.
#[utoipa::path(delete, path = "/v1/mini-apps/{id}/check-record", tag = "grayscale", params(("id" = MiniAppId, Path)), responses((status = 204)))]
async fn delete_record(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<StatusCode> {
    check::delete_record(&app.db, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
