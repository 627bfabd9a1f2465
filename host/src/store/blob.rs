//! Which blobs are named by something.

use super::{Tx, fetch};
use crate::{error::Result, ids::Digest};

impl Tx {
    /// Whether a version, a policy or a list has these bytes. A deleted version has none any more.
    pub async fn is_blob_named(&mut self, digest: &Digest) -> Result<bool> {
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
