//! Audits, their items and their evaluations.

use std::collections::BTreeMap;

use sqlx::types::Json;

use super::{
    Lease, Tx, execute, fetch, fetch_built,
    lease::{free, given_back, taken, turn_taken},
    push_ids,
};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{AuditId, HostAppId, TeamId, VersionId},
    page::PageQuery,
};
use berth_model::audit::{AuditItem, AuditState, Decision, Evaluation, Judged};

use crate::{policy::PolicyBindingRow, version::VersionRow};
use berth_base::{
    ids::{Digest, MiniAppId},
    version::VersionNumber,
};

/// What belongs to audits, by their ids.
pub type OfAudits<T> = BTreeMap<AuditId, Vec<T>>;

/// A row that belongs to one of several audits.
#[derive(sqlx::FromRow)]
struct OfAudit<T> {
    audit_id: AuditId,
    #[sqlx(flatten)]
    what: T,
}

fn by_audit<T>(rows: Vec<OfAudit<T>>) -> OfAudits<T> {
    let mut all = OfAudits::new();
    for OfAudit { audit_id, what } in rows {
        all.entry(audit_id).or_insert_with(Vec::new).push(what);
    }
    all
}

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

    /// A page of the audits that wait for the decision of a host app, oldest first, and one more than it holds.
    pub async fn audits_waiting_for(&mut self, host_app: &HostAppId, page: &PageQuery) -> Result<Vec<AuditRow>> {
        Ok(fetch!(
            self,
            fetch_all,
            AuditRow,
            "SELECT a.*, v.number FROM audit a JOIN version v ON v.id = a.version_id
             JOIN audit_item i ON i.audit_id = a.id
             WHERE i.host_app_id = $1 AND i.decision IS NULL AND a.state = 'deciding' AND i.audit_id > $2
             ORDER BY i.audit_id LIMIT $3",
            host_app,
            page.after(),
            page.limit() + 1
        )?)
    }

    /// A page of the audits in which a host app has a part and that are in this state, newest first, and one more than it holds.
    pub async fn audits_of_host_app(
        &mut self,
        host_app: &HostAppId,
        state: AuditState,
        page: &PageQuery,
    ) -> Result<Vec<AuditRow>> {
        Ok(fetch!(
            self,
            fetch_all,
            AuditRow,
            "SELECT a.*, v.number FROM audit a JOIN version v ON v.id = a.version_id
             JOIN audit_item i ON i.audit_id = a.id
             WHERE i.host_app_id = $1 AND a.state = $2 AND i.audit_id < $3 ORDER BY i.audit_id DESC LIMIT $4",
            host_app,
            state,
            page.before(),
            page.limit() + 1
        )?)
    }

    /// The parts of all host apps in some audits, by the id of the host app.
    pub async fn audit_items(&mut self, audits: &[AuditId]) -> Result<OfAudits<AuditItem>> {
        if audits.is_empty() {
            return Ok(OfAudits::new());
        }
        let rows = fetch_built!(self, OfAudit<AuditItem>, |q| {
            q.push("SELECT * FROM audit_item WHERE audit_id IN ");
            push_ids!(q, audits);
            q.push(" ORDER BY audit_id, host_app_id");
        })?;
        Ok(by_audit(rows))
    }

    /// The parts of all host apps in one audit, by the id of the host app.
    pub async fn items_of_audit(&mut self, audit: &AuditId) -> Result<Vec<AuditItem>> {
        Ok(self.audit_items(std::slice::from_ref(audit)).await?.remove(audit).unwrap_or_default())
    }

    /// The evaluations of some audits, in the order in which policies were asked.
    pub async fn evaluations(&mut self, audits: &[AuditId]) -> Result<OfAudits<Evaluation>> {
        if audits.is_empty() {
            return Ok(OfAudits::new());
        }
        let rows = fetch_built!(self, OfAudit<Evaluation>, |q| {
            q.push("SELECT * FROM evaluation WHERE audit_id IN ");
            push_ids!(q, audits);
            q.push(" ORDER BY audit_id, position");
        })?;
        Ok(by_audit(rows))
    }

    /// What was said under a binding since it is as it is: of each version in the newest audit, newest first.
    pub async fn judged_under(&mut self, binding: &PolicyBindingRow, limit: u32) -> Result<Vec<Judged>> {
        Ok(fetch!(
            self,
            fetch_all,
            Judged,
            "SELECT e.*, a.mini_app_id, v.number FROM evaluation e JOIN audit a ON a.id = e.audit_id
             JOIN version v ON v.id = a.version_id
             WHERE e.binding_id = $1 AND e.digest = $2 AND e.mode = $3 AND e.evaluated_at >= $4
               AND NOT EXISTS (SELECT 1 FROM evaluation later JOIN audit again ON again.id = later.audit_id
                               WHERE later.binding_id = $1 AND again.version_id = a.version_id AND again.id > a.id)
             ORDER BY e.audit_id DESC LIMIT $5",
            &binding.id,
            &binding.digest,
            binding.mode,
            binding.bound_at,
            i64::from(limit)
        )?)
    }

    /// Stores the evaluations of an audit, in place of those that an interrupted run may have left.
    pub async fn replace_evaluations(&mut self, id: &AuditId, evaluations: &[Evaluation]) -> Result<()> {
        execute!(self, "DELETE FROM evaluation WHERE audit_id = $1", id)?;
        for (position, one) in evaluations.iter().enumerate() {
            execute!(
                self,
                "INSERT INTO evaluation (audit_id, position, policy, policy_version, digest, config, mode, on_error,
                                         outcome, detail, findings, log, micros, evaluated_at, binding_id)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
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
                one.evaluated_at,
                &one.binding
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

    /// Ends an audit in this state. A worker that is at it keeps its lease until it has noticed, as its team has no other
    /// worker of that host before.
    pub async fn close_audit(&mut self, id: &AuditId, state: AuditState, reason: &str, now: Millis) -> Result<()> {
        execute!(
            self,
            "UPDATE audit SET state = $2, reason = $3, closed_at = $4 WHERE id = $1",
            id,
            state,
            reason,
            now
        )?;
        Ok(())
    }

    /// Moves an audit from `checking` to `deciding`, in which host apps decide.
    pub async fn open_for_decisions(&mut self, id: &AuditId) -> Result<()> {
        execute!(self, "UPDATE audit SET state = 'deciding' WHERE id = $1 AND state = 'checking'", id)?;
        Ok(())
    }

    /// Whether the policies of an audit have not judged and no living worker has it.
    pub async fn has_waiting_audit(&mut self, now: Millis) -> Result<bool> {
        const SQL: &str =
            concat!("SELECT created_at FROM audit WHERE state = 'checking' AND ", free!("$1"), " LIMIT 1");
        Ok(fetch!(self, fetch_optional, (Millis,), SQL, now)?.is_some())
    }

    /// Takes the next audit whose policies have not judged and that no living worker has (F51, F77). It is that of the
    /// team whose last turn is the longest ago, and of one team the oldest. A team for which a worker of the same owner
    /// is at an audit already, even one that has ended, has no turn: no team takes up more than one of a host's workers.
    pub async fn claim_audit(&mut self, lease: &Lease) -> Result<Option<AuditId>> {
        const NEXT: &str = concat!(
            "SELECT a.id, m.team_id FROM audit a JOIN mini_app m ON m.id = a.mini_app_id
             LEFT JOIN audit_turn t ON t.team_id = m.team_id
             WHERE a.state = 'checking' AND ",
            free!("$1"),
            " AND NOT EXISTS (SELECT 1 FROM audit other JOIN mini_app its ON its.id = other.mini_app_id
                              WHERE its.team_id = m.team_id AND other.lease_owner = $2
                                AND other.lease_until > $1)
             ORDER BY COALESCE(t.turn, 0), a.id LIMIT 1"
        );
        loop {
            let next = fetch!(self, fetch_optional, (AuditId, TeamId), NEXT, lease.from(), lease.owner())?;
            let Some((id, team)) = next else { return Ok(None) };
            if self.take_audit(&id, lease).await? {
                execute!(self, turn_taken!("audit_turn"), &team)?;
                return Ok(Some(id));
            }
            // Another host was faster with this one; there may be more.
        }
    }

    async fn take_audit(&mut self, id: &AuditId, lease: &Lease) -> Result<bool> {
        const TAKE: &str = concat!(
            "UPDATE audit SET attempts = attempts + 1, ",
            taken!("$2", "$3"),
            " WHERE id = $1 AND state = 'checking' AND ",
            free!("$4")
        );
        Ok(execute!(self, TAKE, id, lease.owner(), lease.until(), lease.from())? > 0)
    }

    /// Gives a claimed audit back, to be claimed by nobody until the lease ends.
    pub async fn postpone_audit(&mut self, id: &AuditId, lease: &Lease) -> Result<()> {
        const SQL: &str = "UPDATE audit SET lease_owner = '', lease_until = $3
             WHERE id = $1 AND lease_owner = $2 AND state = 'checking'";
        execute!(self, SQL, id, lease.owner(), lease.until())?;
        Ok(())
    }

    /// Gives a claimed audit back once its worker has no more to do with it.
    pub async fn release_audit(&mut self, id: &AuditId, owner: &str) -> Result<()> {
        const SQL: &str = concat!("UPDATE audit SET ", given_back!(), " WHERE id = $1 AND lease_owner = $2");
        execute!(self, SQL, id, owner)?;
        Ok(())
    }

    /// Holds a claimed audit for longer, also one that has ended meanwhile; false when another worker has it.
    pub async fn keep_audit(&mut self, id: &AuditId, lease: &Lease) -> Result<bool> {
        const SQL: &str = "UPDATE audit SET lease_until = $3 WHERE id = $1 AND lease_owner = $2";
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use berth_model::{
        access::Team,
        mini_app::MiniApp,
        version::{State, StoredManifest},
    };

    use super::*;
    use crate::testing::{Fresh, fresh};

    /// A database with the MiniApps `{team}-app` of teams that these names begin with.
    async fn teams(names: &[&str]) -> Fresh {
        let fresh = fresh().await;
        let mut tx = fresh.db.begin().await.unwrap();
        for name in names {
            let team = Team {
                id: TeamId::generate(fresh.db.now(), fresh.db.random()),
                name: (*name).into(),
                created_at: fresh.db.now(),
            };
            tx.insert_team(&team).await.unwrap();
            let mini_app = MiniApp {
                id: format!("{name}-app").parse().unwrap(),
                team: team.id,
                name: (*name).into(),
                description: String::new(),
                on_shelf: true,
                shelf_note: String::new(),
                min_version: None,
                created_at: fresh.db.now(),
            };
            tx.insert_mini_app(&mini_app).await.unwrap();
        }
        tx.commit().await.unwrap();
        fresh
    }

    /// Lets an audit of a new version wait. Audits wait in the order in which they are added.
    async fn waits(fresh: &Fresh, team: &str, order: u8) {
        let (db, now) = (&fresh.db, fresh.db.now());
        let version = VersionRow {
            id: VersionId::generate(now, db.random()),
            mini_app_id: format!("{team}-app").parse().unwrap(),
            number: format!("1.{order}.0").parse().unwrap(),
            state: State::Auditing,
            submitted_once: true,
            forced: false,
            sha256: Digest::of(&[order]),
            size: 1,
            files: 1,
            manifest: Json(StoredManifest::default()),
            uploaded_by: "test".into(),
            created_at: now,
            updated_at: now,
            online_at: None,
        };
        let mut tx = db.begin().await.unwrap();
        tx.insert_version(&version).await.unwrap();
        let id = AuditId::generate(now.plus_seconds(order.into()), db.random());
        tx.insert_audit(&id, &version, "test", now).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// What this host claims next, as the MiniApp and the version.
    async fn claimed(fresh: &Fresh, host: &str) -> Option<(AuditId, String)> {
        let mut tx = fresh.db.begin().await.unwrap();
        let id = tx.claim_audit(&Lease::at(host, fresh.db.now(), 8)).await.unwrap()?;
        let row = tx.audit(&id).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        Some((id, format!("{} {}", row.mini_app_id, row.number)))
    }

    async fn name_of_next(fresh: &Fresh, host: &str) -> Option<String> {
        claimed(fresh, host).await.map(|(_, name)| name)
    }

    async fn ended(fresh: &Fresh, id: &AuditId) {
        let mut tx = fresh.db.begin().await.unwrap();
        tx.open_for_decisions(id).await.unwrap();
        tx.release_audit(id, "one").await.unwrap();
        tx.commit().await.unwrap();
    }

    #[tokio::test]
    async fn f77_a_team_has_one_worker_of_a_host_however_many_audits_it_has() {
        let fresh = teams(&["busy", "calm"]).await;
        for (team, order) in [("busy", 0), ("busy", 1), ("busy", 2), ("calm", 3)] {
            waits(&fresh, team, order).await;
        }
        assert_eq!(name_of_next(&fresh, "one").await.as_deref(), Some("busy-app 1.0.0"));
        assert_eq!(name_of_next(&fresh, "one").await.as_deref(), Some("calm-app 1.3.0"));
        assert_eq!(name_of_next(&fresh, "one").await, None);
        assert_eq!(
            name_of_next(&fresh, "two").await.as_deref(),
            Some("busy-app 1.1.0"),
            "another host has workers too"
        );
    }

    #[tokio::test]
    async fn f77_to_withdraw_a_version_gives_no_team_a_second_worker_while_its_policies_run_on() {
        let fresh = teams(&["busy"]).await;
        waits(&fresh, "busy", 0).await;
        waits(&fresh, "busy", 1).await;
        let (id, _) = claimed(&fresh, "one").await.unwrap();
        let mut tx = fresh.db.begin().await.unwrap();
        tx.close_audit(&id, AuditState::Withdrawn, "", fresh.db.now()).await.unwrap();
        assert!(tx.keep_audit(&id, &Lease::at("one", fresh.db.now(), 8)).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(name_of_next(&fresh, "one").await, None);
        ended(&fresh, &id).await;
        assert_eq!(name_of_next(&fresh, "one").await.as_deref(), Some("busy-app 1.1.0"));
    }

    #[tokio::test]
    async fn f77_teams_take_turns_and_a_new_one_comes_first() {
        let fresh = teams(&["busy", "calm", "late"]).await;
        for (team, order) in [("busy", 0), ("busy", 1), ("calm", 2), ("calm", 3), ("late", 4)] {
            waits(&fresh, team, order).await;
        }
        let mut order = Vec::new();
        while let Some((id, name)) = claimed(&fresh, "one").await {
            ended(&fresh, &id).await;
            order.push(name);
        }
        assert_eq!(order, ["busy-app 1.0.0", "calm-app 1.2.0", "late-app 1.4.0", "busy-app 1.1.0", "calm-app 1.3.0"]);
    }

    #[tokio::test]
    async fn f51_f77_an_audit_that_is_postponed_or_whose_worker_died_holds_up_nothing_of_its_team() {
        let fresh = teams(&["busy"]).await;
        waits(&fresh, "busy", 0).await;
        waits(&fresh, "busy", 1).await;
        let (id, _) = claimed(&fresh, "one").await.unwrap();
        let mut tx = fresh.db.begin().await.unwrap();
        tx.postpone_audit(&id, &Lease::at("one", fresh.db.now(), 60)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(name_of_next(&fresh, "one").await.as_deref(), Some("busy-app 1.1.0"));
        let mut tx = fresh.db.begin().await.unwrap();
        let later = Lease::at("one", fresh.db.now().plus_seconds(61), 8);
        assert_eq!(tx.claim_audit(&later).await.unwrap(), Some(id));
    }
}
