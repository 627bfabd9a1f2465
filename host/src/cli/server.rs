//! The commands that run or look after a host on its own machine.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};

use super::{
    failure::{Done, Failure},
    session::Session,
};

/// Where a host keeps its data.
#[derive(Args, Clone, Debug)]
pub struct Data {
    /// The folder of the database and the packages
    #[arg(long, env = "BERTH_DATA_DIR", default_value = "berth-data", value_name = "D")]
    pub data_dir: PathBuf,
    /// Another database than SQLite in the data folder: postgres://…
    #[arg(long, env = "BERTH_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Another place for packages than the data folder: s3://bucket/prefix
    #[arg(long, env = "BERTH_BLOB_URL", value_name = "URL")]
    pub blob_url: Option<String>,
}

/// `berth serve`
#[derive(Args, Clone, Debug)]
#[command(after_help = "The first run creates the data folder, the database and an admin, and prints the next step.")]
pub struct Serve {
    /// Where the data is.
    #[command(flatten)]
    pub data: Data,
    /// The address to listen on
    #[arg(long, env = "BERTH_LISTEN", default_value = "127.0.0.1:7070", value_name = "ADDR")]
    pub listen: SocketAddr,
}

/// `berth admin`
#[derive(Subcommand, Clone, Debug)]
pub enum Admin {
    /// Print a new platform-admin token
    Token(AdminToken),
}

/// `berth admin token`
#[derive(Args, Clone, Debug)]
pub struct AdminToken {
    /// Where the data is.
    #[command(flatten)]
    pub data: Data,
}

/// `berth demo`
#[derive(Args, Clone, Debug)]
pub struct Demo {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1:7070", value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Keep the data here; a temporary folder when absent
    #[arg(long, value_name = "D")]
    pub data_dir: Option<PathBuf>,
}

/// `berth doctor`
#[derive(Args, Clone, Debug)]
pub struct Doctor {
    /// Where the data is.
    #[command(flatten)]
    pub data: Data,
}

/// Runs the host until it is told to stop.
pub async fn serve(_args: Serve, _session: &mut Session) -> Done {
    Err(absent("serve"))
}

/// Prints a new platform-admin token.
pub async fn admin_token(_args: AdminToken, _session: &mut Session) -> Done {
    Err(absent("admin token"))
}

/// Runs a host with something to look at.
pub async fn demo(_args: Demo, _session: &mut Session) -> Done {
    Err(absent("demo"))
}

/// Checks the machine and the data folder.
pub async fn doctor(_args: Doctor, _session: &mut Session) -> Done {
    Err(absent("doctor"))
}

/// Compiles a policy from stdin to stdout; the exit code of the process.
pub fn compile_policy() -> u8 {
    absent("compile-policy").exit_code()
}

fn absent(command: &str) -> Failure {
    Failure::refused("client-only", format!("This berth was built as a client: `berth {command}` is not part of it."))
}
