//! Internal tools as OpenID clients: what they have registered, and the sign-ons, codes and tokens of members.

use std::collections::BTreeSet;

use sqlx::types::Json;

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{ApplicationId, Digest, MemberId, SignOnId, UserId, WorkspaceId},
};
use berth_model::oidc::{MemberSignOn, SetOidcClient, SignIn, TokenKind, ToolClient, ToolCode, ToolToken};

use crate::{Db, Tx, execute, fetch, fetch_alone};

#[derive(sqlx::FromRow)]
struct ClientRow {
    application_id: ApplicationId,
    workspace_id: WorkspaceId,
    redirect_uris: Json<Vec<String>>,
    post_logout_redirect_uris: Json<Vec<String>>,
    issued_at: Option<Millis>,
    issued_by: Option<UserId>,
}

/// The secret of an internal tool.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ToolSecretRow {
    /// The SHA-256 of the secret; absent when none was made.
    pub secret_sha256: Option<Digest>,
    /// Raised by each new secret. Tokens of an earlier one are void.
    pub generation: i64,
}

impl Db {
    /// The secret of an internal tool. One statement is a snapshot by itself.
    pub async fn tool_secret(&self, id: &ApplicationId) -> Result<Option<ToolSecretRow>> {
        const SQL: &str = "SELECT secret_sha256, generation FROM tool_client WHERE application_id = $1";
        Ok(fetch_alone!(self, ToolSecretRow, SQL, id.as_str())?.into_iter().next())
    }
}

impl Tx {
    /// Where the members of a workspace sign on; nothing when nobody has said it.
    pub async fn sign_in(&mut self, workspace: &WorkspaceId) -> Result<SignIn> {
        const SQL: &str = "SELECT url, help FROM workspace_sign_in WHERE workspace_id = $1";
        let row = fetch!(self, fetch_optional, (String, String), SQL, workspace)?;
        let (url, help) = row.unwrap_or_default();
        Ok(SignIn { workspace: workspace.clone(), url, help })
    }

    /// Sets where the members of a workspace sign on.
    pub async fn set_sign_in(&mut self, one: &SignIn) -> Result<()> {
        execute!(
            self,
            "INSERT INTO workspace_sign_in (workspace_id, url, help) VALUES ($1, $2, $3)
             ON CONFLICT (workspace_id) DO UPDATE SET url = excluded.url, help = excluded.help",
            &one.workspace,
            &one.url,
            &one.help
        )?;
        Ok(())
    }

    /// What an internal tool has registered, if it ever has.
    pub async fn tool_client(&mut self, id: &ApplicationId) -> Result<Option<ToolClient>> {
        const SQL: &str =
            "SELECT application_id, workspace_id, redirect_uris, post_logout_redirect_uris, issued_at, issued_by
             FROM tool_client WHERE application_id = $1";
        let row = fetch!(self, fetch_optional, ClientRow, SQL, id)?;
        Ok(row.map(|row| ToolClient {
            application: row.application_id,
            workspace: row.workspace_id,
            redirect_uris: row.redirect_uris.0,
            post_logout_redirect_uris: row.post_logout_redirect_uris.0,
            secret_issued_at: row.issued_at,
            secret_issued_by: row.issued_by,
        }))
    }

    /// The generation of the secret of an internal tool.
    pub async fn tool_generation(&mut self, id: &ApplicationId) -> Result<Option<i64>> {
        const SQL: &str = "SELECT generation FROM tool_client WHERE application_id = $1";
        Ok(fetch!(self, fetch_optional, (i64,), SQL, id)?.map(|(generation,)| generation))
    }

    /// Sets what an internal tool has registered. Whoever does holds the workspace.
    pub async fn set_tool_client(
        &mut self,
        workspace: &WorkspaceId,
        id: &ApplicationId,
        set: &SetOidcClient,
    ) -> Result<()> {
        execute!(
            self,
            "INSERT INTO tool_client (application_id, workspace_id, redirect_uris, post_logout_redirect_uris, generation)
             VALUES ($1, $2, $3, $4, 0)
             ON CONFLICT (application_id) DO UPDATE SET redirect_uris = excluded.redirect_uris,
                post_logout_redirect_uris = excluded.post_logout_redirect_uris",
            id,
            workspace,
            Json(&set.redirect_uris),
            Json(&set.post_logout_redirect_uris)
        )?;
        Ok(())
    }

    /// Stores the secret of an internal tool that is registered, in place of the one that there may be, which ends all tokens.
    pub async fn set_tool_secret(&mut self, id: &ApplicationId, secret: &Digest, by: &UserId) -> Result<()> {
        let now = self.now();
        execute!(
            self,
            "UPDATE tool_client SET secret_sha256 = $2, generation = generation + 1, issued_at = $3, issued_by = $4
             WHERE application_id = $1",
            id,
            secret,
            now,
            by
        )?;
        execute!(self, "DELETE FROM tool_token WHERE application_id = $1", id)?;
        Ok(())
    }

    /// Adds a login code for a member in one browser, of which only the hash is stored.
    pub async fn insert_member_code(
        &mut self,
        code: &Digest,
        tool: &ApplicationId,
        member: &MemberId,
        browser: &Digest,
        expires_at: Millis,
    ) -> Result<()> {
        execute!(
            self,
            "INSERT INTO member_login_code (code_sha256, application_id, member_id, browser_sha256, expires_at)
             VALUES ($1, $2, $3, $4, $5)",
            code,
            tool,
            member,
            browser,
            expires_at
        )?;
        Ok(())
    }

    /// Takes a login code that is valid for this tool in this browser, and returns its member. Of many who try, one gets it.
    pub async fn take_member_code(
        &mut self,
        code: &Digest,
        tool: &ApplicationId,
        browser: &Digest,
    ) -> Result<Option<MemberId>> {
        let now = self.now();
        let taken = fetch!(
            self,
            fetch_optional,
            (MemberId,),
            "DELETE FROM member_login_code
             WHERE code_sha256 = $1 AND application_id = $2 AND browser_sha256 = $3 AND expires_at > $4
             RETURNING member_id",
            code,
            tool,
            browser,
            now
        )?;
        Ok(taken.map(|(member,)| member))
    }

    /// Whether a secret of this hash speaks of a member: what is made up is refused by reading alone.
    pub async fn knows_member_of(&mut self, secret: &Digest) -> Result<bool> {
        const SQL: &str = "SELECT member_id FROM member_login_code WHERE code_sha256 = $1
             UNION ALL SELECT member_id FROM member_sign_on WHERE secret_sha256 = $1
             UNION ALL SELECT member_id FROM tool_code WHERE code_sha256 = $1
             UNION ALL SELECT member_id FROM tool_token WHERE token_sha256 = $1 LIMIT 1";
        Ok(fetch!(self, fetch_optional, (MemberId,), SQL, secret)?.is_some())
    }

    /// Locks the members of whom secrets of these hashes speak, whatever kind of secret they are, until the transaction ends: nothing
    /// comes from what is being ended. Members are locked in the order of their ids, so that two browsers that each have something of
    /// the other's member do not wait for each other.
    pub async fn hold_members_of(&mut self, secrets: &[&Digest]) -> Result<()> {
        let mut members = BTreeSet::new();
        for secret in secrets {
            members.extend(self.members_of(secret).await?);
        }
        for member in members {
            execute!(self, "UPDATE workspace_member SET version = version WHERE id = $1", &member)?;
        }
        Ok(())
    }

    async fn members_of(&mut self, secret: &Digest) -> Result<Vec<String>> {
        const SQL: &str = "SELECT member_id FROM member_login_code WHERE code_sha256 = $1
             UNION SELECT member_id FROM member_sign_on WHERE secret_sha256 = $1
             UNION SELECT member_id FROM tool_code WHERE code_sha256 = $1
             UNION SELECT member_id FROM tool_token WHERE token_sha256 = $1";
        let rows = fetch!(self, fetch_all, (String,), SQL, secret)?;
        Ok(rows.into_iter().map(|(member,)| member).collect())
    }

    /// Locks a member of a workspace until the transaction ends. Returns whether there is one.
    pub async fn hold_member(&mut self, workspace: &WorkspaceId, id: &MemberId) -> Result<bool> {
        const SQL: &str = "UPDATE workspace_member SET version = version WHERE workspace_id = $1 AND id = $2";
        Ok(execute!(self, SQL, workspace, id)? > 0)
    }

    /// Adds a sign-on, of whose secret only the hash is stored.
    pub async fn insert_member_sign_on(&mut self, secret: &Digest, one: &MemberSignOn) -> Result<()> {
        execute!(
            self,
            "INSERT INTO member_sign_on (id, secret_sha256, workspace_id, member_id, signed_on_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            &one.id,
            secret,
            &one.workspace_id,
            &one.member_id,
            one.signed_on_at,
            one.expires_at
        )?;
        Ok(())
    }

    /// The sign-on whose secret has this hash, if it is still good.
    pub async fn member_sign_on(&mut self, secret: &Digest) -> Result<Option<MemberSignOn>> {
        let now = self.now();
        Ok(fetch!(
            self,
            fetch_optional,
            MemberSignOn,
            "SELECT id, workspace_id, member_id, signed_on_at, expires_at FROM member_sign_on
             WHERE secret_sha256 = $1 AND expires_at > $2",
            secret,
            now
        )?)
    }

    /// Begins a sign-on anew, with another secret: the member was vouched for once more.
    pub async fn renew_member_sign_on(&mut self, secret: &Digest, one: &MemberSignOn) -> Result<()> {
        execute!(
            self,
            "UPDATE member_sign_on SET secret_sha256 = $2, signed_on_at = $3, expires_at = $4 WHERE id = $1",
            &one.id,
            secret,
            one.signed_on_at,
            one.expires_at
        )?;
        Ok(())
    }

    /// Ends a sign-on, and the codes and tokens that came from it.
    pub async fn end_member_sign_on(&mut self, id: &SignOnId) -> Result<()> {
        execute!(self, "DELETE FROM member_sign_on WHERE id = $1", id)?;
        execute!(self, "DELETE FROM tool_code WHERE sign_on_id = $1", id)?;
        execute!(self, "DELETE FROM tool_token WHERE sign_on_id = $1", id)?;
        Ok(())
    }

    /// Ends all that a member whom this transaction holds has of sign-on: login codes, sign-ons, codes and tokens. Returns how
    /// many sign-ons there were.
    pub async fn end_member_sign_ons(&mut self, member: &MemberId) -> Result<u64> {
        execute!(self, "DELETE FROM member_login_code WHERE member_id = $1", member)?;
        execute!(self, "DELETE FROM tool_code WHERE member_id = $1", member)?;
        execute!(self, "DELETE FROM tool_token WHERE member_id = $1", member)?;
        Ok(execute!(self, "DELETE FROM member_sign_on WHERE member_id = $1", member)?)
    }

    /// Adds a code, of which only the hash is stored.
    pub async fn insert_tool_code(&mut self, one: &ToolCode) -> Result<()> {
        execute!(
            self,
            "INSERT INTO tool_code (code_sha256, application_id, member_id, sign_on_id, signed_on_at, scope, redirect_uri,
                code_challenge, nonce, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            &one.code_sha256,
            &one.application_id,
            &one.member_id,
            &one.sign_on_id,
            one.signed_on_at,
            &one.scope,
            &one.redirect_uri,
            &one.code_challenge,
            &one.nonce,
            one.expires_at
        )?;
        Ok(())
    }

    /// Ends the codes of a sign-on that were not exchanged, but for the newest `keep`, which are those that expire last. One that was stays,
    /// so that a second use of it is noticed.
    pub async fn end_older_tool_codes(&mut self, sign_on: &SignOnId, keep: i64) -> Result<()> {
        execute!(
            self,
            "DELETE FROM tool_code WHERE used_at IS NULL AND code_sha256 IN (SELECT code_sha256 FROM tool_code
             WHERE sign_on_id = $1 AND used_at IS NULL ORDER BY expires_at DESC, code_sha256 LIMIT 1000 OFFSET $2)",
            sign_on,
            keep
        )?;
        Ok(())
    }

    /// The code with this hash. Whoever uses it holds its member.
    pub async fn tool_code(&mut self, code: &Digest) -> Result<Option<ToolCode>> {
        Ok(fetch!(self, fetch_optional, ToolCode, "SELECT * FROM tool_code WHERE code_sha256 = $1", code)?)
    }

    /// Marks a code as exchanged.
    pub async fn use_tool_code(&mut self, code: &Digest) -> Result<()> {
        let now = self.now();
        execute!(self, "UPDATE tool_code SET used_at = $2 WHERE code_sha256 = $1", code, now)?;
        Ok(())
    }

    /// Adds a token, of which only the hash is stored.
    pub async fn insert_tool_token(&mut self, one: &ToolToken) -> Result<()> {
        execute!(
            self,
            "INSERT INTO tool_token (token_sha256, kind, code_sha256, application_id, member_id, sign_on_id, signed_on_at,
                scope, generation, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            &one.token_sha256,
            one.kind,
            &one.code_sha256,
            &one.application_id,
            &one.member_id,
            &one.sign_on_id,
            one.signed_on_at,
            &one.scope,
            one.generation,
            one.expires_at
        )?;
        Ok(())
    }

    /// The token with this hash, whatever its state. The look-up is by digest, so its time tells nothing of the token.
    pub async fn tool_token(&mut self, token: &Digest) -> Result<Option<ToolToken>> {
        Ok(fetch!(self, fetch_optional, ToolToken, "SELECT * FROM tool_token WHERE token_sha256 = $1", token)?)
    }

    /// Marks a refresh token as used.
    pub async fn use_tool_token(&mut self, token: &Digest) -> Result<()> {
        let now = self.now();
        execute!(self, "UPDATE tool_token SET used_at = $2 WHERE token_sha256 = $1", token, now)?;
        Ok(())
    }

    /// Ends the tokens of a kind that came from a code but for the newest `keep`, which are those that expire last.
    pub async fn end_older_tool_tokens(&mut self, code: &Digest, kind: TokenKind, keep: i64) -> Result<()> {
        execute!(
            self,
            "DELETE FROM tool_token WHERE token_sha256 IN (SELECT token_sha256 FROM tool_token
             WHERE code_sha256 = $1 AND kind = $2 ORDER BY expires_at DESC, token_sha256 LIMIT 1000 OFFSET $3)",
            code,
            kind,
            keep
        )?;
        Ok(())
    }

    /// Ends the tokens that came from a code.
    pub async fn end_tool_tokens(&mut self, code: &Digest) -> Result<u64> {
        Ok(execute!(self, "DELETE FROM tool_token WHERE code_sha256 = $1", code)?)
    }
}
