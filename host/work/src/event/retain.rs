//! Deletes events that are older than the operator wants to keep them, and the deliveries that were given up. The log
//! is also the record of what was before and after, so everything is kept for ever unless `--keep-events-days` says otherwise.
//! Nothing is deleted that an enabled webhook or a working relay still has to get.

use std::time::Duration;

use berth_base::{clock::Millis, error::Result};
use berth_store::{Db, EventAge};

/// The pause between two looks for old events.
const EVERY: Duration = Duration::from_secs(600);
/// How many events are looked at in one transaction.
const BATCH: i64 = 1000;
const DAY_SECONDS: i64 = 86_400;

/// Settings of how long events are kept.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct EventConfig {
    /// Days after which an event is deleted once everybody has got it; for ever when absent
    #[arg(long, env = "BERTH_KEEP_EVENTS_DAYS", value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    pub keep_events_days: Option<u32>,
}

/// Deletes old events every ten minutes, in an endless loop. Returns at once when events are kept for ever.
pub async fn run(db: Db, config: EventConfig) {
    let Some(days) = config.keep_events_days else { return };
    loop {
        match forget(&db, days).await {
            Ok(0) => {}
            Ok(events) => tracing::info!(events, days, "old events are forgotten"),
            Err(error) => tracing::warn!(?error, "old events could not be forgotten; later again"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Deletes events that are older than `days` days, and returns how many they were.
#[tracing::instrument(name = "events.forget", skip_all)]
pub(crate) async fn forget(db: &Db, days: u32) -> Result<u64> {
    let before = db.now().plus_seconds(-DAY_SECONDS * i64::from(days));
    let mut forgotten = 0;
    loop {
        let mut tx = db.begin().await?;
        let needed_after = tx.events_needed_after(before).await?;
        let Some(last) = last_to_forget(&tx.oldest_events(BATCH).await?, before, needed_after) else {
            return Ok(forgotten);
        };
        forgotten += tx.forget_events(last).await?;
        tx.commit().await?;
    }
}

/// The number up to which events can be deleted: the last of the oldest ones that are all old enough and not needed.
/// `None` when there are none.
fn last_to_forget(oldest: &[EventAge], before: Millis, needed_after: i64) -> Option<i64> {
    oldest.iter().take_while(|event| event.at < before && event.seq <= needed_after).last().map(|event| event.seq)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        event::{self, stream, webhook},
        host_app,
        testing::{TestHost, host},
    };
    use berth_base::error::Code;
    use berth_model::event::EventQuery;

    async fn happen(host: &TestHost, id: &str) {
        let new = serde_json::from_value(json!({"name": id, "id": id})).unwrap();
        host_app::create(&host.app.db, &host.caller, new).await.unwrap();
    }

    #[tokio::test]
    async fn old_events_are_forgotten_when_every_webhook_has_got_them() {
        let host = host().await;
        let new = json!({"url": "https://example.com/hook", "scope": {"kind": "platform"}});
        let hook = webhook::create(&host.app.outbox, &host.caller, serde_json::from_value(new).unwrap()).await.unwrap();
        let seen = host.app.db.read().await.unwrap().last_event().await.unwrap() - 1;
        host.clock.advance_seconds(2 * DAY_SECONDS);
        happen(&host, "late").await;
        assert_eq!(forget(&host.app.db, 3).await.unwrap(), 0, "nothing is that old");
        assert_eq!(forget(&host.app.db, 1).await.unwrap() as i64, seen, "the webhook has not got its own creation yet");
        let off = serde_json::from_value(json!({"enabled": false})).unwrap();
        webhook::edit(&host.app.outbox, &host.caller, &hook.webhook.id, off).await.unwrap();
        assert_eq!(forget(&host.app.db, 1).await.unwrap(), 1, "a webhook that is off needs nothing");
        assert_eq!(forget(&host.app.db, 1).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn whoever_would_miss_what_is_forgotten_is_told() {
        let host = host().await;
        host.clock.advance_seconds(2 * DAY_SECONDS);
        happen(&host, "late").await;
        let gone = forget(&host.app.db, 1).await.unwrap() as i64;
        let after = |after| EventQuery { after, ..EventQuery::default() };
        let list = async |from| event::list(&host.app.db, &host.caller, &after(from)).await.map_err(|error| error.code);
        assert_eq!(list(gone - 1).await.err(), Some(Code::EventsGone));
        assert_eq!(list(gone).await.unwrap().items[0].subject, "late");
        assert_eq!(list(0).await.unwrap().items[0].subject, "late");
        let query = stream::StreamQuery { after: Some(gone - 1), ..Default::default() };
        let refused = stream::open(host.app.outbox.clone(), host.caller.clone(), query).await;
        assert_eq!(refused.err().map(|error| error.code), Some(Code::EventsGone));
    }

    fn events(ages: &[(i64, i64)]) -> Vec<EventAge> {
        ages.iter().map(|&(seq, at)| EventAge { seq, at: Millis(at) }).collect()
    }

    #[test]
    fn what_is_old_and_needed_by_nobody_is_forgotten() {
        let log = events(&[(5, 10), (6, 20), (7, 30), (8, 25)]);
        let cases = [
            (25, 99, Some(6)), // the third is young, and holds the fourth
            (31, 99, Some(8)),
            (31, 6, Some(6)), // somebody waits for the seventh
            (31, 4, None),
            (10, 99, None),
        ];
        for (before, needed_after, expected) in cases {
            assert_eq!(last_to_forget(&log, Millis(before), needed_after), expected, "{before} {needed_after}");
        }
    }
}
