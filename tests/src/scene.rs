//! The scene that most tests start from: a team with a MiniApp, and a host app that runs it.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::{Answer, Api, Host, packed, packed_folder};

/// A team, its MiniApp `coffee`, and the host app `super-app` that the MiniApp is bound to. The platform's first admin
/// is admin of all of them.
pub struct Scene {
    /// The host that the scene is on.
    pub host: Host,
    /// A client that acts as the admin of everything.
    pub admin: Api,
    /// The id of the team.
    pub team: String,
    /// The public key of `super-app`.
    pub key: String,
}

/// Creates an account without roles and a token for it, which `more` adds members to. Returns the account's id and the
/// token's secret.
pub async fn person(admin: &Api, name: &str, more: Value) -> (String, String) {
    let account = text(&admin.post("/v1/accounts", json!({"name": name})).await.good()["id"]);
    let mut body = json!({"account": account, "name": "test"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let token = text(&admin.post("/v1/tokens", body).await.good()["secret"]);
    (account, token)
}

/// The servers that speak of users: that of `super-app` and that of `coffee`.
pub struct Servers {
    /// A client that acts as the server of the host app.
    pub app: Api,
    /// A client that acts as the server of the MiniApp, by a server token.
    pub server: Api,
    /// The AppSecret of the MiniApp.
    pub secret: String,
}

impl Scene {
    /// Gives the host app and the MiniApp a server each.
    pub async fn servers(&self) -> Servers {
        let (account, app) = self.host.somebody("server").await;
        self.admin.put(&format!("/v1/host-apps/super-app/members/{account}"), json!({"role": "server"})).await.good();
        let secret = text(&self.admin.post("/v1/mini-apps/coffee/secret", json!(null)).await.good()["secret"]);
        let proof = json!({"mini_app": "coffee", "secret": secret});
        let token = self.host.anonymous().post("/v1/server-tokens", proof).await.good();
        Servers { app, server: self.host.with_token(&text(&token["token"])), secret }
    }

    /// Another MiniApp, of this team and bound to the host app; returns its AppSecret.
    pub async fn another(&self, id: &str, team: &str) -> String {
        self.admin.post("/v1/mini-apps", json!({"name": id, "id": id, "team": team})).await.good();
        self.admin.put(&format!("/v1/host-apps/super-app/bindings/{id}"), json!(null)).await.good();
        text(&self.admin.post(&format!("/v1/mini-apps/{id}/secret"), json!(null)).await.good()["secret"])
    }

    /// Logs a user in to a MiniApp by its AppSecret, on the word of the host app's server `app`; returns the session.
    pub async fn log_in(&self, app: &Api, mini_app: &str, secret: &str, account: &str) -> Value {
        let ask = json!({"mini_app": mini_app, "account": account});
        let code = app.post("/v1/host-apps/super-app/login-codes", ask).await.good()["code"].clone();
        let exchange = json!({"mini_app": mini_app, "secret": secret, "code": code});
        self.host.anonymous().post("/v1/session", exchange).await.good()
    }

    /// Creates the team, the MiniApp and the host app on an empty host.
    pub async fn set(host: Host) -> Self {
        let admin = host.admin();
        let team = text(&admin.post("/v1/teams", json!({"name": "Coffee team"})).await.good()["id"]);
        admin.post("/v1/mini-apps", json!({"name": "Coffee", "id": "coffee", "team": team})).await.good();
        let host_app = admin.post("/v1/host-apps", json!({"name": "Super app", "id": "super-app"})).await.good();
        admin.put("/v1/host-apps/super-app/bindings/coffee", json!(null)).await.good();
        Self { host, admin, team, key: text(&host_app["public_key"]) }
    }

    /// Uploads the sample `coffee/{sample}` as version `number`.
    pub async fn push(&self, sample: &str, number: &str) -> Answer {
        let name = format!("coffee_{number}.apkg");
        self.admin.push(&name, packed(&format!("coffee/{sample}"), &name)).await
    }

    /// Uploads coffee with this script beside that of its index page, submits it, and returns the audit.
    pub async fn submit_script(&self, number: &str, script: &str) -> Value {
        let work = tempfile::tempdir().unwrap();
        let copy = work.path().join("coffee");
        let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../packages/coffee/1.0.0");
        assert!(Command::new("cp").args(["-r", sample]).arg(&copy).status().unwrap().success());
        fs::write(copy.join("pages/index/extra.js"), script).unwrap();
        let index = copy.join("pages/index/index.js");
        let main = format!("require('./extra');\n{}", fs::read_to_string(&index).unwrap());
        fs::write(index, main).unwrap();
        let name = format!("coffee_{number}.apkg");
        self.admin.push(&name, packed_folder(&copy, &name)).await.good();
        self.submit(number).await
    }

    /// Submits a version, waits until the policies have judged it, and returns the audit.
    pub async fn submit(&self, number: &str) -> Value {
        let audit =
            self.admin.send("POST", &format!("/v1/mini-apps/coffee/versions/{number}/submit"), None).await.good();
        self.judged(&text(&audit["id"])).await
    }

    /// Waits until the policies of an audit have judged, and returns the audit.
    pub async fn judged(&self, audit: &str) -> Value {
        for _ in 0..1800 {
            let audit = self.admin.get(&format!("/v1/audits/{audit}")).await.good();
            if audit["state"] != "checking" {
                return audit;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the audit {audit} did not end in 90 s");
    }

    /// Uploads, submits and approves a version.
    pub async fn approved(&self, number: &str) {
        self.push("1.0.0", number).await.good();
        let audit = self.submit(number).await;
        self.decide(&audit, true, "").await.good();
    }

    /// Decides an audit for `super-app`.
    pub async fn decide(&self, audit: &Value, approve: bool, note: &str) -> Answer {
        let body = json!({"host_app": "super-app", "approve": approve, "note": note});
        self.admin.post(&format!("/v1/audits/{}/decisions", text(&audit["id"])), body).await
    }

    /// Publishes an approved version.
    pub async fn publish(&self, number: &str) -> Answer {
        self.admin.post(&format!("/v1/mini-apps/coffee/versions/{number}/publish"), json!({})).await
    }

    /// Uploads, approves and publishes a version.
    pub async fn online(&self, number: &str) {
        self.approved(number).await;
        self.publish(number).await.good();
    }

    /// Rolls `coffee` back to the version `to`.
    pub async fn roll_back(&self, to: &str) -> Answer {
        self.admin.post("/v1/mini-apps/coffee/rollback", json!({"to": to})).await
    }

    /// Creates a grayscale task that lasts a week. `more` adds or replaces members of the request.
    pub async fn gray(&self, number: &str, more: Value) -> Answer {
        let now = self.host.app.db.now();
        let mut body = json!({"name": "canary", "version": number, "start": now, "end": now.plus_seconds(7 * 86_400)});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.admin.post("/v1/mini-apps/coffee/gray-tasks", body).await
    }

    /// What a device is told about `coffee`, once checks see everything that is committed.
    pub async fn check(&self, guid: &str, current: Option<&str>) -> Value {
        self.host.settled().await;
        self.check_on(&self.host, guid, current).await
    }

    /// What a device is told about `coffee` when it says this of itself.
    pub async fn check_as(&self, device: Value) -> Value {
        self.host.settled().await;
        self.host.device(&self.key).post("/v1/check", asking(device)).await.good()["results"][0].clone()
    }

    /// Why a device is told what it is told: the answer of `/v1/check/explain`, with its steps.
    pub async fn explain(&self, device: Value) -> Value {
        self.host.settled().await;
        self.admin.post("/v1/check/explain", asking(device)).await.good()["results"][0].clone()
    }

    /// Reads a grayscale task again.
    pub async fn task(&self, task: &Value) -> Value {
        self.admin.get(&format!("/v1/gray-tasks/{}", text(&task["id"]))).await.good()
    }

    /// The progress of a grayscale task, once what was noted of devices is written.
    pub async fn progress(&self, task: &Value) -> Value {
        self.host.app.checks.written().await;
        self.admin.get(&format!("/v1/gray-tasks/{}/progress", text(&task["id"]))).await.good()
    }

    /// Moves a grayscale task by the step `suspend`, `resume` or `end`.
    pub async fn move_task(&self, task: &Value, step: &str) -> Answer {
        self.admin.post(&format!("/v1/gray-tasks/{}/{step}", text(&task["id"])), json!({"note": step})).await
    }

    /// What a device is told about `coffee` by this host, without waiting for it to be up to date.
    pub async fn check_on(&self, host: &Host, guid: &str, current: Option<&str>) -> Value {
        let body = json!({
            "host_app": "super-app", "host_version": "3.2.1", "platform": "android", "os_version": "14", "guid": guid,
            "network": "wifi", "apps": [{"mini_app": "coffee", "version": current}],
        });
        host.device(&self.key).post("/v1/check", body).await.good()["results"][0].clone()
    }

    /// The version of `coffee` that a device is offered.
    pub async fn version_for(&self, guid: &str) -> String {
        text(&self.check(guid, None).await["version"])
    }
}

/// A check about `coffee` from `super-app`, with what the device says of itself.
fn asking(device: Value) -> Value {
    let mut body = json!({"host_app": "super-app", "guid": "d", "apps": [{"mini_app": "coffee"}]});
    body.as_object_mut().unwrap().extend(device.as_object().unwrap().clone());
    body
}

/// Returns the text of a JSON string, and panics when the value is something else.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("expected a text, found {value}")).to_owned()
}

/// What a policy said in an audit.
pub fn evaluation<'a>(audit: &'a Value, policy: &str) -> &'a Value {
    audit["evaluations"].as_array().unwrap().iter().find(|one| one["policy"] == policy).unwrap()
}
