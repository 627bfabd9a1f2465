//! A login, as the MiniApp's server begins and finishes it (U20).

use berth_base::{
    error::{Code, Error, Result},
    ids::{AuthorisedLoginId, MiniAppId},
    secret,
};
use berth_model::{
    app_secret::MiniAppServer,
    login_entry::{AuthorisedLogin, BeginLogin, FinishLogin, LOGIN_TICKET, LoginBinding, TICKET_SECONDS},
};
use berth_store::{Db, login_entry::LoginRow};

use super::{LoginEntries, bindings, digest, held_user};
use crate::user::require_service;

/// How many logins of a user of a MiniApp are under way at most. A further one ends the oldest.
const MOST_LOGINS: i64 = 10;

/// Begins a login of a user at an entry. What comes back is opened in a browser, once, within five minutes.
///
/// # Errors
/// `not-found` for the entry and the user; `invalid-field`; `package-off-shelf`; `unavailable` while this host does not know its
/// own address.
#[tracing::instrument(name = "authorised_login.begin", skip_all, fields(mini_app = %server.mini_app, entry = %begin.entry))]
pub async fn begin(entries: &LoginEntries, server: &MiniAppServer, begin: BeginLogin) -> Result<AuthorisedLogin> {
    begin.check()?;
    let here = entries.public_url()?;
    let BeginLogin { entry: name, open_id, state } = begin;
    let mini_app = &server.mini_app;
    let mut tx = entries.db.begin().await?;
    require_service(&mut tx, mini_app).await?;
    let entry = tx.login_entry(mini_app, &name).await?.ok_or_else(|| Error::not_found("login entry", &name))?;
    held_user(&mut tx, mini_app, &open_id).await?.ok_or_else(|| no_user(mini_app))?;
    let ticket = secret::generate(LOGIN_TICKET, tx.random());
    let address = format!("{here}/l/{ticket}");
    let expires_at = tx.now().plus_seconds(TICKET_SECONDS);
    let id = AuthorisedLoginId::generate(tx.now(), tx.random());
    let row = LoginRow::new(id, entry.id, &open_id, state);
    tx.insert_authorised_login(&row, &digest(&ticket.into()), expires_at).await?;
    tx.end_older_logins(&open_id, MOST_LOGINS).await?;
    tx.commit().await?;
    Ok(AuthorisedLogin { entry: name, address, expires_at })
}

fn no_user(mini_app: &MiniAppId) -> Error {
    let detail = format!("{mini_app} has no user with this OpenID. Log the user in first: a session gives the OpenID.");
    Error::new(Code::NotFound, detail).with("what", "user").with("pointer", "/open_id")
}

/// Finishes a login: the user is bound to who has logged in. Of many who try a code at once, one succeeds; a refusal for another
/// reason than the code leaves it as it is.
///
/// # Errors
/// `invalid-authorised-login` when the code was used, is too old, or the login was begun for another user or by another MiniApp,
/// between which no difference is made; `login-subject-taken`; `package-off-shelf`; `secret-sealed`.
#[tracing::instrument(name = "authorised_login.finish", skip_all, fields(mini_app = %server.mini_app))]
pub async fn finish(db: &Db, server: &MiniAppServer, finish: FinishLogin) -> Result<LoginBinding> {
    let FinishLogin { code, open_id } = finish;
    let code = digest(&code);
    let mut tx = db.begin().await?;
    require_service(&mut tx, &server.mini_app).await?;
    let id = tx.entry_of_arrived(&code, &open_id).await?.ok_or_else(invalid)?;
    tx.hold_login_entry(&id).await?;
    let entry = tx.login_entry_by_id(&id).await?.filter(|entry| entry.mini_app == server.mini_app);
    let entry = entry.ok_or_else(invalid)?;
    let user = held_user(&mut tx, &server.mini_app, &open_id).await?.ok_or_else(invalid)?;
    let subject = tx.take_arrived_login(&code, &open_id).await?.ok_or_else(invalid)?;
    let binding = bindings::bind(&mut tx, &entry, (&open_id, &user), subject).await?;
    tx.commit().await?;
    Ok(binding)
}

fn invalid() -> Error {
    let detail = "The code was used before, is older than five minutes, or the login was not begun by this MiniApp for this user. \
                  Begin another one for the user who is in front of you.";
    Error::new(Code::InvalidAuthorisedLogin, detail)
}
