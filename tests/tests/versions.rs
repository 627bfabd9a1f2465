//! Versions: their audits, the shelf and the trial, over HTTP.

use std::io::Cursor;

use berth_package::ZipWriter;
use berth_tests::{
    Answer, on_both, packed,
    scene::{Scene, text},
};
use serde_json::{Value, json};

fn numbers(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["version"].as_str().unwrap()).collect()
}

on_both! {
    async fn v2_where_manifest_and_address_disagree_both_values_are_named(host) {
        let scene = Scene::set(host).await;
        scene.admin.post("/v1/mini-apps", json!({"name": "Notes", "id": "notes", "team": scene.team})).await.good();
        let bytes = packed("notes/1.0.0", "notes_1.0.0.apkg");
        for (name, ours, theirs) in [("notes_2.0.0.apkg", "2.0.0", "1.0.0"), ("coffee_1.0.0.apkg", "coffee", "notes")] {
            let problem = scene.admin.push(name, bytes.clone()).await.refused("package-mismatch");
            let detail = text(&problem["detail"]);
            assert!(detail.contains(ours) && detail.contains(theirs), "{detail}");
        }
        assert!(numbers(&scene.admin.get("/v1/mini-apps/notes/versions").await.good()["items"]).is_empty());
        scene.admin.push("notes_1.0.0.apkg", bytes).await.good();
    }

    async fn v3_the_overview_shows_all_at_one_look(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let task = scene.gray("1.1.0", json!({})).await.good();
        scene.push("1.0.0", "1.2.0").await.good();
        let audit = scene.submit("1.2.0").await;
        scene.push("1.0.0", "1.3.0").await.good();
        let trial = json!({"version": "1.3.0", "entry_path": "pages/index/index", "accounts": ["alice"]});
        scene.admin.put("/v1/mini-apps/coffee/trial", trial.clone()).await.good();
        let overview = scene.admin.get("/v1/mini-apps/coffee/overview").await.good();
        assert_eq!(overview["online"]["version"], "1.0.0");
        assert_eq!(numbers(&overview["approved"]), ["1.1.0"]);
        assert_eq!(numbers(&overview["development"]), ["1.3.0"]);
        assert_eq!((&overview["auditing"][0]["id"], &overview["auditing"][0]["state"]), (&audit["id"], &json!("deciding")));
        assert_eq!(overview["trial"], trial);
        assert_eq!(overview["gray_tasks"][0]["id"], task["id"]);
    }

    async fn v6_audits_of_the_past_stay_readable_with_digests_and_configs(host) {
        let scene = Scene::set(host).await;
        let strict = json!({"policy": "size-limits", "scope": {"kind": "mini_app", "id": "coffee"}, "config": {"main_bytes": 5_000_000}});
        let binding = scene.admin.post("/v1/policy-bindings", strict).await.good();
        scene.push("1.0.0", "1.0.0").await.good();
        let audit = scene.submit("1.0.0").await;
        scene.decide(&audit, true, "fine by me").await.good();
        scene.publish("1.0.0").await.good();
        scene.admin.delete(&format!("/v1/policy-bindings/{}", text(&binding["id"]))).await.good();
        scene.online("1.1.0").await;
        let past = scene.admin.get(&format!("/v1/audits/{}", text(&audit["id"]))).await.good();
        let said = past["evaluations"].as_array().unwrap();
        let own = said.iter().find(|one| one["config"] == json!({"main_bytes": 5_000_000})).unwrap();
        assert_eq!((&own["policy"], &own["digest"], &own["outcome"]), (&json!("size-limits"), &binding["digest"], &json!("verdict")));
        assert!(said.iter().all(|one| text(&one["digest"]).len() == 64 && one["policy_version"].is_string()));
        let me = scene.admin.get("/v1/me").await.good();
        let item = &past["items"][0];
        assert_eq!((&item["decision"], &item["note"]), (&json!("approved"), &json!("fine by me")));
        assert_eq!(item["decided_by"], me["account"]["id"]);
        assert!(item["decided_at"].is_string() && past["closed_at"].is_string());
        let newer = scene.admin.get("/v1/mini-apps/coffee/versions/1.1.0").await.good();
        assert_eq!(newer["audit"]["evaluations"].as_array().unwrap().len(), said.len() - 1);
    }

    async fn v10_a_trial_is_one_version_for_named_accounts_at_a_page_that_exists(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.push("1.2.0", "1.2.0").await.good();
        let set = async |entry: &str, accounts: Value| {
            let trial = json!({"version": "1.2.0", "entry_path": entry, "accounts": accounts});
            scene.admin.put("/v1/mini-apps/coffee/trial", trial).await
        };
        for entry in ["/pages/index/index", "../app", "https://example.com", "pages/nowhere", ""] {
            set(entry, json!(["alice"])).await.refused("trial-entry");
        }
        set("pages/index/index", json!([])).await.refused("invalid-field");
        set("pages/index/index", json!((0..201).map(|n| format!("a{n}")).collect::<Vec<_>>())).await.refused("invalid-field");
        set("pages/index/index", json!(["alice", "bob", "alice"])).await.good();
        let bob = scene.check_as(json!({"account": "bob"})).await;
        assert_eq!((&bob["reason"], &bob["entry_path"]), (&json!("trial"), &json!("pages/index/index")));
        set("pages/index/index", json!(["alice"])).await.good();
        assert_eq!(scene.check_as(json!({"account": "bob"})).await["reason"], "online");
        let kept = scene.admin.delete("/v1/mini-apps/coffee/versions/1.2.0").await.refused("version-state");
        assert_eq!(kept["next"], "berth version trial coffee --clear");
        let replace = async || {
            let name = "coffee_1.2.0.apkg";
            let request = scene.admin.request("PUT", &format!("/v1/packages/{name}?replace=true"));
            Answer::of(request.body(packed("coffee/1.1.0", name)), "replace".into()).await
        };
        let kept = replace().await.refused("version-state");
        assert_eq!(kept["next"], "berth version trial coffee --clear");
        scene.admin.delete("/v1/mini-apps/coffee/trial").await.good();
        assert_eq!(replace().await.status, 201, "nobody tries it any more");
        assert_eq!(scene.check_as(json!({"account": "alice"})).await["reason"], "online");
        scene.admin.get("/v1/mini-apps/coffee/trial").await.refused("not-found");
    }

    async fn v10_the_trial_of_a_version_ends_when_the_version_is_rejected(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.push("1.0.0", "1.2.0").await.good();
        let trial = json!({"version": "1.2.0", "entry_path": "pages/index/index", "accounts": ["alice"]});
        scene.admin.put("/v1/mini-apps/coffee/trial", trial.clone()).await.good();
        // The rejection of another version does not concern it.
        scene.push("1.0.0", "1.1.0").await.good();
        let other = scene.submit("1.1.0").await;
        scene.decide(&other, false, "no").await.good();
        let audit = scene.submit("1.2.0").await;
        assert_eq!(scene.check_as(json!({"account": "alice"})).await["reason"], "trial");
        scene.decide(&audit, false, "it loses orders").await.good();
        assert_eq!(scene.check_as(json!({"account": "alice"})).await["reason"], "online");
        scene.admin.get("/v1/mini-apps/coffee/trial").await.refused("not-found");
        scene.admin.put("/v1/mini-apps/coffee/trial", trial).await.refused("version-state");
        let events = scene.admin.get("/v1/events?limit=1000").await.good();
        let told = events["items"].as_array().unwrap().iter().rfind(|event| event["type"] == "trial.cleared").unwrap();
        assert_eq!(told["data"], json!({"version": "1.2.0", "cause": "rejected"}));
    }

    async fn v11_what_is_older_than_the_minimum_must_not_run(host) {
        let scene = Scene::set(host).await;
        for number in ["1.0.0", "1.1.0", "1.2.0"] {
            scene.online(number).await;
        }
        let min = async |version: Value| scene.admin.put("/v1/mini-apps/coffee/min-version", json!({"version": version})).await;
        min(json!("1.3.0")).await.refused("version-order");
        assert_eq!(scene.check("d", Some("1.0.0")).await["force"], false);
        min(json!("1.1.0")).await.good();
        let old = scene.check("d", Some("1.0.0")).await;
        assert_eq!((&old["force"], &old["min_version"], &old["version"]), (&json!(true), &json!("1.1.0"), &json!("1.2.0")));
        assert_eq!(scene.check("d", Some("1.1.0")).await["force"], false);
        min(json!(null)).await.good();
        assert_eq!(scene.check("d", Some("1.0.0")).await["force"], false);
    }

    async fn f31_a_listed_page_without_a_file_is_a_finding(host) {
        let scene = Scene::set(host).await;
        let name = "coffee_1.0.0.apkg";
        scene.admin.push(name, packed("bad/missing-page", name)).await.good();
        let audit = scene.submit("1.0.0").await;
        assert_eq!(audit["state"], "rejected");
        let found = scene.admin.get("/v1/mini-apps/coffee/versions/1.0.0/findings").await.good();
        let finding = found["findings"].as_array().unwrap().iter().find(|one| one["rule"] == "page-missing").unwrap();
        assert_eq!((&finding["severity"], &finding["place"]["path"]), (&json!("error"), &json!("app.json")));
    }

    async fn a2_a3_off_the_shelf_nothing_starts_and_what_runs_is_suspended(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let task = scene.gray("1.1.0", json!({})).await.good();
        assert_eq!(scene.version_for("d").await, "1.1.0");
        let shelf = async |on: bool| scene.admin.post("/v1/mini-apps/coffee/shelf", json!({"on": on, "note": "recall"})).await;
        shelf(false).await.good();
        assert_eq!(scene.check("d", Some("1.1.0")).await["status"], "removed");
        let suspended = scene.task(&task).await;
        let last = suspended["moves"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&suspended["state"], &last["cause"]), (&json!("suspended"), &json!("off-shelf")));
        scene.move_task(&task, "resume").await.refused("mini-app-off-shelf");
        scene.gray("1.1.0", json!({})).await.refused("mini-app-off-shelf");
        scene.roll_back("1.0.0").await.refused("mini-app-off-shelf");
        let device = scene.host.device(&scene.key);
        for path in ["/v1/packages/coffee_1.0.0.apkg", "/v1/packages/coffee_1.1.0.apkg", "/v1/mini-apps/coffee/offline"] {
            let gone = device.get(path).await;
            assert_eq!(gone.status, 410, "{path}");
            assert!(text(&gone.refused("package-off-shelf")["detail"]).contains("recall"));
        }
        assert_eq!(device.post("/v1/bundles", json!({"host_app": "super-app", "mini_apps": ["coffee"]})).await.status, 410);
        shelf(true).await.good();
        assert_eq!(device.get("/v1/mini-apps/coffee/offline").await.status, 200);
        assert_eq!(scene.version_for("d").await, "1.1.0"); // admitted before, and keeps it while the task is suspended
        assert_eq!(scene.version_for("e").await, "1.0.0");
        scene.move_task(&task, "resume").await.good();
        assert_eq!(scene.version_for("e").await, "1.1.0");
    }

    async fn v13_a_file_is_read_as_data_whatever_it_is(host) {
        let scene = Scene::set(host).await;
        let hostile = "<script>alert(1)</script>\n";
        let long = vec![b'x'; (5 << 20) + 1];
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let files: [(&str, &[u8]); 6] = [
            ("app.js", b"App({})\n"),
            ("app.json", br#"{"pages": ["pages/index"]}"#),
            ("pages/index.js", "Page({ name: '咖啡' })\n".as_bytes()),
            ("pages/a b#%.html", hostile.as_bytes()),
            ("logo.png", b"\x89PNG\r\n\x1a\n\0"),
            ("long.txt", &long),
        ];
        for (path, bytes) in files {
            zip.add_stored(path, bytes).unwrap();
        }
        scene.admin.push("coffee_1.0.0.apkg", zip.finish().unwrap().into_inner()).await.good();
        let files = "/v1/mini-apps/coffee/versions/1.0.0/files";
        let listed = scene.admin.get(files).await.good()["items"].as_array().unwrap().clone();
        let digest_of = |path: &str| text(&listed.iter().find(|one| one["path"] == path).unwrap()["sha256"]);
        for (path, address, kind, content) in [
            ("pages/index.js", "pages/index.js", "text/plain; charset=utf-8", "Page({ name: '咖啡' })\n".as_bytes()),
            ("pages/a b#%.html", "pages/a%20b%23%25.html", "text/plain; charset=utf-8", hostile.as_bytes()),
            ("logo.png", "logo.png", "application/octet-stream", b"\x89PNG\r\n\x1a\n\0"),
        ] {
            let answer = scene.admin.get(&format!("{files}/{address}")).await;
            assert_eq!((answer.status, &answer.bytes[..]), (200, content), "{path}");
            assert_eq!(answer.header("content-type"), kind);
            assert_eq!(answer.header("content-disposition"), "attachment");
            assert_eq!(answer.header("content-security-policy"), "sandbox; default-src 'none'");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("etag"), format!("\"{}\"", digest_of(path)));
        }
        let known = format!("\"{}\"", digest_of("pages/index.js"));
        let request = scene.admin.request("GET", &format!("{files}/pages/index.js")).header("If-None-Match", known);
        assert_eq!(Answer::of(request, "GET a file that is known".into()).await.status, 304);
        let request = scene.admin.request("GET", &format!("{files}/pages/index.js")).header("Range", "bytes=0-3");
        let part = Answer::of(request, "GET a part of a file".into()).await;
        assert_eq!((part.status, &part.bytes[..]), (206, &b"Page"[..]));
        let refused = scene.admin.get(&format!("{files}/long.txt")).await.refused("file-too-large");
        assert_eq!(refused["limit"], json!(5 << 20));
        for missing in ["pages", "none.js", "../app.js", "pages%2F..%2Fapp.js", "APP.js"] {
            let answer = scene.admin.get(&format!("{files}/{missing}")).await;
            assert_eq!(answer.status, 404, "{missing}");
        }
        let (_, stranger) = scene.host.somebody("stranger").await;
        stranger.get(&format!("{files}/app.js")).await.refused("not-found");
    }

    async fn v13_two_versions_are_compared_file_by_file(host) {
        let scene = Scene::set(host).await;
        for sample in ["1.0.0", "1.1.0"] {
            scene.push(sample, sample).await.good();
        }
        let compare = async |from: &str, to: &str| {
            scene.admin.get(&format!("/v1/mini-apps/coffee/compare?from={from}&to={to}")).await
        };
        let there = compare("1.0.0", "1.1.0").await.good();
        let back = compare("1.1.0", "1.0.0").await.good();
        assert!(!there["changed"].as_array().unwrap().is_empty(), "{there}");
        assert_eq!((&there["added"], &there["pages_added"]), (&back["removed"], &back["pages_removed"]));
        assert_eq!(there["packed"]["by"].as_i64().unwrap(), -back["packed"]["by"].as_i64().unwrap());
        let same = compare("1.0.0", "1.0.0").await.good();
        assert_eq!((&same["same_bytes"], &same["changed"]), (&json!(true), &json!([])));
        compare("1.0.0", "9.9.9").await.refused("not-found");
        scene.admin.get("/v1/mini-apps/coffee/compare?from=1.0.0").await.refused("bad-request");
    }

    async fn v5_v13_who_decides_reads_and_compares_what_was_submitted_to_them(host) {
        let scene = Scene::set(host).await;
        let (account, auditor) = scene.host.somebody("auditor").await;
        let member = format!("/v1/host-apps/super-app/members/{account}");
        scene.admin.put(&member, json!({"role": "auditor"})).await.good();
        scene.online("1.0.0").await;
        scene.push("1.1.0", "1.1.0").await.good();
        let (file, compare) = (
            "/v1/mini-apps/coffee/versions/1.1.0/files/app.json",
            "/v1/mini-apps/coffee/compare?from=1.0.0&to=1.1.0",
        );
        auditor.get(file).await.refused("not-found");
        auditor.get(compare).await.refused("not-found");
        scene.submit("1.1.0").await;
        assert_eq!(auditor.get(file).await.status, 200);
        auditor.get(compare).await.good();
    }
}
