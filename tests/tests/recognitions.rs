//! One person in two MiniApps, found silently by an official account (U3), through the stand-in of WeChat.

use berth_tests::{
    Answer, Api, Host, invariants, on_both,
    scene::{Scene, text},
    wechat::{Wechat, official::Browser},
};
use serde_json::{Value, json};

const PLAZA: &str = "wxssssssssssssssss";
const RECOGNISE: &str = "/v1/recognitions";

/// `coffee` of `bos-coffee` in the host app `super-app`, and `mall` of `bos-mall` in `other-app`; both merchants use one shared
/// official account, and the teams have agreed that `mall` is told OpenIDs of `coffee`.
struct Plaza {
    scene: Scene,
    _wechat: Wechat,
    coffee: Side,
    mall: Side,
}

/// A MiniApp in a host app, with the servers of both.
struct Side {
    host_app: &'static str,
    mini_app: &'static str,
    secret: String,
    vouches: Api,
    server: Api,
}

impl Side {
    async fn set(scene: &Scene, host_app: &'static str, mini_app: &'static str, secret: String) -> Self {
        let (account, vouches) = scene.host.somebody(host_app).await;
        let members = format!("/v1/host-apps/{host_app}/members/{account}");
        scene.admin.put(&members, json!({"role": "server"})).await.good();
        let proof = json!({"mini_app": mini_app, "secret": secret});
        let token = scene.host.anonymous().post("/v1/server-tokens", proof).await.good();
        let merchant = format!("bos-{mini_app}");
        scene.admin.post("/v1/merchants", json!({"name": "M", "id": merchant})).await.good();
        let page = json!({"url": format!("https://{merchant}.example/hello")});
        scene.admin.put(&format!("/v1/merchants/{merchant}/entry-pages/hello"), page).await.good();
        let channel = json!({"merchant": merchant, "kind": "mini_app", "app_id": mini_app, "name": "Ours"});
        scene.admin.post("/v1/channels", channel).await.good();
        Self { host_app, mini_app, secret, vouches, server: scene.host.with_token(&text(&token["token"])) }
    }

    /// The OpenID of an account, which logs in.
    async fn log_in(&self, host: &Host, account: &str) -> String {
        let ask = json!({"mini_app": self.mini_app, "account": account});
        let code = self.vouches.post(&format!("/v1/host-apps/{}/login-codes", self.host_app), ask).await.good();
        let open = json!({"mini_app": self.mini_app, "secret": self.secret, "code": code["code"]});
        text(&host.anonymous().post("/v1/session", open).await.good()["open_id"])
    }

    /// A person opens the entry link in the MiniApp's web-view. Returns the code with which they come to the page.
    async fn visit(&self, host: &Host, person: &str) -> String {
        let link = format!("/w/{PLAZA}/bos-{}/hello", self.mini_app);
        let (stop, _) = Browser::of(person).enter(host, &link).await;
        stop.query("code").unwrap_or_else(|| panic!("{stop:?}"))
    }

    async fn recognise(&self, code: &str, open_id: &str) -> Answer {
        self.server.post(RECOGNISE, json!({"code": code, "open_id": open_id})).await
    }

    /// A person is recognised as a user.
    async fn sees(&self, host: &Host, person: &str, open_id: &str) -> Answer {
        self.recognise(&self.visit(host, person).await, open_id).await
    }

    async fn links(&self, account: &str) -> Vec<Value> {
        let links = self.vouches.get(&format!("/v1/host-apps/{}/links?account={account}", self.host_app)).await.good();
        links["items"].as_array().unwrap().clone()
    }

    /// Says in the name of this host app's server that a user agrees, or does not any more.
    async fn says(&self, what: &str, account: &str, more: Value) -> Answer {
        let mut said = json!({"account": account, "mini_app": "coffee", "partner": "mall"});
        said.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.vouches.post(&format!("/v1/host-apps/{}/links{what}", self.host_app), said).await
    }

    async fn links_up(&self, account: &str) -> Value {
        self.says("", account, json!({"through": PLAZA})).await.good()
    }
}

impl Plaza {
    async fn set(host: Host) -> Self {
        let wechat = Wechat::start().await;
        wechat.official(PLAZA, "secret-of-the-plaza");
        let scene = Scene::set(host.again(|config| wechat.configure(config)).await).await;
        let admin = &scene.admin;
        let account = json!({"app_id": PLAZA, "name": "Plaza", "secret": "secret-of-the-plaza"});
        admin.post("/v1/official-accounts", account).await.good();
        let secret = text(&admin.post("/v1/mini-apps/coffee/secret", json!(null)).await.good()["secret"]);
        let coffee = Side::set(&scene, "super-app", "coffee", secret).await;
        let team = text(&admin.post("/v1/teams", json!({"name": "Mall"})).await.good()["id"]);
        admin.post("/v1/mini-apps", json!({"name": "Mall", "id": "mall", "team": team})).await.good();
        admin.post("/v1/host-apps", json!({"name": "Other", "id": "other-app"})).await.good();
        admin.put("/v1/host-apps/other-app/bindings/mall", json!(null)).await.good();
        let secret = text(&admin.post("/v1/mini-apps/mall/secret", json!(null)).await.good()["secret"]);
        let mall = Side::set(&scene, "other-app", "mall", secret).await;
        admin.put("/v1/mini-apps/coffee/partners/mall", json!(null)).await.good();
        Self { scene, _wechat: wechat, coffee, mall }
    }

    /// The OpenIDs of one person: `alice` in `coffee`, and `a77` in `mall`, recognised in both.
    async fn ann(&self) -> [String; 2] {
        let host = &self.scene.host;
        let both = [self.coffee.log_in(host, "alice").await, self.mall.log_in(host, "a77").await];
        self.coffee.sees(host, "ann", &both[0]).await.good();
        self.mall.sees(host, "ann", &both[1]).await.good();
        both
    }

    async fn told(&self, open_id: &str) -> Value {
        self.swap(json!({"to": "coffee", "open_ids": [open_id]})).await
    }

    async fn swap(&self, asked: Value) -> Value {
        self.mall.server.post("/v1/swap", asked).await.good()["open_ids"][0].clone()
    }
}

on_both! {
    async fn u3_a_person_in_two_host_apps_is_found_silently_and_told_when_they_agree(host) {
        let plaza = Plaza::set(host).await;
        let [alice, a77] = plaza.ann().await;
        assert_eq!(plaza.told(&a77).await, json!(null), "that they are one person tells nobody anything");
        let link = plaza.mall.links_up("a77").await;
        assert_eq!((&link["through"], &link["holds"]), (&json!(PLAZA), &json!(true)));
        assert_eq!(plaza.told(&a77).await, json!(alice));
        assert_eq!(plaza.swap(json!({"from": "coffee", "open_ids": [alice]})).await, json!(a77));
        // One way only, and a stranger is nobody.
        plaza.coffee.server.post("/v1/swap", json!({"to": "mall", "open_ids": [alice]})).await.refused("not-partners");
        let bob = plaza.mall.log_in(&plaza.scene.host, "b1").await;
        plaza.mall.links_up("b1").await;
        assert_eq!(plaza.told(&bob).await, json!(null));
        // Recognised later, and found from then on, without a word.
        let ben = plaza.coffee.log_in(&plaza.scene.host, "ben").await;
        plaza.coffee.sees(&plaza.scene.host, "bob", &ben).await.good();
        assert_eq!(plaza.told(&bob).await, json!(null));
        plaza.mall.sees(&plaza.scene.host, "bob", &bob).await.good();
        assert_eq!(plaza.told(&bob).await, json!(ben));
        // Nothing that WeChat calls a person is in the table.
        let pool = plaza.scene.host.pool().await;
        assert!(pool.texts("SELECT person FROM recognised_user").await.iter().all(|person| person.len() == 64));
        invariants::hold(&pool).await;
    }

    async fn u3_u5_f104_either_side_takes_it_back_and_all_see_it(host) {
        let plaza = Plaza::set(host).await;
        let [alice, a77] = plaza.ann().await;
        plaza.mall.links_up("a77").await;
        let seen = plaza.coffee.links("alice").await;
        assert_eq!((&seen[0]["partner"], &seen[0]["through"]), (&json!("mall"), &json!(PLAZA)), "the person sees it in the other host app");
        // In the host app of coffee, where they have not said it.
        plaza.coffee.says("/end", "alice", json!({})).await.good();
        assert_eq!(plaza.told(&a77).await, json!(null));
        assert_eq!((&plaza.mall.links("a77").await[0]["holds"], plaza.coffee.links("alice").await.len()), (&json!(false), 1));
        plaza.mall.links_up("a77").await;
        assert_eq!(plaza.told(&a77).await, json!(alice));
        plaza.mall.says("/end", "a77", json!({})).await.good();
        assert_eq!(plaza.told(&a77).await, json!(null));
        // When the teams end it, and when the MiniApp has its user be a stranger again.
        plaza.mall.links_up("a77").await;
        let end = json!({"app_id": PLAZA, "open_id": alice});
        plaza.coffee.server.post(&format!("{RECOGNISE}/end"), end).await.good();
        assert_eq!(plaza.told(&a77).await, json!(null));
        plaza.coffee.sees(&plaza.scene.host, "ann", &alice).await.good();
        assert_eq!(plaza.told(&a77).await, json!(alice));
        plaza.scene.admin.delete("/v1/mini-apps/coffee/partners/mall").await.good();
        plaza.scene.admin.put("/v1/mini-apps/coffee/partners/mall", json!(null)).await.good();
        assert_eq!(plaza.told(&a77).await, json!(null), "users are asked anew");
    }

    async fn u3_f107_f109_nobody_is_taken_over_and_a_code_is_good_once(host) {
        let plaza = Plaza::set(host).await;
        let host = &plaza.scene.host;
        let [alice, _] = plaza.ann().await;
        let eve = plaza.coffee.log_in(host, "eve").await;
        let code = plaza.coffee.visit(host, "ann").await;
        plaza.coffee.recognise(&code, &eve).await.refused("recognised-otherwise");
        plaza.coffee.recognise(&code, &alice).await.good();
        plaza.coffee.recognise(&code, &alice).await.refused("invalid-visit-code");
        plaza.coffee.sees(host, "eve", &alice).await.refused("recognised-otherwise");
        let theirs = plaza.mall.visit(host, "eve").await;
        plaza.coffee.recognise(&theirs, &eve).await.refused("invalid-visit-code");
        let code = plaza.coffee.visit(host, "eve").await;
        plaza.coffee.recognise(&code, &format!("o{}", "0".repeat(27))).await.refused("not-found");
        plaza.coffee.recognise(&code, &eve).await.good();
        // A MiniApp that is the channel of no merchant has no entry links.
        let secret = plaza.scene.another("tea", &plaza.scene.team).await;
        let token = host.anonymous().post("/v1/server-tokens", json!({"mini_app": "tea", "secret": secret})).await.good();
        let tea = host.with_token(&text(&token["token"]));
        let refused = tea.post(RECOGNISE, json!({"code": code, "open_id": eve})).await.refused("not-found");
        assert!(text(&refused["detail"]).contains("--kind mini_app"), "{refused}");
        let unknown = json!({"through": "wxzzzzzzzzzzzzzzzz"});
        plaza.mall.says("", "a77", unknown).await.refused("not-found");
        plaza.mall.says("", "a77", json!({})).await.refused("not-found"); // coffee is not bound to this host app
    }

    async fn u3_f105_who_is_erased_is_recognised_no_more(host) {
        let plaza = Plaza::set(host).await;
        let [alice, a77] = plaza.ann().await;
        plaza.mall.links_up("a77").await;
        let export = plaza.coffee.vouches.post("/v1/host-apps/super-app/users/export", json!({"account": "alice"})).await.good();
        assert_eq!(export["recognitions"][0]["app_id"], PLAZA);
        assert_eq!(export["links"][0]["partner"], "mall");
        let erased = plaza.coffee.vouches.post("/v1/host-apps/super-app/users/erase", json!({"account": "alice"})).await.good();
        assert_eq!((&erased["links"], &erased["recognitions"]), (&json!(1), &json!(1)), "the link that told of alice, too");
        assert_eq!(plaza.told(&a77).await, json!(null));
        assert_eq!(plaza.swap(json!({"from": "coffee", "open_ids": [alice]})).await, json!(null));
        let erased = plaza.mall.vouches.post("/v1/host-apps/other-app/users/erase", json!({"account": "a77"})).await.good();
        assert_eq!((&erased["links"], &erased["recognitions"]), (&json!(0), &json!(1)));
        let pool = plaza.scene.host.pool().await;
        assert_eq!(pool.number("SELECT (SELECT COUNT(*) FROM recognised_user) + (SELECT COUNT(*) FROM identity_link)").await, 0);
    }
}
