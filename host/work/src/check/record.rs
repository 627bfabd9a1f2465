//! The records of the devices that ask for MiniApps: begun and ended by hand, written in the background, ended and forgotten by the
//! clock (G25).

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use berth_base::{
    error::{Error, Result},
    ids::MiniAppId,
};
use berth_check::{RecordQueue, Recording};
use berth_model::{
    access::{Action, Caller},
    check::{CheckRecord, SetCheckRecord, StandIns, forgotten_by},
    event::kind,
};
use berth_store::{Db, Tx, check_record::CheckRecordRow, seal::SecretKey};

use crate::{beat, mini_app};

/// The name of the key among those of the host, with which the keys of records are made.
const KEY: &str = "check-record";
/// The pause between two looks for records that have ended.
const EVERY: Duration = Duration::from_secs(60);

/// The record of a MiniApp, for members of its team; one that records nothing when there is none.
///
/// # Errors
/// `not-found` and `missing-grant`.
pub async fn get_record(db: &Db, caller: &Caller, mini_app: &MiniAppId) -> Result<CheckRecord> {
    let mut tx = db.read().await?;
    mini_app::authorise_own(&mut tx, caller, mini_app, Action::Read).await?;
    let Some(row) = tx.check_record(mini_app).await? else { return Ok(CheckRecord::none(mini_app.clone())) };
    let devices = tx.count_recorded_devices(mini_app).await?;
    let now = tx.now();
    Ok(row.shown(devices, now))
}

/// Begins a record of the devices that ask for a MiniApp, in place of the one that there is. For admins of its team.
///
/// # Errors
/// `invalid-field`; `not-found`, also for a list that the MiniApp does not have; `missing-grant`.
#[tracing::instrument(name = "check_record.set", skip_all, fields(mini_app = %mini_app))]
pub async fn set_record(db: &Db, caller: &Caller, mini_app: &MiniAppId, set: SetCheckRecord) -> Result<CheckRecord> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, mini_app, Action::Configure).await?;
    let now = tx.now();
    let share = set.check(now)?;
    for list in &set.lists {
        let known = tx.cohort_digest(mini_app, list).await?;
        known.ok_or_else(|| Error::not_found("list", format!("{list} of {mini_app}")))?;
    }
    // Checks only read, so that the key from which those of records are made has to be there before.
    tx.host_key(KEY).await?;
    let mut salt = [0; 32];
    tx.random().fill(&mut salt);
    tx.delete_check_record(mini_app).await?;
    let begun = (now, caller.account.to_string(), set.ends_at);
    let row = CheckRecordRow::begun(mini_app.clone(), share, (set.attributes, set.lists), hex::encode(salt), begun);
    tx.insert_check_record(&row).await?;
    let record = row.shown(0, now);
    tx.tell(kind::CHECK_RECORD_STARTED, mini_app, caller.account.as_str(), &record).for_mini_app(mini_app);
    tx.commit().await?;
    Ok(record)
}

/// Ends the record of a MiniApp and deletes all that was recorded. Without one nothing happens. For admins of its team.
///
/// # Errors
/// `not-found` and `missing-grant`.
#[tracing::instrument(name = "check_record.delete", skip_all, fields(mini_app = %mini_app))]
pub async fn delete_record(db: &Db, caller: &Caller, mini_app: &MiniAppId) -> Result<()> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, mini_app, Action::Configure).await?;
    let Some(row) = tx.check_record(mini_app).await? else { return Ok(()) };
    let devices = tx.count_recorded_devices(mini_app).await?;
    tx.delete_check_record(mini_app).await?;
    let now = tx.now();
    let was = CheckRecord { recording: false, ..row.shown(devices, now) };
    tx.tell(kind::CHECK_RECORD_DELETED, mini_app, caller.account.as_str(), &was).for_mini_app(mini_app);
    tx.commit().await
}

/// The record as checks know it, without its lists; `None` when it has ended.
///
/// # Errors
/// `secret-sealed` when this host cannot open its key.
pub(super) async fn recording(tx: &mut Tx, row: CheckRecordRow) -> Result<Option<Recording>> {
    let share = row.share();
    let (Some(salt), Some(key)) = (row.salt, tx.known_host_key(KEY).await?) else { return Ok(None) };
    let stand_ins = stand_ins(&key, &salt)?;
    let (ends_at, attributes) = (row.ends_at, row.attributes.0);
    Ok(Some(Recording { salt, ends_at, share, stand_ins, attributes, lists: Vec::new() }))
}

/// The key of a record follows from that of the host and the salt. Without the salt, which goes when the record ends, nobody
/// has it.
fn stand_ins(key: &SecretKey, salt: &str) -> Result<StandIns> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes()).map_err(Error::internal)?;
    mac.update(salt.as_bytes());
    Ok(StandIns::new(mac.finalize().into_bytes().into()))
}

/// Writes the devices that checks have noted, for ever. A record has at most `most` of them: those that asked last.
pub async fn run_records(mut queue: RecordQueue, db: Db, most: u32) {
    while let Some(batch) = queue.next().await {
        for ((mini_app, salt), noted) in &batch.notes {
            let written = async {
                let mut tx = db.begin().await?;
                tx.write_recorded_devices(mini_app, salt, &noted.devices, noted.checks, most).await?;
                tx.commit().await
            };
            if let Err(error) = written.await {
                tracing::warn!(?error, %mini_app, "devices that asked could not be recorded");
            }
        }
        batch.done().await;
    }
}

/// Ends records and forgets devices by the clock, every minute, in an endless loop.
pub async fn run_record_forgetter(db: Db) {
    beat::every(EVERY, "records of checks could not be ended; later again", || forget_records(&db)).await;
}

/// Throws the keys of records away that have ended, and deletes devices that asked too long ago.
#[tracing::instrument(name = "check_records.forget", skip_all)]
pub async fn forget_records(db: &Db) -> Result<()> {
    let mut tx = db.begin().await?;
    let now = tx.now();
    tx.end_check_records(now).await?;
    let old = tx.check_records_before(forgotten_by(now)).await?;
    tx.commit().await?;
    for mini_app in old {
        let mut tx = db.begin().await?;
        tx.forget_recorded_devices(&mini_app, forgotten_by(now)).await?;
        tx.commit().await?;
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::testing::{TestHost, device, host, shop};

    const DAY: i64 = 24 * 3600;

    async fn begin(host: &TestHost, seconds: i64) -> CheckRecord {
        let ends_at = host.app.db.now().plus_seconds(seconds);
        let set = SetCheckRecord { percent: 100.0, ends_at, attributes: Vec::new(), lists: Vec::new() };
        set_record(&host.app.db, &host.caller, &shop(), set).await.unwrap()
    }

    async fn shown(host: &TestHost) -> CheckRecord {
        get_record(&host.app.db, &host.caller, &shop()).await.unwrap()
    }

    /// The record, once so many checks are in it.
    async fn recorded(host: &TestHost, checks: u64) -> CheckRecord {
        for _ in 0..200 {
            let record = shown(host).await;
            if record.checks >= checks {
                return record;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{checks} checks were not recorded");
    }

    #[tokio::test]
    async fn g25_the_key_goes_at_the_end_and_the_devices_go_later() {
        let host = host().await;
        begin(&host, DAY).await;
        host.ask(&device("one"), None).await;
        assert_eq!(recorded(&host, 1).await.devices, 1);
        let salt = async || host.app.db.read().await.unwrap().check_record(&shop()).await.unwrap().unwrap().salt;
        forget_records(&host.app.db).await.unwrap();
        assert!(salt().await.is_some());

        host.clock.advance_seconds(DAY);
        forget_records(&host.app.db).await.unwrap();
        assert_eq!(salt().await, None);
        let over = shown(&host).await;
        assert_eq!((over.recording, over.devices), (false, 1), "it is there to be replayed");

        host.clock.advance_seconds(29 * DAY);
        forget_records(&host.app.db).await.unwrap();
        assert_eq!((shown(&host).await.devices, shown(&host).await.percent), (0, Some(100.0)));
        host.clock.advance_seconds(DAY);
        forget_records(&host.app.db).await.unwrap();
        assert_eq!(shown(&host).await, CheckRecord::none(shop()));
    }

    #[tokio::test]
    async fn g25_what_still_waits_for_a_record_that_was_ended_is_not_written_to_the_next_one() {
        let host = host().await;
        begin(&host, DAY).await;
        host.settle().await;
        let waits = host.app.checks.live.current().mini_app("shop").unwrap().recording.clone().unwrap();
        begin(&host, DAY).await;
        host.app.checks.records.note(&shop(), &waits, &device("old"), None, host.app.db.now());
        host.ask(&device("new"), None).await;
        let record = recorded(&host, 1).await;
        assert_eq!((record.devices, record.checks), (1, 1));
        delete_record(&host.app.db, &host.caller, &shop()).await.unwrap();
        delete_record(&host.app.db, &host.caller, &shop()).await.unwrap();
        host.settle().await;
        assert!(host.app.checks.live.current().mini_app("shop").unwrap().recording.is_none());
    }

    #[tokio::test]
    async fn g25_stand_ins_follow_from_host_and_salt_alone() {
        let (one, other) = (SecretKey::from_bytes([1; 32]), SecretKey::from_bytes([2; 32]));
        let of =
            |key: &SecretKey, salt: &str| stand_ins(key, salt).unwrap().of("guid", berth_model::check::Share(10_000));
        assert_eq!(of(&one, "a"), of(&one, "a"));
        assert!(of(&one, "a") != of(&one, "b") && of(&one, "a") != of(&other, "a"));
    }
}
