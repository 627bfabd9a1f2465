//! Uploaded lists of devices or accounts. Their members are in the blob store.

use berth_base::sql::Count;

use super::{Tx, execute, fetch};
use berth_base::{
    error::Result,
    ids::{CohortId, Digest, MiniAppId},
};
use berth_model::rollout::Cohort;

impl Tx {
    /// Digest of the list with this id; `None` when the MiniApp has no such list.
    pub async fn cohort_digest(&mut self, mini_app: &MiniAppId, id: &CohortId) -> Result<Option<Digest>> {
        let row = fetch!(
            self,
            fetch_optional,
            (Digest,),
            "SELECT sha256 FROM cohort WHERE id = $1 AND mini_app_id = $2",
            id,
            mini_app
        )?;
        Ok(row.map(|(digest,)| digest))
    }

    /// All lists of a MiniApp, newest first.
    pub async fn cohorts(&mut self, mini_app: &MiniAppId) -> Result<Vec<Cohort>> {
        Ok(fetch!(
            self,
            fetch_all,
            Cohort,
            "SELECT * FROM cohort WHERE mini_app_id = $1 ORDER BY created_at DESC, id DESC",
            mini_app
        )?)
    }

    /// Adds a list to a MiniApp.
    pub async fn insert_cohort(&mut self, mini_app: &MiniAppId, cohort: &Cohort) -> Result<()> {
        execute!(
            self,
            "INSERT INTO cohort (id, mini_app_id, name, members, lines, blanks, duplicates, sha256, created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            &cohort.id,
            mini_app,
            &cohort.name,
            Count(cohort.members),
            Count(cohort.lines),
            Count(cohort.blanks),
            Count(cohort.duplicates),
            &cohort.sha256,
            &cohort.created_by,
            cohort.created_at
        )?;
        Ok(())
    }
}
