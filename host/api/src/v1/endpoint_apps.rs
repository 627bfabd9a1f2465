//! Handlers for endpoint applications.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    ids::{EndpointAppId, InstanceId},
    page::Page,
};
use berth_model::{
    access::Caller,
    endpoint::{
        EndpointApp,
        app::{EditEndpointApp, EndpointAppQuery, EndpointAppView, NewEndpointApp},
    },
};
use berth_work::endpoint::app as endpoint;

use crate::{Api, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, edit, delete))
        .routes(routes!(add_product, remove_product))
}

/// Create an endpoint application with chosen product instances.
#[utoipa::path(post, path = "/v1/endpoint-apps", tag = "endpoint-apps", request_body = NewEndpointApp, responses((status = 201, body = EndpointAppView)))]
async fn create(State(app): AppState, caller: Caller, Json(new): Json<NewEndpointApp>) -> Created<EndpointAppView> {
    created(endpoint::create(&app.db, &caller, new).await?)
}

/// List the endpoint applications of the merchants that the caller may know.
#[utoipa::path(get, path = "/v1/endpoint-apps", tag = "endpoint-apps", params(EndpointAppQuery), responses((status = 200, body = Page<EndpointApp>)))]
async fn list(
    State(app): AppState,
    caller: Caller,
    Query(query): Query<EndpointAppQuery>,
) -> Result<Json<Page<EndpointApp>>> {
    Ok(Json(endpoint::list(&app.db, &caller, &query).await?))
}

/// Get one endpoint application, with its product instances, channels and organisation nodes.
#[utoipa::path(get, path = "/v1/endpoint-apps/{cid}", tag = "endpoint-apps", params(("cid" = EndpointAppId, Path)), responses((status = 200, body = EndpointAppView)))]
async fn get(State(app): AppState, caller: Caller, Path(id): Path<EndpointAppId>) -> Result<Json<EndpointAppView>> {
    Ok(Json(endpoint::get(&app.db, &caller, &id).await?))
}

/// Edit an endpoint application.
#[utoipa::path(patch, path = "/v1/endpoint-apps/{cid}", tag = "endpoint-apps", params(("cid" = EndpointAppId, Path)), request_body = EditEndpointApp, responses((status = 200, body = EndpointApp)))]
async fn edit(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<EndpointAppId>,
    Json(edit): Json<EditEndpointApp>,
) -> Result<Json<EndpointApp>> {
    Ok(Json(endpoint::edit(&app.db, &caller, &id, edit).await?))
}

/// Delete an endpoint application; not the default one, and not while channels are bound to it.
#[utoipa::path(delete, path = "/v1/endpoint-apps/{cid}", tag = "endpoint-apps", params(("cid" = EndpointAppId, Path)), responses((status = 204)))]
async fn delete(State(app): AppState, caller: Caller, Path(id): Path<EndpointAppId>) -> Result<StatusCode> {
    endpoint::delete(&app.db, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Add a product instance to an endpoint application; not to the default one.
#[utoipa::path(put, path = "/v1/endpoint-apps/{cid}/products/{instance}", tag = "endpoint-apps", params(("cid" = EndpointAppId, Path), ("instance" = InstanceId, Path)), responses((status = 200, body = EndpointAppView)))]
async fn add_product(
    State(app): AppState,
    caller: Caller,
    Path((id, instance)): Path<(EndpointAppId, InstanceId)>,
) -> Result<Json<EndpointAppView>> {
    Ok(Json(endpoint::add_product(&app.db, &caller, &id, &instance).await?))
}

/// Remove a product instance from an endpoint application; not from the default one, and not the last one.
#[utoipa::path(delete, path = "/v1/endpoint-apps/{cid}/products/{instance}", tag = "endpoint-apps", params(("cid" = EndpointAppId, Path), ("instance" = InstanceId, Path)), responses((status = 204)))]
async fn remove_product(
    State(app): AppState,
    caller: Caller,
    Path((id, instance)): Path<(EndpointAppId, InstanceId)>,
) -> Result<StatusCode> {
    endpoint::remove_product(&app.db, &caller, &id, &instance).await?;
    Ok(StatusCode::NO_CONTENT)
}
