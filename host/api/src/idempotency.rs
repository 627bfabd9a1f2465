//! `Idempotency-Key`: a POST that is repeated with the same key gets the first answer, and is not performed again.
//!
//! A key belongs to its caller, method and path. The first request runs to its end even if the client leaves, so that a
//! repetition finds its answer. Refusals and failures are forgotten, because they did nothing and another attempt may
//! succeed. Of answers that show what is kept nowhere (see [`NoStore`]) only the fact is kept that they were given, and so it is of those that
//! speak of a user once the user is erased: a key that was used stays used, so that no request is played again.

mod about;

use crate::problem::Problem;
use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{CONTENT_TYPE, ETAG, LOCATION},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use hyper::body::Body as HttpBody;
use sha2::{Digest as _, Sha256};
use tracing::Instrument;

use berth_base::{
    clock::Clock,
    error::{Code, Error, Result},
    ids::Digest,
};
use berth_model::idempotency::{About, Begin, IdempotencyStore, Scope, StoredResponse};

use crate::{limits, request_id};

/// The request header.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The response header that is `true` on a repeated answer.
pub(crate) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The headers of an answer that are kept.
const KEPT_HEADERS: [HeaderName; 3] = [CONTENT_TYPE, LOCATION, ETAG];
/// Length of a key in characters, at most.
const MAX_KEY: usize = 255;

/// The caller, as authentication adds it to the request's extensions. Requests without it are not protected, as
/// strangers must not share keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Id of the account.
    pub account: Arc<str>,
    /// The scopes of the token. A token with fewer scopes does not get the answers of one with more.
    pub scopes: Arc<str>,
}

/// An extension that handlers add to a response that shows a secret or what is known of a person, so that it is not kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoStore;

/// The state of the middleware.
#[derive(Clone)]
pub struct Idempotency<S> {
    /// Where keys and answers are kept.
    pub store: S,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Size in bytes of the largest request body that is accepted, and of the largest answer that is kept.
    pub max_body: usize,
}

/// Middleware for routes with bounded bodies, to be applied inside authentication:
/// `route_layer(from_fn_with_state(idempotency, once::<S>))`.
pub async fn once<S: IdempotencyStore>(State(state): State<Idempotency<S>>, request: Request, next: Next) -> Response {
    let scope = match scope_of(&request) {
        Ok(Some(scope)) => scope,
        Ok(None) => return next.run(request).await,
        Err(error) => return Problem(error).into_response(),
    };
    begin(state, scope, request, next).await.unwrap_or_else(|error| Problem(error).into_response())
}

async fn begin<S: IdempotencyStore>(
    state: Idempotency<S>,
    scope: Scope,
    request: Request,
    next: Next,
) -> Result<Response> {
    let (request, fingerprint, about) = read(request, state.max_body).await?;
    match state.store.begin(&scope, &fingerprint, about.as_ref(), state.clock.now()).await? {
        Begin::Fresh => run_to_the_end(state, scope, request, next).await,
        Begin::Replay(stored) => replay(stored),
        Begin::Mismatch => Err(Error::new(
            Code::IdempotencyMismatch,
            "This Idempotency-Key was used with another body or query, or with a token of other scopes. Use a new key for a \
             new request.",
        )),
        Begin::InProgress => Err(Error::new(
            Code::IdempotencyInProgress,
            "The first request with this Idempotency-Key is still running. Ask again in a moment.",
        )
        .retry_after(1)),
    }
}

fn scope_of(request: &Request) -> Result<Option<Scope>> {
    let Some(caller) = request.extensions().get::<Caller>().filter(|_| request.method() == Method::POST) else {
        return Ok(None);
    };
    let Some(key) = key_of(request.headers())? else { return Ok(None) };
    // A length before the caller keeps apart what would otherwise read the same.
    let scope = format!("{}:{} {} {}", caller.account.len(), caller.account, request.method(), request.uri().path());
    Ok(Some(Scope { scope, key }))
}

fn key_of(headers: &HeaderMap) -> Result<Option<String>> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = given.next() else { return Ok(None) };
    let visible = (1..=MAX_KEY).contains(&key.len()) && key.as_bytes().iter().all(u8::is_ascii_graphic);
    match key.to_str() {
        Ok(key) if visible && given.next().is_none() => Ok(Some(key.to_owned())),
        _ => Err(Error::new(
            Code::BadRequest,
            "Idempotency-Key must appear once, with 1 to 255 visible ASCII characters. A fresh UUID does well.",
        )),
    }
}

/// Reads the body, hashes it together with the query and the token's scopes, and finds of whom it speaks.
async fn read(request: Request, max_body: usize) -> Result<(Request, Digest, Option<About>)> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, max_body).await.map_err(|error| limits::body_problem(&error))?;
    let query = parts.uri.query().unwrap_or_default();
    let scopes = parts.extensions.get::<Caller>().map_or("", |caller| &caller.scopes);
    let mut hash = Sha256::new();
    for part in [scopes, query] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.update(&body);
    let about = about::about(parts.uri.path(), &body);
    Ok((Request::from_parts(parts, Body::from(body)), Digest::from_bytes(&hash.finalize().into()), about))
}

/// Performs the request in a task of its own, which goes on when the client leaves and this request is dropped.
async fn run_to_the_end<S: IdempotencyStore>(
    state: Idempotency<S>,
    scope: Scope,
    request: Request,
    next: Next,
) -> Result<Response> {
    let (store, scope_again) = (state.store.clone(), scope.clone());
    let work = async move { settle(&state, &scope, next.run(request).await).await }.in_current_span();
    let task = match request_id::current() {
        Some(id) => tokio::spawn(id.scope(work)),
        None => tokio::spawn(work),
    };
    match task.await {
        Ok(response) => Ok(response),
        Err(panic) => {
            store.abandon(&scope_again).await?;
            Err(Error::internal(panic))
        }
    }
}

/// Keeps the answer, or forgets the key. As the work is done, a failure of the store is only logged and does not
/// replace the answer.
async fn settle<S: IdempotencyStore>(state: &Idempotency<S>, scope: &Scope, response: Response) -> Response {
    let (response, kept) = capture(response, state.max_body).await;
    let settled = match kept {
        Some(stored) => state.store.finish(scope, stored, state.clock.now()).await,
        None => state.store.abandon(scope).await,
    };
    if let Err(error) = settled {
        tracing::error!(scope = scope.scope, ?error, "an idempotency key could not be settled");
    }
    response
}

/// Returns the response, with the copy to keep if it is one to keep.
async fn capture(response: Response, max_body: usize) -> (Response, Option<StoredResponse>) {
    let status = response.status();
    let bounded = response.body().size_hint().upper().is_some_and(|upper| upper <= max_body as u64);
    if status.is_client_error() || status.is_server_error() {
        return (response, None);
    }
    if response.extensions().get::<NoStore>().is_some() {
        let secret = StoredResponse {
            status: status.as_u16(),
            headers: vec![],
            body: String::new(),
            secret: true,
            erased: false,
        };
        return (response, Some(secret));
    }
    if !bounded {
        return (response, None);
    }
    let (parts, body) = response.into_parts();
    match axum::body::to_bytes(body, max_body).await {
        Ok(body) => {
            let stored = keep(&parts.headers, status, &body);
            (Response::from_parts(parts, Body::from(body)), stored)
        }
        Err(error) => (Problem(Error::internal(error)).into_response(), None),
    }
}

fn keep(headers: &HeaderMap, status: StatusCode, body: &Bytes) -> Option<StoredResponse> {
    let text = |name: &HeaderName| Some((name.to_string(), headers.get(name)?.to_str().ok()?.to_owned()));
    let headers = KEPT_HEADERS.iter().filter_map(text).collect();
    let body = std::str::from_utf8(body).ok()?.to_owned();
    Some(StoredResponse { status: status.as_u16(), headers, body, secret: false, erased: false })
}

fn replay(stored: StoredResponse) -> Result<Response> {
    if stored.erased {
        return Err(Error::new(
            Code::IdempotencyNotKept,
            "The first request with this Idempotency-Key succeeded, and the user of whom it speaks was erased since, with its \
             answer. Nothing was done now. If it is meant anew, use a new key.",
        )
        .with("first_status", stored.status));
    }
    if stored.secret {
        return Err(Error::new(
            Code::IdempotencyNotKept,
            "The first request with this Idempotency-Key succeeded, and its answer, with a secret or what is known of a person, is \
             kept nowhere. Look for what was created; if a secret was lost, revoke it and create anew with a new key.",
        )
        .with("first_status", stored.status));
    }
    let mut response = (StatusCode::from_u16(stored.status).map_err(Error::internal)?, stored.body).into_response();
    // The body's own guess of a type must not stand beside the stored one.
    response.headers_mut().remove(CONTENT_TYPE);
    for (name, value) in stored.headers {
        let name: HeaderName =
            name.parse().map_err(|error: axum::http::header::InvalidHeaderName| Error::internal(error))?;
        response.headers_mut().insert(name, HeaderValue::from_str(&value).map_err(Error::internal)?);
    }
    response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

#[cfg(test)]
mod tests;
