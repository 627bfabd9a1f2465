//! Address books that are pulled from WeCom (W9–W12).

use std::time::Duration;

use berth_base::clock::Nature;
use berth_tests::{
    Api, Host, http, on_both,
    scene::{person, text},
    wecom::{self, CALLBACK_KEY, CALLBACK_TOKEN, CORP, Fault, SECRET, SYNC_SECRET, Signed, Wecom},
};
use serde_json::{Value, json};

use crate::oidc::{BACK, CHALLENGE, exchange_at, user_info, visit};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const AT: &str = "/v1/workspaces/acme/directory";

/// A workspace `acme`, and the WeCom of its organisation.
struct Acme {
    host: Host,
    admin: Api,
    wecom: Wecom,
}

impl Acme {
    async fn found(host: Host) -> Self {
        let admin = host.admin();
        admin.post("/v1/workspaces", json!({"name": "Acme", "id": "acme"})).await.good();
        Self { admin, host, wecom: Wecom::start().await }
    }

    /// The same, with an organisation of some people that was synced.
    async fn synced(host: Host) -> Self {
        let acme = Self::found(host).await;
        acme.wecom.department(2, "Sales", 1);
        acme.wecom.department(3, "South", 2);
        acme.wecom.person(
            "ZhangSan",
            &[3],
            json!({"name": "张三", "position": "Clerk", "biz_mail": "zs@acme.example"}),
        );
        acme.wecom.person("lisi", &[1, 3], json!({"name": "李四"}));
        acme.wecom.person("wangwu", &[1], json!({"name": "王五"}));
        acme.wecom.tag(7, "Chess", &["wangwu"], &[3]);
        acme.admin.put(AT, acme.wecom.settings()).await.good();
        acme.ended("done").await;
        acme
    }

    /// Waits until no sync is under way, and returns the directory.
    #[track_caller]
    fn ended(&self, state: &str) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            for _ in 0..1200 {
                let directory = self.admin.get(AT).await.good();
                let now = text(&directory["sync"]["state"]);
                if !["waiting", "running"].contains(&now.as_str()) {
                    assert_eq!(now, state, "{caller}: {directory}");
                    return directory;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            panic!("{caller}: the sync does not end");
        }
    }

    /// Syncs, and returns the directory.
    #[track_caller]
    fn sync(&self, ask: Value, state: &str) -> impl Future<Output = Value> {
        let ended = self.ended(state);
        async move {
            let answer = self.admin.post(&format!("{AT}/sync"), ask).await;
            assert_eq!(answer.status, 202);
            ended.await
        }
    }

    async fn list(&self, what: &str) -> Vec<Value> {
        let page = self.admin.get(&format!("/v1/workspaces/acme/{what}?limit=200")).await.good();
        page["items"].as_array().unwrap().clone()
    }

    /// The member whom WeCom knows by this id.
    async fn member(&self, id: &str) -> Value {
        self.list("members").await.into_iter().find(|one| one["external_id"] == id).unwrap_or_else(|| panic!("no {id}"))
    }

    /// The department or tag that WeCom knows by this id.
    async fn group(&self, kind: &str, id: i64) -> Option<Value> {
        let id = id.to_string();
        let of = |one: &Value| one["kind"] == kind && one["external_id"].as_str() == Some(&id);
        self.list("groups").await.into_iter().find(of)
    }

    async fn group_id(&self, kind: &str, id: i64) -> String {
        text(&self.group(kind, id).await.unwrap()["id"])
    }

    /// The user names of those whom a department or a tag lists.
    async fn listed(&self, kind: &str, id: i64) -> Vec<String> {
        let group = self.group_id(kind, id).await;
        let page = self.admin.get(&format!("/v1/workspaces/acme/members?group={group}")).await.good();
        let mut names: Vec<_> = page["items"].as_array().unwrap().iter().map(|one| text(&one["user_name"])).collect();
        names.sort();
        names
    }

    /// An application that is given to these.
    async fn application(&self, access: Value) -> String {
        let new = json!({"kind": "link", "name": "Wiki", "url": "https://wiki.example.com/"});
        let id = text(&self.admin.post("/v1/workspaces/acme/applications", new).await.good()["id"]);
        self.admin.put(&format!("/v1/workspaces/acme/applications/{id}/access"), access).await.good();
        id
    }

    /// How many things somebody may open.
    async fn opens(&self, id: &str) -> usize {
        let member = text(&self.member(id).await["id"]);
        let portal = self.admin.get(&format!("/v1/workspaces/acme/portal?member={member}")).await.good();
        portal["items"].as_array().unwrap().len()
    }

    async fn told(&self, kind: &str) -> Vec<Value> {
        let events = self.admin.get("/v1/events?workspace=acme&limit=1000").await.good();
        events["items"].as_array().unwrap().iter().filter(|one| one["type"] == kind).cloned().collect()
    }
}

on_both! {
    async fn w9_w10_i6_an_address_book_is_as_wecom_says(host) {
        let acme = Acme::synced(host).await;
        let directory = acme.admin.get(AT).await.good();
        let counts = &directory["sync"]["counts"];
        assert_eq!((&counts["members"], &counts["departments"], &counts["tags"]), (&json!(3), &json!(3), &json!(1)));
        assert_eq!((&counts["members_created"], &counts["groups_created"]), (&json!(3), &json!(4)));
        let zhang = acme.member("ZhangSan").await;
        assert_eq!((&zhang["user_name"], &zhang["name"], &zhang["active"]), (&json!("ZhangSan"), &json!("张三"), &json!(true)));
        let south = acme.group("department", 3).await.unwrap();
        assert_eq!(south["parent"], acme.group("department", 2).await.unwrap()["id"]);
        assert_eq!(acme.listed("department", 3).await, ["ZhangSan", "lisi"], "somebody may be in two");
        assert_eq!(acme.listed("department", 1).await, ["lisi", "wangwu"]);
        assert_eq!(acme.listed("tag", 7).await, ["wangwu"]);

        // SCIM shows the same, and the portal decides by it.
        let user = acme.admin.get(&format!("/scim/v2/acme/Users/{}", text(&zhang["id"]))).await.good();
        assert_eq!((&user["externalId"], &user["title"], &user["emails"][0]["value"]), (&json!("ZhangSan"), &json!("Clerk"), &json!("zs@acme.example")));
        acme.application(json!({"departments": [acme.group_id("department", 2).await]})).await;
        acme.application(json!({"tags": [acme.group_id("tag", 7).await]})).await;
        assert_eq!((acme.opens("ZhangSan").await, acme.opens("wangwu").await), (2, 1), "by South in Sales and by the tag of South; by the tag");

        // A sync without a change writes nothing.
        let before = acme.list("members").await;
        let directory = acme.sync(json!({}), "done").await;
        assert_eq!(directory["sync"]["counts"]["members_changed"], 0);
        assert_eq!((acme.list("members").await, acme.told("workspace.directory_synced").await.len()), (before, 1));

        // People move, come and go; departments move and close.
        acme.wecom.department(4, "North", 1);
        acme.wecom.department(3, "Deep South", 4);
        acme.wecom.close(2);
        acme.wecom.person("ZhangSan", &[4], json!({"name": "张三丰"}));
        acme.wecom.person("lisi", &[3], json!({"name": "李四", "status": 2}));
        acme.wecom.leave("wangwu");
        acme.wecom.person("zhaoliu", &[4], json!({"name": "赵六"}));
        acme.wecom.tag(7, "Go", &["zhaoliu"], &[]);
        let directory = acme.sync(json!({}), "done").await;
        let counts = &directory["sync"]["counts"];
        assert_eq!((&counts["members_created"], &counts["members_deactivated"], &counts["groups_deleted"]), (&json!(1), &json!(2), &json!(1)));
        let moved = acme.member("ZhangSan").await;
        assert_eq!((&moved["id"], &moved["name"]), (&zhang["id"], &json!("张三丰")));
        let south = acme.group("department", 3).await.unwrap();
        assert_eq!((&south["name"], &south["parent"]), (&json!("Deep South"), &acme.group("department", 4).await.unwrap()["id"]));
        assert!(acme.group("department", 2).await.is_none());
        assert_eq!((acme.listed("department", 4).await, acme.listed("tag", 7).await), (vec!["ZhangSan".into(), "zhaoliu".into()], vec!["zhaoliu".to_owned()]));
        let opens = (acme.opens("ZhangSan").await, acme.opens("lisi").await, acme.opens("wangwu").await, acme.opens("zhaoliu").await);
        assert_eq!(opens, (0, 0, 0, 1), "who left or is suspended opens nothing, and what was given to Sales went with it");
        assert_eq!(acme.member("wangwu").await["active"], false);

        // Who comes back is the same member.
        let left = acme.member("wangwu").await;
        acme.wecom.person("WangWu", &[1], json!({"name": "王五"}));
        acme.sync(json!({}), "done").await;
        let back = acme.member("WangWu").await;
        assert_eq!((&back["id"], &back["active"]), (&left["id"], &json!(true)), "ids are the same in upper and lower case");
        let events = acme.admin.get("/v1/events?workspace=acme&limit=1000").await.good().to_string();
        for secret in ["张三", "zs@acme", "canary"] {
            assert!(!events.contains(secret), "events tell nothing of a person: {secret}");
        }
    }

    async fn w8_w10_who_leaves_is_signed_off(host) {
        let acme = Acme::synced(host.in_public(Nature::default()).await).await;
        let new = json!({"kind": "internal_tool", "name": "Dash", "url": "https://dash.example.com/"});
        let tool = text(&acme.admin.post("/v1/workspaces/acme/applications", new).await.good()["id"]);
        let at = format!("/v1/workspaces/acme/applications/{tool}");
        acme.admin.put(&format!("{at}/access"), json!({"everyone": true})).await.good();
        acme.admin.put(&format!("{at}/oidc-client"), json!({"redirect_uris": [BACK]})).await.good();
        let secret = text(&acme.admin.post(&format!("{at}/secret"), json!(null)).await.good()["secret"]);
        let page = json!({"url": "https://portal.acme.example/sign-in", "help": "IT"});
        acme.admin.put("/v1/workspaces/acme/sign-in", page).await.good();
        let asked = [
            ("client_id", tool.as_str()), ("redirect_uri", BACK), ("response_type", "code"), ("scope", "openid profile"), ("state", "s"),
            ("nonce", "n"), ("code_challenge", CHALLENGE), ("code_challenge_method", "S256"),
        ];
        let url = reqwest::Url::parse_with_params(&format!("{}/oidc/authorize", acme.host.url), asked).unwrap();
        let sent = visit(http().get(url), None).await;
        let ask = json!({"application": tool, "user_name": "wangwu", "request": sent.told("request").unwrap()});
        let open = text(&acme.admin.post("/v1/workspaces/acme/login-codes", ask).await.good()["open"]);
        let code = visit(http().get(&open), sent.cookie.as_deref()).await.code();
        let tokens = exchange_at(&acme.host, &tool, &secret, &code, &[]).await.good();
        assert_eq!(user_info(&acme.host, &tokens).await.good()["name"], "王五");
        acme.wecom.leave("wangwu");
        acme.sync(json!({}), "done").await;
        assert_eq!(user_info(&acme.host, &tokens).await.status, 401);
        acme.wecom.person("wangwu", &[1], json!({"name": "王五"}));
        acme.sync(json!({}), "done").await;
        assert_eq!(user_info(&acme.host, &tokens).await.status, 401, "who comes back logs in anew");
    }

    async fn w9_i8_secrets_are_tried_sealed_and_never_shown(host) {
        let acme = Acme::found(host).await;
        let set = |more: Value| {
            let mut body = acme.wecom.settings();
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let wrong = acme.admin.put(AT, set(json!({"secret": "guess"}))).await;
        assert!(wrong.refused("directory-denied")["detail"].as_str().unwrap().contains("40001"));
        acme.admin.put(AT, set(json!({"corp_id": "wwffffffffffffffff"}))).await.refused("directory-denied");
        acme.admin.put(AT, set(json!({"base_url": "https://169.254.169.254"}))).await.refused("invalid-field");
        acme.admin.put(AT, set(json!({"base_url": format!("{}/?to=", acme.wecom.url)}))).await.refused("invalid-field");
        acme.admin.put(AT, set(json!({"base_url": "http://127.0.0.1:9"}))).await.refused("directory-unreachable");
        acme.admin.put(AT, set(json!({"secret": null}))).await.refused("invalid-field");
        acme.admin.get(AT).await.refused("not-found");

        let callback = json!({"token": CALLBACK_TOKEN, "aes_key": CALLBACK_KEY});
        let shown = acme.admin.put(AT, set(json!({"callback": callback, "every_hours": 12}))).await.good();
        assert_eq!((&shown["corp_id"], &shown["every_hours"], &shown["callback"]), (&json!(CORP), &json!(12), &json!(true)));
        acme.ended("done").await;
        // The secret stays for the same organisation at the same address, and goes nowhere else.
        acme.admin.put(AT, set(json!({"secret": null}))).await.good();
        let elsewhere = Wecom::start().await;
        let refused = acme.admin.put(AT, set(json!({"secret": null, "base_url": elsewhere.url}))).await.refused("invalid-field");
        assert_eq!(refused["field"], "secret");
        assert_eq!(elsewhere.calls("gettoken"), 0);
        acme.ended("done").await;

        let pool = acme.host.pool().await;
        let row = "SELECT secret_sealed || callback_token_sealed || callback_key_sealed || COALESCE(access_sealed, '') FROM workspace_directory";
        let mut shown = pool.texts(row).await;
        shown.extend(pool.texts("SELECT CAST(data AS TEXT) FROM event").await);
        pool.close().await;
        shown.push(acme.admin.get(AT).await.good().to_string());
        for secret in [SECRET, CALLBACK_TOKEN, CALLBACK_KEY, "canary"] {
            assert!(shown.iter().all(|text| !text.contains(secret)), "{secret} is shown");
        }
    }

    async fn w9_what_scim_keeps_and_what_wecom_keeps_is_not_mixed(host) {
        let acme = Acme::found(host).await;
        let scim = json!({"schemas": [USER], "userName": "ann"});
        let ann = acme.admin.post("/scim/v2/acme/Users", scim.clone()).await.good();
        acme.admin.put(AT, acme.wecom.settings()).await.refused("address-book-kept");
        let ann = format!("/scim/v2/acme/Users/{}", text(&ann["id"]));
        assert_eq!(acme.admin.delete(&ann).await.status, 204);

        acme.wecom.person("lisi", &[1], json!({"name": "Li Si"}));
        acme.admin.put(AT, acme.wecom.settings()).await.good();
        acme.ended("done").await;
        let lisi = format!("/scim/v2/acme/Users/{}", text(&acme.member("lisi").await["id"]));
        for refused in [acme.admin.post("/scim/v2/acme/Users", scim.clone()).await, acme.admin.delete(&lisi).await] {
            assert_eq!((refused.status, refused.header("content-type")), (409, "application/scim+json"));
            assert!(text(&refused.json()["detail"]).contains("pulled from WeCom"));
        }
        assert_eq!(acme.admin.get(&lisi).await.good()["userName"], "lisi", "SCIM reads on");

        // When it is not pulled any more, SCIM goes on with what is there; from then on it is SCIM's.
        assert_eq!(acme.admin.delete(AT).await.status, 204);
        acme.admin.post(&format!("{AT}/sync"), json!({})).await.refused("not-found");
        acme.admin.put(AT, acme.wecom.settings()).await.good();
        acme.ended("done").await;
        acme.admin.delete(AT).await;
        let change = json!({"schemas": [USER], "userName": "lisi", "displayName": "Li Si of SCIM"});
        acme.admin.put(&lisi, change).await.good();
        acme.admin.put(AT, acme.wecom.settings()).await.refused("address-book-kept");
        assert_eq!(acme.told("workspace.directory_removed").await.len(), 2);
    }

    async fn w9_scim_adds_nobody_in_the_moment_in_which_the_address_book_becomes_wecoms(host) {
        let acme = Acme::found(host).await;
        for number in 0..12 {
            let id = format!("acme-{number}");
            acme.admin.post("/v1/workspaces", json!({"name": "Acme", "id": id})).await.good();
            let (users, at) = (format!("/scim/v2/{id}/Users"), format!("/v1/workspaces/{id}/directory"));
            let adds = async {
                tokio::time::sleep(Duration::from_millis(2 * number)).await;
                acme.admin.post(&users, json!({"schemas": [USER], "userName": "ann"})).await
            };
            let (set, added) = tokio::join!(acme.admin.put(&at, acme.wecom.settings()), adds);
            match added.status {
                201 => drop(set.refused("address-book-kept")),
                status => assert_eq!((status, set.status), (409, 200)),
            }
        }
    }

    async fn w11_a_fault_that_passes_is_waited_out(host) {
        let acme = Acme::synced(host).await;
        acme.wecom.fault("user/list", Fault::Expired);
        acme.wecom.fault("department/list", Fault::Refuse(45009));
        acme.wecom.fault("tag/list", Fault::Cut);
        acme.wecom.fault("tag/get", Fault::Refuse(-1));
        acme.wecom.person("zhaoliu", &[2], json!({"name": "Zhao Liu"}));
        let tokens = acme.wecom.calls("gettoken");
        let directory = acme.sync(json!({}), "done").await;
        assert_eq!(directory["sync"]["counts"]["members_created"], 1);
        assert_eq!(acme.wecom.calls("gettoken"), tokens + 1, "a token that has ended is asked for once more");
        let kept = acme.wecom.calls("gettoken");
        acme.sync(json!({}), "done").await;
        assert_eq!(acme.wecom.calls("gettoken"), kept, "and kept");
    }

    async fn w11_an_answer_that_is_no_address_book_changes_nothing(host) {
        let acme = Acme::synced(host).await;
        let before = (acme.list("members").await, acme.list("groups").await);
        for (call, fault, problem, words) in [
            ("department/list", Fault::Refuse(60020), "directory-denied", "企业可信IP"),
            ("user/list", Fault::Refuse(60011), "directory-denied", "可见范围"),
            ("user/list", Fault::Refuse(60003), "directory-wrong", "changed while it was read"),
            ("tag/get", Fault::Refuse(48002), "directory-denied", "`reads`"),
            ("tag/list", Fault::Page, "directory-wrong", "documentation"),
        ] {
            acme.wecom.fault(call, fault);
            let directory = acme.sync(json!({}), "failed").await;
            let sync = &directory["sync"];
            assert_eq!(sync["problem"], problem, "{call} {fault:?}: {sync}");
            assert!(text(&sync["detail"]).contains(words) && !text(&sync["detail"]).contains("canary"), "{sync}");
            assert_eq!(acme.host.anonymous().get(&format!("/problems/{problem}")).await.status, 200);
        }
        // A member in a department that is not listed, and an address book without any.
        acme.wecom.unlist(&[3]);
        let sync = acme.sync(json!({"force": true}), "failed").await["sync"].clone();
        assert!(text(&sync["detail"]).contains("lisi is in the department 3"), "{sync}");
        acme.wecom.unlist(&[1, 2, 3]);
        acme.sync(json!({"force": true}), "failed").await;
        acme.wecom.unlist(&[]);
        // Somebody who moves while the lists are read.
        acme.wecom.moving(&["wangwu"]);
        let sync = acme.sync(json!({}), "failed").await["sync"].clone();
        assert!(text(&sync["detail"]).contains("wangwu"), "{sync}");
        acme.wecom.moving(&[]);
        assert_eq!((acme.list("members").await, acme.list("groups").await), before, "nothing has changed");
        let tried = acme.told("workspace.directory_stuck").await.len();
        assert_eq!(tried, 4, "the same problem is told once");
        let sync = acme.sync(json!({}), "done").await["sync"].clone();
        assert_eq!((&sync["problem"], &sync["detail"]), (&Value::Null, &Value::Null));
    }

    async fn w11_a_sync_that_takes_away_too_much_is_refused(host) {
        let acme = Acme::found(host).await;
        acme.wecom.people(60, 1);
        acme.admin.put(AT, acme.wecom.settings()).await.good();
        acme.ended("done").await;
        for number in 0..13 {
            acme.wecom.leave(&format!("u{number:05}"));
        }
        let sync = acme.sync(json!({}), "refused").await["sync"].clone();
        assert_eq!(sync["problem"], "directory-too-much");
        assert!(text(&sync["detail"]).contains("13 of 60 members"), "{sync}");
        assert!(acme.list("members").await.iter().all(|one| one["active"] == true));
        // With fewer it goes on by itself, and force is for one sync only.
        acme.wecom.people(2, 1);
        let sync = acme.sync(json!({}), "done").await["sync"].clone();
        assert_eq!(sync["counts"]["members_deactivated"], 11);
        for number in 20..60 {
            acme.wecom.leave(&format!("u{number:05}"));
        }
        acme.sync(json!({}), "refused").await;
        let sync = acme.sync(json!({"force": true}), "done").await["sync"].clone();
        assert_eq!(sync["counts"]["members_deactivated"], 40);
        for number in 0..20 {
            acme.wecom.leave(&format!("u{number:05}"));
        }
        acme.sync(json!({}), "refused").await;
    }

    async fn w10_ids_only_are_enough_and_names_that_are_known_stay(host) {
        let acme = Acme::found(host).await;
        for number in 1..=5 {
            acme.wecom.person(&format!("p{number}"), &[1, 2], json!({"name": "never told"}));
        }
        acme.wecom.department(2, "never told", 1);
        acme.wecom.tag(7, "Chess", &["p1"], &[2]);
        let mut ids = acme.wecom.settings();
        ids["secret"] = SYNC_SECRET.into();
        let mistaken = acme.admin.put(AT, ids.clone()).await;
        assert_eq!(mistaken.status, 200);
        let sync = acme.ended("failed").await["sync"].clone();
        assert!(text(&sync["detail"]).contains("通讯录同步"), "{sync}");
        ids["reads"] = "ids".into();
        acme.admin.put(AT, ids.clone()).await.good();
        acme.ended("done").await;
        assert_eq!(acme.list("members").await.len(), 5, "all pages are read");
        assert_eq!(acme.listed("department", 2).await.len(), 5);
        assert_eq!(acme.member("p1").await["name"], "p1");
        assert_eq!(acme.group("department", 2).await.unwrap()["name"], "Department 2");
        assert_eq!(acme.group("tag", 7).await.unwrap()["name"], "Chess");

        // Names that the secret of an application has told stay when only ids are read.
        acme.wecom.person("p1", &[1, 2], json!({"name": "Pat"}));
        acme.admin.put(AT, acme.wecom.settings()).await.good();
        acme.ended("done").await;
        assert_eq!((&acme.member("p1").await["name"], &acme.group("department", 2).await.unwrap()["name"]), (&json!("Pat"), &json!("never told")));
        acme.admin.put(AT, ids).await.good();
        let sync = acme.ended("done").await["sync"].clone();
        assert_eq!((&acme.member("p1").await["name"], &sync["counts"]["members_changed"]), (&json!("Pat"), &json!(0)));
    }

    async fn w12_a_callback_brings_the_next_sync_forward(host) {
        let acme = Acme::found(host).await;
        let mut settings = acme.wecom.settings();
        settings["callback"] = json!({"token": CALLBACK_TOKEN, "aes_key": CALLBACK_KEY});
        assert_eq!(wecom::try_address(&acme.host, "acme", "x").await.0, 401, "nothing is set");
        acme.admin.put(AT, settings).await.good();
        acme.ended("done").await;
        assert_eq!(wecom::try_address(&acme.host, "acme", "1616140317555161061").await, (200, "1616140317555161061".into()));
        let change = "<Event><![CDATA[change_contact]]></Event><ChangeType>create_user</ChangeType><UserID>lisi</UserID>";
        let forged = |query: &mut Signed| query[2].1.push('1');
        let old = |query: &mut Signed| query[1].1 = "1403610513".into();
        assert_eq!(wecom::push(&acme.host, "acme", change, forged).await.0, 401);
        assert_eq!(wecom::push(&acme.host, "acme", change, old).await.0, 401);
        assert_eq!(wecom::push(&acme.host, "other", change, |_| {}).await.0, 401, "of a workspace that there is not it says the same");
        let other = "<Event><![CDATA[enter_agent]]></Event>";
        assert_eq!(wecom::push(&acme.host, "acme", other, |_| {}).await, (200, "success".into()));
        assert_eq!(acme.admin.get(AT).await.good()["sync"]["state"], "done");

        acme.wecom.person("lisi", &[1], json!({"name": "Li Si"}));
        let before = acme.wecom.calls("department/list");
        for _ in 0..3 {
            assert_eq!(wecom::push(&acme.host, "acme", change, |_| {}).await, (200, "success".into()));
        }
        for _ in 0..200 {
            if !acme.list("members").await.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(acme.member("lisi").await["name"], "Li Si");
        acme.ended("done").await;
        assert_eq!(acme.wecom.calls("department/list"), before + 1, "a burst of pushes is one sync");
    }

    async fn w12_f96_one_host_at_a_time_syncs(host) {
        let acme = Acme::found(host).await;
        let beside = acme.host.beside().await;
        acme.wecom.people(30, 1);
        acme.admin.put(AT, acme.wecom.settings()).await.good();
        acme.ended("done").await;
        for round in 1..=3 {
            acme.sync(json!({}), "done").await;
            assert_eq!(acme.wecom.calls("department/list"), round + 1);
        }
        beside.stop().await;
    }

    async fn w10_ten_thousand_members_are_brought_and_changed(host) {
        let acme = Acme::found(host).await;
        for id in 2..=21 {
            acme.wecom.department(id, &format!("D{id}"), 1);
        }
        for number in 0..10_000 {
            acme.wecom.person(&format!("u{number:05}"), &[2 + number % 20], json!({"name": format!("Person {number}")}));
        }
        acme.admin.put(AT, acme.wecom.settings()).await.good();
        let sync = acme.ended("done").await["sync"].clone();
        assert_eq!(sync["counts"]["members_created"], 10_000);
        let pool = acme.host.pool().await;
        assert_eq!(pool.number("SELECT COUNT(*) FROM workspace_group_member").await, 10_000);
        acme.wecom.person("u00000", &[3], json!({"name": "Somebody else"}));
        acme.wecom.leave("u00001");
        let sync = acme.sync(json!({}), "done").await["sync"].clone();
        let counts = &sync["counts"];
        assert_eq!((&counts["members_changed"], &counts["members_deactivated"], &counts["groups_changed"]), (&json!(1), &json!(1), &json!(2)));
        assert_eq!(pool.number("SELECT COUNT(*) FROM workspace_group_member").await, 9_999);
        pool.close().await;
    }

    async fn w9_only_admins_of_the_workspace_set_it(host) {
        let acme = Acme::synced(host).await;
        for (role, reads) in [("provisioner", 403), ("viewer", 200)] {
            let (account, token) = person(&acme.admin, role, json!({})).await;
            acme.admin.put(&format!("/v1/workspaces/acme/accounts/{account}"), json!({"role": role})).await.good();
            let them = acme.host.with_token(&token);
            assert_eq!(them.get(AT).await.status, reads);
            them.put(AT, acme.wecom.settings()).await.refused("missing-grant");
            them.post(&format!("{AT}/sync"), json!({"force": true})).await.refused("missing-grant");
            them.delete(AT).await.refused("missing-grant");
        }
    }
}
