//! Keeps the tokens of WeChat accounts fresh, as long as somebody needs them.

use std::{sync::Arc, time::Duration};

use super::deliver::revoked;
use crate::{
    app::App,
    clock::Millis,
    error::Result,
    wechat::{
        Refusal,
        accounts::{self, Account, Failure},
        config,
    },
};

/// How often accounts are looked at.
const BEAT: Duration = Duration::from_secs(5);
/// Accounts that are renewed in one look.
const BATCH: i64 = 20;
/// Seconds for which the grant of a run that failed or was given up is kept, so that the run can start again from it.
const KEPT: i64 = 7 * 24 * 3600;

/// Renews what ends soon, for ever.
pub async fn run_renewer(app: Arc<App>) {
    if app.wechat.is_none() {
        return;
    }
    loop {
        tokio::time::sleep(BEAT).await;
        if let Err(error) = renew_due(&app).await {
            tracing::warn!(?error, "WeChat tokens could not be renewed; trying again");
        }
    }
}

/// Renews the tokens that end soon.
///
/// # Errors
/// Failures of the database.
pub async fn renew_due(app: &Arc<App>) -> Result<()> {
    let now = app.clock.now();
    let due = app.db.read().await?.wechat_accounts_to_renew(now, now.plus_seconds(accounts::EARLY), BATCH).await?;
    for account in due {
        let (host, app_id) = (app.clone(), account.app_id.clone());
        // WeChat may give a new refresh token, and gives it once.
        match app.unbroken.carry(async move { look_after(&host, &account).await }).await? {
            Ok(()) => {}
            Err(Failure::Refused(refusal)) => {
                tracing::warn!(%app_id, %refusal, "a WeChat token could not be renewed");
            }
            Err(Failure::Host(error)) => return Err(error),
        }
    }
    Ok(())
}

/// Renews an account's token; lets an account go that nobody needs any more, or that the merchant has taken back.
async fn look_after(app: &App, account: &Account) -> Result<(), Failure> {
    let platform = config::required(app.wechat.as_ref())?;
    if account.app_id != platform.app_id {
        let mut tx = app.db.begin().await?;
        if tx.drop_needless_wechat_account(account, kept_since(app)).await? {
            return Ok(tx.commit().await?);
        }
    }
    let done = accounts::renew(app, platform, account).await;
    if let Err(Failure::Refused(Refusal::Revoked(_))) = &done {
        revoked(app, account).await?;
    }
    done.map(drop)
}

/// Runs that ended before this keep no grant.
pub(in crate::endpoint) fn kept_since(app: &App) -> Millis {
    app.clock.now().plus_seconds(-KEPT)
}
