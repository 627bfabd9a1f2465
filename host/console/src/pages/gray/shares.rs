//! The share of the devices that a task admits, as the form has it: one for all the time, or stages with a line each. It is the
//! config of the policy `percentage`.

use berth_model::rollout::{GrayTask, TaskPolicy, conditions, share::POLICY};
use serde_json::{Map, Value, json};

use super::number;
use crate::{
    act::Sent,
    refused::{Refused, invalid},
    visit::Visit,
};

/// The fields of the form.
pub const PERCENT: &str = "percent";
pub const STAGES: &str = "stages";
pub const BUCKET_KEY: &str = "bucket_key";

/// The policy of a task that admits a share.
pub fn of(task: &GrayTask) -> Option<&TaskPolicy> {
    task.policies.iter().find(|policy| policy.policy == POLICY && policy.name == POLICY)
}

/// What stands in the fields for a config.
pub fn typed(config: &Value) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    fields.extend(config.get(PERCENT).map(|percent| (PERCENT.to_owned(), percent.to_string())));
    let stage = |stage: &Value| format!("{} {}", stage["after_hours"], stage["percent"]);
    let stages = config.get(STAGES).and_then(Value::as_array);
    let lines = stages.map(|stages| stages.iter().map(stage).collect::<Vec<_>>().join("\n"));
    fields.extend(lines.map(|lines| (STAGES.to_owned(), lines)));
    let key = config.get(BUCKET_KEY).and_then(Value::as_str);
    fields.extend(key.map(|key| (BUCKET_KEY.to_owned(), key.to_owned())));
    fields
}

/// Whether the fields say what a config does, as they do when nobody has changed them.
pub fn is_untouched(config: &Value, sent: &Sent) -> bool {
    let before = Sent(typed(config));
    [PERCENT, STAGES, BUCKET_KEY].into_iter().all(|field| before.lines(field).eq(sent.lines(field)))
}

/// The config that was typed; `None` where the task has no share.
///
/// # Errors
/// What is wrong with a field.
pub fn read(visit: &Visit, sent: &Sent) -> Result<Option<Value>, Refused> {
    let t = visit.t;
    let mut config = Map::new();
    if let Some(percent) = number(visit, sent, PERCENT)? {
        config.insert(PERCENT.into(), share(percent));
    }
    let stages = sent.lines(STAGES).map(|line| stage(line).ok_or_else(|| invalid(t, STAGES, &t.gray_no_stage(line))));
    let stages = stages.collect::<Result<Vec<_>, _>>()?;
    if !stages.is_empty() {
        if !config.is_empty() {
            return Err(invalid(t, STAGES, t.gray_share_twice()));
        }
        config.insert(STAGES.into(), stages.into());
    }
    match (config.is_empty(), sent.some(BUCKET_KEY)) {
        (true, None) => return Ok(None),
        (true, Some(_)) => return Err(invalid(t, BUCKET_KEY, t.gray_key_of_nothing())),
        (false, key) => config.extend(key.map(|key| (BUCKET_KEY.to_owned(), key.into()))),
    }
    Ok(Some(Value::Object(config)))
}

/// A refusal of a config for which the form has fields of its own, as one of the field: of the share, and of the conditions.
pub fn at_its_field(refused: Refused) -> Refused {
    let Refused::ByApi(mut refusal) = refused else { return refused };
    let fields: &[&str] = match refusal.policy() {
        Some(POLICY) => &[PERCENT, STAGES, BUCKET_KEY],
        Some(conditions::POLICY) => &["host_apps", "platforms", "networks", "objects"],
        _ => &[],
    };
    let error = refusal.more.get("errors").and_then(|errors| errors.get(0)).cloned();
    let member = error.as_ref().and_then(|error| error["pointer"].as_str()?.split('/').nth(1));
    if let Some(member) = member.filter(|member| fields.contains(member)) {
        refusal.more.insert("field".into(), member.into());
        refusal.detail = error.as_ref().and_then(|error| error["message"].as_str()).unwrap_or_default().into();
    }
    Refused::ByApi(refusal)
}

/// A stage: the hours after the start, and the share from then on. Units may be written.
fn stage(line: &str) -> Option<Value> {
    let (hours, percent) = line.split_once([' ', '\t', ',', '，'])?;
    let hours: u64 = hours.trim_end_matches(['h', 'H', ':']).parse().ok()?;
    let percent: f64 = percent.trim().trim_end_matches(['%', ' ']).parse().ok()?;
    Some(json!({"after_hours": hours, "percent": share(percent)}))
}

/// A percentage as the policy takes it: without decimals if it is whole.
fn share(percent: f64) -> Value {
    if percent.fract() == 0.0 && percent >= 0.0 { (percent as u64).into() } else { percent.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_stage_is_read_with_and_without_units() {
        let expected = Some(json!({"after_hours": 24, "percent": 12.5}));
        for line in ["24 12.5", "24h 12.5%", "24h: 12.5 %", "24, 12.5", "24\t12.5"] {
            assert_eq!(stage(line), expected, "{line}");
        }
        assert_eq!(stage("0 10"), Some(json!({"after_hours": 0, "percent": 10})));
        for line in ["24", "a day 10", "-1 10", "1 ten", "1.5 10"] {
            assert_eq!(stage(line), None, "{line}");
        }
    }
}
