//! Adds refusals to the OpenAPI document. Every operation may answer with a problem, so one description serves all of
//! them.

use berth_model::oidc::Word;
use utoipa::{
    PartialSchema,
    openapi::{Content, OpenApi, Ref, RefOr, Response, Schema, path::PathItem},
};

use crate::{oidc::is_oidc, page::is_for_browsers};

/// A refusal (RFC 9457). Further members tell programs more: the values that disagree, the limit, or the place.
#[derive(utoipa::ToSchema, utoipa::ToResponse)]
#[response(description = "A refusal", content_type = "application/problem+json")]
pub struct Problem {
    /// `/problems/{reason}`: a stable reason, and the address of the page that explains it.
    pub r#type: String,
    /// Short text that is the same for every refusal of this type.
    pub title: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// What is wrong in this case, and what to do about it.
    pub detail: String,
    /// Id of the request, which also stands in the host's log.
    pub request_id: Option<String>,
}

/// A refusal as SCIM has it (RFC 7644, §3.12).
#[derive(serde::Serialize, utoipa::ToSchema, utoipa::ToResponse)]
#[response(description = "A refusal", content_type = "application/scim+json")]
#[allow(missing_docs, reason = "the names are those of the RFC")]
pub struct ScimError {
    pub schemas: Vec<String>,
    /// The HTTP status of the answer.
    pub status: String,
    /// What is wrong in this case, and what to do about it.
    pub detail: String,
    /// The word of the RFC for the reason.
    #[serde(rename = "scimType")]
    pub scim_type: Option<String>,
}

/// A refusal as OAuth has it (RFC 6749, §5.2), for clients of OpenID Connect, which read no other.
#[derive(serde::Serialize, utoipa::ToSchema, utoipa::ToResponse)]
#[response(description = "A refusal", content_type = "application/json")]
pub struct OAuthError {
    /// The word of OAuth or OpenID Connect for the reason.
    pub error: Word,
    /// What is wrong in this case, and what to do about it.
    pub error_description: String,
}

/// Adds the response `default` to every operation.
pub fn add(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let refusal = at(path);
        let PathItem { get, put, post, delete, patch, .. } = item;
        for operation in [get, put, post, delete, patch].into_iter().flatten() {
            operation.responses.responses.insert("default".into(), refusal.clone());
        }
    }
}

/// How what is at this path refuses.
fn at(path: &str) -> RefOr<Response> {
    let response = |name| RefOr::Ref(Ref::from_response_name(name));
    match path {
        "/oidc/authorize" | "/oidc/end-session" => page_or("application/json", OAuthError::schema()),
        path if is_for_browsers(path) => page_or("application/problem+json", Problem::schema()),
        path if path.starts_with("/scim/") => response("ScimError"),
        path if is_oidc(path) => response("OAuthError"),
        _ => response("Problem"),
    }
}

/// A browser is refused by a page that its user can read. A request that no browser makes never gets as far.
fn page_or(media_type: &str, schema: RefOr<Schema>) -> RefOr<Response> {
    let content = |schema| Content::new(Some(schema));
    RefOr::T(
        Response::builder()
            .description("A refusal: a page, or what programs read where no browser would ask so")
            .content("text/html", content(String::schema()))
            .content(media_type, content(schema))
            .into(),
    )
}
