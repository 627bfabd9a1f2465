//! The id of a request. It is taken from the caller if it has a harmless form, and generated otherwise. It stands in
//! the answer, in problems and in log lines.
//!
//! Not tower-http's `request-id`: it accepts whatever a caller sends, and adds the id neither to problems nor to log
//! lines.

use std::{fmt, sync::Arc};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use berth_base::clock::Random;

/// The header that carries the id in requests and answers.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Length in bytes of an id from a caller, at most.
const MAX_LEN: usize = 64;

/// The id of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The id of the request that this task answers; `None` outside of requests. Spawned tasks do not inherit it, see
/// [`RequestId::scope`].
pub fn current() -> Option<RequestId> {
    CURRENT.try_with(Clone::clone).ok()
}

impl RequestId {
    /// The caller's id if it has at most 64 characters of `[A-Za-z0-9._-]`, otherwise a new one of 96 random bits.
    pub fn of(headers: &HeaderMap, random: &dyn Random) -> Self {
        let given = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
        match given.filter(|id| is_sane(id)) {
            Some(id) => Self(id.into()),
            None => Self::generate(random),
        }
    }

    fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0u8; 12];
        random.fill(&mut bytes);
        Self(hex::encode(bytes).into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as a header value.
    pub(crate) fn to_header(&self) -> HeaderValue {
        // Cannot fail: both sources of ids consist of visible ASCII.
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("-"))
    }

    /// Runs `work` in such a way that [`current`] returns this id in it.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }
}

/// Whether an id from a caller is accepted. Other characters could forge log lines or break a header.
fn is_sane(id: &str) -> bool {
    (1..=MAX_LEN).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    struct Sevens;
    impl Random for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn id_for(given: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, HeaderValue::from_str(given).unwrap());
        RequestId::of(&headers, &Sevens).to_string()
    }

    #[test]
    fn a_sane_id_of_the_caller_is_kept() {
        assert_eq!(id_for("client-7f.A_2"), "client-7f.A_2");
        assert_eq!(id_for(&"a".repeat(64)), "a".repeat(64));
    }

    #[test]
    fn an_id_that_could_forge_a_log_line_is_replaced() {
        for bad in ["", "a b", "a\"b", "x;y", &"a".repeat(65)] {
            assert_eq!(id_for(bad), "07".repeat(12), "{bad:?}");
        }
        assert_eq!(RequestId::of(&HeaderMap::new(), &Sevens).as_str().len(), 24);
    }

    #[tokio::test]
    async fn the_id_is_known_inside_its_request_only() {
        let inside = RequestId::generate(&Sevens).scope(async { current() }).await;
        assert_eq!(inside.unwrap().as_str(), "07".repeat(12));
        assert!(current().is_none());
    }
}
