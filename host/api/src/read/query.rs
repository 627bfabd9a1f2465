//! Reads the parameters of a query string.

use std::borrow::Cow;

use serde::{
    Deserializer,
    de::{DeserializeOwned, IntoDeserializer, Unexpected, Visitor, value::MapDeserializer},
    forward_to_deserialize_any,
};

use berth_base::{
    error::{Code, Error, Result},
    read::Fault,
};

/// Reads a query string, without its question mark.
///
/// # Errors
/// `bad-request` with `field`, when a parameter is not known, missing, given twice or of the wrong form.
pub fn read<T: DeserializeOwned>(query: &str) -> Result<T> {
    read_told(query, Unknown::Refused)
}

/// Reads the query string of an address to which others add parameters of their own, such as WeChat and caches.
///
/// # Errors
/// As [`read`], but parameters that are not known are left aside.
pub fn read_some<T: DeserializeOwned>(query: &str) -> Result<T> {
    read_told(query, Unknown::LeftAside)
}

/// What becomes of parameters that are not known.
#[derive(Clone, Copy, PartialEq)]
enum Unknown {
    Refused,
    LeftAside,
}

fn read_told<T: DeserializeOwned>(query: &str, unknown: Unknown) -> Result<T> {
    let pairs = form_urlencoded::parse(query.as_bytes()).map(|(name, text)| (name, Told { text, unknown }));
    let (all, mut track) = (MapDeserializer::new(pairs), serde_path_to_error::Track::new());
    T::deserialize(serde_path_to_error::Deserializer::new(all, &mut track)).map_err(|fault| {
        let name = match &fault {
            Fault::Missing(name) | Fault::Twice(name) => (*name).to_owned(),
            _ => track.path().to_string(),
        };
        let text = fault.in_words(&format!("The parameter {name} of the query"));
        Error::new(Code::BadRequest, text).with("field", name)
    })
}

/// The text of one parameter.
struct Told<'a> {
    text: Cow<'a, str>,
    unknown: Unknown,
}

impl<'a> IntoDeserializer<'a, Fault> for Told<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $what:literal,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Fault> {
            match self.text.parse() {
                Ok(value) => visitor.$visit(value),
                Err(_) => Err(serde::de::Error::invalid_type(Unexpected::Str(&self.text), &$what)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Told<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Fault> {
        match self.text {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    parsed! {
        deserialize_bool visit_bool "a boolean",
        deserialize_u8 visit_u8 "u8",
        deserialize_u16 visit_u16 "u16",
        deserialize_u32 visit_u32 "u32",
        deserialize_u64 visit_u64 "u64",
        deserialize_i32 visit_i32 "i32",
        deserialize_i64 visit_i64 "i64",
        deserialize_f64 visit_f64 "f64",
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Fault> {
        visitor.visit_some(self)
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
        _: &'static [&'static str],
        visitor: V,
    ) -> std::result::Result<V::Value, Fault> {
        visitor.visit_enum(self.text.into_deserializer())
    }

    /// Only a parameter that the type does not have is ignored.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Fault> {
        match self.unknown {
            Unknown::Refused => Err(Fault::UnknownParameter),
            Unknown::LeftAside => visitor.visit_unit(),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u128 f32 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use berth_model::{event::EventQuery, rollout::Platform};

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    struct Asked {
        name: String,
        #[serde(default)]
        limit: Option<u32>,
        #[serde(default)]
        all: bool,
        #[serde(default)]
        platform: Option<Platform>,
    }

    #[test]
    fn parameters_are_read_in_any_order_and_unescaped() {
        let asked: Asked = read("limit=7&name=a%20b+c&all=true&platform=ios").unwrap();
        assert_eq!(asked, Asked { name: "a b c".into(), limit: Some(7), all: true, platform: Some(Platform::Ios) });
        assert!(read::<EventQuery>("").is_ok());
        assert_eq!(read_some::<Asked>("name=a&utm=x").unwrap().name, "a");
    }

    #[test]
    fn a_refusal_names_the_parameter_and_what_it_must_be() {
        let cases = [
            ("", "name", "The parameter name of the query is missing."),
            (
                "name=a&limitt=7",
                "limitt",
                "The parameter limitt of the query is not known here. /openapi.json has those that are.",
            ),
            ("name=a&name=b", "name", "The parameter name of the query is given twice."),
            (
                "name=a&limit=many",
                "limit",
                "The parameter limit of the query must be a whole number from 0 to 4294967295, and is \"many\".",
            ),
            (
                "name=a&platform=windows",
                "platform",
                "The parameter platform of the query must be one of android, ios, harmony, and is \"windows\".",
            ),
        ];
        for (query, field, detail) in cases {
            let error = read::<Asked>(query).unwrap_err();
            assert_eq!((error.fields["field"].as_str(), error.detail.as_str()), (Some(field), detail), "{query}");
        }
    }
}
