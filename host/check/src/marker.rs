//! Where checks, downloads and reports note what became of admitted devices (G8). Who serves the queue has the database.

use std::collections::{BTreeMap, BTreeSet};

use berth_base::ids::GrayTaskId;
use berth_model::rollout::Mark;

use crate::notes::{Batch, NoteQueue, Notes};

const QUEUE: usize = 16_384;

struct Note {
    task: GrayTaskId,
    guid: String,
    what: What,
}

enum What {
    /// An admitted device got a mark, for this reason.
    Admitted(Mark, String),
    /// A bystander asked first, or got a mark.
    Bystander(Option<Mark>),
}

/// Hands marks to the background worker. Cheap to clone.
#[derive(Clone)]
pub struct Marker(Notes<Note>);

/// The receiving end of a [`Marker`].
pub struct MarkQueue(NoteQueue<Note>);

/// What became of the devices of one task, in the order in which it was noted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TaskMarks {
    /// The devices that got each mark.
    pub marked: BTreeMap<Mark, BTreeSet<String>>,
    /// The devices that run the version at the end.
    pub running: BTreeSet<String>,
    /// The devices on which the version failed at the end.
    pub failing: BTreeSet<String>,
    /// Every failure: the device and the reason.
    pub failures: Vec<(String, String)>,
    /// The bystanders that asked first, in the order in which they did.
    pub new_bystanders: Vec<String>,
    /// The bystanders that got each mark.
    pub bystanders: BTreeMap<Mark, BTreeSet<String>>,
}

impl TaskMarks {
    fn take(&mut self, guid: String, what: What) {
        match what {
            What::Admitted(mark, reason) => self.add(guid, mark, reason),
            What::Bystander(None) => self.new_bystanders.push(guid),
            What::Bystander(Some(mark)) => _ = self.bystanders.entry(mark).or_default().insert(guid),
        }
    }

    /// Adds what is noted after all that is there.
    fn add(&mut self, guid: String, mark: Mark, reason: String) {
        self.marked.entry(mark).or_default().insert(guid.clone());
        match mark {
            Mark::Downloaded => {}
            Mark::Running => {
                self.failing.remove(&guid);
                self.running.insert(guid);
            }
            Mark::Failed => {
                self.running.remove(&guid);
                self.failures.push((guid.clone(), reason));
                self.failing.insert(guid);
            }
        }
    }
}

/// Marks by their task.
pub type Marks = BTreeMap<GrayTaskId, TaskMarks>;

impl Marker {
    /// A marker, and the queue that a worker must serve.
    pub fn new() -> (Self, MarkQueue) {
        let (notes, queue) = Notes::new(QUEUE);
        (Self(notes), MarkQueue(queue))
    }

    /// Queues a mark for writing and returns at once. `reason` says why the version failed; it is empty for other
    /// marks. When the queue is full, the mark is dropped and counted.
    pub fn mark(&self, task: &GrayTaskId, guid: &str, mark: Mark, reason: String) {
        self.send(task, guid, What::Admitted(mark, reason));
    }

    /// Queues for writing that a bystander of the task asked first (`None`) or got a mark, and returns at once. When the
    /// queue is full, that is dropped and counted.
    pub fn note_bystander(&self, task: &GrayTaskId, guid: &str, mark: Option<Mark>) {
        self.send(task, guid, What::Bystander(mark));
    }

    fn send(&self, task: &GrayTaskId, guid: &str, what: What) {
        self.0.note(Note { task: task.clone(), guid: guid.to_owned(), what });
    }

    /// How many marks this host has dropped because too many waited.
    pub fn lost(&self) -> u64 {
        self.0.lost()
    }

    /// Waits until the marks that were noted before are written.
    pub async fn written(&self) {
        self.0.written().await;
    }
}

impl MarkQueue {
    /// The marks that wait now, up to a thousand; waits for one. None when every marker is gone.
    pub async fn next(&mut self) -> Option<Batch<Marks>> {
        self.0.next(by_task).await
    }
}

fn by_task(notes: Vec<Note>) -> Marks {
    let mut marks = Marks::new();
    for Note { task, guid, what } in notes {
        marks.entry(task).or_default().take(guid, what);
    }
    marks
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use berth_base::clock::SystemRandom;
    use berth_model::testing::DAWN;

    use super::*;

    #[tokio::test]
    async fn g8_the_last_news_of_a_device_is_its_state() {
        let (marker, mut queue) = Marker::new();
        let task = GrayTaskId::generate(DAWN, &SystemRandom);
        for (guid, mark) in [
            ("a", Mark::Running),
            ("a", Mark::Failed),
            ("b", Mark::Failed),
            ("b", Mark::Failed),
            ("b", Mark::Running),
            ("c", Mark::Downloaded),
        ] {
            marker.mark(&task, guid, mark, String::new());
        }
        let batch = queue.next().await.unwrap();
        let marks = &batch.notes[&task];
        let set = |guids: &[&str]| guids.iter().map(|guid| (*guid).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!((&marks.running, &marks.failing), (&set(&["b"]), &set(&["a"])));
        assert_eq!(marks.marked[&Mark::Running], set(&["a", "b"]));
        assert_eq!(marks.failures.iter().map(|(guid, _)| guid.as_str()).collect::<Vec<_>>(), ["a", "b", "b"]);
    }
}
