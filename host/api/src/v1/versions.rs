//! Handlers for versions, releases and trials.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, header},
    response::{IntoResponse, Response},
};
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    error::Error,
    ids::MiniAppId,
    page::{Page, PageQuery},
    version::VersionNumber,
};
use berth_model::{
    access::Caller,
    audit::{Audit, Findings},
    version::{
        CompareQuery, Comparison, Publish, Release, Released, Rollback, Trial, Version, VersionDetail, VersionFile,
        is_text,
    },
};
use berth_work::{
    audit,
    version::{self, trial, upload},
};

use crate::{Api, precondition::IfMatch, range, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, delete))
        .routes(routes!(findings))
        .routes(routes!(files))
        .routes(routes!(file))
        .routes(routes!(compare))
        .routes(routes!(audits))
        .routes(routes!(submit))
        .routes(routes!(withdraw))
        .routes(routes!(publish))
        .routes(routes!(roll_back))
        .routes(routes!(releases))
        .routes(routes!(get_trial, set_trial, clear_trial))
}

/// List the versions of a MiniApp, newest upload first, without their pages and warnings.
///
/// Members of a host app that it is bound to see those that were published or submitted to the host app.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/versions", tag = "versions", params(("id" = MiniAppId, Path), PageQuery), responses((status = 200, body = Page<Version>)))]
async fn list(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Version>>> {
    Ok(Json(version::list(&app.db, &caller, &id, &page).await?))
}

/// Get one version with its newest audit.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/versions/{version}", tag = "versions", params(("id" = MiniAppId, Path), ("version" = VersionNumber, Path)), responses((status = 200, body = VersionDetail)))]
async fn get(
    State(app): AppState,
    caller: Caller,
    Path((id, number)): Path<(MiniAppId, VersionNumber)>,
) -> Result<Json<VersionDetail>> {
    Ok(Json(version::get(&app.db, &caller, &id, &number).await?))
}

/// Delete a version in development. Its number cannot be used again.
#[utoipa::path(delete, path = "/v1/mini-apps/{id}/versions/{version}", tag = "versions", params(("id" = MiniAppId, Path), ("version" = VersionNumber, Path)), responses((status = 204)))]
async fn delete(
    State(app): AppState,
    caller: Caller,
    Path((id, number)): Path<(MiniAppId, VersionNumber)>,
) -> Result<StatusCode> {
    upload::delete(&app.db, &caller, &id, &number).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get the findings of the newest audit of a version.
///
/// With `Accept: application/sarif+json` the answer is in the format SARIF 2.1.0.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/versions/{version}/findings", tag = "versions", params(("id" = MiniAppId, Path), ("version" = VersionNumber, Path)), responses((status = 200, body = Findings)))]
async fn findings(
    State(app): AppState,
    caller: Caller,
    Path((id, number)): Path<(MiniAppId, VersionNumber)>,
    headers: HeaderMap,
) -> Result<Response> {
    let detail = version::get(&app.db, &caller, &id, &number).await?;
    let audit =
        detail.audit.ok_or_else(|| Error::not_found("audit of", format!("{id} {number}: it was never submitted")))?;
    // Who names it wants it; a crate that weighs qualities has nothing to choose between here.
    let wants_sarif = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("sarif"));
    if wants_sarif {
        return Ok(
            ([(header::CONTENT_TYPE, "application/sarif+json")], axum::Json(audit::sarif(&audit))).into_response()
        );
    }
    Ok(Json(Findings::of(audit.evaluations)).into_response())
}

/// List the files in the package of a version, by path.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/versions/{version}/files", tag = "versions", params(("id" = MiniAppId, Path), ("version" = VersionNumber, Path)), responses((status = 200, body = Items<VersionFile>)))]
async fn files(
    State(app): AppState,
    caller: Caller,
    Path((id, number)): Path<(MiniAppId, VersionNumber)>,
) -> Result<Json<Items<VersionFile>>> {
    items(version::files::list(&app.audits, &caller, &id, &number).await?)
}

/// Get one file in the package of a version, after inflating, up to 5 MiB.
///
/// It is the work of strangers: whatever it is, it is sent as plain text or as bytes, and browsers neither show nor run it.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/versions/{version}/files/{*path}", tag = "versions", params(("id" = MiniAppId, Path), ("version" = VersionNumber, Path), ("path" = String, Path, description = "The path of the file in the package, with its slashes")), responses((status = 200, content_type = "application/octet-stream"), (status = 206), (status = 304)))]
async fn file(
    State(app): AppState,
    caller: Caller,
    Path((id, number, path)): Path<(MiniAppId, VersionNumber, String)>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let file = version::files::read(&app.audits, &caller, &id, &number, path).await?;
    let etag = format!("\"{}\"", file.sha256).parse().map_err(Error::internal)?;
    let answer = range::decide(&method, &headers, &etag, file.bytes.len() as u64);
    let part = answer.range.clone().map(|part| file.bytes.slice(part.start as usize..part.end as usize));
    let mut response = answer.respond(part.map_or_else(Body::empty, Body::from));
    if response.status().is_client_error() {
        return Ok(response);
    }
    let kind = if is_text(&file.bytes) { "text/plain; charset=utf-8" } else { "application/octet-stream" };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// Compare two versions: their files, their manifests, their sizes, and what the auditors say of one of them alone.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/compare", tag = "versions", params(("id" = MiniAppId, Path), CompareQuery), responses((status = 200, body = Comparison)))]
async fn compare(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    Query(CompareQuery { from, to }): Query<CompareQuery>,
) -> Result<Json<Comparison>> {
    Ok(Json(version::files::compare(&app.audits, &caller, &id, (&from, &to)).await?))
}

/// List all audits of a version, newest first.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/versions/{version}/audits", tag = "audits", operation_id = "audits.of_version", params(("id" = MiniAppId, Path), ("version" = VersionNumber, Path)), responses((status = 200, body = Items<Audit>)))]
async fn audits(
    State(app): AppState,
    caller: Caller,
    Path((id, number)): Path<(MiniAppId, VersionNumber)>,
) -> Result<Json<Items<Audit>>> {
    items(audit::of_version(&app.db, &caller, &id, &number).await?)
}

/// Freeze a version and start its audit.
#[utoipa::path(post, path = "/v1/mini-apps/{id}/versions/{version}/submit", tag = "versions", params(("id" = MiniAppId, Path), ("version" = VersionNumber, Path)), responses((status = 200, body = Audit)))]
async fn submit(
    State(app): AppState,
    caller: Caller,
    Path((id, number)): Path<(MiniAppId, VersionNumber)>,
) -> Result<Json<Audit>> {
    Ok(Json(audit::submit(&app.audits, &caller, &id, &number).await?))
}

/// Return a version under audit to development, which ends the audit.
#[utoipa::path(post, path = "/v1/mini-apps/{id}/versions/{version}/withdraw", tag = "versions", params(("id" = MiniAppId, Path), ("version" = VersionNumber, Path)), responses((status = 200, body = Version)))]
async fn withdraw(
    State(app): AppState,
    caller: Caller,
    Path((id, number)): Path<(MiniAppId, VersionNumber)>,
) -> Result<Json<Version>> {
    Ok(Json(audit::withdraw(&app.db, &caller, &id, &number).await?))
}

/// Bring a version online in all bound host apps: an approved one, or one that was online before and is above what is.
///
/// This ends the gray tasks and the trial whose version is not above it; the answer names them.
#[utoipa::path(post, path = "/v1/mini-apps/{id}/versions/{version}/publish", tag = "versions", params(("id" = MiniAppId, Path), ("version" = VersionNumber, Path)), request_body = Option<Publish>, responses((status = 200, body = Released)))]
async fn publish(
    State(app): AppState,
    caller: Caller,
    Path((id, number)): Path<(MiniAppId, VersionNumber)>,
    OptionalJson(how): OptionalJson<Publish>,
) -> Result<Json<Released>> {
    Ok(Json(version::publish(&app.db, &caller, &id, &number, how).await?))
}

/// Bring a version online again that was online before.
///
/// One below the minimum usable version is refused unless `lower_min` says that the minimum is lowered to it.
#[utoipa::path(post, path = "/v1/mini-apps/{id}/rollback", tag = "versions", params(("id" = MiniAppId, Path)), request_body = Rollback, responses((status = 200, body = Released)))]
async fn roll_back(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    Json(how): Json<Rollback>,
) -> Result<Json<Released>> {
    Ok(Json(version::roll_back(&app.db, &caller, &id, how).await?))
}

/// List the release history of a MiniApp, newest first, at most 500 entries.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/releases", tag = "versions", params(("id" = MiniAppId, Path)), responses((status = 200, body = Items<Release>)))]
async fn releases(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<Json<Items<Release>>> {
    items(version::releases(&app.db, &caller, &id).await?)
}

/// Get the trial of a MiniApp: the version that named accounts get.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/trial", tag = "versions", params(("id" = MiniAppId, Path)), responses((status = 200, body = Trial)))]
async fn get_trial(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<Json<Trial>> {
    Ok(Json(trial::get(&app.db, &caller, &id).await?))
}

/// Set the trial of a MiniApp, in place of the one that it may have.
///
/// With `If-Match` it is set only while it is as the ETag of the GET says.
#[utoipa::path(put, path = "/v1/mini-apps/{id}/trial", tag = "versions", params(("id" = MiniAppId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the GET on which the change was decided")), request_body = Trial, responses((status = 200, body = Trial)))]
async fn set_trial(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    still: IfMatch,
    Json(trial): Json<Trial>,
) -> Result<Json<Trial>> {
    Ok(Json(trial::set(&app.db, &caller, &id, trial, &|present| still.require(present)).await?))
}

/// End the trial of a MiniApp.
#[utoipa::path(delete, path = "/v1/mini-apps/{id}/trial", tag = "versions", params(("id" = MiniAppId, Path)), responses((status = 204)))]
async fn clear_trial(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<StatusCode> {
    trial::clear(&app.db, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
