//! The clock of the deadlines: a thread that moves the epoch of the engines once a millisecond while something runs, and
//! sleeps while nothing does.

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

/// One tick of the epoch.
pub const TICK: Duration = Duration::from_millis(1);

/// Keeps the epoch moving as long as anybody holds a [`Beat`].
pub struct Pulse {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    stopped: AtomicBool,
}

impl Pulse {
    /// Starts the thread; it ends with this value.
    pub fn start(engines: Vec<Engine>) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = shared.clone();
        let handle = thread::Builder::new().name("policy-epoch".into()).spawn(move || beat(&of_thread, &engines))?;
        Ok(Self { thread: handle.thread().clone(), shared })
    }

    /// From now on the epoch moves, until the guard is dropped.
    pub fn hold(&self) -> Beat<'_> {
        if self.shared.running.fetch_add(1, Ordering::SeqCst) == 0 {
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

/// Somebody needs the epoch to move.
pub struct Beat<'a>(&'a Shared);

impl Drop for Beat<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

fn beat(shared: &Shared, engines: &[Engine]) {
    while !shared.stopped.load(Ordering::SeqCst) {
        if shared.running.load(Ordering::SeqCst) == 0 {
            // Who comes between the check and this leaves a token, with which this returns at once.
            thread::park();
        }
        // Sleeping counts from now, so that a tick that was missed is skipped and not caught up with.
        thread::sleep(TICK);
        engines.iter().for_each(Engine::increment_epoch);
    }
}
