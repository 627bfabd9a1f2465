//! Every type of event: a sentence, and the JSON Schema of its `data`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use super::{
    data::{
        AuditChecked, AuditClosed, AuditDecided, GrayMoved, MemberGranted, MemberRemoved, Nothing, OfVersion,
        PolicyReplaced, Submitted, Unbound,
    },
    webhook::{Webhook, WebhookPing, WebhookReplayed},
};
use crate::{
    access::{Account, Caller, Team, Token, TokenScope},
    binding::Binding,
    endpoint::{
        Channel, EndpointApp, Merchant, OrgNode, ProductInstance,
        authorisation::{AuthorisationView, Unclaimed},
        channel::ChannelUnbound,
        kept::Fulfilment,
        membership::ProductMoved,
        org::{NodeOfEndpoint, ProductOfNode},
    },
    error::{Error, Result},
    host_app::HostApp,
    mini_app::MiniApp,
    policy::registry::{InstalledPolicy, PolicyBinding},
    rollout::{Cohort, GrayTask},
    version::{Release, Trial, Version},
};

/// One type of event.
pub struct EventType {
    /// `version.published`.
    pub kind: &'static str,
    /// What happened, in a sentence.
    pub says: &'static str,
    data: fn() -> Value,
}

macro_rules! catalogue {
    ($($kind:literal $data:ty, $says:literal;)*) => {
        /// The catalogue. What is emitted and not in it fails a test.
        pub const ALL: &[EventType] = &[$(EventType { kind: $kind, says: $says, data: schema_of::<$data> },)*];
    };
}

catalogue! {
    "account.created" Account, "An account was created.";
    "member.granted" MemberGranted, "An account got a role.";
    "member.removed" MemberRemoved, "An account lost its role.";
    "token.issued" Token, "A token was issued.";
    "token.revoked" Token, "A token was revoked; `data` is how it was before.";
    "team.created" Team, "A team was created.";

    "mini_app.created" MiniApp, "A MiniApp was created.";
    "mini_app.edited" MiniApp, "The name or the description of a MiniApp changed.";
    "mini_app.on_shelf" MiniApp, "A MiniApp is on the shelf: devices are served.";
    "mini_app.off_shelf" MiniApp, "A MiniApp is off the shelf: no device is served any more.";
    "mini_app.min_version" MiniApp, "The smallest version that may run changed.";
    "host_app.created" HostApp, "A host app was created.";
    "binding.asked" Binding, "One side asked that a MiniApp be bound to a host app; the other has to agree.";
    "binding.created" Binding, "A MiniApp was bound to a host app.";
    "binding.removed" Unbound, "A MiniApp is no longer bound to a host app.";

    "version.uploaded" Version, "A development version was uploaded.";
    "version.replaced" Version, "A development version was uploaded again with other bytes.";
    "version.deleted" OfVersion, "A development version was deleted.";
    "version.submitted" Submitted, "A version was submitted, and its audit began.";
    "version.withdrawn" OfVersion, "A version was withdrawn from its audit.";
    "version.approved" AuditClosed, "A version was approved by all host apps.";
    "version.rejected" AuditClosed, "A version was rejected, by a policy or by a person.";
    "version.published" Release, "A version went online.";
    "version.rolled_back" Release, "A version that was online before is online again.";
    "trial.set" Trial, "A version is on trial for some accounts.";
    "trial.cleared" Nothing, "The trial ended.";
    "audit.checked" AuditChecked, "The policies have judged; people decide now.";
    "audit.decided" AuditDecided, "A host app decided on a version.";

    "gray_task.created" GrayTask, "A grayscale task was created.";
    "gray_task.started" GrayMoved, "A grayscale task began to deliver.";
    "gray_task.suspended" GrayMoved, "A grayscale task admits nobody for now.";
    "gray_task.resumed" GrayMoved, "A suspended grayscale task delivers again.";
    "gray_task.ended" GrayMoved, "A grayscale task ended; `cause` says by what.";
    "gray_task.recalled" GrayMoved, "The version was taken back from those who kept it after the cap was reached.";
    "cohort.created" Cohort, "A list of devices or accounts was uploaded.";

    "policy.installed" InstalledPolicy, "A policy was installed.";
    "policy.replaced" PolicyReplaced, "A newer build of a first-party policy took the place of the older one.";
    "policy.removed" InstalledPolicy, "A policy was removed.";
    "policy.bound" PolicyBinding, "A policy was bound.";
    "policy.rebound" PolicyBinding, "A binding of a policy changed.";
    "policy.unbound" PolicyBinding, "A binding of a policy was taken away.";

    "merchant.created" Merchant, "A merchant was created.";
    "merchant.edited" Merchant, "The name or a setting of a merchant changed.";

    "channel_authorisation.started" AuthorisationView, "The authorisation of a channel began, or began again.";
    "channel_authorisation.authorised" AuthorisationView, "The merchant agreed on the channel's platform.";
    "channel_authorisation.granted" AuthorisationView, "What the merchant granted is recorded.";
    "channel_authorisation.choosing" AuthorisationView, "Somebody must say which endpoint application the channel is for.";
    "channel_authorisation.target_chosen" AuthorisationView, "Somebody said which endpoint application the channel is for; the run goes on.";
    "channel_authorisation.bound" AuthorisationView, "The channel is authorised and bound to its endpoint application.";
    "channel_authorisation.abandoned" AuthorisationView, "The authorisation of a channel was given up, by hand or by time.";
    "channel_authorisation.failed" AuthorisationView, "The authorisation of a channel failed; `reason` says why.";
    "wechat_account.unclaimed" Unclaimed, "A WeChat account that no merchant here has authorised us on WeChat's own pages.";
    "product_instance.created" ProductInstance, "The first message about a product instance was applied.";
    "product_instance.changed" ProductInstance, "A message changed a product instance: its state, its time or its name.";
    "product_instance.expired" ProductInstance, "The time of a product instance is over; a renewal brings it back.";
    "fulfilment.parked" Fulfilment, "A fulfilment message cannot be applied, and waits.";
    "fulfilment.applied" Fulfilment, "A fulfilment message that waited was applied.";
    "fulfilment.corrected" Fulfilment, "A fulfilment message that waited was replayed with a correction that has another id.";
    "endpoint.created" EndpointApp, "An endpoint application was created; what it holds is told by events of its own.";
    "endpoint.edited" EndpointApp, "The name of an endpoint application changed.";
    "endpoint.deleted" EndpointApp, "An endpoint application was deleted; that its assignments ended is told by events of their own.";
    "endpoint.product_added" ProductMoved, "An endpoint application holds one more product instance.";
    "endpoint.product_removed" ProductMoved, "An endpoint application does not hold a product instance any more.";
    "endpoint.org_node_removed" NodeOfEndpoint, "An endpoint application is not assigned to an organisation node any more.";
    "org_node.product_closed" ProductOfNode, "A product instance is not open on an organisation node any more.";

    "channel.authorised" Channel, "A merchant authorised a channel, for the first time or again.";
    "channel.edited" Channel, "The name of a channel changed.";
    "channel.unauthorised" Channel, "The authorisation of a channel was taken back where the channel is.";
    "channel.bound" Channel, "A channel reaches an endpoint application.";
    "channel.unbound" ChannelUnbound, "A channel reaches the endpoint application `from` no more.";
    "channel.deleted" Channel, "A merchant gave a channel up.";
    "org_node.created" OrgNode, "An organisation node was created.";
    "org_node.edited" OrgNode, "An organisation node was renamed, moved or limited.";
    "org_node.deleted" OrgNode, "An organisation node was deleted.";
    "org_node.product_opened" ProductOfNode, "A product instance was opened on an organisation node.";
    "endpoint.org_node_added" NodeOfEndpoint, "An endpoint application was assigned to an organisation node.";

    "webhook.created" Webhook, "A webhook was created.";
    "webhook.edited" Webhook, "A webhook was edited, enabled or disabled.";
    "webhook.disabled" Webhook, "Berth disabled a webhook: its receiver says that it is gone.";
    "webhook.deleted" Webhook, "A webhook was deleted.";
    "webhook.secret_rotated" Webhook, "A webhook got another secret.";
    "webhook.replayed" WebhookReplayed, "Events are delivered to a webhook again.";
    "webhook.ping" WebhookPing, "A message that tries a webhook; it is sent to that one only and is not in the log.";
}

/// A type of event, as the list shows it.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct EventTypeView {
    /// `version.published`; CloudEvents carry it as `dev.berth.version.published`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, in a sentence.
    pub summary: String,
    /// Where the JSON Schema of `data` is.
    pub schema: String,
}

impl EventType {
    /// The type of this name.
    pub fn of(kind: &str) -> Option<&'static Self> {
        ALL.iter().find(|one| one.kind == kind)
    }

    /// Where its schema is, from the root of the host.
    pub fn path(&self) -> String {
        format!("/v1/event-types/{}", self.kind)
    }

    /// The JSON Schema (2020-12) of `data`, complete in itself.
    pub fn schema(&self) -> Value {
        let mut document = match (self.data)() {
            Value::Object(schema) => schema,
            other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
        };
        document.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        document.insert("$id".into(), json!(self.path()));
        document.insert("title".into(), json!(self.kind));
        document.insert("description".into(), json!(self.says));
        Value::Object(document)
    }
}

/// All types, for whoever may read anything.
pub fn list(caller: &Caller) -> Result<Vec<EventTypeView>> {
    caller.require_scope(TokenScope::Read)?;
    let view = |one: &EventType| EventTypeView { kind: one.kind.into(), summary: one.says.into(), schema: one.path() };
    Ok(ALL.iter().map(view).collect())
}

/// The JSON Schema of one type.
pub fn schema(caller: &Caller, kind: &str) -> Result<Value> {
    caller.require_scope(TokenScope::Read)?;
    EventType::of(kind).map(EventType::schema).ok_or_else(|| Error::not_found("event type", kind))
}

/// The schema that the API document has for `T`, with what it refers to beside it.
fn schema_of<T: PartialSchema + ToSchema>() -> Value {
    let mut named = Vec::new();
    T::schemas(&mut named);
    let mut schema = serde_json::to_value(T::schema()).unwrap_or_default();
    let definitions = named.into_iter().map(|(name, one)| (name, serde_json::to_value(one).unwrap_or_default()));
    let definitions: Map<String, Value> = definitions.collect();
    if !definitions.is_empty() {
        schema["$defs"] = Value::Object(definitions);
    }
    point_inside(&mut schema);
    schema
}

/// Makes references into the API document references into the schema itself.
fn point_inside(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(point_inside),
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get_mut("$ref") {
                *target = target.replace("#/components/schemas/", "#/$defs/");
            }
            members.values_mut().for_each(point_inside);
        }
        _ => {}
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// The texts of the form `noun.verb` in files that emit events, and so the kinds that they may emit.
    fn emitted(folder: &Path, found: &mut BTreeSet<String>) {
        let kind = regex::Regex::new(r#""([a-z_]+\.[a-z_]+)""#).unwrap();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && name != "cli" {
                emitted(&path, found);
            }
            if !name.ends_with(".rs") || ["testing.rs", "tests.rs", "catalogue.rs"].contains(&name.as_str()) {
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            let code = source.split("#[cfg(test)]").next().unwrap();
            if ["event::new(", "fn event(", ".event(", "told(app"].iter().any(|call| code.contains(call)) {
                found.extend(kind.captures_iter(code).map(|found| found[1].to_owned()));
            }
        }
    }

    #[test]
    fn i6_every_event_in_the_sources_is_in_the_catalogue_and_the_other_way_round() {
        let mut found = BTreeSet::new();
        emitted(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut found);
        let listed: BTreeSet<String> = ALL.iter().map(|one| one.kind.to_owned()).collect();
        let missing: Vec<_> = found.symmetric_difference(&listed).collect();
        assert!(missing.is_empty(), "in the sources or in event/catalogue.rs, not in both: {missing:?}");
        assert_eq!(listed.len(), ALL.len(), "a type is listed twice");
    }

    #[test]
    fn every_schema_is_complete_in_itself() {
        for one in ALL {
            let schema = one.schema();
            assert!(!schema.to_string().contains("#/components"), "{}", one.kind);
            let valid = jsonschema::options().offline().build(&schema).map(drop);
            assert!(valid.is_ok(), "{}: {:?}", one.kind, valid.err().map(|error| error.to_string()));
            assert_ne!(schema, json!({}), "{}", one.kind);
        }
    }

    #[test]
    fn a_schema_refuses_what_is_not_its_data() {
        let refuses = |kind: &str, data: Value| {
            !jsonschema::options().offline().build(&EventType::of(kind).unwrap().schema()).unwrap().is_valid(&data)
        };
        assert!(refuses("version.deleted", json!({"version": 7})));
        assert!(!refuses("version.deleted", json!({"version": "1.0.0"})));
        assert!(refuses("member.granted", json!({"account": "usr_1", "scope": "moon", "id": "", "role": "admin"})));
        assert!(refuses("trial.cleared", json!({})));
        assert!(!refuses("trial.cleared", Value::Null));
    }
}
