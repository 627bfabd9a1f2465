//! Handlers for product instances.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{ids::InstanceId, page::Page};
use berth_model::{
    access::Caller,
    endpoint::{ProductInstance, instance::InstanceQuery},
};
use berth_work::endpoint::instance;

use crate::{Api, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// List the product instances of the merchants that the caller may know.
#[utoipa::path(get, path = "/v1/product-instances", tag = "endpoint-apps", operation_id = "product-instances.list", params(InstanceQuery), responses((status = 200, body = Page<ProductInstance>)))]
async fn list(
    State(app): AppState,
    caller: Caller,
    Query(query): Query<InstanceQuery>,
) -> Result<Json<Page<ProductInstance>>> {
    Ok(Json(instance::list(&app.db, &caller, &query).await?))
}

/// Get one product instance.
#[utoipa::path(get, path = "/v1/product-instances/{id}", tag = "endpoint-apps", operation_id = "product-instances.get", params(("id" = InstanceId, Path)), responses((status = 200, body = ProductInstance)))]
async fn get(State(app): AppState, caller: Caller, Path(id): Path<InstanceId>) -> Result<Json<ProductInstance>> {
    Ok(Json(instance::get(&app.db, &caller, &id).await?))
}
