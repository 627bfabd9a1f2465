//! Refusals as OAuth has them (RFC 6749, §5.2; RFC 6750, §3), for clients of OpenID Connect.

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use berth_base::error::Error;
use berth_model::oidc::{Refusal, Word};
use serde_json::json;

use super::{Problem, add_retry_after, log_source, status as status_elsewhere};

/// A refusal as an HTTP response in OAuth's form.
#[derive(Debug)]
pub struct OAuthProblem(pub Refusal);

impl<E: Into<Refusal>> From<E> for OAuthProblem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl From<Problem> for OAuthProblem {
    fn from(Problem(error): Problem) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for OAuthProblem {
    fn into_response(self) -> Response {
        let Self(refusal) = self;
        log(&refusal);
        let body = json!({"error": refusal.word, "error_description": refusal.description()});
        let mut response = (status(&refusal), axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = challenge(refusal.word) {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(cause) = &refusal.cause {
            add_retry_after(headers, cause);
            response.extensions_mut().insert(cause.code);
        }
        response
    }
}

/// What the client has to prove, in the words of the scheme that it uses here.
fn challenge(word: Word) -> Option<&'static str> {
    match word {
        Word::InvalidClient => Some("Basic realm=\"berth\""),
        Word::InvalidToken => Some("Bearer error=\"invalid_token\""),
        _ => None,
    }
}

/// The status of a refusal: where there is an error of the host behind it, that of the error.
fn status(refusal: &Refusal) -> StatusCode {
    let elsewhere = |cause: &Error| status_elsewhere(cause.code);
    match refusal.word {
        Word::InvalidClient | Word::InvalidToken => StatusCode::UNAUTHORIZED,
        Word::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        Word::TemporarilyUnavailable => refusal.cause.as_ref().map_or(StatusCode::SERVICE_UNAVAILABLE, elsewhere),
        Word::InvalidRequest => refusal.cause.as_ref().map_or(StatusCode::BAD_REQUEST, elsewhere),
        _ => StatusCode::BAD_REQUEST,
    }
}

/// Logs the cause of a refusal, which is never shown.
pub(crate) fn log(refusal: &Refusal) {
    if let Some(cause) = &refusal.cause {
        log_source(cause, status(refusal));
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use axum::{body::to_bytes, http::header::RETRY_AFTER};
    use berth_base::error::Code;
    use serde_json::Value;

    use super::*;

    #[tokio::test]
    async fn u10_a_refusal_has_the_form_and_the_status_of_the_rfc() {
        let tired = Error::new(Code::TooManyRequests, "later").retry_after(7);
        for (refusal, status, word) in [
            (Refusal::new(Word::InvalidGrant, "no"), 400, "invalid_grant"),
            (Error::new(Code::InvalidAppSecret, "no").into(), 401, "invalid_client"),
            (Error::new(Code::PackageOffShelf, "no").into(), 400, "unauthorized_client"),
            (Error::new(Code::BodyTooLarge, "no").into(), 413, "invalid_request"),
            (tired.into(), 429, "temporarily_unavailable"),
            (Error::internal(anyhow::anyhow!("no")).into(), 500, "server_error"),
        ] {
            let response = OAuthProblem(refusal).into_response();
            assert_eq!(response.status().as_u16(), status, "{word}");
            assert_eq!(response.headers().contains_key(WWW_AUTHENTICATE), status == 401);
            assert_eq!(response.headers().get(RETRY_AFTER).is_some_and(|later| later == "7"), status == 429);
            let body: Value = serde_json::from_slice(&to_bytes(response.into_body(), 1 << 16).await.unwrap()).unwrap();
            assert_eq!(body["error"], word);
        }
    }
}
