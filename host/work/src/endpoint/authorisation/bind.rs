//! The last step: the endpoint application is created or chosen, the channel authorised and bound, in one transaction or
//! not at all (E10).

use berth_model::endpoint::authorisation::{Grant, Stage, Target};
use berth_store::endpoint::authorisation::Authorisation;

use crate::endpoint::authorisation::authoriser;
use berth_base::{
    error::{Code, Error, Result},
    ids::EndpointAppId,
};
use berth_model::endpoint::{Merchant, channel::Proof};
use berth_store::Tx;

use crate::endpoint::{
    app as endpoint_app,
    authorisation::{Channels, close_failed},
    channel::{self, Claim},
};

/// Binds the channel to the endpoint application that was asked for, or else to the one that it was bound to before.
/// When there is neither, the authorisation waits until somebody chooses one.
///
/// # Errors
/// Whatever refuses the endpoint application, the channel or the binding; then nothing is changed.
pub(super) async fn settle(channels: &Channels, flow: &Authorisation, grant: &Grant) -> Result<Authorisation> {
    let actor = &flow.started_by;
    let mut tx = channels.db.begin().await?;
    let merchant = tx.hold_merchant(&flow.merchant).await?;
    let mut flow = flow.clone();
    // Somebody may have chosen while WeChat was asked.
    flow.target = tx.authorisation(&flow.id).await?.and_then(|now| now.target);
    let flow = &flow;
    let target = match flow.target.as_ref().map(|target| &target.0) {
        Some(target) => Some(target.clone()),
        None => bound_before(&mut tx, flow, grant).await?.map(Target::Id),
    };
    let flow = match target {
        Some(target) => bind_in(&mut tx, channels, actor, &merchant, flow, grant, &target).await?,
        None => {
            let stage = flow.stage.0.clone().choosing(grant.clone())?;
            tx.move_authorisation(actor, flow.clone(), stage).await?
        }
    };
    tx.commit().await?;
    Ok(flow)
}

/// The endpoint application that this channel of the merchant is bound to already. A channel that is authorised again
/// stays bound to it.
async fn bound_before(tx: &mut Tx, flow: &Authorisation, grant: &Grant) -> Result<Option<EndpointAppId>> {
    let known = tx.channel_by_app_id(flow.kind, &grant.app_id).await?;
    Ok(known.filter(|known| known.merchant == flow.merchant).and_then(|known| known.endpoint_app))
}

/// Does the last step in a transaction that holds the merchant: authorises the channel, creates the endpoint
/// application when `target` says so, and binds the channel to it.
pub(super) async fn bind_in(
    tx: &mut Tx,
    channels: &Channels,
    actor: &str,
    merchant: &Merchant,
    flow: &Authorisation,
    grant: &Grant,
    target: &Target,
) -> Result<Authorisation> {
    if !authoriser::authoriser(channels, flow)?.holds(tx, grant).await? {
        let detail = "The merchant has taken the authorisation back meanwhile. Start again.";
        return Err(Error::new(Code::AuthorisationRevoked, detail));
    }
    let name = grant.name.as_deref().unwrap_or(&grant.app_id);
    let proof = if flow.vouched.is_some() { Proof::Vouched } else { Proof::Platform };
    let claim = Claim { kind: flow.kind, app_id: &grant.app_id, name, proof };
    let channel = channel::authorise_in(tx, actor, merchant, claim).await?;
    let endpoint = match target {
        Target::Id(id) => id.clone(),
        Target::New(new) => endpoint_app::create_in(tx, actor, &merchant.id, &new.name, &new.products).await?.id,
    };
    let channel = channel::bind_in(tx, actor, &channel, &endpoint).await?;
    close_failed(tx, actor, &merchant.id, flow.kind, &grant.app_id).await?;
    let stage: Stage = flow.stage.0.clone().bound(grant.clone(), channel.id, endpoint)?;
    tx.move_authorisation(actor, flow.clone(), stage).await
}

/// Moves the channel of a run from another endpoint application, which it is bound to, to that of the run, in a
/// transaction that holds the merchant. Where nothing is to be moved, the run takes its last step as any other.
///
/// # Errors
/// As [`bind_in`].
pub(super) async fn take_in(
    tx: &mut Tx,
    channels: &Channels,
    actor: &str,
    merchant: &Merchant,
    flow: &Authorisation,
) -> Result<()> {
    let (Some(grant), Some(target)) = (flow.stage.grant(), &flow.target) else { return Ok(()) };
    let known = tx.channel_by_app_id(flow.kind, &grant.app_id).await?;
    let Some(channel) = known.filter(|known| known.merchant == merchant.id) else { return Ok(()) };
    let Some(bound) = &channel.endpoint_app else { return Ok(()) };
    if target.0 == Target::Id(bound.clone()) {
        return Ok(());
    }
    channel::unbind_in(tx, actor, &channel).await?;
    // Its platform was perhaps not asked for its name again.
    let grant = Grant { name: grant.name.clone().or(Some(channel.name)), ..grant.clone() };
    bind_in(tx, channels, actor, merchant, flow, &grant, &target.0).await.map(drop)
}
