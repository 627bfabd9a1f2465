//! The identity providers at which members sign in, and browsers that are away there.

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, MemberId, WorkspaceId},
    secret::Secret,
};
use berth_model::{
    member_portal::{MemberKey, MemberProvider},
    workspace::WorkspaceMember,
};

use crate::{Tx, execute, fetch};

/// What the sealed secret of a provider is about.
pub const ABOUT_PROVIDER_SECRET: &str = "workspace-provider-secret";

/// A browser of a member that is away at the provider.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct MemberVisitRow {
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// When the provider was set to which it was sent.
    pub provider_changed_at: Millis,
    /// With what an internal tool had sent it.
    pub request: Option<String>,
    /// How many seconds before the visit the member may have logged in at the provider at most.
    pub max_age: Option<i64>,
    /// When it was sent.
    pub begun_at: Millis,
}

fn about(workspace: &WorkspaceId) -> String {
    format!("{ABOUT_PROVIDER_SECRET}:{workspace}")
}

impl Tx {
    /// The identity provider of a workspace, if it has one.
    pub async fn member_provider(&mut self, workspace: &WorkspaceId) -> Result<Option<MemberProvider>> {
        const SQL: &str = "SELECT workspace_id, name, issuer, client_id, client_auth, claim, member_key,
                secret_sealed IS NOT NULL AS has_secret, changed_by, changed_at
             FROM workspace_provider WHERE workspace_id = $1";
        Ok(fetch!(self, fetch_optional, MemberProvider, SQL, workspace)?)
    }

    /// Sets the identity provider of a workspace, in place of the one that there may be, with the secret of its client.
    pub async fn put_member_provider(&mut self, one: &MemberProvider, secret: Option<&Secret>) -> Result<()> {
        let seal = |secret: &Secret| self.seal().seal(secret.expose().as_bytes(), &about(&one.workspace));
        let sealed = secret.map(seal).transpose()?;
        execute!(
            self,
            "INSERT INTO workspace_provider (workspace_id, name, issuer, client_id, client_auth, claim, member_key, secret_sealed,
                changed_by, changed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (workspace_id) DO UPDATE SET name = excluded.name, issuer = excluded.issuer,
                client_id = excluded.client_id, client_auth = excluded.client_auth, claim = excluded.claim,
                member_key = excluded.member_key, secret_sealed = excluded.secret_sealed, changed_by = excluded.changed_by,
                changed_at = excluded.changed_at",
            &one.workspace,
            &one.name,
            &one.issuer,
            &one.client_id,
            one.client_auth,
            &one.claim,
            one.member_key,
            &sealed,
            &one.changed_by,
            one.changed_at
        )?;
        Ok(())
    }

    /// Deletes the identity provider of a workspace; browsers that are away there come back for nothing.
    pub async fn delete_member_provider(&mut self, workspace: &WorkspaceId) -> Result<()> {
        execute!(self, "DELETE FROM workspace_provider WHERE workspace_id = $1", workspace)?;
        Ok(())
    }

    /// The secret of the client at the provider of a workspace, if it has one.
    ///
    /// # Errors
    /// `secret-sealed` when this host cannot open it.
    pub async fn member_provider_secret(&mut self, workspace: &WorkspaceId) -> Result<Option<Secret>> {
        const SQL: &str =
            "SELECT secret_sealed FROM workspace_provider WHERE workspace_id = $1 AND secret_sealed IS NOT NULL";
        let row = fetch!(self, fetch_optional, (String,), SQL, workspace)?;
        row.map(|(sealed,)| Ok(self.seal().open_text(&sealed, &about(workspace))?.into())).transpose()
    }

    /// Notes that the browser of a member goes to the provider.
    pub async fn begin_member_visit(
        &mut self,
        state: &Digest,
        browser: &Digest,
        visit: &MemberVisitRow,
        expires_at: Millis,
    ) -> Result<()> {
        execute!(
            self,
            "INSERT INTO member_visit (state_sha256, browser_sha256, workspace_id, provider_changed_at, request, max_age, begun_at,
                expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            state,
            browser,
            &visit.workspace_id,
            visit.provider_changed_at,
            &visit.request,
            visit.max_age,
            visit.begun_at,
            expires_at
        )?;
        Ok(())
    }

    /// Takes the visit of a browser that has come back: once, to the workspace from which it was sent, and not that of another
    /// browser.
    pub async fn take_member_visit(
        &mut self,
        workspace: &WorkspaceId,
        state: &Digest,
        browser: &Digest,
    ) -> Result<Option<MemberVisitRow>> {
        let now = self.now();
        const SQL: &str = "DELETE FROM member_visit
             WHERE state_sha256 = $1 AND browser_sha256 = $2 AND workspace_id = $3 AND expires_at > $4
             RETURNING workspace_id, provider_changed_at, request, max_age, begun_at";
        Ok(fetch!(self, fetch_optional, MemberVisitRow, SQL, state, browser, workspace, now)?)
    }

    /// Up to two members of a workspace whom a name finds: one is who it is, two are nobody.
    pub async fn members_named(
        &mut self,
        workspace: &WorkspaceId,
        key: MemberKey,
        name: &str,
    ) -> Result<Vec<WorkspaceMember>> {
        match key {
            MemberKey::UserName => {
                const SQL: &str =
                    "SELECT id, user_name, name, external_id, active, created_at, updated_at FROM workspace_member
                     WHERE workspace_id = $1 AND user_key = $2 LIMIT 2";
                Ok(fetch!(self, fetch_all, WorkspaceMember, SQL, workspace, name.to_lowercase())?)
            }
            MemberKey::ExternalId => {
                const SQL: &str =
                    "SELECT id, user_name, name, external_id, active, created_at, updated_at FROM workspace_member
                     WHERE workspace_id = $1 AND external_id = $2 LIMIT 2";
                Ok(fetch!(self, fetch_all, WorkspaceMember, SQL, workspace, name)?)
            }
        }
    }

    /// Who a member is at the identity provider, if they have signed in there.
    pub async fn member_subject(&mut self, member: &MemberId) -> Result<Option<String>> {
        const SQL: &str = "SELECT subject FROM member_subject WHERE member_id = $1";
        Ok(fetch!(self, fetch_optional, (String,), SQL, member)?.map(|(subject,)| subject))
    }

    /// Notes who a member is at the identity provider, of whom that was not known.
    pub async fn insert_member_subject(
        &mut self,
        member: &MemberId,
        provider: &MemberProvider,
        subject: &str,
    ) -> Result<()> {
        execute!(
            self,
            "INSERT INTO member_subject (member_id, workspace_id, issuer, client_id, subject) VALUES ($1, $2, $3, $4, $5)",
            member,
            &provider.workspace,
            &provider.issuer,
            &provider.client_id,
            subject
        )?;
        Ok(())
    }

    /// Forgets who a member is at the identity provider. Returns whether it was known.
    pub async fn delete_member_subject(&mut self, member: &MemberId) -> Result<bool> {
        Ok(execute!(self, "DELETE FROM member_subject WHERE member_id = $1", member)? > 0)
    }

    /// Forgets who the members of a workspace are at other issuers and for other clients.
    pub async fn delete_member_subjects_elsewhere(&mut self, provider: &MemberProvider) -> Result<()> {
        execute!(
            self,
            "DELETE FROM member_subject WHERE workspace_id = $1 AND (issuer <> $2 OR client_id <> $3)",
            &provider.workspace,
            &provider.issuer,
            &provider.client_id
        )?;
        Ok(())
    }
}
