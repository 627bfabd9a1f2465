//! What every test on both databases ends with: a check that each event of its host matches its schema (I6).

use std::{collections::BTreeMap, sync::Mutex};

use berth_model::event::EventType;
use jsonschema::Validator;
use serde_json::Value;

use crate::{Host, Pool};

/// Runs a test, and then checks the events in its database.
pub async fn watch<Done: Future<Output = ()>>(host: Host, test: impl FnOnce(Host) -> Done) {
    let (config, folder) = (host.config.clone(), host.folder.clone());
    test(host).await;
    let pool = Pool::open(&config, folder.path()).await;
    let events = pool.texts("SELECT type || ' ' || CAST(data AS TEXT) FROM event ORDER BY seq").await;
    pool.close().await;
    for event in &events {
        let (kind, data) = event.split_once(' ').unwrap();
        fits(kind, &serde_json::from_str(data).unwrap());
    }
}

/// The schemas of events by type, each read once for all tests.
static SCHEMAS: Mutex<BTreeMap<String, Validator>> = Mutex::new(BTreeMap::new());

fn fits(kind: &str, data: &Value) {
    let mut schemas = SCHEMAS.lock().unwrap();
    let schema = schemas.entry(kind.to_owned()).or_insert_with(|| {
        let documented = EventType::of(kind).unwrap_or_else(|| panic!("{kind} is in no catalogue")).schema();
        jsonschema::options().offline().build(&documented).unwrap()
    });
    let broken: Vec<_> = schema.iter_errors(data).map(|error| error.to_string()).collect();
    drop(schemas);
    assert!(broken.is_empty(), "{kind}: {broken:?} in {data}");
}
