//! Drops days of logs that are too old, or for which there is no room.

use std::{sync::Arc, time::Duration};

use berth_base::error::Result;
use berth_model::log::{Day, forgotten};

use super::Logs;

/// The pause between two looks.
const EVERY: Duration = Duration::from_secs(60);

/// Drops days, in an endless loop.
pub async fn run(logs: Arc<Logs>) {
    loop {
        match logs.forget_old().await {
            Ok(days) if days.is_empty() => {}
            Ok(days) => tracing::info!(?days, "old logs are dropped"),
            Err(error) => tracing::warn!(?error, "old logs could not be dropped; later again"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

impl Logs {
    /// Drops the days that are not to be kept any more, and tells which.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn forget_old(&self) -> Result<Vec<Day>> {
        let (today, days) = (Day::of(self.clock.now()), self.store.days().await?);
        let gone = forgotten(&days, today, self.config.log_keep_days, self.config.keep_bytes());
        for day in &gone {
            self.store.forget(*day).await?;
        }
        Ok(gone)
    }
}
