//! The steps that the host does by itself. Each is stored before the next call to WeChat. When a host dies its lease on
//! a run expires, and another host goes on from the stored stage.

use std::{sync::Arc, time::Duration};

use berth_base::{
    error::{Code, Error, Result},
    ids::{AuthorisationId, Digest},
    secret::Secret,
};
use berth_model::endpoint::authorisation::{Grant, Stage};
use berth_store::{
    Db, Lease, Tx,
    endpoint::authorisation::Authorisation,
    sealed::{ABOUT_CODE, ABOUT_LINK},
};
use serde::{Deserialize, Serialize};

use super::authoriser::{Beginning, Link, Redeemed, Trouble};
use crate::{
    endpoint::authorisation::{Channels, authoriser, bind, close_failed},
    event,
    wechat::accounts::Failure,
};

/// The pause between two looks for runs that are due.
const LOOK: Duration = Duration::from_secs(1);

/// How many runs are taken from the database at once.
const BATCH: i64 = 20;

/// The parts of a link that are stored sealed.
#[derive(Deserialize, Serialize)]
pub(super) struct SealedLink {
    pub state: String,
    pub page: String,
}

/// Advances the runs that are due, in an endless loop.
pub async fn run(channels: Arc<Channels>) {
    loop {
        let _ = tokio::time::timeout(LOOK, channels.wake.notified()).await;
        if let Err(error) = go_on(&channels).await {
            tracing::warn!(?error, "authorisations of channels could not be carried on; trying again");
        }
    }
}

/// Advances a batch of runs that are due.
///
/// # Errors
/// Failures of the database.
#[tracing::instrument(name = "authorisations.go_on", skip_all)]
pub async fn go_on(channels: &Arc<Channels>) -> Result<()> {
    let due = channels.db.read().await?.due_authorisations(channels.db.now(), BATCH).await?;
    for id in due {
        advance(channels, &id).await?;
    }
    Ok(())
}

/// Takes a run as far as it goes by itself, unless another host has it. It is finished even when the caller goes away,
/// as WeChat accepts a code only once.
///
/// # Errors
/// Failures of the database; the run is taken up again when the lease has expired.
pub async fn advance(channels: &Arc<Channels>, id: &AuthorisationId) -> Result<()> {
    let (host, id) = (channels.clone(), id.clone());
    channels.unbroken.carry(async move { take_on(&host, &id).await }).await?
}

#[tracing::instrument(name = "authorisation.advance", skip_all, fields(authorisation = %id))]
async fn take_on(channels: &Channels, id: &AuthorisationId) -> Result<()> {
    let mut tx = channels.db.begin().await?;
    let leased = tx.lease_authorisation(id, &lease(channels)).await?;
    tx.commit().await?;
    if !leased {
        return Ok(());
    }
    let done = steps(channels, id).await;
    let mut tx = channels.db.begin().await?;
    tx.release_authorisation(id, channels.db.host()).await?;
    tx.commit().await?;
    match done {
        // Somebody gave it up, or another way was faster: what is stored counts.
        Err(error) if error.code == Code::AuthorisationState => Ok(()),
        done => done,
    }
}

async fn steps(channels: &Channels, id: &AuthorisationId) -> Result<()> {
    let Some(mut flow) = channels.db.read().await?.authorisation(id).await? else { return Ok(()) };
    while let Some(next) = step(channels, &flow).await? {
        flow = next;
        let mut tx = channels.db.begin().await?;
        let ours = tx.keep_authorisation(id, &lease(channels)).await?;
        tx.commit().await?;
        if !ours || channels.unbroken.is_ending() {
            break; // this host was so slow that another one goes on, or it ends
        }
    }
    Ok(())
}

/// What a run belongs to this host by, from now.
fn lease(channels: &Channels) -> Lease {
    Lease::of(&channels.db, channels.lease_seconds)
}

/// Does one step and answers the changed run; `None` when there is nothing to do now.
async fn step(channels: &Channels, flow: &Authorisation) -> Result<Option<Authorisation>> {
    if flow.is_over(channels.db.now()) {
        let stage = flow.stage.0.clone().abandoned(event::BERTH)?;
        return moved(&channels.db, flow.clone(), stage).await.map(Some);
    }
    if flow.trouble.is_some() && flow.due_at > Some(channels.db.now()) {
        return Ok(None);
    }
    let done = match &*flow.stage {
        Stage::Started { link_until: None } => begin(channels, flow).await,
        Stage::Authorised { .. } => redeem(channels, flow).await,
        Stage::Granted { grant } => settle(channels, flow, grant).await,
        _ => return Ok(None),
    };
    match done {
        Ok(next) => Ok(Some(next)),
        Err(Failure::Host(error)) if error.code == Code::AuthorisationState => Err(error),
        // Another host that shares the database has the platform.
        Err(Failure::Host(error)) if error.code == Code::WechatNotSetUp => Ok(None),
        Err(failure) => {
            give_way(&channels.db, flow, Trouble::of(failure, flow.attempts)).await?;
            Ok(None)
        }
    }
}

/// Records the cause and when to try again, or fails the run.
async fn give_way(db: &Db, flow: &Authorisation, trouble: Trouble) -> Result<()> {
    match trouble {
        Trouble::Later { after, why } => {
            let mut tx = db.begin().await?;
            tx.postpone_authorisation(flow, &why, db.now().plus_seconds(after)).await?;
            tx.commit().await
        }
        Trouble::Final { reason, detail } => {
            let stage = flow.stage.0.clone();
            let worthless = [Code::AuthorisationRevoked.slug(), Code::ChannelKindMismatch.slug()].contains(&reason);
            let stage = if worthless { stage.forgotten(reason, &detail)? } else { stage.failed(reason, &detail)? };
            moved(db, flow.clone(), stage).await.map(drop)
        }
    }
}

async fn moved(db: &Db, flow: Authorisation, stage: Stage) -> Result<Authorisation> {
    let mut tx = db.begin().await?;
    let flow = tx.move_authorisation(event::BERTH, flow, stage).await?;
    tx.commit().await?;
    Ok(flow)
}

async fn begin(channels: &Channels, flow: &Authorisation) -> Result<Authorisation, Failure> {
    match authoriser::authoriser(channels, flow)?.begin(&channels.db, flow).await? {
        Beginning::Vouched(grant) => {
            let mut tx = channels.db.begin().await?;
            tx.hold_merchant(&flow.merchant).await?;
            let flow = granted(&mut tx, flow.clone(), grant).await?;
            tx.commit().await?;
            Ok(flow)
        }
        Beginning::Link(link) => Ok(offer(&channels.db, flow.clone(), &link).await?),
    }
}

/// Stores the link. The state does not change, so no event is emitted.
async fn offer(db: &Db, mut flow: Authorisation, link: &Link) -> Result<Authorisation> {
    let now = db.now();
    let sealed = SealedLink { state: link.state.expose().to_owned(), page: link.page.clone() };
    let sealed = zeroize::Zeroizing::new(serde_json::to_vec(&sealed).map_err(Error::internal)?);
    flow.enter(flow.stage.0.clone().offer(now.plus_seconds(link.good_for))?, now);
    flow.link_sealed = Some(db.seal().seal(&sealed, &format!("{ABOUT_LINK}:{}", flow.id))?);
    flow.link_hash = Some(hash(&link.state));
    flow.pre_auth_hash = Some(hash(&link.pre_auth));
    let mut tx = db.begin().await?;
    tx.write_authorisation(&mut flow).await?;
    tx.commit().await?;
    Ok(flow)
}

async fn redeem(channels: &Channels, flow: &Authorisation) -> Result<Authorisation, Failure> {
    let sealed = flow.code_sealed.as_deref().unwrap_or_default();
    let code: Secret = channels.db.seal().open_text(sealed, &format!("{ABOUT_CODE}:{}", flow.id))?.into();
    let Redeemed { grant, keep } = authoriser::authoriser(channels, flow)?.redeem(&channels.db, flow, &code).await?;
    let mut tx = channels.db.begin().await?;
    tx.hold_merchant(&flow.merchant).await?;
    // The tokens first: this run is the only one that had the code, so what it got is the newest.
    tx.grant_wechat_account(&keep).await?;
    let flow = granted(&mut tx, flow.clone(), grant).await?;
    tx.commit().await?;
    Ok(flow)
}

/// Records what the merchant, whom the transaction holds, has granted. Runs of the same channel that failed before give way to this one.
async fn granted(tx: &mut Tx, flow: Authorisation, grant: Grant) -> Result<Authorisation> {
    close_failed(tx, &flow.started_by, &flow.merchant, flow.kind, &grant.app_id).await?;
    let stage = flow.stage.0.clone().granted(grant)?;
    tx.move_authorisation(event::BERTH, flow, stage).await
}

/// Asks what the account is, then does the last step or waits until somebody chooses an endpoint application.
async fn settle(channels: &Channels, flow: &Authorisation, grant: &Grant) -> Result<Authorisation, Failure> {
    let grant = authoriser::authoriser(channels, flow)?.describe(&channels.db, flow, grant).await?;
    Ok(bind::settle(channels, flow, &grant).await?)
}

/// The SHA-256 of a secret, by which it is looked up without being stored.
pub(super) fn hash(secret: &Secret) -> String {
    Digest::of(secret.expose().as_bytes()).as_str().to_owned()
}
