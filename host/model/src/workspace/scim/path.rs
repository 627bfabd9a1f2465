//! The names of attributes, as filters and changes write them (RFC 7644, §3.10): `[URI ":"] name ["." part]`.

use std::{fmt, str::FromStr};

use berth_base::error::{Error, Result};

use super::refusal::{Reason, refuse};

/// The name of an attribute or of a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributePath {
    /// The URN of the schema, when the name begins with it.
    pub schema: Option<String>,
    /// The attribute.
    pub name: String,
    /// The part of the attribute.
    pub sub: Option<String>,
}

impl AttributePath {
    /// The path as it was written, which may be the URN of a schema.
    pub fn whole(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}:")?;
        }
        f.write_str(&self.name)?;
        if let Some(sub) = &self.sub {
            write!(f, ".{sub}")?;
        }
        Ok(())
    }
}

/// Whether a text may be the name of an attribute: letters, digits, `-` and `_`, or `$ref`.
fn is_name(text: &str) -> bool {
    let plain = text.strip_prefix('$').unwrap_or(text);
    plain.starts_with(|c: char| c.is_ascii_alphabetic())
        && plain.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn is_urn(text: &str) -> bool {
    text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b":.-_".contains(&b))
        && !text.ends_with(':')
}

impl FromStr for AttributePath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || refuse(Reason::InvalidPath, format!("{text:?} is not the name of an attribute."));
        let (schema, rest) = match text.rsplit_once(':') {
            Some((schema, rest)) if is_urn(schema) => (Some(schema.to_owned()), rest),
            Some(_) => return Err(wrong()),
            None => (None, text),
        };
        let (name, sub) = match rest.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (rest, None),
        };
        if !is_name(name) || sub.is_some_and(|sub| !is_name(sub)) {
            return Err(wrong());
        }
        Ok(Self { schema, name: name.into(), sub: sub.map(str::to_owned) })
    }
}
