//! Sessions that there are: list them, end them, forget those that have ended.

use std::time::Duration;

use berth_base::{
    error::{Error, Result},
    ids::{TokenId, UserId},
};
use berth_model::{
    access::{Action, Caller, Scope, Session, SessionEnd, SessionEnded, SessionQuery, TokenScope},
    event::kind,
};
use berth_store::{Db, Expiring, Tx};
use futures_util::FutureExt;

use crate::{
    beat,
    forget::{expired, in_batches},
};

/// The sessions of the caller's account that have not ended, newest first; of another account for admins of the platform.
///
/// # Errors
/// `missing-grant`.
pub async fn sessions(db: &Db, caller: &Caller, query: &SessionQuery) -> Result<Vec<Session>> {
    caller.require_scope(TokenScope::Read)?;
    let account = query.account.as_ref().unwrap_or(&caller.account);
    if *account != caller.account {
        caller.require(Action::Administer, &Scope::Platform)?;
    }
    db.read().await?.sessions_of(account, Some(&caller.token)).await
}

/// Ends a session of the caller's account; an admin of the platform may end any. Ending it again does nothing.
///
/// # Errors
/// `not-found` for a session of somebody else; `missing-grant` for a token that ends another session than itself and may not.
#[tracing::instrument(name = "session.end", skip_all, fields(session = %id))]
pub async fn end_session(db: &Db, caller: &Caller, id: &TokenId) -> Result<()> {
    let mut tx = db.begin().await?;
    let session = tx.session(id).await?.filter(|one| one.account == caller.account || caller.is_platform_admin());
    let session = session.ok_or_else(|| Error::not_found("session", id))?;
    let is_own = session.id == caller.token;
    if !is_own {
        caller.require_scope(TokenScope::Manage)?;
    }
    let cause = if is_own { SessionEnd::SignedOut } else { SessionEnd::Hand };
    end(&mut tx, &session, caller.account.as_str(), cause).await?;
    tx.commit().await
}

/// Ends a session, and tells of it unless it was ended before.
pub(super) async fn end(tx: &mut Tx, session: &Session, actor: &str, cause: SessionEnd) -> Result<()> {
    if tx.revoke_token(&session.id, tx.now()).await? {
        let told = SessionEnded { account: session.account.clone(), cause };
        tx.tell(kind::SESSION_ENDED, &session.id, actor, &told);
    }
    Ok(())
}

/// Ends the sessions of an account but for `keep`.
pub(super) async fn end_all(
    tx: &mut Tx,
    account: &UserId,
    keep: Option<&TokenId>,
    actor: &str,
    cause: SessionEnd,
) -> Result<()> {
    for session in tx.sessions_of(account, None).await?.iter().filter(|one| Some(&one.id) != keep) {
        end(tx, session, actor, cause).await?;
    }
    Ok(())
}

/// The pause between two rounds of forgetting.
const EVERY: Duration = Duration::from_secs(3600);
/// For how many seconds what has ended is kept, so that those who look for it find it.
const KEPT: i64 = 30 * 24 * 3600;

/// Forgets sessions and invitations a month after they have ended, in an endless loop. They are void by the clock; this only
/// frees the room.
pub async fn run_forgetter(db: Db) {
    beat::every(EVERY, "sessions and invitations that have ended could not be forgotten; later again", || forget(&db))
        .await;
}

/// Deletes what has ended a month ago.
#[tracing::instrument(name = "sessions.forget", skip_all)]
async fn forget(db: &Db) -> Result<()> {
    expired(db, &Expiring::INVITATIONS, KEPT).await?;
    in_batches(db, |tx, most| tx.forget_sessions(tx.now().plus_seconds(-KEPT), most).boxed()).await.map(drop)
}
