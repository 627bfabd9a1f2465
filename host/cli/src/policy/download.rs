//! `berth policy download`: downloads the wasm of a policy that is installed on a host.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use berth_base::ids::Digest;
use berth_model::policy::registry::InstalledPolicy;

use super::installed;
use crate::{
    answer::read,
    call::Call,
    failure::{Done, Failure},
    files::{self, Existing},
    pack::readable,
    paint::clean,
    session::Session,
};

/// The arguments of `berth policy download`.
#[derive(Args, Debug)]
pub struct Download {
    /// NAME, NAME@VERSION or digest
    pub policy: String,
    /// The file to write to; NAME-VERSION.wasm when absent
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace a file that has other bytes
    #[arg(long)]
    pub force: bool,
}

/// Runs `berth policy download`. The file appears only when its SHA-256 is right.
pub async fn run(args: Download, session: &mut Session) -> Done {
    let client = session.client()?;
    let policy: InstalledPolicy = read(&client.value(installed::call(&args.policy)).await?)?;
    let to = args.out.unwrap_or_else(|| format!("{}-{}.wasm", policy.name, policy.version).into());
    let said = clean(&format!("{}  sha256 {}", to.display(), policy.digest));
    let document = json!({"file": to, "name": policy.name, "version": policy.version, "digest": policy.digest});
    if files::is_there(&to, &policy.digest, Existing::by(args.force))? {
        return session.out.done(&document, said);
    }
    let wasm = client.bytes(Call::get(format!("/v1/policies/{}/wasm", policy.digest))).await?;
    if Digest::of(&wasm) != policy.digest {
        let text =
            "What arrived does not have the SHA-256 of the policy. Nothing was kept. A proxy may have changed it.";
        return Err(Failure::refused("download-damaged", text));
    }
    write(&to, &wasm).map_err(|error| Failure::file("write", &to, &error))?;
    session.out.done(&document, said)
}

/// Writes a file that appears only when it is complete.
fn write(to: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(files::parent(to))?;
    file.write_all(bytes)?;
    readable(&file)?;
    file.persist(to)?;
    Ok(())
}
