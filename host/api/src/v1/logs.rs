//! Handlers for real-time logs and what is masked in them.

use std::io::Read;

use axum::{
    Extension,
    body::{Body, Bytes},
    http::{HeaderMap, header::CONTENT_ENCODING},
    response::{IntoResponse, Sse, sse},
};
use http_body_util::{BodyExt, Limited};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    error::{Code, Error},
    ids::MiniAppId,
};
use berth_model::{
    access::Caller,
    log::{LogEntry, LogMasks, LogPage, LogQuery, LogStreamQuery, NewEntry, NewLogs, SetLogMasks, Taken},
};
use berth_work::log;

use crate::{
    Api,
    auth::required_device_key,
    client_ip::ClientIp,
    extract::require_json,
    limits::{body_problem, refuse_declared},
    precondition::IfMatch,
    read,
    routes::routes,
};

/// Size of a batch in bytes, at most, as it is sent.
const MAX_SENT: usize = 2 << 20;
/// Size of a batch in bytes, at most, when it is unpacked. What is longer is not unpacked to its end.
const MAX_UNPACKED: u64 = 8 << 20;

/// Size of a batch in bytes, at most, of which is said in words what is wrong with it.
const MAX_EXPLAINED: usize = 256 << 10;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(send, list))
        .routes(routes!(stream))
        .routes(routes!(masks, set_masks))
        .routes(routes!(masks_of, set_masks_of))
}

/// Send a batch of log entries of a device, as JSON, plain or with `Content-Encoding: gzip`.
///
/// Entries are judged one by one: `refused` says which are not kept and why, and all others are stored. When the answer is
/// no 200, nothing is known to be kept, and the batch may be sent again.
#[utoipa::path(post, path = "/v1/logs", tag = "logs", request_body = NewLogs, responses((status = 200, body = Taken)))]
async fn send(
    State(app): AppState,
    client: Option<Extension<ClientIp>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Taken>> {
    let key = required_device_key(&headers)?;
    log::expect(&app.checks, &app.logs, key)?;
    let client = client.map(|Extension(client)| client);
    app.throttle.pass_logs(client)?;
    let packed = is_packed(&headers)?;
    refuse_declared(&body, MAX_SENT as u64)?;
    let body = Limited::new(body, MAX_SENT).collect().await.map_err(|error| body_problem(&*error))?.to_bytes();
    Ok(Json(log::take(&app.checks, &app.logs, key, move || batch(&body, packed)).await?))
}

fn is_packed(headers: &HeaderMap) -> Result<bool, Error> {
    require_json(headers)?;
    match headers.get(CONTENT_ENCODING).map(|value| value.as_bytes()) {
        None | Some(b"identity") => Ok(false),
        Some(b"gzip") => Ok(true),
        Some(_) => Err(Error::new(Code::UnsupportedMedia, "The body may be packed by gzip, and by nothing else.")),
    }
}

/// Reads a batch. Its entries are read one by one only when one of them does not fit.
fn batch(body: &Bytes, packed: bool) -> Result<NewLogs<Result<NewEntry, String>>, Error> {
    let unpacked = if packed { &unpack(body)?[..] } else { &body[..] };
    if let Ok(whole) = serde_json::from_slice::<NewLogs>(unpacked) {
        return Ok(with(whole, Ok));
    }
    let loose =
        serde_json::from_slice::<NewLogs<Box<RawValue>>>(unpacked).or_else(|error| explain(unpacked, &error))?;
    Ok(with(loose, |entry| read::json(read::whole_characters(entry.get()).as_bytes()).map_err(|error| error.detail)))
}

/// Says what is wrong with a batch: in the words of the API when it is short, by the place otherwise, as finding the words
/// takes the memory of all that was sent.
fn explain<T>(unpacked: &[u8], error: &serde_json::Error) -> Result<T, Error> {
    if unpacked.len() <= MAX_EXPLAINED {
        read::json::<NewLogs<IgnoredAny>>(unpacked)?;
    }
    let text = format!("The body is no batch of entries: see line {}, column {}.", error.line(), error.column());
    Err(Error::new(Code::BadRequest, text))
}

/// The batch with other entries.
fn with<A, B>(batch: NewLogs<A>, change: impl FnMut(A) -> B) -> NewLogs<B> {
    let NewLogs { host_app, host_version, sdk_version, platform, os_version, guid, account, entries } = batch;
    let entries = entries.into_iter().map(change).collect();
    NewLogs { host_app, host_version, sdk_version, platform, os_version, guid, account, entries }
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, Error> {
    let mut unpacked = Vec::new();
    let read = flate2::read::MultiGzDecoder::new(packed).take(MAX_UNPACKED + 1).read_to_end(&mut unpacked);
    read.map_err(|error| Error::new(Code::BadRequest, format!("The body is no gzip: {error}.")))?;
    if unpacked.len() as u64 > MAX_UNPACKED {
        let text = format!(
            "The unpacked body is over the limit of {MAX_UNPACKED} bytes. Send the entries in several batches."
        );
        return Err(Error::new(Code::BodyTooLarge, text).with("limit", MAX_UNPACKED));
    }
    Ok(unpacked)
}

/// List log entries, newest first: of a MiniApp for its team, of a host app for its members.
///
/// Entries are ordered by their arrival at the host, and `from` and `until` are times of arrival, as clocks of devices lie.
#[utoipa::path(get, path = "/v1/logs", tag = "logs", params(LogQuery), responses((status = 200, body = LogPage)))]
async fn list(State(app): AppState, caller: Caller, Query(query): Query<LogQuery>) -> Result<Json<LogPage>> {
    Ok(Json(log::list(&app.db, &app.logs, &caller, &query).await?))
}

/// Stream log entries as they arrive, as server-sent events.
///
/// Of each message `id` is that of the entry, `event` is `entry`, and `data` the entry. A client that connects again with
/// `Last-Event-ID` misses nothing. A message with an `id` and no data says that nothing arrived up to it.
#[utoipa::path(get, path = "/v1/logs/stream", tag = "logs", params(LogStreamQuery), responses((status = 200, body = LogEntry, content_type = "text/event-stream")))]
async fn stream(
    State(app): AppState,
    caller: Caller,
    headers: HeaderMap,
    Query(mut query): Query<LogStreamQuery>,
) -> Result<impl IntoResponse> {
    if let Some(seen) = headers.get("last-event-id").and_then(|id| id.to_str().ok()) {
        let seen = seen.parse().map_err(|_| Error::parameter("Last-Event-ID", "must be the id of an entry."))?;
        query.after = Some(seen);
    }
    let items = log::open_stream(app.db.clone(), app.logs.clone(), &app.outbox.streams, caller, &query).await?;
    let items = futures_util::StreamExt::map(items, |item| message(&item));
    Ok(([("x-accel-buffering", "no")], Sse::new(items)))
}

/// One message of the stream.
fn message(item: &log::Item) -> Result<sse::Event, axum::Error> {
    match item {
        log::Item::Heartbeat(id) => Ok(sse::Event::default().id(id.to_string()).comment("nothing arrived")),
        log::Item::Entry(entry) => sse::Event::default().id(entry.id.to_string()).event("entry").json_data(entry),
    }
}

/// Get what is masked in the logs of all MiniApps.
#[utoipa::path(get, path = "/v1/log-masks", tag = "logs", responses((status = 200, body = LogMasks)))]
async fn masks(State(app): AppState, caller: Caller) -> Result<Json<LogMasks>> {
    Ok(Json(log::get_masks(&app.db, &caller, None).await?))
}

/// Set what is masked in the logs of all MiniApps, from now on. Only admins of the platform may.
///
/// With `If-Match` it is set only while it is as the ETag of the GET says.
#[utoipa::path(put, path = "/v1/log-masks", tag = "logs", params(("If-Match" = Option<String>, Header, description = "The ETag of the GET on which the change was decided")), request_body = SetLogMasks, responses((status = 200, body = LogMasks)))]
async fn set_masks(
    State(app): AppState,
    caller: Caller,
    still: IfMatch,
    Json(set): Json<SetLogMasks>,
) -> Result<Json<LogMasks>> {
    Ok(Json(log::set_masks(&app.db, &app.logs, &caller, None, set, &|present| still.require(present)).await?))
}

/// Get what is masked in the logs of a MiniApp, besides what is in all.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/log-masks", tag = "logs", params(("id" = MiniAppId, Path)), responses((status = 200, body = LogMasks)))]
async fn masks_of(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<Json<LogMasks>> {
    Ok(Json(log::get_masks(&app.db, &caller, Some(&id)).await?))
}

/// Set what is masked in the logs of a MiniApp, besides what is in all, from now on. Only admins of its team may.
///
/// With `If-Match` it is set only while it is as the ETag of the GET says.
#[utoipa::path(put, path = "/v1/mini-apps/{id}/log-masks", tag = "logs", params(("id" = MiniAppId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the GET on which the change was decided")), request_body = SetLogMasks, responses((status = 200, body = LogMasks)))]
async fn set_masks_of(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    still: IfMatch,
    Json(set): Json<SetLogMasks>,
) -> Result<Json<LogMasks>> {
    Ok(Json(log::set_masks(&app.db, &app.logs, &caller, Some(&id), set, &|present| still.require(present)).await?))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::io::Write;

    use serde_json::Value;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn d4_a_gzip_bomb_is_not_unpacked_to_its_end() {
        let error = unpack(&gzip(&vec![b' '; 64 << 20])).unwrap_err();
        assert_eq!((error.code, &error.fields["limit"]), (Code::BodyTooLarge, &Value::from(MAX_UNPACKED)));
        assert_eq!(unpack(&gzip(b"{}")).unwrap(), b"{}");
        let packed = gzip(&[b'x'; 1000]);
        for broken in [&packed[..packed.len() - 4], b"not gzip", b""] {
            assert_eq!(unpack(broken).unwrap_err().code, Code::BadRequest);
        }
    }

    #[test]
    fn d4_one_entry_that_does_not_fit_leaves_the_others() {
        let body = r#"{"host_app": "mall", "guid": "g", "account": null, "entries": [
            {"mini_app": "shop", "at": "2030-01-31T08:00:00Z", "level": "info", "message": "a", "page": null},
            {"mini_app": "shop", "at": "2030-01-31T08:00:00Z", "level": "loud", "message": "b"}, 7]}"#;
        let entries = batch(&Bytes::from(body), false).unwrap().entries;
        assert_eq!(entries[0].as_ref().unwrap().message, "a");
        assert!(entries[1].as_ref().unwrap_err().contains("/level"), "{entries:?}");
        assert!(entries[2].is_err());
        let error = batch(&Bytes::from(r#"{"host_app": "mall", "entries": []}"#), false).unwrap_err();
        assert_eq!(error.fields["pointer"], "/guid");
    }
}
