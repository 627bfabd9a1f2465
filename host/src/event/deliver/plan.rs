//! What one webhook does next: no I/O, no clock.
//!
//! A [`Desk`] takes events in their order and says which to send. Events of one subject go one after the other, those of
//! different subjects side by side (F100). An event that fails becomes a row that waits for its next try; later events
//! of its subject become rows behind it, so that they cannot overtake. The cursor moves over what is delivered, not wanted
//! or a row: whoever starts again from cursor and rows misses nothing, and sends twice at most what was under way or had been
//! delivered ahead of the cursor, one window at the most (F94). What is a row, waiting or dead, stays that.

use std::collections::{BTreeMap, HashMap, HashSet};

pub use super::rows::Waiting;
use super::{rows::Rows, schedule::next_try};
use crate::clock::Millis;

/// Events that are taken and not settled, at the most.
const WINDOW: usize = 128;
/// Rows that wait, at the most; above it no further events are taken.
const MOST_WAITING: usize = 500;
/// Sends side by side of a webhook that is well. One that is not gets one.
const SLOTS: usize = 4;

/// What the planner needs to know of an event.
pub trait Told {
    /// Its number.
    fn seq(&self) -> i64;
    /// What it is about.
    fn subject(&self) -> &str;
}

/// What became of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver has it.
    Delivered,
    /// The receiver does not have it.
    Failed {
        /// Its status, when it answered.
        status: Option<u16>,
        /// Why, for people.
        why: String,
        /// Seconds that it asks us to wait.
        retry_after: Option<i64>,
    },
}

/// A send to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job<E> {
    /// For the first time.
    First(E),
    /// Again: the event with this number.
    Again(i64),
}

impl<E: Told> Job<E> {
    /// The number of the event.
    pub fn seq(&self) -> i64 {
        match self {
            Self::First(event) => event.seq(),
            Self::Again(seq) => *seq,
        }
    }
}

/// A change of the rows that is to be written together with the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A row waits, or is dead.
    Put {
        /// The row.
        row: Waiting,
        /// Whether it is not tried any more.
        dead: bool,
        /// The last status.
        status: Option<u16>,
        /// Why it failed last; empty for one that was not tried.
        error: String,
    },
    /// A row was delivered at last.
    Gone(i64),
}

/// The state of one webhook.
pub struct Desk<E> {
    taken: i64,
    /// The rows behind the cursor that it was opened from: they are not to be taken again.
    ahead: HashSet<i64>,
    window: BTreeMap<i64, E>,
    flying: HashMap<i64, String>,
    rows: Rows,
    /// Failures since the last success.
    failures: u32,
    slots: usize,
    quiet_until: Millis,
    changes: Vec<Change>,
}

impl<E: Told + Clone> Desk<E> {
    /// From what is stored: the cursor, the rows that wait, in the order of their numbers, and the numbers behind the cursor
    /// that are dead.
    pub fn open(cursor: i64, rows: Vec<Waiting>, dead: Vec<i64>) -> Self {
        let ahead = rows.iter().map(|row| row.seq).chain(dead).filter(|seq| *seq > cursor).collect();
        let mut desk = Self {
            taken: cursor,
            ahead,
            window: BTreeMap::new(),
            flying: HashMap::new(),
            rows: Rows::default(),
            failures: 0,
            slots: 1,
            quiet_until: Millis(0),
            changes: Vec::new(),
        };
        rows.into_iter().for_each(|row| desk.rows.push(row));
        desk
    }

    /// The number of the last event that was looked at.
    pub fn taken(&self) -> i64 {
        self.taken
    }

    /// Everything up to here needs no further send, or is a row.
    pub fn cursor(&self) -> i64 {
        self.window.keys().next().map_or(self.taken, |first| first - 1)
    }

    /// Whether it takes further events.
    pub fn has_room(&self) -> bool {
        self.window.len() < WINDOW && self.rows.count() < MOST_WAITING
    }

    /// Whether it is worth reading events for it: half of its window is free.
    pub fn wants_more(&self) -> bool {
        self.window.len() <= WINDOW / 2 && self.rows.count() < MOST_WAITING
    }

    /// Whether one more send may be made side by side.
    pub fn has_slot(&self) -> bool {
        self.flying.len() < self.slots
    }

    /// Sends that are under way.
    pub fn under_way(&self) -> usize {
        self.flying.len()
    }

    /// Whether its last send went wrong.
    pub fn is_ailing(&self) -> bool {
        self.failures > 0
    }

    /// Takes from `batch`, which holds all events from one number to `last` in their order, those that follow what was
    /// taken, until there is no room.
    pub fn offer(&mut self, batch: &[E], last: i64, wanted: impl Fn(&E) -> bool) {
        let start = batch.partition_point(|event| event.seq() <= self.taken);
        for event in &batch[start..] {
            if !self.has_room() {
                return;
            }
            if !self.ahead.remove(&event.seq()) && wanted(event) {
                self.take(event);
            }
            self.taken = event.seq();
        }
        self.taken = self.taken.max(last);
    }

    fn take(&mut self, event: &E) {
        if self.rows.hold(event.subject()) {
            return self.put_behind(event);
        }
        self.window.insert(event.seq(), event.clone());
    }

    /// Makes an event a row behind those of its subject; it is due as soon as they are gone.
    fn put_behind(&mut self, event: &E) {
        let row = Waiting { seq: event.seq(), subject: event.subject().into(), attempts: 0, next_at: Millis(0) };
        self.changes.push(Change::Put { row: row.clone(), dead: false, status: None, error: String::new() });
        self.rows.push(row);
    }

    /// The next send, when there is one to be made now.
    pub fn next(&mut self, now: Millis) -> Option<Job<E>> {
        if !self.has_slot() || now < self.quiet_until {
            return None;
        }
        if let Some((seq, subject)) = self.rows.next(now) {
            self.flying.insert(seq, subject);
            return Some(Job::Again(seq));
        }
        self.next_fresh().map(Job::First)
    }

    fn next_fresh(&mut self) -> Option<E> {
        let mut before: HashSet<&str> = HashSet::new();
        // Only the first event of each subject, and only when it is not under way already.
        let mut fresh = self.window.values().filter(|event| before.insert(event.subject()));
        let event = fresh.find(|event| !self.flying.contains_key(&event.seq()))?.clone();
        self.flying.insert(event.seq(), event.subject().to_owned());
        Some(event)
    }

    /// A send has ended. `jitter` is from 0 to 1.
    pub fn settle(&mut self, seq: i64, verdict: &Verdict, now: Millis, jitter: f64) {
        let Some(subject) = self.flying.remove(&seq) else { return };
        self.feel(verdict, now);
        match (self.window.remove(&seq), verdict) {
            (Some(_), Verdict::Delivered) => {}
            (Some(event), Verdict::Failed { .. }) => {
                let row = Waiting { seq, subject: event.subject().into(), attempts: 0, next_at: now };
                self.failed(row, verdict, now, jitter);
                self.move_behind(&subject);
            }
            (None, _) => self.settle_row(&subject, verdict, now, jitter),
        }
    }

    /// How the receiver is, and how many sends it gets side by side.
    fn feel(&mut self, verdict: &Verdict, now: Millis) {
        match verdict {
            Verdict::Delivered => {
                self.failures = 0;
                self.slots = SLOTS.min(self.slots + 1);
            }
            Verdict::Failed { retry_after, .. } => {
                self.failures += 1;
                self.slots = 1;
                self.quiet_until = now.plus_seconds(retry_after.unwrap_or(0));
            }
        }
    }

    fn settle_row(&mut self, subject: &str, verdict: &Verdict, now: Millis, jitter: f64) {
        let Some(row) = self.rows.take(subject) else { return };
        match verdict {
            Verdict::Delivered => self.changes.push(Change::Gone(row.seq)),
            Verdict::Failed { .. } => return self.failed(row, verdict, now, jitter),
        }
        self.rows.go_on(subject, now);
    }

    /// Keeps a row that failed at the front of its subject, or gives it up, and then the subject goes on.
    fn failed(&mut self, mut row: Waiting, verdict: &Verdict, now: Millis, jitter: f64) {
        let Verdict::Failed { status, why, retry_after } = verdict else { return };
        row.attempts += 1;
        let next = next_try(row.attempts, now, jitter, *retry_after);
        row.next_at = next.unwrap_or(now);
        let change = Change::Put { row: row.clone(), dead: next.is_none(), status: *status, error: why.clone() };
        self.changes.push(change);
        match next {
            Some(_) => self.rows.push_front(row),
            None => self.rows.go_on(&row.subject, now),
        }
    }

    /// The later events of a subject that has just become a row.
    fn move_behind(&mut self, subject: &str) {
        let later: Vec<E> = self.window.values().filter(|event| event.subject() == subject).cloned().collect();
        for event in later {
            self.window.remove(&event.seq());
            self.put_behind(&event);
        }
    }

    /// The changes since the last call.
    pub fn changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Gives changes back that could not be written.
    pub fn unwritten(&mut self, mut changes: Vec<Change>) {
        changes.append(&mut self.changes);
        self.changes = changes;
    }

    /// Whether there may be something to send now.
    pub fn has_work(&self, now: Millis) -> bool {
        now >= self.quiet_until && (!self.window.is_empty() || self.rows.are_due(now))
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
