//! The first admin, and tokens for whoever has the host's machine.

use berth_base::error::Result;
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

async fn admin_token_in(tx: &mut Tx) -> Result<IssuedToken> {
    let account = match tx.members(&Scope::Platform).await?.into_iter().next() {
        Some(admin) => admin.account,
        None => {
            let account = tx.create_account(event::BERTH, &NewAccount { name: "admin".into() }).await?;
            tx.grant(event::BERTH, &account.id, &Scope::Platform, Role::Admin).await?;
            account.id
        }
    };
    let new = NewToken { name: "admin".into(), scopes: None, expires_at: None };
    let issued = tx.issue_token(&account, new).await?;
    tx.tell(kind::TOKEN_ISSUED, &issued.token.id, event::BERTH, &issued.token);
    Ok(issued)
}
