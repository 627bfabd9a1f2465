//! A busy installation that may be killed at any moment, and a ledger of what its host has acknowledged.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use berth_base::{
    clock::{Clock as _, SystemClock},
    ids::Digest,
};
use serde_json::{Value, json};

use crate::{Answer, Api, made, process::Process, scene::text};

/// How many devices each grayscale task of the journey admits at most.
const CAP: u64 = 5;

/// What the host has acknowledged, and so must keep.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Uploaded packages: their names and SHA-256 digests.
    pub uploads: BTreeMap<String, String>,
    /// Versions of `coffee` that were published, in the order of publication.
    pub published: Vec<String>,
    /// Ids of the audits in which a decision was taken.
    pub decided: BTreeSet<String>,
    /// Ids of the grayscale tasks that were created.
    pub tasks: BTreeSet<String>,
    /// Pairs of a grayscale task and a device that was given its version.
    pub admitted: BTreeSet<(String, String)>,
    /// Versions of `coffee` that any check has offered.
    pub offered: BTreeSet<String>,
    /// The minor number of the version of `coffee` that the journey is at, and that of the next upload of `tea`.
    next: (u64, u64),
}

impl Ledger {
    /// Whether enough was acknowledged for a loss to show: uploads, a publication and a device of a task.
    pub fn says_enough(&self) -> bool {
        self.uploads.len() > 20 && !self.published.is_empty() && !self.admitted.is_empty()
    }
}

/// A team with the MiniApps `coffee` and `tea`, which are bound to the host app `super-app`.
#[derive(Clone)]
pub struct Shop {
    /// The public key of `super-app`.
    pub key: String,
    ledger: Arc<Mutex<Ledger>>,
}

impl Shop {
    /// Creates all of it on an empty host.
    pub async fn open(admin: &Api) -> Self {
        let team = text(&admin.post("/v1/teams", json!({"name": "Shop"})).await.good()["id"]);
        let host_app = admin.post("/v1/host-apps", json!({"name": "Super app", "id": "super-app"})).await.good();
        for id in ["coffee", "tea"] {
            admin.post("/v1/mini-apps", json!({"name": id, "id": id, "team": team})).await.good();
            admin.put(&format!("/v1/host-apps/super-app/bindings/{id}"), json!(null)).await.good();
        }
        Self { key: text(&host_app["public_key"]), ledger: Arc::default() }
    }

    /// Locks the ledger, to read or change it.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    /// Works until the host no longer answers: takes versions to the public, uploads, and checks, all at once.
    pub async fn work(&self, admin: Api, device: Api) {
        let journey = tokio::spawn(self.clone().journey(admin.clone(), device.clone()));
        let uploads = tokio::spawn(self.clone().uploads(admin));
        let checks = tokio::spawn(self.clone().checks(device));
        for work in [journey, uploads, checks] {
            work.await.unwrap();
        }
    }

    /// Takes one version after the other from upload to the public. Each step is chosen from what the host says, so
    /// that the journey goes on after a crash as a person would (F52).
    async fn journey(self, admin: Api, device: Api) {
        loop {
            let minor = self.ledger().next.0;
            match self.step(&admin, &device, &format!("1.{minor}.0"), minor).await {
                Some(true) => self.ledger().next.0 += 1,
                Some(false) => {}
                None => return,
            }
        }
    }

    /// Takes a version of `coffee` from upload to this state.
    pub async fn until(&self, admin: &Api, device: &Api, number: &str, state: &str) {
        let path = format!("/v1/mini-apps/coffee/versions/{number}");
        for _ in 0..100 {
            self.step(admin, device, number, 0).await.unwrap();
            if admin.get(&path).await.good()["state"] == state {
                return;
            }
        }
        panic!("{number} did not become {state}: {}", admin.get(&path).await.good());
    }

    /// Takes a version one step further. Returns whether it is the next version's turn, or `None` when the host is
    /// gone.
    async fn step(&self, admin: &Api, device: &Api, number: &str, seed: u64) -> Option<bool> {
        let path = format!("/v1/mini-apps/coffee/versions/{number}");
        let version = admin.try_send("GET", &path, None).await?;
        if version.status == 404 {
            return self.upload(admin, "coffee", number, seed).await.map(|()| false);
        }
        let version = version.good();
        match version["state"].as_str().unwrap() {
            "development" => acknowledged(&admin.try_send("POST", &format!("{path}/submit"), None).await?),
            "auditing" => return self.decide(admin, &version["audit"]).await,
            // A first release cannot be gray (G1), and the versions before may hang in audits that a crash has cut off.
            "approved" if seed % 2 == 1 && !self.ledger().published.is_empty() => {
                self.release_to_some(admin, device, number).await?;
                self.publish(admin, number).await?;
            }
            "approved" => self.publish(admin, number).await?,
            _ => return Some(true),
        }
        Some(false)
    }

    async fn upload(&self, admin: &Api, app: &str, number: &str, seed: u64) -> Option<()> {
        let (name, bytes) = (format!("{app}_{number}.apkg"), made::package(seed));
        let sha256 = Digest::of(&bytes).to_string();
        acknowledged(&admin.try_push(&name, bytes).await?);
        self.ledger().uploads.insert(name, sha256);
        Some(())
    }

    /// Decides an audit once the policies have judged. When a crash has cut the audit off, a worker takes it over only
    /// later; the journey then goes on with the next version.
    async fn decide(&self, admin: &Api, audit: &Value) -> Option<bool> {
        let id = text(&audit["id"]);
        let mut state = audit["state"].clone();
        for _ in 0..25 {
            if state != "checking" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            state = admin.try_send("GET", &format!("/v1/audits/{id}"), None).await?.good()["state"].clone();
        }
        if state != "deciding" {
            return Some(true);
        }
        let body = json!({"host_app": "super-app", "approve": true});
        acknowledged(&admin.try_send("POST", &format!("/v1/audits/{id}/decisions"), Some(&body)).await?);
        self.ledger().decided.insert(id);
        Some(false)
    }

    async fn release_to_some(&self, admin: &Api, device: &Api, number: &str) -> Option<()> {
        let now = SystemClock.now();
        let body =
            json!({"name": "canary", "version": number, "start": now, "end": now.plus_seconds(3600), "max_users": CAP});
        let task = admin.try_send("POST", "/v1/mini-apps/coffee/gray-tasks", Some(&body)).await?.good();
        self.ledger().tasks.insert(text(&task["id"]));
        for guid in 0..CAP + 3 {
            self.check(device, &format!("j{guid}")).await?;
        }
        Some(())
    }

    async fn publish(&self, admin: &Api, number: &str) -> Option<()> {
        let path = format!("/v1/mini-apps/coffee/versions/{number}/publish");
        acknowledged(&admin.try_send("POST", &path, Some(&json!({}))).await?);
        self.ledger().published.push(number.to_owned());
        Some(())
    }

    /// Asks as a device, and notes what it was given.
    async fn check(&self, device: &Api, guid: &str) -> Option<()> {
        let body = json!({"host_app": "super-app", "guid": guid, "apps": [{"mini_app": "coffee"}]});
        let result = device.try_send("POST", "/v1/check", Some(&body)).await?.good()["results"][0].clone();
        let mut ledger = self.ledger();
        ledger.offered.extend(result["version"].as_str().map(str::to_owned));
        if let Some(task) = result["gray_task"].as_str() {
            ledger.admitted.insert((task.to_owned(), guid.to_owned()));
        }
        Some(())
    }

    async fn uploads(self, admin: Api) {
        loop {
            let patch = self.ledger().next.1;
            if self.upload(&admin, "tea", &format!("0.0.{patch}"), 1_000_000 + patch).await.is_none() {
                return;
            }
            self.ledger().next.1 += 1;
        }
    }

    async fn checks(self, device: Api) {
        let mut guid = 0;
        while self.check(&device, &format!("c{guid}")).await.is_some() {
            guid = (guid + 1) % 20;
        }
    }

    /// Asserts that the host still knows everything that it acknowledged.
    pub async fn remembers(&self, admin: &Api, process: &Process) {
        let ledger = std::mem::take(&mut *self.ledger());
        self.remembers_packages(admin, &ledger).await;
        self.remembers_releases(admin, &ledger).await;
        for audit in &ledger.decided {
            assert_eq!(admin.get(&format!("/v1/audits/{audit}")).await.good()["state"], "approved", "{audit}");
        }
        for task in &ledger.tasks {
            let task = admin.get(&format!("/v1/gray-tasks/{task}")).await.good();
            assert!(task["admitted"].as_u64().unwrap() <= CAP, "{task}");
            let device = process.device(&self.key);
            for (_, guid) in ledger.admitted.iter().filter(|(id, _)| task["id"] == **id) {
                stays_admitted(&device, &task, guid).await;
            }
        }
        *self.ledger() = ledger;
    }

    /// Asserts that every upload is there, and that the last ones have the bytes that were sent.
    async fn remembers_packages(&self, admin: &Api, ledger: &Ledger) {
        for app in ["coffee", "tea"] {
            let mut known = BTreeMap::new();
            let mut next = String::new();
            loop {
                let page = admin.get(&format!("/v1/mini-apps/{app}/versions?limit=200{next}")).await.good();
                for version in page["items"].as_array().unwrap() {
                    known.insert(format!("{app}_{}.apkg", text(&version["version"])), text(&version["sha256"]));
                }
                let Some(cursor) = page["next"].as_str() else { break };
                next = format!("&cursor={cursor}");
            }
            let sent = ledger.uploads.iter().filter(|(name, _)| name.starts_with(app));
            for (name, sha256) in sent.clone() {
                assert_eq!(known.get(name), Some(sha256), "{name}");
            }
            for (name, sha256) in sent.rev().take(5) {
                let bytes = admin.get(&format!("/v1/packages/{name}")).await.bytes;
                assert_eq!(Digest::of(&bytes).as_str(), sha256, "{name}");
            }
        }
    }

    /// Asserts that every publication is in the history, in order, and that every version that a check offered was
    /// approved (I4).
    async fn remembers_releases(&self, admin: &Api, ledger: &Ledger) {
        let releases = admin.get("/v1/mini-apps/coffee/releases").await.good();
        let history: Vec<_> =
            releases["items"].as_array().unwrap().iter().rev().map(|one| text(&one["version"])).collect();
        assert!(ledger.published.iter().all(|one| history.contains(one)), "{:?} in {history:?}", ledger.published);
        for number in &ledger.offered {
            let version = admin.get(&format!("/v1/mini-apps/coffee/versions/{number}")).await.good();
            let state = text(&version["state"]);
            assert!(
                ["approved", "online", "historical"].contains(&state.as_str()),
                "{number} is {state} and was offered"
            );
        }
    }
}

/// Asserts that a device that was given a gray version gets it again as long as the task counts (I3). It may come from
/// a newer task: after a crash between the creation of a task and its answer, the journey creates the task twice.
async fn stays_admitted(device: &Api, task: &Value, guid: &str) {
    let over = task["state"] == "ended" && task["honoured"] == false;
    let body = json!({"host_app": "super-app", "guid": guid, "apps": [{"mini_app": "coffee"}]});
    let result = device.post("/v1/check", body).await.good()["results"][0].clone();
    assert!(over || result["version"] == task["version"], "{guid} was admitted to {task} and gets {result}");
}

/// Asserts that a step was done, now or before: a repetition after a crash may find that it was.
fn acknowledged(answer: &Answer) {
    assert!(matches!(answer.status, 200 | 201), "{} {}", answer.status, String::from_utf8_lossy(&answer.bytes));
}
