//! axum's extractors, with problems in place of their plain-text rejections.

use crate::problem::Problem;
use std::error::Error as StdError;

use axum::{
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, Request,
        path::ErrorKind,
        rejection::{BytesRejection, PathRejection},
    },
    http::{HeaderMap, HeaderValue, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, Limited};
use hyper::body::Body as HttpBody;
use mime::{APPLICATION, JSON, Mime};
use serde::{Serialize, de::DeserializeOwned};

use berth_base::error::{Code, Error};

use crate::{limits, proved::Proved, read};

/// Size of a JSON body in bytes, at most; the same as axum's `DefaultBodyLimit`.
const MAX_JSON: u64 = 2 << 20;

/// How deep arrays and objects in a JSON body may be nested. Stored values are wrapped in further levels in events and
/// answers, which must stay readable for parsers that stop at 128.
const MAX_DEPTH: usize = 64;

/// How many bytes a JSON answer is written into before it has to be moved to a larger place.
const ANSWER: usize = 1024;

/// A JSON body of at most 2 MiB, nested at most 64 levels deep. Refusals name the path of the offending member.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

/// A JSON body that may be absent; `T::default()` stands for an absent one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OptionalJson<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        if request.body().is_end_stream() {
            return Ok(Self(T::default()));
        }
        Json::from_request(request, state).await.map(|Json(value)| Self(value))
    }
}

/// The parameters in the query string.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

/// The parameters in the query string of an address to which others add parameters of their own: devices, caches and the
/// platforms of channels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SomeQuery<T>(pub T);

/// The parameters in the path.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        let (mut parts, body) = request.into_parts();
        let proved = Proved::of(&mut parts);
        read_json(&parts.headers, proved, body).await.map(Self)
    }
}

/// Reads a body as [`Json`] does, once it has come; what the head has proved has to hold still.
pub(crate) async fn read_json<T, B>(headers: &HeaderMap, proved: Proved, body: B) -> Result<T, Problem>
where
    T: DeserializeOwned,
    B: HttpBody<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    limits::refuse_declared(&body, MAX_JSON)?;
    require_json(headers)?;
    let body = Limited::new(body, MAX_JSON as usize).collect().await;
    let body = body.map_err(|error| limits::body_problem(&*error))?.to_bytes();
    proved.holds().await?;
    if depth(&body) > MAX_DEPTH {
        let detail = format!("The JSON is nested deeper than {MAX_DEPTH} levels. Flatten it.");
        return Err(Error::new(Code::BadRequest, detail).into());
    }
    read::json(&body).map_err(Problem)
}

/// Refuses with `unsupported-media` a request that does not say that its body is JSON.
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Error> {
    if headers.get(CONTENT_TYPE).is_some_and(is_json) {
        return Ok(());
    }
    let detail = "Send the body with the header Content-Type: application/json.";
    Err(Error::new(Code::UnsupportedMedia, detail))
}

/// Whether a Content-Type is JSON, such as `application/json` or `application/cloudevents+json`.
pub(crate) fn is_json(kind: &HeaderValue) -> bool {
    // Nearly all requests write it so, and a `Mime` is an allocation.
    if kind == "application/json" {
        return true;
    }
    let named = kind.to_str().ok().and_then(|kind| kind.parse::<Mime>().ok());
    named.is_some_and(|kind| kind.type_() == APPLICATION && (kind.subtype() == JSON || kind.suffix() == Some(JSON)))
}

/// How deep arrays and objects in a JSON text are nested. If the text is not JSON, the result has no meaning.
/// serde_json has a limit, but it cannot be set.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        // axum's own begins with 128 bytes, and would move most answers three times while it writes them.
        let mut bytes = Vec::with_capacity(ANSWER);
        let written = serde_json::to_writer(&mut bytes, &self.0);
        answered(written.map(|()| bytes))
    }
}

/// The answer with a JSON body, apart from the types that it is made of.
fn answered(json: serde_json::Result<Vec<u8>>) -> Response {
    match json {
        Ok(json) => ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], json).into_response(),
        Err(error) => Problem(Error::internal(error)).into_response(),
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        read::query(parts.uri.query().unwrap_or_default()).map(Self).map_err(Problem)
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for SomeQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        read::some_query(parts.uri.query().unwrap_or_default()).map(Self).map_err(Problem)
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let read = axum::extract::Path::from_request_parts(parts, state).await;
        read.map(|axum::extract::Path(value)| Self(value)).map_err(|error| Problem(path_problem(error)))
    }
}

/// The error for a body that could not be read because it was too large, too slow or cut off.
pub(crate) fn bytes_problem(rejection: BytesRejection) -> Error {
    limits::body_problem(&rejection)
}

fn path_problem(rejection: PathRejection) -> Error {
    let PathRejection::FailedToDeserializePathParams(error) = rejection else {
        return Error::internal(anyhow::anyhow!("{rejection}"));
    };
    let text = match error.kind() {
        ErrorKind::DeserializeError { key, value, message } => format!("The address has {value:?} as {key}: {message}"),
        ErrorKind::ParseErrorAtKey { key, value, .. } => {
            format!("The address has {value:?} as {key}, which is no number")
        }
        ErrorKind::InvalidUtf8InPathParam { key } => format!("The address has a {key} that is not UTF-8"),
        ErrorKind::Message(message) => format!("The address has a part of the wrong form: {message}"),
        other => return Error::internal(anyhow::anyhow!("{other}")),
    };
    Error::new(Code::BadRequest, format!("{}.", text.trim_end_matches('.')))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use axum::body::Body;

    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Task {
        #[expect(dead_code, reason = "only its presence matters")]
        stages: Vec<Stage>,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Stage {
        #[expect(dead_code, reason = "only its type matters")]
        percent: u8,
        #[expect(dead_code, reason = "takes anything, to any depth")]
        extra: Option<serde_json::Value>,
    }

    async fn refuse(content_type: &str, body: impl Into<Body>) -> Error {
        let request = Request::post("/").header(CONTENT_TYPE, content_type).body(body.into()).unwrap();
        Json::<Task>::from_request(request, &()).await.unwrap_err().0
    }

    #[tokio::test]
    async fn a_wrong_member_is_named_by_its_path() {
        let error = refuse("application/json", r#"{"stages":[{"percent":10},{"percent":"x"}]}"#).await;
        assert_eq!(error.code, Code::InvalidField);
        assert!(error.detail.contains("/stages/1/percent"), "{}", error.detail);
        assert!(!error.detail.contains("target type"), "{}", error.detail);
    }

    #[tokio::test]
    async fn f24_what_is_not_json_is_refused_with_the_place() {
        let error = refuse("application/json", "{\"stages\": [}").await;
        assert_eq!(error.code, Code::BadRequest);
        assert!(error.detail.contains("column"), "{}", error.detail);
    }

    #[tokio::test]
    async fn f25_deep_nesting_is_refused_not_followed() {
        let error = refuse("application/json", format!(r#"{{"stages":[{{"extra":{}"#, "[".repeat(100_000))).await;
        assert!(error.detail.contains("nested deeper than 64"), "{}", error.detail);
        let deepest = format!(r#"{{"stages":[{{"percent":"x","extra":{}{}}}]}}"#, "[".repeat(61), "]".repeat(61));
        assert_eq!(refuse("application/json", deepest).await.code, Code::InvalidField, "64 levels are read");
    }

    #[test]
    fn brackets_in_texts_are_no_levels() {
        let cases = [(r#"[[], {"a": [1]}]"#, 3), (r#"["[[[", "\"[[", "\\"]"#, 1), ("7", 0), ("]]][", 1)];
        for (json, expected) in cases {
            assert_eq!(depth(json.as_bytes()), expected, "{json}");
        }
    }

    #[tokio::test]
    async fn another_content_type_is_refused() {
        for other in ["text/plain", "application/jsonx", ""] {
            assert_eq!(refuse(other, "{}").await.code, Code::UnsupportedMedia, "{other}");
        }
        for json in ["application/json; charset=utf-8", "Application/JSON", "application/cloudevents+json"] {
            assert_eq!(refuse(json, "{").await.code, Code::BadRequest, "{json}");
        }
    }

    #[tokio::test]
    async fn a_query_that_does_not_fit_is_our_problem() {
        let (mut parts, _) = Request::get("/?percent=many").body(Body::empty()).unwrap().into_parts();
        let error = Query::<Stage>::from_request_parts(&mut parts, &()).await.unwrap_err().0;
        assert_eq!(error.code, Code::BadRequest);
        assert!(error.detail.contains("percent"), "{}", error.detail);
    }
}
