//! Handlers for the authorisation of channels.

use axum::{
    Extension,
    http::{HeaderName, HeaderValue, header::CACHE_CONTROL},
};
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{ids::AuthorisationId, page::Page};
use berth_model::{
    access::Caller,
    endpoint::authorisation::{AuthorisationQuery, AuthorisationView, NewAuthorisation, Restart, Target},
};
use berth_work::endpoint::authorisation;

use crate::{Api, idempotency::NoStore, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(start, list))
        .routes(routes!(get))
        .routes(routes!(choose))
        .routes(routes!(restart))
        .routes(routes!(abandon))
}

/// An authorisation with its link. The answer is not cached, and not kept for a repeated request.
type Private = ([(HeaderName, HeaderValue); 1], Extension<NoStore>, Json<AuthorisationView>);

fn private(view: AuthorisationView) -> Private {
    ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Extension(NoStore), Json(view))
}

/// Begin to authorise a channel.
///
/// The answer has the link for the merchant. A channel that is vouched for is bound at once.
#[utoipa::path(post, path = "/v1/channel-authorisations", tag = "channels", operation_id = "channel-authorisations.start", request_body = NewAuthorisation, responses((status = 201, body = AuthorisationView)))]
async fn start(
    State(app): AppState,
    caller: Caller,
    Json(new): Json<NewAuthorisation>,
) -> Result<(StatusCode, Private)> {
    Ok((StatusCode::CREATED, private(authorisation::start(&app.channels, &caller, new).await?)))
}

/// List the authorisations of the merchants that the caller may know, without their links.
#[utoipa::path(get, path = "/v1/channel-authorisations", tag = "channels", operation_id = "channel-authorisations.list", params(AuthorisationQuery), responses((status = 200, body = Page<AuthorisationView>)))]
async fn list(
    State(app): AppState,
    caller: Caller,
    Query(query): Query<AuthorisationQuery>,
) -> Result<Json<Page<AuthorisationView>>> {
    Ok(Json(authorisation::list(&app.db, &caller, &query).await?))
}

/// Get one authorisation: its stage, and what it waits for.
#[utoipa::path(get, path = "/v1/channel-authorisations/{id}", tag = "channels", operation_id = "channel-authorisations.get", params(("id" = AuthorisationId, Path)), responses((status = 200, body = AuthorisationView)))]
async fn get(State(app): AppState, caller: Caller, Path(id): Path<AuthorisationId>) -> Result<Private> {
    Ok(private(authorisation::get(&app.channels, &caller, &id).await?))
}

/// Choose or create the endpoint application for a channel.
///
/// If the authorisation has its grant already, the channel is bound at once.
#[utoipa::path(post, path = "/v1/channel-authorisations/{id}/endpoint-app", tag = "channels", operation_id = "channel-authorisations.choose", params(("id" = AuthorisationId, Path)), request_body = Target, responses((status = 200, body = AuthorisationView)))]
async fn choose(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<AuthorisationId>,
    Json(target): Json<Target>,
) -> Result<Private> {
    Ok(private(authorisation::choose(&app.channels, &caller, &id, target).await?))
}

/// Restart an authorisation, from its grant if it has one, otherwise with a new link.
///
/// With `move`, its channel is taken from the endpoint application that it is bound to now.
#[utoipa::path(post, path = "/v1/channel-authorisations/{id}/restart", tag = "channels", operation_id = "channel-authorisations.restart", params(("id" = AuthorisationId, Path)), request_body = Restart, responses((status = 200, body = AuthorisationView)))]
async fn restart(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<AuthorisationId>,
    OptionalJson(restart): OptionalJson<Option<Restart>>,
) -> Result<Private> {
    Ok(private(authorisation::restart(&app.channels, &caller, &id, restart.unwrap_or_default()).await?))
}

/// Abandon an authorisation, or give up one that failed.
#[utoipa::path(post, path = "/v1/channel-authorisations/{id}/abandon", tag = "channels", operation_id = "channel-authorisations.abandon", params(("id" = AuthorisationId, Path)), responses((status = 200, body = AuthorisationView)))]
async fn abandon(State(app): AppState, caller: Caller, Path(id): Path<AuthorisationId>) -> Result<Private> {
    Ok(private(authorisation::abandon(&app.db, &caller, &id).await?))
}
