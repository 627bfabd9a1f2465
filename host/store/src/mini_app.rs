//! MiniApps in the database.

use super::{Tx, chosen, execute, fetch, fetch_built, push_if};
use berth_base::{
    error::{Error, Result},
    ids::MiniAppId,
    page::PageQuery,
    version::VersionNumber,
};
use berth_model::{
    access::Caller,
    mini_app::{MiniApp, MiniAppQuery},
};

impl Tx {
    /// The MiniApp with this id.
    pub async fn mini_app(&mut self, id: &MiniAppId) -> Result<Option<MiniApp>> {
        Ok(fetch!(self, fetch_optional, MiniApp, "SELECT * FROM mini_app WHERE id = $1", id)?)
    }

    /// Sets the minimum usable version; `None` removes it.
    pub async fn set_min_version(&mut self, id: &MiniAppId, min: Option<&VersionNumber>) -> Result<()> {
        execute!(self, "UPDATE mini_app SET min_version = $2 WHERE id = $1", id, min)?;
        Ok(())
    }

    /// Locks the MiniApp until the transaction ends. Everything that changes its state begins with this, so that
    /// publications, rollbacks and changes of gray tasks come one after the other (F58). `not-found` when there is
    /// none.
    pub async fn hold_mini_app(&mut self, id: &MiniAppId) -> Result<MiniApp> {
        let row = fetch!(
            self,
            fetch_optional,
            MiniApp,
            "UPDATE mini_app SET revision = revision + 1 WHERE id = $1 RETURNING *",
            id
        )?;
        row.ok_or_else(|| Error::not_found("MiniApp", id))
    }

    /// Adds a MiniApp on the shelf. Returns the error of the database, by which callers recognise that the id is taken.
    pub async fn insert_mini_app(&mut self, mini_app: &MiniApp) -> sqlx::Result<()> {
        execute!(
            self,
            "INSERT INTO mini_app (id, team_id, name, description, on_shelf, shelf_note, revision, created_at)
             VALUES ($1, $2, $3, $4, TRUE, '', 0, $5)",
            &mini_app.id,
            &mini_app.team,
            &mini_app.name,
            &mini_app.description,
            mini_app.created_at
        )
        .map(drop)
    }

    /// A page of the MiniApps that match `query` and that the caller may know about, by id, and one more than the page
    /// holds.
    pub async fn mini_apps_known_to(
        &mut self,
        caller: &Caller,
        query: &MiniAppQuery,
        page: &PageQuery,
    ) -> Result<Vec<MiniApp>> {
        let search = query.search.as_deref().map(|text| text.to_lowercase().replace(['%', '_', '\\'], ""));
        let search = search.map(|text| format!("%{text}%"));
        Ok(fetch_built!(self, MiniApp, |q| {
            q.push("SELECT * FROM mini_app m WHERE m.id > ").push_bind(page.after());
            if chosen!(!caller.reads_everything()) {
                q.push(
                    " AND (m.team_id IN (SELECT scope_id FROM role_grant WHERE scope_kind = 'team' AND account_id = ",
                );
                q.push_bind(&caller.account);
                q.push(
                    ") OR m.id IN (SELECT b.mini_app_id FROM binding b JOIN role_grant g ON g.scope_id = b.host_app_id
                        WHERE b.state = 'active' AND g.scope_kind = 'host_app' AND g.role <> 'server' AND g.account_id = ",
                );
                q.push_bind(&caller.account).push("))");
            }
            push_if!(q, query.team.as_ref(), " AND m.team_id = ", "");
            if let Some(search) = chosen!(&search) {
                q.push(" AND (lower(m.name) LIKE ")
                    .push_bind(search)
                    .push(" OR m.id LIKE ")
                    .push_bind(search)
                    .push(")");
            }
            q.push(" ORDER BY m.id LIMIT ").push_bind(page.limit() + 1);
        })?)
    }

    /// Stores the name and the description.
    pub async fn set_mini_app_texts(&mut self, mini_app: &MiniApp) -> Result<()> {
        execute!(
            self,
            "UPDATE mini_app SET name = $2, description = $3 WHERE id = $1",
            &mini_app.id,
            &mini_app.name,
            &mini_app.description
        )?;
        Ok(())
    }

    /// Stores whether it is on the shelf, and the reason if it is not.
    pub async fn set_shelf(&mut self, mini_app: &MiniApp) -> Result<()> {
        execute!(
            self,
            "UPDATE mini_app SET on_shelf = $2, shelf_note = $3 WHERE id = $1",
            &mini_app.id,
            mini_app.on_shelf,
            &mini_app.shelf_note
        )?;
        Ok(())
    }
}
