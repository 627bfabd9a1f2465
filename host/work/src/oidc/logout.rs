//! Logouts that a client asks for, by a browser that it sends here.

use berth_base::ids::Digest;
use berth_model::oidc::{AskLogout, ClientId, IdToken, MemberIdToken, MemberSignOn, Refusal, SignOn, back};
use berth_store::{Db, Tx};
use serde::Deserialize;

use super::{Browser, Issuer, keys, tool};
use crate::user::open_id;

/// What becomes of a logout.
#[derive(Debug)]
pub enum LoggedOut {
    /// The browser is not signed on any more as this client knows it.
    Done {
        /// The address to which it goes, if to any.
        to: Option<String>,
        /// Whether what it holds of a user has ended.
        user: bool,
        /// Whether what it holds of a member has ended.
        member: bool,
    },
    /// The user has to be asked: nothing shows that the client knows whom it logs out.
    Ask,
}

/// An ID token of this host, by which a client shows that it knows who is to be logged out.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Hint {
    User(IdToken),
    Member(MemberIdToken),
}

impl Hint {
    fn client(&self) -> ClientId {
        match self {
            Self::User(token) => ClientId::MiniApp(token.aud.clone()),
            Self::Member(token) => ClientId::Tool(token.aud.clone()),
        }
    }
}

/// Ends the sign-on of a browser, and with it the codes and tokens that came from it: that of a user for a MiniApp, that of a
/// member for an internal tool, and both when no client is named. It is done at once when the client sends an ID token of the
/// user, or when the user has `confirmed` it; else the user is asked, since any page can send a browser here.
///
/// # Errors
/// `invalid_request` for an address that the client has not registered: nothing is ended then.
#[tracing::instrument(name = "oidc.log_out", skip_all)]
pub async fn log_out(
    db: &Db,
    issuer: &Issuer,
    ask: &AskLogout,
    browser: &Browser,
    confirmed: bool,
) -> Result<LoggedOut, Refusal> {
    // A browser without a sign-on has nothing to change.
    let holds = browser.user.is_some() || browser.member.is_some();
    let mut tx = if holds { db.begin().await? } else { db.read().await? };
    let hint = match &ask.id_token_hint {
        Some(token) => keys::hinted::<Hint>(&mut tx, issuer, token).await?,
        None => None,
    };
    let client = client(ask, hint.as_ref())?;
    let to = next(&mut tx, ask, client.as_ref()).await?;
    let user = !matches!(client, Some(ClientId::Tool(_)));
    let member = !matches!(client, Some(ClientId::MiniApp(_)));
    let of_user = held(&mut tx, browser.user.as_deref().filter(|_| user)).await?;
    let of_member = tool::held(&mut tx, browser.member.as_deref().filter(|_| member)).await?;
    if of_user.is_none() && of_member.is_none() {
        return Ok(LoggedOut::Done { to, user, member });
    }
    if !confirmed && !is_known(&mut tx, hint, of_user.as_ref(), of_member.as_ref()).await? {
        return Ok(LoggedOut::Ask);
    }
    if let Some(sign_on) = of_user {
        tx.end_sign_on(&sign_on.id).await?;
    }
    if let Some(sign_on) = of_member {
        tx.end_member_sign_on(&sign_on.id).await?;
    }
    tx.commit().await?;
    Ok(LoggedOut::Done { to, user, member })
}

async fn held(tx: &mut Tx, browser: Option<&str>) -> Result<Option<SignOn>, Refusal> {
    match browser {
        Some(secret) => Ok(tx.hold_sign_on(&Digest::of(secret.as_bytes())).await?),
        None => Ok(None),
    }
}

/// The client that asks, by the ID token or by its own word.
fn client(ask: &AskLogout, hint: Option<&Hint>) -> Result<Option<ClientId>, Refusal> {
    let hinted = hint.map(Hint::client);
    match (hinted, &ask.client_id) {
        (Some(hinted), Some(said)) if hinted != *said => {
            Err(Refusal::request("The client_id is not the client of the id_token_hint."))
        }
        (hinted, said) => Ok(hinted.or_else(|| said.clone())),
    }
}

/// Where the browser goes afterwards.
async fn next(tx: &mut Tx, ask: &AskLogout, client: Option<&ClientId>) -> Result<Option<String>, Refusal> {
    let Some(uri) = &ask.post_logout_redirect_uri else { return Ok(None) };
    let registered = match client {
        Some(ClientId::MiniApp(id)) => tx.oidc_client(id).await?.post_logout_redirect_uris,
        Some(ClientId::Tool(id)) => {
            tx.tool_client(id).await?.map(|tool| tool.post_logout_redirect_uris).unwrap_or_default()
        }
        None => Vec::new(),
    };
    if !registered.contains(uri) {
        let detail = "The post_logout_redirect_uri is none of those that the client has registered, or the client is not said by \
                      id_token_hint or client_id. `berth oidc redirects --after-logout` registers it for a MiniApp, and \
                      `berth workspace tool redirects --after-logout` for an internal tool.";
        return Err(Refusal::request(detail));
    }
    let state = ask.state.as_deref().map(|state| ("state", state));
    Ok(Some(back(uri, state.as_slice())))
}

/// Whether the ID token is one of the user or the member who is signed on.
async fn is_known(
    tx: &mut Tx,
    hint: Option<Hint>,
    user: Option<&SignOn>,
    member: Option<&MemberSignOn>,
) -> Result<bool, Refusal> {
    match (hint, user, member) {
        (Some(Hint::User(token)), Some(sign_on), _) => {
            Ok(open_id::find(tx, &token.aud, &sign_on.user()).await?.is_some_and(|present| present == token.sub))
        }
        (Some(Hint::Member(token)), _, Some(sign_on)) => tool::is_of(tx, &token, sign_on).await,
        _ => Ok(false),
    }
}
