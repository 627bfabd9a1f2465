//! Unified authentication: this host as the OpenID provider of the MiniApps (U2, U10–U18).

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth_base::clock::Nature;
use berth_tests::{
    Answer, Api, Database, Host, clock, http, on_both,
    process::Installation,
    run_node,
    scene::{Scene, text},
    there_is,
};
use reqwest::{Url, redirect::Policy};
use serde_json::{Value, json};

use crate::keys::rows;

/// Where browsers come back to `coffee` and to the other MiniApps.
pub const BACK: &str = "https://shop.example.com/callback?from=berth";
/// Another address, without a query: openid-client leaves the query away at the exchange.
pub const PLAIN: &str = "https://shop.example.com/other";
pub const AFTER: &str = "https://shop.example.com/bye";
/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The scene with a host that knows its address, the server of the host app, and the AppSecret of `coffee`.
struct Login {
    scene: Scene,
    app: Api,
    secret: String,
}

/// What a browser holds: where it is sent, and its cookie.
pub struct Browser {
    pub status: u16,
    pub to: Option<Url>,
    pub cookie: Option<String>,
    pub page: String,
}

impl Browser {
    /// A parameter of the address that the browser is sent to.
    pub fn told(&self, name: &str) -> Option<String> {
        let pairs = self.to.as_ref().expect(&self.page).query_pairs();
        pairs.filter(|(one, _)| one == name).map(|(_, value)| value.into_owned()).next()
    }

    #[track_caller]
    pub fn code(&self) -> String {
        self.told("code").unwrap_or_else(|| panic!("{:?} {}", self.to, self.page))
    }

    #[track_caller]
    pub fn error(&self) -> String {
        self.told("error").unwrap_or_else(|| panic!("{:?} {}", self.to, self.page))
    }

    #[track_caller]
    pub fn cookie(&self) -> &str {
        self.cookie.as_deref().expect("the browser has a cookie")
    }
}

/// Lets a browser follow one request.
pub async fn visit(request: reqwest::RequestBuilder, cookie: Option<&str>) -> Browser {
    let (_, request) = request.build_split();
    let mut request = request.unwrap();
    if let Some(cookie) = cookie {
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
    }
    let still = reqwest::Client::builder().redirect(Policy::none()).tls_certs_only([]).no_proxy().build().unwrap();
    let answer = still.execute(request).await.unwrap();
    let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let set = header("set-cookie").map(|set| set.split(';').next().unwrap().to_owned());
    Browser {
        status: answer.status().as_u16(),
        to: header("location").map(|to| to.parse().unwrap()),
        cookie: set.or(cookie.map(str::to_owned)),
        page: answer.text().await.unwrap(),
    }
}

/// Gives a MiniApp of the team, bound to the host app, an AppSecret and the addresses.
async fn another(scene: &Scene, id: &str) -> String {
    let secret = scene.another(id, &scene.team).await;
    register(scene, id).await;
    secret
}

async fn register(scene: &Scene, id: &str) {
    let set = json!({"redirect_uris": [BACK, PLAIN], "post_logout_redirect_uris": [AFTER]});
    scene.admin.put(&format!("/v1/mini-apps/{id}/oidc-client"), set).await.good();
}

impl Login {
    async fn set(host: Host) -> Self {
        Self::set_in(host, Nature::default()).await
    }

    async fn set_in(host: Host, nature: Nature) -> Self {
        let scene = Scene::set(host.in_public(nature).await).await;
        let servers = scene.servers().await;
        register(&scene, "coffee").await;
        Self { app: servers.app, secret: servers.secret, scene }
    }

    async fn login_code(&self, mini_app: &str, account: &str) -> String {
        let ask = json!({"mini_app": mini_app, "account": account});
        text(&self.app.post("/v1/host-apps/super-app/login-codes", ask).await.good()["code"])
    }

    /// Sends a browser to log in to a MiniApp, with these parameters in place of the usual ones. A login code is brought in the
    /// header, as by the web-view of the host app.
    async fn authorize(&self, mini_app: &str, changes: &[(&str, &str)], cookie: Option<&str>) -> Browser {
        let (brought, changes): (Vec<_>, Vec<_>) = changes.iter().partition(|(name, _)| *name == "login_code");
        let mut request = http().get(self.address(mini_app, &changes));
        for (_, code) in brought {
            request = request.header("x-login-code", code);
        }
        visit(request, cookie).await
    }

    /// Where a MiniApp sends a browser to log in, with these parameters in place of the usual ones.
    fn address(&self, mini_app: &str, changes: &[(&str, &str)]) -> Url {
        let usual = [
            ("client_id", mini_app),
            ("redirect_uri", BACK),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", "s 1"),
            ("nonce", "n1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let kept = usual.into_iter().filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
        let all: Vec<_> = kept.chain(changes.iter().copied()).collect();
        Url::parse_with_params(&format!("{}/oidc/authorize", self.scene.host.url), all).unwrap()
    }

    /// Logs a user in to a MiniApp by a login code.
    async fn log_in(&self, mini_app: &str, account: &str) -> Browser {
        let code = self.login_code(mini_app, account).await;
        self.authorize(mini_app, &[("login_code", &code)], None).await
    }

    async fn exchange(&self, mini_app: &str, secret: &str, code: &str) -> Answer {
        exchange_at(&self.scene.host, mini_app, secret, code, &[]).await
    }

    async fn tokens(&self, mini_app: &str, secret: &str, code: &str) -> Value {
        let answer = self.exchange(mini_app, secret, code).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        answer.good()
    }

    /// The OpenID that the exchange of a login code gives, as it does without unified authentication.
    async fn open_id(&self, mini_app: &str, secret: &str, account: &str) -> String {
        let code = self.login_code(mini_app, account).await;
        let body = json!({"mini_app": mini_app, "secret": secret, "code": code});
        text(&self.scene.host.anonymous().post("/v1/session", body).await.good()["open_id"])
    }
}

pub async fn exchange_at(host: &Host, mini_app: &str, secret: &str, code: &str, changes: &[(&str, &str)]) -> Answer {
    let usual =
        [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BACK), ("code_verifier", VERIFIER)];
    let kept = usual.into_iter().filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
    let form: Vec<_> = kept.chain(changes.iter().copied()).collect();
    let body = Url::parse_with_params("http://x/", form).unwrap().query().unwrap().to_owned();
    let request = http().post(format!("{}/oidc/token", host.url)).basic_auth(mini_app, Some(secret));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    Answer::of(request, format!("exchange for {mini_app}")).await
}

pub async fn user_info(host: &Host, tokens: &Value) -> Answer {
    host.with_token(&text(&tokens["access_token"])).get("/oidc/userinfo").await
}

/// What an ID token says.
pub fn claims(tokens: &Value) -> Value {
    let token = text(&tokens["id_token"]);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// Asserts that an answer is a refusal of OAuth.
#[track_caller]
pub fn refused(answer: &Answer, status: u16, word: &str) -> String {
    let body = answer.json();
    assert_eq!((answer.status, &body["error"]), (status, &json!(word)), "{body}");
    assert_eq!(answer.header("content-type"), "application/json");
    text(&body["error_description"])
}

on_both! {
    async fn u2_who_has_logged_in_to_one_mini_app_is_logged_in_to_all_of_the_host_app(host) {
        let login = Login::set(host).await;
        let (scene, host) = (&login.scene, &login.scene.host);
        let tea = another(scene, "tea").await;
        let browser = login.log_in("coffee", "alice").await;
        assert_eq!((browser.status, browser.told("state").as_deref(), browser.told("from").as_deref()), (303, Some("s 1"), Some("berth")));
        assert_eq!(browser.told("iss").as_deref(), Some(&*host.url));
        let tokens = login.tokens("coffee", &login.secret, &browser.code()).await;
        let said = claims(&tokens);
        let alice = login.open_id("coffee", &login.secret, "alice").await;
        assert_eq!((&said["sub"], &said["aud"], &said["iss"], &said["nonce"]), (&json!(alice), &json!("coffee"), &json!(host.url), &json!("n1")));
        assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 3600);
        assert_eq!(user_info(host, &tokens).await.good(), json!({"sub": alice, "host_app": "super-app"}));
        // The next one, without a login code.
        let silent = login.authorize("tea", &[("prompt", "none")], browser.cookie.as_deref()).await;
        assert_eq!(silent.cookie, browser.cookie, "the sign-on goes on");
        let in_tea = claims(&login.tokens("tea", &tea, &silent.code()).await);
        assert_eq!(in_tea["sub"], login.open_id("tea", &tea, "alice").await);
        assert_eq!(in_tea["auth_time"], said["auth_time"]);
        assert_ne!(in_tea["sub"], said["sub"], "each MiniApp has its own name for the user");
        // Nobody else.
        assert_eq!(login.authorize("tea", &[], None).await.error(), "login_required");
        assert_eq!(login.authorize("tea", &[("prompt", "none")], Some("berth-sign-on=berth_sign_on_guess")).await.error(), "login_required");
        let note = json!({"on": false, "note": "recall"});
        scene.admin.post("/v1/mini-apps/tea/shelf", note).await.good();
        let shut = login.authorize("tea", &[], browser.cookie.as_deref()).await;
        assert!(shut.error() == "access_denied" && shut.told("error_description").unwrap().contains("recall"), "{:?}", shut.to);
        scene.admin.post("/v1/mini-apps/tea/shelf", json!({"on": true})).await.good();
        let waits = login.authorize("tea", &[], browser.cookie.as_deref()).await.code();
        scene.admin.delete("/v1/host-apps/super-app/bindings/tea").await.good();
        assert_eq!(login.authorize("tea", &[], browser.cookie.as_deref()).await.error(), "access_denied");
        refused(&login.exchange("tea", &tea, &waits).await, 400, "invalid_grant");
    }

    async fn u10_without_its_address_the_host_logs_nobody_in_and_says_so(host) {
        let scene = Scene::set(host).await;
        register(&scene, "coffee").await;
        for path in ["/.well-known/openid-configuration", "/oidc/jwks", "/oidc/userinfo"] {
            let detail = refused(&scene.host.anonymous().get(path).await, 503, "temporarily_unavailable");
            assert!(detail.contains("--public-url"), "{detail}");
        }
        let page = visit(http().get(format!("{}/oidc/authorize?client_id=coffee", scene.host.url)), None).await;
        assert!(page.status == 503 && page.page.contains("--public-url"), "{}", page.page);
    }

    async fn u11_only_admins_of_the_team_say_where_browsers_come_back_to_and_events_tell(host) {
        let scene = Scene::set(host).await;
        let path = "/v1/mini-apps/coffee/oidc-client";
        let (account, developer) = scene.host.somebody("developer").await;
        scene.admin.put(&format!("/v1/teams/{}/members/{account}", scene.team), json!({"role": "operator"})).await.good();
        developer.put(path, json!({"redirect_uris": [BACK]})).await.refused("missing-grant");
        assert_eq!(developer.get(path).await.good(), json!({"mini_app": "coffee", "redirect_uris": [], "post_logout_redirect_uris": []}));
        let problem = scene.admin.put(path, json!({"redirect_uris": [BACK, "http://shop.example.com/"]})).await.refused("invalid-field");
        assert_eq!(problem["pointer"], "/redirect_uris/1");
        let tag = scene.admin.get(path).await.header("etag").to_owned();
        let set = json!({"redirect_uris": [BACK], "post_logout_redirect_uris": [AFTER]});
        let first = scene.admin.put(path, set.clone()).await.good();
        assert_eq!(scene.admin.put(path, set.clone()).await.good(), first, "nothing changed");
        let late = scene.admin.request("PUT", path).header("if-match", tag).json(&json!({}));
        Answer::of(late, "set".into()).await.refused("precondition-failed");
        scene.admin.put(path, json!({"redirect_uris": [BACK]})).await.good();
        let events = scene.admin.get("/v1/events?mini_app=coffee&limit=1000").await.good();
        let told = events["items"].as_array().unwrap().iter().filter(|event| event["type"] == "oidc.client_changed");
        let told: Vec<_> = told.map(|event| (event["data"]["added"].clone(), event["data"]["removed"].clone())).collect();
        assert_eq!(told, [(json!([AFTER, BACK]), json!([])), (json!([]), json!([AFTER]))]);
    }

    async fn u11_u12_a_browser_is_sent_to_registered_addresses_only(host) {
        let login = Login::set(host).await;
        let code = login.login_code("coffee", "alice").await;
        for changes in [
            &[("redirect_uri", "https://evil.example.com/")][..],
            &[("redirect_uri", "https://shop.example.com/callback")],
            &[("redirect_uri", &format!("{BACK}&x=1"))],
            &[("redirect_uri", "")],
            &[("client_id", "")],
            &[("client_id", "nobody")],
            &[("client_id", "<script>")],
            &[("redirect_uri", BACK), ("redirect_uri", BACK)],
        ] {
            let with = [changes, &[("login_code", &code)]].concat();
            let shown = login.authorize("coffee", &with, None).await;
            assert!(shown.status == 400 && shown.to.is_none() && shown.cookie.is_none(), "{changes:?} {:?}", shown.to);
            assert!(!shown.page.contains("<script>") && !shown.page.contains(&code), "{}", shown.page);
        }
        for (changes, error) in [
            (&[("response_type", "token")][..], "unsupported_response_type"),
            (&[("scope", "email")], "invalid_scope"),
            (&[("code_challenge", "")], "invalid_request"),
            (&[("code_challenge_method", "plain")], "invalid_request"),
            (&[("prompt", "consent")], "consent_required"),
            (&[("request", "x")], "request_not_supported"),
            (&[("login_code", "berth_code_guess")], "login_required"),
        ] {
            let vouched: &[(&str, &str)] = &[("login_code", &code)];
            let vouched = if changes[0].0 == "login_code" { &[] } else { vouched };
            let sent = login.authorize("coffee", &[changes, vouched].concat(), None).await;
            assert_eq!((sent.error().as_str(), sent.told("state").as_deref()), (error, Some("s 1")), "{changes:?}");
            assert!(sent.to.as_ref().unwrap().as_str().starts_with(BACK) && sent.cookie.is_none(), "{changes:?}");
        }
        let form = format!("client_id=coffee&redirect_uri={}&response_type=code&scope=openid&code_challenge={CHALLENGE}\
            &code_challenge_method=S256&login_code={code}", "https%3A%2F%2Fshop.example.com%2Fcallback%3Ffrom%3Dberth");
        let post = http().post(format!("{}/oidc/authorize", login.scene.host.url)).body(form);
        let sent = visit(post.header("content-type", "application/x-www-form-urlencoded"), None).await;
        assert!(sent.told("state").is_none() && sent.code().starts_with("berth_authz_"), "refusals have left the login code as it was");
    }

    async fn u13_a_sign_on_lasts_twelve_hours_and_a_mini_app_may_ask_for_a_younger_one(host) {
        let (clock, nature) = clock();
        let login = Login::set_in(host, nature).await;
        let browser = login.log_in("coffee", "alice").await;
        let cookie = browser.cookie.as_deref();
        assert_eq!(login.authorize("coffee", &[("prompt", "login")], cookie).await.error(), "login_required");
        clock.advance_seconds(100);
        assert_eq!(login.authorize("coffee", &[("max_age", "99")], cookie).await.error(), "login_required");
        login.authorize("coffee", &[("max_age", "100")], cookie).await.code();
        // Vouched for anew, in the same browser.
        let code = login.login_code("coffee", "alice").await;
        let anew = login.authorize("coffee", &[("prompt", "login"), ("login_code", &code)], cookie).await;
        assert_ne!(anew.cookie, browser.cookie);
        assert_eq!(login.authorize("coffee", &[], cookie).await.error(), "login_required", "the secret of before is void");
        // An ID token says who has to be signed on.
        let tokens = login.tokens("coffee", &login.secret, &anew.code()).await;
        let hint = text(&tokens["id_token"]);
        login.authorize("coffee", &[("id_token_hint", &hint)], anew.cookie.as_deref()).await.code();
        let bob = login.login_code("coffee", "bob").await;
        let other = login.authorize("coffee", &[("id_token_hint", &hint), ("login_code", &bob)], None).await;
        assert_eq!((other.error().as_str(), other.cookie), ("login_required", None));
        // Another user in the same browser ends the sign-on of the first.
        let bobs = login.authorize("coffee", &[("login_code", &bob)], anew.cookie.as_deref()).await;
        assert_eq!(login.authorize("coffee", &[], anew.cookie.as_deref()).await.error(), "login_required");
        refused(&user_info(&login.scene.host, &tokens).await, 401, "invalid_token");
        clock.advance_seconds(12 * 3600 - 1);
        login.authorize("coffee", &[], bobs.cookie.as_deref()).await.code();
        clock.advance_seconds(1);
        assert_eq!(login.authorize("coffee", &[], bobs.cookie.as_deref()).await.error(), "login_required");
        // Without its login code a user is not logged in by what the browser holds of another one.
        let carol = login.log_in("coffee", "carol").await;
        let used = login.authorize("coffee", &[("login_code", &bob)], carol.cookie.as_deref()).await;
        assert_eq!(used.error(), "login_required");
    }

    async fn u13_f89_a_login_code_in_an_address_logs_in_once_and_leaves_the_sign_on_of_the_browser_as_it_is(host) {
        let login = Login::set(host).await;
        let opened = async |account: &str, cookie: Option<&str>| {
            let code = login.login_code("coffee", account).await;
            visit(http().get(login.address("coffee", &[("login_code", &code)])), cookie).await
        };
        // A link of a stranger, with a login code of the stranger's own: the browser is nobody afterwards.
        let fresh = opened("mallory", None).await;
        assert_eq!(fresh.cookie, None);
        let said = claims(&login.tokens("coffee", &login.secret, &fresh.code()).await);
        assert_eq!(said["sub"], login.open_id("coffee", &login.secret, "mallory").await);
        // In a browser that is somebody, it stays who it was, and so does what came from it.
        let alice = login.log_in("coffee", "alice").await;
        let tokens = login.tokens("coffee", &login.secret, &alice.code()).await;
        assert_eq!(opened("mallory", alice.cookie.as_deref()).await.cookie, alice.cookie);
        user_info(&login.scene.host, &tokens).await.good();
        let still = login.authorize("coffee", &[("prompt", "none")], alice.cookie.as_deref()).await;
        assert_eq!(claims(&login.tokens("coffee", &login.secret, &still.code()).await)["sub"], claims(&tokens)["sub"]);
        // The same user is vouched for anew.
        assert_ne!(opened("alice", alice.cookie.as_deref()).await.cookie, alice.cookie);
        // The host app ends what came of such a login, too.
        let ended = login.app.post("/v1/host-apps/super-app/sign-ons/end", json!({"account": "mallory"})).await.good();
        assert_eq!(ended, json!({"ended": 2}));
        let code = login.login_code("coffee", "alice").await;
        let twice = http().get(login.address("coffee", &[("login_code", &code)])).header("x-login-code", &code);
        assert_eq!(visit(twice, None).await.error(), "invalid_request");
    }

    async fn k10_a_team_that_asks_for_it_knows_a_user_in_several_of_its_mini_apps(host) {
        let login = Login::set(host).await;
        let (scene, host) = (&login.scene, &login.scene.host);
        let tea = another(scene, "tea").await;
        let other_team = text(&scene.admin.post("/v1/teams", json!({"name": "Other"})).await.good()["id"]);
        let milk = scene.another("milk", &other_team).await;
        scene.admin.post("/v1/host-apps", json!({"name": "Other app", "id": "other-app"})).await.good();
        scene.admin.put("/v1/host-apps/other-app/bindings/coffee", json!(null)).await.good();
        let session_at = async |host_app: &str, mini_app: &str, secret: &str, account: &str| {
            let ask = json!({"mini_app": mini_app, "account": account});
            let code = scene.admin.post(&format!("/v1/host-apps/{host_app}/login-codes"), ask).await.good();
            let body = json!({"mini_app": mini_app, "secret": secret, "code": code["code"]});
            host.anonymous().post("/v1/session", body).await.good()
        };
        let session = async |mini_app, secret, account| session_at("super-app", mini_app, secret, account).await;
        let before = session("coffee", &login.secret, "alice").await;
        assert_eq!(before.get("union_id"), None, "off unless asked for: {before}");
        let (account, operator) = host.somebody("operator").await;
        scene.admin.put(&format!("/v1/teams/{}/members/{account}", scene.team), json!({"role": "operator"})).await.good();
        operator.put("/v1/mini-apps/coffee/union-ids", json!({"on": true})).await.refused("missing-grant");
        let turn = async |mini_app: &str, on: bool| {
            scene.admin.put(&format!("/v1/mini-apps/{mini_app}/union-ids"), json!({"on": on})).await.good()
        };
        for mini_app in ["coffee", "coffee", "tea", "milk"] {
            assert_eq!(turn(mini_app, true).await, json!({"mini_app": mini_app, "on": true}));
        }
        assert_eq!(operator.get("/v1/mini-apps/coffee/union-ids").await.good()["on"], true);
        let alice = session("coffee", &login.secret, "alice").await;
        let union = text(&alice["union_id"]);
        assert!(union.starts_with('u') && union.len() == 28 && alice["open_id"] == before["open_id"], "{alice}");
        assert_eq!(session("tea", &tea, "alice").await["union_id"], union);
        for other in [
            session("tea", &tea, "bob").await,
            session("milk", &milk, "alice").await,
            session_at("other-app", "coffee", &login.secret, "alice").await,
        ] {
            assert!(other["union_id"].is_string() && other["union_id"] != union, "{other}");
        }
        let browser = login.log_in("coffee", "alice").await;
        let tokens = login.tokens("coffee", &login.secret, &browser.code()).await;
        assert_eq!((&claims(&tokens)["union_id"], &user_info(host, &tokens).await.good()["union_id"]), (&json!(union), &json!(union)));
        let who = json!({"account": "alice"});
        let export = login.app.post("/v1/host-apps/super-app/users/export", who.clone()).await.good();
        assert_eq!(export["mini_apps"][0]["has_union_id"], true, "{export}");
        assert!(!export.to_string().contains(&union));
        let events = scene.admin.get("/v1/events?mini_app=coffee&limit=1000").await.good();
        let told: Vec<_> = events["items"].as_array().unwrap().iter().filter(|event| event["type"] == "union_id.set").collect();
        assert_eq!((told.len(), &told[0]["data"]), (1, &json!({"mini_app": "coffee", "on": true})));
        let pool = host.pool().await;
        let left = rows(&pool, &["mini_app_user", "sign_on", "oidc_code", "oidc_token", "event", "idempotency"]).await.join("\n");
        assert!(!left.contains(&union), "it is not stored");
        pool.close().await;
        turn("coffee", false).await;
        assert_eq!(session("coffee", &login.secret, "alice").await.get("union_id"), None);
        assert_eq!(user_info(host, &tokens).await.good().get("union_id"), None);
        turn("coffee", true).await;
        login.app.post("/v1/host-apps/super-app/users/erase", who).await.good();
        assert_eq!(session("coffee", &login.secret, "alice").await["union_id"], union, "as the OpenID, it is the same for ever");
    }

    async fn u14_f109_a_code_is_good_once_for_its_mini_app_address_and_verifier_within_a_minute(host) {
        let (clock, nature) = clock();
        let login = Login::set_in(host, nature).await;
        let (host, secret) = (&login.scene.host, &login.secret);
        let tea = another(&login.scene, "tea").await;
        let browser = login.log_in("coffee", "alice").await;
        let code = browser.code();
        refused(&login.exchange("tea", &tea, &code).await, 400, "invalid_grant");
        for (changes, word) in [
            (&[("code_verifier", "wrong")][..], "invalid_grant"),
            (&[("redirect_uri", PLAIN)], "invalid_grant"),
            (&[("code", "berth_authz_guess")], "invalid_grant"),
            (&[("code_verifier", "")], "invalid_request"),
            (&[("grant_type", "password")], "unsupported_grant_type"),
        ] {
            refused(&exchange_at(host, "coffee", secret, &code, changes).await, 400, word);
        }
        clock.advance_seconds(59);
        let tokens = login.tokens("coffee", secret, &code).await;
        user_info(host, &tokens).await.good();
        // Who has the code and no secret of coffee ends nothing.
        refused(&login.exchange("tea", &tea, &code).await, 400, "invalid_grant");
        user_info(host, &tokens).await.good();
        let detail = refused(&login.exchange("coffee", secret, &code).await, 400, "invalid_grant");
        assert!(detail.contains("exchanged before"), "{detail}");
        refused(&user_info(host, &tokens).await, 401, "invalid_token");
        let late = login.authorize("coffee", &[], browser.cookie.as_deref()).await.code();
        clock.advance_seconds(60);
        refused(&login.exchange("coffee", secret, &late).await, 400, "invalid_grant");
        let fresh = login.authorize("coffee", &[], browser.cookie.as_deref()).await.code();
        let tokens = login.tokens("coffee", secret, &fresh).await;
        clock.advance_seconds(3599);
        user_info(host, &tokens).await.good();
        clock.advance_seconds(1);
        refused(&user_info(host, &tokens).await, 401, "invalid_token");
    }

    async fn u14_f109_of_many_who_exchange_a_code_at_once_one_wins(host) {
        let login = Login::set(host).await;
        let beside = Arc::new(login.scene.host.beside().await);
        let code = login.log_in("coffee", "alice").await.code();
        let tries: Vec<_> = (0..32).map(|_| {
            let (host, secret, code) = (beside.clone(), login.secret.clone(), code.clone());
            tokio::spawn(async move { exchange_at(&host, "coffee", &secret, &code, &[]).await })
        }).collect();
        let mut won = Vec::new();
        for one in tries {
            let answer = one.await.unwrap();
            if answer.status == 200 { won.push(answer.json()) } else { refused(&answer, 400, "invalid_grant"); }
        }
        assert_eq!(won.len(), 1);
        refused(&user_info(&login.scene.host, &won[0]).await, 401, "invalid_token");
    }

    async fn u14_f77_of_a_sign_on_a_bounded_number_of_codes_waits_and_exchanged_ones_are_remembered(host) {
        let (clock, nature) = clock();
        let login = Login::set_in(host, nature).await;
        let (host, secret) = (&login.scene.host, &login.secret);
        let browser = login.log_in("coffee", "alice").await;
        let tokens = login.tokens("coffee", secret, &browser.code()).await;
        let mut codes = Vec::new();
        for _ in 0..22 {
            codes.push(login.authorize("coffee", &[], browser.cookie.as_deref()).await.code());
            clock.advance_seconds(1);
        }
        let pool = host.pool().await;
        assert_eq!(rows(&pool, &["oidc_code"]).await.len(), 21, "20 that wait, and the one that was exchanged");
        pool.close().await;
        refused(&login.exchange("coffee", secret, &codes[1]).await, 400, "invalid_grant");
        for kept in [&codes[2], &codes[21]] {
            login.tokens("coffee", secret, kept).await;
        }
        user_info(host, &tokens).await.good();
        refused(&login.exchange("coffee", secret, &browser.code()).await, 400, "invalid_grant");
        refused(&user_info(host, &tokens).await, 401, "invalid_token");
    }

    async fn u14_f110_an_address_asks_for_a_limited_number_of_logins(host) {
        let host = host.in_public(Nature::default()).await;
        let host = host.listening(|http| {
            http.trusted_proxy = vec!["127.0.0.0/8".parse().unwrap()];
            http.devices.per_address = "2/1h".parse().unwrap();
        }).await;
        let ask_from = async |address: &str, request: reqwest::RequestBuilder| {
            Answer::of(request.header("X-Forwarded-For", address), "authorize".into()).await
        };
        let at = format!("{}/oidc/authorize?client_id=coffee", host.url);
        let form = || http().post(&at).header("content-type", "application/x-www-form-urlencoded").body("client_id=coffee");
        assert_eq!(ask_from("203.0.113.7", http().get(&at)).await.status, 400);
        assert_eq!(ask_from("203.0.113.7", form()).await.status, 400);
        for request in [http().get(&at), form()] {
            let shown = ask_from("203.0.113.7", request).await;
            assert_eq!((shown.status, shown.header("content-type")), (429, "text/html; charset=utf-8"));
            let wait: u64 = shown.header("retry-after").parse().unwrap();
            assert!((1..=1800).contains(&wait), "{wait}");
        }
        assert_eq!(ask_from("203.0.113.8", http().get(&at)).await.status, 400, "others are not concerned");
    }

    async fn u15_f86_a_frozen_and_a_reset_app_secret_end_what_came_from_it_on_every_host(host) {
        let login = Login::set(host).await;
        let (scene, secret) = (&login.scene, &login.secret);
        let (beside, browser) = (scene.host.beside().await, login.log_in("coffee", "alice").await);
        let code = browser.code();
        let wrong = login.exchange("coffee", "berth_secret_guess", &code).await;
        refused(&wrong, 401, "invalid_client");
        assert!(wrong.header("www-authenticate").starts_with("Basic"));
        assert_eq!(refused(&login.exchange("nobody", secret, &code).await, 401, "invalid_client"), text(&wrong.json()["error_description"]));
        let form = [("client_id", "coffee"), ("client_secret", secret.as_str())];
        let posted = http().post(format!("{}/oidc/token", beside.url)).header("content-type", "application/x-www-form-urlencoded");
        let all = form.into_iter().chain([("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", BACK), ("code_verifier", VERIFIER)]);
        let body = Url::parse_with_params("http://x/", all).unwrap().query().unwrap().to_owned();
        let tokens = Answer::of(posted.body(body), "exchange by post".into()).await.good();
        user_info(&beside, &tokens).await.good();
        let waits = login.authorize("coffee", &[], browser.cookie.as_deref()).await.code();
        scene.admin.post("/v1/mini-apps/coffee/secret/freeze", json!({})).await.good();
        for host in [&scene.host, &beside] {
            let detail = refused(&exchange_at(host, "coffee", secret, &waits, &[]).await, 401, "invalid_client");
            assert!(detail.contains("frozen"), "{detail}");
            refused(&user_info(host, &tokens).await, 401, "invalid_token");
        }
        scene.admin.post("/v1/mini-apps/coffee/secret/unfreeze", json!(null)).await.good();
        refused(&user_info(&beside, &tokens).await, 401, "invalid_token");
        let again = login.tokens("coffee", secret, &waits).await;
        let new = text(&scene.admin.post("/v1/mini-apps/coffee/secret/reset", json!(null)).await.good()["secret"]);
        refused(&user_info(&beside, &again).await, 401, "invalid_token");
        let code = login.authorize("coffee", &[], browser.cookie.as_deref()).await.code();
        refused(&login.exchange("coffee", secret, &code).await, 401, "invalid_client");
        login.tokens("coffee", &new, &code).await;
        let json = scene.host.anonymous().post("/oidc/token", json!({"grant_type": "authorization_code"})).await;
        assert!(refused(&json, 400, "invalid_request").contains("form"));
    }

    async fn u16_another_key_signs_and_the_former_one_is_served_until_its_tokens_have_ended(host) {
        let (clock, nature) = clock();
        let login = Login::set_in(host, nature).await;
        let host = &login.scene.host;
        let kids = async || {
            let jwks = host.anonymous().get("/oidc/jwks").await.good();
            jwks["keys"].as_array().unwrap().iter().map(|key| text(&key["kid"])).collect::<Vec<_>>()
        };
        let kid = |tokens: &Value| {
            let header = text(&tokens["id_token"]).split('.').next().unwrap().to_owned();
            serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
        };
        let first = kids().await;
        assert_eq!((first.len(), kids().await), (1, first.clone()), "made once");
        let browser = login.log_in("coffee", "alice").await;
        let tokens = login.tokens("coffee", &login.secret, &browser.code()).await;
        assert_eq!((&kid(&tokens)["kid"], &kid(&tokens)["alg"]), (&json!(first[0]), &json!("ES256")));
        let rotated = berth_work::oidc::rotate_key(&host.app.db, false).await.unwrap();
        assert_eq!((kids().await, rotated.former.as_ref()), (vec![rotated.kid.clone(), first[0].clone()], Some(&first[0])));
        let next = login.authorize("coffee", &[], browser.cookie.as_deref()).await;
        assert_eq!(kid(&login.tokens("coffee", &login.secret, &next.code()).await)["kid"], rotated.kid);
        clock.advance_seconds(12 * 3600);
        assert_eq!(kids().await, std::slice::from_ref(&rotated.kid));
        let last = berth_work::oidc::rotate_key(&host.app.db, true).await.unwrap();
        assert_eq!(kids().await, [last.kid], "at once");
        let events = login.scene.admin.get("/v1/events?limit=1000").await.good()["items"].clone();
        let told = events.as_array().unwrap().iter().filter(|event| event["type"] == "oidc.key_rotated").count();
        assert_eq!(told, 2);
    }

    async fn u17_a_logout_ends_the_sign_on_and_what_came_from_it(host) {
        let login = Login::set(host).await;
        let (url, secret) = (format!("{}/oidc/end-session", login.scene.host.url), &login.secret);
        let browser = login.log_in("coffee", "alice").await;
        let tokens = login.tokens("coffee", secret, &browser.code()).await;
        let waits = login.authorize("coffee", &[], browser.cookie.as_deref()).await.code();
        let hint = text(&tokens["id_token"]);
        let out = async |pairs: &[(&str, &str)]| {
            visit(http().get(Url::parse_with_params(&url, pairs).unwrap()), browser.cookie.as_deref()).await
        };
        // Any page can send a browser here: nothing ends by that.
        let bob = login.log_in("coffee", "bob").await;
        let foreign = text(&login.tokens("coffee", secret, &bob.code()).await["id_token"]);
        for pairs in [&[][..], &[("client_id", "coffee")], &[("id_token_hint", "x.y.z")], &[("id_token_hint", &foreign)], &[("confirmed", "yes")]] {
            let asked = out(pairs).await;
            assert!(asked.status == 200 && asked.page.contains("<form method=\"post\""), "{pairs:?} {}", asked.page);
        }
        let elsewhere = out(&[("id_token_hint", &hint), ("post_logout_redirect_uri", "https://evil.example.com/")]).await;
        assert!(elsewhere.status == 400 && elsewhere.to.is_none());
        assert_eq!(out(&[("id_token_hint", &hint), ("client_id", "tea")]).await.status, 400);
        user_info(&login.scene.host, &tokens).await.good();
        let done = out(&[("id_token_hint", &hint), ("post_logout_redirect_uri", AFTER), ("state", "bye")]).await;
        assert_eq!((done.status, done.to.unwrap().as_str()), (303, "https://shop.example.com/bye?state=bye"));
        assert_eq!(done.cookie.as_deref(), Some("berth-sign-on="));
        assert_eq!(login.authorize("coffee", &[], browser.cookie.as_deref()).await.error(), "login_required");
        refused(&user_info(&login.scene.host, &tokens).await, 401, "invalid_token");
        refused(&login.exchange("coffee", secret, &waits).await, 400, "invalid_grant");
        // By the button of the page.
        let own = login.scene.host.url.as_str();
        let press = |headers: &[(&str, &str)]| {
            let form = http().post(&url).header("content-type", "application/x-www-form-urlencoded").body("confirmed=yes");
            headers.iter().fold(form, |form, (name, value)| form.header(*name, *value))
        };
        for headers in [&[][..], &[("origin", own)], &[("sec-fetch-site", "same-origin"), ("origin", own)]] {
            let carol = login.log_in("coffee", "carol").await;
            let done = visit(press(headers), carol.cookie.as_deref()).await;
            assert!(done.status == 200 && done.page.contains("You are logged out"), "{headers:?} {}", done.page);
            assert_eq!(login.authorize("coffee", &[], carol.cookie.as_deref()).await.error(), "login_required");
        }
        // The page of a neighbour, whose forms bring the cookie, too, presses no button.
        for headers in [
            &[("origin", "https://wiki.berth.example")][..],
            &[("origin", "null")],
            &[("sec-fetch-site", "same-site"), ("origin", own)],
            &[("sec-fetch-site", "cross-site")],
        ] {
            let asked = visit(press(headers), bob.cookie.as_deref()).await;
            assert!(asked.status == 200 && asked.page.contains("Log out?"), "{headers:?} {}", asked.page);
        }
        login.authorize("coffee", &[], bob.cookie.as_deref()).await.code();
    }

    async fn u18_the_host_app_ends_the_sign_ons_of_a_user_and_exports_and_erases_them(host) {
        let login = Login::set(host).await;
        let (app, host, secret) = (&login.app, &login.scene.host, &login.secret);
        let (phone, tablet, bob) = (login.log_in("coffee", "alice").await, login.log_in("coffee", "alice").await, login.log_in("coffee", "bob").await);
        let tokens = login.tokens("coffee", secret, &phone.code()).await;
        let export = app.post("/v1/host-apps/super-app/users/export", json!({"account": "alice"})).await.good();
        assert_eq!(export["sign_ons"].as_array().unwrap().len(), 2);
        assert!(export["mini_apps"][0]["logged_in_at"].is_string() && export["mini_apps"][0]["has_session"] == false, "{export}");
        assert!(!export.to_string().contains("berth_"));
        let (unused, bobs) = (login.login_code("coffee", "alice").await, login.login_code("coffee", "bob").await);
        let ended = app.post("/v1/host-apps/super-app/sign-ons/end", json!({"account": "alice"})).await.good();
        assert_eq!(ended, json!({"ended": 2}));
        assert_eq!(login.authorize("coffee", &[("login_code", &unused)], None).await.error(), "login_required");
        let body = json!({"mini_app": "coffee", "secret": secret, "code": bobs});
        host.anonymous().post("/v1/session", body).await.good();
        for gone in [&phone, &tablet] {
            assert_eq!(login.authorize("coffee", &[], gone.cookie.as_deref()).await.error(), "login_required");
        }
        refused(&user_info(host, &tokens).await, 401, "invalid_token");
        let tokens = login.tokens("coffee", secret, &bob.code()).await;
        let waits = login.authorize("coffee", &[], bob.cookie.as_deref()).await.code();
        let erased = app.post("/v1/host-apps/super-app/users/erase", json!({"account": "bob"})).await.good();
        assert_eq!((&erased["sign_ons"], &erased["mini_apps"]), (&json!(4), &json!(["coffee"])), "a sign-on, two codes and a token");
        refused(&user_info(host, &tokens).await, 401, "invalid_token");
        refused(&login.exchange("coffee", secret, &waits).await, 400, "invalid_grant");
        assert_eq!(login.authorize("coffee", &[], bob.cookie.as_deref()).await.error(), "login_required");
        let pool = host.pool().await;
        let left = rows(&pool, &["sign_on", "oidc_code", "oidc_token", "mini_app_user"]).await.join("\n");
        assert!(!left.contains("bob"), "{left}");
        pool.close().await;
    }

    async fn i8_a_login_leaves_no_code_token_cookie_or_open_id_behind(host) {
        let login = Login::set(host).await;
        let login_code = login.login_code("coffee", "alice").await;
        let browser = login.authorize("coffee", &[("login_code", &login_code)], None).await;
        let code = browser.code();
        let tokens = login.tokens("coffee", &login.secret, &code).await;
        let waits = login.authorize("coffee", &[], browser.cookie.as_deref()).await.code();
        let pool = login.scene.host.pool().await;
        let mut left = rows(&pool, &["oidc_client", "sign_on", "oidc_code", "oidc_token", "oidc_key", "mini_app_user", "event", "idempotency"]).await.join("\n");
        pool.close().await;
        assert!(left.contains("alice") && left.contains("v1."), "the tables were read");
        left += &login.scene.admin.get("/v1/events?limit=1000").await.good().to_string();
        for file in ["berth.db", "berth.db-wal"] {
            left += &String::from_utf8_lossy(&std::fs::read(login.scene.host.folder().join(file)).unwrap_or_default());
        }
        let secret = browser.cookie().split_once('=').unwrap().1.to_owned();
        let secrets = [login_code, code, waits, secret, text(&tokens["access_token"]), text(&tokens["id_token"]), text(&claims(&tokens)["sub"]), VERIFIER.into()];
        for (place, secret) in secrets.iter().enumerate() {
            assert!(!left.contains(secret.as_str()), "secret {place} is left");
        }
    }
}

/// The log is that of a process of its own, which logs all it can.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i8_a_login_leaves_no_secret_in_the_log_and_an_admin_rotates_the_key() {
    let mut installation = Installation::new(Database::Sqlite).await;
    installation.environment.push(("BERTH_LOG".into(), "trace".into()));
    installation.environment.push(("BERTH_PUBLIC_URL".into(), "https://berth.example/".into()));
    let process = installation.start().await;
    let admin = installation.admin(&process);
    let team = text(&admin.post("/v1/teams", json!({"name": "Team"})).await.good()["id"]);
    admin.post("/v1/mini-apps", json!({"name": "Coffee", "id": "coffee", "team": team})).await.good();
    admin.post("/v1/host-apps", json!({"name": "Super", "id": "super-app"})).await.good();
    admin.put("/v1/host-apps/super-app/bindings/coffee", json!(null)).await.good();
    admin.put("/v1/mini-apps/coffee/oidc-client", json!({"redirect_uris": [BACK]})).await.good();
    let secret = text(&admin.post("/v1/mini-apps/coffee/secret", json!(null)).await.good()["secret"]);
    let ask = json!({"mini_app": "coffee", "account": "alice"});
    let login_code = text(&admin.post("/v1/host-apps/super-app/login-codes", ask).await.good()["code"]);
    let form = [
        ("client_id", "coffee"),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "state-canary"),
        ("nonce", "nonce-canary"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let query = Url::parse_with_params("http://x/", form).unwrap().query().unwrap().to_owned();
    let request = admin.request("GET", &format!("/oidc/authorize?{query}")).header("x-login-code", &login_code);
    let browser = visit(request, None).await;
    assert!(browser.cookie().starts_with("__Host-berth-sign-on="), "the host is reached by https");
    let code = browser.code();
    let exchange = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", BACK),
        ("code_verifier", VERIFIER),
        ("client_id", "coffee"),
        ("client_secret", &secret),
    ];
    let mut said = Vec::new();
    for _ in 0..2 {
        let body = Url::parse_with_params("http://x/", exchange).unwrap().query().unwrap().to_owned();
        let request = http().post(admin.request("POST", "/oidc/token").build().unwrap().url().clone());
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        said.push(Answer::of(request, "exchange".into()).await);
    }
    let tokens = said[0].good();
    refused(&said[1], 400, "invalid_grant");
    let rotated = installation.command(&["admin", "rotate-oidc-key", "--json"]).output().await.unwrap();
    let rotated: Value = serde_json::from_slice(&rotated.stdout).unwrap();
    let served = admin.get("/oidc/jwks").await.good();
    assert_eq!((&served["keys"][0]["kid"], &served["keys"][1]["kid"]), (&rotated["kid"], &rotated["former"]));
    process.terminate();
    assert!(process.ended().await.0, "{}", installation.said());
    let log = installation.said();
    assert!(log.contains("oidc.exchange"), "the log is talkative");
    let cookie = browser.cookie().split_once('=').unwrap().1.to_owned();
    let (access, sub) = (text(&tokens["access_token"]), text(&claims(&tokens)["sub"]));
    for (place, secret) in
        [login_code, code, cookie, access, text(&tokens["id_token"]), sub, secret, VERIFIER.into()].iter().enumerate()
    {
        assert!(!log.contains(secret.as_str()), "secret {place} is in the log");
    }
}

/// Lets the library openid-client log a user in.
async fn relying(modules: &str, login: &Login, changes: Value) -> Value {
    let mut asked =
        json!({"issuer": login.scene.host.url, "client_id": "coffee", "secret": login.secret, "redirect_uri": PLAIN});
    asked.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    run_node(modules, "openid-client.cjs", &asked).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u2_f109_the_library_openid_client_logs_users_in_unmodified() {
    let Some(modules) = there_is("BERTH_TEST_NODE_MODULES") else { return };
    let login = Login::set(Host::start(Database::Sqlite).await).await;
    let tea = another(&login.scene, "tea").await;
    let ask = async |changes: Value| relying(&modules, &login, changes).await;
    let vouched = async |account: &str| json!({"login_code": login.login_code("coffee", account).await});

    let first = ask(vouched("alice").await).await;
    let alice = login.open_id("coffee", &login.secret, "alice").await;
    assert_eq!((&first["claims"]["sub"], &first["user"]["sub"]), (&json!(alice), &json!(alice)), "{first}");
    let silent = json!({"client_id": "tea", "secret": tea, "method": "post", "browser": first["browser"], "authorize": {"prompt": "none", "max_age": 600}});
    let silent = ask(silent).await;
    assert_eq!(silent["claims"]["sub"], login.open_id("tea", &tea, "alice").await, "{silent}");

    for (changes, error, code) in [
        (json!({"authorize": {"prompt": "none"}}), "login_required", "OAUTH_AUTHORIZATION_RESPONSE_ERROR"),
        (
            json!({"login_code": login.login_code("coffee", "bob").await, "verifier": "v".repeat(43)}),
            "invalid_grant",
            "OAUTH_RESPONSE_BODY_ERROR",
        ),
        (
            json!({"browser": first["browser"], "client_id": "tea", "secret": login.secret}),
            "",
            "OAUTH_WWW_AUTHENTICATE_CHALLENGE",
        ),
        (json!({"browser": first["browser"], "redirect_uri": "https://evil.example.com/"}), "page", ""),
        (
            json!({"browser": first["browser"], "authorize": {"code_challenge_method": "plain"}}),
            "invalid_request",
            "OAUTH_AUTHORIZATION_RESPONSE_ERROR",
        ),
    ] {
        let said = ask(changes.clone()).await["failed"].clone();
        assert!(error.is_empty() || said["error"] == error, "{changes} {said}");
        assert!(code.is_empty() || said["code"] == code, "{changes} {said}");
    }
    let said = ask(json!({"browser": first["browser"], "nonce": "another"})).await;
    assert_eq!(said["failed"]["code"], "OAUTH_JWT_CLAIM_COMPARISON_FAILED", "the library compares the nonce: {said}");

    let left = ask(json!({"browser": first["browser"], "logout": AFTER})).await;
    assert_eq!(
        (&left["logout"]["status"], &left["logout"]["to"]),
        (&json!(303), &json!(format!("{AFTER}?state=bye"))),
        "{left}"
    );
    let said = ask(json!({"browser": first["browser"]})).await;
    assert_eq!(said["failed"]["error"], "login_required");

    login.scene.admin.post("/v1/mini-apps/coffee/secret/freeze", json!({})).await.good();
    let said = ask(vouched("alice").await).await;
    assert_eq!(
        (&said["failed"]["code"], &said["failed"]["status"]),
        (&json!("OAUTH_WWW_AUTHENTICATE_CHALLENGE"), &json!(401)),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u16_clocks_that_differ_by_less_than_a_client_tolerates_do_no_harm() {
    let Some(modules) = there_is("BERTH_TEST_NODE_MODULES") else { return };
    let (clock, nature) = clock();
    let login = Login::set_in(Host::start(Database::Sqlite).await, nature).await;
    let ask = async |tolerance: i64| {
        let code = login.login_code("coffee", "alice").await;
        relying(&modules, &login, json!({"tolerance": tolerance, "login_code": code, "authorize": {"max_age": 60}}))
            .await
    };
    // This host is behind by an hour and ten seconds: what it signs has ended for others.
    clock.advance_seconds(-3610);
    assert_eq!(ask(0).await["failed"]["code"], "OAUTH_JWT_TIMESTAMP_CHECK_FAILED");
    // By ten seconds: nothing is noticed.
    clock.advance_seconds(3600);
    assert!(ask(0).await["claims"]["sub"].is_string());
    // Ahead by ten seconds.
    clock.advance_seconds(20);
    assert!(ask(30).await["claims"]["sub"].is_string());
}
