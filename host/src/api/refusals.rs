//! Refusals in the OpenAPI document: any operation may answer with a problem, so it is said once for all of them.

use utoipa::openapi::{OpenApi, Ref, RefOr, path::PathItem};

/// A refusal (RFC 9457). Further members say more for programs: the values that disagree, the limit, the place.
#[derive(utoipa::ToSchema, utoipa::ToResponse)]
#[response(description = "A refusal", content_type = "application/problem+json")]
pub struct Problem {
    /// `/problems/{reason}`: stable, and the address of its explanation.
    pub r#type: String,
    /// The same for every occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong here and what to do about it.
    pub detail: String,
    /// What the host's log calls this request.
    pub request_id: Option<String>,
}

/// Adds the response `default` to every operation.
pub fn add(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let PathItem { get, put, post, delete, patch, .. } = item;
        for operation in [get, put, post, delete, patch].into_iter().flatten() {
            let problem = RefOr::Ref(Ref::from_response_name("Problem"));
            operation.responses.responses.insert("default".into(), problem);
        }
    }
}
