//! Authorised login: users of a MiniApp log in at a merchant's own provider, npm's oidc-provider (U1, U19–U22).

use berth_base::clock::Nature;
use berth_tests::{
    Answer, Api, Host, clock, invariants,
    login_provider::LoginProvider,
    on_both,
    scene::{Scene, Servers, text},
    wechat::official::{Browser, Stop},
};
use serde_json::{Value, json};

const SECRET: &str = "canary: client secret?&";
const BACK: &str = "https://mall.example.com/back?from=berth";
const ENTRY: &str = "/v1/mini-apps/coffee/login-entries/shop";
const BEGIN: &str = "/v1/authorised-logins";
const OF_ALICE: &str = "/v1/host-apps/super-app/login-bindings?account=alice";

/// The scene, with a provider, and users of `coffee`.
struct Shop {
    scene: Scene,
    servers: Servers,
    provider: LoginProvider,
    alice: String,
}

impl Shop {
    /// `None` when the library is not installed.
    async fn set(host: Host) -> Option<Self> {
        Self::set_in(host, Nature::default()).await
    }

    async fn set_in(host: Host, nature: Nature) -> Option<Self> {
        let scene = Scene::set(host.in_public(nature).await).await;
        let back = |name| format!("{}/l/back/coffee/{name}", scene.host.url);
        let provider = LoginProvider::start(SECRET, &[back("shop"), back("club")]).await?;
        let servers = scene.servers().await;
        let alice = text(&scene.log_in(&servers.app, "coffee", &servers.secret, "alice").await["open_id"]);
        let shop = Self { scene, servers, provider, alice };
        shop.put(json!({})).await.good();
        Some(shop)
    }

    /// Registers the entry `shop`, with these changes.
    async fn put(&self, changes: Value) -> Answer {
        let mut entry = json!({
            "provider": {"kind": "oidc", "issuer": self.provider.url},
            "client_id": "berth", "client_secret": SECRET, "return_url": BACK,
        });
        entry.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        self.scene.admin.put(ENTRY, entry).await
    }

    async fn log_in(&self, account: &str) -> String {
        text(&self.scene.log_in(&self.servers.app, "coffee", &self.servers.secret, account).await["open_id"])
    }

    /// Begins a login, and returns the address to open.
    async fn begin_at(&self, entry: &str, open_id: &str) -> String {
        let begin = json!({"entry": entry, "open_id": open_id, "state": "s 1"});
        text(&self.servers.server.post(BEGIN, begin).await.good()["address"])
    }

    async fn begin(&self, open_id: &str) -> String {
        self.begin_at("shop", open_id).await
    }

    /// Lets a browser open an address, and follow the provider until it sends it back. Returns where.
    async fn away(&self, browser: &mut Browser, address: &str) -> String {
        let mut stop = browser.open(address).await;
        for _ in 0..10 {
            if stop.to.contains("/l/back/") {
                return stop.to;
            }
            let to =
                if stop.to.starts_with('/') { format!("{}{}", self.provider.url, stop.to) } else { stop.to.clone() };
            stop = browser.open(&to).await;
        }
        panic!("{stop:?}");
    }

    /// Lets a browser open an address, and go to the provider and back. Returns where it is sent then.
    async fn visit(&self, browser: &mut Browser, address: &str) -> Stop {
        let back = self.away(browser, address).await;
        browser.open(&back).await
    }

    /// A person goes through a login that was begun for a user. Returns where the browser comes to.
    async fn goes(&self, open_id: &str, person: &str) -> Stop {
        self.visit(&mut Browser::of(person), &self.begin(open_id).await).await
    }

    /// The code with which the browser of a person comes back.
    async fn code(&self, open_id: &str, person: &str) -> String {
        let stop = self.goes(open_id, person).await;
        stop.query("code").unwrap_or_else(|| panic!("{stop:?}"))
    }

    async fn finish(&self, code: &str, open_id: &str) -> Answer {
        self.servers.server.post(&format!("{BEGIN}/finish"), json!({"code": code, "open_id": open_id})).await
    }

    /// A person goes through a login of a user, and the server finishes it.
    async fn bind(&self, open_id: &str, person: &str) -> Answer {
        self.finish(&self.code(open_id, person).await, open_id).await
    }

    async fn bound(&self, open_id: &str) -> Vec<Value> {
        bound_by(&self.servers.server, open_id).await
    }

    async fn of_alice(&self) -> Vec<Value> {
        self.servers.app.get(OF_ALICE).await.good()["items"].as_array().unwrap().clone()
    }

    async fn told(&self, kind: &str) -> Vec<Value> {
        let events = self.scene.admin.get("/v1/events?limit=1000").await.good();
        let of = events["items"].as_array().unwrap().iter().filter(|event| event["type"] == kind);
        of.map(|event| event["data"].clone()).collect()
    }

    /// The way in which a browser comes back when the provider does not say who it is.
    async fn fails(&self, how: Value) -> (String, String) {
        self.provider.control(how).await;
        let stop = self.goes(&self.alice, "ann").await;
        self.provider.control(json!({})).await;
        assert_eq!((stop.query("code"), stop.query("state").as_deref()), (None, Some("s 1")), "{stop:?}");
        (stop.query("error").unwrap(), stop.query("error_description").unwrap())
    }
}

async fn bound_by(server: &Api, open_id: &str) -> Vec<Value> {
    let answer = server.post("/v1/login-bindings", json!({"open_id": open_id})).await;
    answer.good()["items"].as_array().unwrap().clone()
}

on_both! {
    async fn u20_f77_a_user_has_a_bounded_number_of_logins_under_way_and_a_further_one_ends_the_oldest(host) {
        let Some(shop) = Shop::set(host).await else { return };
        let bob = shop.log_in("bob").await;
        let (first, of_bob) = (shop.begin(&shop.alice).await, shop.begin(&bob).await);
        let mut last = String::new();
        for _ in 0..10 {
            last = shop.begin(&shop.alice).await;
        }
        let pool = shop.scene.host.pool().await;
        assert_eq!(crate::keys::rows(&pool, &["authorised_login"]).await.len(), 11);
        pool.close().await;
        let gone = Browser::of("ann").open(&first).await;
        assert!(gone.status >= 400, "{gone:?}");
        for address in [last, of_bob] {
            assert!(shop.visit(&mut Browser::of("ann"), &address).await.query("code").is_some());
        }
    }

    async fn u1_u20_u21_a_user_is_known_as_who_has_logged_in_at_the_merchant(host) {
        let Some(shop) = Shop::set(host).await else { return };
        let alice = &shop.alice;
        assert_eq!(shop.bound(alice).await, Vec::<Value>::new());
        let stop = shop.goes(alice, "ann").await;
        assert!(stop.to.starts_with("https://mall.example.com/back?from=berth&code=berth_arrival_"), "{stop:?}");
        assert_eq!((stop.query("entry").as_deref(), stop.query("state").as_deref()), (Some("shop"), Some("s 1")));
        assert_eq!(shop.bound(alice).await, Vec::<Value>::new(), "the server has not finished it yet");
        let binding = shop.finish(&stop.query("code").unwrap(), alice).await.good();
        assert_eq!((&binding["subject"], &binding["open_id"], &binding["entry"]), (&json!("ann"), &json!(alice), &json!("shop")));
        assert_eq!(shop.bound(alice).await, std::slice::from_ref(&binding));
        let again = shop.bind(alice, "ann").await.good();
        assert_eq!(again, binding, "who is bound to it already has said nothing new");
        let shown = shop.scene.admin.get("/v1/mini-apps/coffee/login-entries").await.good();
        assert_eq!(shown["items"][0]["bound"], 1);
        let made = shop.told("login_binding.made").await;
        assert_eq!(made, [json!({"id": binding["id"], "mini_app": "coffee", "entry": "shop", "host_app": "super-app"})]);
        // What is stored tells nobody who it is.
        let pool = shop.scene.host.pool().await;
        let stored = pool.texts("SELECT subject_mac || ' ' || subject_sealed FROM login_binding").await.concat();
        assert!(!stored.contains("ann"), "{stored}");
        assert_eq!(pool.number("SELECT COUNT(*) FROM authorised_login").await, 0, "nothing of a finished login is left");
        invariants::hold(&pool).await;
    }

    async fn u1_u20_a_user_logs_in_by_oauth_2_too(host) {
        let Some(shop) = Shop::set(host).await else { return };
        let at = |path: &str| format!("{}{path}", shop.provider.url);
        let provider = json!({
            "kind": "oauth2", "authorization_endpoint": at("/auth"), "token_endpoint": at("/token"), "user_info_endpoint": at("/me"),
        });
        let entry = json!({"provider": provider, "client_id": "berth", "client_secret": SECRET, "scope": "openid", "return_url": BACK});
        let club = "/v1/mini-apps/coffee/login-entries/club";
        let shown = shop.scene.admin.put(club, entry.clone()).await.good();
        assert_eq!((&shown["provider"]["subject"], &shown["scope"]), (&json!("/sub"), &json!("openid")));
        let address = shop.begin_at("club", &shop.alice).await;
        let stop = shop.visit(&mut Browser::of("ann"), &address).await;
        let binding = shop.finish(&stop.query("code").unwrap(), &shop.alice).await.good();
        assert_eq!((&binding["subject"], &binding["entry"]), (&json!("ann"), &json!("club")));
        // Where the user info says something else than expected, nobody has logged in.
        shop.scene.admin.delete(club).await.good();
        let mut elsewhere = entry;
        elsewhere["provider"]["subject"] = json!("/data/id");
        shop.scene.admin.put(club, elsewhere).await.good();
        let stop = shop.visit(&mut Browser::of("ann"), &shop.begin_at("club", &shop.alice).await).await;
        assert_eq!(stop.query("error").as_deref(), Some("server_error"), "{stop:?}");
        assert!(stop.query("error_description").unwrap().contains("/data/id"), "{stop:?}");
    }

    async fn u20_f90_what_a_provider_says_is_verified(host) {
        let Some(shop) = Shop::set(host).await else { return };
        for (how, why) in [
            (json!({"claims": {"nonce": "other"}}), "nonce"),
            (json!({"claims": {"nonce": null}}), "nonce"),
            (json!({"claims": {"iss": "https://other.example.com"}}), "issuer"),
            (json!({"claims": {"aud": "other"}}), "another client"),
            (json!({"claims": {"azp": "other"}}), "another client"),
            (json!({"claims": {"exp": 1}}), "expired"),
            (json!({"claims": {"sub": ""}}), "nobody"),
            (json!({"sign": "none"}), "signed"),
            (json!({"sign": "hs256"}), "signed"),
            (json!({"sign": "other"}), "signed"),
        ] {
            let (error, description) = shop.fails(how.clone()).await;
            assert_eq!(error, "server_error", "{how}");
            assert!(description.contains(why), "{how}: {description}");
        }
        let stop = shop.visit(&mut Browser::of(""), &shop.begin(&shop.alice).await).await;
        assert_eq!(stop.query("error").as_deref(), Some("access_denied"), "the user has gone back: {stop:?}");
        shop.put(json!({"client_secret": "wrong"})).await.good();
        let stop = shop.goes(&shop.alice, "ann").await;
        assert!(stop.query("error_description").unwrap().contains("invalid_client"), "{stop:?}");
        assert_eq!(shop.bound(&shop.alice).await, Vec::<Value>::new());
        shop.put(json!({"client_auth": "post"})).await.good();
        shop.put(json!({"client_auth": "basic", "client_secret": null})).await.good();
        assert_eq!(shop.bind(&shop.alice, "ann").await.good()["subject"], "ann", "the former secret stays");
    }

    async fn u20_f99_a_provider_that_rotates_its_keys_or_is_down_is_met_again(host) {
        let Some(shop) = Shop::set(host).await else { return };
        shop.bind(&shop.alice, "ann").await.good();
        tokio::time::sleep(std::time::Duration::from_millis(5200)).await; // keys are not asked for anew at once
        shop.provider.control(json!({"rotate": true})).await;
        assert_eq!(shop.bind(&shop.alice, "ann").await.good()["subject"], "ann", "by another key");
        // It is down when the browser comes back.
        let mut browser = Browser::of("ann");
        let address = shop.begin(&shop.alice).await;
        let away = shop.away(&mut browser, &address).await;
        shop.provider.control(json!({"down": true})).await;
        let back = browser.open(&away).await;
        assert_eq!(back.query("error").as_deref(), Some("temporarily_unavailable"), "{back:?}");
        assert!(back.query("error_description").unwrap().contains("503"), "{back:?}");
        // It is gone when the browser is to be sent there, and the address can be opened again once it is back. Another host has
        // not heard yet where it sends browsers.
        let other = shop.scene.host.beside().await;
        let address = shop.begin(&shop.alice).await;
        let there = address.replacen(&shop.scene.host.url, &other.url, 1);
        let page = browser.open(&there).await;
        assert_eq!((page.status, page.to.as_str()), (503, ""));
        assert!(page.page.contains("Load this page again"), "{}", page.page);
        shop.provider.control(json!({})).await;
        let stop = shop.visit(&mut browser, &address).await;
        shop.finish(&stop.query("code").unwrap(), &shop.alice).await.good();
    }

    async fn u20_f109_every_step_is_good_once_and_in_the_browser_that_took_it(host) {
        let Some(shop) = Shop::set(host).await else { return };
        let address = shop.begin(&shop.alice).await;
        let (mut own, mut other) = (Browser::of("ann"), Browser::of("ann"));
        let away = shop.away(&mut own, &address).await;
        assert_eq!(own.open(&address).await.status, 404, "the address is good once");
        let page = other.open(&away).await;
        assert_eq!(page.status, 404);
        assert!(page.page.contains("This login is over"), "{}", page.page);
        assert_eq!(own.open(&away.replacen("/shop?", "/club?", 1)).await.status, 404, "it is of another entry");
        let code = own.open(&away).await.query("code").unwrap();
        assert_eq!(own.open(&away).await.status, 404, "the state is good once");
        // Whoever else comes with the code has begun nothing.
        let bob = shop.log_in("bob").await;
        shop.finish(&code, &bob).await.refused("invalid-authorised-login");
        shop.finish("berth_arrival_guess", &shop.alice).await.refused("invalid-authorised-login");
        let tea_secret = shop.scene.another("tea", &shop.scene.team).await;
        let token = json!({"mini_app": "tea", "secret": tea_secret});
        let tea = shop.scene.host.anonymous().post("/v1/server-tokens", token).await.good();
        let tea = shop.scene.host.with_token(&text(&tea["token"]));
        tea.post(&format!("{BEGIN}/finish"), json!({"code": code, "open_id": shop.alice})).await.refused("invalid-authorised-login");
        shop.finish(&code, &shop.alice).await.good();
        shop.finish(&code, &shop.alice).await.refused("invalid-authorised-login");
        // Nobody begins for users of others, and nobody sees them (F103).
        for open_id in [&shop.alice, &format!("o{}", "0".repeat(27))] {
            tea.post(BEGIN, json!({"entry": "shop", "open_id": open_id})).await.refused("not-found");
            assert_eq!(bound_by(&tea, open_id).await, Vec::<Value>::new());
        }
        // An answer that names another issuer is none of this provider's.
        let address = shop.begin(&shop.alice).await;
        let away = shop.away(&mut own, &address).await;
        let (front, _) = away.split_once("&iss=").unwrap();
        let mixed = format!("{front}&iss=https%3A%2F%2Fevil.example");
        let back = own.open(&mixed).await;
        assert!(back.query("error_description").unwrap().contains("another provider"), "{back:?}");
    }

    async fn u20_a_login_waits_five_minutes_for_its_browser(host) {
        let (time, nature) = clock();
        let Some(shop) = Shop::set_in(host, nature).await else { return };
        let address = shop.begin(&shop.alice).await;
        time.advance_seconds(301);
        assert_eq!(Browser::of("ann").open(&address).await.status, 404);
        let mut browser = Browser::of("ann");
        let sent = browser.open(&shop.begin(&shop.alice).await).await;
        let back = format!("{}/l/back/coffee/shop?code=c&state={}", shop.scene.host.url, sent.query("state").unwrap());
        time.advance_seconds(901);
        assert_eq!(browser.open(&back).await.status, 404, "and fifteen for the user at the provider");
    }

    async fn u21_f107_nobody_is_taken_over(host) {
        let Some(shop) = Shop::set(host).await else { return };
        let bob = shop.log_in("bob").await;
        shop.bind(&shop.alice, "ann").await.good();
        let code = shop.code(&bob, "ann").await;
        shop.finish(&code, &bob).await.refused("login-subject-taken");
        assert_eq!(shop.bound(&bob).await, Vec::<Value>::new());
        // Who logs in as somebody else is that one from then on, and the former one is free.
        assert_eq!(shop.bind(&shop.alice, "amy").await.good()["subject"], "amy");
        shop.finish(&code, &bob).await.good();
        assert_eq!(shop.bound(&bob).await[0]["subject"], "ann");
        let all = shop.of_alice().await;
        assert_eq!(all.len(), 2);
        assert!(all[0]["ended_at"].is_string() && all[0].get("subject").is_none(), "{all:?}");
        assert_eq!((&all[1]["subject"], all[1].get("ended_at")), (&json!("amy"), None));
        // Of two at once, one is bound.
        let (one, other) = (shop.code(&shop.alice, "zoe").await, shop.code(&bob, "zoe").await);
        let (one, other) = tokio::join!(shop.finish(&one, &shop.alice), shop.finish(&other, &bob));
        let mut both = [one.status, other.status];
        both.sort_unstable();
        assert_eq!(both, [200, 409]);
        invariants::hold(&shop.scene.host.pool().await).await;
    }

    async fn u22_f104_f105_f108_a_binding_is_shown_ended_exported_and_erased(host) {
        let Some(shop) = Shop::set(host).await else { return };
        let bob = shop.log_in("bob").await;
        shop.bind(&shop.alice, "ann").await.good();
        shop.bind(&bob, "ben").await.good();
        let exported = shop.servers.app.post("/v1/host-apps/super-app/users/export", json!({"account": "alice"})).await.good();
        assert_eq!((&exported["login_bindings"][0]["subject"], exported["login_bindings"].as_array().unwrap().len()), (&json!("ann"), 1));
        assert!(!exported.to_string().contains("ben"), "{exported}");
        // The user ends it, by the host app.
        let named = json!({"account": "alice", "mini_app": "coffee", "entry": "shop"});
        let ended = shop.servers.app.post("/v1/host-apps/super-app/login-bindings/end", named).await.good();
        assert!(ended["items"][0]["ended_at"].is_string(), "{ended}");
        assert_eq!((shop.bound(&shop.alice).await.len(), shop.bound(&bob).await.len()), (0, 1));
        // The MiniApp's server ends it.
        shop.bind(&shop.alice, "ann").await.good();
        shop.servers.server.post("/v1/login-bindings/end", json!({"entry": "shop", "open_id": shop.alice})).await.good();
        assert_eq!(shop.bound(&shop.alice).await, Vec::<Value>::new());
        assert_eq!(shop.told("login_binding.ended").await.len(), 2);
        // Erased, in the middle of a login, too.
        shop.bind(&shop.alice, "ann").await.good();
        let code = shop.code(&shop.alice, "ann").await;
        let erased = shop.servers.app.post("/v1/host-apps/super-app/users/erase", json!({"account": "alice"})).await.good();
        assert_eq!(erased["login_bindings"], 3);
        shop.finish(&code, &shop.alice).await.refused("invalid-authorised-login");
        assert_eq!(shop.of_alice().await, Vec::<Value>::new());
        let pool = shop.scene.host.pool().await;
        assert_eq!(pool.number("SELECT COUNT(*) FROM authorised_login").await, 0);
        assert_eq!(pool.number("SELECT COUNT(*) FROM login_binding").await, 1, "bob's stays");
        // With the entry go the bindings.
        shop.scene.admin.delete(ENTRY).await.good();
        assert_eq!(shop.bound(&bob).await, Vec::<Value>::new());
        let kept = shop.servers.app.get("/v1/host-apps/super-app/login-bindings?account=bob").await.good();
        assert!(kept["items"][0]["ended_at"].is_string(), "that it was is on record: {kept}");
    }

    async fn u19_f85_f92_an_entry_is_the_teams_and_its_provider_is_looked_at(host) {
        let Some(shop) = Shop::set(host).await else { return };
        let shown = shop.put(json!({"scope": "openid phone"})).await.good();
        assert_eq!(shown["redirect_uri"], format!("{}/l/back/coffee/shop", shop.scene.host.url));
        assert!(!shown.to_string().contains("canary"), "{shown}");
        let pool = shop.scene.host.pool().await;
        let stored = pool.texts("SELECT secret_sealed FROM login_entry").await.concat();
        let told = pool.texts("SELECT CAST(data AS TEXT) FROM event WHERE type = 'login_entry.set'").await;
        assert!(!stored.contains("canary") && told.len() == 2 && !told.concat().contains("canary"), "{stored} {told:?}");
        // What is wrong is said, with its place.
        let issuer = |issuer: &str| json!({"provider": {"kind": "oidc", "issuer": issuer}});
        for (changes, pointer) in [
            (issuer("https://10.0.0.1"), "/provider/issuer"),
            (issuer("http://login.example.com/?a"), "/provider/issuer"),
            (json!({"return_url": "http://mall.example.com/"}), "/return_url"),
            (json!({"client_id": ""}), "/client_id"),
        ] {
            assert_eq!(shop.put(changes).await.refused("invalid-field")["pointer"], pointer);
        }
        let wrong = shop.put(issuer(&format!("{}/", shop.provider.url))).await.refused("login-provider-wrong");
        assert!(text(&wrong["detail"]).contains("issuer"), "{wrong}");
        shop.put(issuer("http://127.0.0.1:9")).await.refused("login-provider-unreachable");
        let other = "/v1/mini-apps/coffee/login-entries/other";
        shop.scene.admin.put(other, json!({"provider": {"kind": "saml"}})).await.refused("invalid-field");
        shop.put(json!({"client_id": "other"})).await.refused("login-entry-fixed");
        let provider = json!({
            "kind": "oauth2", "authorization_endpoint": "https://a.example/", "token_endpoint": "https://a.example/t", "user_info_endpoint": "https://a.example/u",
        });
        let club = json!({"provider": provider, "client_id": "berth", "return_url": BACK});
        for number in 1..20 {
            shop.scene.admin.put(&format!("/v1/mini-apps/coffee/login-entries/e{number}"), club.clone()).await.good();
        }
        shop.scene.admin.put("/v1/mini-apps/coffee/login-entries/e20", club).await.refused("login-entry-limit");
    }
}
