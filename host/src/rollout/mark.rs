//! What became of an admitted device: it downloaded, it runs the version, it failed (G8). The first time counts.
//!
//! Marks are written in batches in the background, apart from the requests that bring them. They are telemetry: a host
//! that is killed forgets those of its last moments.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::sync::mpsc;

use crate::{error::Result, ids::GrayTaskId, store::Db, text::text_enum};

text_enum! {
    /// What became of a device.
    Mark {
        /// It fetched the package.
        Downloaded = "downloaded",
        /// It runs the version.
        Running = "running",
        /// The version failed on it.
        Failed = "failed",
    }
}

impl Mark {
    /// One bit each.
    pub(crate) fn bit(self) -> u8 {
        1 << self as u8
    }
}

const QUEUE: usize = 16_384;
const BATCH: usize = 1000;
/// Marks gather for so long.
const PAUSE: Duration = Duration::from_millis(500);

struct Note {
    task: GrayTaskId,
    guid: String,
    mark: Mark,
}

/// Takes marks. Cheap to clone.
#[derive(Clone)]
pub struct Marker(mpsc::Sender<Note>);

/// The other end; [`MarkQueue::run`] serves it.
pub struct MarkQueue(mpsc::Receiver<Note>);

impl Marker {
    /// A marker and the queue that its worker serves.
    pub fn new() -> (Self, MarkQueue) {
        let (notes, queue) = mpsc::channel(QUEUE);
        (Self(notes), MarkQueue(queue))
    }

    /// Notes a mark of an admitted device, soon. Under a flood of marks some are lost.
    pub fn mark(&self, task: &GrayTaskId, guid: &str, mark: Mark) {
        let note = Note { task: task.clone(), guid: guid.to_owned(), mark };
        if self.0.try_send(note).is_err() {
            tracing::debug!(%task, %mark, "a mark of a device is lost, because too many wait");
        }
    }
}

impl MarkQueue {
    /// Serves for ever.
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

#[tracing::instrument(name = "marks.write", skip_all, fields(marks = notes.len()))]
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
