//! What is remembered of a request that may be repeated: its key, and the answer that it got. The HTTP side is
//! `api::idempotency`.

use serde::{Deserialize, Serialize};

use crate::{clock::Millis, error::Result, ids::Digest};

/// What a key is unique within.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The caller, method and path.
    pub scope: String,
    /// The caller's key: 1 to 255 visible ASCII characters.
    pub key: String,
}

/// An answer as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredResponse {
    /// The status code.
    pub status: u16,
    /// Content-Type, Location and ETag, those that were there.
    pub headers: Vec<(String, String)>,
    /// The body; empty when `secret`.
    pub body: String,
    /// The answer showed a secret, so that its body and headers were not kept.
    pub secret: bool,
}

/// What the store knows of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Nothing; the key is now taken by this request.
    Fresh,
    /// The answer of the first request.
    Replay(StoredResponse),
    /// It was used with another fingerprint.
    Mismatch,
    /// The first request is still running.
    InProgress,
}

/// Where keys are kept. `begin` must be atomic across hosts, and must hand a key out anew when its first request was
/// begun so long ago that its host must have died.
pub trait IdempotencyStore: Clone + Send + Sync + 'static {
    /// Takes the key, or says what became of it.
    fn begin(&self, scope: &Scope, fingerprint: &Digest, now: Millis) -> impl Future<Output = Result<Begin>> + Send;
    /// Keeps the answer.
    fn finish(&self, scope: &Scope, response: StoredResponse, now: Millis) -> impl Future<Output = Result<()>> + Send;
    /// Forgets the key.
    fn abandon(&self, scope: &Scope) -> impl Future<Output = Result<()>> + Send;
}
