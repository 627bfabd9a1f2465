//! Which endpoint application a channel is bound to: one at most (E5).

use berth_base::{
    error::{Code, Error, Result},
    ids::{ChannelId, EndpointAppId},
};
use berth_model::{
    access::Caller,
    endpoint::{
        Channel,
        channel::{BindChannel, ChannelUnbound},
    },
    event::kind,
};
use berth_store::{Db, Tx};

use super::concerns;
use crate::endpoint::{authorisation::close_failed, owned};

/// Binds a channel to an endpoint application. When it is bound to it already nothing changes.
///
/// # Errors
/// `channel-bound` when it is bound to another one and is not to be moved; `not-found` for another merchant's endpoint
/// application.
#[tracing::instrument(name = "channel.bind", skip_all, fields(channel = %id))]
pub async fn bind(db: &Db, caller: &Caller, id: &ChannelId, bind: &BindChannel) -> Result<Channel> {
    let (mut tx, actor) = (db.begin().await?, caller.account.as_str());
    let (_, mut channel) = owned::hold::<Channel>(&mut tx, caller, id).await?;
    if bind.take && channel.endpoint_app.as_ref().is_some_and(|bound| *bound != bind.endpoint_app) {
        channel = unbind_in(&mut tx, actor, &channel).await?;
    }
    let channel = bind_in(&mut tx, actor, &channel, &bind.endpoint_app).await?;
    close_failed(&mut tx, actor, &channel.merchant, channel.kind, &channel.app_id).await?;
    tx.commit().await?;
    Ok(channel)
}

/// Binds a channel of the merchant that the transaction holds.
///
/// # Errors
/// As [`bind`].
pub async fn bind_in(tx: &mut Tx, actor: &str, channel: &Channel, endpoint_app: &EndpointAppId) -> Result<Channel> {
    require_own(tx, channel, endpoint_app).await?;
    match &channel.endpoint_app {
        Some(bound) if bound == endpoint_app => return Ok(channel.clone()),
        Some(bound) => return Err(elsewhere(Some(bound))),
        None => {}
    }
    let bound = Channel {
        endpoint_app: Some(endpoint_app.clone()),
        bound_by: Some(actor.to_owned()),
        bound_at: Some(tx.now()),
        ..channel.clone()
    };
    if !tx.rebind_channel(&bound, None).await? {
        return Err(elsewhere(None));
    }
    concerns(&bound, tx.tell(kind::CHANNEL_BOUND, &bound.id, actor, &bound));
    Ok(bound)
}

/// Takes a channel from its endpoint application.
///
/// # Errors
/// `not-found` when it is bound to none.
#[tracing::instrument(name = "channel.unbind", skip_all, fields(channel = %id))]
pub async fn unbind(db: &Db, caller: &Caller, id: &ChannelId) -> Result<Channel> {
    let mut tx = db.begin().await?;
    let (_, channel) = owned::hold::<Channel>(&mut tx, caller, id).await?;
    if channel.endpoint_app.is_none() {
        return Err(Error::new(Code::NotFound, format!("The channel {id} is bound to no endpoint application.")));
    }
    let channel = unbind_in(&mut tx, caller.account.as_str(), &channel).await?;
    tx.commit().await?;
    Ok(channel)
}

/// Takes a channel of the merchant that the transaction holds from its endpoint application, if it is bound.
pub async fn unbind_in(tx: &mut Tx, actor: &str, channel: &Channel) -> Result<Channel> {
    let Some(from) = channel.endpoint_app.clone() else { return Ok(channel.clone()) };
    let channel = Channel { endpoint_app: None, bound_by: None, bound_at: None, ..channel.clone() };
    if !tx.rebind_channel(&channel, Some(&from)).await? {
        return Err(elsewhere(None));
    }
    let data = ChannelUnbound { channel: channel.clone(), from };
    concerns(&channel, tx.tell(kind::CHANNEL_UNBOUND, &channel.id, actor, &data));
    Ok(channel)
}

/// An endpoint application of another merchant looks like one that is not there.
async fn require_own(tx: &mut Tx, channel: &Channel, endpoint_app: &EndpointAppId) -> Result<()> {
    let own = tx.endpoint_app(endpoint_app).await?.filter(|own| own.merchant == channel.merchant);
    own.map(drop).ok_or_else(|| Error::not_found("endpoint application", endpoint_app))
}

fn elsewhere(bound: Option<&EndpointAppId>) -> Error {
    let place = bound.map_or_else(|| "another endpoint application".into(), ToString::to_string);
    let detail = format!("The channel is bound to {place}. Move it from there, or unbind it first.");
    Error::new(Code::ChannelBound, detail).with("endpoint_app", bound)
}
