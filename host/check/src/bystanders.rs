//! The devices beside a gray task: they ask while it delivers, and get the online version. A guard compares what becomes of
//! them with what becomes of the task's own devices (G13); statistics call them a control group. Only tasks with a guard
//! have any.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use berth_model::{
    check::Key,
    rollout::{Mark, health::bystanders_for},
};

/// The bystanders of one gray task, as far as this host knows. All snapshots of the index share them.
#[derive(Default)]
pub struct Bystanders {
    /// With the kinds of marks that this host has seen, as bits.
    devices: Mutex<HashMap<Key, u8>>,
    /// All bystanders up to this ordinal are in.
    known: AtomicU64,
}

impl Bystanders {
    fn devices(&self) -> MutexGuard<'_, HashMap<Key, u8>> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a device asked and got the online version, which it `runs` already or not. Returns what has to be stored: that it
    /// asked first (`None`), if the task, which has admitted so many, takes note of more, and so it does of this one, which
    /// `is_welcome` tells; and that it was seen to run the version.
    pub fn ask(
        &self,
        device: Key,
        admitted: usize,
        runs: bool,
        is_welcome: impl FnOnce() -> bool,
    ) -> Vec<Option<Mark>> {
        let mut devices = self.devices();
        let takes_more = (devices.len() as u64) < bystanders_for(admitted as u64);
        let is_new = !devices.contains_key(&device) && takes_more && is_welcome();
        if is_new {
            devices.insert(device, 0);
        }
        let is_seen = runs && devices.get_mut(&device).is_some_and(|marks| is_first(marks, Mark::Running));
        let news = [(is_new, None), (is_seen, Some(Mark::Running))];
        news.into_iter().filter_map(|(is_news, what)| is_news.then_some(what)).collect()
    }

    /// Remembers a mark of a device. Returns `true` when it has to be stored: it is the first of its kind of a bystander.
    pub fn mark(&self, device: Key, mark: Mark) -> bool {
        self.devices().get_mut(&device).is_some_and(|marks| is_first(marks, mark))
    }

    /// The last ordinal up to which all bystanders are known.
    pub fn known(&self) -> u64 {
        self.known.load(Ordering::Acquire)
    }

    /// Adds what follows [`Bystanders::known`], without a gap, up to the ordinal `last`.
    pub fn extend(&self, devices: impl IntoIterator<Item = Key>, last: u64) {
        let mut known = self.devices();
        for device in devices {
            known.entry(device).or_default();
        }
        self.known.fetch_max(last, Ordering::AcqRel);
    }
}

/// Adds a mark to those of a device, and says whether it is the first of its kind.
fn is_first(marks: &mut u8, mark: Mark) -> bool {
    let is_first = *marks & mark.bit() == 0;
    *marks |= mark.bit();
    is_first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g13_bystanders_are_taken_note_of_at_the_pace_of_the_task_and_each_mark_once() {
        let beside = Bystanders::default();
        let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(Key::of);
        let asks = |key, admitted, runs, is_welcome| beside.ask(key, admitted, runs, || is_welcome);
        assert_eq!(asks(a, 0, true, true), [], "nobody was admitted yet");
        assert_eq!(asks(a, 1, true, false), [], "its address has brought enough");
        let news = [a, b, a, c, d, e].map(|key| asks(key, 1, false, true).len());
        assert_eq!(news, [1, 1, 0, 1, 1, 0]);
        assert_eq!(beside.ask(a, 9, false, || unreachable!("it is known")), []);
        assert_eq!([asks(b, 1, true, true), asks(b, 1, true, true)], [vec![Some(Mark::Running)], vec![]]);
        assert_eq!(asks(e, 2, true, true), [None, Some(Mark::Running)]);
        assert_eq!([Mark::Running, Mark::Running, Mark::Failed].map(|mark| beside.mark(a, mark)), [true, false, true]);
        let f = Key::of("f");
        assert!(!beside.mark(f, Mark::Failed), "nobody knows it");
        beside.extend([f], 6);
        assert!(beside.mark(f, Mark::Failed));
        assert_eq!(beside.known(), 6);
    }
}
