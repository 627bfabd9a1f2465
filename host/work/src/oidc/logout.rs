//! Logouts that a MiniApp asks for, by a browser that it sends here.

use berth_base::ids::Digest;
use berth_model::oidc::{AskLogout, IdToken, Refusal, SignOn, back};
use berth_store::{Db, Tx};

use super::{Issuer, keys};
use crate::user::open_id;

/// What becomes of a logout.
#[derive(Debug)]
pub enum LoggedOut {
    /// The browser has no sign-on any more, and goes to this address, if to any.
    Done(Option<String>),
    /// The user has to be asked: nothing shows that the MiniApp knows whom it logs out.
    Ask,
}

/// Ends the sign-on of a browser, and with it the codes and access tokens that came from it. It is done at once when the
/// MiniApp sends an ID token of the user, or when the user has `confirmed` it; else the user is asked, since any page can
/// send a browser here.
///
/// # Errors
/// `invalid_request` for an address that the MiniApp has not registered: nothing is ended then.
#[tracing::instrument(name = "oidc.log_out", skip_all)]
pub async fn log_out(
    db: &Db,
    issuer: &Issuer,
    ask: &AskLogout,
    browser: Option<&str>,
    confirmed: bool,
) -> Result<LoggedOut, Refusal> {
    // A browser without a sign-on has nothing to change.
    let mut tx = if browser.is_some() { db.begin().await? } else { db.read().await? };
    let hinted = match &ask.id_token_hint {
        Some(token) => keys::hinted(&mut tx, issuer, token).await?,
        None => None,
    };
    let to = next(&mut tx, ask, hinted.as_ref()).await?;
    let Some(sign_on) = held(&mut tx, browser).await? else { return Ok(LoggedOut::Done(to)) };
    if !confirmed && !is_user(&mut tx, &sign_on, hinted).await? {
        return Ok(LoggedOut::Ask);
    }
    tx.end_sign_on(&sign_on.id).await?;
    tx.commit().await?;
    Ok(LoggedOut::Done(to))
}

async fn held(tx: &mut Tx, browser: Option<&str>) -> Result<Option<SignOn>, Refusal> {
    match browser {
        Some(secret) => Ok(tx.hold_sign_on(&Digest::of(secret.as_bytes())).await?),
        None => Ok(None),
    }
}

/// Where the browser goes afterwards.
async fn next(tx: &mut Tx, ask: &AskLogout, hinted: Option<&IdToken>) -> Result<Option<String>, Refusal> {
    let client = hinted.map(|token| &token.aud).or(ask.client_id.as_ref());
    if let (Some(client), Some(said)) = (client, &ask.client_id)
        && client != said
    {
        return Err(Refusal::request("The client_id is not the MiniApp of the id_token_hint."));
    }
    let Some(uri) = &ask.post_logout_redirect_uri else { return Ok(None) };
    let registered = match client {
        Some(client) => tx.oidc_client(client).await?.post_logout_redirect_uris,
        None => Vec::new(),
    };
    if !registered.contains(uri) {
        let detail = "The post_logout_redirect_uri is none of those that the MiniApp has registered, or the MiniApp is not \
                      said by id_token_hint or client_id. `berth oidc redirects --after-logout` registers it.";
        return Err(Refusal::request(detail));
    }
    let state = ask.state.as_deref().map(|state| ("state", state));
    Ok(Some(back(uri, state.as_slice())))
}

/// Whether the ID token is one of the user who is signed on.
async fn is_user(tx: &mut Tx, sign_on: &SignOn, hinted: Option<IdToken>) -> Result<bool, Refusal> {
    let Some(token) = hinted else { return Ok(false) };
    Ok(open_id::find(tx, &token.aud, &sign_on.user()).await?.is_some_and(|present| present == token.sub))
}
