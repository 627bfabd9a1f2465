//! What arrives while somebody looks: the API's stream of entries, each told as the line that the page would show.

use askama::Template;
use axum::{
    body::{Body, Bytes},
    extract::{Path, Query},
    http::{HeaderMap, HeaderValue, Method, header},
    response::Response,
};
use berth_model::log::LogEntry;
use futures_util::StreamExt;

use super::{Row, Whose, with};
use crate::{
    act::Sent,
    path::at,
    refused::Refused,
    visit::{OrShow, Shown, Visit},
};

type Asked = Query<Vec<(String, String)>>;

/// Where the stream for a page is.
pub fn address(visit: &Visit, whose: &Whose, asked: &Sent) -> Result<String, Refused> {
    let mut members = whose.members(visit, asked)?;
    members.retain(|(name, _)| *name != whose.member && *name != "from");
    Ok(with(&format!("{}/live", whose.here), &members))
}

pub async fn of_mini_app(
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Asked,
    headers: HeaderMap,
) -> Result<Response, Shown> {
    let here = at!("/ui/mini-apps/{}/logs", id);
    follow(visit, named("mini_app", id, here), Sent::in_address(asked), &headers).await
}

pub async fn of_host_app(
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Asked,
    headers: HeaderMap,
) -> Result<Response, Shown> {
    let here = at!("/ui/host-apps/{}/logs", id);
    follow(visit, named("host_app", id, here), Sent::in_address(asked), &headers).await
}

/// Whose log it is, as far as a stream needs to know: the API looks whether it is there.
fn named(member: &'static str, id: String, here: String) -> Whose {
    Whose { member, id, name: String::new(), here, tabs: Vec::new() }
}

async fn follow(visit: Visit, whose: Whose, asked: Sent, headers: &HeaderMap) -> Result<Response, Shown> {
    let mut members = whose.members(&visit, &asked).or_show(&visit)?;
    // A browser that connects again by itself says what it has seen; the page says it in the address.
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    members.extend(seen.or_else(|| asked.some("after")).map(|after| ("after", after)));
    let stream = visit.api.ask(Method::GET, &with("/v1/logs/stream", &members), Body::empty(), None).await;
    let body = stream.or_show(&visit)?.into_body().into_data_stream();
    let mut rest = Vec::new();
    let lines = body.map(move |piece| piece.map(|piece| told(&visit, &whose.here, &mut rest, &piece)));
    let mut response = Response::new(Body::from_stream(lines));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// What a page is told of a piece of the API's stream, of which `rest` holds the beginning of a message.
fn told(visit: &Visit, here: &str, rest: &mut Vec<u8>, piece: &[u8]) -> Bytes {
    rest.extend_from_slice(piece);
    let mut text = String::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\n\n") {
        let message: Vec<u8> = rest.drain(..end + 2).collect();
        let line = |entry: &LogEntry| Row { t: visit.t, visit, entry, here }.render().unwrap_or_default();
        text.push_str(&retold(&String::from_utf8_lossy(&message), line));
    }
    // A stream that says nothing for long is taken for broken.
    if text.is_empty() { Bytes::from_static(b":\n\n") } else { text.into() }
}

/// One message of the API as a page gets it: the id stays, and the entry becomes its line. The message has no name, as the
/// page listens to those without one.
fn retold(message: &str, line: impl Fn(&LogEntry) -> String) -> String {
    let field = |name: &str| message.lines().find_map(|text| text.strip_prefix(name)).map(str::trim);
    let id = field("id:").map(|id| format!("id: {id}\n")).unwrap_or_default();
    let entry = field("data:").and_then(|data| serde_json::from_str(data).ok());
    let data = entry.as_ref().map(|entry| as_data(&line(entry))).unwrap_or_default();
    format!("{id}{data}\n")
}

/// A text as the data of a message. A carriage return ends a line of a stream, too.
fn as_data(text: &str) -> String {
    text.replace("\r\n", "\n").split(['\n', '\r']).map(|line| format!("data: {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn d4_a_page_is_told_the_line_of_an_entry_and_its_id() {
        let entry = json!({"id": "0000000000000007", "received_at": "2030-01-31T08:00:00Z", "at": "2030-01-31T08:00:00Z",
            "level": "info", "mini_app": "coffee", "version": "", "page": "", "message": "a\rb\nc", "filter_msg": "",
            "host_app": "mall", "host_version": "", "sdk_version": "", "platform": "", "os_version": "", "guid": "g"});
        let message = format!("id: 0000000000000007\nevent: entry\ndata: {entry}\n\n");
        let told = retold(&message, |entry| entry.message.clone());
        assert_eq!(told, "id: 0000000000000007\ndata: a\ndata: b\ndata: c\n\n");
        assert_eq!(retold(": nothing arrived\nid: 09\n\n", |_| "x".into()), "id: 09\n\n");
        assert_eq!(retold("data: no entry\n\n", |_| "x".into()), "\n");
    }

    #[test]
    fn d4_text_of_an_entry_is_never_a_field_of_the_stream() {
        assert_eq!(as_data("a\r\nid: 9\revent: x"), "data: a\ndata: id: 9\ndata: event: x\n");
    }
}
