//! Tests of checks on a whole host: database, events, index, admission.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bytes::Bytes;
use serde_json::{Value, json};

use berth_base::{
    error::Code,
    ids::{CohortId, Digest},
};
use berth_check::{Asker, check, explain};
use berth_model::check::{CheckRequest, Having, Reason, Status};
use berth_model::{
    mini_app::{MinVersion, Shelf},
    rollout::{Cohort, Note, Side},
};

use crate::{
    rollout, shelf,
    testing::{APP, DAWN, device, host, question, shop, v},
};

#[tokio::test]
async fn o3_an_embedded_package_is_told_update_current_or_removed() {
    let host = host().await;
    host.approved("1.1.0").await;
    host.publish("1.1.0", false).await;
    let asker = device("g");
    assert_eq!(host.ask(&asker, Some("1.0.0")).await.status, Status::Update);
    assert_eq!(host.ask(&asker, Some("1.1.0")).await.status, Status::Current);
    host.roll_back("1.0.0").await;
    assert_eq!(host.ask(&asker, Some("1.1.0")).await.version, Some(v("1.0.0")));
    assert_eq!(host.ask(&asker, Some("1.0.0")).await.status, Status::Current);
    shelve(&host, false).await;
    let removed = host.ask(&asker, Some("1.0.0")).await;
    assert_eq!((removed.status, removed.version, removed.package), (Status::Removed, None, None));
    assert!(removed.force, "what is embedded must not run (V11)");
}

async fn shelve(host: &crate::testing::TestHost, on: bool) {
    shelf::shelve(&host.app.db, &host.caller, &shop(), Shelf { on, note: "recall".into(), resume: false })
        .await
        .expect("shelf");
}

#[tokio::test]
async fn a3_back_on_the_shelf_the_online_version_is_served_as_before() {
    let host = host().await;
    shelve(&host, false).await;
    shelve(&host, true).await;
    assert_eq!(host.ask(&device("g"), Some("1.0.0")).await.status, Status::Current);
}

#[tokio::test]
async fn v10_only_named_accounts_get_the_trial() {
    let host = host().await;
    host.version("2.0.0", "development").await;
    host.trial("2.0.0", &["alice"]).await;
    let mut asker = device("g");
    assert_eq!(host.ask(&asker, None).await.reason, Some(Reason::Online));
    asker.account = Some("bob".into());
    assert_eq!(host.ask(&asker, None).await.reason, Some(Reason::Online));
    asker.account = Some("alice".into());
    let trial = host.ask(&asker, None).await;
    assert_eq!((trial.reason, trial.version), (Some(Reason::Trial), Some(v("2.0.0"))));
    assert_eq!(trial.entry_path.as_deref(), Some("pages/index"));
}

#[tokio::test]
async fn v11_a_version_below_the_minimum_is_forced() {
    let host = host().await;
    for number in ["1.1.0", "1.2.0"] {
        host.approved(number).await;
        host.publish(number, false).await;
    }
    let min = MinVersion { version: Some(v("1.1.0")) };
    crate::version::set_min_version(&host.app.db, &host.caller, &shop(), min).await.expect("minimum");
    let old = host.ask(&device("g"), Some("1.0.0")).await;
    assert_eq!((old.force, old.min_version), (true, Some(v("1.1.0"))));
    assert!(!host.ask(&device("g"), Some("1.1.0")).await.force);
    assert!(!host.ask(&device("g"), None).await.force);
}

#[tokio::test]
async fn v12_a_skipped_forced_release_still_forces() {
    let host = host().await;
    for (number, forced) in [("1.1.0", true), ("1.2.0", false)] {
        host.approved(number).await;
        host.publish(number, forced).await;
    }
    assert!(host.ask(&device("g"), Some("1.0.0")).await.force);
    assert!(!host.ask(&device("g"), Some("1.1.0")).await.force);
    host.roll_back("1.0.0").await;
    assert!(!host.ask(&device("g"), Some("0.9.0")).await.force, "what was rolled back forces nobody");
    host.approved("1.3.0").await;
    host.publish("1.3.0", false).await;
    assert!(!host.ask(&device("g"), Some("1.0.0")).await.force, "and not once something above it is online, either");
    host.roll_back("1.2.0").await;
    host.approved("1.4.0").await;
    host.publish("1.4.0", true).await;
    assert!(host.ask(&device("g"), Some("1.3.0")).await.force, "one that was forced after it stands");
}

#[tokio::test]
async fn v8_publishing_ends_tasks_up_to_that_version_for_all_their_devices() {
    let host = host().await;
    host.approved("1.1.0").await;
    host.approved("1.2.0").await;
    let task = host.task("1.1.0", |new| new.max_users = Some(1)).await.expect("task");
    assert_eq!(host.version_for("first").await, "1.1.0");
    let higher = host.task("1.2.0", |new| new.networks = vec!["none".into()]).await.expect("task");
    assert_eq!(host.version_for("first").await, "1.1.0", "ended by the cap and honoured");
    host.publish("1.1.0", false).await;
    assert_eq!(host.ask(&device("first"), None).await.reason, Some(Reason::Online));
    let get = async |id| rollout::get(&host.app.db, &host.caller, id).await.expect("task");
    assert!(!get(&task.id).await.honoured);
    assert_eq!(get(&higher.id).await.state, rollout::State::Delivering);
}

#[tokio::test]
async fn v9_after_a_rollback_a_task_above_the_online_version_goes_on() {
    let host = host().await;
    host.approved("1.1.0").await;
    host.publish("1.1.0", false).await;
    host.approved("1.2.0").await;
    host.task("1.2.0", |_| {}).await.expect("task");
    assert_eq!(host.version_for("a").await, "1.2.0");
    host.roll_back("1.0.0").await;
    assert_eq!(host.version_for("a").await, "1.2.0");
    assert_eq!(host.version_for("b").await, "1.2.0");
}

#[tokio::test]
async fn g9_of_several_matching_tasks_the_newest_wins() {
    let host = host().await;
    host.approved("1.1.0").await;
    host.approved("1.2.0").await;
    host.task("1.1.0", |_| {}).await.expect("task");
    let newest = host.task("1.2.0", |_| {}).await.expect("task");
    let answer = host.ask(&device("g"), None).await;
    assert_eq!((answer.version, answer.gray_task), (Some(v("1.2.0")), Some(newest.id.clone())));
    rollout::end(&host.app.db, &host.caller, &newest.id, &Note::default()).await.expect("end");
    assert_eq!(host.version_for("g").await, "1.1.0");
}

#[tokio::test]
async fn g10_suspended_nobody_new_is_admitted_and_the_admitted_stay() {
    let host = host().await;
    host.approved("1.1.0").await;
    let task = host.task("1.1.0", |_| {}).await.expect("task");
    assert_eq!(host.version_for("early").await, "1.1.0");
    rollout::suspend(&host.app.db, &host.caller, &task.id, &Note::default()).await.expect("suspend");
    assert_eq!(host.version_for("late").await, "1.0.0");
    assert_eq!(host.version_for("early").await, "1.1.0");
    rollout::resume(&host.app.db, &host.caller, &task.id, &Note::default()).await.expect("resume");
    assert_eq!(host.version_for("late").await, "1.1.0");
}

#[tokio::test]
async fn g6_an_admitted_device_stays_when_the_conditions_hold_no_more() {
    let host = host().await;
    host.approved("1.1.0").await;
    host.task("1.1.0", |new| new.networks = vec!["wifi".into()]).await.expect("task");
    let mut asker = device("g");
    assert_eq!(host.ask(&asker, None).await.version, Some(v("1.1.0")));
    asker.network = "4g".into();
    assert_eq!(host.ask(&asker, None).await.version, Some(v("1.1.0")));
    assert_eq!(host.beside().await.ask(&asker, None).await.version, Some(v("1.1.0")), "a host that starts now knows");
    asker.guid = "other".into();
    assert_eq!(host.ask(&asker, None).await.version, Some(v("1.0.0")));
}

#[tokio::test]
async fn g6_after_an_end_by_hand_or_by_time_all_return() {
    let host = host().await;
    host.approved("1.1.0").await;
    let task = host.task("1.1.0", |_| {}).await.expect("task");
    assert_eq!(host.version_for("g").await, "1.1.0");
    rollout::end(&host.app.db, &host.caller, &task.id, &Note::default()).await.expect("end");
    assert_eq!(host.version_for("g").await, "1.0.0");
    host.task("1.1.0", |_| {}).await.expect("task");
    assert_eq!(host.version_for("g").await, "1.1.0");
    host.clock.advance_seconds(3600);
    assert_eq!(host.version_for("g").await, "1.0.0", "the clock decides before anybody stores it");
}

#[tokio::test]
async fn g6_what_the_cap_left_with_its_devices_can_be_taken_back_by_hand() {
    let host = host().await;
    host.approved("1.1.0").await;
    let task = host.task("1.1.0", |new| new.max_users = Some(1)).await.expect("task");
    assert_eq!(host.version_for("first").await, "1.1.0");
    assert_eq!(host.version_for("second").await, "1.0.0");
    host.clock.advance_seconds(9999);
    assert_eq!(host.version_for("first").await, "1.1.0", "an end by the cap is honoured past the period");
    let task = rollout::end(&host.app.db, &host.caller, &task.id, &Note::default()).await.expect("recall");
    assert_eq!((task.state, task.ended_by), (rollout::State::Ended, Some(rollout::Cause::Cap)));
    assert_eq!(host.version_for("first").await, "1.0.0");
}

#[tokio::test]
async fn g12_all_policies_must_admit_and_shadow_ones_decide_nothing() {
    let host = host().await;
    host.approved("1.1.0").await;
    let policy = |say: &str, mode: &str, on_error: &str| json!({"policy": "verdict", "config": {"say": say}, "mode": mode, "on_error": on_error});
    let cases = [
        (vec![policy("admit", "enforce", "closed"), policy("admit", "enforce", "closed")], "1.1.0"),
        (vec![policy("admit", "enforce", "closed"), policy("refuse", "enforce", "closed")], "1.0.0"),
        (vec![policy("refuse", "shadow", "closed")], "1.1.0"),
        (vec![policy("trap", "enforce", "closed")], "1.0.0"),
        (vec![policy("trap", "enforce", "open")], "1.1.0"),
        (vec![policy("trap", "enforce", "open"), policy("refuse", "enforce", "open")], "1.0.0"),
    ];
    for (number, (policies, expected)) in cases.into_iter().enumerate() {
        let policies = serde_json::from_value(json!(policies)).expect("policies");
        let task = host.task("1.1.0", |new| new.policies = policies).await.expect("task");
        assert_eq!(host.version_for("g").await, expected, "case {number}");
        rollout::end(&host.app.db, &host.caller, &task.id, &Note::default()).await.expect("end");
    }
}

#[tokio::test]
async fn g14_explain_says_rule_by_rule_what_decided_and_admits_nobody() {
    let host = host().await;
    host.approved("1.1.0").await;
    host.approved("1.2.0").await;
    let older = host.task("1.1.0", |_| {}).await.expect("task");
    let newer = host.task("1.2.0", |new| new.networks = vec!["5g".into()]).await.expect("task");
    let explanation = host.explain(&device("g")).await;
    let explained = &explanation.results[0];
    let steps: Vec<_> =
        explained.steps.iter().map(|step| (step.rule.as_str(), step.gray_task.as_ref(), step.passed)).collect();
    assert_eq!(steps, [("policy", Some(&newer.id), false), ("conditions", Some(&older.id), true)]);
    assert!(explained.steps[0].says.contains("standard-conditions"), "{}", explained.steps[0].says);
    assert_eq!(explained.result.version, Some(v("1.1.0")));
    assert_eq!(rollout::get(&host.app.db, &host.caller, &older.id).await.expect("task").admitted, 0);
}

#[tokio::test]
async fn g12_what_policies_say_is_counted_also_of_shadow_ones_and_not_for_explain() {
    let host = host().await;
    host.approved("1.1.0").await;
    let shadow = json!([{"policy": "verdict", "config": {"say": "refuse"}, "mode": "shadow"}]);
    let shadow = serde_json::from_value(shadow).expect("policies");
    let task = host.task("1.1.0", |new| new.policies = shadow).await.expect("task");
    host.explain(&device("g")).await;
    assert_eq!(host.version_for("g").await, "1.1.0");
    let index = host.app.checks.live.current();
    let counts = index.task(task.id.as_str()).expect("task").judges[0].tally.counts();
    assert_eq!((counts.refuse, counts.admit), (1, 0));
}

#[tokio::test]
async fn g12_a_policy_that_cannot_be_loaded_admits_nobody_until_it_can() {
    let host = host().await;
    host.approved("1.1.0").await;
    host.judges_up.store(false, Ordering::SeqCst);
    let admit = json!([{"policy": "verdict", "config": {"say": "admit"}}]);
    let admit = serde_json::from_value(admit).expect("policies");
    host.task("1.1.0", |new| new.policies = admit).await.expect("task");
    assert_eq!(host.version_for("g").await, "1.0.0");
    assert_eq!(host.app.checks.live.following().unready, 1);
    host.judges_up.store(true, Ordering::SeqCst);
    for _ in 0..60 {
        super::refresh(&host.app.follower).await.expect("round");
    }
    assert_eq!(host.app.checks.live.following().unready, 0);
    assert_eq!(host.version_for("g").await, "1.1.0");
}

#[tokio::test]
async fn g12_a_policy_whose_list_cannot_be_read_admits_nobody_until_it_can() {
    let host = host().await;
    host.approved("1.1.0").await;
    let members = Bytes::from_static(b"g\n");
    let list = list_without_bytes(&host, &members).await;
    // The policy admits whom the list does not have, as one does that leaves devices out.
    let policies = json!([{"policy": "verdict", "config": {"say": "admit", "unless": {"in": [list]}}}]);
    let policies = serde_json::from_value(policies).expect("policies");
    host.task("1.1.0", |new| new.policies = policies).await.expect("task");
    assert_eq!(host.version_for("g").await, "1.0.0");
    assert_eq!(host.version_for("h").await, "1.0.0", "who knows whether it was to be left out");
    assert_eq!(host.app.checks.live.following().unready, 1);
    host.app.blobs.keep_bytes(members).await.expect("the bytes are back");
    for _ in 0..60 {
        super::refresh(&host.app.follower).await.expect("round");
    }
    assert_eq!(host.app.checks.live.following().unready, 0);
    assert_eq!(host.version_for("h").await, "1.1.0");
}

/// A policy that admits everybody, once it is ready.
fn ready_after(milliseconds: u64) -> Value {
    json!([{"policy": "verdict", "config": {"say": "admit", "ready_after_ms": milliseconds}}])
}

#[tokio::test]
async fn f77_g12_a_policy_that_takes_long_to_make_ready_holds_up_no_other_mini_app() {
    let host = host().await;
    let other = host.of_another_team("other").await;
    host.approved("1.1.0").await;
    let policies = serde_json::from_value(ready_after(3_600_000)).expect("policies");
    host.task("1.1.0", |new| new.policies = policies).await.expect("task");
    host.version_of(&other, "1.1.0", "approved").await;
    let how = serde_json::from_value(json!({})).expect("publish");
    crate::version::publish(&host.app.db, &host.caller, &other, &v("1.1.0"), how).await.expect("publish");
    tokio::time::timeout(Duration::from_secs(30), host.settle()).await.expect("changes are followed");
    let apps = vec![Having { mini_app: other.to_string(), version: None }];
    let answer = host.check(&CheckRequest { device: device("g"), apps }).await;
    assert_eq!(answer.results[0].version, Some(v("1.1.0")));
    assert_eq!(host.app.checks.live.following().unready, 1);
    assert_eq!(host.version_for("g").await, "1.0.0", "what is not ready admits nobody");
}

#[tokio::test]
async fn g12_a_policy_that_is_ready_late_decides_as_soon_as_it_is() {
    let host = host().await;
    host.approved("1.1.0").await;
    let policies = serde_json::from_value(ready_after(4_000)).expect("policies");
    host.task("1.1.0", |new| new.policies = policies).await.expect("task");
    assert_eq!(host.version_for("g").await, "1.0.0");
    let asked = tokio::time::Instant::now();
    while host.version_for("g").await != "1.1.0" {
        assert!(asked.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(host.app.checks.live.following().unready, 0);
}

/// A list with these members, of which only the row is there.
async fn list_without_bytes(host: &crate::testing::TestHost, members: &[u8]) -> CohortId {
    let cohort = Cohort {
        id: CohortId::generate(DAWN, host.app.db.random()),
        name: "staff".into(),
        members: 1,
        lines: 1,
        blanks: 0,
        duplicates: 0,
        sha256: Digest::of(members),
        created_by: "test".into(),
        created_at: DAWN,
    };
    let mut tx = host.app.db.begin().await.expect("begin");
    tx.insert_cohort(&shop(), &cohort).await.expect("list");
    tx.commit().await.expect("commit");
    cohort.id
}

#[tokio::test]
async fn o2_only_what_is_online_and_on_the_shelf_has_an_offline_package() {
    let host = host().await;
    let offline = async || {
        host.settle().await;
        let index = host.app.checks.live.current();
        let release = index.mini_app("shop").expect("shop").offline().map(|release| release.version.clone());
        release.map_err(|error| error.code)
    };
    assert_eq!(offline().await, Ok(v("1.0.0")));
    shelve(&host, false).await;
    assert_eq!(offline().await, Err(Code::PackageOffShelf));
}

#[tokio::test]
async fn f80_the_key_must_be_that_of_the_host_app() {
    let host = host().await;
    host.settle().await;
    let wrong = check(&host.app.checks, &Asker::Key("pk_0"), &question(&device("g"), None), &|_| true).await;
    assert_eq!(wrong.map_err(|error| error.code).err(), Some(Code::InvalidHostAppKey));
    let stranger = crate::testing::person(host.caller.account.clone(), Vec::new());
    let refused = explain(&host.app.checks, &stranger, &question(&device("g"), None)).await;
    assert_eq!(refused.map_err(|error| error.code).err(), Some(Code::MissingGrant));
}

#[tokio::test]
async fn a_change_is_seen_by_another_host_within_a_second() {
    let (one, now) = (host().await, tokio::time::Instant::now());
    let two = one.beside().await;
    one.approved("1.1.0").await;
    one.publish("1.1.0", false).await;
    while two.ask_now(&device("g"), None).await.version != Some(v("1.1.0")) {
        assert!(now.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn f56_checks_go_on_without_the_database() {
    let host = host().await;
    host.approved("1.1.0").await;
    host.task("1.1.0", |_| {}).await.expect("task");
    assert_eq!(host.version_for("in").await, "1.1.0");
    host.app.db.close().await;
    assert_eq!(host.ask_now(&device("in"), None).await.version, Some(v("1.1.0")));
    assert_eq!(host.ask_now(&device("new"), None).await.version, Some(v("1.0.0")), "nobody can be admitted now");
    assert_eq!(host.app.checks.admitter.counts().unavailable, 1);
}

#[tokio::test]
async fn f56_f61_a_check_asks_for_no_further_admission_once_one_had_no_answer() {
    let host = host().await;
    let other = host.of_another_team("other").await;
    for number in ["1.1.0", "1.2.0"] {
        host.approved(number).await;
        host.task(number, |_| {}).await.expect("task");
    }
    host.version_of(&other, "1.1.0", "approved").await;
    host.task_of(&other, "1.1.0", |_| {}).await.expect("task");
    host.settle().await;
    host.app.db.close().await;
    let apps = [APP, other.as_str()].map(|id| Having { mini_app: id.to_owned(), version: None });
    let request = CheckRequest { device: device("new"), apps: apps.into() };
    let newcomers = AtomicUsize::new(0);
    let newcomer = |_: Side| newcomers.fetch_add(1, Ordering::SeqCst) < 100;
    let answer = check(&host.app.checks, &Asker::Key(&host.key), &request, &newcomer).await.expect("an answer");
    let online = Some(v("1.0.0"));
    assert!(answer.results.iter().all(|result| result.version == online), "{answer:?}");
    assert_eq!(host.app.checks.admitter.counts().unavailable, 1);
    assert_eq!(newcomers.load(Ordering::SeqCst), 1, "what is not asked for takes none of the places of an address");
}

#[tokio::test]
async fn i3_a_host_that_learns_of_a_suspension_knows_all_that_were_admitted() {
    let one = host().await;
    let two = one.beside().await;
    one.approved("1.1.0").await;
    let task = one.task("1.1.0", |_| {}).await.expect("task");
    let guids: BTreeSet<_> = (0..200).map(|n| format!("g{n}")).collect();
    one.settle().await;
    for guid in &guids {
        assert_eq!(one.ask_now(&device(guid), None).await.reason, Some(Reason::Gray));
    }
    rollout::suspend(&one.app.db, &one.caller, &task.id, &Note::default()).await.expect("suspend");
    two.settle().await;
    for guid in &guids {
        assert_eq!(two.ask_now(&device(guid), None).await.reason, Some(Reason::Gray));
    }
}
