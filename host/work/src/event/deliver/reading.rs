//! How the dispatcher reads the log: new events once for all webhooks, and older ones for those that are far behind.

use super::{
    dispatch::Dispatcher,
    recent::{Batch, Recent},
};
use berth_base::error::Result;

/// How often one round reads for webhooks that are far behind. Few, as all other work waits for the round to end.
const FAR_READS: usize = 2;

impl Dispatcher {
    /// Reads new events, and some older ones for webhooks that are further behind. `look` becomes true when there is
    /// more to read.
    pub(super) async fn read_on(&mut self) -> Result<()> {
        let app = self.outbox.clone();
        let mut tx = app.db.read().await?;
        if self.recent.is_none() {
            self.recent = Some(Recent::new(tx.last_event().await?));
            // Webhooks that were created before this moment are told of by no event that is read.
            self.leases.look_around();
        }
        let Some(recent) = &mut self.recent else { return Ok(()) };
        let batch = Batch::read(&mut tx, recent.head()).await?;
        self.look = batch.is_full();
        self.heed(&batch);
        if let Some(recent) = &mut self.recent {
            recent.extend(batch);
        }
        self.offer_recent();
        for _ in 0..FAR_READS {
            let Some(after) = self.next_far() else { return Ok(()) };
            let batch = Batch::read(&mut tx, after).await?;
            self.far = batch.last;
            self.offer_far(&batch);
        }
        self.look = true;
        Ok(())
    }

    /// Marks webhooks that were changed as leaving, so that they are opened anew.
    fn heed(&mut self, batch: &Batch) {
        for event in batch.events.iter().filter(|event| event.row.kind.starts_with("webhook.")) {
            self.leases.look_around();
            if let Some(hook) = self.hooks.get_mut(event.row.subject.as_str()) {
                hook.leaving = true;
            }
        }
    }

    fn offer_recent(&mut self) {
        let Some(recent) = &mut self.recent else { return };
        let head = recent.head();
        for (id, hook) in &mut self.hooks {
            let taken = hook.desk.taken();
            if taken < head && recent.reaches(taken) && hook.desk.wants_more() {
                hook.offer(recent.following(taken), head);
                self.ready.insert(id.clone());
            }
        }
    }

    /// The number from which to read for a webhook that has room and is behind the events in memory. Such webhooks take
    /// turns: the one furthest behind first, then the next, and again from the start.
    fn next_far(&self) -> Option<i64> {
        let recent = self.recent.as_ref()?;
        let hooks = self.hooks.values().filter(|hook| !hook.leaving && hook.desk.wants_more());
        let behind = hooks.map(|hook| hook.desk.taken()).filter(|taken| !recent.reaches(*taken));
        // Behind the last one first; the numbers before it, wrapped around, after those.
        behind.min_by_key(|taken| (*taken <= self.far, *taken))
    }

    fn offer_far(&mut self, batch: &Batch) {
        for (id, hook) in &mut self.hooks {
            let taken = hook.desk.taken();
            if (batch.after..batch.last).contains(&taken) && hook.desk.wants_more() {
                hook.offer(&batch.events, batch.last);
                self.ready.insert(id.clone());
            }
        }
    }
}
