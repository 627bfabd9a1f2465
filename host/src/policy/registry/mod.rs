//! The registry of policies: which are installed, and where they are bound.

mod bindings;
mod bound;
mod install;
mod scope;
#[cfg(test)]
mod tests;

use crate::store::Db;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

pub use bindings::{attach, auditors, bind, check, list as bindings, rebind, unbind};
pub use bound::{BindingPatch, BindingQuery, NewPolicyBinding, PolicyBinding, PolicyBindingRow, ScopedPolicyBinding};
pub use install::{
    InstalledPolicy, MAX_POLICY_BYTES, PolicyQuery, ensure_builtins, get, install, list, receive, remove,
};
pub use scope::{BindingScope, ScopeKind};

use super::{Engine, Policy};
use crate::{blob::Blobs, error::Result, ids::Digest, text::text_enum};

text_enum! {
    /// Whether the judgement of a policy decides.
    #[derive(Default)]
    Mode {
        /// The judgement decides.
        #[default]
        Enforce = "enforce",
        /// The judgement is recorded, and decides nothing.
        Shadow = "shadow",
    }
}

text_enum! {
    /// What it means that a policy gave no verdict. It never means "pass" unless somebody has chosen `open`.
    #[derive(Default)]
    OnError {
        /// The policy counts as having objected.
        #[default]
        Closed = "closed",
        /// The policy counts as not having been asked.
        Open = "open",
    }
}

/// Loads installed policies and keeps them in memory, by digest. Cheap to clone.
#[derive(Clone)]
pub struct Policies {
    pub(crate) db: Db,
    engine: Engine,
    blobs: Blobs,
    loaded: Arc<Mutex<HashMap<Digest, Arc<Policy>>>>,
}

impl Policies {
    /// A registry that has no policy in memory yet.
    pub fn new(db: Db, engine: Engine, blobs: Blobs) -> Self {
        Self { db, engine, blobs, loaded: Arc::default() }
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

    fn get(&self, digest: &Digest) -> Option<Arc<Policy>> {
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
