//! Events as CloudEvents 1.0 in structured mode: one JSON document contains the envelope and the data.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{ActId, HostAppId, MerchantId, MiniAppId, WorkspaceId},
};
use berth_model::event::EventType;
use berth_store::EventRow;

/// The content type of the structured mode.
pub(crate) const STRUCTURED: &str = "application/cloudevents+json";
/// The prefix of the kind in `type`.
const TYPE_PREFIX: &str = "dev.berth.";
const JSON: &str = "application/json";

/// A CloudEvent: its attributes, Berth's extensions, and its data.
#[derive(Debug, Serialize)]
pub struct CloudEvent<'a, D> {
    specversion: &'static str,
    id: &'a str,
    source: &'a str,
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    time: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    datacontenttype: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dataschema: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    berthseq: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    berthactor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    berthact: Option<&'a ActId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    berthminiapp: Option<&'a MiniAppId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    berthhostapp: Option<&'a HostAppId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    berthmerchant: Option<&'a MerchantId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    berthworkspace: Option<&'a WorkspaceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    berthdataref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<D>,
}

/// The envelope of an event. `public_url` is the address at which others reach this host; without it the source is
/// `berth`, and `dataschema`, which must be an absolute address, is left out.
///
/// The extension `berthseq` is the event's number as text, as integers of CloudEvents end at 2³¹ and numbers of events
/// may not. `berthact` is the act that it is a part of. `berthminiapp`, `berthhostapp`, `berthmerchant` and `berthworkspace` are present when the event concerns one.
pub fn envelope<'a>(row: &'a EventRow, public_url: Option<&'a str>) -> CloudEvent<'a, &'a RawValue> {
    CloudEvent {
        subject: Some(&*row.subject).filter(|subject| !subject.is_empty()),
        berthseq: Some(row.seq.to_string()),
        berthactor: Some(&row.actor),
        berthact: row.act_id.as_ref(),
        berthminiapp: row.mini_app_id.as_ref(),
        berthhostapp: row.host_app_id.as_ref(),
        berthmerchant: row.merchant_id.as_ref(),
        berthworkspace: row.workspace_id.as_ref(),
        data: Some(&*row.data.0),
        ..bare(row.id.as_str(), &row.kind, row.at, public_url)
    }
}

/// As [`envelope`], for an event that is too large to be sent: without its data. The extension `berthdataref` is the
/// address of the page of `/v1/events` that has the event with its data; it is relative when there is no `public_url`.
pub fn stub<'a>(row: &'a EventRow, public_url: Option<&'a str>) -> CloudEvent<'a, &'a RawValue> {
    let host = public_url.unwrap_or_default().trim_end_matches('/');
    CloudEvent {
        datacontenttype: None,
        dataschema: None,
        berthdataref: Some(format!("{host}/v1/events?after={}&limit=1", row.seq - 1)),
        data: None,
        ..envelope(row, public_url)
    }
}

/// The envelope of a message to one receiver that is no event of the log.
pub fn message<'a, D>(
    id: &'a str,
    kind: &str,
    subject: &'a str,
    at: Millis,
    data: D,
    public_url: Option<&'a str>,
) -> CloudEvent<'a, D> {
    CloudEvent { subject: Some(subject), data: Some(data), ..bare(id, kind, at, public_url) }
}

fn bare<'a, D>(id: &'a str, kind: &str, at: Millis, public_url: Option<&'a str>) -> CloudEvent<'a, D> {
    let public_url = public_url.map(|url| url.trim_end_matches('/'));
    CloudEvent {
        specversion: "1.0",
        id,
        source: public_url.unwrap_or("berth"),
        kind: format!("{TYPE_PREFIX}{kind}"),
        subject: None,
        time: at,
        datacontenttype: Some(JSON),
        // It must be absolute, so that it is left out where nobody knows our address.
        dataschema: EventType::of(kind).zip(public_url).map(|(known, host)| format!("{host}{}", known.path())),
        berthseq: None,
        berthactor: None,
        berthact: None,
        berthminiapp: None,
        berthhostapp: None,
        berthmerchant: None,
        berthworkspace: None,
        berthdataref: None,
        data: None,
    }
}

impl<D: Serialize> CloudEvent<'_, D> {
    /// The JSON document.
    pub fn document(&self) -> Result<Bytes> {
        serde_json::to_vec(self).map(Bytes::from).map_err(Error::internal)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use berth_store::Json;
    use serde_json::{Value, json, value::to_raw_value};

    use super::*;

    fn told(row: &EventRow, public_url: Option<&str>) -> Value {
        serde_json::from_slice(&envelope(row, public_url).document().unwrap()).unwrap()
    }

    fn row() -> EventRow {
        EventRow {
            seq: 5_000_000_000,
            id: "evt_01hzzzzzzzzzzzzzzzzzzzzzzz".parse().unwrap(),
            kind: "version.deleted".into(),
            subject: "coffee".into(),
            mini_app_id: Some("coffee".parse().unwrap()),
            host_app_id: None,
            merchant_id: None,
            workspace_id: None,
            actor: "usr_1".into(),
            act_id: Some("act_01hzzzzzzzzzzzzzzzzzzzzzzz".parse().unwrap()),
            at: Millis(1_900_000_000_000),
            data: Json(to_raw_value(&json!({"version": "1.0.0"})).unwrap()),
            was: None,
        }
    }

    #[test]
    fn an_event_is_a_cloud_event_of_the_structured_mode() {
        assert_eq!(
            told(&row(), Some("https://berth.example/")),
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
                "berthact": "act_01hzzzzzzzzzzzzzzzzzzzzzzz",
                "berthminiapp": "coffee",
                "data": {"version": "1.0.0"},
            })
        );
    }

    #[test]
    fn without_a_public_address_the_source_is_still_a_uri_reference() {
        let told = told(&row(), None);
        assert_eq!((&told["source"], told.get("dataschema")), (&json!("berth"), None));
    }

    #[test]
    fn an_event_that_is_too_large_says_where_its_data_is() {
        let stub = |url| serde_json::from_slice::<Value>(&stub(&row(), url).document().unwrap()).unwrap();
        let told = stub(Some("https://berth.example"));
        assert_eq!(told["berthdataref"], "https://berth.example/v1/events?after=4999999999&limit=1");
        assert_eq!((told.get("data"), told.get("datacontenttype"), told.get("dataschema")), (None, None, None));
        assert_eq!((&told["type"], &told["berthminiapp"]), (&json!("dev.berth.version.deleted"), &json!("coffee")));
        assert_eq!(stub(None)["berthdataref"], "/v1/events?after=4999999999&limit=1");
    }

    #[test]
    fn names_of_attributes_are_lower_case_letters_and_digits_only() {
        for name in told(&row(), None).as_object().unwrap().keys() {
            assert!(name.len() <= 20 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{name}");
        }
    }
}
