//! The life of versions and of grayscale releases, over HTTP.

use berth_tests::{
    on_both, packed,
    scene::{Scene, text},
};
use serde_json::{Value, json};

on_both! {
    async fn v1_the_same_bytes_again_are_no_news_and_other_bytes_are_refused(host) {
        let scene = Scene::set(host).await;
        assert_eq!(scene.push("1.0.0", "1.0.0").await.status, 201);
        assert_eq!(scene.push("1.0.0", "1.0.0").await.status, 200);
        scene.push("1.1.0", "1.0.0").await.refused("version-exists");
        let name = "coffee_1.0.0.apkg";
        let request = scene.admin.request("PUT", &format!("/v1/packages/{name}?replace=true"));
        let replaced = berth_tests::Answer::of(request.body(packed("coffee/1.1.0", name)), "replace".into()).await;
        assert_eq!(replaced.status, 201);
        scene.submit("1.0.0").await;
        let request = scene.admin.request("PUT", &format!("/v1/packages/{name}?replace=true"));
        let frozen = berth_tests::Answer::of(request.body(packed("coffee/1.0.0", name)), "replace".into()).await;
        frozen.refused("version-exists");
    }

    async fn f30_a_deleted_number_never_comes_back(host) {
        let scene = Scene::set(host).await;
        scene.push("1.0.0", "1.0.0").await.good();
        scene.admin.delete("/v1/mini-apps/coffee/versions/1.0.0").await.good();
        scene.push("1.0.0", "1.0.0").await.refused("version-exists");
        scene.push("1.1.0", "1.0.0").await.refused("version-exists");
    }

    async fn f59_one_version_uploaded_32_ways_at_once_is_stored_once(host) {
        let scene = Scene::set(host).await;
        let bytes = packed("coffee/1.0.0", "coffee_1.0.0.apkg");
        let uploads: Vec<_> = (0..32)
            .map(|_| {
                let (admin, bytes) = (scene.admin.clone(), bytes.clone());
                tokio::spawn(async move { admin.push("coffee_1.0.0.apkg", bytes).await.status })
            })
            .collect();
        let mut statuses = Vec::new();
        for upload in uploads {
            statuses.push(upload.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses[31], 201, "{statuses:?}");
        assert!(statuses[..31].iter().all(|status| *status == 200), "{statuses:?}");
    }

    async fn v5_policies_judge_first_then_one_person_for_each_host_app(host) {
        let scene = Scene::set(host).await;
        scene.push("1.0.0", "1.0.0").await.good();
        let audit = scene.submit("1.0.0").await;
        assert_eq!(audit["state"], "deciding");
        let installed = scene.admin.get("/v1/policies?kind=auditor").await.good();
        let (judged, auditors) = (audit["evaluations"].as_array().unwrap(), installed["items"].as_array().unwrap());
        assert_eq!(judged.len(), auditors.len());
        scene.publish("1.0.0").await.refused("version-state");
        scene.decide(&audit, false, "").await.refused("note-required");
        let audit = scene.decide(&audit, false, "The logo is missing.").await.good();
        assert_eq!((&audit["state"], &audit["items"][0]["note"]), (&json!("rejected"), &json!("The logo is missing.")));
        let closed = scene.decide(&audit, true, "").await.refused("audit-closed");
        assert_eq!(closed["next"], "berth version show coffee 1.0.0");
        // Mended by talking: submitted again, approved, published; both audits stay readable (V6).
        let again = scene.submit("1.0.0").await;
        scene.decide(&again, true, "").await.good();
        scene.publish("1.0.0").await.good();
        let audits = scene.admin.get("/v1/mini-apps/coffee/versions/1.0.0/audits").await.good();
        assert_eq!(audits["items"].as_array().unwrap().len(), 2);
    }

    async fn v6_a_host_app_lists_what_waits_and_what_was_decided(host) {
        let scene = Scene::set(host).await;
        scene.approved("1.0.0").await;
        scene.push("1.0.0", "1.1.0").await.good();
        scene.submit("1.1.0").await;
        for (state, expected) in [("", "1.1.0"), ("?state=deciding", "1.1.0"), ("?state=approved", "1.0.0")] {
            let audits = scene.admin.get(&format!("/v1/host-apps/super-app/audits{state}")).await.good();
            let versions: Vec<_> = audits["items"].as_array().unwrap().iter().map(|one| text(&one["version"])).collect();
            assert_eq!(versions, [expected], "{state}");
        }
        let refused = scene.admin.get("/v1/host-apps/super-app/audits?states=approved").await.refused("bad-request");
        assert_eq!(refused["field"], "states");
    }

    async fn v5_an_error_of_a_policy_rejects_before_people_are_asked(host) {
        let scene = Scene::set(host).await;
        let name = "coffee_1.0.0.apkg";
        scene.admin.push(name, packed("bad/eval", name)).await.good();
        let audit = scene.submit("1.0.0").await;
        assert_eq!(audit["state"], "rejected");
        let findings = scene.admin.get("/v1/mini-apps/coffee/versions/1.0.0/findings").await.good();
        let finding = findings["findings"].as_array().unwrap().iter().find(|one| one["policy"] == "dynamic-code").unwrap();
        assert!(finding["place"]["line"].as_u64().unwrap() >= 1 && finding["fix"].is_string(), "{finding}");
        let request = scene.admin.request("GET", "/v1/mini-apps/coffee/versions/1.0.0/findings");
        let sarif = berth_tests::Answer::of(request.header("Accept", "application/sarif+json"), "sarif".into()).await;
        assert_eq!(sarif.header("content-type"), "application/sarif+json");
        assert_eq!(sarif.good()["version"], "2.1.0");
    }

    async fn v5_without_a_bound_host_app_submit_is_refused(host) {
        let scene = Scene::set(host).await;
        scene.admin.delete("/v1/host-apps/super-app/bindings/coffee").await.good();
        scene.push("1.0.0", "1.0.0").await.good();
        scene.admin.send("POST", "/v1/mini-apps/coffee/versions/1.0.0/submit", None).await.refused("no-host-app");
    }

    async fn v4_withdraw_returns_to_development(host) {
        let scene = Scene::set(host).await;
        scene.push("1.0.0", "1.0.0").await.good();
        scene.submit("1.0.0").await;
        let version = scene.admin.send("POST", "/v1/mini-apps/coffee/versions/1.0.0/withdraw", None).await.good();
        assert_eq!(version["state"], "development");
        scene.push("1.1.0", "1.0.0").await.refused("version-exists");
    }

    async fn v7_i1_publish_needs_a_greater_approved_version_on_the_shelf(host) {
        let scene = Scene::set(host).await;
        scene.online("1.1.0").await;
        scene.approved("1.0.9").await;
        scene.publish("1.0.9").await.refused("version-order");
        scene.approved("1.2.0").await;
        scene.admin.post("/v1/mini-apps/coffee/shelf", json!({"on": false})).await.good();
        scene.publish("1.2.0").await.refused("mini-app-off-shelf");
        scene.admin.post("/v1/mini-apps/coffee/shelf", json!({"on": true})).await.good();
        scene.publish("1.2.0").await.good();
        assert_eq!(scene.version_for("d").await, "1.2.0");
    }

    async fn v9_a_rollback_leads_to_what_was_online_and_not_twice_in_a_row(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.online("1.1.0").await;
        scene.approved("1.2.0").await;
        scene.roll_back("1.2.0").await.refused("never-online");
        scene.roll_back("1.0.0").await.good();
        assert_eq!(scene.version_for("d").await, "1.0.0");
        let again = scene.roll_back("1.0.0").await.refused("version-state");
        assert!(again["next"].is_null() && text(&again["detail"]).contains("online already"), "{again}");
        scene.roll_back("1.1.0").await.refused("rollback-twice");
        scene.publish("1.2.0").await.good();
        scene.roll_back("1.1.0").await.good();
        let releases = scene.admin.get("/v1/mini-apps/coffee/releases").await.good();
        let kinds: Vec<_> = releases["items"].as_array().unwrap().iter().map(|one| text(&one["kind"])).collect();
        assert_eq!(kinds, ["rollback", "publish", "rollback", "publish", "publish"]);
    }

    async fn f58_publishers_and_rollbacks_at_once_leave_one_version_online(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.online("1.1.0").await;
        for number in ["1.2.0", "1.3.0", "1.4.0"] {
            scene.approved(number).await;
        }
        let ask = |path: &str, body: Value| {
            let (admin, path) = (scene.admin.clone(), path.to_owned());
            tokio::spawn(async move { admin.post(&path, body).await.status })
        };
        let mut racing = Vec::new();
        for number in ["1.2.0", "1.3.0", "1.4.0"] {
            racing.push(ask(&format!("/v1/mini-apps/coffee/versions/{number}/publish"), json!({})));
            racing.push(ask("/v1/mini-apps/coffee/rollback", json!({"to": "1.0.0"})));
        }
        for one in racing {
            let status = one.await.unwrap();
            assert!(status == 200 || status == 409, "{status}");
        }
        let versions = scene.admin.get("/v1/mini-apps/coffee/versions").await.good();
        let online: Vec<_> = versions["items"].as_array().unwrap().iter().filter(|one| one["state"] == "online").collect();
        let releases = scene.admin.get("/v1/mini-apps/coffee/releases").await.good();
        assert_eq!(online.len(), 1);
        assert_eq!(online[0]["version"], releases["items"][0]["version"]);
    }

    async fn v10_i4_only_named_accounts_get_the_trial(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.push("1.2.0", "1.2.0").await.good();
        let trial = |entry: &str| json!({"version": "1.2.0", "entry_path": entry, "accounts": ["alice"]});
        scene.admin.put("/v1/mini-apps/coffee/trial", trial("/etc/passwd")).await.refused("trial-entry");
        scene.admin.put("/v1/mini-apps/coffee/trial", trial("pages/index/index?a=1")).await.good();
        scene.host.settled().await;
        let device = scene.host.device(&scene.key);
        let ask = |account: &str| json!({"host_app": "super-app", "guid": "d", "account": account, "apps": [{"mini_app": "coffee"}]});
        let alice = device.post("/v1/check", ask("alice")).await.good()["results"][0].clone();
        assert_eq!((&alice["version"], &alice["reason"]), (&json!("1.2.0"), &json!("trial")));
        device.get(&text(&alice["package"]["url"])).await.good();
        device.get("/v1/packages/coffee_1.2.0.apkg").await.refused("not-found");
        let bob = device.post("/v1/check", ask("bob")).await.good()["results"][0].clone();
        assert_eq!(bob["version"], "1.0.0");
    }

    async fn v12_forced_is_cumulative(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        scene.admin.post("/v1/mini-apps/coffee/versions/1.1.0/publish", json!({"forced": true})).await.good();
        scene.online("1.2.0").await;
        assert_eq!(scene.check("d", Some("1.0.0")).await["force"], true);
        assert_eq!(scene.check("d", Some("1.1.0")).await["force"], false);
    }

    async fn a2_a3_o3_off_the_shelf_embedded_packages_stop_working_and_come_back(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        assert_eq!(scene.check("d", Some("1.0.0")).await["status"], "current");
        scene.admin.post("/v1/mini-apps/coffee/shelf", json!({"on": false, "note": "recalled"})).await.good();
        assert_eq!(scene.check("d", Some("1.0.0")).await["status"], "removed");
        let device = scene.host.device(&scene.key);
        let gone = device.get("/v1/mini-apps/coffee/offline").await;
        assert_eq!(gone.status, 410);
        assert!(text(&gone.refused("package-off-shelf")["detail"]).contains("recalled"));
        scene.push("1.1.0", "1.1.0").await.good(); // upload and submit still work
        assert_eq!(scene.submit("1.1.0").await["state"], "deciding");
        scene.admin.post("/v1/mini-apps/coffee/shelf", json!({"on": true})).await.good();
        assert_eq!(scene.check("d", Some("1.0.0")).await["status"], "current");
    }

    async fn o1_i2_downloads_carry_the_exact_name_and_the_audited_bytes(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.host.settled().await;
        let bytes = packed("coffee/1.0.0", "coffee_1.0.0.apkg");
        let device = scene.host.device(&scene.key);
        let whole = device.get("/v1/packages/coffee_1.0.0.apkg").await;
        assert_eq!(whole.bytes, bytes);
        assert_eq!(whole.header("content-disposition"), "attachment; filename=\"coffee_1.0.0.apkg\"");
        assert_eq!(whole.header("cache-control"), "public, max-age=31536000, immutable");
        let part = berth_tests::Answer::of(device.request("GET", "/v1/packages/coffee_1.0.0.apkg").header("Range", "bytes=10-19"), "part".into()).await;
        assert_eq!((part.status, &part.bytes[..]), (206, &bytes[10..20]));
        let known = device.request("GET", "/v1/packages/coffee_1.0.0.apkg").header("If-None-Match", whole.header("etag"));
        assert_eq!(berth_tests::Answer::of(known, "known".into()).await.status, 304);
        let head = device.send("HEAD", "/v1/packages/coffee_1.0.0.apkg", None).await;
        assert_eq!((head.status, head.header("content-length")), (200, bytes.len().to_string().as_str()));
        device.get("/v1/packages/coffee_9.9.9.apkg").await.refused("not-found");
    }

    async fn v1_a_package_that_may_still_be_replaced_is_asked_for_each_time(host) {
        let scene = Scene::set(host).await;
        let caching = async || {
            let package = scene.admin.get("/v1/packages/coffee_1.0.0.apkg").await;
            assert_eq!(package.status, 200);
            package.header("cache-control").to_owned()
        };
        scene.push("1.0.0", "1.0.0").await.good();
        assert_eq!(caching().await, "private, no-cache");
        let audit = scene.submit("1.0.0").await;
        assert_eq!(caching().await, "private, max-age=31536000, immutable");
        scene.decide(&audit, false, "no").await.good();
        assert_eq!(caching().await, "private, max-age=31536000, immutable");
    }

    async fn o4_a_bundle_is_the_same_bytes_for_the_same_packages(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let bundle = || scene.admin.post("/v1/bundles", json!({"host_app": "super-app"}));
        let (first, second) = (bundle().await, bundle().await);
        assert_eq!(first.status, 200);
        assert_eq!(first.bytes, second.bytes);
        assert!(first.bytes.windows(17).any(|window| window == b"coffee_1.0.0.apkg"));
    }

    async fn f23_a_changed_byte_is_not_served(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let version = scene.admin.get("/v1/mini-apps/coffee/versions/1.0.0").await.good();
        let sha256 = text(&version["sha256"]);
        let blob = scene.host.folder().join("blobs/sha256").join(&sha256[..2]).join(&sha256);
        let mut bytes = std::fs::read(&blob).unwrap();
        bytes[100] ^= 1;
        std::fs::write(&blob, bytes).unwrap();
        scene.admin.get("/v1/packages/coffee_1.0.0.apkg").await.refused("package-damaged");
        // The same upload again heals it.
        scene.push("1.0.0", "1.0.0").await.good();
        scene.admin.get("/v1/packages/coffee_1.0.0.apkg").await.good();
    }

    async fn g1_what_cannot_be_gray_is_refused(host) {
        let scene = Scene::set(host).await;
        scene.approved("1.0.0").await;
        scene.gray("1.0.0", json!({})).await.refused("gray-first-release");
        scene.publish("1.0.0").await.good();
        scene.push("1.1.0", "1.1.0").await.good();
        scene.gray("1.1.0", json!({})).await.refused("version-state");
        scene.approved("0.9.0").await;
        scene.gray("0.9.0", json!({})).await.refused("version-order");
    }

    async fn g11_a_percentage_is_sticky_and_a_raise_keeps_those_in(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        scene.gray("1.1.0", json!({"policies": [{"policy": "percentage", "config": {"percent": 50}}]})).await.good();
        scene.host.settled().await;
        let mut gray = 0;
        for number in 0..60 {
            let guid = format!("device-{number}");
            let first = scene.check_on(&scene.host, &guid, None).await["version"].clone();
            assert_eq!(first, scene.check_on(&scene.host, &guid, None).await["version"]);
            gray += u32::from(first == "1.1.0");
        }
        assert!((12..=48).contains(&gray), "{gray} of 60");
    }

    async fn g4_a_list_by_txt_upload_chooses_the_devices(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let request = scene.admin.request("POST", "/v1/mini-apps/coffee/cohorts?name=testers");
        let list = request.header("Content-Type", "text/plain").body("\u{feff}d1\r\n\r\nd2\nd1\n");
        let cohort = berth_tests::Answer::of(list, "list".into()).await.good();
        assert_eq!((&cohort["members"], &cohort["duplicates"], &cohort["blanks"]), (&json!(2), &json!(1), &json!(1)));
        scene.gray("1.1.0", json!({"objects": [{"kind": "guid", "cohort": cohort["id"]}]})).await.good();
        assert_eq!(scene.version_for("d1").await, "1.1.0");
        assert_eq!(scene.version_for("d3").await, "1.0.0");
    }

    async fn g7_i3_the_cap_is_exact_on_two_hosts(host) {
        let scene = Scene::set(host).await;
        let other = scene.host.beside().await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let task = scene.gray("1.1.0", json!({"max_users": 7})).await.good();
        scene.host.settled().await;
        other.settled().await;
        let mut asking = Vec::new();
        for number in 0..40 {
            let device = (if number % 2 == 0 { &scene.host } else { &other }).device(&scene.key);
            let body = json!({"host_app": "super-app", "guid": format!("d{number}"), "apps": [{"mini_app": "coffee"}]});
            asking.push(tokio::spawn(async move { device.post("/v1/check", body).await.good()["results"][0]["version"] == "1.1.0" }));
        }
        let mut gray = 0;
        for one in asking {
            gray += u32::from(one.await.unwrap());
        }
        assert_eq!(gray, 7);
        let task = scene.admin.get(&format!("/v1/gray-tasks/{}", text(&task["id"]))).await.good();
        assert_eq!((&task["state"], &task["ended_by"], &task["admitted"]), (&json!("ended"), &json!("cap"), &json!(7)));
    }

    async fn v8_v9_publishing_ends_the_task_and_a_rollback_does_not(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.online("1.1.0").await;
        scene.approved("1.2.0").await;
        scene.gray("1.2.0", json!({})).await.good();
        assert_eq!(scene.version_for("d").await, "1.2.0");
        scene.roll_back("1.0.0").await.good();
        assert_eq!(scene.version_for("d").await, "1.2.0");
        scene.publish("1.2.0").await.good();
        let check = scene.check("d", None).await;
        assert_eq!((&check["version"], &check["reason"]), (&json!("1.2.0"), &json!("online")));
        let tasks = scene.admin.get("/v1/mini-apps/coffee/gray-tasks").await.good();
        assert_eq!((&tasks["items"][0]["state"], &tasks["items"][0]["ended_by"]), (&json!("ended"), &json!("superseded")));
    }

    async fn i6_every_change_has_its_event_in_one_sequence_without_gaps(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.push("1.1.0", "1.0.0").await.refused("version-exists");
        let events = scene.admin.get("/v1/events?limit=1000").await.good();
        let items = events["items"].as_array().unwrap();
        assert!(items.iter().enumerate().all(|(index, event)| event["seq"] == index as u64 + 1));
        let of = |kind: &str| items.iter().filter(|event| event["type"] == kind).count();
        for kind in ["mini_app.created", "binding.created", "version.uploaded", "version.submitted", "version.approved", "version.published"] {
            assert_eq!(of(kind), 1, "{kind}");
        }
    }

    async fn f91_a_repeated_post_creates_once(host) {
        let scene = Scene::set(host).await;
        let create = |name: &str| {
            let request = scene.admin.request("POST", "/v1/teams").header("Idempotency-Key", "k1");
            berth_tests::Answer::of(request.json(&json!({"name": name})), "create".into())
        };
        let (first, again) = (create("A").await, create("A").await);
        assert_eq!(first.good(), again.good());
        assert_eq!(again.header("idempotency-replayed"), "true");
        create("B").await.refused("idempotency-mismatch");
        let teams = scene.admin.get("/v1/teams").await.good();
        assert_eq!(teams["items"].as_array().unwrap().len(), 2);
    }

    async fn f28_naughty_texts_come_back_as_they_were(host) {
        let scene = Scene::set(host).await;
        let texts = [
            "<script>alert(1)</script>", "'; DROP TABLE mini_app; --", "${jndi:ldap://x}", "{{7*7}}", "%s%n", "𝒳😀",
            "عربى", "田中さん", "a'b\"c\\d", "../../etc/passwd", "null", "undefined", "NaN", "-1", "0x0", "1e999", "ﬀ", "Ⱥ", "ﷺ",
        ];
        for name in texts {
            scene.admin.send("PATCH", "/v1/mini-apps/coffee", Some(&json!({"name": name, "description": name}))).await.good();
            let read = scene.admin.get("/v1/mini-apps/coffee").await.good();
            assert_eq!((&read["name"], &read["description"]), (&json!(name), &json!(name)));
        }
        for name in ["a\u{0}b", "\u{202e}abc", "\u{200b}"] {
            scene.admin.send("PATCH", "/v1/mini-apps/coffee", Some(&json!({"name": name}))).await.refused("invalid-field");
        }
        let turned = json!({"description": "\u{202e}abc"});
        scene.admin.send("PATCH", "/v1/mini-apps/coffee", Some(&turned)).await.good();
        assert_eq!(scene.admin.get("/v1/mini-apps/coffee").await.good()["description"], turned["description"]);
    }

    async fn f26_a_name_that_disagrees_names_both_values(host) {
        let scene = Scene::set(host).await;
        let id = text(&scene.admin.post("/v1/mini-apps", json!({"name": "N", "id": "other-notes", "team": scene.team})).await.good()["id"]);
        let bytes = packed("notes/1.0.0", "notes_1.0.0.apkg");
        let problem = scene.admin.push(&format!("{id}_1.0.0.apkg"), bytes).await.refused("package-mismatch");
        assert!(text(&problem["detail"]).contains("other-notes"), "{problem}");
    }

    async fn f43_what_is_not_a_policy_is_refused_and_configs_are_checked(host) {
        let scene = Scene::set(host).await;
        for bytes in [&b"garbage"[..], b"\0asm\x01\0\0\0", b""] {
            let request = scene.admin.request("POST", "/v1/policies").header("Content-Type", "application/wasm").body(bytes.to_vec());
            berth_tests::Answer::of(request, "install".into()).await.refused("policy-invalid");
        }
        let bind = |policy: &str, config: Value| json!({"policy": policy, "scope": {"kind": "mini_app", "id": "coffee"}, "config": config});
        scene.admin.post("/v1/policy-bindings", bind("size-limits", json!({"nonsense": 1}))).await.refused("policy-config");
        scene.admin.post("/v1/policy-bindings", bind("percentage", json!({"percent": 1}))).await.refused("policy-kind");
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        scene.gray("1.1.0", json!({"policies": [{"policy": "percentage", "config": {"percent": 101}}]})).await.refused("policy-config");
        scene.gray("1.1.0", json!({"platfroms": []})).await.refused("invalid-field");
    }
}
