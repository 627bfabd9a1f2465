//! Requests that come at the same time share a transaction, so that a message costs a part of a commit and not one of its
//! own. One worker per host takes all that waits.

use std::collections::BTreeMap;

use tokio::sync::{mpsc, oneshot};

use super::{
    fulfilment::{Batch, MOST},
    ledger::Receipt,
    message::Arrival,
};
use crate::{
    error::{Code, Error, Result},
    store::Db,
};

/// Requests that may wait; further ones wait to be let in.
const QUEUE: usize = 1024;
/// Requests that are taken in one go.
const GROUP: usize = 256;

struct Request {
    actor: String,
    arrivals: Vec<Arrival>,
    answer: oneshot::Sender<Result<Vec<Receipt>>>,
}

/// Where messages are handed in. Cheap to clone.
#[derive(Clone)]
pub struct Intake(mpsc::Sender<Request>);

/// The other end; [`IntakeQueue::run`] serves it.
pub struct IntakeQueue(mpsc::Receiver<Request>);

impl Intake {
    /// An intake and the queue that its worker serves.
    pub fn new() -> (Self, IntakeQueue) {
        let (requests, queue) = mpsc::channel(QUEUE);
        (Self(requests), IntakeQueue(queue))
    }

    /// Hands messages in, [`MOST`] at the most; answers when what became of them is stored.
    pub(super) async fn take(&self, actor: &str, arrivals: Vec<Arrival>) -> Result<Vec<Receipt>> {
        let closing = || Error::new(Code::Unavailable, "The host is closing. Send the messages again.");
        let (answer, answered) = oneshot::channel();
        let request = Request { actor: actor.to_owned(), arrivals, answer };
        self.0.send(request).await.map_err(|_| closing())?;
        answered.await.map_err(|_| closing())?
    }
}

impl IntakeQueue {
    /// Serves for ever: whatever waits goes into one transaction, as far as it fits.
    pub async fn run(mut self, db: Db) {
        let mut waiting = Vec::with_capacity(GROUP);
        while self.0.recv_many(&mut waiting, GROUP).await > 0 {
            for requests in together(waiting.drain(..)) {
                settle(&db, requests).await;
            }
        }
    }
}

/// Requests of one actor, in their order, cut so that each part has [`MOST`] messages at the most.
fn together(requests: impl Iterator<Item = Request>) -> Vec<Vec<Request>> {
    let mut actors: BTreeMap<String, Vec<Vec<Request>>> = BTreeMap::new();
    for request in requests {
        let parts = actors.entry(request.actor.clone()).or_default();
        let size = |part: &Vec<Request>| part.iter().map(|one| one.arrivals.len()).sum::<usize>();
        match parts.last_mut().filter(|part| size(part) + request.arrivals.len() <= MOST) {
            Some(part) => part.push(request),
            None => parts.push(vec![request]),
        }
    }
    actors.into_values().flatten().collect()
}

/// When what they share fails by what one of them sent, each is tried by itself: nobody pays for another's message.
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

/// The receipts of each request, in their order.
#[tracing::instrument(name = "fulfilments.settle", skip_all, fields(requests = requests.len()))]
async fn settle_together(db: &Db, requests: &[Request]) -> Result<Vec<Vec<Receipt>>> {
    let Some(first) = requests.first() else { return Ok(Vec::new()) };
    let arrivals = requests.iter().flat_map(|request| &request.arrivals).collect();
    let mut receipts = Batch { actor: &first.actor, arrivals, corrects: None }.settle(db).await?.into_iter();
    Ok(requests.iter().map(|request| receipts.by_ref().take(request.arrivals.len()).collect()).collect())
}

/// The same would befall each of them now, and none later.
pub(super) fn passes(error: &Error) -> bool {
    matches!(error.code, Code::Unavailable | Code::StorageFull)
}

/// One of those who wait gets the error with its cause, for the log; the others get what it says.
fn refuse(requests: Vec<Request>, error: Error) {
    let mut cause = error.source;
    for request in requests {
        let (detail, fields) = (error.detail.clone(), error.fields.clone());
        drop(request.answer.send(Err(Error { code: error.code, detail, fields, source: cause.take() })));
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(actor: &str, messages: usize) -> Request {
        let arrivals = (0..messages).map(|number| Arrival::read(&json!({ "id": number.to_string() }))).collect();
        Request { actor: actor.into(), arrivals, answer: oneshot::channel().0 }
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
    async fn all_who_wait_learn_of_a_failure() {
        let (one, two) = (oneshot::channel(), oneshot::channel());
        let waiting = [one.0, two.0].map(|answer| Request { actor: "a".into(), arrivals: Vec::new(), answer });
        refuse(waiting.into(), Error::new(Code::Unavailable, "no").caused_by(anyhow::anyhow!("why")));
        let (one, two) = (one.1.await.unwrap().unwrap_err(), two.1.await.unwrap().unwrap_err());
        assert_eq!((one.code, two.code), (Code::Unavailable, Code::Unavailable));
        assert_eq!((one.source.is_some(), two.source.is_some()), (true, false));
    }
}
