//! OpenID Connect, below `/oidc`: browsers of users, and servers of MiniApps. Each handler reads the request, calls one
//! operation, and writes its answer in OAuth's form.

mod browsers;
mod cookie;
mod described;
mod sent;
mod servers;

use utoipa_axum::router::OpenApiRouter;

use crate::Api;

/// All addresses of OpenID Connect.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().merge(browsers::routes()).merge(servers::routes())
}

/// Whether what is at this path speaks OAuth.
pub fn is_oidc(path: &str) -> bool {
    path.starts_with("/oidc/") || path == "/.well-known/openid-configuration"
}
