//! A browser that an internal tool has sent, to be sent back with a code, or to where members sign on.

use berth_base::{
    clock::Millis,
    error::Error,
    ids::{ApplicationId, Digest, MemberId, SignOnId, WorkspaceId},
    secret,
};
use berth_model::oidc::{
    AUTHORISATION_CODE, Asked, BROWSER, CODE_SECONDS, MEMBER_SIGN_ON, MOST_CODES, MemberIdToken, MemberSignOn,
    Parameters, Refusal, SIGN_IN, SIGN_ON_SECONDS, Target, ToolClient, ToolCode, Word, back,
};
use berth_store::{Db, Tx};

use super::member::{is_of, require_open};
use crate::{
    oidc::{Browser, Issuer, Sent, Shown, keys, sent::answer},
    workspace::portal_url,
};

/// Answers a browser that an internal tool has sent.
///
/// # Errors
/// `invalid_request`, which can only be shown as a page: the browser must not be sent to an address that is not the tool's.
pub(in super::super) async fn authorize(
    db: &Db,
    issuer: &Issuer,
    id: &ApplicationId,
    target: &Target,
    asked: &Parameters,
    browser: &Browser,
) -> Result<Sent, Refusal> {
    let client = db.read().await?.tool_client(id).await?;
    let client =
        client.filter(|client| client.redirect_uris.contains(&target.redirect_uri)).ok_or_else(not_registered)?;
    let read = Asked::read(asked);
    let silent = read.as_ref().map_or(true, |read| read.silent);
    let vouched = read.as_ref().is_ok_and(|read| read.login_code.is_some());
    let done = match read {
        Ok(read) => sign_on(db, issuer, &client, target, read, browser).await,
        Err(refusal) => Err(refusal),
    };
    let refused = match done {
        Ok(done) => {
            let to = answer(issuer, target, Ok(&done.code));
            let begun = Browser { member: done.sign_on, ..Browser::default() };
            return Ok(Sent { to, begun, ..Sent::default() });
        }
        Err(refused) => refused,
    };
    let mut sent = Sent { to: answer(issuer, target, Err(&refused)), ..Sent::default() };
    match refused.word {
        Word::LoginRequired if !silent && !vouched => {
            if let Some(sent) = sign_in_page(db, issuer, &client, asked, browser).await? {
                return Ok(sent);
            }
        }
        Word::AccessDenied if !silent => sent.shown = Some(shown(db, &client).await?),
        _ => {}
    }
    Ok(Sent { refused: Some(refused), ..sent })
}

/// The same for a tool that there is not: who guesses learns nothing.
fn not_registered() -> Refusal {
    let detail = "The redirect_uri is none of those that the internal tool has registered, or there is no such tool. An admin of \
                  its workspace registers it by `berth workspace tool redirects`, character by character as it is sent.";
    Refusal::request(detail)
}

/// To where members sign on: the identity provider of their organisation, by way of the portal of this host, or the page of a portal
/// elsewhere.
async fn sign_in_page(
    db: &Db,
    issuer: &Issuer,
    client: &ToolClient,
    asked: &Parameters,
    browser: &Browser,
) -> Result<Option<Sent>, Refusal> {
    let mut tx = db.read().await?;
    if tx.member_provider(&client.workspace).await?.is_none() {
        return portal_elsewhere(tx, client, asked, browser).await;
    }
    let door = format!("{}/sign-in", portal_url(issuer.as_str(), &client.workspace));
    let request = asked.query_without(&["login_code", BROWSER]);
    Ok(Some(Sent { to: back(&door, &[("request", &request)]), ..Sent::default() }))
}

/// To the page where members sign on, with what was asked here, for the portal to come back with. The browser keeps a secret, whose
/// hash goes along: the login code is good in this browser alone, so that nobody has another one open an address with a code of
/// their own, and be them. One that is at several sign-in pages keeps one secret for all.
async fn portal_elsewhere(
    mut tx: Tx,
    client: &ToolClient,
    asked: &Parameters,
    browser: &Browser,
) -> Result<Option<Sent>, Refusal> {
    let sign_in = tx.sign_in(&client.workspace).await?;
    if sign_in.url.is_empty() {
        return Ok(None);
    }
    let secret = browser.sign_in.clone().unwrap_or_else(|| secret::generate(SIGN_IN, tx.random()));
    let known = Digest::of(secret.as_bytes());
    let request = format!("{}&{BROWSER}={known}", asked.query_without(&["login_code", BROWSER]));
    let told = [("application", client.application.as_str()), ("request", &request)];
    let begun = Browser { sign_in: Some(secret), ..Browser::default() };
    Ok(Some(Sent { to: back(&sign_in.url, &told), begun, ..Sent::default() }))
}

async fn shown(db: &Db, client: &ToolClient) -> Result<Shown, Refusal> {
    let mut tx = db.read().await?;
    let tool = tx.item(&client.workspace, client.application.as_str()).await?.map(|item| item.name);
    Ok(Shown { tool: tool.unwrap_or_default(), help: tx.sign_in(&client.workspace).await?.help })
}

/// A member who was signed on.
struct SignedOn {
    code: String,
    sign_on: Option<String>,
}

async fn sign_on(
    db: &Db,
    issuer: &Issuer,
    client: &ToolClient,
    target: &Target,
    asked: Asked,
    browser: &Browser,
) -> Result<SignedOn, Refusal> {
    let hash = |secret: &str| Digest::of(secret.as_bytes());
    let login_code = asked.login_code.as_ref().map(|code| hash(code.expose()));
    let held = browser.member.as_deref().map(hash);
    if !is_known(db, login_code.iter().chain(&held)).await? {
        return Err(login_required());
    }
    let mut tx = db.begin().await?;
    tx.hold_members_of(&login_code.iter().chain(&held).collect::<Vec<_>>()).await?;
    let vouched = match &login_code {
        Some(code) => Some(vouched(&mut tx, client, code, browser.sign_in.as_deref().map(hash)).await?),
        None => None,
    };
    let (sign_on, secret) = signed_on(&mut tx, client, &asked, vouched, held).await?;
    require_open(&mut tx, client, &sign_on.member_id).await?;
    if let Some(hint) = &asked.id_token_hint {
        require_same(&mut tx, issuer, client, &sign_on, hint).await?;
    }
    let code = issue(&mut tx, client, target, asked, &sign_on).await?;
    tx.commit().await?;
    Ok(SignedOn { code, sign_on: secret })
}

/// Whether a login code or a sign-on is one of a member. Who has neither does not wait for the database to be free to write.
async fn is_known(db: &Db, secrets: impl Iterator<Item = &Digest>) -> Result<bool, Refusal> {
    let mut tx = db.read().await?;
    for secret in secrets {
        if tx.knows_member_of(secret).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn login_required() -> Refusal {
    let detail = "Nobody is signed on in this browser as a member of the workspace, or it was too long ago. An admin of the \
                  workspace says where members sign on by `berth workspace sign-in`.";
    Refusal::new(Word::LoginRequired, detail)
}

/// The sign-on that a browser holds, if it is still good. Its member is locked until the transaction ends.
pub(in super::super) async fn held(tx: &mut Tx, browser: Option<&str>) -> Result<Option<MemberSignOn>, Refusal> {
    let Some(secret) = browser.map(|secret| Digest::of(secret.as_bytes())) else { return Ok(None) };
    tx.hold_members_of(&[&secret]).await?;
    Ok(tx.member_sign_on(&secret).await?)
}

/// The sign-on of the browser, with its new secret when the portal has vouched now. A login code that is not good is not made up
/// for by a sign-on, which may be another member's.
async fn signed_on(
    tx: &mut Tx,
    client: &ToolClient,
    asked: &Asked,
    vouched: Option<MemberId>,
    held: Option<Digest>,
) -> Result<(MemberSignOn, Option<String>), Refusal> {
    let held = match held {
        Some(secret) => tx.member_sign_on(&secret).await?,
        None => None,
    };
    match (vouched, held) {
        (Some(member), held) => {
            let now = tx.now();
            let (begun, secret) = begin_sign_on(tx, &client.workspace, member, held, Some(now)).await?;
            Ok((begun, Some(secret)))
        }
        (None, Some(held)) if held.workspace_id == client.workspace && asked.takes(held.signed_on_at, tx.now()) => {
            Ok((held, None))
        }
        (None, _) => Err(login_required()),
    }
}

async fn vouched(
    tx: &mut Tx,
    client: &ToolClient,
    login_code: &Digest,
    browser: Option<Digest>,
) -> Result<MemberId, Refusal> {
    let member = match browser {
        Some(browser) => tx.take_member_code(login_code, &client.application, &browser).await?,
        None => None,
    };
    member.ok_or_else(|| {
        let detail = "The login code was used before, is older than five minutes, or is not for this tool in this browser. Open \
                      the tool anew. The browser has to take cookies of this host.";
        Refusal::new(Word::LoginRequired, detail)
    })
}

/// Begins a sign-on of a member who has shown who they are at that time, or at one that is not known. One of the same member in this browser goes on
/// under a new secret; one of another member ends.
pub(crate) async fn begin_sign_on(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    member_id: MemberId,
    held: Option<MemberSignOn>,
    signed_on_at: Option<Millis>,
) -> Result<(MemberSignOn, String), Error> {
    let secret = secret::generate(MEMBER_SIGN_ON, tx.random());
    let hash = Digest::of(secret.as_bytes());
    let (now, expires_at) = (tx.now(), tx.now().plus_seconds(SIGN_ON_SECONDS));
    match held {
        Some(held) if held.member_id == member_id => {
            let signed_on_at = signed_on_at.or(held.signed_on_at);
            let renewed = MemberSignOn { signed_on_at, expires_at, ..held };
            tx.renew_member_sign_on(&hash, &renewed).await?;
            Ok((renewed, secret))
        }
        held => {
            if let Some(held) = held {
                tx.end_member_sign_on(&held.id).await?;
            }
            let id = SignOnId::generate(now, tx.random());
            let begun = MemberSignOn { id, workspace_id: workspace.clone(), member_id, signed_on_at, expires_at };
            tx.insert_member_sign_on(&hash, &begun).await?;
            Ok((begun, secret))
        }
    }
}

/// Refuses a member who is not the one of the ID token that the tool has sent.
async fn require_same(
    tx: &mut Tx,
    issuer: &Issuer,
    client: &ToolClient,
    sign_on: &MemberSignOn,
    hint: &str,
) -> Result<(), Refusal> {
    let hinted = keys::hinted::<MemberIdToken>(tx, issuer, hint).await?;
    match hinted.filter(|token| token.aud == client.application) {
        Some(token) if is_of(tx, &token, sign_on).await? => Ok(()),
        _ => {
            Err(Refusal::new(Word::LoginRequired, "The member of the id_token_hint is not signed on in this browser."))
        }
    }
}

async fn issue(
    tx: &mut Tx,
    client: &ToolClient,
    target: &Target,
    asked: Asked,
    sign_on: &MemberSignOn,
) -> Result<String, Refusal> {
    let code = secret::generate(AUTHORISATION_CODE, tx.random());
    let issued = ToolCode {
        code_sha256: Digest::of(code.as_bytes()),
        application_id: client.application.clone(),
        member_id: sign_on.member_id.clone(),
        sign_on_id: sign_on.id.clone(),
        signed_on_at: sign_on.signed_on_at,
        scope: asked.scopes.granted(),
        redirect_uri: target.redirect_uri.clone(),
        code_challenge: asked.code_challenge,
        nonce: asked.nonce,
        expires_at: tx.now().plus_seconds(CODE_SECONDS),
        used_at: None,
    };
    // Before the new one is there: of those of the same moment nobody can tell which is the newest.
    tx.end_older_tool_codes(&sign_on.id, MOST_CODES - 1).await?;
    tx.insert_tool_code(&issued).await?;
    Ok(code)
}
