//! Handlers for AppSecrets, and for the server tokens that come from them.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::ids::MiniAppId;
use berth_model::{
    access::Caller,
    app_secret::{AppSecret, AskServerToken, FreezeAppSecret, IssuedAppSecret, ServerToken},
};
use berth_work::app_secret;

use crate::{Api, client_ip::ClientIp, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get, generate))
        .routes(routes!(reset))
        .routes(routes!(freeze))
        .routes(routes!(unfreeze))
        .routes(routes!(issue_server_token))
}

/// Get what is known of the AppSecret of a MiniApp, for admins of its team. The secret itself is not.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/secret", tag = "app-secrets", params(("id" = MiniAppId, Path)), responses((status = 200, body = AppSecret)))]
async fn get(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<Json<AppSecret>> {
    Ok(Json(app_secret::get(&app.db, &caller, &id).await?))
}

/// Generate the AppSecret of a MiniApp. It is shown only in this answer.
#[utoipa::path(post, path = "/v1/mini-apps/{id}/secret", tag = "app-secrets", params(("id" = MiniAppId, Path)), responses((status = 201, body = IssuedAppSecret)))]
async fn generate(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
) -> Result<(StatusCode, SecretHeaders, Json<IssuedAppSecret>)> {
    Ok((StatusCode::CREATED, secret_headers(), Json(app_secret::generate(&app.db, &caller, &id).await?)))
}

/// Replace the AppSecret of a MiniApp by another one, which is shown only in this answer.
///
/// The old one, and the server tokens that came from it, stop at once on every host. If it was frozen, the new one is not.
#[utoipa::path(post, path = "/v1/mini-apps/{id}/secret/reset", tag = "app-secrets", params(("id" = MiniAppId, Path)), responses((status = 200, body = IssuedAppSecret)))]
async fn reset(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
) -> Result<(SecretHeaders, Json<IssuedAppSecret>)> {
    Ok((secret_headers(), Json(app_secret::reset(&app.db, &caller, &id).await?)))
}

/// Freeze the AppSecret of a MiniApp: whatever is tried with it is refused with this reason, at once on every host.
///
/// Server tokens that came from it are void for good.
#[utoipa::path(post, path = "/v1/mini-apps/{id}/secret/freeze", tag = "app-secrets", params(("id" = MiniAppId, Path)), request_body = FreezeAppSecret, responses((status = 200, body = AppSecret)))]
async fn freeze(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    OptionalJson(freeze): OptionalJson<FreezeAppSecret>,
) -> Result<Json<AppSecret>> {
    Ok(Json(app_secret::freeze(&app.db, &caller, &id, freeze).await?))
}

/// Let the frozen AppSecret of a MiniApp work again.
#[utoipa::path(post, path = "/v1/mini-apps/{id}/secret/unfreeze", tag = "app-secrets", params(("id" = MiniAppId, Path)), responses((status = 200, body = AppSecret)))]
async fn unfreeze(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<Json<AppSecret>> {
    Ok(Json(app_secret::unfreeze(&app.db, &caller, &id).await?))
}

/// Get a server token, with which the server of a MiniApp calls this host for two hours.
///
/// The AppSecret in the body says who asks. A MiniApp has at most 100 server tokens at a time; a further one ends the
/// oldest.
#[utoipa::path(post, path = "/v1/server-tokens", tag = "app-secrets", request_body = AskServerToken, responses((status = 201, body = ServerToken)))]
async fn issue_server_token(
    State(app): AppState,
    client: Option<Extension<ClientIp>>,
    Json(ask): Json<AskServerToken>,
) -> Result<(StatusCode, SecretHeaders, Json<ServerToken>)> {
    let issued = app.try_secret(client, app_secret::issue_server_token(&app.db, ask)).await?;
    Ok((StatusCode::CREATED, secret_headers(), Json(issued)))
}
