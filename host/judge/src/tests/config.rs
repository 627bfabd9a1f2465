//! Configs and limits of bindings.

use serde_json::json;

use crate::testing::*;
use crate::*;
use berth_base::error::Code;
use berth_model::policy::LimitOverrides;

const SCHEMA: &str = r#"{
    "type": "object", "required": ["percent"], "additionalProperties": false,
    "properties": { "percent": { "type": "integer", "minimum": 0, "maximum": 100 }, "ids": { "items": { "pattern": "^[a-z]+$" } } }
}"#;

fn strict() -> Guest {
    Guest { schema: SCHEMA.into(), ..Guest::gray() }
}

fn limits() -> Limits {
    Limits { deadline_ms: 250, ..Limits::default_of(PolicyKind::Grayscale) }
}

#[tokio::test]
async fn a_config_is_checked_against_the_policys_own_schema() {
    let policy = Lab::new().install(&strict()).await;
    policy.check_config(&json!({"percent": 10}), &limits()).await.unwrap();
    for (config, pointer, rule) in [
        (json!({"percent": 101}), "/percent", "maximum"),
        (json!({"percent": 1, "ids": ["ok", "No"]}), "/ids/1", "pattern"),
        (json!({}), "", "required"),
        (json!([]), "", "type"),
    ] {
        let refusal = policy.check_config(&config, &limits()).await.unwrap_err();
        assert_eq!(refusal.code, Code::PolicyConfig);
        assert_eq!(refusal.fields["errors"][0]["pointer"], pointer, "{refusal}");
        assert!(refusal.detail.contains(rule) && refusal.detail.contains(pointer), "{refusal}");
    }
}

#[tokio::test]
async fn a_policy_without_a_schema_takes_no_config() {
    let policy = Lab::new().install(&Guest::gray()).await;
    policy.check_config(&json!({}), &limits()).await.unwrap();
    assert_eq!(policy.check_config(&json!({"a": 1}), &limits()).await.unwrap_err().code, Code::PolicyConfig);
    assert_eq!(policy.check_config(&json!(null), &limits()).await.unwrap_err().code, Code::PolicyConfig);
}

#[tokio::test]
async fn a_config_must_be_accepted_by_the_policy_itself() {
    let refuse = "(i32.store8 (i32.const 64) (i32.const 1)) (i32.store (i32.const 68) (i32.const 416))
        (i32.store (i32.const 72) (i32.const 4)) (i32.const 64)";
    for (configure, outcome, word) in [
        (refuse, "failed", "Test"),
        ("unreachable", "trapped", "unreachable"),
        ("(loop $again (br $again)) unreachable", "limited", "deadline"),
    ] {
        let policy = Lab::new().install(&Guest { configure: configure.into(), ..Guest::gray() }).await;
        let refusal = policy.check_config(&json!({}), &Limits { deadline_ms: 20, ..limits() }).await.unwrap_err();
        assert_eq!((refusal.code, &refusal.fields["outcome"]), (Code::PolicyConfig, &json!(outcome)));
        assert!(refusal.detail.contains(word), "{refusal}");
    }
}

/// The pattern would take a backtracking engine exponential time.
#[tokio::test]
async fn a_hostile_pattern_of_a_schema_runs_in_linear_time() {
    let guest = Guest { schema: r#"{"properties": {"a": {"pattern": "^(a+)+$"}}}"#.into(), ..Guest::gray() };
    let policy = Lab::new().install(&guest).await;
    let start = std::time::Instant::now();
    policy.check_config(&json!({"a": format!("{}!", "a".repeat(50_000))}), &limits()).await.unwrap_err();
    assert!(start.elapsed() < std::time::Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn limits_are_overridden_within_their_caps() {
    let overrides: LimitOverrides = serde_json::from_value(json!({"deadline_ms": 50})).unwrap();
    let limits = overrides.apply(PolicyKind::Grayscale).unwrap();
    assert_eq!(limits, Limits { deadline_ms: 50, ..Limits::default_of(PolicyKind::Grayscale) });
    for bad in [json!({"deadline_ms": 0}), json!({"memory_bytes": 1_u64 << 40})] {
        let overrides: LimitOverrides = serde_json::from_value(bad).unwrap();
        assert_eq!(overrides.apply(PolicyKind::Grayscale).unwrap_err().code, Code::InvalidField);
    }
    assert!(serde_json::from_value::<LimitOverrides>(json!({"deadline": 50})).is_err());
}

#[test]
fn every_default_is_within_its_cap() {
    for kind in PolicyKind::ALL.iter().copied() {
        let own = serde_json::to_value(Limits::default_of(kind)).unwrap();
        let overrides: LimitOverrides = serde_json::from_value(own).unwrap();
        assert_eq!(overrides.apply(kind).unwrap(), Limits::default_of(kind));
    }
}
