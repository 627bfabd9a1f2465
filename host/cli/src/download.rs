//! Downloads packages: resumes them, and verifies their SHA-256.

use std::{
    io::SeekFrom,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use digest_io::IoWrapper;
use indicatif::ProgressBar;
use reqwest::{Response, StatusCode, header};
use serde_json::json;
use sha2::Digest as _;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::{
    answer::read,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    push::progress,
    session::Session,
};
use crate::{
    files::{self, Existing},
    reach,
};
use berth_base::{
    ids::{Digest, MiniAppId},
    version::VersionNumber,
};
use berth_model::overview::Overview;
use berth_package::PackageName;

/// How many tries in a row may bring no byte.
const FRUITLESS: u32 = 4;
/// How long a connection may bring nothing until it counts as dead.
const STALLED: Duration = Duration::from_secs(60);

/// The arguments of `berth download`.
#[derive(Args, Debug)]
#[command(after_help = "\
An interrupted download goes on where it stopped. The file appears only when its SHA-256 is right. A file with other bytes stays,
unless --force is given.

Examples:
  berth download mp-shop
  berth download mp-shop --version 1.2.0 -o packages/")]
pub struct Download {
    /// The MiniApp
    pub app: MiniAppId,
    /// The version; the online one when absent
    #[arg(long = "version", value_name = "V")]
    pub number: Option<VersionNumber>,
    /// The file to write to, or the folder (made when it ends in /); the folder here when absent
    #[arg(short, long, value_name = "OUT")]
    pub out: Option<PathBuf>,
    /// Replace a file that has other bytes
    #[arg(long)]
    pub force: bool,
    /// Ask with a host app's public key instead of your token; needs --version
    #[arg(long, value_name = "PK", requires = "number")]
    pub key: Option<String>,
}

pub async fn run(args: Download, session: &mut Session) -> Done {
    let client = session.client_as(args.key.as_deref())?;
    let version = match args.number {
        Some(version) => version,
        None => online(&client, &args.app).await?,
    };
    let name = PackageName { mini_app_id: args.app, version };
    let to = match args.out {
        None => PathBuf::from(name.to_string()),
        Some(out) if out.is_dir() || out.as_os_str().to_string_lossy().ends_with('/') => out.join(name.to_string()),
        Some(out) => out,
    };
    let folder = files::parent(&to);
    std::fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error))?;
    let bar = progress(session, &name.to_string());
    let existing = Existing::by(args.force);
    let sha256 = package(&client, &name, &to, None, existing, &bar).await?;
    bar.finish_and_clear();
    let document = json!({"file": to, "name": name.to_string(), "sha256": sha256});
    session.out.done(&document, format!("{}  sha256 {sha256}", to.display()))
}

async fn online(client: &Client, app: &MiniAppId) -> Result<VersionNumber, Failure> {
    let overview: Overview = read(&client.value(Call::get(format!("/v1/mini-apps/{app}/overview"))).await?)?;
    let nothing = || Failure::refused("not-online", format!("{app} has no online version. Name one with --version."));
    overview.online.map(|online| online.version).ok_or_else(nothing)
}

/// Downloads a package to `to` and returns its SHA-256, which is checked against `expected` if that is given.
pub async fn package(
    client: &Client,
    name: &PackageName,
    to: &Path,
    expected: Option<&Digest>,
    existing: Existing,
    bar: &ProgressBar,
) -> Result<Digest, Failure> {
    let path = format!("/v1/packages/{name}");
    let known = Known::ask(client, &path, expected).await?;
    if files::is_there(to, &known.sha256, existing)? {
        return Ok(known.sha256);
    }
    bar.set_length(known.size);
    let part = PathBuf::from(format!("{}.part", to.display()));
    let mut transfer = Transfer { client, path, known, bar };
    if transfer.complete(&part).await? != transfer.known.sha256 {
        // What was left of an earlier try may be of other bytes: once more from the start.
        remove(&part)?;
        if transfer.complete(&part).await? != transfer.known.sha256 {
            remove(&part)?;
            return Err(damaged(&transfer.path));
        }
    }
    std::fs::rename(&part, to).map_err(|error| Failure::file("write", to, &error))?;
    Ok(transfer.known.sha256)
}

fn damaged(path: &str) -> Failure {
    Failure::refused(
        "download-damaged",
        format!(
            "What arrived for {path} does not have the SHA-256 that the host announced. Nothing was kept. A proxy may have changed it."
        ),
    )
}

fn remove(path: &Path) -> Result<(), Failure> {
    std::fs::remove_file(path).map_err(|error| Failure::file("remove", path, &error))
}

/// What the host announces about a package.
struct Known {
    size: u64,
    etag: String,
    sha256: Digest,
}

impl Known {
    async fn ask(client: &Client, path: &str, expected: Option<&Digest>) -> Result<Self, Failure> {
        let response = match client.send(&Call::head(path)).await {
            Ok(response) => response,
            // An answer to HEAD has no body, and so no reason.
            Err(bare) => client.send(&Call::get(path).header("range", "bytes=0-0")).await.and(Err(bare))?,
        };
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let size = header(header::CONTENT_LENGTH).and_then(|size| size.parse().ok());
        let etag = header(header::ETAG).unwrap_or_default().to_owned();
        let sha256 = etag.trim_start_matches("W/").trim_matches('"').parse::<Digest>().ok();
        let (Some(size), Some(sha256)) = (size, sha256) else { return Err(reach::not_berth(client.base())) };
        match expected {
            Some(expected) if *expected != sha256 => Err(Failure::refused(
                "pin-mismatch",
                format!("{path} is pinned to SHA-256 {expected}, and the host has {sha256}."),
            )),
            _ => Ok(Self { size, etag, sha256 }),
        }
    }
}

/// A download in progress.
struct Transfer<'a> {
    client: &'a Client,
    path: String,
    known: Known,
    bar: &'a ProgressBar,
}

/// The file that is being written, and the hash of its content so far.
struct Part {
    file: tokio::fs::File,
    hasher: sha2::Sha256,
    length: u64,
}

impl Part {
    async fn open(path: &Path, most: u64) -> std::io::Result<Self> {
        let mut file = std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        if file.metadata()?.len() > most {
            file.set_len(0)?;
        }
        let mut hasher = IoWrapper(sha2::Sha256::new());
        // Leaves the position at the end, where writing goes on.
        let length = std::io::copy(&mut file, &mut hasher)?;
        Ok(Self { file: file.into(), hasher: hasher.0, length })
    }

    async fn restart(&mut self) -> std::io::Result<()> {
        self.file.set_len(0).await?;
        self.file.seek(SeekFrom::Start(0)).await?;
        self.hasher = sha2::Sha256::new();
        self.length = 0;
        Ok(())
    }

    async fn push(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes).await?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }
}

impl Transfer<'_> {
    /// Fetches what is missing and returns the SHA-256 of the whole.
    async fn complete(&mut self, path: &Path) -> Result<Digest, Failure> {
        let unwritable = |error: std::io::Error| Failure::file("write", path, &error);
        let mut part = Part::open(path, self.known.size).await.map_err(unwritable)?;
        let mut fruitless = 0;
        while part.length < self.known.size {
            let before = part.length;
            let Err(interruption) = self.once(&mut part, path).await? else { continue };
            fruitless = if part.length > before { 0 } else { fruitless + 1 };
            if fruitless >= FRUITLESS {
                return Err(interruption);
            }
            tokio::time::sleep(self.client.pause).await;
        }
        part.file.sync_all().await.map_err(unwritable)?;
        Ok(Digest::from_bytes(&part.hasher.finalize().into()))
    }

    /// Reads one answer to its end or to its interruption, which is the inner error. The outer error ends the download.
    async fn once(&self, part: &mut Part, path: &Path) -> Result<Result<(), Failure>, Failure> {
        let unwritable = |error: std::io::Error| Failure::file("write", path, &error);
        let mut response = self.ask(part.length).await?;
        if part.length > 0 && response.status() != StatusCode::PARTIAL_CONTENT {
            part.restart().await.map_err(unwritable)?;
        }
        self.bar.set_position(part.length);
        loop {
            let bytes = match tokio::time::timeout(STALLED, response.chunk()).await {
                Err(_) => return Ok(Err(Failure::Unreachable(format!("Nothing arrived for {STALLED:?}.")))),
                Ok(Err(error)) => return Ok(Err(reach::explain(self.client.base(), &error))),
                Ok(Ok(None)) => return Ok(self.ended(part.length)),
                Ok(Ok(Some(bytes))) => bytes,
            };
            if part.length + bytes.len() as u64 > self.known.size {
                return Err(damaged(&self.path));
            }
            part.push(&bytes).await.map_err(unwritable)?;
            self.bar.inc(bytes.len() as u64);
        }
    }

    fn ended(&self, length: u64) -> Result<(), Failure> {
        if length == self.known.size {
            return Ok(());
        }
        let base = self.client.base();
        Err(Failure::Unreachable(format!("{base} ended its answer after {length} of {} bytes.", self.known.size)))
    }

    async fn ask(&self, from: u64) -> Result<Response, Failure> {
        let call = Call::get(&self.path);
        if from == 0 {
            return self.client.send(&call).await;
        }
        self.client.send(&call.header("range", format!("bytes={from}-")).header("if-range", &self.known.etag)).await
    }
}
