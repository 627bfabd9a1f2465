//! Policies and where they are bound.

use sqlx::types::Json;

use super::{Tx, execute, fetch};
use crate::{
    error::{Error, Result},
    ids::{Digest, PolicyBindingId},
    policy::registry::{PolicyBindingRow, PolicyRow, ScopeKind},
};

impl Tx {
    /// One policy.
    pub async fn policy(&mut self, digest: &Digest) -> Result<Option<PolicyRow>> {
        Ok(fetch!(self, fetch_optional, PolicyRow, "SELECT * FROM policy WHERE digest = $1", digest)?)
    }

    /// The policy of this name that was installed last.
    pub async fn newest_policy(&mut self, name: &str) -> Result<Option<PolicyRow>> {
        Ok(fetch!(
            self,
            fetch_optional,
            PolicyRow,
            "SELECT * FROM policy WHERE name = $1 ORDER BY installed_at DESC, digest LIMIT 1",
            name
        )?)
    }

    /// By digest or by name, or `not-found`.
    pub async fn require_policy(&mut self, which: &str) -> Result<PolicyRow> {
        let row = match which.parse::<Digest>() {
            Ok(digest) => self.policy(&digest).await?,
            Err(_) => self.newest_policy(which).await?,
        };
        row.ok_or_else(|| Error::not_found("policy", which))
    }

    /// All policies, newest first.
    pub async fn policies(&mut self) -> Result<Vec<PolicyRow>> {
        Ok(fetch!(self, fetch_all, PolicyRow, "SELECT * FROM policy ORDER BY installed_at DESC, name")?)
    }

    /// Adds a policy; false when another host has just done so.
    pub async fn insert_policy(&mut self, row: &PolicyRow) -> Result<bool> {
        let inserted = execute!(
            self,
            "INSERT INTO policy (digest, kind, name, version, summary, config_schema, size, installed_by, installed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (digest) DO NOTHING",
            &row.digest,
            row.kind.as_str(),
            &row.name,
            &row.version,
            &row.summary,
            row.config_schema.as_ref(),
            row.size,
            &row.installed_by,
            row.installed_at
        )?;
        Ok(inserted > 0)
    }

    /// Deletes a policy that is bound nowhere.
    pub async fn delete_policy(&mut self, digest: &Digest) -> Result<()> {
        execute!(self, "DELETE FROM policy WHERE digest = $1", digest)?;
        Ok(())
    }

    /// In how many places it is bound.
    pub async fn bindings_of_policy(&mut self, digest: &Digest) -> Result<i64> {
        let (count,) =
            fetch!(self, fetch_one, (i64,), "SELECT count(*) FROM policy_binding WHERE digest = $1", digest)?;
        Ok(count)
    }

    /// One binding.
    pub async fn policy_binding(&mut self, id: &PolicyBindingId) -> Result<Option<PolicyBindingRow>> {
        Ok(fetch!(
            self,
            fetch_optional,
            PolicyBindingRow,
            "SELECT b.*, p.name, p.version, p.kind FROM policy_binding b JOIN policy p ON p.digest = b.digest WHERE b.id = $1",
            id
        )?)
    }

    /// The bindings of a place, in the order in which they are asked.
    pub async fn policy_bindings(&mut self, kind: ScopeKind, id: &str) -> Result<Vec<PolicyBindingRow>> {
        Ok(fetch!(
            self,
            fetch_all,
            PolicyBindingRow,
            "SELECT b.*, p.name, p.version, p.kind FROM policy_binding b JOIN policy p ON p.digest = b.digest
             WHERE b.scope_kind = $1 AND b.scope_id = $2 ORDER BY b.position, b.id",
            kind.as_str(),
            id
        )?)
    }

    /// Adds a binding.
    pub async fn insert_policy_binding(&mut self, row: &PolicyBindingRow) -> Result<()> {
        execute!(
            self,
            "INSERT INTO policy_binding (id, digest, scope_kind, scope_id, position, config, mode, on_error, limits,
                                         bound_by, bound_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            &row.id,
            &row.digest,
            row.scope_kind.as_str(),
            &row.scope_id,
            row.position,
            Json(&row.config.0),
            row.mode.as_str(),
            row.on_error.as_str(),
            Json(&row.limits.0),
            &row.bound_by,
            row.bound_at
        )?;
        Ok(())
    }

    /// Changes a binding.
    pub async fn update_policy_binding(&mut self, row: &PolicyBindingRow) -> Result<()> {
        execute!(
            self,
            "UPDATE policy_binding SET digest = $2, config = $3, mode = $4, on_error = $5, limits = $6, bound_by = $7,
                    bound_at = $8 WHERE id = $1",
            &row.id,
            &row.digest,
            Json(&row.config.0),
            row.mode.as_str(),
            row.on_error.as_str(),
            Json(&row.limits.0),
            &row.bound_by,
            row.bound_at
        )?;
        Ok(())
    }

    /// Takes a binding away.
    pub async fn delete_policy_binding(&mut self, id: &PolicyBindingId) -> Result<()> {
        execute!(self, "DELETE FROM policy_binding WHERE id = $1", id)?;
        Ok(())
    }

    /// Points the bindings that `owner` made at another version of the policy.
    pub async fn move_own_bindings(&mut self, from: &Digest, to: &Digest, owner: &str) -> Result<()> {
        execute!(self, "UPDATE policy_binding SET digest = $2 WHERE digest = $1 AND bound_by = $3", from, to, owner)?;
        Ok(())
    }
}
