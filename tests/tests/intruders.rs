//! Callers with rights of their own who try to reach what belongs to others, or to set more than a request may set.

use berth_tests::{
    Api, Host, on_both, packed,
    scene::{Scene, text},
};
use serde_json::{Value, json};

/// The scene, and an admin of another team that has a MiniApp `tea`, which is bound to the same host app.
async fn with_stranger(host: Host) -> (Scene, Api) {
    let scene = Scene::set(host).await;
    let (_, stranger) = scene.host.somebody("stranger").await;
    stranger.post("/v1/teams", json!({"name": "Tea team"})).await.good();
    stranger.post("/v1/mini-apps", json!({"name": "Tea", "id": "tea"})).await.good();
    scene.admin.put("/v1/host-apps/super-app/bindings/tea", json!(null)).await.good();
    (scene, stranger)
}

/// Takes a version of `tea` to approval, and online if `publish` says so.
async fn tea(scene: &Scene, owner: &Api, number: &str, publish: bool) {
    let name = format!("tea_{number}.apkg");
    owner.push(&name, packed("coffee/1.0.0", &name)).await.good();
    let path = format!("/v1/mini-apps/tea/versions/{number}");
    let audit = owner.send("POST", &format!("{path}/submit"), None).await.good();
    let audit = scene.judged(&text(&audit["id"])).await;
    scene.decide(&audit, true, "").await.good();
    if publish {
        owner.post(&format!("{path}/publish"), json!({})).await.good();
    }
}

on_both! {
    async fn f81_with_its_own_id_nobody_reaches_the_version_of_another(host) {
        let (scene, stranger) = with_stranger(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        scene.approved("1.2.0").await;
        tea(&scene, &stranger, "0.1.0", true).await;
        tea(&scene, &stranger, "0.2.0", false).await;
        let now = scene.host.app.db.now();
        let gray = |version: &str| json!({"name": "g", "version": version, "start": now, "end": now.plus_seconds(60)});
        let trial = json!({"version": "1.1.0", "entry_path": "pages/index/index", "accounts": ["a"]});
        // Of coffee there are 1.0.0, 1.1.0 and 1.2.0; of tea there are not.
        for (method, path, body) in [
            ("GET", "/v1/mini-apps/tea/versions/1.1.0", None),
            ("GET", "/v1/mini-apps/tea/versions/1.1.0/findings", None),
            ("GET", "/v1/mini-apps/tea/versions/1.1.0/audits", None),
            ("GET", "/v1/packages/tea_1.1.0.apkg", None),
            ("DELETE", "/v1/mini-apps/tea/versions/1.1.0", None),
            ("POST", "/v1/mini-apps/tea/versions/1.1.0/submit", None),
            ("POST", "/v1/mini-apps/tea/versions/1.1.0/withdraw", None),
            ("POST", "/v1/mini-apps/tea/versions/1.1.0/publish", Some(json!({}))),
            ("POST", "/v1/mini-apps/tea/rollback", Some(json!({"to": "1.0.0"}))),
            ("PUT", "/v1/mini-apps/tea/trial", Some(trial)),
            ("POST", "/v1/mini-apps/tea/gray-tasks", Some(gray("1.1.0"))),
        ] {
            let answer = stranger.send(method, path, body.as_ref()).await;
            assert_eq!((answer.status, answer.kind().as_str()), (404, "not-found"), "{method} {path}");
        }
        // What has an id of its own, under the stranger's own roles.
        let task = text(&scene.gray("1.1.0", json!({})).await.good()["id"]);
        let list = scene.admin.request("POST", "/v1/mini-apps/coffee/cohorts?name=l").header("Content-Type", "text/plain");
        let cohort = berth_tests::Answer::of(list.body("a\n"), "list".into()).await.good();
        let mut theirs = gray("0.2.0");
        theirs["objects"] = json!([{"kind": "guid", "cohort": cohort["id"]}]);
        stranger.post("/v1/mini-apps/tea/gray-tasks", theirs).await.refused("invalid-field");
        let audit = text(&scene.admin.get("/v1/mini-apps/coffee/versions/1.1.0").await.good()["audit"]["id"]);
        let bound = json!({"policy": "size-limits", "scope": {"kind": "mini_app", "id": "coffee"}});
        let binding = text(&scene.admin.post("/v1/policy-bindings", bound.clone()).await.good()["id"]);
        for (method, path, body) in [
            ("GET", format!("/v1/gray-tasks/{task}"), None),
            ("POST", format!("/v1/gray-tasks/{task}/end"), None),
            ("PATCH", format!("/v1/gray-tasks/{task}"), Some(json!({"name": "theirs"}))),
            ("GET", format!("/v1/audits/{audit}"), None),
            ("POST", format!("/v1/audits/{audit}/decisions"), Some(json!({"host_app": "super-app", "approve": false, "note": "n"}))),
            ("PUT", format!("/v1/policy-bindings/{binding}"), Some(json!({"mode": "shadow"}))),
            ("DELETE", format!("/v1/policy-bindings/{binding}"), None),
            ("POST", "/v1/policy-bindings".into(), Some(bound)),
            ("GET", "/v1/packages/coffee_1.1.0.apkg".into(), None),
        ] {
            assert_eq!(stranger.send(method, &path, body.as_ref()).await.status, 404, "{method} {path}");
        }
        assert_eq!(scene.version_for("d").await, "1.1.0");
    }

    async fn f82_a_body_sets_only_what_it_may(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let team = scene.team.clone();
        let member = text(&scene.admin.get("/v1/me").await.good()["account"]["id"]);
        let now = scene.host.app.db.now();
        let before = scene.admin.get("/v1/events?limit=1000").await.good();
        let gray = json!({"name": "g", "version": "1.1.0", "start": now, "end": now.plus_seconds(60)});
        let bound = json!({"policy": "size-limits", "scope": {"kind": "platform"}});
        let members = format!("/v1/teams/{team}/members/{member}");
        let audit = text(&scene.admin.get("/v1/mini-apps/coffee/versions/1.1.0").await.good()["audit"]["id"]);
        let decisions = format!("/v1/audits/{audit}/decisions");
        let rows: Vec<(&str, &str, Value, &[&str])> = vec![
            ("POST", "/v1/accounts", json!({"name": "n"}), &["id", "role", "grants"]),
            ("POST", "/v1/teams", json!({"name": "n"}), &["id", "created_at", "members"]),
            ("POST", "/v1/merchants", json!({"name": "n"}), &["id"]),
            ("POST", "/v1/tokens", json!({"name": "n"}), &["id", "scope", "secret", "role", "revoked_at"]),
            ("POST", "/v1/mini-apps", json!({"name": "n", "team": team}), &["on_shelf", "min_version", "revision"]),
            ("PATCH", "/v1/mini-apps/coffee", json!({"name": "n"}), &["id", "team", "on_shelf", "min_version"]),
            ("POST", "/v1/mini-apps/coffee/shelf", json!({"on": true}), &["team"]),
            ("PUT", "/v1/mini-apps/coffee/min-version", json!({"version": null}), &["forced"]),
            ("POST", "/v1/mini-apps/coffee/versions/1.1.0/publish", json!({}), &["state", "released_by", "version"]),
            ("POST", "/v1/mini-apps/coffee/rollback", json!({"to": "1.0.0"}), &["kind", "forced"]),
            ("PUT", "/v1/mini-apps/coffee/trial", json!({"version": "1.1.0", "entry_path": "pages/index/index", "accounts": ["a"]}), &["set_by"]),
            ("POST", "/v1/mini-apps/coffee/gray-tasks", gray, &["id", "state", "admitted", "honoured", "created_by", "mini_app"]),
            ("POST", "/v1/host-apps", json!({"name": "n"}), &["public_key", "created_at"]),
            ("POST", "/v1/policy-bindings", bound, &["id", "bound_by", "digest", "position", "level"]),
            ("POST", &decisions, json!({"host_app": "super-app", "approve": true}), &["decided_by", "state"]),
            ("PUT", &members, json!({"role": "viewer"}), &["account", "scope"]),
            ("POST", "/v1/bundles", json!({"host_app": "super-app"}), &["packages"]),
        ];
        for (method, path, body, forbidden) in rows {
            for member in forbidden {
                let mut more = body.clone();
                more[*member] = json!("x");
                let problem = scene.admin.send(method, path, Some(&more)).await.refused("invalid-field");
                assert!(text(&problem["detail"]).contains(member), "{method} {path}: {problem}");
            }
        }
        let after = scene.admin.get("/v1/events?limit=1000").await.good();
        assert_eq!(before["items"].as_array().unwrap().len(), after["items"].as_array().unwrap().len());
    }

    async fn f82_what_a_newer_sdk_says_more_is_ignored_and_sets_nothing(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        scene.gray("1.1.0", json!({"networks": ["wifi"]})).await.good();
        let answer = scene.check_as(json!({"network": "4g", "admitted": true, "gray_task": "any", "version": "1.1.0"})).await;
        assert_eq!((&answer["version"], &answer["reason"]), (&json!("1.0.0"), &json!("online")));
    }

    async fn f28_the_character_nul_is_no_failure_anywhere(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        for path in ["/v1/mini-apps?search=%00", "/v1/mini-apps?cursor=%00", "/v1/policies/%00", "/v1/policy-bindings?scope_kind=mini_app&scope_id=%00"] {
            let status = scene.admin.get(path).await.status;
            assert!(status < 500, "{path}: {status}");
        }
        for more in [
            json!({"host_apps": [{"id": "super-app", "min_version": "1\u{0}"}]}),
            json!({"objects": [{"kind": "guid", "values": ["a\u{0}"]}]}),
            json!({"networks": ["\u{0}"]}),
            json!({"policies": [{"policy": "standard-conditions", "config": {"networks": ["\u{0}"]}}]}),
            json!({"policies": [{"policy": "\u{0}"}]}),
        ] {
            let answer = scene.gray("1.1.0", more.clone()).await;
            assert!(answer.status < 500, "{more}: {}", answer.kind());
        }
    }
}
