//! Renews the tokens of WeChat accounts, as long as a channel or a run needs them.

use std::{sync::Arc, time::Duration};

use super::deliver::revoked;
use berth_base::{clock::Millis, error::Result};
use berth_store::{Db, wechat::Account};

use crate::{
    beat,
    endpoint::authorisation::Channels,
    wechat::{
        Refusal,
        accounts::{self, Failure},
        config,
    },
};

/// The pause between two looks for accounts to renew.
const BEAT: Duration = Duration::from_secs(5);
/// How many accounts are renewed in one look.
const BATCH: i64 = 20;
/// Seconds for which the grant of a run that failed or was abandoned is kept, so that the run can start again from it.
const KEPT: i64 = 7 * 24 * 3600;

/// Renews tokens that expire soon, in an endless loop. Returns at once on a host without WeChat's platform.
pub async fn run_renewer(channels: Arc<Channels>) {
    if channels.wechat.is_none() {
        return;
    }
    beat::every(BEAT, "WeChat tokens could not be renewed; trying again", || renew_due(&channels)).await;
}

/// Renews the tokens that expire soon, for a batch of accounts.
///
/// # Errors
/// Failures of the database.
#[tracing::instrument(name = "wechat.renew_due", skip_all)]
pub async fn renew_due(channels: &Arc<Channels>) -> Result<()> {
    let now = channels.db.now();
    let due = channels.db.read().await?.wechat_accounts_to_renew(now, now.plus_seconds(accounts::EARLY), BATCH).await?;
    for account in due {
        let (host, app_id) = (channels.clone(), account.app_id.clone());
        // WeChat may give a new refresh token, and gives it once.
        match channels.unbroken.carry(async move { look_after(&host, &account).await }).await? {
            Ok(()) => {}
            Err(Failure::Refused(refusal)) => {
                tracing::warn!(%app_id, %refusal, "a WeChat token could not be renewed");
            }
            Err(Failure::Host(error)) => return Err(error),
        }
    }
    Ok(())
}

/// Renews an account's token. Deletes an account that nothing needs any more, and ends the grant of one that the
/// merchant revoked.
#[tracing::instrument(name = "wechat.look_after", skip_all, fields(app_id = %account.app_id))]
async fn look_after(channels: &Channels, account: &Account) -> Result<(), Failure> {
    let platform = config::required(channels.wechat.as_ref())?;
    if account.app_id != platform.app_id {
        let mut tx = channels.db.begin().await?;
        if tx.drop_needless_wechat_account(account, kept_since(&channels.db)).await? {
            return Ok(tx.commit().await?);
        }
    }
    let done = accounts::renew(&channels.db, platform, account).await;
    if let Err(Failure::Refused(Refusal::Revoked(_))) = &done {
        revoked(&channels.db, account).await?;
    }
    done.map(drop)
}

/// The grants of runs that ended before this moment are not kept.
pub(in crate::endpoint) fn kept_since(db: &Db) -> Millis {
    db.now().plus_seconds(-KEPT)
}
