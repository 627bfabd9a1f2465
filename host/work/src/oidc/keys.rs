//! The keys that sign ID tokens: made when the first is needed, sealed like all secrets, and replaced by an admin.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth_base::{
    error::{Error, Result},
    ids::Digest,
};
use berth_model::{
    event::{self, kind},
    oidc::{Jwk, Jwks, OidcKeyRotated, SIGN_ON_SECONDS},
};
use berth_store::{Db, SigningKey, Tx};
use serde::{Serialize, de::DeserializeOwned};

use super::Issuer;
use crate::jose;

/// The keys by which ID tokens are verified, the one that signs first.
///
/// # Errors
/// `secret-sealed` when this host cannot open one.
pub async fn jwks(db: &Db) -> Result<Jwks> {
    let mut keys = db.read().await?.signing_keys().await?;
    // A client may ask before the first login.
    if keys.first().is_none_or(|key| key.ends_at.is_some()) {
        let mut tx = db.begin().await?;
        signing(&mut tx).await?;
        keys = tx.signing_keys().await?;
        tx.commit().await?;
    }
    Ok(Jwks { keys: keys.iter().map(jwk).collect::<Result<_>>()? })
}

fn jwk(key: &SigningKey) -> Result<Jwk> {
    let point = jose::public(&key.pkcs8)?;
    let coordinate = |from: usize| URL_SAFE_NO_PAD.encode(&point[from..from + 32]);
    Ok(Jwk {
        kty: "EC".into(),
        crv: "P-256".into(),
        r#use: "sig".into(),
        alg: "ES256".into(),
        kid: key.kid.clone(),
        x: coordinate(1),
        y: coordinate(33),
    })
}

/// The key that signs, which is made when there is none. Only in a transaction that writes.
async fn signing(tx: &mut Tx) -> Result<SigningKey> {
    if let Some(key) = present(tx).await? {
        return Ok(key);
    }
    make(tx).await?;
    let made = present(tx).await?;
    made.ok_or_else(|| Error::internal(anyhow::anyhow!("a key was made that signs ID tokens, and it is not there")))
}

async fn present(tx: &mut Tx) -> Result<Option<SigningKey>> {
    Ok(tx.signing_keys().await?.into_iter().next().filter(|key| key.ends_at.is_none()))
}

async fn make(tx: &mut Tx) -> Result<()> {
    let pkcs8 = jose::generate()?;
    // What names a key follows from it, so no two have the same name.
    let kid = Digest::of(&jose::public(&pkcs8)?).as_str()[..16].to_owned();
    tx.insert_signing_key(&kid, &pkcs8).await
}

/// Signs an ID token. Only in a transaction that writes.
///
/// # Errors
/// `secret-sealed` when this host cannot open the key.
pub(super) async fn sign(tx: &mut Tx, claims: &impl Serialize) -> Result<String> {
    let key = signing(tx).await?;
    jose::sign(&key.kid, &key.pkcs8, claims)
}

/// What an ID token of this host says; `None` when it is none of this form, or its key is not served any more. That it has expired does
/// not matter: it only says who is meant.
///
/// # Errors
/// `secret-sealed` when this host cannot open the keys.
pub(super) async fn hinted<T: DeserializeOwned + Clone>(
    tx: &mut Tx,
    issuer: &Issuer,
    token: &str,
) -> Result<Option<T>> {
    let Some(kid) = jose::kid(token) else { return Ok(None) };
    let keys = tx.signing_keys().await?;
    let Some(key) = keys.iter().find(|key| key.kid == kid) else { return Ok(None) };
    Ok(jose::verify(token, &jose::public(&key.pkcs8)?, issuer.as_str()))
}

/// Lets another key sign ID tokens from now on. The former one is served as long as a sign-on may last, so that clients
/// verify what it has signed, and know whom they log out; `at_once` it is not served any more, as when it is in wrong hands.
///
/// # Errors
/// Those of the database.
#[tracing::instrument(name = "oidc_key.rotate", skip_all)]
pub async fn rotate(db: &Db, at_once: bool) -> Result<OidcKeyRotated> {
    let mut tx = db.begin().await?;
    let ends_at = if at_once { tx.now() } else { tx.now().plus_seconds(SIGN_ON_SECONDS) };
    let former = tx.retire_signing_key(ends_at).await?;
    let key = signing(&mut tx).await?;
    let rotated = OidcKeyRotated { kid: key.kid, former_ends_at: former.as_ref().map(|_| ends_at), former };
    tx.tell(kind::OIDC_KEY_ROTATED, &rotated.kid, event::BERTH, &rotated);
    tx.commit().await?;
    Ok(rotated)
}
