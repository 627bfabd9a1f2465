//! Acts: who did what, by which token, from where, and what it changed.

use std::collections::BTreeSet;

use berth_tests::{
    Answer, Api, Database, Host, on_both, postgres_is_there,
    process::Installation,
    scene::{Scene, text},
};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// The acts that a query selects, newest first.
async fn acts(api: &Api, query: &str) -> Vec<Value> {
    api.get(&format!("/v1/acts?{query}")).await.good()["items"].as_array().unwrap().clone()
}

async fn one(api: &Api, query: &str) -> Value {
    let found = acts(api, query).await;
    assert_eq!(found.len(), 1, "{query}: {found:?}");
    api.get(&format!("/v1/acts/{}", text(&found[0]["id"]))).await.good()
}

fn kinds(act: &Value) -> Vec<String> {
    act["changes"].as_array().unwrap().iter().map(|one| text(&one["type"])).collect()
}

/// Gives somebody new a role, and returns the account and a client.
async fn with_role(host: &Host, place: &str, role: &str) -> (String, Api) {
    let (account, api) = host.somebody(role).await;
    host.admin().put(&format!("/v1/{place}/members/{account}"), json!({"role": role})).await.good();
    (account, api)
}

on_both! {
    async fn p9_a_role_is_given_by_an_act_that_says_who_from_where_and_what_was_before(host) {
        let scene = Scene::set(host).await;
        let me = scene.admin.get("/v1/me").await.good();
        let (account, _) = scene.host.somebody("Ann").await;
        let path = format!("/v1/teams/{}/members/{account}", scene.team);
        scene.admin.put(&path, json!({"role": "developer"})).await.good();
        let request = scene.admin.request("PUT", &format!("{path}?note=secret")).header("User-Agent", "Firefox");
        let request = request.header("X-Request-Id", "req-77").json(&json!({"role": "operator"}));
        Answer::of(request, "grant".into()).await.good();

        let asked = format!("team={}&operation=access.set_team_member", scene.team);
        let newest = acts(&scene.admin, &asked).await.remove(0);
        let act = scene.admin.get(&format!("/v1/acts/{}", text(&newest["id"]))).await.good();
        assert_eq!((&act["actor"], &act["token"]), (&me["account"]["id"], &me["token"]["id"]));
        assert_eq!((&act["method"], &act["path"]), (&json!("PUT"), &json!(path)));
        assert_eq!((&act["address"], &act["agent"]), (&json!("127.0.0.1"), &json!("Firefox")));
        assert_eq!((&act["request_id"], &act["outcome"]), (&json!("req-77"), &json!("done")));
        assert_eq!(act["places"], json!([{"kind": "team", "id": scene.team}]));
        assert_eq!(act["changes"], json!([{"type": "member.granted", "count": 1}]));
        let event = &act["events"][0];
        assert_eq!((&event["act"], &event["before"]["role"], &event["data"]["role"]),
            (&act["id"], &json!("developer"), &json!("operator")));

        scene.admin.delete(&path).await.good();
        let taken = one(&scene.admin, "operation=access.remove_team_member").await;
        assert_eq!(taken["events"][0]["data"]["role"], "operator");
        scene.admin.send("PATCH", "/v1/mini-apps/coffee", Some(&json!({"name": "Tea"}))).await.good();
        let edited = one(&scene.admin, "operation=mini-apps.edit").await["events"][0].clone();
        assert_eq!((&edited["before"]["name"], &edited["data"]["name"]), (&json!("Coffee"), &json!("Tea")));
        // The same role again changes nothing, and was asked for all the same.
        scene.admin.put(&path, json!({"role": "viewer"})).await.good();
        scene.admin.put(&path, json!({"role": "viewer"})).await.good();
        let again = acts(&scene.admin, &asked).await.remove(0);
        assert_eq!((&again["outcome"], &again["changes"]), (&json!("done"), &json!([])));
    }

    async fn p9_what_somebody_may_not_do_is_kept_and_what_was_no_proper_request_is_not(host) {
        let scene = Scene::set(host).await;
        let (viewer, viewing) = with_role(&scene.host, &format!("teams/{}", scene.team), "viewer").await;
        let (stranger, strange) = scene.host.somebody("stranger").await;
        viewing.send("PATCH", "/v1/mini-apps/coffee", Some(&json!({"name": "Tea"}))).await.refused("missing-grant");
        strange.send("PATCH", "/v1/mini-apps/coffee", Some(&json!({"name": "Tea"}))).await.refused("not-found");
        viewing.send("PATCH", "/v1/mini-apps/coffee", Some(&json!({"nome": "Tea"}))).await.refused("invalid-field");
        viewing.get("/v1/mini-apps/coffee/secret").await.refused("missing-grant");
        scene.host.with_token("berth_guess").post("/v1/teams", json!({"name": "x"})).await.refused("invalid-token");
        let refused = acts(&scene.admin, "mini_app=coffee&outcome=refused").await;
        let who: Vec<_> = refused.iter().map(|act| (text(&act["actor"]), text(&act["refused"]))).collect();
        assert_eq!(who, [(stranger, "not-found".into()), (viewer.clone(), "missing-grant".into())]);
        assert!(refused.iter().all(|act| act["changes"] == json!([]) && act["operation"] == "mini-apps.edit"));
        // Nothing of a transaction that ends with a refusal is there, and no act says that it was done.
        let me = text(&scene.admin.get("/v1/me").await.good()["account"]["id"]);
        scene.admin.delete(&format!("/v1/teams/{}/members/{me}", scene.team)).await.refused("last-admin");
        let kept = one(&scene.admin, &format!("team={}&operation=access.remove_team_member", scene.team)).await;
        assert_eq!((&kept["refused"], &kept["events"]), (&json!("last-admin"), &json!([])));
        // Devices and reads leave none.
        scene.check("device-1", None).await;
        assert_eq!(acts(&scene.admin, &format!("actor={viewer}")).await.len(), 1);
    }

    async fn p10_operations_and_types_that_do_not_exist_are_refused_with_the_nearest(host) {
        let admin = host.admin();
        let near = |refused: Value, name: &str| assert!(text(&refused["detail"]).contains(name), "{refused}");
        for (asked, name) in [("publish", "versions.publish"), ("version.publish", "versions.publish"), ("versions.lisp*", "")] {
            near(admin.get(&format!("/v1/acts?operation={asked}")).await.refused("invalid-field"), name);
        }
        for known in ["versions.publish", "versions.*", "admin.backup", ""] {
            admin.get(&format!("/v1/acts?operation={known}")).await.good();
        }
        near(admin.get("/v1/events/stream?types=version.publish").await.refused("invalid-field"), "version.published");
        let hook = json!({"url": "https://example.com/", "scope": {"kind": "platform"}, "types": ["version.publish"]});
        near(admin.post("/v1/webhooks", hook).await.refused("invalid-field"), "version.published");
    }

    async fn p9_a_team_gets_another_name(host) {
        let admin = host.admin();
        let team = admin.post("/v1/teams", json!({"name": "Coffee team"})).await.good();
        let at = format!("/v1/teams/{}", text(&team["id"]));
        let renamed = admin.send("PATCH", &at, Some(&json!({"name": "Tea team"}))).await.good();
        assert_eq!((&renamed["id"], &renamed["name"]), (&team["id"], &json!("Tea team")));
        assert_eq!(admin.get("/v1/teams").await.good()["items"], json!([renamed]));
        let act = one(&admin, "operation=access.edit_team").await;
        let event = &act["events"][0];
        assert_eq!((&event["type"], &event["data"]["name"], &event["before"]["name"]), (&json!("team.edited"), &json!("Tea team"), &json!("Coffee team")));
        admin.send("PATCH", &at, Some(&json!({"name": "Tea team"}))).await.good();
        assert_eq!(acts(&admin, "operation=access.edit_team").await[0]["changes"], json!([]), "it had that name");
        admin.send("PATCH", &at, Some(&json!({"name": " "}))).await.refused("invalid-field");
    }

    async fn p9_what_is_repeated_with_its_key_is_one_act(host) {
        let admin = host.admin();
        let ask = || {
            let request = admin.request("POST", "/v1/teams").header("Idempotency-Key", "once");
            Answer::of(request.json(&json!({"name": "Team"})), "create".into())
        };
        let (first, second) = (ask().await.good(), ask().await.good());
        assert_eq!(first["id"], second["id"]);
        let act = one(&admin, "operation=access.create_team").await;
        assert_eq!(kinds(&act), ["team.created", "member.granted"]);
        assert_eq!(act["places"], json!([{"kind": "team", "id": first["id"]}]));
    }

    async fn p9_e1_what_the_order_system_sends_is_an_act_and_each_change_has_one(host) {
        let admin = host.admin();
        let me = admin.get("/v1/me").await.good();
        admin.post("/v1/merchants", json!({"name": "Shop", "id": "bos-1"})).await.good();
        let buy = |number: usize| {
            json!({"id": format!("m-{number}"), "merchant": "bos-1", "instance": format!("pi-{number}"), "product": "mall",
                "kind": "purchase", "at": "2026-01-01T00:00:00Z"})
        };
        admin.post("/v1/fulfilments", buy(0)).await.good();
        let act = one(&admin, "merchant=bos-1&operation=fulfilment.deliver").await;
        assert_eq!((&act["actor"], &act["token"]), (&me["account"]["id"], &me["token"]["id"]));
        assert_eq!((&act["address"], &act["path"]), (&json!("127.0.0.1"), &json!("/v1/fulfilments")));
        assert_eq!(act["places"], json!([{"kind": "merchant", "id": "bos-1"}]));
        assert!(kinds(&act).contains(&"product_instance.created".to_owned()), "{act}");
        // What is sent again changes nothing, and is none.
        admin.post("/v1/fulfilments", buy(0)).await.good();
        one(&admin, "operation=fulfilment.deliver").await;
        // Those that come at once may share a transaction, and then the act of the first: no act is without a change.
        for answer in join_all((1..=20).map(|number| admin.post("/v1/fulfilments", buy(number)))).await {
            answer.good();
        }
        let events = admin.get("/v1/events?limit=1000").await.good();
        let created: Vec<_> = events["items"].as_array().unwrap().iter().filter(|one| one["type"] == "product_instance.created").collect();
        assert_eq!(created.len(), 21);
        let named: BTreeSet<_> = created.iter().map(|event| text(&event["act"])).collect();
        let kept = acts(&admin, "operation=fulfilment.deliver&limit=200").await;
        assert_eq!(kept.iter().map(|act| text(&act["id"])).collect::<BTreeSet<_>>(), named);
        assert!(kept.iter().all(|act| act["token"] == me["token"]["id"]), "{kept:?}");
    }

    async fn p9_i8_signing_in_is_an_act_and_no_body_and_no_secret_is_kept(host) {
        const PASSWORD: &str = "canary pony pile";
        let admin = host.admin();
        let issued = admin.post("/v1/invitations", json!({"name": "Ann"})).await.good();
        let accept = json!({"code": issued["code"], "sign_in_name": "ann", "password": PASSWORD});
        host.anonymous().post("/v1/invitations/accept", accept).await.good();
        let sign_in = json!({"sign_in_name": "ann", "password": PASSWORD});
        let started = host.anonymous().post("/v1/sessions", sign_in).await.good();
        let wrong = json!({"sign_in_name": "ann", "password": "canary wrong pile"});
        host.anonymous().post("/v1/sessions", wrong).await.refused("wrong-credentials");
        let account = &issued["invitation"]["account"];
        let act = one(&admin, &format!("actor={}&operation=access.start", text(account))).await;
        assert_eq!((&act["token"], kinds(&act)), (&Value::Null, vec!["session.started".to_owned()]));
        assert_eq!(act["address"], "127.0.0.1");
        let ann = host.with_token(&text(&started["secret"]));
        let token = ann.post("/v1/tokens", json!({"name": "laptop"})).await.good();
        let issuing = one(&admin, &format!("actor={}&operation=access.issue_token", text(account))).await;
        assert_eq!(issuing["token"], started["session"]["id"], "an act by a session names it");
        let pool = host.pool().await;
        let kept = pool.texts("SELECT a.id || ' ' || a.actor || ' ' || COALESCE(a.token_id, '') || ' ' || a.path || ' ' ||
            COALESCE(a.agent, '') || ' ' || COALESCE(a.request_id, '') || ' ' || COALESCE(p.place_id, '')
            FROM act a LEFT JOIN act_place p ON p.act_id = a.id").await.join("\n");
        let secrets = ["canary".to_owned(), text(&issued["code"]), text(&started["secret"]), text(&token["secret"])];
        assert!(!kept.is_empty() && secrets.iter().all(|secret| !kept.contains(secret)), "{kept}");
        pool.close().await;
    }

    async fn p10_admins_of_a_place_read_what_was_done_to_it_and_no_more(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let (_, leader) = with_role(&scene.host, &format!("teams/{}", scene.team), "admin").await;
        let (_, developer) = with_role(&scene.host, &format!("teams/{}", scene.team), "developer").await;
        let (_, host_admin) = with_role(&scene.host, "host-apps/super-app", "admin").await;
        let (_, viewer) = with_role(&scene.host, "platform", "viewer").await;
        let (_, stranger) = scene.host.somebody("stranger").await;

        let published = one(&leader, "mini_app=coffee&operation=versions.publish").await;
        let events = |act: &Value| -> BTreeSet<String> {
            act["events"].as_array().unwrap().iter().map(|event| text(&event["type"])).collect()
        };
        assert!(events(&published).contains("version.published"), "{published}");
        assert!(!events(&published).contains("binding.online"), "that is the host app's: {published}");
        let same = one(&host_admin, "host_app=super-app&operation=versions.publish").await;
        assert_eq!((&same["id"], events(&same)), (&published["id"], ["binding.online".to_owned()].into()));
        let whole = one(&viewer, "operation=versions.publish").await;
        assert!(events(&whole).len() > events(&published).len());

        let path = format!("/v1/acts/{}", text(&published["id"]));
        for (api, query, refusal) in [
            (&leader, "", "missing-grant"),
            (&leader, "host_app=super-app", "not-found"),
            (&developer, "mini_app=coffee", "missing-grant"),
            (&host_admin, "mini_app=coffee", "missing-grant"),
            (&stranger, "mini_app=coffee", "not-found"),
            (&stranger, "", "missing-grant"),
            (&leader, "mini_app=nothing", "not-found"),
        ] {
            api.get(&format!("/v1/acts?{query}")).await.refused(refusal);
        }
        developer.get(&path).await.refused("missing-grant");
        stranger.get(&path).await.refused("not-found");
        viewer.get("/v1/acts/act_00000000000000000000000000").await.refused("not-found");
        // What the platform did to itself is nothing to a team.
        let platform = one(&viewer, "operation=host-apps.create").await;
        leader.get(&format!("/v1/acts/{}", text(&platform["id"]))).await.refused("not-found");
        // Of one who is admin here and there, both are read.
        let team = acts(&leader, &format!("team={}", scene.team)).await;
        assert!(team.iter().any(|act| act["operation"] == "access.set_team_member"));
        assert!(team.iter().any(|act| act["operation"] == "versions.submit"), "what is about a MiniApp is about its team");
    }

    async fn p11_acts_are_found_by_who_what_when_and_how_they_ended(host) {
        let scene = Scene::set(host).await;
        let admin = &scene.admin;
        let all = acts(admin, "limit=200").await;
        let mut sorted = all.clone();
        sorted.sort_by_key(|act| std::cmp::Reverse(text(&act["id"])));
        assert_eq!(all, sorted, "newest first");
        assert_eq!(all.iter().map(|act| text(&act["operation"])).collect::<Vec<_>>(),
            ["host-apps.bind", "host-apps.create", "mini-apps.create", "access.create_team"]);
        let named = async |query: &str| -> Vec<String> {
            acts(admin, query).await.iter().map(|act| text(&act["operation"])).collect()
        };
        assert_eq!(named("operation=host-apps.*").await, ["host-apps.bind", "host-apps.create"]);
        assert_eq!(named("host_app=super-app&mini_app=coffee").await, ["host-apps.bind"]);
        assert_eq!(named("outcome=refused").await, [""; 0]);
        assert_eq!(named("address=127.0.0.1&limit=1").await, ["host-apps.bind"]);
        assert_eq!(named("address=10.0.0.1").await, [""; 0]);
        let (bound, created) = (text(&all[0]["at"]), text(&all[3]["at"]));
        assert_eq!(named(&format!("until={created}")).await, [""; 0]);
        assert!(named(&format!("from={bound}")).await.contains(&"host-apps.bind".to_owned()));
        admin.get("/v1/acts?from=2030-01-02T00:00:00Z&until=2030-01-01T00:00:00Z").await.refused("invalid-field");
        let (mut cursor, mut seen) = (String::new(), Vec::new());
        loop {
            let page = admin.get(&format!("/v1/acts?limit=1{cursor}")).await.good();
            seen.extend(page["items"].as_array().unwrap().clone());
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, all);
    }

    async fn p12_an_export_has_every_act_once_and_no_formula(host) {
        let admin = host.admin();
        for number in 0..203 {
            let request = admin.request("POST", "/v1/teams").header("User-Agent", "=HYPERLINK(\"http://x\")");
            Answer::of(request.json(&json!({"name": format!("team {number}")})), "team".into()).await.good();
        }
        let export = async |accept: &str| {
            let request = admin.request("GET", "/v1/acts?operation=access.create_team").header("Accept", accept);
            Answer::of(request, "export".into()).await
        };
        let table = export("text/csv").await;
        assert_eq!(table.header("content-type"), "text/csv; charset=utf-8; header=present");
        assert_eq!(table.header("cache-control"), "no-store");
        let table = String::from_utf8(table.bytes).unwrap();
        assert_eq!(table.lines().count(), 204);
        assert!(table.starts_with("\"at\",\"id\",\"actor\""), "{table}");
        assert!(table.contains("\"'=HYPERLINK(\"\"http://x\"\")\"") && table.contains("team.created:1 member.granted:1"), "{table}");
        let lines = export("application/x-ndjson").await;
        assert_eq!(lines.header("content-type"), "application/x-ndjson");
        let lines = String::from_utf8(lines.bytes).unwrap();
        let acts: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let ids: BTreeSet<_> = acts.iter().map(|act| text(&act["id"])).collect();
        assert_eq!((acts.len(), ids.len()), (203, 203));
        assert!(acts.iter().all(|act| act["events"].as_array().unwrap().len() == 2));
        let (_, stranger) = host.somebody("stranger").await;
        let request = stranger.request("GET", "/v1/acts").header("Accept", "text/csv");
        Answer::of(request, "export".into()).await.refused("missing-grant");
    }
}

/// Commands of the host's own machine, which nobody else sees.
async fn commands(database: Database) {
    let mut berth = Installation::new(database).await;
    let process = berth.start().await;
    let admin = berth.admin(&process);
    assert!(berth.command(&["admin", "token"]).output().await.unwrap().status.success());
    assert!(berth.command(&["admin", "rotate-secrets"]).output().await.unwrap().status.success());
    let act = one(&admin, "actor=berth&operation=admin.token").await;
    assert_eq!((kinds(&act), &act["outcome"]), (vec!["token.issued".to_owned()], &json!("done")));
    assert!(text(&act["agent"]).starts_with("uid "), "{act}");
    assert!(act.get("path").is_none() && act.get("address").is_none(), "{act}");
    let act = one(&admin, "operation=admin.rotate-secrets").await;
    assert_eq!(kinds(&act), [""; 0], "it changes nothing that is told, and is kept all the same");
    process.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_a_command_on_the_hosts_own_machine_is_an_act_on_sqlite() {
    commands(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_a_command_on_the_hosts_own_machine_is_an_act_on_postgres() {
    if postgres_is_there() {
        commands(Database::Postgres).await;
    }
}
