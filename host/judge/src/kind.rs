//! The kinds of policies, and how a policy describes itself.

use serde::{Deserialize, Serialize};

use super::schema::ConfigSchema;
use berth_base::{
    error::{Code, Error, Result},
    text::text_enum,
    version::VersionNumber,
};

text_enum! {
    /// What a policy judges, and so which world of `wit/` it implements.
    PolicyKind {
        /// World `auditor`: judges a version before people do.
        Auditor = "auditor",
        /// World `grayscale`: decides which devices get the version of a grayscale task.
        Grayscale = "grayscale",
        /// World `guardian`: watches the health of a grayscale task.
        Guard = "guard",
    }
}

impl PolicyKind {
    /// The interface of `wit/` that this kind alone exports.
    pub(super) fn interface(self) -> &'static str {
        match self {
            Self::Auditor => "berth:policy/audit@1.0.0",
            Self::Grayscale => "berth:policy/gray@1.0.0",
            Self::Guard => "berth:policy/guard@1.0.0",
        }
    }

    /// The interfaces that its world may import.
    pub(super) fn grants(self) -> &'static [&'static str] {
        match self {
            Self::Auditor => &["berth:policy/log@1.0.0", "berth:policy/contents@1.0.0"],
            Self::Grayscale => &["berth:policy/log@1.0.0", "berth:policy/cohort@1.0.0"],
            Self::Guard => &["berth:policy/log@1.0.0"],
        }
    }
}

/// How a policy describes itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Description {
    /// The name of the policy: kebab-case, 1 to 64 characters.
    pub name: String,
    /// The version of the policy.
    pub version: VersionNumber,
    /// One sentence for the people who choose a policy, 1 to 300 characters.
    pub summary: String,
    /// The JSON Schema (2020-12) of the config; null when the policy takes none.
    pub config_schema: Option<serde_json::Value>,
}

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

fn is_kebab(text: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= 64 && text.split('-').all(word)
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
