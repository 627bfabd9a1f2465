//! MiniApps.

use super::{Tx, chosen, execute, fetch, fetch_built, push_if};
use crate::{
    access::Caller,
    clock::Millis,
    error::{Error, Result},
    ids::{MiniAppId, TeamId},
    mini_app::{MiniApp, MiniAppQuery},
    page::PageQuery,
    version::VersionNumber,
};

#[derive(sqlx::FromRow)]
struct MiniAppRow {
    id: MiniAppId,
    team_id: TeamId,
    name: String,
    description: String,
    on_shelf: bool,
    shelf_note: String,
    min_version: Option<String>,
    created_at: Millis,
}

impl TryFrom<MiniAppRow> for MiniApp {
    type Error = Error;
    fn try_from(row: MiniAppRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            team: row.team_id,
            name: row.name,
            description: row.description,
            on_shelf: row.on_shelf,
            shelf_note: row.shelf_note,
            min_version: row.min_version.map(|text| text.parse()).transpose()?,
            created_at: row.created_at,
        })
    }
}

impl Tx {
    /// One MiniApp.
    pub async fn mini_app(&mut self, id: &MiniAppId) -> Result<Option<MiniApp>> {
        let row = fetch!(self, fetch_optional, MiniAppRow, "SELECT * FROM mini_app WHERE id = $1", id)?;
        row.map(MiniApp::try_from).transpose()
    }

    /// Sets or takes away the minimum usable version.
    pub async fn set_min_version(&mut self, id: &MiniAppId, min: Option<&VersionNumber>) -> Result<()> {
        let text = min.map(VersionNumber::to_string);
        execute!(self, "UPDATE mini_app SET min_version = $2 WHERE id = $1", id, text.clone())?;
        Ok(())
    }

    /// Holds the MiniApp until the transaction ends: everything that changes its state starts with this, so that
    /// publishers, rollbacks and grayscale changes come one after the other (F58).
    pub async fn hold_mini_app(&mut self, id: &MiniAppId) -> Result<MiniApp> {
        let row = fetch!(
            self,
            fetch_optional,
            MiniAppRow,
            "UPDATE mini_app SET revision = revision + 1 WHERE id = $1 RETURNING *",
            id
        )?;
        row.map(MiniApp::try_from).transpose()?.ok_or_else(|| Error::not_found("MiniApp", id))
    }

    /// Adds a MiniApp on the shelf. The bare error tells whether the id is taken.
    pub(crate) async fn insert_mini_app(&mut self, mini_app: &MiniApp) -> sqlx::Result<()> {
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

    /// The MiniApps that the caller may know of and asks for, by id, and one more than the page holds.
    pub(crate) async fn mini_apps_known_to(
        &mut self,
        caller: &Caller,
        query: &MiniAppQuery,
        page: &PageQuery,
    ) -> Result<Vec<MiniApp>> {
        let search = query.search.as_deref().map(|text| text.to_lowercase().replace(['%', '_', '\\'], ""));
        let search = search.map(|text| format!("%{text}%"));
        let rows = fetch_built!(self, MiniAppRow, |q| {
            q.push("SELECT * FROM mini_app m WHERE m.id > ").push_bind(page.after());
            if chosen!(!caller.reads_everything()) {
                q.push(
                    " AND m.team_id IN (SELECT scope_id FROM role_grant WHERE scope_kind = 'team' AND account_id = ",
                );
                q.push_bind(&caller.account).push(")");
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
        })?;
        rows.into_iter().map(MiniApp::try_from).collect()
    }

    /// Writes the name and the description.
    pub(crate) async fn set_mini_app_texts(&mut self, mini_app: &MiniApp) -> Result<()> {
        execute!(
            self,
            "UPDATE mini_app SET name = $2, description = $3 WHERE id = $1",
            &mini_app.id,
            &mini_app.name,
            &mini_app.description
        )?;
        Ok(())
    }

    /// Writes whether it is on the shelf, and why not.
    pub(crate) async fn set_shelf(&mut self, mini_app: &MiniApp) -> Result<()> {
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
