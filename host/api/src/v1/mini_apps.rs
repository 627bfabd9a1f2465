//! Handlers for MiniApps.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{ids::MiniAppId, page::Page};
use berth_model::{
    access::Caller,
    binding::Binding,
    mini_app::{EditMiniApp, ListedMiniApp, MinVersion, MiniApp, MiniAppQuery, NewMiniApp, Shelf},
    overview::Overview,
    shelf::Shelved,
};
use berth_work::{binding, mini_app, overview, shelf, version};

use crate::{Api, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, edit))
        .routes(routes!(overview))
        .routes(routes!(bindings))
        .routes(routes!(shelve))
        .routes(routes!(set_min_version))
}

/// Create a MiniApp.
#[utoipa::path(post, path = "/v1/mini-apps", tag = "mini-apps", request_body = NewMiniApp, responses((status = 201, body = MiniApp)))]
async fn create(State(app): AppState, caller: Caller, Json(new): Json<NewMiniApp>) -> Created<MiniApp> {
    created(mini_app::create(&app.db, &caller, new).await?)
}

/// List the MiniApps that the caller may know, by id, each with what is next for it.
#[utoipa::path(get, path = "/v1/mini-apps", tag = "mini-apps", params(MiniAppQuery), responses((status = 200, body = Page<ListedMiniApp>)))]
async fn list(
    State(app): AppState,
    caller: Caller,
    Query(query): Query<MiniAppQuery>,
) -> Result<Json<Page<ListedMiniApp>>> {
    Ok(Json(mini_app::list(&app.db, &caller, &query).await?))
}

/// Get one MiniApp. Members of a host app that it is bound to may, too.
#[utoipa::path(get, path = "/v1/mini-apps/{id}", tag = "mini-apps", params(("id" = MiniAppId, Path)), responses((status = 200, body = MiniApp)))]
async fn get(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<Json<MiniApp>> {
    Ok(Json(mini_app::get(&app.db, &caller, &id).await?))
}

/// Edit the name and the description of a MiniApp.
#[utoipa::path(patch, path = "/v1/mini-apps/{id}", tag = "mini-apps", params(("id" = MiniAppId, Path)), request_body = EditMiniApp, responses((status = 200, body = MiniApp)))]
async fn edit(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    Json(edit): Json<EditMiniApp>,
) -> Result<Json<MiniApp>> {
    Ok(Json(mini_app::edit(&app.db, &caller, &id, edit).await?))
}

/// Get what a MiniApp has online, on trial, under audit, approved, in development and in grayscale.
///
/// Members of a host app that it is bound to see less, and `through_host_app` says so.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/overview", tag = "mini-apps", params(("id" = MiniAppId, Path)), responses((status = 200, body = Overview)))]
async fn overview(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<Json<Overview>> {
    Ok(Json(overview::overview(&app.db, &caller, &id).await?))
}

/// List the bindings of a MiniApp to host apps, active or not.
#[utoipa::path(get, path = "/v1/mini-apps/{id}/bindings", tag = "mini-apps", params(("id" = MiniAppId, Path)), responses((status = 200, body = Items<Binding>)))]
async fn bindings(State(app): AppState, caller: Caller, Path(id): Path<MiniAppId>) -> Result<Json<Items<Binding>>> {
    items(binding::of_mini_app(&app.db, &caller, &id).await?)
}

/// Take a MiniApp off the shelf, or put it back.
///
/// Off the shelf its gray tasks are suspended, pending ones included. They stay so until `resume` or people resume them.
#[utoipa::path(post, path = "/v1/mini-apps/{id}/shelf", tag = "mini-apps", params(("id" = MiniAppId, Path)), request_body = Shelf, responses((status = 200, body = Shelved)))]
async fn shelve(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    Json(shelf): Json<Shelf>,
) -> Result<Json<Shelved>> {
    Ok(Json(shelf::shelve(&app.db, &caller, &id, shelf).await?))
}

/// Set or remove the minimum usable version of a MiniApp.
#[utoipa::path(put, path = "/v1/mini-apps/{id}/min-version", tag = "mini-apps", params(("id" = MiniAppId, Path)), request_body = MinVersion, responses((status = 200, body = MiniApp)))]
async fn set_min_version(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MiniAppId>,
    Json(min): Json<MinVersion>,
) -> Result<Json<MiniApp>> {
    Ok(Json(version::set_min_version(&app.db, &caller, &id, min).await?))
}
