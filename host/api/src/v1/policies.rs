//! Handlers for policies and their bindings.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, header},
    response::Response,
};
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{
    error::Error,
    ids::{Digest, PolicyBindingId},
    page::Page,
};
use berth_model::{
    access::Caller,
    audit::{BindingSummary, BindingSummaryQuery},
    policy::{
        figures::PolicyFigures,
        registry::{
            InstalledPolicy, PolicyBinding, PolicyBindingPatch, PolicyBindingQuery, PolicyPull, PolicyQuery,
            PolicyUpload, ScopedPolicyBinding,
        },
    },
    replay::{NewReplay, Replayed},
};
use berth_work::{
    audit,
    policy::{self, registry},
};

use crate::{Api, proved::Proved, range, routes::routes};

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(install, list))
        .routes(routes!(get, remove))
        .routes(routes!(wasm))
        .routes(routes!(pull))
        .routes(routes!(figures))
        .routes(routes!(bind, bindings))
        .routes(routes!(binding, rebind, unbind))
        .routes(routes!(summary))
        .routes(routes!(replay))
}

/// Install a policy: a wasm component, or a core module that carries its WIT.
///
/// The same bytes may come once more with a further signature.
#[utoipa::path(post, path = "/v1/policies", tag = "policies", params(PolicyUpload), request_body(content = Vec<u8>, content_type = "application/wasm"), responses((status = 201, body = InstalledPolicy)))]
async fn install(
    State(app): AppState,
    caller: Caller,
    Query(upload): Query<PolicyUpload>,
    proved: Proved,
    body: Body,
) -> Created<InstalledPolicy> {
    let chunks = super::packages::chunks(body, registry::MAX_POLICY_BYTES, proved)?;
    let wasm = registry::receive(&app.policies, &caller, chunks).await?;
    created(registry::install(&app.policies, &caller, wasm, &upload).await?)
}

/// List the installed policies, newest first.
#[utoipa::path(get, path = "/v1/policies", tag = "policies", params(PolicyQuery), responses((status = 200, body = Items<InstalledPolicy>)))]
async fn list(
    State(app): AppState,
    caller: Caller,
    Query(query): Query<PolicyQuery>,
) -> Result<Json<Items<InstalledPolicy>>> {
    items(registry::list(&app.db, &caller, &query).await?)
}

/// Get one policy by its digest, by `NAME@VERSION`, or by its name, which means the newest version.
#[utoipa::path(get, path = "/v1/policies/{policy}", tag = "policies", params(("policy" = String, Path)), responses((status = 200, body = InstalledPolicy)))]
async fn get(State(app): AppState, caller: Caller, Path(policy): Path<String>) -> Result<Json<InstalledPolicy>> {
    Ok(Json(registry::get(&app.db, &caller, &policy).await?))
}

/// Download the wasm of a policy, whole or in part. Its ETag is its SHA-256.
#[utoipa::path(get, path = "/v1/policies/{policy}/wasm", tag = "policies", params(("policy" = String, Path)), responses((status = 200, content_type = "application/wasm"), (status = 206), (status = 304)))]
async fn wasm(
    State(app): AppState,
    caller: Caller,
    method: Method,
    Path(policy): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let policy = registry::bytes_of(&app.db, &caller, &policy).await?;
    let etag = format!("\"{}\"", policy.digest).parse().map_err(Error::internal)?;
    let answer = range::decide(&method, &headers, &etag, policy.size);
    let body = match answer.range.clone() {
        Some(range) => Body::from_stream(app.blobs.stream(&policy.digest, range).await?),
        None => Body::empty(),
    };
    let mut response = answer.respond(body);
    if response.status().is_client_error() {
        return Ok(response);
    }
    // The name and the version of a policy have no character that would have to be quoted.
    let file = format!("attachment; filename=\"{}-{}.wasm\"", policy.name, policy.version);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/wasm"));
    // A name leads to another version some day.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::CONTENT_DISPOSITION, file.parse().map_err(Error::internal)?);
    Ok(response)
}

/// Fetch a policy from an OCI registry and install it, with the signatures that are found there.
///
/// The host connects to public addresses, and to those that its `--webhook-allow` names.
#[utoipa::path(post, path = "/v1/policy-pulls", tag = "policies", request_body = PolicyPull, responses((status = 201, body = InstalledPolicy)))]
async fn pull(State(app): AppState, caller: Caller, Json(asked): Json<PolicyPull>) -> Created<InstalledPolicy> {
    created(registry::pull(&app.registries, &app.policies, &caller, asked).await?)
}

/// How the bindings of a policy ran on the host that answers, since it started: how their evaluations ended, how long they took,
/// and what they needed.
#[utoipa::path(get, path = "/v1/policies/{policy}/figures", tag = "policies", params(("policy" = String, Path)), responses((status = 200, body = PolicyFigures)))]
async fn figures(State(app): AppState, caller: Caller, Path(policy): Path<String>) -> Result<Json<PolicyFigures>> {
    Ok(Json(policy::figures::figures(&app.policies, &caller, &policy).await?))
}

/// Uninstall a policy that is not bound anywhere.
#[utoipa::path(delete, path = "/v1/policies/{policy}", tag = "policies", params(("policy" = Digest, Path)), responses((status = 204)))]
async fn remove(State(app): AppState, caller: Caller, Path(digest): Path<Digest>) -> Result<StatusCode> {
    registry::remove(&app.policies, &caller, &digest).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Bind an auditor to the platform, a host app or a MiniApp.
#[utoipa::path(post, path = "/v1/policy-bindings", tag = "policies", request_body = ScopedPolicyBinding, responses((status = 201, body = PolicyBinding)))]
async fn bind(State(app): AppState, caller: Caller, Json(new): Json<ScopedPolicyBinding>) -> Created<PolicyBinding> {
    created(registry::bind(&app.policies, &caller, new).await?)
}

/// List the policy bindings of a place, in the order in which the policies are asked, or of all places.
#[utoipa::path(get, path = "/v1/policy-bindings", tag = "policies", params(PolicyBindingQuery), responses((status = 200, body = Page<PolicyBinding>)))]
async fn bindings(
    State(app): AppState,
    caller: Caller,
    Query(query): Query<PolicyBindingQuery>,
) -> Result<Json<Page<PolicyBinding>>> {
    Ok(Json(registry::bindings(&app.db, &caller, &query).await?))
}

/// Get one policy binding.
#[utoipa::path(get, path = "/v1/policy-bindings/{id}", tag = "policies", params(("id" = PolicyBindingId, Path)), responses((status = 200, body = PolicyBinding)))]
async fn binding(State(app): AppState, caller: Caller, Path(id): Path<PolicyBindingId>) -> Result<Json<PolicyBinding>> {
    Ok(Json(registry::binding(&app.db, &caller, &id).await?))
}

/// Change a policy binding: its config, mode, meaning of failure, limits, or the version of its policy.
#[utoipa::path(put, path = "/v1/policy-bindings/{id}", tag = "policies", params(("id" = PolicyBindingId, Path)), request_body = PolicyBindingPatch, responses((status = 200, body = PolicyBinding)))]
async fn rebind(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<PolicyBindingId>,
    Json(patch): Json<PolicyBindingPatch>,
) -> Result<Json<PolicyBinding>> {
    Ok(Json(registry::rebind(&app.policies, &caller, &id, patch).await?))
}

/// Remove a policy binding.
#[utoipa::path(delete, path = "/v1/policy-bindings/{id}", tag = "policies", params(("id" = PolicyBindingId, Path)), responses((status = 204)))]
async fn unbind(State(app): AppState, caller: Caller, Path(id): Path<PolicyBindingId>) -> Result<StatusCode> {
    registry::unbind(&app.db, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sum up what an auditor has said under a binding since that is as it is: on how many versions, how many it rejected or in
/// shadow would have, by which rules, with examples.
#[utoipa::path(get, path = "/v1/policy-bindings/{id}/summary", tag = "policies", params(("id" = PolicyBindingId, Path), BindingSummaryQuery), responses((status = 200, body = BindingSummary)))]
async fn summary(
    State(app): AppState,
    caller: Caller,
    Path(id): Path<PolicyBindingId>,
    Query(query): Query<BindingSummaryQuery>,
) -> Result<Json<BindingSummary>> {
    Ok(Json(audit::summary(&app.db, &caller, &id, &query).await?))
}

/// Ask a policy that need not be bound, and tell what it would change: an auditor about versions that are stored, a grayscale
/// policy about devices that were recorded when they asked.
///
/// It answers for at most 10 versions, newest upload first, or counts at most 1,000 devices; ask with `next` as the `cursor` for
/// those that follow. Nothing is stored. A host has one replay at a time.
#[utoipa::path(post, path = "/v1/policy-replays", tag = "policies", request_body = NewReplay, responses((status = 200, body = Replayed)))]
async fn replay(State(app): AppState, caller: Caller, Json(asked): Json<NewReplay>) -> Result<Json<Replayed>> {
    Ok(Json(audit::replay(&app.audits, &caller, asked).await?))
}
