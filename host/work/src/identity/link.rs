//! Links: what users agree to, as the host app's server tells it.

use berth_base::{
    error::{Error, Result},
    ids::{HostAppId, WechatAppId},
};
use berth_model::{
    access::Caller,
    identity::{LinkUser, LinksQuery, UserLink},
};
use berth_store::{Db, Here, LinkedUsers, Tx};

use super::active;
use crate::user::{open_id, require_bound, require_service, spoken_for};

/// Records that a user agrees that a partner learns who they are in a MiniApp. Who agrees to it already has said nothing new.
///
/// Through an official account the user in the MiniApp is the same person there, and need not be one of this host app. Whether
/// there is one is not said, and who comes to be one later is told from then on.
///
/// # Errors
/// As for a login code, of both MiniApps, through an official account of the partner alone; `not-found` for the account;
/// `not-partners` when their teams have not agreed.
#[tracing::instrument(name = "user.link", skip_all, fields(host_app = %id, mini_app = %said.mini_app, partner = %said.partner))]
pub async fn link(db: &Db, caller: &Caller, id: &HostAppId, said: LinkUser) -> Result<UserLink> {
    let mut tx = db.begin().await?;
    let user = spoken_for(&mut tx, caller, id, &said.account).await?;
    require_bound(&mut tx, id, &said.partner).await?;
    match &said.through {
        None => require_bound(&mut tx, id, &said.mini_app).await?,
        Some(app_id) => require_account(&mut tx, app_id).await?,
    }
    let partner = active(&mut tx, &said.mini_app, &said.partner).await?;
    require_service(&mut tx, &said.mini_app).await?;
    require_service(&mut tx, &said.partner).await?;
    let there = open_id::make(&mut tx, &said.partner, &user).await?;
    let here = match &said.through {
        None => Here::OpenId(open_id::make(&mut tx, &said.mini_app, &user).await?),
        Some(app_id) => Here::Through(app_id.clone()),
    };
    let mut held = vec![(&said.partner, &there)];
    if let Here::OpenId(here) = &here {
        held.push((&said.mini_app, here));
    }
    // Held in one order, so that no two transactions wait for each other.
    held.sort_by_key(|(mini_app, _)| *mini_app);
    for (mini_app, open_id) in held {
        tx.note_user(open_id, mini_app, &user).await?;
    }
    let users = LinkedUsers { partner: &partner, there: &there, here: &here };
    let since = tx.linked_since(&users).await?;
    let linked_at = match since.filter(|since| *since >= partner.created_at) {
        Some(since) => since,
        None => {
            tx.unlink(&there, &said.mini_app).await?;
            tx.link(&users).await?;
            tx.now()
        }
    };
    tx.commit().await?;
    let LinkUser { mini_app, partner, through, .. } = said;
    Ok(UserLink { mini_app, partner, through, linked_at, unlinked_at: None, holds: true })
}

async fn require_account(tx: &mut Tx, app_id: &WechatAppId) -> Result<()> {
    let account = tx.official_account(app_id).await?;
    account.map(drop).ok_or_else(|| Error::not_found("official account", app_id))
}

/// Records that a user does not agree any more. From then on the partner is told nothing; who had not agreed has nothing to take
/// back.
///
/// # Errors
/// As for [`links`].
#[tracing::instrument(name = "user.unlink", skip_all, fields(host_app = %id, mini_app = %said.mini_app, partner = %said.partner))]
pub async fn unlink(db: &Db, caller: &Caller, id: &HostAppId, said: LinkUser) -> Result<Vec<UserLink>> {
    let mut tx = db.begin().await?;
    let user = spoken_for(&mut tx, caller, id, &said.account).await?;
    if let Some(there) = open_id::find(&mut tx, &said.partner, &user).await? {
        tx.unlink(&there, &said.mini_app).await?;
    }
    if let Some(here) = open_id::find(&mut tx, &said.mini_app, &user).await? {
        tx.unlink_recognised(&here, &said.mini_app, &said.partner).await?;
    }
    let links = tx.links_of(&user).await?;
    tx.commit().await?;
    Ok(links.into_iter().filter(|link| link.mini_app == said.mini_app && link.partner == said.partner).collect())
}

/// All that a user has agreed to and taken back, oldest first.
///
/// # Errors
/// `invalid-field` for the account; `not-found` for the host app; `missing-grant` for all but its server and its admins.
pub async fn links(db: &Db, caller: &Caller, id: &HostAppId, query: &LinksQuery) -> Result<Vec<UserLink>> {
    let mut tx = db.read().await?;
    let user = spoken_for(&mut tx, caller, id, &query.account).await?;
    tx.links_of(&user).await
}
