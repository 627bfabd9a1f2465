//! The keys that sign ID tokens, sealed like all secrets.

use zeroize::Zeroizing;

use berth_base::{clock::Millis, error::Result};

use crate::{Tx, execute, fetch};

/// What a sealed signing key is about.
pub const ABOUT_SIGNING_KEY: &str = "oidc-key";

/// A key that signs ID tokens, or did.
pub struct SigningKey {
    /// Its name.
    pub kid: String,
    /// The key, as PKCS #8.
    pub pkcs8: Zeroizing<Vec<u8>>,
    /// Until when a former one is served; absent of the one that signs.
    pub ends_at: Option<Millis>,
}

type KeyRow = (String, String, Option<Millis>);

impl Tx {
    /// The keys that are served: the one that signs, if one was made, and then former ones.
    ///
    /// # Errors
    /// `secret-sealed` when this host cannot open one.
    pub async fn signing_keys(&mut self) -> Result<Vec<SigningKey>> {
        let now = self.now();
        let rows = fetch!(
            self,
            fetch_all,
            KeyRow,
            "SELECT kid, key_sealed, ends_at FROM oidc_key WHERE ends_at IS NULL OR ends_at > $1
             ORDER BY CASE WHEN ends_at IS NULL THEN 0 ELSE 1 END, ends_at DESC",
            now
        )?;
        let open = |(kid, sealed, ends_at): KeyRow| {
            let pkcs8 = Zeroizing::new(self.seal().open(&sealed, &about(&kid))?);
            Ok(SigningKey { kid, pkcs8, ends_at })
        };
        rows.into_iter().map(open).collect()
    }

    /// Adds the key that signs from now on. Where there is one already nothing is done: of several hosts, one is first.
    pub async fn insert_signing_key(&mut self, kid: &str, pkcs8: &[u8]) -> Result<()> {
        let now = self.now();
        let sealed = self.seal().seal(pkcs8, &about(kid))?;
        execute!(
            self,
            "INSERT INTO oidc_key (kid, key_sealed, made_at, ends_at) VALUES ($1, $2, $3, NULL) ON CONFLICT DO NOTHING",
            kid,
            &sealed,
            now
        )?;
        Ok(())
    }

    /// Lets the key that signs be a former one, which is served until then. Returns its name, if there was one.
    pub async fn retire_signing_key(&mut self, ends_at: Millis) -> Result<Option<String>> {
        const SQL: &str = "UPDATE oidc_key SET ends_at = $1 WHERE ends_at IS NULL RETURNING kid";
        Ok(fetch!(self, fetch_optional, (String,), SQL, ends_at)?.map(|(kid,)| kid))
    }
}

fn about(kid: &str) -> String {
    format!("{ABOUT_SIGNING_KEY}:{kid}")
}
