//! The address book of a workspace by SCIM 2.0, below `/scim/v2/{workspace}`. Each handler reads the request, calls one
//! operation, and writes its answer in SCIM's form.

mod discovery;
mod resources;
mod sent;

use utoipa_axum::router::OpenApiRouter;

use crate::Api;

/// All addresses of SCIM.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().merge(discovery::routes()).merge(resources::routes())
}
