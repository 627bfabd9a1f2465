//! All pages of the console, with something on each.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::json;

use crate::{
    Host,
    browser::{Browser, Page},
    chromium::Window,
    merchant::Merchant,
    scene::{Scene, text},
};

/// A scene with something on every page: versions in all states, a trial, a webhook, an event.
pub async fn furnished(host: Host) -> Scene {
    let scene = Scene::set(host).await;
    scene.online("1.0.0").await;
    scene.online("1.1.0").await;
    scene.approved("1.2.0").await;
    scene.push("1.0.0", "1.3.0").await.good();
    let audit = scene.submit_script("1.4.0", "eval('wx.' + location.hash)").await;
    if audit["state"] == "deciding" {
        scene.decide(&audit, false, "It runs code that nobody has seen.").await.good();
    }
    scene.push("1.0.0", "1.5.0").await.good();
    scene.submit("1.5.0").await;
    record(&scene).await;
    let all = json!({"policies": [{"policy": "percentage", "config": {"percent": 100}}]});
    let task = scene.gray("1.2.0", all).await.good();
    use_it(&scene, &text(&task["version"])).await;
    let trial = json!({"version": "1.3.0", "entry_path": "pages/index/index", "accounts": ["alice"]});
    scene.admin.put("/v1/mini-apps/coffee/trial", trial).await.good();
    let webhook = json!({"url": "http://127.0.0.1:9/hook", "scope": {"kind": "platform", "id": ""}});
    scene.admin.post("/v1/webhooks", webhook).await.good();
    let rules = json!({"rules": [{"kind": "phone"}, {"kind": "key", "name": "password"}]});
    scene.admin.put("/v1/mini-apps/coffee/log-masks", rules).await.good();
    let template = json!({"template": "order-shipped", "keywords": [2, 1]});
    scene.admin.post("/v1/mini-apps/coffee/message-templates", template).await.good();
    host_app(&scene).await;
    scene.host.settled().await;
    log(&scene, "pay timed out").await;
    workspace(&scene).await;
    develop(&scene).await;
    merchant(&scene).await;
    scene
}

/// The public half of a key that has signed nothing.
const KEY: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAhrUbNjbxXzlXm7elJ1N/Io4zJKZaKRxnfmLEDH/GZws=
-----END PUBLIC KEY-----
";

/// A key of the host app that another one has replaced, and keys that sign policies.
async fn host_app(scene: &Scene) {
    scene.admin.post("/v1/host-apps/super-app/rotate-key", json!({})).await.good();
    for scope in [json!({"level": "platform"}), json!({"level": "host_app", "id": "super-app"})] {
        let key = json!({"scope": scope, "name": "release", "key": KEY});
        scene.admin.post("/v1/policy-keys", key).await.good();
    }
}

/// A device tells that something failed in `coffee`.
pub async fn log(scene: &Scene, message: &str) {
    let entry = json!({"mini_app": "coffee", "version": "1.0.0", "at": "2030-01-31T08:00:00Z", "level": "error",
        "page": "pages/pay/pay?id=7", "message": message});
    let batch = json!({"host_app": "super-app", "guid": "device-1", "platform": "android", "entries": [entry]});
    scene.host.device(&scene.key).post("/v1/logs", batch).await.good();
}

/// The devices that ask are recorded from now on.
async fn record(scene: &Scene) {
    let end = scene.host.app.db.now().plus_seconds(86_400);
    let record = json!({"percent": 100, "ends_at": end, "attributes": ["city"]});
    scene.admin.put("/v1/mini-apps/coffee/check-record", record).await.good();
}

/// Devices are given a version by a gray task. Most of them run it, and a few of them fail.
async fn use_it(scene: &Scene, version: &str) {
    let device = scene.host.device(&scene.key);
    for number in 0..24 {
        let guid = format!("device-{number}");
        scene.check(&guid, Some("1.1.0")).await;
        let became = if number % 8 == 5 { ["downloaded", "failed"] } else { ["downloaded", "running"] };
        for kind in &became[..number % 3] {
            let report =
                json!({"host_app": "super-app", "guid": guid, "mini_app": "coffee", "version": version, "kind": kind});
            device.post("/v1/reports", report).await;
        }
    }
}

/// What a team sets for its MiniApp, and asks of a host app: one permit is approved, one waits.
async fn develop(scene: &Scene) {
    let admin = &scene.admin;
    let domains = json!({"request": ["https://api.example.com"], "business": ["https://www.example.com"]});
    admin.put("/v1/mini-apps/coffee/domains", domains).await.good();
    let marked = json!({"apis": [{"api": "getLocation"}, {"api": "scanCode"}]});
    admin.put("/v1/host-apps/super-app/sensitive-apis", marked).await.good();
    let api =
        json!({"host_app": "super-app", "kind": "sensitive_api", "api": "getLocation", "reason": "to find a shop"});
    let permit = text(&admin.post("/v1/mini-apps/coffee/permits", api).await.good()["id"]);
    admin.post(&format!("/v1/permits/{permit}/approve"), json!({})).await.good();
    let skip = json!({"host_app": "super-app", "kind": "skip_domains", "reason": "a domain for each shop"});
    admin.post("/v1/mini-apps/coffee/permits", skip).await.good();
    admin.post("/v1/mini-apps/coffee/secret", json!(null)).await.good();
    let agreement = json!({
        "developer": {"en": "Coffee Company", "zh": "咖啡公司"},
        "contact": {"email": "privacy@example.com"},
        "retention_days": 30,
        "collected": [{"kind": "location", "purpose": {"en": "to find the next shop", "zh": "查找附近门店"}}],
        "sdks": [{"name": "Maps", "provider": "Map Company", "purpose": {"en": "to draw maps", "zh": "展示地图"}}],
    });
    admin.put("/v1/mini-apps/coffee/privacy/draft", agreement).await.good();
    admin.post("/v1/mini-apps/coffee/privacy/versions", json!({})).await.good();
}

/// A merchant with a product in an endpoint application, a channel, two organisation nodes and a message that is parked.
async fn merchant(scene: &Scene) {
    let merchant = Merchant::new(&scene.admin, "brew").await;
    merchant.buys("pi-mall", "mall").await;
    let shop = merchant.endpoint("Shop", &["pi-mall"]).await;
    merchant.channel("wechat_mini_program", "wxb11529c136998cb6", &shop).await;
    merchant.node("china", None, &["pi-mall"]).await;
    merchant.node("shanghai", Some("china"), &[]).await;
    merchant.assigns(&shop, "china").await.good();
    let unheard_of = json!({"id": "renewal-1", "merchant": "brew", "instance": "pi-crm", "product": "crm",
        "kind": "renewal", "at": "2026-01-01T00:00:00Z", "valid_until": "2030-01-01T00:00:00Z"});
    scene.admin.post("/v1/fulfilments", unheard_of).await;
}

/// A workspace with somebody in a department and a tag, and something of each kind that is given to them.
async fn workspace(scene: &Scene) {
    let admin = &scene.admin;
    admin.post("/v1/workspaces", json!({"name": "Acme", "id": "acme"})).await.good();
    let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann@acme.example"});
    let ann = text(&admin.post("/scim/v2/acme/Users", user).await.good()["id"]);
    let group = |name: &str, kind: &str, member: &str| {
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name,
            "urn:berth:params:scim:schemas:extension:workspace:2.0:Group": {"kind": kind}, "members": [{"value": member}]})
    };
    let team = text(&admin.post("/scim/v2/acme/Groups", group("Team", "department", &ann)).await.good()["id"]);
    let sales = text(&admin.post("/scim/v2/acme/Groups", group("Sales", "department", &team)).await.good()["id"]);
    let tag = text(&admin.post("/scim/v2/acme/Groups", group("On call", "tag", &sales)).await.good()["id"]);
    admin.post("/v1/workspaces/acme/contacts", json!({"name": "Carol"})).await.good();
    admin.put("/v1/workspaces/acme/mini-apps/coffee", json!({})).await.good();
    admin
        .put("/v1/workspaces/acme/mini-apps/coffee/access", json!({"departments": [sales], "tags": [tag]}))
        .await
        .good();
    let tool = json!({"kind": "internal_tool", "name": "Dashboards", "url": "https://dash.acme.example/"});
    let tool = text(&admin.post("/v1/workspaces/acme/applications", tool).await.good()["id"]);
    admin.put(&format!("/v1/workspaces/acme/applications/{tool}/access"), json!({"members": [ann]})).await.good();
}

/// The first of each kind of these pages, as far as they are alike but for what they are about.
pub fn one_of_each(pages: &[Page]) -> Vec<&Page> {
    let mut kinds = BTreeSet::new();
    pages.iter().filter(|page| kinds.insert(kind(&page.address))).collect()
}

/// What kind of page is at an address: its path without names, and what else it asks for.
fn kind(address: &str) -> String {
    let (path, asked) = address.split_once('?').unwrap_or((address, ""));
    let is_name = |part: &str| part.contains(['.', '_']) || part.parse::<u64>().is_ok() || part.len() == 64;
    let mut parts: Vec<_> = path.split('/').map(|part| if is_name(part) { "*" } else { part }).collect();
    // What a new thing is made of: there are dozens of message templates.
    if let Some(new) = parts.iter().position(|part| *part == "new") {
        parts[new + 1..].fill("*");
    }
    let members: BTreeSet<_> = form_urlencoded::parse(asked.as_bytes()).map(|(name, _)| name.into_owned()).collect();
    format!("{}?{}", parts.join("/"), members.into_iter().collect::<Vec<_>>().join("&"))
}

/// All pages that can be reached from the first one by links and by forms that ask for a page, each kind of page a few times.
pub async fn all_pages(browser: &Browser) -> Vec<Page> {
    let (mut waiting, mut seen) = (VecDeque::from(["/ui".to_owned()]), BTreeSet::new());
    let (mut kinds, mut pages) = (BTreeMap::<String, u8>::new(), Vec::new());
    while let Some(address) = waiting.pop_front() {
        let address = address.split('#').next().unwrap().to_owned();
        let is_page = address.starts_with("/ui") && !address.starts_with("/ui/assets/");
        let of_kind = kinds.entry(kind(&address)).or_default();
        if !is_page || *of_kind >= 3 || !seen.insert(address.clone()) {
            continue;
        }
        *of_kind += 1;
        let page = browser.get(&address).await;
        waiting.extend(page.links().into_iter().chain(page.questions()));
        pages.push(page);
    }
    pages
}

/// A window in which the admin of everything has signed in.
pub async fn window(scene: &Scene, driver: &str, width: u32) -> Window {
    window_of(scene, driver, width, &scene.host.admin_token).await
}

/// A window in which whoever has this token has signed in.
pub async fn window_of(scene: &Scene, driver: &str, width: u32, token: &str) -> Window {
    let browser = Browser::signed_in(&scene.host, token).await;
    let window = Window::open(driver, width, 900).await;
    window.go(&format!("{}/ui/sign-in", scene.host.url)).await;
    window.keep("berth_session", &browser.cookie("berth_session").unwrap()).await;
    window
}
