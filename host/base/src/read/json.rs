//! Reads JSON. What is wrong with it is said in the words of the API, with the place as a JSON pointer
//! (RFC 6901), and `null` in an optional member means that the member was not told.
//!
//! What fits is read once. Only what does not is read again, slowly, to say where and why.

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, IntoDeserializer, Visitor,
        value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::Value;
use serde_path_to_error::{Path, Segment, Track};

use super::fault::Fault;
use crate::error::{Code, Error, Result};

/// What is wrong with a JSON value, and where.
#[derive(Debug)]
pub struct Misfit {
    /// What is wrong.
    pub fault: Fault,
    /// The place as a JSON pointer (RFC 6901); empty for the whole value.
    pub at: String,
}

impl Misfit {
    /// One sentence about the place, in which `whole` stands for the whole value: `The body`.
    pub fn in_words(&self, whole: &str) -> String {
        self.fault.in_words(if self.at.is_empty() { whole } else { &self.at })
    }
}

/// How many bytes are looked at, at most, to find out what is wrong with a body: it is read anew after each member that
/// turned out to be null.
const MOST_LOOKED_AT: usize = 16 << 20;

/// How often a body is looked at, at most.
const MOST_LOOKS: usize = 64;

/// Reads a JSON text.
///
/// # Errors
/// `bad-request` when it is not JSON; `invalid-field` with `pointer` when a member is missing, unknown, given twice or
/// of the wrong form.
pub fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T> {
    serde_json::from_slice(json).or_else(|error| explain(json, &error))
}

/// Reads a JSON value.
///
/// # Errors
/// What is missing, unknown or of the wrong form.
pub fn value<T: DeserializeOwned>(told: &Value) -> Result<T, Misfit> {
    T::deserialize(told).or_else(|_| explain_value(told.clone(), MOST_LOOKS))
}

/// Where a JSON text stops being one: `line 3, column 7`.
pub fn where_it_ends(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

fn explain<T: DeserializeOwned>(json: &[u8], error: &serde_json::Error) -> Result<T> {
    let Ok(told) = serde_json::from_slice::<Value>(json) else {
        return Err(Error::new(Code::BadRequest, format!("The body is not JSON: see {}.", where_it_ends(error))));
    };
    if error.to_string().starts_with("duplicate field") {
        let text = format!("The body gives a member twice: see {}.", where_it_ends(error));
        return Err(Error::new(Code::InvalidField, text).with("pointer", ""));
    }
    let looks = (MOST_LOOKED_AT / json.len().max(1)).clamp(2, MOST_LOOKS);
    explain_value(told, looks).map_err(|misfit| refusal(&misfit))
}

fn explain_value<T: DeserializeOwned>(mut told: Value, mut looks: usize) -> Result<T, Misfit> {
    loop {
        let mut track = Track::new();
        let fault = match T::deserialize(serde_path_to_error::Deserializer::new(Told(&told), &mut track)) {
            Ok(value) => return Ok(value),
            Err(fault) => fault,
        };
        let at = place(&fault, &track.path());
        looks -= 1;
        if looks == 0 || !forget_nulls(&mut told, &at) {
            return Err(Misfit { fault, at });
        }
    }
}

/// The JSON pointer of what is wrong. The path ends before a member that is missing, and mostly before an unknown one.
fn place(fault: &Fault, path: &Path) -> String {
    let part = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    let mut parts: Vec<String> = path.iter().filter_map(part).collect();
    match fault {
        Fault::Missing(name) => parts.push((*name).into()),
        Fault::Unknown { member, .. } if parts.last() != Some(member) => parts.push(member.clone()),
        _ => {}
    }
    parts.iter().map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1"))).collect()
}

/// Removes the member at `at` when it is null, with its likes in the other items of lists, and says whether it did.
fn forget_nulls(told: &mut Value, at: &str) -> bool {
    let names: Vec<_> = at.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
    told.pointer(at).is_some_and(Value::is_null) && forget_nulls_in(told, &names)
}

fn forget_nulls_in(told: &mut Value, names: &[String]) -> bool {
    match (told, names) {
        (Value::Object(members), [name]) => {
            members.get(name).is_some_and(Value::is_null) && members.remove(name).is_some()
        }
        (Value::Object(members), [name, deeper @ ..]) => {
            members.get_mut(name).is_some_and(|inner| forget_nulls_in(inner, deeper))
        }
        (Value::Array(items), [_, deeper @ ..]) => {
            items.iter_mut().map(|item| forget_nulls_in(item, deeper)).filter(|forgot| *forgot).count() > 0
        }
        _ => false,
    }
}

fn refusal(misfit: &Misfit) -> Error {
    let at = misfit.at.as_str();
    let field = at.rsplit('/').find(|part| part.parse::<usize>().is_err()).unwrap_or_default();
    Error::new(Code::InvalidField, misfit.in_words("The body")).with("field", field).with("pointer", at)
}

/// A JSON value from which a type is read.
struct Told<'a>(&'a Value);

impl<'a> IntoDeserializer<'a, Fault> for Told<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Told<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Fault> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => visitor.visit_u64(value),
                (None, Some(value)) => visitor.visit_i64(value),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.iter().map(Told))),
            Value::Object(members) => visitor
                .visit_map(MapDeserializer::new(members.iter().map(|(name, value)| (name.as_str(), Told(value))))),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Fault> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> std::result::Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> std::result::Result<V::Value, Fault> {
        match self.0 {
            Value::String(word) => visitor.visit_enum(word.as_str().into_deserializer()),
            Value::Object(members) if members.len() == 1 => {
                let members = members.iter().map(|(name, value)| (name.as_str(), Told(value)));
                visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(members)))
            }
            other => Err(Fault::none_of(other, known)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::{ids::MiniAppId, text::text_enum, version::VersionNumber};

    text_enum! {
        /// Words, of which one is right.
        Platform {
            /// One.
            Android = "android",
            /// Another one.
            Ios = "ios",
            /// The third.
            Harmony = "harmony",
        }
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Plan {
        name: String,
        #[serde(default)]
        stages: Vec<Stage>,
        #[serde(default)]
        platform: Option<Platform>,
        #[serde(default)]
        forced: bool,
        #[serde(default)]
        from: Option<VersionNumber>,
        #[serde(default)]
        app: Option<MiniAppId>,
        #[serde(default)]
        extra: Option<Value>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Stage {
        percent: u8,
        #[serde(default)]
        note: String,
    }

    fn of(body: &Value) -> Result<Plan> {
        read(body.to_string().as_bytes())
    }

    #[test]
    fn null_means_not_told_in_every_optional_member() {
        let nulls = json!({"name": "a", "stages": null, "platform": null, "forced": null, "from": null, "app": null});
        assert_eq!(of(&nulls).unwrap(), Plan { name: "a".into(), ..Plan::default() });
        let nested = of(&json!({"name": "a", "stages": [{"percent": 1, "note": null}], "forced": null})).unwrap();
        assert_eq!(nested.stages, [Stage { percent: 1, note: String::new() }]);
        let kept = of(&json!({"name": "a", "forced": null, "extra": {"deep": null}})).unwrap();
        assert_eq!(kept.extra, Some(json!({"deep": null})), "what takes anything takes null");
    }

    #[test]
    fn f77_many_nulls_are_forgotten_at_one_look_or_refused() {
        let stage = || json!({"percent": 1, "note": null});
        let stages: Vec<_> = (0..20_000).map(|_| stage()).collect();
        assert_eq!(of(&json!({"name": "a", "stages": stages})).unwrap().stages.len(), 20_000);
        let mut told = json!({"stages": [stage(), {"percent": 2}, stage(), []]});
        assert!(forget_nulls(&mut told, "/stages/2/note"));
        assert_eq!(told, json!({"stages": [{"percent": 1}, {"percent": 2}, {"percent": 1}, []]}));
        assert!(!forget_nulls(&mut told, "/stages/2/percent") && !forget_nulls(&mut told, ""));
        let words: serde_json::Map<_, _> = (0..100_000).map(|number| (format!("w{number}"), json!(null))).collect();
        let error = read::<BTreeMap<String, String>>(Value::from(words).to_string().as_bytes()).unwrap_err();
        assert!(error.detail.contains("must be a text, and is null"), "{}", error.detail);
    }

    #[test]
    fn a_refusal_names_the_member_and_what_it_must_be() {
        let cases = [
            (json!({}), "/name", "/name is missing."),
            (json!({"name": null}), "/name", "/name is missing."),
            (json!({"name": 7}), "/name", "/name must be a text, and is 7."),
            (json!({"name": "a", "forced": "yes"}), "/forced", "/forced must be true or false, and is \"yes\"."),
            (
                json!({"name": "a", "stages": [{"percent": 1}, {"percent": 300}]}),
                "/stages/1/percent",
                "/stages/1/percent must be a whole number from 0 to 255, and is 300.",
            ),
            (json!({"name": "a", "stages": {}}), "/stages", "/stages must be a list, and is an object."),
            (json!({"name": "a", "stages": [3]}), "/stages/0", "/stages/0 must be an object, and is 3."),
            (
                json!({"name": "a", "a/b": 1}),
                "/a~1b",
                "/a~1b is not known. Known here: name, stages, platform, forced, from, app, extra.",
            ),
            (json!([]), "", "The body must be an object, and is a list of 0."),
        ];
        for (body, pointer, detail) in cases {
            let error = of(&body).unwrap_err();
            assert_eq!((error.code, error.detail.as_str()), (Code::InvalidField, detail), "{body}");
            assert_eq!(error.fields["pointer"], pointer, "{body}");
        }
    }

    #[test]
    fn words_and_ids_that_do_not_fit_say_what_would() {
        for (body, pointer, says) in [
            (json!({"name": "a", "platform": "windows"}), "/platform", "android, ios, harmony"),
            (json!({"name": "a", "platform": 3}), "/platform", "android, ios, harmony"),
            (json!({"name": "a", "from": "one"}), "/from", "1.10.0"),
            (json!({"name": "a", "app": "A B"}), "/app", "A B"),
        ] {
            let error = of(&body).unwrap_err();
            assert_eq!(error.fields["pointer"], pointer, "{body}");
            assert!(error.detail.contains(says), "{}", error.detail);
            for word in ["invalid type", "variant", "struct", "(invalid"] {
                assert!(!error.detail.contains(word), "{}", error.detail);
            }
        }
    }

    #[test]
    fn a_member_that_is_given_twice_is_refused() {
        let error = read::<Plan>(br#"{"name": "a", "name": "b"}"#).unwrap_err();
        assert!(error.detail.contains("twice"), "{}", error.detail);
    }
}
