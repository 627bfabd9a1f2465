//! Runs of authorising channels.

use axum::{
    Extension,
    http::{HeaderName, HeaderValue, header::CACHE_CONTROL},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::*;
use crate::{
    access::Caller,
    api::Api,
    api::idempotency::NoStore,
    endpoint::authorisation::{self, AuthorisationQuery, AuthorisationView, NewAuthorisation, Target},
    ids::AuthorisationId,
    page::Page,
};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(start, list))
        .routes(routes!(get))
        .routes(routes!(choose))
        .routes(routes!(restart))
        .routes(routes!(abandon))
}

/// A run with its link: it stays out of every cache and is not kept for a repeated request.
type Private = ([(HeaderName, HeaderValue); 1], Extension<NoStore>, Json<AuthorisationView>);

fn private(view: AuthorisationView) -> Private {
    ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Extension(NoStore), Json(view))
}

/// Begin to authorise a channel. The answer has the link for the merchant; a channel that is vouched for is bound at once.
#[utoipa::path(post, path = "/v1/channel-authorisations", tag = "channels", request_body = NewAuthorisation, responses((status = 201, body = AuthorisationView)))]
async fn start(
    State(app): AppState,
    caller: Caller,
    Json(new): Json<NewAuthorisation>,
) -> Result<(StatusCode, Private)> {
    Ok((StatusCode::CREATED, private(authorisation::start(&app.channels, &caller, new).await?)))
}

/// The runs of the caller's merchants, without their links.
#[utoipa::path(get, path = "/v1/channel-authorisations", tag = "channels", params(AuthorisationQuery), responses((status = 200, body = Page<AuthorisationView>)))]
async fn list(
    State(app): AppState,
    caller: Caller,
    Query(query): Query<AuthorisationQuery>,
) -> Result<Json<Page<AuthorisationView>>> {
    Ok(Json(authorisation::list(&app.db, &caller, &query).await?))
}

/// One run: how far it is, and what it waits for.
#[utoipa::path(get, path = "/v1/channel-authorisations/{id}", tag = "channels", params(("id" = AuthorisationId, Path)), responses((status = 200, body = AuthorisationView)))]
async fn get(State(app): AppState, caller: Caller, Path(id): Path<AuthorisationId>) -> Result<Private> {
    Ok(private(authorisation::get(&app.channels, &caller, &id).await?))
}

/// Say which endpoint application the channel is for, or have one created. With the grant there, the channel is bound at once.
#[utoipa::path(post, path = "/v1/channel-authorisations/{id}/endpoint-app", tag = "channels", params(("id" = AuthorisationId, Path)), request_body = Target, responses((status = 200, body = AuthorisationView)))]
async fn choose(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<AuthorisationId>,
    Json(target): Json<Target>,
) -> Result<Private> {
    Ok(private(authorisation::choose(&app.channels, &caller, &id, target).await?))
}

/// Start again, with a new link, or from the grant when there is one.
#[utoipa::path(post, path = "/v1/channel-authorisations/{id}/restart", tag = "channels", params(("id" = AuthorisationId, Path)), responses((status = 200, body = AuthorisationView)))]
async fn restart(State(app): AppState, caller: Caller, Path(id): Path<AuthorisationId>) -> Result<Private> {
    Ok(private(authorisation::restart(&app.channels, &caller, &id).await?))
}

/// Give a run up.
#[utoipa::path(post, path = "/v1/channel-authorisations/{id}/abandon", tag = "channels", params(("id" = AuthorisationId, Path)), responses((status = 200, body = AuthorisationView)))]
async fn abandon(State(app): AppState, caller: Caller, Path(id): Path<AuthorisationId>) -> Result<Private> {
    Ok(private(authorisation::abandon(&app.db, &caller, &id).await?))
}
