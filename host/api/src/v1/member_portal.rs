//! Handlers for the identity provider of a workspace, and for the portal that this host has for members.
//!
//! What begins with `portal/` serves whatever leads browsers there and back and shows the portal, which is this host by its pages. It
//! sends a browser to the address that a visit begins with, keeps the cookie in it, tells what the browser has brought back, and keeps
//! the sign-on in it.

use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    error::{Code, Error},
    ids::{MemberId, WorkspaceId},
    secret::Secret,
};
use berth_model::{
    access::{Caller, ProviderVisit},
    member_portal::{
        BeginMemberVisit, EndMemberVisit, MemberProviderShown, OwnPortal, PortalDoor, PutMemberProvider, SignedOut,
        StartedSignOn,
    },
};
use berth_work::member_portal;

use crate::{Api, auth::token_in, client_ip::ClientIp, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get, put, remove))
        .routes(routes!(forget))
        .routes(routes!(door))
        .routes(routes!(visit))
        .routes(routes!(sign_on))
        .routes(routes!(own))
        .routes(routes!(sign_out))
}

/// Get the identity provider at which the members of a workspace sign in. Its secret is not told.
#[utoipa::path(get, path = "/v1/workspaces/{id}/sign-in-provider", tag = "workspaces", operation_id = "member_providers.get", params(("id" = WorkspaceId, Path)), responses((status = 200, body = MemberProviderShown)))]
async fn get(State(app): AppState, caller: Caller, Path(id): Path<WorkspaceId>) -> Result<Json<MemberProviderShown>> {
    Ok(Json(member_portal::get(&app.member_providers, &caller, &id).await?))
}

/// Set the identity provider at which the members of a workspace sign in, in place of the one that there may be.
///
/// It is looked at what it says of itself. From then on the portal of the members is open, and internal tools send there whoever is
/// not signed on.
#[utoipa::path(put, path = "/v1/workspaces/{id}/sign-in-provider", tag = "workspaces", operation_id = "member_providers.put", params(("id" = WorkspaceId, Path)), request_body = PutMemberProvider, responses((status = 200, body = MemberProviderShown)))]
async fn put(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
    Json(put): Json<PutMemberProvider>,
) -> Result<Json<MemberProviderShown>> {
    Ok(Json(member_portal::put(&app.member_providers, &caller, &id, put).await?))
}

/// Take the identity provider of a workspace away. Sign-ons that have begun go on.
#[utoipa::path(delete, path = "/v1/workspaces/{id}/sign-in-provider", tag = "workspaces", operation_id = "member_providers.remove", params(("id" = WorkspaceId, Path)), responses((status = 204)))]
async fn remove(State(app): AppState, caller: Caller, Path(id): Path<WorkspaceId>) -> Result<StatusCode> {
    member_portal::remove(&app.member_providers, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forget who a member is at the identity provider of the workspace, and end their sign-ons.
///
/// The first one to sign in as a member is known by the `sub` of the provider from then on, and another one by the same name is refused
/// (`member-other`). Afterwards the next one is.
#[utoipa::path(delete, path = "/v1/workspaces/{id}/members/{member}/provider-subject", tag = "workspaces", operation_id = "member_providers.forget", params(("id" = WorkspaceId, Path), ("member" = MemberId, Path)), responses((status = 204)))]
async fn forget(
    State(app): AppState,
    caller: Caller,
    Path((id, member)): Path<(WorkspaceId, MemberId)>,
) -> Result<StatusCode> {
    member_portal::forget(&app.member_providers, &caller, &id, &member).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get what whoever opens the portal of a workspace sees before they are signed on. Where the secret of a sign-on stands as the token, it is
/// told at which other workspace that is.
#[utoipa::path(get, path = "/v1/workspaces/{id}/portal/door", tag = "workspaces", operation_id = "member_portals.door", params(("id" = WorkspaceId, Path)), responses((status = 200, body = PortalDoor)))]
async fn door(State(app): AppState, Path(id): Path<WorkspaceId>, headers: HeaderMap) -> Result<Json<PortalDoor>> {
    Ok(Json(member_portal::door(&app.db, &id, secret_of(&headers).ok().as_ref()).await?))
}

/// Begin a visit of the identity provider of a workspace, to sign a member on.
#[utoipa::path(post, path = "/v1/workspaces/{id}/portal/visits", tag = "workspaces", operation_id = "member_portals.visit", params(("id" = WorkspaceId, Path)), request_body = BeginMemberVisit, responses((status = 201, body = ProviderVisit)))]
async fn visit(
    State(app): AppState,
    client: Option<Extension<ClientIp>>,
    Path(id): Path<WorkspaceId>,
    Json(begin): Json<BeginMemberVisit>,
) -> Result<(StatusCode, SecretHeaders, Json<ProviderVisit>)> {
    app.throttle.pass_visit(client.map(|Extension(client)| client))?;
    let begun = member_portal::begin(&app.member_providers, &id, &begin).await?;
    Ok((StatusCode::CREATED, secret_headers(), Json(begun)))
}

/// End a visit of the identity provider of a workspace: sign a member on by what the browser has brought back. It is good once.
#[utoipa::path(post, path = "/v1/workspaces/{id}/portal/sign-ons", tag = "workspaces", operation_id = "member_portals.sign_on", params(("id" = WorkspaceId, Path)), request_body = EndMemberVisit, responses((status = 201, body = StartedSignOn)))]
async fn sign_on(
    State(app): AppState,
    client: Option<Extension<ClientIp>>,
    Path(id): Path<WorkspaceId>,
    Json(came): Json<EndMemberVisit>,
) -> Result<(StatusCode, SecretHeaders, Json<StartedSignOn>)> {
    app.let_in(client)?;
    let started = member_portal::end(&app.member_providers, &id, &came).await?;
    Ok((StatusCode::CREATED, secret_headers(), Json(started)))
}

/// Get the portal of the member who is signed on, by the secret of the sign-on as the token: what they may open, each with every
/// reason.
#[utoipa::path(get, path = "/v1/workspaces/{id}/portal/own", tag = "workspaces", operation_id = "member_portals.own", params(("id" = WorkspaceId, Path)), responses((status = 200, body = OwnPortal)))]
async fn own(State(app): AppState, Path(id): Path<WorkspaceId>, headers: HeaderMap) -> Result<Json<OwnPortal>> {
    Ok(Json(member_portal::own(&app.db, &id, &secret_of(&headers)?).await?))
}

/// End the sign-on of a member in this browser, by its secret as the token. Codes and tokens of internal tools that came from it end,
/// too.
#[utoipa::path(post, path = "/v1/workspaces/{id}/portal/sign-out", tag = "workspaces", operation_id = "member_portals.sign_out", params(("id" = WorkspaceId, Path)), responses((status = 200, body = SignedOut)))]
async fn sign_out(State(app): AppState, Path(id): Path<WorkspaceId>, headers: HeaderMap) -> Result<Json<SignedOut>> {
    Ok(Json(member_portal::sign_out(&app.member_providers, &id, &secret_of(&headers)?).await?))
}

/// The secret of the sign-on, which stands where a token does.
fn secret_of(headers: &HeaderMap) -> std::result::Result<Secret, Error> {
    let secret = headers.get(AUTHORIZATION).and_then(token_in);
    let missing = || Error::new(Code::InvalidToken, "Send `Authorization: Bearer berth_member_sign_on_...`.");
    secret.map(|secret| secret.to_owned().into()).ok_or_else(missing)
}
