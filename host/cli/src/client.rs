//! Sends calls to a host, tries again where that is safe, and turns refusals into [`Failure`]s.

use std::{sync::Arc, time::Duration};

use futures_util::TryStreamExt;
use reqwest::{Response, StatusCode, header, redirect};
use serde_json::{Value, json};
use tokio_util::io::ReaderStream;

use super::{
    call::{Body, Call},
    failure::{Failure, Problem},
    paint::clean,
};
use crate::{names::Names, reach};
use berth_base::{clock::Random, ids::UserId, page::Page};
use berth_model::access::{AccountName, MOST_NAMES};

/// How often a call is sent at most.
const ATTEMPTS: u32 = 4;
/// How long a host can make the client wait by `Retry-After`.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// What identifies the caller to the host.
#[derive(Clone)]
pub enum Credential {
    None,
    /// The token of an account.
    Token(String),
    /// The public key of a host app.
    HostAppKey(String),
}

/// A client of one host.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    credential: Credential,
    random: Arc<dyn Random>,
    /// The names of accounts in the answers, for people; `None` when only programs read the answers.
    names: Option<Names>,
    /// The first pause before trying again, which doubles with each attempt.
    pub pause: Duration,
}

impl Client {
    /// A client of the host at `base`, such as `https://berth.example`.
    ///
    /// # Errors
    /// `usage` when `base` is not an http or https address.
    pub fn new(base: &str, credential: Credential, random: Arc<dyn Random>) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("berth/", env!("CARGO_PKG_VERSION"), " (cli)"))
            // What is sent, such as a token or an AppSecret, is for the host that was named.
            .redirect(redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .tcp_keepalive(Duration::from_secs(30));
        // An upload has no deadline, so a line that went dead must end it.
        #[cfg(target_os = "linux")]
        let http = http.tcp_user_timeout(Duration::from_secs(60));
        let http =
            http.build().map_err(|error| Failure::refused("tls", format!("Cannot prepare connections: {error}.")))?;
        Ok(Self { http, base: server_url(base)?, credential, random, names: None, pause: Duration::from_millis(300) })
    }

    /// The address of the host, without a trailing slash.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A client of the same host with another credential.
    pub fn with(&self, credential: Credential) -> Self {
        Self { credential, ..self.clone() }
    }

    /// This client, which looks up the names of the accounts in answers.
    pub(crate) fn naming(self, names: Names) -> Self {
        Self { names: Some(names), ..self }
    }

    /// Looks up the names of the accounts in an answer. A host that cannot tell leaves the ids, which is no failure.
    pub(crate) async fn look_up_names(&self, answer: &Value) {
        let (Some(names), Credential::Token(_)) = (&self.names, &self.credential) else { return };
        let unknown: Vec<_> = names.unknown_in(answer).into_iter().collect();
        for some in unknown.chunks(MOST_NAMES) {
            let ids = some.iter().map(UserId::as_str).collect::<Vec<_>>().join(",");
            let call = Call::get("/v1/account-names").query("ids", Some(ids));
            let found = self.document(call).await.ok().and_then(|found| serde_json::from_value(found).ok());
            let found: Page<AccountName> = found.unwrap_or_else(|| Page { items: Vec::new(), next: None });
            names.learn(some.iter().cloned().collect(), found.items);
        }
    }

    /// Sends a call and reads the JSON of the answer; `null` when it has no body. The names of the accounts in it are
    /// looked up.
    pub async fn value(&self, call: Call) -> Result<Value, Failure> {
        let answer = self.document(call).await?;
        self.look_up_names(&answer).await;
        Ok(answer)
    }

    async fn document(&self, call: Call) -> Result<Value, Failure> {
        let bytes = self.bytes(call).await?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|_| reach::not_berth(&self.base))
    }

    /// Sends a call and reads the answer as text.
    pub async fn text(&self, call: Call) -> Result<String, Failure> {
        Ok(String::from_utf8_lossy(&self.bytes(call).await?).into_owned())
    }

    /// Sends a call and reads the bytes of the answer.
    pub async fn bytes(&self, call: Call) -> Result<bytes::Bytes, Failure> {
        let answer = async { self.read(self.send(&call).await?).await };
        self.in_time(&call, answer).await
    }

    async fn read(&self, response: Response) -> Result<bytes::Bytes, Failure> {
        response.bytes().await.map_err(|error| reach::explain(&self.base, &error))
    }

    /// Bounds the time of everything but uploads, which take as long as the connection needs.
    async fn in_time<T>(&self, call: &Call, answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        if matches!(call.body, Body::File { .. }) {
            return answer.await;
        }
        let late = |_| Failure::Unreachable(format!("{} did not answer within {:?}.", self.base, call.patience));
        tokio::time::timeout(call.patience, answer).await.map_err(late)?
    }

    /// All items of a list, fetched page by page.
    pub async fn items(&self, call: Call) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.value(call.clone().query("cursor", cursor)).await?;
            let page: Page<Value> = serde_json::from_value(page).map_err(|_| reach::not_berth(&self.base))?;
            items.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(items);
            }
        }
    }

    /// Sends a call, again where that is safe, and returns the successful answer. `backon` cannot do this, as it
    /// repeats errors only, and an answer that asks to wait is none.
    pub async fn send(&self, call: &Call) -> Result<Response, Failure> {
        let key = call.keyed.then(|| self.idempotency_key());
        let mut attempt = 1;
        loop {
            let sent = self.once(call, key.as_deref()).await?;
            let again = attempt < ATTEMPTS;
            let pause = match &sent {
                Ok(response) if again => asked_to_wait(response, self.backoff(attempt)),
                Err(error) if again && (call.repeatable || error.is_connect()) && !reach::is_final(error) => {
                    Some(self.backoff(attempt))
                }
                _ => None,
            };
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => {
                    let answer = self.judge(sent).await;
                    settle(&call.body, answer.is_ok());
                    return answer.map_err(|failure| failure.of_call(&call.path));
                }
            }
            attempt += 1;
        }
    }

    fn backoff(&self, attempt: u32) -> Duration {
        self.pause * 2u32.pow(attempt - 1)
    }

    async fn judge(&self, sent: reqwest::Result<Response>) -> Result<Response, Failure> {
        let response = sent.map_err(|error| reach::explain(&self.base, &error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        if let Some(location) = sent_on_to(&response) {
            let text =
                format!("{} sends on to {location}. If that is the host, give its address by --server.", self.base);
            return Err(Failure::Unreachable(text));
        }
        Err(Failure::Refused(Box::new(problem(response).await)))
    }

    async fn once(&self, call: &Call, key: Option<&str>) -> Result<reqwest::Result<Response>, Failure> {
        let mut request = self.http.request(call.method.clone(), format!("{}{}", self.base, call.path));
        request = match &self.credential {
            Credential::None => request,
            Credential::Token(token) => request.bearer_auth(token),
            Credential::HostAppKey(key) => request.header("x-host-app-key", key),
        };
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        request = match &call.body {
            Body::None => request,
            Body::Json(document) => request.json(document),
            Body::File { path, media_type, progress } => {
                let (body, size) = stream(path, progress).await?;
                request.header(header::CONTENT_TYPE, *media_type).header(header::CONTENT_LENGTH, size).body(body)
            }
        };
        Ok(request.send().await)
    }

    fn idempotency_key(&self) -> String {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes);
        hex::encode(bytes)
    }
}

/// Ends the progress of an upload: whole when the host has taken it, where it stood when not.
fn settle(body: &Body, taken: bool) {
    if let Body::File { progress, .. } = body {
        if taken { progress.finish() } else { progress.abandon() }
    }
}

/// A file as a body that is read while it is sent, and its length in bytes.
async fn stream(path: &std::path::Path, progress: &indicatif::ProgressBar) -> Result<(reqwest::Body, u64), Failure> {
    let unreadable = |error: std::io::Error| Failure::file("read", path, &error);
    let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
    let metadata = file.metadata().await.map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(Failure::usage(format!("{} is a folder. Name the file that is to be sent.", path.display())));
    }
    let size = metadata.len();
    progress.set_length(size);
    progress.set_position(0);
    let progress = progress.clone();
    let stream = ReaderStream::with_capacity(file, 64 << 10).inspect_ok(move |chunk| progress.inc(chunk.len() as u64));
    Ok((reqwest::Body::wrap_stream(stream), size))
}

/// How long to wait before trying again; `None` when the host did not say that it is busy.
fn asked_to_wait(response: &Response, otherwise: Duration) -> Option<Duration> {
    if !matches!(response.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        return None;
    }
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).clamp(otherwise, LONGEST_PAUSE))
}

/// Where an answer sends on to, safe to be printed; `None` when it does not. No call is answered so by a host, but by what
/// stands in front of it, as to lead from http to https.
fn sent_on_to(response: &Response) -> Option<String> {
    let location = response.headers().get(header::LOCATION).filter(|_| response.status().is_redirection())?;
    Some(clean(&String::from_utf8_lossy(location.as_bytes())))
}

/// The refusal in an answer, even when something in front of the host gave it.
async fn problem(response: Response) -> Problem {
    let status = response.status();
    let header = response.headers().get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let bytes = response.bytes().await.unwrap_or_default();
    let document = serde_json::from_slice::<Value>(&bytes).ok().filter(|document| document.get("type").is_some());
    let document = document.unwrap_or_else(|| {
        json!({"type": format!("http-{}", status.as_u16()), "detail": format!(
            "The answer was {status} without a reason of Berth's. A proxy may have given it, or the server address is wrong.")})
    });
    let mut problem: Problem = serde_json::from_value(document).unwrap_or_else(|_| foreign(status));
    problem.kind = problem.kind.rsplit('/').next().unwrap_or_default().to_owned();
    problem.status = status.as_u16();
    problem.request_id = problem.request_id.or(header);
    problem
}

fn foreign(status: StatusCode) -> Problem {
    Problem {
        kind: format!("http-{}", status.as_u16()),
        title: status.to_string(),
        status: status.as_u16(),
        detail: String::new(),
        request_id: None,
        fields: serde_json::Map::new(),
        next: None,
        known: Vec::new(),
    }
}

/// A server address in its canonical form: scheme, host, port and path prefix, without a slash at the end.
pub(crate) fn server_url(text: &str) -> Result<String, Failure> {
    if text.trim().is_empty() {
        return Err(Failure::usage("No host is named. Give its address: --server https://berth.example."));
    }
    let wrong = || Failure::usage(format!("{text:?} is not a server address: expected such as https://berth.example."));
    let url = reqwest::Url::parse(text.trim()).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || url.query().is_some() {
        return Err(wrong());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Failure::usage("The server address must not contain a user name or password. Use --token."));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
