//! What workers do by the clock.

use std::time::Duration;

use berth_base::error::Result;

/// Does the same again and again, for ever, each time after a pause. When it fails, the log says so in the words of
/// `trouble`, and the next round tries again.
pub(crate) async fn every<T, F: Future<Output = Result<T>>>(pause: Duration, trouble: &str, round: impl Fn() -> F) {
    loop {
        tokio::time::sleep(pause).await;
        if let Err(error) = round().await {
            tracing::warn!(?error, "{trouble}");
        }
    }
}
