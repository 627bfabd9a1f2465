//! Black-box tests of the host, and its benchmarks.
//!
//! [`Host`] is a whole host with real HTTP, a real database and real policies. [`Api`] is a client that talks to it.
//! [`Answer`] reads as English: `.good()`, `.refused("version-exists")`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot set its scene should stop"
)]

pub mod authenticator;
pub mod bench;
pub mod browser;
pub mod chromium;
pub mod guests;
pub mod invariants;
pub mod login_provider;
pub mod made;
pub mod many;
pub mod merchant;
pub mod process;
pub mod receiver;
pub mod scene;
pub mod shell;
pub mod shop;
pub mod tour;
pub mod walkthrough;
pub mod wechat;
pub mod wecom;
pub mod witness;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use berth::server;
use berth_api::serve::ServeConfig;
use berth_base::clock::{Clock, ManualClock, Nature, SystemClock, SystemRandom};
use berth_judge::Compiler;
use berth_package::{PackOptions, PackageName, pack};
use berth_store::DbConfig;
use berth_work::{
    app::App,
    config::{Config, Storage},
};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, net::TcpListener, process::Command, sync::oneshot, task::JoinHandle};

/// A clock that the test moves, which begins now, and a nature that goes by it.
pub fn clock() -> (ManualClock, Nature) {
    let clock = ManualClock::new(SystemClock.now());
    (clock.clone(), Nature { clock: Arc::new(clock), random: Arc::new(SystemRandom) })
}

/// What a script of `tests/setup/` says, which runs a library of others from `modules` on what it is asked. Both are JSON.
pub async fn run_node(modules: &str, script: &str, asked: &Value) -> Value {
    let script = format!("{}/setup/{script}", env!("CARGO_MANIFEST_DIR"));
    let mut node = Command::new("node")
        .arg(script)
        .env("NODE_PATH", modules)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).await.unwrap();
    let said = node.wait_with_output().await.unwrap();
    serde_json::from_slice(&said.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&said.stdout)))
}

/// The database that a host uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// SQLite, in a file in the host's folder.
    Sqlite,
    /// A new database on the PostgreSQL server of `BERTH_TEST_POSTGRES`.
    Postgres,
}

/// Makes two tests of each body: one on SQLite, and one on PostgreSQL, which is skipped when there is no server. In CI
/// there has to be one.
#[macro_export]
macro_rules! on_both {
    ($(async fn $name:ident($host:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn body($host: $crate::Host) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $crate::witness::watch($crate::Host::start($crate::Database::Sqlite).await, body).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if $crate::postgres_is_there() {
                    $crate::witness::watch($crate::Host::start($crate::Database::Postgres).await, body).await;
                }
            }
        }
    )*};
}

/// Returns a variable that `tests/setup/run.sh` sets. When it is not set, this prints a loud note, and panics in CI.
pub fn there_is(variable: &str) -> Option<String> {
    let value = std::env::var(variable).ok();
    or_skip(value.is_some(), &format!("{variable} is not set"));
    value
}

/// Says loudly why a test is skipped when it is, and panics in CI. Returns whether it is to go on.
pub(crate) fn or_skip(goes_on: bool, why: &str) -> bool {
    let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(goes_on || !in_ci, "{why}, and in CI nothing is skipped");
    if !goes_on {
        eprintln!("=== SKIPPED: {why} ===");
    }
    goes_on
}

/// Whether there is a PostgreSQL server for the tests. In CI there has to be one.
pub fn postgres_is_there() -> bool {
    there_is("BERTH_TEST_POSTGRES").is_some()
}

/// The folder of compiled policies, so that each is compiled once for all tests.
pub(crate) static CACHE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("berth-test-policies-{}", env!("CARGO_PKG_VERSION")));
    std::fs::create_dir_all(&folder).unwrap();
    folder
});

/// The folder in which all tests keep compiled policies.
pub fn cache() -> PathBuf {
    CACHE.clone()
}

/// A host that runs in the test's own process.
pub struct Host {
    /// Where the host answers: `http://127.0.0.1:PORT`.
    pub url: String,
    /// The parts of the host, for tests that look behind the API.
    pub app: Arc<App>,
    /// The token of the host's first admin.
    pub admin_token: String,
    /// The settings that the host runs with.
    pub config: Config,
    /// The settings of its listener.
    pub http: ServeConfig,
    /// The URL of its database on PostgreSQL; `None` on SQLite.
    pub database_url: Option<String>,
    folder: Arc<TempDir>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl Host {
    /// Starts a host with an empty database.
    pub async fn start(database: Database) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let mut storage = Storage::in_folder(folder.path().to_owned());
        storage.cache_dir = Some(CACHE.clone());
        if database == Database::Postgres {
            storage.db = postgres().await;
        }
        let mut config = Config::with_defaults(storage);
        // Receivers in tests are on loopback, and some of them hang.
        config.webhooks.allow = vec!["127.0.0.0/8".parse().unwrap()];
        config.webhooks.timeout = Duration::from_secs(2);
        Self::with(config, folder).await
    }

    /// A host with these settings; its data goes with `folder`.
    pub async fn with(config: Config, folder: Arc<TempDir>) -> Self {
        Self::with_nature(config, folder, Nature::default()).await
    }

    /// As [`Host::with`], but with a clock and random numbers that the test controls.
    pub async fn with_nature(config: Config, folder: Arc<TempDir>, nature: Nature) -> Self {
        Self::with_http(config, ServeConfig::default(), folder, nature).await
    }

    async fn with_http(config: Config, http: ServeConfig, folder: Arc<TempDir>, nature: Nature) -> Self {
        let host = server::open(config.clone(), Compiler::InProcess, nature).await.unwrap();
        let app = host.app.clone();
        let admin_token = berth_work::access::admin_token(&app.db).await.unwrap().secret;
        let listener = listener(&config).await;
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn({
            let http = http.clone();
            async move {
                host.run(listener, &http, async { drop(stopped.await) }).await.expect("no worker died");
            }
        });
        let database_url = config.storage.db.database_url.clone();
        Self { url, app, admin_token, config, http, database_url, folder, stop: Some(stop), serving: Some(serving) }
    }

    /// Starts another host that shares the database and the blobs of this one.
    pub async fn beside(&self) -> Self {
        Self::with(self.config.clone(), self.folder.clone()).await
    }

    /// Stops the host, and starts it again on the same data with changed settings.
    pub async fn again(self, change: impl FnOnce(&mut Config)) -> Self {
        self.again_in(Nature::default(), change).await
    }

    /// As [`Host::again`], but with a clock and random numbers that the test controls.
    pub async fn again_in(self, nature: Nature, change: impl FnOnce(&mut Config)) -> Self {
        let (mut config, folder) = (self.config.clone(), self.folder.clone());
        change(&mut config);
        self.stop().await;
        Self::with_nature(config, folder, nature).await
    }

    /// Stops the host, and starts it again so that the address at which it answers is the public one.
    pub async fn in_public(self, nature: Nature) -> Self {
        let url = self.url.clone();
        let host = self.again_in(nature, |config| config.public_url = Some(url)).await;
        assert_eq!(host.config.public_url.as_deref(), Some(&*host.url), "the port is free again");
        host
    }

    /// Stops the host, and starts it again on the same data with changed settings of its listener.
    pub async fn listening(self, change: impl FnOnce(&mut ServeConfig)) -> Self {
        let (config, mut http, folder) = (self.config.clone(), self.http.clone(), self.folder.clone());
        change(&mut http);
        self.stop().await;
        Self::with_http(config, http, folder, Nature::default()).await
    }

    /// Stops the host as a signal would, and waits until it has ended.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        self.serving.take().unwrap().await.unwrap();
    }

    /// A client that sends this token.
    pub fn with_token(&self, token: &str) -> Api {
        Api { url: self.url.clone(), token: Some(token.into()), key: None }
    }

    /// A client that acts as the host's first admin.
    pub fn admin(&self) -> Api {
        self.with_token(&self.admin_token)
    }

    /// Creates an account without roles, and returns its id and a client that acts for it.
    pub async fn somebody(&self, name: &str) -> (String, Api) {
        let (account, token) = scene::person(&self.admin(), name, serde_json::json!({})).await;
        (account, self.with_token(&token))
    }

    /// A client without any credentials.
    pub fn anonymous(&self) -> Api {
        Api { url: self.url.clone(), token: None, key: None }
    }

    /// A client that asks as devices do, with this public key of a host app.
    pub fn device(&self, key: &str) -> Api {
        Api { url: self.url.clone(), token: None, key: Some(key.into()) }
    }

    /// Waits until checks see everything that is committed.
    pub async fn settled(&self) {
        self.app.follower.settled().await.unwrap();
    }

    /// The folder that holds the host's data.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Opens the host's database with a connection of the test's own.
    pub async fn pool(&self) -> Pool {
        Pool::open(&self.config, self.folder()).await
    }

    /// The caller that the host makes of this token.
    pub async fn caller(&self, token: &str) -> berth_model::access::Caller {
        self.app.people.authenticate(token).await.unwrap()
    }
}

/// Listens at the public address of a host if it is one of this machine that is free, else at any.
async fn listener(config: &Config) -> TcpListener {
    let address = config.public_url.as_deref().and_then(|url| url.strip_prefix("http://127.0.0.1:"));
    if let Some(port) = address.and_then(|port| port.parse::<u16>().ok())
        && let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await
    {
        return listener;
    }
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// A host's database, opened beside the host. The same queries work on either kind.
pub enum Pool {
    /// The file of a host on SQLite.
    Sqlite(sqlx::SqlitePool),
    /// The database of a host on PostgreSQL.
    Postgres(sqlx::PgPool),
}

impl Pool {
    /// Opens the database of a host that has these settings and its data in `folder`.
    pub async fn open(config: &Config, folder: &Path) -> Self {
        match &config.storage.db.database_url {
            Some(url) => Self::Postgres(sqlx::PgPool::connect(url).await.unwrap()),
            None => Self::Sqlite(sqlx::SqlitePool::connect(folder.join("berth.db").to_str().unwrap()).await.unwrap()),
        }
    }

    /// Runs a query that returns one number.
    pub async fn number(&self, sql: &'static str) -> i64 {
        match self {
            Self::Sqlite(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
            Self::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
        }
    }

    /// Runs a query that returns one column of text.
    pub async fn texts(&self, sql: &'static str) -> Vec<String> {
        match self {
            Self::Sqlite(pool) => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap(),
            Self::Postgres(pool) => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap(),
        }
    }

    /// Closes all connections to the database.
    pub async fn close(self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// Creates a new database on the PostgreSQL server of `BERTH_TEST_POSTGRES`, and returns the settings for it. It goes with the
/// thread of the test.
pub async fn postgres() -> DbConfig {
    let server = std::env::var("BERTH_TEST_POSTGRES").unwrap();
    DbConfig { database_url: Some(berth_test_database::create(&server).await), database_connections: 8 }
}

/// Creates a new database on the ClickHouse server of `BERTH_TEST_CLICKHOUSE`, and returns its address; `None` when there is no
/// server. In CI there has to be one.
pub async fn clickhouse() -> Option<String> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = there_is("BERTH_TEST_CLICKHOUSE")?;
    let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
    let made = http().post(&server).body(format!("CREATE DATABASE {name}")).send().await.unwrap();
    assert!(made.status().is_success(), "{}", made.text().await.unwrap());
    Some(format!("{}/{name}", server.trim_end_matches('/')))
}

/// A client for servers on this machine, which has connections of its own, since they belong to a test's runtime. It knows
/// no certificate: to read those of the system takes some 30 ms, for each client.
pub fn http() -> Client {
    LazyLock::force(&HTTP);
    Client::builder().tls_certs_only([]).no_proxy().build().unwrap()
}

static HTTP: LazyLock<()> = LazyLock::new(|| drop(rustls::crypto::ring::default_provider().install_default()));

/// A client of a host, with the credentials of one caller.
#[derive(Clone)]
pub struct Api {
    url: String,
    token: Option<String>,
    key: Option<String>,
}

impl Api {
    /// A client of the host at this address, as nobody.
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), token: None, key: None }
    }

    /// A client of the same host, as a device of the host app with this key.
    pub fn with_key(&self, key: &str) -> Self {
        Self { url: self.url.clone(), token: None, key: Some(key.to_owned()) }
    }

    /// A client of the same host, as whoever has this token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { url: self.url.clone(), token: Some(token.to_owned()), key: None }
    }

    /// Begins a request that carries the caller's credentials.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let request = http().request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{}{path}", self.url));
        let request = self.token.iter().fold(request, |request, token| request.bearer_auth(token));
        self.key.iter().fold(request, |request, key| request.header("X-Host-App-Key", key))
    }

    /// Sends a request, with `body` as JSON if there is one, and returns the answer.
    pub async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let request = self.request(method, path);
        let request = body.iter().fold(request, |request, body| request.json(body));
        Answer::of(request, format!("{method} {path}")).await
    }

    /// As [`Api::send`], to a host that may be killed meanwhile: `None` when no whole answer comes.
    pub async fn try_send(&self, method: &str, path: &str, body: Option<&Value>) -> Option<Answer> {
        let request = self.request(method, path);
        let request = body.iter().fold(request, |request, body| request.json(body));
        Answer::try_of(request, format!("{method} {path}")).await.ok()
    }

    /// As [`Api::push`], to a host that may be killed meanwhile: `None` when no whole answer comes.
    pub async fn try_push(&self, name: &str, bytes: Vec<u8>) -> Option<Answer> {
        let request = self.request("PUT", &format!("/v1/packages/{name}")).body(bytes);
        Answer::try_of(request, format!("push {name}")).await.ok()
    }

    /// Sends a GET request.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// Sends a POST request with this JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(&body)).await
    }

    /// Sends a PUT request with this JSON.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, Some(&body)).await
    }

    /// Sends a DELETE request.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None).await
    }

    /// Uploads these bytes as the package `name`.
    pub async fn push(&self, name: &str, bytes: Vec<u8>) -> Answer {
        let request = self.request("PUT", &format!("/v1/packages/{name}")).body(bytes);
        Answer::of(request, format!("push {name}")).await
    }
}

/// A host's answer to a request, with the assertions that tests make on it.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status of the answer.
    pub status: u16,
    /// The headers of the answer.
    pub headers: reqwest::header::HeaderMap,
    /// The whole body, empty when the answer is a stream of events.
    pub bytes: Vec<u8>,
    what: String,
}

impl Answer {
    /// Sends the request and reads the answer to its end. `what` names the request in the messages of failed tests.
    pub async fn of(request: RequestBuilder, what: String) -> Self {
        Self::try_of(request, what.clone()).await.unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// As [`Answer::of`], for a host that may not answer.
    pub async fn try_of(request: RequestBuilder, what: String) -> reqwest::Result<Self> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // A stream has no end to read to.
        if headers.get("content-type").is_some_and(|kind| kind == "text/event-stream") {
            return Ok(Self { status, headers, bytes: Vec::new(), what });
        }
        let bytes = response.bytes().await?.to_vec();
        Ok(Self { status, headers, bytes, what })
    }

    /// The body as JSON; null when it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    /// A header as text; empty when the answer does not have it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Asserts that the request succeeded, and returns the body.
    #[track_caller]
    pub fn good(&self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "{}: {} {}",
            self.what,
            self.status,
            String::from_utf8_lossy(&self.bytes)
        );
        self.json()
    }

    /// Asserts that the request was refused with a problem of this kind, and returns the problem.
    #[track_caller]
    pub fn refused(&self, kind: &str) -> Value {
        let problem = self.json();
        let said = problem["type"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
        assert_eq!(said, kind, "{}: {} {}", self.what, self.status, String::from_utf8_lossy(&self.bytes));
        assert_eq!(self.header("content-type"), "application/problem+json");
        problem
    }

    /// The kind of the problem, which is the last part of its `type`; empty when the answer is no problem.
    pub fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned()
    }
}

/// Packs a sample of `packages/` under a package name: `packed("coffee/1.0.0", "coffee_1.0.0.apkg")`.
pub fn packed(sample: &str, name: &str) -> Vec<u8> {
    packed_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../packages").join(sample), name)
}

/// Packs any folder under a package name.
pub fn packed_folder(folder: &Path, name: &str) -> Vec<u8> {
    let name: PackageName = name.parse().unwrap();
    let mut bytes = Vec::new();
    pack(folder, &mut bytes, &PackOptions { name: Some(name), ..PackOptions::default() }).unwrap();
    bytes
}
