//! Refusals as SCIM has them (RFC 7644, §3.12). What refuses is the same as elsewhere; only the form differs.

use axum::{
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use berth_base::error::{Code, Error};
use berth_model::workspace::scim::{Reason, message};
use serde_json::Value;

use super::{Problem, add_headers, log_source, status as status_elsewhere};

/// The media type of SCIM.
pub(crate) const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");

/// Whether what is at this path speaks SCIM.
pub(crate) fn is_scim(path: &str) -> bool {
    path.starts_with("/scim/")
}

/// An error as an HTTP response in SCIM's form.
#[derive(Debug)]
pub struct ScimProblem(pub Error);

impl From<Error> for ScimProblem {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Problem> for ScimProblem {
    fn from(Problem(error): Problem) -> Self {
        Self(error)
    }
}

impl IntoResponse for ScimProblem {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status = status(error.code);
        log_source(&error, status);
        let mut response = (status, document(&error).to_string()).into_response();
        add_headers(&mut response, &error);
        response.headers_mut().insert(CONTENT_TYPE, SCIM_JSON);
        response.extensions_mut().insert(error.code);
        response
    }
}

/// The status of a refusal: as elsewhere, but 400 for every value that does not fit.
pub(crate) fn status(code: Code) -> StatusCode {
    match Reason::of(code) {
        Some(Reason::Uniqueness) => StatusCode::CONFLICT,
        Some(_) => StatusCode::BAD_REQUEST,
        None => status_elsewhere(code),
    }
}

/// The body of a refusal.
pub(crate) fn document(error: &Error) -> Value {
    message::error(status(error.code).as_u16(), Reason::of(error.code), &error.detail)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn w5_a_refusal_has_the_form_and_the_word_of_the_rfc() {
        for (code, status, word) in [
            (Code::ScimFilter, 400, json!("invalidFilter")),
            (Code::InvalidField, 400, json!("invalidValue")),
            (Code::ScimUniqueness, 409, json!("uniqueness")),
            (Code::NotFound, 404, json!(null)),
            (Code::PreconditionFailed, 412, json!(null)),
            (Code::InvalidToken, 401, json!(null)),
        ] {
            let response = ScimProblem(Error::new(code, "no")).into_response();
            assert_eq!((response.status().as_u16(), &response.headers()[CONTENT_TYPE]), (status, &SCIM_JSON));
            let body = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!((&body["status"], &body["scimType"]), (&json!(status.to_string()), &word));
        }
    }
}
