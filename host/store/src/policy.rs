//! Installed policies and their bindings.

use std::collections::HashMap;

use sqlx::types::Json;

use berth_base::sql::Count;

use super::{Tx, access::roles, chosen, execute, fetch, fetch_built, push_ids, push_if};
use berth_base::clock::Millis;
use berth_base::{
    error::{Error, Result},
    ids::{Digest, PolicyBindingId},
};
use berth_model::policy::{
    LimitOverrides, PolicyKind,
    registry::{
        Level, Mode, NewPolicyBinding, OnError, PolicyBinding, PolicyBindingPatch, PolicyBindingQuery, PolicyScope,
        Watch,
    },
};
use berth_model::{
    access::{self, Action, Caller},
    event,
    policy::registry::{InstalledPolicy, ScopeKind},
};
use serde_json::Value;

/// Pushes where the bindings of all places are that a caller may read, without those of ended gray tasks.
macro_rules! push_known {
    ($query:ident, $caller:ident) => {
        $query.push(
            " FROM policy_binding b JOIN policy p ON p.digest = b.digest
             LEFT JOIN gray_task t ON b.scope_kind = 'gray_task' AND t.id = b.scope_id
             LEFT JOIN mini_app m ON m.id = CASE b.scope_kind WHEN 'mini_app' THEN b.scope_id ELSE t.mini_app_id END
             WHERE (t.id IS NULL OR t.state <> 'ended')",
        );
        if chosen!(!$caller.reads_everything()) {
            $query.push(" AND (b.scope_kind = 'platform' OR b.scope_kind = 'host_app' AND b.scope_id ");
            $query.push(readable(access::ScopeKind::HostApp)).push_bind(&$caller.account).push(") OR m.team_id ");
            $query.push(readable(access::ScopeKind::Team)).push_bind(&$caller.account).push("))");
        }
    };
}

/// The places of a kind that an account may read, whose id comes next.
fn readable(kind: access::ScopeKind) -> String {
    let roles = roles(Action::Read, kind);
    format!("IN (SELECT scope_id FROM role_grant WHERE scope_kind = '{kind}' AND role IN ({roles}) AND account_id = ")
}

impl Tx {
    /// One policy.
    pub async fn policy(&mut self, digest: &Digest) -> Result<Option<InstalledPolicy>> {
        Ok(fetch!(self, fetch_optional, InstalledPolicy, "SELECT * FROM policy WHERE digest = $1", digest)?)
    }

    /// The policy of this name that was installed last.
    pub async fn newest_policy(&mut self, name: &str) -> Result<Option<InstalledPolicy>> {
        Ok(fetch!(
            self,
            fetch_optional,
            InstalledPolicy,
            "SELECT * FROM policy WHERE name = $1 ORDER BY installed_at DESC, digest LIMIT 1",
            name
        )?)
    }

    /// The policy of this name and version that was installed last: built-in ones may have several contents.
    pub async fn policy_version(&mut self, name: &str, version: &str) -> Result<Option<InstalledPolicy>> {
        Ok(fetch!(
            self,
            fetch_optional,
            InstalledPolicy,
            "SELECT * FROM policy WHERE name = $1 AND version = $2 ORDER BY installed_at DESC, digest LIMIT 1",
            name,
            version
        )?)
    }

    /// By digest, by `NAME@VERSION` or by name (then the one installed last), or `not-found`.
    pub async fn require_policy(&mut self, which: &str) -> Result<InstalledPolicy> {
        let row = match (which.parse::<Digest>(), which.split_once('@')) {
            (Ok(digest), _) => self.policy(&digest).await?,
            (_, Some((name, version))) => self.policy_version(name, version).await?,
            (_, None) => self.newest_policy(which).await?,
        };
        row.ok_or_else(|| Error::not_found("policy", which))
    }

    /// All policies, newest first.
    pub async fn policies(&mut self) -> Result<Vec<InstalledPolicy>> {
        Ok(fetch!(self, fetch_all, InstalledPolicy, "SELECT * FROM policy ORDER BY installed_at DESC, name")?)
    }

    /// Adds a policy; false when another host has just done so. The bare error tells whether its version is there with
    /// other bytes, which only built-in ones may be.
    pub async fn insert_policy(&mut self, row: &InstalledPolicy) -> sqlx::Result<bool> {
        let once = (row.installed_by != event::BERTH).then_some(&row.version);
        let inserted = execute!(
            self,
            "INSERT INTO policy (digest, kind, name, version, summary, config_schema, size, installed_by, installed_at, once,
                                 origin, signed_by, metadata)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (digest) DO NOTHING",
            &row.digest,
            row.kind,
            &row.name,
            &row.version,
            &row.summary,
            row.config_schema.as_ref().map(Json),
            Count(row.size),
            &row.installed_by,
            row.installed_at,
            once,
            row.origin.as_ref().map(Json),
            Json(&row.signed_by),
            Json(&row.metadata)
        )?;
        Ok(inserted > 0)
    }

    /// Deletes a policy that is not bound anywhere.
    pub async fn delete_policy(&mut self, digest: &Digest) -> Result<()> {
        execute!(self, "DELETE FROM policy WHERE digest = $1", digest)?;
        Ok(())
    }

    /// The number of places where a policy is bound, and how many of these are gray tasks.
    pub async fn bindings_of_policy(&mut self, digest: &Digest) -> Result<(i64, i64)> {
        Ok(fetch!(
            self,
            fetch_one,
            (i64, i64),
            "SELECT count(*), count(CASE WHEN scope_kind = 'gray_task' THEN 1 END) FROM policy_binding WHERE digest = $1",
            digest
        )?)
    }

    /// The policy binding with this id.
    pub async fn policy_binding(&mut self, id: &PolicyBindingId) -> Result<Option<PolicyBindingRow>> {
        Ok(fetch!(
            self,
            fetch_optional,
            PolicyBindingRow,
            "SELECT b.*, p.name, p.version, p.kind FROM policy_binding b JOIN policy p ON p.digest = b.digest WHERE b.id = $1",
            id
        )?)
    }

    /// The policy bindings of a place, in the order in which the policies are asked.
    pub async fn policy_bindings(&mut self, kind: ScopeKind, id: &str) -> Result<Vec<PolicyBindingRow>> {
        Ok(fetch!(
            self,
            fetch_all,
            PolicyBindingRow,
            "SELECT b.*, p.name, p.version, p.kind FROM policy_binding b JOIN policy p ON p.digest = b.digest
             WHERE b.scope_kind = $1 AND b.scope_id = $2 ORDER BY b.position, b.id",
            kind,
            id
        )?)
    }

    /// The policy bindings of all places that the caller may read, without those of ended gray tasks, in the order in which they
    /// were made; of the policy of a name when the query has one.
    pub async fn policy_bindings_known_to(
        &mut self,
        caller: &Caller,
        asked: &PolicyBindingQuery,
    ) -> Result<Vec<PolicyBindingRow>> {
        Ok(fetch_built!(self, PolicyBindingRow, |query| {
            query.push("SELECT b.*, p.name, p.version, p.kind");
            push_known!(query, caller);
            push_if!(query, &asked.policy, " AND p.name = ", "");
            query.push(" AND b.id > ").push_bind(asked.page().after());
            query.push(" ORDER BY b.id LIMIT ").push_bind(asked.page().most());
        })?)
    }

    /// Those of these bindings that are of the policy of this name, and that the caller may read.
    pub async fn policy_bindings_among(
        &mut self,
        caller: &Caller,
        policy: &str,
        ids: &[PolicyBindingId],
    ) -> Result<Vec<PolicyBindingRow>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(fetch_built!(self, PolicyBindingRow, |query| {
            query.push("SELECT b.*, p.name, p.version, p.kind");
            push_known!(query, caller);
            query.push(" AND p.name = ").push_bind(policy).push(" AND b.id IN ");
            push_ids!(query, ids);
        })?)
    }

    /// At how many places that the caller may read each policy is bound, without ended gray tasks.
    pub async fn places_of_policies(&mut self, caller: &Caller) -> Result<HashMap<Digest, u64>> {
        let counts: Vec<(Digest, i64)> = fetch_built!(self, (Digest, i64), |query| {
            query.push("SELECT b.digest, COUNT(*)");
            push_known!(query, caller);
            query.push(" GROUP BY b.digest");
        })?;
        Ok(counts.into_iter().map(|(digest, count)| (digest, count.unsigned_abs())).collect())
    }

    /// Locks a policy binding until the transaction ends, and returns it.
    pub async fn hold_policy_binding(&mut self, id: &PolicyBindingId) -> Result<Option<PolicyBindingRow>> {
        execute!(self, "UPDATE policy_binding SET mode = mode WHERE id = $1", id)?;
        self.policy_binding(id).await
    }

    /// Adds a policy binding. Returns the error of the database, by which callers recognise that the policy is bound
    /// there already.
    pub async fn insert_policy_binding(&mut self, row: &PolicyBindingRow) -> sqlx::Result<()> {
        let once = (row.scope_kind != ScopeKind::GrayTask).then_some(&row.name);
        execute!(
            self,
            "INSERT INTO policy_binding (id, digest, scope_kind, scope_id, position, config, mode, on_error, limits,
                                         bound_by, bound_at, once, level, watch, own_name)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            &row.id,
            &row.digest,
            row.scope_kind,
            &row.scope_id,
            row.position,
            Json(&row.config.0),
            row.mode,
            row.on_error,
            Json(&row.limits.0),
            &row.bound_by,
            row.bound_at,
            once,
            row.level,
            &row.watch,
            &row.own_name
        )?;
        Ok(())
    }

    /// Stores the changes of a locked policy binding.
    pub async fn update_policy_binding(&mut self, row: &PolicyBindingRow) -> Result<()> {
        execute!(
            self,
            "UPDATE policy_binding SET digest = $2, config = $3, mode = $4, on_error = $5, limits = $6, bound_by = $7,
                    bound_at = $8, level = $9, watch = $10 WHERE id = $1",
            &row.id,
            &row.digest,
            Json(&row.config.0),
            row.mode,
            row.on_error,
            Json(&row.limits.0),
            &row.bound_by,
            row.bound_at,
            row.level,
            &row.watch
        )?;
        Ok(())
    }

    /// Deletes a locked policy binding.
    pub async fn delete_policy_binding(&mut self, id: &PolicyBindingId) -> Result<()> {
        execute!(self, "DELETE FROM policy_binding WHERE id = $1", id)?;
        Ok(())
    }

    /// The policies of this name, but for the policy `digest`, of which `owner` has made bindings.
    pub async fn own_bindings_of_others(&mut self, name: &str, digest: &Digest, owner: &str) -> Result<Vec<Digest>> {
        const SQL: &str = "SELECT DISTINCT b.digest FROM policy_binding b JOIN policy p ON p.digest = b.digest
                           WHERE p.name = $1 AND b.digest <> $2 AND b.bound_by = $3 ORDER BY b.digest";
        let rows = fetch!(self, fetch_all, (Digest,), SQL, name, digest, owner)?;
        Ok(rows.into_iter().map(|(digest,)| digest).collect())
    }

    /// Moves the bindings that `owner` made of the policy `from` to the policy `to`, and tells how many there were.
    pub async fn move_own_bindings(&mut self, from: &Digest, to: &Digest, owner: &str) -> Result<u64> {
        const SQL: &str = "UPDATE policy_binding SET digest = $2 WHERE digest = $1 AND bound_by = $3";
        Ok(execute!(self, SQL, from, to, owner)?)
    }
}

/// A row of `policy_binding`, joined with the description of its policy.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in PolicyBinding")]
pub struct PolicyBindingRow {
    pub id: PolicyBindingId,
    pub digest: Digest,
    pub name: String,
    pub version: String,
    pub kind: PolicyKind,
    pub scope_kind: ScopeKind,
    pub scope_id: String,
    pub position: i64,
    pub config: Json<Value>,
    pub mode: Mode,
    pub on_error: OnError,
    pub limits: Json<LimitOverrides>,
    pub watch: Option<Json<Watch>>,
    /// The name that its gray task gives it; `None` for the policy's.
    pub own_name: Option<String>,
    pub level: Level,
    pub bound_by: String,
    pub bound_at: Millis,
}

impl PolicyBindingRow {
    /// The place where the policy is bound.
    pub fn scope(&self) -> PolicyScope {
        PolicyScope { kind: self.scope_kind, id: self.scope_id.clone() }
    }

    /// How it watches; `None` unless it is a guard.
    pub fn watch(&self) -> Option<Watch> {
        self.watch.map(|watch| watch.0)
    }

    /// What comes of changing it: what is absent in `patch` stays.
    pub fn changed(&self, patch: &PolicyBindingPatch) -> NewPolicyBinding {
        let PolicyBindingPatch { policy, config, mode, on_error, limits } = patch.clone();
        NewPolicyBinding {
            policy: policy.unwrap_or_else(|| self.digest.to_string()),
            config: config.unwrap_or_else(|| self.config.0.clone()),
            mode: mode.unwrap_or(self.mode),
            on_error: on_error.unwrap_or(self.on_error),
            limits: limits.unwrap_or_else(|| self.limits.0.clone()),
            watch: self.watch(),
            name: self.own_name.clone(),
        }
    }

    /// Whether everything but the version of the policy is as in `new`.
    pub fn says(&self, new: &NewPolicyBinding) -> bool {
        let own = (&self.config.0, self.mode, self.on_error, &self.limits.0, self.watch());
        own == (&new.config, new.mode, new.on_error, &new.limits, new.watch)
    }

    /// Whether policy, config and limits are the same as in `other`, so that a config that was checked for one is good
    /// for both.
    pub fn judges_as(&self, other: &Self) -> bool {
        (&self.digest, &self.config.0, &self.limits.0) == (&other.digest, &other.config.0, &other.limits.0)
    }
}

impl From<PolicyBindingRow> for PolicyBinding {
    fn from(row: PolicyBindingRow) -> Self {
        Self {
            scope: row.scope(),
            watch: row.watch(),
            id: row.id,
            policy: row.name,
            policy_version: row.version,
            digest: row.digest,
            config: row.config.0,
            mode: row.mode,
            on_error: row.on_error,
            limits: row.limits.0,
            level: row.level,
            bound_by: row.bound_by,
            bound_at: row.bound_at,
        }
    }
}
