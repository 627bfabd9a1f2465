//! Inspects sealed secrets, and seals them anew under the first key.

use std::{collections::BTreeSet, path::Path};

use serde::Serialize;

use super::{Seal, SealConfig, keys, parts};
use berth_base::error::{Code, Error, Result};

use crate::{Db, SEALED, SealedColumn};

/// How many rows one transaction seals anew.
const BATCH: i64 = 100;

/// The result of an inspection of the sealed secrets.
#[derive(Debug, Default, Serialize)]
pub struct Inspection {
    /// How many secrets can be opened.
    pub open: u64,
    /// How many of these were sealed with an older key; `berth admin rotate-secrets` seals them anew.
    pub older: u64,
}

/// The result of a rotation.
#[derive(Debug, Default, Serialize)]
pub struct Rotation {
    /// Public name of the key with which everything is sealed now.
    pub key: String,
    /// How many secrets were sealed anew.
    pub sealed: u64,
    /// How many secrets had been sealed with the first key already.
    pub current: u64,
}

/// Tries to open all sealed secrets in the database.
///
/// # Errors
/// `secret-sealed` for the first one that cannot be opened.
pub async fn inspect(db: &Db) -> Result<Inspection> {
    inspect_columns(db, db.seal(), SEALED).await
}

/// Seals all secrets in the database under the first key. It may run while hosts are running, and may be interrupted
/// and started again.
///
/// # Errors
/// `secret-sealed` for the first secret that cannot be opened; those before it have been sealed anew.
pub async fn rotate(db: &Db) -> Result<Rotation> {
    rotate_columns(db, db.seal(), SEALED).await
}

/// Refuses to go on without a key, or to make a new one, for a database that has sealed secrets, which a new key could not
/// open. This happens with a restored database without its key file, with a key file that was emptied, or with a database
/// that other hosts use with a key of their own.
///
/// # Errors
/// `secret-sealed` when there are secrets and no key can be read; it names the keys that they were sealed with.
pub async fn require_keys(db: &Db, config: &SealConfig, data_dir: &Path) -> Result<()> {
    let Some(why) = keys::lost(config, data_dir) else { return Ok(()) };
    let mut tx = db.read().await?;
    let mut names = BTreeSet::new();
    for column in SEALED {
        let first = tx.sealed_rows(column, "", 1).await?;
        names.extend(first.iter().filter_map(|(_, sealed)| parts(sealed)).map(|(name, _)| name.to_owned()));
    }
    if names.is_empty() {
        return Ok(());
    }
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    let detail = format!(
        "The database holds secrets sealed with the key {names}, and {why}. A new key opens none of them: take secret.key \
         from the backup whose berth-backup.json names that key, or from another host of this database, or give the key by \
         --secret-keys or --secret-key-file."
    );
    Err(Error::new(Code::SecretSealed, detail))
}

async fn inspect_columns(db: &Db, seal: &Seal, columns: &[SealedColumn]) -> Result<Inspection> {
    let mut found = Inspection::default();
    let mut tx = db.read().await?;
    for column in columns {
        let mut after = String::new();
        loop {
            let rows = tx.sealed_rows(column, &after, BATCH).await?;
            let Some((last, _)) = rows.last() else { break };
            after.clone_from(last);
            for (key, sealed) in &rows {
                seal.open(sealed, &column.about(key))?;
                found.open += 1;
                found.older += u64::from(!seal.is_current(sealed));
            }
        }
    }
    Ok(found)
}

async fn rotate_columns(db: &Db, seal: &Seal, columns: &[SealedColumn]) -> Result<Rotation> {
    let mut done = Rotation { key: seal.key_id().to_owned(), ..Rotation::default() };
    for column in columns {
        let mut after = String::new();
        loop {
            let mut tx = db.begin().await?;
            let rows = tx.sealed_rows(column, &after, BATCH).await?;
            let Some((last, _)) = rows.last() else { break };
            after.clone_from(last);
            for (key, sealed) in &rows {
                let about = column.about(key);
                if seal.is_current(sealed) {
                    done.current += 1;
                    continue;
                }
                let anew = seal.seal(&seal.open(sealed, &about)?, &about)?;
                // Lost only against a host that wrote a newer secret, which its first key sealed.
                done.sealed += u64::from(tx.replace_sealed(column, key, sealed, &anew).await?);
            }
            tx.commit().await?;
        }
    }
    Ok(done)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::seal::{KeySource, SecretKey};
    use crate::testing;
    use berth_base::clock::SystemRandom;

    #[tokio::test]
    async fn f99_a_rotation_seals_every_row_under_the_first_key() {
        let fresh = testing::fresh().await;
        let (db, random) = (&fresh.db, Arc::new(SystemRandom));
        let [current, older] = [1, 9].map(|byte| SecretKey::from_bytes([byte; 32]));
        let before = Seal::new(&older, &[], KeySource::Given, random.clone());
        let secrets = (0..250).map(|number| format!("p{number}"));
        let rows = secrets.map(|id| (id.clone(), before.seal(id.as_bytes(), &format!("probe:{id}")).unwrap()));
        let mut tx = db.begin().await.unwrap();
        tx.insert_probes(rows).await.unwrap();
        tx.commit().await.unwrap();
        let lost = Seal::new(&current, &[], KeySource::Given, random.clone());
        assert_eq!(inspect_columns(db, &lost, &[SealedColumn::PROBE]).await.unwrap_err().code, Code::SecretSealed);
        let both = Seal::new(&current, &[older], KeySource::Given, random.clone());
        let found = inspect_columns(db, &both, &[SealedColumn::PROBE]).await.unwrap();
        assert_eq!((found.open, found.older), (250, 250));
        assert_eq!(rotate_columns(db, &both, &[SealedColumn::PROBE]).await.unwrap().sealed, 250);
        let again = rotate_columns(db, &both, &[SealedColumn::PROBE]).await.unwrap();
        assert_eq!((again.sealed, again.current), (0, 250));
        assert_eq!(inspect_columns(db, &lost, &[SealedColumn::PROBE]).await.unwrap().older, 0);
    }

    #[tokio::test]
    async fn f65_i8_a_database_with_secrets_is_told_which_key_it_needs_and_not_to_make_one() {
        let fresh = testing::fresh().await;
        let (db, folder) = (&fresh.db, tempfile::tempdir().unwrap());
        let config = SealConfig::default();
        require_keys(db, &config, folder.path()).await.unwrap();
        let key = SecretKey::from_bytes([7; 32]);
        let seal = Seal::new(&key, &[], KeySource::Given, Arc::new(SystemRandom));
        let mut tx = db.begin().await.unwrap();
        let sealed = seal.seal(b"s", "host_key:swap").unwrap();
        crate::execute!(tx, "INSERT INTO host_key (name, key_sealed, created_at) VALUES ('swap', $1, 0)", &sealed)
            .unwrap();
        tx.commit().await.unwrap();
        let own = folder.path().join("secret.key");
        let named = SealConfig { secret_key_file: Some(own.clone()), ..SealConfig::default() };
        for (content, says) in [(None, "missing"), (Some(""), "no key"), (Some("not a key"), "is no key")] {
            if let Some(content) = content {
                std::fs::write(&own, content).unwrap();
            }
            for config in [&config, &named] {
                let said = require_keys(db, config, folder.path()).await.unwrap_err();
                assert_eq!(said.code, Code::SecretSealed);
                assert!(said.detail.contains(&key.id()) && said.detail.contains(says), "{said}");
                assert!(!said.detail.contains("openssl"), "{said}");
            }
        }
        std::fs::write(&own, &*key.to_base64()).unwrap();
        require_keys(db, &config, folder.path()).await.unwrap();
    }
}
