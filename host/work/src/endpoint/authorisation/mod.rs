//! Authorising a channel, creating or choosing its endpoint application and binding it, as one run that can be resumed
//! and is never half done (E10).
//!
//! A run goes `started → authorised → granted → (choosing →) bound`, or ends `failed` or `abandoned`. WeChat's code
//! comes by the merchant's browser and by WeChat's push: the first of them is used, once. When a merchant authorises
//! this host on WeChat's own pages, without a run, a known channel is renewed. About an unknown account the event
//! `wechat_account.unclaimed` is emitted; a merchant claims it by starting a run, as nobody's word alone makes it a
//! merchant's.

mod authoriser;
mod bind;
mod channels;
mod deliver;
pub mod push;
mod renew;
mod vouched;
mod wechat;
mod work;

pub use authoriser::{Authoriser, Trouble};
pub use berth_model::endpoint::authorisation::*;
pub use channels::Channels;
pub use deliver::{come_back, page, pushed, revoked, revoked_at};
pub(in crate::endpoint) use renew::kept_since;
pub use renew::{renew_due, run_renewer};
pub use work::{advance, go_on, run};

use std::sync::Arc;

use berth_base::{
    error::{Code, Error, Result},
    ids::{AuthorisationId, MerchantId},
    page::Page,
    secret::Secret,
    text,
};
use berth_model::{
    access::{Action, Caller, Scope, TokenScope},
    endpoint::channel::ChannelKind,
    event::kind,
};
use berth_store::Json;
use berth_store::{Db, Tx, endpoint::authorisation::Authorisation};

use crate::{
    endpoint::{
        app as endpoint_app, channel, instance, merchant,
        owned::{self, Owned},
    },
    mini_app,
};

/// Starts a run and takes it as far as it goes: to the merchant's link, or, for a channel that is vouched for, to the
/// end.
///
/// # Errors
/// `wechat-not-set-up`, `not-found` for another merchant's endpoint application, `invalid-field`. What goes wrong in
/// later steps is shown in the run.
#[tracing::instrument(name = "authorisation.start", skip_all, fields(merchant = %new.merchant))]
pub async fn start(channels: &Arc<Channels>, caller: &Caller, new: NewAuthorisation) -> Result<AuthorisationView> {
    let mut tx = channels.db.begin().await?;
    let merchant = merchant::authorise_change(&mut tx, caller, &new.merchant, Action::Operate).await?;
    let mut flow = Authorisation::new(&tx, &merchant.id, new.kind, caller.account.as_str());
    flow.vouched = new.vouched.map(|vouched| checked(new.kind, vouched)).transpose()?.map(Json);
    if let Some(vouched) = flow.vouched.as_ref().filter(|_| new.kind == ChannelKind::MiniApp) {
        mini_app::authorise(&mut tx, caller, &vouched.app_id.parse()?, Action::Develop).await?;
    }
    require_way(channels, &flow)?;
    if let Some(target) = &new.endpoint_app {
        check_target(&mut tx, caller, &flow, target).await?;
    }
    flow.target = new.endpoint_app.map(Json);
    tx.insert_authorisation(&flow).await?;
    flow.tell_stage(&mut tx, caller.account.as_str());
    tx.commit().await?;
    advance(channels, &flow.id).await?;
    get(channels, caller, &flow.id).await
}

/// Refuses a run that cannot go on: WeChat's kinds need `vouched` or the third-party platform and this host's public
/// address, all others need `vouched`.
fn require_way(channels: &Channels, flow: &Authorisation) -> Result<()> {
    match flow.kind {
        ChannelKind::WechatMiniProgram | ChannelKind::WechatOfficialAccount if flow.vouched.is_none() => {
            wechat::public_url(wechat::required(channels.wechat.as_ref())?).map(drop)
        }
        _ if flow.vouched.is_none() => {
            Err(Error::field("vouched", "say which channel it is: its app_id and its name."))
        }
        _ => Ok(()),
    }
}

fn checked(kind: ChannelKind, vouched: Vouched) -> Result<Vouched> {
    let app_id = channel::check_app_id(kind, &vouched.app_id)?;
    Ok(Vouched { app_id, name: text::name("name", &vouched.name, 64)? })
}

/// Checks the target as far as it can be known now, so that mistakes are told at once and not after the merchant has
/// authorised.
async fn check_target(tx: &mut Tx, caller: &Caller, flow: &Authorisation, target: &Target) -> Result<()> {
    match target {
        Target::Id(id) => {
            let owner = tx.endpoint_app(id).await?.map(|endpoint| endpoint.merchant);
            if owner.as_ref() != Some(&flow.merchant) {
                return Err(Error::not_found("endpoint application", id));
            }
        }
        Target::New(new) => {
            let name = text::name("name", &new.name, 64)?;
            endpoint_app::refuse_same_name(tx, &flow.merchant, &name, None).await?;
            endpoint_app::require_some(new.products.len())?;
            instance::refuse_foreign(tx, caller, &flow.merchant, &new.products).await?;
        }
    }
    Ok(())
}

impl Owned for Authorisation {
    const WHAT: &'static str = "channel authorisation";
    type Id = AuthorisationId;

    async fn load(tx: &mut Tx, id: &AuthorisationId) -> Result<Option<Self>> {
        tx.authorisation(id).await
    }

    fn merchant(&self) -> &MerchantId {
        &self.merchant
    }
}

/// One run. Its link is shown only to callers who may operate what the merchant owns.
pub async fn get(channels: &Channels, caller: &Caller, id: &AuthorisationId) -> Result<AuthorisationView> {
    let flow: Authorisation = owned::authorise(&mut channels.db.read().await?, caller, id, Action::Read).await?;
    let mut view = flow.view();
    if caller.can(Action::Operate, &Scope::Merchant(flow.merchant.clone())) {
        view.url = link(channels, &flow)?;
    }
    Ok(view)
}

fn link(channels: &Channels, flow: &Authorisation) -> Result<Option<String>> {
    let (Some(sealed), Some(platform)) = (&flow.link_sealed, &channels.wechat) else { return Ok(None) };
    let state: Secret = deliver::open_link(&channels.db, &flow.id, sealed)?.state.into();
    wechat::own_page(platform, &state).map(Some)
}

/// One page of the runs that the caller may know of and that the query asks for, oldest first, without their links.
pub async fn list(db: &Db, caller: &Caller, query: &AuthorisationQuery) -> Result<Page<AuthorisationView>> {
    caller.require_scope(TokenScope::Read)?;
    let page = query.page();
    let mut tx = db.read().await?;
    if let Some(id) = &query.merchant {
        merchant::authorise(&mut tx, caller, id, Action::Read).await?;
    }
    let items = tx.authorisations_known_to(caller, query, &page).await?;
    let items = items.iter().map(Authorisation::view).collect();
    Ok(Page::of(items, &page, |view: &AuthorisationView| view.id.to_string()))
}

/// Chooses the endpoint application of a run. When the grant is there already, the channel is bound at once; a run that
/// failed or was abandoned is started again.
///
/// # Errors
/// Whatever refuses the endpoint application or the binding: the run then waits on, unchanged. `authorisation-state`
/// when it is bound.
#[tracing::instrument(name = "authorisation.choose", skip_all, fields(authorisation = %id))]
pub async fn choose(
    channels: &Arc<Channels>,
    caller: &Caller,
    id: &AuthorisationId,
    target: Target,
) -> Result<AuthorisationView> {
    let mut tx = channels.db.begin().await?;
    let (merchant, mut flow) = owned::hold::<Authorisation>(&mut tx, caller, id).await?;
    check_target(&mut tx, caller, &flow, &target).await?;
    let before = flow.target.replace(Json(target.clone()));
    let another = before != flow.target;
    tx.set_authorisation_target(&flow).await?;
    match flow.stage.0.clone() {
        Stage::Choosing { grant } => {
            bind::bind_in(&mut tx, channels, caller.account.as_str(), &merchant, &flow, &grant, &target).await?;
        }
        stage if stage.is_open() => {
            if another {
                flow.tell(&mut tx, kind::CHANNEL_AUTHORISATION_TARGET_CHOSEN, caller.account.as_str());
            }
        }
        stage => {
            let stage = stage.restarted()?;
            tx.move_authorisation(caller.account.as_str(), flow, stage).await?;
        }
    }
    tx.commit().await?;
    advance(channels, id).await?;
    get(channels, caller, id).await
}

/// Starts a run again: from its grant when it has one, else with a new link. With `take`, a channel that is bound to
/// another endpoint application is moved to that of the run at once.
///
/// # Errors
/// `authorisation-state` while the run goes on by itself, while it waits for a choice, and when it is bound; with `take`,
/// whatever refuses the endpoint application or the binding, and then nothing is changed.
#[tracing::instrument(name = "authorisation.restart", skip_all, fields(authorisation = %id))]
pub async fn restart(
    channels: &Arc<Channels>,
    caller: &Caller,
    id: &AuthorisationId,
    restart: Restart,
) -> Result<AuthorisationView> {
    let (mut tx, actor) = (channels.db.begin().await?, caller.account.as_str());
    let (merchant, flow) = owned::hold::<Authorisation>(&mut tx, caller, id).await?;
    let stage = flow.stage.0.clone().restarted()?;
    let flow = tx.move_authorisation(actor, flow, stage).await?;
    if restart.take {
        bind::take_in(&mut tx, channels, actor, &merchant, &flow).await?;
    }
    tx.commit().await?;
    advance(channels, id).await?;
    get(channels, caller, id).await
}

/// Gives up the runs of a channel that failed, as it is bound now, or another run of it has begun. One that somebody has
/// just changed is left to them: what a run gets of WeChat, it gets once, and is not lost for that.
pub(in crate::endpoint) async fn close_failed(
    tx: &mut Tx,
    actor: &str,
    merchant: &MerchantId,
    kind: ChannelKind,
    app_id: &str,
) -> Result<()> {
    for flow in tx.failed_authorisations(merchant, kind, app_id).await? {
        let stage = flow.stage.0.clone().abandoned(actor)?;
        match tx.move_authorisation(actor, flow, stage).await {
            Err(error) if error.code != Code::AuthorisationState => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Abandons a run, or gives up one that failed.
///
/// # Errors
/// `authorisation-state` when the run is bound or abandoned already.
#[tracing::instrument(name = "authorisation.abandon", skip_all, fields(authorisation = %id))]
pub async fn abandon(db: &Db, caller: &Caller, id: &AuthorisationId) -> Result<AuthorisationView> {
    let mut tx = db.begin().await?;
    let flow: Authorisation = owned::authorise(&mut tx, caller, id, Action::Operate).await?;
    let actor = caller.account.as_str();
    let stage = flow.stage.0.clone().abandoned(actor)?;
    let flow = tx.move_authorisation(actor, flow, stage).await?;
    tx.commit().await?;
    Ok(flow.view())
}
