//! Many changes in one request (RFC 7644, §3.7), each in a transaction of its own.
//!
//! Ids are given before anything is made, so an operation may refer to what a later one makes, and two to each other.

use std::collections::{BTreeMap, BTreeSet};

use berth_base::error::Result;
use berth_model::workspace::scim::{
    message::{Bulk, BulkOperation, etag},
    schema::Resource,
    view::View,
};
use serde_json::Value;

use crate::access::Watch;

use super::{Ask, Directory, create, delete, fresh_id, patch, replace, shown};

/// What became of an operation of a bulk request.
#[derive(Debug)]
pub struct Done {
    /// The method of the operation.
    pub method: String,
    /// The name that the request gave it.
    pub bulk_id: Option<String>,
    /// The address of what it was done to; `None` when nothing was made.
    pub location: Option<String>,
    /// The ETag afterwards.
    pub version: Option<String>,
    /// The status, or why it was refused.
    pub result: Result<u16>,
}

/// Does the operations of a bulk request, and answers what became of each, in the order of the request. After `failOnErrors`
/// refusals no further one is tried. A request may take long: when its token is revoked or the role taken away, the operations
/// that are left are refused, within a second.
///
/// # Errors
/// `scim-syntax` for what is no bulk request; `body-too-large`; `not-found`; `missing-grant`. What refuses one operation is
/// told with it.
#[tracing::instrument(name = "scim.bulk", skip_all, fields(workspace = %of.workspace))]
pub async fn bulk(of: &Directory<'_>, body: &Value) -> Result<Vec<Done>> {
    of.enter().await?;
    let Bulk { operations, fail_on_errors } = Bulk::read(body)?;
    let ids = given_ids(of, &operations);
    let mut waiting: BTreeMap<usize, BulkOperation> = operations.into_iter().enumerate().collect();
    let (mut done, mut refused, mut watch) = (BTreeMap::new(), 0, Watch::of(of.caller));
    while let Some(number) = next(&waiting) {
        let Some(mut operation) = waiting.remove(&number) else { break };
        operation.resolve(|name| ids.get(name).cloned());
        let one = act(of, &mut watch, operation, &ids).await;
        refused += usize::from(one.result.is_err());
        done.insert(number, one);
        if fail_on_errors.is_some_and(|most| refused >= most) {
            break;
        }
    }
    Ok(done.into_values().collect())
}

/// The ids of what will be made, by the names of the request. Of two with the same name the first one has it.
fn given_ids(of: &Directory<'_>, operations: &[BulkOperation]) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    for operation in operations.iter().filter(|one| one.method == "POST") {
        if let Some(name) = &operation.bulk_id {
            ids.entry(name.clone()).or_insert_with(|| fresh_id(of, operation.resource));
        }
    }
    ids
}

/// The first operation that refers to nothing that is still to be made, else the first one.
fn next(waiting: &BTreeMap<usize, BulkOperation>) -> Option<usize> {
    let made = |one: &&BulkOperation| one.method == "POST";
    let coming: BTreeSet<_> = waiting.values().filter(made).filter_map(|one| one.bulk_id.clone()).collect();
    let is_ready = |one: &BulkOperation| {
        let own = one.bulk_id.as_ref();
        !one.waits_for().iter().any(|name| Some(name) != own && coming.contains(name))
    };
    let ready = waiting.iter().find(|(_, one)| is_ready(one));
    ready.or_else(|| waiting.iter().next()).map(|(number, _)| *number)
}

async fn act(of: &Directory<'_>, watch: &mut Watch, operation: BulkOperation, ids: &BTreeMap<String, String>) -> Done {
    let BulkOperation { method, resource, id, bulk_id, version, data } = operation;
    let given = bulk_id.as_ref().filter(|_| method == "POST").and_then(|name| ids.get(name)).cloned();
    let id = id.or(given).unwrap_or_else(|| fresh_id(of, resource));
    let view = View::of(["id"], []).unwrap_or_default(); // nothing of it is in the answer
    let ask = Ask { resource, id: &id, if_match: version.as_deref(), view: &view };
    let result = match watch.caller(of.db).await {
        Ok(caller) => one(&Directory { caller: &caller, ..*of }, &ask, &method, &data).await,
        Err(error) => Err(error),
    };
    let location = (method != "POST" || result.is_ok()).then(|| shown::location(of, resource, &id));
    let version = result.as_ref().ok().and_then(|(_, version)| version.map(etag));
    Done { method, bulk_id, location, version, result: result.map(|(status, _)| status) }
}

/// Does one operation. Returns the status, and the version of what is there afterwards.
async fn one(of: &Directory<'_>, ask: &Ask<'_>, method: &str, data: &Value) -> Result<(u16, Option<i64>)> {
    Ok(match method {
        "POST" => (201, Some(create(of, ask, data).await?.version)),
        "PUT" => (200, Some(replace(of, ask, data).await?.version)),
        "PATCH" => (if ask.resource == Resource::User { 200 } else { 204 }, Some(patch(of, ask, data).await?.version)),
        _ => {
            delete(of, ask).await?;
            (204, None)
        }
    })
}
