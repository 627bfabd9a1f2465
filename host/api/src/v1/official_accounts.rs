//! Handlers for official accounts, the names of their templates, and the moves of merchants between them.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    ids::{AccountTemplateName, MerchantId, WechatAppId},
    page::Page,
};
use berth_model::{
    access::Caller,
    official_account::{
        AccountMove, AccountTemplate, EditOfficialAccount, MoveOfficialAccount, MoveQuery, MoveReport,
        NewOfficialAccount, OfficialAccount, OfficialAccountQuery, PutAccountTemplate,
    },
};
use berth_work::official_account;

use crate::{Api, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, edit, remove))
        .routes(routes!(templates))
        .routes(routes!(put_template, remove_template))
        .routes(routes!(move_to, report))
}

/// Add an official account: a shared one of the platform, or a private one of a merchant.
///
/// WeChat is asked whether the secret is right. It is stored sealed and never shown.
#[utoipa::path(post, path = "/v1/official-accounts", tag = "official-accounts", request_body = NewOfficialAccount, responses((status = 201, body = OfficialAccount)))]
async fn create(State(app): AppState, caller: Caller, Json(new): Json<NewOfficialAccount>) -> Created<OfficialAccount> {
    created(official_account::create(&app.official_accounts, &caller, new).await?)
}

/// List the official accounts that the caller may know: all shared ones, and the private ones of their merchants.
#[utoipa::path(get, path = "/v1/official-accounts", tag = "official-accounts", params(OfficialAccountQuery), responses((status = 200, body = Page<OfficialAccount>)))]
async fn list(
    State(app): AppState,
    caller: Caller,
    Query(query): Query<OfficialAccountQuery>,
) -> Result<Json<Page<OfficialAccount>>> {
    Ok(Json(official_account::list(&app.db, &caller, &query).await?))
}

/// Get one official account.
#[utoipa::path(get, path = "/v1/official-accounts/{app_id}", tag = "official-accounts", params(("app_id" = WechatAppId, Path)), responses((status = 200, body = OfficialAccount)))]
async fn get(State(app): AppState, caller: Caller, Path(app_id): Path<WechatAppId>) -> Result<Json<OfficialAccount>> {
    Ok(Json(official_account::get(&app.db, &caller, &app_id).await?))
}

/// Edit an official account: its name, its secret, whether it is in use.
#[utoipa::path(patch, path = "/v1/official-accounts/{app_id}", tag = "official-accounts", params(("app_id" = WechatAppId, Path)), request_body = EditOfficialAccount, responses((status = 200, body = OfficialAccount)))]
async fn edit(
    State(app): AppState,
    caller: Caller,
    Path(app_id): Path<WechatAppId>,
    Json(edit): Json<EditOfficialAccount>,
) -> Result<Json<OfficialAccount>> {
    Ok(Json(official_account::edit(&app.official_accounts, &caller, &app_id, edit).await?))
}

/// Remove an official account that has no bound members, or is retired: its bindings go with it then.
#[utoipa::path(delete, path = "/v1/official-accounts/{app_id}", tag = "official-accounts", params(("app_id" = WechatAppId, Path)), responses((status = 204)))]
async fn remove(State(app): AppState, caller: Caller, Path(app_id): Path<WechatAppId>) -> Result<StatusCode> {
    official_account::remove(&app.db, &caller, &app_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the templates of an official account that have a name.
#[utoipa::path(get, path = "/v1/official-accounts/{app_id}/templates", tag = "official-accounts", params(("app_id" = WechatAppId, Path)), responses((status = 200, body = Items<AccountTemplate>)))]
async fn templates(
    State(app): AppState,
    caller: Caller,
    Path(app_id): Path<WechatAppId>,
) -> Result<Json<Items<AccountTemplate>>> {
    items(official_account::templates(&app.db, &caller, &app_id).await?)
}

/// Make a name stand for a template of an official account.
///
/// The same name at several accounts is the same message to whoever sends it.
#[utoipa::path(put, path = "/v1/official-accounts/{app_id}/templates/{template}", tag = "official-accounts", params(("app_id" = WechatAppId, Path), ("template" = AccountTemplateName, Path)), request_body = PutAccountTemplate, responses((status = 200, body = AccountTemplate)))]
async fn put_template(
    State(app): AppState,
    caller: Caller,
    Path((app_id, template)): Path<(WechatAppId, AccountTemplateName)>,
    Json(put): Json<PutAccountTemplate>,
) -> Result<Json<AccountTemplate>> {
    Ok(Json(official_account::put_template(&app.db, &caller, &app_id, template, put).await?))
}

/// Remove the name of a template of an official account.
#[utoipa::path(delete, path = "/v1/official-accounts/{app_id}/templates/{template}", tag = "official-accounts", params(("app_id" = WechatAppId, Path), ("template" = AccountTemplateName, Path)), responses((status = 204)))]
async fn remove_template(
    State(app): AppState,
    caller: Caller,
    Path((app_id, template)): Path<(WechatAppId, AccountTemplateName)>,
) -> Result<StatusCode> {
    official_account::remove_template(&app.db, &caller, &app_id, &template).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Move a merchant from one official account to another, which it prefers from now on.
///
/// No binding is lost. Entry links of the former account let in by the new one, and whoever opens one is bound there as the
/// member that they are at the former one.
#[utoipa::path(post, path = "/v1/merchants/{id}/official-accounts/move", tag = "official-accounts", params(("id" = MerchantId, Path)), request_body = MoveOfficialAccount, responses((status = 201, body = AccountMove)))]
async fn move_to(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MerchantId>,
    Json(ask): Json<MoveOfficialAccount>,
) -> Created<AccountMove> {
    created(official_account::move_to(&app.db, &caller, &id, ask).await?)
}

/// Report who has come along with the move of a merchant, and who has not.
#[utoipa::path(get, path = "/v1/merchants/{id}/official-accounts/move", tag = "official-accounts", params(("id" = MerchantId, Path), MoveQuery), responses((status = 200, body = MoveReport)))]
async fn report(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MerchantId>,
    Query(query): Query<MoveQuery>,
) -> Result<Json<MoveReport>> {
    Ok(Json(official_account::report(&app.db, &caller, &id, &query).await?))
}
