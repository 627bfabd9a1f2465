//! Puts all routes together, from the outside in: edge, ETags, idempotency, acts, resources. What devices ask passes the edge
//! alone: it is no read with an ETag, does the same when it is repeated, and comes more often than all else together.

use crate::problem::Problem;
use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{Method, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::{
    edge::{EdgeDeps, edge},
    extract::is_json,
    idempotency::{IDEMPOTENCY_KEY, Idempotency, once},
};
use crate::{
    auth, idempotency,
    numberless::numberless,
    oidc, refusals, scim, security,
    throttle::Throttle,
    v1,
    witness::{Operations, Witness, name_operations, operations, witness},
};
use berth_model::{
    app_secret::SERVER_TOKEN,
    endpoint::authorisation::StageName,
    log::NewEntry,
    mini_app::ShelfSide,
    privacy::{Language, TextFormat},
};
use berth_work::{access::Entered, app::App, app_secret};

use crate::Api;

/// The description of the API, without its paths. Schemas that only parameters and members of generic types name are not
/// found by way of the paths.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Berth",
        description = "A self-hosted mini-program platform. Management calls carry `Authorization: Bearer`, calls of devices the host app's public key in `X-Host-App-Key`. Refusals are `application/problem+json` with a stable `type`. Below `/scim/` and `/oidc/` they are as SCIM and OAuth have them. Creating POSTs take an `Idempotency-Key`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(ShelfSide, refusals::Problem, refusals::ScimError, refusals::OAuthError, StageName, TextFormat, Language, NewEntry), responses(refusals::Problem, refusals::ScimError, refusals::OAuthError)),
    tags(
        (name = "mini-apps"), (name = "packages"), (name = "versions"), (name = "audits"), (name = "grayscale"),
        (name = "devices"), (name = "logs"), (name = "host-apps"), (name = "app-secrets"), (name = "users"), (name = "messages"), (name = "policies"), (name = "merchants"), (name = "fulfilment"),
        (name = "endpoint-apps"), (name = "official-accounts"), (name = "events"), (name = "acts"), (name = "access"), (name = "settings"), (name = "privacy"), (name = "workspaces"), (name = "scim"), (name = "identity"), (name = "oidc"),
    ),
)]
struct Description;

/// Size in bytes of the largest request body that an Idempotency-Key protects, and of the largest answer that is kept.
const MAX_IDEMPOTENT: usize = 1 << 20;

/// All routes that are described.
struct Resources {
    of_devices: Router<Api>,
    others: Router<Api>,
    document: utoipa::openapi::OpenApi,
    /// What changes something, by method and route.
    operations: Operations,
}

fn resources() -> Resources {
    let others = OpenApiRouter::with_openapi(Description::openapi())
        .merge(v1::routes())
        .merge(scim::routes())
        .merge(oidc::routes());
    let (others, mut document) = others.split_for_parts();
    let (of_devices, described) = v1::devices::routes().split_for_parts();
    document.merge(described);
    name_operations(&mut document);
    let operations = operations(&document);
    name_rests(&mut document);
    refusals::add(&mut document);
    security::add(&mut document);
    Resources { of_devices, others, document, operations }
}

/// Says `{path}` for what the router calls `{*path}`, a parameter with slashes in it: OpenAPI has no other word for it.
fn name_rests(document: &mut utoipa::openapi::OpenApi) {
    let paths = std::mem::take(&mut document.paths.paths);
    document.paths.paths = paths.into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect();
}

/// The OpenAPI document of the API, with the numbers of rules that only its sources speak of.
pub fn openapi() -> utoipa::openapi::OpenApi {
    resources().document
}

/// The text that `/openapi.json` serves.
fn served(document: &utoipa::openapi::OpenApi) -> String {
    numberless(&serde_json::to_string_pretty(document).unwrap_or_default())
}

/// All routes of the host, wrapped by what every request passes.
pub fn router(app: Arc<App>, throttle: Arc<Throttle>, deps: EdgeDeps) -> Router {
    let Resources { of_devices, others, document, operations } = resources();
    let idempotency =
        Idempotency { store: app.db.clone(), clock: app.db.nature().clock.clone(), max_body: MAX_IDEMPOTENT };
    let api = Api { app, throttle };
    let document = served(&document);
    let seen = Witness { api: api.clone(), operations: operations.clone() };
    let routes = others
        .layer(Extension(operations)) // what may be asked for in a list of acts
        .route_layer(from_fn_with_state(seen, witness))
        .route_layer(from_fn_with_state(idempotency, once::<berth_store::Db>))
        .route_layer(from_fn_with_state(api.clone(), identify))
        .layer(from_fn(super::etag::tag))
        .merge(of_devices)
        .route("/", get(welcome))
        .route("/openapi.json", get(move || async move { ([(header::CONTENT_TYPE, "application/json")], document) }))
        .with_state(api);
    edge(routes, deps)
}

/// Says whose key an Idempotency-Key is. Bodies that are streamed are not kept, so they are not protected.
async fn identify(State(app): State<Api>, mut request: Request, next: Next) -> Response {
    let streamed = request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| !is_json(kind));
    if request.method() != Method::POST || streamed || !request.headers().contains_key(IDEMPOTENCY_KEY) {
        return next.run(request).await;
    }
    let secret = match auth::bearer(request.headers()) {
        Ok(Some(secret)) => secret.to_owned(),
        Ok(None) => return next.run(request).await,
        Err(error) => return Problem(error).into_response(),
    };
    match whose_key(&app, &secret).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => Problem(error).into_response(),
    }
}

/// To whom a bearer token belongs: an account, or the server of a MiniApp.
async fn whose_key(app: &Api, token: &str) -> berth_base::error::Result<idempotency::Caller> {
    if token.starts_with(SERVER_TOKEN) {
        let server = app_secret::authenticate(&app.db, token).await?;
        return Ok(idempotency::Caller { account: format!("server of {}", server.mini_app).into(), scopes: "".into() });
    }
    let Entered { caller, owes_second_factor } = app.people.enter(token).await?;
    let owes = owes_second_factor.then_some("owes-second-factor");
    let scopes: Vec<_> = caller.token_scopes.iter().map(|scope| scope.as_str()).chain(owes).collect();
    Ok(idempotency::Caller { account: caller.account.as_str().into(), scopes: scopes.join(" ").into() })
}

/// The page for people who open the address of the host in a browser.
async fn welcome() -> impl IntoResponse {
    let page = include_str!("welcome.html").replace("{version}", env!("CARGO_PKG_VERSION"));
    ([(header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'")], Html(page))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use serde_json::Value;

    use super::*;

    /// A change of the API shows as a change of this file, to be reviewed. `BERTH_UPDATE_SNAPSHOTS=1` writes it anew.
    #[test]
    fn the_openapi_document_is_the_one_that_was_reviewed() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        let document = served(&openapi()) + "\n";
        if std::env::var_os("BERTH_UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(path, &document).unwrap();
        }
        let reviewed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            document == reviewed,
            "The API differs from host/api/openapi.json. Review: BERTH_UPDATE_SNAPSHOTS=1 cargo test -p berth-api --lib openapi && git diff"
        );
    }

    #[test]
    fn every_reference_in_the_openapi_document_leads_somewhere() {
        fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
            match value {
                Value::Object(members) => {
                    found.extend(members.get("$ref").and_then(Value::as_str));
                    members.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let document = serde_json::to_value(openapi()).unwrap();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 100);
        found.retain(|reference| document.pointer(reference.trim_start_matches('#')).is_none());
        assert!(found.is_empty(), "nothing is at {found:?}");
    }
}
