//! Requests that come at the same time share a transaction, so that a message costs only a part of a commit. One worker
//! per host takes everything that waits. Those of one sender share it: the act of the first stands for all of them (P9).
//!
//! Senders who wait for an answer before they send again would come in two halves: one is settled while the other waits. So the
//! worker gives those whom it has just answered a moment, as PostgreSQL does with `commit_delay`: one transaction for all is
//! cheaper than two, and answers all of them earlier. Nobody waits for a single sender.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};

use berth_model::endpoint::fulfilment::{MOST, Receipt, message::Arrival};

use crate::endpoint::fulfilment::Batch;
use berth_base::error::{Code, Error, Result};
use berth_store::{
    Db,
    act::{self, Doing, Sender},
};

/// How many requests may wait in the queue; senders of further ones wait for a free place.
const QUEUE: usize = 1024;
/// How many requests are taken from the queue at once.
const GROUP: usize = 256;
/// How long those who were answered are waited for.
const MOMENT: Duration = Duration::from_millis(1);

struct Request {
    actor: String,
    /// The act that the request is; `None` when it comes by NATS.
    act: Option<Arc<Doing>>,
    arrivals: Vec<Arrival>,
    answer: oneshot::Sender<Result<Vec<Receipt>>>,
}

/// Where messages are handed in. Cheap to clone: all clones share one queue.
#[derive(Clone)]
pub struct Intake(mpsc::Sender<Request>);

/// The receiving end of an [`Intake`], which [`IntakeQueue::run`] serves.
pub struct IntakeQueue(mpsc::Receiver<Request>);

impl Intake {
    /// An intake, and the queue for its worker.
    pub fn new() -> (Self, IntakeQueue) {
        let (requests, queue) = mpsc::channel(QUEUE);
        (Self(requests), IntakeQueue(queue))
    }

    /// Hands in messages, [`MOST`] at most, and answers once what became of them is stored.
    ///
    /// # Errors
    /// `unavailable` when the host is shutting down; else whatever [`Batch::settle`] fails with.
    pub(super) async fn take(&self, actor: &str, arrivals: Vec<Arrival>) -> Result<Vec<Receipt>> {
        let closing = || Error::new(Code::Unavailable, "The host is closing. Send the messages again.");
        let (answer, answered) = oneshot::channel();
        let request = Request { actor: actor.to_owned(), act: act::current(), arrivals, answer };
        self.0.send(request).await.map_err(|_| closing())?;
        answered.await.map_err(|_| closing())?
    }
}

impl IntakeQueue {
    /// Serves the queue until all intakes are dropped. As many waiting requests as fit go into one transaction.
    pub async fn run(mut self, db: Db) {
        let mut senders = 0;
        loop {
            let waiting = self.next(senders).await;
            if waiting.is_empty() {
                return;
            }
            let answered = waiting.len();
            for requests in together(waiting.into_iter()) {
                settle(&db, requests).await;
            }
            senders = answered + self.0.len();
        }
    }

    /// The requests that wait, once there is one; those of so many senders, if they come within a moment. None when all intakes
    /// are dropped.
    async fn next(&mut self, senders: usize) -> Vec<Request> {
        let mut waiting = Vec::with_capacity(GROUP);
        self.0.recv_many(&mut waiting, GROUP).await;
        let moment = Instant::now() + MOMENT;
        while waiting.len() < senders.min(GROUP) {
            let Ok(Some(request)) = timeout_at(moment, self.0.recv()).await else { break };
            waiting.push(request);
        }
        waiting
    }
}

/// The requests grouped by who sent them, in their order, and cut so that each group has [`MOST`] messages at most.
fn together(requests: impl Iterator<Item = Request>) -> Vec<Vec<Request>> {
    let mut senders: BTreeMap<(String, Option<Sender>), Vec<Vec<Request>>> = BTreeMap::new();
    for request in requests {
        let sender = request.act.as_deref().map(Doing::sender);
        let parts = senders.entry((request.actor.clone(), sender)).or_default();
        let size = |part: &Vec<Request>| part.iter().map(|one| one.arrivals.len()).sum::<usize>();
        match parts.last_mut().filter(|part| size(part) + request.arrivals.len() <= MOST) {
            Some(part) => part.push(request),
            None => parts.push(vec![request]),
        }
    }
    senders.into_values().flatten().collect()
}

/// Settles requests in one transaction. When that fails, and not by a failure that passes, each request is tried by
/// itself, so that none fails because of another one's messages.
async fn settle(db: &Db, requests: Vec<Request>) {
    match settle_together(db, &requests).await {
        // Whoever does not wait any more sends again, and is told then.
        Ok(receipts) => {
            requests.into_iter().zip(receipts).for_each(|(one, receipts)| drop(one.answer.send(Ok(receipts))))
        }
        Err(error) if requests.len() > 1 && !passes(&error) => {
            for request in requests {
                let receipts = settle_together(db, std::slice::from_ref(&request)).await;
                drop(request.answer.send(receipts.map(|all| all.into_iter().flatten().collect())));
            }
        }
        Err(error) => refuse(requests, error),
    }
}

/// Settles requests in one transaction, as a part of the first one's act, and answers the receipts of each, in their
/// order.
#[tracing::instrument(name = "fulfilments.settle", skip_all, fields(requests = requests.len()))]
async fn settle_together(db: &Db, requests: &[Request]) -> Result<Vec<Vec<Receipt>>> {
    let Some(first) = requests.first() else { return Ok(Vec::new()) };
    let arrivals = requests.iter().flat_map(|request| &request.arrivals).collect();
    let batch = Batch { actor: &first.actor, arrivals, replays: None };
    let settled = match first.act.clone() {
        Some(act) => act.scope(batch.settle(db)).await?,
        None => batch.settle(db).await?,
    };
    let mut receipts = settled.into_iter();
    Ok(requests.iter().map(|request| receipts.by_ref().take(request.arrivals.len()).collect()).collect())
}

/// Whether the failure affects every request at present and passes by itself, so that trying requests one by one is
/// useless.
pub(super) fn passes(error: &Error) -> bool {
    matches!(error.code, Code::Unavailable | Code::StorageFull)
}

/// Answers all requests with the error. Only the first one gets its cause.
fn refuse(requests: Vec<Request>, error: Error) {
    let copies: Vec<_> = requests.iter().skip(1).map(|_| error.copy()).collect();
    for (request, error) in requests.into_iter().zip(std::iter::once(error).chain(copies)) {
        drop(request.answer.send(Err(error)));
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use berth_model::{access::Origin, act::Asked};
    use serde_json::json;

    use super::*;

    fn request(actor: &str, messages: usize) -> Request {
        let arrivals = (0..messages).map(|number| Arrival::read(&json!({ "id": number.to_string() }))).collect();
        Request { actor: actor.into(), act: None, arrivals, answer: oneshot::channel().0 }
    }

    #[test]
    fn requests_of_one_actor_go_together_as_far_as_they_fit() {
        let waiting = [("a", 1), ("b", 3), ("a", 998), ("a", 2), ("a", 1000), ("b", 1)];
        let parts = together(waiting.map(|(actor, messages)| request(actor, messages)).into_iter());
        let sizes = |part: &Vec<Request>| {
            (part[0].actor.clone(), part.iter().map(|one| one.arrivals.len()).collect::<Vec<_>>())
        };
        let sizes: Vec<_> = parts.iter().map(sizes).collect();
        let expected = [("a", vec![1, 998]), ("a", vec![2]), ("a", vec![1000]), ("b", vec![3, 1])];
        assert_eq!(sizes, expected.map(|(actor, sizes)| (actor.to_owned(), sizes)));
    }

    #[tokio::test]
    async fn p9_requests_go_together_only_where_one_act_says_who_sent_all_of_them() {
        let fresh = berth_store::testing::fresh().await;
        let from = |address: &str| {
            let origin = Origin { address: Some(address.into()), agent: None };
            Some(Doing::begin(&fresh.db, Asked { origin, ..Asked::default() }))
        };
        let waiting = [from("10.0.0.1"), None, from("10.0.0.2"), from("10.0.0.1"), None];
        let parts = together(waiting.map(|act| Request { act, ..request("a", 1) }).into_iter());
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_were_answered_are_waited_for_a_moment_and_a_single_sender_is_not() {
        let (Intake(intake), mut queue) = Intake::new();
        let took = |waiting: Vec<Request>, since: Instant| (waiting.len(), since.elapsed());
        let send = |number: usize| (0..number).for_each(|_| intake.try_send(request("a", 1)).ok().unwrap());

        let start = Instant::now();
        send(1);
        assert_eq!(took(queue.next(1).await, start), (1, Duration::ZERO), "a single sender");
        send(3);
        assert_eq!(took(queue.next(2).await, start), (3, Duration::ZERO), "more than are expected");
        let (first, second) = (intake.clone(), intake.clone());
        tokio::spawn(async move {
            drop(first.send(request("a", 1)).await);
            tokio::task::yield_now().await;
            drop(second.send(request("a", 1)).await);
        });
        assert_eq!(took(queue.next(2).await, start), (2, Duration::ZERO), "one that comes a little later");
        send(1);
        let (number, waited) = took(queue.next(2).await, start);
        assert!(number == 1 && waited <= MOMENT * 2, "one that does not come: {waited:?}");
        drop(intake);
        assert_eq!(queue.next(2).await.len(), 0, "the end");
    }

    #[tokio::test]
    async fn all_who_wait_learn_of_a_failure() {
        let (one, two) = (oneshot::channel(), oneshot::channel());
        let waiting =
            [one.0, two.0].map(|answer| Request { actor: "a".into(), act: None, arrivals: Vec::new(), answer });
        refuse(waiting.into(), Error::new(Code::Unavailable, "no").caused_by(anyhow::anyhow!("why")));
        let (one, two) = (one.1.await.unwrap().unwrap_err(), two.1.await.unwrap().unwrap_err());
        assert_eq!((one.code, two.code), (Code::Unavailable, Code::Unavailable));
        assert_eq!((one.source.is_some(), two.source.is_some()), (true, false));
    }
}
