//! API tokens. A secret is shown once, stored as its SHA-256, and valid until it expires or is revoked.

use berth_base::{
    error::{Code, Error, Result},
    ids::{TokenId, UserId},
};
use berth_model::{
    access::{Action, Caller, IssuedToken, NewToken, RequireSecondFactor, Scope, Token, TokenScope},
    event::kind,
};
use berth_store::{Db, Holder};

use super::{People, people::disabled};

/// Whoever has a token or session that is good.
pub struct Entered {
    /// The caller.
    pub caller: Caller,
    /// Whether the session is good for nothing but setting a second factor up, which the host requires (P22).
    pub owes_second_factor: bool,
}

impl Entered {
    /// The caller, for what the session has to be good for, unless it `is_open` to whoever is signed in.
    ///
    /// # Errors
    /// `second-factor-owed`.
    pub fn caller_for(self, is_open: bool) -> Result<Caller> {
        if self.owes_second_factor && !is_open {
            let detail = "This host requires a second factor of your account. Set it up first: the session is good for everything \
                          from then on.";
            return Err(Error::new(Code::SecondFactorOwed, detail));
        }
        Ok(self.caller)
    }
}

impl People {
    /// The caller whose token or session has this secret.
    ///
    /// # Errors
    /// `second-factor-owed` for a session that has to set a second factor up first; those of [`People::enter`].
    pub async fn authenticate(&self, secret: &str) -> Result<Caller> {
        self.enter(secret).await?.caller_for(false)
    }

    /// As [`People::authenticate`], for what somebody may do who has yet to set a second factor up. That a session is used is noted,
    /// about once a minute.
    ///
    /// # Errors
    /// `invalid-token` for an unknown or revoked token, between which no difference is made; `expired-token`, also for a session
    /// that has rested for too long; `account-disabled`.
    pub async fn enter(&self, secret: &str) -> Result<Entered> {
        let db = &self.db;
        let holder = db.holder_of(secret).await?;
        let session = holder.as_ref().and_then(|holder| holder.session);
        let owes_second_factor =
            holder.as_ref().is_some_and(|holder| owes(self.sessions.require_second_factor, holder));
        let caller = caller_of(db, holder)?;
        if session.is_some_and(|session| session.is_to_be_noted(db.now())) {
            note_seen(db, &caller.token).await;
        }
        Ok(Entered { caller, owes_second_factor })
    }
}

fn owes(required: RequireSecondFactor, holder: &Holder) -> bool {
    !holder.has_second_factor && holder.started_by.is_some_and(|by| required.holds(by, &holder.grants))
}

/// Notes that a session is used. A database that cannot be written to now is no reason to refuse what only reads.
async fn note_seen(db: &Db, session: &TokenId) {
    let noted = async {
        let mut tx = db.begin().await?;
        tx.note_seen(session).await?;
        tx.commit().await
    };
    if let Err(error) = noted.await {
        tracing::warn!(?error, "that a session is used could not be noted");
    }
}

/// The caller with the roles that the account has now. Long-lasting requests call it to see whether token and roles are
/// still there. It does not count as use of a session: nobody may be there who looks.
///
/// # Errors
/// As for [`People::enter`].
pub async fn look_again(db: &Db, caller: &Caller) -> Result<Caller> {
    caller_of(db, db.holder_by_id(&caller.token).await?)
}

fn caller_of(db: &Db, holder: Option<Holder>) -> Result<Caller> {
    let invalid = || {
        Error::new(
            Code::InvalidToken,
            "The token is unknown or revoked. Create one with `berth admin token`, or ask for one.",
        )
    };
    let holder = holder.filter(|holder| holder.token.revoked_at.is_none() && !holder.is_cut_off).ok_or_else(invalid)?;
    let Holder { token, grants, is_disabled, session, .. } = holder;
    let now = db.now();
    if token.expires_at.is_some_and(|at| at <= now) || session.is_some_and(|session| session.is_idle(now)) {
        let detail = match session {
            Some(_) => "The session has ended. Sign in again.",
            None => "The token has expired. Create a new one.",
        };
        return Err(Error::new(Code::ExpiredToken, detail));
    }
    if is_disabled {
        return Err(disabled());
    }
    Ok(Caller { account: token.account, token: token.id, token_scopes: token.scopes, grants })
}

/// Issues a token for the caller, or for another account when the caller is an admin of the platform. The token gets at
/// most the scopes of the caller's own token (F83).
///
/// # Errors
/// `missing-grant` also when a scope is wanted that the caller's token lacks; `not-found` for the account;
/// `invalid-field`.
#[tracing::instrument(name = "token.issue", skip_all)]
pub async fn issue_token(db: &Db, caller: &Caller, account: Option<UserId>, mut new: NewToken) -> Result<IssuedToken> {
    caller.require_scope(TokenScope::Manage)?;
    let account = account.unwrap_or_else(|| caller.account.clone());
    if account != caller.account {
        caller.require(Action::Administer, &Scope::Platform)?;
    }
    let scopes = new.scopes.get_or_insert_with(|| caller.token_scopes.clone());
    if let Some(extra) = scopes.iter().find(|scope| !caller.token_scopes.contains(scope)) {
        return Err(Error::new(
            Code::MissingGrant,
            format!("Your own token lacks the scope {extra}, so it cannot give it."),
        ));
    }
    let mut tx = db.begin().await?;
    tx.account(&account).await?.ok_or_else(|| Error::not_found("account", &account))?;
    let issued = tx.issue_token(&account, new).await?;
    tx.tell(kind::TOKEN_ISSUED, &issued.token.id, caller.account.as_str(), &issued.token);
    tx.commit().await?;
    Ok(issued)
}

/// All tokens of the caller's account but its sessions, without their secrets.
pub async fn tokens(db: &Db, caller: &Caller) -> Result<Vec<Token>> {
    caller.require_scope(TokenScope::Read)?;
    db.read().await?.tokens_of(&caller.account).await
}

/// Revokes a token of the caller's account; an admin of the platform may revoke any. Revoking it again does nothing.
/// `not-found` for a token of somebody else.
#[tracing::instrument(name = "token.revoke", skip_all, fields(token = %id))]
pub async fn revoke_token(db: &Db, caller: &Caller, id: &TokenId) -> Result<()> {
    let mut tx = db.begin().await?;
    let token = tx.token(id).await?.filter(|token| token.account == caller.account || caller.is_platform_admin());
    let token = token.ok_or_else(|| Error::not_found("token", id))?;
    if tx.session(id).await?.is_some() {
        return Err(Error::not_found("token", id)); // it is ended as a session
    }
    // A token may always end itself, whatever its scopes.
    if token.id != caller.token {
        caller.require_scope(TokenScope::Manage)?;
    }
    if !tx.revoke_token(id, tx.now()).await? {
        return Ok(());
    }
    tx.tell(kind::TOKEN_REVOKED, id, caller.account.as_str(), &token);
    tx.commit().await
}
