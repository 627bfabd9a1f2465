//! How a policy describes itself, before it is believed.

use super::schema::ConfigSchema;
use berth_base::{
    error::{Code, Error, Result},
    text::is_kebab,
};
use berth_model::policy::Description;

/// A description as the guest gave it, not checked yet.
pub(super) struct RawDescription {
    pub name: String,
    pub version: String,
    pub summary: String,
    pub config_schema: String,
}

/// How many bytes a schema may have: it is parsed and compiled whenever the policy is loaded.
const MAX_SCHEMA_BYTES: usize = 64 * 1024;

impl RawDescription {
    /// Checks every field against the rules of `wit/about.wit`, and compiles the schema.
    pub fn check(self) -> Result<(Description, ConfigSchema)> {
        let version = self.version.parse().map_err(|_| {
            refuse(format!("version: {:?} is not MAJOR.MINOR.PATCH, such as 1.4.0.", shortened(&self.version)))
        })?;
        require(is_kebab(&self.name), || {
            format!("name: {:?} is not kebab-case of 1 to 64 characters, such as size-limits.", shortened(&self.name))
        })?;
        require(is_sentence(&self.summary), || {
            "summary: expected one line of 1 to 300 characters without control characters.".into()
        })?;
        let config_schema = parse_schema(&self.config_schema)?;
        let schema = ConfigSchema::compile(config_schema.as_ref()).map_err(refuse)?;
        Ok((Description { name: self.name, version, summary: self.summary, config_schema }, schema))
    }
}

fn refuse(reason: String) -> Error {
    Error::new(Code::PolicyInvalid, format!("The policy's describe() breaks a rule: {reason}"))
}

fn require(holds: bool, reason: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(refuse(reason())) }
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

fn is_sentence(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= 300 && !text.chars().any(char::is_control)
}

fn parse_schema(text: &str) -> Result<Option<serde_json::Value>> {
    if text.is_empty() {
        return Ok(None);
    }
    require(text.len() <= MAX_SCHEMA_BYTES, || {
        format!("config-schema: {} bytes, the limit is {MAX_SCHEMA_BYTES}.", text.len())
    })?;
    let schema: serde_json::Value =
        serde_json::from_str(text).map_err(|e| refuse(format!("config-schema: not JSON: {e}.")))?;
    require(schema.is_object(), || "config-schema: expected a JSON object, or an empty text.".into())?;
    Ok(Some(schema))
}
