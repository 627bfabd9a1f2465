//! The handler of searches.

use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_model::{
    access::Caller,
    search::{FoundList, SearchQuery},
};
use berth_work::search;

use crate::{Api, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(find))
}

/// Find things by a part of the name, the number of a version, the name of a package, or an id.
///
/// Only what the caller may know is found, at most 20 things.
#[utoipa::path(get, path = "/v1/search", tag = "access", params(SearchQuery), responses((status = 200, body = FoundList)))]
async fn find(State(app): AppState, caller: Caller, Query(query): Query<SearchQuery>) -> Result<Json<FoundList>> {
    Ok(Json(search::search(&app.db, &caller, &query).await?))
}
