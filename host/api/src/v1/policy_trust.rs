//! Handlers for the keys whose signatures of policies are trusted, and where policies have to be signed.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::ids::TrustedKeyId;
use berth_model::{
    access::Caller,
    policy::registry::{NewTrustedKey, RemovedKey, SetSigningRule, SigningRule, TrustScope, TrustedKey},
};
use berth_work::policy::registry::trust;

use crate::{Api, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(trust, list)).routes(routes!(distrust)).routes(routes!(rule, set_rule))
}

/// Trust a key: policies that it has signed are known as such from now on.
#[utoipa::path(post, path = "/v1/policy-keys", tag = "policies", operation_id = "policy_keys.trust", request_body = NewTrustedKey, responses((status = 201, body = TrustedKey)))]
async fn trust(State(app): AppState, caller: Caller, Json(new): Json<NewTrustedKey>) -> Created<TrustedKey> {
    created(trust::trust(&app.db, &caller, new).await?)
}

/// List the keys that are trusted at a place, by name.
#[utoipa::path(get, path = "/v1/policy-keys", tag = "policies", operation_id = "policy_keys.list", params(TrustScope), responses((status = 200, body = Items<TrustedKey>)))]
async fn list(
    State(app): AppState,
    caller: Caller,
    Query(scope): Query<TrustScope>,
) -> Result<Json<Items<TrustedKey>>> {
    items(trust::keys(&app.db, &caller, &scope).await?)
}

/// Trust a key no more. What is bound goes on; the answer tells which of it would be refused now.
#[utoipa::path(delete, path = "/v1/policy-keys/{id}", tag = "policies", operation_id = "policy_keys.remove", params(("id" = TrustedKeyId, Path)), responses((status = 200, body = RemovedKey)))]
async fn distrust(State(app): AppState, caller: Caller, Path(id): Path<TrustedKeyId>) -> Result<Json<RemovedKey>> {
    Ok(Json(trust::distrust(&app.db, &caller, &id).await?))
}

/// Tell whether policies have to be signed at a place, and what is bound without a signature.
///
/// Of the platform, its admins and viewers alone are told what is bound.
#[utoipa::path(get, path = "/v1/policy-signing", tag = "policies", operation_id = "policy_signing.get", params(TrustScope), responses((status = 200, body = SigningRule)))]
async fn rule(State(app): AppState, caller: Caller, Query(scope): Query<TrustScope>) -> Result<Json<SigningRule>> {
    Ok(Json(trust::rule(&app.db, &caller, scope).await?))
}

/// Require that policies are signed to be bound at a place, and at the platform to be installed; or do not require it any more.
///
/// What is bound goes on; the answer tells which of it is not signed.
#[utoipa::path(put, path = "/v1/policy-signing", tag = "policies", operation_id = "policy_signing.set", request_body = SetSigningRule, responses((status = 200, body = SigningRule)))]
async fn set_rule(State(app): AppState, caller: Caller, Json(set): Json<SetSigningRule>) -> Result<Json<SigningRule>> {
    Ok(Json(trust::set_rule(&app.db, &caller, set).await?))
}
