//! How an OpenID follows from the user and the MiniApp.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use berth_base::{
    error::{Error, Result},
    ids::MiniAppId,
};
use berth_model::user::{OpenId, User};
use berth_store::{Tx, seal::SecretKey};

/// The name of the key of OpenIDs among those of the host. To change it would change all OpenIDs.
const KEY: &str = "open-id";

/// The OpenID of a user in a MiniApp. Only in a transaction that writes: the host's key may have to be made for it.
///
/// # Errors
/// `secret-sealed` when this host cannot open its key.
pub async fn make(tx: &mut Tx, mini_app: &MiniAppId, user: &User) -> Result<OpenId> {
    of(&tx.host_key(KEY).await?, mini_app, user)
}

/// The OpenID of a user in a MiniApp; `None` as long as nobody has one, as the host's key was never made.
///
/// # Errors
/// `secret-sealed` when this host cannot open its key.
pub async fn find(tx: &mut Tx, mini_app: &MiniAppId, user: &User) -> Result<Option<OpenId>> {
    key(tx).await?.map(|key| of(&key, mini_app, user)).transpose()
}

/// As [`make`], of whom these parts name together.
///
/// # Errors
/// `secret-sealed` when this host cannot open its key.
pub(crate) async fn make_of_parts(tx: &mut Tx, parts: [&str; 3]) -> Result<OpenId> {
    of_parts(&tx.host_key(KEY).await?, parts)
}

/// What OpenIDs are computed with, for whoever needs several; `None` as long as nobody has one.
///
/// # Errors
/// `secret-sealed` when this host cannot open it.
pub(crate) async fn key(tx: &mut Tx) -> Result<Option<SecretKey>> {
    tx.known_host_key(KEY).await
}

/// The OpenID of a user in a MiniApp.
pub(crate) fn of(key: &SecretKey, mini_app: &MiniAppId, user: &User) -> Result<OpenId> {
    of_parts(key, [mini_app.as_str(), user.host_app.as_str(), &user.account])
}

/// The OpenID of whom these parts name together.
pub(crate) fn of_parts(key: &SecretKey, parts: [&str; 3]) -> Result<OpenId> {
    Ok(OpenId::of_mac(&mac(key, parts)?))
}

/// The HMAC-SHA256 of parts that name somebody together. None of them holds a NUL, so no two have the same text.
pub(super) fn mac(key: &SecretKey, parts: [&str; 3]) -> Result<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes()).map_err(Error::internal)?;
    mac.update(parts.join("\0").as_bytes());
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn f102_k6_open_ids_are_stable_and_each_mini_app_host_app_account_and_key_has_its_own() {
        let open_id = |key: u8, mini_app: &str, host_app: &str, account: &str| {
            let user = User { host_app: host_app.parse().unwrap(), account: account.into() };
            let id = of(&SecretKey::from_bytes([key; 32]), &mini_app.parse().unwrap(), &user).unwrap();
            id.as_str().to_owned()
        };
        let base = open_id(1, "shop", "mall", "alice");
        assert_eq!(base, open_id(1, "shop", "mall", "alice"));
        assert_eq!(
            base, "o86y39bx0698rag6facqpbhg719c",
            "the key of a host never changes, nor does what follows from it"
        );
        let all = [
            base,
            open_id(1, "shop2", "mall", "alice"),
            open_id(1, "shop", "mall2", "alice"),
            open_id(1, "shop", "mall", "alicia"),
            open_id(2, "shop", "mall", "alice"),
            open_id(1, "shop", "mal", "lalice"),
        ];
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }
}
