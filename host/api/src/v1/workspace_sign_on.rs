//! Handlers for the sign-on of members to internal tools: what tools register, and the server of the portal that vouches.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::ids::{ApplicationId, WorkspaceId};
use berth_model::{
    access::Caller,
    oidc::{
        AskMemberCode, EndMemberSignOns, IssuedToolSecret, MemberCode, SetOidcClient, SetSignIn, SignIn, SignOnsEnded,
        ToolClient,
    },
};
use berth_work::oidc::tool;

use crate::{Api, precondition::IfMatch, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(sign_in, set_sign_in))
        .routes(routes!(client, set_client))
        .routes(routes!(issue_secret))
        .routes(routes!(issue_login_code))
        .routes(routes!(end_sign_ons))
}

/// Get where the members of a workspace sign on, and whom they ask when they may not open something.
#[utoipa::path(get, path = "/v1/workspaces/{id}/sign-in", tag = "workspaces", params(("id" = WorkspaceId, Path)), responses((status = 200, body = SignIn)))]
async fn sign_in(State(app): AppState, caller: Caller, Path(id): Path<WorkspaceId>) -> Result<Json<SignIn>> {
    Ok(Json(tool::sign_in(&app.db, &caller, &id).await?))
}

/// Set where the members of a workspace sign on, and whom they ask when they may not open something.
///
/// The browser of a member who is not signed on is sent to `url` with `application` and `request`, which the server of the portal
/// passes on when it asks for a login code.
#[utoipa::path(put, path = "/v1/workspaces/{id}/sign-in", tag = "workspaces", params(("id" = WorkspaceId, Path)), request_body = SetSignIn, responses((status = 200, body = SignIn)))]
async fn set_sign_in(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
    Json(set): Json<SetSignIn>,
) -> Result<Json<SignIn>> {
    Ok(Json(tool::set_sign_in(&app.db, &caller, &id, &set).await?))
}

/// Get what an internal tool has registered as an OpenID client. Its secret is not told.
#[utoipa::path(get, path = "/v1/workspaces/{id}/applications/{application}/oidc-client", tag = "workspaces", params(("id" = WorkspaceId, Path), ("application" = ApplicationId, Path)), responses((status = 200, body = ToolClient)))]
async fn client(
    State(app): AppState,
    caller: Caller,
    Path((id, application)): Path<(WorkspaceId, ApplicationId)>,
) -> Result<Json<ToolClient>> {
    Ok(Json(tool::get(&app.db, &caller, &id, &application).await?))
}

/// Set to which addresses browsers come back from the sign-on to an internal tool, in place of all that are set.
///
/// With `If-Match` they are set only while they are as the ETag of the GET says.
#[utoipa::path(put, path = "/v1/workspaces/{id}/applications/{application}/oidc-client", tag = "workspaces", params(("id" = WorkspaceId, Path), ("application" = ApplicationId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the GET on which the change was decided")), request_body = SetOidcClient, responses((status = 200, body = ToolClient)))]
async fn set_client(
    State(app): AppState,
    caller: Caller,
    Path((id, application)): Path<(WorkspaceId, ApplicationId)>,
    still: IfMatch,
    Json(set): Json<SetOidcClient>,
) -> Result<Json<ToolClient>> {
    Ok(Json(tool::set(&app.db, &caller, &id, &application, &set, &|present| still.require(present)).await?))
}

/// Make the client secret of an internal tool, which is shown only now. It is in place of the one that there may be: that one and all
/// tokens that were given for it stop at once.
#[utoipa::path(post, path = "/v1/workspaces/{id}/applications/{application}/secret", tag = "workspaces", params(("id" = WorkspaceId, Path), ("application" = ApplicationId, Path)), responses((status = 201, body = IssuedToolSecret)))]
async fn issue_secret(
    State(app): AppState,
    caller: Caller,
    Path((id, application)): Path<(WorkspaceId, ApplicationId)>,
) -> Result<(StatusCode, SecretHeaders, Json<IssuedToolSecret>)> {
    let issued = tool::issue_secret(&app.db, &caller, &id, &application).await?;
    Ok((StatusCode::CREATED, secret_headers(), Json(issued)))
}

/// Issue a login code for a member, in the name of the server of the portal. With it the browser that came to the sign-in page with
/// `request` is signed on to the internal tool, once, within five minutes, if the member may open it.
#[utoipa::path(post, path = "/v1/workspaces/{id}/login-codes", tag = "workspaces", params(("id" = WorkspaceId, Path)), request_body = AskMemberCode, responses((status = 201, body = MemberCode)))]
async fn issue_login_code(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
    Json(ask): Json<AskMemberCode>,
) -> Result<(StatusCode, SecretHeaders, Json<MemberCode>)> {
    let url = app.config.public_url.as_deref();
    let issued = tool::issue_login_code(&app.db, &caller, url, &id, ask).await?;
    Ok((StatusCode::CREATED, secret_headers(), Json(issued)))
}

/// End the sign-ons of a member, in whatever browser, in the name of the server of the portal: after a logout there, or when a device
/// was lost. Tokens of internal tools that came from them end, too.
#[utoipa::path(post, path = "/v1/workspaces/{id}/sign-ons/end", tag = "workspaces", params(("id" = WorkspaceId, Path)), request_body = EndMemberSignOns, responses((status = 200, body = SignOnsEnded)))]
async fn end_sign_ons(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<WorkspaceId>,
    Json(who): Json<EndMemberSignOns>,
) -> Result<Json<SignOnsEnded>> {
    Ok(Json(tool::end_sign_ons(&app.db, &caller, &id, &who).await?))
}
