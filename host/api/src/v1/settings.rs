//! Handlers for the development settings of MiniApps: domains, permits in host apps, sensitive APIs of host apps.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    ids::{HostAppId, MiniAppId, PermitId},
    page::Page,
};
use berth_model::{
    access::Caller,
    settings::{
        Approve, DomainSettings, HostAppPermitQuery, MiniAppPermitQuery, NewPermit, Permit, PermitDetail, Preset,
        Reason, SensitiveApis, SensitiveApisOf, SetDomains, SetSensitiveApis,
    },
};
use berth_work::settings;

use crate::{Api, precondition::IfMatch, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(domains, set_domains))
        .routes(routes!(apply, permits_of_mini_app))
        .routes(routes!(permits_in_host_app))
        .routes(routes!(permit))
        .routes(routes!(approve))
        .routes(routes!(refuse))
        .routes(routes!(revoke))
        .routes(routes!(withdraw))
        .routes(routes!(sensitive_apis, set_sensitive_apis))
        .routes(routes!(sensitive_apis_of))
        .routes(routes!(presets))
}

/// Get the domains with which a MiniApp may communicate.
///
/// Its team may, and whoever may read a host app that it is bound to.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/domains", tag = "settings", params(("id" = MiniAppId, Path)), responses((status = 200, body = DomainSettings)))]
async fn domains(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<Json<DomainSettings>> {
    Ok(Json(settings::domains(&app.db, &caller, &id).await?))
}

/// Set the domains of a MiniApp, in place of all that it has.
///
/// With `If-Match` they are set only while they are as the ETag of the GET says.
#[utoipa::path(put, path = "/v1/mini-apps/{id}/domains", tag = "settings", params(("id" = MiniAppId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the GET on which the change was decided")), request_body = SetDomains, responses((status = 200, body = DomainSettings)))]
async fn set_domains(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    still: IfMatch,
    Json(set): Json<SetDomains>,
) -> Result<Json<DomainSettings>> {
    Ok(Json(settings::set_domains(&app.db, &caller, &id, &set, &|present| still.require(present)).await?))
}

/// Apply for a permit of a MiniApp in a host app.
#[utoipa::path(post, path = "/v1/mini-apps/{id}/permits", tag = "settings", params(("id" = MiniAppId, Path)), request_body = NewPermit, responses((status = 201, body = Permit)))]
async fn apply(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    Json(new): Json<NewPermit>,
) -> Created<Permit> {
    created(settings::apply(&app.db, &caller, &id, new).await?)
}

/// List the permits of a MiniApp, in whatever state, newest first.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/permits", tag = "settings", params(("id" = MiniAppId, Path), MiniAppPermitQuery), responses((status = 200, body = Page<Permit>)))]
async fn permits_of_mini_app(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    Query(query): Query<MiniAppPermitQuery>,
) -> Result<Json<Page<Permit>>> {
    Ok(Json(settings::of_mini_app(&app.db, &caller, &id, &query).await?))
}

/// List the permits in a host app, in whatever state, newest first. `state=waiting` is what there is to decide.
#[utoipa::path(get, path = "/v1/host-apps/{id}/permits", tag = "settings", params(("id" = HostAppId, Path), HostAppPermitQuery), responses((status = 200, body = Page<Permit>)))]
async fn permits_in_host_app(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Query(query): Query<HostAppPermitQuery>,
) -> Result<Json<Page<Permit>>> {
    Ok(Json(settings::in_host_app(&app.db, &caller, &id, &query).await?))
}

/// Get one permit with its steps.
#[utoipa::path(get, path = "/v1/permits/{id}", tag = "settings", params(("id" = PermitId, Path)), responses((status = 200, body = PermitDetail)))]
async fn permit(State(app): AppState, caller: Caller, Path(id): Path<PermitId>) -> Result<Json<PermitDetail>> {
    Ok(Json(settings::permit(&app.db, &caller, &id).await?))
}

/// Approve a permit in the name of the host app, or approve it again for another time.
///
/// Admins of the host app may; for a sensitive API its auditors, too.
#[utoipa::path(post, path = "/v1/permits/{id}/approve", tag = "settings", params(("id" = PermitId, Path)), request_body = Option<Approve>, responses((status = 200, body = Permit)))]
async fn approve(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<PermitId>,
    OptionalJson(with): OptionalJson<Approve>,
) -> Result<Json<Permit>> {
    Ok(Json(settings::approve(&app.db, &caller, &id, &with).await?))
}

/// Refuse an application in the name of the host app, with a note.
#[utoipa::path(post, path = "/v1/permits/{id}/refuse", tag = "settings", params(("id" = PermitId, Path)), request_body = Reason, responses((status = 200, body = Permit)))]
async fn refuse(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<PermitId>,
    Json(why): Json<Reason>,
) -> Result<Json<Permit>> {
    Ok(Json(settings::refuse(&app.db, &caller, &id, &why).await?))
}

/// Take an approved permit back in the name of the host app, with a note.
#[utoipa::path(post, path = "/v1/permits/{id}/revoke", tag = "settings", params(("id" = PermitId, Path)), request_body = Reason, responses((status = 200, body = Permit)))]
async fn revoke(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<PermitId>,
    Json(why): Json<Reason>,
) -> Result<Json<Permit>> {
    Ok(Json(settings::revoke(&app.db, &caller, &id, &why).await?))
}

/// Withdraw an application, or give a permit up, in the name of the MiniApp.
#[utoipa::path(post, path = "/v1/permits/{id}/withdraw", tag = "settings", params(("id" = PermitId, Path)), request_body = Option<Reason>, responses((status = 200, body = Permit)))]
async fn withdraw(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<PermitId>,
    OptionalJson(why): OptionalJson<Reason>,
) -> Result<Json<Permit>> {
    Ok(Json(settings::withdraw(&app.db, &caller, &id, &why).await?))
}

/// Get the APIs that a host app has marked as sensitive.
#[utoipa::path(get, path = "/v1/host-apps/{id}/sensitive-apis", tag = "settings", params(("id" = HostAppId, Path)), responses((status = 200, body = SensitiveApis)))]
async fn sensitive_apis(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
) -> Result<Json<SensitiveApis>> {
    Ok(Json(settings::sensitive_apis(&app.db, &caller, &id).await?))
}

/// Set the APIs that a host app marks as sensitive, in place of all that it has marked.
///
/// With `If-Match` they are set only while they are as the ETag of the GET says.
#[utoipa::path(put, path = "/v1/host-apps/{id}/sensitive-apis", tag = "settings", params(("id" = HostAppId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of the GET on which the change was decided")), request_body = SetSensitiveApis, responses((status = 200, body = SensitiveApis)))]
async fn set_sensitive_apis(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    still: IfMatch,
    Json(set): Json<SetSensitiveApis>,
) -> Result<Json<SensitiveApis>> {
    Ok(Json(settings::set_sensitive_apis(&app.db, &caller, &id, set, &|present| still.require(present)).await?))
}

/// List the sensitive APIs of the host apps that a MiniApp is bound to, each with where the MiniApp stands.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/sensitive-apis", tag = "settings", params(("id" = MiniAppId, Path)), responses((status = 200, body = Items<SensitiveApisOf>)))]
async fn sensitive_apis_of(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
) -> Result<Json<Items<SensitiveApisOf>>> {
    items(settings::sensitive_apis_of(&app.db, &caller, &id).await?)
}

/// List the presets of sensitive APIs that a host app may begin with.
#[utoipa::path(get, path = "/v1/sensitive-api-presets", tag = "settings", responses((status = 200, body = Items<Preset>)))]
async fn presets(caller: Caller) -> Result<Json<Items<Preset>>> {
    items(settings::presets(&caller)?)
}
