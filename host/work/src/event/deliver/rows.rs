//! The rows of one webhook: events that failed or wait behind one that failed, by subject.

use std::collections::{BTreeSet, HashMap, VecDeque};

use berth_base::clock::Millis;
use berth_store::Waiting;

/// The rows by subject, in their order. Only the first row of a subject is tried.
#[derive(Default)]
pub struct Rows {
    /// The rows of each subject that has some, oldest first.
    held: HashMap<String, VecDeque<Waiting>>,
    /// The subjects whose first row is not under way, with the time at which it is due.
    due: BTreeSet<(Millis, String)>,
    count: usize,
}

impl Rows {
    /// The number of rows.
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

    /// Puts a row that was tried back before the others of its subject.
    pub(crate) fn push_front(&mut self, row: Waiting) {
        self.due.insert((row.next_at, row.subject.clone()));
        self.held.entry(row.subject.clone()).or_default().push_front(row);
        self.count += 1;
    }

    /// Whether a row is due at `now`.
    pub(crate) fn are_due(&self, now: Millis) -> bool {
        self.due.first().is_some_and(|(at, _)| *at <= now)
    }

    /// The row that is due first, with its subject. The subject's next row is due only after [`Rows::take`] and
    /// [`Rows::go_on`], or [`Rows::push_front`].
    pub fn next(&mut self, now: Millis) -> Option<(i64, String)> {
        if !self.are_due(now) {
            return None;
        }
        let (_, subject) = self.due.pop_first()?;
        let seq = self.held.get(&subject)?.front()?.seq;
        Some((seq, subject))
    }

    /// Removes the first row of a subject.
    pub fn take(&mut self, subject: &str) -> Option<Waiting> {
        let row = self.held.get_mut(subject)?.pop_front()?;
        self.count -= 1;
        Some(row)
    }

    /// Makes the next row of the subject due at `now`, or frees the subject when there is none.
    pub fn go_on(&mut self, subject: &str, now: Millis) {
        match self.held.get(subject).and_then(VecDeque::front) {
            Some(row) => drop(self.due.insert((row.next_at.min(now), subject.to_owned()))),
            None => drop(self.held.remove(subject)),
        }
    }
}
