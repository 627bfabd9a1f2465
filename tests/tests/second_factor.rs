//! A second factor: codes of an app, and recovery codes (P14, P15, P20, P22).

use berth_base::clock::{ManualClock, Nature};
use berth_model::access::RequireSecondFactor;
use berth_tests::{Answer, Api, Host, authenticator, browser::Browser, clock, on_both, scene::text};
use berth_work::config::Config;
use serde_json::{Value, json};

use crate::keys::rows;

const PASSWORD: &str = "canary pony pile";
const FACTOR: &str = "/v1/me/second-factor";

/// Ann, who has a password, and the time that her phone shows.
struct Ann {
    host: Host,
    clock: ManualClock,
    nature: Nature,
    account: String,
    secret: String,
    api: Api,
}

impl Ann {
    async fn come(host: Host) -> Self {
        let (clock, nature) = clock();
        let host = host.again_in(nature.clone(), |_| ()).await;
        let issued = host.admin().post("/v1/invitations", json!({"name": "Ann"})).await.good();
        let accept = json!({"code": issued["code"], "sign_in_name": "ann", "password": PASSWORD});
        let started = host.anonymous().post("/v1/invitations/accept", accept).await.good();
        let secret = text(&started["secret"]);
        let api = host.with_token(&secret);
        Self { account: text(&issued["invitation"]["account"]), host, clock, nature, secret, api }
    }

    /// After a restart of the host with changed settings.
    async fn again(self, change: impl FnOnce(&mut Config)) -> Self {
        let host = self.host.again_in(self.nature.clone(), change).await;
        let api = host.with_token(&self.secret);
        Self { host, api, ..self }
    }

    fn code(&self, key: &str) -> String {
        authenticator::code(key, self.host.app.db.now().0 / 1000)
    }

    /// Turns the second factor on. Returns the key and the recovery codes.
    async fn turn_on(&self) -> (String, Vec<String>) {
        let begun = self.api.post(FACTOR, json!({"password": PASSWORD})).await.good();
        let key = text(&begun["secret"]);
        let codes = self.api.post(&format!("{FACTOR}/confirm"), json!({"code": self.code(&key)})).await.good();
        (key, codes["recovery_codes"].as_array().unwrap().iter().map(text).collect())
    }

    async fn sign_in(&self, more: Value) -> Answer {
        let mut body = json!({"sign_in_name": "ann", "password": PASSWORD});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.host.anonymous().post("/v1/sessions", body).await
    }

    async fn told(&self, kind: &str) -> Vec<Value> {
        let events = self.host.admin().get("/v1/events?limit=1000").await.good();
        events["items"].as_array().unwrap().iter().filter(|one| one["type"] == kind).cloned().collect()
    }
}

on_both! {
    async fn p14_p4_signing_in_takes_a_code_that_is_good_once(host) {
        let ann = Ann::come(host).await;
        ann.api.get(FACTOR).await.refused("not-found");
        ann.api.post(FACTOR, json!({"password": "canary another pile"})).await.refused("wrong-credentials");
        let begun = ann.api.post(FACTOR, json!({"password": PASSWORD})).await;
        assert_eq!((begun.status, begun.header("cache-control")), (201, "no-store"));
        let begun = begun.good();
        let key = text(&begun["secret"]);
        assert!(text(&begun["uri"]).starts_with("otpauth://totp/Berth%20") && text(&begun["uri"]).contains(&key), "{begun}");
        // Nothing is asked for until the app has shown that it has the key.
        ann.sign_in(json!({})).await.good();
        ann.api.get(FACTOR).await.refused("not-found");
        let confirm = async |code: &str| ann.api.post(&format!("{FACTOR}/confirm"), json!({"code": code})).await;
        confirm("000000").await.refused("wrong-credentials");
        let first = ann.code(&key);
        confirm(&first).await.good();
        confirm(&first).await.refused("second-factor-exists");
        ann.api.post(FACTOR, json!({"password": PASSWORD})).await.refused("second-factor-exists");
        assert_eq!(ann.api.get(FACTOR).await.good()["recovery_codes"], 10);

        let refused = ann.sign_in(json!({})).await.refused("second-factor-required");
        ann.sign_in(json!({"password": "canary another pile", "code": first})).await.refused("wrong-credentials");
        ann.sign_in(json!({"code": first})).await.refused("wrong-credentials");
        ann.clock.advance_seconds(30);
        let second = ann.code(&key);
        ann.sign_in(json!({"code": format!(" {} {}", &second[..3], &second[3..])})).await.good();
        ann.sign_in(json!({"code": second})).await.refused("wrong-credentials");
        ann.clock.advance_seconds(300);
        ann.sign_in(json!({"code": second})).await.refused("wrong-credentials");

        // The sign-in goes on by the ticket, for five minutes.
        let go_on = async |ticket: &Value, code: &str| {
            ann.host.anonymous().post("/v1/sessions", json!({"ticket": ticket, "code": code})).await
        };
        let late = go_on(&refused["ticket"], &ann.code(&key)).await.refused("invalid-field");
        assert_eq!(late["pointer"], "/ticket");
        let ticket = ann.sign_in(json!({})).await.refused("second-factor-required")["ticket"].clone();
        go_on(&json!("v1.guess.guess"), &ann.code(&key)).await.refused("invalid-field");
        go_on(&ticket, "000000").await.refused("wrong-credentials");
        let started = go_on(&ticket, &ann.code(&key)).await.good();
        assert_eq!(started["session"]["account"], json!(ann.account));
        go_on(&ticket, &ann.code(&key)).await.refused("wrong-credentials");
        ann.host.anonymous().post("/v1/sessions", json!({"ticket": ticket})).await.refused("invalid-field");
        ann.sign_in(json!({"ticket": ticket, "code": second})).await.refused("invalid-field");
        let change = json!({"current": PASSWORD, "new": "canary second pile"});
        ann.api.put("/v1/me/password", change).await.good();
        ann.clock.advance_seconds(30);
        go_on(&ticket, &ann.code(&key)).await.refused("invalid-field");
        assert_eq!(ann.told("second_factor.set_up").await.len(), 1);
    }

    async fn p14_f84_of_many_who_use_a_code_at_once_one_gets_in(host) {
        let ann = Ann::come(host).await;
        let (key, recovery) = ann.turn_on().await;
        ann.clock.advance_seconds(30);
        for code in [ann.code(&key), recovery[0].clone()] {
            let tries = (0..4).map(async |_| ann.sign_in(json!({"code": code})).await.status);
            let mut answers = futures_util::future::join_all(tries).await;
            answers.sort_unstable();
            assert_eq!(answers, [201, 401, 401, 401]);
        }
    }

    async fn p14_p4_wrong_codes_are_counted_like_wrong_passwords(host) {
        let ann = Ann::come(host).await;
        let (_, recovery) = ann.turn_on().await;
        let host = ann.host.listening(|http| http.devices.name_tries = "4/1h".parse().unwrap()).await;
        let nobody = host.anonymous();
        let with = |code: &str| json!({"sign_in_name": "ann", "password": PASSWORD, "code": code});
        let ticket = nobody.post("/v1/sessions", json!({"sign_in_name": "Ann", "password": PASSWORD})).await;
        let ticket = ticket.refused("second-factor-required")["ticket"].clone();
        for _ in 0..2 {
            nobody.post("/v1/sessions", with("000000")).await.refused("wrong-credentials");
            nobody.post("/v1/sessions", json!({"ticket": ticket, "code": "000000"})).await.refused("wrong-credentials");
        }
        nobody.post("/v1/sessions", with(&recovery[0])).await.refused("too-many-requests");
        nobody.post("/v1/sessions", json!({"ticket": ticket, "code": recovery[0]})).await.refused("too-many-requests");
    }

    async fn p15_a_recovery_code_gets_in_once_and_a_session_alone_removes_nothing(host) {
        let ann = Ann::come(host).await;
        let (key, recovery) = ann.turn_on().await;
        ann.sign_in(json!({"code": recovery[3].to_uppercase().replace('-', " ")})).await.good();
        ann.sign_in(json!({"code": recovery[3]})).await.refused("wrong-credentials");
        assert_eq!(ann.api.get(FACTOR).await.good()["recovery_codes"], 9);
        assert_eq!(ann.told("recovery_code.used").await[0]["data"]["left"], 9);
        let remove = async |body: Value| ann.api.post(&format!("{FACTOR}/remove"), body).await;
        remove(json!({})).await.refused("invalid-field");
        remove(json!({"code": recovery[3]})).await.refused("wrong-credentials");
        remove(json!({"password": "canary another pile"})).await.refused("wrong-credentials");
        let narrow = ann.api.post("/v1/tokens", json!({"name": "n", "scopes": ["read", "manage"]})).await.good();
        let narrow = ann.host.with_token(&text(&narrow["secret"]));
        narrow.post(&format!("{FACTOR}/remove"), json!({"code": recovery[4]})).await.refused("missing-grant");
        narrow.post(FACTOR, json!({"password": PASSWORD})).await.refused("missing-grant");
        for proof in [json!({"code": recovery[4]}), json!({"password": PASSWORD})] {
            remove(proof).await.good();
            remove(json!({"password": PASSWORD})).await.refused("not-found");
            ann.sign_in(json!({})).await.good();
            ann.turn_on().await;
        }
        ann.sign_in(json!({"code": recovery[5]})).await.refused("wrong-credentials");
        ann.sign_in(json!({"code": ann.code(&key)})).await.refused("wrong-credentials");
        assert_eq!(ann.told("second_factor.removed").await.len(), 2);
    }

    async fn p15_an_admin_of_the_platform_removes_what_somebody_has_lost(host) {
        let ann = Ann::come(host).await;
        ann.turn_on().await;
        let path = format!("/v1/accounts/{}/second-factor", ann.account);
        ann.api.delete(&path).await.refused("missing-grant");
        let admin = ann.host.admin();
        admin.delete(&path).await.good();
        admin.delete(&path).await.refused("not-found");
        ann.sign_in(json!({})).await.good();
        let (me, _) = ann.host.somebody("bob").await;
        admin.delete(&format!("/v1/accounts/{me}/second-factor")).await.refused("not-found");
        // Who has no password is asked for no code.
        let (_, bob) = ann.host.somebody("bob").await;
        bob.post(FACTOR, json!({"password": PASSWORD})).await.refused("no-password");
    }

    async fn p14_p15_a_person_turns_it_on_and_signs_in_by_pages(host) {
        let mut ann = Ann::come(host).await;
        let browser = Browser::new(&ann.host);
        let credentials = [("sign_in_name", "ann"), ("password", PASSWORD), ("back", "/ui/me")];
        assert_eq!(browser.send("/ui/sign-in", &credentials).await.address, "/ui/me");
        let page = browser.get("/ui/me/second-factor").await;
        assert!(page.says("It is off.") && page.faults().is_empty(), "{:?}", page.faults());
        let page = browser.send("/ui/me/second-factor", &[("password", "canary another pile")]).await;
        assert!(page.says("The sign-in name or the password is wrong") && page.says("It is off."), "{}", page.html);
        let page = browser.send("/ui/me/second-factor", &[("password", PASSWORD)]).await;
        assert!(page.html.contains("<svg class=\"qr\"") && page.faults().is_empty(), "{:?}", page.faults());
        let key = page.html.split("<code id=\"key\">").nth(1).unwrap()[..32].to_owned();
        let page = browser.send("/ui/me/second-factor/confirm", &[("code", "000000")]).await;
        assert!(page.says("The code is wrong") && !page.html.contains(&key), "{}", page.html);
        let page = browser.send("/ui/me/second-factor/confirm", &[("code", &ann.code(&key))]).await;
        assert!(page.says("Recovery codes") && page.faults().is_empty(), "{:?}", page.faults());
        let recovery = page.html.split("<code id=\"codes\">").nth(1).unwrap()[..19].to_owned();
        // Whoever knew the password alone, and came in before, is out.
        ann.api.get("/v1/me").await.refused("invalid-token");
        browser.send("/ui/sign-out", &[]).await;

        ann.clock.advance_seconds(30);
        let page = browser.send("/ui/sign-in", &credentials).await;
        assert!(page.says("Enter the code") && !page.html.contains(PASSWORD) && page.faults().is_empty(), "{:?}", page.faults());
        let ticket = page.html.split("name=\"ticket\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let send = async |code: &str| {
            browser.send("/ui/sign-in", &[("ticket", &ticket), ("back", "/ui/me"), ("code", code)]).await
        };
        let page = send("000000").await;
        assert!(page.says("The code is wrong") && page.html.contains(&ticket), "{}", page.html);
        let page = send(&ann.code(&key)).await;
        assert_eq!(page.address, "/ui/me");
        ann.clock.advance_seconds(300);
        let page = send(&ann.code(&key)).await;
        assert!(page.says("With your name and password") && page.says("is not good any more"), "{}", page.html);
        let page = browser.send("/ui/me/second-factor/remove", &[("password", ""), ("code", &recovery)]).await;
        assert!(page.says("Two-step sign-in is off.") && page.says("It is off."), "{}", page.html);
        ann.api = ann.host.with_token(&text(&ann.sign_in(json!({})).await.good()["secret"]));
        ann.turn_on().await;
        let admin = Browser::signed_in(&ann.host, &ann.host.admin_token).await;
        let address = format!("/ui/accounts/{}/second-factor", ann.account);
        let account = format!("/ui/accounts/{}", ann.account);
        assert!(admin.get("/ui/accounts").await.links().contains(&account));
        let page = admin.get(&account).await;
        assert!(page.links().contains(&address) && page.says("It is on since") && page.faults().is_empty(), "{:?}", page.faults());
        let page = admin.get(&address).await;
        assert!(page.says("signs in without a code") && page.faults().is_empty(), "{:?}", page.faults());
        assert!(admin.send(&address, &[]).await.says("Two-step sign-in is off."));
        ann.sign_in(json!({})).await.good();
    }

    async fn i8_p14_p15_neither_keys_nor_codes_are_in_the_database_or_in_events(host) {
        let ann = Ann::come(host).await;
        let (key, recovery) = ann.turn_on().await;
        ann.sign_in(json!({"code": recovery[0]})).await.good();
        let mut left = ann.host.admin().get("/v1/events?limit=1000").await.good().to_string();
        let pool = ann.host.pool().await;
        left.extend(rows(&pool, &["second_factor", "recovery_code", "event", "idempotency"]).await);
        pool.close().await;
        assert!(left.contains(&ann.account), "the tables were read");
        for secret in recovery.iter().chain([&key]) {
            assert!(!left.contains(secret) && !left.contains(&secret.replace('-', "")), "{secret} is left");
        }
    }

    async fn p20_wrong_codes_are_counted_with_the_account_and_are_acts(host) {
        let ann = Ann::come(host).await;
        let (key, recovery) = ann.turn_on().await;
        for _ in 0..4 {
            ann.sign_in(json!({"code": "000000"})).await.refused("wrong-credentials");
        }
        // Who does not know the password is nobody: that neither counts here nor is in the log.
        let guess = json!({"password": "canary another pile", "code": "000000"});
        ann.sign_in(guess).await.refused("wrong-credentials");
        // A host that was started since, or another one, goes on counting.
        let ann = ann.again(|_| ()).await;
        let remove = async |code: &str| ann.api.post(&format!("{FACTOR}/remove"), json!({"code": code})).await;
        for _ in 0..6 {
            remove("wrong-wrong").await.refused("wrong-credentials");
        }
        for code in [ann.code(&key), recovery[0].clone()] {
            let answer = ann.sign_in(json!({"code": code})).await;
            assert_eq!(answer.header("retry-after"), "864");
            answer.refused("too-many-requests");
            remove(&code).await.refused("too-many-requests");
        }
        ann.clock.advance_seconds(864);
        ann.sign_in(json!({"code": recovery[0]})).await.good();

        let asked = format!("/v1/acts?actor={}&outcome=refused&operation=access.start", ann.account);
        let tried = ann.api.get(&asked).await.good()["items"].as_array().unwrap().clone();
        assert_eq!(tried.len(), 4);
        assert_eq!((&tried[0]["refused"], &tried[0]["address"]), (&json!("wrong-credentials"), &json!("127.0.0.1")));
        assert_eq!((&tried[0]["path"], tried[0].get("token")), (&json!("/v1/sessions"), None));
        let one = format!("/v1/acts/{}", text(&tried[0]["id"]));
        assert_eq!(ann.host.admin().get(&one).await.good(), ann.api.get(&one).await.good());
        // They are nobody else's.
        let (_, bob) = ann.host.somebody("bob").await;
        bob.get(&asked).await.refused("missing-grant");
        bob.get(&one).await.refused("not-found");
    }

    async fn p22_who_has_to_have_a_second_factor_does_nothing_before(host) {
        let require = |which| move |config: &mut Config| config.sessions.require_second_factor = which;
        let ann = Ann::come(host).await.again(require(RequireSecondFactor::All)).await;
        let host = &ann.host;
        let credentials = json!({"sign_in_name": "ann", "password": PASSWORD});
        let started = host.anonymous().post("/v1/sessions", credentials.clone()).await.good();
        let api = host.with_token(&text(&started["secret"]));
        assert_eq!(api.get("/v1/me").await.good()["owes_second_factor"], true);
        for path in ["/v1/teams", "/v1/sessions", "/v1/tokens", "/v1/waiting", "/v1/me/provider-link"] {
            api.get(path).await.refused("second-factor-owed");
        }
        api.post("/v1/tokens", json!({"name": "t"})).await.refused("second-factor-owed");
        api.post("/v1/teams", json!({"name": "t"})).await.refused("second-factor-owed");
        let other = host.anonymous().post("/v1/sessions", credentials.clone()).await.good();
        api.delete(&format!("/v1/sessions/{}", text(&other["session"]["id"]))).await.refused("second-factor-owed");
        api.get(FACTOR).await.refused("not-found");
        let key = text(&api.post(FACTOR, json!({"password": PASSWORD})).await.good()["secret"]);
        let code = || authenticator::code(&key, host.app.db.now().0 / 1000);
        api.post(&format!("{FACTOR}/confirm"), json!({"code": code()})).await.good();
        // The same session is good for everything from now on, and not any more once it is off.
        api.get("/v1/teams").await.good();
        assert_eq!(api.get("/v1/me").await.good().get("owes_second_factor"), None);
        ann.clock.advance_seconds(30);
        api.post(&format!("{FACTOR}/remove"), json!({"code": code()})).await.good();
        api.get("/v1/teams").await.refused("second-factor-owed");
        api.delete(&format!("/v1/sessions/{}", text(&started["session"]["id"]))).await.good();
        api.get("/v1/me").await.refused("invalid-token");
        // A token is asked for nothing, and neither is a session that it starts.
        host.admin().get("/v1/teams").await.good();
        let by_token = host.admin().post("/v1/sessions", json!({})).await.good();
        host.with_token(&text(&by_token["secret"])).get("/v1/teams").await.good();

        // Of admins alone, roles decide.
        let ann = ann.again(require(RequireSecondFactor::Admins)).await;
        let host = &ann.host;
        let api = host.with_token(&text(&host.anonymous().post("/v1/sessions", credentials).await.good()["secret"]));
        api.get("/v1/teams").await.good();
        let team = host.admin().post("/v1/teams", json!({"name": "Shop team"})).await.good();
        let path = format!("/v1/teams/{}/members/{}", text(&team["id"]), ann.account);
        host.admin().put(&path, json!({"role": "developer"})).await.good();
        api.get("/v1/teams").await.good();
        host.admin().put(&path, json!({"role": "admin"})).await.good();
        api.get("/v1/teams").await.refused("second-factor-owed");
    }

    async fn p22_p6_who_is_invited_is_led_to_set_it_up(host) {
        let (_, nature) = clock();
        let host = host.again_in(nature, |config| config.sessions.require_second_factor = RequireSecondFactor::All).await;
        let code = text(&host.admin().post("/v1/invitations", json!({"name": "Ann"})).await.good()["code"]);
        let browser = Browser::new(&host);
        let page = browser.send(&format!("/ui/invitation/{code}"), &[]).await;
        assert_eq!(page.address, "/ui/me/second-factor");
        assert!(page.says("This host requires it") && page.faults().is_empty(), "{:?}", page.faults());
        for page in ["/ui", "/ui/me", "/ui/mini-apps", "/ui/acts"] {
            assert_eq!(browser.get(page).await.address, "/ui/me/second-factor", "{page}");
        }
        let password = |new| [("sign_in_name", "ann"), ("new", new)];
        let page = browser.send("/ui/me/second-factor/password", &password("too short")).await;
        assert!(page.says("too easy to guess"), "{}", page.html);
        let page = browser.send("/ui/me/second-factor/password", &password(PASSWORD)).await;
        assert!(page.says("This host requires it") && page.posts().contains(&"/ui/me/second-factor".into()), "{}", page.html);
        let page = browser.send("/ui/me/second-factor", &[("password", PASSWORD)]).await;
        let key = page.html.split("<code id=\"key\">").nth(1).unwrap()[..32].to_owned();
        let code = authenticator::code(&key, host.app.db.now().0 / 1000);
        let page = browser.send("/ui/me/second-factor/confirm", &[("code", &code)]).await;
        assert!(page.says("Recovery codes"), "{}", page.html);
        assert_eq!(browser.get("/ui/me").await.address, "/ui/me");
        // Signing out ends the session itself.
        let session = browser.cookie("berth_session").unwrap();
        host.with_token(&session).get("/v1/me").await.good();
        browser.send("/ui/sign-out", &[]).await;
        host.with_token(&session).get("/v1/me").await.refused("invalid-token");
    }
}
