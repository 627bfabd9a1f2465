//! The store behind `Idempotency-Key`: keys, and the answers that their requests got. The HTTP side is
//! `api::idempotency`.

use serde::{Deserialize, Serialize};

use berth_base::{clock::Millis, error::Result, ids::Digest};

/// A key with what it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The caller, the method and the path, as one text.
    pub scope: String,
    /// The key that the caller has sent: 1 to 255 visible ASCII characters.
    pub key: String,
}

/// The answer to the first request with a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredResponse {
    /// The status code.
    pub status: u16,
    /// The headers Content-Type, Location and ETag, as far as there were any.
    pub headers: Vec<(String, String)>,
    /// The body; empty if `secret` is true.
    pub body: String,
    /// Whether the answer showed a secret, in which case its body and headers are not kept.
    pub secret: bool,
}

/// What the store knows about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Nothing. The key now belongs to this request.
    Fresh,
    /// The first request has had this answer.
    Replay(StoredResponse),
    /// The key was used for a request with another fingerprint.
    Mismatch,
    /// The first request is still running.
    InProgress,
}

/// Stores keys and answers. `begin` must be atomic across hosts. It must give a key to a new request when the first one
/// was begun so long ago that its host must have died.
pub trait IdempotencyStore: Clone + Send + Sync + 'static {
    /// Takes the key for a request with this fingerprint, or says how it was used.
    fn begin(&self, scope: &Scope, fingerprint: &Digest, now: Millis) -> impl Future<Output = Result<Begin>> + Send;
    /// Stores the answer to the request that has taken the key.
    fn finish(&self, scope: &Scope, response: StoredResponse, now: Millis) -> impl Future<Output = Result<()>> + Send;
    /// Forgets the key, so that it may be used again.
    fn abandon(&self, scope: &Scope) -> impl Future<Output = Result<()>> + Send;
}
