//! Consents of users to privacy agreements.

use berth_base::{error::Result, ids::Digest};
use berth_model::privacy::{PrivacyConsentRecord, PrivacyConsentStep};

use crate::{Tx, execute, fetch};

impl Tx {
    /// What the user whose OpenID has this hash has said to the agreement, oldest first.
    pub async fn privacy_consents(&mut self, open_id: &Digest) -> Result<Vec<PrivacyConsentRecord>> {
        const SQL: &str = "SELECT step, version, at FROM privacy_consent WHERE open_id_sha256 = $1 ORDER BY position";
        Ok(fetch!(self, fetch_all, PrivacyConsentRecord, SQL, open_id)?)
    }

    /// Adds to what a user has said, whom this transaction holds.
    pub async fn add_privacy_consent(
        &mut self,
        open_id: &Digest,
        step: PrivacyConsentStep,
        version: i64,
    ) -> Result<()> {
        let now = self.now();
        execute!(
            self,
            "INSERT INTO privacy_consent (open_id_sha256, position, step, version, at)
             SELECT $1, COUNT(*) + 1, $2, $3, $4 FROM privacy_consent WHERE open_id_sha256 = $1",
            open_id,
            step,
            version,
            now
        )?;
        Ok(())
    }
}
