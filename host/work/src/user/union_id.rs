//! Union ids: one name of a user in several MiniApps of one team (K10).
//!
//! A team with a shop and a game knows its user twice, by two OpenIDs. Where an admin of it asks for that, MiniApps are told a union id
//! beside the OpenID: the same for a user in all of the team's MiniApps that ask, another one for every team and every host app. It is
//! a MAC under a key of its own, so that who has one of the two names cannot compute the other, and it is not stored.

use berth_base::{
    error::Result,
    ids::{MiniAppId, TeamId},
};
use berth_model::{
    access::{Action, Caller},
    event::kind,
    user::{SetUnion, Union, UnionId, User},
};
use berth_store::{Db, Tx, seal::SecretKey};

use super::open_id;
use crate::mini_app;

/// The name of the key of union ids among those of the host. To change it would change all union ids.
const KEY: &str = "union-id";

/// The union id of a user, if the MiniApp is told it. Only in a transaction that writes: the host's key may have to be made for it.
///
/// # Errors
/// `secret-sealed` when this host cannot open its key.
pub(crate) async fn make(tx: &mut Tx, mini_app: &MiniAppId, user: &User) -> Result<Option<UnionId>> {
    let Some(team) = tx.union_of(mini_app).await? else { return Ok(None) };
    of(&tx.host_key(KEY).await?, &team, user).map(Some)
}

/// As [`make`]; `None` as well as long as nobody has one, as the host's key was never made.
///
/// # Errors
/// `secret-sealed` when this host cannot open its key.
pub(crate) async fn find(tx: &mut Tx, mini_app: &MiniAppId, user: &User) -> Result<Option<UnionId>> {
    let Some(team) = tx.union_of(mini_app).await? else { return Ok(None) };
    tx.known_host_key(KEY).await?.map(|key| of(&key, &team, user)).transpose()
}

fn of(key: &SecretKey, team: &TeamId, user: &User) -> Result<UnionId> {
    Ok(UnionId::of_mac(&open_id::mac(key, [team.as_str(), user.host_app.as_str(), &user.account])?))
}

/// Whether a MiniApp is told union ids, for members of its team.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn union(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<Union> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    present(&mut tx, id).await
}

async fn present(tx: &mut Tx, id: &MiniAppId) -> Result<Union> {
    Ok(Union { mini_app: id.clone(), on: tx.union_of(id).await?.is_some() })
}

/// Sets whether a MiniApp is told union ids, for admins of its team. Setting what is set already changes nothing.
///
/// # Errors
/// `not-found`; `missing-grant`.
#[tracing::instrument(name = "union_id.set", skip_all, fields(mini_app = %id))]
pub async fn set_union(db: &Db, caller: &Caller, id: &MiniAppId, set: &SetUnion) -> Result<Union> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, id, Action::Configure).await?;
    let before = present(&mut tx, id).await?;
    if before.on == set.on {
        return Ok(before);
    }
    tx.set_union(id, set.on).await?;
    let after = Union { on: set.on, ..before };
    tx.tell(kind::UNION_ID_SET, id, caller.account.as_str(), &after).for_mini_app(id);
    tx.commit().await?;
    Ok(after)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn k10_each_team_host_app_account_and_key_has_its_own_union_id() {
        let team = |number: u8| format!("team_0000000000000000000000000{number}").parse().unwrap();
        let union_id = |key: u8, number: u8, host_app: &str, account: &str| {
            let user = User { host_app: host_app.parse().unwrap(), account: account.into() };
            of(&SecretKey::from_bytes([key; 32]), &team(number), &user).unwrap().as_str().to_owned()
        };
        let base = union_id(1, 1, "mall", "alice");
        assert_eq!(base, union_id(1, 1, "mall", "alice"));
        let all = [
            base,
            union_id(1, 2, "mall", "alice"),
            union_id(1, 1, "mall2", "alice"),
            union_id(1, 1, "mall", "alicia"),
            union_id(2, 1, "mall", "alice"),
        ];
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }
}
