//! What MiniApps have registered as clients.

use sqlx::types::Json;

use berth_base::{clock::Millis, error::Result, ids::MiniAppId};
use berth_model::oidc::{OidcClient, SetOidcClient};

use crate::{Tx, execute, fetch};

#[derive(sqlx::FromRow)]
struct ClientRow {
    mini_app_id: MiniAppId,
    redirect_uris: Json<Vec<String>>,
    post_logout_redirect_uris: Json<Vec<String>>,
    changed_by: String,
    changed_at: Millis,
}

impl Tx {
    /// What a MiniApp has registered; nothing when it never has.
    pub async fn oidc_client(&mut self, id: &MiniAppId) -> Result<OidcClient> {
        const SQL: &str = "SELECT * FROM oidc_client WHERE mini_app_id = $1";
        let row = fetch!(self, fetch_optional, ClientRow, SQL, id)?;
        let never = OidcClient {
            mini_app: id.clone(),
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            changed_at: None,
            changed_by: None,
        };
        Ok(row.map_or(never, |row| OidcClient {
            mini_app: row.mini_app_id,
            redirect_uris: row.redirect_uris.0,
            post_logout_redirect_uris: row.post_logout_redirect_uris.0,
            changed_at: Some(row.changed_at),
            changed_by: Some(row.changed_by),
        }))
    }

    /// Sets what a MiniApp that this transaction holds has registered.
    pub async fn set_oidc_client(&mut self, id: &MiniAppId, set: &SetOidcClient, by: &str) -> Result<()> {
        let now = self.now();
        execute!(
            self,
            "INSERT INTO oidc_client (mini_app_id, redirect_uris, post_logout_redirect_uris, changed_by, changed_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (mini_app_id) DO UPDATE SET redirect_uris = excluded.redirect_uris,
                post_logout_redirect_uris = excluded.post_logout_redirect_uris, changed_by = excluded.changed_by,
                changed_at = excluded.changed_at",
            id,
            Json(&set.redirect_uris),
            Json(&set.post_logout_redirect_uris),
            by,
            now
        )?;
        Ok(())
    }
}
