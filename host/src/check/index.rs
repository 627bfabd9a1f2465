//! What checks are answered from: everything that a host must know of every MiniApp, in memory, as one immutable
//! snapshot. Only the admitted devices of a task grow inside it.

use std::{
    collections::{BTreeSet, HashSet},
    fmt,
    sync::Arc,
};

use super::{
    Admitted,
    judge::{BindingSpec, Cohorts, Judge, Tally},
};
use crate::{
    clock::Millis,
    endpoint::runtime::Endpoint,
    error::{Code, Error, Result},
    ids::{Digest, GrayTaskId, HostAppId, MerchantId, MiniAppId, TeamId},
    mini_app::OnShelf,
    rollout::{Life, Standing},
    version::VersionNumber,
};

/// A version that can be handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its number.
    pub version: VersionNumber,
    /// SHA-256 of its package.
    pub sha256: Digest,
    /// Bytes of its package.
    pub size: u64,
}

/// The version that named accounts get (V10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialEntry {
    /// The version, in whatever state.
    pub release: Release,
    /// Where it opens.
    pub entry_path: String,
    /// Who gets it.
    pub accounts: HashSet<String>,
}

/// A policy of a task, ready to judge.
#[derive(Clone)]
pub struct BoundJudge {
    /// As stored.
    pub spec: BindingSpec,
    /// What judges.
    pub judge: Arc<dyn Judge>,
    /// Whether that is the policy. One that could not be made ready never judges, and is made ready again later.
    pub ready: bool,
    /// What it said on this host.
    pub tally: Arc<Tally>,
}

/// A GrayTask that still means something to somebody.
#[derive(Clone)]
pub struct GrayEntry {
    /// The task.
    pub id: GrayTaskId,
    /// Whose version it is.
    pub mini_app: MiniAppId,
    /// The version in grayscale.
    pub release: Release,
    /// Its state and period.
    pub life: Life,
    /// Its policies in their order.
    pub judges: Vec<BoundJudge>,
    /// The lists that its policies name.
    pub cohorts: Arc<dyn Cohorts>,
    /// Who is in.
    pub admitted: Arc<Admitted>,
}

impl GrayEntry {
    /// What the task means at `now`.
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

/// A MiniApp.
#[derive(Clone, Debug)]
pub struct AppEntry {
    /// Its id.
    pub id: MiniAppId,
    /// Its owner.
    pub team: TeamId,
    /// Off the shelf nobody gets service (A2).
    pub on_shelf: bool,
    /// Why it is off the shelf.
    pub shelf_note: String,
    /// Older versions must not run (V11).
    pub min_version: Option<VersionNumber>,
    /// What everyone gets; at most one (I1).
    pub online: Option<Release>,
    /// The versions that were published as forced, ascending (V12).
    pub forced: Vec<VersionNumber>,
    /// What named accounts get.
    pub trial: Option<TrialEntry>,
    /// The host apps that it is bound to.
    pub host_apps: BTreeSet<HostAppId>,
    /// Its tasks, newest first (G9).
    pub gray: Vec<Arc<GrayEntry>>,
}

impl AppEntry {
    /// Whether it is on the shelf.
    pub fn shelf(&self) -> OnShelf<'_> {
        OnShelf::of(&self.id, self.on_shelf, &self.shelf_note)
    }

    /// The version that a host app embeds (O2).
    ///
    /// # Errors
    /// `package-off-shelf`, `not-online`.
    pub fn offline(&self) -> Result<&Release> {
        self.shelf().require_for_service()?;
        let none = || {
            Error::new(Code::NotOnline, format!("No version of {} is online, so that there is none to embed.", self.id))
        };
        self.online.as_ref().ok_or_else(none)
    }
}

/// A host app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostAppEntry {
    /// Its id.
    pub id: HostAppId,
    /// What its SDK sends to name itself.
    pub public_key: String,
}

/// All of it, as of one event.
#[derive(Clone, Default)]
pub struct Index {
    /// The event that it follows: everything up to it is in, nothing after it.
    pub seq: i64,
    mini_apps: imbl::HashMap<MiniAppId, Arc<AppEntry>>,
    host_apps: imbl::HashMap<HostAppId, Arc<HostAppEntry>>,
    by_key: imbl::HashMap<String, Arc<HostAppEntry>>,
    tasks: imbl::HashMap<GrayTaskId, Arc<GrayEntry>>,
    endpoints: imbl::HashMap<MiniAppId, Endpoint>,
    channels: imbl::HashMap<MerchantId, Vec<MiniAppId>>,
}

impl Index {
    /// A MiniApp.
    pub fn mini_app(&self, id: &str) -> Option<&Arc<AppEntry>> {
        self.mini_apps.get(id)
    }

    /// All MiniApps, in no order.
    pub fn mini_apps(&self) -> impl Iterator<Item = &Arc<AppEntry>> {
        self.mini_apps.values()
    }

    /// A host app.
    pub fn host_app(&self, id: &str) -> Option<&Arc<HostAppEntry>> {
        self.host_apps.get(id)
    }

    /// The host app with this public key.
    pub fn host_app_by_key(&self, key: &str) -> Option<&Arc<HostAppEntry>> {
        self.by_key.get(key)
    }

    /// A task that still means something.
    pub fn task(&self, id: &str) -> Option<&Arc<GrayEntry>> {
        self.tasks.get(id)
    }

    /// All tasks that still mean something, in no order.
    pub fn tasks(&self) -> impl Iterator<Item = &Arc<GrayEntry>> {
        self.tasks.values()
    }

    /// The endpoint application that a MiniApp is a channel of (E11).
    pub fn endpoint(&self, mini_app: &str) -> Option<&Endpoint> {
        self.endpoints.get(mini_app)
    }

    /// How many MiniApps and host apps there are.
    pub fn sizes(&self) -> (usize, usize) {
        (self.mini_apps.len(), self.host_apps.len())
    }

    /// Puts a MiniApp in the place of what was known of it.
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

    /// Puts the MiniApps that are channels of a merchant's endpoint applications in the place of what was known of them.
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

    /// Puts a host app in the place of what was known of it.
    pub fn put_host_app(&mut self, entry: HostAppEntry) {
        let entry = Arc::new(entry);
        if let Some(before) = self.host_apps.insert(entry.id.clone(), entry.clone()) {
            self.by_key.remove(&before.public_key);
        }
        self.by_key.insert(entry.public_key.clone(), entry);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use super::*;
    use crate::{endpoint::runtime::Holdings, ids::EndpointAppId};

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
