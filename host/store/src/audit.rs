//! Audits, their items and their evaluations.

use sqlx::types::Json;

use super::{
    Lease, Tx, execute, fetch,
    lease::{free, given_back, taken},
};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{AuditId, HostAppId, VersionId},
};
use berth_model::audit::{AuditItem, AuditState, Decision, Evaluation};

use crate::version::VersionRow;
use berth_base::{
    ids::{Digest, MiniAppId},
    version::VersionNumber,
};

impl Tx {
    /// The host apps that were asked for a decision on a version, in any of its audits.
    pub async fn host_apps_asked_about(&mut self, version: &VersionId) -> Result<Vec<HostAppId>> {
        let rows = fetch!(
            self,
            fetch_all,
            (HostAppId,),
            "SELECT DISTINCT i.host_app_id FROM audit_item i JOIN audit a ON a.id = i.audit_id WHERE a.version_id = $1",
            version
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Adds an audit in the state `checking`, in which policies are asked.
    pub async fn insert_audit(&mut self, id: &AuditId, version: &VersionRow, by: &str, now: Millis) -> Result<()> {
        execute!(
            self,
            "INSERT INTO audit (id, mini_app_id, version_id, state, sha256, reason, submitted_by, created_at, attempts)
             VALUES ($1, $2, $3, 'checking', $4, '', $5, $6, 0)",
            id,
            &version.mini_app_id,
            &version.id,
            &version.sha256,
            by,
            now
        )?;
        Ok(())
    }

    /// Adds the part of a host app to an audit.
    pub async fn insert_audit_item(&mut self, id: &AuditId, host_app: &HostAppId) -> Result<()> {
        execute!(self, "INSERT INTO audit_item (audit_id, host_app_id, note) VALUES ($1, $2, '')", id, host_app)?;
        Ok(())
    }

    /// The audit with this id.
    pub async fn audit(&mut self, id: &AuditId) -> Result<Option<AuditRow>> {
        Ok(fetch!(
            self,
            fetch_optional,
            AuditRow,
            "SELECT a.*, v.number FROM audit a JOIN version v ON v.id = a.version_id WHERE a.id = $1",
            id
        )?)
    }

    /// All audits of a version, newest first.
    pub async fn audits_of(&mut self, version: &VersionId) -> Result<Vec<AuditRow>> {
        Ok(fetch!(
            self,
            fetch_all,
            AuditRow,
            "SELECT a.*, v.number FROM audit a JOIN version v ON v.id = a.version_id
             WHERE a.version_id = $1 ORDER BY a.id DESC",
            version
        )?)
    }

    /// The audit of a version that has not ended; `None` when there is none.
    pub async fn open_audit_of(&mut self, version: &VersionId) -> Result<Option<AuditRow>> {
        Ok(self.audits_of(version).await?.into_iter().find(|row| row.closed_at.is_none()))
    }

    /// The audits that wait for the decision of a host app, oldest first, at most 200.
    pub async fn audits_waiting_for(&mut self, host_app: &HostAppId) -> Result<Vec<AuditRow>> {
        Ok(fetch!(
            self,
            fetch_all,
            AuditRow,
            "SELECT a.*, v.number FROM audit a JOIN version v ON v.id = a.version_id
             JOIN audit_item i ON i.audit_id = a.id
             WHERE i.host_app_id = $1 AND i.decision IS NULL AND a.state = 'deciding' ORDER BY a.id LIMIT 200",
            host_app
        )?)
    }

    /// The parts of all host apps in an audit, by the id of the host app.
    pub async fn audit_items(&mut self, id: &AuditId) -> Result<Vec<AuditItem>> {
        const SQL: &str = "SELECT * FROM audit_item WHERE audit_id = $1 ORDER BY host_app_id";
        Ok(fetch!(self, fetch_all, AuditItem, SQL, id)?)
    }

    /// The evaluations of an audit, in the order in which policies were asked.
    pub async fn evaluations(&mut self, id: &AuditId) -> Result<Vec<Evaluation>> {
        const SQL: &str = "SELECT * FROM evaluation WHERE audit_id = $1 ORDER BY position";
        Ok(fetch!(self, fetch_all, Evaluation, SQL, id)?)
    }

    /// Stores the evaluations of an audit, in place of those that an interrupted run may have left.
    pub async fn replace_evaluations(&mut self, id: &AuditId, evaluations: &[Evaluation]) -> Result<()> {
        execute!(self, "DELETE FROM evaluation WHERE audit_id = $1", id)?;
        for (position, one) in evaluations.iter().enumerate() {
            execute!(
                self,
                "INSERT INTO evaluation (audit_id, position, policy, policy_version, digest, config, mode, on_error,
                                         outcome, detail, findings, log, micros, evaluated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                id,
                position as i64,
                &one.policy,
                &one.policy_version,
                &one.digest,
                Json(&one.config),
                one.mode,
                one.on_error,
                one.outcome,
                &one.detail,
                Json(&one.findings),
                Json(&one.log),
                one.micros,
                one.evaluated_at
            )?;
        }
        Ok(())
    }

    /// Records the decision of a host app in an audit.
    pub async fn set_decision(
        &mut self,
        id: &AuditId,
        host_app: &HostAppId,
        decision: Decision,
        note: &str,
        by: &str,
        now: Millis,
    ) -> Result<()> {
        execute!(
            self,
            "UPDATE audit_item SET decision = $3, note = $4, decided_by = $5, decided_at = $6
             WHERE audit_id = $1 AND host_app_id = $2",
            id,
            host_app,
            decision,
            note,
            by,
            now
        )?;
        Ok(())
    }

    /// Ends an audit in this state.
    pub async fn close_audit(&mut self, id: &AuditId, state: AuditState, reason: &str, now: Millis) -> Result<()> {
        execute!(
            self,
            concat!("UPDATE audit SET state = $2, reason = $3, closed_at = $4, ", given_back!(), " WHERE id = $1"),
            id,
            state,
            reason,
            now
        )?;
        Ok(())
    }

    /// Moves an audit from `checking` to `deciding`, in which host apps decide.
    pub async fn open_for_decisions(&mut self, id: &AuditId) -> Result<()> {
        execute!(
            self,
            concat!("UPDATE audit SET state = 'deciding', ", given_back!(), " WHERE id = $1 AND state = 'checking'"),
            id
        )?;
        Ok(())
    }

    /// Takes the oldest audit whose policies have not judged and that no living worker holds.
    pub async fn claim_audit(&mut self, lease: &Lease) -> Result<Option<AuditId>> {
        const OLDEST: &str =
            concat!("SELECT id FROM audit WHERE state = 'checking' AND ", free!("$1"), " ORDER BY id LIMIT 1");
        let oldest = fetch!(self, fetch_optional, (AuditId,), OLDEST, lease.from())?;
        let Some((id,)) = oldest else { return Ok(None) };
        const CLAIM: &str = concat!(
            "UPDATE audit SET attempts = attempts + 1, ",
            taken!("$2", "$3"),
            " WHERE id = $1 AND state = 'checking' AND ",
            free!("$4")
        );
        let claimed = execute!(self, CLAIM, &id, lease.owner(), lease.until(), lease.from())?;
        Ok((claimed > 0).then_some(id))
    }

    /// Holds a claimed audit for longer; false when another worker has it, or nobody may any more.
    pub async fn keep_audit(&mut self, id: &AuditId, lease: &Lease) -> Result<bool> {
        const SQL: &str = "UPDATE audit SET lease_until = $3 WHERE id = $1 AND lease_owner = $2 AND state = 'checking'";
        Ok(execute!(self, SQL, id, lease.owner(), lease.until())? > 0)
    }
}

/// A row of `audit`, joined with the number of its version.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in Audit")]
pub struct AuditRow {
    pub id: AuditId,
    pub mini_app_id: MiniAppId,
    pub version_id: VersionId,
    pub number: VersionNumber,
    pub state: AuditState,
    pub sha256: Digest,
    pub reason: String,
    pub submitted_by: String,
    pub created_at: Millis,
    pub closed_at: Option<Millis>,
    pub attempts: i64,
}
