//! What lets people in: they sign in by name and password, at an identity provider, or by an invitation.

use std::time::Duration;

use berth_base::{
    error::{Code, Error, Result},
    ids::{TokenId, UserId},
    secret::Secret,
    sql::was_unique_violation,
};
use berth_model::{
    access::{
        Caller, ChangePassword, MOST_SESSIONS, Origin, PasswordChanged, SessionBy, SessionEnd, SessionStarted,
        StartedSession, Token, TokenScope, folded_name, new_password, normalised, sign_in_name,
    },
    event::kind,
};
use berth_store::{
    Db, Tx,
    people::{NewSession, PasswordRow},
};

use super::{Provider, SessionConfig, invitation, password::Passwords, second_factor, session};

/// What lets people in.
pub struct People {
    pub(super) db: Db,
    pub(super) passwords: Passwords,
    pub(super) sessions: SessionConfig,
    /// The address by which others reach this host.
    pub(super) url: Option<String>,
    /// Where people may sign in besides.
    pub(super) provider: Option<Provider>,
}

/// By what a session is started.
pub(super) enum By<'a> {
    Password,
    Invitation,
    Provider,
    /// An API token: the session has its scopes and ends with it.
    Token(&'a Token),
}

impl People {
    /// For a host that others reach at `url`, where people may sign in at `provider` besides.
    pub fn new(db: Db, sessions: SessionConfig, url: Option<String>, provider: Option<Provider>) -> Self {
        Self { db, passwords: Passwords::default(), sessions, url, provider }
    }

    /// Starts a session for whoever knows the name and the password of an account, and the code where it has a second factor.
    ///
    /// # Errors
    /// `wrong-credentials` for an unknown name and for a wrong password, between which no difference is made, neither in the
    /// answer nor in its time (P4), and for a wrong code; `second-factor-required` for who knows the password and has told no
    /// code; `too-many-requests` after too many wrong codes; `account-disabled` for who knows the password of such an account;
    /// `unavailable` when too many passwords wait to be looked at.
    #[tracing::instrument(name = "session.sign_in", skip_all)]
    pub async fn sign_in(
        &self,
        name: &str,
        password: &Secret,
        code: Option<&Secret>,
        from: &Origin,
    ) -> Result<StartedSession> {
        let password = normalised("password", password)?;
        let known = self.db.read().await?.password_by_name(&folded_name(name)).await?;
        let hash = known.as_ref().map(|known| known.hash.clone());
        let compared = self.passwords.compare(password, hash, self.db.random()).await?;
        let mut known = known.filter(|_| compared.is_right).ok_or_else(wrong)?;
        let mut tx = self.db.begin().await?;
        unchanged(&mut tx, &known).await?;
        enabled(&mut tx, &known.account_id).await?;
        if let Some(hash) = compared.renewed {
            known.hash = hash;
            tx.put_password(&known).await?;
        }
        let (mut tx, has_passed) = second_factor::pass(tx, &known.account_id, code).await?;
        if !has_passed {
            tx.commit().await?;
            return Err(self.ask_for_code(&known)?);
        }
        let started = self.start(&mut tx, &known.account_id, By::Password, from).await?;
        tx.commit().await?;
        Ok(started)
    }

    /// Starts a session by an API token, such as for who opens the console with it.
    ///
    /// # Errors
    /// `missing-grant` for a session, which starts no other one.
    #[tracing::instrument(name = "session.start", skip_all)]
    pub async fn start_by_token(&self, caller: &Caller, from: &Origin) -> Result<StartedSession> {
        let mut tx = self.db.begin().await?;
        tx.hold_account(&caller.account).await?;
        if tx.session(&caller.token).await?.is_some() {
            let detail = "A session starts no other one. Sign in again, or send an API token.";
            return Err(Error::new(Code::MissingGrant, detail));
        }
        let token = tx.token(&caller.token).await?.ok_or_else(|| Error::not_found("token", &caller.token))?;
        let started = self.start(&mut tx, &caller.account, By::Token(&token), from).await?;
        tx.commit().await?;
        Ok(started)
    }

    /// Starts a session of an account, which the transaction holds.
    pub(super) async fn start(
        &self,
        tx: &mut Tx,
        account: &UserId,
        by: By<'_>,
        from: &Origin,
    ) -> Result<StartedSession> {
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let end = tx.now().plus_seconds(seconds(self.sessions.session_life));
        let (by, token) = match by {
            By::Password => (SessionBy::Password, None),
            By::Invitation => (SessionBy::Invitation, None),
            By::Provider => (SessionBy::Provider, None),
            By::Token(token) => (SessionBy::Token, Some(token)),
        };
        let new = NewSession {
            account,
            by,
            scopes: token.map_or_else(|| TokenScope::ALL.to_vec(), |token| token.scopes.clone()),
            expires_at: token.and_then(|token| token.expires_at).map_or(end, |at| at.min(end)),
            from_token: token.map(|token| &token.id),
            idle_seconds: seconds(self.sessions.session_idle),
            origin: from,
        };
        let started = tx.start_session(new).await?;
        let (address, agent) = (from.address.clone(), from.agent.clone());
        let told =
            SessionStarted { account: account.clone(), by, expires_at: started.session.expires_at, address, agent };
        tx.tell(kind::SESSION_STARTED, &started.session.id, account.as_str(), &told);
        for oldest in tx.sessions_of(account, None).await?.iter().skip(MOST_SESSIONS) {
            session::end(tx, oldest, account.as_str(), SessionEnd::Limit).await?;
        }
        Ok(started)
    }

    /// Sets the password of the caller's account, and the sign-in name if one is told. All other sessions of the account end, and so
    /// do invitations to it; its API tokens stay.
    ///
    /// # Errors
    /// `wrong-credentials` when the present password is another one; `password-refused`; `sign-in-name-taken`; `invalid-field`,
    /// also when the present password or the first sign-in name is missing; `missing-grant` for a token that may not be used
    /// for everything; `unavailable`.
    #[tracing::instrument(name = "password.change", skip_all)]
    pub async fn change_password(&self, caller: &Caller, change: ChangePassword) -> Result<()> {
        caller.require_all_scopes("sets a password")?;
        let known = self.db.read().await?.password_of(&caller.account).await?;
        let name = name_from(change.sign_in_name.as_deref(), known.as_ref())?;
        let password = new_password("new", &change.new, &name)?;
        if let Some(known) = &known {
            let needed = || Error::field("current", "is needed, as the account has a password already.");
            let current = normalised("current", change.current.as_ref().ok_or_else(needed)?)?;
            let compared = self.passwords.compare(current, Some(known.hash.clone()), self.db.random()).await?;
            compared.is_right.then_some(()).ok_or_else(wrong)?;
        }
        let hash = self.passwords.hash(password, self.db.random()).await?;
        let mut tx = self.db.begin().await?;
        match &known {
            Some(known) => unchanged(&mut tx, known).await?,
            None => {
                tx.hold_account(&caller.account).await?;
                tx.password_of(&caller.account).await?.is_none().then_some(()).ok_or_else(wrong)?;
            }
        }
        let row = PasswordRow { account_id: caller.account.clone(), sign_in_name: name, hash };
        put_password(&mut tx, row, known.is_none(), Some(&caller.token)).await?;
        invitation::withdraw_open(&mut tx, &caller.account).await?;
        tx.commit().await
    }
}

/// The name to sign in by from now on: the one that is told, or the one that there is.
pub(super) fn name_from(told: Option<&str>, known: Option<&PasswordRow>) -> Result<String> {
    match (told, known) {
        (Some(told), _) => sign_in_name(told),
        (None, Some(known)) => Ok(known.sign_in_name.clone()),
        (None, None) => Err(Error::field("sign_in_name", "is needed with the first password.")),
    }
}

/// Stores a password, and ends the sessions of the account but for `keep`. The transaction holds the account.
pub(super) async fn put_password(tx: &mut Tx, row: PasswordRow, first: bool, keep: Option<&TokenId>) -> Result<()> {
    tx.put_password(&row).await.map_err(|error| match was_unique_violation(&error) {
        true => Error::new(Code::SignInNameTaken, "Another account has this sign-in name. Take another one.")
            .with("pointer", "/sign_in_name"),
        false => error,
    })?;
    let account = row.account_id;
    tx.tell(kind::PASSWORD_CHANGED, &account, account.as_str(), &PasswordChanged { account: account.clone(), first });
    session::end_all(tx, &account, keep, account.as_str(), SessionEnd::Password).await
}

/// Holds an account, and refuses when its password is not any more what was compared.
pub(super) async fn unchanged(tx: &mut Tx, known: &PasswordRow) -> Result<()> {
    tx.hold_account(&known.account_id).await?;
    let now = tx.password_of(&known.account_id).await?;
    now.filter(|now| now.hash == known.hash).map(drop).ok_or_else(wrong)
}

/// Refuses when the account is disabled.
pub(super) async fn enabled(tx: &mut Tx, account: &UserId) -> Result<()> {
    let account = tx.account(account).await?.ok_or_else(|| Error::not_found("account", account))?;
    account.disabled_at.is_none().then_some(()).ok_or_else(disabled)
}

/// The refusal for an account that is disabled.
pub(super) fn disabled() -> Error {
    Error::new(Code::AccountDisabled, "The account is disabled. An admin of the platform can enable it again.")
}

pub(super) fn wrong() -> Error {
    Error::new(
        Code::WrongCredentials,
        "The sign-in name or the password is wrong. Whoever has forgotten theirs asks an admin of the platform for an invitation.",
    )
}
