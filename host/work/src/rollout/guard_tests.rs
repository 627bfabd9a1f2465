//! Tests of guards on whole hosts, by the clock, with policies in the sandbox.

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use berth_base::{clock::Millis, ids::GrayTaskId};
use berth_judge::testing::Guest;
use berth_model::{policy::registry::NewPolicyBinding, report::Report};
use berth_store::{Lease, Tx, guard::GuardWatch, testing::run};

use crate::{
    report,
    testing::{APP, HOST, TestHost, device, host_with_policies, shop, v},
};

const WATCH: (u32, u64) = (5, 10);

fn guard(policy: &str, more: Value) -> NewPolicyBinding {
    let mut binding = json!({"policy": policy, "watch": {"window_minutes": WATCH.0, "min_devices": WATCH.1}});
    binding.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    serde_json::from_value(binding).expect("a binding")
}

/// A host on which 1.1.0 is in grayscale for even devices, watched by these guards.
async fn watched(guards: Vec<NewPolicyBinding>, own: &[Guest]) -> (TestHost, GrayTaskId) {
    let host = host_with_policies(&["standard-conditions", "percentage", "error-rate"]).await;
    for guest in own {
        let policies = &host.app.policies;
        crate::policy::registry::install(policies, &host.caller, Bytes::from(guest.wasm()), &Default::default())
            .await
            .expect("install");
    }
    host.approved("1.1.0").await;
    let change = |new: &mut NewGrayTask| {
        new.networks = vec!["wifi".into()];
        new.policies = guards;
        new.end = new.start.plus_seconds(86_400);
    };
    let task = host.task("1.1.0", change).await.expect("task").id;
    assert_eq!(look_around(&host.app.guards).await.expect("look"), guards_of(&host, &task).await.len());
    (host, task)
}

async fn guards_of(host: &TestHost, task: &GrayTaskId) -> Vec<GuardProgress> {
    progress(&host.app.db, &host.app.config.gray, &host.caller, task).await.expect("progress").guards
}

/// What the only guard has said, newest first.
async fn said(host: &TestHost, task: &GrayTaskId) -> Vec<GuardSaid> {
    guards_of(host, task).await.remove(0).looks.iter().map(|look| look.said).collect()
}

/// Devices with numbers from `from` on ask: of five one is on wifi, and gets 1.1.0, and the others get 1.0.0. All of them run
/// what they get, and it fails on those that `fails` picks.
async fn devices(host: &TestHost, from: u32, count: u32, fails: impl Fn(u32) -> bool) {
    for number in from..from + count {
        let network = if number % 5 == 0 { "wifi" } else { "4g" };
        let asks = berth_model::check::Device { network: network.into(), ..device(&format!("device-{number}")) };
        let version = if number % 5 == 0 { "1.1.0" } else { "1.0.0" };
        assert_eq!(host.ask(&asks, None).await.version, Some(v(version)));
        host.ask(&asks, Some(version)).await;
        if fails(number) {
            tell(host, number, version, "failed");
        }
    }
}

fn tell(host: &TestHost, number: u32, version: &str, kind: &str) {
    let report = json!({"host_app": HOST, "guid": format!("device-{number}"), "mini_app": APP, "version": version, "kind": kind});
    let report: Report = serde_json::from_value(report).expect("report");
    report::take(&host.app.checks, &host.key, &report).expect("taken");
}

/// Waits until so many devices of the task, and so many beside it, are known to have tried a version and to have failed.
async fn known(host: &TestHost, task: &GrayTaskId, gray: [u64; 2], online: [u64; 2]) {
    for _ in 0..200 {
        let mut tx = host.app.db.read().await.expect("read");
        if sums(&mut tx, task).await == [gray, online] {
            return;
        }
        drop(tx);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let mut tx = host.app.db.read().await.expect("read");
    assert_eq!(sums(&mut tx, task).await, [gray, online]);
}

async fn sums(tx: &mut Tx, task: &GrayTaskId) -> [[u64; 2]; 2] {
    let since = tx.delivers_since(task).await.expect("since").expect("delivers");
    let sum = |firsts: Vec<health::Firsts>| {
        let count = |what| firsts.iter().filter(|(first, ..)| *first == what).map(|(.., count)| count).sum();
        [count(health::First::Tried), count(health::First::Failed)]
    };
    [
        sum(tx.firsts_of_admitted(task, since, 60_000).await.expect("firsts")),
        sum(tx.firsts_of_bystanders(task, since, 60_000).await.expect("firsts")),
    ]
}

async fn look_after(host: &TestHost, minutes: i64) -> usize {
    host.clock.advance_seconds(minutes * 60);
    look_around(&host.app.guards).await.expect("look")
}

#[tokio::test]
async fn g13_a_guard_is_asked_once_for_each_window_and_suspends_what_fails() {
    let (host, task) = watched(vec![guard("error-rate", json!({"config": {"min_devices": 10}}))], &[]).await;
    devices(&host, 0, 100, |_| false).await;
    known(&host, &task, [20, 0], [80, 0]).await;
    assert_eq!((look_after(&host, 4).await, look_after(&host, 1).await, look_after(&host, 0).await), (0, 1, 0));
    assert_eq!(said(&host, &task).await, [GuardSaid::CarryOn]);
    devices(&host, 100, 100, |number| number % 5 == 0).await;
    known(&host, &task, [40, 20], [160, 0]).await;
    let other = host.beside().await;
    host.clock.advance_seconds(300);
    let (one, two) = tokio::join!(look_around(&host.app.guards), look_around(&other.app.guards));
    assert_eq!(one.expect("look") + two.expect("look"), 1, "one of two hosts");
    let guards = guards_of(&host, &task).await;
    let look = &guards[0].looks[0];
    assert_eq!((look.said, look.moved, guards[0].counts.suspend), (GuardSaid::Suspend, true, 1));
    let count = |beside: &health::Beside| {
        [beside.gray, beside.online].map(|side| (side.minutes, side.checks, side.tried, side.failed))
    };
    assert_eq!(count(&look.window), [(5, 20, 20, 20), (5, 80, 80, 0)]);
    assert_eq!(count(&look.total), [(10, 40, 40, 20), (10, 160, 160, 0)]);
    let view = get(&host.app.db, &host.caller, &task).await.expect("task");
    let last = view.moves.last().expect("a move");
    assert_eq!((view.state, last.cause, &last.by), (State::Suspended, Cause::Guard, &guards[0].binding.to_string()));
    assert!(
        last.note.starts_with("error-rate suspends the task: 1.1.0 fails on 20 of 40 devices (50.0 %)"),
        "{}",
        last.note
    );
    let asks = berth_model::check::Device { network: "wifi".into(), ..device("later") };
    let told = host.explain(&asks).await.results.remove(0);
    let step = told.steps.iter().find(|step| step.rule == "admitted").expect("a step");
    assert!(step.says.contains("Its guard error-rate suspends the task: 1.1.0 fails on 20 of 40"), "{}", step.says);
    assert_eq!(look_after(&host, 60).await, 0, "nobody watches a task that does not deliver");
}

#[tokio::test]
async fn g13_who_resumes_a_task_has_overruled_the_guard_which_begins_anew() {
    let (host, task) = watched(vec![guard("error-rate", json!({"config": {"min_devices": 10}}))], &[]).await;
    devices(&host, 0, 100, |number| number % 5 == 0).await;
    known(&host, &task, [20, 20], [80, 0]).await;
    look_after(&host, 5).await;
    assert_eq!(said(&host, &task).await, [GuardSaid::Suspend]);
    host.clock.advance_seconds(3600);
    resume(&host.app.db, &host.caller, &task, &Note::default()).await.expect("resume");
    assert_eq!(look_after(&host, 0).await, 1, "it begins a window");
    tell(&host, 5, "1.1.0", "failed"); // once more, on a device that was there before
    devices(&host, 200, 60, |_| false).await;
    known(&host, &task, [12, 0], [48, 0]).await;
    look_after(&host, 5).await;
    assert_eq!(said(&host, &task).await, [GuardSaid::CarryOn, GuardSaid::Suspend]);
    let moves = get(&host.app.db, &host.caller, &task).await.expect("task").moves;
    assert_eq!(moves.last().map(|one| one.cause), Some(Cause::Hand));
}

#[tokio::test]
async fn g13_below_the_minimum_sample_a_guard_is_not_asked() {
    let trap = Guest::guard().call("unreachable");
    let (host, task) = watched(vec![guard("by-hand", json!({}))], &[trap]).await;
    devices(&host, 0, 45, |_| true).await;
    known(&host, &task, [9, 9], [36, 36]).await;
    look_after(&host, 5).await;
    assert_eq!(said(&host, &task).await, [GuardSaid::TooFew]);
    devices(&host, 45, 1, |_| false).await;
    known(&host, &task, [10, 9], [36, 36]).await;
    look_after(&host, 5).await;
    assert_eq!(said(&host, &task).await, [GuardSaid::Trapped, GuardSaid::TooFew]);
}

#[tokio::test]
async fn g13_a_host_that_was_away_asks_once_about_all_that_it_missed() {
    let (host, task) = watched(vec![guard("by-hand", json!({}))], &[Guest::guard()]).await;
    devices(&host, 0, 50, |_| false).await;
    known(&host, &task, [10, 0], [40, 0]).await;
    assert_eq!((look_after(&host, 63).await, look_after(&host, 1).await, look_after(&host, 1).await), (1, 0, 1));
    let look = guards_of(&host, &task).await.remove(0).looks.remove(1);
    assert_eq!((look.total.gray.minutes, look.window.gray.tried, look.total.gray.tried), (60, 0, 10));
}

#[tokio::test]
async fn g13_f51_a_guard_of_a_host_that_died_is_asked_by_another_one() {
    let (host, task) = watched(vec![guard("by-hand", json!({}))], &[Guest::guard()]).await;
    host.clock.advance_seconds(300);
    let mut tx = host.app.db.begin().await.expect("begin");
    let lease = berth_store::Lease::at("dead", host.app.db.now(), 60);
    assert!(tx.claim_guard(&lease).await.expect("claim").is_some());
    tx.commit().await.expect("commit");
    assert_eq!((look_after(&host, 0).await, look_after(&host, 1).await), (0, 1));
    assert_eq!(said(&host, &task).await, [GuardSaid::TooFew]);
}

/// Takes the next guard for a worker of this host, at a moment.
async fn taken(host: &TestHost, seconds: i64) -> Option<(GuardWatch, Lease)> {
    let db = &host.app.db;
    let lease = Lease::at(db.host(), db.now().plus_seconds(seconds), guard::LEASE_SECONDS);
    let mut tx = db.begin().await.expect("begin");
    let watch = tx.claim_guard(&lease).await.expect("claim");
    tx.commit().await.expect("commit");
    watch.map(|watch| (watch, lease))
}

async fn given_back(host: &TestHost, (watch, lease): &(GuardWatch, Lease)) -> bool {
    let mut tx = host.app.db.begin().await.expect("begin");
    let done = tx.give_guard_back(watch, lease).await.expect("give back");
    tx.commit().await.expect("commit");
    done
}

#[tokio::test]
async fn g13_f51_a_worker_that_took_too_long_gives_nothing_back_that_another_one_of_its_host_has() {
    let (host, _) = watched(vec![guard("by-hand", json!({}))], &[Guest::guard()]).await;
    let slow = taken(&host, 300).await.expect("due");
    assert!(taken(&host, 300).await.is_none());
    let other = taken(&host, 300 + guard::LEASE_SECONDS).await.expect("the lease is over");
    assert_eq!((given_back(&host, &slow).await, given_back(&host, &other).await), (false, true));
}

#[tokio::test]
async fn g13_a_guard_that_could_not_be_looked_at_is_due_again_soon() {
    let (host, task) = watched(vec![guard("by-hand", json!({}))], &[Guest::guard()]).await;
    host.clock.advance_seconds(300);
    run(&host.app.db, "UPDATE policy_binding SET watch = '{\"min_devices\": \"many\"}' WHERE watch IS NOT NULL").await;
    assert!(look_around(&host.app.guards).await.is_err());
    run(&host.app.db, "UPDATE policy_binding SET watch = NULL WHERE watch IS NOT NULL").await;
    host.clock.advance_seconds(guard::AGAIN_SECONDS - 1);
    assert_eq!(look_around(&host.app.guards).await.expect("look"), 0);
    host.clock.advance_seconds(1);
    assert_eq!(look_around(&host.app.guards).await.expect("look"), 1);
    assert_eq!(said(&host, &task).await, [GuardSaid::TooFew]);
}

#[tokio::test]
async fn g13_f77_teams_take_turns_with_their_guards() {
    let guards = vec![guard("by-hand", json!({})), guard("by-hand", json!({"mode": "shadow"}))];
    let (host, busy) = watched(guards, &[Guest::guard()]).await;
    let tea = host.of_another_team("tea").await;
    host.version_of(&tea, "1.1.0", "approved").await;
    let calm =
        host.task_of(&tea, "1.1.0", |new| new.policies = vec![guard("by-hand", json!({}))]).await.expect("task").id;
    look_around(&host.app.guards).await.expect("look");
    // The guards of the busy team have waited for longer, and one of them comes first; then it is the turn of the other team.
    let mut order = Vec::new();
    while let Some((mut watch, lease)) = taken(&host, 400).await {
        watch.due_at = Millis(host.app.db.now().0 + 1_000_000);
        order.push(watch.task_id.clone());
        assert!(given_back(&host, &(watch, lease)).await);
    }
    assert_eq!(order, [&busy, &calm, &busy].map(Clone::clone));
}

#[tokio::test]
async fn g13_a_task_keeps_what_its_guards_are_told_to_do_on_errors() {
    for (terms, state) in [
        (json!({}), State::Suspended),
        (json!({"on_error": "open"}), State::Delivering),
        (json!({"mode": "shadow"}), State::Delivering),
    ] {
        let trap = Guest::guard().call("unreachable");
        let (host, task) = watched(vec![guard("by-hand", terms)], &[trap]).await;
        devices(&host, 0, 50, |_| false).await;
        known(&host, &task, [10, 0], [40, 0]).await;
        look_after(&host, 5).await;
        let view = get(&host.app.db, &host.caller, &task).await.expect("task");
        assert_eq!((view.state, said(&host, &task).await), (state, vec![GuardSaid::Trapped]));
        let counts = host.app.guards.tally.counts();
        assert_eq!(counts.values().sum::<u64>(), 1, "{counts:?}");
    }
}

/// A guard never judges devices: its binding is none of those that a check asks.
#[tokio::test]
async fn g13_a_guard_has_no_part_in_checks() {
    let (host, task) = watched(vec![guard("by-hand", json!({}))], &[Guest::guard().call("unreachable")]).await;
    host.settle().await;
    let index = host.app.checks.live.current();
    let entry = index.task(task.as_str()).expect("task");
    let judges: Vec<_> = entry.judges.iter().map(|bound| bound.spec.policy.as_str()).collect();
    assert_eq!(judges, ["standard-conditions"]);
    assert_eq!(index.mini_app(shop().as_str()).expect("shop").gray.len(), 1);
}

/// A version that does well says nothing until the device asks again, and one that fails says so at once.
#[tokio::test]
async fn g13_a_device_has_tried_what_it_has_downloaded() {
    let (host, task) = watched(vec![guard("by-hand", json!({}))], &[Guest::guard()]).await;
    let asks = berth_model::check::Device { network: "wifi".into(), ..device("device-0") };
    assert_eq!(host.ask(&asks, None).await.version, Some(v("1.1.0")));
    tell(&host, 0, "1.1.0", "downloaded");
    known(&host, &task, [1, 0], [0, 0]).await;
    host.ask(&asks, Some("1.1.0")).await;
    tell(&host, 0, "1.1.0", "failed");
    known(&host, &task, [1, 1], [0, 0]).await;
}

#[tokio::test]
async fn g13_a_device_that_the_task_admits_later_is_beside_it_no_more() {
    let (host, task) = watched(vec![guard("by-hand", json!({}))], &[Guest::guard()]).await;
    devices(&host, 0, 10, |_| false).await;
    known(&host, &task, [2, 0], [8, 0]).await;
    let asks = berth_model::check::Device { network: "wifi".into(), ..device("device-1") };
    assert_eq!(host.ask(&asks, Some("1.0.0")).await.version, Some(v("1.1.0")));
    host.ask(&asks, Some("1.1.0")).await;
    tell(&host, 1, "1.0.0", "failed"); // of a version that it had before
    known(&host, &task, [3, 0], [7, 0]).await;
}
