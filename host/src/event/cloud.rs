//! Events as CloudEvents 1.0, in structured mode: one JSON document holds the envelope and the data.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::catalogue::EventType;
use crate::{clock::Millis, store::EventRow};

/// The content type of the structured mode.
pub const STRUCTURED: &str = "application/cloudevents+json";
/// Before the kind, in `type`.
const TYPE_PREFIX: &str = "dev.berth.";

/// The envelope of an event. `public_url` is where others reach this host; without it the source is `berth`, and
/// `dataschema`, which has to be an absolute address, is left out.
///
/// The extension `berthseq` is the event's number as text: the integers of CloudEvents end at 2³¹, events may not.
/// `berthminiapp`, `berthhostapp` and `berthmerchant` are there when the event concerns one.
pub fn envelope(row: &EventRow, public_url: Option<&str>) -> Value {
    let mut envelope = bare(row.id.as_str(), &row.kind, row.at, public_url);
    let mut set = |name: &str, value: Option<Value>| envelope.extend(value.map(|value| (name.to_owned(), value)));
    set("subject", (!row.subject.is_empty()).then(|| json!(row.subject)));
    set("berthseq", Some(json!(row.seq.to_string())));
    set("berthactor", Some(json!(row.actor)));
    set("berthminiapp", row.mini_app_id.as_ref().map(|id| json!(id)));
    set("berthhostapp", row.host_app_id.as_ref().map(|id| json!(id)));
    set("berthmerchant", row.merchant_id.as_ref().map(|id| json!(id)));
    set("data", Some(row.data.0.clone()));
    Value::Object(envelope)
}

/// The envelope of a message to one receiver that stands for no event of the log.
pub fn message(
    id: &str,
    kind: &str,
    subject: &str,
    at: Millis,
    data: &impl Serialize,
    public_url: Option<&str>,
) -> Value {
    let mut envelope = bare(id, kind, at, public_url);
    envelope.insert("subject".into(), json!(subject));
    envelope.insert("data".into(), json!(data));
    Value::Object(envelope)
}

fn bare(id: &str, kind: &str, at: Millis, public_url: Option<&str>) -> Map<String, Value> {
    let public_url = public_url.map(|url| url.trim_end_matches('/'));
    let mut envelope = Map::new();
    let mut set = |name: &str, value: Value| envelope.insert(name.to_owned(), value);
    set("specversion", json!("1.0"));
    set("id", json!(id));
    set("source", json!(public_url.unwrap_or("berth")));
    set("type", json!(format!("{TYPE_PREFIX}{kind}")));
    set("time", json!(at));
    set("datacontenttype", json!("application/json"));
    // It must be absolute, so that it is left out where nobody knows our address.
    if let (Some(known), Some(host)) = (EventType::of(kind), public_url) {
        set("dataschema", json!(format!("{host}{}", known.path())));
    }
    envelope
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use sqlx::types::Json;

    use super::*;

    fn row() -> EventRow {
        EventRow {
            seq: 5_000_000_000,
            id: "evt_01hzzzzzzzzzzzzzzzzzzzzzzz".parse().unwrap(),
            kind: "version.deleted".into(),
            subject: "coffee".into(),
            mini_app_id: Some("coffee".parse().unwrap()),
            host_app_id: None,
            merchant_id: None,
            actor: "usr_1".into(),
            at: Millis(1_900_000_000_000),
            data: Json(json!({"version": "1.0.0"})),
        }
    }

    #[test]
    fn an_event_is_a_cloud_event_of_the_structured_mode() {
        assert_eq!(
            envelope(&row(), Some("https://berth.example/")),
            json!({
                "specversion": "1.0",
                "id": "evt_01hzzzzzzzzzzzzzzzzzzzzzzz",
                "source": "https://berth.example",
                "type": "dev.berth.version.deleted",
                "subject": "coffee",
                "time": "2030-03-17T17:46:40.000Z",
                "datacontenttype": "application/json",
                "dataschema": "https://berth.example/v1/event-types/version.deleted",
                "berthseq": "5000000000",
                "berthactor": "usr_1",
                "berthminiapp": "coffee",
                "data": {"version": "1.0.0"},
            })
        );
    }

    #[test]
    fn without_a_public_address_the_source_is_still_a_uri_reference() {
        let told = envelope(&row(), None);
        assert_eq!((&told["source"], told.get("dataschema")), (&json!("berth"), None));
    }

    #[test]
    fn names_of_attributes_are_lower_case_letters_and_digits_only() {
        for name in envelope(&row(), None).as_object().unwrap().keys() {
            assert!(name.len() <= 20 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{name}");
        }
    }
}
