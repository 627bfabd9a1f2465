//! Handlers for host apps and their bindings.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    ids::{HostAppId, MiniAppId},
    page::{Page, PageQuery},
};
use berth_model::{
    access::Caller,
    audit::{Audit, AuditQuery},
    binding::{Binding, BindingQuery},
    host_app::{EndKey, HostApp, NewHostApp, RotateKey},
};
use berth_work::{audit, binding, host_app};

use crate::{Api, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get))
        .routes(routes!(rotate_key))
        .routes(routes!(end_key))
        .routes(routes!(bindings))
        .routes(routes!(bind, unbind))
        .routes(routes!(audits))
}

/// Create a host app; the caller becomes its first admin. Only admins of the platform may.
#[utoipa::path(post, path = "/v1/host-apps", tag = "host-apps", request_body = NewHostApp, responses((status = 201, body = HostApp)))]
async fn create(State(app): AppState, caller: Caller, Json(new): Json<NewHostApp>) -> Created<HostApp> {
    created(host_app::create(&app.db, &caller, new).await?)
}

/// List the host apps that the caller may know, by id.
#[utoipa::path(get, path = "/v1/host-apps", tag = "host-apps", params(PageQuery), responses((status = 200, body = Page<HostApp>)))]
async fn list(State(app): AppState, caller: Caller, Query(query): Query<PageQuery>) -> Result<Json<Page<HostApp>>> {
    Ok(Json(host_app::list(&app.db, &caller, &query).await?))
}

/// Get one host app.
#[utoipa::path(get, path = "/v1/host-apps/{id}", tag = "host-apps", params(("id" = HostAppId, Path)), responses((status = 200, body = HostApp)))]
async fn get(State(app): AppState, caller: Caller, Path(id): Path<HostAppId>) -> Result<Json<HostApp>> {
    Ok(Json(host_app::get(&app.db, &caller, &id).await?))
}

/// Replace the public key of a host app, as when it has leaked, for admins of the host app.
///
/// Devices that send the old key are served for 90 days more, or for as long as is said.
#[utoipa::path(post, path = "/v1/host-apps/{id}/rotate-key", tag = "host-apps", params(("id" = HostAppId, Path)), request_body = RotateKey, responses((status = 200, body = HostApp)))]
async fn rotate_key(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    OptionalJson(how): OptionalJson<RotateKey>,
) -> Result<Json<HostApp>> {
    Ok(Json(host_app::rotate_key(&app.db, &caller, &id, &how).await?))
}

/// Set when a former public key of a host app ends, for admins of the host app.
#[utoipa::path(put, path = "/v1/host-apps/{id}/former-keys/{public_key}", tag = "host-apps", params(("id" = HostAppId, Path), ("public_key" = String, Path)), request_body = EndKey, responses((status = 200, body = HostApp)))]
async fn end_key(
    State(app): AppState,
    caller: Caller,
    Path((id, key)): Path<(HostAppId, String)>,
    OptionalJson(end): OptionalJson<EndKey>,
) -> Result<Json<HostApp>> {
    Ok(Json(host_app::end_key(&app.db, &caller, &id, &key, &end).await?))
}

/// List the bindings of a host app to MiniApps, active or not.
#[utoipa::path(get, path = "/v1/host-apps/{id}/bindings", tag = "host-apps", params(("id" = HostAppId, Path), BindingQuery), responses((status = 200, body = Page<Binding>)))]
async fn bindings(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Query(query): Query<BindingQuery>,
) -> Result<Json<Page<Binding>>> {
    Ok(Json(binding::of_host_app(&app.db, &caller, &id, &query).await?))
}

/// Bind a MiniApp to a host app, or ask for it, or agree to it.
///
/// The binding is active as soon as an admin of the host app and an admin of the MiniApp's team have both made this
/// call.
#[utoipa::path(put, path = "/v1/host-apps/{id}/bindings/{mini_app_id}", tag = "host-apps", params(("id" = HostAppId, Path), ("mini_app_id" = MiniAppId, Path)), responses((status = 200, body = Binding)))]
async fn bind(
    State(app): AppState,
    caller: Caller,
    Path((id, mini_app)): Path<(HostAppId, MiniAppId)>,
) -> Result<Json<Binding>> {
    Ok(Json(binding::bind(&app.db, &caller, &id, &mini_app).await?))
}

/// End a binding, in the name of either side.
#[utoipa::path(delete, path = "/v1/host-apps/{id}/bindings/{mini_app_id}", tag = "host-apps", params(("id" = HostAppId, Path), ("mini_app_id" = MiniAppId, Path)), responses((status = 204)))]
async fn unbind(
    State(app): AppState,
    caller: Caller,
    Path((id, mini_app)): Path<(HostAppId, MiniAppId)>,
) -> Result<StatusCode> {
    binding::unbind(&app.db, &caller, &id, &mini_app).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the audits of a host app: those in a state, or those that wait for its decision.
#[utoipa::path(get, path = "/v1/host-apps/{id}/audits", tag = "audits", params(("id" = HostAppId, Path), AuditQuery), responses((status = 200, body = Page<Audit>)))]
async fn audits(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<HostAppId>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Page<Audit>>> {
    Ok(Json(audit::of_host_app(&app.db, &caller, &id, &query).await?))
}
