//! A request to the host, described so that it can be sent more than once.

use std::{path::PathBuf, time::Duration};

pub use berth_base::address::escape;
use indicatif::ProgressBar;
use reqwest::Method;
use serde::Serialize;
use serde_json::Value;

/// How long an answer may take, unless the call says otherwise. Compiling a policy takes up to half a minute.
const PATIENCE: Duration = Duration::from_secs(120);

/// The body of a request.
#[derive(Clone)]
pub enum Body {
    None,
    Json(Value),
    /// A file that is streamed.
    File {
        path: PathBuf,
        /// The value of `Content-Type`.
        media_type: &'static str,
        /// Advances with the bytes that are sent.
        progress: ProgressBar,
    },
}

/// A request to the host.
#[derive(Clone)]
pub struct Call {
    pub method: Method,
    /// The path and the query, beginning with `/`.
    pub path: String,
    /// Headers besides the usual ones.
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
    /// Whether it may be sent again when the answer was lost.
    pub repeatable: bool,
    /// Whether it gets an `Idempotency-Key`, with which the host does it only once.
    pub keyed: bool,
    /// How long the answer may take.
    pub patience: Duration,
    parameters: usize,
}

impl Call {
    fn new(method: Method, path: impl Into<String>) -> Self {
        let repeatable = method != Method::POST && method != Method::PATCH;
        let path = path.into();
        let (body, patience) = (Body::None, PATIENCE);
        Self { method, path, headers: Vec::new(), body, repeatable, keyed: false, patience, parameters: 0 }
    }

    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub fn head(path: impl Into<String>) -> Self {
        Self::new(Method::HEAD, path)
    }

    pub fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }

    pub fn patch(path: impl Into<String>) -> Self {
        Self::new(Method::PATCH, path)
    }

    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// A POST that must not be sent twice.
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    /// A POST with an `Idempotency-Key`, so that it may be sent again.
    pub fn create(path: impl Into<String>) -> Self {
        Self { keyed: true, repeatable: true, ..Self::post(path) }
    }

    /// A POST that may be sent again without a key: a question, or content that is known by its digest.
    pub fn ask(path: impl Into<String>) -> Self {
        Self { repeatable: true, ..Self::post(path) }
    }

    /// Sets a JSON body.
    pub fn json(mut self, document: &impl Serialize) -> Self {
        self.body = Body::Json(serde_json::to_value(document).unwrap_or_default());
        self
    }

    /// Sets a file as the body. Not for a [`Call::create`]: a host keeps the body of a keyed request in memory.
    pub fn file(mut self, path: impl Into<PathBuf>, media_type: &'static str, progress: ProgressBar) -> Self {
        self.body = Body::File { path: path.into(), media_type, progress };
        self
    }

    /// Lets the answer take so long.
    pub fn within(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Adds a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds a query parameter if there is a value.
    pub fn query(mut self, name: &str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            let sign = if self.parameters == 0 { '?' } else { '&' };
            self.path = format!("{}{sign}{name}={}", self.path, escape(value.to_string()));
            self.parameters += 1;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_escaped_and_joined() {
        let call = Call::get("/v1/x").query("a", Some("1 &")).query("b", None::<u8>).query("c", Some(2));
        assert_eq!(call.path, "/v1/x?a=1%20%26&c=2");
    }

    #[test]
    fn a_post_is_repeated_only_with_a_key_or_when_it_only_asks() {
        assert!(!Call::post("/").repeatable);
        assert!(Call::create("/").repeatable && Call::create("/").keyed);
        assert!(Call::ask("/").repeatable);
    }
}
