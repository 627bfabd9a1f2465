//! Hosts as processes of their own, which tests can kill.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{Api, CACHE, Database, Pool, postgres};

/// How a host process is started, any number of times on the same data.
pub struct Installation {
    /// The folder that holds the host's data.
    pub folder: TempDir,
    /// The token of the host's first admin. It is known after the first start.
    pub token: Option<String>,
    /// The URL of its database on PostgreSQL; `None` on SQLite.
    pub database_url: Option<String>,
    /// More arguments for `berth serve`.
    pub args: Vec<String>,
    /// More environment variables for the process.
    pub environment: Vec<(String, String)>,
    /// Words to put before the command, such as `unshare …`.
    pub wrapper: Vec<String>,
}

/// A running host process, which is killed when this value is dropped.
pub struct Process {
    child: Child,
    /// Where the host answers: `http://127.0.0.1:PORT`.
    pub url: String,
}

/// A running demo, and what it has printed.
pub struct Demo {
    /// Its process.
    pub process: Process,
    /// A client that acts as its admin.
    pub admin: Api,
    /// The link by which people sign in as its admin.
    pub link: String,
}

/// The path of the binary under test, which cargo has built before the tests.
pub(crate) fn binary() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    tests.ancestors().nth(2).unwrap().join("berth-under-test")
}

/// The binary under test as somebody uses it who talks to a host.
pub fn berth(api: &Api, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).env("BERTH_SERVER", &api.url).envs(api.token.iter().map(|token| ("BERTH_TOKEN", token)));
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

impl Installation {
    /// An installation with an empty folder and an empty database.
    pub async fn new(database: Database) -> Self {
        let database_url = match database {
            Database::Sqlite => None,
            Database::Postgres => postgres().await.database_url,
        };
        Self {
            folder: tempfile::tempdir().unwrap(),
            token: None,
            database_url,
            args: vec![],
            environment: vec![],
            wrapper: vec![],
        }
    }

    /// A command that runs `berth` on this data.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let binary = binary();
        let mut words = self.wrapper.iter().map(AsRef::as_ref).chain([binary.as_os_str()]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).args(arguments).arg("--data-dir").arg(self.folder.path());
        command.env("BERTH_CACHE_DIR", &*CACHE).env_remove("BERTH_DATABASE_URL").env_remove("BERTH_BLOB_URL");
        command.envs(self.database_url.iter().map(|url| ("BERTH_DATABASE_URL", url)));
        command.envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Starts the host, and waits until it is ready.
    pub async fn start(&mut self) -> Process {
        let log = std::fs::File::options().create(true).append(true).open(self.log()).unwrap();
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.args(&self.args).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut url = None;
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some(address) = line.strip_prefix("Berth serves on ") {
                url = Some(address.to_owned());
            } else if line.trim().starts_with("berth_") {
                self.token = Some(line.trim().to_owned());
            }
            if line.contains("berth --help") || line.contains("berth admin token") {
                break;
            }
        }
        let url = url.unwrap_or_else(|| panic!("the host did not start: {}", self.said()));
        let process = Process { child, url };
        process.ready().await;
        process
    }

    /// Starts a demo on this data, and waits until it has told its address, a link to sign in, and the token of its admin.
    pub async fn demo(&self) -> Demo {
        let mut command = self.command(&["demo", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut link = String::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            let line = line.trim();
            if line.starts_with("http://") {
                link = line.to_owned();
            }
            let told = line.strip_prefix("export BERTH_SERVER=").and_then(|told| told.split_once(" BERTH_TOKEN="));
            if let Some((url, token)) = told {
                let admin = Api { url: url.into(), token: Some(token.into()), key: None };
                // What it still prints must find a reader.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Demo { process: Process { child, url: admin.url.clone() }, admin, link };
            }
        }
        panic!("the demo ended before it was ready")
    }

    /// A client that acts as the host's first admin.
    pub fn admin(&self, process: &Process) -> Api {
        Api { url: process.url.clone(), token: self.token.clone(), key: None }
    }

    /// Opens the host's database with a connection of the test's own.
    pub async fn pool(&self) -> Pool {
        match &self.database_url {
            Some(url) => Pool::Postgres(sqlx::PgPool::connect(url).await.unwrap()),
            None => Pool::Sqlite(sqlx::SqlitePool::connect(self.file().to_str().unwrap()).await.unwrap()),
        }
    }

    /// The file of its SQLite database.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("berth.db")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().with_extension("log")
    }

    /// Everything that the host wrote to its log.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.log());
    }
}

impl Process {
    async fn ready(&self) {
        let anybody = Api { url: self.url.clone(), token: None, key: None };
        for _ in 0..200 {
            if anybody.get("/readyz").await.status == 200 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the host is not ready after 10 s");
    }

    /// A client that asks as devices do, with this public key of a host app.
    pub fn device(&self, key: &str) -> Api {
        Api { url: self.url.clone(), token: None, key: Some(key.into()) }
    }

    /// A client that sends this token.
    pub fn with_token(&self, token: &str) -> Api {
        Api { url: self.url.clone(), token: Some(token.into()), key: None }
    }

    /// The address that the host listens on: `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// The process id of the host.
    pub fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Kills the process as `kill -9` does, and waits until it is gone.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks the process to end, by SIGTERM.
    pub fn terminate(&self) {
        kill_process(Pid::from_raw(self.id() as i32).unwrap(), Signal::TERM).unwrap();
    }

    /// Waits until the process has ended by itself. Returns whether it ended well, and how long that took.
    pub async fn ended(mut self) -> (bool, Duration) {
        let began = Instant::now();
        let status = tokio::time::timeout(Duration::from_secs(60), self.child.wait()).await;
        (status.expect("it ends within a minute").unwrap().success(), began.elapsed())
    }

    /// A figure of `/proc/PID/status` in KiB, such as `VmHWM` or `VmRSS`.
    pub fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Translates a path to where the process sees it, since the process may have mounts of its own.
    pub fn inside(&self, path: &Path) -> PathBuf {
        Path::new(&format!("/proc/{}/root", self.id())).join(path.strip_prefix("/").unwrap())
    }
}
