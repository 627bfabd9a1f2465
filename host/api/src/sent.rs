//! What to do once an answer was sent.

use std::sync::Arc;

/// An extension of a response: what to do once the last byte of its body was handed to the connection. It is not done
/// when the client has left before.
#[derive(Clone)]
pub(crate) struct OnceSent(Arc<dyn Fn() + Send + Sync>);

impl OnceSent {
    /// Has this done, once.
    pub fn new(work: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(work))
    }

    /// Does it.
    pub fn run(self) {
        (self.0)();
    }
}
