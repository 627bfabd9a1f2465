//! The lists of a host that a config names: its schema marks them by `"format": "cohort"`.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use jsonschema::{Draft, PatternOptions};
use serde_json::Value;

/// The format of a string that names a list.
const FORMAT: &str = "cohort";

/// The texts of `config` that `schema` says are names of lists. A schema that cannot be used names none; the config was
/// checked against it before.
pub fn named_lists(schema: &Value, config: &Value) -> BTreeSet<String> {
    let found = Arc::new(Mutex::new(BTreeSet::new()));
    let notes = found.clone();
    let note = move |name: &str| {
        notes.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        true
    };
    let validator = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex().size_limit(1 << 20).dfa_size_limit(1 << 20))
        .with_format(FORMAT, note)
        .should_validate_formats(true)
        .offline()
        .build(schema);
    if let Ok(validator) = validator {
        validator.iter_errors(config).for_each(drop);
    }
    std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn g17_what_the_schema_calls_a_list_is_found_wherever_it_stands() {
        let list = json!({"type": "string", "format": "cohort"});
        let schema = json!({
            "type": "object",
            "properties": {"always": list, "name": {"type": "string"}, "any": {"type": "array", "items": {"$ref": "#/$defs/list"}}},
            "$defs": {"list": {"oneOf": [{"type": "null"}, list]}},
        });
        let config = json!({"always": "testers", "name": "nobody", "any": ["staff", null]});
        assert_eq!(named_lists(&schema, &config), BTreeSet::from(["staff".into(), "testers".into()]));
        assert!(named_lists(&json!({"type": 7}), &config).is_empty());
    }
}
