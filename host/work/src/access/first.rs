//! The first admin, and tokens for whoever has the host's machine.

use berth_base::{error::Result, ids::UserId};
use berth_model::access::{IssuedToken, NewAccount, NewToken, Role, Scope};
use berth_model::event::kind;
use berth_store::{Db, Tx};

use berth_model::event;

/// Creates an admin and a token for an installation that has no members yet. Returns `None` when there are some.
pub async fn first_admin(db: &Db) -> Result<Option<IssuedToken>> {
    let mut tx = db.begin().await?;
    tx.hold_events().await?; // two hosts may start at once
    if !tx.members(&Scope::Platform).await?.is_empty() {
        return Ok(None);
    }
    let issued = admin_token_in(&mut tx).await?;
    tx.commit().await?;
    Ok(Some(issued))
}

/// Issues a token for the first admin of the platform, who is created if there is none. For those who have access to
/// the host's machine.
pub async fn admin_token(db: &Db) -> Result<IssuedToken> {
    let mut tx = db.begin().await?;
    let issued = admin_token_in(&mut tx).await?;
    tx.commit().await?;
    Ok(issued)
}

/// The first admin of the platform whose account can be used. It is created if there is none.
pub(super) async fn first_admin_in(tx: &mut Tx) -> Result<UserId> {
    if let Some(admin) = tx.admins(&Scope::Platform).await?.into_iter().next() {
        return Ok(admin);
    }
    let account = tx.create_account(event::BERTH, &NewAccount { name: "admin".into() }).await?;
    tx.grant(event::BERTH, &account.id, &Scope::Platform, Role::Admin).await?;
    Ok(account.id)
}

async fn admin_token_in(tx: &mut Tx) -> Result<IssuedToken> {
    let account = first_admin_in(tx).await?;
    let new = NewToken { name: "admin".into(), scopes: None, expires_at: None };
    let issued = tx.issue_token(&account, new).await?;
    tx.tell(kind::TOKEN_ISSUED, &issued.token.id, event::BERTH, &issued.token);
    Ok(issued)
}
