//! Takes a batch of a device in, and tells what became of each entry.

use std::{sync::Arc, time::Duration};

use berth_base::error::{Code, Error, Result};
use berth_check::{Checks, index::Index};
use berth_model::log::{Arrived, Batch, Day, Fate, NewEntry, NewLogs, Refusal, Refused, Sender, Taken};
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};

use super::{Logs, masks::Masks, write::Request};

/// How long a batch may wait until it is stored.
const PATIENCE: Duration = Duration::from_secs(10);
/// When a batch that found no room should be sent again.
const AGAIN_SECONDS: u64 = 5;

/// Batches that are unpacked, read and masked at a time. It takes memory and time, of which checks need some.
static READING: Semaphore = Semaphore::const_new(8);

/// Refuses a batch before it is read when its key is that of no host app.
///
/// # Errors
/// `invalid-host-app-key`; `unavailable` while the host is starting.
pub fn expect(checks: &Checks, logs: &Logs, key: &str) -> Result<()> {
    logs.masks()?;
    let detail = "No host app has this X-Host-App-Key.";
    let known = checks.live.current().knows_key(key, checks.clock.now());
    known.then_some(()).ok_or_else(|| Error::new(Code::InvalidHostAppKey, detail))
}

/// Takes in a batch of a device of the host app that has this key, which `read` reads. An entry that cannot be read is told
/// by why.
///
/// # Errors
/// Those of `read`; `invalid-host-app-key` when `key` is not that of the host app; `invalid-field` for what is said of the
/// device; `log-queue-full` when no more entries can wait; `unavailable` when the store fails, or does not answer in time.
pub async fn take(
    checks: &Checks,
    logs: &Logs,
    key: &str,
    read: impl FnOnce() -> Result<NewLogs<Result<NewEntry, String>>> + Send + 'static,
) -> Result<Taken> {
    let (index, masks, max_bytes) = (checks.live.current(), logs.masks()?, logs.config.log_entry_bytes);
    let (key, now, place) = (key.to_owned(), checks.clock.now(), READING.acquire().await.map_err(Error::internal)?);
    let sort = move || {
        let _place = place;
        let Batch { sender, entries } = read()?.checked()?;
        index.require_key(&key, &sender.host_app, now)?;
        Ok::<_, Error>(sort(entries, |entry| arrive(&index, &masks, &sender, entry, max_bytes)))
    };
    let Sorted { places, arrived, mut refused } =
        tokio::task::spawn_blocking(sort).await.map_err(Error::internal)??;
    let fates = if arrived.is_empty() { Vec::new() } else { logs.write(arrived).await? };
    let mut kept = 0;
    for (place, fate) in places.into_iter().zip(fates) {
        match fate {
            Fate::Kept(_) => kept += 1,
            Fate::Refused(reason) => refused.push(Refused { entry: place, reason, detail: logs.why(reason) }),
        }
    }
    refused.sort_by_key(|one| one.entry);
    let taken = Taken { kept, refused };
    logs.figures.count(&taken);
    Ok(taken)
}

/// The entries that have arrived, with their places in the batch, and those that are refused.
#[derive(Default)]
struct Sorted {
    places: Vec<usize>,
    arrived: Vec<Arrived>,
    refused: Vec<Refused>,
}

fn sort<E>(entries: Vec<E>, mut arrive: impl FnMut(E) -> Result<Arrived, (Refusal, String)>) -> Sorted {
    let mut sorted = Sorted::default();
    for (place, entry) in entries.into_iter().enumerate() {
        match arrive(entry) {
            Ok(entry) => {
                sorted.places.push(place);
                sorted.arrived.push(entry);
            }
            Err((reason, detail)) => sorted.refused.push(Refused { entry: place, reason, detail }),
        }
    }
    sorted
}

/// The entry, masked, when the host takes such entries.
fn arrive(
    index: &Index,
    masks: &Masks,
    sender: &Arc<Sender>,
    entry: Result<NewEntry, String>,
    max_bytes: u64,
) -> Result<Arrived, (Refusal, String)> {
    let entry = entry.map_err(|why| (Refusal::Unreadable, why))?;
    let bound = index.mini_app(&entry.mini_app).filter(|known| known.host_apps.contains(&sender.host_app));
    let mini_app = bound.map(|known| known.id.clone()).ok_or_else(|| {
        let named: String = entry.mini_app.chars().take(64).collect();
        (Refusal::MiniAppUnknown, format!("No MiniApp {named:?} is bound to {}.", sender.host_app))
    })?;
    let mask = masks.of(&mini_app);
    let mut arrived = entry.arrived(sender, mini_app, max_bytes)?;
    mask.apply(&mut arrived, max_bytes)?;
    Ok(arrived)
}

impl Logs {
    /// Hands entries to the worker, and waits until they are stored.
    async fn write(&self, entries: Vec<Arrived>) -> Result<Vec<Fate>> {
        let bytes: u64 = entries.iter().map(|entry| entry.bytes().max(256)).sum();
        let room = self.room.clone().try_acquire_many_owned(u32::try_from(bytes).unwrap_or(u32::MAX));
        let room = room.map_err(|_| {
            let text = format!("Too many entries wait to be written. Send the batch again in {AGAIN_SECONDS} seconds.");
            Error::new(Code::LogQueueFull, text).retry_after(AGAIN_SECONDS)
        })?;
        let (answer, answered) = oneshot::channel();
        let closing = || Error::new(Code::Unavailable, "The host is closing. Send the entries again.");
        self.queue.send(Request { entries, answer, room }).map_err(|_| closing())?;
        let late = |_| {
            let text =
                "The log store does not answer. Whether the entries are kept is not known; send them again later.";
            Error::new(Code::Unavailable, text).retry_after(AGAIN_SECONDS)
        };
        timeout(PATIENCE, answered).await.map_err(late)?.map_err(|_| closing())?
    }

    /// Why entries are refused that a day has no room for, and until when.
    fn why(&self, reason: Refusal) -> String {
        let tomorrow = Day(Day::of(self.clock.now()).0 + 1).first().received_at();
        let limits = self.config.day_limits();
        match reason {
            Refusal::MiniAppDayFull => format!(
                "The MiniApp has sent {} entries today, which is the limit. Further ones are taken from {tomorrow} on.",
                limits.mini_app_entries
            ),
            _ => format!("The host takes no more logs today. Further ones are taken from {tomorrow} on."),
        }
    }
}
