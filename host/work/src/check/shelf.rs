//! The uploaded lists of this host's tasks, read from the blob store once.

use std::{
    collections::HashMap,
    io::BufReader,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use berth_base::{
    error::{Error, Result},
    ids::Digest,
};
use berth_check::Members;
use berth_store::blob::Blobs;

/// The lists that some task of this host uses.
#[derive(Default)]
pub struct Shelf(Mutex<HashMap<Digest, Weak<Members>>>);

impl Shelf {
    /// The list with this digest, read from the blob store unless a task uses it already.
    pub async fn members(&self, blobs: &Blobs, digest: &Digest) -> Result<Arc<Members>> {
        if let Some(members) = self.get(digest) {
            return Ok(members);
        }
        let file = blobs.file(digest).await?;
        let read = tokio::task::spawn_blocking(move || Members::from_lines(BufReader::with_capacity(1 << 18, file)));
        let members = Arc::new(read.await.map_err(Error::internal)?.map_err(Error::internal)?);
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.retain(|_, members| members.strong_count() > 0);
        shelf.insert(digest.clone(), Arc::downgrade(&members));
        Ok(members)
    }

    /// The list with this digest, if a task uses it.
    pub(super) fn get(&self, digest: &Digest) -> Option<Arc<Members>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(digest)?.upgrade()
    }
}
