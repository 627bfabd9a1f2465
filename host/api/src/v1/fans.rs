//! Handlers for the servers of merchants: who a visitor is, and which member is bound to whom. OpenIDs are personal data, so no
//! answer that has one is kept for a repeated request.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    ids::{MerchantId, ShopMemberId, WechatAppId},
    page::Page,
};
use berth_model::{
    access::Caller,
    official_account::{BindFan, EditFan, ExchangeVisit, Fan, FanQuery, Visitor},
};
use berth_work::official_account;

use crate::{Api, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(exchange)).routes(routes!(list)).routes(routes!(get, bind, edit, unbind))
}

/// Exchange the code of a visit for the visitor's account, OpenID and member.
///
/// The code is good once, for five minutes. Bind the member that the visitor turns out to be with the OpenID.
#[utoipa::path(post, path = "/v1/merchants/{id}/visitors", tag = "official-accounts", operation_id = "fans.exchange", params(("id" = MerchantId, Path)), request_body = ExchangeVisit, responses((status = 200, body = Visitor)))]
async fn exchange(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MerchantId>,
    Json(exchange): Json<ExchangeVisit>,
) -> Result<(SecretHeaders, Json<Visitor>)> {
    Ok((secret_headers(), Json(official_account::exchange(&app.db, &caller, &id, exchange).await?)))
}

/// List the members of a merchant that are bound at official accounts.
#[utoipa::path(get, path = "/v1/merchants/{id}/fans", tag = "official-accounts", operation_id = "fans.list", params(("id" = MerchantId, Path), FanQuery), responses((status = 200, body = Page<Fan>)))]
async fn list(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MerchantId>,
    Query(query): Query<FanQuery>,
) -> Result<Json<Page<Fan>>> {
    Ok(Json(official_account::fans(&app.db, &caller, &id, &query).await?))
}

/// Get the binding of a member at an official account.
#[utoipa::path(get, path = "/v1/merchants/{id}/fans/{member_id}/{app_id}", tag = "official-accounts", operation_id = "fans.get", params(("id" = MerchantId, Path), ("member_id" = ShopMemberId, Path), ("app_id" = WechatAppId, Path)), responses((status = 200, body = Fan)))]
async fn get(
    State(app): AppState,
    caller: Caller,
    Path((id, member, app_id)): Path<(MerchantId, ShopMemberId, WechatAppId)>,
) -> Result<Json<Fan>> {
    Ok(Json(official_account::fan(&app.db, &caller, &id, &member, &app_id).await?))
}

/// Bind a member to an OpenID at an official account, by the code of a visit or by the OpenID.
///
/// An OpenID that is another member's is not taken over. A member who had another OpenID there has this one from now on.
#[utoipa::path(put, path = "/v1/merchants/{id}/fans/{member_id}/{app_id}", tag = "official-accounts", operation_id = "fans.bind", params(("id" = MerchantId, Path), ("member_id" = ShopMemberId, Path), ("app_id" = WechatAppId, Path)), request_body = BindFan, responses((status = 200, body = Fan)))]
async fn bind(
    State(app): AppState,
    caller: Caller,
    Path((id, member, app_id)): Path<(MerchantId, ShopMemberId, WechatAppId)>,
    Json(bind): Json<BindFan>,
) -> Result<Json<Fan>> {
    Ok(Json(official_account::bind(&app.db, &caller, &id, &member, &app_id, bind).await?))
}

/// Say whether a member prefers to get messages by this official account.
#[utoipa::path(patch, path = "/v1/merchants/{id}/fans/{member_id}/{app_id}", tag = "official-accounts", operation_id = "fans.edit", params(("id" = MerchantId, Path), ("member_id" = ShopMemberId, Path), ("app_id" = WechatAppId, Path)), request_body = EditFan, responses((status = 200, body = Fan)))]
async fn edit(
    State(app): AppState,
    caller: Caller,
    Path((id, member, app_id)): Path<(MerchantId, ShopMemberId, WechatAppId)>,
    Json(edit): Json<EditFan>,
) -> Result<Json<Fan>> {
    Ok(Json(official_account::edit_fan(&app.db, &caller, &id, &member, &app_id, edit).await?))
}

/// End the binding of a member at an official account. All that was known of the OpenID there is deleted.
#[utoipa::path(delete, path = "/v1/merchants/{id}/fans/{member_id}/{app_id}", tag = "official-accounts", operation_id = "fans.unbind", params(("id" = MerchantId, Path), ("member_id" = ShopMemberId, Path), ("app_id" = WechatAppId, Path)), responses((status = 204)))]
async fn unbind(
    State(app): AppState,
    caller: Caller,
    Path((id, member, app_id)): Path<(MerchantId, ShopMemberId, WechatAppId)>,
) -> Result<StatusCode> {
    official_account::unbind(&app.db, &caller, &id, &member, &app_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
