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

    /// Notes that a device asked and got the online version. Returns `true` when that has to be stored: the device is new,
    /// the task, which has admitted so many, takes note of more, and so it does of this one, which `is_welcome` tells.
    pub fn ask(&self, device: Key, admitted: usize, is_welcome: impl FnOnce() -> bool) -> bool {
        let mut devices = self.devices();
        let takes_more = (devices.len() as u64) < bystanders_for(admitted as u64);
        if devices.contains_key(&device) || !takes_more || !is_welcome() {
            return false;
        }
        devices.insert(device, 0);
        true
    }

    /// Remembers a mark of a device. Returns `true` when it has to be stored: it is the first of its kind of a bystander.
    pub fn mark(&self, device: Key, mark: Mark) -> bool {
        self.devices().get_mut(&device).is_some_and(|marks| {
            let is_first = *marks & mark.bit() == 0;
            *marks |= mark.bit();
            is_first
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g13_bystanders_are_taken_note_of_at_the_pace_of_the_task_and_each_mark_once() {
        let beside = Bystanders::default();
        let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(Key::of);
        assert!(!beside.ask(a, 0, || true), "nobody was admitted yet");
        assert!(!beside.ask(a, 1, || false), "its address has brought enough");
        assert_eq!([a, b, a, c, d, e].map(|key| beside.ask(key, 1, || true)), [true, true, false, true, true, false]);
        assert!(!beside.ask(a, 9, || unreachable!("it is known")));
        assert_eq!([Mark::Running, Mark::Running, Mark::Failed].map(|mark| beside.mark(a, mark)), [true, false, true]);
        assert!(!beside.mark(e, Mark::Failed), "nobody knows it");
        beside.extend([e], 5);
        assert!(beside.mark(e, Mark::Failed));
        assert_eq!(beside.known(), 5);
    }
}
