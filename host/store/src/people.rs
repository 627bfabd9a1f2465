//! How people get in: passwords, sessions and invitations.

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, InvitationId, TokenId, UserId},
    page::PageQuery,
};
use berth_model::access::{
    Caller, Grant, Invitation, Inviting, Origin, Role, Scope, ScopeKind, Session, SessionBy, StartedSession, Token,
    TokenScope, new_session_secret,
};

use crate::{Count, Tx, chosen, execute, fetch, fetch_built};

/// The password of an account.
#[derive(Clone, sqlx::FromRow)]
pub struct PasswordRow {
    /// The account.
    pub account_id: UserId,
    /// The name to sign in by, folded.
    pub sign_in_name: String,
    /// Its hash, as a PHC string.
    pub hash: String,
}

/// A session to start.
pub struct NewSession<'a> {
    /// The account.
    pub account: &'a UserId,
    /// How it is started.
    pub by: SessionBy,
    /// What it may be used for.
    pub scopes: Vec<TokenScope>,
    /// When it ends, however much it is used.
    pub expires_at: Millis,
    /// For how many seconds it may rest.
    pub idle_seconds: i64,
    /// The API token that it is started by, with which it ends.
    pub from_token: Option<&'a TokenId>,
    /// Where it is started from.
    pub origin: &'a Origin,
}

/// A session with its token.
#[derive(sqlx::FromRow)]
struct SessionRow {
    id: TokenId,
    account_id: UserId,
    started_by: SessionBy,
    created_at: Millis,
    seen_at: Millis,
    expires_at: Millis,
    address: Option<String>,
    agent: Option<String>,
}

impl SessionRow {
    fn shown_to(self, caller: Option<&TokenId>) -> Session {
        let Self { id, account_id, started_by, created_at, seen_at, expires_at, address, agent } = self;
        let (account, by, current) = (account_id, started_by, caller == Some(&id));
        Session { id, account, by, created_at, seen_at, expires_at, address, agent, current }
    }
}

/// An invitation, with the name of its account.
#[derive(sqlx::FromRow)]
struct InvitationRow {
    id: InvitationId,
    account_id: UserId,
    name: String,
    is_known: bool,
    scope_kind: Option<ScopeKind>,
    scope_id: Option<String>,
    role: Option<Role>,
    issued_by: String,
    created_at: Millis,
    expires_at: Millis,
    used_at: Option<Millis>,
}

impl InvitationRow {
    /// The invitation, and what decides who may issue it.
    fn read(self) -> Result<(Invitation, Inviting)> {
        let grant = match (self.scope_kind, self.scope_id, self.role) {
            (Some(scope), Some(id), Some(role)) => Some(Grant { scope, id, role }),
            _ => None,
        };
        let scope = grant.as_ref().map(|grant| Scope::parse(grant.scope, &grant.id)).transpose()?;
        let invitation = Invitation {
            id: self.id,
            account: self.account_id,
            name: self.name,
            grant,
            by: self.issued_by,
            created_at: self.created_at,
            expires_at: self.expires_at,
            used_at: self.used_at,
        };
        Ok((invitation, Inviting { is_known: self.is_known, scope }))
    }
}

impl Tx {
    /// Locks an account until the transaction ends, so that changes of how people get into it come one after the other.
    pub async fn hold_account(&mut self, account: &UserId) -> Result<()> {
        execute!(self, "UPDATE account SET name = name WHERE id = $1", account)?;
        Ok(())
    }

    /// Disables an account, or enables it again.
    pub async fn set_disabled(&mut self, account: &UserId, disabled_at: Option<Millis>) -> Result<()> {
        execute!(self, "UPDATE account SET disabled_at = $2 WHERE id = $1", account, disabled_at)?;
        Ok(())
    }

    /// The password that belongs to a sign-in name, which is folded.
    pub async fn password_by_name(&mut self, sign_in_name: &str) -> Result<Option<PasswordRow>> {
        const SQL: &str = "SELECT * FROM password WHERE sign_in_name = $1";
        Ok(fetch!(self, fetch_optional, PasswordRow, SQL, sign_in_name)?)
    }

    /// The password of an account.
    pub async fn password_of(&mut self, account: &UserId) -> Result<Option<PasswordRow>> {
        const SQL: &str = "SELECT * FROM password WHERE account_id = $1";
        Ok(fetch!(self, fetch_optional, PasswordRow, SQL, account)?)
    }

    /// Stores the password of an account, in place of the one that there may be.
    ///
    /// # Errors
    /// A violation of a unique index when another account has the sign-in name.
    pub async fn put_password(&mut self, row: &PasswordRow) -> Result<()> {
        let now = self.now();
        execute!(
            self,
            "INSERT INTO password (account_id, sign_in_name, hash, changed_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (account_id) DO UPDATE SET sign_in_name = excluded.sign_in_name, hash = excluded.hash,
                changed_at = excluded.changed_at",
            &row.account_id,
            &row.sign_in_name,
            &row.hash,
            now
        )?;
        Ok(())
    }

    /// Starts a session: issues a token that is one.
    pub async fn start_session(&mut self, new: NewSession<'_>) -> Result<StartedSession> {
        let now = self.now();
        let secret = new_session_secret(self.random());
        let token = Token {
            id: TokenId::generate(now, self.random()),
            account: new.account.clone(),
            name: "session".into(),
            scopes: new.scopes,
            created_at: now,
            expires_at: Some(new.expires_at),
            revoked_at: None,
        };
        self.insert_token(&token, Digest::of(secret.as_bytes())).await?;
        let Origin { address, agent } = new.origin.clone();
        execute!(
            self,
            "INSERT INTO session (token_id, from_token_id, started_by, seen_at, idle_seconds, address, agent)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &token.id,
            new.from_token,
            new.by,
            now,
            new.idle_seconds,
            &address,
            &agent
        )?;
        let Token { id, account, .. } = token;
        let NewSession { by, expires_at, .. } = new;
        let session =
            Session { id, account, by, created_at: now, seen_at: now, expires_at, address, agent, current: true };
        Ok(StartedSession { session, secret })
    }

    /// Notes that a session is used now.
    pub async fn note_seen(&mut self, session: &TokenId) -> Result<()> {
        let now = self.now();
        execute!(self, "UPDATE session SET seen_at = $2 WHERE token_id = $1 AND seen_at < $2", session, now)?;
        Ok(())
    }

    /// The session whose token has this id, whatever its state, as it is shown to nobody in particular.
    pub async fn session(&mut self, id: &TokenId) -> Result<Option<Session>> {
        const SQL: &str =
            "SELECT t.id, t.account_id, s.started_by, t.created_at, s.seen_at, t.expires_at, s.address, s.agent
             FROM session s JOIN token t ON t.id = s.token_id WHERE s.token_id = $1";
        Ok(fetch!(self, fetch_optional, SessionRow, SQL, id)?.map(|row| row.shown_to(None)))
    }

    /// The sessions of an account that have not ended, newest first, as they are shown to who has the token `caller`.
    pub async fn sessions_of(&mut self, account: &UserId, caller: Option<&TokenId>) -> Result<Vec<Session>> {
        let now = self.now();
        const SQL: &str =
            "SELECT t.id, t.account_id, s.started_by, t.created_at, s.seen_at, t.expires_at, s.address, s.agent
             FROM session s JOIN token t ON t.id = s.token_id LEFT JOIN token f ON f.id = s.from_token_id
             WHERE t.account_id = $1 AND t.revoked_at IS NULL AND f.revoked_at IS NULL AND t.expires_at > $2
                AND s.seen_at + s.idle_seconds * 1000 > $2
             ORDER BY t.created_at DESC, t.id DESC";
        let rows = fetch!(self, fetch_all, SessionRow, SQL, account, now)?;
        Ok(rows.into_iter().map(|row| row.shown_to(caller)).collect())
    }

    /// Deletes sessions that ended before `before`, with their tokens, at most `limit`, and returns how many there were.
    pub async fn forget_sessions(&mut self, before: Millis, limit: i64) -> Result<u64> {
        Ok(execute!(
            self,
            "DELETE FROM token WHERE id IN (SELECT t.id FROM session s JOIN token t ON t.id = s.token_id
             WHERE t.expires_at <= $1 OR t.revoked_at <= $1 OR s.seen_at + s.idle_seconds * 1000 <= $1 LIMIT $2)",
            before,
            limit
        )?)
    }

    /// Adds an invitation, of whose code only the digest is stored.
    pub async fn insert_invitation(&mut self, one: &Invitation, is_known: bool, code: Digest) -> Result<()> {
        let grant = one.grant.as_ref();
        execute!(
            self,
            "INSERT INTO invitation (id, account_id, code_sha256, is_known, scope_kind, scope_id, role, issued_by, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            &one.id,
            &one.account,
            code,
            is_known,
            grant.map(|grant| grant.scope),
            grant.map(|grant| grant.id.as_str()),
            grant.map(|grant| grant.role),
            &one.by,
            one.created_at,
            one.expires_at
        )?;
        Ok(())
    }

    /// The invitation with this code, whatever its state. The look-up is by digest, so its time tells nothing of the code.
    pub async fn invitation_by_code(&mut self, code: &str) -> Result<Option<(Invitation, Inviting)>> {
        const SQL: &str =
            "SELECT i.*, a.name FROM invitation i JOIN account a ON a.id = i.account_id WHERE i.code_sha256 = $1";
        let row = fetch!(self, fetch_optional, InvitationRow, SQL, Digest::of(code.as_bytes()))?;
        row.map(InvitationRow::read).transpose()
    }

    /// The invitation with this id, whatever its state.
    pub async fn invitation(&mut self, id: &InvitationId) -> Result<Option<(Invitation, Inviting)>> {
        const SQL: &str = "SELECT i.*, a.name FROM invitation i JOIN account a ON a.id = i.account_id WHERE i.id = $1";
        fetch!(self, fetch_optional, InvitationRow, SQL, id)?.map(InvitationRow::read).transpose()
    }

    /// A page of the invitations that the caller may know of, newest first, and one more than the page holds.
    pub async fn invitations_known_to(&mut self, caller: &Caller, page: &PageQuery) -> Result<Vec<Invitation>> {
        let rows = fetch_built!(self, InvitationRow, |q| {
            q.push("SELECT i.*, a.name FROM invitation i JOIN account a ON a.id = i.account_id WHERE i.id < ");
            q.push_bind(page.before());
            if chosen!(!caller.reads_everything()) {
                q.push(
                    " AND EXISTS (SELECT 1 FROM role_grant g WHERE g.role = 'admin' AND g.scope_kind = i.scope_kind",
                );
                q.push(" AND g.scope_id = i.scope_id AND g.account_id = ").push_bind(&caller.account).push(")");
            }
            q.push(" ORDER BY i.id DESC LIMIT ").push_bind(page.limit() + 1);
        })?;
        rows.into_iter().map(|row| row.read().map(|(invitation, _)| invitation)).collect()
    }

    /// How many invitations are open that somebody has issued.
    pub async fn open_invitations_by(&mut self, issuer: &str) -> Result<u64> {
        let now = self.now();
        const SQL: &str =
            "SELECT COUNT(*) FROM invitation WHERE issued_by = $1 AND used_at IS NULL AND expires_at > $2";
        Ok(fetch!(self, fetch_one, (Count,), SQL, issuer, now)?.0.into())
    }

    /// The invitations to an account that are open.
    pub async fn open_invitations_to(&mut self, account: &UserId) -> Result<Vec<Invitation>> {
        let now = self.now();
        const SQL: &str = "SELECT i.*, a.name FROM invitation i JOIN account a ON a.id = i.account_id
            WHERE i.account_id = $1 AND i.used_at IS NULL AND i.expires_at > $2 ORDER BY i.id";
        let rows = fetch!(self, fetch_all, InvitationRow, SQL, account, now)?;
        rows.into_iter().map(|row| row.read().map(|(invitation, _)| invitation)).collect()
    }

    /// Whether somebody gets into an account already: it has a password, is linked to a person at the provider, or an invitation to
    /// it was accepted.
    pub async fn is_in_use(&mut self, account: &UserId) -> Result<bool> {
        let since = fetch!(
            self,
            fetch_optional,
            (i64,),
            "SELECT changed_at FROM password WHERE account_id = $1
             UNION ALL SELECT linked_at FROM provider_link WHERE account_id = $1
             UNION ALL SELECT used_at FROM invitation WHERE account_id = $1 AND used_at IS NOT NULL LIMIT 1",
            account
        )?;
        Ok(since.is_some())
    }

    /// Notes that an invitation is accepted. Returns `false` when it was before.
    pub async fn use_invitation(&mut self, id: &InvitationId) -> Result<bool> {
        let now = self.now();
        Ok(execute!(self, "UPDATE invitation SET used_at = $2 WHERE id = $1 AND used_at IS NULL", id, now)? > 0)
    }

    /// Deletes an invitation that was not accepted. Returns `false` when it was.
    pub async fn delete_invitation(&mut self, id: &InvitationId) -> Result<bool> {
        Ok(execute!(self, "DELETE FROM invitation WHERE id = $1 AND used_at IS NULL", id)? > 0)
    }
}
