//! The JSON Schema with which the configs of a policy are checked.

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use berth_base::error::{Code, Error, Result};

/// How many violations one refusal lists.
const MAX_ERRORS: usize = 10;

/// A compiled schema. Schemas of policies are untrusted: nothing is fetched, and patterns run in linear time.
pub(super) struct ConfigSchema(Option<Validator>);

impl ConfigSchema {
    /// Compiles a schema; the error says what is wrong with it. Without a schema only `{}` is accepted.
    pub fn compile(schema: Option<&Value>) -> Result<Self, String> {
        let Some(schema) = schema else { return Ok(Self(None)) };
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex().size_limit(1 << 20).dfa_size_limit(1 << 20))
            .offline()
            .build(schema)
            .map(|validator| Self(Some(validator)))
            .map_err(|e| {
                format!("config-schema: not a JSON Schema (2020-12): {} at {:?}.", e, e.instance_path().as_str())
            })
    }

    /// Checks a config. The error `policy-config` names the place by JSON pointer, and the violated rule.
    pub fn check(&self, config: &Value) -> Result<()> {
        match &self.0 {
            None if config.as_object().is_some_and(serde_json::Map::is_empty) => Ok(()),
            None => Err(Error::new(Code::PolicyConfig, "This policy takes no config: leave it out or send {}.")),
            Some(validator) => check(validator, config),
        }
    }
}

fn check(validator: &Validator, config: &Value) -> Result<()> {
    let broken: Vec<Value> = validator.iter_errors(config).take(MAX_ERRORS).map(|e| broken_rule(&e)).collect();
    let Some(first) = broken.first() else { return Ok(()) };
    let text = |member: &str| first[member].as_str().unwrap_or_default().to_owned();
    let place = match text("pointer") {
        pointer if pointer.is_empty() => "the config itself".to_owned(),
        pointer => pointer,
    };
    Err(Error::new(Code::PolicyConfig, format!("At {place}: {} (rule {}).", text("message"), text("rule")))
        .with("errors", broken))
}

fn broken_rule(error: &jsonschema::ValidationError<'_>) -> Value {
    serde_json::json!({
        "pointer": error.instance_path().as_str(),
        "rule": error.schema_path().as_str(),
        "message": error.to_string(),
    })
}
