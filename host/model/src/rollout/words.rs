//! What restricts a gray task, in words for people (G8).

use super::{Conditions, TaskPolicy, conditions::POLICY, share};
use crate::policy::{PolicyKind, registry::Mode};

/// A phrase for each condition and each policy, and one for the cap. When several must hold, the first phrase says so.
pub fn in_words(conditions: &Conditions, policies: &[TaskPolicy], max_users: Option<u64>) -> Vec<String> {
    let of_kind = |kind| policies.iter().filter(move |policy| policy.kind == kind);
    let named = || of_kind(PolicyKind::Grayscale).filter(|policy| policy.policy != POLICY);
    let mut must = conditions.in_words();
    must.extend(named().filter(|policy| policy.mode == Mode::Enforce).map(admits));
    if must.len() > 1 {
        must.insert(0, "All of these must hold:".into());
    }
    let shadows = || named().filter(|policy| policy.mode == Mode::Shadow);
    if must.is_empty() {
        must.push("All devices, as nothing that decides restricts the task".into());
    }
    must.extend(shadows().map(|policy| format!("Policy {}: is asked, and decides nothing (shadow)", policy.policy)));
    must.extend(max_users.map(|max| format!("At most {max} devices")));
    must.extend(of_kind(PolicyKind::Guard).map(watches));
    must
}

fn watches(guard: &TaskPolicy) -> String {
    let says = match guard.mode {
        Mode::Enforce => "watches the release, and may suspend or end it",
        Mode::Shadow => "watches the release, and decides nothing (shadow)",
    };
    format!("Guard {}: {says}", guard.policy)
}

fn admits(policy: &TaskPolicy) -> String {
    let share = (policy.policy == share::POLICY).then(|| share::in_words(&policy.config)).flatten();
    share.unwrap_or_else(|| format!("Policy {}: admits the device", policy.policy))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use berth_base::{
        clock::SystemRandom,
        ids::{Digest, PolicyBindingId},
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::{policy::registry::OnError, testing::DAWN};

    fn policy(name: &str, config: Value, mode: Mode) -> TaskPolicy {
        TaskPolicy {
            binding: PolicyBindingId::generate(DAWN, &SystemRandom),
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
            in_words(&conditions, &policies, Some(500)),
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
            in_words(&Conditions::default(), &shadow, None),
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
            in_words(&Conditions::default(), &[guard(Mode::Enforce), guard(Mode::Shadow)], Some(9)),
            [
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
            in_words(&Conditions::default(), &policies, None),
            ["Share of the devices: 10 %, 100 % after 24 hours"]
        );
        assert!(in_words(&Conditions::default(), &[], None).is_empty());
    }
}
