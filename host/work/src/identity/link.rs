//! Links: what users agree to, as the host app's server tells it.

use berth_base::{
    error::Result,
    ids::{HostAppId, MiniAppId},
};
use berth_model::{
    access::{Action, Caller},
    identity::{LinkUser, LinksQuery, UserLink},
    user::{OpenId, User},
};
use berth_store::{Db, LinkedUsers, Tx};

use super::active;
use crate::{
    host_app,
    user::{open_id, require_service, vouched},
};

/// The OpenID of a user in a MiniApp, who is known there from now on and held by this transaction.
async fn known(tx: &mut Tx, mini_app: &MiniAppId, user: &User) -> Result<OpenId> {
    let open_id = open_id::make(tx, mini_app, user).await?;
    tx.note_user(&open_id, mini_app, user).await?;
    Ok(open_id)
}

/// Records that a user agrees that a partner learns who they are in a MiniApp. Who agrees to it already has said nothing new.
///
/// # Errors
/// As for a login code, of both MiniApps; `not-partners` when their teams have not agreed.
#[tracing::instrument(name = "user.link", skip_all, fields(host_app = %id, mini_app = %said.mini_app, partner = %said.partner))]
pub async fn link(db: &Db, caller: &Caller, id: &HostAppId, said: LinkUser) -> Result<UserLink> {
    let mut tx = db.begin().await?;
    let user = both_vouched(&mut tx, caller, id, &said).await?;
    let partner = active(&mut tx, &said.mini_app, &said.partner).await?;
    require_service(&mut tx, &said.mini_app).await?;
    require_service(&mut tx, &said.partner).await?;
    // In one order, so that no two transactions wait for each other.
    let (here, there) = if said.mini_app < said.partner {
        let here = known(&mut tx, &said.mini_app, &user).await?;
        (here, known(&mut tx, &said.partner, &user).await?)
    } else {
        let there = known(&mut tx, &said.partner, &user).await?;
        (known(&mut tx, &said.mini_app, &user).await?, there)
    };
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
    Ok(UserLink { mini_app: said.mini_app, partner: said.partner, linked_at, unlinked_at: None, holds: true })
}

/// The user for whom the host app's server speaks, in both MiniApps.
async fn both_vouched(tx: &mut Tx, caller: &Caller, id: &HostAppId, said: &LinkUser) -> Result<User> {
    vouched(tx, caller, id, &said.partner, &said.account).await?;
    vouched(tx, caller, id, &said.mini_app, &said.account).await
}

/// Records that a user does not agree any more. From then on the partner is told nothing; who had not agreed has nothing to take
/// back.
///
/// # Errors
/// As for [`links`].
#[tracing::instrument(name = "user.unlink", skip_all, fields(host_app = %id, mini_app = %said.mini_app, partner = %said.partner))]
pub async fn unlink(db: &Db, caller: &Caller, id: &HostAppId, said: LinkUser) -> Result<Vec<UserLink>> {
    let mut tx = db.begin().await?;
    let user = speaks_for(&mut tx, caller, id, &said.account).await?;
    if let Some(there) = open_id::find(&mut tx, &said.partner, &user).await? {
        tx.unlink(&there, &said.mini_app).await?;
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
    let user = speaks_for(&mut tx, caller, id, &query.account).await?;
    tx.links_of(&user).await
}

/// The user for whom the host app's server speaks. The MiniApps need not be bound any more: a consent can always be taken back.
async fn speaks_for(tx: &mut Tx, caller: &Caller, id: &HostAppId, account: &str) -> Result<User> {
    let user = User::of(id, account)?;
    host_app::authorise(tx, caller, id, Action::Vouch).await?;
    Ok(user)
}
