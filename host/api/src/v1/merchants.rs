//! Handlers for merchants.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    ids::MerchantId,
    page::{Page, PageQuery},
};
use berth_model::{
    access::Caller,
    endpoint::{
        Merchant,
        matrix::{Matrix, MatrixQuery},
        merchant::{EditMerchant, NewMerchant},
    },
};
use berth_work::endpoint::{matrix, merchant};

use crate::{Api, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(get, edit)).routes(routes!(endpoint_matrix))
}

/// Create a merchant.
#[utoipa::path(post, path = "/v1/merchants", tag = "merchants", request_body = NewMerchant, responses((status = 201, body = Merchant)))]
async fn create(State(app): AppState, caller: Caller, Json(new): Json<NewMerchant>) -> Created<Merchant> {
    created(merchant::create(&app.db, &caller, new).await?)
}

/// List the merchants that the caller may know, by id.
#[utoipa::path(get, path = "/v1/merchants", tag = "merchants", params(PageQuery), responses((status = 200, body = Page<Merchant>)))]
async fn list(State(app): AppState, caller: Caller, Query(query): Query<PageQuery>) -> Result<Json<Page<Merchant>>> {
    Ok(Json(merchant::list(&app.db, &caller, &query).await?))
}

/// Get one merchant.
#[utoipa::path(get, path = "/v1/merchants/{id}", tag = "merchants", params(("id" = MerchantId, Path)), responses((status = 200, body = Merchant)))]
async fn get(State(app): AppState, caller: Caller, Path(id): Path<MerchantId>) -> Result<Json<Merchant>> {
    Ok(Json(merchant::get(&app.db, &caller, &id).await?))
}

/// Edit the name or the settings of a merchant.
#[utoipa::path(patch, path = "/v1/merchants/{id}", tag = "merchants", params(("id" = MerchantId, Path)), request_body = EditMerchant, responses((status = 200, body = Merchant)))]
async fn edit(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MerchantId>,
    Json(edit): Json<EditMerchant>,
) -> Result<Json<Merchant>> {
    Ok(Json(merchant::edit(&app.db, &caller, &id, edit).await?))
}

/// Get which endpoint applications of a merchant hold which of its product instances, and their channels.
///
/// Both lists have pages: send the `next` of each as `products` and `endpoint_apps`.
#[utoipa::path(get, path = "/v1/merchants/{id}/endpoint-matrix", tag = "endpoint-apps", params(("id" = MerchantId, Path), MatrixQuery), responses((status = 200, body = Matrix)))]
async fn endpoint_matrix(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<MerchantId>,
    Query(query): Query<MatrixQuery>,
) -> Result<Json<Matrix>> {
    Ok(Json(matrix::get(&app.db, &caller, &id, &query).await?))
}
