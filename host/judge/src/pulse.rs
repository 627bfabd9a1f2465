//! The clock of the deadlines: a thread that increments the epoch of the engines once a millisecond while evaluations
//! run, and sleeps otherwise. It goes on for a moment after the last evaluation, because waking it costs as much as a
//! small evaluation.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use wasmtime::Engine;

/// The time between two increments of the epoch.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// The number of ticks without an evaluation after which the thread sleeps.
const LINGER: u32 = 100;

/// Increments the epoch of the engines as long as anybody holds a [`Beat`].
pub(crate) struct Pulse {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    asleep: AtomicBool,
    stopped: AtomicBool,
}

impl Pulse {
    /// Starts the thread, which ends when this value is dropped.
    pub fn start(engines: Vec<Engine>) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = shared.clone();
        let handle = thread::Builder::new().name("policy-epoch".into()).spawn(move || beat(&of_thread, &engines))?;
        Ok(Self { thread: handle.thread().clone(), shared })
    }

    /// Keeps the epoch moving until the returned guard is dropped.
    pub fn hold(&self) -> Beat<'_> {
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        if self.shared.asleep.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Beat(&self.shared)
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// A guard that keeps the epoch moving.
pub(crate) struct Beat<'a>(&'a Shared);

impl Drop for Beat<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

fn beat(shared: &Shared, engines: &[Engine]) {
    let mut idle = 0;
    while !shared.stopped.load(Ordering::SeqCst) {
        idle = if shared.running.load(Ordering::SeqCst) == 0 { idle + 1 } else { 0 };
        if idle > LINGER {
            rest(shared);
            idle = 0;
        }
        // Sleeping counts from now, so that a tick that was missed is skipped and not caught up with.
        thread::sleep(TICK);
        engines.iter().for_each(Engine::increment_epoch);
    }
}

/// Sleeps until an evaluation begins.
fn rest(shared: &Shared) {
    shared.asleep.store(true, Ordering::SeqCst);
    // Who came before the store is seen here; who comes after it sees the store, and leaves a token with which parking
    // returns at once.
    if shared.running.load(Ordering::SeqCst) == 0 && !shared.stopped.load(Ordering::SeqCst) {
        thread::park();
    }
    shared.asleep.store(false, Ordering::SeqCst);
}
