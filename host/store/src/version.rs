//! Versions, releases and trials.

use sqlx::types::Json;

use berth_base::sql::Count;

use super::{Tx, chosen, execute, fetch, fetch_built, push_ids, push_if};
use berth_base::{clock::Millis, ids::Digest};
use berth_base::{
    error::{Code, Error, Result},
    ids::{HostAppId, MiniAppId, ReleaseId, VersionId},
    page::PageQuery,
    version::VersionNumber,
};
use berth_model::policy::registry::{PolicyScope, ScopeKind};
use berth_model::replay::ReplayOver;
use berth_model::version::{Release, State, Transition, note_rollbacks};
use berth_model::version::{StoredManifest, Trial, Version};

impl Tx {
    /// The version with this number, which may be deleted.
    pub async fn version(&mut self, mini_app: &MiniAppId, number: &VersionNumber) -> Result<Option<VersionRow>> {
        Ok(fetch!(
            self,
            fetch_optional,
            VersionRow,
            "SELECT * FROM version WHERE mini_app_id = $1 AND number = $2",
            mini_app,
            number
        )?)
    }

    /// The version with this number; `not-found` when there is none or it is deleted.
    pub async fn require_version(&mut self, mini_app: &MiniAppId, number: &VersionNumber) -> Result<VersionRow> {
        let row = self.version(mini_app, number).await?.filter(|row| row.state != State::Deleted);
        row.ok_or_else(|| Error::not_found("version", format!("{number} of {mini_app}")))
    }

    /// The online version.
    pub async fn online_version(&mut self, mini_app: &MiniAppId) -> Result<Option<VersionRow>> {
        Ok(fetch!(
            self,
            fetch_optional,
            VersionRow,
            "SELECT * FROM version WHERE mini_app_id = $1 AND state = 'online'",
            mini_app
        )?)
    }

    /// A page of the versions of a MiniApp, newest upload first, without deleted ones, and one version more than the
    /// page holds.
    pub async fn versions(&mut self, mini_app: &MiniAppId, page: &PageQuery) -> Result<Vec<VersionRow>> {
        Ok(fetch!(
            self,
            fetch_all,
            VersionRow,
            "SELECT * FROM version WHERE mini_app_id = $1 AND id < $2 AND state <> 'deleted' ORDER BY id DESC LIMIT $3",
            mini_app,
            page.before(),
            page.limit() + 1
        )?)
    }

    /// A page of the versions of a MiniApp that members of these host apps see, to which it is bound: those that were
    /// published, or submitted to one of them. Newest upload first, and one version more than the page holds.
    pub async fn versions_shown_to(
        &mut self,
        host_apps: &[HostAppId],
        mini_app: &MiniAppId,
        page: &PageQuery,
    ) -> Result<Vec<VersionRow>> {
        Ok(fetch_built!(self, VersionRow, |q| {
            q.push("SELECT * FROM version WHERE mini_app_id = ").push_bind(mini_app);
            q.push(" AND id < ").push_bind(page.before());
            q.push(
                " AND state <> 'deleted' AND (state IN ('online', 'historical') OR id IN (SELECT a.version_id FROM audit a
                    JOIN audit_item i ON i.audit_id = a.id WHERE i.host_app_id IN ",
            );
            push_ids!(q, host_apps);
            q.push(")) ORDER BY id DESC LIMIT ").push_bind(page.limit() + 1);
        })?)
    }

    /// The versions of a MiniApp that are in this state, newest upload first, at most 200.
    pub async fn versions_in(&mut self, mini_app: &MiniAppId, state: State) -> Result<Vec<VersionRow>> {
        Ok(fetch!(
            self,
            fetch_all,
            VersionRow,
            "SELECT * FROM version WHERE mini_app_id = $1 AND state = $2 ORDER BY id DESC LIMIT 200",
            mini_app,
            state
        )?)
    }

    /// The versions of a place that a replay judges, newest upload first, at most `limit`; those before one of them. Of a host
    /// app they are those that its members see of the MiniApps that are bound to it. The place must be no gray task.
    pub async fn versions_to_replay(
        &mut self,
        place: &PolicyScope,
        over: ReplayOver,
        before: Option<&VersionId>,
        limit: u32,
    ) -> Result<Vec<VersionRow>> {
        let newest = over == ReplayOver::Newest;
        Ok(fetch_built!(self, VersionRow, |q| {
            q.push("SELECT * FROM version WHERE id IN (SELECT ");
            q.push(if chosen!(newest) { "MAX(id)" } else { "id" });
            q.push(" FROM version WHERE ").push(if newest {
                "state IN ('auditing', 'approved', 'online')"
            } else {
                "submitted_once AND state <> 'deleted'"
            });
            if chosen!(place.kind == ScopeKind::MiniApp) {
                q.push(" AND mini_app_id = ").push_bind(&place.id);
            }
            if chosen!(place.kind == ScopeKind::HostApp) {
                q.push(
                    " AND mini_app_id IN (SELECT mini_app_id FROM binding WHERE state = 'active' AND host_app_id = ",
                );
                q.push_bind(&place.id);
                q.push(
                    ") AND (state IN ('online', 'historical') OR id IN (SELECT a.version_id FROM audit a
                        JOIN audit_item i ON i.audit_id = a.id WHERE i.host_app_id = ",
                );
                q.push_bind(&place.id).push("))");
            }
            q.push(if newest { " GROUP BY mini_app_id)" } else { ")" });
            push_if!(q, before, " AND id < ", "");
            q.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit));
        })?)
    }

    /// Adds a version.
    pub async fn insert_version(&mut self, row: &VersionRow) -> Result<()> {
        let [major, minor, patch] = row.number.core().map(i64::from);
        execute!(
            self,
            "INSERT INTO version (id, mini_app_id, number, major, minor, patch, state, submitted_once, forced, sha256,
                                  size, files, manifest, uploaded_by, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)",
            &row.id,
            &row.mini_app_id,
            &row.number,
            major,
            minor,
            patch,
            row.state,
            row.submitted_once,
            row.forced,
            &row.sha256,
            Count(row.size),
            Count(row.files),
            &row.manifest,
            &row.uploaded_by,
            row.created_at
        )?;
        Ok(())
    }

    /// Replaces the package of a version in development that was never submitted (V1).
    pub async fn replace_version(&mut self, row: &VersionRow) -> Result<()> {
        execute!(
            self,
            "UPDATE version SET sha256 = $2, size = $3, files = $4, manifest = $5, uploaded_by = $6, updated_at = $7
             WHERE id = $1 AND state = 'development' AND NOT submitted_once",
            &row.id,
            &row.sha256,
            Count(row.size),
            Count(row.files),
            &row.manifest,
            &row.uploaded_by,
            row.updated_at
        )?;
        Ok(())
    }

    /// Moves a version to the state that `step` leads to.
    ///
    /// # Errors
    /// `version-state` when the state of `row` does not allow the step, or the version is not in that state any more.
    pub async fn step_version(&mut self, row: &VersionRow, step: Transition) -> Result<State> {
        let next = row.state.after(step)?;
        let now = self.now();
        let online_at = if next == State::Online { Some(now) } else { row.online_at };
        let submitted_once = row.submitted_once || next == State::Auditing;
        let changed = execute!(
            self,
            "UPDATE version SET state = $3, updated_at = $4, online_at = $5, submitted_once = $6
             WHERE id = $1 AND state = $2",
            &row.id,
            row.state,
            next,
            now,
            online_at,
            submitted_once
        )?;
        if changed == 0 {
            return Err(Error::new(Code::VersionState, "The version has just changed its state. Look again."));
        }
        Ok(next)
    }

    /// Marks a version as published by force (V12).
    pub async fn mark_forced(&mut self, id: &VersionId) -> Result<()> {
        execute!(self, "UPDATE version SET forced = TRUE WHERE id = $1", id)?;
        Ok(())
    }

    /// The release history of a MiniApp, newest first, at most 500 entries.
    pub async fn releases(&mut self, mini_app: &MiniAppId) -> Result<Vec<Release>> {
        let mut releases = fetch!(
            self,
            fetch_all,
            Release,
            "SELECT r.*, v.number FROM release_record r JOIN version v ON v.id = r.version_id
             WHERE r.mini_app_id = $1 ORDER BY r.position DESC LIMIT 500",
            mini_app
        )?;
        note_rollbacks(&mut releases);
        Ok(releases)
    }

    /// Adds the newest entry to the release history.
    pub async fn insert_release(&mut self, id: &ReleaseId, version: &VersionId, release: &Release) -> Result<()> {
        execute!(
            self,
            "INSERT INTO release_record (id, mini_app_id, position, version_id, kind, forced, note, released_by, released_at)
             SELECT $1, $2, COALESCE(MAX(position), 0) + 1, $3, $4, $5, $6, $7, $8 FROM release_record WHERE mini_app_id = $2",
            id,
            &release.mini_app,
            version,
            release.kind,
            release.forced,
            &release.note,
            &release.released_by,
            release.released_at
        )?;
        Ok(())
    }

    /// The trial of a MiniApp.
    pub async fn trial(&mut self, mini_app: &MiniAppId) -> Result<Option<TrialRow>> {
        Ok(fetch!(
            self,
            fetch_optional,
            TrialRow,
            "SELECT t.*, v.number FROM trial t JOIN version v ON v.id = t.version_id WHERE t.mini_app_id = $1",
            mini_app
        )?)
    }

    /// Sets the trial of a MiniApp, in place of the one that it may have.
    pub async fn set_trial(&mut self, trial: &TrialRow) -> Result<()> {
        execute!(
            self,
            "INSERT INTO trial (mini_app_id, version_id, entry_path, accounts, set_by, set_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (mini_app_id) DO UPDATE SET version_id = excluded.version_id, entry_path = excluded.entry_path,
                accounts = excluded.accounts, set_by = excluded.set_by, set_at = excluded.set_at",
            &trial.mini_app_id,
            &trial.version_id,
            &trial.entry_path,
            Json(&trial.accounts.0),
            &trial.set_by,
            trial.set_at
        )?;
        Ok(())
    }

    /// Removes the trial of a MiniApp. Returns `false` when there was none.
    pub async fn clear_trial(&mut self, mini_app: &MiniAppId) -> Result<bool> {
        Ok(execute!(self, "DELETE FROM trial WHERE mini_app_id = $1", mini_app)? > 0)
    }
}

/// A row of `version`.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in Version")]
pub struct VersionRow {
    pub id: VersionId,
    pub mini_app_id: MiniAppId,
    pub number: VersionNumber,
    pub state: State,
    pub submitted_once: bool,
    pub forced: bool,
    pub sha256: Digest,
    #[sqlx(try_from = "Count")]
    pub size: u64,
    #[sqlx(try_from = "Count")]
    pub files: u64,
    pub manifest: Json<StoredManifest>,
    pub uploaded_by: String,
    pub created_at: Millis,
    pub updated_at: Millis,
    pub online_at: Option<Millis>,
}

impl From<VersionRow> for Version {
    fn from(row: VersionRow) -> Self {
        Self {
            id: Some(row.id),
            mini_app: row.mini_app_id,
            version: row.number,
            state: row.state,
            forced: row.forced,
            sha256: row.sha256,
            size: row.size,
            files: row.files,
            manifest: row.manifest.0.into(),
            uploaded_by: row.uploaded_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
            online_at: row.online_at,
        }
    }
}

/// A row of `trial`, joined with the number of its version.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in Trial")]
pub struct TrialRow {
    pub mini_app_id: MiniAppId,
    pub version_id: VersionId,
    pub number: VersionNumber,
    pub entry_path: String,
    pub accounts: Json<Vec<String>>,
    pub set_by: String,
    pub set_at: Millis,
}

impl From<TrialRow> for Trial {
    fn from(row: TrialRow) -> Self {
        Self { version: row.number, entry_path: row.entry_path, accounts: row.accounts.0 }
    }
}
