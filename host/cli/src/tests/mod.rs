//! Runs the commands against small hosts that tests define.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod audit;
mod authorise;
mod bundle;
mod contract;
mod gray;
mod handles;
mod hands;
mod host_app;
mod login;
mod names;
mod official_accounts;
mod options;
mod problems;
mod push;
mod release;
mod second_factor;
mod transfer;

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use axum::Router;
use clap::Parser;
use tempfile::TempDir;

use super::{Command, Environment, Global, Output, Paint, Session, dispatch, report};
use berth_base::clock::{Clock, ManualClock, SystemRandom};

/// The command line without what runs a host.
#[derive(Parser, Debug)]
#[command(name = "berth", version)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// The exit code and the output of a command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub code: u8,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The only document on stdout.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).expect(&self.out)
    }

    /// Fails the test unless the command succeeded.
    #[track_caller]
    pub fn good(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.err);
        self
    }
}

/// A machine with a user, and a temporary folder.
pub struct Desk {
    pub folder: TempDir,
    pub input: String,
    pub server: Option<String>,
    pub token: Option<String>,
    /// Whether stdin is a terminal.
    pub attended: bool,
    pub environment: Environment,
    /// The columns of the terminal, if stdout is one.
    pub width: Option<u16>,
}

#[derive(Clone, Default)]
struct Pipe(Arc<Mutex<Vec<u8>>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Pipe {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Desk {
    /// A machine that is logged in to `host`.
    pub async fn before(host: Router) -> Self {
        Self { server: Some(serve(host).await), token: Some("berth_secret".into()), ..Self::bare() }
    }

    /// A machine with nothing but a folder.
    pub fn bare() -> Self {
        // Fails when another test installed it, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            folder: TempDir::new().unwrap(),
            input: String::new(),
            server: None,
            token: None,
            attended: false,
            environment: Environment::default(),
            width: None,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn arg(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self.arg(name)
    }

    /// Runs a command line, which is split at spaces.
    pub async fn run(&self, line: &str) -> Ran {
        self.args(&line.split(' ').collect::<Vec<_>>()).await
    }

    pub async fn args(&self, args: &[&str]) -> Ran {
        let mut cli = match Cli::try_parse_from(["berth"].iter().chain(args)) {
            Ok(cli) => cli,
            Err(error) => {
                let code = u8::try_from(error.exit_code()).unwrap();
                return Ran { code, out: String::new(), err: error.to_string() };
            }
        };
        cli.global.server = cli.global.server.or_else(|| self.server.clone());
        cli.global.token = cli.global.token.or_else(|| self.token.clone());
        let (out, err) = (Pipe::default(), Pipe::default());
        let clock = ManualClock::new("2030-01-31T08:00:00Z".parse().unwrap());
        let paint = Paint { width: self.width, now: clock.now(), ..Paint::plain() };
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let mut session = Session {
            out: Output::new(cli.global.json, paint, clock.clone(), Box::new(out.clone()), Box::new(err.clone())),
            global: cli.global,
            credentials: Some(self.path("config/berth/credentials.json")),
            clock,
            random: Arc::new(SystemRandom),
            input: Box::new(io::Cursor::new(self.input.clone())),
            attended: self.attended,
            terminal: None,
            environment: self.environment.clone(),
            cache: Some(self.path("cache")),
        };
        let done = dispatch(cli.command, &mut session).await;
        let code = report(done, &mut session);
        Ran { code, out: out.text(), err: err.text() }
    }
}

/// Serves `host` on a port of the loopback interface until the test ends.
pub async fn serve(host: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, host).await });
    format!("http://{address}")
}

/// An id with this prefix.
pub fn ulid(prefix: &str) -> String {
    format!("{prefix}_{}", "0".repeat(26))
}

/// What the handlers of a host saw.
pub struct Seen<T>(Arc<Mutex<Vec<T>>>);

impl<T> Clone for Seen<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Clone> Seen<T> {
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// Notes an item and returns how many there are now.
    pub fn note(&self, one: T) -> usize {
        let mut all = self.0.lock().unwrap();
        all.push(one);
        all.len()
    }

    pub fn all(&self) -> Vec<T> {
        self.0.lock().unwrap().clone()
    }
}
