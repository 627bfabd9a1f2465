//! The last sends to webhooks, kept for whoever looks what a receiver answered. Nothing decides by them: they are written now and
//! then, and those of the last moment are lost with a host that is killed.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use berth_base::ids::WebhookId;
use berth_store::{AttemptRow, Db};

/// How often they are written at the most.
const GAP: Duration = Duration::from_secs(1);
/// How many of one webhook are kept of a gap.
const MOST_OF_ONE: usize = 20;
/// How many of all webhooks are kept of a gap, so that many busy ones do not keep the database busy.
const MOST: usize = 1000;

/// The sends that have ended and are not written yet.
#[derive(Default)]
pub struct Attempts {
    ended: HashMap<WebhookId, VecDeque<AttemptRow>>,
    wrote: Option<Instant>,
}

impl Attempts {
    /// Notes a send that has ended. Of a busy webhook the last ones are kept.
    pub fn note(&mut self, attempt: AttemptRow) {
        let of_one = self.ended.entry(attempt.webhook_id.clone()).or_default();
        if of_one.len() == MOST_OF_ONE {
            of_one.pop_front();
        }
        of_one.push_back(attempt);
    }

    /// Those that are to be written now: of each webhook the last ones, and of every one at least one.
    pub fn due(&mut self, now: Instant) -> Vec<AttemptRow> {
        if self.ended.is_empty() || self.wrote.is_some_and(|wrote| now < wrote + GAP) {
            return Vec::new();
        }
        self.wrote = Some(now);
        let each = (MOST / self.ended.len()).max(1);
        let last = |mut of_one: VecDeque<AttemptRow>| of_one.split_off(of_one.len().saturating_sub(each));
        std::mem::take(&mut self.ended).into_values().flat_map(last).collect()
    }
}

/// Writes attempts. What cannot be written is lost: trying again would help nobody.
pub async fn keep(db: Db, attempts: Vec<AttemptRow>) {
    let written = async {
        let mut tx = db.begin().await?;
        tx.insert_attempts(&attempts).await?;
        tx.commit().await
    };
    if let Err(error) = written.await {
        tracing::warn!(?error, "what receivers of webhooks answered could not be kept");
    }
}

#[cfg(test)]
mod tests {
    use berth_base::{
        clock::{Millis, SystemRandom},
        ids::AttemptId,
    };

    use super::*;

    fn attempt(webhook: &WebhookId, seq: i64) -> AttemptRow {
        let id = AttemptId::generate(Millis(seq), &SystemRandom);
        AttemptRow {
            id,
            webhook_id: webhook.clone(),
            seq,
            at: Millis(seq),
            status: Some(204),
            millis: 1,
            error: String::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_attempts_of_each_webhook_are_written_now_and_then() {
        let webhook = |number: i64| WebhookId::generate(Millis(number), &SystemRandom);
        let (busy, quiet) = (webhook(1), webhook(2));
        let (mut attempts, start) = (Attempts::default(), Instant::now());
        assert!(attempts.due(start).is_empty());
        (1..=30).for_each(|seq| attempts.note(attempt(&busy, seq)));
        attempts.note(attempt(&quiet, 7));
        let due = attempts.due(start);
        let of = |which: &WebhookId| {
            due.iter().filter(|one| one.webhook_id == *which).map(|one| one.seq).collect::<Vec<_>>()
        };
        assert_eq!((of(&busy), of(&quiet)), ((11..=30).collect(), vec![7]));
        attempts.note(attempt(&busy, 31));
        assert!(attempts.due(start + GAP / 2).is_empty(), "not yet");
        assert_eq!(attempts.due(start + GAP).len(), 1);
        let many: Vec<_> = (0..600).map(webhook).collect();
        many.iter().for_each(|one| (1..=5).for_each(|seq| attempts.note(attempt(one, seq))));
        let due = attempts.due(start + GAP * 2);
        assert_eq!((due.len(), due.iter().all(|one| one.seq == 5)), (600, true), "of many busy ones the last of each");
    }
}
