//! Handlers for signing in at the operator's identity provider.
//!
//! They serve whatever leads browsers there and back, which is the console of this host: it sends a browser to the address that a
//! visit begins with, keeps the cookie in it, and tells what the browser has brought back.

use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::ids::UserId;
use berth_model::access::{
    BeginProviderVisit, Caller, EndProviderVisit, OwnProof, ProviderLink, ProviderVisit, SignInProvider,
    StartedSession, UnlinkQuery,
};
use berth_work::access;

use super::people::own;
use crate::{Api, client_ip::ClientIp, origin::From, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(provider))
        .routes(routes!(visit))
        .routes(routes!(sign_in))
        .routes(routes!(visit_to_link))
        .routes(routes!(link, linked))
        .routes(routes!(unlink))
        .routes(routes!(unlink_of))
}

/// Get the identity provider at which people may sign in, if this host has one.
#[utoipa::path(get, path = "/v1/sign-in-provider", tag = "access", responses((status = 200, body = SignInProvider)))]
async fn provider(State(app): AppState) -> Result<Json<SignInProvider>> {
    Ok(Json(app.people.sign_in_provider()?))
}

/// Begin a visit of the identity provider, to sign in or to accept an invitation.
#[utoipa::path(post, path = "/v1/sign-in-provider/visits", tag = "access", request_body = BeginProviderVisit, responses((status = 201, body = ProviderVisit)))]
async fn visit(
    State(app): AppState,
    client: Option<Extension<ClientIp>>,
    Json(begin): Json<BeginProviderVisit>,
) -> Result<(StatusCode, SecretHeaders, Json<ProviderVisit>)> {
    app.throttle.pass_visit(client.map(|Extension(client)| client))?;
    let begun = app.try_secret(client, app.people.visit_provider(begin)).await?;
    Ok((StatusCode::CREATED, secret_headers(), Json(begun)))
}

/// End a visit of the identity provider: sign in by what the browser has brought back. It is good once.
#[utoipa::path(post, path = "/v1/sign-in-provider/sessions", tag = "access", request_body = EndProviderVisit, responses((status = 201, body = StartedSession)))]
async fn sign_in(
    State(app): AppState,
    client: Option<Extension<ClientIp>>,
    From(origin): From,
    Json(came): Json<EndProviderVisit>,
) -> Result<(StatusCode, SecretHeaders, Json<StartedSession>)> {
    app.let_in(client)?;
    let started = app.people.sign_in_by_provider(&came, &origin).await?;
    Ok((StatusCode::CREATED, secret_headers(), Json(started)))
}

/// Begin a visit of the identity provider, to link the caller's account to who the person is there, by the password or by a code.
#[utoipa::path(post, path = "/v1/me/provider-link/visits", tag = "access", request_body = OwnProof, responses((status = 201, body = ProviderVisit)))]
async fn visit_to_link(
    State(app): AppState,
    caller: Caller,
    client: Option<Extension<ClientIp>>,
    Json(proof): Json<OwnProof>,
) -> Result<(StatusCode, SecretHeaders, Json<ProviderVisit>)> {
    let work = app.people.visit_provider_to_link(&caller, proof);
    let begun = app.try_password(client, &own(&caller), work).await?;
    Ok((StatusCode::CREATED, secret_headers(), Json(begun)))
}

/// End a visit of the identity provider: link the caller's account, in place of the link that it may have.
#[utoipa::path(put, path = "/v1/me/provider-link", tag = "access", request_body = EndProviderVisit, responses((status = 200, body = ProviderLink)))]
async fn link(State(app): AppState, caller: Caller, Json(came): Json<EndProviderVisit>) -> Result<Json<ProviderLink>> {
    Ok(Json(app.people.link_provider(&caller, &came).await?))
}

/// Get who the caller is at the identity provider, if their account is linked.
#[utoipa::path(get, path = "/v1/me/provider-link", tag = "access", responses((status = 200, body = ProviderLink)))]
async fn linked(State(app): AppState, caller: Caller) -> Result<Json<ProviderLink>> {
    Ok(Json(access::provider_link(&app.db, &caller).await?))
}

/// Take the link of the caller's account away, by the password or by a code. Other sessions that were started by it end.
#[utoipa::path(post, path = "/v1/me/provider-link/remove", tag = "access", request_body = OwnProof, responses((status = 204)))]
async fn unlink(
    State(app): AppState,
    caller: Caller,
    client: Option<Extension<ClientIp>>,
    Json(proof): Json<OwnProof>,
) -> Result<StatusCode> {
    app.try_password(client, &own(&caller), app.people.unlink_provider(&caller, proof)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take the link of an account away, whose sessions that were started by it end. Only admins of the platform may.
#[utoipa::path(delete, path = "/v1/accounts/{id}/provider-link", tag = "access", params(("id" = UserId, Path), UnlinkQuery), responses((status = 204)))]
async fn unlink_of(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<UserId>,
    Query(query): Query<UnlinkQuery>,
) -> Result<StatusCode> {
    access::unlink_provider_of(&app.db, &caller, &id, query).await?;
    Ok(StatusCode::NO_CONTENT)
}
