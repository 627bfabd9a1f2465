//! The worker that hands entries to the store: those that wait share a transaction.

use std::sync::Arc;

use berth_base::error::{Error, Result};
use berth_logs::LogStore;
use berth_model::log::{Arrived, DayLimits, Fate};
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc, oneshot};

/// How many batches are taken from the queue at once, and written together.
const GROUP: usize = 64;

/// A batch that waits.
pub(super) struct Request {
    pub entries: Vec<Arrived>,
    pub answer: oneshot::Sender<Result<Vec<Fate>>>,
    /// Given back when the batch is written, or is not.
    pub room: OwnedSemaphorePermit,
}

/// Entries that wait to be stored, for the worker of a host.
pub struct LogQueue {
    requests: mpsc::UnboundedReceiver<Request>,
    store: Arc<dyn LogStore>,
    limits: DayLimits,
    arrived: Arc<Notify>,
}

impl LogQueue {
    pub(super) fn new(
        requests: mpsc::UnboundedReceiver<Request>,
        store: Arc<dyn LogStore>,
        limits: DayLimits,
        arrived: Arc<Notify>,
    ) -> Self {
        Self { requests, store, limits, arrived }
    }

    /// Writes what waits, until the host is dropped.
    pub async fn run(mut self) {
        let mut waiting = Vec::with_capacity(GROUP);
        while self.requests.recv_many(&mut waiting, GROUP).await > 0 {
            let mut requests = std::mem::take(&mut waiting);
            // Who does not wait any more sends again, and is not stored twice for that.
            requests.retain(|request| !request.answer.is_closed());
            let sizes: Vec<_> = requests.iter().map(|request| request.entries.len()).collect();
            let entries: Vec<_> = requests.iter_mut().flat_map(|request| request.entries.drain(..)).collect();
            match self.store.append(&entries, &self.limits).await {
                Ok(fates) => {
                    let mut fates = fates.into_iter();
                    for (request, size) in requests.into_iter().zip(sizes) {
                        drop(request.answer.send(Ok(fates.by_ref().take(size).collect())));
                    }
                    self.arrived.notify_waiters();
                }
                Err(error) => refuse(requests, &error),
            }
        }
    }
}

/// Answers all requests with the error. Its cause is logged here, once.
fn refuse(requests: Vec<Request>, error: &Error) {
    tracing::warn!(?error, batches = requests.len(), "entries of logs could not be stored");
    for Request { answer, room, .. } in requests {
        let (code, detail, fields) = (error.code, error.detail.clone(), error.fields.clone());
        drop(answer.send(Err(Error { code, detail, fields, source: None })));
        drop(room);
    }
}
