//! `berth doctor`: checks whether this machine and this data can run the host.

use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use berth_api::throttle::DeviceLimits;
use berth_base::{
    clock::{Millis, Nature},
    error::{Code, Error, Result},
    text,
};
use berth_cli::{Done, Failure, Session};
use berth_judge::Compiler;
use berth_store::{
    Db,
    blob::{self, Blobs, Collected},
    seal::{self, Inspection},
};
use berth_work::config::{Config, Storage};

use super::backup::require_whole;
use crate::{server, settings::Settings};

/// The arguments of `berth doctor`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Checks the configuration, the database, the blob store, the policies and the clock. Give it the same\n\
    flags and environment as `berth serve`. Exit code 1 when something is wrong."
)]
pub struct Doctor {
    /// The settings, the same as for `berth serve`.
    #[command(flatten)]
    pub settings: Settings,
    /// Also remove blobs that nothing names and remains of broken uploads, as the host does every hour
    #[arg(long)]
    pub collect: bool,
}

/// The result of one check.
#[derive(Serialize)]
struct Finding {
    what: &'static str,
    well: bool,
    says: String,
}

async fn collection(config: Config) -> Result<String> {
    let host = server::assemble(config, Compiler::this_program()?, Nature::default()).await?;
    let Collected { blobs, bytes, scraps } = blob::collect(&host.app.db, &host.app.blobs).await?;
    host.app.db.close().await;
    let (blobs, scraps) = (text::count(blobs, "blob", "blobs"), text::count(scraps, "scrap", "scraps"));
    Ok(format!("removed {blobs} of {bytes} bytes that nothing named, and {scraps} of uploads"))
}

/// A clock that shows an earlier time was never set, as Berth did not exist.
const EARLIEST: Millis = Millis(1_767_225_600_000); // 2026-01-01

/// Checks the machine and the data folder, and prints the results.
///
/// # Errors
/// A refusal when something is wrong.
pub async fn doctor(args: Doctor, session: &mut Session) -> Done {
    let findings = match require_whole(&args.settings.host.storage.data_dir) {
        Ok(()) => look(&args, session).await?,
        // To look at more would open the part that is there, and bring it up to date.
        Err(unfinished) => vec![Finding { what: "backup", well: false, says: unfinished.to_string() }],
    };
    let ill = findings.iter().filter(|finding| !finding.well).count();
    let text: Vec<_> = findings
        .iter()
        .map(|finding| format!("{} {:<14} {}", if finding.well { "ok  " } else { "FAIL" }, finding.what, finding.says))
        .collect();
    session.out.done(&serde_json::json!({"findings": findings}), text.join("\n"))?;
    match ill {
        0 => Ok(()),
        _ => Err(Failure::refused("doctor", format!("{ill} of {} checks failed; see above.", findings.len()))),
    }
}

/// Checks one thing after the other.
async fn look(args: &Doctor, session: &Session) -> Result<Vec<Finding>, Failure> {
    let host = &args.settings.host;
    let storage = &host.storage;
    super::require_data(storage)?;
    let mut findings = vec![
        finding("configuration", configuration(&args.settings)),
        finding("database", database(storage).await),
        finding("blob store", blobs(storage).await),
        finding("secrets", secrets(host).await),
        finding("policies", policies(host.clone()).await),
        finding("clock", clock(session.clock.now(), storage)),
    ];
    if args.collect {
        findings.push(finding("collection", collection(host.clone()).await));
    }
    Ok(findings)
}

fn finding(what: &'static str, found: Result<String>) -> Finding {
    match found {
        Ok(says) => Finding { what, well: true, says },
        Err(error) => {
            let cause = error.source.as_ref().map(|source| format!(" ({source:#})")).unwrap_or_default();
            Finding { what, well: false, says: format!("{}{cause}", error.detail) }
        }
    }
}

fn configuration(settings: &Settings) -> Result<String> {
    let (config, listen) = (&settings.host, settings.listen);
    let storage = &config.storage;
    let database = if storage.db.database_url.is_some() { "the database of BERTH_DATABASE_URL" } else { "SQLite" };
    let blobs = storage.blobs.blob_url.as_deref().unwrap_or("a local folder");
    let limit = config.package.max_bytes >> 20;
    let open = if listen.ip().is_loopback() { "" } else { "; not loopback, so put a TLS proxy before it" };
    let DeviceLimits { per_address, per_key, newcomers, secret_tries, logs, visits, password_tries, name_tries } =
        &settings.http.devices;
    let required = config.sessions.require_second_factor;
    let failures = config.gray.gray_max_failures;
    Ok(format!(
        "listens on {listen}{open}; {database}, blobs in {blobs}, packages up to {limit} MiB; devices: {per_address} \
         requests of an address, {per_key} of a key, {newcomers} new in gray tasks of an address, {logs} batches of logs of an \
         address, fall back after {failures} failures (0: never); wrong AppSecrets: {secret_tries} of an address; \
         wrong passwords: {password_tries} of an address, {name_tries} of a name; visits of the identity provider: {visits} of \
         an address; second factor required: {required}"
    ))
}

async fn database(storage: &Storage) -> Result<String> {
    std::fs::create_dir_all(&storage.data_dir).map_err(Error::internal)?;
    let start = Instant::now();
    let db = Db::open(&storage.db, &storage.data_dir, Nature::default()).await?;
    let opened = start.elapsed();
    let last = db.read().await?.last_event().await?;
    // A write transaction that is rolled back: the lock can be had.
    drop(db.begin().await?);
    db.close().await;
    Ok(format!("opens and migrates in {opened:.0?}, can be written, {last} events"))
}

async fn blobs(storage: &Storage) -> Result<String> {
    let blobs = Blobs::open(&storage.blobs, &storage.data_dir, &storage.cache())?;
    let start = Instant::now();
    blobs.probe().await?;
    Ok(format!("writes, reads and deletes in {:.0?}", start.elapsed()))
}

async fn secrets(config: &Config) -> Result<String> {
    let host = server::assemble(config.clone(), Compiler::this_program()?, Nature::default()).await?;
    let found = seal::inspect(&host.app.db).await;
    let warning = server::seal_warning(&host.app.db);
    host.app.db.close().await;
    let Inspection { open, older } = found?;
    let older = if older > 0 {
        format!(", {older} of them by an older key: `berth admin rotate-secrets`")
    } else {
        String::new()
    };
    let warning = warning.map(|text| format!(". WARNING: {text}")).unwrap_or_default();
    Ok(format!("{open} sealed ones open{older}; the key that seals is {}{warning}", host.app.db.seal().key_id()))
}

async fn policies(config: Config) -> Result<String> {
    let start = Instant::now();
    let host = server::open(config, Compiler::this_program()?, Nature::default()).await?;
    let count = berth_judge::builtin::ALL.len();
    host.app.db.close().await;
    Ok(format!("{count} built-in ones compiled and loaded in {:.0?}", start.elapsed()))
}

/// How much the clock of the data folder's file system may differ.
const SKEW: Duration = Duration::from_secs(5);

fn clock(now: Millis, storage: &Storage) -> Result<String> {
    let wrong = |text: String| Error::new(Code::Unavailable, text);
    if now < EARLIEST {
        return Err(wrong(format!("it says {now}, which is long past. Grayscale tasks and tokens go by it: set it.")));
    }
    let file = tempfile::NamedTempFile::new_in(&storage.data_dir).map_err(Error::internal)?;
    let written = file.as_file().metadata().and_then(|meta| meta.modified()).map_err(Error::internal)?;
    let written = written.duration_since(std::time::UNIX_EPOCH).map_err(Error::internal)?;
    let skew = written.abs_diff(Duration::from_millis(now.since_epoch()));
    if skew > SKEW {
        return Err(wrong(format!(
            "it says {now}, and the data folder's file system differs by {skew:.1?}. Synchronise both."
        )));
    }
    Ok(format!("{now}, the data folder's file system agrees"))
}
