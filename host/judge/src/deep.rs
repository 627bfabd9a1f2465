//! Threads with room for guests that recurse: a parser in wasm nests as deep as the script that it reads.

use std::thread;

use tokio::sync::oneshot;

use berth_base::error::{Error, Result};

/// The stack of an auditor or a guard, in bytes: enough for nesting of thousands, such as long `else if` chains.
pub(super) const GUEST_STACK: usize = 8 << 20;

/// The guest's stack, and what the host needs below and above it. Only what is touched takes memory.
const THREAD_STACK: usize = GUEST_STACK + (4 << 20);

/// Runs what blocks, and guests of the audit engine, on a thread of its own, away from those that serve requests.
///
/// # Errors
/// When no thread can be started, or `work` panics.
pub(super) async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let (done, result) = oneshot::channel();
    let run = move || {
        // Nobody waits any more when the caller has given up; the work is over all the same.
        let _ = done.send(work());
    };
    thread::Builder::new().name("berth-policy".into()).stack_size(THREAD_STACK).spawn(run).map_err(Error::internal)?;
    result.await.map_err(Error::internal)
}
