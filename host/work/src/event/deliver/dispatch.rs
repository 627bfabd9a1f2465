//! The dispatcher of a host: the loop that reads the log (`reading`), keeps the leases (`lease`), asks each webhook's
//! desk what to send, sends it, and has the outcome written. It makes no decisions of its own.

use crate::event::outbox::Outbox;
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, MissedTickBehavior, interval},
};

use super::{
    attempts::{Attempts, keep},
    hook::{Hook, Target},
    lanes::Lanes,
    lease::Leases,
    plan::Job,
    recent::{Prepared, Recent},
    send::{Message, Receipt},
    write::{Written, write},
};
use berth_base::{
    clock::Random,
    error::Result,
    ids::{AttemptId, WebhookId},
};
use berth_store::{AttemptRow, Db};

use crate::event::cloud;

/// The longest time until events of another host are seen; the host's own are seen at once.
const PULSE: Duration = Duration::from_millis(200);
/// Cursors are written this often at the most, for all webhooks together.
const WRITE_GAP: Duration = Duration::from_millis(50);

/// Delivers events to webhooks in an endless loop.
pub async fn run(outbox: Arc<Outbox>) {
    let mut told = Box::pin(outbox.db.next_events());
    let mut pulse = interval(PULSE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut dispatcher = Dispatcher::new(outbox.clone());
    loop {
        tokio::select! {
            // What has ended comes first and reading last, so that however much there is to be read for one that is far behind,
            // the others go on and the leases are kept (F97).
            biased;
            _ = pulse.tick() => dispatcher.beat(),
            Some(done) = dispatcher.writes.join_next() => dispatcher.written(done),
            Some(done) = dispatcher.sends.join_next() => dispatcher.settle(done),
            () = &mut told => {
                told = Box::pin(outbox.db.next_events());
                dispatcher.look = true;
            }
            () = std::future::ready(()), if dispatcher.look => {}
        }
        if let Err(error) = dispatcher.round().await {
            tracing::warn!(?error, "events cannot be delivered for now; trying again");
            tokio::time::sleep(PULSE).await;
        }
    }
}

/// Gives up the leases of this host, which is stopping, so that other hosts can take them at once.
pub async fn release(db: &Db) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.release_leases(db.host()).await?;
    tx.commit().await
}

/// A send that has ended.
struct Done {
    webhook: WebhookId,
    seq: i64,
    receipt: Receipt,
}

pub(super) struct Dispatcher {
    pub(super) outbox: Arc<Outbox>,
    pub(super) hooks: HashMap<WebhookId, Hook>,
    pub(super) leases: Leases,
    /// The webhooks that may have something to send.
    pub(super) ready: BTreeSet<WebhookId>,
    pub(super) recent: Option<Recent>,
    /// The number up to which events were last read for a webhook that is far behind.
    pub(super) far: i64,
    /// Whether there may be new events to read.
    pub(super) look: bool,
    lanes: Lanes,
    attempts: Attempts,
    /// What writes attempts: one at a time.
    keeping: JoinSet<()>,
    sends: JoinSet<Done>,
    writes: JoinSet<Written>,
    wrote: Instant,
}

impl Dispatcher {
    fn new(outbox: Arc<Outbox>) -> Self {
        Self {
            lanes: Lanes::new(outbox.sends),
            outbox,
            hooks: HashMap::new(),
            leases: Leases::default(),
            ready: BTreeSet::new(),
            recent: None,
            far: 0,
            look: true,
            attempts: Attempts::default(),
            keeping: JoinSet::new(),
            sends: JoinSet::new(),
            writes: JoinSet::new(),
            wrote: Instant::now(),
        }
    }

    /// Marks the log as to be read, and the webhooks that have something due as ready.
    fn beat(&mut self) {
        self.look = true;
        let now = self.outbox.db.now();
        let due = self.hooks.iter().filter(|(_, hook)| hook.desk.has_work(now));
        self.ready.extend(due.map(|(id, _)| id.clone()));
        self.keep_attempts();
    }

    /// Begins to write the attempts that ended, unless that goes on already.
    fn keep_attempts(&mut self) {
        while self.keeping.try_join_next().is_some() {}
        if !self.keeping.is_empty() {
            return;
        }
        let ended = self.attempts.due(Instant::now());
        if !ended.is_empty() {
            self.keeping.spawn(keep(self.outbox.db.clone(), ended));
        }
    }

    /// Notes what became of a send, for whoever looks.
    fn note(&mut self, Done { webhook, seq, receipt }: &Done) {
        let (at, random) = (self.outbox.db.now(), self.outbox.db.random());
        self.attempts.note(AttemptRow {
            id: AttemptId::generate(at, random),
            webhook_id: webhook.clone(),
            seq: *seq,
            at,
            status: receipt.status,
            millis: receipt.took.as_millis() as i64,
            error: receipt.why.clone(),
        });
    }

    /// Does one round of work: keeps the leases, reads events, starts sends, and starts writing.
    #[tracing::instrument(name = "deliveries.round", skip_all)]
    async fn round(&mut self) -> Result<()> {
        let opened = self.keep_leases().await?;
        self.ready.extend(opened);
        if std::mem::take(&mut self.look) {
            self.read_on().await?;
        }
        self.start();
        self.write();
        Ok(())
    }

    /// Starts sends for the webhooks that are ready, as far as there is room and the leases hold.
    fn start(&mut self) {
        if !self.leases.holds(self.outbox.db.now()) {
            return;
        }
        for id in std::mem::take(&mut self.ready) {
            if !self.start_for(&id) {
                self.ready.insert(id);
            }
        }
    }

    /// Starts what a webhook has to send. False when there was no room for all of it.
    fn start_for(&mut self, id: &WebhookId) -> bool {
        let Some(hook) = self.hooks.get_mut(id).filter(|hook| !hook.leaving) else { return true };
        let now = self.outbox.db.now();
        while hook.desk.has_slot() {
            let Some(place) = self.lanes.enter(hook.desk.is_ailing()) else { return false };
            let Some(job) = hook.desk.next(now) else { return true };
            let (outbox, lanes, target) = (self.outbox.clone(), self.lanes.clone(), hook.target.clone());
            let (webhook, seq, leave) = (id.clone(), job.seq(), self.leases.leave());
            self.sends.spawn(async move {
                let receipt =
                    leave.keep(lanes.travel(place, send(&outbox, &target, job))).await.unwrap_or_else(Receipt::cut);
                Done { webhook, seq, receipt }
            });
        }
        true
    }

    /// Tells the desks what became of their sends: of the first one, and of all others that have ended too.
    fn settle(&mut self, first: Result<Done, JoinError>) {
        let mut next = Some(first);
        while let Some(done) = next {
            match done {
                Ok(done) => {
                    self.note(&done);
                    self.settle_one(done);
                }
                // A send that panicked cannot say whose it was: begin again from what is stored.
                Err(error) => {
                    tracing::error!(%error, "a delivery ended in a panic");
                    self.hooks.clear();
                    self.leases.lose();
                }
            }
            next = self.sends.try_join_next();
        }
    }

    fn settle_one(&mut self, Done { webhook, seq, receipt }: Done) {
        let Some(hook) = self.hooks.get_mut(&webhook) else { return };
        if !receipt.is_delivered() {
            tracing::info!(%webhook, seq, why = %receipt.why, "an event was not delivered");
        }
        let (now, jitter) = (self.outbox.db.now(), jitter(self.outbox.db.random()));
        hook.desk.settle(seq, &receipt.verdict(), now, jitter);
        if receipt.is_gone() {
            hook.leaving = true;
            hook.gone = Some(receipt.why);
        }
        // What is far behind is read for when half of its window is free, not for every event.
        self.look |=
            hook.desk.wants_more() && self.recent.as_ref().is_some_and(|recent| hook.desk.taken() < recent.head());
        self.ready.insert(webhook);
    }

    /// Starts writing cursors and rows, when something changed and nothing is being written.
    fn write(&mut self) {
        if self.is_writing() || self.wrote.elapsed() < WRITE_GAP {
            return;
        }
        if let Some(marks) = super::write::marks(&mut self.hooks) {
            self.wrote = Instant::now();
            self.writes.spawn(write(self.outbox.db.clone(), marks));
        }
    }

    /// Whether cursors and rows are being written.
    pub(super) fn is_writing(&self) -> bool {
        !self.writes.is_empty()
    }

    fn written(&mut self, done: Result<Written, JoinError>) {
        match done {
            Ok(written) => {
                if super::write::settle(&mut self.hooks, written) {
                    self.leases.look_around();
                }
            }
            Err(error) => {
                tracing::error!(%error, "writing deliveries ended in a panic");
                self.hooks.clear();
                self.leases.lose();
            }
        }
    }
}

async fn send(outbox: &Outbox, target: &Target, job: Job<Arc<Prepared>>) -> Receipt {
    let message = match job {
        Job::First(event) => event.message(outbox.public_url.as_deref()),
        Job::Again(seq) => stored(outbox, seq).await,
    };
    let now = outbox.db.now();
    match message {
        Ok(message) => outbox.sender.send(&target.url, &target.keys(now.0), &message, now).await,
        Err(error) => Receipt { why: format!("The event could not be read: {error}"), ..Receipt::default() },
    }
}

/// The message of an event that is sent again. It is the same as at the first try.
async fn stored(outbox: &Outbox, seq: i64) -> Result<Message> {
    let event = outbox.db.read().await?.event(seq).await?;
    let event = event.ok_or_else(|| berth_base::error::Error::not_found("event", seq))?;
    let body = cloud::envelope(&event, outbox.public_url.as_deref()).document()?;
    Ok(Message { id: event.id.to_string(), body })
}

/// A random number from 0 to 1.
fn jitter(random: &dyn Random) -> f64 {
    let mut bytes = [0u8; 4];
    random.fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
