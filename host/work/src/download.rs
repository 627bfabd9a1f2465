//! Downloads: who may fetch which packages, and bundles of them for offline use (A2, O1–O4).

pub use berth_model::download::*;

use std::{
    io::{Seek, SeekFrom},
    sync::Arc,
};

use berth_base::{
    error::{Code, Error, Result},
    ids::{Digest, EndpointAppId, GrayTaskId, HostAppId, MiniAppId},
};
use berth_model::{
    access::{Action, Caller},
    endpoint::runtime::Endpoint,
    host_app::HostApp,
    mini_app::MiniApp,
    rollout::Side,
    runtime::Runtime,
};
use berth_package::{PackageName, ZipWriter};
use berth_store::{Db, Span, Tx, blob::Blobs, version::VersionRow};
use bytes::Bytes;
use tempfile::NamedTempFile;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    endpoint::runtime,
    host_app,
    mini_app::{self, Reader},
    settings,
    version::is_submitted_to,
};

/// Who fetches packages.
pub enum Fetcher {
    /// An account, by its token.
    Caller(Caller),
    /// A device, by the public key of its host app.
    Device(HostApp),
}

/// A package that may be sent to the one who asks.
pub struct Servable {
    /// Name of the package (O1).
    pub name: PackageName,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// Size of the package in bytes.
    pub size: u64,
    /// Whether all devices of the host app may have it, so that shared caches may keep it.
    pub public: bool,
    /// Whether its bytes never change any more: what was never submitted may be replaced (V1).
    pub fixed: bool,
}

impl Servable {
    fn new(row: VersionRow, public: bool) -> Self {
        let name = PackageName { mini_app_id: row.mini_app_id, version: row.number };
        Self { name, sha256: row.sha256, size: row.size, public, fixed: row.submitted_once }
    }
}

/// The offer that a device has got by a check, as the address of the package tells it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offer<'a> {
    /// The gray task and the guid of the device.
    pub gray: Option<(&'a GrayTaskId, &'a str)>,
    /// The account that is named in a trial.
    pub account: Option<&'a str>,
}

/// The package of a version, if the one who asks may have it. Members of its team get every version; those of a bound
/// host app get versions that were published or submitted to it; devices get versions that are or were online, and what
/// they were offered: the version of a gray task that has admitted them, and the one on trial for their account.
///
/// # Errors
/// `not-found` for all who may not have it; `package-off-shelf` for devices while the MiniApp is off the shelf.
pub async fn package(db: &Db, who: &Fetcher, name: &PackageName, offer: Offer<'_>) -> Result<Servable> {
    let mut tx = db.read().await?;
    let hidden = || Error::not_found("package", name);
    match who {
        Fetcher::Caller(caller) => {
            let (_, reader) = mini_app::readable(&mut tx, caller, &name.mini_app_id).await?;
            let row = tx.require_version(&name.mini_app_id, &name.version).await?;
            let is_teams = reader != Reader::Team && !row.state.was_published();
            if is_teams && !is_submitted_to(&mut tx, caller, &row).await? {
                return Err(hidden());
            }
            Ok(Servable::new(row, false))
        }
        Fetcher::Device(host_app) => {
            let mini_app = bound_mini_app(&mut tx, &host_app.id, &name.mini_app_id).await?.ok_or_else(hidden)?;
            mini_app.shelf().require_for_service()?;
            let row = tx.require_version(&name.mini_app_id, &name.version).await.map_err(|_| hidden())?;
            let public = row.state.was_published();
            if public
                || is_admitted(&mut tx, &row, offer.gray).await?
                || is_on_trial(&mut tx, &row, offer.account).await?
            {
                return Ok(Servable::new(row, public));
            }
            Err(hidden())
        }
    }
}

async fn is_admitted(tx: &mut Tx, row: &VersionRow, gray: Option<(&GrayTaskId, &str)>) -> Result<bool> {
    let Some((task, guid)) = gray else { return Ok(false) };
    let offers = tx.gray_task(task).await?.is_some_and(|task| task.version_id == row.id);
    Ok(offers && !tx.devices_of(Side::Gray, task, &[guid]).await?.is_empty())
}

async fn bound_mini_app(tx: &mut Tx, host_app: &HostAppId, mini_app: &MiniAppId) -> Result<Option<MiniApp>> {
    if !tx.bound_host_apps(mini_app).await?.contains(host_app) {
        return Ok(None);
    }
    tx.mini_app(mini_app).await
}

async fn is_on_trial(tx: &mut Tx, row: &VersionRow, account: Option<&str>) -> Result<bool> {
    let Some(account) = account else { return Ok(false) };
    let trial = tx.trial(&row.mini_app_id).await?.filter(|trial| trial.version_id == row.id);
    Ok(trial.is_some_and(|trial| trial.accounts.0.iter().any(|one| one == account)))
}

/// The offline package of a MiniApp: its online version (O2).
///
/// # Errors
/// `not-found`; `package-off-shelf`; `not-online`.
pub async fn offline(db: &Db, who: &Fetcher, id: &MiniAppId) -> Result<Servable> {
    let mut tx = db.read().await?;
    let mini_app = match who {
        Fetcher::Caller(caller) => Some(mini_app::readable(&mut tx, caller, id).await?.0),
        Fetcher::Device(host_app) => bound_mini_app(&mut tx, &host_app.id, id).await?,
    };
    mini_app.ok_or_else(|| Error::not_found("MiniApp", id))?.shelf().require_for_service()?;
    let online = tx.online_version(id).await?;
    online.map(|row| Servable::new(row, true)).ok_or_else(|| not_online(id))
}

fn not_online(id: &MiniAppId) -> Error {
    Error::new(
        Code::NotOnline,
        format!("{id} has no online version, and only online MiniApps have an offline package."),
    )
}

/// How many bundles a host makes and sends at a time.
const PLACES: usize = 8;
/// How many of them by public keys, which are in the apps: the others are for accounts, whose builds go on when everybody asks.
const PLACES_BY_KEY: usize = 6;

/// Limits the bundles that this host makes and sends at a time (F77): each takes a file on the disk, and while it is made
/// the memory of a whole package.
pub struct Bundles {
    all: Arc<Semaphore>,
    by_key: Arc<Semaphore>,
}

impl Default for Bundles {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(PLACES)), by_key: Arc::new(Semaphore::new(PLACES_BY_KEY)) }
    }
}

impl Bundles {
    fn enter(&self, who: &Fetcher) -> Result<Place> {
        let take = |places: &Arc<Semaphore>| places.clone().try_acquire_owned().map_err(|_| busy());
        let by_key = match who {
            Fetcher::Device(_) => Some(take(&self.by_key)?),
            Fetcher::Caller(_) => None,
        };
        Ok(Place { _all: take(&self.all)?, _by_key: by_key })
    }
}

/// A place among the bundles that are made and sent, free again when it is dropped.
#[derive(Debug)]
pub struct Place {
    _all: OwnedSemaphorePermit,
    _by_key: Option<OwnedSemaphorePermit>,
}

fn busy() -> Error {
    let detail = "Other bundles are being made and sent. Try again in a moment.";
    Error::new(Code::TooManyRequests, detail).retry_after(5)
}

/// A bundle, ready to be sent.
#[derive(Debug)]
pub struct Bundle {
    /// The zip, from its beginning.
    pub file: NamedTempFile,
    /// The place of the bundle; to be dropped once it was sent, or will not be.
    pub place: Place,
}

/// Makes a bundle for a host app as one zip (O4): the packages under their names, and `berth-bundle.json`. The same
/// packages and the same runtime give the same bytes. For the devices of the host app, and accounts that may read it.
///
/// # Errors
/// `too-many-requests` while as many others as this host has places for are being made or sent; `invalid-field` when both MiniApps and an
/// endpoint application are given; `not-found`; for named MiniApps `package-off-shelf` and `not-online`;
/// `package-damaged`.
pub async fn bundle(
    db: &Db,
    blobs: &Blobs,
    bundles: &Bundles,
    who: &Fetcher,
    request: BundleRequest,
) -> Result<Bundle> {
    let place = bundles.enter(who)?;
    let manifest = plan(db, who, request).await?;
    let file = blobs.scratch()?;
    let mut zip = ZipWriter::new(file.reopen().map_err(Error::internal)?);
    let mut text = serde_json::to_vec_pretty(&manifest).map_err(Error::internal)?;
    text.push(b'\n');
    zip.add_stored("berth-bundle.json", &text)?;
    for package in &manifest.packages {
        let bytes: Bytes = blobs.bytes(&package.sha256).await?;
        let (back, file) = (zip, package.file.clone());
        zip = tokio::task::spawn_blocking(move || {
            let mut zip = back;
            zip.add_stored(&file, &bytes).map(|()| zip)
        })
        .await
        .map_err(Error::internal)??;
    }
    zip.finish()?.seek(SeekFrom::Start(0)).map_err(Error::internal)?;
    Ok(Bundle { file, place })
}

async fn plan(db: &Db, who: &Fetcher, request: BundleRequest) -> Result<BundleManifest> {
    let mut tx = db.read().await?;
    authorise_bundle(&mut tx, who, &request.host_app).await?;
    let bound = tx.mini_apps_bound_to(&request.host_app).await?;
    let named = request.mini_apps.is_some();
    let (mut wanted, endpoint) = match (request.mini_apps, &request.cid) {
        (Some(_), Some(_)) => return Err(Error::field("cid", "name either MiniApps or an endpoint application.")),
        (Some(named), None) => (named, None),
        (None, None) => (bound.clone(), None),
        (None, Some(cid)) => channels_of(&mut tx, &bound, cid).await?,
    };
    wanted.sort_unstable();
    wanted.dedup();
    let mut packages = Vec::with_capacity(wanted.len());
    for id in wanted {
        if !bound.contains(&id) {
            return Err(Error::not_found("MiniApp bound to this host app called", id));
        }
        let mini_app = tx.mini_app(&id).await?.ok_or_else(|| Error::not_found("MiniApp", &id))?;
        match (mini_app.shelf().require_for_service(), tx.online_version(&id).await?) {
            (Ok(()), Some(row)) => {
                let settings = settings::runtime(&mut tx, &id, &request.host_app).await?;
                packages.push(bundled(row, Runtime { endpoint: endpoint.clone(), ..settings }));
            }
            (Err(off_shelf), _) if named => return Err(off_shelf),
            (Ok(()), None) if named => return Err(not_online(&id)),
            _ => {} // of a whole preset, what has nothing online is left out
        }
    }
    packages.sort_unstable_by(|a, b| a.file.cmp(&b.file));
    Ok(BundleManifest { format: 1, host_app: request.host_app, cid: request.cid, packages })
}

/// The bound MiniApps that are channels of an endpoint application, and what checks tell of it. Whoever may read the host
/// app may read this, without any role in the merchant, because checks of the host app tell the same.
async fn channels_of(
    tx: &mut Tx,
    bound: &[MiniAppId],
    cid: &EndpointAppId,
) -> Result<(Vec<MiniAppId>, Option<Endpoint>)> {
    let hidden = || Error::not_found("endpoint application with MiniApps in this host app called", cid);
    let endpoint = tx.endpoint_app(cid).await?.ok_or_else(hidden)?;
    let rows = tx.mini_app_channels_in(&Span::one(&endpoint.merchant)).await?;
    let own = rows.into_iter().filter(|(_, mini_app, bound_to)| bound_to == cid && bound.contains(mini_app));
    let wanted: Vec<_> = own.map(|(_, mini_app, _)| mini_app).collect();
    if wanted.is_empty() {
        return Err(hidden());
    }
    Ok((wanted, runtime::of_endpoint_app(tx, &endpoint.merchant, cid).await?.endpoint))
}

async fn authorise_bundle(tx: &mut Tx, who: &Fetcher, id: &HostAppId) -> Result<()> {
    match who {
        Fetcher::Device(own) if own.id == *id => Ok(()),
        Fetcher::Device(_) => Err(Error::not_found("host app", id)),
        Fetcher::Caller(caller) => host_app::authorise(tx, caller, id, Action::Read).await.map(|_| ()),
    }
}

fn bundled(row: VersionRow, runtime: Runtime) -> BundledPackage {
    let name = PackageName { mini_app_id: row.mini_app_id.clone(), version: row.number.clone() };
    BundledPackage {
        file: name.to_string(),
        mini_app: row.mini_app_id,
        version: row.number,
        sha256: row.sha256,
        size: row.size,
        runtime: Some(runtime),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{host, mall};

    #[tokio::test]
    async fn f77_a_host_makes_and_sends_a_few_bundles_at_a_time() {
        let host = host().await;
        let (who, places) = (Fetcher::Caller(host.caller.clone()), &host.app.bundles);
        let make = async || {
            let request = BundleRequest { host_app: mall(), mini_apps: Some(Vec::new()), cid: None };
            bundle(&host.app.db, &host.app.blobs, places, &who, request).await
        };
        let mut made = Vec::new();
        for _ in 0..PLACES {
            made.push(make().await.expect("a bundle"));
        }
        let refused = make().await.expect_err("all places are taken");
        assert_eq!(refused.code, Code::TooManyRequests);
        assert_eq!(refused.fields["retry_after_seconds"], 5);
        made.pop();
        make().await.expect("a place is free again");
    }
}
