//! Handlers for the logins of users to MiniApps.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::ids::{HostAppId, MiniAppId};
use berth_model::{
    access::Caller,
    app_secret::MiniAppServer,
    user::{
        AskLoginCode, CheckSession, EndSession, LoginCode, OpenSession, SessionChecked, SetUnion, Union, UserSession,
    },
};
use berth_work::user;

use crate::{Api, client_ip::ClientIp, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(issue_login_code))
        .routes(routes!(open_session))
        .routes(routes!(check_session))
        .routes(routes!(end_session))
        .routes(routes!(union, set_union))
}

/// Get whether a MiniApp is told the union ids of its users.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/union-ids", tag = "users", params(("id" = MiniAppId, Path)), responses((status = 200, body = Union)))]
async fn union(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<Json<Union>> {
    Ok(Json(user::union(&app.db, &caller, &id).await?))
}

/// Set whether a MiniApp is told the union ids of its users, for admins of its team.
///
/// A union id is the same for a user of a host app in all MiniApps of the team that are told them.
#[utoipa::path(put, path = "/v1/mini-apps/{id}/union-ids", tag = "users", params(("id" = MiniAppId, Path)), request_body = SetUnion, responses((status = 200, body = Union)))]
async fn set_union(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    Json(set): Json<SetUnion>,
) -> Result<Json<Union>> {
    Ok(Json(user::set_union(&app.db, &caller, &id, &set).await?))
}

/// Get a login code for a user of a host app, in the name of its server.
///
/// It is good for five minutes and one exchange, by the server of the MiniApp alone. The MiniApp must be bound to the host
/// app. The public key of the host app is not enough for this: with it anybody could be logged in as anybody.
#[utoipa::path(post, path = "/v1/host-apps/{id}/login-codes", tag = "users", params(("id" = HostAppId, Path)), request_body = AskLoginCode, responses((status = 201, body = LoginCode)))]
async fn issue_login_code(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Json(ask): Json<AskLoginCode>,
) -> Result<(StatusCode, SecretHeaders, Json<LoginCode>)> {
    Ok((StatusCode::CREATED, secret_headers(), Json(user::issue_login_code(&app.db, &caller, &id, ask).await?)))
}

/// Exchange a login code for the user's OpenID and a session key, in the name of the MiniApp's server.
///
/// The AppSecret in the body says who asks. The session key takes the place of the user's former one. If the answer is lost,
/// the code is used: the MiniApp asks for another one.
#[utoipa::path(post, path = "/v1/session", tag = "users", request_body = OpenSession, responses((status = 201, body = UserSession)))]
async fn open_session(
    State(app): AppState,
    client: Option<Extension<ClientIp>>,
    Json(open): Json<OpenSession>,
) -> Result<(StatusCode, SecretHeaders, Json<UserSession>)> {
    let opened = app.try_secret(client, user::open_session(&app.db, open)).await?;
    Ok((StatusCode::CREATED, secret_headers(), Json(opened)))
}

/// Ask whether a session key is still the user's present one, without sending it.
#[utoipa::path(post, path = "/v1/session/check", tag = "users", request_body = CheckSession, responses((status = 200, body = SessionChecked)))]
async fn check_session(
    State(app): AppState,
    server: MiniAppServer,
    Json(check): Json<CheckSession>,
) -> Result<Json<SessionChecked>> {
    Ok(Json(user::check_session(&app.db, &server, &check).await?))
}

/// End the session of a user, as after a log-out. A login opens another one.
#[utoipa::path(post, path = "/v1/session/end", tag = "users", request_body = EndSession, responses((status = 204)))]
async fn end_session(State(app): AppState, server: MiniAppServer, Json(end): Json<EndSession>) -> Result<StatusCode> {
    user::end_session(&app.db, &server, &end).await?;
    Ok(StatusCode::NO_CONTENT)
}
