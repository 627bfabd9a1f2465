//! The masks in force, in memory, and how they are set.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
    time::Duration,
};

use berth_base::{
    error::{Code, Error, Result},
    ids::MiniAppId,
};
use berth_model::{
    access::{Action, Caller, Scope},
    event::kind,
    log::{LogMasks, Mask, MaskScope, SetLogMasks},
};
use berth_store::Db;

use super::Logs;
use crate::{beat, mini_app, settings::Precondition};

/// The longest time until masks that another host has set are in force here; the host's own are at once.
const PULSE: Duration = Duration::from_secs(1);

/// The masks in force.
#[derive(Debug, Default)]
pub struct Masks {
    /// The rules of which these masks are made.
    places: Vec<LogMasks>,
    of_all: Mask,
    /// With those of all.
    of_one: HashMap<MiniAppId, Mask>,
}

impl Masks {
    fn new(places: Vec<LogMasks>) -> Self {
        let of_all = || places.iter().filter(|place| place.scope == MaskScope::Platform).flat_map(|place| &place.rules);
        let with_own = |rules| Mask::new(of_all().chain(rules));
        let of_one =
            places.iter().filter_map(|place| Some((place.mini_app.clone()?, with_own(&place.rules)))).collect();
        let of_all = Mask::new(of_all());
        Self { places, of_all, of_one }
    }

    /// The mask for a MiniApp.
    pub fn of(&self, mini_app: &MiniAppId) -> &Mask {
        self.of_one.get(mini_app).unwrap_or(&self.of_all)
    }
}

impl Logs {
    /// Reads the masks anew. They are made anew only when their rules differ.
    pub async fn refresh_masks(&self, db: &Db) -> Result<()> {
        // One after the other: what was read before others were set must not come into force after them.
        let _alone = self.refreshing.lock().await;
        let places = db.read().await?.log_masks().await?;
        if self.masks().is_ok_and(|known| known.places == places) {
            return Ok(());
        }
        let masks = Masks::new(places);
        *self.masks.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(masks));
        Ok(())
    }

    /// The masks in force. Without them nothing is taken in, as it might be what must not be stored.
    pub(super) fn masks(&self) -> Result<Arc<Masks>> {
        let masks = self.masks.read().unwrap_or_else(PoisonError::into_inner).clone();
        masks.ok_or_else(|| Error::new(Code::Unavailable, "The host has not read yet what it must mask in logs."))
    }
}

/// Keeps the masks current, in an endless loop. By the clock and not by events: these come by the thousand a second, and
/// hardly any of them is about masks.
pub async fn run(logs: Arc<Logs>, db: Db) {
    beat::every(PULSE, "the masks of logs could not be read; those that are known go on", || logs.refresh_masks(&db))
        .await;
}

/// The rules of the whole host for readers of the platform, or of a MiniApp for members of its team.
pub async fn get_masks(db: &Db, caller: &Caller, mini_app: Option<&MiniAppId>) -> Result<LogMasks> {
    let mut tx = db.read().await?;
    match mini_app {
        Some(id) => drop(mini_app::authorise(&mut tx, caller, id, Action::Read).await?),
        None => caller.require(Action::Read, &Scope::Platform)?,
    }
    Ok(tx.log_masks_of(mini_app).await?.unwrap_or_else(|| never_set(mini_app)))
}

/// What a place has as long as nobody has set anything.
fn never_set(mini_app: Option<&MiniAppId>) -> LogMasks {
    let scope = if mini_app.is_some() { MaskScope::MiniApp } else { MaskScope::Platform };
    LogMasks { scope, mini_app: mini_app.cloned(), rules: Vec::new(), set_by: None, set_at: None }
}

/// Sets the rules of the whole host, for admins of the platform, or of a MiniApp, for admins of its team, in place of all that
/// are there. They hold for entries that arrive from now on: what is stored stays as it is.
///
/// # Errors
/// `invalid-field` for a rule that cannot be used; what `still` refuses; `not-found`; `missing-grant`.
#[tracing::instrument(name = "log.set_masks", skip_all)]
pub async fn set_masks(
    db: &Db,
    logs: &Logs,
    caller: &Caller,
    mini_app: Option<&MiniAppId>,
    set: SetLogMasks,
    still: &Precondition<'_, LogMasks>,
) -> Result<LogMasks> {
    let mut tx = db.begin().await?;
    match mini_app {
        Some(id) => drop(mini_app::authorise_change(&mut tx, caller, id, Action::Configure).await?),
        None => caller.require(Action::Configure, &Scope::Platform)?,
    }
    let before = tx.hold_log_masks(mini_app).await?;
    still(before.as_ref().unwrap_or(&never_set(mini_app)))?;
    set.check()?;
    let (set_by, set_at) = (Some(caller.account.to_string()), Some(tx.now()));
    let masks = LogMasks { rules: set.rules, set_by, set_at, ..never_set(mini_app) };
    tx.set_log_masks(&masks).await?;
    let subject = mini_app.map_or("platform", |id| id.as_str());
    let event = tx.tell(kind::LOG_MASKS_SET, &subject, caller.account.as_str(), &masks).was(before.as_ref());
    if let Some(id) = mini_app {
        event.for_mini_app(id);
    }
    tx.commit().await?;
    logs.refresh_masks(db).await?;
    Ok(masks)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn d4_masks_that_were_read_earlier_never_come_into_force_later() {
        let host = testing::host().await;
        let (logs, db) = (&host.app.logs, &host.app.db);
        let earlier = logs.refreshing.lock().await;
        let later = tokio::time::timeout(Duration::from_millis(200), logs.refresh_masks(db)).await;
        assert!(later.is_err(), "it does not wait until the earlier one is done");
        drop(earlier);
        logs.refresh_masks(db).await.unwrap();
    }
}
