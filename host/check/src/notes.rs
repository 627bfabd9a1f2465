//! What checks note for a worker that writes it in batches, so that no check waits for the database.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};

const BATCH: usize = 1000;

/// How long a worker lets notes gather between two batches.
const PAUSE: Duration = Duration::from_millis(500);

enum Entry<T> {
    Note(T),
    /// Somebody waits until everything before this is written.
    Waiting(oneshot::Sender<()>),
}

/// Hands notes to a worker. Cheap to clone.
pub(crate) struct Notes<T> {
    queue: mpsc::Sender<Entry<T>>,
    lost: Arc<AtomicU64>,
}

/// The worker's end of [`Notes`].
pub(crate) struct NoteQueue<T>(mpsc::Receiver<Entry<T>>);

/// What a worker writes at once. Whoever waits for it goes on when the batch is dropped.
pub struct Batch<N> {
    /// What is to be written.
    pub notes: N,
    /// Whether more may wait already.
    is_full: bool,
    _waiting: Vec<oneshot::Sender<()>>,
}

impl<N> Batch<N> {
    /// Tells those who wait that the batch is written, then pauses so that notes gather, unless more may wait already.
    pub async fn done(self) {
        let is_full = self.is_full;
        drop(self);
        if !is_full {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl<T> Clone for Notes<T> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), lost: self.lost.clone() }
    }
}

impl<T> Notes<T> {
    /// Both ends of a queue in which `capacity` notes can wait.
    pub(crate) fn new(capacity: usize) -> (Self, NoteQueue<T>) {
        let (queue, entries) = mpsc::channel(capacity);
        (Self { queue, lost: Arc::default() }, NoteQueue(entries))
    }

    /// Queues a note and returns at once. When the queue is full, the note is dropped and counted.
    pub(crate) fn note(&self, note: T) {
        if self.queue.try_send(Entry::Note(note)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many notes were dropped because too many waited.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Waits until everything that was noted before is written, or could not be, or the worker is gone.
    pub(crate) async fn written(&self) {
        let (waiting, written) = oneshot::channel();
        if self.queue.send(Entry::Waiting(waiting)).await.is_ok() {
            _ = written.await; // an error, always: the batch was dropped
        }
    }
}

impl<T> NoteQueue<T> {
    /// The notes that wait now, up to a thousand, made into what the worker writes; waits for one. None when every sender is gone.
    pub(crate) async fn next<N>(&mut self, gather: impl FnOnce(Vec<T>) -> N) -> Option<Batch<N>> {
        let mut entries = Vec::with_capacity(BATCH);
        if self.0.recv_many(&mut entries, BATCH).await == 0 {
            return None;
        }
        let is_full = entries.len() == BATCH;
        let (mut notes, mut waiting) = (Vec::with_capacity(entries.len()), Vec::new());
        for entry in entries {
            match entry {
                Entry::Note(note) => notes.push(note),
                Entry::Waiting(one) => waiting.push(one),
            }
        }
        Some(Batch { notes: gather(notes), is_full, _waiting: waiting })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn who_waits_goes_on_when_what_was_noted_before_is_written_and_not_sooner() {
        let (notes, mut queue) = Notes::new(2 * BATCH);
        (0..=BATCH).for_each(|number| notes.note(number));
        let mut written = Box::pin(notes.written());
        assert!(written.as_mut().now_or_never().is_none());
        let batch = queue.next(|notes| notes.len()).await.unwrap();
        assert_eq!((batch.notes, batch.is_full), (BATCH, true));
        drop(batch);
        assert!(written.as_mut().now_or_never().is_none(), "one note is not written yet");
        let batch = queue.next(|notes| notes).await.unwrap();
        assert_eq!((&batch.notes, batch.is_full), (&vec![BATCH], false));
        assert!(written.as_mut().now_or_never().is_none(), "the worker has it and has not written it");
        drop(batch);
        assert!(written.now_or_never().is_some());
    }

    #[tokio::test]
    async fn nobody_waits_for_a_worker_that_is_gone() {
        let (notes, queue) = Notes::new(2);
        notes.note(1);
        let mut written = Box::pin(notes.written());
        assert!(written.as_mut().now_or_never().is_none());
        drop(queue);
        written.await;
        notes.note(2);
        notes.written().await;
        assert_eq!(notes.lost(), 1);
    }
}
