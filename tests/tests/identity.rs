//! One user in two MiniApps: partners, links, swap, and how all of it ends (U4–U8).

use std::time::Duration;

use berth_tests::{
    Answer, Api, Host, invariants, on_both,
    scene::{Scene, Servers, person, text},
};
use serde_json::{Value, json};

const LINKS: &str = "/v1/host-apps/super-app/links";
const PARTNER: &str = "/v1/mini-apps/coffee/partners/mall";

/// The scene, in which `mall` of another team is bound to the host app too, with a server for each.
struct Mall {
    scene: Scene,
    /// The server of the host app.
    app: Api,
    /// The server of `coffee`, and its AppSecret.
    coffee: (Api, String),
    /// The server of `mall`, and its AppSecret.
    mall: (Api, String),
    /// An admin of the team of `coffee`, and one of that of `mall`.
    admins: [Api; 2],
}

/// Another MiniApp of a team of its own, bound to the host app, with its server, its AppSecret, and an admin of the team.
async fn another(scene: &Scene, id: &str) -> (Api, String, Api) {
    let team = text(&scene.admin.post("/v1/teams", json!({"name": id})).await.good()["id"]);
    let secret = scene.another(id, &team).await;
    let token =
        scene.host.anonymous().post("/v1/server-tokens", json!({"mini_app": id, "secret": secret})).await.good();
    (scene.host.with_token(&text(&token["token"])), secret, admin_of(scene, &team, id).await)
}

async fn admin_of(scene: &Scene, team: &str, name: &str) -> Api {
    let (account, token) = person(&scene.admin, name, json!({})).await;
    scene.admin.put(&format!("/v1/teams/{team}/members/{account}"), json!({"role": "admin"})).await.good();
    scene.host.with_token(&token)
}

impl Mall {
    async fn set(host: Host) -> Self {
        let scene = Scene::set(host).await;
        let Servers { app, server, secret } = scene.servers().await;
        let (mall, mall_secret, mall_admin) = another(&scene, "mall").await;
        let coffee_admin = admin_of(&scene, &scene.team, "coffee admin").await;
        Self { scene, app, coffee: (server, secret), mall: (mall, mall_secret), admins: [coffee_admin, mall_admin] }
    }

    /// As [`Mall::set`], and the teams have agreed that `mall` is told OpenIDs of `coffee`.
    async fn agreed(host: Host) -> Self {
        let mall = Self::set(host).await;
        mall.scene.admin.put(PARTNER, json!(null)).await.good();
        mall
    }

    async fn log_in(&self, mini_app: &str, secret: &str, account: &str) -> String {
        text(&self.scene.log_in(&self.app, mini_app, secret, account).await["open_id"])
    }

    /// The OpenIDs of an account in `coffee` and in `mall`, where it has logged in.
    async fn both(&self, account: &str) -> [String; 2] {
        [self.log_in("coffee", &self.coffee.1, account).await, self.log_in("mall", &self.mall.1, account).await]
    }

    async fn link(&self, account: &str) -> Answer {
        self.app.post(LINKS, said(account)).await
    }

    async fn unlink(&self, account: &str) -> Value {
        self.app.post(&format!("{LINKS}/end"), said(account)).await.good()["items"].clone()
    }

    async fn links(&self, account: &str) -> Vec<Value> {
        let links = self.app.get(&format!("{LINKS}?account={account}")).await.good();
        links["items"].as_array().unwrap().clone()
    }

    /// What the server of `mall` is told of these users of its own.
    async fn told(&self, open_ids: &[&str]) -> Value {
        swap(&self.mall.0, json!({"to": "coffee", "open_ids": open_ids})).await
    }
}

/// That a user agrees that `mall` is told their OpenID in `coffee`.
fn said(account: &str) -> Value {
    json!({"account": account, "mini_app": "coffee", "partner": "mall"})
}

async fn swap(server: &Api, asked: Value) -> Value {
    server.post("/v1/swap", asked).await.good()["open_ids"].clone()
}

/// An OpenID that nobody has.
fn guess() -> String {
    format!("o{}", "0".repeat(27))
}

on_both! {
    async fn u4_f102_a_partner_swaps_the_open_ids_of_users_who_agree_both_ways(host) {
        let mall = Mall::agreed(host).await;
        let [alice, alice_there] = mall.both("alice").await;
        let [bob, bob_there] = mall.both("bob").await;
        assert_ne!(alice, alice_there, "the same user has unrelated OpenIDs");
        assert_eq!(mall.told(&[&alice_there, &bob_there]).await, json!([null, null]), "nobody has agreed");
        let link = mall.link("alice").await.good();
        assert_eq!((&link["mini_app"], &link["partner"], &link["holds"]), (&json!("coffee"), &json!("mall"), &json!(true)));
        assert_eq!(mall.told(&[&bob_there, &alice_there, &guess(), &alice]).await, json!([null, alice, null, null]));
        let back = swap(&mall.mall.0, json!({"from": "coffee", "open_ids": [alice, bob, alice_there]})).await;
        assert_eq!(back, json!([alice_there, null, null]));
        // A user who has never been in coffee is told, too: modules of coffee run inside mall.
        let carol_there = mall.log_in("mall", &mall.mall.1, "carol").await;
        mall.link("carol").await.good();
        let carol = mall.told(&[&carol_there]).await[0].clone();
        assert_eq!(json!(mall.log_in("coffee", &mall.coffee.1, "carol").await), carol);
        let answer = mall.mall.0.post("/v1/swap", json!({"to": "coffee", "open_ids": [alice_there]})).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        invariants::hold(&mall.scene.host.pool().await).await;
    }

    async fn u5_u6_a_merchant_sees_its_own_open_ids_only(host) {
        let mall = Mall::agreed(host).await;
        let [alice, alice_there] = mall.both("alice").await;
        mall.link("alice").await.good();
        for asked in [json!({"to": "mall", "open_ids": [alice]}), json!({"from": "mall", "open_ids": [alice_there]})] {
            mall.coffee.0.post("/v1/swap", asked).await.refused("not-partners");
        }
        let (stranger, ..) = another(&mall.scene, "stranger").await;
        let known = stranger.post("/v1/swap", json!({"to": "coffee", "open_ids": [alice]})).await;
        let unknown = stranger.post("/v1/swap", json!({"to": "nothing", "open_ids": [alice]})).await;
        assert_eq!((known.refused("not-partners")["title"].clone(), known.status), (unknown.refused("not-partners")["title"].clone(), unknown.status));
        mall.scene.admin.post("/v1/swap", json!({"to": "coffee", "open_ids": [alice]})).await.refused("invalid-server-token");
        mall.scene.host.device(&mall.scene.key).post("/v1/swap", json!({"to": "coffee", "open_ids": [alice]})).await.refused("invalid-server-token");
        for (wrong, pointer) in [
            (json!({"open_ids": [alice]}), "/to"),
            (json!({"to": "coffee", "from": "coffee", "open_ids": [alice]}), "/from"),
            (json!({"to": "coffee", "open_ids": []}), "/open_ids"),
            (json!({"to": "coffee", "open_ids": vec![alice.clone(); 101]}), "/open_ids"),
        ] {
            assert_eq!(mall.mall.0.post("/v1/swap", wrong).await.refused("invalid-field")["pointer"], pointer);
        }
    }

    async fn u6_both_teams_agree_and_when_one_ends_it_users_are_asked_anew(host) {
        let mall = Mall::set(host).await;
        let [coffee_admin, mall_admin] = &mall.admins;
        let [alice, alice_there] = mall.both("alice").await;
        mall.link("alice").await.refused("not-partners");
        assert_eq!(mall_admin.put(PARTNER, json!(null)).await.good()["state"], "waits_for_mini_app");
        assert_eq!(mall_admin.put(PARTNER, json!(null)).await.good()["state"], "waits_for_mini_app", "asking twice is asking once");
        let refused = mall.link("alice").await.refused("not-partners");
        assert!(text(&refused["detail"]).contains("berth partner agree coffee mall"), "{refused}");
        assert_eq!(coffee_admin.put(PARTNER, json!(null)).await.good()["state"], "active");
        coffee_admin.put("/v1/mini-apps/coffee/partners/coffee", json!(null)).await.refused("invalid-field");
        coffee_admin.put("/v1/mini-apps/coffee/partners/nothing", json!(null)).await.refused("not-found");
        let (_, _, stranger) = another(&mall.scene, "stranger").await;
        stranger.put(PARTNER, json!(null)).await.refused("not-found");
        for (admin, mini_app) in [(coffee_admin, "coffee"), (mall_admin, "mall")] {
            let listed = admin.get(&format!("/v1/mini-apps/{mini_app}/partners")).await.good();
            assert_eq!((&listed["items"][0]["partner"], listed["items"].as_array().unwrap().len()), (&json!("mall"), 1));
        }
        mall.link("alice").await.good();
        assert_eq!(mall.told(&[&alice_there]).await, json!([alice]));
        mall_admin.delete(PARTNER).await.good();
        mall_admin.delete(PARTNER).await.refused("not-found");
        mall.mall.0.post("/v1/swap", json!({"to": "coffee", "open_ids": [alice_there]})).await.refused("not-partners");
        assert_eq!(mall.links("alice").await[0]["holds"], false);
        tokio::time::sleep(Duration::from_millis(5)).await;
        mall.scene.admin.put(PARTNER, json!(null)).await.good();
        assert_eq!(mall.told(&[&alice_there]).await, json!([null]), "what they agreed to was the former agreement");
        mall.link("alice").await.good();
        assert_eq!(mall.told(&[&alice_there]).await, json!([alice]));
        let links = mall.links("alice").await;
        let holds: Vec<_> = links.iter().map(|link| (link["holds"] == true, link["unlinked_at"].is_null())).collect();
        assert_eq!(holds, [(false, false), (true, true)]);
        for (admin, mini_app) in [(coffee_admin, "coffee"), (mall_admin, "mall")] {
            let events = admin.get(&format!("/v1/events?limit=1000&mini_app={mini_app}")).await.good()["items"].clone();
            let kinds: Vec<_> = events.as_array().unwrap().iter().filter(|event| text(&event["type"]).starts_with("partner.")).map(|event| text(&event["type"])).collect();
            assert_eq!(kinds, ["partner.asked", "partner.agreed", "partner.ended", "partner.agreed"], "{mini_app}");
            assert!(!events.to_string().contains("alice"), "links are no events");
        }
    }

    async fn u8_f103_guessed_open_ids_are_answered_as_those_of_users_who_have_not_agreed(host) {
        let mall = Mall::agreed(host).await;
        let [alice, alice_there] = mall.both("alice").await;
        let ask = async |open_id: &str| {
            let answer = mall.mall.0.post("/v1/swap", json!({"to": "coffee", "open_ids": [open_id]})).await;
            (answer.status, answer.header("content-length").to_owned(), answer.good())
        };
        let guessed = ask(&guess()).await;
        assert_eq!(ask(&alice_there).await, guessed, "she has not agreed");
        assert_eq!(ask(&alice).await, guessed, "it is not an OpenID of mall");
        mall.link("alice").await.good();
        mall.unlink("alice").await;
        assert_eq!(ask(&alice_there).await, guessed, "she does not agree any more");
        mall.link("alice").await.good();
        mall.scene.admin.delete("/v1/host-apps/super-app/bindings/coffee").await.good();
        assert_eq!(ask(&alice_there).await, guessed, "coffee does not run in her host app any more");
        mall.scene.admin.put("/v1/host-apps/super-app/bindings/coffee", json!(null)).await.good();
        mall.scene.admin.post("/v1/mini-apps/coffee/shelf", json!({"on": false, "note": "broken"})).await.good();
        mall.mall.0.post("/v1/swap", json!({"to": "coffee", "open_ids": [alice_there]})).await.refused("package-off-shelf");
        mall.link("bob").await.refused("package-off-shelf");
        mall.unlink("alice").await;
    }

    async fn u7_f104_a_user_takes_one_consent_back_and_the_others_stay(host) {
        let mall = Mall::agreed(host).await;
        let (tea, ..) = another(&mall.scene, "tea").await;
        mall.scene.admin.put("/v1/mini-apps/coffee/partners/tea", json!(null)).await.good();
        let [alice, alice_there] = mall.both("alice").await;
        let [bob, bob_there] = mall.both("bob").await;
        for account in ["alice", "bob"] {
            mall.link(account).await.good();
        }
        mall.app.post(LINKS, json!({"account": "alice", "mini_app": "coffee", "partner": "tea"})).await.good();
        let ended = mall.unlink("alice").await;
        assert_eq!((ended.as_array().unwrap().len(), &ended[0]["holds"]), (1, &json!(false)));
        assert!(!ended[0]["unlinked_at"].is_null());
        assert_eq!(mall.unlink("alice").await, ended, "twice is once");
        assert_eq!(mall.unlink("nobody").await, json!([]));
        assert_eq!(mall.told(&[&alice_there, &bob_there]).await, json!([null, bob]));
        let there = swap(&tea, json!({"from": "coffee", "open_ids": [alice]})).await;
        assert!(there[0].is_string(), "what tea is told stays");
        let links = mall.links("alice").await;
        assert_eq!(links.iter().map(|link| text(&link["partner"])).collect::<Vec<_>>(), ["mall", "tea"]);
        let body = json!({"account": " ", "mini_app": "coffee", "partner": "mall"});
        assert_eq!(mall.app.post(LINKS, body).await.refused("invalid-field")["pointer"], "/account");
        let body = json!({"account": "alice", "mini_app": "coffee", "partner": "nothing"});
        mall.app.post(LINKS, body).await.refused("not-found");
    }

    async fn u7_f107_links_go_one_way_have_no_chains_and_are_there_once(host) {
        let mall = Mall::agreed(host).await;
        let (tea, tea_secret, _) = another(&mall.scene, "tea").await;
        mall.scene.admin.put("/v1/mini-apps/tea/partners/coffee", json!(null)).await.good();
        let [_, alice_there] = mall.both("alice").await;
        let in_tea = mall.log_in("tea", &tea_secret, "alice").await;
        let tries = (0..32).map(|_| {
            let (app, body) = (mall.app.clone(), said("alice"));
            tokio::spawn(async move { app.post(LINKS, body).await.good()["linked_at"].clone() })
        });
        let mut since = Vec::new();
        for one in tries.collect::<Vec<_>>() {
            since.push(one.await.unwrap());
        }
        since.dedup();
        assert_eq!((since.len(), mall.links("alice").await.len()), (1, 1), "of many at once one links, and all are told of it");
        mall.app.post(LINKS, json!({"account": "alice", "mini_app": "tea", "partner": "coffee"})).await.good();
        // mall is told who she is in coffee, and coffee who she is in tea: mall is not told of tea by that.
        mall.mall.0.post("/v1/swap", json!({"to": "tea", "open_ids": [alice_there]})).await.refused("not-partners");
        mall.scene.admin.put("/v1/mini-apps/tea/partners/mall", json!(null)).await.good();
        assert_eq!(swap(&mall.mall.0, json!({"to": "tea", "open_ids": [alice_there]})).await, json!([null]));
        // A circle of agreements tells nobody more than each of them does.
        mall.scene.admin.put("/v1/mini-apps/mall/partners/tea", json!(null)).await.good();
        assert_eq!(swap(&tea, json!({"to": "mall", "open_ids": [in_tea]})).await, json!([null]));
    }

    async fn u5_f105_f108_an_erased_user_is_linked_nowhere_and_exports_name_no_other_host_app(host) {
        let mall = Mall::agreed(host).await;
        let other = mall.scene.admin.post("/v1/host-apps", json!({"name": "Other", "id": "other-app"})).await.good();
        for mini_app in ["coffee", "mall"] {
            mall.scene.admin.put(&format!("/v1/host-apps/other-app/bindings/{mini_app}"), json!(null)).await.good();
        }
        let elsewhere = "/v1/host-apps/other-app/links";
        mall.scene.admin.post(elsewhere, said("alice")).await.good();
        let [alice, alice_there] = mall.both("alice").await;
        assert_eq!(mall.told(&[&alice_there]).await, json!([null]), "alice of another host app is somebody else");
        mall.link("alice").await.good();
        mall.link("bob").await.good();
        let export = mall.app.post("/v1/host-apps/super-app/users/export", json!({"account": "alice"})).await.good();
        assert_eq!(export["links"].as_array().unwrap().len(), 1, "{export}");
        assert!(!export.to_string().contains(text(&other["id"]).as_str()), "nothing of another host app");
        for open_id in [&alice, &alice_there] {
            assert!(!export.to_string().contains(open_id), "OpenIDs are the MiniApps'");
        }
        let erased = mall.app.post("/v1/host-apps/super-app/users/erase", json!({"account": "alice", "mini_app": "coffee"})).await.good();
        assert_eq!((&erased["links"], &erased["mini_apps"]), (&json!(1), &json!(["coffee"])), "the link is gone from both sides");
        assert_eq!((mall.told(&[&alice_there]).await, mall.links("alice").await), (json!([null]), vec![]));
        mall.link("alice").await.good();
        let erased = mall.app.post("/v1/host-apps/super-app/users/erase", json!({"account": "alice"})).await.good();
        assert_eq!((&erased["links"], &erased["mini_apps"]), (&json!(1), &json!(["coffee", "mall"])));
        let pool = mall.scene.host.pool().await;
        assert_eq!(pool.number("SELECT COUNT(*) FROM identity_link").await, 2, "those of bob and of the other host app stay");
        assert_eq!(mall.scene.admin.get(&format!("{elsewhere}?account=alice")).await.good()["items"].as_array().unwrap().len(), 1);
        mall.log_in("mall", &mall.mall.1, "alice").await;
        assert_eq!(mall.told(&[&alice_there]).await, json!([null]), "who comes back has agreed to nothing");
        invariants::hold(&pool).await;
    }

    async fn u5_f106_who_is_erased_while_a_link_is_made_is_linked_before_or_anew_and_never_half(host) {
        let mall = Mall::agreed(host).await;
        let pool = mall.scene.host.pool().await;
        for round in 0..6 {
            mall.both("alice").await;
            let mut at_once = Vec::new();
            for turn in 0..8 {
                let (app, erases) = (mall.app.clone(), turn % 2 == 1);
                at_once.push(tokio::spawn(async move {
                    let erase = ("/v1/host-apps/super-app/users/erase", json!({"account": "alice"}));
                    let (path, body) = if erases { erase } else { (LINKS, said("alice")) };
                    app.post(path, body).await.good();
                }));
            }
            for one in at_once {
                one.await.unwrap();
            }
            mall.app.post("/v1/host-apps/super-app/users/erase", json!({"account": "alice"})).await.good();
            let left = "SELECT COUNT(*) FROM identity_link";
            let known = "SELECT COUNT(*) FROM mini_app_user WHERE account = 'alice'";
            assert_eq!((pool.number(left).await, pool.number(known).await), (0, 0), "round {round}");
        }
        invariants::hold(&pool).await;
    }
}
