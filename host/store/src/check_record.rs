//! The records of the devices that ask for MiniApps (G25).

use std::collections::BTreeMap;

use sqlx::types::Json;

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{CohortId, MiniAppId},
    sql::Count,
};
use berth_model::{
    check::{CheckRecord, RecordedDevice, Share},
    replay::RecordedRow,
};

use super::{Span, Tx, execute, execute_built, fetch};

/// A record as it is stored.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in CheckRecord and in the migration")]
pub struct CheckRecordRow {
    pub mini_app_id: MiniAppId,
    share: Count,
    pub attributes: Json<Vec<String>>,
    pub lists: Json<Vec<CohortId>>,
    pub salt: Option<String>,
    pub started_at: Millis,
    pub started_by: String,
    pub ends_at: Millis,
    checks: Count,
}

impl CheckRecordRow {
    /// A record that begins.
    pub fn begun(
        mini_app_id: MiniAppId,
        share: Share,
        (attributes, lists): (Vec<String>, Vec<CohortId>),
        salt: String,
        (started_at, started_by, ends_at): (Millis, String, Millis),
    ) -> Self {
        Self {
            mini_app_id,
            share: Count(share.0.into()),
            attributes: Json(attributes),
            lists: Json(lists),
            salt: Some(salt),
            started_at,
            started_by,
            ends_at,
            checks: Count(0),
        }
    }

    /// How many of the devices are recorded.
    pub fn share(&self) -> Share {
        Share(u16::try_from(self.share.0).unwrap_or_default())
    }

    /// The record as it is shown at `now`, with so many devices.
    pub fn shown(self, devices: u64, now: Millis) -> CheckRecord {
        CheckRecord {
            recording: self.salt.is_some() && now < self.ends_at,
            percent: Some(self.share().percent()),
            mini_app: self.mini_app_id,
            attributes: self.attributes.0,
            lists: self.lists.0,
            started_at: Some(self.started_at),
            started_by: Some(self.started_by),
            ends_at: Some(self.ends_at),
            checks: self.checks.0,
            devices,
        }
    }
}

#[derive(sqlx::FromRow)]
struct DeviceRow {
    stand_in: String,
    asked_at: Millis,
    device: Json<RecordedDevice>,
}

impl Tx {
    /// The record of a MiniApp.
    pub async fn check_record(&mut self, mini_app: &MiniAppId) -> Result<Option<CheckRecordRow>> {
        const SQL: &str = "SELECT * FROM check_record WHERE mini_app_id = $1";
        Ok(fetch!(self, fetch_optional, CheckRecordRow, SQL, mini_app)?)
    }

    /// How many devices the record of a MiniApp has.
    pub async fn count_recorded_devices(&mut self, mini_app: &MiniAppId) -> Result<u64> {
        const SQL: &str = "SELECT COUNT(*) FROM recorded_device WHERE mini_app_id = $1";
        let (Count(count),) = fetch!(self, fetch_one, (Count,), SQL, mini_app)?;
        Ok(count)
    }

    /// The records of the MiniApps in the span that are kept up at `now`.
    pub async fn recordings_in(&mut self, span: &Span, now: Millis) -> Result<Vec<CheckRecordRow>> {
        Ok(fetch!(
            self,
            fetch_all,
            CheckRecordRow,
            "SELECT * FROM check_record WHERE mini_app_id BETWEEN $1 AND $2 AND salt IS NOT NULL AND ends_at > $3",
            &span.from,
            &span.to,
            now
        )?)
    }

    /// Begins a record, after [`Tx::delete_check_record`].
    pub async fn insert_check_record(&mut self, row: &CheckRecordRow) -> Result<()> {
        execute!(
            self,
            "INSERT INTO check_record (mini_app_id, share, attributes, lists, salt, started_at, started_by, ends_at, checks)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)",
            &row.mini_app_id,
            row.share,
            &row.attributes,
            &row.lists,
            &row.salt,
            row.started_at,
            &row.started_by,
            row.ends_at
        )?;
        Ok(())
    }

    /// Deletes the record of a MiniApp with all its devices, and says whether there was one.
    pub async fn delete_check_record(&mut self, mini_app: &MiniAppId) -> Result<bool> {
        // The record first: whoever adds devices to it holds its row.
        let held = execute!(self, "UPDATE check_record SET salt = NULL WHERE mini_app_id = $1", mini_app)?;
        execute!(self, "DELETE FROM recorded_device WHERE mini_app_id = $1", mini_app)?;
        execute!(self, "DELETE FROM check_record WHERE mini_app_id = $1", mini_app)?;
        Ok(held > 0)
    }

    /// Writes devices of the record with this salt, each in place of what it had asked before, and counts their checks; then only the
    /// `most` that asked last stay. Writes nothing when the record has ended.
    pub async fn write_recorded_devices(
        &mut self,
        mini_app: &MiniAppId,
        salt: &str,
        devices: &BTreeMap<String, RecordedRow>,
        checks: u64,
        most: u32,
    ) -> Result<()> {
        if devices.is_empty() || !self.hold_check_record(mini_app, salt, checks).await? {
            return Ok(());
        }
        self.upsert_recorded_devices(mini_app, devices).await?;
        execute!(
            self,
            "DELETE FROM recorded_device WHERE mini_app_id = $1 AND (asked_at, stand_in) <=
                (SELECT asked_at, stand_in FROM recorded_device WHERE mini_app_id = $1
                 ORDER BY asked_at DESC, stand_in DESC LIMIT 1 OFFSET $2)",
            mini_app,
            i64::from(most)
        )?;
        Ok(())
    }

    /// Holds a record until the transaction ends, counts checks in it, and says whether it is kept up with this salt.
    async fn hold_check_record(&mut self, mini_app: &MiniAppId, salt: &str, checks: u64) -> Result<bool> {
        const SQL: &str = "UPDATE check_record SET checks = checks + $3 WHERE mini_app_id = $1 AND salt = $2";
        Ok(execute!(self, SQL, mini_app, salt, Count(checks))? > 0)
    }

    pub(crate) async fn upsert_recorded_devices(
        &mut self,
        mini_app: &MiniAppId,
        devices: &BTreeMap<String, RecordedRow>,
    ) -> Result<()> {
        execute_built!(self, |query| {
            query.push("INSERT INTO recorded_device (mini_app_id, stand_in, asked_at, device) ");
            query.push_values(devices.values(), |mut row, device| {
                row.push_bind(mini_app).push_bind(&device.stand_in).push_bind(device.asked_at);
                row.push_bind(Json(&device.device));
            });
            query.push(
                " ON CONFLICT (mini_app_id, stand_in) DO UPDATE SET asked_at = excluded.asked_at, device = excluded.device",
            );
        })?;
        Ok(())
    }

    /// The devices of a record after one of them, in the order of their stand-ins, at most `limit`.
    pub async fn recorded_devices_after(
        &mut self,
        mini_app: &MiniAppId,
        after: &str,
        limit: u32,
    ) -> Result<Vec<RecordedRow>> {
        let rows = fetch!(
            self,
            fetch_all,
            DeviceRow,
            "SELECT stand_in, asked_at, device FROM recorded_device WHERE mini_app_id = $1 AND stand_in > $2
             ORDER BY stand_in LIMIT $3",
            mini_app,
            after,
            i64::from(limit)
        )?;
        let row = |DeviceRow { stand_in, asked_at, device }| RecordedRow { stand_in, asked_at, device: device.0 };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Throws the keys of records away that have ended by `now`.
    pub async fn end_check_records(&mut self, now: Millis) -> Result<u64> {
        const SQL: &str = "UPDATE check_record SET salt = NULL WHERE ends_at <= $1 AND salt IS NOT NULL";
        Ok(execute!(self, SQL, now)?)
    }

    /// The MiniApps whose records may have devices that asked last at this moment or before.
    pub async fn check_records_before(&mut self, by: Millis) -> Result<Vec<MiniAppId>> {
        const SQL: &str = "SELECT mini_app_id FROM check_record WHERE started_at <= $1";
        let rows = fetch!(self, fetch_all, (MiniAppId,), SQL, by)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Deletes the devices of a record that asked last at this moment or before, and the record if it ended then.
    pub async fn forget_recorded_devices(&mut self, mini_app: &MiniAppId, by: Millis) -> Result<()> {
        execute!(self, "DELETE FROM recorded_device WHERE mini_app_id = $1 AND asked_at <= $2", mini_app, by)?;
        execute!(self, "DELETE FROM check_record WHERE mini_app_id = $1 AND ends_at <= $2", mini_app, by)?;
        Ok(())
    }
}
