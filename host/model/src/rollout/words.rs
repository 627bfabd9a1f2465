//! What restricts a gray task, in words for people (G8).

use serde::Deserialize;
use serde_json::Value;

use super::{
    Admits, Conditions, ObjectList, TaskPolicy,
    admits::{CONDITIONS, WRITTEN, Words},
    conditions, share,
};
use crate::policy::{PolicyKind, registry::Mode};

/// Name of the policy that admits devices by an expression.
const EXPRESSION: &str = "expression";

/// What a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the conditions")]
pub enum Condition {
    HostApp,
    Platform,
    Network,
    Object,
}

/// How a language tells a gray task, phrase by phrase.
pub trait Phrases {
    /// What stands between two of which one has to be met.
    fn or(&self) -> &'static str;
    /// The words of an expression over policies.
    fn expression(&self) -> &Words;
    /// What a condition asks for.
    fn condition(&self, what: Condition, list: &str) -> String;
    /// Versions between two ends, both of which are in the range, of something.
    fn range(&self, of: &str, min: Option<&str>, max: Option<&str>) -> String;
    /// That something is in a list.
    fn objects(&self, list: &ObjectList) -> String;
    /// A share of the devices, by its stages.
    fn share(&self, stages: &[String]) -> String;
    /// A stage: the share in per cent, and after how many hours it begins.
    fn stage(&self, percent: f64, after_hours: u64) -> String;
    /// That all of what follows must hold.
    fn all_must_hold(&self) -> String;
    /// That all devices get the version.
    fn nothing_restricts(&self) -> String;
    /// What a policy asks of devices; `None` where only its name is known.
    fn policy(&self, name: &str, asks: Option<&str>) -> String;
    /// What a name in an expression stands for.
    fn stands_for(&self, name: &str, what: &str) -> String;
    /// A policy by its name.
    fn policy_called(&self, policy: &str) -> String;
    /// That a policy is asked and decides nothing.
    fn shadow(&self, name: &str) -> String;
    /// How many devices get the version at most.
    fn cap(&self, most: u64) -> String;
    /// What a guard does.
    fn guard(&self, name: &str, mode: Mode) -> String;
}

/// The language of the API.
pub struct English;

impl Phrases for English {
    fn or(&self) -> &'static str {
        " or "
    }

    fn expression(&self) -> &Words {
        &WRITTEN
    }

    fn condition(&self, what: Condition, list: &str) -> String {
        let what = match what {
            Condition::HostApp => "Host app",
            Condition::Platform => "Platform",
            Condition::Network => "Network",
            Condition::Object => "Object",
        };
        format!("{what}: {list}")
    }

    fn range(&self, of: &str, min: Option<&str>, max: Option<&str>) -> String {
        match (min, max) {
            (None, None) => of.to_owned(),
            (Some(min), None) => format!("{of} {min} and newer"),
            (None, Some(max)) => format!("{of} {max}.* and older"),
            (Some(min), Some(max)) => format!("{of} {min} to {max}.*"),
        }
    }

    fn objects(&self, list: &ObjectList) -> String {
        match &list.cohort {
            Some(cohort) => format!("{} in the list {cohort}", list.kind),
            None => format!("{} among {} typed", list.kind, list.values.len()),
        }
    }

    fn share(&self, stages: &[String]) -> String {
        format!("Share of the devices: {}", stages.join(", "))
    }

    fn stage(&self, percent: f64, after_hours: u64) -> String {
        match after_hours {
            0 => format!("{percent} %"),
            hours => format!("{percent} % after {}", berth_base::text::count(hours, "hour", "hours")),
        }
    }

    fn all_must_hold(&self) -> String {
        "All of these must hold:".into()
    }

    fn nothing_restricts(&self) -> String {
        "All devices, as nothing that decides restricts the task".into()
    }

    fn policy(&self, name: &str, asks: Option<&str>) -> String {
        format!("Policy {name}: {}", asks.unwrap_or("admits the device"))
    }

    fn stands_for(&self, name: &str, what: &str) -> String {
        let stands = if name == CONDITIONS { "stand" } else { "stands" };
        format!("{name} {stands} for: {what}")
    }

    fn policy_called(&self, policy: &str) -> String {
        format!("policy {policy}")
    }

    fn shadow(&self, name: &str) -> String {
        format!("Policy {name}: is asked, and decides nothing (shadow)")
    }

    fn cap(&self, most: u64) -> String {
        format!("At most {most} devices")
    }

    fn guard(&self, name: &str, mode: Mode) -> String {
        let says = match mode {
            Mode::Enforce => "watches the release, and may suspend or end it",
            Mode::Shadow => "watches the release, and decides nothing (shadow)",
        };
        format!("Guard {name}: {says}")
    }
}

/// A phrase for each condition and each policy, and one for the cap. When several must hold, the first phrase says so. What a
/// task admits by an expression over its policies is one phrase, and what the names in it stand for follows (G24).
pub fn in_words(
    conditions: &Conditions,
    policies: &[TaskPolicy],
    admits: Option<&Admits>,
    max_users: Option<u64>,
) -> Vec<String> {
    in_words_of(&English, conditions, policies, admits, max_users)
}

/// The same in a language.
pub fn in_words_of(
    phrases: &dyn Phrases,
    conditions: &Conditions,
    policies: &[TaskPolicy],
    admits: Option<&Admits>,
    max_users: Option<u64>,
) -> Vec<String> {
    let of_kind = |kind| policies.iter().filter(move |policy| policy.kind == kind);
    let judges = || of_kind(PolicyKind::Grayscale).filter(|policy| !policy.is_standard());
    let named = |name: &str| admits.is_some_and(|admits| admits.names(name));
    let conditions = conditions.in_words_of(phrases);
    let mut must = if named(CONDITIONS) { Vec::new() } else { conditions.clone() };
    let deciding = judges().filter(|policy| policy.mode == Mode::Enforce && !named(&policy.name));
    must.extend(deciding.map(|policy| says(phrases, policy)));
    must.extend(admits.map(|admits| admits.told(phrases.expression())));
    if must.len() > 1 {
        must.insert(0, phrases.all_must_hold());
    }
    if named(CONDITIONS) {
        must.push(phrases.stands_for(CONDITIONS, &conditions.join("; ")));
    }
    must.extend(judges().filter(|policy| named(&policy.name)).filter_map(|policy| stands_for(phrases, policy)));
    let shadows = || judges().filter(|policy| policy.mode == Mode::Shadow);
    if must.is_empty() {
        must.push(phrases.nothing_restricts());
    }
    must.extend(shadows().map(|policy| phrases.shadow(&policy.name)));
    must.extend(max_users.map(|most| phrases.cap(most)));
    must.extend(of_kind(PolicyKind::Guard).map(|guard| phrases.guard(&guard.name, guard.mode)));
    must
}

/// What a policy that decides asks of devices.
fn says(phrases: &dyn Phrases, policy: &TaskPolicy) -> String {
    match meaning(phrases, policy) {
        Some(meaning) if policy.policy == share::POLICY => meaning,
        meaning => phrases.policy(&policy.name, meaning.as_deref()),
    }
}

/// What the name of a policy stands for; `None` where its name is all that is known.
fn stands_for(phrases: &dyn Phrases, policy: &TaskPolicy) -> Option<String> {
    let own = || (policy.name != policy.policy).then(|| phrases.policy_called(&policy.policy));
    Some(phrases.stands_for(&policy.name, &meaning(phrases, policy).or_else(own)?))
}

/// What a config means, where Berth knows it.
fn meaning(phrases: &dyn Phrases, policy: &TaskPolicy) -> Option<String> {
    match policy.policy.as_str() {
        share::POLICY => share::in_words_of(phrases, &policy.config),
        conditions::POLICY => {
            let words = Conditions::deserialize(&policy.config).ok()?.in_words_of(phrases);
            (!words.is_empty()).then(|| words.join("; "))
        }
        EXPRESSION => policy.config.get("admit").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use berth_base::{
        clock::SystemRandom,
        ids::{Digest, PolicyBindingId},
    };
    use serde_json::{Value, json};

    use super::conditions::POLICY;
    use super::*;
    use crate::{policy::registry::OnError, testing::DAWN};

    fn policy(name: &str, config: Value, mode: Mode) -> TaskPolicy {
        TaskPolicy {
            binding: PolicyBindingId::generate(DAWN, &SystemRandom),
            name: if name == POLICY { CONDITIONS.into() } else { name.into() },
            kind: PolicyKind::Grayscale,
            policy: name.into(),
            digest: Digest::of(name.as_bytes()),
            config,
            mode,
            on_error: OnError::Closed,
            limits: Default::default(),
            watch: None,
        }
    }

    #[test]
    fn g8_every_policy_is_named_and_that_all_must_hold() {
        let conditions: Conditions = serde_json::from_value(json!({"networks": ["wifi"]})).unwrap();
        let policies = [
            policy(POLICY, json!({"networks": ["wifi"]}), Mode::Enforce),
            policy(share::POLICY, json!({"percent": 12.5}), Mode::Enforce),
            policy("weekdays", json!({}), Mode::Enforce),
            policy("newcomers", json!({}), Mode::Shadow),
        ];
        assert_eq!(
            in_words(&conditions, &policies, None, Some(500)),
            [
                "All of these must hold:",
                "Network: wifi",
                "Share of the devices: 12.5 %",
                "Policy weekdays: admits the device",
                "Policy newcomers: is asked, and decides nothing (shadow)",
                "At most 500 devices",
            ]
        );
    }

    #[test]
    fn g8_a_task_whose_policies_decide_nothing_is_said_to_be_for_all_devices() {
        let shadow = [policy(share::POLICY, json!({"percent": 10}), Mode::Shadow)];
        assert_eq!(
            in_words(&Conditions::default(), &shadow, None, None),
            [
                "All devices, as nothing that decides restricts the task",
                "Policy percentage: is asked, and decides nothing (shadow)",
            ]
        );
    }

    #[test]
    fn g13_guards_are_told_apart_from_what_restricts_the_task() {
        let guard = |mode| TaskPolicy { kind: PolicyKind::Guard, ..policy("error-rate", json!({}), mode) };
        assert_eq!(
            in_words(&Conditions::default(), &[guard(Mode::Enforce), guard(Mode::Shadow)], None, Some(9)),
            [
                "All devices, as nothing that decides restricts the task",
                "At most 9 devices",
                "Guard error-rate: watches the release, and may suspend or end it",
                "Guard error-rate: watches the release, and decides nothing (shadow)",
            ]
        );
    }

    #[test]
    fn g8_the_stages_of_a_share_are_told() {
        let stages = json!({"stages": [{"percent": 10, "after_hours": 0}, {"percent": 100, "after_hours": 24}]});
        let policies = [policy(share::POLICY, stages, Mode::Enforce)];
        assert_eq!(
            in_words(&Conditions::default(), &policies, None, None),
            ["Share of the devices: 10 %, 100 % after 24 hours"]
        );
        assert_eq!(
            in_words(&Conditions::default(), &[], None, None),
            ["All devices, as nothing that decides restricts the task"]
        );
    }

    #[test]
    fn g18_the_expression_of_a_policy_is_told() {
        let policies = [policy(EXPRESSION, json!({"admit": "device.platform == 'ios'"}), Mode::Enforce)];
        assert_eq!(
            in_words(&Conditions::default(), &policies, None, None),
            ["Policy expression: device.platform == 'ios'"]
        );
    }

    #[test]
    fn g24_an_expression_over_policies_is_told_with_what_its_names_stand_for() {
        let conditions: Conditions = serde_json::from_value(json!({"networks": ["wifi"]})).unwrap();
        let named = |name: &str, policy: TaskPolicy| TaskPolicy { name: name.into(), ..policy };
        let policies = [
            policy(POLICY, json!({"networks": ["wifi"]}), Mode::Enforce),
            named("beta-list", policy(POLICY, json!({"objects": [{"kind": "guid", "values": ["a"]}]}), Mode::Enforce)),
            named("ios", policy(EXPRESSION, json!({"admit": "device.platform == 'ios'"}), Mode::Enforce)),
            policy("weekdays", json!({}), Mode::Enforce),
            named("young", policy("newcomers", json!({}), Mode::Enforce)),
        ];
        let told = |admits: &str| in_words(&conditions, &policies, Some(&admits.parse().unwrap()), Some(5));
        let stand_for = [
            "beta-list stands for: Object: guid among 1 typed",
            "ios stands for: device.platform == 'ios'",
            "young stands for: policy newcomers",
            "At most 5 devices",
        ];
        let besides = told("beta-list or (ios and not weekdays and young)");
        let must = ["All of these must hold:", "Network: wifi", "beta-list or (ios and not weekdays and young)"];
        assert_eq!(besides, must.into_iter().chain(stand_for).collect::<Vec<_>>());
        let within = told("conditions or beta-list or ios or weekdays or young");
        let must = ["conditions or beta-list or ios or weekdays or young", "conditions stand for: Network: wifi"];
        assert_eq!(within, must.into_iter().chain(stand_for).collect::<Vec<_>>());
    }
}
