//! How far exports of real-time logs are.

use berth_base::error::Result;
use berth_model::log::LogId;

use super::{
    Lease, Tx, execute, fetch,
    lease::{free, given_back, taken},
};

impl Tx {
    /// Whether an export has begun.
    pub async fn has_log_export(&mut self, name: &str) -> Result<bool> {
        let row = fetch!(self, fetch_optional, (i64,), "SELECT entry_id FROM log_export WHERE name = $1", name)?;
        Ok(row.is_some())
    }

    /// Begins an export after an entry, unless it has begun.
    pub async fn begin_log_export(&mut self, name: &str, after: LogId) -> Result<()> {
        execute!(
            self,
            "INSERT INTO log_export (name, entry_id, lease_until) VALUES ($1, $2, 0) ON CONFLICT (name) DO NOTHING",
            name,
            after.0
        )?;
        Ok(())
    }

    /// Takes or keeps the lease of an export; the entry up to which all is sent, when the host has it.
    pub async fn claim_log_export(&mut self, name: &str, lease: &Lease) -> Result<Option<LogId>> {
        let row = fetch!(
            self,
            fetch_optional,
            (i64,),
            concat!(
                "UPDATE log_export SET ",
                taken!("$2", "$4"),
                " WHERE name = $1 AND (lease_owner = $2 OR ",
                free!("$3"),
                ") RETURNING entry_id"
            ),
            name,
            lease.owner(),
            lease.from(),
            lease.until()
        )?;
        Ok(row.map(|(id,)| LogId(id)))
    }

    /// Notes that everything up to an entry is sent. Returns `false` when the host does not have the lease any more.
    pub async fn move_log_export(&mut self, name: &str, owner: &str, to: LogId) -> Result<bool> {
        let moved = execute!(
            self,
            "UPDATE log_export SET entry_id = $3 WHERE name = $1 AND lease_owner = $2",
            name,
            owner,
            to.0
        )?;
        Ok(moved > 0)
    }

    /// Gives back the leases of exports of a host that stops.
    pub async fn release_log_exports(&mut self, owner: &str) -> Result<()> {
        const EXPORTS: &str = concat!("UPDATE log_export SET ", given_back!(), " WHERE lease_owner = $1");
        execute!(self, EXPORTS, owner)?;
        Ok(())
    }
}
