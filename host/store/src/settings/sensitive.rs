//! The APIs that host apps have marked as sensitive.

use sqlx::types::Json;

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::HostAppId,
};
use berth_model::settings::{SensitiveApi, SensitiveApis};

use crate::{Span, Tx, execute, fetch};

/// A row of `sensitive_api_set`.
#[derive(sqlx::FromRow)]
struct SensitiveRow {
    host_app_id: HostAppId,
    apis: Json<Vec<SensitiveApi>>,
    changed_by: String,
    changed_at: Millis,
}

impl Tx {
    /// Locks a host app until the transaction ends, so that changes of its settings come one after the other.
    /// `not-found` when there is none.
    pub async fn hold_host_app(&mut self, id: &HostAppId) -> Result<()> {
        let held = execute!(self, "UPDATE host_app SET name = name WHERE id = $1", id)?;
        if held == 0 { Err(Error::not_found("host app", id)) } else { Ok(()) }
    }

    /// The APIs that a host app has marked as sensitive; none when it never marked any.
    pub async fn sensitive_apis(&mut self, id: &HostAppId) -> Result<SensitiveApis> {
        const SQL: &str = "SELECT * FROM sensitive_api_set WHERE host_app_id = $1";
        let row = fetch!(self, fetch_optional, SensitiveRow, SQL, id)?;
        let never = SensitiveApis { host_app: id.clone(), apis: Vec::new(), changed_at: None, changed_by: None };
        Ok(row.map_or(never, |row| SensitiveApis {
            host_app: row.host_app_id,
            apis: row.apis.0,
            changed_at: Some(row.changed_at),
            changed_by: Some(row.changed_by),
        }))
    }

    /// Sets the APIs that a host app has marked as sensitive; this transaction holds the host app.
    pub async fn set_sensitive_apis(&mut self, id: &HostAppId, apis: &[SensitiveApi], by: &str) -> Result<()> {
        let now = self.now();
        execute!(
            self,
            "INSERT INTO sensitive_api_set (host_app_id, apis, changed_by, changed_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (host_app_id) DO UPDATE SET apis = excluded.apis, changed_by = excluded.changed_by,
                changed_at = excluded.changed_at",
            id,
            Json(apis),
            by,
            now
        )?;
        Ok(())
    }

    /// What the host apps in the span have marked as sensitive.
    pub async fn sensitive_apis_in(&mut self, span: &Span) -> Result<Vec<(HostAppId, Vec<SensitiveApi>)>> {
        let rows = fetch!(
            self,
            fetch_all,
            SensitiveRow,
            "SELECT * FROM sensitive_api_set WHERE host_app_id BETWEEN $1 AND $2",
            &span.from,
            &span.to
        )?;
        Ok(rows.into_iter().map(|row| (row.host_app_id, row.apis.0)).collect())
    }
}
