//! The devices that a gray task has admitted, as far as this host knows. The set never shrinks.

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use berth_model::check::Key;
use berth_model::rollout::Mark;

/// The admitted devices of one gray task, with what became of them. All snapshots of the index share it.
#[derive(Default)]
pub struct Admitted {
    devices: RwLock<HashMap<Key, Member>>,
    /// All admissions up to this ordinal are in.
    known: AtomicU64,
    /// All failures up to this ordinal are in.
    failures: AtomicU64,
}

/// What is known of an admitted device.
#[derive(Clone, Copy, Default)]
struct Member {
    /// The kinds of marks that this host has seen, as bits.
    marks: u8,
    /// Whether the last news is that the version failed.
    failing: bool,
    /// How many failures there are at the least, since the device has reported one to this host. It is stored a moment
    /// later, and must not count twice then.
    at_least: u8,
    /// How many failures are stored, by any host.
    stored: u8,
}

impl Member {
    /// Whether a mark changes anything. Every failure does.
    fn is_news(&self, mark: Mark) -> bool {
        let is_first = self.marks & mark.bit() == 0;
        match mark {
            Mark::Downloaded => is_first,
            Mark::Running => is_first || self.failing,
            Mark::Failed => true,
        }
    }

    fn take(&mut self, mark: Mark) {
        self.marks |= mark.bit();
        match mark {
            Mark::Downloaded => {}
            Mark::Running => self.failing = false,
            Mark::Failed => {
                self.failing = true;
                self.at_least = self.failures().saturating_add(1);
            }
        }
    }

    fn failures(&self) -> u8 {
        self.at_least.max(self.stored)
    }
}

impl Admitted {
    fn read(&self) -> RwLockReadGuard<'_, HashMap<Key, Member>> {
        self.devices.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Key, Member>> {
        self.devices.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the task has admitted the device.
    pub fn contains(&self, device: Key) -> bool {
        self.read().contains_key(&device)
    }

    /// How many times the version failed on the device (G15); `None` when the task has not admitted it.
    pub fn failures(&self, device: Key) -> Option<u8> {
        self.read().get(&device).map(Member::failures)
    }

    /// The number of admitted devices.
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether the task has admitted no device.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a device that this host has just admitted.
    pub fn add(&self, device: Key) {
        self.write().entry(device).or_default();
    }

    /// Remembers a mark of a device. Returns `true` when it has to be stored: the device is admitted, and the mark is
    /// its first of this kind, or a failure, or the device runs the version again after a failure.
    pub fn mark(&self, device: Key, mark: Mark) -> bool {
        // Nearly every check of a gray device ends here, without waiting for a writer.
        if self.read().get(&device).is_none_or(|member| !member.is_news(mark)) {
            return false;
        }
        self.write().get_mut(&device).is_some_and(|member| {
            let news = member.is_news(mark);
            member.take(mark);
            news
        })
    }

    /// The last ordinal up to which all admissions are known.
    pub fn known(&self) -> u64 {
        self.known.load(Ordering::Acquire)
    }

    /// Adds what follows [`Admitted::known`], without a gap, up to the ordinal `last`.
    pub fn extend(&self, devices: impl IntoIterator<Item = Key>, last: u64) {
        let mut known = self.write();
        for device in devices {
            known.entry(device).or_default();
        }
        self.known.fetch_max(last, Ordering::AcqRel);
    }

    /// The last ordinal up to which all stored failures are known.
    pub fn known_failures(&self) -> u64 {
        self.failures.load(Ordering::Acquire)
    }

    /// Adds the stored failures that follow [`Admitted::known_failures`], without a gap, up to the ordinal `last`: the
    /// device of each.
    pub fn extend_failures(&self, devices: impl IntoIterator<Item = Key>, last: u64) {
        let mut known = self.write();
        for device in devices {
            let member = known.entry(device).or_default();
            member.stored = member.stored.saturating_add(1);
            member.failing = true;
        }
        self.failures.fetch_max(last, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(device: Key) -> Admitted {
        let admitted = Admitted::default();
        admitted.add(device);
        admitted
    }

    #[test]
    fn g8_a_device_runs_again_after_a_failure_and_that_is_news() {
        let (key, other) = (Key::of("g"), Key::of("other"));
        let admitted = with(key);
        let marks = [Mark::Downloaded, Mark::Downloaded, Mark::Running, Mark::Running, Mark::Failed, Mark::Failed];
        assert_eq!(marks.map(|mark| admitted.mark(key, mark)), [true, false, true, false, true, true]);
        assert_eq!([Mark::Running, Mark::Running].map(|mark| admitted.mark(key, mark)), [true, false]);
        assert!(!admitted.mark(other, Mark::Failed), "it was never offered the version");
        assert_eq!((admitted.failures(key), admitted.failures(other)), (Some(2), None));
    }

    #[test]
    fn g15_a_failure_counts_once_although_it_comes_back_from_the_database() {
        let key = Key::of("g");
        let admitted = with(key);
        admitted.mark(key, Mark::Failed);
        admitted.extend_failures([key], 1);
        assert_eq!(admitted.failures(key), Some(1));
        admitted.extend_failures([key, key], 3);
        assert_eq!((admitted.failures(key), admitted.known_failures()), (Some(3), 3), "others were reported elsewhere");
        admitted.mark(key, Mark::Failed);
        assert_eq!(admitted.failures(key), Some(4), "at once");
    }
}
