//! Keys that the host has made for itself and that never change, sealed like all secrets. Sealing them anew under another
//! key of the settings leaves them as they are.

use zeroize::Zeroizing;

use super::{Tx, execute, fetch};
use crate::seal::SecretKey;
use berth_base::error::{Code, Error, Result};

/// What a sealed key of the host is about.
pub const ABOUT_HOST_KEY: &str = "host-key";

impl Tx {
    /// The key of the host with this name, which is made when it is asked for the first time. All hosts of one database
    /// have the same, as the first one wins. Only in a transaction that writes.
    ///
    /// # Errors
    /// `secret-sealed` when this host cannot open it.
    pub async fn host_key(&mut self, name: &str) -> Result<SecretKey> {
        if let Some(key) = self.known_host_key(name).await? {
            return Ok(key);
        }
        let now = self.now();
        let sealed = self.seal().seal(SecretKey::generate(self.random()).bytes(), &about(name))?;
        execute!(
            self,
            "INSERT INTO host_key (name, key_sealed, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
            name,
            &sealed,
            now
        )?;
        let made = self.known_host_key(name).await?;
        made.ok_or_else(|| Error::internal(anyhow::anyhow!("the key {name} was made and is not there")))
    }

    /// The key of the host with this name, if it was made.
    ///
    /// # Errors
    /// `secret-sealed` when this host cannot open it.
    pub async fn known_host_key(&mut self, name: &str) -> Result<Option<SecretKey>> {
        const SQL: &str = "SELECT key_sealed FROM host_key WHERE name = $1";
        let Some((sealed,)) = fetch!(self, fetch_optional, (String,), SQL, name)? else { return Ok(None) };
        let bytes = Zeroizing::new(self.seal().open(&sealed, &about(name))?);
        let key = bytes.as_slice().try_into().map(SecretKey::from_bytes);
        key.map(Some).map_err(|_| Error::new(Code::SecretSealed, format!("The stored key {name} has not 32 bytes.")))
    }
}

fn about(name: &str) -> String {
    format!("{ABOUT_HOST_KEY}:{name}")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use crate::testing;

    #[tokio::test]
    async fn k6_a_key_of_the_host_is_made_once_and_stays() {
        let fresh = testing::fresh().await;
        let mut tx = fresh.db.begin().await.unwrap();
        assert!(tx.known_host_key("a").await.unwrap().is_none());
        let first = tx.host_key("a").await.unwrap();
        assert_eq!(tx.host_key("a").await.unwrap().bytes(), first.bytes());
        assert_ne!(tx.host_key("b").await.unwrap().bytes(), first.bytes());
        tx.commit().await.unwrap();
        let mut later = fresh.db.begin().await.unwrap();
        assert_eq!(later.host_key("a").await.unwrap().bytes(), first.bytes());
    }
}
