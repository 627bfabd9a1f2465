//! Access tokens of official accounts, with which calls in their names are made.

use berth_base::{error::Error, secret::Secret};
use berth_model::official_account::{ActsThrough, OfficialAccount};

use super::{OfficialAccounts, manage::require_channel};
use crate::wechat::{
    Refusal,
    accounts::{Failure, with_token},
};

/// Seconds of remaining validity below which a token is not used any more.
const SHORT: i64 = 60;

/// Does `call` with the access token of an account, and once more with another token when WeChat says that the first one has
/// expired, in which case WeChat has done nothing.
///
/// # Errors
/// What WeChat refuses; `invalid-field` when the account's merchant does not have it authorised any more, whoever has; failures
/// of this host.
pub(super) async fn with_access<T, F>(
    accounts: &OfficialAccounts,
    account: &OfficialAccount,
    call: impl Fn(Secret) -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Refusal>>,
{
    if account.through == ActsThrough::Platform {
        // Grants are kept by app id: this one may have been given for another merchant since.
        require_channel(&mut accounts.db.read().await?, account).await?;
        return with_token(&accounts.db, accounts.platform()?, account.app_id.as_str(), call).await;
    }
    let kept = accounts.db.now().plus_seconds(SHORT);
    let kept = accounts.db.read().await?.official_account_access(&account.app_id, kept).await?;
    if let Some(token) = kept {
        match call(token).await {
            Err(Refusal::TokenExpired(_)) => {}
            answer => return Ok(answer?),
        }
    }
    let token = ask(accounts, account).await?;
    Ok(call(token).await?)
}

/// Asks WeChat for the token, and keeps it for all hosts.
async fn ask(accounts: &OfficialAccounts, account: &OfficialAccount) -> Result<Secret, Failure> {
    let secret = accounts.db.read().await?.official_account_secret(&account.app_id).await?;
    let secret = secret.ok_or_else(|| Error::internal(anyhow::anyhow!("{} has no secret", account.app_id)))?;
    let fresh = accounts.client.stable_token(account.app_id.as_str(), &secret).await?;
    let mut tx = accounts.db.begin().await?;
    let expires_at = tx.now().plus_seconds(fresh.expires_in);
    tx.keep_official_account_access(&account.app_id, &fresh.access_token, expires_at).await?;
    tx.commit().await?;
    Ok(fresh.access_token)
}
