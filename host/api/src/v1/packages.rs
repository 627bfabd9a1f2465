//! Handlers for packages: upload, download, offline packages and bundles.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt, stream};
use headers::{ContentRange, HeaderMapExt};
use tokio_util::io::ReaderStream;
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    error::Error,
    ids::{GrayTaskId, MiniAppId},
};
use berth_model::{access::Caller, download::BundleRequest, version::Version};
use berth_package::PackageName;
use berth_work::{
    download::{self, Bundle, Fetcher, Offer, Servable},
    report,
    version::upload::{self, Uploaded},
};

use crate::{
    Api,
    extract::SomeQuery,
    limits::{body_problem, refuse_declared},
    proved::Proved,
    range,
    routes::routes,
    sent::OnceSent,
};

/// Options of an upload.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadQuery {
    /// Whether a version that exists with other bytes is replaced, which is possible while it was never submitted.
    #[serde(default)]
    replace: bool,
}

/// For whom a package is downloaded; a check gives these values in `package.url`.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DownloadQuery {
    /// The account that is named in the trial, for a version on trial.
    #[serde(default)]
    account: Option<String>,
    /// The gray task that offered the version to the device.
    #[serde(default)]
    gray: Option<GrayTaskId>,
    /// The guid of the device that was offered the version.
    #[serde(default)]
    guid: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(put, get)).routes(routes!(offline)).routes(routes!(bundle))
}

/// A body as a stream of chunks, with failures as [`Error`]s. A body that declares more than `limit` bytes is refused
/// unread. One whose sender may not send it any more ends with the refusal.
pub(super) fn chunks(body: Body, limit: u64, proved: Proved) -> Result<impl Stream<Item = Result<Bytes, Error>>> {
    refuse_declared(&body, limit)?;
    let end = stream::once(proved.holds()).filter_map(async |end| end.err().map(Err));
    Ok(body.into_data_stream().map_err(|error| body_problem(&error)).chain(end))
}

/// Upload a package as a version in development.
///
/// The answer is 201 when the version is new or was replaced, 200 when it has the same bytes already, and 409 when it
/// has other bytes.
#[utoipa::path(put, path = "/v1/packages/{name}", tag = "packages", params(("name" = String, Path, description = "`{mini_app_id}_{version}.apkg`"), UploadQuery), request_body(content = Vec<u8>, content_type = "application/zip"), responses((status = 201, body = Version), (status = 200, body = Version)))]
async fn put(
    State(app): AppState,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<UploadQuery>,
    proved: Proved,
    body: Body,
) -> Created<Version> {
    let name: PackageName = name.parse()?;
    let (version, uploaded) = upload::upload(
        &app.db,
        &app.blobs,
        &app.config.package,
        &caller,
        &name,
        query.replace,
        chunks(body, app.config.package.max_bytes, proved)?,
    )
    .await?;
    let status = match uploaded {
        Uploaded::Stored => StatusCode::CREATED,
        Uploaded::Unchanged => StatusCode::OK,
    };
    Ok((status, Json(version)))
}

/// Download a package, whole or in part. The bytes under a name never change, once the version was submitted.
#[utoipa::path(get, path = "/v1/packages/{name}", tag = "packages", params(("name" = String, Path, description = "`{mini_app_id}_{version}.apkg`"), DownloadQuery), responses((status = 200, content_type = "application/zip"), (status = 206), (status = 304)))]
async fn get(
    State(app): AppState,
    who: Fetcher,
    method: Method,
    Path(name): Path<String>,
    SomeQuery(query): SomeQuery<DownloadQuery>,
    headers: HeaderMap,
) -> Result<Response> {
    let name: PackageName = name.parse()?;
    let gray = query.gray.as_ref().zip(query.guid.as_deref());
    let package = download::package(&app.db, &who, &name, Offer { gray, account: query.account.as_deref() }).await?;
    let (size, caching) = (package.size, caching(&package));
    let mut response = send(&app, &method, &headers, package, caching).await?;
    if let (Fetcher::Device(_), Some((task, guid))) = (&who, gray)
        && method == Method::GET
        && has_last_byte(&response, size)
    {
        let (checks, task, guid) = (app.checks.clone(), task.clone(), guid.to_owned());
        response.extensions_mut().insert(OnceSent::new(move || report::downloaded(&checks, &name, &task, &guid)));
    }
    Ok(response)
}

/// How long a package may be kept. One that may still be replaced (V1) is asked for each time: who has its bytes is told by
/// the `ETag` that they are current.
fn caching(package: &Servable) -> &'static str {
    match (package.public, package.fixed) {
        (true, _) => "public, max-age=31536000, immutable",
        (false, true) => "private, max-age=31536000, immutable",
        (false, false) => "private, no-cache",
    }
}

/// Whether the last byte of a package of this size is in the answer. A device that downloads in parts has the package
/// with the part that ends it.
fn has_last_byte(response: &Response, size: u64) -> bool {
    match response.status() {
        StatusCode::OK => true,
        StatusCode::PARTIAL_CONTENT => {
            let range = response.headers().typed_get::<ContentRange>().and_then(|range| range.bytes_range());
            range.is_some_and(|(_, last)| last + 1 == size)
        }
        _ => false,
    }
}

/// Download the offline package of a MiniApp: its online version.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/offline", tag = "packages", params(("id" = MiniAppId, Path)), responses((status = 200, content_type = "application/zip"), (status = 206), (status = 304)))]
async fn offline(
    State(app): AppState,
    who: Fetcher,
    method: Method,
    Path(id): Path<MiniAppId>,
    headers: HeaderMap,
) -> Result<Response> {
    let package = download::offline(&app.db, &who, &id).await?;
    send(&app, &method, &headers, package, "no-cache").await
}

/// Answers with a package, or the part of it that the request asks for. Its name can stand in Content-Disposition as it
/// is, because it consists of a-z, A-Z, 0-9, `-`, `_` and `.`.
async fn send(
    app: &Api,
    method: &Method,
    headers: &HeaderMap,
    package: Servable,
    caching: &'static str,
) -> Result<Response> {
    let quoted = |text: String| HeaderValue::from_str(&text).map_err(Error::internal);
    let etag = format!("\"{}\"", package.sha256).parse().map_err(Error::internal)?;
    let answer = range::decide(method, headers, &etag, package.size);
    let body = match answer.range.clone() {
        Some(range) => Body::from_stream(app.blobs.stream(&package.sha256, range).await?),
        None => Body::empty(),
    };
    let mut response = answer.respond(body);
    if response.status().is_client_error() {
        return Ok(response); // a problem, and no package that caches may keep for a year
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::VARY, HeaderValue::from_static("Authorization, X-Host-App-Key"));
    headers.insert(header::CONTENT_DISPOSITION, quoted(format!("attachment; filename=\"{}\"", package.name))?);
    headers.insert("content-security-policy", HeaderValue::from_static("sandbox; default-src 'none'"));
    Ok(response)
}

/// Download the packages that a host app embeds, as one zip.
///
/// The zip has the packages and `berth-bundle.json`. The same packages give the same bytes.
#[utoipa::path(post, path = "/v1/bundles", tag = "packages", request_body = BundleRequest, responses((status = 200, content_type = "application/zip")))]
async fn bundle(State(app): AppState, who: Fetcher, Json(request): Json<BundleRequest>) -> Result<Response> {
    let name = format!("attachment; filename=\"{}-bundle.zip\"", request.host_app);
    let Bundle { file, place } = download::bundle(&app.db, &app.blobs, &app.bundles, &who, request).await?;
    let size = file.as_file().metadata().map_err(Error::internal)?.len();
    // The file stays open, and is gone from the disk already, while it is sent.
    let opened = tokio::fs::File::from_std(file.reopen().map_err(Error::internal)?);
    // The place goes with the body: it is free again once that was sent, or the client has left.
    let sent = ReaderStream::new(opened).inspect(move |_| {
        let _held = &place;
    });
    Response::builder()
        .header(header::CONTENT_TYPE, "application/zip")
        .header(header::CONTENT_LENGTH, size)
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::CONTENT_DISPOSITION, name)
        .body(Body::from_stream(sent))
        .map_err(|error| Problem(Error::internal(error)))
}
