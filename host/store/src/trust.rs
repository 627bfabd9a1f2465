//! Keys whose signatures of policies are trusted, and where policies have to be signed.

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, TrustedKeyId},
};
use berth_model::policy::registry::{
    Algorithm, Identity, InstalledPolicy, Level, PolicyOrigin, Signer, TrustScope, TrustedKey,
};
use sqlx::types::Json;

use crate::{Tx, execute, fetch, policy::PolicyBindingRow};

/// A row of `trusted_key`.
#[derive(sqlx::FromRow)]
struct KeyRow {
    id: TrustedKeyId,
    level: Level,
    scope_id: String,
    name: String,
    algorithm: Algorithm,
    fingerprint: Digest,
    pem: String,
    identity: Option<Json<Identity>>,
    added_by: String,
    added_at: Millis,
}

impl From<KeyRow> for TrustedKey {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id,
            scope: TrustScope { level: row.level, id: row.scope_id },
            name: row.name,
            algorithm: row.algorithm,
            fingerprint: row.fingerprint,
            key: row.pem,
            identity: row.identity.map(|Json(identity)| identity),
            added_by: row.added_by,
            added_at: row.added_at,
        }
    }
}

/// A binding, and who has signed its policy.
#[derive(sqlx::FromRow)]
pub struct SignedBindingRow {
    /// The binding.
    #[sqlx(flatten)]
    pub binding: PolicyBindingRow,
    /// The keys that have signed its policy.
    #[sqlx(json)]
    pub signed_by: Vec<Signer>,
}

impl Tx {
    /// The keys that are trusted at one place, by name.
    pub async fn trusted_keys(&mut self, scope: &TrustScope) -> Result<Vec<TrustedKey>> {
        const SQL: &str = "SELECT * FROM trusted_key WHERE level = $1 AND scope_id = $2 ORDER BY name";
        let rows = fetch!(self, fetch_all, KeyRow, SQL, scope.level, &scope.id)?;
        Ok(rows.into_iter().map(TrustedKey::from).collect())
    }

    /// The keys that are trusted anywhere.
    pub async fn all_trusted_keys(&mut self) -> Result<Vec<TrustedKey>> {
        let rows = fetch!(self, fetch_all, KeyRow, "SELECT * FROM trusted_key ORDER BY level, scope_id, name")?;
        Ok(rows.into_iter().map(TrustedKey::from).collect())
    }

    /// The key with this id.
    pub async fn trusted_key(&mut self, id: &TrustedKeyId) -> Result<Option<TrustedKey>> {
        let row = fetch!(self, fetch_optional, KeyRow, "SELECT * FROM trusted_key WHERE id = $1", id)?;
        Ok(row.map(TrustedKey::from))
    }

    /// Adds a key. Returns the error of the database, by which callers recognise that the key or its name is there.
    pub async fn insert_trusted_key(&mut self, key: &TrustedKey) -> sqlx::Result<()> {
        execute!(
            self,
            "INSERT INTO trusted_key (id, level, scope_id, name, algorithm, fingerprint, pem, identity, added_by, added_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            &key.id,
            key.scope.level,
            &key.scope.id,
            &key.name,
            key.algorithm,
            &key.fingerprint,
            &key.key,
            key.identity.as_ref().map(Json),
            &key.added_by,
            key.added_at
        )?;
        Ok(())
    }

    /// Deletes a key; false when somebody was faster.
    pub async fn delete_trusted_key(&mut self, id: &TrustedKeyId) -> Result<bool> {
        Ok(execute!(self, "DELETE FROM trusted_key WHERE id = $1", id)? > 0)
    }

    /// Who has required signatures at a place, and when; `None` while nobody has.
    pub async fn signing_rule(&mut self, scope: &TrustScope) -> Result<Option<(String, Millis)>> {
        const SQL: &str = "SELECT set_by, set_at FROM signing_rule WHERE level = $1 AND scope_id = $2";
        Ok(fetch!(self, fetch_optional, (String, Millis), SQL, scope.level, &scope.id)?)
    }

    /// The places at which signatures are required.
    pub async fn signing_rules(&mut self) -> Result<Vec<TrustScope>> {
        const SQL: &str = "SELECT level, scope_id FROM signing_rule ORDER BY level, scope_id";
        let rows = fetch!(self, fetch_all, (Level, String), SQL)?;
        Ok(rows.into_iter().map(|(level, id)| TrustScope { level, id }).collect())
    }

    /// Requires signatures at a place; false when they are required already.
    pub async fn insert_signing_rule(&mut self, scope: &TrustScope, actor: &str) -> Result<bool> {
        let now = self.now();
        const SQL: &str =
            "INSERT INTO signing_rule (level, scope_id, set_by, set_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        Ok(execute!(self, SQL, scope.level, &scope.id, actor, now)? > 0)
    }

    /// Requires signatures at a place no more; false when they were not required.
    pub async fn delete_signing_rule(&mut self, scope: &TrustScope) -> Result<bool> {
        const SQL: &str = "DELETE FROM signing_rule WHERE level = $1 AND scope_id = $2";
        Ok(execute!(self, SQL, scope.level, &scope.id)? > 0)
    }

    /// Locks a policy until the transaction ends, and returns it.
    pub async fn hold_policy(&mut self, digest: &Digest) -> Result<Option<InstalledPolicy>> {
        execute!(self, "UPDATE policy SET name = name WHERE digest = $1", digest)?;
        self.policy(digest).await
    }

    /// Notes from where a policy came, and who has signed it.
    pub async fn update_policy_shipping(
        &mut self,
        digest: &Digest,
        origin: Option<&PolicyOrigin>,
        signed_by: &[Signer],
    ) -> Result<()> {
        const SQL: &str = "UPDATE policy SET origin = $2, signed_by = $3 WHERE digest = $1";
        execute!(self, SQL, digest, origin.map(Json), Json(signed_by))?;
        Ok(())
    }

    /// The bindings for which a requirement of signatures at this place holds, without those of ended gray tasks and of the
    /// policies that `but` has installed.
    pub async fn bindings_under(&mut self, scope: &TrustScope, but: &str) -> Result<Vec<SignedBindingRow>> {
        Ok(fetch!(
            self,
            fetch_all,
            SignedBindingRow,
            "SELECT b.*, p.name, p.version, p.kind, p.signed_by FROM policy_binding b JOIN policy p ON p.digest = b.digest
             LEFT JOIN gray_task t ON b.scope_kind = 'gray_task' AND t.id = b.scope_id
             LEFT JOIN mini_app m ON m.id = CASE b.scope_kind WHEN 'mini_app' THEN b.scope_id ELSE t.mini_app_id END
             WHERE (t.id IS NULL OR t.state <> 'ended') AND p.installed_by <> $3 AND (
                 $1 = 'platform' OR $1 = 'host_app' AND b.scope_kind = 'host_app' AND b.scope_id = $2
                 OR $1 = 'team' AND m.team_id = $2
             ) ORDER BY p.name, b.id",
            scope.level,
            &scope.id,
            but
        )?)
    }
}
