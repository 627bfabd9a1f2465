//! The portal of the members of a workspace, who sign in at npm's oidc-provider, and what goes wrong on the way (W13–W16).

use std::path::Path;

use berth_base::clock::Nature;
use berth_tests::{
    Answer, Api, Database, Host,
    browser::{Browser as Pages, Page},
    chromium::Window,
    login_provider::LoginProvider,
    on_both,
    scene::{Scene, text},
    there_is,
    wechat::official::{Browser, Stop},
};
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::oidc::{BACK, CHALLENGE, claims, exchange_at, refused, user_info};

const SECRET: &str = "canary: client secret?&";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PROVIDER: &str = "/v1/workspaces/acme/sign-in-provider";
const PORTAL: &str = "/v1/workspaces/acme/portal";
const COOKIE: &str = "berth-member-sign-on";

/// A workspace whose department Sales has the tool Wiki and the link News, and whose members sign in at a provider. Ann is in Team,
/// which is in Sales; Bob is in nothing.
struct Acme {
    scene: Scene,
    provider: LoginProvider,
    ann: String,
    sales: String,
    wiki: String,
    secret: String,
}

impl Acme {
    /// `None` when the library is not installed.
    async fn found(host: Host) -> Option<Self> {
        let scene = Scene::set(host.in_public(Nature::default()).await).await;
        let admin = scene.admin.clone();
        let back = |workspace: &str| format!("{}/portal/{workspace}/back", scene.host.url);
        let provider = LoginProvider::start(SECRET, &[back("acme"), back("globex")]).await?;
        admin.post("/v1/workspaces", json!({"name": "Acme", "id": "acme"})).await.good();
        let scim = async |kind: &str, body: Value| {
            text(&admin.post(&format!("/scim/v2/acme/{kind}"), body).await.good()["id"])
        };
        let ann = json!({
            "schemas": [USER], "userName": "ann", "name": {"givenName": "Ann", "familyName": "Lee"}, "externalId": "E-17",
            "emails": [{"value": "ann@acme.example", "primary": true}],
        });
        let ann = scim("Users", ann).await;
        scim("Users", json!({"schemas": [USER], "userName": "bob@acme.example"})).await;
        let group = |name: &str, id: &str| json!({"schemas": [GROUP], "displayName": name, "members": [{"value": id}]});
        let team = scim("Groups", group("Team", &ann)).await;
        let sales = scim("Groups", group("Sales", &team)).await;
        admin.put("/v1/workspaces/acme/sign-in", json!({"help": "the IT desk, it@acme.example"})).await.good();
        let (wiki, secret) = (String::new(), String::new());
        let mut acme = Self { scene, provider, ann, sales, wiki, secret };
        acme.set(json!({})).await.good();
        acme.wiki = acme.application("internal_tool", "Wiki", "https://wiki.acme.example/").await;
        acme.application("link", "News", "https://news.acme.example/today").await;
        let at = format!("/v1/workspaces/acme/applications/{}", acme.wiki);
        acme.scene.admin.put(&format!("{at}/oidc-client"), json!({"redirect_uris": [BACK]})).await.good();
        acme.secret = text(&acme.scene.admin.post(&format!("{at}/secret"), json!(null)).await.good()["secret"]);
        Some(acme)
    }

    /// Something that is given to the department Sales; its id.
    async fn application(&self, kind: &str, name: &str, url: &str) -> String {
        let new = json!({"kind": kind, "name": name, "url": url, "description": format!("{name} of all")});
        let id = text(&self.scene.admin.post("/v1/workspaces/acme/applications", new).await.good()["id"]);
        let access = format!("/v1/workspaces/acme/applications/{id}/access");
        self.scene.admin.put(&access, json!({"departments": [self.sales]})).await.good();
        id
    }

    /// Sets the provider, with these members in place of the usual ones.
    async fn set(&self, changes: Value) -> Answer {
        self.scene.admin.put(PROVIDER, self.put(changes)).await
    }

    fn put(&self, changes: Value) -> Value {
        let mut put = json!({
            "issuer": self.provider.url, "client_id": "berth", "client_secret": SECRET, "name": "Acme login",
        });
        put.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        put
    }

    fn nobody(&self) -> Api {
        self.scene.host.anonymous()
    }

    async fn begin(&self) -> Value {
        self.nobody().post(&format!("{PORTAL}/visits"), json!({})).await.good()
    }

    /// What a browser tells after a person has been away on a visit.
    async fn came(&self, person: &str, visit: &Value) -> Value {
        let mut browser = Browser::of(person);
        let mut to = text(&visit["address"]);
        while !to.starts_with(&format!("{}/portal/", self.scene.host.url)) {
            let stop = browser.open(&to).await;
            assert!(!stop.to.is_empty(), "{stop:?}");
            to = if stop.to.starts_with('/') { format!("{}{}", self.provider.url, stop.to) } else { stop.to };
        }
        let back: Url = to.parse().unwrap();
        let mut came = json!({"cookie": visit["cookie"]});
        for (name, value) in back.query_pairs().filter(|(name, _)| name != "error_description") {
            came[&*name] = json!(value);
        }
        came
    }

    async fn end(&self, came: &Value) -> Answer {
        self.nobody().post(&format!("{PORTAL}/sign-ons"), came.clone()).await
    }

    /// A person signs in at the provider.
    async fn sign_on(&self, person: &str) -> Answer {
        self.end(&self.came(person, &self.begin().await).await).await
    }

    /// Opens an address of the host in the browser of a person, and follows it by the provider, until it is a page or leads elsewhere.
    async fn follow(&self, browser: &mut Browser, path: &str) -> (Stop, String) {
        let stop = browser.open(&format!("{}{path}", self.scene.host.url)).await;
        self.follow_on(browser, stop, path).await
    }

    /// The same for the button of a page that asks before it leads on.
    async fn go_on(&self, browser: &mut Browser, path: &str) -> (Stop, String) {
        let stop = browser.press(&format!("{}{path}", self.scene.host.url)).await;
        self.follow_on(browser, stop, path).await
    }

    async fn follow_on(&self, browser: &mut Browser, first: Stop, path: &str) -> (Stop, String) {
        let (mut address, mut at) = (format!("{}{path}", self.scene.host.url), self.scene.host.url.clone());
        let mut stop = first;
        for _ in 0..16 {
            let next = if stop.to.starts_with('/') { format!("{at}{}", stop.to) } else { stop.to.clone() };
            if let Some(base) =
                [&self.scene.host.url, &self.provider.url].into_iter().find(|base| next.starts_with(*base))
            {
                (at, address) = (base.clone(), next);
                stop = browser.open(&address).await;
            } else {
                return (stop, address);
            }
        }
        panic!("it goes on without an end at {address}");
    }

    /// Where the tool Wiki sends a browser, with these parameters more.
    fn authorize(&self, more: &[(&str, &str)]) -> String {
        let usual = [
            ("client_id", self.wiki.as_str()),
            ("redirect_uri", BACK),
            ("response_type", "code"),
            ("scope", "openid profile"),
            ("state", "s 1"),
            ("nonce", "n1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let url = Url::parse_with_params("http://x/oidc/authorize", usual.iter().chain(more)).unwrap();
        format!("{}?{}", url.path(), url.query().unwrap())
    }

    /// A browser without a screen in which a person is signed on.
    async fn pages_of(&self, person: &str) -> Pages {
        let pages = Pages::new(&self.scene.host);
        pages.keep(COOKIE, &text(&self.sign_on(person).await.good()["secret"]));
        pages
    }

    async fn set_active(&self, member: &str, active: bool) {
        let operations = json!([{"op": "replace", "path": "active", "value": active}]);
        let patch = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
        self.scene.admin.send("PATCH", &format!("/scim/v2/acme/Users/{member}"), Some(&patch)).await.good();
    }

    async fn told(&self, kind: &str) -> Vec<Value> {
        let events = self.scene.admin.get("/v1/events?workspace=acme&limit=1000").await.good();
        events["items"].as_array().unwrap().iter().filter(|one| one["type"] == kind).cloned().collect()
    }
}

/// What is wrong with a page of the portal: all that holds for every page, and words that members have no use for.
fn faults(page: &Page) -> Vec<String> {
    let mut faults = page.faults();
    let words = ["Berth", "/ui/sign", "<script", "wapp_", "mem_", "grp_", "workspace"];
    faults.extend(words.into_iter().filter(|word| page.html.contains(word)).map(|word| format!("says {word}")));
    faults
}

/// Whether a page says all of this.
fn says(page: &Page, all: &[&str]) {
    for words in all {
        assert!(page.says(words), "{words}: {} {}", page.address, page.html);
    }
    assert!(faults(page).is_empty(), "{}: {:?}", page.address, faults(page));
}

on_both! {
    async fn w13_a_provider_is_looked_at_when_it_is_set_and_its_secret_goes_nowhere_else(host) {
        let Some(acme) = Acme::found(host).await else { return };
        let shown = acme.scene.admin.get(PROVIDER).await.good();
        assert_eq!((&shown["claim"], &shown["member_key"], &shown["has_secret"]), (&json!("preferred_username"), &json!("user_name"), &json!(true)));
        assert_eq!(shown["redirect_uri"], json!(format!("{}/portal/acme/back", acme.scene.host.url)));
        assert_eq!(shown["portal_url"], json!(format!("{}/portal/acme", acme.scene.host.url)));
        let without = |changes: Value| {
            let mut put = acme.put(changes);
            put.as_object_mut().unwrap().remove("client_secret");
            put
        };
        // Without a secret the former one stays; when nothing changes nothing is told.
        acme.scene.admin.put(PROVIDER, without(json!({}))).await.good();
        assert_eq!(acme.told("workspace.provider_set").await.len(), 1);
        let after = acme.scene.admin.put(PROVIDER, without(json!({"name": "Single sign-on"}))).await.good();
        assert_eq!((&after["has_secret"], acme.told("workspace.provider_set").await.len()), (&json!(true), 2));
        acme.sign_on("ann").await.good();
        // A client that has none any more says so, once.
        for _ in 0..2 {
            let public = acme.scene.admin.put(PROVIDER, without(json!({"no_client_secret": true}))).await.good();
            assert_eq!((&public["has_secret"], acme.told("workspace.provider_set").await.len()), (&json!(false), 3));
        }
        acme.set(json!({"no_client_secret": true})).await.refused("invalid-field");
        acme.set(json!({})).await.good();
        // For another client it does not.
        let other = acme.scene.admin.put(PROVIDER, without(json!({"client_id": "other"}))).await.good();
        assert_eq!(other["has_secret"], false);
        let all = acme.scene.admin.get("/v1/events?workspace=acme&limit=1000").await.good().to_string();
        assert!(!all.contains("canary") && !other.to_string().contains("canary"));

        acme.set(json!({"issuer": "http://127.0.0.1:9"})).await.refused("login-provider-unreachable");
        acme.set(json!({"issuer": format!("{}/", acme.provider.url)})).await.refused("login-provider-wrong");
        acme.set(json!({"issuer": "http://10.0.0.1"})).await.refused("invalid-field");
        acme.set(json!({"claim": "工号"})).await.refused("invalid-field");
        acme.set(json!({})).await.good();
        let away = acme.begin().await;
        acme.set(json!({"name": "Acme"})).await.good();
        acme.end(&acme.came("ann", &away).await).await.refused("sign-in-over");

        let away = acme.begin().await;
        acme.scene.admin.delete(PROVIDER).await.good();
        acme.scene.admin.delete(PROVIDER).await.refused("not-found");
        assert_eq!(acme.told("workspace.provider_removed").await.len(), 1);
        acme.end(&acme.came("ann", &away).await).await.refused("not-found");
        for path in ["/portal/acme", "/portal/nothing", "/portal/acme/sign-in", "/portal/x%2Fy"] {
            let page = Pages::new(&acme.scene.host).get(path).await;
            assert_eq!(page.status, 404, "{path}");
            says(&page, &["There is no portal here"]);
        }
        acme.scene.admin.put("/v1/workspaces/acme/sign-in", json!({"url": "https://portal.acme.example/in"})).await.good();
        let page = Pages::new(&acme.scene.host).get("/portal/acme").await;
        says(&page, &["at another address"]);
        assert!(page.html.contains("https://portal.acme.example/in"));
    }

    async fn w14_a_member_signs_in_to_the_portal_and_the_next_tool_is_answered_without_asking(host) {
        let Some(acme) = Acme::found(host).await else { return };
        let mut ann = Browser::of("ann");
        let (page, at) = acme.follow(&mut ann, "/portal/acme").await;
        assert!(page.status == 200 && at.ends_with("/portal/acme") && page.page.contains("Hello, Ann Lee"), "{at} {}", page.page);
        let (sent, _) = acme.follow(&mut ann, &acme.authorize(&[("prompt", "none")])).await;
        assert!(sent.to.starts_with(BACK) && sent.query("state").as_deref() == Some("s 1"), "{}", sent.to);
        let tokens = exchange_at(&acme.scene.host, &acme.wiki, &acme.secret, &sent.query("code").unwrap(), &[]).await.good();
        let user = user_info(&acme.scene.host, &tokens).await.good();
        assert_eq!((&user["name"], &user["preferred_username"]), (&json!("Ann Lee"), &json!("ann")));
        // When she has logged in the provider has not said: it is not told, and who asks for it has the provider asked.
        assert_eq!(claims(&tokens)["auth_time"], json!(null));
        let (sent, _) = acme.follow(&mut ann, &acme.authorize(&[("prompt", "none"), ("max_age", "3600")])).await;
        assert_eq!(sent.query("error").as_deref(), Some("login_required"), "{}", sent.to);
        let (sent, _) = acme.follow(&mut ann, &acme.authorize(&[("max_age", "3600")])).await;
        let tokens = exchange_at(&acme.scene.host, &acme.wiki, &acme.secret, &sent.query("code").unwrap(), &[]).await.good();
        assert!(claims(&tokens)["auth_time"].is_i64());
        // Signing out ends what came from it.
        let out = acme.nobody().post(&format!("{PORTAL}/sign-out"), json!({})).await;
        out.refused("invalid-token");
        let secret = text(&acme.sign_on("ann").await.good()["secret"]);
        let out = acme.scene.host.with_token(&secret).post(&format!("{PORTAL}/sign-out"), json!({})).await.good();
        assert!(text(&out["provider_logout"]).starts_with(&format!("{}/session/end?client_id=berth", acme.provider.url)), "{out}");
        acme.scene.host.with_token(&secret).get(&format!("{PORTAL}/own")).await.refused("invalid-token");
    }

    async fn w14_a_tool_leads_to_the_provider_and_back_with_a_code(host) {
        let Some(acme) = Acme::found(host).await else { return };
        let mut ann = Browser::of("ann");
        let (sent, _) = acme.follow(&mut ann, &acme.authorize(&[])).await;
        assert!(sent.to.starts_with(BACK) && sent.query("state").as_deref() == Some("s 1"), "{}", sent.to);
        let tokens = exchange_at(&acme.scene.host, &acme.wiki, &acme.secret, &sent.query("code").unwrap(), &[]).await.good();
        assert_eq!(claims(&tokens)["nonce"], "n1");
        // A tool that wants a fresh login gets one, once, and not a round without end.
        for fresh in [("prompt", "login"), ("max_age", "0")] {
            let (sent, _) = acme.follow(&mut ann, &acme.authorize(&[fresh])).await;
            assert!(sent.query("code").is_some(), "{fresh:?} {}", sent.to);
        }
        let request = acme.authorize(&[("prompt", "login")]).split_once('?').unwrap().1.to_owned();
        let visits = format!("{PORTAL}/visits");
        let visit = acme.nobody().post(&visits, json!({"request": request})).await.good();
        assert!(text(&visit["address"]).contains("max_age=0") && text(&visit["address"]).contains("prompt=login"));
        acme.provider.control(json!({"claims": {"auth_time": 1_000_000_000}})).await;
        let stale = acme.came("ann", &visit).await;
        acme.end(&stale).await.refused("login-provider-wrong");
        acme.provider.control(json!({})).await;
        // Who may not open it is told so, and nobody is sent to addresses that the tool has not registered.
        acme.set(json!({"claim": "email"})).await.good();
        let (page, _) = acme.follow(&mut Browser::of("bob"), &acme.authorize(&[])).await;
        assert!(page.status == 403 && page.page.contains("the IT desk, it@acme.example"), "{}", page.page);
        for none in ["a=b", "client_id=coffee&redirect_uri=https%3A%2F%2Fa.example%2F"] {
            acme.nobody().post(&visits, json!({"request": none})).await.refused("invalid-field");
        }
        let evil = request.replace("redirect_uri=https%3A%2F%2F", "redirect_uri=https%3A%2F%2Fevil.");
        assert_ne!(evil, request);
        acme.nobody().post(&visits, json!({"request": evil})).await.refused("invalid-field");
    }

    async fn w14_f89_a_visit_ends_once_in_its_browser_and_for_its_workspace(host) {
        let Some(acme) = Acme::found(host).await else { return };
        let with = |came: &Value, name: &str, value: Value| {
            let mut came = came.clone();
            came[name] = value;
            came
        };
        let came = acme.came("ann", &acme.begin().await).await;
        let other = acme.begin().await;
        acme.end(&with(&came, "cookie", other["cookie"].clone())).await.refused("sign-in-over");
        acme.end(&with(&came, "state", other["state"].clone())).await.refused("sign-in-over");
        acme.scene.admin.post("/v1/workspaces", json!({"name": "Globex", "id": "globex"})).await.good();
        acme.scene.admin.put("/v1/workspaces/globex/sign-in-provider", acme.put(json!({}))).await.good();
        acme.nobody().post("/v1/workspaces/globex/portal/sign-ons", came.clone()).await.refused("sign-in-over");
        acme.end(&came).await.good();
        acme.end(&came).await.refused("sign-in-over");
        // Whoever puts their own code into somebody's answer gets nowhere: it was made for another verifier.
        let (eve, ann) = (acme.came("bob", &acme.begin().await).await, acme.came("ann", &acme.begin().await).await);
        acme.end(&with(&ann, "code", eve["code"].clone())).await.refused("login-provider-wrong");
        acme.end(&with(&eve, "iss", json!("https://evil.example"))).await.refused("login-provider-wrong");
        // A link with somebody else's answer signs nobody on (login CSRF), and the page says what to do.
        let came = acme.came("bob", &acme.begin().await).await;
        let back = format!("/portal/acme/back?state={}&code={}", text(&came["state"]), text(&came["code"]));
        let victim = acme.pages_of("ann").await;
        let page = victim.get(&back).await;
        assert_eq!(page.status, 422);
        says(&page, &["This sign-in has expired", "Try again"]);
        says(&victim.get("/portal/acme").await, &["Hello, Ann Lee"]);
    }

    async fn w14_f90_what_a_provider_says_wrongly_signs_nobody_on(host) {
        let Some(acme) = Acme::found(host).await else { return };
        for how in [
            json!({"claims": {"nonce": "another"}}),
            json!({"claims": {"aud": "another"}}),
            json!({"claims": {"iss": "https://evil.example"}}),
            json!({"claims": {"exp": 1_000_000_000}}),
            json!({"sign": "none"}),
            json!({"sign": "hs256"}),
            json!({"sign": "other"}),
            json!({"user_info": {"preferred_username": ""}}),
            json!({"user_info": {"preferred_username": ["ann"]}}),
        ] {
            acme.provider.control(how.clone()).await;
            let refused = acme.sign_on("ann").await;
            assert_eq!(refused.kind(), "login-provider-wrong", "{how}");
        }
        acme.provider.control(json!({})).await;
        let came = acme.came("ann", &acme.begin().await).await;
        acme.provider.control(json!({"down": true})).await;
        acme.end(&came).await.refused("login-provider-unreachable");
        acme.provider.control(json!({})).await;
        let (page, _) = acme.follow(&mut Browser::of(""), "/portal/acme").await;
        assert!(page.status == 403 && page.page.contains("You were not signed in"), "{}", page.page);
        acme.sign_on("ann").await.good();
    }

    async fn w14_who_is_no_member_is_told_so_and_whom_to_ask(host) {
        let Some(acme) = Acme::found(host).await else { return };
        let stranger = acme.sign_on("eve").await.refused("member-unknown");
        assert_eq!(stranger["name"], "eve");
        let (page, _) = acme.follow(&mut Browser::of("eve"), "/portal/acme").await;
        assert_eq!(page.status, 403);
        for words in ["You are signed in as eve", "the IT desk, it@acme.example", "Sign in as somebody else", "as_other=1"] {
            assert!(page.page.contains(words), "{words}: {}", page.page);
        }
        let anew = acme.nobody().post(&format!("{PORTAL}/visits"), json!({"anew": true})).await.good();
        assert!(text(&anew["address"]).contains("prompt=login"));
        acme.end(&acme.came("ann", &anew).await).await.good();

        // By other claims, and by what the organisation calls its members.
        acme.set(json!({"claim": "email"})).await.good();
        let bob = text(&acme.sign_on("BOB").await.good()["secret"]);
        let own = acme.scene.host.with_token(&bob).get(&format!("{PORTAL}/own")).await.good();
        assert_eq!((&own["name"], &own["items"]), (&json!("bob@acme.example"), &json!([])));
        acme.provider.control(json!({"user_info": {"email_verified": false}})).await;
        acme.sign_on("bob").await.refused("login-provider-wrong");
        acme.provider.control(json!({"user_info": {"staff_number": "E-17"}})).await;
        acme.set(json!({"claim": "staff_number", "member_key": "external_id"})).await.good();
        acme.sign_on("ann").await.good();
        acme.provider.control(json!({"user_info": {"staff_number": "e-17"}})).await;
        acme.sign_on("whoever").await.refused("member-unknown");
        // Two of the same number are nobody.
        let twin = json!({"schemas": [USER], "userName": "twin", "externalId": "E-17"});
        acme.scene.admin.post("/scim/v2/acme/Users", twin).await.good();
        acme.provider.control(json!({"user_info": {"staff_number": "E-17"}})).await;
        acme.sign_on("whoever").await.refused("member-unknown");
    }

    async fn w14_a_name_that_the_provider_gives_to_somebody_else_opens_nothing(host) {
        let Some(acme) = Acme::found(host).await else { return };
        let held = text(&acme.sign_on("ann").await.good()["secret"]);
        acme.sign_on("ann").await.good();
        acme.provider.control(json!({"user_info": {"preferred_username": "ann"}})).await;
        let other = acme.sign_on("eve").await.refused("member-other");
        assert_eq!(other["name"], "ann");
        let (page, _) = acme.follow(&mut Browser::of("eve"), "/portal/acme").await;
        assert!(page.status == 403 && page.page.contains("You are signed in as ann"), "{}", page.page);
        assert!(page.page.contains("as_other=1") && page.page.contains("the IT desk"), "{}", page.page);
        // Until it is forgotten, which ends what the former one had.
        let subject = format!("/v1/workspaces/acme/members/{}/provider-subject", acme.ann);
        for _ in 0..2 {
            acme.scene.admin.delete(&subject).await.good();
        }
        assert_eq!(acme.told("workspace.member_forgotten").await.len(), 1);
        acme.scene.host.with_token(&held).get(&format!("{PORTAL}/own")).await.refused("invalid-token");
        acme.sign_on("eve").await.good();
        acme.sign_on("ann").await.refused("member-other");
        // Another client, as another issuer, knows members by other subjects.
        let pool = acme.scene.host.pool().await;
        acme.set(json!({"name": "Acme"})).await.good();
        assert_eq!(pool.number("SELECT COUNT(*) FROM member_subject").await, 1);
        acme.set(json!({"client_id": "other"})).await.good();
        assert_eq!(pool.number("SELECT COUNT(*) FROM member_subject").await, 0);
        acme.set(json!({})).await.good();
        acme.sign_on("ann").await.good();
        let nobody = "/v1/workspaces/acme/members/mem_00000000000000000000000000/provider-subject";
        acme.scene.admin.delete(nobody).await.refused("not-found");
    }

    async fn w16_a_member_who_is_suspended_is_out_at_once(host) {
        let Some(acme) = Acme::found(host).await else { return };
        let pages = acme.pages_of("ann").await;
        says(&pages.get("/portal/acme").await, &["Hello, Ann Lee"]);
        let mut ann = Browser::of("ann");
        let (sent, _) = acme.follow(&mut ann, &acme.authorize(&[])).await;
        let tokens = exchange_at(&acme.scene.host, &acme.wiki, &acme.secret, &sent.query("code").unwrap(), &[]).await.good();
        let away = acme.came("ann", &acme.begin().await).await;
        acme.set_active(&acme.ann, false).await;
        refused(&user_info(&acme.scene.host, &tokens).await, 401, "invalid_token");
        // While they were away, too.
        let out = acme.end(&away).await.refused("member-inactive");
        assert_eq!(out["name"], "ann");
        let page = pages.request(Method::GET, "/portal/acme").send().await.unwrap();
        assert_eq!((page.status().as_u16(), page.headers()["location"].to_str().unwrap()), (303, "/portal/acme/sign-in"));
        let (page, _) = acme.follow(&mut ann, "/portal/acme").await;
        assert!(page.status == 403 && page.page.contains("Your access has been suspended"), "{}", page.page);
        acme.set_active(&acme.ann, true).await;
        let (page, _) = acme.follow(&mut ann, "/portal/acme").await;
        assert!(page.page.contains("Hello, Ann Lee"), "{}", page.page);
        acme.scene.admin.delete(&format!("/scim/v2/acme/Users/{}", acme.ann)).await.good();
        let (page, _) = acme.follow(&mut ann, "/portal/acme").await;
        assert!(page.status == 403 && page.page.contains("You are signed in as ann"), "{}", page.page);
    }

    async fn w16_one_browser_is_one_member_of_one_workspace(host) {
        let Some(acme) = Acme::found(host).await else { return };
        acme.scene.admin.post("/v1/workspaces", json!({"name": "Globex", "id": "globex"})).await.good();
        acme.scene.admin.put("/v1/workspaces/globex/sign-in-provider", acme.put(json!({}))).await.good();
        let ann = json!({"schemas": [USER], "userName": "ann", "displayName": "Ann of Globex"});
        acme.scene.admin.post("/scim/v2/globex/Users", ann).await.good();
        let mut browser = Browser::of("ann");
        let (page, _) = acme.follow(&mut browser, "/portal/acme").await;
        assert!(page.page.contains("Hello, Ann Lee") && page.page.contains("Wiki"));
        let held = text(&acme.sign_on("ann").await.good()["secret"]);
        acme.scene.host.with_token(&held).get("/v1/workspaces/globex/portal/own").await.refused("invalid-token");
        acme.scene.host.with_token(&held).post("/v1/workspaces/globex/portal/sign-out", json!({})).await.refused("invalid-token");
        // No link ends the sign-on at the first one: its member is asked.
        let request = acme.authorize(&[]).split_once('?').unwrap().1.to_owned();
        let path = Url::parse_with_params("http://x/portal/globex/sign-in", [("request", request)]).unwrap();
        let (page, _) = acme.follow(&mut browser, &format!("{}?{}", path.path(), path.query().unwrap())).await;
        assert!(page.status == 200 && page.page.contains("name=\"request\"") && page.page.contains("You are signed in at Acme"), "{}", page.page);
        let (page, _) = acme.follow(&mut browser, "/portal/globex").await;
        assert!(page.page.contains("You are signed in at Acme") && page.page.contains("method=\"post\""), "{}", page.page);
        let (page, _) = acme.follow(&mut browser, "/portal/acme").await;
        assert!(page.page.contains("Hello, Ann Lee"));
        let (page, _) = acme.go_on(&mut browser, "/portal/globex/sign-in").await;
        assert!(page.page.contains("Hello, Ann of Globex") && !page.page.contains("Wiki"), "{}", page.page);
        // Who comes back to the first one is led by its own provider again, and signed on as its own member.
        let stop = browser.open(&format!("{}/portal/acme", acme.scene.host.url)).await;
        assert_eq!(stop.to, "/portal/acme/sign-in");
        let (page, _) = acme.go_on(&mut browser, "/portal/acme/sign-in").await;
        assert!(page.page.contains("Hello, Ann Lee"), "{}", page.page);
        let pool = acme.scene.host.pool().await;
        assert_eq!(pool.number("SELECT COUNT(*) FROM member_sign_on").await, 2, "one for each browser");
    }

    async fn w15_the_page_shows_what_they_may_open_and_why(host) {
        let Some(acme) = Acme::found(host).await else { return };
        acme.scene.online("1.0.0").await;
        acme.scene.admin.put("/v1/workspaces/acme/mini-apps/coffee", json!({})).await.good();
        acme.scene.admin.put("/v1/workspaces/acme/mini-apps/coffee/access", json!({"everyone": true})).await.good();
        let ann = acme.pages_of("ann").await;
        let page = ann.get("/portal/acme").await;
        says(&page, &["Hello, Ann Lee", "Applications", "Wiki of all", "Links", "News", "MiniApps", "Coffee",
            "You are in Team, which is in Sales.", "It is for everyone here."]);
        assert!(page.html.contains("href=\"https://news.acme.example/today\"") && page.html.contains("<html lang=\"en\""));
        let found = ann.get("/portal/acme?q=ALL+wik").await;
        says(&found, &["1 found for", "Wiki"]);
        assert!(!found.says("Coffee"));
        says(&ann.get("/portal/acme?q=%3Cscript%3E").await, &["Nothing that you may open is called “<script>”", "Ask the IT desk, it@acme.example."]);
        let page = ann.get("/portal/acme/mini-apps/coffee").await;
        says(&page, &["Coffee", "Scan this code", "It is for everyone here."]);
        assert!(page.html.contains("svg class=\"qr\"") && page.html.contains(&format!("{}/ui/open/coffee", acme.scene.host.url)));
        let page = ann.get("/portal/acme/mini-apps/tea").await;
        assert_eq!(page.status, 404);
        says(&page, &["You may not open this", "Ask the IT desk"]);
        // In the other language, in which the browser keeps it for the portals alone.
        let page = ann.send("/portal/acme/taste", &[("language", "zh-CN"), ("theme", "dark"), ("back", "/portal/acme?q=wiki")]).await;
        assert_eq!(page.address, "/portal/acme?q=wiki");
        says(&page, &["Ann Lee，您好", "应用", "您属于“Team”，该部门隶属于“Sales”。"]);
        assert!(page.html.contains("data-theme=\"dark\"") && page.html.contains("lang=\"zh-CN\""));
        // Nothing at all.
        acme.scene.admin.put("/v1/workspaces/acme/mini-apps/coffee/access", json!({})).await.good();
        acme.set(json!({"claim": "email"})).await.good();
        let bob = acme.pages_of("bob").await;
        says(&bob.get("/portal/acme").await, &["Hello, bob@acme.example", "nothing for you here yet", "Ask the IT desk, it@acme.example."]);
        // Signing out is theirs alone to do, and leads to the provider if they like.
        let mut forged = bob.request(Method::POST, "/portal/acme/sign-out").build().unwrap();
        forged.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
        let forged = reqwest::Client::new().execute(forged).await.unwrap();
        assert_eq!(forged.status(), 403);
        says(&bob.get("/portal/acme").await, &["nothing for you here yet"]);
        let page = bob.send("/portal/acme/sign-out", &[]).await;
        says(&page, &["You are signed out", "Sign out of your organisation, too"]);
        assert!(page.html.contains(&format!("{}/session/end", acme.provider.url)));
        assert_eq!(bob.cookie(COOKIE), None);
        says(&bob.get("/portal/acme/signed-out").await, &["You are signed out", "Sign in"]);
    }

    async fn w14_an_admin_has_it_forgotten_in_the_console_who_a_member_is(host) {
        let Some(acme) = Acme::found(host).await else { return };
        let held = text(&acme.sign_on("ann").await.good()["secret"]);
        let admin = Pages::signed_in(&acme.scene.host, &acme.scene.host.admin_token).await;
        let forget = format!("/ui/workspaces/acme/members/{}/forget", acme.ann);
        let member = admin.get(forget.trim_end_matches("/forget")).await;
        assert!(member.links().contains(&forget) && member.faults().is_empty(), "{:?} {}", member.faults(), member.html);
        let page = admin.get(&forget).await;
        assert!(page.says("Whoever signs in at Acme login as Ann Lee next") && page.faults().is_empty(), "{}", page.html);
        let page = admin.send(&forget, &[]).await;
        assert!(page.says("Who they are at the provider is forgotten."), "{}", page.html);
        acme.scene.host.with_token(&held).get(&format!("{PORTAL}/own")).await.refused("invalid-token");
        assert_eq!(acme.told("workspace.member_forgotten").await.len(), 1);
        acme.scene.admin.delete(PROVIDER).await.good();
        assert!(!admin.get(&member.address).await.links().contains(&forget), "where nobody signs in nothing is forgotten");
    }

    async fn w13_an_admin_sets_the_provider_in_the_console(host) {
        let Some(acme) = Acme::found(host).await else { return };
        acme.scene.admin.delete(PROVIDER).await.good();
        let admin = Pages::signed_in(&acme.scene.host, &acme.scene.host.admin_token).await;
        let page = admin.get("/ui/workspaces/acme/portal").await;
        assert!(page.faults().is_empty() && page.says("The portal opens as soon as an identity provider is set"), "{:?} {}", page.faults(), page.html);
        assert!(page.says(&format!("{}/portal/acme/back", acme.scene.host.url)));
        let fields = [("issuer", "http://127.0.0.1:9"), ("client_id", "berth"), ("client_secret", SECRET), ("member_key", "user_name")];
        let again = admin.send("/ui/workspaces/acme/portal", &fields).await;
        assert!(again.html.contains("value=\"http://127.0.0.1:9\"") && !again.html.contains("canary"), "{}", again.html);
        let fields = [("issuer", acme.provider.url.as_str()), fields[1], fields[2], fields[3]];
        let page = admin.send("/ui/workspaces/acme/portal", &fields).await;
        assert!(page.says("Try to sign in") && page.links().contains(&"/portal/acme/sign-in".into()) && page.faults().is_empty(), "{:?} {}", page.faults(), page.html);
        assert!(admin.get("/ui/workspaces/acme").await.says(&format!("{}/portal/acme", acme.scene.host.url)));
        let both = [fields[0], fields[1], fields[2], ("no_client_secret", "on")];
        let page = admin.send("/ui/workspaces/acme/portal", &both).await;
        assert!(page.says("cannot be said together") && page.faults().is_empty(), "{:?} {}", page.faults(), page.html);
        let page = admin.send("/ui/workspaces/acme/portal", &[fields[0], fields[1], both[3]]).await;
        assert!(page.says("Client secret None yet") && !page.html.contains("no_client_secret"), "{}", page.html);
        admin.send("/ui/workspaces/acme/portal", &fields).await;
        acme.sign_on("ann").await.good();
        let page = admin.get("/ui/workspaces/acme/portal/remove").await;
        assert!(page.says("The portal is closed") && page.faults().is_empty(), "{:?}", page.faults());
        let page = admin.send("/ui/workspaces/acme/portal/remove", &[]).await;
        assert!(page.says("The identity provider was taken away."), "{}", page.html);
        acme.scene.admin.get(PROVIDER).await.refused("not-found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w15_everybody_reads_and_uses_the_portal_in_a_real_browser() {
    let (Some(driver), Some(modules)) = (there_is("BERTH_TEST_BROWSER"), there_is("BERTH_TEST_NODE_MODULES")) else {
        return;
    };
    let axe = Path::new(&modules).join("axe-core/axe.min.js");
    let Some(acme) = Acme::found(Host::start(Database::Sqlite).await).await else { return };
    let mut found = Vec::new();
    for (width, language, theme) in [(500, "en", "light"), (1600, "zh-CN", "dark")] {
        let window = Window::open(&driver, width, 900).await;
        window.send_header("x-person", "ann").await;
        window.go(&format!("{}/portal/acme/signed-out", acme.scene.host.url)).await;
        window.keep("berth_language", language).await;
        window.keep("berth_theme", theme).await;
        // By the provider and back.
        window.click("main a.button.primary").await;
        window
            .wait_for("return location.pathname === '/portal/acme' && document.querySelectorAll('.tile').length === 2")
            .await;
        let look = async |what: &str| {
            if let Ok(folder) = std::env::var("BERTH_TEST_PICTURES") {
                let file = Path::new(&folder).join(format!("portal-{what}-{width}.png"));
                std::fs::write(file, window.picture().await).unwrap();
            }
            let all = window.axe(&axe).await.into_iter().chain(window.complaints().await);
            let wide = window.run("return document.documentElement.scrollWidth > innerWidth").await;
            let wide = (wide == json!(true)).then(|| "it is wider than the window".to_owned());
            all.chain(wide).map(|fault| format!("{what} {width}: {fault}")).collect::<Vec<_>>()
        };
        found.extend(look("all").await);
        window.type_into("#q", "wiki").await;
        window.press("\u{E007}").await;
        window
            .wait_for("return location.search === '?q=wiki' && document.querySelectorAll('.tile').length === 1")
            .await;
        window.click(".tile summary").await;
        found.extend(look("found").await);
        window.click(".leave button").await;
        window.wait_for("return location.pathname === '/portal/acme/sign-out'").await;
        found.extend(look("out").await);
        window.send_header("x-person", "eve").await;
        window.go(&format!("{}/portal/acme/sign-in?as_other=1", acme.scene.host.url)).await;
        window.wait_for("return location.pathname === '/portal/acme/back'").await;
        let refused = look("unknown").await;
        // That the page has the status 403 is told to the log as well.
        found.extend(refused.into_iter().filter(|fault| !fault.contains("403")));
        window.close().await;
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
