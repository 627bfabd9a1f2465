//! The domains of MiniApps.

use sqlx::types::Json;

use berth_base::{clock::Millis, error::Result, ids::MiniAppId};
use berth_model::settings::{DomainSettings, Domains};

use crate::{Span, Tx, execute, fetch};

/// A row of `domain_set`.
#[derive(sqlx::FromRow)]
struct DomainRow {
    mini_app_id: MiniAppId,
    domains: Json<Domains>,
    changed_by: String,
    changed_at: Millis,
}

impl Tx {
    /// The domains of a MiniApp; none when they were never set.
    pub async fn domain_settings(&mut self, id: &MiniAppId) -> Result<DomainSettings> {
        let row = fetch!(self, fetch_optional, DomainRow, "SELECT * FROM domain_set WHERE mini_app_id = $1", id)?;
        let never =
            DomainSettings { mini_app: id.clone(), domains: Domains::default(), changed_at: None, changed_by: None };
        Ok(row.map_or(never, |row| DomainSettings {
            mini_app: row.mini_app_id,
            domains: row.domains.0,
            changed_at: Some(row.changed_at),
            changed_by: Some(row.changed_by),
        }))
    }

    /// Sets the domains of a MiniApp that this transaction holds.
    pub async fn set_domains(&mut self, id: &MiniAppId, domains: &Domains, by: &str) -> Result<()> {
        let now = self.now();
        execute!(
            self,
            "INSERT INTO domain_set (mini_app_id, domains, changed_by, changed_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (mini_app_id) DO UPDATE SET domains = excluded.domains, changed_by = excluded.changed_by,
                changed_at = excluded.changed_at",
            id,
            Json(domains),
            by,
            now
        )?;
        Ok(())
    }

    /// The domains of the MiniApps in the span that have set any.
    pub async fn domains_in(&mut self, span: &Span) -> Result<Vec<(MiniAppId, Domains)>> {
        let rows = fetch!(
            self,
            fetch_all,
            DomainRow,
            "SELECT * FROM domain_set WHERE mini_app_id BETWEEN $1 AND $2",
            &span.from,
            &span.to
        )?;
        Ok(rows.into_iter().map(|row| (row.mini_app_id, row.domains.0)).collect())
    }
}
