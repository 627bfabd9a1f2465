//! A semaphore for threads that block: it stands before the pool of grayscale instances, as an exhausted pool is an
//! error.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A number of places, of which each evaluation takes one.
pub(crate) struct Slots {
    places: Mutex<Places>,
    freed: Condvar,
}

struct Places {
    free: u32,
    /// How many threads wait for a place. A condition variable of the standard library makes a system call to wake
    /// whoever waits, even when nobody does.
    waiting: u32,
}

impl Slots {
    /// `count` free places.
    pub fn new(count: u32) -> Self {
        Self { places: Mutex::new(Places { free: count, waiting: 0 }), freed: Condvar::new() }
    }

    /// Takes a place, and waits for one at most as long as `patience`. `None` when none became free in time.
    pub fn take(&self, patience: Duration) -> Option<Slot<'_>> {
        let mut places = self.places();
        if places.free == 0 {
            places.waiting += 1;
            let waited = self.freed.wait_timeout_while(places, patience, |places| places.free == 0);
            places = waited.unwrap_or_else(PoisonError::into_inner).0;
            places.waiting -= 1;
        }
        places.free = places.free.checked_sub(1)?;
        Some(Slot(self))
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place that was taken. It is given back when this is dropped.
pub struct Slot<'a>(&'a Slots);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut places = self.0.places();
        places.free += 1;
        if places.waiting > 0 {
            self.0.freed.notify_one();
        }
    }
}
