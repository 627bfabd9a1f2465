//! Marks record what became of an admitted device: it downloaded the package, it runs the version, the version failed
//! (G8). Only the first mark of each kind is kept for a device.
//!
//! A background worker writes marks in batches, so that requests do not wait for them. They are telemetry: when a host
//! is killed, the marks of its last moments are lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::sync::mpsc;

use crate::{error::Result, ids::GrayTaskId, store::Db, text::text_enum};

text_enum! {
    /// What became of a device that a gray task has admitted.
    Mark {
        /// The device fetched the package.
        Downloaded = "downloaded",
        /// The device runs the version.
        Running = "running",
        /// The version failed on the device.
        Failed = "failed",
    }
}

impl Mark {
    /// The bit of this mark in a set of marks.
    pub(crate) fn bit(self) -> u8 {
        1 << self as u8
    }
}

const QUEUE: usize = 16_384;
const BATCH: usize = 1000;
/// How long the worker lets marks gather between two batches.
const PAUSE: Duration = Duration::from_millis(500);

struct Note {
    task: GrayTaskId,
    guid: String,
    mark: Mark,
}

/// Hands marks to the background worker. Cheap to clone.
#[derive(Clone)]
pub struct Marker(mpsc::Sender<Note>);

/// The receiving end of a [`Marker`], to be served by [`MarkQueue::run`].
pub struct MarkQueue(mpsc::Receiver<Note>);

impl Marker {
    /// A marker, and the queue that [`MarkQueue::run`] must serve.
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
    /// Writes queued marks until every [`Marker`] is gone. A batch that cannot be written is logged and lost.
    pub async fn run(mut self, db: Db) {
        let mut notes = Vec::with_capacity(BATCH);
        while self.0.recv_many(&mut notes, BATCH).await > 0 {
            if let Err(error) = write(&db, std::mem::take(&mut notes)).await {
                tracing::warn!(?error, "marks of devices could not be written and are lost");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn write(db: &Db, notes: Vec<Note>) -> Result<()> {
    // In one order everywhere, so that two hosts never hold each other's rows.
    let mut groups: BTreeMap<(GrayTaskId, Mark), BTreeSet<String>> = BTreeMap::new();
    for Note { task, guid, mark } in notes {
        groups.entry((task, mark)).or_default().insert(guid);
    }
    let now = db.now();
    for ((task, mark), guids) in groups {
        let mut tx = db.begin().await?;
        tx.mark_admissions(&task, mark, &guids, now).await?;
        tx.commit().await?;
    }
    Ok(())
}
