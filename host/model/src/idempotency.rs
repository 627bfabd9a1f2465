//! The store behind `Idempotency-Key`: keys, and the answers that their requests got. The HTTP side is
//! `api::idempotency`.

use serde::{Deserialize, Serialize};

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, MiniAppId, UserMessageId},
};

use crate::user::{OpenId, User};

/// A key with what it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// The caller, the method and the path, as one text.
    pub scope: String,
    /// The key that the caller has sent: 1 to 255 visible ASCII characters.
    pub key: String,
}

/// The user of whom a request speaks, by a hash, so that its answer is found when the user is erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The hash of what the request names the user by.
    pub person: Digest,
    /// In which MiniApp, if the request names it.
    pub mini_app: Option<MiniAppId>,
}

impl About {
    /// What requests are found by that name an account of a host app.
    pub fn account(user: &User) -> Digest {
        let User { host_app, account } = user;
        Digest::of(format!("account {host_app} {account}").as_bytes())
    }

    /// What requests are found by that name an OpenID.
    pub fn open_id(open_id: &OpenId) -> Digest {
        open_id.digest()
    }

    /// What requests are found by that name a message to a user.
    pub fn message(id: &UserMessageId) -> Digest {
        Digest::of(format!("message {id}").as_bytes())
    }
}

/// The answer to the first request with a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredResponse {
    /// The status code.
    pub status: u16,
    /// The headers Content-Type, Location and ETag, as far as there were any.
    pub headers: Vec<(String, String)>,
    /// The body; empty if `secret` or `erased` is true.
    pub body: String,
    /// Whether the answer showed a secret, in which case its body and headers are not kept.
    pub secret: bool,
    /// Whether the answer spoke of a user who was erased since, in which case its body and headers are gone.
    #[serde(default)]
    pub erased: bool,
}

impl StoredResponse {
    /// What is left of the answer when the user of whom it speaks is erased.
    pub fn erased(&self) -> Self {
        Self { headers: Vec::new(), body: String::new(), erased: true, ..*self }
    }
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
    fn begin(
        &self,
        scope: &Scope,
        fingerprint: &Digest,
        about: Option<&About>,
        now: Millis,
    ) -> impl Future<Output = Result<Begin>> + Send;
    /// Stores the answer to the request that has taken the key; only that there was one, if the user of whom it speaks was erased
    /// meanwhile.
    fn finish(&self, scope: &Scope, response: StoredResponse, now: Millis) -> impl Future<Output = Result<()>> + Send;
    /// Forgets the key, so that it may be used again.
    fn abandon(&self, scope: &Scope) -> impl Future<Output = Result<()>> + Send;
}
