//! How people get in: invitations, passwords, sessions, accounts that are disabled.

use berth_tests::{
    Answer, Api, Database, Host, clock, on_both,
    process::Installation,
    scene::{person, text},
};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::keys::rows;

const PASSWORD: &str = "canary pony pile";
const OTHER: &str = "canary second pile";

/// Signs in by name and password.
async fn sign_in(host: &Host, name: &str, password: &str) -> Answer {
    host.anonymous().post("/v1/sessions", json!({"sign_in_name": name, "password": password})).await
}

/// Accepts an invitation, with a password.
async fn accept(host: &Host, issued: &Value, name: &str, password: &str) -> Answer {
    let accept = json!({"code": issued["code"], "sign_in_name": name, "password": password});
    host.anonymous().post("/v1/invitations/accept", accept).await
}

/// A client with the secret of a session that was started.
fn with(host: &Host, started: &Value) -> Api {
    host.with_token(&text(&started["secret"]))
}

/// Invites somebody new, who sets a password; returns the account and a client with the session.
async fn ann(host: &Host) -> (String, Api) {
    let issued = host.admin().post("/v1/invitations", json!({"name": "Ann"})).await.good();
    let started = accept(host, &issued, "ann", PASSWORD).await.good();
    (text(&issued["invitation"]["account"]), with(host, &started))
}

fn bare(mut refusal: Value) -> Value {
    refusal.as_object_mut().unwrap().remove("request_id");
    refusal
}

fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect()
}

async fn told(admin: &Api, kind: &str) -> Vec<Value> {
    let events = admin.get("/v1/events?limit=1000").await.good();
    events["items"].as_array().unwrap().iter().filter(|one| one["type"] == kind).cloned().collect()
}

on_both! {
    async fn p1_p5_p6_a_person_is_invited_to_a_team_and_signs_in_from_then_on(host) {
        let host = host.again(|config| config.public_url = Some("https://berth.example".into())).await;
        let admin = host.admin();
        let team = text(&admin.post("/v1/teams", json!({"name": "Shop team"})).await.good()["id"]);
        let grant = json!({"scope": "team", "id": team, "role": "developer"});
        let new = json!({"name": "Ann", "grant": grant, "expires_in_hours": 2});
        let answer = admin.post("/v1/invitations", new).await;
        assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"));
        let issued = answer.good();
        let (code, invitation) = (text(&issued["code"]), &issued["invitation"]);
        assert_eq!(issued["link"], format!("https://berth.example/ui/invitation/{code}"));
        assert_eq!((&invitation["grant"], &invitation["name"]), (&grant, &json!("Ann")));
        let seen = host.anonymous().post("/v1/invitations/seen", json!({"code": code})).await.good();
        assert_eq!((&seen["name"], &seen["has_password"]), (&json!("Ann"), &json!(false)));
        assert_eq!((&seen["account"], &seen["expires_at"]), (&invitation["account"], &invitation["expires_at"]));
        let members = admin.get(&format!("/v1/teams/{team}/members")).await.good();
        assert_eq!(members["items"].as_array().unwrap().len(), 1, "nobody is a member by being invited");

        let started = accept(&host, &issued, " Ann@Example.com", PASSWORD).await.good();
        let (secret, session) = (text(&started["secret"]), &started["session"]);
        assert!(secret.starts_with("berth_session_") && secret.len() == 46, "{started}");
        assert_eq!((&session["current"], &session["address"]), (&json!(true), &json!("127.0.0.1")));
        let ann = host.with_token(&secret);
        let me = ann.get("/v1/me").await.good();
        assert_eq!((&me["sign_in_name"], &me["grants"]), (&json!("ann@example.com"), &json!([grant])));
        assert_eq!(me["account"]["id"], invitation["account"]);
        assert_eq!(ann.get("/v1/tokens").await.good()["items"], json!([]), "a session is none of the tokens");
        let request = host.anonymous().request("POST", "/v1/sessions").header("User-Agent", "Firefox");
        let again = Answer::of(request.json(&json!({"sign_in_name": "ANN@example.COM", "password": PASSWORD})), "in".into());
        let again = again.await.good();
        assert_eq!(again["session"]["agent"], "Firefox");
        let listed = ann.get("/v1/sessions").await.good();
        assert_eq!(ids(&listed), [text(&again["session"]["id"]), text(&session["id"])]);
        let current: Vec<_> = listed["items"].as_array().unwrap().iter().map(|one| one["current"].clone()).collect();
        assert_eq!(current, [json!(false), json!(true)]);
        assert_eq!(host.admin().get(&format!("/v1/sessions?account={}", text(&invitation["account"]))).await.good()["items"].as_array().unwrap().len(), 2);
        ann.get(&format!("/v1/sessions?account={}", text(&host.admin().get("/v1/me").await.good()["account"]["id"]))).await.refused("missing-grant");
        // What a person creates by a session outlives it.
        let token = ann.post("/v1/tokens", json!({"name": "ci", "scopes": ["develop"]})).await.good();
        assert_eq!(ids(&ann.get("/v1/tokens").await.good()), [text(&token["id"])]);
        let own = text(&session["id"]);
        ann.delete(&format!("/v1/tokens/{own}")).await.refused("not-found");
        ann.delete(&format!("/v1/sessions/{own}")).await.good();
        ann.get("/v1/me").await.refused("invalid-token");
        host.with_token(&text(&token["secret"])).post("/v1/mini-apps", json!({"name": "Shop", "team": team})).await.good();

        let events: Vec<_> = ["invitation.issued", "invitation.accepted", "password.changed", "session.started", "session.ended"].into();
        for (kind, times) in events.into_iter().zip([1, 1, 1, 2, 1]) {
            assert_eq!(told(&admin, kind).await.len(), times, "{kind}");
        }
        assert_eq!(told(&admin, "session.ended").await[0]["data"]["cause"], "signed_out");
        let all = admin.get("/v1/events?limit=1000").await.good().to_string();
        assert!([&secret, &code, PASSWORD].iter().all(|secret| !all.contains(*secret)));
    }

    async fn p1_p2_f84_a_session_of_a_token_may_what_the_token_may_and_ends_with_it_on_every_host(host) {
        let (clock, nature) = clock();
        let host = host.again_in(nature, |_| ()).await;
        let other = host.beside().await;
        let soon = host.app.db.now().plus_seconds(600);
        let admin = host.admin();
        let token = admin.post("/v1/tokens", json!({"name": "t", "scopes": ["read"], "expires_at": soon})).await.good();
        let by_token = host.with_token(&text(&token["secret"]));
        let started = by_token.post("/v1/sessions", json!({})).await.good();
        assert_eq!(started["session"]["expires_at"], token["expires_at"]);
        let session = with(&host, &started);
        assert_eq!(session.get("/v1/me").await.good()["token"]["scopes"], json!(["read"]));
        session.post("/v1/teams", json!({"name": "T"})).await.refused("missing-grant");
        session.post("/v1/sessions", json!({})).await.refused("missing-grant");
        by_token.post("/v1/sessions", json!({"sign_in_name": "ann", "password": PASSWORD})).await.refused("invalid-field");
        let nobody = host.anonymous();
        nobody.post("/v1/sessions", json!({})).await.refused("missing-token");
        nobody.post("/v1/sessions", json!({"sign_in_name": "ann"})).await.refused("invalid-field");
        let second = with(&other, &by_token.post("/v1/sessions", json!({})).await.good());
        second.get("/v1/me").await.good();
        let endless = admin.post("/v1/tokens", json!({"name": "u"})).await.good();
        let by_endless = with(&other, &host.with_token(&text(&endless["secret"])).post("/v1/sessions", json!({})).await.good());
        by_endless.get("/v1/me").await.good();
        admin.delete(&format!("/v1/tokens/{}", text(&token["id"]))).await.good();
        session.get("/v1/me").await.refused("invalid-token");
        second.get("/v1/me").await.refused("invalid-token");
        assert_eq!(ids(&by_endless.get("/v1/sessions").await.good()).len(), 1, "what ended with its token is not listed");
        clock.advance_seconds(600);
        by_endless.get("/v1/me").await.good();
    }

    async fn p2_f84_a_session_ends_when_it_rests_when_it_is_old_and_by_hand_on_every_host(host) {
        let (clock, nature) = clock();
        let host = host.again_in(nature, |_| ()).await;
        let (account, resting) = ann(&host).await;
        let busy = with(&host, &sign_in(&host, "ann", PASSWORD).await.good());
        let half_a_day = 12 * 3600;
        clock.advance_seconds(half_a_day - 1);
        busy.get("/v1/me").await.good();
        let seen = busy.get("/v1/sessions").await.good();
        let own = seen["items"].as_array().unwrap().iter().find(|one| one["current"] == true).unwrap();
        assert_eq!(own["seen_at"], json!(host.app.db.now()), "that it is used is noted");
        assert_eq!(seen["items"].as_array().unwrap().len(), 2);
        clock.advance_seconds(1);
        let refused = resting.get("/v1/me").await.refused("expired-token");
        assert!(text(&refused["detail"]).contains("Sign in again"), "{refused}");
        assert_eq!(ids(&busy.get("/v1/sessions").await.good()).len(), 1);
        for _ in 0..27 {
            clock.advance_seconds(half_a_day - 2);
            busy.get("/v1/me").await.good();
        }
        clock.advance_seconds(2 * 27);
        busy.get("/v1/me").await.refused("expired-token");

        let beside = host.beside().await; // by the clock of the machine, which is behind
        let one = sign_in(&host, "ann", PASSWORD).await.good();
        let path = format!("/v1/sessions/{}", text(&one["session"]["id"]));
        with(&beside, &one).get("/v1/me").await.good();
        let (_, stranger) = person(&host.admin(), "stranger", json!({})).await;
        host.with_token(&stranger).delete(&path).await.refused("not-found");
        host.admin().delete(&path).await.good();
        host.admin().delete(&path).await.good();
        with(&beside, &one).get("/v1/me").await.refused("invalid-token");
        let ended = told(&host.admin(), "session.ended").await;
        assert_eq!(ended.len(), 1, "that one ends by its time is not told: {ended:?}");
        assert_eq!(ended[0]["data"], json!({"account": account, "cause": "hand"}));
    }

    async fn p2_an_account_has_100_sessions_and_a_further_one_ends_the_oldest(host) {
        let token = text(&host.admin().post("/v1/tokens", json!({"name": "t"})).await.good()["secret"]);
        let by_token = host.with_token(&token);
        let first = with(&host, &by_token.post("/v1/sessions", json!({})).await.good());
        for _ in 0..99 {
            by_token.post("/v1/sessions", json!({})).await.good();
        }
        first.get("/v1/me").await.good();
        by_token.post("/v1/sessions", json!({})).await.good();
        first.get("/v1/me").await.refused("invalid-token");
        assert_eq!(ids(&by_token.get("/v1/sessions").await.good()).len(), 100);
        assert_eq!(told(&host.admin(), "session.ended").await[0]["data"]["cause"], "limit");
    }

    async fn p3_a_new_password_ends_all_other_sessions_and_leaves_the_tokens(host) {
        let (account, ann) = ann(&host).await;
        let other = with(&host, &sign_in(&host, "ann", PASSWORD).await.good());
        let token = host.with_token(&text(&ann.post("/v1/tokens", json!({"name": "ci"})).await.good()["secret"]));
        let change = |current: Value, new: &str| json!({"current": current, "new": new});
        let put = async |body: Value| ann.put("/v1/me/password", body).await;
        put(change(json!(null), OTHER)).await.refused("invalid-field");
        put(change(json!("another one, really"), OTHER)).await.refused("wrong-credentials");
        for (new, rule) in [("short", "length"), ("Password1234", "common"), ("aaaaaaaaaaaaa", "common")] {
            let refused = put(change(json!(PASSWORD), new)).await.refused("password-refused");
            assert_eq!((&refused["rule"], &refused["pointer"]), (&json!(rule), &json!("/new")));
        }
        other.get("/v1/me").await.good();
        put(change(json!(PASSWORD), OTHER)).await.good();
        other.get("/v1/me").await.refused("invalid-token");
        ann.get("/v1/me").await.good();
        token.get("/v1/me").await.good();
        sign_in(&host, "ann", PASSWORD).await.refused("wrong-credentials");
        sign_in(&host, "ann", OTHER).await.good();
        let ended = told(&host.admin(), "session.ended").await;
        assert_eq!(ended.iter().map(|one| &one["data"]["cause"]).collect::<Vec<_>>(), [&json!("password")]);

        // The name may change with it; it is one person's alone.
        let (_, bob) = host.somebody("bob").await;
        bob.put("/v1/me/password", json!({"new": PASSWORD})).await.refused("invalid-field");
        bob.put("/v1/me/password", json!({"new": PASSWORD, "sign_in_name": "ANN"})).await.refused("sign-in-name-taken");
        bob.put("/v1/me/password", json!({"new": PASSWORD, "sign_in_name": "bob"})).await.good();
        put(json!({"current": OTHER, "new": PASSWORD, "sign_in_name": "Anna"})).await.good();
        sign_in(&host, "ann", PASSWORD).await.refused("wrong-credentials");
        let anna = with(&host, &sign_in(&host, "anna", PASSWORD).await.good());
        assert_eq!(anna.get("/v1/me").await.good()["account"]["id"], json!(account));
    }

    async fn p4_f87_an_unknown_name_and_a_wrong_password_look_alike(host) {
        ann(&host).await;
        let unknown = bare(sign_in(&host, "nobody", PASSWORD).await.refused("wrong-credentials"));
        let wrong = bare(sign_in(&host, "ann", OTHER).await.refused("wrong-credentials"));
        let none = bare(sign_in(&host, "", "").await.refused("wrong-credentials"));
        assert!(unknown == wrong && unknown == none, "{unknown} {wrong} {none}");
        sign_in(&host, "ann", &"a".repeat(5000)).await.refused("invalid-field");
    }

    async fn p4_f87_who_is_wrong_about_passwords_too_often_is_refused(host) {
        let host = host.listening(|http| {
            http.trusted_proxy = vec!["127.0.0.0/8".parse().unwrap()];
            http.devices.password_tries = "3/1h".parse().unwrap();
            http.devices.name_tries = "6/1h".parse().unwrap();
            http.devices.secret_tries = "2/1h".parse().unwrap();
        }).await;
        ann(&host).await;
        let send_from = async |address: &str, path: &str, body: Value| {
            let request = host.anonymous().request("POST", path).header("X-Forwarded-For", address);
            Answer::of(request.json(&body), "try".into()).await
        };
        let try_from = async |address: &str, name: &str, password: &str| {
            send_from(address, "/v1/sessions", json!({"sign_in_name": name, "password": password})).await
        };
        for _ in 0..3 {
            try_from("203.0.113.7", "somebody", OTHER).await.refused("wrong-credentials");
        }
        let answer = try_from("203.0.113.7", "ann", PASSWORD).await;
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=1200).contains(&wait), "{wait}");
        answer.refused("too-many-requests");
        // Many addresses that try one name are refused together, and the right password with them.
        for address in ["203.0.113.8", "203.0.113.9"] {
            try_from(address, "Ann", OTHER).await.refused("wrong-credentials");
            try_from(address, "ann", OTHER).await.refused("wrong-credentials");
        }
        try_from("203.0.113.10", "ann", OTHER).await.refused("wrong-credentials");
        try_from("203.0.113.11", "ann", PASSWORD).await.good();
        try_from("203.0.113.12", "ann", OTHER).await.refused("wrong-credentials");
        try_from("203.0.113.13", "ann", PASSWORD).await.refused("too-many-requests");
        try_from("203.0.113.13", "bob", PASSWORD).await.refused("wrong-credentials");
        // Codes of invitations are guessed as seldom as other secrets.
        for _ in 0..2 {
            send_from("203.0.113.14", "/v1/invitations/seen", json!({"code": "guess"})).await.refused("invalid-invitation");
        }
        send_from("203.0.113.14", "/v1/invitations/accept", json!({"code": "guess"})).await.refused("too-many-requests");
    }

    async fn p6_an_invitation_is_good_once_and_for_its_time(host) {
        let (clock, nature) = clock();
        let host = host.again_in(nature, |_| ()).await;
        let admin = host.admin();
        let invite = async |hours: u32| {
            admin.post("/v1/invitations", json!({"name": "Ann", "expires_in_hours": hours})).await.good()
        };
        let see = async |issued: &Value| host.anonymous().post("/v1/invitations/seen", json!({"code": issued["code"]})).await;
        let (one, late, withdrawn) = (invite(1).await, invite(1).await, invite(1).await);
        let tries = (0..8).map(async |_| { host.anonymous().post("/v1/invitations/accept", json!({"code": one["code"]})).await.status });
        let mut answers = join_all(tries).await;
        answers.sort_unstable();
        assert_eq!(answers, [201, 404, 404, 404, 404, 404, 404, 404]);
        let path = format!("/v1/invitations/{}", text(&withdrawn["invitation"]["id"]));
        admin.delete(&path).await.good();
        admin.delete(&path).await.refused("not-found");
        admin.delete(&format!("/v1/invitations/{}", text(&one["invitation"]["id"]))).await.refused("invalid-invitation");
        clock.advance_seconds(3599);
        see(&late).await.good();
        clock.advance_seconds(1);
        let made_up = bare(see(&json!({"code": "berth_invitation_guess"})).await.refused("invalid-invitation"));
        for gone in [&one, &late, &withdrawn] {
            assert_eq!(bare(see(gone).await.refused("invalid-invitation")), made_up);
        }
        let listed = admin.get("/v1/invitations").await.good();
        let used = |one: &&Value| one["used_at"].is_string();
        assert_eq!((listed["items"].as_array().unwrap().len(), listed["items"].as_array().unwrap().iter().filter(used).count()), (2, 1));
        for wrong in [json!({}), json!({"name": "A", "account": listed["items"][0]["account"]}), json!({"name": "A", "expires_in_hours": 721})] {
            admin.post("/v1/invitations", wrong).await.refused("invalid-field");
        }
        admin.post("/v1/invitations", json!({"name": "A", "grant": {"scope": "platform", "role": "developer"}})).await.refused("invalid-field");
    }

    async fn p6_p7_f83_who_manages_members_invites_new_people_there_and_nobody_elsewhere(host) {
        let admin = host.admin();
        let (account, lead) = host.somebody("lead").await;
        let team = text(&lead.post("/v1/teams", json!({"name": "Shop team"})).await.good()["id"]);
        let grant = |role: &str| json!({"scope": "team", "id": team, "role": role});
        let invite = async |body: Value| lead.post("/v1/invitations", body).await;
        let issued = invite(json!({"name": "Ann", "grant": grant("developer")})).await.good();
        let spare = invite(json!({"name": "Bob", "grant": grant("developer")})).await.good();
        invite(json!({"name": "Ann"})).await.refused("missing-grant");
        invite(json!({"name": "Ann", "grant": {"scope": "platform", "role": "admin"}})).await.refused("missing-grant");
        // Whoever holds the link of an account has all its roles: an admin of a team must not get into any account by it.
        let me = text(&admin.get("/v1/me").await.good()["account"]["id"]);
        invite(json!({"account": me, "grant": grant("developer")})).await.refused("missing-grant");
        let other = text(&admin.post("/v1/teams", json!({"name": "Other"})).await.good()["id"]);
        invite(json!({"name": "Ann", "grant": {"scope": "team", "id": other, "role": "viewer"}})).await.refused("not-found");
        assert_eq!(ids(&lead.get("/v1/invitations").await.good()).len(), 2);
        let (_, outsider) = host.somebody("outsider").await;
        assert_eq!(outsider.get("/v1/invitations").await.good()["items"], json!([]));
        outsider.delete(&format!("/v1/invitations/{}", text(&spare["invitation"]["id"]))).await.refused("not-found");
        // What lets somebody sign in with all scopes takes a token that has them all.
        let narrow = lead.post("/v1/tokens", json!({"name": "n", "scopes": ["read", "manage"]})).await.good();
        let narrow = host.with_token(&text(&narrow["secret"]));
        narrow.post("/v1/invitations", json!({"name": "Eve", "grant": grant("admin")})).await.refused("missing-grant");
        narrow.put("/v1/me/password", json!({"new": PASSWORD, "sign_in_name": "lead"})).await.refused("missing-grant");

        accept(&host, &issued, "ann", PASSWORD).await.good();
        // The invitation ends with the rights of who has issued it.
        admin.put(&format!("/v1/teams/{team}/members/{me}"), json!({"role": "admin"})).await.good();
        admin.put(&format!("/v1/teams/{team}/members/{account}"), json!({"role": "operator"})).await.good();
        accept(&host, &spare, "bob", PASSWORD).await.refused("invalid-invitation");
        sign_in(&host, "ann", PASSWORD).await.good();
    }

    async fn p6_p7_f83_whoever_gets_in_ends_all_other_invitations_to_the_account(host) {
        let admin = host.admin();
        let (_, lead) = host.somebody("lead").await;
        let team = text(&lead.post("/v1/teams", json!({"name": "Shop team"})).await.good()["id"]);
        let grant = json!({"scope": "team", "id": team, "role": "developer"});
        let first = lead.post("/v1/invitations", json!({"name": "Bob", "grant": grant})).await.good();
        let account = text(&first["invitation"]["account"]);
        let again = async || admin.post("/v1/invitations", json!({"account": account})).await.good();
        let (second, third) = (again().await, again().await);
        let bob = with(&host, &accept(&host, &second, "bob", PASSWORD).await.good());
        for open in [&first, &third] {
            accept(&host, open, "mallory", OTHER).await.refused("invalid-invitation");
        }
        let withdrawn = told(&admin, "invitation.withdrawn").await;
        let ended: Vec<_> = withdrawn.iter().map(|one| text(&one["subject"])).collect();
        assert_eq!(ended, [&first, &third].map(|open| text(&open["invitation"]["id"])));
        assert_eq!(ids(&admin.get("/v1/invitations").await.good()), [text(&second["invitation"]["id"])]);
        // Whoever sets a password has got in as well.
        let open = again().await;
        bob.put("/v1/me/password", json!({"current": PASSWORD, "new": OTHER})).await.good();
        accept(&host, &open, "mallory", PASSWORD).await.refused("invalid-invitation");
        sign_in(&host, "bob", OTHER).await.good();
    }

    async fn p7_an_admin_of_the_platform_gives_a_way_back_into_an_account(host) {
        let admin = host.admin();
        let (account, ann) = ann(&host).await;
        let team = text(&ann.post("/v1/teams", json!({"name": "Ann's"})).await.good()["id"]);
        let grant = json!({"scope": "team", "id": team, "role": "viewer"});
        let issued = admin.post("/v1/invitations", json!({"account": account, "grant": grant})).await.good();
        let seen = host.anonymous().post("/v1/invitations/seen", json!({"code": issued["code"]})).await.good();
        assert_eq!((&seen["has_password"], &seen["sign_in_name"]), (&json!(true), &json!("ann")));
        let code = json!({"code": issued["code"], "password": "short"});
        host.anonymous().post("/v1/invitations/accept", code).await.refused("password-refused");
        let code = json!({"code": issued["code"], "password": OTHER});
        let back = with(&host, &host.anonymous().post("/v1/invitations/accept", code).await.good());
        ann.get("/v1/me").await.refused("invalid-token");
        sign_in(&host, "ann", PASSWORD).await.refused("wrong-credentials");
        sign_in(&host, "ann", OTHER).await.good();
        assert_eq!(back.get("/v1/me").await.good()["grants"][0]["role"], "admin", "a role that is there stays");
        let unknown = format!("usr_{}", "0".repeat(26));
        admin.post("/v1/invitations", json!({"account": unknown})).await.refused("not-found");
    }

    async fn p8_f84_a_disabled_account_is_of_no_use_on_any_host_until_it_is_enabled(host) {
        let other = host.beside().await;
        let admin = host.admin();
        let (account, ann) = ann(&host).await;
        let token = text(&ann.post("/v1/tokens", json!({"name": "ci"})).await.good()["secret"]);
        let open = admin.post("/v1/invitations", json!({"account": account})).await.good();
        let path = |what: &str| format!("/v1/accounts/{account}/{what}");
        ann.post(&path("disable"), json!(null)).await.refused("missing-grant");
        let disabled = admin.post(&path("disable"), json!(null)).await.good();
        assert!(disabled["disabled_at"].is_string(), "{disabled}");
        assert_eq!(admin.post(&path("disable"), json!(null)).await.good(), disabled);
        ann.get("/v1/me").await.refused("invalid-token");
        other.with_token(&token).get("/v1/me").await.refused("account-disabled");
        sign_in(&other, "ann", PASSWORD).await.refused("account-disabled");
        sign_in(&other, "ann", OTHER).await.refused("wrong-credentials");
        host.anonymous().post("/v1/invitations/accept", json!({"code": open["code"]})).await.refused("account-disabled");
        admin.post("/v1/invitations", json!({"account": account})).await.refused("account-disabled");
        assert_eq!(admin.post(&path("enable"), json!(null)).await.good()["disabled_at"], json!(null));
        admin.post(&path("enable"), json!(null)).await.good();
        other.with_token(&token).get("/v1/me").await.good();
        ann.get("/v1/me").await.refused("invalid-token");
        sign_in(&host, "ann", PASSWORD).await.good();
        assert_eq!((told(&admin, "account.disabled").await.len(), told(&admin, "account.enabled").await.len()), (1, 1));
    }

    async fn p8_f83_the_last_admin_who_can_act_stays(host) {
        let admin = host.admin();
        let me = text(&admin.get("/v1/me").await.good()["account"]["id"]);
        let disable = |id: &str| format!("/v1/accounts/{id}/disable");
        admin.post(&disable(&me), json!(null)).await.refused("last-admin");
        let (second, deputy) = host.somebody("deputy").await;
        admin.put(&format!("/v1/platform/members/{second}"), json!({"role": "admin"})).await.good();
        admin.post(&disable(&second), json!(null)).await.good();
        admin.post(&disable(&me), json!(null)).await.refused("last-admin");
        // A disabled admin is nobody to leave the platform to.
        admin.delete(&format!("/v1/platform/members/{me}")).await.refused("last-admin");
        admin.post(&format!("/v1/accounts/{second}/enable"), json!(null)).await.good();
        deputy.post(&disable(&me), json!(null)).await.good();
        admin.get("/v1/me").await.refused("account-disabled");
    }
}

/// Whoever has the host's machine gets in by a link, and no secret is left anywhere: not in the log at its most talkative, the
/// database or its events.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i8_p6_p3_f85_whoever_has_the_machine_is_invited_and_no_secret_is_left_anywhere() {
    for database in [Database::Sqlite, Database::Postgres] {
        if database == Database::Postgres && !berth_tests::postgres_is_there() {
            continue;
        }
        let mut installation = Installation::new(database).await;
        installation.environment.push(("BERTH_LOG".into(), "trace".into()));
        let process = installation.start().await;
        let admin = installation.admin(&process);
        let made = installation.command(&["--json", "admin", "invite", "--public-url", "http://berth.example/"]);
        let made: Value = serde_json::from_slice(&{ made }.output().await.unwrap().stdout).unwrap();
        let code = text(&made["code"]);
        assert_eq!(made["link"], format!("http://berth.example/ui/invitation/{code}"));
        let body = json!({"code": code, "sign_in_name": "admin", "password": PASSWORD});
        let started = admin.post("/v1/invitations/accept", body.clone()).await.good();
        admin.post("/v1/invitations/accept", body).await.refused("invalid-invitation");
        let session = admin.with_token(&text(&started["secret"]));
        let me = session.get("/v1/me").await.good();
        assert_eq!(me["grants"], json!([{"scope": "platform", "id": "", "role": "admin"}]));
        session.put("/v1/me/password", json!({"current": PASSWORD, "new": OTHER})).await.good();
        session.put("/v1/me/password", json!({"current": PASSWORD, "new": OTHER})).await.refused("wrong-credentials");
        let mut left = admin.get("/v1/events?limit=1000").await.good().to_string();
        let pool = installation.pool().await;
        left.extend(rows(&pool, &["password", "session", "invitation", "token", "event", "idempotency"]).await);
        pool.close().await;
        assert!(left.contains("$argon2id$"), "the tables were read");
        if database == Database::Sqlite {
            for file in ["berth.db", "berth.db-wal"] {
                let bytes = std::fs::read(installation.folder.path().join(file)).unwrap_or_default();
                left += &String::from_utf8_lossy(&bytes);
            }
        }
        process.terminate();
        assert!(process.ended().await.0, "{}", installation.said());
        let said = installation.said();
        assert!(said.contains("invitation.accept"), "the log is talkative");
        left += &said;
        for secret in [PASSWORD, OTHER, &code, &text(&started["secret"])] {
            assert!(!left.contains(secret), "{secret} is left somewhere");
        }
    }
}
