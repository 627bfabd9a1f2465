//! Names and ids of things, for those who look for them. Each statement finds what the caller may know, and no more of it
//! than is shown.

use berth_base::{error::Result, version::VersionNumber};
use berth_model::{
    access::Caller,
    search::{Found, MOST_FOUND},
};

use super::{Tx, access::push_team_members, fetch, fetch_built};

const MOST: i64 = MOST_FOUND as i64;

/// What `LIKE … ESCAPE '\'` looks for: what people type is a text to find, and no pattern.
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.to_lowercase().chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern + "%"
}

impl Tx {
    /// Host apps, teams, merchants and workspaces whose name contains the text, or whose id does where people choose it.
    pub async fn scopes_called(&mut self, caller: &Caller, text: &str) -> Result<Vec<Found>> {
        Ok(fetch!(
            self,
            fetch_all,
            Found,
            r"SELECT s.kind, s.id, s.name FROM (
                SELECT 'host_app' AS kind, id, name FROM host_app
                    WHERE lower(name) LIKE $1 ESCAPE '\' OR id LIKE $1 ESCAPE '\'
                UNION ALL SELECT 'team' AS kind, id, name FROM team WHERE lower(name) LIKE $1 ESCAPE '\'
                UNION ALL SELECT 'workspace' AS kind, id, name FROM workspace WHERE lower(name) LIKE $1 ESCAPE '\'
                UNION ALL SELECT 'merchant' AS kind, id, name FROM merchant
                    WHERE lower(name) LIKE $1 ESCAPE '\' OR id LIKE $1 ESCAPE '\') s
             WHERE $2 OR EXISTS (SELECT 1 FROM role_grant g
                WHERE g.account_id = $3 AND g.scope_kind = s.kind AND g.scope_id = s.id)
             ORDER BY s.kind, s.name, s.id LIMIT $4",
            containing(text),
            caller.reads_everything(),
            &caller.account,
            MOST
        )?)
    }

    /// Gray tasks of the caller's MiniApps whose name contains the text, newest first.
    pub async fn gray_tasks_called(&mut self, caller: &Caller, text: &str) -> Result<Vec<Found>> {
        Ok(fetch_built!(self, Found, |q| {
            q.push("SELECT 'gray_task' AS kind, t.id, t.name, t.mini_app_id AS mini_app FROM gray_task t");
            q.push(" JOIN mini_app m ON m.id = t.mini_app_id WHERE lower(t.name) LIKE ").push_bind(containing(text));
            q.push(r" ESCAPE '\'");
            push_team_members!(q, caller);
            q.push(" ORDER BY t.id DESC LIMIT ").push_bind(MOST);
        })?)
    }

    /// Versions of the caller's MiniApps with this number, newest first.
    pub async fn versions_numbered(&mut self, caller: &Caller, number: &VersionNumber) -> Result<Vec<Found>> {
        Ok(fetch_built!(self, Found, |q| {
            q.push("SELECT 'version' AS kind, v.number AS id, m.name, v.mini_app_id AS mini_app FROM version v");
            q.push(" JOIN mini_app m ON m.id = v.mini_app_id WHERE v.state <> 'deleted' AND v.number = ");
            q.push_bind(number);
            push_team_members!(q, caller);
            q.push(" ORDER BY v.id DESC LIMIT ").push_bind(MOST);
        })?)
    }
}
