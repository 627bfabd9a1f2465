//! What is said while something takes long.

use std::{pin::pin, time::Duration};

/// How long nothing is said.
const QUIET: Duration = Duration::from_secs(1);

/// Does the work, and calls `say` once when it takes longer than a second.
pub async fn say_if_slow<T>(work: impl Future<Output = T>, say: impl FnOnce()) -> T {
    say_after(QUIET, work, say).await
}

async fn say_after<T>(quiet: Duration, work: impl Future<Output = T>, say: impl FnOnce()) -> T {
    let mut work = pin!(work);
    match tokio::time::timeout(quiet, &mut work).await {
        Ok(done) => done,
        Err(_) => {
            say();
            work.await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_quick_is_silent_and_what_is_slow_is_told_once() {
        for (quiet, told) in [(60_000, 0), (1, 1)] {
            let mut said = 0;
            let work = tokio::time::sleep(Duration::from_millis(50));
            say_after(Duration::from_millis(quiet), work, || said += 1).await;
            assert_eq!(said, told, "{quiet} ms");
        }
    }
}
