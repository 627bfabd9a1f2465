//! axum's extractors, with our problems in place of its plain-text rejections.

use axum::{
    extract::{
        FromRequest, FromRequestParts, Request,
        rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection},
    },
    http::request::Parts,
    response::{IntoResponse, Response},
};
use hyper::body::Body as _;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    api::limits,
    error::{Code, Error},
};

/// Bytes of a JSON body: what axum's `DefaultBodyLimit` is.
const MAX_JSON: u64 = 2 << 20;

/// A JSON body. Refusals name the path of the offending member; depth is bounded by serde_json at 128.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

/// A JSON body that may be absent; then the default stands for it.
#[derive(Clone, Copy, Debug)]
pub struct OptionalJson<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        if request.body().is_end_stream() {
            return Ok(Self(T::default()));
        }
        Json::from_request(request, state).await.map(|Json(value)| Self(value))
    }
}

/// The query string.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

/// The parameters in the path.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        limits::refuse_declared(request.body(), MAX_JSON)?;
        match axum::Json::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(json_problem(rejection)),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let read = axum::extract::Query::from_request_parts(parts, state).await;
        read.map(|axum::extract::Query(value)| Self(value)).map_err(query_problem)
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let read = axum::extract::Path::from_request_parts(parts, state).await;
        read.map(|axum::extract::Path(value)| Self(value)).map_err(path_problem)
    }
}

fn json_problem(rejection: JsonRejection) -> Error {
    match rejection {
        JsonRejection::JsonDataError(error) => {
            Error::new(Code::InvalidField, format!("The JSON does not fit: {}.", cause(&error)))
        }
        JsonRejection::JsonSyntaxError(error) => {
            Error::new(Code::BadRequest, format!("The body is not JSON: {}.", cause(&error)))
        }
        JsonRejection::MissingJsonContentType(_) => {
            Error::new(Code::UnsupportedMedia, "Send the body with the header Content-Type: application/json.")
        }
        JsonRejection::BytesRejection(rejection) => bytes_problem(rejection),
        other => Error::new(Code::BadRequest, other.body_text()),
    }
}

/// A body that could not be read: too large, too slow, or cut off.
pub fn bytes_problem(rejection: BytesRejection) -> Error {
    limits::body_problem(&rejection)
}

fn query_problem(rejection: QueryRejection) -> Error {
    Error::new(Code::BadRequest, format!("The query string does not fit: {}.", cause(&rejection)))
}

fn path_problem(rejection: PathRejection) -> Error {
    match rejection {
        PathRejection::FailedToDeserializePathParams(error) => Error::new(
            Code::BadRequest,
            format!(
                "The address has a part of the wrong form: {}.",
                error.body_text().trim_start_matches("Invalid URL: ")
            ),
        ),
        other => Error::internal(anyhow::anyhow!("{other}")),
    }
}

/// The innermost message: the outer ones speak of axum.
fn cause(error: &dyn std::error::Error) -> String {
    let mut error = error;
    // serde_path_to_error's Display holds the path and its source's text; going below it would lose the path.
    while let Some(source) = error.source() {
        if error.to_string().contains(&source.to_string()) && !error.to_string().starts_with("Failed to") {
            break;
        }
        error = source;
    }
    error.to_string().trim_end_matches('.').to_owned()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use axum::{body::Body, http::header::CONTENT_TYPE};

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
        Json::<Task>::from_request(request, &()).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_wrong_member_is_named_by_its_path() {
        let error = refuse("application/json", r#"{"stages":[{"percent":10},{"percent":"x"}]}"#).await;
        assert_eq!(error.code, Code::InvalidField);
        assert!(error.detail.contains("stages[1].percent"), "{}", error.detail);
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
        assert!(error.detail.contains("recursion limit"), "{}", error.detail);
    }

    #[tokio::test]
    async fn another_content_type_is_refused() {
        assert_eq!(refuse("text/plain", "{}").await.code, Code::UnsupportedMedia);
    }

    #[tokio::test]
    async fn a_query_that_does_not_fit_is_our_problem() {
        let (mut parts, _) = Request::get("/?percent=many").body(Body::empty()).unwrap().into_parts();
        let error = Query::<Stage>::from_request_parts(&mut parts, &()).await.unwrap_err();
        assert_eq!(error.code, Code::BadRequest);
        assert!(error.detail.contains("percent"), "{}", error.detail);
    }
}
