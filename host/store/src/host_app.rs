//! Host apps and their bindings.

use super::{Tx, execute, fetch};
use berth_base::{
    clock::Millis,
    error::Result,
    ids::{HostAppId, MiniAppId},
    page::PageQuery,
};
use berth_model::{
    access::Caller,
    binding::{Binding, BindingQuery, BindingState},
    host_app::{FormerKey, HostApp},
};

impl Tx {
    /// The host app with this id.
    pub async fn host_app(&mut self, id: &HostAppId) -> Result<Option<HostApp>> {
        let host_app = fetch!(self, fetch_optional, HostApp, "SELECT * FROM host_app WHERE id = $1", id)?;
        let Some(mut host_app) = host_app else { return Ok(None) };
        host_app.former_keys = self.former_keys(id).await?;
        Ok(Some(host_app))
    }

    /// The host app that has this public key, or had it and serves it still. Its former keys are not read.
    pub async fn host_app_by_key(&mut self, key: &str) -> Result<Option<HostApp>> {
        const SQL: &str = "SELECT * FROM host_app WHERE public_key = $1 OR id =
             (SELECT host_app_id FROM former_key WHERE public_key = $1 AND ends_at > $2)";
        let now = self.now();
        Ok(fetch!(self, fetch_optional, HostApp, SQL, key, now)?)
    }

    /// The keys of a host app that another one has replaced, newest first, at most 20.
    pub(crate) async fn former_keys(&mut self, id: &HostAppId) -> Result<Vec<FormerKey>> {
        const SQL: &str = "SELECT public_key, replaced_at, replaced_by, ends_at FROM former_key
             WHERE host_app_id = $1 ORDER BY replaced_at DESC, public_key LIMIT 20";
        Ok(fetch!(self, fetch_all, FormerKey, SQL, id)?)
    }

    /// Gives a host app, which this transaction holds, another key. The old one works until `old.ends_at`.
    pub async fn replace_key(&mut self, id: &HostAppId, key: &str, old: &FormerKey) -> Result<()> {
        execute!(
            self,
            "INSERT INTO former_key (public_key, host_app_id, replaced_at, replaced_by, ends_at)
             VALUES ($1, $2, $3, $4, $5)",
            &old.public_key,
            id,
            old.replaced_at,
            &old.replaced_by,
            old.ends_at
        )?;
        execute!(self, "UPDATE host_app SET public_key = $2 WHERE id = $1", id, key)?;
        Ok(())
    }

    /// Sets when a former key of a host app ends. Returns `false` when it is none.
    pub async fn end_key(&mut self, id: &HostAppId, key: &str, ends_at: Millis) -> Result<bool> {
        const SQL: &str = "UPDATE former_key SET ends_at = $3 WHERE host_app_id = $1 AND public_key = $2";
        Ok(execute!(self, SQL, id, key, ends_at)? > 0)
    }

    /// The MiniApps that are bound to a host app, by id; only active bindings count.
    pub async fn mini_apps_bound_to(&mut self, host_app: &HostAppId) -> Result<Vec<MiniAppId>> {
        let rows = fetch!(
            self,
            fetch_all,
            (MiniAppId,),
            "SELECT mini_app_id FROM binding WHERE host_app_id = $1 AND state = 'active' ORDER BY mini_app_id",
            host_app
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// The host apps to which a MiniApp is bound, by id; only active bindings count.
    pub async fn bound_host_apps(&mut self, mini_app: &MiniAppId) -> Result<Vec<HostAppId>> {
        let rows = fetch!(
            self,
            fetch_all,
            (HostAppId,),
            "SELECT host_app_id FROM binding WHERE mini_app_id = $1 AND state = 'active' ORDER BY host_app_id",
            mini_app
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Adds a host app. Returns the error of the database, by which callers recognise that the id is taken.
    pub async fn insert_host_app(&mut self, host_app: &HostApp) -> sqlx::Result<()> {
        execute!(
            self,
            "INSERT INTO host_app (id, name, public_key, created_at) VALUES ($1, $2, $3, $4)",
            &host_app.id,
            &host_app.name,
            &host_app.public_key,
            host_app.created_at
        )
        .map(drop)
    }

    /// A page of the host apps that the caller may know about, by id, and one more than the page holds.
    pub async fn host_apps_known_to(&mut self, caller: &Caller, query: &PageQuery) -> Result<Vec<HostApp>> {
        Ok(fetch!(
            self,
            fetch_all,
            HostApp,
            "SELECT * FROM host_app h WHERE h.id > $1 AND ($2 OR h.id IN
                (SELECT scope_id FROM role_grant WHERE account_id = $3 AND scope_kind = 'host_app'))
             ORDER BY h.id LIMIT $4",
            query.after(),
            caller.reads_everything(),
            &caller.account,
            query.limit() + 1
        )?)
    }

    /// All bindings of a host app, active or not, by the id of the MiniApp.
    pub async fn bindings_of_host_app(&mut self, id: &HostAppId, query: &BindingQuery) -> Result<Vec<Binding>> {
        Ok(fetch!(
            self,
            fetch_all,
            Binding,
            "SELECT * FROM binding WHERE host_app_id = $1 AND mini_app_id > $2 AND ($3 = '' OR state = $3)
             ORDER BY mini_app_id LIMIT $4",
            id,
            query.page().after(),
            query.state.map_or("", BindingState::as_str),
            query.page().most()
        )?)
    }

    /// All bindings of a MiniApp, active or not, by the id of the host app.
    pub async fn bindings_of_mini_app(&mut self, id: &MiniAppId) -> Result<Vec<Binding>> {
        Ok(fetch!(self, fetch_all, Binding, "SELECT * FROM binding WHERE mini_app_id = $1 ORDER BY host_app_id", id)?)
    }

    /// The binding of a MiniApp to a host app.
    pub async fn binding(&mut self, id: &HostAppId, mini_app: &MiniAppId) -> Result<Option<Binding>> {
        Ok(fetch!(
            self,
            fetch_optional,
            Binding,
            "SELECT * FROM binding WHERE host_app_id = $1 AND mini_app_id = $2",
            id,
            mini_app
        )?)
    }

    /// Adds or replaces a binding.
    pub async fn put_binding(&mut self, binding: &Binding) -> Result<()> {
        execute!(
            self,
            "INSERT INTO binding (host_app_id, mini_app_id, state, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (host_app_id, mini_app_id) DO UPDATE SET state = excluded.state, created_at = excluded.created_at",
            &binding.host_app,
            &binding.mini_app,
            binding.state,
            binding.created_at
        )?;
        Ok(())
    }

    /// Deletes a binding. Returns `false` when there was none.
    pub async fn delete_binding(&mut self, id: &HostAppId, mini_app: &MiniAppId) -> Result<bool> {
        let gone = execute!(self, "DELETE FROM binding WHERE host_app_id = $1 AND mini_app_id = $2", id, mini_app)?;
        Ok(gone > 0)
    }
}
