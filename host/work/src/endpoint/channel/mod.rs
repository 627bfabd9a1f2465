//! Channels: the places where users reach an endpoint application. Each is authorised by one merchant and bound to at
//! most one endpoint application (E5).

mod app_id;
mod bind;

pub use app_id::check as check_app_id;
pub(super) use app_id::spelled as spelled_app_id;
pub use berth_model::endpoint::channel::*;
pub use bind::{bind, bind_in, unbind, unbind_in};

use berth_base::{
    error::{Code, Error, Result},
    ids::{ChannelId, MerchantId},
    page::Page,
    text,
};
use berth_model::{
    access::{Action, Caller, TokenScope},
    endpoint::Merchant,
    event::kind,
};
use berth_store::{Db, NewEvent, Tx};

use crate::{
    endpoint::{
        authorisation::kept_since,
        merchant,
        owned::{self, Owned},
    },
    mini_app,
};

/// A channel that a merchant claims, and what shows that it is the merchant's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim<'a> {
    /// On which platform it is.
    pub kind: ChannelKind,
    /// Its id on the platform.
    pub app_id: &'a str,
    /// The name that people read, 1 to 64 characters.
    pub name: &'a str,
    /// What shows that it is the merchant's.
    pub proof: Proof,
}

/// Marks an event as one about the channel's merchant, and about its MiniApp when it is one.
pub(super) fn concerns(channel: &Channel, event: &mut NewEvent) {
    event.for_merchant(&channel.merchant);
    if let Some(mini_app) = channel.mini_app() {
        event.for_mini_app(&mini_app);
    }
}

impl Owned for Channel {
    const WHAT: &'static str = "channel";
    type Id = ChannelId;

    async fn load(tx: &mut Tx, id: &ChannelId) -> Result<Option<Self>> {
        tx.channel(id).await
    }

    fn merchant(&self) -> &MerchantId {
        &self.merchant
    }
}

/// Creates a channel for which the merchant vouches by hand. A channel of the merchant that is unauthorised is
/// authorised again.
///
/// # Errors
/// `channel-exists` when the merchant has it authorised already, `channel-taken` when another merchant has it,
/// `invalid-field` when the id does not have the form of its kind.
#[tracing::instrument(name = "channel.create", skip_all, fields(merchant = %new.merchant))]
pub async fn create(db: &Db, caller: &Caller, new: NewChannel) -> Result<Channel> {
    let app_id = app_id::check(new.kind, &new.app_id)?;
    let mut tx = db.begin().await?;
    let merchant = merchant::authorise_change(&mut tx, caller, &new.merchant, Action::Operate).await?;
    if new.kind == ChannelKind::MiniApp {
        mini_app::authorise(&mut tx, caller, &app_id.parse()?, Action::Develop).await?;
    }
    let claim = Claim { kind: new.kind, app_id: &app_id, name: &new.name, proof: Proof::Vouched };
    let actor = caller.account.as_str();
    if let Some(known) = own(&mut tx, actor, &merchant, claim).await?
        && known.state == ChannelState::Authorised
    {
        let detail = format!("{} has this channel already. It is {}.", merchant.id, known.id);
        return Err(Error::new(Code::ChannelExists, detail).with("channel", known.id));
    }
    let channel = authorise_in(&mut tx, actor, &merchant, claim).await?;
    tx.commit().await?;
    Ok(channel)
}

/// Records that `merchant`, which the transaction holds, authorised a channel. One that it had authorised before is
/// authorised again, stays bound, and takes the new name; what its platform proved stays proven. One for which another merchant only vouched is taken from
/// that merchant when `claim` has the platform's proof.
///
/// # Errors
/// `channel-taken` when another merchant has it; the error does not say which one.
pub(crate) async fn authorise_in(tx: &mut Tx, actor: &str, merchant: &Merchant, claim: Claim<'_>) -> Result<Channel> {
    let Claim { kind, app_id, proof, .. } = claim;
    let name = text::name("name", claim.name, 64)?;
    let known = own(tx, actor, merchant, claim).await?;
    let is_proven = |known: &Channel| known.state == ChannelState::Authorised && known.proof == Proof::Platform;
    let proof = if known.as_ref().is_some_and(is_proven) { Proof::Platform } else { proof };
    let channel = Channel {
        id: known.as_ref().map_or_else(|| ChannelId::generate(tx.now(), tx.random()), |it| it.id.clone()),
        merchant: merchant.id.clone(),
        kind,
        app_id: app_id.to_owned(),
        name,
        state: ChannelState::Authorised,
        proof,
        endpoint_app: known.as_ref().and_then(|known| known.endpoint_app.clone()),
        authorised_by: actor.to_owned(),
        authorised_at: tx.now(),
        bound_by: known.as_ref().and_then(|known| known.bound_by.clone()),
        bound_at: known.as_ref().and_then(|known| known.bound_at),
    };
    match known {
        Some(_) => tx.set_channel(&channel).await?,
        None if tx.insert_channel(&channel).await? => {}
        None => return Err(taken(kind)),
    }
    concerns(&channel, tx.tell(kind::CHANNEL_AUTHORISED, &channel.id, actor, &channel));
    Ok(channel)
}

/// The merchant's channel with this kind and id. `None` when nobody has it, or when another merchant had to give it up.
async fn own(tx: &mut Tx, actor: &str, merchant: &Merchant, claim: Claim<'_>) -> Result<Option<Channel>> {
    match tx.channel_by_app_id(claim.kind, claim.app_id).await? {
        Some(other) if other.merchant != merchant.id => {
            give_way(tx, actor, &other, claim.proof).await?;
            Ok(None)
        }
        known => Ok(known),
    }
}

/// Deletes a channel of a merchant who only vouched for it, in favour of one who has the platform's proof. Refused with
/// `channel-taken` otherwise.
async fn give_way(tx: &mut Tx, actor: &str, channel: &Channel, proof: Proof) -> Result<()> {
    tx.hold_merchant(&channel.merchant).await?;
    let Some(channel) = tx.channel(&channel.id).await? else { return Ok(()) };
    if proof != Proof::Platform || channel.proof != Proof::Vouched {
        return Err(taken(channel.kind));
    }
    let channel = unbind_in(tx, actor, &channel).await?;
    tx.delete_channel(&channel.id).await?;
    concerns(&channel, tx.tell(kind::CHANNEL_DELETED, &channel.id, actor, &channel));
    Ok(())
}

fn taken(kind: ChannelKind) -> Error {
    let detail = format!("Another merchant has authorised this {kind}. It must give the channel up there first.");
    Error::new(Code::ChannelTaken, detail)
}

/// Records that the platform does not let this host act for the channel any more; the transaction holds the merchant.
/// The channel stays bound.
pub(crate) async fn unauthorise_in(tx: &mut Tx, actor: &str, channel: &Channel) -> Result<Channel> {
    if channel.state == ChannelState::Unauthorised {
        return Ok(channel.clone());
    }
    let channel = Channel { state: ChannelState::Unauthorised, ..channel.clone() };
    tx.set_channel(&channel).await?;
    concerns(&channel, tx.tell(kind::CHANNEL_UNAUTHORISED, &channel.id, actor, &channel));
    Ok(channel)
}

/// Renames a channel. Nothing is written when the name stays the same.
#[tracing::instrument(name = "channel.edit", skip_all, fields(channel = %id))]
pub async fn edit(db: &Db, caller: &Caller, id: &ChannelId, edit: EditChannel) -> Result<Channel> {
    let mut tx = db.begin().await?;
    let (_, channel) = owned::hold::<Channel>(&mut tx, caller, id).await?;
    let name = text::name("name", &edit.name, 64)?;
    if name == channel.name {
        return Ok(channel);
    }
    let channel = Channel { name, ..channel };
    tx.set_channel(&channel).await?;
    concerns(&channel, tx.tell(kind::CHANNEL_EDITED, &channel.id, caller.account.as_str(), &channel));
    tx.commit().await?;
    Ok(channel)
}

/// Deletes a channel, so that any merchant may authorise it. Its WeChat grant is deleted too, unless a run needs it.
///
/// # Errors
/// `channel-bound` while it is bound to an endpoint application.
#[tracing::instrument(name = "channel.delete", skip_all, fields(channel = %id))]
pub async fn delete(db: &Db, caller: &Caller, id: &ChannelId) -> Result<()> {
    let mut tx = db.begin().await?;
    let (_, channel) = owned::hold::<Channel>(&mut tx, caller, id).await?;
    if let Some(endpoint_app) = &channel.endpoint_app {
        let detail = format!("The channel is bound to {endpoint_app}. Unbind it first.");
        let refused = Error::new(Code::ChannelBound, detail).with("endpoint_app", endpoint_app);
        return Err(refused.next(format!("berth channel unbind {id}")));
    }
    tx.delete_channel(id).await?;
    if channel.kind.is_wechat()
        && let Some(account) = tx.wechat_account(&channel.app_id).await?
    {
        tx.drop_needless_wechat_account(&account, kept_since(db)).await?;
    }
    concerns(&channel, tx.tell(kind::CHANNEL_DELETED, &channel.id, caller.account.as_str(), &channel));
    tx.commit().await
}

/// One channel.
///
/// # Errors
/// `not-found`, also when the caller may not know of it.
pub async fn get(db: &Db, caller: &Caller, id: &ChannelId) -> Result<Channel> {
    owned::authorise(&mut db.read().await?, caller, id, Action::Read).await
}

/// One page of the channels that the caller may know of and that the query asks for, oldest first (E7).
pub async fn list(db: &Db, caller: &Caller, query: &ChannelQuery) -> Result<Page<Channel>> {
    caller.require_scope(TokenScope::Read)?;
    query.app_id.iter().try_for_each(|app_id| text::name("app_id", app_id, app_id::MAX).map(drop))?;
    let page = query.page();
    let mut tx = db.read().await?;
    if let Some(id) = &query.merchant {
        merchant::authorise(&mut tx, caller, id, Action::Read).await?;
    }
    let spelled = ChannelQuery { app_id: query.app_id.as_deref().map(spelled_app_id), ..query.clone() };
    let items = tx.channels_known_to(caller, &spelled, &page).await?;
    Ok(Page::of(items, &page, |channel| channel.id.to_string()))
}
