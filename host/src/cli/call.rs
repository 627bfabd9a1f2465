//! One request to the host, described so that it can be sent again.

use std::path::PathBuf;

use indicatif::ProgressBar;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde::Serialize;
use serde_json::Value;

/// Everything but the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A piece of a path or query, escaped.
pub fn escape(text: impl ToString) -> String {
    utf8_percent_encode(&text.to_string(), SEGMENT).to_string()
}

/// What is sent.
#[derive(Clone)]
pub enum Body {
    /// Nothing.
    None,
    /// A document.
    Json(Value),
    /// A file, streamed, with its progress.
    File {
        /// Which.
        path: PathBuf,
        /// The `Content-Type`.
        media_type: &'static str,
        /// Moved as the bytes go.
        progress: ProgressBar,
    },
}

/// One request.
#[derive(Clone)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// Path and query, from the `/`.
    pub path: String,
    /// Headers beside the usual ones.
    pub headers: Vec<(&'static str, String)>,
    /// What is sent.
    pub body: Body,
    /// Whether sending it twice does no more than sending it once.
    pub repeatable: bool,
    /// Whether the host is to do it once only, by an `Idempotency-Key`.
    pub keyed: bool,
    parameters: usize,
}

impl Call {
    fn new(method: Method, path: impl Into<String>) -> Self {
        let repeatable = method != Method::POST && method != Method::PATCH;
        let path = path.into();
        Self { method, path, headers: Vec::new(), body: Body::None, repeatable, keyed: false, parameters: 0 }
    }

    /// Reads.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// Reads the headers only.
    pub fn head(path: impl Into<String>) -> Self {
        Self::new(Method::HEAD, path)
    }

    /// Sets.
    pub fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }

    /// Edits.
    pub fn patch(path: impl Into<String>) -> Self {
        Self::new(Method::PATCH, path)
    }

    /// Takes away.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Does something that must not be repeated blindly.
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    /// Creates: carries an `Idempotency-Key`, so that it may be repeated.
    pub fn create(path: impl Into<String>) -> Self {
        Self { keyed: true, repeatable: true, ..Self::post(path) }
    }

    /// POSTs what may be sent again: a question in a document, or content that is known by its digest.
    pub fn ask(path: impl Into<String>) -> Self {
        Self { repeatable: true, ..Self::post(path) }
    }

    /// With a document.
    pub fn json(mut self, document: &impl Serialize) -> Self {
        self.body = Body::Json(serde_json::to_value(document).unwrap_or_default());
        self
    }

    /// With a file. Not together with [`Call::create`]: a host keeps the body of a keyed request in memory.
    pub fn file(mut self, path: impl Into<PathBuf>, media_type: &'static str, progress: ProgressBar) -> Self {
        self.body = Body::File { path: path.into(), media_type, progress };
        self
    }

    /// With a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a query parameter, when there is a value.
    pub fn query(mut self, name: &str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            let sign = if self.parameters == 0 { '?' } else { '&' };
            self.path = format!("{}{sign}{name}={}", self.path, escape(value));
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
