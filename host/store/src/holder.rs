//! Who holds a token: read for each request, so that a token which is revoked is void at once on every host. Requests with the
//! same token that wait at the same time share a look at it, which begins after all of them have come.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;
use tracing::Instrument;

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{Digest, TokenId},
};
use berth_model::access::{Role, Scope, ScopeKind, SessionBy, SessionUse, Token};

use crate::{Db, fetch_alone};

/// A token with one of the roles of its account; the role is NULL when the account has none.
#[derive(sqlx::FromRow)]
struct HolderRow {
    #[sqlx(flatten)]
    token: Token,
    disabled_at: Option<Millis>,
    seen_at: Option<Millis>,
    idle_seconds: Option<i64>,
    started_by: Option<SessionBy>,
    from_revoked_at: Option<Millis>,
    confirmed_at: Option<Millis>,
    scope_kind: Option<ScopeKind>,
    scope_id: Option<String>,
    role: Option<Role>,
}

impl HolderRow {
    fn grant(&self) -> Result<Option<(Scope, Role)>> {
        let (Some(kind), Some(id), Some(role)) = (self.scope_kind, &self.scope_id, self.role) else {
            return Ok(None);
        };
        Ok(Some((Scope::parse(kind, id)?, role)))
    }

    fn used(&self) -> Option<SessionUse> {
        let (seen_at, idle_seconds) = self.seen_at.zip(self.idle_seconds)?;
        Some(SessionUse { seen_at, idle_seconds })
    }
}

/// A token, and what decides whether it is good, and for what.
#[derive(Clone)]
pub struct Holder {
    /// The token.
    pub token: Token,
    /// The roles of its account.
    pub grants: Vec<(Scope, Role)>,
    /// Whether the account is disabled.
    pub is_disabled: bool,
    /// When it was used, if it is a session.
    pub session: Option<SessionUse>,
    /// How it was started, if it is a session.
    pub started_by: Option<SessionBy>,
    /// Whether its account has a second factor.
    pub has_second_factor: bool,
    /// Whether the API token is revoked that it was started by, if it is a session that was.
    pub is_cut_off: bool,
}

/// The token that a condition names, whatever its state, and the roles of its account. One statement is a snapshot by
/// itself; a transaction around it would cost each request one round trip.
macro_rules! holder {
    ($db:expr, $condition:literal, $value:expr) => {
        holder(fetch_alone!(
            $db,
            HolderRow,
            concat!(
                "SELECT t.*, a.disabled_at, s.seen_at, s.idle_seconds, s.started_by, f.revoked_at AS from_revoked_at,
                    c.confirmed_at, g.scope_kind, g.scope_id, g.role
                 FROM token t JOIN account a ON a.id = t.account_id
                 LEFT JOIN session s ON s.token_id = t.id LEFT JOIN token f ON f.id = s.from_token_id
                 LEFT JOIN second_factor c ON c.account_id = t.account_id
                 LEFT JOIN role_grant g ON g.account_id = t.account_id WHERE ",
                $condition
            ),
            $value
        )?)
    };
}

fn holder(rows: Vec<HolderRow>) -> Result<Option<Holder>> {
    let grants = rows.iter().filter_map(|row| row.grant().transpose()).collect::<Result<_>>()?;
    Ok(rows.into_iter().next().map(|row| Holder {
        session: row.used(),
        is_disabled: row.disabled_at.is_some(),
        is_cut_off: row.from_revoked_at.is_some(),
        started_by: row.started_by,
        has_second_factor: row.confirmed_at.is_some(),
        token: row.token,
        grants,
    }))
}

type Answer = Result<Option<Holder>>;

/// The requests that wait for a look at a token, by the digest of its secret. A token that is here is being looked at, maybe
/// for requests that came before.
#[derive(Default)]
pub(crate) struct Looks(Mutex<HashMap<Digest, Vec<oneshot::Sender<Answer>>>>);

impl Looks {
    fn all(&self) -> MutexGuard<'_, HashMap<Digest, Vec<oneshot::Sender<Answer>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a request. True when nobody looks at its token yet.
    fn wait(&self, token: &Digest, request: oneshot::Sender<Answer>) -> bool {
        let mut all = self.all();
        let is_first = !all.contains_key(token);
        all.entry(token.clone()).or_default().push(request);
        is_first
    }

    /// All requests that wait for the token; none when the last of them was answered, and nobody looks any more.
    fn take(&self, token: &Digest) -> Vec<oneshot::Sender<Answer>> {
        let mut all = self.all();
        let waiting = all.get_mut(token).map(std::mem::take).unwrap_or_default();
        if waiting.is_empty() {
            all.remove(token);
        }
        waiting
    }
}

impl Db {
    /// The token with this secret, whatever its state, and the roles of its account. The look-up is by digest, so its time
    /// tells nothing of the secret.
    pub async fn holder_of(&self, secret: &str) -> Result<Option<Holder>> {
        let token = Digest::of(secret.as_bytes());
        let (answer, answered) = oneshot::channel();
        if self.looks.wait(&token, answer) {
            // It goes on when this request is dropped, as others wait for it.
            tokio::spawn(self.clone().look(token).in_current_span());
        }
        answered.await.map_err(Error::internal)?
    }

    /// Looks at a token as long as requests wait for it.
    async fn look(self, token: Digest) {
        loop {
            let waiting = self.looks.take(&token);
            if waiting.is_empty() {
                return;
            }
            let (db, of) = (self.clone(), token.clone());
            // A task of its own: should it panic, the requests are answered all the same.
            let found = tokio::spawn(async move { db.holder_by_digest(&of).await }.in_current_span()).await;
            let found = found.map_err(Error::internal).flatten();
            for request in waiting {
                let copy = found.as_ref().map(Clone::clone).map_err(Error::copy);
                let _ = request.send(copy); // whoever does not wait any more needs no answer
            }
        }
    }

    async fn holder_by_digest(&self, token: &Digest) -> Result<Option<Holder>> {
        holder!(self, "t.secret_sha256 = $1", token.as_str())
    }

    /// As [`Db::holder_of`], by the token's id.
    pub async fn holder_by_id(&self, id: &TokenId) -> Result<Option<Holder>> {
        holder!(self, "t.id = $1", id.as_str())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        time::Duration,
    };

    use berth_model::access::IssuedToken;
    use serde_json::json;

    use super::*;
    use crate::testing::fresh;

    async fn issued(db: &Db) -> IssuedToken {
        let mut tx = db.begin().await.unwrap();
        let new = serde_json::from_value(json!({"name": "order system"})).unwrap();
        let account = tx.create_account("test", &new).await.unwrap().id;
        let token = serde_json::from_value(json!({"name": "orders"})).unwrap();
        let issued = tx.issue_token(&account, token).await.unwrap();
        tx.commit().await.unwrap();
        issued
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn f84_a_token_is_void_at_once_however_many_requests_share_a_look_at_it() {
        let fresh = fresh().await;
        let (db, revoked) = (fresh.db.clone(), Arc::new(AtomicBool::new(false)));
        let IssuedToken { token, secret } = issued(&db).await;
        let ask = |_| {
            let (db, secret, revoked) = (db.clone(), secret.clone(), revoked.clone());
            tokio::spawn(async move {
                loop {
                    let late = revoked.load(Ordering::SeqCst);
                    let holder = db.holder_of(&secret).await.unwrap().unwrap();
                    assert!(!late || holder.token.revoked_at.is_some(), "the look began before the request came");
                    if late {
                        return;
                    }
                }
            })
        };
        let asking: Vec<_> = (0..32).map(ask).collect();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut tx = db.begin().await.unwrap();
        assert!(tx.revoke_token(&token.id, tx.now()).await.unwrap());
        tx.commit().await.unwrap();
        revoked.store(true, Ordering::SeqCst);
        for one in asking {
            one.await.unwrap();
        }
        assert!(db.holder_of("berth_unknown").await.unwrap().is_none());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn f60_who_shares_a_look_is_answered_although_others_go_away() {
        let fresh = fresh().await;
        let (db, secret) = (fresh.db.clone(), issued(&fresh.db).await.secret);
        for patience in 0..100 {
            let leave = async {
                for _ in 0..patience {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                biased;
                found = db.holder_of(&secret) => drop(found.unwrap().unwrap()),
                () = leave => {}
            }
            let found = tokio::time::timeout(Duration::from_secs(10), db.holder_of(&secret)).await;
            assert!(found.unwrap().unwrap().is_some());
        }
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if db.looks.all().is_empty() {
                return;
            }
        }
        assert!(db.looks.all().is_empty(), "nothing is kept of tokens that nobody waits for");
    }
}
