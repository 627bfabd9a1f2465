//! Instances that judge more than once: what a policy remembers, and what nobody else sees of it.

use crate::testing::*;
use crate::*;

/// A guest that counts its judgements in memory, and does `then` once it has judged more than `times` times.
fn counting(times: u32, then: &str) -> Guest {
    let count = "(global.set $asked (i32.add (global.get $asked) (i32.const 1)))";
    let call =
        format!("{count} (if (i32.gt_u (global.get $asked) (i32.const {times})) (then {then})) (i32.const {ANSWER})");
    Guest::gray().call(&call).extra("(global $asked (mut i32) (i32.const 0))")
}

/// Code that refuses, and leaves the answer in memory as it was.
fn refusing() -> String {
    format!("(return (block (result i32) {}))", Guest::refuse_with(0, 0))
}

fn admits(binding: &BoundGrayscale) -> bool {
    match decide(binding).outcome {
        Outcome::Verdict(verdict) => verdict == GrayVerdict::Admit,
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test]
async fn an_instance_judges_as_often_as_its_binding_says() {
    let remembering = counting(1, &refusing());
    for (judgements, answers) in
        [(1, [true, true, true, true]), (2, [true, false, true, false]), (1_000, [true, false, false, false])]
    {
        let binding = Lab::new().bind_gray(&remembering, |l| l.judgements_per_instance = judgements).await;
        assert_eq!([(); 4].map(|()| admits(&binding)), answers, "with {judgements} for each instance");
    }
}

#[tokio::test]
async fn f34_an_instance_that_breaks_after_judgements_is_replaced_and_nobody_notices() {
    let fails = "(i32.store8 (i32.const 80) (i32.const 1)) (i32.store (i32.const 84) (i32.const 0)) (i32.store (i32.const 88) (i32.const 0))";
    let grows = "(loop $again (drop (memory.grow (i32.const 16))) (br $again))";
    for breaks in ["unreachable", grows, fails, "(call $call (i32.const 0)) drop"] {
        let binding = Lab::new().bind_gray(&counting(3, breaks), |_| ()).await;
        assert!((0..20).all(|_| admits(&binding)), "{breaks}");
    }
}

#[tokio::test]
async fn f33_an_instance_whose_time_is_over_is_not_asked_again() {
    let endless = counting(1, "(loop $again (br $again))");
    let binding = Lab::new().bind_gray(&endless, |l| l.deadline_ms = 10).await;
    assert!(admits(&binding));
    assert_eq!(decide(&binding).outcome, Outcome::Limited(Limit::Deadline), "the time is not spent twice");
    assert!(admits(&binding), "the next one is fresh");
}

#[tokio::test]
async fn f48_bindings_share_no_instance_and_clones_of_one_do() {
    let (lab, remembering) = (Lab::new(), counting(1, &refusing()));
    let (one, other) = (lab.bind_gray(&remembering, |_| ()).await, lab.bind_gray(&remembering, |_| ()).await);
    assert!(admits(&one) && admits(&other), "each meets an instance of its own");
    assert!(!admits(&one.clone()), "and meets it again");
}

#[tokio::test]
async fn instances_whose_binding_is_gone_go_too() {
    let lab = Lab::new();
    for _ in 0..10 {
        assert!(admits(&lab.bind_gray(&Guest::gray(), |_| ()).await));
    }
    assert_eq!(lab.engine.pool_usage().resting, 1, "the last one, until somebody looks for an instance");
}

#[tokio::test]
async fn no_more_instances_rest_than_there_is_room_for() {
    let lab = Lab::new();
    let mut bindings = Vec::new();
    for _ in 0..40 {
        bindings.push(lab.bind_gray(&Guest::gray(), |_| ()).await);
    }
    assert!(bindings.iter().all(admits) && bindings.iter().all(admits));
    assert_eq!(lab.engine.pool_usage().resting, 32);
}

#[tokio::test]
async fn the_log_of_a_judgement_is_its_own() {
    // Each judgement writes one line; the limit is two lines.
    let chatty = Guest::gray().call("(call $log (i32.const 1) (i32.const 416) (i32.const 4)) (i32.const 80)");
    let binding = Lab::new().bind_gray(&chatty, |l| l.log_lines = 2).await;
    for _ in 0..5 {
        let evaluation = decide(&binding);
        assert_eq!(evaluation.outcome, Outcome::Verdict(GrayVerdict::Admit));
        assert_eq!(evaluation.log.len(), 1);
    }
}
