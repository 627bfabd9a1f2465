//! Deletes acts that are older than the operator wants to keep them.

use std::time::Duration;

use berth_base::error::Result;
use berth_store::Db;
use futures_util::FutureExt;

use crate::forget::in_batches;

/// The pause between two looks for old acts.
const EVERY: Duration = Duration::from_secs(600);
const DAY_SECONDS: i64 = 86_400;

/// Settings of how long acts are kept.
#[derive(Clone, Debug, clap::Args)]
pub struct ActConfig {
    /// Days after which an act is deleted: who did what, and from where
    #[arg(long, env = "BERTH_KEEP_ACTS_DAYS", value_name = "DAYS", default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..))]
    pub keep_acts_days: u32,
}

impl Default for ActConfig {
    fn default() -> Self {
        Self { keep_acts_days: 400 }
    }
}

/// Deletes old acts every ten minutes, in an endless loop.
pub async fn run_forgetter(db: Db, config: ActConfig) {
    let days = config.keep_acts_days;
    loop {
        match forget(&db, days).await {
            Ok(0) => {}
            Ok(acts) => tracing::info!(acts, days, "old acts are forgotten"),
            Err(error) => tracing::warn!(?error, "old acts could not be forgotten; later again"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Deletes acts that are older than `days` days, and returns how many they were.
#[tracing::instrument(name = "acts.forget", skip_all)]
async fn forget(db: &Db, days: u32) -> Result<u64> {
    let before = db.now().plus_seconds(-DAY_SECONDS * i64::from(days));
    in_batches(db, |tx, most| tx.forget_acts(before, most).boxed()).await
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::{
        act::{self, ActQuery, by_command},
        testing::host,
    };

    #[tokio::test]
    async fn p11_acts_are_forgotten_when_they_are_old_enough() {
        let host = host().await;
        let db = &host.app.db;
        let act = async |name: &str| by_command(db, name, "somebody", async { Ok(()) }).await.unwrap();
        act("admin first").await;
        host.clock.advance_seconds(2 * DAY_SECONDS);
        act("admin second").await;
        assert_eq!(forget(db, 3).await.unwrap(), 0, "nothing is that old");
        assert_eq!(forget(db, 1).await.unwrap(), 1);
        let left = act::list(db, &host.caller, &ActQuery::default()).await.unwrap().items;
        assert_eq!(left.iter().map(|act| act.operation.as_str()).collect::<Vec<_>>(), ["admin.second"]);
    }

    #[tokio::test]
    async fn p9_what_is_rolled_back_leaves_no_act_that_was_done() {
        let host = host().await;
        let db = &host.app.db;
        let work = async {
            let mut tx = db.begin().await?;
            tx.create_account("berth", &serde_json::from_str(r#"{"name": "Ann"}"#).unwrap()).await?;
            Err::<(), _>(berth_base::error::Error::new(berth_base::error::Code::LastAdmin, "no"))
        };
        by_command(db, "admin break", "somebody", work).await.unwrap_err();
        let kept = act::details(db, &host.caller, &ActQuery::default()).await.unwrap().items.remove(0);
        assert_eq!((kept.act.refused.as_deref(), kept.events.len()), (Some("last-admin"), 0));
    }
}
