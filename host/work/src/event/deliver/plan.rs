//! Plans what one webhook does next, without I/O and without a clock.
//!
//! A [`Desk`] takes events in their order and says which to send. Events of one subject are sent one after the other,
//! those of different subjects in parallel (F100). An event that fails becomes a row, which waits for its next try;
//! later events of its subject become rows behind it, so that they cannot overtake it. The cursor is the number up to
//! which every event is delivered, not wanted, or a row. Whoever starts again from the cursor and the rows therefore
//! misses nothing, and sends twice at most one window of events: those that were under way or already delivered ahead
//! of the cursor (F94). An event that has become a row, waiting or dead, is never taken from the log again.

use std::collections::{BTreeMap, HashMap, HashSet};

use berth_base::clock::Millis;
use berth_store::{Change, Waiting};

use super::{rows::Rows, schedule::next_try};

/// How many events may be taken and not settled.
const WINDOW: usize = 128;

/// How many rows may wait. When there are as many, no further events are taken.
const MOST_WAITING: usize = 500;

/// How many sends run in parallel for a webhook whose sends succeed. After a failure it is one.
const SLOTS: usize = 4;

/// What the planner needs to know of an event.
pub trait Told {
    /// The number of the event.
    fn seq(&self) -> i64;
    /// The id of what the event is about.
    fn subject(&self) -> &str;
}

/// The outcome of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver accepted the message.
    Delivered,
    /// The receiver did not accept the message.
    Failed {
        /// The receiver's HTTP status, when it answered.
        status: Option<u16>,
        /// The cause, in words.
        why: String,
        /// The seconds that the receiver asks to wait.
        retry_after: Option<i64>,
    },
}

/// A send that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job<E> {
    /// The first try of an event.
    First(E),
    /// A further try of the event with this number.
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

/// The state of the delivery to one webhook.
pub struct Desk<E> {
    taken: i64,
    /// The rows after the cursor at which the desk was opened: their events must not be taken from the log again.
    ahead: HashSet<i64>,
    window: BTreeMap<i64, E>,
    flying: HashMap<i64, String>,
    rows: Rows,
    /// The failures since the last success.
    failures: u32,
    slots: usize,
    quiet_until: Millis,
    changes: Vec<Change>,
}

impl<E: Told + Clone> Desk<E> {
    /// Opens a desk from what is stored: the cursor, the waiting rows in the order of their numbers, and the numbers
    /// after the cursor whose rows are dead.
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

    /// The number of the last event that was taken or passed over.
    pub fn taken(&self) -> i64 {
        self.taken
    }

    /// The number up to which every event is settled or a row.
    pub fn cursor(&self) -> i64 {
        self.window.keys().next().map_or(self.taken, |first| first - 1)
    }

    /// Whether it can take further events.
    pub(crate) fn has_room(&self) -> bool {
        self.window.len() < WINDOW && self.rows.count() < MOST_WAITING
    }

    /// Whether reading events for it is worth while: at least half of its window is free.
    pub(crate) fn wants_more(&self) -> bool {
        self.window.len() <= WINDOW / 2 && self.rows.count() < MOST_WAITING
    }

    /// Whether one more send may be started.
    pub(crate) fn has_slot(&self) -> bool {
        self.flying.len() < self.slots
    }

    /// The number of sends that are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.flying.len()
    }

    /// Whether its last send failed.
    pub(crate) fn is_ailing(&self) -> bool {
        self.failures > 0
    }

    /// Takes events from `batch`, which has all events up to the number `last` in their order, that come after those
    /// taken before, until there is no room. Events that are not `wanted` are passed over.
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

    /// Makes an event a row behind those of its subject. It is due as soon as they are settled.
    fn put_behind(&mut self, event: &E) {
        let row = Waiting { seq: event.seq(), subject: event.subject().into(), attempts: 0, next_at: Millis(0) };
        self.changes.push(Change::Put { row: row.clone(), dead: false, status: None, error: String::new() });
        self.rows.push(row);
    }

    /// The next send, when one can be started at `now`. It counts as under way until [`Desk::settle`] is called for it.
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

    /// Records the outcome of a send. `jitter`, from 0 to 1, spreads the next tries of what failed at once.
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

    /// Adjusts the number of parallel sends, and the pause that the receiver asked for, to the outcome.
    fn feel(&mut self, verdict: &Verdict, now: Millis) {
        match verdict {
            Verdict::Delivered => {
                self.failures = 0;
                self.slots = SLOTS.min(self.slots + 1);
            }
            Verdict::Failed { retry_after, .. } => {
                self.failures += 1;
                self.slots = 1;
                // A send that was under way says nothing of the pause that another one was asked for.
                self.quiet_until = self.quiet_until.max(now.plus_seconds(retry_after.unwrap_or(0)));
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

    /// Counts a failed try of the first row of a subject: the row stays the first one and waits, or it is given up and
    /// the subject goes on.
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

    /// Makes the later events of a subject rows, as its first event has just become one.
    fn move_behind(&mut self, subject: &str) {
        let later: Vec<E> = self.window.values().filter(|event| event.subject() == subject).cloned().collect();
        for event in later {
            self.window.remove(&event.seq());
            self.put_behind(&event);
        }
    }

    /// The changes of rows since the last call.
    pub fn changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Takes changes back that could not be written.
    pub(crate) fn unwritten(&mut self, mut changes: Vec<Change>) {
        changes.append(&mut self.changes);
        self.changes = changes;
    }

    /// Whether there may be something to send at `now`.
    pub(crate) fn has_work(&self, now: Millis) -> bool {
        now >= self.quiet_until && (!self.window.is_empty() || self.rows.are_due(now))
    }
}
