//! What the proxy says when it does not hand a request or an answer on: a problem document (RFC 9457), as the host's API has them.

use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use serde_json::json;

/// Why a request or an answer was not handed on. The details name places, never an OpenID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A user has not agreed, or there is no such user.
    NotLinked,
    /// The body says that it is JSON or a form, and is not.
    Malformed(String),
    /// The body says that it is JSON or a form, and is too large to be looked through.
    TooLarge(usize),
    /// The body says that it is JSON or a form, and is compressed.
    Encoded,
    /// The body did not arrive in time.
    Slow,
    /// The host does not swap: it cannot be reached, or says why not.
    Host(String),
    /// The server behind cannot be reached.
    Unreachable,
    /// The server behind did not begin its answer in time.
    Silent,
    /// The answer of the server behind cannot be looked through.
    Answer(String),
}

impl Refusal {
    fn parts(&self) -> (StatusCode, &'static str, &'static str, String) {
        match self {
            Self::NotLinked => (
                StatusCode::FORBIDDEN,
                "user-not-linked",
                "The user is not known to the merchant",
                "The request names a user who has not agreed that the two MiniApps know them as one, or nobody at all. Have the \
                 host app ask the user: POST /v1/host-apps/{id}/links."
                    .into(),
            ),
            Self::Malformed(why) => (StatusCode::BAD_REQUEST, "malformed", "The request could not be read", why.clone()),
            Self::TooLarge(most) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "The body is over the limit",
                format!("A document in which OpenIDs are swapped has at most {most} bytes. `berth swap --max-document` allows more."),
            ),
            Self::Encoded => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The body is of a type that this address does not take",
                "OpenIDs are swapped in this body, so it must not be compressed. Send it without Content-Encoding.".into(),
            ),
            Self::Slow => (
                StatusCode::REQUEST_TIMEOUT,
                "body-timeout",
                "The body did not arrive in time",
                "Send the request again.".into(),
            ),
            Self::Host(why) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "swap-unavailable",
                "OpenIDs cannot be swapped now",
                why.clone(),
            ),
            Self::Unreachable => (
                StatusCode::BAD_GATEWAY,
                "upstream-unreachable",
                "The server behind the proxy cannot be reached",
                "Nothing was answered. Whether the request was acted on is not known.".into(),
            ),
            Self::Silent => (
                StatusCode::GATEWAY_TIMEOUT,
                "upstream-timeout",
                "The server behind the proxy did not answer in time",
                "Whether the request was acted on is not known. `berth swap --patience` waits longer.".into(),
            ),
            Self::Answer(why) => (
                StatusCode::BAD_GATEWAY,
                "upstream-answer",
                "The answer of the server behind the proxy was not handed on",
                why.clone(),
            ),
        }
    }

    /// What it says, in words.
    pub(crate) fn detail(&self) -> String {
        self.parts().3
    }

    /// The answer that says so.
    pub(crate) fn into_response<B: From<String>>(self) -> Response<B> {
        let (status, kind, title, detail) = self.parts();
        let document = json!({"type": kind, "title": title, "status": status.as_u16(), "detail": detail});
        let mut response = Response::new(B::from(document.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
