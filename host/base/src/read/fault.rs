//! What is wrong with something that somebody has sent or written, in the words of the API.

use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};
use serde_json::Value;

/// How many characters of a request a refusal quotes.
const MOST_QUOTED: usize = 100;

/// What is wrong with a value.
#[derive(Debug)]
pub enum Fault {
    /// A member is missing.
    Missing(&'static str),
    /// There is a member that nobody knows.
    Unknown {
        /// Its name, cut when it is long.
        member: String,
        /// Those that are known.
        known: &'static [&'static str],
    },
    /// There is a parameter of a query that nobody knows.
    UnknownParameter,
    /// A member is given twice.
    Twice(&'static str),
    /// It must be something else.
    Wrong {
        /// What it is, in words.
        found: String,
        /// What it must be, in words.
        wanted: String,
    },
    /// What the type itself says.
    Said(String),
}

impl Fault {
    /// One sentence about the member at `place`.
    pub fn in_words(&self, place: &str) -> String {
        match self {
            Self::Missing(_) => format!("{place} is missing."),
            Self::Twice(_) => format!("{place} is given twice."),
            Self::Unknown { known, .. } => {
                let known = if known.is_empty() { "no member".into() } else { known.join(", ") };
                format!("{place} is not known. Known here: {known}.")
            }
            Self::UnknownParameter => format!("{place} is not known here. /openapi.json has those that are."),
            Self::Wrong { found, wanted } => format!("{place} must be {wanted}, and is {found}."),
            Self::Said(text) => {
                format!("{place}: {}.", without_code(text).trim_end_matches('.'))
            }
        }
    }

    /// The fault of a JSON value that is none of the words `known`.
    pub(crate) fn none_of(found: &Value, known: &'static [&'static str]) -> Self {
        let found = match found {
            Value::Array(_) => "a list".into(),
            Value::Object(_) => "an object".into(),
            other => other.to_string(),
        };
        Self::Wrong { found, wanted: format!("one of {}", known.join(", ")) }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_words("The value"))
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self::Said(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::Wrong { found: found_in_words(found), wanted: wanted_in_words(&wanted.to_string()) }
    }

    fn invalid_value(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::invalid_type(found, wanted)
    }

    fn invalid_length(length: usize, wanted: &dyn Expected) -> Self {
        Self::Wrong { found: format!("a list of {length}"), wanted: wanted_in_words(&wanted.to_string()) }
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Self::Wrong { found: quoted(variant), wanted: format!("one of {}", known.join(", ")) }
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::Unknown { member: field.chars().take(MOST_QUOTED).collect(), known }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Twice(field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

/// An error of ours ends with its code in parentheses when it is shown as text.
fn without_code(text: &str) -> &str {
    let is_code = |code: &str| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    match text.rsplit_once(" (") {
        Some((detail, code)) if code.strip_suffix(')').is_some_and(is_code) => detail,
        _ => text,
    }
}

fn quoted(text: &str) -> String {
    let mut some: String = text.chars().take(MOST_QUOTED).collect();
    if some.len() < text.len() {
        some.push('…');
    }
    format!("{some:?}")
}

fn found_in_words(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Unsigned(value) => value.to_string(),
        Unexpected::Signed(value) => value.to_string(),
        Unexpected::Float(value) => value.to_string(),
        Unexpected::Str(text) => quoted(text),
        Unexpected::Unit | Unexpected::Option => "null".into(),
        Unexpected::Seq => "a list".into(),
        Unexpected::Map => "an object".into(),
        _ => "something else".into(),
    }
}

/// What serde calls the form that a value must have, in the words of JSON.
fn wanted_in_words(wanted: &str) -> String {
    match wanted {
        "u8" => "a whole number from 0 to 255".into(),
        "u16" => "a whole number from 0 to 65535".into(),
        "u32" => "a whole number from 0 to 4294967295".into(),
        "u64" | "usize" => "a whole number, 0 or above".into(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".into(),
        "f32" | "f64" => "a number".into(),
        "a boolean" => "true or false".into(),
        "a string" | "str" | "string" => "a text".into(),
        "a sequence" => "a list".into(),
        "a map" => "an object".into(),
        other if other.starts_with("struct ") || other.starts_with("a map") => "an object".into(),
        other if other.contains("enum") || other.contains("variant") => "one of the known words".into(),
        other => other.into(),
    }
}
