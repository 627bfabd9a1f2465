//! Finds out which blobs are in use.

use super::{Tx, fetch};
use berth_base::{error::Result, ids::Digest};

impl Tx {
    /// Whether a version that is not deleted, a policy, or an uploaded list has these bytes.
    pub(crate) async fn is_blob_named(&mut self, digest: &Digest) -> Result<bool> {
        let (named,) = fetch!(
            self,
            fetch_one,
            (bool,),
            "SELECT EXISTS (SELECT 1 FROM version WHERE sha256 = $1 AND state <> 'deleted')
                 OR EXISTS (SELECT 1 FROM policy WHERE digest = $1)
                 OR EXISTS (SELECT 1 FROM cohort WHERE sha256 = $1)",
            digest
        )?;
        Ok(named)
    }
}
