//! The web console: pages for people, made on the server, over the HTTP API of the same host.
//!
//! The console asks the API as a client does, without a network between: it calls the router of the API with the token of
//! the visitor's session. So a page can show and do exactly what the API allows to that visitor, and every refusal is the
//! API's own. It holds no state, and knows neither the database nor the operations behind the API.

mod act;
mod api;
mod assets;
mod frame;
mod pages;
mod parts;
mod path;
mod refused;
mod show;
mod texts;
mod visit;
mod visitor;

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware::{Next, from_fn},
    response::Response,
};
use berth_base::clock::Clock;
use tower_http::csrf::CsrfLayer;

pub use texts::Language;

/// Where the console begins.
pub const ROOT: &str = "/ui";

/// What handlers take their parts from.
#[derive(Clone)]
struct Console {
    /// The API with all that a request passes.
    api: Router,
    /// Whether browsers come by TLS, so that cookies may be marked as secure.
    is_secure: bool,
    clock: Arc<dyn Clock>,
}

/// The routes of the console over the API.
pub fn routes(api: Router, is_secure: bool, clock: Arc<dyn Clock>) -> Router {
    let console = Console { api, is_secure, clock };
    let pages = pages::routes().layer(from_fn(with_headers)).layer(CsrfLayer::new());
    pages.merge(assets::routes()).with_state(console)
}

/// No page of the console loads anything from elsewhere, is shown in a frame, or is kept by a cache.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types berth";

async fn with_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
