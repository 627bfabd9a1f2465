//! The registry of policies: which are installed, and where they are bound.

mod binding;
mod install;
pub mod lists;
mod pull;
mod scope;
#[cfg(test)]
mod tests;
pub mod trust;

pub use berth_model::policy::registry::*;
pub(crate) use binding::{at_place, authorise_at};
pub use binding::{attach, auditors, bind, check, get as binding, list as bindings, rebind, store, take_away, unbind};
pub use install::{MAX_POLICY_BYTES, bytes_of, ensure_builtins, get, install, list, receive, remove};
pub use pull::{Registries, RegistryConfig, pull};
pub(crate) use scope::authorise;
pub(crate) use trust::require_at;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use berth_base::{error::Result, ids::Digest};
use berth_judge::{Engine, Policy};
use berth_oci::Sigstore;
use berth_store::{Db, blob::Blobs};

use super::figures::Board;

/// Loads installed policies and keeps them in memory, by digest. Cheap to clone.
#[derive(Clone)]
pub struct Policies {
    pub(crate) db: Db,
    engine: Engine,
    blobs: Blobs,
    /// By which signatures with certificates are verified.
    sigstore: Arc<Sigstore>,
    loaded: Arc<Mutex<HashMap<Digest, Arc<Policy>>>>,
    /// How their bindings run.
    pub board: Arc<Board>,
}

impl Policies {
    /// A registry that has no policy in memory yet.
    pub fn new(db: Db, engine: Engine, blobs: Blobs, sigstore: Sigstore) -> Self {
        let board = Arc::new(Board::new(db.now()));
        Self { db, engine, blobs, sigstore: Arc::new(sigstore), loaded: Arc::default(), board }
    }

    /// The engine that runs the policies.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The policy with this digest, ready to run; read from the blob store and compiled unless it is in memory.
    pub async fn load(&self, digest: &Digest) -> Result<Arc<Policy>> {
        if let Some(policy) = self.get(digest) {
            return Ok(policy);
        }
        let bytes = async { Ok(self.blobs.bytes(digest).await?.to_vec()) };
        let policy = self.engine.load(digest, bytes).await?;
        self.remember(&policy);
        Ok(policy)
    }

    /// The policy with this digest, if it is in memory.
    pub fn get(&self, digest: &Digest) -> Option<Arc<Policy>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    fn remember(&self, policy: &Arc<Policy>) {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.insert(policy.digest().clone(), policy.clone());
    }

    fn forget(&self, digest: &Digest) {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).remove(digest);
    }
}
