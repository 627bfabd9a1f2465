//! Black-box tests of the host, and its benchmarks.
//!
//! [`Host`] is a whole host with real HTTP, a real database and real policies; [`Api`] is somebody who talks to it;
//! [`Answer`] reads as English: `.good()`, `.refused("version-exists")`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot set its scene should stop"
)]

pub mod guests;
pub mod invariants;
pub mod made;
pub mod merchant;
pub mod process;
pub mod receiver;
pub mod scene;
pub mod shop;
pub mod wechat;
pub mod witness;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use berth::{
    access::authenticate,
    api::serve::ServeConfig,
    app::App,
    clock::Nature,
    config::{Config, Storage},
    package::{PackOptions, PackageName, pack},
    policy::Compiler,
    server,
    store::DbConfig,
};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// Which database a host stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file in the host's folder.
    Sqlite,
    /// A database of its own in the PostgreSQL of `BERTH_TEST_POSTGRES`.
    Postgres,
}

/// Makes two tests of one body: on SQLite, and on PostgreSQL where there is one. In CI there has to be one.
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

/// A variable of `tests/setup/run.sh`, when it is set. Says so loudly when not; in CI it fails.
pub fn there_is(variable: &str) -> Option<String> {
    let value = std::env::var(variable).ok();
    let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(value.is_some() || !in_ci, "{variable} is not set, and in CI nothing is skipped");
    if value.is_none() {
        eprintln!("=== SKIPPED: {variable} is not set ===");
    }
    value
}

/// Whether tests can run on PostgreSQL.
pub fn postgres_is_there() -> bool {
    there_is("BERTH_TEST_POSTGRES").is_some()
}

/// Policies are compiled once for all tests.
pub(crate) static CACHE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("berth-test-policies-{}", env!("CARGO_PKG_VERSION")));
    std::fs::create_dir_all(&folder).unwrap();
    folder
});

/// Where all tests keep compiled policies.
pub fn cache() -> PathBuf {
    CACHE.clone()
}

/// A running host.
pub struct Host {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// Its parts, to look behind the scene.
    pub app: Arc<App>,
    /// The token of its first admin.
    pub admin_token: String,
    /// Its settings.
    pub config: Config,
    /// Its PostgreSQL, if it has one.
    pub database_url: Option<String>,
    folder: Arc<TempDir>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl Host {
    /// A host with an empty database.
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

    /// As [`Host::with`], with a time of the test's own.
    pub async fn with_nature(config: Config, folder: Arc<TempDir>, nature: Nature) -> Self {
        let host = server::open(config.clone(), Compiler::InProcess, nature).await.unwrap();
        let app = host.app.clone();
        let admin_token = berth::access::admin_token(&app.db).await.unwrap().secret;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            host.run(listener, &ServeConfig::default(), async { drop(stopped.await) }).await.expect("no worker died");
        });
        let database_url = config.storage.db.database_url.clone();
        Self { url, app, admin_token, config, database_url, folder, stop: Some(stop), serving: Some(serving) }
    }

    /// Another host that shares the database and the blobs.
    pub async fn beside(&self) -> Self {
        Self::with(self.config.clone(), self.folder.clone()).await
    }

    /// The same host with changed settings: it ends, and starts again on its data.
    pub async fn again(self, change: impl FnOnce(&mut Config)) -> Self {
        self.again_in(Nature::default(), change).await
    }

    /// As [`Host::again`], with a time of the test's own.
    pub async fn again_in(self, nature: Nature, change: impl FnOnce(&mut Config)) -> Self {
        let (mut config, folder) = (self.config.clone(), self.folder.clone());
        change(&mut config);
        self.stop().await;
        Self::with_nature(config, folder, nature).await
    }

    /// Ends the host, as a signal would, and waits for it.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        self.serving.take().unwrap().await.unwrap();
    }

    /// Somebody with this token.
    pub fn with_token(&self, token: &str) -> Api {
        Api { url: self.url.clone(), token: Some(token.into()), key: None }
    }

    /// The first admin.
    pub fn admin(&self) -> Api {
        self.with_token(&self.admin_token)
    }

    /// Somebody new without roles: the account, and who acts for it.
    pub async fn somebody(&self, name: &str) -> (String, Api) {
        let (account, token) = scene::person(&self.admin(), name, serde_json::json!({})).await;
        (account, self.with_token(&token))
    }

    /// Nobody.
    pub fn anonymous(&self) -> Api {
        Api { url: self.url.clone(), token: None, key: None }
    }

    /// A device of the host app with this public key.
    pub fn device(&self, key: &str) -> Api {
        Api { url: self.url.clone(), token: None, key: Some(key.into()) }
    }

    /// Waits until checks see everything that is committed.
    pub async fn settled(&self) {
        self.app.follower.settled().await.unwrap();
    }

    /// Where its data is.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its database, by a connection of the test's own.
    pub async fn pool(&self) -> Pool {
        Pool::open(&self.config, self.folder()).await
    }

    /// The caller behind a token.
    pub async fn caller(&self, token: &str) -> berth::access::Caller {
        authenticate(&self.app.db, token).await.unwrap()
    }
}

/// A host's database, looked at from behind: the same questions to either.
pub enum Pool {
    /// A file.
    Sqlite(sqlx::SqlitePool),
    /// A database of a server.
    Postgres(sqlx::PgPool),
}

impl Pool {
    /// The database of a host with these settings, whose data is in `folder`.
    pub async fn open(config: &Config, folder: &Path) -> Self {
        match &config.storage.db.database_url {
            Some(url) => Self::Postgres(sqlx::PgPool::connect(url).await.unwrap()),
            None => Self::Sqlite(sqlx::SqlitePool::connect(folder.join("berth.db").to_str().unwrap()).await.unwrap()),
        }
    }

    /// The one number that a query answers.
    pub async fn number(&self, sql: &'static str) -> i64 {
        match self {
            Self::Sqlite(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
            Self::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
        }
    }

    /// The texts of a query's only column.
    pub async fn texts(&self, sql: &'static str) -> Vec<String> {
        match self {
            Self::Sqlite(pool) => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap(),
            Self::Postgres(pool) => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap(),
        }
    }

    /// Closes all connections.
    pub async fn close(self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// A database of its own in the PostgreSQL of `BERTH_TEST_POSTGRES`.
pub async fn postgres() -> DbConfig {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let admin = std::env::var("BERTH_TEST_POSTGRES").unwrap();
    let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
    let pool = sqlx::PgPool::connect(&admin).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&pool).await.unwrap();
    pool.close().await;
    let (server, _) = admin.rsplit_once('/').unwrap();
    DbConfig { database_url: Some(format!("{server}/{name}")), database_connections: 8 }
}

static HTTP: LazyLock<()> = LazyLock::new(|| drop(rustls::crypto::ring::default_provider().install_default()));

/// Somebody who talks to a host.
#[derive(Clone)]
pub struct Api {
    url: String,
    token: Option<String>,
    key: Option<String>,
}

impl Api {
    /// A request with who asks in its headers.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        LazyLock::force(&HTTP);
        // A client of its own: connections belong to the test's runtime.
        let request =
            Client::new().request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{}{path}", self.url));
        let request = self.token.iter().fold(request, |request, token| request.bearer_auth(token));
        self.key.iter().fold(request, |request, key| request.header("X-Host-App-Key", key))
    }

    /// Sends a request.
    pub async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let request = self.request(method, path);
        let request = body.iter().fold(request, |request, body| request.json(body));
        Answer::of(request, format!("{method} {path}")).await
    }

    /// Sends a request to a host that may be killed meanwhile; nothing when no whole answer comes.
    pub async fn try_send(&self, method: &str, path: &str, body: Option<&Value>) -> Option<Answer> {
        let request = self.request(method, path);
        let request = body.iter().fold(request, |request, body| request.json(body));
        Answer::try_of(request, format!("{method} {path}")).await.ok()
    }

    /// Uploads to a host that may be killed meanwhile.
    pub async fn try_push(&self, name: &str, bytes: Vec<u8>) -> Option<Answer> {
        let request = self.request("PUT", &format!("/v1/packages/{name}")).body(bytes);
        Answer::try_of(request, format!("push {name}")).await.ok()
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// POST.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(&body)).await
    }

    /// PUT.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, Some(&body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None).await
    }

    /// Uploads a package.
    pub async fn push(&self, name: &str, bytes: Vec<u8>) -> Answer {
        let request = self.request("PUT", &format!("/v1/packages/{name}")).body(bytes);
        Answer::of(request, format!("push {name}")).await
    }
}

/// What a host said.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body.
    pub bytes: Vec<u8>,
    what: String,
}

impl Answer {
    /// Sends and reads to the end.
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

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// It was done; the body.
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

    /// It was refused for this reason; the problem.
    #[track_caller]
    pub fn refused(&self, kind: &str) -> Value {
        let problem = self.json();
        let said = problem["type"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
        assert_eq!(said, kind, "{}: {} {}", self.what, self.status, String::from_utf8_lossy(&self.bytes));
        assert_eq!(self.header("content-type"), "application/problem+json");
        problem
    }

    /// The stable reason of a refusal.
    pub fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned()
    }
}

/// A sample of `packages/`, packed under a name: `packed("coffee/1.0.0", "coffee_1.0.0.apkg")`.
pub fn packed(sample: &str, name: &str) -> Vec<u8> {
    packed_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../packages").join(sample), name)
}

/// Any folder, packed under a name.
pub fn packed_folder(folder: &Path, name: &str) -> Vec<u8> {
    let name: PackageName = name.parse().unwrap();
    let mut bytes = Vec::new();
    pack(folder, &mut bytes, &PackOptions { name: Some(name), ..PackOptions::default() }).unwrap();
    bytes
}
