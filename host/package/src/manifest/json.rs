//! Strict JSON, which all parsers read alike: no duplicate keys, no deep nesting, nothing that is not standard.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::super::refusal;
use berth_base::error::Result;

/// How deep objects and arrays may be nested.
const MAX_NESTING: usize = 64;

/// Parses `text`, which must be one JSON object, of the file at `path`.
pub fn object(path: &str, text: &str) -> Result<Map<String, Value>> {
    let rule = Cell::new("json");
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Node { depth: 0, rule: &rule }.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match value {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(refusal::manifest("manifest-shape", path, "it must be a JSON object.")),
        Err(error) => {
            Err(refusal::manifest(rule.get(), path, format!("{error}. Write standard JSON, without comments.")))
        }
    }
}

/// Reads one value, and records in `rule` which rule it broke.
#[derive(Clone, Copy)]
struct Node<'a> {
    depth: usize,
    rule: &'a Cell<&'static str>,
}

impl Node<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_NESTING {
            self.rule.set("json-nesting");
            return Err(E::custom(format_args!("more than {MAX_NESTING} objects and arrays within each other")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let node = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(node)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let node = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if map.contains_key(&key) {
                self.rule.set("duplicate-key");
                let key = refusal::shown(key.as_bytes());
                return Err(A::Error::custom(format_args!("the key {key:?} is there twice")));
            }
            map.insert(key, members.next_value_seed(node)?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Option<String> {
        let error = object("app.json", text).err()?;
        error.fields["rule"].as_str().map(Into::into)
    }

    #[test]
    fn f24_what_is_not_standard_json_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "}",
            "{]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{'a':1}",
            "{\"a\":01}",
            "{\"a\":+1}",
            "{\"a\":.5}",
            "{\"a\":1.}",
            "{\"a\":NaN}",
            "{\"a\":Infinity}",
            "{\"a\":0x1}",
            "{\"a\":tru}",
            "{\"a\":\"\t\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\u12\"}",
            "{\"a\":1}x",
            "{\"a\":1}{}",
            "{\"a\":1 /* c */}",
            "// c\n{}",
            "{\"a\":[1,]}",
            "{\"a\":[1 2]}",
            "{\"a\" 1}",
            "{\"a\":1e}",
            "\u{feff}{}",
            "{\"a\":\"\0\"}",
            "{,}",
            "{\"a\":--1}",
            "{\"a\":\"\\",
            "\u{a0}{}",
        ] {
            assert_eq!(rule(text).as_deref(), Some("json"), "{text:?}");
        }
    }

    #[test]
    fn f24_standard_json_is_read() {
        for text in [
            "{}",
            " {\r\n\t} ",
            "{\"\":0}",
            "{\"a\":-0}",
            "{\"a\":1E+2}",
            "{\"a\":123456789012345678901234567890}",
            "{\"a\":\"\\ud83d\\ude00\\u0000\\/\"}",
            "{\"a\":[[],{},null,true,false,\"\"]}",
            "{\"\u{1f600}\":\"\u{7f}\"}",
            "{\"a\":1e-999}",
        ] {
            assert_eq!(rule(text), None, "{text:?}");
        }
    }

    #[test]
    fn f24_only_an_object_is_a_manifest() {
        for text in ["[]", "null", "1", "\"app\"", "true"] {
            assert_eq!(rule(text).as_deref(), Some("manifest-shape"), "{text:?}");
        }
    }

    #[test]
    fn f25_a_key_that_is_there_twice_is_refused_at_any_depth() {
        assert_eq!(rule(r#"{"a":1,"a":1}"#).as_deref(), Some("duplicate-key"));
        assert_eq!(rule(r#"{"a":[{"b":1,"\u0062":2}]}"#).as_deref(), Some("duplicate-key"));
        assert_eq!(rule(r#"{"a":{"b":1},"b":{"a":1}}"#), None);
    }

    #[test]
    fn f25_deep_nesting_and_huge_numbers_are_refused() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(rule(&nested(63)), None);
        assert_eq!(rule(&nested(64)).as_deref(), Some("json-nesting"));
        assert_eq!(rule(&nested(100_000)).as_deref(), Some("json-nesting"));
        assert_eq!(rule("{\"a\":1e999}").as_deref(), Some("json"));
    }
}
