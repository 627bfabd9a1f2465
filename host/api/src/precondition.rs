//! `If-Match`: a change of a thing that is wanted only while the thing is as it was read.

use axum::{extract::FromRequestParts, http::request::Parts};
use headers::HeaderMapExt;
use serde::Serialize;

use berth_base::error::{Code, Error, Result};

use crate::{etag, problem::Problem};

/// The header `If-Match` of a request; without it nothing is demanded.
pub struct IfMatch(Option<headers::IfMatch>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        // What is no tag is no header for the crate, or matches nothing; it must not be taken for an absent one.
        let unreadable = |_| Problem(Error::parameter("If-Match", "expected the ETag of a GET with its quotes, or *."));
        parts.headers.typed_try_get().map(Self).map_err(unreadable)
    }
}

impl IfMatch {
    /// Refuses the change unless the answer to a GET is now `present`, as the caller read it.
    ///
    /// # Errors
    /// `precondition-failed`.
    pub fn require(&self, present: &impl Serialize) -> Result<()> {
        let Some(wanted) = &self.0 else { return Ok(()) };
        let tag = etag::of(&serde_json::to_vec(present).map_err(Error::internal)?)?;
        if wanted.precondition_passes(&tag) {
            return Ok(());
        }
        let detail = "It was changed since it was read with the ETag in If-Match. Read it again, decide anew, and send the new ETag.";
        Err(Error::new(Code::PreconditionFailed, detail))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use axum::{
        body::Body,
        http::{HeaderValue, Request, header},
    };
    use serde_json::json;

    use super::*;

    async fn sent(value: Option<&'static str>) -> Result<IfMatch, Problem> {
        let mut request = Request::put("/").body(Body::empty()).unwrap();
        value.map(|value| request.headers_mut().insert(header::IF_MATCH, HeaderValue::from_static(value)));
        IfMatch::from_request_parts(&mut request.into_parts().0, &()).await
    }

    #[tokio::test]
    async fn d1_a_change_is_done_when_nothing_was_demanded_or_what_was_read_is_still_so() {
        let present = json!({"a": 1});
        assert!(sent(None).await.ok().unwrap().require(&present).is_ok());
        assert!(sent(Some("*")).await.ok().unwrap().require(&present).is_ok());
        let refused = sent(Some("\"other\"")).await.ok().unwrap().require(&present).unwrap_err();
        assert_eq!(refused.code, Code::PreconditionFailed);
        let odd = sent(Some("no quotes")).await;
        assert!(!matches!(odd, Ok(wanted) if wanted.require(&present).is_ok()));
    }
}
