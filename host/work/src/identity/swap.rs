//! Swap: the OpenID of a user in one MiniApp for the one in another.

use berth_base::{error::Result, ids::MiniAppId};
use berth_model::{
    app_secret::MiniAppServer,
    identity::{Swap, Swapped, Way},
    user::{OpenId, User},
};
use berth_store::{Db, seal::SecretKey};

use super::active;
use crate::user::{open_id, require_service};

/// Swaps OpenIDs, in the name of the server of a partner. Of OpenIDs that there are not, and of users who have not agreed, it says
/// the same in the same time (F103).
///
/// # Errors
/// `invalid-field` for the request; `not-partners`; `package-off-shelf` for either MiniApp.
pub async fn swap(db: &Db, server: &MiniAppServer, asked: &Swap) -> Result<Swapped> {
    let (other, way) = asked.checked()?;
    let mut tx = db.read().await?;
    let partner = active(&mut tx, other, &server.mini_app).await?;
    require_service(&mut tx, other).await?;
    require_service(&mut tx, &server.mini_app).await?;
    let Some(key) = open_id::key(&mut tx).await? else {
        return Ok(Swapped { open_ids: vec![None; asked.open_ids.len()] });
    };
    let wanted = match way {
        Way::To => &partner.mini_app,
        Way::From => &partner.partner,
    };
    let mut open_ids = Vec::with_capacity(asked.open_ids.len());
    for open_id in &asked.open_ids {
        let user = tx.linked_user(&partner, way, open_id).await?;
        open_ids.push(open_id_of(&key, wanted, user)?);
    }
    Ok(Swapped { open_ids })
}

/// The OpenID of a user. Where there is none, one is computed all the same, for nobody: so a miss takes as long.
fn open_id_of(key: &SecretKey, mini_app: &MiniAppId, user: Option<User>) -> Result<Option<OpenId>> {
    let is_there = user.is_some();
    let user = user.map_or_else(nobody, Ok)?;
    let open_id = open_id::of(key, mini_app, &user)?;
    Ok(is_there.then_some(open_id))
}

/// A user that no host app can have: an account has at least one character.
fn nobody() -> Result<User> {
    Ok(User { host_app: "nobody".parse()?, account: String::new() })
}
