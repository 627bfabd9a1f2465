//! What restricts a gray task, in words for people (G8).

use serde::Deserialize;
use serde_json::Value;

use super::{Admits, Conditions, TaskPolicy, admits::CONDITIONS, conditions, share};
use crate::policy::{PolicyKind, registry::Mode};

/// Name of the policy that admits devices by an expression.
const EXPRESSION: &str = "expression";

/// A phrase for each condition and each policy, and one for the cap. When several must hold, the first phrase says so. What a
/// task admits by an expression over its policies is one phrase, and what the names in it stand for follows (G24).
pub fn in_words(
    conditions: &Conditions,
    policies: &[TaskPolicy],
    admits: Option<&Admits>,
    max_users: Option<u64>,
) -> Vec<String> {
    let of_kind = |kind| policies.iter().filter(move |policy| policy.kind == kind);
    let judges = || of_kind(PolicyKind::Grayscale).filter(|policy| !policy.is_standard());
    let named = |name: &str| admits.is_some_and(|admits| admits.names(name));
    let mut must = if named(CONDITIONS) { Vec::new() } else { conditions.in_words() };
    let deciding = judges().filter(|policy| policy.mode == Mode::Enforce && !named(&policy.name));
    must.extend(deciding.map(says));
    must.extend(admits.map(Admits::to_string));
    if must.len() > 1 {
        must.insert(0, "All of these must hold:".into());
    }
    if named(CONDITIONS) {
        must.push(format!("{CONDITIONS} stand for: {}", conditions.in_words().join("; ")));
    }
    must.extend(judges().filter(|policy| named(&policy.name)).filter_map(stands_for));
    let shadows = || judges().filter(|policy| policy.mode == Mode::Shadow);
    if must.is_empty() {
        must.push("All devices, as nothing that decides restricts the task".into());
    }
    must.extend(shadows().map(|policy| format!("Policy {}: is asked, and decides nothing (shadow)", policy.name)));
    must.extend(max_users.map(|max| format!("At most {max} devices")));
    must.extend(of_kind(PolicyKind::Guard).map(watches));
    must
}

fn watches(guard: &TaskPolicy) -> String {
    let says = match guard.mode {
        Mode::Enforce => "watches the release, and may suspend or end it",
        Mode::Shadow => "watches the release, and decides nothing (shadow)",
    };
    format!("Guard {}: {says}", guard.name)
}

/// What a policy that decides asks of devices.
fn says(policy: &TaskPolicy) -> String {
    match meaning(policy) {
        Some(meaning) if policy.policy == share::POLICY => meaning,
        Some(meaning) => format!("Policy {}: {meaning}", policy.name),
        None => format!("Policy {}: admits the device", policy.name),
    }
}

/// What the name of a policy stands for; `None` where its name is all that is known.
fn stands_for(policy: &TaskPolicy) -> Option<String> {
    let own = || (policy.name != policy.policy).then(|| format!("policy {}", policy.policy));
    Some(format!("{} stands for: {}", policy.name, meaning(policy).or_else(own)?))
}

/// What a config means, where Berth knows it.
fn meaning(policy: &TaskPolicy) -> Option<String> {
    match policy.policy.as_str() {
        share::POLICY => share::in_words(&policy.config),
        conditions::POLICY => {
            let words = Conditions::deserialize(&policy.config).ok()?.in_words();
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
