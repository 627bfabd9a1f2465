//! Takes a batch of a device in, and tells what became of each entry.

use std::{sync::Arc, time::Duration};

use berth_base::error::{Code, Error, Result};
use berth_check::{Checks, index::Index};
use berth_model::log::{Arrived, Batch, Day, Fate, NewEntry, NewLogs, Refusal, Refused, Sender, Taken};
use tokio::{sync::oneshot, time::timeout};

use super::{Logs, masks::Masks, write::Request};

/// How long a batch may wait until it is stored.
const PATIENCE: Duration = Duration::from_secs(10);
/// When a batch that found no room should be sent again.
const AGAIN_SECONDS: u64 = 5;

/// Takes in a batch of a device of the host app that has this key. An entry that cannot be read is told by why.
///
/// # Errors
/// `invalid-host-app-key` when `key` is not that of the host app; `invalid-field` for what is said of the device;
/// `log-queue-full` when no more entries can wait; `unavailable` when the store fails, or does not answer in time.
pub async fn take(checks: &Checks, logs: &Logs, key: &str, new: NewLogs<Result<NewEntry, String>>) -> Result<Taken> {
    let Batch { sender, entries } = new.checked()?;
    let (index, masks) = (checks.live.current(), logs.masks()?);
    index.require_key(key, &sender.host_app)?;
    let (mut places, mut arrived, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (place, entry) in entries.into_iter().enumerate() {
        match arrive(&index, &masks, &sender, entry, logs.config.log_entry_bytes) {
            Ok(entry) => {
                places.push(place);
                arrived.push(entry);
            }
            Err((reason, detail)) => refused.push(Refused { entry: place, reason, detail }),
        }
    }
    drop(index);
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
    mask.apply(&mut arrived);
    Ok(arrived)
}

impl Logs {
    /// Hands entries to the worker, and waits until they are stored.
    async fn write(&self, entries: Vec<Arrived>) -> Result<Vec<Fate>> {
        let bytes: u64 = entries.iter().map(|entry| entry.bytes().max(256)).sum();
        let room = self.room.clone().try_acquire_many_owned(u32::try_from(bytes).unwrap_or(u32::MAX));
        let room = room.map_err(|_| {
            let text = format!("Too many entries wait to be written. Send the batch again in {AGAIN_SECONDS} seconds.");
            Error::new(Code::LogQueueFull, text).with("retry_after_seconds", AGAIN_SECONDS)
        })?;
        let (answer, answered) = oneshot::channel();
        let closing = || Error::new(Code::Unavailable, "The host is closing. Send the entries again.");
        self.queue.send(Request { entries, answer, room }).map_err(|_| closing())?;
        let late = |_| {
            let text =
                "The log store does not answer. Whether the entries are kept is not known; send them again later.";
            Error::new(Code::Unavailable, text).with("retry_after_seconds", AGAIN_SECONDS)
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
