//! Threads whose stacks suffice for recursive guests: a parser in wasm recurses as deeply as the script that it reads
//! is nested.

use std::thread;

use tokio::sync::oneshot;

use berth_base::error::{Error, Result};

/// The stack of an auditor or a guard, in bytes: enough for thousands of nested constructs, such as long `else if`
/// chains.
pub(super) const GUEST_STACK: usize = 8 << 20;

/// The stack of the thread, in bytes: the guest's, and what the host needs besides. Only what is used takes memory.
const THREAD_STACK: usize = GUEST_STACK + (4 << 20);

/// Runs blocking work, and guests of the audit engine, on a thread of its own, away from those that serve requests.
///
/// # Errors
/// `internal` when no thread can be started, or when `work` panics.
pub(super) async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let (done, result) = oneshot::channel();
    let run = move || {
        // Nobody waits any more when the caller has given up; the work is over all the same.
        let _ = done.send(work());
    };
    thread::Builder::new().name("berth-policy".into()).stack_size(THREAD_STACK).spawn(run).map_err(Error::internal)?;
    result.await.map_err(Error::internal)
}
