//! A login, as the user's browser goes through it: to the provider and back (U20).
//!
//! The state that the provider brings back is good once, in the browser that has the cookie. Nothing in an address says where it
//! leads: browsers go to the provider and to the return address that were registered.

use berth_base::{
    error::Error,
    ids::{Digest, LoginEntryName, MiniAppId},
    secret::{self, Secret},
};
use berth_model::{
    login_entry::{ARRIVAL_CODE, BACK_SECONDS, LoginEntry, TICKET_SECONDS},
    oidc::{Refusal, Word, back},
};
use berth_store::{Tx, login_entry::LoginRow};

use super::{LoginEntries, digest};
use crate::{
    login_provider::{Answered, Fault, address_for, random},
    user::require_service,
};

/// Where a browser is sent.
#[derive(Debug)]
pub enum Sent {
    /// To the provider, with a cookie by which it is known when it comes back.
    ToProvider {
        /// The address.
        address: String,
        /// The state, whose first characters name the cookie.
        state: Secret,
        /// The value of the cookie.
        cookie: Secret,
    },
    /// Back to the MiniApp.
    ToMiniApp(String),
}

/// Why a browser is shown a page.
#[derive(Debug)]
pub enum NoLogin {
    /// The address was opened before or is too old, or the browser that comes back is not the one that was sent.
    Over,
    /// The provider does not answer as it should. The address can be opened again.
    Provider(Fault),
    /// This host refuses or failed.
    Host(Error),
}

impl From<Error> for NoLogin {
    fn from(error: Error) -> Self {
        Self::Host(error)
    }
}

/// What comes back from a provider with a browser.
#[derive(Debug)]
pub struct Back {
    /// The state that the browser was sent with.
    pub state: Secret,
    /// The cookie that it was given with the state.
    pub cookie: Secret,
    /// The provider's code; absent when it gave none.
    pub code: Option<Secret>,
    /// The provider's reason for giving none.
    pub error: Option<String>,
    /// Whom the answer says that it is of (RFC 9207).
    pub iss: Option<String>,
}

/// Sends a browser to the provider. As long as the provider does not answer, the ticket stays good.
///
/// # Errors
/// Why it is shown a page.
#[tracing::instrument(name = "authorised_login.open", skip_all)]
pub async fn open(entries: &LoginEntries, ticket: &Secret) -> Result<Sent, NoLogin> {
    let ticket = digest(ticket);
    let (_, entry) = begun(&mut entries.db.read().await?, &ticket).await?;
    let client = entry.client();
    let metadata = entries.providers.metadata(&client).await.map_err(NoLogin::Provider)?;
    let mut tx = entries.db.begin().await?;
    let (state, cookie) = (random(tx.random()), random(tx.random()));
    let address = address_for(&client, &metadata, &entries.redirect_uri(&entry)?, &state, &cookie, None)?;
    let back_until = tx.now().plus_seconds(BACK_SECONDS);
    if !tx.send_login(&ticket, &digest(&state), &digest(&cookie), back_until).await? {
        return Err(NoLogin::Over);
    }
    tx.commit().await?;
    Ok(Sent::ToProvider { address, state, cookie })
}

async fn begun(tx: &mut Tx, ticket: &Digest) -> Result<(LoginRow, LoginEntry), NoLogin> {
    let login = tx.begun_login(ticket).await?.ok_or(NoLogin::Over)?;
    let entry = tx.login_entry_by_id(&login.entry_id).await?.ok_or(NoLogin::Over)?;
    require_service(tx, &entry.mini_app).await?;
    Ok((login, entry))
}

/// Receives a browser back from the provider of an entry, and sends it on to the MiniApp: with a code when it is known who has
/// logged in, else with the reason.
///
/// # Errors
/// Why it is shown a page.
#[tracing::instrument(name = "authorised_login.come_back", skip_all, fields(%mini_app, entry = %name))]
pub async fn come_back(
    entries: &LoginEntries,
    mini_app: &MiniAppId,
    name: &LoginEntryName,
    came: Back,
) -> Result<Sent, NoLogin> {
    let mut tx = entries.db.begin().await?;
    let entry = tx.login_entry(mini_app, name).await?.ok_or(NoLogin::Over)?;
    let code = secret::generate(ARRIVAL_CODE, tx.random());
    let finishes = Digest::of(code.as_bytes());
    let login = tx.take_sent_login(&entry.id, &digest(&came.state), &digest(&came.cookie), &finishes).await?;
    let login = login.ok_or(NoLogin::Over)?;
    tx.commit().await?;
    match who(entries, &entry, &came).await {
        Ok(subject) => arrive(entries, &entry, &login, &code, &subject).await,
        Err(refusal) => turn_away(entries, &entry, &login, &refusal).await,
    }
}

/// Asks the provider who has logged in.
async fn who(entries: &LoginEntries, entry: &LoginEntry, came: &Back) -> Result<String, Refusal> {
    let Some(code) = came.code.as_ref().filter(|_| came.error.is_none()) else { return Err(declined(came)) };
    let answered =
        Answered { redirect_uri: &entries.redirect_uri(entry)?, code, cookie: &came.cookie, iss: came.iss.as_deref() };
    let secret = entries.db.read().await?.login_entry_secret(&entry.id).await?;
    let now = entries.db.now();
    let person = entries.providers.person(&entry.client(), secret.as_ref(), &answered, now).await;
    person.map(|person| person.subject).map_err(|fault| {
        tracing::warn!(%fault, "a provider did not say who has logged in");
        match fault {
            Fault::Unreachable(why) => Refusal::new(Word::TemporarilyUnavailable, why),
            Fault::Wrong(why) => Refusal::new(Word::ServerError, why),
            Fault::Host(error) => error.into(),
        }
    })
}

/// The provider's refusal: mostly the user has gone back.
fn declined(came: &Back) -> Refusal {
    match came.error.as_deref() {
        Some("access_denied") => Refusal::new(Word::AccessDenied, "The user has not agreed, or may not log in there."),
        Some("temporarily_unavailable") => Refusal::new(Word::TemporarilyUnavailable, "The provider is busy."),
        _ => Refusal::new(Word::ServerError, "The provider has sent the browser back without a code."),
    }
}

/// Sends a browser on with the code that finishes the login.
async fn arrive(
    entries: &LoginEntries,
    entry: &LoginEntry,
    login: &LoginRow,
    code: &str,
    subject: &str,
) -> Result<Sent, NoLogin> {
    let mut tx = entries.db.begin().await?;
    let finish_until = tx.now().plus_seconds(TICKET_SECONDS);
    if !tx.note_subject(&login.id, subject, finish_until).await? {
        return Err(NoLogin::Over);
    }
    tx.commit().await?;
    Ok(Sent::ToMiniApp(on(entry, login, &[("code", code)])))
}

/// Sends a browser on without one, and with the reason.
async fn turn_away(
    entries: &LoginEntries,
    entry: &LoginEntry,
    login: &LoginRow,
    refusal: &Refusal,
) -> Result<Sent, NoLogin> {
    let mut tx = entries.db.begin().await?;
    tx.drop_login(&login.id).await?;
    tx.commit().await?;
    let description = refusal.description();
    let told = [("error", refusal.word.as_str()), ("error_description", description.as_str())];
    Ok(Sent::ToMiniApp(on(entry, login, &told)))
}

/// The return address of an entry with this, the entry's name and the MiniApp's state.
fn on(entry: &LoginEntry, login: &LoginRow, told: &[(&str, &str)]) -> String {
    let mut all = told.to_vec();
    all.push(("entry", entry.name.as_str()));
    all.extend(login.state.as_deref().map(|state| ("state", state)));
    back(&entry.return_url, &all)
}
