//! Handlers for second factors.

use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::ids::UserId;
use berth_model::access::{
    Caller, ConfirmSecondFactor, OwnProof, RecoveryCodes, SecondFactor, SecondFactorKey, SetUpSecondFactor,
};
use berth_work::access::{self, Entered};

use super::people::own;
use crate::{Api, auth::Entering, client_ip::ClientIp, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(set_up, get))
        .routes(routes!(confirm))
        .routes(routes!(remove))
        .routes(routes!(remove_of))
}

/// Get the second factor of the caller's account, if it has one: since when, and how many recovery codes are left.
#[utoipa::path(get, path = "/v1/me/second-factor", tag = "access", responses((status = 200, body = SecondFactor)))]
async fn get(State(app): AppState, Entering(Entered { caller, .. }): Entering) -> Result<Json<SecondFactor>> {
    Ok(Json(access::second_factor(&app.db, &caller).await?))
}

/// Begin to set a second factor up, by the password. The key for the app is shown only in this answer.
///
/// Nothing changes until a code of the app confirms that it has the key.
#[utoipa::path(post, path = "/v1/me/second-factor", tag = "access", request_body = SetUpSecondFactor, responses((status = 201, body = SecondFactorKey)))]
async fn set_up(
    State(app): AppState,
    Entering(Entered { caller, .. }): Entering,
    client: Option<Extension<ClientIp>>,
    Json(set_up): Json<SetUpSecondFactor>,
) -> Result<(StatusCode, SecretHeaders, Json<SecondFactorKey>)> {
    let work = app.people.set_up_second_factor(&caller, set_up);
    let key = app.try_password(client, &own(&caller), work).await?;
    Ok((StatusCode::CREATED, secret_headers(), Json(key)))
}

/// Confirm a second factor by a code of the app: signing in takes one from now on. The recovery codes are shown only in this
/// answer.
#[utoipa::path(post, path = "/v1/me/second-factor/confirm", tag = "access", request_body = ConfirmSecondFactor, responses((status = 200, body = RecoveryCodes)))]
async fn confirm(
    State(app): AppState,
    Entering(Entered { caller, .. }): Entering,
    client: Option<Extension<ClientIp>>,
    Json(confirm): Json<ConfirmSecondFactor>,
) -> Result<(SecretHeaders, Json<RecoveryCodes>)> {
    let work = app.people.confirm_second_factor(&caller, &confirm.code);
    let codes = app.try_password(client, &own(&caller), work).await?;
    Ok((secret_headers(), Json(codes)))
}

/// Remove the second factor of the caller's account, by the password or by a code.
#[utoipa::path(post, path = "/v1/me/second-factor/remove", tag = "access", request_body = OwnProof, responses((status = 204)))]
async fn remove(
    State(app): AppState,
    caller: Caller,
    client: Option<Extension<ClientIp>>,
    Json(proof): Json<OwnProof>,
) -> Result<StatusCode> {
    let work = app.people.remove_second_factor(&caller, proof);
    app.try_password(client, &own(&caller), work).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove the second factor of an account whose person has lost it. Only admins of the platform may.
#[utoipa::path(delete, path = "/v1/accounts/{id}/second-factor", tag = "access", params(("id" = UserId, Path)), responses((status = 204)))]
async fn remove_of(State(app): AppState, caller: Caller, Path(id): Path<UserId>) -> Result<StatusCode> {
    access::remove_second_factor_of(&app.db, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
