//! Uploaded lists in memory, 16 bytes for each member. They are loaded when a gray task needs them, and tasks that use
//! the same list share it.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use super::{Key, judge::Cohorts};
use crate::{
    blob::Blobs,
    error::{Error, Result},
    ids::{CohortId, Digest},
};

/// The members of one uploaded list, as sorted keys.
pub struct Members(Box<[Key]>);

impl Members {
    /// Reads the members, one from each line; a line that occurs twice counts once.
    pub fn from_lines(lines: impl BufRead) -> std::io::Result<Self> {
        let mut keys =
            lines.lines().map(|line| line.map(|line| Key::of(&line))).collect::<std::io::Result<Vec<_>>>()?;
        keys.sort_unstable();
        keys.dedup();
        Ok(Self(keys.into()))
    }

    /// Whether `key`, a guid, device id or account, is a member.
    pub fn contains(&self, key: &str) -> bool {
        self.0.binary_search(&Key::of(key)).is_ok()
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the list has no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The uploaded lists that the policies of one task name in their configs. The policies cannot ask about other lists
/// (I7).
#[derive(Default)]
pub struct TaskCohorts(pub HashMap<CohortId, Arc<Members>>);

impl Cohorts for TaskCohorts {
    fn contains(&self, name: &str, key: &str) -> bool {
        self.0.get(name).is_some_and(|members| members.contains(key))
    }
}

/// The lists that gray tasks on this host use, found by their digest.
#[derive(Default)]
pub(super) struct Shelf(Mutex<HashMap<Digest, Weak<Members>>>);

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

    fn get(&self, digest: &Digest) -> Option<Arc<Members>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(digest)?.upgrade()
    }
}
