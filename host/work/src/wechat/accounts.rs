//! Access tokens of WeChat accounts: stored sealed, shared by all hosts, and renewed early by one of them.

use std::time::Duration;

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    secret::Secret,
};
use berth_store::{
    Db, Lease,
    wechat::{ABOUT_ACCESS, ABOUT_GRANT, Account, NewGrant},
};

use super::{Platform, Refusal};
use crate::wechat::client;

/// Seconds before its end at which a token is renewed. A token lasts 7200 seconds, and the older one stays valid for
/// five minutes after a renewal.
pub(crate) const EARLY: i64 = 600;

/// Seconds of remaining validity below which a token is not used any more.
const SHORT: i64 = 10;

/// When the token of an account that has none is renewed: at the end of the year 9999.
const NEVER: Millis = Millis(253_402_300_799_000);

/// How long a host waits for another one that is renewing the token.
const PATIENCE: Duration = Duration::from_secs(10);

/// An access token, with which calls to WeChat are made.
pub struct Access {
    /// The access token.
    pub token: Secret,
    expires_at: Millis,
}

/// Why something that involves WeChat did not succeed.
#[derive(Debug)]
pub enum Failure {
    /// WeChat refused it, or could not be reached.
    Refused(Refusal),
    /// This host failed.
    Host(Error),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Host(error)
    }
}

fn opened(db: &Db, account: &Account) -> Result<Option<Access>> {
    let usable = account.access_expires_at > db.now().plus_seconds(SHORT);
    let Some(sealed) = account.access_sealed.as_deref().filter(|_| usable) else { return Ok(None) };
    let token = db.seal().open_text(sealed, &about(ABOUT_ACCESS, &account.app_id))?.into();
    Ok(Some(Access { token, expires_at: account.access_expires_at }))
}

fn is_fresh(account: &Account, now: Millis) -> bool {
    account.access_sealed.is_some() && account.access_expires_at > now.plus_seconds(EARLY)
}

fn about(what: &str, app_id: &str) -> String {
    format!("{what}:{app_id}")
}

/// Seals what was granted to `app_id`: the ticket of the platform, or the refresh token of an account.
///
/// # Errors
/// Failures of sealing.
fn seal_grant(db: &Db, app_id: &str, grant: &Secret, granted_at: Millis) -> Result<NewGrant> {
    Ok(NewGrant {
        app_id: app_id.to_owned(),
        grant_sealed: db.seal().seal(grant.expose().as_bytes(), &about(ABOUT_GRANT, app_id))?,
        granted_at,
        access_sealed: None,
        access_expires_at: Millis(0),
        scopes: vec![],
    })
}

/// Seals what a merchant granted, together with its first access token.
///
/// # Errors
/// Failures of sealing.
pub(crate) fn seal_authorization(db: &Db, granted: &client::Authorization) -> Result<NewGrant> {
    let app_id = &granted.authorizer_appid;
    let access = granted.authorizer_access_token.expose().as_bytes();
    let grant = seal_grant(db, app_id, &granted.authorizer_refresh_token, db.now())?;
    let until = match (granted.has_tokens(), access.is_empty()) {
        (false, _) => NEVER,
        (true, true) => Millis(0),
        (true, false) => db.now().plus_seconds(granted.expires_in),
    };
    Ok(NewGrant {
        access_sealed: Some(db.seal().seal(access, &about(ABOUT_ACCESS, app_id))?),
        access_expires_at: until,
        scopes: granted.func_info.iter().map(|func| func.funcscope_category.id).collect(),
        ..grant
    })
}

/// Stores the platform's ticket, which WeChat wrote at `at`.
///
/// # Errors
/// Failures of sealing and of the database.
pub(crate) async fn keep_ticket(db: &Db, platform: &Platform, ticket: &Secret, at: Millis) -> Result<()> {
    let grant = seal_grant(db, &platform.app_id, ticket, at)?;
    let mut tx = db.begin().await?;
    tx.grant_wechat_account(&grant).await?;
    tx.commit().await
}

/// An access token of the account `app_id`, or of the platform itself. It is renewed when it expires soon.
///
/// # Errors
/// A [`Refusal`] when there is no usable token and WeChat gives none; failures of this host.
pub async fn access(db: &Db, platform: &Platform, app_id: &str) -> Result<Access, Failure> {
    let account = db.read().await?.wechat_account(app_id).await?;
    let missing = if app_id == platform.app_id { Refusal::Ticket(0) } else { Refusal::Revoked(0) };
    let account = account.filter(|account| account.grant_sealed.is_some()).ok_or(missing)?;
    if account.access_expires_at == NEVER {
        return Err(Refusal::NotGranted(0).into());
    }
    if is_fresh(&account, db.now()) {
        return opened(db, &account)?.ok_or(Refusal::Busy.into());
    }
    match renew(db, platform, &account).await {
        Ok(access) => Ok(access),
        // What is left of the old token serves until WeChat gives a new one.
        Err(failure) => opened(db, &account)?.ok_or(failure),
    }
}

/// Does `call` with the platform's own token; see [`with_token`].
///
/// # Errors
/// As for [`with_token`].
pub(crate) async fn with_platform_token<T, F>(
    db: &Db,
    platform: &Platform,
    call: impl Fn(Secret) -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Refusal>>,
{
    with_token(db, platform, &platform.app_id, call).await
}

/// Does `call` with the token of an account, and once more with a new token when WeChat says that the first one has
/// expired.
///
/// # Errors
/// What WeChat refuses; failures of this host.
pub(crate) async fn with_token<T, F>(
    db: &Db,
    platform: &Platform,
    app_id: &str,
    call: impl Fn(Secret) -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Refusal>>,
{
    let first = access(db, platform, app_id).await?;
    match call(first.token).await {
        Err(Refusal::TokenExpired(_)) => {}
        answer => return Ok(answer?),
    }
    let mut tx = db.begin().await?;
    tx.expire_wechat_access(app_id, first.expires_at).await?;
    tx.commit().await?;
    let second = access(db, platform, app_id).await?;
    Ok(call(second.token).await?)
}

/// Renews the token of an account under its lease, or waits for the host that has the lease. The caller has to act on a
/// final refusal. The future is boxed, as renewing an account's token needs the platform's token, which may need
/// renewing too.
pub(crate) fn renew<'a>(
    db: &'a Db,
    platform: &'a Platform,
    account: &'a Account,
) -> futures_util::future::BoxFuture<'a, Result<Access, Failure>> {
    Box::pin(async move {
        let now = db.now();
        if account.retry_at > now {
            return Err(Refusal::Busy.into());
        }
        let mut tx = db.begin().await?;
        let leased = tx.lease_wechat_account(account, &Lease::of(db, platform.lease_seconds)).await?;
        tx.commit().await?;
        if !leased {
            return renewed_elsewhere(db, account).await;
        }
        match ask(db, platform, account).await {
            Ok(fresh) => record(db, account, fresh).await,
            Err(failure) => Err(give_up(db, account, failure).await?),
        }
    })
}

struct Fresh {
    token: Secret,
    expires_in: i64,
    grant: Option<Secret>,
}

async fn ask(db: &Db, platform: &Platform, account: &Account) -> Result<Fresh, Failure> {
    let sealed = account.grant_sealed.as_deref().unwrap_or_default();
    let grant: Secret = db.seal().open_text(sealed, &about(ABOUT_GRANT, &account.app_id))?.into();
    let (client, own) = (&platform.client, &platform.app_id);
    if account.app_id == *own {
        let fresh = client.component_token(own, &platform.secret, &grant).await?;
        return Ok(Fresh { token: fresh.component_access_token, expires_in: fresh.expires_in, grant: None });
    }
    let grant = &grant;
    let call = |token: Secret| async move { client.account_token(&token, own, &account.app_id, grant).await };
    let fresh = with_platform_token(db, platform, call).await?;
    let next = Some(fresh.authorizer_refresh_token);
    Ok(Fresh { token: fresh.authorizer_access_token, expires_in: fresh.expires_in, grant: next })
}

async fn record(db: &Db, account: &Account, fresh: Fresh) -> Result<Access, Failure> {
    let id = &account.app_id;
    let access = db.seal().seal(fresh.token.expose().as_bytes(), &about(ABOUT_ACCESS, id))?;
    let grant =
        fresh.grant.map(|grant| db.seal().seal(grant.expose().as_bytes(), &about(ABOUT_GRANT, id))).transpose()?;
    let expires_at = db.now().plus_seconds(fresh.expires_in);
    let mut tx = db.begin().await?;
    // A newer ticket or grant came meanwhile. The token is good all the same; whoever asks next renews with the newer one.
    if !tx.renew_wechat_account(account, grant.as_deref(), &access, expires_at).await? {
        tracing::debug!(app_id = %id, "a renewed WeChat token was not kept: the grant changed meanwhile");
        tx.postpone_wechat_account(id, db.host(), db.now()).await?;
    }
    tx.release_wechat_account(id, db.host()).await?;
    tx.commit().await?;
    Ok(Access { token: fresh.token, expires_at })
}

/// Gives up the lease and sets a pause, which doubles with each attempt, until the token may be asked for again.
/// Returns `failure`.
async fn give_up(db: &Db, account: &Account, failure: Failure) -> Result<Failure> {
    let pause = match &failure {
        Failure::Refused(Refusal::RateLimited(_)) => 60 << account.attempts.clamp(0, 6),
        _ => 2 << account.attempts.clamp(0, 5),
    };
    let mut tx = db.begin().await?;
    tx.postpone_wechat_account(&account.app_id, db.host(), db.now().plus_seconds(pause)).await?;
    tx.release_wechat_account(&account.app_id, db.host()).await?;
    tx.commit().await?;
    Ok(failure)
}

/// Waits until the host that has the lease has renewed the token; `Busy` when that takes too long.
async fn renewed_elsewhere(db: &Db, account: &Account) -> Result<Access, Failure> {
    let look = async {
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let now = db.read().await?.wechat_account(&account.app_id).await?;
            let changed = now.filter(|now| now.access_expires_at != account.access_expires_at);
            if let Some(access) = changed.map(|now| opened(db, &now)).transpose()?.flatten() {
                return Ok(access);
            }
        }
    };
    tokio::time::timeout(PATIENCE, look).await.unwrap_or(Err(Refusal::Busy.into()))
}
