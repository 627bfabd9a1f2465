//! Adds to the OpenAPI document who may call each operation: callers with a token, devices with a host app's public key, or
//! servers of MiniApps with a server token.

use utoipa::openapi::{
    OpenApi,
    path::{Operation, PathItem},
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};

use crate::{oidc::is_oidc, page::is_for_browsers};

const TOKEN: &str = "token";
const HOST_APP_KEY: &str = "host_app_key";
const SERVER_TOKEN: &str = "server_token";
/// No scheme at all: what makes another one optional.
const NOTHING: &str = "";

/// Adds the three security schemes, and to each operation those that it accepts.
pub fn add(document: &mut OpenApi) {
    let components = document.components.get_or_insert_with(Default::default);
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API token, `berth_…`, or a session, `berth_session_…`."));
    components.add_security_scheme(TOKEN, SecurityScheme::Http(token.build()));
    let server = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let server = server.description(Some("A server token of a MiniApp: `berth_server_…`."));
    components.add_security_scheme(SERVER_TOKEN, SecurityScheme::Http(server.build()));
    let key = ApiKeyValue::with_description("X-Host-App-Key", "The public key of a host app; it is no secret.");
    components.add_security_scheme(HOST_APP_KEY, SecurityScheme::ApiKey(ApiKey::Header(key)));
    for (path, item) in &mut document.paths.paths {
        let PathItem { get, put, post, delete, patch, .. } = item;
        for (method, operation) in [("GET", get), ("PUT", put), ("POST", post), ("DELETE", delete), ("PATCH", patch)] {
            if let Some(operation) = operation {
                set(operation, schemes(method, path));
            }
        }
    }
}

/// The schemes of which an operation accepts any one; none where the address, a signature, a cookie or the body says who asks, or a
/// header in the way of OAuth.
fn schemes(method: &str, path: &str) -> &'static [&'static str] {
    match (method, path) {
        (_, path)
            if path.starts_with("/v1/wechat/")
                || path.starts_with("/v1/wecom/")
                || is_for_browsers(path)
                || is_oidc(path) =>
        {
            &[]
        }
        ("POST", "/v1/session" | "/v1/server-tokens" | "/v1/invitations/seen" | "/v1/invitations/accept") => &[],
        ("POST", "/v1/sessions") => &[NOTHING, TOKEN],
        (
            "POST",
            "/v1/session/check"
            | "/v1/session/end"
            | "/v1/swap"
            | "/v1/messages"
            | "/v1/privacy-consents/check"
            | "/v1/recognitions"
            | "/v1/recognitions/end"
            | "/v1/authorised-logins"
            | "/v1/authorised-logins/finish"
            | "/v1/login-bindings"
            | "/v1/login-bindings/end",
        )
        | ("GET", "/v1/messages/{id}") => &[SERVER_TOKEN],
        ("POST", "/v1/reports" | "/v1/logs") => &[HOST_APP_KEY],
        ("POST", "/v1/check" | "/v1/check/explain" | "/v1/bundles")
        | ("GET", "/v1/packages/{name}" | "/v1/mini-apps/{id}/offline" | "/v1/mini-apps/{id}/privacy/text") => {
            &[TOKEN, HOST_APP_KEY]
        }
        _ => &[TOKEN],
    }
}

fn set(operation: &mut Operation, schemes: &[&str]) {
    let require = |scheme: &&str| match *scheme {
        NOTHING => SecurityRequirement::default(),
        scheme => SecurityRequirement::new(scheme, [] as [&str; 0]),
    };
    operation.security = Some(schemes.iter().map(require).collect());
}
