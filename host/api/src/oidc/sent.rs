//! What requests of OAuth have in common: parameters in the query or in a form.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{header::CONTENT_TYPE, request::Parts},
};
use berth_model::oidc::{Parameters, Refusal};
use mime::{APPLICATION_WWW_FORM_URLENCODED, Mime};

use crate::{Api, extract::bytes_problem, limits, problem::OAuthProblem};

/// Size of a form in bytes, at most.
pub(super) const LARGEST: usize = 64 << 10;

/// The parameters of the query.
pub(super) struct InQuery(pub Parameters);

/// The parameters of a form in the body.
pub(super) struct InForm(pub Parameters);

fn read(text: &[u8]) -> Parameters {
    Parameters::read(text)
}

impl FromRequestParts<Api> for InQuery {
    type Rejection = OAuthProblem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, OAuthProblem> {
        Ok(Self(read(parts.uri.query().unwrap_or_default().as_bytes())))
    }
}

impl FromRequest<Api> for InForm {
    type Rejection = OAuthProblem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, OAuthProblem> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()?.parse::<Mime>().ok());
        if kind.is_none_or(|kind| kind.essence_str() != APPLICATION_WWW_FORM_URLENCODED.essence_str()) {
            let detail =
                "Send the parameters as a form, with the header Content-Type: application/x-www-form-urlencoded.";
            return Err(Refusal::request(detail).into());
        }
        limits::refuse_declared(request.body(), LARGEST as u64)?;
        let body = Bytes::from_request(request, api).await.map_err(bytes_problem)?;
        Ok(Self(read(&body)))
    }
}
