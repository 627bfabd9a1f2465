//! MiniApps in the database.

use super::{
    Tx,
    access::{push_own_teams, roles},
    chosen, execute, fetch, fetch_built, push_if,
};
use crate::search::containing;
use berth_base::{
    error::{Error, Result},
    ids::MiniAppId,
    page::PageQuery,
    version::VersionNumber,
};
use berth_model::{
    access::{Action, Caller, ScopeKind},
    mini_app::{ListedMiniApp, MiniApp, MiniAppQuery, ShelfSide},
    rollout::State as GrayState,
    version::State,
};

/// Pushes the host apps of which the caller is a member that reads, as a list in parentheses.
macro_rules! push_own_host_apps {
    ($query:ident, $caller:expr) => {
        $query.push("(SELECT scope_id FROM role_grant WHERE scope_kind = 'host_app' AND role IN (");
        $query.push(roles(Action::Read, ScopeKind::HostApp)).push(") AND account_id = ");
        $query.push_bind(&$caller.account).push(")");
    };
}

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
    /// publications, rollbacks and changes of gray tasks come one after the other (F58), and says when it was changed
    /// last. `not-found` when there is none.
    pub async fn hold_mini_app(&mut self, id: &MiniAppId) -> Result<MiniApp> {
        const SQL: &str = "UPDATE mini_app SET revision = revision + 1, changed_at = $2 WHERE id = $1 RETURNING *";
        let now = self.now();
        let row = fetch!(self, fetch_optional, MiniApp, SQL, id, now)?;
        row.ok_or_else(|| Error::not_found("MiniApp", id))
    }

    /// Adds a MiniApp on the shelf. Returns the error of the database, by which callers recognise that the id is taken.
    pub async fn insert_mini_app(&mut self, mini_app: &MiniApp) -> sqlx::Result<()> {
        execute!(
            self,
            "INSERT INTO mini_app (id, team_id, name, description, on_shelf, shelf_note, revision, created_at, changed_at)
             VALUES ($1, $2, $3, $4, TRUE, '', 0, $5, $5)",
            &mini_app.id,
            &mini_app.team,
            &mini_app.name,
            &mini_app.description,
            mini_app.created_at
        )
        .map(drop)
    }

    /// A page of the MiniApps that match `query` and that the caller may know about, by id, each with what is next for it,
    /// and one more than the page holds.
    pub async fn mini_apps_known_to(
        &mut self,
        caller: &Caller,
        query: &MiniAppQuery,
        page: &PageQuery,
    ) -> Result<Vec<ListedMiniApp>> {
        let search = query.search.as_deref().map(containing);
        let on_shelf = query.shelf.map(|side| side == ShelfSide::On);
        Ok(fetch_built!(self, ListedMiniApp, |q| {
            q.push("SELECT m.*,");
            q.push(" (SELECT v.number FROM version v WHERE v.mini_app_id = m.id AND v.state = 'online') AS online,");
            for state in [State::Auditing, State::Approved] {
                q.push(" (SELECT v.number FROM version v WHERE v.mini_app_id = m.id AND v.state = '")
                    .push(state)
                    .push("'");
                if chosen!(!caller.reads_everything()) {
                    q.push(" AND (m.own OR EXISTS (SELECT 1 FROM audit a JOIN audit_item i ON i.audit_id = a.id");
                    q.push(" WHERE a.version_id = v.id AND i.host_app_id IN ");
                    push_own_host_apps!(q, caller);
                    q.push("))");
                }
                q.push(" ORDER BY v.major DESC, v.minor DESC, v.patch DESC LIMIT 1) AS ").push(state).push(",");
            }
            for state in [GrayState::Delivering, GrayState::Suspended] {
                q.push(" CASE WHEN m.own THEN (SELECT COUNT(*) FROM gray_task t WHERE t.mini_app_id = m.id AND t.state = '")
                    .push(state)
                    .push("') END AS ")
                    .push(state)
                    .push(",");
            }
            q.push(
                " CASE WHEN m.own THEN m.changed END AS changed_at
                  FROM (SELECT m.id, m.team_id, m.name, m.description, m.on_shelf, m.shelf_note, m.min_version,
                    m.created_at, m.changed_at AS changed, ",
            );
            if chosen!(caller.reads_everything()) {
                q.push("TRUE");
            } else {
                q.push("m.team_id IN ");
                push_own_teams!(q, caller);
            }
            q.push(" AS own FROM mini_app m WHERE m.id > ").push_bind(page.after());
            if chosen!(!caller.reads_everything()) {
                q.push(" AND (m.team_id IN ");
                push_own_teams!(q, caller);
                q.push(
                    " OR m.id IN (SELECT b.mini_app_id FROM binding b WHERE b.state = 'active' AND b.host_app_id IN ",
                );
                push_own_host_apps!(q, caller);
                q.push("))");
            }
            push_if!(q, query.team.as_ref(), " AND m.team_id = ", "");
            push_if!(q, on_shelf, " AND m.on_shelf = ", "");
            if let Some(search) = chosen!(&search) {
                q.push(" AND (lower(m.name) LIKE ")
                    .push_bind(search)
                    .push(r" ESCAPE '\' OR m.id LIKE ")
                    .push_bind(search)
                    .push(r" ESCAPE '\')");
            }
            q.push(" ORDER BY m.id LIMIT ").push_bind(page.limit() + 1).push(") m ORDER BY m.id");
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
