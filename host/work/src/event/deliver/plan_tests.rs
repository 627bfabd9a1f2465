#![allow(clippy::panic, reason = "a test may fail loudly")]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const NOW: Millis = Millis(1_000_000);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Event(i64, &'static str);

impl Told for Event {
    fn seq(&self) -> i64 {
        self.0
    }

    fn subject(&self) -> &str {
        self.1
    }
}

fn failed() -> Verdict {
    Verdict::Failed { status: Some(500), why: "no".into(), retry_after: None }
}

/// A desk that may send several events in parallel, as after successes.
fn desk(events: &[Event]) -> Desk<Event> {
    let mut desk = Desk::open(0, Vec::new(), Vec::new());
    desk.slots = SLOTS;
    desk.offer(events, events.last().map_or(0, Told::seq), |_| true);
    desk
}

fn jobs(desk: &mut Desk<Event>, now: Millis) -> Vec<i64> {
    std::iter::from_fn(|| desk.next(now).map(|job| job.seq())).collect()
}

#[test]
fn f100_events_of_one_subject_go_one_after_the_other_and_others_beside_them() {
    let mut desk = desk(&[Event(1, "a"), Event(2, "a"), Event(3, "b"), Event(4, "c")]);
    assert_eq!(jobs(&mut desk, NOW), [1, 3, 4]);
    desk.settle(3, &Verdict::Delivered, NOW, 0.0);
    assert_eq!((jobs(&mut desk, NOW), desk.cursor()), (vec![], 0));
    desk.settle(1, &Verdict::Delivered, NOW, 0.0);
    assert_eq!((jobs(&mut desk, NOW), desk.cursor()), (vec![2], 1));
    desk.settle(2, &Verdict::Delivered, NOW, 0.0);
    assert_eq!(desk.cursor(), 3);
    desk.settle(4, &Verdict::Delivered, NOW, 0.0);
    assert_eq!((desk.cursor(), desk.changes()), (4, vec![]));
}

#[test]
fn f100_what_follows_a_failure_of_its_subject_waits_behind_it() {
    let mut desk = desk(&[Event(1, "a"), Event(2, "a"), Event(3, "b")]);
    assert_eq!(jobs(&mut desk, NOW), [1, 3]);
    desk.settle(1, &failed(), NOW, 0.0);
    desk.settle(3, &Verdict::Delivered, NOW, 0.0);
    desk.offer(&[Event(4, "a"), Event(5, "b")], 5, |_| true);
    assert_eq!(jobs(&mut desk, NOW), [5], "only the other subject goes on");
    desk.settle(5, &Verdict::Delivered, NOW, 0.0);
    assert_eq!(desk.cursor(), 5, "the failed one and those behind it are rows");
    let row = |change| match change {
        Change::Put { row, dead: false, .. } => (row.seq, row.attempts),
        other => panic!("{other:?}"),
    };
    let rows: Vec<_> = desk.changes().into_iter().map(row).collect();
    assert_eq!(rows, [(1, 1), (2, 0), (4, 0)]);
    let later = NOW.plus_seconds(5);
    assert_eq!((jobs(&mut desk, NOW.plus_seconds(4)), jobs(&mut desk, later)), (vec![], vec![1]));
    desk.settle(1, &Verdict::Delivered, later, 0.0);
    assert_eq!(jobs(&mut desk, later), [2]);
    desk.settle(2, &Verdict::Delivered, later, 0.0);
    assert_eq!(jobs(&mut desk, later), [4]);
    desk.settle(4, &Verdict::Delivered, later, 0.0);
    assert_eq!(desk.changes(), [Change::Gone(1), Change::Gone(2), Change::Gone(4)]);
    desk.offer(&[Event(6, "a")], 6, |_| true);
    assert_eq!(jobs(&mut desk, later), [6], "the subject is free again");
}

#[test]
fn after_ten_tries_an_event_is_dead_and_its_subject_goes_on() {
    let mut desk = desk(&[Event(1, "a"), Event(2, "a")]);
    let mut now = NOW;
    for attempt in 1..=10 {
        assert_eq!(jobs(&mut desk, now), [1], "try {attempt}");
        desk.settle(1, &failed(), now, 1.0);
        now = now.plus_seconds(2 * 86_400);
    }
    assert!(desk.changes().iter().any(|change| matches!(change, Change::Put { row, dead: true, .. } if row.seq == 1)));
    assert_eq!(jobs(&mut desk, now), [2]);
}

#[test]
fn f97_a_webhook_that_fails_gets_one_send_at_a_time_until_it_is_well() {
    let mut desk = desk(&[Event(1, "a"), Event(2, "b"), Event(3, "c"), Event(4, "d"), Event(5, "e"), Event(6, "f")]);
    assert_eq!(jobs(&mut desk, NOW), [1, 2, 3, 4], "no more than its own few slots");
    desk.settle(1, &failed(), NOW, 0.0);
    assert!(desk.is_ailing() && jobs(&mut desk, NOW).is_empty());
    for seq in [2, 3] {
        desk.settle(seq, &failed(), NOW, 0.0);
    }
    assert_eq!(jobs(&mut desk, NOW), [0; 0]);
    desk.settle(4, &Verdict::Delivered, NOW, 0.0);
    assert_eq!(jobs(&mut desk, NOW), [5, 6]);
}

#[test]
fn f98_a_receiver_that_asks_us_to_wait_is_left_alone() {
    let mut desk = desk(&[Event(1, "a"), Event(2, "b")]);
    assert_eq!(jobs(&mut desk, NOW), [1, 2]);
    let busy = Verdict::Failed { status: Some(429), why: "busy".into(), retry_after: Some(60) };
    desk.settle(1, &busy, NOW, 0.0);
    desk.settle(2, &busy, NOW, 0.0);
    desk.offer(&[Event(3, "c")], 3, |_| true);
    assert_eq!(jobs(&mut desk, NOW.plus_seconds(59)), [0; 0]);
    assert_eq!(jobs(&mut desk, NOW.plus_seconds(60)).len(), 1);
}

#[test]
fn f98_what_fails_beside_a_send_that_was_asked_to_wait_ends_no_pause() {
    let busy = |seconds| Verdict::Failed { status: Some(429), why: "busy".into(), retry_after: seconds };
    for beside in [failed(), busy(None), busy(Some(1))] {
        let mut desk = desk(&[Event(1, "a"), Event(2, "b")]);
        assert_eq!(jobs(&mut desk, NOW), [1, 2]);
        desk.settle(1, &busy(Some(60)), NOW, 0.0);
        desk.settle(2, &beside, NOW, 0.0);
        desk.offer(&[Event(3, "c")], 3, |_| true);
        assert_eq!(jobs(&mut desk, NOW.plus_seconds(59)), [0; 0], "{beside:?}");
        assert_eq!(jobs(&mut desk, NOW.plus_seconds(60)).len(), 1, "{beside:?}");
    }
}

#[test]
fn what_waits_is_bounded_and_then_nothing_further_is_taken() {
    let mut desk = desk(&[Event(1, "a")]);
    assert_eq!(jobs(&mut desk, NOW), [1]);
    desk.settle(1, &failed(), NOW, 0.0);
    let events: Vec<_> = (2..2000).map(|seq| Event(seq, "a")).collect();
    desk.offer(&events, 1999, |_| true);
    assert!(!desk.has_room() && desk.taken() == MOST_WAITING as i64, "{}", desk.taken());
    assert_eq!(desk.cursor(), desk.taken());
}

#[test]
fn what_is_not_wanted_only_moves_the_cursor() {
    let mut desk: Desk<Event> = Desk::open(0, Vec::new(), Vec::new());
    desk.offer(&[Event(1, "a"), Event(2, "b")], 2, |event| event.1 == "b");
    assert_eq!((desk.cursor(), jobs(&mut desk, NOW)), (1, vec![2]));
}

#[test]
fn f94_what_is_a_row_ahead_of_the_cursor_is_not_taken_again() {
    let waits = Waiting { seq: 2, subject: "b".into(), attempts: 3, next_at: NOW.plus_seconds(60) };
    let mut desk = Desk::open(0, vec![waits], vec![3]);
    desk.slots = SLOTS;
    desk.offer(&[Event(1, "a"), Event(2, "b"), Event(3, "c"), Event(4, "c")], 4, |_| true);
    assert_eq!(jobs(&mut desk, NOW), [1, 4], "neither the one that waits nor the dead one");
    assert_eq!((desk.changes(), desk.cursor()), (vec![], 0));
    for seq in [1, 4] {
        desk.settle(seq, &Verdict::Delivered, NOW, 0.0);
    }
    assert_eq!((desk.cursor(), jobs(&mut desk, NOW.plus_seconds(60))), (4, vec![2]));
}

/// What the database holds in a test where receivers fail and hosts are killed: a cursor and rows.
#[derive(Default)]
struct Stored {
    cursor: i64,
    rows: BTreeMap<i64, Waiting>,
    dead: BTreeSet<i64>,
}

impl Stored {
    fn write(&mut self, desk: &mut Desk<Event>) {
        for change in desk.changes() {
            match change {
                Change::Put { row, dead: true, .. } => {
                    self.rows.remove(&row.seq);
                    self.dead.insert(row.seq);
                }
                Change::Put { row, .. } => {
                    assert!(!self.dead.contains(&row.seq), "{} was given up and is tried again", row.seq);
                    let before = self.rows.insert(row.seq, row.clone());
                    assert!(
                        before.is_none_or(|before| before.attempts <= row.attempts),
                        "{} forgot its tries",
                        row.seq
                    );
                }
                Change::Gone(seq) => drop(self.rows.remove(&seq)),
            }
        }
        self.cursor = desk.cursor();
    }

    fn open(&self) -> Desk<Event> {
        let dead = self.dead.iter().copied().filter(|seq| *seq > self.cursor).collect();
        let mut desk = Desk::open(self.cursor, self.rows.values().cloned().collect(), dead);
        desk.slots = SLOTS;
        desk
    }
}

proptest! {
    #[test]
    fn f94_f100_whatever_fails_or_is_killed_nothing_is_lost_and_no_subject_is_out_of_order(
        subjects in prop::collection::vec(0usize..4, 1..60),
        luck in prop::collection::vec(0u8..10, 600),
    ) {
        let events: Vec<_> = subjects.iter().zip(1..).map(|(one, seq)| Event(seq, ["a", "b", "c", "d"][*one])).collect();
        let last = events.len() as i64;
        let (mut stored, mut now) = (Stored::default(), NOW);
        let mut desk = stored.open();
        let mut arrived: Vec<i64> = Vec::new();
        let mut luck = luck.into_iter().chain(std::iter::repeat(5));
        for _ in 0..5000 {
            desk.offer(&events, last, |_| true);
            let mut sent = jobs(&mut desk, now);
            if sent.len() > 1 && luck.next() == Some(0) { sent.reverse(); }
            for seq in sent {
                match luck.next() {
                    Some(0..=2) => desk.settle(seq, &failed(), now, 0.5),
                    // Killed after the receiver has it and before that is written.
                    Some(3) => { arrived.push(seq); desk = stored.open(); break; }
                    _ => { arrived.push(seq); desk.settle(seq, &Verdict::Delivered, now, 0.5); }
                }
                if luck.next() != Some(1) { stored.write(&mut desk); }
            }
            stored.write(&mut desk);
            now = now.plus_seconds(3600);
            if stored.cursor == last && stored.rows.is_empty() { break; }
        }
        prop_assert_eq!((stored.cursor, stored.rows.len()), (last, 0));
        for event in &events {
            prop_assert!(arrived.contains(&event.0) || stored.dead.contains(&event.0), "{} is lost", event.0);
        }
        // In the order of first arrival; what comes twice comes again, which its id tells.
        let mut seen = BTreeSet::new();
        let first: Vec<i64> = arrived.into_iter().filter(|seq| seen.insert(*seq)).collect();
        for subject in ["a", "b", "c", "d"] {
            let of: Vec<_> = first.iter().filter(|seq| events[**seq as usize - 1].1 == subject).collect();
            prop_assert!(of.is_sorted(), "{subject}: {of:?}");
        }
    }
}
