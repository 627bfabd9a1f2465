//! Where checks note which devices asked, when the MiniApp has a record (G25). Who serves the queue has the database.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use berth_base::{
    clock::Millis,
    ids::{CohortId, MiniAppId},
    version::VersionNumber,
};
use berth_model::{
    check::{Device, RecordedDevice, Share, StandIns},
    replay::RecordedRow,
    rollout::ObjectKind,
};

use crate::{
    Members,
    notes::{Batch, NoteQueue, Notes},
};

const QUEUE: usize = 4096;

/// A record that is kept of the devices that ask for a MiniApp.
pub struct Recording {
    /// What tells it from other records of the MiniApp.
    pub salt: String,
    /// When it ends.
    pub ends_at: Millis,
    /// How many of the devices are recorded.
    pub share: Share,
    /// Makes the stand-ins of their guids.
    pub stand_ins: StandIns,
    /// The attributes that are kept.
    pub attributes: Vec<String>,
    /// The lists of which is kept whether the device is in them.
    pub lists: Vec<(CohortId, Arc<Members>)>,
}

impl Recording {
    /// What is recorded of a device that asks now; `None` when nothing is.
    fn of(&self, device: &Device, current: Option<&VersionNumber>, now: Millis) -> Option<RecordedRow> {
        if now >= self.ends_at {
            return None;
        }
        let stand_in = self.stand_ins.of(&device.guid, self.share)?;
        let mut recorded = RecordedDevice::of(device, current, &self.attributes);
        recorded.lists = self.lists.iter().map(|(id, members)| (id.clone(), of_list(device, members))).collect();
        Some(RecordedRow { stand_in, asked_at: now, device: recorded })
    }
}

/// What of a device is in a list.
fn of_list(device: &Device, members: &Members) -> BTreeSet<ObjectKind> {
    let told = [
        (ObjectKind::Guid, Some(&device.guid)),
        (ObjectKind::DeviceId, device.device_id.as_ref()),
        (ObjectKind::Account, device.account.as_ref()),
    ];
    let is_in = |key: Option<&String>| key.is_some_and(|key| members.contains(key));
    told.into_iter().filter(|(_, key)| is_in(*key)).map(|(kind, _)| kind).collect()
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} % until {}", self.share.percent(), self.ends_at)
    }
}

struct Note {
    mini_app: MiniAppId,
    salt: String,
    row: RecordedRow,
}

/// Hands what is recorded to the background worker. Cheap to clone.
#[derive(Clone)]
pub struct Records(Notes<Note>);

/// The receiving end of [`Records`].
pub struct RecordQueue(NoteQueue<Note>);

/// What is recorded for one record.
#[derive(Debug, Default)]
pub struct Noted {
    /// The devices, each by its stand-in, as it asked last.
    pub devices: BTreeMap<String, RecordedRow>,
    /// How many checks these were: a device may have asked several times.
    pub checks: u64,
}

/// What is recorded, by MiniApp and by the salt of its record.
pub type NotedByRecord = BTreeMap<(MiniAppId, String), Noted>;

impl Records {
    /// The sending end, and the queue that a worker must serve.
    pub fn new() -> (Self, RecordQueue) {
        let (notes, queue) = Notes::new(QUEUE);
        (Self(notes), RecordQueue(queue))
    }

    /// Queues for writing what is recorded of a device, and returns at once. When the queue is full, it is dropped and counted.
    pub fn note(
        &self,
        mini_app: &MiniAppId,
        recording: &Recording,
        device: &Device,
        current: Option<&VersionNumber>,
        now: Millis,
    ) {
        let Some(row) = recording.of(device, current, now) else { return };
        self.0.note(Note { mini_app: mini_app.clone(), salt: recording.salt.clone(), row });
    }

    /// How many checks this host should have recorded and has not, because too many waited.
    pub fn lost(&self) -> u64 {
        self.0.lost()
    }

    /// Waits until what was noted before is written.
    pub async fn written(&self) {
        self.0.written().await;
    }
}

impl RecordQueue {
    /// What waits now, up to a thousand checks; waits for one. None when every sender is gone.
    pub async fn next(&mut self) -> Option<Batch<NotedByRecord>> {
        self.0.next(by_record).await
    }
}

fn by_record(notes: Vec<Note>) -> NotedByRecord {
    let mut noted = NotedByRecord::new();
    for Note { mini_app, salt, row } in notes {
        let noted = noted.entry((mini_app, salt)).or_default();
        noted.checks += 1;
        noted.devices.insert(row.stand_in.clone(), row);
    }
    noted
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use std::io::BufReader;

    use berth_base::clock::SystemRandom;
    use berth_model::testing::{DAWN, device, shop, v};

    use super::*;

    fn recording(percent_hundredths: u16) -> Recording {
        Recording {
            salt: "salt".into(),
            ends_at: DAWN.plus_seconds(60),
            share: Share(percent_hundredths),
            stand_ins: StandIns::new([7; 32]),
            attributes: Vec::new(),
            lists: Vec::new(),
        }
    }

    #[tokio::test]
    async fn g25_a_full_queue_drops_and_counts_and_no_check_waits() {
        let (records, mut queue) = Records::new();
        let all = recording(10_000);
        for number in 0..QUEUE + 7 {
            records.note(&shop(), &all, &device(&format!("device-{number}")), None, DAWN);
        }
        assert_eq!(records.lost(), 7);
        let mut written = 0;
        while written < QUEUE {
            written += queue.next().await.unwrap().notes.values().map(|noted| noted.devices.len()).sum::<usize>();
        }
        records.note(&shop(), &all, &device("later"), None, DAWN);
        assert_eq!((records.lost(), queue.next().await.unwrap().notes.len()), (7, 1));
    }

    #[tokio::test]
    async fn g25_a_device_counts_once_as_it_asked_last_and_none_after_the_end() {
        let (records, mut queue) = Records::new();
        let (all, few) = (recording(10_000), recording(1));
        for (version, second) in [("1.0.0", 0), ("1.1.0", 1), ("1.2.0", 60)] {
            records.note(&shop(), &all, &device("one"), Some(&v(version)), DAWN.plus_seconds(second));
        }
        records.note(&shop(), &few, &device("one"), None, DAWN);
        records.note(&shop(), &all, &device("other"), None, DAWN);
        let noted = queue.next().await.unwrap().notes;
        let noted = &noted[&(shop(), "salt".to_owned())];
        let rows: Vec<_> = noted.devices.values().collect();
        assert_eq!((rows.len(), noted.checks), (2, 3));
        assert!(rows.iter().any(|row| row.device.current == Some(v("1.1.0"))), "{rows:?}");
    }

    #[test]
    fn g25_it_keeps_in_which_lists_a_device_is_and_as_what() {
        let list = Members::from_lines(BufReader::new("device-1\nalice\n".as_bytes())).unwrap();
        let id = CohortId::generate(DAWN, &SystemRandom);
        let recording = Recording { lists: vec![(id.clone(), Arc::new(list))], ..recording(10_000) };
        let in_list = |guid: &str, account: &str| {
            let asked = Device { account: Some(account.into()), ..device(guid) };
            recording.of(&asked, None, DAWN).unwrap().device.lists[&id].clone()
        };
        assert_eq!(in_list("device-1", "bob"), [ObjectKind::Guid].into());
        assert_eq!(in_list("device-1", "alice"), [ObjectKind::Guid, ObjectKind::Account].into());
        assert_eq!(in_list("device-2", "bob"), [].into());
    }
}
