//! The OpenIDs by which merchants know visitors (S5).

use berth_base::{
    error::{Error, Result},
    ids::{MerchantId, WechatAppId},
};
use berth_model::official_account::{AccountOpenId, OfficialAccount};
use berth_store::{Tx, seal::SecretKey};

use crate::user::open_id::of_parts;

/// The name of the key among those of the host. To change it would change all OpenIDs at shared accounts.
const KEY: &str = "shared-account-open-id";

/// The OpenID by which `merchant` knows a visitor of the account, whom WeChat calls `open_id`: the same at a private account,
/// and one of the merchant's own at a shared one. Only in a transaction that writes: the host's key may have to be made for it.
///
/// # Errors
/// `secret-sealed` when this host cannot open its key.
pub async fn known_as(
    tx: &mut Tx,
    account: &OfficialAccount,
    merchant: &MerchantId,
    open_id: &AccountOpenId,
) -> Result<AccountOpenId> {
    if !account.is_shared() {
        return Ok(open_id.clone());
    }
    of(&tx.host_key(KEY).await?, &account.app_id, merchant, open_id)
}

/// As [`known_as`], for a visitor who was seen before, which has made the key.
///
/// # Errors
/// `secret-sealed` when this host cannot open its key.
pub async fn still_known_as(
    tx: &mut Tx,
    account: &OfficialAccount,
    merchant: &MerchantId,
    open_id: &AccountOpenId,
) -> Result<AccountOpenId> {
    if !account.is_shared() {
        return Ok(open_id.clone());
    }
    let missing = || Error::internal(anyhow::anyhow!("there are fans of a shared account and no key of OpenIDs"));
    let key = tx.known_host_key(KEY).await?.ok_or_else(missing)?;
    of(&key, &account.app_id, merchant, open_id)
}

fn of(key: &SecretKey, app_id: &WechatAppId, merchant: &MerchantId, open_id: &AccountOpenId) -> Result<AccountOpenId> {
    of_parts(key, [app_id.as_str(), merchant.as_str(), open_id.as_str()]).map(Into::into)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn f102_s5_at_a_shared_account_each_merchant_knows_a_visitor_by_another_open_id() {
        let known = |key: u8, app: char, merchant: &str, open_id: &str| {
            let app_id = format!("wx{}", app.to_string().repeat(16)).parse().unwrap();
            let key = SecretKey::from_bytes([key; 32]);
            let known = of(&key, &app_id, &merchant.parse().unwrap(), &open_id.parse().unwrap()).unwrap();
            known.as_str().to_owned()
        };
        let base = known(1, 'a', "bos-1", "oLVPpjqs9BhvzwPj5A-vTYAX3GLc");
        assert_eq!(base, known(1, 'a', "bos-1", "oLVPpjqs9BhvzwPj5A-vTYAX3GLc"));
        let all = [
            base,
            known(1, 'a', "bos-2", "oLVPpjqs9BhvzwPj5A-vTYAX3GLc"),
            known(1, 'b', "bos-1", "oLVPpjqs9BhvzwPj5A-vTYAX3GLc"),
            known(1, 'a', "bos-1", "oLVPpjqs9BhvzwPj5A-vTYAX3GLd"),
            known(2, 'a', "bos-1", "oLVPpjqs9BhvzwPj5A-vTYAX3GLc"),
        ];
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }
}
