//! Where checks, downloads and reports note what became of admitted devices (G8). Who serves the queue has the database.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc;

use berth_base::ids::GrayTaskId;
use berth_model::rollout::Mark;

const QUEUE: usize = 16_384;
const BATCH: usize = 1000;

struct Note {
    task: GrayTaskId,
    guid: String,
    mark: Mark,
}

/// Hands marks to the background worker. Cheap to clone.
#[derive(Clone)]
pub struct Marker(mpsc::Sender<Note>);

/// The receiving end of a [`Marker`].
pub struct MarkQueue(mpsc::Receiver<Note>);

/// Devices by their task and mark, in one order everywhere, so that two hosts never hold each other's rows.
pub type Marks = BTreeMap<(GrayTaskId, Mark), BTreeSet<String>>;

impl Marker {
    /// A marker, and the queue that a worker must serve.
    pub fn new() -> (Self, MarkQueue) {
        let (notes, queue) = mpsc::channel(QUEUE);
        (Self(notes), MarkQueue(queue))
    }

    /// Queues a mark for writing and returns at once. When the queue is full, the mark is dropped.
    pub fn mark(&self, task: &GrayTaskId, guid: &str, mark: Mark) {
        let note = Note { task: task.clone(), guid: guid.to_owned(), mark };
        if self.0.try_send(note).is_err() {
            tracing::debug!(%task, %mark, "a mark of a device is lost, because too many wait");
        }
    }
}

impl MarkQueue {
    /// The marks that wait now, up to a thousand; waits for one. None when every marker is gone.
    pub async fn next(&mut self) -> Option<Marks> {
        let mut notes = Vec::with_capacity(BATCH);
        if self.0.recv_many(&mut notes, BATCH).await == 0 {
            return None;
        }
        let mut marks = Marks::new();
        for Note { task, guid, mark } in notes {
            marks.entry((task, mark)).or_default().insert(guid);
        }
        Some(marks)
    }
}
