//! Attacks from inside a policy. None of them may end in a verdict.

use std::{sync::Arc, time::Duration};

use crate::testing::*;
use crate::*;

const FOREVER: &str = "(loop $again (br $again)) unreachable";

fn limited<V>(limit: Limit) -> Outcome<V> {
    Outcome::Limited(limit)
}

/// The fastest of some runs shows the deadline; that every run ends holds on the busiest machine too.
#[tokio::test]
async fn f33_an_endless_loop_ends_by_its_deadline() {
    let binding = Lab::new().bind_gray(&Guest::gray().call(FOREVER), |l| l.deadline_ms = 20).await;
    let mut best = Duration::MAX;
    // On a machine where others compile beside, it takes some runs until one is not disturbed.
    for run in 0..200 {
        let evaluation = decide(&binding);
        assert!(evaluation.outcome == limited(Limit::Deadline) && evaluation.elapsed < Duration::from_secs(2));
        best = best.min(evaluation.elapsed);
        if run >= 20 && best < Duration::from_millis(30) {
            break;
        }
    }
    assert!((20..30).contains(&best.as_millis()), "{best:?}");
}

#[tokio::test]
async fn f33_an_endless_loop_in_configure_ends_too() {
    let guest = Guest { configure: FOREVER.into(), ..Guest::gray() };
    assert_eq!(Lab::new().gray_with(&guest, |l| l.deadline_ms = 10).await.outcome, limited(Limit::Deadline));
}

#[tokio::test]
async fn f33_an_endless_start_function_is_refused_at_the_gate() {
    let guest = Guest::gray().extra(&format!("(func $start {FOREVER}) (start $start)"));
    let refusal = Lab::new().refusal(guest.wasm()).await;
    assert!(refusal.detail.contains("deadline"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i7_an_endless_audit_does_not_slow_grayscale_decisions() {
    let lab = Lab::with(|config| config.audit_slots = 1);
    let quick = lab.bind_gray(&Guest::gray(), |l| l.deadline_ms = 5).await;
    let endless = lab.bind_auditor(&Guest::auditor().call(FOREVER), Duration::from_millis(600)).await;
    let audit = tokio::spawn(async move { endless.audit(Arc::new(Shelf::default())).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut took: Vec<_> = (0..200)
        .map(|_| {
            let evaluation = decide(&quick);
            assert_eq!(evaluation.outcome, Outcome::Verdict(GrayVerdict::Admit));
            evaluation.elapsed
        })
        .collect();
    took.sort();
    assert!(!audit.is_finished() && took[100] < Duration::from_millis(5), "the median is {:?}", took[100]);
    assert_eq!(audit.await.unwrap().outcome, limited(Limit::Deadline));
}

#[tokio::test]
async fn f34_memory_that_grows_without_end_hits_its_limit() {
    let guest = Guest::gray().call("(loop $again (drop (memory.grow (i32.const 16))) (br $again)) unreachable");
    let evaluation = Lab::new().gray_with(&guest, |_| ()).await;
    assert_eq!(evaluation.outcome, limited(Limit::Memory));
    assert!(evaluation.peak_memory <= 16 << 20, "{}", evaluation.peak_memory);
}

#[tokio::test]
async fn f34_memories_are_summed() {
    let grow = |pages: u32| {
        format!("(drop (memory.grow 0 (i32.const {pages}))) (drop (memory.grow 1 (i32.const {pages}))) (i32.const 80)")
    };
    let guest = |pages| Guest::gray().memory("1) (memory 1").call(&grow(pages));
    assert_eq!(Lab::new().gray(&guest(100)).await, Outcome::Verdict(GrayVerdict::Admit));
    assert_eq!(Lab::new().gray(&guest(150)).await, limited(Limit::Memory));
}

#[tokio::test]
async fn f34_growth_beyond_what_the_guest_declared_fails_inside_the_guest() {
    let call = "(if (i32.ne (memory.grow (i32.const 5)) (i32.const -1)) (then unreachable)) (i32.const 80)";
    let guest = Guest::gray().memory("2 4").call(call);
    assert_eq!(Lab::new().gray(&guest).await, Outcome::Verdict(GrayVerdict::Admit));
}

#[tokio::test]
async fn f34_four_gibibytes_at_the_start_are_refused_at_the_gate() {
    for guest in [Guest::gray(), Guest::auditor()] {
        let refusal = Lab::new().refusal(guest.memory("65536").wasm()).await;
        assert!(refusal.detail.contains("memory"), "{refusal}");
    }
}

#[tokio::test]
async fn f35_a_table_that_grows_without_end_hits_its_limit() {
    let guest = Guest::gray()
        .extra("(table $t 1 funcref)")
        .call("(loop $again (drop (table.grow $t (ref.null func) (i32.const 1000))) (br $again)) unreachable");
    assert_eq!(Lab::new().gray(&guest).await, limited(Limit::Table));
}

#[tokio::test]
async fn f35_a_huge_table_at_the_start_is_refused_at_the_gate() {
    for guest in [Guest::gray(), Guest::auditor()] {
        let refusal = Lab::new().refusal(guest.extra("(table 9000000 funcref)").wasm()).await;
        assert!(refusal.detail.contains("table"), "{refusal}");
    }
}

#[tokio::test]
async fn f36_unbounded_recursion_hits_the_stack_limit() {
    let guest = Guest::gray().call("(call $call (local.get 0))");
    assert_eq!(Lab::new().gray(&guest).await, limited(Limit::Stack));
}

#[tokio::test]
async fn f37_traps_are_traps_and_say_why() {
    for (call, reason) in [
        ("unreachable", "unreachable"),
        ("(i32.div_u (i32.const 1) (i32.const 0))", "divide by zero"),
        ("(i32.load (i32.const 0x7fffffff))", "out of bounds memory"),
    ] {
        let said = trap(Lab::new().gray(&Guest::gray().call(call)).await);
        assert!(said.contains(reason), "{said}");
    }
}

/// A guest that says why it breaks, as the panic hook of the SDK does.
fn says(at: i32, length: i32) -> Guest {
    let mut guest = Guest::gray().call(&format!("(call $fatal (i32.const {at}) (i32.const {length})) (i32.const 80)"));
    guest.imports += r#"(import "berth:policy/log@1.0.0" "fatal" (func $fatal (param i32 i32)))"#;
    guest
}

#[tokio::test]
async fn f37_the_last_words_of_a_policy_are_the_reason_of_its_trap() {
    let lab = Lab::new();
    assert_eq!(lab.gray(&says(416, 4)).await, Outcome::Trapped { reason: "Test".into() });
    let said = trap(lab.gray(&says(20_000, 10_000)).await);
    assert_eq!((said.chars().count(), said.chars().last()), (2_001, Some('…')), "long ones are cut");
    assert_eq!(lab.gray(&says(20_000, 70_000)).await, limited(Limit::Output));
    trap(lab.gray(&says(-1, 10)).await);
}

#[tokio::test]
async fn f37_a_panic_in_rust_tells_its_message_and_its_place() {
    let policy = Lab::new().engine.inspect(builtin::BREAKS.to_vec()).await.unwrap();
    let guard = policy.bind_guard(&empty(), Limits::default_of(PolicyKind::Guard)).unwrap();
    let health = Health { task_id: "no such window".into(), ..Health::default() };
    let said = trap(guard.judge(health).await.outcome);
    assert!(said.starts_with("it panicked at ") && said.ends_with(": no such window"), "{said}");
    assert!(said.contains("examples/breaks.rs:"), "{said}");
}

#[tokio::test]
async fn f38_a_long_answer_hits_the_output_limit() {
    let guest = Guest::gray().call(&Guest::refuse_with(20_000, 70_000));
    assert_eq!(Lab::new().gray(&guest).await, limited(Limit::Output));
    let roomy = Lab::new().gray_with(&guest, |l| l.output_bytes = 100_000).await.outcome;
    assert!(matches!(roomy, Outcome::Verdict(GrayVerdict::Refuse(why)) if why.len() == 70_000));
}

/// A thousand findings that all share the same 60 kB: little memory in the guest, much in the host.
#[tokio::test]
async fn f38_a_quadratic_list_hits_the_output_limit() {
    let fill = "(local $i i32) (local $at i32) (call $drop (local.get 0))
        (loop $next
            (local.set $at (i32.add (i32.const 131072) (i32.mul (local.get $i) (i32.const 52))))
            (i32.store (local.get $at) (i32.const 20000)) (i32.store offset=4 (local.get $at) (i32.const 60000))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $i) (i32.const 1000))))
        (i32.store (i32.const 84) (i32.const 131072)) (i32.store (i32.const 88) (i32.const 1000)) (i32.const 80)";
    let guest = Guest::auditor().memory("4").call(fill);
    assert_eq!(Lab::new().audit(&guest).await, limited(Limit::Output));
}

#[tokio::test]
async fn f39_ten_million_log_calls_hit_the_log_limit() {
    let call = "(local $i i32) (loop $next (call $log (i32.const 1) (i32.const 400) (i32.const 5))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $i) (i32.const 10000000)))) (i32.const 80)";
    let evaluation = Lab::new().gray_with(&Guest::gray().call(call), |_| ()).await;
    assert_eq!(evaluation.outcome, limited(Limit::Log));
    assert_eq!(evaluation.log.len(), 100);
    assert_eq!(evaluation.log[0], LogLine { level: LogLevel::Info, message: "1.0.0".into() });
}

#[tokio::test]
async fn f39_few_lines_of_many_bytes_hit_the_log_limit() {
    let call = "(call $log (i32.const 0) (i32.const 20000) (i32.const 9000)) (call $log (i32.const 0) (i32.const 20000) (i32.const 9000))
        (i32.const 80)";
    assert_eq!(Lab::new().gray(&Guest::gray().call(call)).await, limited(Limit::Log));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f40_a_host_call_that_blocks_is_given_up() {
    let read = "(call $read (local.get 0) (i32.const 400) (i32.const 5) (i64.const 0) (i32.const 9) (i32.const 80)) unreachable";
    let binding = Lab::new().bind_auditor(&Guest::auditor().call(read), Duration::from_millis(50)).await;
    let slow = Shelf { delay: Duration::from_secs(2), ..Shelf::default() };
    let evaluation = binding.audit(Arc::new(slow)).await;
    assert_eq!(evaluation.outcome, limited(Limit::Deadline));
    assert!(evaluation.elapsed < Duration::from_millis(1800), "{:?}", evaluation.elapsed);
}

/// The guest waits for the host all the time and uses no CPU time: its patience, in elapsed time, ends it.
#[tokio::test]
async fn f40_a_host_that_is_slow_again_and_again_is_given_up() {
    struct Slow;
    impl Cohorts for Slow {
        fn contains(&self, _: &str, _: &str) -> bool {
            std::thread::sleep(Duration::from_millis(10));
            false
        }
    }
    let ask = "(loop $again (drop (call $contains (i32.const 400) (i32.const 5) (i32.const 400) (i32.const 5)))
        (br $again)) unreachable";
    let binding = Lab::new().bind_gray(&Guest::gray().call(ask), |l| l.deadline_ms = 20).await;
    let evaluation = binding.decide(&device(), &task(), &(Arc::new(Slow) as Arc<dyn Cohorts>));
    assert_eq!(evaluation.outcome, limited(Limit::Deadline));
    assert!(evaluation.elapsed >= binding.limits().patience(), "{:?}", evaluation.elapsed);
    assert!(evaluation.elapsed < Duration::from_millis(1800), "{:?}", evaluation.elapsed);
}

#[tokio::test]
async fn f41_a_handle_that_is_never_dropped_is_a_trap() {
    let said = trap(Lab::new().audit(&Guest::auditor().call("(i32.const 80)")).await);
    assert!(said.contains("borrow"), "{said}");
}

#[tokio::test]
async fn f42_bad_pointers_are_traps() {
    for call in ["(i32.const -4)", "(i32.const 81)", &Guest::refuse_with(-1, 10), &Guest::refuse_with(131_000, 1_000)] {
        trap(Lab::new().gray(&Guest::gray().call(call)).await);
    }
    let list =
        "(call $drop (local.get 0)) (i32.store (i32.const 84) (i32.const 3)) (i32.store (i32.const 88) (i32.const 1))
        (i32.const 80)";
    trap(Lab::new().audit(&Guest::auditor().call(list)).await);
}

#[tokio::test]
async fn f42_bad_utf8_is_a_trap() {
    let bad = format!("(i32.store8 (i32.const 5000) (i32.const 255)) {}", Guest::refuse_with(5000, 1));
    let said = trap(Lab::new().gray(&Guest::gray().call(&bad)).await);
    assert!(said.contains("utf-8"), "{said}");
}

#[tokio::test]
async fn f42_unknown_cases_are_traps() {
    for call in [
        "(i32.store8 (i32.const 80) (i32.const 2)) (i32.const 80)",
        "(i32.store8 (i32.const 84) (i32.const 9)) (i32.const 80)",
        "(call $log (i32.const 7) (i32.const 0) (i32.const 1)) (i32.const 80)",
    ] {
        trap(Lab::new().gray(&Guest::gray().call(call)).await);
    }
}

#[tokio::test]
async fn f47_a_realloc_that_lies_is_a_trap() {
    for realloc in ["(i32.const -16)", "(i32.const 1)", "unreachable"] {
        let guest = Guest { realloc: realloc.into(), ..Guest::gray() };
        trap(Lab::new().gray(&guest).await);
    }
}

#[tokio::test]
async fn f47_an_endless_realloc_ends_by_its_deadline() {
    let guest = Guest { realloc: FOREVER.into(), ..Guest::gray() };
    assert_eq!(Lab::new().gray_with(&guest, |l| l.deadline_ms = 10).await.outcome, limited(Limit::Deadline));
}

#[tokio::test]
async fn f47_a_post_return_that_misbehaves_is_never_a_verdict() {
    let after =
        |body: &str| format!(r#"(func (export "cabi_post_berth:policy/gray@1.0.0#decide") (param i32) {body})"#);
    let calls_out = after("(call $log (i32.const 0) (i32.const 0) (i32.const 0))");
    trap(Lab::new().gray(&Guest::gray().extra(&calls_out)).await);
    let endless = Guest::gray().extra(&after(FOREVER));
    assert_eq!(Lab::new().gray_with(&endless, |l| l.deadline_ms = 10).await.outcome, limited(Limit::Deadline));
}

/// The guest counts its calls in a global and in memory, and traps when it finds a count from an earlier call.
#[tokio::test]
async fn f48_a_fresh_instance_for_each_judgement_finds_no_state_of_the_last() {
    let call = "(if (global.get $seen) (then unreachable)) (global.set $seen (i32.const 1))
        (if (i32.load (i32.const 100000)) (then unreachable)) (i32.store (i32.const 100000) (i32.const 1))
        (if (i32.ne (memory.size) (i32.const 2)) (then unreachable)) (drop (memory.grow (i32.const 1)))
        (i32.const 80)";
    let guest = Guest::gray().extra("(global $seen (mut i32) (i32.const 0))").call(call);
    let binding = Lab::new().bind_gray(&guest, |l| l.judgements_per_instance = 1).await;
    for _ in 0..50 {
        assert_eq!(decide(&binding).outcome, Outcome::Verdict(GrayVerdict::Admit));
    }
}

/// One policy fills its memory with a secret; the next one in the same slot looks for any byte that is not zero.
#[tokio::test]
async fn i7_a_policy_cannot_read_what_another_left_in_its_slot() {
    let each = |body: &str| {
        format!(
            "(local $i i32) (local.set $i (i32.const 65536)) (loop $next {body}
                (local.set $i (i32.add (local.get $i) (i32.const 8)))
                (br_if $next (i32.lt_u (local.get $i) (i32.const 655360)))) (i32.const 80)"
        )
    };
    let writer = Guest::gray().memory("10").call(&each("(i64.store (local.get $i) (i64.const 0x5ec7e75ec7e75ec7))"));
    let reader = Guest::gray()
        .memory("10")
        .call(&each("(if (i64.ne (i64.load (local.get $i)) (i64.const 0)) (then unreachable))"));
    let lab = Lab::with(|config| config.grayscale_slots = 1);
    let (writer, reader) = (
        lab.bind_gray(&writer, |l| l.judgements_per_instance = 1).await,
        lab.bind_gray(&reader.name("reader"), |l| l.judgements_per_instance = 1).await,
    );
    for _ in 0..20 {
        assert_eq!(decide(&writer).outcome, Outcome::Verdict(GrayVerdict::Admit));
        assert_eq!(decide(&reader).outcome, Outcome::Verdict(GrayVerdict::Admit));
    }
}

/// More threads ask the same engine than it has slots. None of them sees an exhausted pool.
#[tokio::test]
async fn i7_more_callers_than_slots_wait_and_are_served() {
    let lab = Lab::with(|config| config.grayscale_slots = 2);
    let binding = lab.bind_gray(&Guest::gray(), |_| ()).await;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(decide(&binding).outcome, Outcome::Verdict(GrayVerdict::Admit));
                }
            });
        }
    });
    let PoolUsage { instances, resting, .. } = lab.engine.pool_usage();
    assert!(instances == 0 && (1..=2).contains(&resting), "{instances} run, {resting} rest");
}

#[tokio::test]
async fn i7_without_a_free_slot_the_answer_is_capacity() {
    let lab = Lab::with(|config| config.grayscale_slots = 1);
    let endless = lab.bind_gray(&Guest::gray().call(FOREVER), |l| l.deadline_ms = 300).await;
    let hurried = lab.bind_gray(&Guest::gray(), |l| l.deadline_ms = 2).await;
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| decide(&endless).outcome);
        while lab.engine.pool_usage().instances == 0 {
            std::thread::yield_now();
        }
        assert_eq!(decide(&hurried).outcome, limited(Limit::Capacity));
        assert_eq!(busy.join().unwrap(), limited(Limit::Deadline));
    });
}
