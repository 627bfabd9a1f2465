//! Tests of what moves several tasks at once, at the moments when the clock moves them, too.

use super::*;
use crate::{
    shelf::shelve,
    testing::{TestHost, host, shop, v},
    version,
};
use berth_base::ids::GrayTaskId;
use berth_model::{
    mini_app::Shelf,
    shelf::Shelved,
    version::{Publish, Rollback},
};

async fn shelf(host: &TestHost, on: bool, resume: bool) -> Shelved {
    let note = if on { String::new() } else { "recall".into() };
    shelve(&host.app.db, &host.caller, &shop(), Shelf { on, note, resume }).await.expect("shelf")
}

/// Everything that has moved a task: to which state, and why.
async fn moves(host: &TestHost, id: &GrayTaskId) -> Vec<(State, Cause)> {
    let task = get(&host.app.db, &host.caller, id).await.expect("task");
    task.moves.iter().map(|one| (one.to, one.cause)).collect()
}

/// A host with a task that delivers, one that starts in a minute, and one that was suspended by hand.
async fn three_tasks() -> (TestHost, [GrayTaskId; 3]) {
    let host = host().await;
    host.approved("1.1.0").await;
    let running = host.task("1.1.0", |_| {}).await.expect("task").id;
    let waiting = host.task("1.1.0", |new| new.start = new.start.plus_seconds(60)).await.expect("task").id;
    let held = host.task("1.1.0", |_| {}).await.expect("task").id;
    suspend(&host.app.db, &host.caller, &held, &Note::default()).await.expect("suspend");
    (host, [running, waiting, held])
}

#[tokio::test]
async fn a2_a_recall_suspends_what_delivers_and_what_waits_and_says_so() {
    let (host, [running, waiting, held]) = three_tasks().await;
    let off = shelf(&host, false, false).await;
    let told: Vec<_> = off.suspended.iter().map(|task| (task.id.clone(), task.by_recall)).collect();
    assert_eq!(told, [(held, false), (waiting.clone(), true), (running.clone(), true)]);
    host.clock.advance_seconds(120);
    tick(&host.app.db).await.expect("tick");
    assert_eq!(moves(&host, &waiting).await, [(State::Suspended, Cause::OffShelf)], "its start does not wake it");
    assert_eq!(moves(&host, &running).await.last(), Some(&(State::Suspended, Cause::OffShelf)));
}

#[tokio::test]
async fn a3_back_on_the_shelf_the_tasks_stay_suspended_and_only_those_of_the_recall_are_resumed() {
    let (host, [running, waiting, held]) = three_tasks().await;
    shelf(&host, false, false).await;
    let on = shelf(&host, true, false).await;
    assert_eq!((on.suspended.len(), on.resumed.len()), (3, 0));
    let resumed = shelf(&host, true, true).await;
    let told: Vec<_> = resumed.resumed.iter().map(|task| (task.id.clone(), task.state)).collect();
    assert_eq!(told, [(waiting.clone(), State::Pending), (running, State::Delivering)]);
    assert_eq!(resumed.suspended.iter().map(|task| &task.id).collect::<Vec<_>>(), [&held]);
    host.clock.advance_seconds(60);
    tick(&host.app.db).await.expect("tick");
    assert_eq!(moves(&host, &waiting).await.last(), Some(&(State::Delivering, Cause::Time)), "it starts as it was to");
    let again = shelf(&host, true, true).await;
    assert_eq!((again.suspended.len(), again.resumed.len()), (1, 0), "asking again changes nothing");
}

#[tokio::test]
async fn a3_a_task_that_was_edited_during_the_recall_is_resumed_with_the_others() {
    let (host, [running, waiting, held]) = three_tasks().await;
    shelf(&host, false, false).await;
    for task in [&running, &held] {
        let renamed = EditGrayTask { name: Some("renamed".into()), ..EditGrayTask::default() };
        edit(&host.app.db, &*host.app.judges, &host.caller, task, &renamed).await.expect("edit");
    }
    let resumed = shelf(&host, true, true).await;
    let told: Vec<_> = resumed.resumed.iter().map(|task| (task.id.clone(), task.state)).collect();
    assert_eq!(told, [(waiting, State::Pending), (running, State::Delivering)]);
    assert_eq!(resumed.suspended.iter().map(|task| &task.id).collect::<Vec<_>>(), [&held]);
}

#[tokio::test]
async fn a3_a_task_whose_start_has_come_in_between_delivers_once_it_is_resumed() {
    let (host, [_, waiting, _]) = three_tasks().await;
    shelf(&host, false, false).await;
    host.clock.advance_seconds(61);
    shelf(&host, true, true).await;
    assert_eq!(moves(&host, &waiting).await.last(), Some(&(State::Delivering, Cause::Hand)));
}

#[tokio::test]
async fn g5_a_task_that_waits_can_be_suspended_by_hand() {
    let (host, [_, waiting, _]) = three_tasks().await;
    suspend(&host.app.db, &host.caller, &waiting, &Note::default()).await.expect("suspend");
    let resumed = resume(&host.app.db, &host.caller, &waiting, &Note::default()).await.expect("resume");
    assert_eq!(resumed.state, State::Pending);
}

#[tokio::test]
async fn g5_a_recall_right_after_a_start_finds_the_task_started() {
    let (host, [_, waiting, _]) = three_tasks().await;
    host.clock.advance_seconds(60); // and no tick
    shelf(&host, false, false).await;
    assert_eq!(moves(&host, &waiting).await, [(State::Delivering, Cause::Time), (State::Suspended, Cause::OffShelf)]);
}

#[tokio::test]
async fn g5_a_task_whose_time_is_over_has_ended_by_time_whatever_comes_next() {
    let over = async |then: &str| {
        let (host, [running, _, _]) = three_tasks().await;
        host.approved("1.0.1").await;
        host.publish("1.0.1", false).await;
        host.clock.advance_seconds(3600); // and no tick
        let (db, caller) = (&host.app.db, &host.caller);
        match then {
            "recall" => drop(shelf(&host, false, false).await),
            "publish" => {
                drop(version::publish(db, caller, &shop(), &v("1.1.0"), Publish::default()).await.expect("published"))
            }
            "rollback" => {
                let how = Rollback { to: v("1.0.0"), lower_min: false, note: String::new() };
                version::roll_back(db, caller, &shop(), how).await.expect("rolled back");
            }
            _ => drop(host.task("1.1.0", |_| {}).await.expect("a new task")),
        }
        let task = db.read().await.expect("read").gray_task(&running).await.expect("read").expect("task");
        (task.state, moves(&host, &running).await)
    };
    for then in ["recall", "publish", "rollback", "create"] {
        let expected = [(State::Delivering, Cause::Time), (State::Ended, Cause::Time)];
        assert_eq!(over(then).await, (State::Ended, expected.to_vec()), "{then}");
    }
}
