//! A browser that a MiniApp has sent here, to be sent back with a code.

use berth_base::{
    ids::{Digest, MiniAppId, SignOnId},
    secret,
};
use berth_model::{
    oidc::{
        AUTHORISATION_CODE, Asked, CODE_SECONDS, ClientId, IdToken, IssuedCode, MOST_CODES, Parameters, Refusal,
        SIGN_ON, SIGN_ON_SECONDS, SignOn, Target, Word,
    },
    user::User,
};
use berth_store::{Db, Tx};

use super::{Browser, Issuer, Sent, keys, sent::answer, tool};
use crate::user::{open_id, require_service};

/// Answers a browser that a client has sent. `browser` is what it holds.
///
/// # Errors
/// What can only be shown as a page, since the browser must not be sent to an address that is not the MiniApp's:
/// `invalid_request`.
#[tracing::instrument(name = "oidc.authorize", skip_all)]
pub async fn authorize(db: &Db, issuer: &Issuer, asked: &Parameters, browser: &Browser) -> Result<Sent, Refusal> {
    let target = Target::read(asked)?;
    match &target.client {
        ClientId::MiniApp(id) => for_mini_app(db, issuer, id, &target, asked, browser).await,
        ClientId::Tool(id) => tool::authorize(db, issuer, id, &target, asked, browser).await,
    }
}

async fn for_mini_app(
    db: &Db,
    issuer: &Issuer,
    id: &MiniAppId,
    target: &Target,
    asked: &Parameters,
    browser: &Browser,
) -> Result<Sent, Refusal> {
    let client = db.read().await?.oidc_client(id).await?;
    if !client.redirect_uris.contains(&target.redirect_uri) {
        return Err(not_registered());
    }
    let done = log_in(db, issuer, id, target, asked, browser).await;
    let to = answer(issuer, target, done.as_ref().map(|done| done.code.as_str()));
    Ok(match done {
        Ok(done) => Sent { to, begun: Browser { user: done.sign_on, ..Browser::default() }, ..Sent::default() },
        Err(refused) => Sent { to, refused: Some(refused), ..Sent::default() },
    })
}

/// The same for a MiniApp that there is not: who guesses learns nothing.
fn not_registered() -> Refusal {
    let detail = "The redirect_uri is none of those that the MiniApp has registered, or there is no such MiniApp. An admin \
                  of its team registers it by `berth oidc redirects`, character by character as it is sent.";
    Refusal::request(detail)
}

/// A user who was logged in.
struct LoggedIn {
    code: String,
    sign_on: Option<String>,
}

async fn log_in(
    db: &Db,
    issuer: &Issuer,
    mini_app: &MiniAppId,
    target: &Target,
    asked: &Parameters,
    browser: &Browser,
) -> Result<LoggedIn, Refusal> {
    let asked = Asked::read(asked)?;
    let login_code = LoginCode::read(&asked, browser)?;
    let browser = browser.user.as_ref().map(|secret| Digest::of(secret.as_bytes()));
    let known = login_code.as_ref().map(|code| &code.sha256);
    if !db.read().await?.knows_browser(browser.as_ref(), known).await? {
        return Err(login_required());
    }
    let mut tx = db.begin().await?;
    let (sign_on, secret) = signed_on(&mut tx, mini_app, &asked, login_code, browser).await?;
    require_may(&mut tx, mini_app, &sign_on).await?;
    if let Some(hint) = &asked.id_token_hint {
        require_same(&mut tx, issuer, mini_app, &sign_on.user(), hint).await?;
    }
    let code = issue(&mut tx, mini_app, target, asked, &sign_on).await?;
    tx.commit().await?;
    Ok(LoggedIn { code, sign_on: secret })
}

/// The word of the host app's server that this is the user.
struct LoginCode {
    sha256: Digest,
    /// Whether the host app itself has sent it with its web-view, by the header.
    by_host_app: bool,
}

impl LoginCode {
    fn read(asked: &Asked, browser: &Browser) -> Result<Option<Self>, Refusal> {
        let (code, by_host_app) = match (&browser.login_code, &asked.login_code) {
            (Some(_), Some(_)) => {
                let detail = "The login code is there twice. Send the one of the header X-Login-Code alone.";
                return Err(Refusal::request(detail));
            }
            (Some(code), None) => (code, true),
            (None, Some(code)) => (code, false),
            (None, None) => return Ok(None),
        };
        Ok(Some(Self { sha256: Digest::of(code.expose().as_bytes()), by_host_app }))
    }
}

fn login_required() -> Refusal {
    let detail = "Nobody is signed on in this browser, or it was too long ago. Have the host app ask its server for a login \
                  code, and open this address with it in the header X-Login-Code.";
    Refusal::new(Word::LoginRequired, detail)
}

/// The sign-on of the browser, with its new secret when the user was vouched for now. A login code that is not good is not
/// made up for by a sign-on, which may be another user's.
async fn signed_on(
    tx: &mut Tx,
    client: &MiniAppId,
    asked: &Asked,
    login_code: Option<LoginCode>,
    browser: Option<Digest>,
) -> Result<(SignOn, Option<String>), Refusal> {
    let user = match &login_code {
        Some(code) => Some(vouched(tx, client, &code.sha256).await?),
        None => None,
    };
    let by_host_app = login_code.is_some_and(|code| code.by_host_app);
    let held = match browser {
        Some(secret) => tx.hold_sign_on(&secret).await?,
        None => None,
    };
    match (user, held) {
        (Some(user), held) => begin(tx, user, held, by_host_app).await,
        (None, Some(held)) if asked.takes(Some(held.signed_on_at), tx.now()) => Ok((held, None)),
        (None, _) => Err(login_required()),
    }
}

async fn vouched(tx: &mut Tx, client: &MiniAppId, login_code: &Digest) -> Result<User, Refusal> {
    let user = tx.take_login_code(login_code, client).await?;
    user.ok_or_else(|| {
        let detail = "The login code was used before, is older than five minutes, or is not for this MiniApp.";
        Refusal::new(Word::LoginRequired, detail)
    })
}

/// Begins a sign-on. One of the same user in this browser goes on under a new secret; one of another user ends.
///
/// Whoever has a login code of their own can have another browser open an address with it. So a code in an address logs in once: by
/// it the browser gets no sign-on that it would be somebody by from then on, and loses none. What it logs in to knows by `state` and
/// by the verifier that it has not asked.
async fn begin(
    tx: &mut Tx,
    user: User,
    held: Option<SignOn>,
    by_host_app: bool,
) -> Result<(SignOn, Option<String>), Refusal> {
    let secret = secret::generate(SIGN_ON, tx.random());
    let hash = Digest::of(secret.as_bytes());
    let (signed_on_at, expires_at) = (tx.now(), tx.now().plus_seconds(SIGN_ON_SECONDS));
    match held {
        Some(held) if held.user() == user => {
            tx.renew_sign_on(&held.id, &hash, signed_on_at, expires_at).await?;
            Ok((SignOn { signed_on_at, expires_at, ..held }, Some(secret)))
        }
        held => {
            if let Some(held) = held.filter(|_| by_host_app) {
                tx.end_sign_on(&held.id).await?;
            }
            let User { host_app, account } = user;
            let id = SignOnId::generate(signed_on_at, tx.random());
            let sign_on = SignOn { id, host_app_id: host_app, account, signed_on_at, expires_at };
            tx.insert_sign_on(&hash, &sign_on).await?;
            Ok((sign_on, by_host_app.then_some(secret)))
        }
    }
}

/// Refuses a MiniApp that the user's host app does not run, and one that is off the shelf (A2).
async fn require_may(tx: &mut Tx, client: &MiniAppId, sign_on: &SignOn) -> Result<(), Refusal> {
    let denied = |detail: String| Refusal::new(Word::AccessDenied, detail);
    if !tx.bound_host_apps(client).await?.contains(&sign_on.host_app_id) {
        return Err(denied("The MiniApp is not bound to the host app in which the user is logged in.".into()));
    }
    require_service(tx, client).await.map_err(|error| denied(error.detail))
}

/// Refuses a user who is not the one of the ID token that the MiniApp has sent.
async fn require_same(
    tx: &mut Tx,
    issuer: &Issuer,
    client: &MiniAppId,
    user: &User,
    hint: &str,
) -> Result<(), Refusal> {
    let hinted = keys::hinted::<IdToken>(tx, issuer, hint).await?.filter(|token| token.aud == *client);
    let present = open_id::find(tx, client, user).await?;
    match (hinted, present) {
        (Some(hinted), Some(present)) if hinted.sub == present => Ok(()),
        _ => Err(Refusal::new(Word::LoginRequired, "The user of the id_token_hint is not signed on in this browser.")),
    }
}

async fn issue(
    tx: &mut Tx,
    mini_app: &MiniAppId,
    target: &Target,
    asked: Asked,
    sign_on: &SignOn,
) -> Result<String, Refusal> {
    let code = secret::generate(AUTHORISATION_CODE, tx.random());
    let issued = IssuedCode {
        code_sha256: Digest::of(code.as_bytes()),
        mini_app_id: mini_app.clone(),
        host_app_id: sign_on.host_app_id.clone(),
        account: sign_on.account.clone(),
        sign_on_id: sign_on.id.clone(),
        signed_on_at: sign_on.signed_on_at,
        redirect_uri: target.redirect_uri.clone(),
        code_challenge: asked.code_challenge,
        nonce: asked.nonce,
        expires_at: tx.now().plus_seconds(CODE_SECONDS),
        used_at: None,
    };
    // Before the new one is there: of those of the same moment nobody can tell which is the newest.
    tx.end_older_oidc_codes(&sign_on.id, MOST_CODES - 1).await?;
    tx.insert_oidc_code(&issued).await?;
    Ok(code)
}
