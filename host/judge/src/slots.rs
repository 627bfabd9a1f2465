//! Places for evaluations that must not wait in an async runtime: a semaphore before the pool, because an exhausted pool
//! is an error.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

/// A number of places.
pub struct Slots {
    free: Mutex<u32>,
    freed: Condvar,
}

impl Slots {
    /// So many places.
    pub fn new(count: u32) -> Self {
        Self { free: Mutex::new(count), freed: Condvar::new() }
    }

    /// Takes a place, waits for one at the most so long; none when nobody left in time.
    pub fn take(&self, patience: Duration) -> Option<Slot<'_>> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut free, _) =
            self.freed.wait_timeout_while(free, patience, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free = free.checked_sub(1)?;
        Some(Slot(self))
    }
}

/// A place, given back when dropped.
pub struct Slot<'a>(&'a Slots);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
