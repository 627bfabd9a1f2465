//! Stub.
use utoipa_axum::router::OpenApiRouter;

use super::*;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
}
