//! Which headers go on, and which are for one connection only (RFC 9110, section 7.6.1).

use hyper::{
    HeaderMap,
    header::{
        ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderName, HeaderValue,
        PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
    },
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// What is for one connection only.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// What is said of the bytes of a body, and not true of others any more.
const OF_BYTES: [HeaderName; 4] = [
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// Whether a list header, such as Connection, has this word.
fn has_word(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(word))
}

/// Whether a request or an answer is about going on with another protocol.
pub(crate) fn upgrades(headers: &HeaderMap) -> bool {
    headers.contains_key(UPGRADE) && has_word(headers, &CONNECTION, "upgrade")
}

/// Takes out what is for one connection only; an upgrade stays.
fn end_to_end(headers: &mut HeaderMap) {
    let upgrade = upgrades(headers).then(|| headers.get(UPGRADE).cloned()).flatten();
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
    if let Some(protocol) = upgrade {
        headers.insert(UPGRADE, protocol);
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
}

/// The headers of a request as the server behind gets them. `reads_answers` is whether answers are looked through: then they
/// must not be compressed.
pub(crate) fn request(headers: &mut HeaderMap, peer: &str, reads_answers: bool) {
    end_to_end(headers);
    let host = headers.remove(HOST);
    headers.remove(EXPECT);
    headers.remove(CONTENT_LENGTH);
    if reads_answers {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    let before = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
    let chain = before.map_or_else(|| peer.to_owned(), |before| format!("{before}, {peer}"));
    if let Ok(chain) = HeaderValue::from_str(&chain) {
        headers.insert("x-forwarded-for", chain);
    }
    if let Some(host) = host {
        headers.insert("x-forwarded-host", host);
    }
}

/// The headers of an answer as the client gets them.
pub(crate) fn answer(headers: &mut HeaderMap) {
    end_to_end(headers);
}

/// Takes out what is not true of a body any more in which something was swapped.
pub(crate) fn changed(headers: &mut HeaderMap) {
    for name in &OF_BYTES {
        headers.remove(name);
    }
}

/// What a body says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    /// JSON.
    Json,
    /// A form of `a=b&c=d`.
    Form,
    /// Text, or nothing said: servers that expect JSON often read it as that.
    Unsaid,
    /// Anything else.
    Other,
}

/// What a body says that it is.
pub(crate) fn media(headers: &HeaderMap) -> Media {
    let Some(said) = headers.get(CONTENT_TYPE) else { return Media::Unsaid };
    let essence = said.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" | "text/json" => Media::Json,
        json if json.ends_with("+json") => Media::Json,
        "application/x-www-form-urlencoded" => Media::Form,
        "" => Media::Unsaid,
        text if text.starts_with("text/") => Media::Unsaid,
        _ => Media::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(header).collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        headers.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn u9_what_is_for_one_connection_does_not_go_on() {
        let mut of_client = headers(&[
            ("host", "shop.example.com"),
            ("connection", "close, X-Secret"),
            ("x-secret", "1"),
            ("te", "trailers"),
            ("accept-encoding", "gzip"),
            ("x-forwarded-for", "10.0.0.1"),
            ("content-length", "3"),
            ("expect", "100-continue"),
        ]);
        request(&mut of_client, "10.0.0.2", true);
        assert_eq!(names(&of_client), ["accept-encoding", "x-forwarded-for", "x-forwarded-host"]);
        assert_eq!(of_client["x-forwarded-for"], "10.0.0.1, 10.0.0.2");
        assert_eq!(of_client["accept-encoding"], "identity");
        let mut of_socket =
            headers(&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket"), ("keep-alive", "5")]);
        assert!(upgrades(&of_socket));
        answer(&mut of_socket);
        assert_eq!(
            (of_socket["connection"].as_bytes(), of_socket["upgrade"].as_bytes()),
            (&b"upgrade"[..], &b"websocket"[..])
        );
        assert!(!of_socket.contains_key("keep-alive"));
    }

    #[test]
    fn u9_what_a_body_is_follows_from_its_type() {
        for (said, expected) in [
            ("application/json; charset=utf-8", Media::Json),
            ("Application/Problem+JSON", Media::Json),
            ("application/x-www-form-urlencoded", Media::Form),
            ("text/plain", Media::Unsaid),
            ("", Media::Unsaid),
            ("multipart/form-data; boundary=x", Media::Other),
            ("application/octet-stream", Media::Other),
        ] {
            assert_eq!(media(&headers(&[("content-type", said)])), expected, "{said}");
        }
        assert_eq!(media(&HeaderMap::new()), Media::Unsaid);
    }
}
