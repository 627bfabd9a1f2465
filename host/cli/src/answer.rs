//! Reads answers of the host into the types of the API. The host may be newer: members that this berth does not know
//! are ignored, and a value that it does not know is a failure that names the member.

use serde::{
    Deserializer,
    de::{DeserializeOwned, IntoDeserializer, Visitor, value::MapDeserializer, value::SeqDeserializer},
    forward_to_deserialize_any,
};
use serde_json::{Error, Value};

use super::failure::Failure;

/// Reads an answer.
///
/// # Errors
/// `unexpected-answer` when a member is missing, or has a form or a value that this berth does not know.
pub fn read<T: DeserializeOwned>(answer: &Value) -> Result<T, Failure> {
    serde_path_to_error::deserialize(Lenient(answer)).map_err(|error| {
        let place = match error.path().to_string().as_str() {
            "." => String::new(),
            path => format!("{path}: "),
        };
        let detail = format!(
            "The host answered in a form that this berth does not know ({place}{}). Use --json, or the berth of the host's version.",
            error.inner()
        );
        Failure::refused("unexpected-answer", detail)
    })
}

/// A document of which a type reads the members that it knows. Some types of the API are parts of requests, too, and
/// refuse members that they do not know, as a misspelt one must not be ignored there. In an answer it is a newer host's.
#[derive(Clone, Copy)]
struct Lenient<'de>(&'de Value);

impl<'de> IntoDeserializer<'de, Error> for Lenient<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Lenient<'de> {
    /// Shows the members whose names are wanted.
    fn members<V: Visitor<'de>>(self, visitor: V, is_wanted: impl Fn(&str) -> bool) -> Result<V::Value, Error> {
        let Value::Object(members) = self.0 else { return self.0.deserialize_any(visitor) };
        let wanted = members.iter().filter(|(name, _)| is_wanted(name));
        visitor.visit_map(MapDeserializer::new(wanted.map(|(name, value)| (name.as_str(), Lenient(value)))))
    }
}

impl<'de> Deserializer<'de> for Lenient<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.iter().map(Lenient))),
            Value::Object(_) => self.members(visitor, |_| true),
            plain => plain.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.members(visitor, |name| fields.contains(&name))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    /// A newtype is what it wraps, but for serde_json's own raw values.
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if name.starts_with("$serde_json::") {
            return self.0.deserialize_newtype_struct(name, visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use berth_model::{
        event::Event,
        policy::registry::PolicyBinding,
        version::{Trial, VersionDetail},
    };
    use serde_json::json;

    use super::*;

    fn trial() -> Value {
        json!({"version": "1.2.0", "entry_path": "pages/a", "accounts": ["ann"]})
    }

    #[test]
    fn what_a_newer_host_says_besides_is_ignored_at_any_depth() {
        let mut answer = trial();
        answer["since"] = json!({"day": 1});
        assert!(serde_json::from_value::<Trial>(answer.clone()).is_err(), "a request must not have it");
        assert_eq!(read::<Trial>(&answer).unwrap().accounts, ["ann"]);

        let binding = json!({"id": format!("pb_{}", "0".repeat(26)), "policy": "p", "policy_version": "1.0.0",
            "digest": "0".repeat(64), "scope": {"kind": "mini_app", "id": "mp-a", "name": "A"}, "config": {"any": [1]},
            "mode": "shadow", "on_error": "open", "limits": {"log_lines": 3, "fuel": 7}, "bound_by": "usr_1", "level": "team",
            "bound_at": "2030-01-31T08:00:00Z", "colour": null});
        let binding: PolicyBinding = read(&binding).unwrap();
        assert_eq!((binding.limits.log_lines, binding.config), (Some(3), json!({"any": [1]})));
    }

    #[test]
    fn a_value_that_only_a_newer_host_knows_is_named_with_its_member() {
        let version = json!({"mini_app": "mp-shop", "version": "1.2.0", "state": "frozen", "forced": false,
            "sha256": "0".repeat(64), "size": 1, "files": 1, "manifest": {"path": "app.json", "subpackages": []},
            "uploaded_by": "usr_1", "created_at": "2030-01-31T07:59:00Z", "updated_at": "2030-01-31T07:59:00Z"});
        let said = read::<berth_model::version::Version>(&version).unwrap_err().to_string();
        assert!(said.contains("(state: unknown variant `frozen`, expected one of `development`"), "{said}");
        let said = read::<VersionDetail>(&version).unwrap_err().to_string();
        assert!(said.contains("unknown variant `frozen`") && said.contains("--json"), "{said}");
        let mut trial = trial();
        trial["accounts"] = json!(["ann", 7]);
        let said = read::<Trial>(&trial).unwrap_err().to_string();
        assert!(said.contains("accounts[1]: invalid type"), "{said}");
    }

    #[test]
    fn data_of_an_event_is_read_as_it_is() {
        let event = json!({"seq": 7, "id": format!("evt_{}", "0".repeat(26)), "type": "version.published",
            "subject": "mp-shop", "actor": "usr_1", "at": "2030-01-31T08:00:00Z", "data": {"version": "1.0.0", "n": [1]}});
        let event: Event = read(&event).unwrap();
        let data: Value = serde_json::from_str(event.data.get()).unwrap();
        assert_eq!(data, json!({"version": "1.0.0", "n": [1]}));
    }
}
