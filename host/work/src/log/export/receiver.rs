//! Sends requests to a receiver of OTLP.

use std::{io::Write, time::Duration};

use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
};
use berth_model::log::{LogEntry, OtlpOutcome, otlp_logs, otlp_outcome};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use percent_encoding::percent_decode_str;
use reqwest::{
    Client, Url,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};

use super::LogExportConfig;
use crate::event::deliver::schedule;

/// How long a receiver may take for a request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many bytes of an answer are read.
const ANSWER: usize = 64 << 10;

/// A receiver of OTLP.
pub struct Receiver {
    client: Client,
    url: Url,
}

impl Receiver {
    /// The receiver that the settings name; `None` when they name none.
    ///
    /// # Errors
    /// `bad-request` for an address or headers that cannot be used; the headers are not repeated in it.
    pub fn new(config: &LogExportConfig) -> Result<Option<Self>> {
        let Some(url) = &config.log_otlp_url else { return Ok(None) };
        let url = address(url).ok_or_else(|| {
            let text = "--log-otlp-url must be an http or https address, mostly one that ends with /v1/logs. A password belongs into --log-otlp-headers.";
            Error::new(Code::BadRequest, text)
        })?;
        let mut all =
            config.log_otlp_headers.as_ref().map(|text| headers(text.expose())).transpose()?.unwrap_or_default();
        all.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        all.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        // Fails only when a provider is installed already, which is then the one that is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A redirect would carry the headers elsewhere.
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).no_proxy();
        let client = client.user_agent(concat!("berth/", env!("CARGO_PKG_VERSION"), " (otlp)")).default_headers(all);
        Ok(Some(Self { client: client.build().map_err(Error::internal)?, url }))
    }

    /// Sends a request once. What cannot be sent at all should be sent again.
    pub async fn send(&self, body: Bytes, now: Millis) -> OtlpOutcome {
        let mut answer = match self.client.post(self.url.clone()).body(body).send().await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(error = %error.without_url(), "the receiver of exported logs cannot be reached");
                return OtlpOutcome::Again(None);
            }
        };
        let status = answer.status();
        let after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let after = after.and_then(|text| schedule::retry_after(text, now)).map(i64::unsigned_abs);
        let mut said = Vec::new();
        while let (Ok(Some(chunk)), true) = (answer.chunk().await, said.len() < ANSWER) {
            said.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            tracing::warn!(%status, "the receiver of exported logs did not take them");
        }
        otlp_outcome(status.as_u16(), after, &said)
    }
}

/// The request that exports entries, packed.
pub fn request(entries: &[LogEntry]) -> Result<Bytes> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    let text = serde_json::to_vec(&otlp_logs(entries)).map_err(Error::internal)?;
    packed.write_all(&text).and_then(|()| packed.finish()).map(Bytes::from).map_err(Error::internal)
}

fn address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(url).filter(|url| url.has_host() && url.username().is_empty() && url.password().is_none())
}

/// From `name=value,name=value`, where values are percent-encoded.
fn headers(text: &str) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (nth, one) in text.split(',').map(str::trim).enumerate().filter(|(_, one)| !one.is_empty()) {
        let wrong = || {
            let text = format!(
                "--log-otlp-headers: number {} is not of the form name=value, with the value percent-encoded.",
                nth + 1
            );
            Error::new(Code::BadRequest, text)
        };
        let (name, value) = one.split_once('=').ok_or_else(wrong)?;
        let name: HeaderName = name.trim().parse().map_err(|_| wrong())?;
        let value = percent_decode_str(value.trim()).collect::<Vec<u8>>();
        let mut value = HeaderValue::from_bytes(&value).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn d16_headers_are_read_and_never_repeated() {
        let found = headers("authorization=Bearer%20a%2Cb=, X-Tenant = t ,").unwrap();
        assert_eq!(
            (found["authorization"].to_str().unwrap(), found["x-tenant"].to_str().unwrap()),
            ("Bearer a,b=", "t")
        );
        assert!(found["authorization"].is_sensitive());
        for wrong in ["canary", "a=b,canary", "a b=canary", "=canary", "a=canary%0a"] {
            let error = headers(wrong).unwrap_err();
            assert!(error.code == Code::BadRequest && !format!("{error:?}").contains("canary"), "{error:?}");
        }
    }

    #[test]
    fn d16_an_address_is_http_and_has_no_password() {
        assert!(address("http://c:4318/v1/logs").is_some() && address("https://c").is_some());
        for wrong in ["grpc://c:4317", "collector:4318", "http://u:p@c:4318/v1/logs", ""] {
            assert!(address(wrong).is_none(), "{wrong}");
        }
    }
}
