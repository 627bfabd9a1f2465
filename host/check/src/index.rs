//! The index from which checks are answered: everything that a host must know about every MiniApp, in memory, as an
//! immutable snapshot. Only the sets of admitted devices grow inside a snapshot.

use std::{
    collections::{BTreeSet, HashSet},
    fmt,
    sync::Arc,
};

use super::{
    Admitted, Bystanders, Claims, Named, Recording,
    judge::{Cohorts, Judge, JudgeSpec, Tally},
};
use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::{Digest, GrayTaskId, HostAppId, MerchantId, MiniAppId, TeamId},
    version::VersionNumber,
};
use berth_model::{
    Finished,
    check::Key,
    endpoint::runtime::Endpoint,
    mini_app::OnShelf,
    privacy::PrivacyRuntime,
    rollout::{Admits, Life, Standing},
    runtime::Runtime,
    settings::{ApiName, AppSettings},
};

/// A version with its package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Number of the version.
    pub version: VersionNumber,
    /// SHA-256 of the package.
    pub sha256: Digest,
    /// Size of the package in bytes.
    pub size: u64,
}

/// A trial: a version that only named accounts get (V10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialEntry {
    /// The version on trial, whatever its state.
    pub release: Release,
    /// The page of the package at which the trial opens.
    pub entry_path: String,
    /// The accounts that get the version.
    pub accounts: HashSet<String>,
}

/// A policy that is bound to a gray task, with the judge that runs it.
#[derive(Clone)]
pub struct BoundJudge {
    /// The binding as it is stored.
    pub spec: JudgeSpec,
    /// Runs the policy, or stands in for it when it is not ready.
    pub judge: Arc<dyn Judge>,
    /// Whether `judge` runs the policy. If `false`, it gives no judgements, and the policy is prepared again later.
    pub ready: bool,
    /// Counts what the policy has said on this host.
    pub tally: Arc<Tally>,
}

/// A gray task that has not ended, or that has ended and whose devices keep the version.
#[derive(Clone)]
pub struct GrayEntry {
    /// Id of the task.
    pub id: GrayTaskId,
    /// The MiniApp whose version it delivers.
    pub mini_app: MiniAppId,
    /// The version in grayscale.
    pub release: Release,
    /// Its state and period.
    pub life: Life,
    /// Its policies, in the order in which they judge.
    pub judges: Vec<BoundJudge>,
    /// Which of them have to admit a device, by their places (G24); `None` for all that decide.
    pub admits: Option<Admits<usize>>,
    /// The uploaded lists that its policies name in their configs.
    pub cohorts: Arc<dyn Cohorts>,
    /// The devices and accounts that its lists name.
    pub named: Arc<Named>,
    /// The devices that it has admitted.
    pub admitted: Arc<Admitted>,
    /// Devices that get the online version meanwhile; `None` unless a guard watches the task (G13).
    pub bystanders: Option<Arc<Bystanders>>,
    /// What the guard said that has suspended it; `None` when none has.
    pub suspended_by_guard: Option<String>,
    /// After how many failures of the version on a device it is not offered to the device any more (G15); 0 for never.
    pub max_failures: u8,
}

impl GrayEntry {
    /// The key of what the client claims and the lists of the task name. A device that a task with lists has admitted is
    /// named, too: it may be by its account, which it does not tell with everything that it asks.
    fn names(&self, claims: &Claims<'_>) -> Option<Key> {
        let admitted = || claims.guid.map(Key::of).filter(|guid| self.admitted.contains(*guid));
        self.named.find(claims).or_else(|| admitted().filter(|_| !self.named.is_empty()))
    }

    /// What the task means for devices at `now`.
    pub fn standing(&self, now: Millis) -> Standing {
        self.life.standing(now)
    }
}

impl fmt::Debug for GrayEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, release, life, judges, admitted, .. } = self;
        let policies: Vec<_> = judges.iter().map(|bound| &bound.spec.policy).collect();
        write!(f, "{id} {} {life:?} {policies:?} {} admitted", release.version, admitted.len())
    }
}

/// What checks need to know about a MiniApp.
#[derive(Clone, Debug)]
pub struct AppEntry {
    /// Id of the MiniApp.
    pub id: MiniAppId,
    /// The team that owns it.
    pub team: TeamId,
    /// Whether it is on the shelf. Off the shelf no device gets service (A2).
    pub on_shelf: bool,
    /// Why it is off the shelf; may be empty.
    pub shelf_note: String,
    /// Versions below this one must not run (V11); `None` for no minimum.
    pub min_version: Option<VersionNumber>,
    /// The online version, of which there is at most one (I1).
    pub online: Option<Release>,
    /// The versions whose forced releases still stand, in no particular order (V12).
    pub forced: Vec<VersionNumber>,
    /// The trial, if there is one.
    pub trial: Option<TrialEntry>,
    /// The host apps to which it is bound.
    pub host_apps: BTreeSet<HostAppId>,
    /// With what it may communicate, and what each host app permits it (D1–D3).
    pub settings: AppSettings,
    /// The privacy agreement that holds (D11); `None` when none is published.
    pub privacy: Option<Finished<PrivacyRuntime>>,
    /// Its gray tasks that still have an effect, newest first (G9).
    pub gray: Vec<Arc<GrayEntry>>,
    /// The record of the devices that ask for it (G25); `None` when none is kept, as mostly.
    pub recording: Option<Arc<Recording>>,
}

impl AppEntry {
    /// Whether it is on the shelf.
    pub fn shelf(&self) -> OnShelf<'_> {
        OnShelf::of(&self.id, self.on_shelf, &self.shelf_note)
    }

    /// The greater one of the minimum usable version and the online one: nothing below it is offered (V11).
    pub(crate) fn floor(&self) -> Option<&VersionNumber> {
        self.online.as_ref().map(|online| &online.version).max(self.min_version.as_ref())
    }

    /// The key of what the client claims, and the trial or a gray task that has an effect at `now` names.
    fn names(&self, claims: &Claims<'_>, now: Millis) -> Option<Key> {
        let on_trial = self.trial.as_ref().zip(claims.account).filter(|(trial, one)| trial.accounts.contains(*one));
        let works = |task: &&Arc<GrayEntry>| task.standing(now).honours();
        let by_task = || self.gray.iter().filter(works).find_map(|task| task.names(claims));
        on_trial.map(|(_, account)| Key::of(account)).or_else(by_task)
    }

    /// The version that host apps embed: the online one (O2).
    ///
    /// # Errors
    /// `package-off-shelf` with the note when the MiniApp is off the shelf; `not-online` when no version is online.
    pub fn offline(&self) -> Result<&Release> {
        self.shelf().require_for_service()?;
        let none = || {
            Error::new(Code::NotOnline, format!("No version of {} is online, so that there is none to embed.", self.id))
        };
        self.online.as_ref().ok_or_else(none)
    }
}

/// What checks need to know about a host app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostAppEntry {
    /// Id of the host app.
    pub id: HostAppId,
    /// The key by which its SDK names it.
    pub public_key: String,
    /// The keys that builds of before send, with the moments from which on they are refused.
    pub former_keys: Vec<(String, Millis)>,
    /// The APIs that it has marked as sensitive (D3); `None` when it has marked none.
    pub sensitive_apis: Option<Finished<Vec<ApiName>>>,
}

impl HostAppEntry {
    /// Whether devices that send this key at `now` are served.
    pub fn has_key(&self, key: &str, now: Millis) -> bool {
        self.public_key == key || self.former_keys.iter().any(|(former, end)| former == key && now < *end)
    }

    fn keys(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.public_key).chain(self.former_keys.iter().map(|(key, _)| key))
    }
}

/// A snapshot of everything that checks need, as of one event. Cloning is cheap: snapshots share what did not change.
#[derive(Clone, Default)]
pub struct Index {
    /// The last event that it includes; it includes nothing later.
    pub seq: i64,
    mini_apps: imbl::HashMap<MiniAppId, Arc<AppEntry>>,
    host_apps: imbl::HashMap<HostAppId, Arc<HostAppEntry>>,
    by_key: imbl::HashMap<String, Arc<HostAppEntry>>,
    tasks: imbl::HashMap<GrayTaskId, Arc<GrayEntry>>,
    endpoints: imbl::HashMap<MiniAppId, Endpoint>,
    channels: imbl::HashMap<MerchantId, Vec<MiniAppId>>,
}

impl Index {
    /// The MiniApp with this id.
    pub fn mini_app(&self, id: &str) -> Option<&Arc<AppEntry>> {
        self.mini_apps.get(id)
    }

    /// All MiniApps, in no particular order.
    pub fn mini_apps(&self) -> impl Iterator<Item = &Arc<AppEntry>> {
        self.mini_apps.values()
    }

    /// The host app with this id.
    pub fn host_app(&self, id: &str) -> Option<&Arc<HostAppEntry>> {
        self.host_apps.get(id)
    }

    /// Whether some host app serves devices that send this key at `now`.
    pub fn knows_key(&self, key: &str, now: Millis) -> bool {
        self.by_key.get(key).is_some_and(|known| known.has_key(key, now))
    }

    /// The host app that a device names, whose key it sends.
    ///
    /// # Errors
    /// `invalid-host-app-key` when the key is another one, or has ended by `now`.
    pub fn require_key(&self, key: &str, host_app: &HostAppId, now: Millis) -> Result<&HostAppEntry> {
        let known = self.host_app(host_app.as_str()).filter(|known| known.has_key(key, now));
        known.map(AsRef::as_ref).ok_or_else(|| {
            let detail = format!(
                "The key in X-Host-App-Key is not the one of {host_app}, or not any more. Look it up with GET \
                 /v1/host-apps/{host_app}."
            );
            Error::new(Code::InvalidHostAppKey, detail)
        })
    }

    /// The gray task with this id, when it still has an effect on devices.
    pub fn task(&self, id: &str) -> Option<&Arc<GrayEntry>> {
        self.tasks.get(id)
    }

    /// All gray tasks that still have an effect on devices, in no particular order.
    pub fn tasks(&self) -> impl Iterator<Item = &Arc<GrayEntry>> {
        self.tasks.values()
    }

    /// The key of what the client claims, and the trial or a gray task of one of these MiniApps names (F110).
    pub fn names<'a>(
        &self,
        mini_apps: impl IntoIterator<Item = &'a str>,
        claims: &Claims<'_>,
        now: Millis,
    ) -> Option<Key> {
        mini_apps.into_iter().filter_map(|id| self.mini_app(id)).find_map(|app| app.names(claims, now))
    }

    /// The endpoint application of which the MiniApp is a channel (E11); `None` when it is not a channel.
    pub fn endpoint(&self, mini_app: &str) -> Option<&Endpoint> {
        self.endpoints.get(mini_app)
    }

    /// What a host app must enforce or show at `now` while it runs a MiniApp.
    pub(crate) fn runtime(&self, app: &AppEntry, host_app: &HostAppEntry, now: Millis) -> Runtime {
        Runtime {
            domains: Some(app.settings.domains(&host_app.id, now).clone()),
            endpoint: self.endpoint(app.id.as_str()).cloned(),
            granted_apis: app.settings.granted_apis(&host_app.id, now).cloned(),
            privacy: app.privacy.clone(),
            sensitive_apis: host_app.sensitive_apis.clone(),
        }
    }

    /// The number of MiniApps and the number of host apps.
    pub fn sizes(&self) -> (usize, usize) {
        (self.mini_apps.len(), self.host_apps.len())
    }

    /// Adds a MiniApp with its gray tasks, or replaces what was known about them.
    pub fn put_mini_app(&mut self, entry: AppEntry) {
        let entry = Arc::new(entry);
        if let Some(before) = self.mini_apps.insert(entry.id.clone(), entry.clone()) {
            for task in &before.gray {
                self.tasks.remove(&task.id);
            }
        }
        for task in &entry.gray {
            self.tasks.insert(task.id.clone(), task.clone());
        }
    }

    /// Replaces the MiniApps that are channels of a merchant's endpoint applications; an empty list removes them.
    pub fn put_channels(&mut self, merchant: MerchantId, channels: Vec<(MiniAppId, Endpoint)>) {
        for mini_app in self.channels.remove(&merchant).unwrap_or_default() {
            // In one round another merchant may have got what this one gave up.
            if self.endpoints.get(&mini_app).is_some_and(|known| known.bos_id == merchant) {
                self.endpoints.remove(&mini_app);
            }
        }
        if channels.is_empty() {
            return;
        }
        self.channels.insert(merchant, channels.iter().map(|(mini_app, _)| mini_app.clone()).collect());
        self.endpoints.extend(channels);
    }

    /// Adds a host app, or replaces what was known about it.
    pub fn put_host_app(&mut self, entry: HostAppEntry) {
        let entry = Arc::new(entry);
        if let Some(before) = self.host_apps.insert(entry.id.clone(), entry.clone()) {
            before.keys().for_each(|key| _ = self.by_key.remove(key));
        }
        entry.keys().for_each(|key| _ = self.by_key.insert(key.clone(), entry.clone()));
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use super::*;
    use berth_base::ids::EndpointAppId;
    use berth_model::endpoint::runtime::Holdings;

    fn channel(merchant: &str, mini_app: &str) -> (MerchantId, (MiniAppId, Endpoint)) {
        let (merchant, cid): (MerchantId, EndpointAppId) =
            (merchant.parse().unwrap(), "cid_00000000000000000000000001".parse().unwrap());
        let endpoint = Holdings::default().endpoint(&merchant, &cid).unwrap();
        (merchant, (mini_app.parse().unwrap(), endpoint))
    }

    #[test]
    fn e5_e11_a_mini_app_that_goes_from_one_merchant_to_another_is_the_others_in_any_order_of_news() {
        let (one, coffee) = channel("bos-1", "coffee");
        let (two, theirs) = channel("bos-2", "coffee");
        for given_up_first in [true, false] {
            let mut index = Index::default();
            index.put_channels(one.clone(), vec![coffee.clone()]);
            let mut news = vec![(one.clone(), vec![]), (two.clone(), vec![theirs.clone()])];
            if !given_up_first {
                news.reverse();
            }
            news.into_iter().for_each(|(merchant, channels)| index.put_channels(merchant, channels));
            assert_eq!(index.endpoint("coffee").unwrap().bos_id, two);
            index.put_channels(two.clone(), vec![]);
            assert_eq!(index.endpoint("coffee"), None);
        }
    }
}
