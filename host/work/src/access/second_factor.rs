//! The second factor of an account: set up, asked for at signing in, removed (P14, P15, P20).

use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::{Digest, UserId},
    secret::Secret,
};
use berth_model::{
    access::{
        Action, Caller, FactorKey, Origin, OwnProof, ProvedBy, RecoveryCodeUsed, RecoveryCodes, Scope, SecondFactor,
        SecondFactorChanged, SecondFactorKey, SessionEnd, SetUpSecondFactor, StartedSession, TICKET_SECONDS,
        TokenScope, TypedCode, new_recovery_codes, normalised,
    },
    event::kind,
};
use berth_store::{Db, Tx, act, people::PasswordRow, second_factor::SecondFactorRow};
use serde::{Deserialize, Serialize};

use super::{
    People,
    people::{By, enabled, unchanged, wrong},
    session,
};

/// What the ticket of a sign-in is sealed for.
const ABOUT_TICKET: &str = "sign-in";

/// Says that the password of an account was right a moment ago. Whoever has it needs the code all the same.
#[derive(Debug, Deserialize, Serialize)]
pub struct Ticket {
    /// The sign-in name, under which wrong codes are counted.
    pub name: String,
    /// The digest of the hash of the password, so that a ticket ends when the password changes.
    password: String,
    until: Millis,
}

/// The second factor of the caller's account.
///
/// # Errors
/// `not-found` when there is none.
pub async fn second_factor(db: &Db, caller: &Caller) -> Result<SecondFactor> {
    caller.require_scope(TokenScope::Read)?;
    let shown = db.read().await?.shown_second_factor(&caller.account).await?;
    shown.ok_or_else(|| none(&caller.account))
}

/// Removes the second factor of an account, whose person has lost it. Only admins of the platform may.
///
/// # Errors
/// `not-found` for an unknown account, and for one without a second factor; `missing-grant`.
#[tracing::instrument(name = "second_factor.remove_of", skip_all, fields(account = %account))]
pub async fn remove_second_factor_of(db: &Db, caller: &Caller, account: &UserId) -> Result<()> {
    caller.require(Action::Administer, &Scope::Platform)?;
    caller.require_all_scopes("changes how somebody gets in")?;
    if *account == caller.account {
        let detail = "Your own second factor is removed by a code or your password: POST /v1/me/second-factor/remove.";
        return Err(Error::new(Code::MissingGrant, detail));
    }
    let mut tx = db.begin().await?;
    remove(&mut tx, caller, account).await?;
    tx.commit().await
}

impl People {
    /// Begins to set a second factor up: makes the key. Nothing is asked for until a code confirms that the app has it.
    ///
    /// # Errors
    /// `wrong-credentials` when the password is another one; `no-password` for an account that has none, at whose sign-in nothing
    /// would ask for a code; `second-factor-exists`; `missing-grant` for a token that may not be used for everything;
    /// `unavailable`.
    #[tracing::instrument(name = "second_factor.set_up", skip_all)]
    pub async fn set_up_second_factor(&self, caller: &Caller, set_up: SetUpSecondFactor) -> Result<SecondFactorKey> {
        caller.require_all_scopes("sets a second factor up")?;
        let known = self.prove_password(caller, &set_up.password).await?;
        let mut tx = self.db.begin().await?;
        unchanged(&mut tx, &known).await?;
        if tx.shown_second_factor(&caller.account).await?.is_some() {
            let detail = "The account has a second factor already. Remove it before you set another one up.";
            return Err(Error::new(Code::SecondFactorExists, detail));
        }
        let key = FactorKey::generate(tx.random());
        tx.begin_second_factor(&caller.account, &key).await?;
        tx.commit().await?;
        let host = self.url.as_deref().and_then(|url| url.split("://").nth(1)).unwrap_or_default();
        let uri = key.uri(host.trim_end_matches('/'), &known.sign_in_name);
        Ok(SecondFactorKey { secret: key.expose().to_owned(), uri })
    }

    /// Confirms by a code that the app has the key. From now on signing in takes a code.
    ///
    /// # Errors
    /// `wrong-credentials` for another code; `not-found` when nothing was begun; `second-factor-exists`; `missing-grant`.
    #[tracing::instrument(name = "second_factor.confirm", skip_all)]
    pub async fn confirm_second_factor(&self, caller: &Caller, code: &Secret) -> Result<RecoveryCodes> {
        caller.require_all_scopes("sets a second factor up")?;
        let account = &caller.account;
        let mut tx = self.db.begin().await?;
        tx.hold_account(account).await?;
        let begun = tx.second_factor(account).await?.ok_or_else(|| none(account))?;
        if begun.confirmed_at.is_some() {
            return Err(Error::new(Code::SecondFactorExists, "The second factor is confirmed already."));
        }
        let TypedCode::OfApp(code) = TypedCode::read(code) else { return Err(wrong_code()) };
        if !use_app_code(&mut tx, account, &begun, code).await? {
            return Err(wrong_code());
        }
        let recovery_codes = new_recovery_codes(tx.random());
        tx.confirm_second_factor(account, &recovery_codes).await?;
        // Whoever knew only the password so far must not stay: what was owed counts as paid from now on.
        session::end_all(&mut tx, account, Some(&caller.token), account.as_str(), SessionEnd::SecondFactor).await?;
        let told = SecondFactorChanged { account: account.clone() };
        tx.tell(kind::SECOND_FACTOR_SET_UP, account, account.as_str(), &told);
        tx.commit().await?;
        Ok(RecoveryCodes { recovery_codes })
    }

    /// Removes the second factor of the caller's account.
    ///
    /// # Errors
    /// `not-found` when there is none; `wrong-credentials` when the password or the code is another one; `no-password`;
    /// `too-many-requests` after too many wrong codes; `missing-grant`; `invalid-field`; `unavailable`.
    #[tracing::instrument(name = "second_factor.remove", skip_all)]
    pub async fn remove_second_factor(&self, caller: &Caller, proof: OwnProof) -> Result<()> {
        caller.require_all_scopes("removes a second factor")?;
        let mut tx = self.prove(caller, proof).await?;
        remove(&mut tx, caller, &caller.account).await?;
        tx.commit().await
    }

    /// Reads the ticket of a sign-in that waits for its code.
    ///
    /// # Errors
    /// `invalid-field` when it is none of this host's, or too old.
    pub fn read_ticket(&self, ticket: &Secret) -> Result<Ticket> {
        let opened = self.db.seal().open(ticket.expose(), ABOUT_TICKET).ok();
        let ticket: Option<Ticket> = opened.and_then(|opened| serde_json::from_slice(&opened).ok());
        ticket.filter(|ticket| ticket.until > self.db.now()).ok_or_else(over)
    }

    /// Goes on with a sign-in whose password was right.
    ///
    /// # Errors
    /// `wrong-credentials` for a wrong code; `too-many-requests` after too many of them; `invalid-field` when the password has
    /// changed meanwhile; `account-disabled`.
    #[tracing::instrument(name = "session.sign_in_by_code", skip_all)]
    pub async fn sign_in_by_code(&self, ticket: &Ticket, code: &Secret, from: &Origin) -> Result<StartedSession> {
        let mut tx = self.db.begin().await?;
        let known = tx.password_by_name(&ticket.name).await?;
        let known = known.filter(|known| digest(known) == ticket.password).ok_or_else(over)?;
        unchanged(&mut tx, &known).await?;
        enabled(&mut tx, &known.account_id).await?;
        let (mut tx, _) = pass(tx, &known.account_id, Some(code)).await?;
        let started = self.start(&mut tx, &known.account_id, By::Password, from).await?;
        tx.commit().await?;
        Ok(started)
    }

    /// The refusal that asks for a code, with the ticket by which the sign-in goes on: whoever asks the person need not keep the
    /// password meanwhile.
    pub(super) fn ask_for_code(&self, known: &PasswordRow) -> Result<Error> {
        let until = self.db.now().plus_seconds(TICKET_SECONDS);
        let ticket = Ticket { name: known.sign_in_name.clone(), password: digest(known), until };
        let ticket = serde_json::to_vec(&ticket).map_err(Error::internal)?;
        let detail = "The account has a second factor. Send `code` as well: the six digits of the app, or a recovery code. With \
                      `ticket`, name and password need not be sent again.";
        let refusal = Error::new(Code::SecondFactorRequired, detail);
        Ok(refusal.with("ticket", self.db.seal().seal(&ticket, ABOUT_TICKET)?))
    }

    /// Refuses whoever does not prove to be the person of the caller's account: a session alone is not enough for what changes
    /// the ways in, as somebody may have found it open (P15, P19). The transaction holds the account.
    ///
    /// # Errors
    /// `wrong-credentials` when the password or the code is another one; `no-password`, and `not-found` for a code, when there is
    /// nothing to prove it by; `too-many-requests` after too many wrong codes; `invalid-field`; `unavailable`.
    pub(super) async fn prove(&self, caller: &Caller, proof: OwnProof) -> Result<Tx> {
        let account = &caller.account;
        match proof.by()? {
            ProvedBy::Password(password) => {
                let known = self.prove_password(caller, &password).await?;
                let mut tx = self.db.begin().await?;
                unchanged(&mut tx, &known).await?;
                Ok(tx)
            }
            ProvedBy::Code(code) => {
                let mut tx = self.db.begin().await?;
                tx.hold_account(account).await?;
                let factor = confirmed(&mut tx, account).await?.ok_or_else(|| none(account))?;
                use_code(tx, account, &factor, &code).await
            }
        }
    }

    /// Refuses whoever does not know the password of the caller's account.
    async fn prove_password(&self, caller: &Caller, password: &Secret) -> Result<PasswordRow> {
        let known = self.db.read().await?.password_of(&caller.account).await?.ok_or_else(no_password)?;
        let password = normalised("password", password)?;
        let compared = self.passwords.compare(password, Some(known.hash.clone()), self.db.random()).await?;
        compared.is_right.then_some(known).ok_or_else(wrong)
    }
}

/// Lets whoever knows the password of an account pass, by the code where there is a second factor. Says `false` when the code is
/// needed and was not told. The transaction holds the account.
///
/// # Errors
/// `wrong-credentials` for a wrong code; `too-many-requests` after too many of them.
pub(super) async fn pass(mut tx: Tx, account: &UserId, code: Option<&Secret>) -> Result<(Tx, bool)> {
    match (confirmed(&mut tx, account).await?, code) {
        (None, _) => Ok((tx, true)),
        (Some(_), None) => Ok((tx, false)),
        (Some(factor), Some(code)) => Ok((use_code(tx, account, &factor, code).await?, true)),
    }
}

async fn confirmed(tx: &mut Tx, account: &UserId) -> Result<Option<SecondFactorRow>> {
    Ok(tx.second_factor(account).await?.filter(|factor| factor.confirmed_at.is_some()))
}

/// Uses a code of the app, or a recovery code. The transaction holds the account. It is given back, unless the code is wrong: that is
/// counted with the account, and committed (P20).
async fn use_code(mut tx: Tx, account: &UserId, factor: &SecondFactorRow, code: &Secret) -> Result<Tx> {
    if let Some(seconds) = factor.wrong.wait(tx.now()) {
        return Err(too_many_wrong(seconds));
    }
    let is_right = match TypedCode::read(code) {
        TypedCode::OfApp(code) => use_app_code(&mut tx, account, factor, code).await?,
        TypedCode::Recovery(bare) => use_recovery_code(&mut tx, account, &bare).await?,
    };
    if is_right {
        return Ok(tx);
    }
    tx.put_wrong_codes(account, factor.wrong.and_one(tx.now())).await?;
    tx.commit().await?;
    if let Some(act) = act::current() {
        // Whoever gets here knows the password of the account, or has a session of it.
        act.by_hand(account.as_str());
    }
    Err(wrong_code())
}

async fn use_app_code(tx: &mut Tx, account: &UserId, factor: &SecondFactorRow, code: u32) -> Result<bool> {
    match factor.key.step_of(code, tx.now(), factor.used_step) {
        Some(step) => tx.use_step(account, step).await,
        None => Ok(false),
    }
}

async fn use_recovery_code(tx: &mut Tx, account: &UserId, bare: &str) -> Result<bool> {
    let Some(left) = tx.use_recovery_code(account, bare).await? else { return Ok(false) };
    let told = RecoveryCodeUsed { account: account.clone(), left };
    tx.tell(kind::RECOVERY_CODE_USED, account, account.as_str(), &told);
    Ok(true)
}

async fn remove(tx: &mut Tx, caller: &Caller, account: &UserId) -> Result<()> {
    tx.hold_account(account).await?;
    if !tx.remove_second_factor(account).await? {
        return Err(none(account));
    }
    let told = SecondFactorChanged { account: account.clone() };
    tx.tell(kind::SECOND_FACTOR_REMOVED, account, caller.account.as_str(), &told);
    Ok(())
}

fn digest(known: &PasswordRow) -> String {
    Digest::of(known.hash.as_bytes()).to_string()
}

fn none(account: &UserId) -> Error {
    Error::not_found("second factor of account", account)
}

fn wrong_code() -> Error {
    Error::new(
        Code::WrongCredentials,
        "The code is wrong, too old, or was used. The app shows another one every 30 seconds; the clock of the phone has to be right.",
    )
}

fn too_many_wrong(seconds: u64) -> Error {
    let detail = "Too many wrong codes were typed for this account. None is looked at for a while, neither of the app nor for recovery.";
    Error::new(Code::TooManyRequests, detail).retry_after(seconds)
}

fn over() -> Error {
    Error::field("ticket", "is not good any more. Sign in once more, by name and password.")
}

fn no_password() -> Error {
    let detail = "The account has no password. Set one first, by PUT /v1/me/password.";
    Error::new(Code::NoPassword, detail)
}
