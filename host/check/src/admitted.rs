//! The devices that a gray task has admitted, as far as this host knows. The set never shrinks.

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use berth_model::check::Key;
use berth_model::rollout::Mark;

/// The admitted devices of one gray task, with their marks. All snapshots of the index share it.
#[derive(Default)]
pub struct Admitted {
    devices: RwLock<HashMap<Key, u8>>,
    /// All admissions up to this ordinal are in.
    known: AtomicU64,
}

impl Admitted {
    /// Whether the task has admitted the device.
    pub fn contains(&self, device: Key) -> bool {
        self.devices.read().unwrap_or_else(PoisonError::into_inner).contains_key(&device)
    }

    /// The number of admitted devices.
    pub fn len(&self) -> usize {
        self.devices.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether the task has admitted no device.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a device that this host has just admitted.
    pub fn add(&self, device: Key) {
        self.devices.write().unwrap_or_else(PoisonError::into_inner).entry(device).or_default();
    }

    /// Remembers a mark of a device. Returns `true` when the device is admitted and did not have this mark, so that
    /// callers store a mark once and not with every check.
    pub fn mark(&self, device: Key, mark: Mark) -> bool {
        let has = |marks: &u8| marks & mark.bit() != 0;
        let marked = |devices: &HashMap<Key, u8>| devices.get(&device).map(has);
        // Nearly every check of a gray device ends here, without waiting for a writer.
        if marked(&self.devices.read().unwrap_or_else(PoisonError::into_inner)) != Some(false) {
            return false;
        }
        let mut devices = self.devices.write().unwrap_or_else(PoisonError::into_inner);
        devices.get_mut(&device).is_some_and(|marks| {
            let news = !has(marks);
            *marks |= mark.bit();
            news
        })
    }

    /// The last ordinal up to which all admissions are known.
    pub fn known(&self) -> u64 {
        self.known.load(Ordering::Acquire)
    }

    /// Adds what follows [`Admitted::known`], without a gap, up to the ordinal `last`.
    pub fn extend(&self, devices: impl IntoIterator<Item = Key>, last: u64) {
        let mut known = self.devices.write().unwrap_or_else(PoisonError::into_inner);
        for device in devices {
            known.entry(device).or_default();
        }
        self.known.fetch_max(last, Ordering::AcqRel);
    }
}
