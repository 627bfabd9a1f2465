//! The rows of one webhook: what failed or waits behind it, subject by subject.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::clock::Millis;

/// A row that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The event.
    pub seq: i64,
    /// What it is about.
    pub subject: String,
    /// Failures so far.
    pub attempts: u64,
    /// When it is tried next.
    pub next_at: Millis,
}

/// Rows in the order of each subject. Only the first one of a subject is tried.
#[derive(Default)]
pub struct Rows {
    /// The rows of each subject that has some, oldest first.
    held: HashMap<String, VecDeque<Waiting>>,
    /// The subjects whose first row is not under way, by when it is due.
    due: BTreeSet<(Millis, String)>,
    count: usize,
}

impl Rows {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether events of a subject have to wait behind a row.
    pub fn hold(&self, subject: &str) -> bool {
        self.held.contains_key(subject)
    }

    /// Adds a row behind those of its subject.
    pub fn push(&mut self, row: Waiting) {
        let rows = self.held.entry(row.subject.clone()).or_default();
        if rows.is_empty() {
            self.due.insert((row.next_at, row.subject.clone()));
        }
        rows.push_back(row);
        self.count += 1;
    }

    /// Puts a row that was tried before those of its subject.
    pub fn push_front(&mut self, row: Waiting) {
        self.due.insert((row.next_at, row.subject.clone()));
        self.held.entry(row.subject.clone()).or_default().push_front(row);
        self.count += 1;
    }

    /// Whether one is due.
    pub fn are_due(&self, now: Millis) -> bool {
        self.due.first().is_some_and(|(at, _)| *at <= now)
    }

    /// The row that is due first, and its subject, which goes on only when that row was taken off.
    pub fn next(&mut self, now: Millis) -> Option<(i64, String)> {
        if !self.are_due(now) {
            return None;
        }
        let (_, subject) = self.due.pop_first()?;
        let seq = self.held.get(&subject)?.front()?.seq;
        Some((seq, subject))
    }

    /// Takes the first row of a subject off.
    pub fn take(&mut self, subject: &str) -> Option<Waiting> {
        let row = self.held.get_mut(subject)?.pop_front()?;
        self.count -= 1;
        Some(row)
    }

    /// The next row of the subject is due, or the subject is free again.
    pub fn go_on(&mut self, subject: &str, now: Millis) {
        match self.held.get(subject).and_then(VecDeque::front) {
            Some(row) => drop(self.due.insert((row.next_at.min(now), subject.to_owned()))),
            None => drop(self.held.remove(subject)),
        }
    }
}
