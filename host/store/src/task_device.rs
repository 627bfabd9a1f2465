//! The devices of gray tasks, on either side: those that a task has admitted, and those beside it. Each is once in a task, has marks,
//! and is numbered 1, 2, 3 … within the task without gaps, which a column of the task counts.

use std::collections::BTreeSet;

use berth_base::{clock::Millis, error::Result, ids::GrayTaskId, sql::Count};
use berth_model::rollout::{Mark, Side};

use crate::{Tx, execute_built, fetch_built, push_ids};

/// Where the devices of a side are.
struct Place {
    table: &'static str,
    /// The column that says when a device came.
    since: &'static str,
    /// The column of the task that counts them.
    count: &'static str,
}

const fn place(side: Side) -> Place {
    match side {
        Side::Gray => Place { table: "admission", since: "admitted_at", count: "admitted" },
        Side::Beside => Place { table: "bystander", since: "asked_at", count: "bystanders" },
    }
}

impl Tx {
    /// Those of `guids` that are on this side of the task.
    pub async fn devices_of(&mut self, side: Side, task: &GrayTaskId, guids: &[&str]) -> Result<Vec<String>> {
        if guids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = fetch_built!(self, (String,), |query| {
            query.push("SELECT guid FROM ").push(place(side).table).push(" WHERE task_id = ").push_bind(task);
            query.push(" AND guid IN ");
            push_ids!(query, guids);
        })?;
        Ok(rows.into_iter().map(|(guid,)| guid).collect())
    }

    /// Adds devices with the ordinals after `last`, and counts them in the task, which this transaction holds.
    pub(crate) async fn insert_devices(
        &mut self,
        side: Side,
        task: &GrayTaskId,
        last: u64,
        guids: &[&str],
        now: Millis,
    ) -> Result<()> {
        if guids.is_empty() {
            return Ok(());
        }
        let Place { table, since, .. } = place(side);
        execute_built!(self, |query| {
            query.push("INSERT INTO ").push(table).push(" (task_id, guid, ordinal, ").push(since).push(") ");
            query.push_values((last + 1..).zip(guids), |mut row, (ordinal, guid)| {
                row.push_bind(task).push_bind(*guid).push_bind(Count(ordinal)).push_bind(now);
            });
        })?;
        self.count_devices(side, task, last + guids.len() as u64).await
    }

    /// Writes into the task how many devices are on this side of it.
    pub(crate) async fn count_devices(&mut self, side: Side, task: &GrayTaskId, devices: u64) -> Result<()> {
        execute_built!(self, |query| {
            query.push("UPDATE gray_task SET ").push(place(side).count).push(" = ").push_bind(Count(devices));
            query.push(" WHERE id = ").push_bind(task);
        })?;
        Ok(())
    }

    /// Gives the mark to those of `guids` that are on this side of the task and do not have it yet.
    pub async fn mark_devices(
        &mut self,
        side: Side,
        task: &GrayTaskId,
        mark: Mark,
        guids: &BTreeSet<String>,
        at: Millis,
    ) -> Result<()> {
        execute_built!(self, |query| {
            query.push("UPDATE ").push(place(side).table).push(" SET ").push(mark.column()).push(" = ").push_bind(at);
            query.push(" WHERE task_id = ").push_bind(task);
            query.push(" AND ").push(mark.column()).push(" IS NULL AND guid IN ");
            push_ids!(query, guids);
        })?;
        Ok(())
    }

    /// The devices on this side of a task after an ordinal, in their order.
    pub async fn devices_after(
        &mut self,
        side: Side,
        task: &str,
        ordinal: u64,
        limit: i64,
    ) -> Result<Vec<(String, u64)>> {
        let rows = fetch_built!(self, (String, Count), |query| {
            query.push("SELECT guid, ordinal FROM ").push(place(side).table).push(" WHERE task_id = ").push_bind(task);
            query.push(" AND ordinal > ").push_bind(Count(ordinal));
            query.push(" ORDER BY ordinal LIMIT ").push_bind(limit);
        })?;
        Ok(rows.into_iter().map(|(guid, Count(ordinal))| (guid, ordinal)).collect())
    }
}
