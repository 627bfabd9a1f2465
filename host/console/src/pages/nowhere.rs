//! Addresses below those of the console where no page is.

use axum::{
    Router,
    extract::{OriginalUri, Path, State},
    http::{Extensions, HeaderMap, Method, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::any,
};

use super::portal;
use crate::{
    Console,
    refused::{Refused, not_found},
    visit::{Shown, Visit},
    visitor::Taste,
};

/// What is asked when no page fits. It cannot stand among the pages: some of them have no fixed word after the first.
pub fn routes() -> Router<Console> {
    Router::new()
        .route("/ui/", any(nowhere))
        .route("/ui/{*rest}", any(nowhere))
        .route("/portal/{id}/{*rest}", any(nowhere_in_portal))
}

/// Says that there is nothing, with the menu for those who are signed in.
async fn nowhere(headers: HeaderMap, visit: Result<Visit, Shown>) -> Response {
    match visit {
        Ok(visit) => visit.refuse(not_found()).into_response(),
        Err(_) => not_found().show(&Taste::of(&headers)),
    }
}

async fn nowhere_in_portal(
    State(console): State<Console>,
    Path((id, _)): Path<(String, String)>,
    headers: HeaderMap,
    extensions: Extensions,
) -> Response {
    portal::nothing(&console, id, &headers, &extensions).await
}

/// Leads from an address that takes forms alone to the page above it: browsers ask for it when somebody signs in again, or
/// changes the language, after a form was sent there.
pub async fn only_forms(method: Method, OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        let refused = Refused::Misread(format!("{method} {}", uri.path()));
        return (StatusCode::METHOD_NOT_ALLOWED, refused.show(&Taste::of(&headers))).into_response();
    }
    let above = uri.path().rsplit_once('/').map_or("/ui", |(above, _)| above);
    Redirect::to(above).into_response()
}
