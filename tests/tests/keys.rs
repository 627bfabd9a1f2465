//! AppSecrets, server tokens, and the logins of users to MiniApps (K1–K9).

use std::collections::BTreeSet;

use berth_store::seal::{self, SecretKey};
use berth_tests::{
    Answer, Api, Database, Host, clock, on_both,
    process::Installation,
    scene::{Scene, text},
};
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};

const SECRET: &str = "/v1/mini-apps/coffee/secret";

/// The scene, the server of the host app, and the AppSecret of `coffee`.
struct Logins {
    scene: Scene,
    server: Api,
    secret: String,
}

/// Gives the server of the host app an account, and returns its token.
async fn server_of(admin: &Api, host_app: &str) -> String {
    let account = text(&admin.post("/v1/accounts", json!({"name": "server"})).await.good()["id"]);
    let token = json!({"account": account, "name": "server", "scopes": ["vouch"]});
    admin.put(&format!("/v1/host-apps/{host_app}/members/{account}"), json!({"role": "server"})).await.good();
    text(&admin.post("/v1/tokens", token).await.good()["secret"])
}

impl Logins {
    async fn set(host: Host) -> Self {
        let scene = Scene::set(host).await;
        let server = scene.host.with_token(&server_of(&scene.admin, "super-app").await);
        let secret = text(&scene.admin.post(SECRET, json!(null)).await.good()["secret"]);
        Self { scene, server, secret }
    }

    async fn code_for(&self, account: &str) -> String {
        let ask = json!({"mini_app": "coffee", "account": account});
        text(&self.server.post("/v1/host-apps/super-app/login-codes", ask).await.good()["code"])
    }

    async fn log_in(&self, account: &str) -> Value {
        let code = self.code_for(account).await;
        exchange(&self.scene.host, "coffee", &self.secret, &code).await.good()
    }

    /// What the server of `coffee` calls a host with.
    async fn server_token(&self) -> Api {
        self.scene.host.with_token(&text(&server_token(&self.scene.host, &self.secret).await.good()["token"]))
    }
}

async fn exchange(host: &Host, mini_app: &str, secret: &str, code: &str) -> Answer {
    host.anonymous().post("/v1/session", json!({"mini_app": mini_app, "secret": secret, "code": code})).await
}

async fn server_token(host: &Host, secret: &str) -> Answer {
    host.anonymous().post("/v1/server-tokens", json!({"mini_app": "coffee", "secret": secret})).await
}

/// What `POST /v1/session/check` is asked about a session.
fn question(session: &Value) -> Value {
    let (open_id, key) = (text(&session["open_id"]), text(&session["session_key"]));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(open_id.as_bytes());
    json!({"open_id": open_id, "signature": hex::encode(mac.finalize().into_bytes())})
}

async fn is_current(server: &Api, session: &Value) -> bool {
    server.post("/v1/session/check", question(session)).await.good()["current"].as_bool().unwrap()
}

/// A refusal without what differs in each answer.
fn bare(mut refusal: Value) -> Value {
    refusal.as_object_mut().unwrap().remove("request_id");
    refusal
}

on_both! {
    async fn k1_only_admins_of_the_team_see_generate_reset_freeze_and_unfreeze_an_app_secret(host) {
        let scene = Scene::set(host).await;
        let calls = [("POST", ""), ("GET", ""), ("POST", "/freeze"), ("POST", "/unfreeze"), ("POST", "/reset")];
        for role in ["viewer", "developer", "operator"] {
            let (account, somebody) = scene.host.somebody(role).await;
            scene.admin.put(&format!("/v1/teams/{}/members/{account}", scene.team), json!({"role": role})).await.good();
            for (method, step) in calls {
                let refused = somebody.send(method, &format!("{SECRET}{step}"), None).await.refused("missing-grant");
                assert!(text(&refused["detail"]).contains("the role admin"), "{refused}");
            }
        }
        let (account, boss) = scene.host.somebody("boss").await;
        boss.get(SECRET).await.refused("not-found");
        scene.admin.put(&format!("/v1/teams/{}/members/{account}", scene.team), json!({"role": "admin"})).await.good();
        let refused = boss.get(SECRET).await.refused("no-app-secret");
        assert_eq!(refused["next"], "berth secret generate coffee");
        let mut kinds = Vec::new();
        for (method, step) in calls {
            let answer = boss.send(method, &format!("{SECRET}{step}"), None).await.good();
            assert_eq!((&answer["mini_app"], &answer["issued_by"]), (&json!("coffee"), &json!(account)), "{answer}");
        }
        let refused = boss.post(SECRET, json!(null)).await.refused("app-secret-exists");
        assert_eq!(refused["next"], "berth secret reset coffee");
        for event in boss.get("/v1/events?mini_app=coffee&limit=1000").await.good()["items"].as_array().unwrap() {
            kinds.extend(Some(text(&event["type"])).filter(|kind| kind.starts_with("app_secret.")));
        }
        assert_eq!(kinds, ["app_secret.generated", "app_secret.frozen", "app_secret.unfrozen", "app_secret.reset"]);
    }

    async fn k2_an_app_secret_is_shown_once(host) {
        let scene = Scene::set(host).await;
        let request = scene.admin.request("POST", SECRET).header("Idempotency-Key", "one");
        let answer = Answer::of(request, "generate".into()).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        let issued = answer.good();
        let secret = text(&issued["secret"]);
        assert!(secret.starts_with("berth_secret_") && secret.len() == 45, "{}", secret.len());
        let request = scene.admin.request("POST", SECRET).header("Idempotency-Key", "one");
        Answer::of(request, "again".into()).await.refused("idempotency-not-kept");
        let shown = scene.admin.get(SECRET).await.good();
        assert!(shown.get("secret").is_none() && shown["state"] == "active", "{shown}");
        assert_eq!(shown["issued_at"], issued["issued_at"]);
        let events = scene.admin.get("/v1/events?limit=1000").await.good().to_string();
        assert!(!events.contains(&secret) && events.contains("app_secret.generated"));
    }

    async fn k3_f86_after_a_reset_the_old_secret_stops_at_once_on_every_host(host) {
        let logins = Logins::set(host).await;
        let beside = logins.scene.host.beside().await;
        let token = text(&server_token(&beside, &logins.secret).await.good()["token"]);
        let session = logins.log_in("alice").await;
        assert!(is_current(&beside.with_token(&token), &session).await);
        let code = logins.code_for("alice").await;
        let new = text(&logins.scene.admin.post(&format!("{SECRET}/reset"), json!(null)).await.good()["secret"]);
        for host in [&beside, &logins.scene.host] {
            server_token(host, &logins.secret).await.refused("invalid-app-secret");
            exchange(host, "coffee", &logins.secret, &code).await.refused("invalid-app-secret");
            host.with_token(&token).post("/v1/session/check", question(&session)).await.refused("invalid-server-token");
        }
        let again = exchange(&beside, "coffee", &new, &code).await.good();
        assert_eq!(again["open_id"], session["open_id"], "the code is as good as before, and the user is the same");
        server_token(&beside, &new).await.good();
    }

    async fn k4_f86_while_it_is_frozen_calls_with_it_fail_and_say_so_on_every_host(host) {
        let logins = Logins::set(host).await;
        let (beside, admin) = (logins.scene.host.beside().await, &logins.scene.admin);
        let session = logins.log_in("alice").await;
        let token = text(&server_token(&beside, &logins.secret).await.good()["token"]);
        let code = logins.code_for("alice").await;
        let frozen = admin.post(&format!("{SECRET}/freeze"), json!({"note": "it was in a log"})).await.good();
        assert_eq!((&frozen["state"], &frozen["note"]), (&json!("frozen"), &json!("it was in a log")));
        for host in [&beside, &logins.scene.host] {
            let refused = server_token(host, &logins.secret).await.refused("app-secret-frozen");
            assert!(refused["status"] == 403 && text(&refused["detail"]).contains("berth secret unfreeze coffee"), "{refused}");
            exchange(host, "coffee", &logins.secret, &code).await.refused("app-secret-frozen");
            host.with_token(&token).post("/v1/session/check", question(&session)).await.refused("app-secret-frozen");
            server_token(host, "berth_secret_guess").await.refused("invalid-app-secret");
        }
        let again = admin.post(&format!("{SECRET}/freeze"), json!({"note": "other"})).await.good();
        assert_eq!(again, frozen, "it was frozen already");
        let thawed = admin.post(&format!("{SECRET}/unfreeze"), json!(null)).await.good();
        assert_eq!((&thawed["state"], thawed.get("note"), thawed.get("frozen_at")), (&json!("active"), None, None));
        // The code waited, the token did not.
        exchange(&beside, "coffee", &logins.secret, &code).await.good();
        beside.with_token(&token).post("/v1/session/check", question(&session)).await.refused("invalid-server-token");
        admin.post(&format!("{SECRET}/freeze"), json!({})).await.good();
        let reset = admin.post(&format!("{SECRET}/reset"), json!(null)).await.good();
        assert_eq!(reset["state"], "active", "it is the old one that was in wrong hands");
        server_token(&beside, &text(&reset["secret"])).await.good();
        server_token(&beside, &logins.secret).await.refused("invalid-app-secret");
    }

    async fn f87_an_unknown_mini_app_one_without_a_secret_and_a_wrong_secret_look_alike(host) {
        let logins = Logins::set(host).await;
        let (scene, code) = (&logins.scene, logins.code_for("alice").await);
        scene.admin.post("/v1/mini-apps", json!({"name": "Tea", "id": "tea", "team": scene.team})).await.good();
        let right = &logins.secret;
        let shorter = &right[..right.len() - 1];
        let tries = [("coffee", "guess"), ("coffee", shorter), ("coffee", ""), ("tea", right), ("nobody", right)];
        let mut refusals = Vec::new();
        for (mini_app, secret) in tries {
            let body = json!({"mini_app": mini_app, "secret": secret});
            refusals.push(bare(scene.host.anonymous().post("/v1/server-tokens", body).await.refused("invalid-app-secret")));
            refusals.push(bare(exchange(&scene.host, mini_app, secret, &code).await.refused("invalid-app-secret")));
        }
        assert!(refusals.iter().all(|refusal| *refusal == refusals[0]), "{refusals:?}");
        exchange(&scene.host, "coffee", right, &code).await.good();
    }

    async fn k5_with_the_public_key_alone_nobody_is_logged_in(host) {
        let logins = Logins::set(host).await;
        let (scene, codes) = (&logins.scene, "/v1/host-apps/super-app/login-codes");
        let ask = json!({"mini_app": "coffee", "account": "alice"});
        scene.host.device(&scene.key).post(codes, ask.clone()).await.refused("missing-token");
        scene.host.anonymous().post(codes, ask.clone()).await.refused("missing-token");
        // The server of one host app vouches for no user of another one, and does nothing else.
        scene.admin.post("/v1/host-apps", json!({"name": "Other", "id": "other-app"})).await.good();
        let other = scene.host.with_token(&server_of(&scene.admin, "other-app").await);
        other.post(codes, ask.clone()).await.refused("not-found");
        other.post("/v1/host-apps/other-app/login-codes", ask.clone()).await.refused("not-found");
        logins.server.get("/v1/host-apps/super-app").await.refused("missing-grant");
        // Nor do people of the host app who decide in audits.
        let (account, auditor) = scene.host.somebody("auditor").await;
        scene.admin.put(&format!("/v1/host-apps/super-app/members/{account}"), json!({"role": "auditor"})).await.good();
        auditor.post(codes, ask.clone()).await.refused("missing-grant");
        for wrong in [json!({"mini_app": "coffee", "account": " "}), json!({"mini_app": "coffee", "account": "a\u{0}"})] {
            assert_eq!(logins.server.post(codes, wrong).await.refused("invalid-field")["pointer"], "/account");
        }
        let answer = logins.server.post(codes, ask).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(text(&answer.good()["code"]).starts_with("berth_code_"));
    }

    async fn k5_a2_off_the_shelf_and_unbound_nobody_is_logged_in(host) {
        let logins = Logins::set(host).await;
        let (admin, host) = (&logins.scene.admin, &logins.scene.host);
        let code = logins.code_for("alice").await;
        admin.post("/v1/mini-apps/coffee/shelf", json!({"on": false, "note": "recall"})).await.good();
        let ask = json!({"mini_app": "coffee", "account": "alice"});
        let refused = logins.server.post("/v1/host-apps/super-app/login-codes", ask.clone()).await.refused("package-off-shelf");
        assert!(text(&refused["detail"]).contains("recall"), "{refused}");
        exchange(host, "coffee", &logins.secret, &code).await.refused("package-off-shelf");
        admin.post("/v1/mini-apps/coffee/shelf", json!({"on": true})).await.good();
        admin.delete("/v1/host-apps/super-app/bindings/coffee").await.good();
        logins.server.post("/v1/host-apps/super-app/login-codes", ask).await.refused("not-found");
        exchange(host, "coffee", &logins.secret, &code).await.refused("invalid-login-code");
        admin.put("/v1/host-apps/super-app/bindings/coffee", json!(null)).await.good();
        exchange(host, "coffee", &logins.secret, &code).await.good();
    }

    async fn k5_f109_of_64_who_exchange_a_code_at_once_one_wins(host) {
        let logins = Logins::set(host).await;
        let hosts = [logins.scene.host.beside().await, logins.scene.host.beside().await];
        let code = logins.code_for("alice").await;
        let tries = (0..64).map(|n| {
            let api = hosts[n % 2].anonymous();
            let body = json!({"mini_app": "coffee", "secret": logins.secret, "code": code});
            tokio::spawn(async move { api.post("/v1/session", body).await })
        });
        let tries: Vec<_> = tries.collect();
        let mut won = 0;
        for one in tries {
            let answer = one.await.unwrap();
            match answer.status {
                201 => won += 1,
                _ => drop(answer.refused("invalid-login-code")),
            }
        }
        assert_eq!(won, 1);
    }

    async fn k5_f109_a_code_is_used_once_by_the_mini_app_that_it_is_for(host) {
        let logins = Logins::set(host).await;
        let (scene, code) = (&logins.scene, logins.code_for("alice").await);
        let tea = scene.another("tea", &scene.team).await;
        let elsewhere = bare(exchange(&scene.host, "tea", &tea, &code).await.refused("invalid-login-code"));
        let made_up = bare(exchange(&scene.host, "coffee", &logins.secret, "berth_code_guess").await.refused("invalid-login-code"));
        exchange(&scene.host, "coffee", "wrong", &code).await.refused("invalid-app-secret");
        exchange(&scene.host, "coffee", &logins.secret, &code).await.good();
        let used = bare(exchange(&scene.host, "coffee", &logins.secret, &code).await.refused("invalid-login-code"));
        assert!(used == elsewhere && used == made_up, "{used} {elsewhere} {made_up}");
    }

    async fn k5_k8_codes_are_good_for_five_minutes_and_server_tokens_for_two_hours(host) {
        let (clock, nature) = clock();
        let logins = Logins::set(host.again_in(nature, |_| ()).await).await;
        let (host, late) = (&logins.scene.host, logins.code_for("alice").await);
        let session = logins.log_in("alice").await;
        let server = logins.server_token().await;
        clock.advance_seconds(299);
        let in_time = logins.code_for("alice").await;
        exchange(host, "coffee", &logins.secret, &late).await.good();
        clock.advance_seconds(300);
        exchange(host, "coffee", &logins.secret, &in_time).await.refused("invalid-login-code");
        clock.advance_seconds(7200 - 599 - 1);
        assert!(!is_current(&server, &session).await, "the user has logged in since");
        clock.advance_seconds(1);
        server.post("/v1/session/check", question(&session)).await.refused("invalid-server-token");
    }

    async fn f102_k6_a_user_has_an_open_id_of_their_own_in_each_mini_app(host) {
        let logins = Logins::set(host).await;
        let (scene, admin) = (&logins.scene, &logins.scene.admin);
        let tea = scene.another("tea", &scene.team).await;
        let alice = logins.log_in("alice").await;
        let mut all = BTreeSet::from([text(&alice["open_id"]), text(&logins.log_in("bob").await["open_id"])]);
        let ask = json!({"mini_app": "tea", "account": "alice"});
        let code = text(&logins.server.post("/v1/host-apps/super-app/login-codes", ask).await.good()["code"]);
        all.insert(text(&exchange(&scene.host, "tea", &tea, &code).await.good()["open_id"]));
        // The account of the same name at another host app is another user.
        admin.post("/v1/host-apps", json!({"name": "Other", "id": "other-app"})).await.good();
        admin.put("/v1/host-apps/other-app/bindings/coffee", json!(null)).await.good();
        let other = scene.host.with_token(&server_of(admin, "other-app").await);
        let ask = json!({"mini_app": "coffee", "account": "alice"});
        let code = text(&other.post("/v1/host-apps/other-app/login-codes", ask).await.good()["code"]);
        let there = exchange(&scene.host, "coffee", &logins.secret, &code).await.good();
        assert_eq!(there["host_app"], "other-app");
        all.insert(text(&there["open_id"]));
        assert_eq!(all.len(), 4, "{all:?}");
        let again = logins.log_in("alice").await;
        assert_eq!(again["open_id"], alice["open_id"]);
        assert_ne!(again["session_key"], alice["session_key"]);
        let members: Vec<_> = again.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["host_app", "mini_app", "open_id", "session_key"], "the account is the host app's own affair");
    }

    async fn f99_k6_new_keys_of_the_host_change_no_open_id_and_no_session(host) {
        let logins = Logins::set(host).await;
        let alice = logins.log_in("alice").await;
        let own = std::fs::read_to_string(logins.scene.host.folder().join("secret.key")).unwrap();
        let (old, new): (SecretKey, SecretKey) = (own.trim().parse().unwrap(), SecretKey::from_bytes([5; 32]));
        let both = vec![new.clone(), old];
        let host = logins.scene.host.again(|config| config.storage.seal.secret_keys = both).await;
        assert_eq!(seal::rotate(&host.app.db).await.unwrap().sealed, 2, "the key of OpenIDs and a session key");
        let host = host.again(|config| config.storage.seal.secret_keys = vec![new]).await;
        let server = host.with_token(&text(&server_token(&host, &logins.secret).await.good()["token"]));
        assert!(is_current(&server, &alice).await);
        let vouching = host.with_token(&server_of(&host.admin(), "super-app").await);
        let ask = json!({"mini_app": "coffee", "account": "alice"});
        let code = text(&vouching.post("/v1/host-apps/super-app/login-codes", ask).await.good()["code"]);
        assert_eq!(exchange(&host, "coffee", &logins.secret, &code).await.good()["open_id"], alice["open_id"]);
    }

    async fn k7_a_session_key_is_the_present_one_until_the_next_login_or_the_end(host) {
        let logins = Logins::set(host).await;
        let server = logins.server_token().await;
        let (first, bob) = (logins.log_in("alice").await, logins.log_in("bob").await);
        assert!(is_current(&server, &first).await && is_current(&server, &bob).await);
        let second = logins.log_in("alice").await;
        assert_eq!([is_current(&server, &first).await, is_current(&server, &second).await], [false, true]);
        for signature in ["", "zz", "00", &"0".repeat(64)] {
            let ask = json!({"open_id": second["open_id"], "signature": signature});
            assert_eq!(server.post("/v1/session/check", ask).await.good()["current"], false, "{signature}");
        }
        server.post("/v1/session/end", json!({"open_id": second["open_id"]})).await.good();
        server.post("/v1/session/end", json!({"open_id": second["open_id"]})).await.good();
        assert_eq!([is_current(&server, &second).await, is_current(&server, &bob).await], [false, true]);
        assert!(is_current(&server, &logins.log_in("alice").await).await);
    }

    async fn f103_k7_nothing_is_learned_of_users_of_other_mini_apps_and_of_guessed_open_ids(host) {
        let logins = Logins::set(host).await;
        let tea = logins.scene.another("tea", &logins.scene.team).await;
        let host = &logins.scene.host;
        let body = json!({"mini_app": "tea", "secret": tea});
        let stranger = host.with_token(&text(&host.anonymous().post("/v1/server-tokens", body).await.good()["token"]));
        let alice = logins.log_in("alice").await;
        let guessed = json!({"open_id": format!("o{}", "0".repeat(27)), "session_key": alice["session_key"]});
        let answers = [&alice, &guessed].map(|session| stranger.post("/v1/session/check", question(session)));
        for answer in answers {
            assert_eq!(answer.await.good(), json!({"current": false}));
        }
        stranger.post("/v1/session/end", json!({"open_id": alice["open_id"]})).await.good();
        stranger.post("/v1/session/end", json!({"open_id": guessed["open_id"]})).await.good();
        assert!(is_current(&logins.server_token().await, &alice).await, "what is another's is not touched");
    }

    async fn k8_a_server_token_is_good_for_its_purpose_alone_and_a_mini_app_has_100(host) {
        let logins = Logins::set(host).await;
        let (host, first) = (&logins.scene.host, logins.server_token().await);
        let alice = logins.log_in("alice").await;
        first.get("/v1/mini-apps/coffee").await.refused("invalid-token");
        logins.scene.admin.post("/v1/session/check", question(&alice)).await.refused("invalid-server-token");
        host.anonymous().post("/v1/session/check", question(&alice)).await.refused("invalid-server-token");
        for _ in 0..99 {
            server_token(host, &logins.secret).await.good();
        }
        assert!(is_current(&first, &alice).await, "the hundredth");
        server_token(host, &logins.secret).await.good();
        first.post("/v1/session/check", question(&alice)).await.refused("invalid-server-token");
        // A key of a server is its own, and the answer is kept for it.
        let server = logins.server_token().await;
        let ask = || server.request("POST", "/v1/session/check").header("Idempotency-Key", "k").json(&question(&alice));
        assert_eq!(Answer::of(ask(), "check".into()).await.good()["current"], true);
        let again = Answer::of(ask(), "check".into()).await;
        assert_eq!((again.header("idempotency-replayed"), again.good()["current"].clone()), ("true", json!(true)));
    }

    async fn k8_of_server_tokens_issued_at_once_on_two_hosts_100_are_good(host) {
        let logins = Logins::set(host).await;
        let hosts = [&logins.scene.host, &logins.scene.host.beside().await];
        let alice = logins.log_in("alice").await;
        let mut tokens = Vec::new();
        for _ in 0..4 {
            let issued = join_all((0..40).map(|number| server_token(hosts[number % 2], &logins.secret))).await;
            tokens.extend(issued.into_iter().map(|answer| text(&answer.good()["token"])));
        }
        let mut good = 0;
        for token in &tokens {
            let asked = hosts[0].with_token(token).post("/v1/session/check", question(&alice)).await;
            good += usize::from(asked.status == 200);
        }
        assert_eq!(good, 100);
    }

    async fn k9_f87_who_is_wrong_too_often_is_refused_and_nobody_else(host) {
        let host = host.listening(|http| {
            http.trusted_proxy = vec!["127.0.0.0/8".parse().unwrap()];
            http.devices.secret_tries = "3/1h".parse().unwrap();
        }).await;
        let logins = Logins::set(host).await;
        let host = &logins.scene.host;
        let try_from = async |address: &str, secret: &str| {
            let body = json!({"mini_app": "coffee", "secret": secret});
            let request = host.anonymous().request("POST", "/v1/server-tokens").header("X-Forwarded-For", address);
            Answer::of(request.json(&body), "try".into()).await
        };
        let at_once = join_all((0..20).map(|_| try_from("203.0.113.9", "wrong"))).await;
        assert_eq!(at_once.iter().filter(|answer| answer.status == 401).count(), 3, "no more than one after the other");
        for _ in 0..3 {
            try_from("203.0.113.7", "wrong").await.refused("invalid-app-secret");
        }
        for secret in ["wrong", &logins.secret] {
            let answer = try_from("203.0.113.7", secret).await;
            let wait: u64 = answer.header("retry-after").parse().unwrap();
            assert!((1..=1200).contains(&wait), "{wait}");
            answer.refused("too-many-requests");
        }
        for _ in 0..9 {
            try_from("203.0.113.8", &logins.secret).await.good();
        }
        try_from("203.0.113.8", "wrong").await.refused("invalid-app-secret");
        let metrics = String::from_utf8(host.anonymous().get("/metrics").await.bytes).unwrap();
        assert!(metrics.contains("berth_device_limits_reached_total{limit=\"secret\"} 19"), "{metrics}");
    }
}

/// Everything that the run of a host leaves behind: its log at its most talkative, its database, a backup, its events.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i8_f85_no_app_secret_server_token_login_code_session_key_or_open_id_is_left_anywhere() {
    for database in [Database::Sqlite, Database::Postgres] {
        if database == Database::Postgres && !berth_tests::postgres_is_there() {
            continue;
        }
        let mut installation = Installation::new(database).await;
        installation.environment.push(("BERTH_LOG".into(), "trace".into()));
        let process = installation.start().await;
        let admin = installation.admin(&process);
        let team = text(&admin.post("/v1/teams", json!({"name": "Team"})).await.good()["id"]);
        admin.post("/v1/mini-apps", json!({"name": "Coffee", "id": "coffee", "team": team})).await.good();
        admin.post("/v1/host-apps", json!({"name": "Super", "id": "super-app"})).await.good();
        admin.put("/v1/host-apps/super-app/bindings/coffee", json!(null)).await.good();
        let mut secrets = vec![text(&admin.post(SECRET, json!(null)).await.good()["secret"])];
        secrets.push(text(&admin.post(&format!("{SECRET}/reset"), json!(null)).await.good()["secret"]));
        let ask = json!({"mini_app": "coffee", "account": "alice"});
        for _ in 0..2 {
            let code = text(&admin.post("/v1/host-apps/super-app/login-codes", ask.clone()).await.good()["code"]);
            secrets.push(code);
        }
        let body = json!({"mini_app": "coffee", "secret": secrets[1], "code": secrets[2]});
        let session = admin.post("/v1/session", body.clone()).await.good();
        admin.post("/v1/session", body).await.refused("invalid-login-code");
        let token = text(
            &admin.post("/v1/server-tokens", json!({"mini_app": "coffee", "secret": secrets[1]})).await.good()["token"],
        );
        admin
            .post("/v1/server-tokens", json!({"mini_app": "coffee", "secret": secrets[0]}))
            .await
            .refused("invalid-app-secret");
        admin.post("/v1/mini-apps", json!({"name": "Mall", "id": "mall", "team": team})).await.good();
        admin.put("/v1/host-apps/super-app/bindings/mall", json!(null)).await.good();
        admin.put("/v1/mini-apps/mall/partners/coffee", json!(null)).await.good();
        let link = json!({"account": "alice", "mini_app": "mall", "partner": "coffee"});
        admin.post("/v1/host-apps/super-app/links", link).await.good();
        let server = admin.with_token(&token);
        let swapped = server.post("/v1/swap", json!({"to": "mall", "open_ids": [session["open_id"]]})).await.good();
        secrets.push(text(&swapped["open_ids"][0]));
        secrets.extend([token, text(&session["open_id"]), text(&session["session_key"])]);
        let mut left = admin.get("/v1/events?limit=1000").await.good().to_string();
        let pool = installation.pool().await;
        let tables = [
            "app_secret",
            "server_token",
            "login_code",
            "mini_app_user",
            "identity_link",
            "host_key",
            "event",
            "idempotency",
        ];
        assert_eq!(pool.number("SELECT COUNT(*) FROM login_code").await, 1, "one code was never used");
        left.extend(rows(&pool, &tables).await);
        pool.close().await;
        assert!(left.contains("alice"), "the tables were read");
        if database == Database::Sqlite {
            let to = installation.folder.path().join("copy");
            let saved =
                installation.command(&["admin", "backup", "--to", to.to_str().unwrap()]).status().await.unwrap();
            assert!(saved.success(), "{}", installation.said());
            for file in ["berth.db", "berth.db-wal", "copy/berth.db"] {
                let bytes = std::fs::read(installation.folder.path().join(file)).unwrap_or_default();
                left += &String::from_utf8_lossy(&bytes);
            }
        }
        process.terminate();
        assert!(process.ended().await.0, "{}", installation.said());
        let said = installation.said();
        assert!(said.contains("session.open"), "the log is talkative");
        left += &said;
        for (place, secret) in secrets.iter().enumerate() {
            let at = left.find(secret.as_str());
            let around = at.map(|at| left.get(at.saturating_sub(200)..at).unwrap_or_default().to_owned());
            assert!(at.is_none(), "secret {place} is found behind {around:?}");
        }
    }
}

/// All rows of these tables as text.
pub(super) async fn rows(pool: &berth_tests::Pool, tables: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    for table in tables {
        all.extend(match pool {
            berth_tests::Pool::Postgres(pool) => {
                let sql = sqlx::AssertSqlSafe(format!("SELECT row_to_json(t)::text FROM {table} t"));
                sqlx::query_scalar::<_, String>(sql).fetch_all(pool).await.unwrap()
            }
            berth_tests::Pool::Sqlite(pool) => {
                let columns = sqlx::AssertSqlSafe(format!("SELECT name FROM pragma_table_info('{table}')"));
                let columns: Vec<String> = sqlx::query_scalar(columns).fetch_all(pool).await.unwrap();
                let joined: Vec<_> = columns.iter().map(|name| format!("COALESCE(CAST({name} AS TEXT), '')")).collect();
                let sql = sqlx::AssertSqlSafe(format!("SELECT {} FROM {table}", joined.join(" || ' ' || ")));
                sqlx::query_scalar::<_, String>(sql).fetch_all(pool).await.unwrap()
            }
        });
    }
    all
}
