//! Workspaces: the address book by SCIM, what members may open, and what external contacts see (W1–W5).

use std::time::Duration;

use berth_tests::{
    Answer, Api, Host, on_both,
    scene::{Scene, person, text},
    there_is,
};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const WORKSPACE: &str = "urn:berth:params:scim:schemas:extension:workspace:2.0:Group";

/// A workspace `acme`, and a client that acts as the directory of the organisation.
struct Acme {
    scene: Scene,
    admin: Api,
    directory: Api,
}

impl Acme {
    async fn found(host: Host) -> Self {
        let scene = Scene::set(host).await;
        let admin = scene.admin.clone();
        admin.post("/v1/workspaces", json!({"name": "Acme", "id": "acme"})).await.good();
        let (account, token) = person(&admin, "directory", json!({"scopes": ["provision"]})).await;
        admin.put(&format!("/v1/workspaces/acme/accounts/{account}"), json!({"role": "provisioner"})).await.good();
        let directory = scene.host.with_token(&token);
        Self { scene, admin, directory }
    }

    async fn user(&self, name: &str, more: Value) -> Value {
        let mut body = json!({"schemas": [USER], "userName": name});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.directory.post("/scim/v2/acme/Users", body).await.good()
    }

    async fn member(&self, name: &str) -> String {
        text(&self.user(name, json!({})).await["id"])
    }

    async fn group(&self, name: &str, kind: &str, members: &[&str]) -> String {
        let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
        let body =
            json!({"schemas": [GROUP, WORKSPACE], "displayName": name, "members": members, WORKSPACE: {"kind": kind}});
        text(&self.directory.post("/scim/v2/acme/Groups", body).await.good()["id"])
    }

    async fn get(&self, path: &str) -> Value {
        self.directory.get(&format!("/scim/v2/acme/{path}")).await.good()
    }

    async fn patch(&self, path: &str, operations: Value) -> Answer {
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
        self.directory.send("PATCH", &format!("/scim/v2/acme/{path}"), Some(&body)).await
    }

    /// The ids of what a filter finds.
    async fn found_by(&self, endpoint: &str, filter: &str) -> Vec<String> {
        let query = reqwest::Url::parse_with_params("http://x/", [("filter", filter)]).unwrap();
        let list = self.get(&format!("{endpoint}?{}", query.query().unwrap())).await;
        let found: Vec<_> = list["Resources"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect();
        assert_eq!(list["totalResults"], found.len());
        found
    }

    async fn application(&self, name: &str, access: Value) -> String {
        let new = json!({"kind": "link", "name": name, "url": format!("https://{name}.example.com/")});
        let id = text(&self.admin.post("/v1/workspaces/acme/applications", new).await.good()["id"]);
        self.admin.put(&format!("/v1/workspaces/acme/applications/{id}/access"), access).await.good();
        id
    }

    /// What somebody may open: names, each with its reasons.
    async fn portal(&self, whose: &str) -> Value {
        let kind = if whose.starts_with("ext_") { "contact" } else { "member" };
        let portal = self.admin.get(&format!("/v1/workspaces/acme/portal?{kind}={whose}")).await.good();
        let item = |item: &Value| {
            let why: Vec<_> = item["why"].as_array().unwrap().iter().map(|one| one["words"].clone()).collect();
            (text(&item["name"]), Value::from(why))
        };
        portal["items"].as_array().unwrap().iter().map(item).collect::<serde_json::Map<_, _>>().into()
    }
}

/// Asserts that SCIM refused, with this status and the word of the RFC.
#[track_caller]
fn refused(answer: &Answer, status: u16, word: &str) {
    let body = answer.json();
    assert_eq!((answer.status, body["scimType"].as_str().unwrap_or_default()), (status, word), "{body}");
    assert_eq!(answer.header("content-type"), "application/scim+json");
    assert_eq!(
        (&body["schemas"][0], &body["status"]),
        (&json!("urn:ietf:params:scim:api:messages:2.0:Error"), &json!(status.to_string()))
    );
}

on_both! {
    async fn w5_i8_a_member_comes_changes_and_goes_by_scim(host) {
        let acme = Acme::found(host).await;
        let more = json!({
            "externalId": "E-1", "password": "hunter2-canary", "name": {"givenName": "Barbara", "familyName": "Jensen"},
            "emails": [{"value": "b@acme.example", "type": "work", "primary": true}],
            "phoneNumbers": [{"value": "+86 10 1234", "type": "mobile"}],
            ENTERPRISE: {"department": "Sales", "employeeNumber": "7", "manager": {"value": "E-0"}},
        });
        let mut body = json!({"schemas": [USER, ENTERPRISE], "userName": "Barbara"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = acme.directory.post("/scim/v2/acme/Users", body.clone()).await;
        assert_eq!((made.status, made.header("content-type")), (201, "application/scim+json"));
        let user = made.good();
        let at = format!("/scim/v2/acme/Users/{}", text(&user["id"]));
        assert!(text(&user["meta"]["location"]).ends_with(&at) && made.header("location").ends_with(&at));
        for name in ["externalId", "name", "emails", "phoneNumbers", ENTERPRISE] {
            assert_eq!(user[name], body[name], "{name} survives");
        }
        assert!(user.get("password").is_none());
        refused(&acme.directory.post("/scim/v2/acme/Users", json!({"schemas": [USER], "userName": "BARBARA"})).await, 409, "uniqueness");

        for file in ["berth.db", "berth.db-wal"] {
            let bytes = std::fs::read(acme.scene.host.folder().join(file)).unwrap_or_default();
            assert!(!bytes.windows(14).any(|window| window == b"hunter2-canary"), "{file} holds a password (I8)");
        }

        // What was read stays valid by its ETag, and no longer.
        let read = acme.directory.get(&at).await;
        let tag = read.header("etag").to_owned();
        assert_eq!(read.good(), user);
        let with = |method: &str, name: &'static str, tag: &str| acme.directory.request(method, &at).header(name, tag.to_owned());
        assert_eq!(Answer::of(with("GET", "If-None-Match", &tag), "get".into()).await.status, 304);
        let operations = json!([{"op": "Replace", "path": "active", "value": "False"}, {"op": "add", "value": {"nickName": "Babs"}}]);
        let change = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
        let changed = Answer::of(with("PATCH", "If-Match", &tag).json(&change), "patch".into()).await;
        assert_ne!(changed.header("etag"), tag);
        let changed = changed.good();
        assert_eq!((&changed["active"], &changed["nickName"]), (&json!(false), &json!("Babs")));
        let late = Answer::of(with("PATCH", "If-Match", &tag).json(&change), "patch".into()).await;
        refused(&late, 412, "");
        refused(&Answer::of(with("DELETE", "If-Match", &tag), "delete".into()).await, 412, "");
        let again = acme.patch(&format!("Users/{}", text(&user["id"])), operations).await.good();
        assert_eq!(again["meta"]["version"], changed["meta"]["version"], "what changes nothing is no change");

        // A replacement is the whole of what is said.
        let replaced = acme.directory.put(&at, json!({"schemas": [USER], "userName": "barbara2"})).await.good();
        assert_eq!((&replaced["userName"], replaced.get("emails")), (&json!("barbara2"), None));
        assert_eq!(acme.directory.delete(&at).await.status, 204);
        refused(&acme.directory.get(&at).await, 404, "");
        refused(&acme.directory.delete(&at).await, 404, "");

        let events = acme.admin.get("/v1/events?workspace=acme&limit=1000").await.good();
        let told: Vec<_> = events["items"].as_array().unwrap().iter().filter(|one| one["subject"] == user["id"]).collect();
        let kinds: Vec<_> = told.iter().map(|one| text(&one["type"])).collect();
        let expected = ["member_created", "member_changed", "member_changed", "member_deleted"].map(|one| format!("workspace.{one}"));
        assert_eq!(kinds, expected);
        for secret in ["hunter2-canary", "Barbara", "acme.example"] {
            assert!(!events.to_string().contains(secret), "events tell nothing of a person: {secret}");
        }
    }

    async fn w5_lists_are_filtered_paged_and_cut(host) {
        let acme = Acme::found(host).await;
        let mut ids = Vec::new();
        for number in 0..7 {
            let more = json!({"externalId": format!("E-{number}"), "active": number % 2 == 0, "title": format!("T{number}")});
            ids.push(text(&acme.user(&format!("user{number}"), more).await["id"]));
        }
        let sales = acme.group("Sales", "department", &[&ids[0], &ids[1]]).await;
        let south = acme.group("South", "department", &[&ids[2]]).await;
        acme.patch(&format!("Groups/{sales}"), json!([{"op": "add", "path": "members", "value": [{"value": south}]}])).await.good();
        for (filter, expected) in [
            ("userName eq \"USER3\"", vec![3]),
            ("externalId eq \"E-3\"", vec![3]),
            ("externalId eq \"e-3\"", vec![]),
            ("userName sw \"user\" and active eq true", vec![0, 2, 4, 6]),
            ("not (active eq true) or title eq \"t6\"", vec![1, 3, 5, 6]),
            ("meta.created gt \"2000-01-01T00:00:00Z\" and title ew \"4\"", vec![4]),
            ("groups.display eq \"sales\"", vec![0, 1, 2]),
            ("groups[display eq \"Sales\" and type eq \"direct\"]", vec![0, 1]),
            ("nickName pr", vec![]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|number: usize| ids[number].clone()).collect();
            assert_eq!(acme.found_by("Users", filter).await, expected, "{filter}");
        }
        assert_eq!(acme.found_by("Groups", &format!("members.value eq \"{south}\"")).await, std::slice::from_ref(&sales));
        assert_eq!(acme.found_by("Groups", &format!("members[value eq \"{}\"]", ids[2])).await, std::slice::from_ref(&south));
        assert_eq!(acme.found_by("Groups", "displayName eq \"sales\"").await, std::slice::from_ref(&sales));
        for bad in ["Users?filter=userName", "Users?filter=shoe+eq+1", "Users?filter=active+gt+true"] {
            refused(&acme.directory.get(&format!("/scim/v2/acme/{bad}")).await, 400, "invalidFilter");
        }
        refused(&acme.directory.get("/scim/v2/acme/Users?attributes=title&excludedAttributes=title").await, 400, "invalidValue");

        let page = acme.get("Users?startIndex=3&count=2&attributes=userName").await;
        assert_eq!((&page["totalResults"], &page["startIndex"], &page["itemsPerPage"]), (&json!(7), &json!(3), &json!(2)));
        let first = json!({"schemas": [USER], "id": ids[2], "userName": "user2"});
        assert_eq!(page["Resources"][0], first, "only what is wanted");
        assert_eq!(acme.get("Users?count=0").await["totalResults"], 7);
        assert_eq!(acme.get("Users?startIndex=100").await["itemsPerPage"], 0);
        let filtered = acme.get("Users?filter=active+eq+true&startIndex=2&count=2").await;
        let got: Vec<_> = filtered["Resources"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect();
        assert_eq!((&filtered["totalResults"], got), (&json!(4), vec![ids[2].clone(), ids[4].clone()]));

        // By cursor, each is there once, of both types.
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let ask = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "cursor": cursor, "count": 2});
            let page = acme.directory.post("/scim/v2/acme/.search", ask).await.good();
            seen.extend(page["Resources"].as_array().unwrap().iter().map(|one| text(&one["id"])));
            match page.get("nextCursor") {
                Some(next) => cursor = text(next),
                None => break,
            }
        }
        assert_eq!(seen.len(), 9, "{seen:?}");
        let mut once = seen.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), 9);
        let asked = json!({"schemas": [], "filter": "userName eq \"user1\" or displayName eq \"Sales\""});
        let both = acme.directory.post("/scim/v2/acme/.search", asked).await.good();
        assert_eq!(both["totalResults"], 2, "what a type does not have has no value");
    }

    async fn w5_departments_form_a_tree_and_tags_are_flat(host) {
        let acme = Acme::found(host).await;
        let (ann, bob) = (acme.member("ann").await, acme.member("bob").await);
        let team = acme.group("Team", "department", &[&ann]).await;
        let sales = acme.group("Sales", "department", &[&team, &bob]).await;
        let company = acme.group("Company", "department", &[&sales]).await;
        let sporty = acme.group("Sporty", "tag", &[&bob, &team]).await;
        let groups = acme.get(&format!("Users/{ann}")).await["groups"].clone();
        let mut groups: Vec<_> = groups.as_array().unwrap().iter().map(|one| (text(&one["display"]), text(&one["type"]))).collect();
        groups.sort();
        let expected = [("Company", "indirect"), ("Sales", "indirect"), ("Sporty", "indirect"), ("Team", "direct")];
        assert_eq!(groups, expected.map(|(name, kind)| (name.to_owned(), kind.to_owned())));
        let shown = acme.get(&format!("Groups/{sales}")).await;
        let members: Vec<_> = shown["members"].as_array().unwrap().iter().map(|one| (text(&one["value"]), text(&one["type"]))).collect();
        assert_eq!(members, [(bob.clone(), "User".to_owned()), (team.clone(), "Group".to_owned())]);
        let at = |id: &str| format!("Groups/{id}");
        let add = |id: &str| json!([{"op": "add", "path": "members", "value": [{"value": id}]}]);
        refused(&acme.patch(&at(&team), add(&company)).await, 400, "invalidValue");
        refused(&acme.patch(&at(&team), add(&team)).await, 400, "invalidValue");
        refused(&acme.patch(&at(&team), add(&sporty)).await, 400, "invalidValue");
        refused(&acme.patch(&at(&team), add("mem_00000000000000000000000000")).await, 400, "invalidValue");
        refused(&acme.patch(&at(&sales), json!([{"op": "replace", "path": format!("{WORKSPACE}:kind"), "value": "tag"}])).await, 400, "mutability");
        refused(&acme.patch(&at(&sales), json!([{"op": "replace", "path": format!("{WORKSPACE}:kind"), "value": "club"}])).await, 400, "invalidValue");
        // A department is in one other; whoever adds it moves it, and the one that it leaves has changed.
        let before = acme.get(&at(&sales)).await["meta"]["version"].clone();
        acme.patch(&at(&company), add(&team)).await.good();
        let left = acme.get(&at(&sales)).await;
        assert_ne!(left["meta"]["version"], before);
        assert_eq!(left["members"].as_array().unwrap().len(), 1);
        // Who leaves is in nothing, and departments of a deleted one are at the top.
        acme.directory.delete(&format!("/scim/v2/acme/Users/{bob}")).await.good();
        assert!(acme.get(&at(&sales)).await.get("members").is_none());
        acme.directory.delete(&format!("/scim/v2/acme/{}", at(&company))).await.good();
        let listed = acme.admin.get("/v1/workspaces/acme/groups?kind=department").await.good();
        assert!(listed["items"].as_array().unwrap().iter().all(|one| one.get("parent").is_none()), "{listed}");
        acme.patch(&at(&sporty), json!([{"op": "remove", "path": "members[type eq \"Group\"]"}])).await.good();
        assert!(acme.get(&at(&sporty)).await.get("members").is_none());
        assert!(acme.get(&format!("Groups/{team}?excludedAttributes=members")).await.get("members").is_none());
    }

    async fn w5_what_is_deleted_changes_the_groups_that_listed_it(host) {
        let acme = Acme::found(host).await;
        let bob = acme.member("bob").await;
        let team = acme.group("Team", "department", &[&bob]).await;
        let company = acme.group("Company", "department", &[&team]).await;
        let sporty = acme.group("Sporty", "tag", &[&bob, &team]).await;
        let at = |id: &str| format!("/scim/v2/acme/Groups/{id}");
        for (gone, listing) in [(format!("Users/{bob}"), [&team, &sporty]), (format!("Groups/{team}"), [&company, &sporty])] {
            let mut known = Vec::new();
            for id in listing {
                known.push((id, acme.directory.get(&at(id)).await.header("etag").to_owned()));
            }
            acme.directory.delete(&format!("/scim/v2/acme/{gone}")).await.good();
            for (id, tag) in known {
                let request = acme.directory.request("GET", &at(id)).header("If-None-Match", tag);
                assert_eq!(Answer::of(request, "get".into()).await.status, 200, "{id} without {gone}");
            }
        }
    }

    async fn w5_a_bulk_request_makes_what_refers_to_each_other(host) {
        let acme = Acme::found(host).await;
        let user = |name: &str, manager: &str| {
            let data = json!({"schemas": [USER, ENTERPRISE], "userName": name, ENTERPRISE: {"manager": {"value": format!("bulkId:{manager}")}}});
            json!({"method": "POST", "path": "/Users", "bulkId": name, "data": data})
        };
        let group = json!({"method": "POST", "path": "/Groups", "bulkId": "g", "data": {
            "schemas": [GROUP], "displayName": "All", "members": [{"value": "bulkId:ann"}, {"value": "bulkId:bob"}]}});
        let wrong = json!({"method": "POST", "path": "/Users", "bulkId": "w", "data": {"schemas": [USER]}});
        let gone = json!({"method": "DELETE", "path": "/Users/bulkId:bob", "version": "W/\"9\""});
        let operations = json!([group, user("ann", "bob"), user("bob", "ann"), wrong, gone]);
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
        let done = acme.directory.post("/scim/v2/acme/Bulk", body).await.good();
        let statuses: Vec<_> = done["Operations"].as_array().unwrap().iter().map(|one| text(&one["status"])).collect();
        assert_eq!(statuses, ["201", "201", "201", "400", "412"], "{done}");
        assert_eq!(done["Operations"][3]["response"]["scimType"], "invalidValue");
        let all = acme.found_by("Groups", "displayName eq \"All\"").await.remove(0);
        assert_eq!(acme.get(&format!("Groups/{all}")).await["members"].as_array().unwrap().len(), 2);
        let (ann, bob) = (acme.found_by("Users", "userName eq \"ann\"").await, acme.found_by("Users", "userName eq \"bob\"").await);
        assert_eq!(acme.get(&format!("Users/{}", ann[0])).await[ENTERPRISE]["manager"]["value"], json!(bob[0]));
        let body = json!({"failOnErrors": 1, "Operations": [wrong, user("eve", "ann")]});
        let done = acme.directory.post("/scim/v2/acme/Bulk", body).await.good();
        assert_eq!(done["Operations"].as_array().unwrap().len(), 1);
    }

    async fn f84_a_bulk_request_ends_when_its_token_is_revoked(host) {
        let acme = Acme::found(host).await;
        let operation = |number: usize| json!({"method": "POST", "path": "/Groups", "bulkId": format!("g{number}"),
            "data": {"schemas": [GROUP], "displayName": format!("Group {number}")}});
        let operations: Vec<_> = (0..1000).map(operation).collect();
        let account = acme.admin.get("/v1/workspaces/acme/accounts").await.good()["items"][0]["account"].clone();
        let token = json!({"account": account, "name": "bulk", "scopes": ["provision"]});
        let token = acme.admin.post("/v1/tokens", token).await.good();
        let directory = acme.scene.host.with_token(&text(&token["secret"]));
        let running = tokio::spawn(async move { directory.post("/scim/v2/acme/Bulk", json!({"Operations": operations})).await.good() });
        while acme.admin.get("/v1/workspaces/acme/groups").await.good()["items"].as_array().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        acme.admin.delete(&format!("/v1/tokens/{}", text(&token["id"]))).await.good();
        // Longer than hosts may rely on what they know of a token.
        let mut tx = acme.scene.host.app.db.begin().await.unwrap();
        tx.hold_workspace(&"acme".parse().unwrap()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1100)).await;
        drop(tx);
        let done = running.await.unwrap();
        let statuses: Vec<_> = done["Operations"].as_array().unwrap().iter().map(|one| text(&one["status"])).collect();
        let made = statuses.iter().take_while(|status| *status == "201").count();
        assert!(made < 1000 && statuses[made..].iter().all(|status| status == "401"), "{made} were made");
        assert_eq!(statuses.len(), 1000, "each is told what became of it");
        assert!(done["Operations"][999].get("location").is_none(), "{}", done["Operations"][999]);
    }

    async fn w5_w3_who_is_suspended_stays_so_until_active_is_said(host) {
        let acme = Acme::found(host).await;
        let ann = text(&acme.user("ann", json!({"active": false})).await["id"]);
        let at = format!("Users/{ann}");
        acme.application("wiki", json!({"everyone": true})).await;
        for (what, operation, shown) in [
            ("removed", json!({"op": "remove", "path": "active"}), json!(null)),
            ("null", json!({"op": "replace", "path": "active", "value": null}), json!(null)),
            ("null without a path", json!({"op": "replace", "value": {"active": null}}), json!(null)),
            ("something else", json!({"op": "replace", "value": {"title": "x"}}), json!(false)),
        ] {
            acme.patch(&at, json!([{"op": "replace", "path": "active", "value": false}])).await.good();
            acme.patch(&at, json!([operation])).await.good();
            assert_eq!(acme.get(&at).await["active"], shown, "{what}");
            acme.patch(&at, json!([{"op": "replace", "path": "nickName", "value": what}])).await.good();
            let members = acme.admin.get("/v1/workspaces/acme/members").await.good();
            assert_eq!((&members["items"][0]["id"], &members["items"][0]["active"]), (&json!(ann), &json!(false)), "{what}: the attribute can be taken away, and not what it decided");
            assert_eq!(acme.portal(&ann).await, json!({}), "{what}");
        }
        for body in [json!({"schemas": [USER], "userName": "ann"}), json!({"schemas": [USER], "userName": "ann", "active": null})] {
            let put = acme.directory.put(&format!("/scim/v2/acme/{at}"), body).await.good();
            assert_eq!((&put["active"], put.get("title")), (&json!(false), None), "the rest is replaced");
        }
        assert_eq!(acme.portal(&ann).await, json!({}));
        acme.patch(&at, json!([{"op": "replace", "path": "active", "value": "True"}])).await.good();
        assert_eq!(acme.portal(&ann).await.as_object().unwrap().len(), 1);
        // What a group is, is kept alike: most clients do not know the extension.
        let vip = acme.group("VIP", "tag", &[&ann]).await;
        let body = json!({"schemas": [GROUP], "displayName": "VIPs", "members": [{"value": ann}]});
        let put = acme.directory.put(&format!("/scim/v2/acme/Groups/{vip}"), body).await.good();
        assert_eq!((&put["displayName"], &put[WORKSPACE]["kind"]), (&json!("VIPs"), &json!("tag")));
        acme.patch(&format!("Groups/{vip}"), json!([{"op": "remove", "path": WORKSPACE}])).await.good();
        acme.patch(&format!("Groups/{vip}"), json!([{"op": "replace", "path": "displayName", "value": "VIP"}])).await.good();
        let tags = acme.admin.get("/v1/workspaces/acme/groups?kind=tag").await.good();
        assert_eq!(tags["items"][0]["id"], vip);
    }

    async fn w2_w5_a_group_that_opens_something_stays_what_it_is(host) {
        let acme = Acme::found(host).await;
        let ann = acme.member("ann").await;
        let sales = acme.group("Sales", "department", &[&ann]).await;
        let wiki = acme.application("wiki", json!({"departments": [sales]})).await;
        let turn = |kind: &str| json!([{"op": "replace", "path": format!("{WORKSPACE}:kind"), "value": kind}]);
        let answer = acme.patch(&format!("Groups/{sales}"), turn("tag")).await;
        refused(&answer, 400, "mutability");
        assert!(text(&answer.json()["detail"]).contains("access"), "{}", answer.json());
        assert_eq!(acme.portal(&ann).await.as_object().unwrap().len(), 1, "nothing is lost");
        acme.admin.put(&format!("/v1/workspaces/acme/applications/{wiki}/access"), json!({})).await.good();
        acme.patch(&format!("Groups/{sales}"), turn("tag")).await.good();
        acme.admin.put(&format!("/v1/workspaces/acme/applications/{wiki}/access"), json!({"tags": [sales]})).await.good();
        refused(&acme.patch(&format!("Groups/{sales}"), turn("department")).await, 400, "mutability");
    }

    async fn w5_user_names_that_look_alike_are_one(host) {
        let acme = Acme::found(host).await;
        let user = acme.user(" Zoe\u{308} ", json!({})).await;
        assert_eq!(user["userName"], "Zo\u{eb}", "trimmed and composed");
        for same in ["zo\u{eb}", "ZOE\u{308}", " zo\u{eb}\t"] {
            let body = json!({"schemas": [USER], "userName": same});
            refused(&acme.directory.post("/scim/v2/acme/Users", body).await, 409, "uniqueness");
            assert_eq!(acme.found_by("Users", &format!("userName eq {}", json!(same))).await, [text(&user["id"])], "{same:?}");
            let listed = acme.admin.get(&format!("/v1/workspaces/acme/members?user_name={same}")).await.good();
            assert_eq!(listed["items"][0]["id"], user["id"], "{same:?}");
        }
        assert_eq!(acme.found_by("Users", "userName sw \"zoe\u{308}\" and active ne false").await.len(), 1);
        for unseen in ["zo\u{200b}e", "\u{feff}zoe", "zoe\u{ad}", "zo\u{202e}e", "zoe\u{fe0f}"] {
            let body = json!({"schemas": [USER], "userName": unseen});
            refused(&acme.directory.post("/scim/v2/acme/Users", body).await, 400, "invalidValue");
            let change = json!([{"op": "replace", "path": "userName", "value": unseen}]);
            refused(&acme.patch(&format!("Users/{}", text(&user["id"])), change).await, 400, "invalidValue");
        }
    }

    async fn w5_what_is_not_there_or_not_allowed_is_refused_in_the_words_of_scim(host) {
        let acme = Acme::found(host).await;
        refused(&acme.directory.get("/scim/v2/acme/Robots").await, 404, "");
        refused(&acme.directory.get("/scim/v2/other/Users").await, 404, "");
        refused(&acme.directory.post("/scim/v2/acme/Schemas", json!({})).await, 405, "");
        refused(&acme.scene.host.anonymous().get("/scim/v2/acme/Users").await, 401, "");
        refused(&acme.directory.post("/scim/v2/acme/Users", json!([])).await, 400, "invalidSyntax");
        refused(&acme.directory.post("/scim/v2/acme/Users", json!({"schemas": [USER]})).await, 400, "invalidValue");
        let id = acme.member("ann").await;
        refused(&acme.patch(&format!("Users/{id}"), json!([{"op": "add", "path": "shoe", "value": 1}])).await, 400, "invalidPath");
        refused(&acme.patch(&format!("Users/{id}"), json!([{"op": "remove", "path": "userName"}])).await, 400, "mutability");
        refused(&acme.patch(&format!("Users/{id}"), json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "a"}])).await, 400, "noTarget");
        // The token of the directory is good for its address book only.
        acme.admin.post("/v1/workspaces", json!({"name": "Other", "id": "other"})).await.good();
        refused(&acme.directory.get("/scim/v2/other/Users").await, 404, "");
        acme.directory.get("/v1/workspaces/acme/members").await.refused("missing-grant");
        acme.directory.get("/v1/mini-apps").await.refused("missing-grant");
        // Another workspace's members are in no group here.
        let theirs = acme.admin.post("/scim/v2/other/Users", json!({"schemas": [USER], "userName": "eve"})).await.good();
        let body = json!({"schemas": [GROUP], "displayName": "G", "members": [{"value": theirs["id"]}]});
        refused(&acme.directory.post("/scim/v2/acme/Groups", body).await, 400, "invalidValue");
    }

    async fn w2_w3_a_portal_says_what_a_member_may_open_and_why(host) {
        let acme = Acme::found(host).await;
        let (ann, bob) = (acme.member("ann").await, acme.member("bob").await);
        let team = acme.group("Team", "department", &[&ann]).await;
        let sales = acme.group("Sales", "department", &[&team, &bob]).await;
        let sporty = acme.group("Sporty", "tag", &[&team]).await;
        acme.application("wiki", json!({"everyone": true})).await;
        acme.application("crm", json!({"departments": [sales]})).await;
        acme.application("gym", json!({"tags": [sporty]})).await;
        acme.application("safe", json!({"members": [bob], "departments": [team]})).await;
        let nobody = acme.application("attic", json!({})).await;
        let everyone = "it is for everyone in the workspace";
        let expected = json!({
            "wiki": [everyone], "crm": ["they are in Team, which is in Sales"],
            "gym": ["they are in Team, which has the tag Sporty"], "safe": ["they are in Team"],
        });
        assert_eq!(acme.portal(&ann).await, expected);
        let expected = json!({"wiki": [everyone], "crm": ["they are in Sales"], "safe": ["it is given to them by name"]});
        assert_eq!(acme.portal(&bob).await, expected);
        let all = acme.admin.get(&format!("/v1/workspaces/acme/portal?member={bob}&all=true")).await.good();
        let attic = all["items"].as_array().unwrap().iter().find(|one| one["id"] == json!(nobody)).unwrap();
        assert_eq!((&attic["decision"], attic.get("url")), (&json!("not_given"), None));

        // What the address book says is in force at once.
        let leave = json!([{"op": "remove", "path": format!("members[value eq \"{bob}\"]")}]);
        acme.patch(&format!("Groups/{sales}"), leave).await.good();
        assert_eq!(acme.portal(&bob).await, json!({"wiki": [everyone], "safe": ["it is given to them by name"]}));
        acme.patch(&format!("Users/{ann}"), json!([{"op": "replace", "path": "active", "value": false}])).await.good();
        assert_eq!(acme.portal(&ann).await, json!({}));
        acme.directory.delete(&format!("/scim/v2/acme/Groups/{sporty}")).await.good();
        acme.admin.get(&format!("/v1/workspaces/acme/portal?member={ann}&contact=ext_00000000000000000000000000")).await.refused("invalid-field");
        acme.admin.get("/v1/workspaces/acme/portal").await.refused("invalid-field");
        acme.admin.get("/v1/workspaces/acme/portal?member=mem_00000000000000000000000000").await.refused("not-found");
        let unknown = json!({"departments": ["grp_00000000000000000000000000"]});
        let refusal = acme.admin.put(&format!("/v1/workspaces/acme/applications/{nobody}/access"), unknown).await.refused("invalid-field");
        assert_eq!(refusal["pointer"], "/departments");
        let tag_as_department = json!({"tags": [team]});
        acme.admin.put(&format!("/v1/workspaces/acme/applications/{nobody}/access"), tag_as_department).await.refused("invalid-field");
    }

    async fn w4_f91_a_contact_that_is_added_twice_with_one_key_is_added_once(host) {
        const CONTACTS: &str = "/v1/workspaces/acme/contacts";
        let acme = Acme::found(host).await;
        let add = async |key: &str, new: Value| {
            let sent = acme.admin.request("POST", CONTACTS).header("Idempotency-Key", key).json(&new);
            Answer::of(sent, key.into()).await
        };
        let carol = json!({"name": "Carol", "external_id": "c"});
        let first = add("k1", carol.clone()).await;
        let (status, first) = (first.status, first.good());
        let again = add("k1", carol.clone()).await;
        assert_eq!((status, again.status, again.header("idempotency-replayed")), (201, 201, "true"));
        assert_eq!(again.good(), first, "and not contact-exists");
        add("k1", json!({"name": "Dan"})).await.refused("idempotency-mismatch");
        add("k2", carol.clone()).await.refused("contact-exists");
        // A refusal did nothing, so its key stays free; an answer is the first one's for good.
        acme.admin.delete(&format!("{CONTACTS}/{}", text(&first["id"]))).await.good();
        assert_eq!(add("k1", carol.clone()).await.good(), first);
        let anew = add("k2", carol).await.good();
        assert_ne!(anew["id"], first["id"]);
        let all = acme.admin.get(CONTACTS).await.good();
        assert_eq!(all["items"], json!([anew]));
    }

    async fn w1_w4_a_workspace_links_what_is_online_and_shares_it_with_contacts(host) {
        let acme = Acme::found(host).await;
        acme.admin.put("/v1/workspaces/acme/mini-apps/coffee", json!(null)).await.refused("not-online");
        acme.scene.online("1.0.0").await;
        let linked = acme.admin.put("/v1/workspaces/acme/mini-apps/coffee", json!(null)).await.good();
        assert_eq!((&linked["name"], &linked["online"]), (&json!("Coffee"), &json!(true)));
        assert_eq!(acme.admin.put("/v1/workspaces/acme/mini-apps/coffee", json!(null)).await.good(), linked);
        let ann = acme.member("ann").await;
        let carol = text(&acme.admin.post("/v1/workspaces/acme/contacts", json!({"name": "Carol", "external_id": "c"})).await.good()["id"]);
        acme.admin.post("/v1/workspaces/acme/contacts", json!({"name": "Carol", "external_id": "c"})).await.refused("contact-exists");
        let access = "/v1/workspaces/acme/mini-apps/coffee/access";
        let tag = acme.admin.get(access).await.header("etag").to_owned();
        acme.admin.put(access, json!({"everyone": true, "contacts": [carol]})).await.good();
        let late = acme.admin.request("PUT", access).header("If-Match", tag).json(&json!({"everyone": false}));
        Answer::of(late, "late".into()).await.refused("precondition-failed");
        let wiki = acme.application("wiki", json!({"everyone": true})).await;
        let shared = json!({"everyone": true, "contacts": [carol]});
        acme.admin.put(&format!("/v1/workspaces/acme/applications/{wiki}/access"), shared).await.refused("workspace-internal");
        assert_eq!(acme.portal(&carol).await, json!({"Coffee": ["it is shared with them"]}));
        assert_eq!(acme.portal(&ann).await.as_object().unwrap().len(), 2);
        let all = acme.admin.get(&format!("/v1/workspaces/acme/portal?contact={carol}&all=true")).await.good();
        let of_wiki = all["items"].as_array().unwrap().iter().find(|one| one["id"] == json!(wiki)).unwrap();
        assert_eq!(of_wiki["decision"], "members_only");

        // A recall reaches portals, too, and they come back with the MiniApp.
        acme.admin.post("/v1/mini-apps/coffee/shelf", json!({"on": false})).await.good();
        assert_eq!(acme.portal(&carol).await, json!({}));
        acme.admin.put("/v1/workspaces/acme/mini-apps/coffee", json!(null)).await.good();
        acme.admin.post("/v1/mini-apps/coffee/shelf", json!({"on": true})).await.good();
        assert_eq!(acme.portal(&carol).await.as_object().unwrap().len(), 1);
        acme.admin.delete(&format!("/v1/workspaces/acme/contacts/{carol}")).await.good();
        assert_eq!(acme.admin.get(access).await.good()["contacts"], json!([]));
        acme.admin.delete("/v1/workspaces/acme/mini-apps/coffee").await.good();
        acme.admin.get(access).await.refused("not-found");
        // Whoever may not read the MiniApp does not link it.
        let (account, manager) = acme.scene.host.somebody("manager").await;
        acme.admin.put(&format!("/v1/workspaces/acme/accounts/{account}"), json!({"role": "admin"})).await.good();
        manager.put("/v1/workspaces/acme/mini-apps/coffee", json!(null)).await.refused("not-found");
    }

    async fn w5_scim_tester_and_scim_client_find_nothing(host) {
        let Some(python) = there_is("BERTH_TEST_SCIM") else { return };
        let acme = Acme::found(host).await;
        let (account, token) = person(&acme.admin, "tester", json!({"scopes": ["provision"]})).await;
        acme.admin.put(&format!("/v1/workspaces/acme/accounts/{account}"), json!({"role": "provisioner"})).await.good();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/setup/ask-scim.py");
        let url = format!("{}/scim/v2/acme", acme.scene.host.url);
        let asked = tokio::process::Command::new(python).args([script, &url, &token]).output().await.unwrap();
        let said: Value = serde_json::from_slice(&asked.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&asked.stderr)));
        assert_eq!(said["findings"], json!([]), "{said:#}");
        assert!(said["client"] == true && said["checks"].as_u64().unwrap() > 100, "{said:#}");
    }
}
