//! Tests of gray tasks on whole hosts: creation, the cap on several hosts, lists, progress.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::join_all;
use serde_json::json;

use super::*;
use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::{TeamId, UserId, VersionId},
};
use berth_check::Admission;
use berth_model::{
    access::{Caller, Role, Scope},
    check::{Reason, Status},
    event::EventQuery,
    report::Report,
    rollout::Side,
};

use crate::{
    report,
    testing::{DAWN, TestHost, device, host, mall, person, shop, v},
};

fn code<T>(result: Result<T>) -> Option<Code> {
    result.map_err(|error| error.code).err()
}

#[tokio::test]
async fn g1_a_first_release_cannot_be_gray() {
    let host = host().await;
    let new = serde_json::from_value(json!({"name": "Other", "id": "other"})).expect("new");
    crate::mini_app::create(&host.app.db, &team_admin(&host).await, new).await.expect("create");
    let other: berth_base::ids::MiniAppId = "other".parse().expect("id");
    let mut tx = host.app.db.begin().await.expect("begin");
    let mut version = tx.require_version(&shop(), &v("1.0.0")).await.expect("version");
    version.id = VersionId::generate(DAWN, host.app.db.random());
    (version.mini_app_id, version.state) = (other.clone(), berth_model::version::State::Approved);
    tx.insert_version(&version).await.expect("insert");
    tx.commit().await.expect("commit");
    let new = json!({"name": "first", "version": "1.0.0", "start": DAWN, "end": DAWN.plus_seconds(60)});
    let new = serde_json::from_value(new).expect("new");
    assert_eq!(
        code(create(&host.app.db, &*host.app.judges, &host.caller, &other, new).await),
        Some(Code::GrayFirstRelease)
    );
}

async fn team_admin(host: &TestHost) -> Caller {
    let mut tx = host.app.db.read().await.expect("read");
    let mini_app = tx.mini_app(&shop()).await.expect("read").expect("shop");
    let team = (mini_app.scope(), berth_model::access::Role::Admin);
    Caller { grants: vec![team], ..host.caller.clone() }
}

#[tokio::test]
async fn g1_the_version_is_approved_never_online_and_above_the_online_one() {
    let host = host().await;
    host.approved("0.9.0").await;
    host.version("1.1.0", "auditing").await;
    host.approved("1.2.0").await;
    host.publish("1.2.0", false).await;
    host.roll_back("1.0.0").await;
    assert_eq!(code(host.task("0.9.0", |_| {}).await), Some(Code::VersionOrder));
    assert_eq!(code(host.task("1.1.0", |_| {}).await), Some(Code::VersionState));
    assert_eq!(code(host.task("1.2.0", |_| {}).await), Some(Code::VersionState), "was online");
    assert_eq!(code(host.task("9.9.9", |_| {}).await), Some(Code::NotFound));
}

#[tokio::test]
async fn g2_g3_the_name_the_period_and_the_cap_are_checked() {
    let host = host().await;
    host.approved("1.1.0").await;
    assert_eq!(code(host.task("1.1.0", |new| new.name = "灰".repeat(21)).await), Some(Code::InvalidField));
    assert_eq!(code(host.task("1.1.0", |new| new.end = new.start.plus_seconds(-1)).await), Some(Code::GrayPeriod));
    let past = |new: &mut NewGrayTask| (new.start, new.end) = (Millis(0), Millis(1));
    assert_eq!(code(host.task("1.1.0", past).await), Some(Code::GrayPeriod));
    assert_eq!(code(host.task("1.1.0", |new| new.max_users = Some(0)).await), Some(Code::InvalidField));
    let started = host.task("1.1.0", |new| new.start = Millis(0)).await.expect("a start in the past is now");
    assert_eq!(started.state, State::Delivering);
}

#[tokio::test]
async fn g4_conditions_name_what_is_there() {
    let host = host().await;
    host.approved("1.1.0").await;
    let with = async |conditions: serde_json::Value| {
        let Conditions { host_apps, objects, .. } = serde_json::from_value(conditions).expect("conditions");
        code(host.task("1.1.0", |new| (new.host_apps, new.objects) = (host_apps, objects)).await)
    };
    assert_eq!(with(json!({"host_apps": [{"id": "stranger"}]})).await, Some(Code::InvalidField));
    assert_eq!(with(json!({"host_apps": [{"id": mall()}]})).await, None);
    let unknown = format!("coh_{}", "0".repeat(26));
    let list = json!({"objects": [{"kind": "guid", "cohort": unknown}]});
    assert_eq!(with(list).await, Some(Code::InvalidField));
}

#[test]
fn g4_a_misspelt_condition_is_refused() {
    let new = json!({"name": "n", "version": "1.0.0", "start": DAWN, "end": DAWN, "platform": [{"platform": "ios"}]});
    assert!(serde_json::from_value::<NewGrayTask>(new).is_err());
}

#[tokio::test]
async fn a2_no_task_starts_off_the_shelf() {
    let host = host().await;
    host.approved("1.1.0").await;
    let off = berth_model::mini_app::Shelf { on: false, note: String::new(), resume: false };
    crate::shelf::shelve(&host.app.db, &host.caller, &shop(), off).await.expect("shelf");
    assert_eq!(code(host.task("1.1.0", |_| {}).await), Some(Code::MiniAppOffShelf));
}

#[tokio::test]
async fn f80_tasks_are_hidden_from_strangers_and_kept_from_viewers() {
    let host = host().await;
    host.approved("1.1.0").await;
    let task = host.task("1.1.0", |_| {}).await.expect("task").id;
    let stranger = person(host.caller.account.clone(), Vec::new());
    let mut viewer = team_admin(&host).await;
    viewer.grants[0].1 = berth_model::access::Role::Viewer;
    assert_eq!(code(get(&host.app.db, &stranger, &task).await), Some(Code::NotFound));
    assert_eq!(code(end(&host.app.db, &stranger, &task, &Note::default()).await), Some(Code::NotFound));
    assert_eq!(code(end(&host.app.db, &viewer, &task, &Note::default()).await), Some(Code::MissingGrant));
    assert!(progress(&host.app.db, &host.app.config.gray, &viewer, &task).await.is_ok());
}

#[tokio::test]
async fn g5_every_move_records_who_when_and_why() {
    let host = host().await;
    host.approved("1.1.0").await;
    let task = host.task("1.1.0", |new| new.start = new.start.plus_seconds(10)).await.expect("task").id;
    host.clock.advance_seconds(10);
    assert_eq!(tick(&host.app.db).await.expect("tick"), 1);
    assert_eq!(tick(&host.app.db).await.expect("tick"), 0, "what is stored is not due any more");
    let note = Note { note: "crashes".into() };
    suspend(&host.app.db, &host.caller, &task, &note).await.expect("suspend");
    host.clock.advance_seconds(3600);
    tick(&host.app.db).await.expect("tick");
    let task = get(&host.app.db, &host.caller, &task).await.expect("task");
    let moves: Vec<_> = task.moves.iter().map(|m| (m.from, m.to, m.cause, m.by.as_str(), m.note.as_str())).collect();
    let me = host.caller.account.as_str();
    assert_eq!(
        moves,
        [
            (State::Pending, State::Delivering, Cause::Time, "berth", ""),
            (State::Delivering, State::Suspended, Cause::Hand, me, "crashes"),
            (State::Suspended, State::Ended, Cause::Time, "berth", ""),
        ]
    );
    assert_eq!(code(resume(&host.app.db, &host.caller, &task.id, &note).await), Some(Code::GrayState));
}

#[tokio::test]
async fn i6_every_move_has_its_event() {
    let host = host().await;
    host.approved("1.1.0").await;
    let task = host.task("1.1.0", |new| new.max_users = Some(1)).await.expect("task");
    assert_eq!(host.version_for("g").await, "1.1.0");
    let mut tx = host.app.db.read().await.expect("read");
    let events = tx.events_after(0, 1000).await.expect("events");
    let kinds: Vec<_> = events.iter().filter(|e| e.subject == task.id.as_str()).map(|e| e.kind.as_str()).collect();
    assert_eq!(kinds, ["gray_task.created", "gray_task.started", "gray_task.ended"]);
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=events.len() as i64).collect::<Vec<_>>());
}

#[tokio::test]
async fn g8_tasks_are_listed_newest_first_page_by_page() {
    let host = host().await;
    host.approved("1.1.0").await;
    for _ in 0..3 {
        host.task("1.1.0", |new| new.networks = vec!["wifi".into()]).await.expect("task");
    }
    let query = |cursor| GrayTaskQuery { cursor, limit: Some(2), ..GrayTaskQuery::default() };
    let first = list(&host.app.db, &host.caller, Some(&shop()), &query(None)).await.expect("list");
    let second = list(&host.app.db, &host.caller, Some(&shop()), &query(first.next.clone())).await.expect("list");
    let all: Vec<_> = first.items.iter().chain(&second.items).map(|task| task.created_at).collect();
    assert_eq!((first.items.len(), second.items.len(), second.next.is_none()), (2, 1, true));
    assert!(all.is_sorted_by(|a, b| a > b));
    assert_eq!(first.items[0].in_words, ["Network: wifi"]);
    assert_eq!(first.items[0].policies[0].policy, "standard-conditions");
}

#[tokio::test]
async fn g8_tasks_of_all_mini_apps_are_listed_by_state_for_those_who_know_the_team() {
    let host = host().await;
    host.approved("1.1.0").await;
    let mut tasks = Vec::new();
    for _ in 0..3 {
        tasks.insert(0, host.task("1.1.0", |_| {}).await.expect("task"));
    }
    let (newest, ended) = (tasks[0].id.clone(), tasks[2].id.clone());
    end(&host.app.db, &host.caller, &ended, &Note::default()).await.expect("ended");
    let mine = &host.caller;
    let list = async |caller: &Caller, state: Option<State>, limit: u32, cursor: Option<String>| {
        let query = GrayTaskQuery { state, cursor, limit: Some(limit) };
        let page = list(&host.app.db, caller, None, &query).await.expect("list");
        (page.items.into_iter().map(|task| task.id).collect::<Vec<_>>(), page.next)
    };
    assert_eq!(list(mine, None, 5, None).await.0, tasks.iter().map(|task| task.id.clone()).collect::<Vec<_>>());
    assert_eq!(list(mine, Some(State::Ended), 5, None).await.0, [ended]);
    let (first, next) = list(mine, Some(tasks[0].state), 1, None).await;
    let (second, last) = list(mine, Some(tasks[0].state), 1, next).await;
    assert_eq!((first, second, last), (vec![newest], vec![tasks[1].id.clone()], None));
    let of_another = (Scope::Team(TeamId::generate(DAWN, host.app.db.random())), Role::Admin);
    for grants in [Vec::new(), vec![of_another]] {
        let stranger = person(UserId::generate(DAWN, host.app.db.random()), grants);
        assert!(list(&stranger, None, 5, None).await.0.is_empty());
    }
    assert_eq!(list(&team_admin(&host).await, None, 5, None).await.0.len(), 3);
}

/// Many devices ask two hosts at once, each device on both.
async fn storm(one: &Arc<TestHost>, two: &Arc<TestHost>, devices: usize) -> Vec<String> {
    let ask = |n: usize| {
        let host = if n.is_multiple_of(2) { one.clone() } else { two.clone() };
        let guid = format!("g{}", n / 2);
        tokio::spawn(
            async move { (host.ask_now(&device(&guid), None).await.reason == Some(Reason::Gray)).then_some(guid) },
        )
    };
    let mut admitted: Vec<_> =
        join_all((0..devices * 2).map(ask)).await.into_iter().filter_map(|done| done.expect("no panic")).collect();
    admitted.sort();
    admitted.dedup();
    admitted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i3_cap_is_exact_with_many_devices_on_two_hosts_and_counts_a_device_once() {
    let one = Arc::new(host().await);
    let two = Arc::new(one.beside().await);
    one.approved("1.1.0").await;
    let task = one.task("1.1.0", |new| new.max_users = Some(100)).await.expect("task");
    one.settle().await;
    two.settle().await;
    let admitted = storm(&one, &two, 300).await;
    assert_eq!(admitted.len(), 100);
    let task = get(&one.app.db, &one.caller, &task.id).await.expect("task");
    assert_eq!((task.admitted, task.state, task.ended_by, task.honoured), (100, State::Ended, Some(Cause::Cap), true));
    let mut tx = one.app.db.read().await.expect("read");
    let stored = tx.devices_after(Side::Gray, task.id.as_str(), 0, 1000).await.expect("admissions");
    drop(tx);
    assert_eq!(stored.iter().map(|(_, ordinal)| *ordinal).collect::<Vec<_>>(), (1..=100).collect::<Vec<_>>());
    one.settle().await;
    two.settle().await;
    assert_eq!(storm(&one, &two, 300).await, admitted, "who is in stays in, and nobody else comes in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i3_cap_holds_while_the_task_is_suspended_and_resumed() {
    let one = Arc::new(host().await);
    let two = Arc::new(one.beside().await);
    one.approved("1.1.0").await;
    let task = one.task("1.1.0", |new| new.max_users = Some(50)).await.expect("task").id;
    one.settle().await;
    two.settle().await;
    let asking = tokio::spawn({
        let (one, two) = (one.clone(), two.clone());
        async move { storm(&one, &two, 200).await }
    });
    for _ in 0..5 {
        let _ = suspend(&two.app.db, &two.caller, &task, &Note::default()).await;
        let _ = resume(&one.app.db, &one.caller, &task, &Note::default()).await;
    }
    let told = asking.await.expect("no panic");
    let mut tx = one.app.db.read().await.expect("read");
    let row = tx.gray_task(&task).await.expect("read").expect("task");
    let stored = tx.devices_after(Side::Gray, task.as_str(), 0, 1000).await.expect("admissions");
    assert!(row.admitted <= 50 && stored.len() as u64 == row.admitted);
    assert!(told.iter().all(|guid| stored.iter().any(|(known, _)| known == guid)), "nobody gets it uncounted");
}

#[tokio::test]
async fn g7_an_admission_is_refused_by_a_host_that_knows_less_than_the_database() {
    let one = host().await;
    let two = one.beside().await;
    one.approved("1.1.0").await;
    let task = one.task("1.1.0", |new| new.max_users = Some(1)).await.expect("task").id;
    two.settle().await;
    assert_eq!(one.version_for("first").await, "1.1.0");
    assert_eq!(two.app.checks.admitter.admit(&task, "second").await, Admission::Refused);
    assert_eq!(two.app.checks.admitter.admit(&task, "first").await, Admission::Admitted, "asking twice counts once");
}

#[tokio::test]
async fn g9_a_host_that_knows_less_than_the_database_takes_no_device_from_another_task() {
    let one = host().await;
    let two = one.beside().await;
    one.approved("1.1.0").await;
    one.approved("1.2.0").await;
    let older = one.task("1.2.0", |_| {}).await.expect("task").id;
    assert_eq!(one.version_for("g").await, "1.2.0");
    let newer = one.task("1.1.0", |new| new.max_users = Some(1)).await.expect("task").id;
    two.settle().await;
    assert_eq!(two.app.checks.admitter.admit(&newer, "g").await, Admission::Kept(older.clone()));
    assert_eq!(two.ask_now(&device("g"), None).await.gray_task, Some(older.clone()));
    assert_eq!(get(&one.app.db, &one.caller, &newer).await.expect("task").admitted, 0, "its cap is not touched");
    suspend(&one.app.db, &one.caller, &older, &Note::default()).await.expect("suspend");
    assert_eq!(two.app.checks.admitter.admit(&newer, "g").await, Admission::Kept(older.clone()), "a rest is no end");
    end(&one.app.db, &one.caller, &older, &Note::default()).await.expect("end");
    assert_eq!(two.app.checks.admitter.admit(&newer, "g").await, Admission::Admitted, "it is free now");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn g9_two_hosts_that_admit_at_once_to_two_tasks_leave_each_device_in_one() {
    let one = Arc::new(host().await);
    let two = Arc::new(one.beside().await);
    one.approved("1.1.0").await;
    let tasks = [one.task("1.1.0", |_| {}).await.expect("task").id, one.task("1.1.0", |_| {}).await.expect("task").id];
    let admit = |n: usize| {
        let (host, task) = ([&one, &two][n % 2].clone(), tasks[n % 2].clone());
        tokio::spawn(async move { host.app.checks.admitter.admit(&task, &format!("g{}", n / 2)).await })
    };
    let outcomes = join_all((0..400).map(admit)).await;
    let admitted = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Admission::Admitted))).count();
    assert_eq!(admitted, 200);
    let mut tx = one.app.db.read().await.expect("read");
    let mut guids = Vec::new();
    for task in &tasks {
        guids.extend(
            tx.devices_after(Side::Gray, task.as_str(), 0, 1000)
                .await
                .expect("admissions")
                .into_iter()
                .map(|(guid, _)| guid),
        );
    }
    guids.sort();
    assert_eq!((guids.len(), guids.windows(2).filter(|pair| pair[0] == pair[1]).count()), (200, 0));
}

#[tokio::test]
async fn g8_progress_counts_distinct_devices_over_time() {
    let host = host().await;
    host.approved("1.1.0").await;
    let task = host.task("1.1.0", |new| new.max_users = Some(10)).await.expect("task").id;
    let offered = host.ask(&device("a b"), None).await;
    let url = offered.package.expect("package").url;
    assert_eq!(url, format!("/v1/packages/shop_1.1.0.apkg?gray={task}&guid=a%20b"));
    host.clock.advance_seconds(90);
    let package = |name: &str| name.parse::<berth_package::PackageName>().expect("name");
    report::downloaded(&host.app.checks, &package("shop_1.0.0.apkg"), &task, "c");
    report::downloaded(&host.app.checks, &package("shop_1.1.0.apkg"), &task, "a b");
    report::downloaded(&host.app.checks, &package("shop_1.1.0.apkg"), &task, "somebody else");
    assert_eq!(host.ask(&device("a b"), Some("1.1.0")).await.status, Status::Current);
    assert_eq!(host.version_for("c").await, "1.1.0");
    let failed = Report {
        host_app: mall(),
        guid: "c".into(),
        mini_app: "shop".into(),
        version: v("1.1.0"),
        kind: Mark::Failed,
        detail: None,
    };
    report::take(&host.app.checks, &host.key, &failed).expect("taken");
    assert_eq!(code(report::take(&host.app.checks, "pk_0", &failed)), Some(Code::InvalidHostAppKey));
    let progress = eventually(&host, &task, |progress| progress.failed == 1 && progress.running == 1).await;
    assert_eq!((progress.offered, progress.downloaded, progress.max_users), (2, 1, Some(10)));
    assert_eq!((progress.waiting, progress.fell_back, progress.max_failures), (0, 0, 3));
    let buckets: Vec<_> = progress.over_time.iter().map(|b| (b.offered, b.downloaded, b.running, b.failed)).collect();
    assert_eq!(buckets, [(1, 0, 0, 0), (1, 1, 1, 1)]);
}

fn failure(guid: &str) -> Report {
    let (host_app, mini_app, version, detail) = (mall(), "shop".into(), v("1.1.0"), Some("white screen".into()));
    Report { host_app, guid: guid.into(), mini_app, version, kind: Mark::Failed, detail }
}

#[tokio::test]
async fn g15_failures_that_are_reported_to_two_hosts_add_up_and_also_while_the_task_is_suspended() {
    let one = host().await;
    let two = one.beside().await;
    one.approved("1.1.0").await;
    let task = one.task("1.1.0", |_| {}).await.expect("task").id;
    assert_eq!(one.version_for("g").await, "1.1.0");
    two.settle().await;
    report::take(&one.app.checks, &one.key, &failure("g")).expect("taken");
    report::take(&two.app.checks, &two.key, &failure("g")).expect("taken");
    eventually(&one, &task, |progress| progress.reasons.iter().any(|reason| reason.failures == 2)).await;
    suspend(&one.app.db, &one.caller, &task, &Note::default()).await.expect("suspend");
    for host in [&one, &two] {
        refresh(host).await;
        assert_eq!(host.ask(&device("g"), Some("1.0.0")).await.version, Some(v("1.1.0")), "two of three");
    }
    report::take(&two.app.checks, &two.key, &failure("g")).expect("taken");
    assert_eq!(two.ask(&device("g"), Some("1.0.0")).await.version, Some(v("1.0.0")), "at once, where it was reported");
    let progress = eventually(&one, &task, |progress| progress.fell_back == 1).await;
    assert_eq!((progress.failed, progress.fell_back), (1, 1));
    refresh(&one).await;
    assert_eq!(one.ask(&device("g"), Some("1.0.0")).await.version, Some(v("1.0.0")), "and elsewhere");
    assert_eq!(one.ask(&device("g"), Some("1.1.0")).await.status, Status::Current, "who runs it keeps it");
}

#[tokio::test]
async fn g15_that_devices_fall_back_is_told_at_the_first_one_and_the_tenth_and_once_for_all_hosts() {
    let one = host().await;
    let two = one.beside().await;
    one.approved("1.1.0").await;
    let task = one.task("1.1.0", |_| {}).await.expect("task").id;
    let guids: Vec<_> = (0..11).map(|number| format!("g{number}")).collect();
    for guid in &guids {
        assert_eq!(one.version_for(guid).await, "1.1.0");
    }
    two.settle().await;
    let fails = |host: &TestHost, guid: &str| report::take(&host.app.checks, &host.key, &failure(guid)).expect("taken");
    for host in [&one, &two] {
        fails(host, "g0");
    }
    eventually(&one, &task, |progress| progress.reasons.iter().any(|reason| reason.failures == 2)).await;
    assert!(fallen_told(&one).await.is_empty(), "two of three");
    for host in [&two, &one, &two] {
        fails(host, "g0");
    }
    eventually(&one, &task, |progress| progress.reasons.iter().any(|reason| reason.failures == 5)).await;
    let first = json!({"id": task, "version": "1.1.0", "fell_back": 1, "admitted": 11, "max_failures": 3});
    let told = fallen_told(&one).await;
    assert_eq!(told.len(), 1, "once, whatever fails there later: {told:?}");
    for (name, value) in first.as_object().expect("object") {
        assert_eq!(told[0][name], *value);
    }
    assert_eq!(
        (&told[0]["reasons"][0]["reason"], &told[0]["reasons"][0]["devices"]),
        (&json!("white screen"), &json!(1))
    );
    for guid in &guids {
        (0..3).for_each(|_| fails(&one, guid));
    }
    eventually(&one, &task, |progress| progress.fell_back == 11).await;
    let told = fallen_told(&one).await;
    assert_eq!(told.len(), 2, "{told:?}");
    let so_far = told[1]["fell_back"].as_u64().expect("number");
    assert!((10..=11).contains(&so_far), "as many as the batch had");
}

/// What was told of devices that fell back.
async fn fallen_told(host: &TestHost) -> Vec<serde_json::Value> {
    let query = EventQuery { mini_app: Some(shop()), limit: Some(1000), ..EventQuery::default() };
    let events = crate::event::list(&host.app.db, &host.caller, &query).await.expect("events").items;
    let told = events.into_iter().filter(|event| event.kind == "gray_task.fell_back");
    told.map(|event| serde_json::from_str(event.data.get()).expect("data")).collect()
}

async fn refresh(host: &TestHost) {
    crate::check::refresh(&host.app.follower).await.expect("round");
}

async fn eventually(host: &TestHost, task: &berth_base::ids::GrayTaskId, there: fn(&Progress) -> bool) -> Progress {
    for _ in 0..500 {
        let progress = progress(&host.app.db, &host.app.config.gray, &host.caller, task).await.expect("progress");
        if there(&progress) {
            return progress;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    progress(&host.app.db, &host.app.config.gray, &host.caller, task).await.expect("progress")
}

async fn upload(host: &TestHost, chunks: Vec<Bytes>) -> Result<Cohort> {
    upload_taking(host, chunks, Take::Lines).await.map(|uploaded| uploaded.cohort)
}

async fn upload_taking(host: &TestHost, chunks: Vec<Bytes>, take: Take) -> Result<UploadedCohort> {
    let body = futures_util::stream::iter(chunks.into_iter().map(Ok::<_, Error>));
    upload_cohort(&host.app.db, &host.app.blobs, &host.caller, &shop(), "list", take, body).await
}

#[tokio::test]
async fn g4_lists_tolerate_a_mark_crlf_blanks_and_duplicates_and_count_them() {
    let host = host().await;
    let text = "\u{feff}a\r\n\r\n  b \n\nb\n灰";
    let list = upload(&host, text.as_bytes().chunks(2).map(Bytes::copy_from_slice).collect()).await.expect("list");
    assert_eq!((list.members, list.lines, list.blanks, list.duplicates), (3, 6, 2, 1));
    let plain = upload(&host, vec!["灰\nb\na".into()]).await.expect("list");
    assert_eq!(plain.sha256, list.sha256, "equal lists are kept once");
    assert_eq!(cohorts(&host.app.db, &host.caller, &shop()).await.expect("lists").len(), 2);
}

#[tokio::test]
async fn g4_a_list_that_cannot_be_meant_is_refused_with_its_line() {
    let host = host().await;
    let refuse = async |bytes: &'static [u8]| {
        let error = upload(&host, vec![Bytes::from_static(bytes)]).await.expect_err("refused");
        (error.code, error.detail)
    };
    assert_eq!(refuse(b"\n \n").await.0, Code::CohortInvalid);
    assert!(refuse(b"ok\nbad\xff\n").await.1.starts_with("Line 2: this is not UTF-8."));
    assert!(refuse(b"\xff\xfea\0\n\0").await.1.contains("UTF-16"));
    assert!(refuse(b"a\0b").await.1.contains("U+0000"));
    let endless = |byte: u8, chunks: usize| vec![Bytes::from(vec![byte; 4096]); chunks];
    assert_eq!(code(upload(&host, endless(b'x', 3)).await), Some(Code::CohortInvalid));
    let blanks = upload(&host, endless(b' ', 64)).await.expect_err("more blanks than a line may have");
    assert!(blanks.detail.starts_with("Line 1: more than 131072 bytes."), "{}", blanks.detail);
    let padded = [endless(b' ', 8), vec!["a\n".into()]].concat();
    assert_eq!(upload(&host, padded).await.expect("some blanks").members, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g4_a_list_of_a_million_lines_works() {
    let host = host().await;
    host.approved("1.1.0").await;
    let begin = tokio::time::Instant::now();
    let chunk =
        |part: usize| (0..10_000).map(|n| format!("device-{:032x}\r\n", part * 10_000 + n)).collect::<String>().into();
    let list = upload(&host, (0..100).map(chunk).collect()).await.expect("list");
    assert_eq!((list.members, list.lines), (1_000_000, 1_000_000));
    let objects = vec![ObjectList { kind: ObjectKind::Guid, values: Vec::new(), cohort: Some(list.id) }];
    host.task("1.1.0", |new| new.objects = objects).await.expect("task");
    host.made_ready().await;
    assert_eq!(host.version_for(&format!("device-{:032x}", 999_999)).await, "1.1.0");
    assert_eq!(host.version_for(&format!("device-{:032x}", 1_000_000)).await, "1.0.0");
    assert!(begin.elapsed() < Duration::from_secs(60), "took {:?}", begin.elapsed());
}

#[tokio::test]
async fn g17_a_table_is_refused_line_by_line_and_its_column_is_taken() {
    let host = host().await;
    let table = "\u{feff}name,guid\r\nAnn,g-1\r\n\r\nBob,\"g-2\"\r\nCid,\r\n";
    let chunks = || table.as_bytes().chunks(3).map(Bytes::copy_from_slice).collect::<Vec<_>>();
    let refused = upload(&host, chunks()).await.expect_err("a table");
    assert_eq!((refused.code, refused.fields["lines"][1]["line"].clone()), (Code::CohortInvalid, json!(2)));
    let taken = upload_taking(&host, chunks(), Take::of(Some("GUID"), false).expect("column")).await.expect("taken");
    let Cohort { members, lines, blanks, duplicates, .. } = taken.cohort;
    assert_eq!((members, lines, blanks, duplicates), (2, 5, 2, 0));
    assert_eq!((taken.read.first, taken.read.heading.as_deref()), (vec!["g-1".into(), "g-2".into()], Some("guid")));
    let wide = format!("{},g-1\n", "x".repeat(2000));
    let one = upload_taking(&host, vec![wide.into()], Take::of(Some("2"), false).expect("column")).await.expect("wide");
    assert_eq!(one.cohort.members, 1);
    let whole = upload_taking(&host, chunks(), Take::AsIs).await.expect("as it is");
    assert_eq!((whole.cohort.members, whole.read.odd.len()), (4, 4));
}

#[tokio::test]
async fn g17_a_config_that_names_a_list_that_is_not_there_is_refused() {
    let host = host().await;
    host.approved("1.1.0").await;
    let list = upload(&host, vec!["a\n".into()]).await.expect("list").id;
    let naming = async |name: &str| {
        let policy = json!({"policy": "verdict", "config": {"say": "admit", "any": [name]}});
        let policies = vec![serde_json::from_value(policy).expect("policy")];
        host.task("1.1.0", |new| new.policies = policies).await
    };
    let unknown = naming(&format!("coh_{}", "0".repeat(26))).await.expect_err("unknown");
    assert_eq!(unknown.code, Code::PolicyConfig);
    assert!(unknown.detail.contains(list.as_str()), "{}", unknown.detail);
    assert_eq!(code(naming("coh_short").await), Some(Code::PolicyConfig));
    let task = naming(list.as_str()).await.expect("known");
    let config = json!({"say": "admit", "any": "coh_other"});
    let edit = json!({"policies": [{"binding": task.policies[0].binding, "config": config}]});
    assert_eq!(code(edited(&host, &task, edit).await), Some(Code::PolicyConfig));
}

async fn edited(host: &TestHost, task: &GrayTask, members: serde_json::Value) -> Result<GrayTask> {
    let edit_of = serde_json::from_value(members).expect("edit");
    edit(&host.app.db, &*host.app.judges, &host.caller, &task.id, &edit_of).await
}

#[tokio::test]
async fn g16_an_edit_is_a_move_with_who_and_why_and_has_its_event() {
    let host = host().await;
    host.approved("1.1.0").await;
    let task = host.task("1.1.0", |new| new.max_users = Some(5)).await.expect("task");
    let end = task.end.plus_seconds(600);
    let widened = edited(&host, &task, json!({"max_users": 9, "end": end, "note": "calm"})).await.expect("edited");
    assert_eq!((widened.max_users, widened.end, widened.state), (Some(9), end, State::Delivering));
    let last = widened.moves.last().expect("a move");
    let told = (last.from, last.to, last.cause, last.by.as_str(), last.note.as_str());
    assert_eq!(told, (State::Delivering, State::Delivering, Cause::Hand, host.caller.account.as_str(), "calm"));
    let fields: Vec<_> = last.changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(fields, ["end", "max_users"]);
    let mut tx = host.app.db.read().await.expect("read");
    let events = tx.events_after(0, 1000).await.expect("events");
    let event = events.iter().find(|event| event.kind == "gray_task.edited").expect("an event");
    assert!(event.data.get().contains("\"calm\"") && event.data.get().contains("max_users"), "{}", event.data.get());
    drop(tx);
    let same = edited(&host, &task, json!({"max_users": 9, "note": "again"})).await.expect("nothing");
    assert_eq!(same.moves.len(), widened.moves.len(), "what changes nothing is no move");
}

#[tokio::test]
async fn g16_every_host_follows_an_edit_and_the_admitted_stay() {
    let host = host().await;
    let other = host.beside().await;
    host.approved("1.1.0").await;
    let say = |word: &str| json!({"policy": "verdict", "config": {"say": word}});
    let policies = vec![serde_json::from_value(say("admit")).expect("policy")];
    let wifi = |new: &mut NewGrayTask| (new.networks, new.policies) = (vec!["wifi".into()], policies.clone());
    let task = host.task("1.1.0", wifi).await.expect("task");
    let on = |guid: &str, network: &str| berth_model::check::Device { network: network.into(), ..device(guid) };
    let version = async |host: &TestHost, device: &berth_model::check::Device| {
        host.ask(device, None).await.version.expect("version").to_string()
    };
    assert_eq!(version(&host, &on("a", "wifi")).await, "1.1.0");
    assert_eq!(version(&other, &on("b", "5g")).await, "1.0.0");
    edited(&host, &task, json!({"networks": ["wifi", "5g"]})).await.expect("widened");
    assert_eq!(version(&other, &on("b", "5g")).await, "1.1.0");
    let verdict = task.policies.iter().find(|one| one.policy == "verdict").expect("bound").binding.clone();
    let refuses = json!({"policies": [{"binding": verdict, "config": {"say": "refuse"}}]});
    edited(&other, &task, refuses).await.expect("another config");
    assert_eq!(version(&host, &on("c", "wifi")).await, "1.0.0", "nobody new passes the policy");
    assert_eq!(version(&host, &on("a", "wifi")).await, "1.1.0", "who is in stays in");
    let shadow = json!({"policies": [{"binding": verdict, "mode": "shadow"}], "networks": []});
    let open = edited(&host, &task, shadow).await.expect("opened");
    assert_eq!(open.policies.len(), 1, "conditions that restrict nobody need no policy");
    assert_eq!(version(&other, &on("d", "4g")).await, "1.1.0");
    let last = open.moves.last().expect("move").changes.iter().map(|one| one.field.as_str()).collect::<Vec<_>>();
    assert_eq!(last, ["networks", "verdict.mode"]);
}

#[tokio::test]
async fn g16_before_its_start_a_task_is_edited_freely_and_after_its_end_not_at_all() {
    let host = host().await;
    host.approved("1.1.0").await;
    let task = host.task("1.1.0", |new| new.start = new.start.plus_seconds(600)).await.expect("task");
    let narrow = json!({"networks": ["wifi"], "max_users": 1, "start": task.start.plus_seconds(60)});
    let narrow = edited(&host, &task, narrow).await.expect("narrowed");
    assert_eq!((narrow.state, narrow.policies.len(), narrow.max_users), (State::Pending, 1, Some(1)));
    let unknown = json!({"host_apps": [{"id": "stranger"}]});
    assert_eq!(code(edited(&host, &task, unknown).await), Some(Code::InvalidField));
    let started = edited(&host, &task, json!({"start": host.app.db.now()})).await.expect("started");
    assert_eq!(started.state, State::Delivering);
    assert_eq!(code(edited(&host, &task, json!({"networks": ["5g"]})).await), Some(Code::GrayNarrows));
    assert_eq!(host.version_for("one").await, "1.1.0");
    let late = edited(&host, &task, json!({"max_users": 2})).await;
    assert_eq!(code(late), Some(Code::GrayState), "its cap has ended it");
}

#[tokio::test]
async fn g16_edits_at_once_all_survive_and_the_cap_stays_exact() {
    let host = Arc::new(host().await);
    let other = Arc::new(host.beside().await);
    host.approved("1.1.0").await;
    let task = host.task("1.1.0", |new| new.max_users = Some(50)).await.expect("task");
    host.settle().await;
    other.settle().await;
    let asking = tokio::spawn({
        let (one, two) = (host.clone(), other.clone());
        async move { storm(&one, &two, 100).await }
    });
    let changes = [json!({"max_users": 60}), json!({"name": "wide"}), json!({"end": task.end.plus_seconds(9)})];
    let all = changes.into_iter().enumerate().map(|(at, change)| {
        let host = if at % 2 == 0 { &host } else { &other };
        edited(host, &task, change)
    });
    let outcomes = join_all(all).await;
    let told = asking.await.expect("no panic");
    let row = get(&host.app.db, &host.caller, &task.id).await.expect("task");
    for (outcome, there) in outcomes.iter().zip([row.max_users == Some(60), row.name == "wide", row.end > task.end]) {
        assert_eq!(outcome.is_ok(), there, "{outcome:?}");
    }
    let cap = row.max_users.expect("cap");
    assert!(row.admitted <= cap && told.len() as u64 <= cap, "{} of {cap}", row.admitted);
}
