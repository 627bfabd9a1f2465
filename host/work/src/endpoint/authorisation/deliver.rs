//! What comes back from WeChat: authorisation codes, by the merchant's browser or by push, and notices that a grant was
//! revoked.

use std::sync::Arc;

use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::AuthorisationId,
    secret::Secret,
    sql::was_unique_violation,
};
use berth_model::{
    endpoint::{
        Channel,
        authorisation::{Door, Return, Stage, Unclaimed},
        channel::{ChannelKind, Proof},
    },
    event::kind,
};
use berth_store::{
    Db, Tx,
    endpoint::authorisation::Authorisation,
    sealed::{ABOUT_CODE, ABOUT_LINK},
    wechat::Account,
};

use super::work::{SealedLink, hash};
use crate::{
    endpoint::{authorisation::Channels, channel},
    event,
    wechat::push::PushedCode,
};

/// Seconds by which a revocation may be dated before the grant it ends: WeChat counts whole seconds, and its clock may
/// be behind ours. Nobody authorises again faster than that.
const SLACK: i64 = 5;

/// The actor of events that WeChat's pushes cause.
const WECHAT: &str = "wechat";

/// WeChat's page for the link with this state, to which this host's own page leads; `None` when the link is no longer
/// valid.
///
/// # Errors
/// `not-found` when there is no such link.
pub async fn page(db: &Db, state: &Secret) -> Result<Option<String>> {
    let flow = db.read().await?.authorisation_by_link(&hash(state)).await?.ok_or_else(no_link)?;
    let good = !flow.is_over(db.now());
    let Some(sealed) = flow.link_sealed.as_deref().filter(|_| good) else { return Ok(None) };
    Ok(Some(open_link(db, &flow.id, sealed)?.page))
}

pub(super) fn open_link(db: &Db, id: &AuthorisationId, sealed: &str) -> Result<SealedLink> {
    let opened = db.seal().open_text(sealed, &format!("{ABOUT_LINK}:{id}"))?;
    serde_json::from_str(&opened).map_err(Error::internal)
}

fn no_link() -> Error {
    Error::new(Code::NotFound, "There is no such link, or a newer one has taken its place.")
}

/// Handles the merchant's browser coming back: stores the code, takes the run as far as it goes now, and answers its
/// state.
///
/// # Errors
/// `not-found` when there is no such link.
pub async fn come_back(
    channels: &Arc<Channels>,
    back: &Return,
) -> Result<berth_model::endpoint::authorisation::AuthorisationView> {
    let mut tx = channels.db.begin().await?;
    let flow = tx.authorisation_by_link(&hash(&back.state)).await?.ok_or_else(no_link)?;
    let id = flow.id.clone();
    let waiting = matches!(*flow.stage, Stage::Started { .. }) && !flow.is_over(channels.db.now());
    if let Some(code) = back.auth_code.as_ref().filter(|_| waiting) {
        delivered(deliver_in(&mut tx, flow, Door::Redirect, code).await, tx).await?;
    } else {
        drop(tx);
    }
    super::advance(channels, &id).await?;
    let flow = channels.db.read().await?.authorisation(&id).await?.ok_or_else(no_link)?;
    Ok(flow.view())
}

/// Commits a delivery. That the code was delivered already, or belongs to another run, is no failure.
async fn delivered(done: Result<()>, tx: Tx) -> Result<()> {
    match done.map_err(raced) {
        Ok(()) => tx.commit().await,
        Err(error) if error.code == Code::AuthorisationState => Ok(()),
        Err(error) => Err(error),
    }
}

async fn deliver_in(tx: &mut Tx, mut flow: Authorisation, by: Door, code: &Secret) -> Result<()> {
    let stage = flow.stage.0.clone().deliver(by)?;
    take_code(tx, &mut flow, code).await?;
    flow.enter(stage, tx.now());
    tx.write_authorisation(&mut flow).await?;
    let actor = if by == Door::Push { WECHAT } else { event::BERTH };
    flow.tell_stage(tx, actor);
    Ok(())
}

/// Seals the code into the run. A code that another run has is refused with `authorisation-state`.
async fn take_code(tx: &mut Tx, flow: &mut Authorisation, code: &Secret) -> Result<()> {
    let known = tx.authorisation_by_code(&hash(code), "").await?;
    if known.is_some_and(|known| known.id != flow.id) {
        return Err(Error::new(Code::AuthorisationState, "The code belongs to another authorisation."));
    }
    flow.code_hash = Some(hash(code));
    flow.code_sealed = Some(tx.seal().seal(code.expose().as_bytes(), &format!("{ABOUT_CODE}:{}", flow.id))?);
    Ok(())
}

/// Takes a code that WeChat pushed: for the run that waits for it, or, without such a run, because the merchant
/// authorised this host on WeChat's own pages.
///
/// # Errors
/// Failures of the database; WeChat then sends the push again.
pub async fn pushed(channels: &Channels, pushed: &PushedCode) -> Result<()> {
    let pre_auth = pushed.pre_auth.as_ref().map(hash).unwrap_or_default();
    let mut tx = channels.db.begin().await?;
    let known = tx.authorisation_by_code(&hash(&pushed.code), &pre_auth).await?;
    let done = match known {
        Some(flow) if flow.code_hash.as_deref() == Some(&*hash(&pushed.code)) => return Ok(()),
        Some(flow) if matches!(*flow.stage, Stage::Started { .. }) => {
            deliver_in(&mut tx, flow, Door::Push, &pushed.code).await
        }
        _ => renewed(&mut tx, pushed).await,
    };
    delivered(done, tx).await?;
    channels.wake.notify_one();
    Ok(())
}

/// Handles an authorisation that no run of this host asked for. A channel that WeChat proved to be a merchant's gets a
/// new run, started by `wechat`. For an account that nobody has, or that a merchant only vouched for, an event is
/// emitted.
async fn renewed(tx: &mut Tx, pushed: &PushedCode) -> Result<()> {
    let Some(channel) = channel_of(tx, &pushed.account).await? else {
        let data = Unclaimed { app_id: pushed.account.clone() };
        tx.tell(kind::WECHAT_ACCOUNT_UNCLAIMED, &pushed.account, WECHAT, &data);
        return Ok(());
    };
    let mut flow = Authorisation::new(tx, &channel.merchant, channel.kind, WECHAT);
    flow.enter(flow.stage.0.clone().deliver(Door::Push)?, tx.now());
    take_code(tx, &mut flow, &pushed.code).await?;
    tx.insert_authorisation(&flow).await?;
    flow.tell_stage(tx, WECHAT);
    Ok(())
}

/// Turns the unique violation of two hosts that store the same code at once into `authorisation-state`.
fn raced(error: Error) -> Error {
    if was_unique_violation(&error) {
        Error::new(Code::AuthorisationState, "The code was delivered already.")
    } else {
        error
    }
}

/// The channel of which WeChat proved whose it is. One of the other kind, for which somebody only vouches, does not
/// hide it.
async fn channel_of(tx: &mut Tx, account: &str) -> Result<Option<Channel>> {
    for kind in [ChannelKind::WechatMiniProgram, ChannelKind::WechatOfficialAccount] {
        let known = tx.channel_by_app_id(kind, account).await?;
        if let Some(channel) = known.filter(is_proven) {
            return Ok(Some(channel));
        }
    }
    Ok(None)
}

fn is_proven(channel: &Channel) -> bool {
    channel.proof == Proof::Platform
}

/// Handles WeChat's notice that the merchant revoked the grant of `account` at `at`. A grant that was given later
/// stays.
///
/// # Errors
/// Failures of the database; WeChat then sends the push again.
pub async fn revoked_at(db: &Db, account: &str, at: Millis) -> Result<()> {
    let known = db.read().await?.wechat_account(account).await?;
    match known.filter(|known| known.granted_at <= at.plus_seconds(SLACK)) {
        Some(known) => revoked(db, &known).await,
        None => Ok(()),
    }
}

/// Ends the grant of an account: deletes its tokens, marks its channel as unauthorised, and fails the runs that relied
/// on it.
///
/// # Errors
/// Failures of the database.
pub async fn revoked(db: &Db, account: &Account) -> Result<()> {
    if account.grant_sealed.is_none() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    let channel = match channel_of(&mut tx, &account.app_id).await? {
        // Lock order: the merchant before everything else. A channel is written whole, so it is read again behind it.
        Some(seen) => {
            tx.hold_merchant(&seen.merchant).await?;
            tx.channel(&seen.id).await?.filter(is_proven)
        }
        None => None,
    };
    if !tx.drop_wechat_account(account).await? {
        return Ok(()); // granted anew meanwhile
    }
    if let Some(channel) = &channel {
        channel::unauthorise_in(&mut tx, WECHAT, channel).await?;
    }
    // What a merchant vouches for, WeChat has not granted.
    let granted = tx.authorisations_with_grant(&account.app_id).await?;
    for flow in granted.into_iter().filter(|flow| flow.vouched.is_none()) {
        let detail = "The merchant took the authorisation back on WeChat's pages. Start again.";
        let stage = flow.stage.0.clone().forgotten(Code::AuthorisationRevoked.slug(), detail)?;
        tx.move_authorisation(WECHAT, flow, stage).await?;
    }
    tx.commit().await
}
