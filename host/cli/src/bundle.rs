//! `berth bundle`: the preset of a host app, ready for its assets folder (O4).

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::{
    answer::read,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    paint::clean,
    push::progress,
    session::Session,
    stop::stopped,
    table::{Cell, Table},
    unpack::{MANIFEST, Manifest},
};
use crate::{download, files, reach, unpack};
use berth_base::{
    ids::{Digest, EndpointAppId, HostAppId, MiniAppId},
    text,
};
use berth_model::{
    check::{CheckRequest, CheckResult, Device, Explanation, Had, Having, Status},
    download::BundleRequest,
};
use berth_package::PackageName;

/// The arguments of `berth bundle`.
#[derive(Args, Debug)]
#[command(after_help = "\
The folder then holds exactly {id}_{version}.apkg for each MiniApp, and berth-bundle.json with their SHA-256. It is
replaced as a whole, and only when everything was verified; what is in it before has to be an earlier bundle, as its
berth-bundle.json says. Commit berth-bundle.json and give it as --pin to get the same bytes again, whatever was
published since.

Examples:
  berth bundle --host-app ha-super --out app/assets/miniapps
  berth bundle --host-app ha-super --cid cid_01… --out app/assets/miniapps
  berth bundle --host-app ha-super --out app/assets/miniapps --pin berth-bundle.json")]
pub struct Bundle {
    /// The host app
    #[arg(long, value_name = "ID")]
    pub host_app: HostAppId,
    /// The folder to fill; it may hold nothing but an earlier bundle
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Only this MiniApp; may be repeated; all bound ones that are online when absent
    #[arg(long = "app", value_name = "APP")]
    pub apps: Vec<MiniAppId>,
    /// Only the channels of this endpoint application; berth-bundle.json then carries what they run as
    #[arg(long, value_name = "CID", conflicts_with = "apps")]
    pub cid: Option<EndpointAppId>,
    /// Fetch exactly what this berth-bundle.json names
    #[arg(long, value_name = "FILE", conflicts_with_all = ["apps", "cid"])]
    pub pin: Option<PathBuf>,
    /// Ask with the host app's public key instead of your token
    #[arg(long, value_name = "PK")]
    pub key: Option<String>,
}

impl Bundle {
    /// Why a MiniApp is not in the bundle, where the command has chosen what is.
    fn choice(&self) -> Option<&'static str> {
        match (&self.pin, &self.cid) {
            (Some(_), _) => Some("is not in the pin"),
            (None, Some(_)) => Some("is no channel of the endpoint application"),
            (None, None) => (!self.apps.is_empty()).then_some("is not among those that --app names"),
        }
    }
}

pub async fn run(args: Bundle, session: &mut Session) -> Done {
    let client = session.client_as(args.key.as_deref())?;
    // A link stays, and the folder that it leads to is filled.
    let out = fs::canonicalize(&args.out).unwrap_or_else(|_| args.out.clone());
    refuse_here(&out)?;
    refuse_foreign(&out)?;
    let parent = files::parent(&out);
    fs::create_dir_all(parent).map_err(|error| Failure::file("create", parent, &error))?;
    let staged = tempfile::Builder::new().prefix(".berth-bundle-").tempdir_in(parent);
    let staged = staged.map_err(|error| Failure::file("write to", parent, &error))?;
    let folder = staged.path().join("new");
    fs::create_dir(&folder).map_err(|error| Failure::file("create", &folder, &error))?;
    // What ends the command must not leave the staged folder behind.
    let manifest = tokio::select! {
        filled = fill(&client, session, &args, &folder) => filled?,
        () = stopped() => return Err(Failure::refused("interrupted", "Nothing was replaced.")),
    };
    let earlier = earlier(&out).unwrap_or_default();
    replace(&out, &folder, &staged.path().join("old"))?;
    drop(staged);
    // The bundle is there, so who ends the command now ends what is said besides.
    let told = tokio::select! {
        told = remarks(&client, &args, &earlier, &manifest) => told,
        () = stopped() => Vec::new(),
    };
    for remark in told {
        session.out.note(clean(&remark));
    }
    report(session, &args.out, &manifest)
}

/// The packages that the manifest in the folder names; `None` when there is none that can be read.
fn earlier(out: &Path) -> Option<Vec<PackageName>> {
    let text = fs::read_to_string(out.join(MANIFEST)).ok()?;
    let manifest = Manifest::read(serde_json::from_str(&text).ok()?).ok()?;
    Some(manifest.packages.into_iter().map(|package| package.name).collect())
}

/// Remarks for people about this bundle: MiniApps that the previous bundle had and this one has not, and pinned versions
/// that devices will not run.
async fn remarks(client: &Client, args: &Bundle, earlier: &[PackageName], manifest: &Manifest) -> Vec<String> {
    let has = |id: &MiniAppId| manifest.packages.iter().any(|package| package.name.mini_app_id == *id);
    let gone: Vec<_> = earlier.iter().map(|name| &name.mini_app_id).filter(|id| !has(id)).collect();
    if let Some(choice) = args.choice() {
        let pinned = args.pin.iter().flat_map(|_| &manifest.packages).map(|package| having(&package.name));
        let stale = statuses(client, &args.host_app, pinned.collect()).await;
        let left = gone.into_iter().map(|id| left_out(id, choice));
        return stale.iter().filter_map(not_run).chain(left).collect();
    }
    let asked = gone.iter().map(|id| Having { mini_app: id.to_string(), version: None }).collect();
    let known = statuses(client, &args.host_app, asked).await;
    let is_removed =
        |id: &MiniAppId| known.iter().any(|one| one.mini_app == id.as_str() && one.status == Status::Removed);
    let why = |id| if is_removed(id) { "is off the shelf" } else { "is not online in this host app" };
    gone.into_iter().map(|id| left_out(id, why(id))).collect()
}

fn having(name: &PackageName) -> Having {
    Having { mini_app: name.mini_app_id.to_string(), version: Some(Had::Version(name.version.clone())) }
}

/// What a device would be told that has these versions. It is explained and not asked as a device, so that nobody is
/// admitted to a gray task. Nothing when it cannot be asked: the bundle is there, and that no more can be said of it is no
/// failure.
async fn statuses(client: &Client, host_app: &HostAppId, apps: Vec<Having>) -> Vec<CheckResult> {
    if apps.is_empty() {
        return Vec::new();
    }
    let device = Device::named(host_app.clone(), "berth-bundle");
    let answer = client.value(Call::ask("/v1/check/explain").json(&CheckRequest { device, apps })).await;
    let answer = answer.and_then(|answer| read::<Explanation>(&answer));
    answer.map_or_else(|_| Vec::new(), |answer| answer.results.into_iter().map(|one| one.result).collect())
}

/// That devices will not run what a pin has put into the bundle.
fn not_run(told: &CheckResult) -> Option<String> {
    let id = &told.mini_app;
    match told.status {
        Status::Removed => Some(format!(
            "warning: {id} is off the shelf. It is in the bundle because it is pinned; devices will not run it."
        )),
        _ if told.force => Some(format!(
            "warning: the pinned version of {id} must not run any more. Devices fetch {} before they run it.",
            told.version.as_ref().map_or("another one".into(), ToString::to_string)
        )),
        _ => None,
    }
}

fn left_out(id: &MiniAppId, why: &str) -> String {
    format!("left out: {id}, which the earlier bundle had, {why}.")
}

fn report(session: &mut Session, out: &Path, manifest: &Manifest) -> Done {
    let document = json!({"out": out, "bundle": manifest.document});
    let mut table = Table::new(["PACKAGE", "SIZE", "SHA256"]);
    for package in &manifest.packages {
        table.row([Cell::strong(&package.name), super::paint::bytes(package.size).into(), short(&package.sha256)]);
    }
    let table = table.render(&session.out.paint);
    let count = text::count(manifest.packages.len() as u64, "package", "packages");
    session.out.done(&document, format!("{table}\n\n{count} in {}", out.display()))?;
    if manifest.packages.is_empty() {
        let app = &manifest.host_app;
        return Err(Failure::refused(
            "bundle-empty",
            format!(
                "The bundle has no package: nothing that is bound to {app} is online and on the shelf. See `berth host-app bindings {app}`."
            ),
        ));
    }
    Ok(())
}

/// A digest, in a table on a terminal only its beginning. `berth-bundle.json` has all of it.
fn short(sha256: &Digest) -> Cell {
    Cell::of(sha256).shortly(sha256.as_str().chars().take(12).collect())
}

async fn fill(client: &Client, session: &Session, args: &Bundle, folder: &Path) -> Result<Manifest, Failure> {
    match &args.pin {
        Some(pin) => pinned(client, session, &args.host_app, pin, folder).await,
        None => whole(client, session, args, folder).await,
    }
}

/// Fetches the bundle as the host makes it now: one zip.
async fn whole(client: &Client, session: &Session, args: &Bundle, folder: &Path) -> Result<Manifest, Failure> {
    let mini_apps = (!args.apps.is_empty()).then(|| args.apps.clone());
    let body = BundleRequest { host_app: args.host_app.clone(), mini_apps, cid: args.cid.clone() };
    let zip = folder.with_extension("zip");
    save(client, session, &Call::ask("/v1/bundles").json(&body), &zip).await?;
    unpack::unpack(&zip, folder)
}

async fn save(client: &Client, session: &Session, call: &Call, to: &Path) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| Failure::file("write", to, &error);
    let bar = progress(session, "bundle");
    let mut response = client.send(call).await?;
    bar.set_length(response.content_length().unwrap_or(0));
    let mut file = tokio::fs::File::create(to).await.map_err(unwritable)?;
    while let Some(bytes) = response.chunk().await.map_err(|error| reach::explain(client.base(), &error))? {
        file.write_all(&bytes).await.map_err(unwritable)?;
        bar.inc(bytes.len() as u64);
    }
    bar.finish_and_clear();
    file.flush().await.map_err(unwritable)
}

/// Fetches the packages that a manifest names one by one, as they may be historical by now.
async fn pinned(
    client: &Client,
    session: &Session,
    host_app: &HostAppId,
    pin: &Path,
    folder: &Path,
) -> Result<Manifest, Failure> {
    let manifest = Manifest::read(files::read_json(pin)?)?;
    if manifest.host_app != *host_app {
        let other = &manifest.host_app;
        return Err(Failure::usage(format!("{} pins the bundle of {other}, not of {host_app}.", pin.display())));
    }
    for package in &manifest.packages {
        let bar = progress(session, &package.name.to_string());
        let to = folder.join(package.name.to_string());
        download::package(client, &package.name, &to, Some(&package.sha256), files::Existing::Replace, &bar).await?;
        bar.finish_and_clear();
    }
    let to = folder.join(MANIFEST);
    // Byte for byte, so that a bundle of a pin is the bundle that was pinned.
    fs::copy(pin, &to).map_err(|error| Failure::file("write", &to, &error))?;
    Ok(manifest)
}

/// Refuses the folder in which the command runs, or one around it: it is replaced as a whole, and the shell would go on in the
/// one that is gone.
fn refuse_here(out: &Path) -> Result<(), Failure> {
    if !std::env::current_dir().is_ok_and(|here| here.starts_with(out)) {
        return Ok(());
    }
    let out = out.display();
    Err(Failure::usage(format!(
        "The command runs in {out}, which would be replaced as a whole. Run it from elsewhere."
    )))
}

/// Refuses a folder with other files than those of the earlier bundle, as the folder is replaced as a whole.
fn refuse_foreign(out: &Path) -> Result<(), Failure> {
    if !out.exists() {
        return Ok(());
    }
    let (has_manifest, named) = (out.join(MANIFEST).exists(), earlier(out));
    let is_bundled = |package: &PackageName| match &named {
        Some(named) => named.contains(package),
        // A manifest that cannot be read may name any.
        None => has_manifest,
    };
    let entries = fs::read_dir(out).map_err(|error| Failure::file("read", out, &error))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != MANIFEST && !name.parse::<PackageName>().is_ok_and(|package| is_bundled(&package)) {
            return Err(Failure::usage(format!(
                "{} holds {name:?}, which is of no bundle and would be lost. Give the bundle a folder of its own.",
                out.display()
            )));
        }
    }
    Ok(())
}

/// Puts the new folder in the place of the old one. When that fails, the old one is put back.
fn replace(out: &Path, new: &Path, old: &Path) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| Failure::file("write", out, &error);
    let had = out.exists();
    if had {
        fs::rename(out, old).map_err(unwritable)?;
    }
    fs::rename(new, out).map_err(|error| {
        if had {
            // The first failure is the one to tell; the old folder still lies in `old` if this fails, too.
            let _ = fs::rename(old, out);
        }
        unwritable(error)
    })
}
