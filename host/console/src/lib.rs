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
mod qr;
mod refused;
mod schema;
mod show;
mod signed_out;
mod texts;
mod tree;
mod visit;
mod visitor;

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderValue, header},
    middleware::{Next, from_fn},
    response::Response,
};
use berth_base::clock::Clock;
use tower_http::{
    compression::{
        CompressionLayer, Predicate,
        predicate::{DefaultPredicate, NotForContentType},
    },
    csrf::CsrfLayer,
};

use signed_out::keep_what_was_typed;
pub use texts::Language;

/// Where the console begins. Members of workspaces have pages of their own below `/portal`.
pub const ROOT: &str = "/ui";

/// What handlers take their parts from.
#[derive(Clone)]
struct Console {
    /// The API with all that a request passes.
    api: Router,
    /// The address of the host for browsers, where it is known.
    public_url: Option<String>,
    clock: Arc<dyn Clock>,
}

impl Console {
    /// Whether browsers come by TLS, so that cookies may be marked as secure.
    fn is_secure(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// The address of the host as the browser that sent these headers knows it, without a slash at the end.
    fn origin(&self, headers: &HeaderMap) -> String {
        match &self.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => {
                let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
                format!("http://{}", host.unwrap_or("localhost"))
            }
        }
    }
}

/// The console over the API.
pub struct Pages {
    /// The pages.
    pub routes: Router,
    /// What is said below their addresses where there is none: asked after [`Pages::routes`].
    pub nowhere: Router,
}

impl Pages {
    /// The console over the API of this host.
    pub fn over(api: Router, public_url: Option<String>, clock: Arc<dyn Clock>) -> Self {
        let console = Console { api, public_url, clock };
        let around = |pages: Router<Console>| pages.layer(from_fn(with_headers)).layer(CsrfLayer::new());
        let routes = around(pages::routes().layer(from_fn(keep_what_was_typed))).merge(assets::routes());
        Self { routes: smaller(routes, console.clone()), nowhere: smaller(around(pages::nowhere()), console) }
    }
}

/// Pages are text that shrinks to a fifth. The stream of events is left as it is, and packages are compressed already.
fn smaller(pages: Router<Console>, console: Console) -> Router {
    let shrinks = DefaultPredicate::new().and(NotForContentType::const_new("application/zip"));
    pages.layer(CompressionLayer::new().compress_when(shrinks)).with_state(console)
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
