//! The middleware that keeps acts (P9): it says what is asked for before a handler runs, and afterwards keeps what was refused,
//! and what was done without a change that is told. What is told is written by the transaction that changes it.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use berth_base::error::Code;
use berth_model::act::{Asked, is_kept};
use berth_store::act::Doing;
use utoipa::openapi::{OpenApi, path::PathItem};

use crate::{Api, origin::From, request_id};

/// What servers of host apps, workspaces and the order system send while users wait, and questions that are posted. It says what
/// a user did, or has a record of its own: it is kept as an act where it is refused, or changes what is told.
const QUIET: [&str; 13] = [
    "users.issue_login_code",
    "workspaces.issue_login_code",
    "messages.ask",
    "messages.subscribe",
    "messages.withdraw",
    "messages.report",
    "privacy.agree",
    "privacy.withdraw",
    "fulfilment.deliver",
    "policies.replay",
    "scim.search",
    "scim.search_users",
    "scim.search_groups",
];

/// The operations of the API by method and route.
pub(crate) type Operations = Arc<HashMap<(Method, String), String>>;

/// What the middleware needs.
#[derive(Clone)]
pub(crate) struct Witness {
    pub api: Api,
    pub operations: Operations,
}

/// Gives every operation an id that no other has: its tag and its name, unless its own has a dot already.
pub(crate) fn name_operations(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let PathItem { get, put, post, delete, patch, .. } = item;
        for operation in [get, put, post, delete, patch].into_iter().flatten() {
            let (tags, id) = (operation.tags.iter().flatten(), operation.operation_id.take().unwrap_or_default());
            let tag = tags.into_iter().next().filter(|_| !id.contains('.'));
            operation.operation_id = Some(tag.map_or_else(|| id.clone(), |tag| format!("{tag}.{id}")));
        }
    }
}

/// The operations that change something, by method and route.
pub(crate) fn operations(document: &OpenApi) -> Operations {
    let mut operations = HashMap::new();
    for (path, item) in &document.paths.paths {
        let methods = [
            (Method::PUT, &item.put),
            (Method::POST, &item.post),
            (Method::DELETE, &item.delete),
            (Method::PATCH, &item.patch),
        ];
        for (method, operation) in methods {
            let id = operation.as_ref().and_then(|operation| operation.operation_id.clone());
            operations.extend(id.map(|id| ((method, path.clone()), id)));
        }
    }
    Arc::new(operations)
}

/// Runs the handler as an act, unless it only reads.
pub(crate) async fn witness(State(witness): State<Witness>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let route = parts.extensions.get::<MatchedPath>().map(|route| route.as_str().to_owned()).unwrap_or_default();
    let operation = witness.operations.get(&(parts.method.clone(), route)).cloned();
    let Some(operation) = operation else { return next.run(Request::from_parts(parts, body)).await };
    let is_quiet = QUIET.contains(&operation.as_str());
    let Ok(From(origin)) = From::from_request_parts(&mut parts, &witness.api).await;
    let asked = Asked {
        operation,
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        origin,
        request_id: request_id::current().map(|id| id.to_string()),
    };
    let act = Doing::begin(&witness.api.db, asked);
    let response = act.clone().scope(next.run(Request::from_parts(parts, body))).await;
    let refused = response.extensions().get::<Code>().copied();
    let is_done = refused.is_none() && !response.status().is_client_error() && !response.status().is_server_error();
    let keeps = |account| witness.api.throttle.keeps_refusal(account);
    let is_refusal = refused.is_some_and(is_kept) && act.proved().is_some_and(keeps);
    if is_refusal || is_done && !is_quiet {
        keep(&witness.api, &act, refused).await;
    }
    response
}

/// Writes an act that no transaction has written. It has changed nothing that is told, so that a database that cannot be written
/// to now is no reason for another answer.
async fn keep(api: &Api, act: &Doing, refused: Option<Code>) {
    if let Err(error) = api.db.note_act(act, refused).await {
        tracing::error!(act = %act.id(), ?error, "an act that changed nothing could not be written");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::router::openapi;

    use super::*;

    #[test]
    fn every_operation_has_an_id_of_its_own() {
        let document = openapi();
        let mut ids = Vec::new();
        for item in document.paths.paths.values() {
            let PathItem { get, put, post, delete, patch, .. } = item;
            let each = [get, put, post, delete, patch].into_iter().flatten();
            ids.extend(each.filter_map(|operation| operation.operation_id.clone()));
        }
        let different: BTreeSet<_> = ids.iter().collect();
        let mut twice = ids.clone();
        twice.sort();
        let twice: Vec<_> = twice.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone()).collect();
        assert!(different.len() == ids.len(), "{twice:?}");
        let unknown: Vec<_> = QUIET.iter().filter(|id| !different.contains(&(**id).to_owned())).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
