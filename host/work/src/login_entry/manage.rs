//! Login entries, as a MiniApp's team registers them (U19).

use berth_base::{
    error::{Code, Error, Result},
    ids::{LoginEntryId, LoginEntryName, MiniAppId},
};
use berth_model::{
    access::{Action, Caller},
    event::kind,
    login_entry::{ClientAuth, LoginEntry, LoginEntryShown, LoginProvider, MOST_ENTRIES, PutLoginEntry},
};
use berth_store::{Db, Tx};

use super::{LoginEntries, bindings};
use crate::mini_app;

/// The login entries of a MiniApp, by name.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn list(entries: &LoginEntries, caller: &Caller, id: &MiniAppId) -> Result<Vec<LoginEntryShown>> {
    let mut tx = entries.db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    let mut shown = Vec::new();
    for entry in tx.login_entries(id).await? {
        shown.push(show(entries, &mut tx, entry).await?);
    }
    Ok(shown)
}

async fn show(entries: &LoginEntries, tx: &mut Tx, entry: LoginEntry) -> Result<LoginEntryShown> {
    let bound = tx.bound_at_entry(&entry).await?;
    Ok(LoginEntryShown { redirect_uri: entries.redirect_uri(&entry).ok(), bound, entry })
}

/// Registers a login entry, or changes the one with its name. Its provider is looked at before: what OpenID Connect says of itself
/// has to be there and to fit. This is for admins of the team: whoever names a provider says who its users are.
///
/// # Errors
/// `invalid-field`; `login-provider-unreachable`; `login-provider-wrong`; `login-entry-fixed`; `login-entry-limit`; `not-found`;
/// `missing-grant`.
#[tracing::instrument(name = "login_entry.put", skip_all, fields(mini_app = %id, entry = %name))]
pub async fn put(
    entries: &LoginEntries,
    caller: &Caller,
    id: &MiniAppId,
    name: LoginEntryName,
    put: PutLoginEntry,
) -> Result<LoginEntryShown> {
    mini_app::authorise(&mut entries.db.read().await?, caller, id, Action::Configure).await?;
    put.check()?;
    look_at(entries, &put.provider).await?;
    let mut tx = entries.db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, id, Action::Configure).await?;
    let there = tx.login_entries(id).await?;
    let former = there.iter().find(|entry| entry.name == name);
    let entry_id = match former {
        Some(former) => {
            former.require_same(&put)?;
            former.id.clone()
        }
        None if there.len() >= MOST_ENTRIES => return Err(too_many(id)),
        None => LoginEntryId::generate(tx.now(), tx.random()),
    };
    let entry = LoginEntry {
        id: entry_id,
        mini_app: id.clone(),
        name,
        scope: put.scope(),
        provider: put.provider,
        client_id: put.client_id,
        client_auth: put.client_auth.unwrap_or(ClientAuth::Basic),
        return_url: put.return_url,
        changed_by: caller.account.to_string(),
        changed_at: tx.now(),
    };
    tx.put_login_entry(&entry, put.client_secret.as_ref()).await?;
    tx.tell(kind::LOGIN_ENTRY_SET, id, caller.account.as_str(), &entry).for_mini_app(id);
    let shown = show(entries, &mut tx, entry).await?;
    tx.commit().await?;
    Ok(shown)
}

fn too_many(id: &MiniAppId) -> Error {
    let detail = format!("{id} has {MOST_ENTRIES} login entries. Remove one that is not in use.");
    let refused = Error::new(Code::LoginEntryLimit, detail).with("limit", MOST_ENTRIES);
    refused.next(format!("berth login-entry list {id}"))
}

/// Looks at the addresses of a provider, and at what OpenID Connect says of itself.
async fn look_at(entries: &LoginEntries, provider: &LoginProvider) -> Result<()> {
    let guard = entries.providers.guard();
    match provider {
        LoginProvider::Oidc { issuer } => {
            guard.address("provider.issuer", issuer)?;
            Ok(entries.providers.discover(issuer).await.map(drop)?)
        }
        LoginProvider::Oauth2 { authorization_endpoint, token_endpoint, user_info_endpoint, .. } => {
            guard.address("provider.authorization_endpoint", authorization_endpoint)?;
            guard.address("provider.token_endpoint", token_endpoint)?;
            guard.address("provider.user_info_endpoint", user_info_endpoint).map(drop)
        }
    }
}

/// Removes a login entry, and with it the bindings of its users.
///
/// # Errors
/// `not-found`; `missing-grant`.
#[tracing::instrument(name = "login_entry.remove", skip_all, fields(mini_app = %id, entry = %name))]
pub async fn remove(db: &Db, caller: &Caller, id: &MiniAppId, name: &LoginEntryName) -> Result<()> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, id, Action::Configure).await?;
    let gone = tx.login_entry(id, name).await?.ok_or_else(|| Error::not_found("login entry", name))?;
    // Whoever finishes a login there now holds it, and is waited for.
    tx.hold_login_entry(&gone.id).await?;
    bindings::end_all(&mut tx, caller.account.as_str(), id, name, None).await?;
    tx.delete_login_entry(&gone.id).await?;
    tx.tell(kind::LOGIN_ENTRY_REMOVED, id, caller.account.as_str(), &gone).for_mini_app(id);
    tx.commit().await
}
