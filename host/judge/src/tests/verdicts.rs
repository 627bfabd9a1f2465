//! Policies that behave well: what they are given, and what they answer.

use std::{sync::Arc, time::Duration};

use crate::testing::*;
use crate::*;
use berth_model::policy::*;

#[tokio::test]
async fn a_grayscale_policy_admits_or_refuses_with_its_reason() {
    let lab = Lab::new();
    assert_eq!(lab.gray(&Guest::gray()).await, Outcome::Verdict(GrayVerdict::Admit));
    let refusing = Guest::gray().call(&Guest::refuse_with(400, 5));
    assert_eq!(lab.gray(&refusing).await, Outcome::Verdict(GrayVerdict::Refuse("1.0.0".into())));
}

#[tokio::test]
async fn a_policys_own_error_is_neither_a_verdict_nor_a_trap() {
    let error = "(i32.store8 (i32.const 80) (i32.const 1)) (i32.store (i32.const 84) (i32.const 416))
        (i32.store (i32.const 88) (i32.const 4)) (i32.const 80)";
    assert_eq!(Lab::new().gray(&Guest::gray().call(error)).await, Outcome::Failed { message: "Test".into() });
}

/// The guid is the first field of the device, wherever the host wrote it: the policy returns it as its reason.
#[tokio::test]
async fn a_policy_sees_the_device() {
    let echo = "(i32.store8 (i32.const 84) (i32.const 1)) (i32.store (i32.const 88) (i32.load (local.get 0)))
        (i32.store (i32.const 92) (i32.load (i32.add (local.get 0) (i32.const 4)))) (i32.const 80)";
    let verdict = Lab::new().gray(&Guest::gray().call(echo)).await;
    assert_eq!(verdict, Outcome::Verdict(GrayVerdict::Refuse(device().guid.into_owned())));
}

struct OneList;

impl Cohorts for OneList {
    fn contains(&self, name: &str, key: &str) -> bool {
        name == "by-hand" && key == "1.0.0"
    }
}

#[tokio::test]
async fn a_grayscale_policy_asks_the_hosts_lists_by_name() {
    let ask =
        "(if (i32.eqz (call $contains (i32.const 256) (i32.const 7) (i32.const 400) (i32.const 5))) (then unreachable))
        (i32.const 80)";
    let binding = Lab::new().bind_gray(&Guest::gray().call(ask), |_| ()).await;
    let with_list = binding.decide(&device(), &task(), &(Arc::new(OneList) as Arc<dyn Cohorts>));
    assert_eq!(with_list.outcome, Outcome::Verdict(GrayVerdict::Admit));
    trap(decide(&binding).outcome);
}

/// The guest reads `app.js`, whose name it writes into its memory itself, and logs the bytes.
const READER: &str = r#"
    (i64.store (i32.const 5000) (i64.const 0x736a2e707061))
    (call $read (local.get 0) (i32.const 5000) (i32.const 6) (i64.const 2) (i32.const 3) (i32.const 5100))
    (call $log (i32.const 2) (i32.load (i32.const 5104)) (i32.load (i32.const 5108)))
    (call $drop (local.get 0)) (i32.const 80)"#;

#[tokio::test]
async fn an_auditor_reads_a_part_of_a_file() {
    let binding = Lab::new().bind_auditor(&Guest::auditor().call(READER), Duration::from_secs(2)).await;
    let package = Shelf { bytes: b"0123456789".into(), ..Shelf::default() };
    let evaluation = binding.audit(Arc::new(package)).await;
    assert_eq!(evaluation.outcome, Outcome::Verdict(vec![]));
    assert_eq!(evaluation.log, [LogLine { level: LogLevel::Warn, message: "234".into() }]);
}

#[tokio::test]
async fn i7_one_read_gives_a_mebibyte_at_the_most() {
    let greedy = READER.replace("(i64.const 2) (i32.const 3)", "(i64.const 0) (i32.const 1048577)").replace(
        "(call $log (i32.const 2) (i32.load (i32.const 5104)) (i32.load (i32.const 5108)))",
        // An error (1) that is too-long (case 1) with the limit as its payload.
        "(if (i32.ne (i32.load8_u (i32.const 5100)) (i32.const 1)) (then unreachable))
         (if (i32.ne (i32.load8_u (i32.const 5104)) (i32.const 1)) (then unreachable))
         (if (i32.ne (i32.load (i32.const 5108)) (i32.const 1048576)) (then unreachable))",
    );
    assert_eq!(Lab::new().audit(&Guest::auditor().call(&greedy)).await, Outcome::Verdict(vec![]));
}

#[tokio::test]
async fn an_auditor_reports_findings() {
    let one = "(call $drop (local.get 0))
        (i32.store (i32.const 5000) (i32.const 256)) (i32.store (i32.const 5004) (i32.const 7))
        (i32.store8 (i32.const 5008) (i32.const 2))
        (i32.store (i32.const 5012) (i32.const 416)) (i32.store (i32.const 5016) (i32.const 4))
        (i32.store (i32.const 84) (i32.const 5000)) (i32.store (i32.const 88) (i32.const 1)) (i32.const 80)";
    let finding =
        Finding { rule: "by-hand".into(), severity: Severity::Error, message: "Test".into(), place: None, fix: None };
    assert_eq!(Lab::new().audit(&Guest::auditor().call(one)).await, Outcome::Verdict(vec![finding]));
}

#[tokio::test]
async fn a_guard_advises() {
    let lab = Lab::new();
    let policy = lab.install(&Guest::guard().call(&Guest::refuse_with(416, 4))).await;
    let binding = policy.bind_guard(&empty(), Limits::default_of(PolicyKind::Guard)).unwrap();
    let health = Health { gray: vec![Window { minutes: 5, ..Window::default() }], ..Health::default() };
    assert_eq!(binding.judge(health).await.outcome, Outcome::Verdict(Advice::Suspend("Test".into())));
}

#[test]
fn the_four_outcomes_are_told_apart_in_json_too() {
    let json = |outcome: Outcome<GrayVerdict>| serde_json::to_value(outcome).unwrap();
    let told = [
        json(Outcome::Verdict(GrayVerdict::Admit)),
        json(Outcome::Failed { message: "m".into() }),
        json(Outcome::Trapped { reason: "r".into() }),
        json(Outcome::Limited(Limit::Memory)),
    ];
    let expected = serde_json::json!([
        {"outcome": "verdict", "detail": "admit"},
        {"outcome": "failed", "detail": {"message": "m"}},
        {"outcome": "trapped", "detail": {"reason": "r"}},
        {"outcome": "limited", "detail": "memory"},
    ]);
    assert_eq!(serde_json::Value::from(told.to_vec()), expected);
}

#[tokio::test]
async fn f49_a_binding_keeps_the_policy_that_it_was_made_of() {
    let lab = Lab::new();
    let old = lab.bind_gray(&Guest::gray(), |_| ()).await;
    let new = lab.bind_gray(&Guest::gray().call(&Guest::refuse_with(416, 4)), |_| ()).await;
    assert_ne!(old.policy().digest(), new.policy().digest());
    assert_eq!(decide(&old).outcome, Outcome::Verdict(GrayVerdict::Admit));
    assert_eq!(decide(&new).outcome, Outcome::Verdict(GrayVerdict::Refuse("Test".into())));
}

#[tokio::test]
async fn a_host_that_fails_while_it_serves_a_policy_is_no_verdict() {
    struct Broken;
    impl Contents for Broken {
        fn mini_app_id(&self) -> &str {
            ""
        }
        fn version(&self) -> &str {
            ""
        }
        fn size(&self) -> u64 {
            0
        }
        fn manifest_path(&self) -> &str {
            ""
        }
        fn manifest(&self) -> &str {
            ""
        }
        fn files(&self) -> &[PackageFile] {
            &[]
        }
        fn read(&self, _: &str, _: u64, _: u32) -> Result<Vec<u8>, ReadError> {
            unreachable!("a fault of the host")
        }
    }
    let binding = Lab::new().bind_auditor(&Guest::auditor().call(READER), Duration::from_secs(2)).await;
    trap(binding.audit(Arc::new(Broken)).await.outcome);
    let package = Shelf { bytes: b"0123456789".into(), ..Shelf::default() };
    assert_eq!(binding.audit(Arc::new(package)).await.outcome, Outcome::Verdict(vec![]));
}

/// A guest of the SDK allocates from a static block; a config that does not fit there is placed in the memory after it.
#[tokio::test]
async fn g4_conditions_larger_than_the_guests_own_block_decide_as_small_ones_do() {
    let lab = Lab::new();
    let wasm = builtin::ALL.iter().find(|builtin| builtin.name == "standard-conditions").unwrap().wasm;
    let policy = lab.engine.inspect(wasm.to_vec()).await.unwrap();
    let limits = Limits { deadline_ms: 500, ..Limits::default_of(PolicyKind::Grayscale) };
    for listed in [3, 5_000] {
        let values: Vec<_> = (0..listed).map(|n| format!("device-number-{n}")).collect();
        let config = serde_json::json!({"objects": [{"kind": "guid", "values": values}]});
        let binding = policy.bind_gray(&config, limits.clone()).unwrap();
        let nobody = Arc::new(NoCohorts) as Arc<dyn Cohorts>;
        let ask =
            |guid: String| binding.decide(&GrayDevice { guid: guid.into(), ..device() }, &task(), &nobody).outcome;
        assert_eq!(ask(format!("device-number-{}", listed - 1)), Outcome::Verdict(GrayVerdict::Admit), "{listed}");
        assert!(matches!(ask("another".into()), Outcome::Verdict(GrayVerdict::Refuse(_))), "{listed}");
    }
}
