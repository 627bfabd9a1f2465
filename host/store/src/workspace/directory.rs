//! From where address books are pulled, and what stands in them.

use sqlx::types::Json;

use crate::{
    Lease, Tx, execute, fetch,
    lease::{free, given_back, taken},
};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{GroupId, MemberId, WorkspaceId},
    secret::Secret,
    sql::Count,
};
use berth_model::workspace::{
    GroupKind,
    directory::{DirectorySettings, DirectorySync, SyncCounts, SyncState},
    scim::resource::Attributes,
};

/// What the sealed secret of a directory is about.
pub const ABOUT_DIRECTORY_SECRET: &str = "workspace-directory-secret";
/// What the sealed token of a directory's callbacks is about.
pub const ABOUT_CALLBACK_TOKEN: &str = "workspace-directory-callback-token";
/// What the sealed key of a directory's callbacks is about.
pub const ABOUT_CALLBACK_KEY: &str = "workspace-directory-callback-key";
/// What the sealed access token of a directory is about.
pub const ABOUT_DIRECTORY_ACCESS: &str = "workspace-directory-access";

/// A directory as it is stored, without its secrets.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct DirectoryRow {
    /// What is set.
    #[sqlx(flatten)]
    pub settings: DirectorySettings,
    /// When the next sync begins.
    pub due_at: Millis,
    /// Whether it may take away as much as the directory says.
    pub forced: bool,
    /// Failures since the last success.
    pub attempts: i64,
    /// Why the last one was refused or failed.
    pub problem: Option<String>,
    outcome: Option<SyncState>,
    detail: Option<String>,
    counts: Option<Json<SyncCounts>>,
    tried_at: Option<Millis>,
    synced_at: Option<Millis>,
    lease_until: Millis,
}

impl DirectoryRow {
    /// How the last sync went, and when the next one is.
    pub fn sync(&self, now: Millis) -> DirectorySync {
        let state = match self.outcome {
            _ if self.lease_until > now => SyncState::Running,
            Some(outcome) if self.due_at > now => outcome,
            _ => SyncState::Waiting,
        };
        DirectorySync {
            state,
            synced_at: self.synced_at,
            tried_at: self.tried_at,
            next_at: self.due_at,
            problem: self.problem.clone(),
            detail: self.detail.clone(),
            counts: self.counts.as_ref().map(|counts| counts.0),
        }
    }
}

/// The columns of a [`DirectoryRow`].
macro_rules! columns {
    () => {
        "workspace_id, kind, corp_id, reads, base_url, every_hours, callback_token_sealed IS NOT NULL AS callback, changed_by,
         changed_at, due_at, forced, attempts, problem, outcome, detail, counts, tried_at, synced_at, lease_until"
    };
}

/// The secrets that are set with a directory.
#[derive(Clone, Debug, Default)]
pub struct DirectorySecrets {
    /// By which it is read.
    pub secret: Option<Secret>,
    /// Token and key of its callbacks.
    pub callback: Option<(Secret, Secret)>,
}

/// How a sync ended.
#[derive(Clone, Debug)]
pub struct SyncEnd {
    /// How.
    pub outcome: SyncState,
    /// The type of the problem and its words, unless it was done.
    pub problem: Option<(String, String)>,
    /// What was found and changed, if it was done.
    pub counts: Option<SyncCounts>,
    /// When the next one begins, unless one was asked for meanwhile.
    pub next_at: Millis,
}

/// A member as they stand in an address book that is pulled.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct StandingMember {
    /// Their id.
    pub id: MemberId,
    /// Who has said the row.
    pub source: Option<String>,
    /// What was said.
    pub attributes: Json<Attributes>,
    /// Whether they may use what the workspace has.
    pub active: bool,
    /// Counted at each change.
    pub version: i64,
}

/// A department or a tag as it stands in an address book that is pulled.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct StandingGroup {
    /// Its id.
    pub id: GroupId,
    /// What it is.
    pub kind: GroupKind,
    /// The department that it is in.
    pub parent_id: Option<GroupId>,
    /// Who has said the row.
    pub source: Option<String>,
    /// What was said.
    pub attributes: Json<Attributes>,
    /// Counted at each change.
    pub version: i64,
}

fn about(what: &str, workspace: &WorkspaceId) -> String {
    format!("{what}:{workspace}")
}

impl Tx {
    /// From where the address book of a workspace is pulled, if it is.
    pub async fn directory(&mut self, workspace: &WorkspaceId) -> Result<Option<DirectoryRow>> {
        const SQL: &str = concat!("SELECT ", columns!(), " FROM workspace_directory WHERE workspace_id = $1");
        Ok(fetch!(self, fetch_optional, DirectoryRow, SQL, workspace)?)
    }

    /// Sets from where the address book of a workspace is pulled, in place of what was set. A secret that is not given stays. The
    /// next sync begins now, and one that is under way ends without a further change.
    pub async fn put_directory(&mut self, one: &DirectorySettings, secrets: &DirectorySecrets) -> Result<()> {
        let seal =
            |tx: &Self, secret: &Secret, what| tx.seal().seal(secret.expose().as_bytes(), &about(what, &one.workspace));
        let secret = secrets.secret.as_ref().map(|secret| seal(self, secret, ABOUT_DIRECTORY_SECRET)).transpose()?;
        let callback = secrets.callback.as_ref();
        let token = callback.map(|(token, _)| seal(self, token, ABOUT_CALLBACK_TOKEN)).transpose()?;
        let key = callback.map(|(_, key)| seal(self, key, ABOUT_CALLBACK_KEY)).transpose()?;
        execute!(
            self,
            "INSERT INTO workspace_directory (workspace_id, kind, corp_id, reads, base_url, every_hours, secret_sealed,
                callback_token_sealed, callback_key_sealed, changed_by, changed_at, access_expires_at, due_at, forced, attempts,
                lease_until)
             VALUES ($1, $2, $3, $4, $5, $6, COALESCE($7, ''), $8, $9, $10, $11, 0, $11, FALSE, 0, 0)
             ON CONFLICT (workspace_id) DO UPDATE SET kind = excluded.kind, corp_id = excluded.corp_id, reads = excluded.reads,
                base_url = excluded.base_url, every_hours = excluded.every_hours,
                secret_sealed = COALESCE($7, workspace_directory.secret_sealed),
                callback_token_sealed = COALESCE(excluded.callback_token_sealed, workspace_directory.callback_token_sealed),
                callback_key_sealed = COALESCE(excluded.callback_key_sealed, workspace_directory.callback_key_sealed),
                changed_by = excluded.changed_by, changed_at = excluded.changed_at, access_sealed = NULL,
                access_expires_at = 0, due_at = excluded.due_at, forced = FALSE, attempts = 0",
            &one.workspace,
            one.kind,
            &one.corp_id,
            one.reads,
            &one.base_url,
            one.every_hours,
            &secret,
            &token,
            &key,
            &one.changed_by,
            one.changed_at
        )?;
        Ok(())
    }

    /// Ends the pulling of an address book.
    pub async fn delete_directory(&mut self, workspace: &WorkspaceId) -> Result<()> {
        execute!(self, "DELETE FROM workspace_directory WHERE workspace_id = $1", workspace)?;
        Ok(())
    }

    /// Whether the address book has rows that a source did not say.
    pub async fn is_kept_by_others(&mut self, workspace: &WorkspaceId, source: &str) -> Result<bool> {
        const SQL: &str = "SELECT id FROM workspace_member WHERE workspace_id = $1 AND COALESCE(source, '') <> $2
             UNION ALL SELECT id FROM workspace_group WHERE workspace_id = $1 AND COALESCE(source, '') <> $2 LIMIT 1";
        Ok(fetch!(self, fetch_optional, (String,), SQL, workspace, source)?.is_some())
    }

    /// The secret by which a directory is read.
    ///
    /// # Errors
    /// `secret-sealed` when this host cannot open it.
    pub async fn directory_secret(&mut self, workspace: &WorkspaceId) -> Result<Option<Secret>> {
        const SQL: &str = "SELECT secret_sealed FROM workspace_directory WHERE workspace_id = $1";
        let row = fetch!(self, fetch_optional, (String,), SQL, workspace)?;
        row.map(|(sealed,)| self.open_directory(&sealed, ABOUT_DIRECTORY_SECRET, workspace)).transpose()
    }

    /// The id of the organisation, and token and key by which its directory tells that something has changed; `None` when it does not.
    ///
    /// # Errors
    /// `secret-sealed` when this host cannot open them.
    pub async fn directory_callback(&mut self, workspace: &WorkspaceId) -> Result<Option<(String, Secret, Secret)>> {
        const SQL: &str = "SELECT corp_id, callback_token_sealed, callback_key_sealed FROM workspace_directory
             WHERE workspace_id = $1 AND callback_token_sealed IS NOT NULL AND callback_key_sealed IS NOT NULL";
        let row = fetch!(self, fetch_optional, (String, String, String), SQL, workspace)?;
        let Some((corp_id, token, key)) = row else { return Ok(None) };
        let token = self.open_directory(&token, ABOUT_CALLBACK_TOKEN, workspace)?;
        Ok(Some((corp_id, token, self.open_directory(&key, ABOUT_CALLBACK_KEY, workspace)?)))
    }

    /// The access token of a directory, if it is good until a moment.
    ///
    /// # Errors
    /// `secret-sealed` when this host cannot open it.
    pub async fn directory_access(&mut self, workspace: &WorkspaceId, until: Millis) -> Result<Option<Secret>> {
        const SQL: &str = "SELECT access_sealed FROM workspace_directory
             WHERE workspace_id = $1 AND access_sealed IS NOT NULL AND access_expires_at > $2";
        let row = fetch!(self, fetch_optional, (String,), SQL, workspace, until)?;
        row.map(|(sealed,)| self.open_directory(&sealed, ABOUT_DIRECTORY_ACCESS, workspace)).transpose()
    }

    /// Keeps an access token for all hosts, unless the directory was set anew meanwhile.
    pub async fn keep_directory_access(
        &mut self,
        one: &DirectorySettings,
        token: &Secret,
        expires_at: Millis,
    ) -> Result<()> {
        let sealed = self.seal().seal(token.expose().as_bytes(), &about(ABOUT_DIRECTORY_ACCESS, &one.workspace))?;
        execute!(
            self,
            "UPDATE workspace_directory SET access_sealed = $3, access_expires_at = $4
             WHERE workspace_id = $1 AND changed_at = $2",
            &one.workspace,
            one.changed_at,
            sealed,
            expires_at
        )?;
        Ok(())
    }

    fn open_directory(&self, sealed: &str, what: &str, workspace: &WorkspaceId) -> Result<Secret> {
        Ok(self.seal().open_text(sealed, &about(what, workspace))?.into())
    }

    /// Brings the next sync of a workspace forward to a moment, unless it is sooner; with `forced` it may take away as much as the
    /// directory says.
    pub async fn ask_for_sync(&mut self, workspace: &WorkspaceId, at: Millis, forced: bool) -> Result<()> {
        execute!(
            self,
            "UPDATE workspace_directory SET due_at = CASE WHEN due_at > $2 THEN $2 ELSE due_at END,
                forced = CASE WHEN $3 THEN TRUE ELSE forced END WHERE workspace_id = $1",
            workspace,
            at,
            forced
        )?;
        Ok(())
    }

    /// Whether a sync is to begin that no host has taken.
    pub async fn has_due_directory(&mut self, now: Millis) -> Result<bool> {
        const SQL: &str = concat!(
            "SELECT COUNT(*) FROM workspace_directory WHERE (due_at <= $1 OR lease_owner IS NOT NULL) AND ",
            free!("$1")
        );
        let (Count(due),) = fetch!(self, fetch_one, (Count,), SQL, now)?;
        Ok(due > 0)
    }

    /// Takes the sync that has been due for longest; one whose host has died is due, too. The one after it is due when the hours are
    /// over that are set, so that what is asked for while this one runs is not lost. The outer condition says all of the inner one again: a host that waited for
    /// the row would take what another one has done meanwhile.
    pub async fn claim_directory(&mut self, lease: &Lease) -> Result<Option<DirectoryRow>> {
        const SQL: &str = concat!(
            "UPDATE workspace_directory SET ",
            taken!("$1", "$3"),
            ", due_at = $2 + every_hours * 3600000 WHERE workspace_id = (SELECT workspace_id FROM workspace_directory
                WHERE (due_at <= $2 OR lease_owner IS NOT NULL) AND ",
            free!("$2"),
            " ORDER BY due_at, workspace_id LIMIT 1) AND (due_at <= $2 OR lease_owner IS NOT NULL) AND ",
            free!("$2"),
            " RETURNING ",
            columns!()
        );
        Ok(fetch!(self, fetch_optional, DirectoryRow, SQL, lease.owner(), lease.from(), lease.until())?)
    }

    /// Locks a directory and puts off the end of its lease; `false` when another host has it, or it was set anew or removed.
    pub async fn keep_directory(&mut self, one: &DirectorySettings, lease: &Lease) -> Result<bool> {
        const SQL: &str = "UPDATE workspace_directory SET lease_until = $4
             WHERE workspace_id = $1 AND changed_at = $2 AND lease_owner = $3";
        let (id, owner) = (&one.workspace, lease.owner());
        Ok(execute!(self, SQL, id, one.changed_at, owner, lease.until())? > 0)
    }

    /// Ends a sync. Returns `false` when another host has it, or it was set anew or removed.
    pub async fn end_directory_sync(&mut self, row: &DirectoryRow, owner: &str, end: &SyncEnd) -> Result<bool> {
        const SQL: &str = concat!(
            "UPDATE workspace_directory SET ",
            given_back!(),
            ", outcome = $4, problem = $5, detail = $6, counts = COALESCE($7, counts), tried_at = $8,
                synced_at = CASE WHEN $4 = 'done' THEN $8 ELSE synced_at END,
                attempts = CASE WHEN $4 = 'failed' THEN attempts + 1 ELSE 0 END,
                forced = CASE WHEN due_at = $9 THEN FALSE ELSE forced END,
                due_at = CASE WHEN due_at = $9 THEN $10 ELSE due_at END
             WHERE workspace_id = $1 AND changed_at = $2 AND lease_owner = $3"
        );
        let (problem, detail) = end.problem.clone().unzip();
        let one = &row.settings;
        let now = self.now();
        let done = execute!(
            self,
            SQL,
            &one.workspace,
            one.changed_at,
            owner,
            end.outcome,
            problem,
            detail,
            end.counts.map(Json),
            now,
            row.due_at,
            end.next_at
        )?;
        Ok(done > 0)
    }

    /// Gives back what a host has taken that stops, or one that it cannot end. Others begin it anew at once.
    pub async fn release_directories(&mut self, owner: &str, workspace: Option<&WorkspaceId>) -> Result<()> {
        const SQL: &str = concat!(
            "UPDATE workspace_directory SET ",
            given_back!(),
            ", due_at = CASE WHEN due_at > $2 THEN $2 ELSE due_at END
             WHERE lease_owner = $1 AND workspace_id = COALESCE($3, workspace_id)"
        );
        let now = self.now();
        execute!(self, SQL, owner, now, workspace)?;
        Ok(())
    }

    /// Every member of a workspace, as they stand.
    pub async fn standing_members(&mut self, workspace: &WorkspaceId) -> Result<Vec<StandingMember>> {
        const SQL: &str =
            "SELECT id, source, attributes, active, version FROM workspace_member WHERE workspace_id = $1 ORDER BY id";
        Ok(fetch!(self, fetch_all, StandingMember, SQL, workspace)?)
    }

    /// Every department and tag of a workspace, as it stands.
    pub async fn standing_groups(&mut self, workspace: &WorkspaceId) -> Result<Vec<StandingGroup>> {
        const SQL: &str = "SELECT id, kind, parent_id, source, attributes, version FROM workspace_group
             WHERE workspace_id = $1 ORDER BY id";
        Ok(fetch!(self, fetch_all, StandingGroup, SQL, workspace)?)
    }
}
