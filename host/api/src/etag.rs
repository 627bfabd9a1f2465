//! ETags for reads: a client that has the answer already gets 304. tower-http has no layer for this.

use crate::problem::Problem;
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use headers::{ETag, HeaderMapExt, IfNoneMatch};

use berth_base::{
    error::{Error, Result},
    ids::Digest,
};

/// Size in bytes up to which an answer gets an ETag; larger ones are streamed.
const MAX_BYTES: usize = 1 << 20;

/// Middleware that gives JSON answers to GET requests an ETag, and answers 304 to a request that names it in
/// If-None-Match.
pub async fn tag(request: Request, next: Next) -> Response {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let known = request.headers().typed_get::<IfNoneMatch>();
    let response = next.run(request).await;
    if !is_small_json(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_BYTES).await else {
        return Problem(Error::internal(anyhow::anyhow!("an answer grew while it was read"))).into_response();
    };
    let tag = match of(&bytes) {
        Ok(tag) => tag,
        Err(error) => return Problem(error).into_response(),
    };
    if known.is_some_and(|known| !known.precondition_passes(&tag)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return with_tag(parts.headers, tag, (parts.status, Body::empty()).into_response());
    }
    let headers = std::mem::take(&mut parts.headers);
    with_tag(headers, tag, Response::from_parts(parts, Body::from(bytes)))
}

/// The ETag of an answer with this body.
///
/// # Errors
/// `internal` when the digest is no tag.
pub fn of(body: &[u8]) -> Result<ETag> {
    format!("\"{}\"", &Digest::of(body).as_str()[..32]).parse().map_err(Error::internal)
}

fn with_tag(headers: HeaderMap, tag: ETag, mut response: Response) -> Response {
    response.headers_mut().extend(headers);
    response.headers_mut().typed_insert(tag);
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    response
}

fn is_small_json(response: &Response) -> bool {
    use hyper::body::Body as _;
    let json = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    response.status() == StatusCode::OK
        && !response.headers().contains_key(header::ETAG)
        && json.is_some_and(|kind| kind.starts_with("application/json"))
        && response.body().size_hint().upper().is_some_and(|size| size <= MAX_BYTES as u64)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use axum::{Json, Router, middleware::from_fn, routing::get};
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn who_has_the_answer_gets_304_without_a_body() {
        let router = Router::new().route("/", get(|| async { Json(serde_json::json!({"a": 1})) })).layer(from_fn(tag));
        let ask = |known: Option<HeaderValue>| {
            let mut request = Request::get("/").body(Body::empty()).unwrap();
            known.map(|known| request.headers_mut().insert(header::IF_NONE_MATCH, known));
            router.clone().oneshot(request)
        };
        let first = ask(None).await.unwrap();
        let etag = first.headers()[header::ETAG].clone();
        let second = ask(Some(etag)).await.unwrap();
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
        assert!(to_bytes(second.into_body(), 10).await.unwrap().is_empty());
        let other = ask(Some(HeaderValue::from_static("\"other\""))).await.unwrap();
        assert_eq!(other.status(), StatusCode::OK);
    }
}
