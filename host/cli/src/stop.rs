//! The end of a command from outside.

/// Ready when the process is told to stop.
pub(crate) async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    // Without a handler there is nothing that could tell of it.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
