//! Official accounts, shared and private: entry links, fans, template messages, moves (S1–S9).

use berth_base::clock::Nature;
use berth_tests::{
    Answer, Api, Host, clock, on_both,
    scene::text,
    wechat::{
        Fault, PLATFORM, Stage, Wechat,
        official::{Browser, open_id, template_of},
    },
};
use futures_util::future::join_all;
use serde_json::{Value, json};

const SHARED: &str = "wxssssssssssssssss";
const PRIVATE: &str = "wxpppppppppppppppp";
const SHARED_SECRET: &str = "canary-shared-account-secret";
const PRIVATE_SECRET: &str = "canary-private-account-secret";
const ACCOUNTS: &str = "/v1/official-accounts";

/// A shared account, a private one of `bos-1`, another merchant `bos-2`, a page `shop` of each, and the template `paid` at both
/// accounts.
struct Street {
    wechat: Wechat,
    host: Host,
    admin: Api,
}

impl Street {
    async fn set(host: Host) -> Self {
        Self::set_in(host, Nature::default()).await
    }

    async fn set_in(host: Host, nature: Nature) -> Self {
        let wechat = Wechat::start().await;
        wechat.official(SHARED, SHARED_SECRET);
        wechat.official(PRIVATE, PRIVATE_SECRET);
        let host = host.again_in(nature, |config| wechat.configure(config)).await;
        let admin = host.admin();
        for id in ["bos-1", "bos-2"] {
            admin.post("/v1/merchants", json!({"name": "Merchant", "id": id})).await.good();
            let page = json!({"url": format!("https://{id}.example/shop")});
            admin.put(&format!("/v1/merchants/{id}/entry-pages/shop"), page).await.good();
        }
        let street = Self { wechat, host, admin };
        street.admin.post(ACCOUNTS, shared()).await.good();
        street.admin.post(ACCOUNTS, private()).await.good();
        for app_id in [SHARED, PRIVATE] {
            let template = json!({"template_id": template_of(app_id)});
            street.admin.put(&format!("{ACCOUNTS}/{app_id}/templates/paid"), template).await.good();
        }
        street
    }

    /// A person opens an entry link, and comes to the page of the merchant. Returns the code of the visit.
    async fn visit(&self, person: &str, app_id: &str, merchant: &str) -> String {
        let mut browser = Browser::of(person);
        let (stop, _) = browser.enter(&self.host, &format!("/w/{app_id}/{merchant}/shop")).await;
        assert_eq!(stop.status, 302, "{stop:?}");
        assert!(stop.to.starts_with(&format!("https://{merchant}.example/shop?")), "{stop:?}");
        stop.query("code").unwrap()
    }

    async fn exchange(&self, merchant: &str, code: &str) -> Answer {
        self.admin.post(&format!("/v1/merchants/{merchant}/visitors"), json!({"code": code})).await
    }

    /// A person visits a merchant. Returns who the merchant learns that it is.
    async fn visitor(&self, person: &str, app_id: &str, merchant: &str) -> Value {
        self.exchange(merchant, &self.visit(person, app_id, merchant).await).await.good()
    }

    async fn bind(&self, merchant: &str, member: &str, app_id: &str, who: Value) -> Answer {
        self.admin.put(&format!("/v1/merchants/{merchant}/fans/{member}/{app_id}"), who).await
    }

    /// A person visits `bos-1`, and is bound to a member.
    async fn joins(&self, person: &str, member: &str, app_id: &str) {
        let code = self.visit(person, app_id, "bos-1").await;
        self.bind("bos-1", member, app_id, json!({"code": code})).await.good();
    }

    async fn fans(&self, query: &str) -> Vec<Value> {
        let page = self.admin.get(&format!("/v1/merchants/bos-1/fans?{query}")).await.good();
        page["items"].as_array().unwrap().clone()
    }

    async fn send(&self, more: Value) -> Answer {
        self.admin.post("/v1/merchants/bos-1/template-messages", message(more)).await
    }

    async fn send_with(&self, key: &str, more: Value) -> Answer {
        let request =
            self.admin.request("POST", "/v1/merchants/bos-1/template-messages").header("Idempotency-Key", key);
        Answer::of(request.json(&message(more)), format!("send {key}")).await
    }

    async fn told(&self, kind: &str) -> Vec<Value> {
        let events = self.admin.get("/v1/events?limit=1000").await.good();
        let of = events["items"].as_array().unwrap().iter().filter(|event| event["type"] == kind);
        of.map(|event| event["data"].clone()).collect()
    }

    /// A member of `bos-1` with a role.
    async fn member_of_merchant(&self, role: &str) -> Api {
        let (account, person) = self.host.somebody(role).await;
        self.admin.put(&format!("/v1/merchants/bos-1/members/{account}"), json!({"role": role})).await.good();
        person
    }

    async fn edit(&self, app_id: &str, edit: Value) -> Answer {
        self.admin.send("PATCH", &format!("{ACCOUNTS}/{app_id}"), Some(&edit)).await
    }
}

fn shared() -> Value {
    json!({"app_id": SHARED, "name": "Plaza", "secret": SHARED_SECRET})
}

fn private() -> Value {
    json!({"app_id": PRIVATE, "name": "Own", "merchant": "bos-1", "secret": PRIVATE_SECRET})
}

fn message(more: Value) -> Value {
    let mut body = json!({"member_id": "m1", "template": "paid", "data": {"thing1": "Latte"}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn app_ids(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|one| text(&one["app_id"])).collect()
}

/// The accounts by which messages went out.
fn senders(wechat: &Wechat) -> Vec<String> {
    wechat.taken().into_iter().map(|taken| taken.app_id).collect()
}

on_both! {
    async fn s1_the_platform_keeps_shared_accounts_and_a_merchant_its_private_ones(host) {
        let street = Street::set(host).await;
        let boss = street.member_of_merchant("admin").await;
        let (_, stranger) = street.host.somebody("stranger").await;
        assert_eq!(app_ids(&boss.get(ACCOUNTS).await.good()), [PRIVATE, SHARED]);
        assert_eq!(app_ids(&boss.get(&format!("{ACCOUNTS}?merchant=bos-1")).await.good()), [PRIVATE, SHARED]);
        assert_eq!(app_ids(&stranger.get(ACCOUNTS).await.good()), [SHARED], "everybody may know the shared ones");
        assert_eq!(app_ids(&street.admin.get(&format!("{ACCOUNTS}?merchant=bos-2")).await.good()), [SHARED]);
        stranger.get(&format!("{ACCOUNTS}/{PRIVATE}")).await.refused("not-found");
        let own = boss.get(&format!("{ACCOUNTS}/{PRIVATE}")).await.good();
        assert_eq!((&own["merchant"], &own["through"], &own["state"]), (&json!("bos-1"), &json!("secret"), &json!("active")));
        assert!(own.get("secret").is_none() && boss.get(&format!("{ACCOUNTS}/{SHARED}")).await.good()["merchant"].is_null());
        let edit = json!({"name": "New"});
        assert_eq!(boss.send("PATCH", &format!("{ACCOUNTS}/{PRIVATE}"), Some(&edit)).await.good()["name"], "New");
        boss.send("PATCH", &format!("{ACCOUNTS}/{SHARED}"), Some(&edit)).await.refused("missing-grant");
        boss.post(ACCOUNTS, json!({"app_id": "wxaaaaaaaaaaaaaaaa", "name": "A", "secret": "x"})).await.refused("missing-grant");
        street.admin.post(ACCOUNTS, private()).await.refused("official-account-exists");
        assert_eq!(street.told("official_account.added").await.len(), 2);
        assert_eq!(street.told("official_account.edited").await.len(), 1);
    }

    async fn s1_only_who_has_the_secret_adds_an_account(host) {
        let street = Street::set(host).await;
        street.wechat.official("wxaaaaaaaaaaaaaaaa", "right");
        let new = |secret: &str| json!({"app_id": "wxaaaaaaaaaaaaaaaa", "name": "A", "merchant": "bos-2", "secret": secret});
        let refused = street.admin.post(ACCOUNTS, new("wrong")).await.refused("wechat-refused");
        assert_eq!((&refused["errcode"], &refused["pointer"]), (&json!(40125), &json!("/secret")));
        street.wechat.fault("stable_token", Fault::Silence);
        street.admin.post(ACCOUNTS, new("right")).await.refused("wechat-unreachable");
        let without = json!({"app_id": "wxaaaaaaaaaaaaaaaa", "name": "A", "merchant": "bos-2"});
        let refused = street.admin.post(ACCOUNTS, without).await.refused("invalid-field");
        assert!(text(&refused["next"]).starts_with("berth channel authorise"), "{refused}");
        street.admin.get(&format!("{ACCOUNTS}/wxaaaaaaaaaaaaaaaa")).await.refused("not-found");
        street.admin.post(ACCOUNTS, new("right")).await.good();
        // WeChat's console gave another secret: the account goes on with it, and with no other.
        street.wechat.official("wxaaaaaaaaaaaaaaaa", "newer");
        street.edit("wxaaaaaaaaaaaaaaaa", json!({"secret": "right"})).await.refused("wechat-refused");
        street.edit("wxaaaaaaaaaaaaaaaa", json!({"secret": "newer"})).await.good();
        street.visitor("ann", "wxaaaaaaaaaaaaaaaa", "bos-2").await;
        assert_eq!(street.told("official_account.secret_changed").await.len(), 1);
    }

    async fn s1_an_account_with_fans_is_retired_before_it_is_removed(host) {
        let street = Street::set(host).await;
        street.joins("ann", "m1", PRIVATE).await;
        let refused = street.admin.delete(&format!("{ACCOUNTS}/{PRIVATE}")).await.refused("official-account-in-use");
        assert_eq!((&refused["fans"], &refused["next"]), (&json!(1), &json!(format!("berth official-account edit {PRIVATE} --state retired"))));
        street.edit(PRIVATE, json!({"state": "retired"})).await.good();
        let (stop, at_wechat) = Browser::of("bob").enter(&street.host, &format!("/w/{PRIVATE}/bos-1/shop")).await;
        assert_eq!((stop.status, at_wechat), (410, 0));
        assert_eq!(street.fans("").await.len(), 1, "the bindings stay");
        street.send(json!({})).await.refused("no-fan");
        street.bind("bos-1", "m2", PRIVATE, json!({"open_id": open_id(PRIVATE, "bob")})).await.refused("official-account-retired");
        street.admin.delete(&format!("{ACCOUNTS}/{PRIVATE}")).await.good();
        assert!(street.fans("").await.is_empty());
        street.admin.post(ACCOUNTS, private()).await.good();
    }

    async fn s2_an_entry_link_says_silently_who_comes_by_which_account(host) {
        let street = Street::set(host).await;
        let mut browser = Browser::of("ann");
        let (stop, at_wechat) = browser.enter(&street.host, &format!("/w/{PRIVATE}/bos-1/shop?item=7&state=s&code=forged")).await;
        assert_eq!((stop.status, at_wechat), (302, 1));
        assert!(stop.to.starts_with("https://bos-1.example/shop?item=7&state=s&code=berth_visit_"), "{stop:?}");
        assert_eq!(stop.query("app_id").as_deref(), Some(PRIVATE));
        let code = stop.query("code").unwrap();
        street.exchange("bos-2", &code).await.refused("invalid-visit-code");
        let visitor = street.exchange("bos-1", &code).await.good();
        assert_eq!(visitor, json!({"app_id": PRIVATE, "open_id": open_id(PRIVATE, "ann")}));
        let again = street.exchange("bos-1", &code).await.refused("invalid-visit-code");
        assert!(text(&again["detail"]).contains("entry link"), "{again}");
        let other = street.visitor("ann", SHARED, "bos-1").await;
        assert_eq!(other["app_id"], SHARED, "the same page, by the other account");
        assert_ne!(other["open_id"], visitor["open_id"]);
    }

    async fn s2_a_link_that_leads_nowhere_shows_a_page_for_people(host) {
        let street = Street::set(host).await;
        for path in [
            format!("/w/{PRIVATE}/bos-2/shop"),
            format!("/w/{PRIVATE}/bos-1/nothing"),
            format!("/w/{PRIVATE}/bos-9/shop"),
            "/w/wxaaaaaaaaaaaaaaaa/bos-1/shop".into(),
            "/w/x/y/z".into(),
        ] {
            let (stop, _) = Browser::of("ann").enter(&street.host, &path).await;
            assert_eq!((stop.status, stop.to.as_str()), (404, ""), "{path}");
            assert!(stop.page.contains("<h1>There is no such page</h1>"), "{path}: {}", stop.page);
        }
        for (url, pointer) in [("http://a.example/", "/url"), ("https://a.example/?code=1", "/url"), ("shop", "/url")] {
            let refused = street.admin.put("/v1/merchants/bos-1/entry-pages/shop", json!({"url": url})).await.refused("invalid-field");
            assert_eq!(refused["pointer"], pointer);
        }
        let page = "/v1/merchants/bos-1/entry-pages/shop";
        street.admin.delete(page).await.good();
        street.admin.delete(page).await.refused("not-found");
        assert_eq!(street.admin.get("/v1/merchants/bos-1/entry-pages").await.good()["items"], json!([]));
    }

    async fn s4_who_comes_back_is_who_was_sent_once_and_in_the_same_browser(host) {
        let street = Street::set(host).await;
        let (mut ann, mut eve) = (Browser::of("ann"), Browser::of("eve"));
        let link = format!("{}/w/{PRIVATE}/bos-1/shop", street.host.url);
        let at_wechat = ann.open(&link).await.to;
        let back = ann.open(&at_wechat).await.to.replacen("http://berth.test", &street.host.url, 1);
        // Eve gets hold of the address with the code, or makes Ann open hers.
        let stop = eve.open(&back).await;
        assert_eq!((stop.status, stop.to.as_str()), (404, ""));
        assert!(stop.page.contains("This visit is over"), "{}", stop.page);
        let hers = eve.open(&link).await.to;
        let hers = eve.open(&hers).await.to.replacen("http://berth.test", &street.host.url, 1);
        assert_eq!(ann.open(&hers).await.status, 404);
        let elsewhere = back.replacen("/shop/back", "/other/back", 1);
        assert!(elsewhere.contains("/other/back"));
        let (first, second) = (ann.open(&back).await, ann.open(&back).await);
        assert!(first.to.starts_with("https://bos-1.example/shop?code="), "{first:?}");
        assert_eq!((second.status, street.wechat.calls("oauth2/access_token")), (404, 1), "once");
        assert_eq!(eve.open(&hers).await.status, 302, "hers is still good for her");
        assert_eq!(ann.open(&elsewhere).await.status, 404);
        for query in ["", "?state=", "?state=0000000000", "?code=x&state=%00%01"] {
            assert_eq!(ann.open(&format!("{link}/back{query}")).await.status, 404, "{query}");
        }
    }

    async fn s4_what_wechat_does_not_say_is_shown_and_nobody_comes_in(host) {
        let street = Street::set(host).await;
        let path = format!("/w/{PRIVATE}/bos-1/shop");
        for (fault, status) in [(Fault::Refuse(40029), 409), (Fault::Refuse(40163), 409), (Fault::Refuse(-1), 502), (Fault::Silence, 502)] {
            street.wechat.fault("oauth2/access_token", fault);
            let (stop, _) = Browser::of("ann").enter(&street.host, &path).await;
            assert_eq!((stop.status, stop.to.as_str()), (status, ""), "{fault:?}");
            assert!(stop.page.contains("Open the link again"), "{}", stop.page);
        }
        let (stop, _) = Browser::of("snapshot").enter(&street.host, &path).await;
        assert_eq!(stop.status, 403);
        assert!(stop.page.contains("preview"), "{}", stop.page);
        assert!(street.fans("").await.is_empty());
        street.visit("ann", PRIVATE, "bos-1").await;
    }

    async fn s4_an_entry_and_a_code_are_good_for_five_minutes_and_a_visitor_is_known_for_thirty_days(host) {
        let (clock, nature) = clock();
        let street = Street::set_in(host, nature).await;
        let mut ann = Browser::of("ann");
        let at_wechat = ann.open(&format!("{}/w/{PRIVATE}/bos-1/shop", street.host.url)).await.to;
        let back = ann.open(&at_wechat).await.to.replacen("http://berth.test", &street.host.url, 1);
        let (late, in_time) = (street.visit("bob", SHARED, "bos-1").await, street.visit("bob", SHARED, "bos-1").await);
        clock.advance_seconds(299);
        let bob = street.exchange("bos-1", &in_time).await.good();
        clock.advance_seconds(1);
        street.exchange("bos-1", &late).await.refused("invalid-visit-code");
        assert_eq!(ann.open(&back).await.status, 404);
        let forget = async || berth_work::official_account::forget(&street.host.app.official_accounts).await.unwrap();
        let rows = async |sql| street.host.pool().await.number(sql).await;
        forget().await;
        assert_eq!(rows("SELECT (SELECT COUNT(*) FROM entry) + (SELECT COUNT(*) FROM visit_code)").await, 0);
        clock.advance_seconds(29 * 24 * 3600);
        forget().await;
        street.bind("bos-1", "m1", SHARED, json!({"open_id": bob["open_id"]})).await.good();
        street.visit("cat", SHARED, "bos-1").await;
        clock.advance_seconds(31 * 24 * 3600);
        forget().await;
        assert_eq!(rows("SELECT COUNT(*) FROM fan").await, 1, "who is a member stays");
    }

    async fn s3_a_member_is_bound_to_the_open_id_of_each_account(host) {
        let street = Street::set(host).await;
        let code = street.visit("ann", PRIVATE, "bos-1").await;
        street.bind("bos-1", "m1", SHARED, json!({"code": code})).await.refused("invalid-visit-code");
        let fan = street.bind("bos-1", "m1", PRIVATE, json!({"code": code})).await.good();
        assert_eq!((&fan["member_id"], &fan["app_id"], &fan["open_id"]), (&json!("m1"), &json!(PRIVATE), &json!(open_id(PRIVATE, "ann"))));
        street.bind("bos-1", "m1", PRIVATE, json!({"code": code})).await.refused("invalid-visit-code");
        let known = street.visitor("ann", PRIVATE, "bos-1").await;
        assert_eq!(known["member_id"], "m1");
        let at_shared = street.visitor("ann", SHARED, "bos-1").await;
        assert!(at_shared.get("member_id").is_none(), "{at_shared}");
        street.bind("bos-1", "m1", SHARED, json!({"open_id": at_shared["open_id"]})).await.good();
        // A private account may bring its fans with it.
        street.bind("bos-1", "m2", PRIVATE, json!({"open_id": open_id(PRIVATE, "bob")})).await.good();
        assert_eq!(street.visitor("bob", PRIVATE, "bos-1").await["member_id"], "m2");
        assert_eq!(street.fans("").await.len(), 3);
        assert_eq!(street.fans("member_id=m1").await.len(), 2);
        assert_eq!(street.fans(&format!("app_id={PRIVATE}")).await.len(), 2);
        let page = street.admin.get("/v1/merchants/bos-1/fans?limit=2").await.good();
        let rest = street.admin.get(&format!("/v1/merchants/bos-1/fans?cursor={}", text(&page["next"]))).await.good();
        assert_eq!(rest["items"].as_array().unwrap().len(), 1);
        street.admin.delete(&format!("/v1/merchants/bos-1/fans/m1/{SHARED}")).await.good();
        street.admin.get(&format!("/v1/merchants/bos-1/fans/m1/{SHARED}")).await.refused("not-found");
        assert!(street.visitor("ann", SHARED, "bos-1").await.get("member_id").is_none());
        street.admin.get(&format!("/v1/merchants/bos-1/fans/m1/{PRIVATE}")).await.good();
        assert_eq!(street.told("fan.bound").await.len(), 3);
        let told = &street.told("fan.unbound").await[0];
        assert_eq!((&told["member_id"], &told["app_id"], told.get("open_id")), (&json!("m1"), &json!(SHARED), None));
        for (who, pointer) in [(json!({}), "/code"), (json!({"code": "c", "open_id": open_id(PRIVATE, "ann")}), "/open_id")] {
            assert_eq!(street.bind("bos-1", "m1", PRIVATE, who).await.refused("invalid-field")["pointer"], pointer);
        }
    }

    async fn s3_nobody_is_taken_over_by_another_member(host) {
        let street = Street::set(host).await;
        street.joins("ann", "m1", PRIVATE).await;
        let code = street.visit("ann", PRIVATE, "bos-1").await;
        let refused = street.bind("bos-1", "m2", PRIVATE, json!({"code": code})).await.refused("fan-taken");
        assert_eq!(refused["member_id"], "m1");
        street.bind("bos-1", "m2", PRIVATE, json!({"open_id": open_id(PRIVATE, "ann")})).await.refused("fan-taken");
        assert_eq!(street.visitor("ann", PRIVATE, "bos-1").await["member_id"], "m1");
        // The member has another WeChat account now.
        street.joins("ann-again", "m1", PRIVATE).await;
        assert_eq!(street.fans("member_id=m1").await.len(), 1);
        assert!(street.visitor("ann", PRIVATE, "bos-1").await.get("member_id").is_none());
        // Of many who want the same OpenID, one member gets it.
        let free = open_id(PRIVATE, "free");
        let at_once = (10..18).map(|number| {
            let (street, free) = (&street, &free);
            async move { street.bind("bos-1", &format!("m{number}"), PRIVATE, json!({"open_id": free})).await }
        });
        let answers = join_all(at_once).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        assert!(answers.iter().all(|answer| answer.status == 200 || answer.kind() == "fan-taken"));
    }

    async fn f102_s5_at_a_shared_account_merchants_cannot_tell_each_other_who_somebody_is(host) {
        let street = Street::set(host).await;
        let (one, two) = (street.visitor("ann", SHARED, "bos-1").await, street.visitor("ann", SHARED, "bos-2").await);
        assert_ne!(one["open_id"], two["open_id"]);
        assert_eq!(one, street.visitor("ann", SHARED, "bos-1").await, "the same to the same merchant");
        let wechats = open_id(SHARED, "ann");
        assert!(one["open_id"] != wechats && two["open_id"] != wechats);
        for foreign in [text(&two["open_id"]), wechats, open_id(SHARED, "nobody")] {
            let refused = street.bind("bos-1", "m1", SHARED, json!({"open_id": foreign})).await.refused("not-found");
            assert!(text(&refused["detail"]).contains("Nobody with this OpenID has visited"), "{refused}");
        }
        street.bind("bos-1", "m1", SHARED, json!({"open_id": one["open_id"]})).await.good();
        street.bind("bos-2", "m9", SHARED, json!({"open_id": two["open_id"]})).await.good();
        street.bind("bos-2", "m9", PRIVATE, json!({"open_id": open_id(PRIVATE, "ann")})).await.refused("not-found");
        street.send(json!({})).await.good();
        assert_eq!(street.wechat.taken()[0].body["touser"], open_id(SHARED, "ann"), "WeChat is told its own");
    }

    async fn s6_a_message_goes_out_by_the_account_of_the_binding_with_that_accounts_template(host) {
        let street = Street::set(host).await;
        street.send(json!({})).await.refused("no-fan");
        street.joins("ann", "m1", SHARED).await;
        let sent = street.send(json!({"url": "https://bos-1.example/orders/1"})).await.good();
        assert_eq!((&sent["state"], &sent["app_id"], &sent["tried"]), (&json!("sent"), &json!(SHARED), &json!([])));
        assert_eq!(sent["wechat_id"], "200228332");
        let taken = &street.wechat.taken()[0];
        assert_eq!((&taken.app_id[..], &taken.body["template_id"]), (SHARED, &json!(template_of(SHARED))));
        assert_eq!(taken.body["data"], json!({"thing1": {"value": "Latte"}}));
        assert_eq!(taken.body["url"], "https://bos-1.example/orders/1");
        // A link that the member opens has to come back by the same account.
        street.send(json!({"page": "shop"})).await.good();
        assert_eq!(street.wechat.taken()[1].body["url"], format!("http://berth.test/w/{SHARED}/bos-1/shop"));
        assert_eq!(street.send(json!({"page": "nothing"})).await.refused("invalid-field")["pointer"], "/page");
        street.send(json!({"template": "nothing"})).await.refused("no-fan");
        assert_eq!(street.wechat.calls("stable_token"), 3, "two secrets were proved, and one token was asked for");
        let listed = street.admin.get("/v1/merchants/bos-1/template-messages?member_id=m1&state=sent").await.good();
        assert_eq!((listed["items"].as_array().unwrap().len(), &listed["items"][1]), (2, &sent), "newest first");
        let one = format!("/v1/merchants/bos-1/template-messages/{}", text(&sent["id"]));
        assert_eq!(street.admin.get(&one).await.good(), sent);
        street.admin.get(&one.replace("bos-1", "bos-2")).await.refused("not-found");
        assert_eq!(street.told("template_message.sent").await.len(), 2);
        // WeChat ended the token early: another one, and the message once.
        street.wechat.forget_stable_tokens();
        assert_eq!(street.send(json!({})).await.good()["state"], "sent");
        assert_eq!((street.wechat.calls("stable_token"), street.wechat.taken().len()), (4, 3));
    }

    async fn s7_a_member_with_both_accounts_is_reached_by_the_preferred_one(host) {
        let street = Street::set(host).await;
        street.joins("ann", "m1", PRIVATE).await;
        street.joins("ann", "m1", SHARED).await;
        street.send(json!({})).await.good();
        street.admin.post("/v1/merchants/bos-1/official-accounts/move", json!({"from": PRIVATE, "to": SHARED})).await.good();
        street.send(json!({})).await.good();
        let prefer = async |app_id: &str, preferred: bool| {
            let path = format!("/v1/merchants/bos-1/fans/m1/{app_id}");
            street.admin.send("PATCH", &path, Some(&json!({"preferred": preferred}))).await.good()
        };
        assert_eq!(prefer(PRIVATE, true).await["preferred"], true);
        street.send(json!({})).await.good();
        prefer(SHARED, true).await;
        let preferred: Vec<_> = street.fans("member_id=m1").await.iter().map(|fan| fan["preferred"] == true).collect();
        assert_eq!(preferred.iter().filter(|preferred| **preferred).count(), 1, "one at the most");
        street.admin.post("/v1/merchants/bos-1/official-accounts/move", json!({"from": SHARED, "to": PRIVATE})).await.good();
        street.send(json!({})).await.good();
        prefer(SHARED, false).await;
        street.send(json!({})).await.good();
        assert_eq!(senders(&street.wechat), [PRIVATE, SHARED, PRIVATE, SHARED, PRIVATE]);
    }

    async fn s8_who_does_not_follow_one_account_is_reached_by_the_other_and_the_end_is_told_as_it_is(host) {
        let street = Street::set(host).await;
        street.joins("ann", "m1", PRIVATE).await;
        street.joins("ann", "m1", SHARED).await;
        street.wechat.follows(PRIVATE, "ann", false);
        let sent = street.send(json!({})).await.good();
        assert_eq!((&sent["state"], &sent["app_id"]), (&json!("sent"), &json!(SHARED)));
        assert_eq!((&sent["tried"][0]["app_id"], &sent["tried"][0]["errcode"]), (&json!(PRIVATE), &json!(43004)));
        street.wechat.follows(SHARED, "ann", false);
        let refused = street.send(json!({})).await.good();
        assert_eq!((&refused["state"], refused["tried"].as_array().unwrap().len()), (&json!("refused"), 2));
        assert!(refused.get("app_id").is_none(), "{refused}");
        street.wechat.follows(PRIVATE, "ann", true);
        // What is wrong with the message is wrong by every account.
        street.wechat.fault("template/send", Fault::Refuse(47003));
        let refused = street.send(json!({})).await.good();
        assert_eq!((&refused["state"], &refused["tried"][0]["errcode"]), (&json!("refused"), &json!(47003)));
        assert_eq!(refused["tried"].as_array().unwrap().len(), 1);
        let before = street.wechat.taken().len();
        street.wechat.fault("template/send", Fault::LostAnswer);
        let unknown = street.send(json!({})).await.good();
        assert_eq!((&unknown["state"], &unknown["app_id"]), (&json!("unknown"), &json!(PRIVATE)));
        assert_eq!(street.wechat.taken().len(), before + 1, "WeChat had taken it, and it was not sent again");
        // Without a token nothing was sent, which is known.
        street.wechat.forget_stable_tokens();
        street.wechat.fault("stable_token", Fault::Silence);
        let refused = street.send(json!({})).await.good();
        assert_eq!((&refused["state"], &refused["tried"][0].get("errcode")), (&json!("refused"), &None));
        for (kind, count) in [("sent", 1), ("refused", 3), ("unknown", 1)] {
            assert_eq!(street.told(&format!("template_message.{kind}")).await.len(), count, "{kind}");
        }
    }

    async fn s8_a_message_with_a_key_is_sent_once_whatever_becomes_of_the_answer(host) {
        let street = Street::set(host).await;
        street.joins("ann", "m1", PRIVATE).await;
        let answers = join_all((0..12).map(|_| street.send_with("k1", json!({})))).await;
        assert!(answers.iter().all(|answer| answer.status == 201 || answer.kind() == "idempotency-in-progress"));
        let sent = street.send_with("k1", json!({})).await.good();
        assert_eq!((&sent["state"], street.wechat.taken().len()), (&json!("sent"), 1));
        street.send_with("k1", json!({"data": {}})).await.refused("idempotency-mismatch");
        street.wechat.fault("template/send", Fault::LostAnswer);
        let unknown = street.send_with("k2", json!({})).await.good();
        assert_eq!(unknown["state"], "unknown");
        assert_eq!(street.send_with("k2", json!({})).await.good(), unknown);
        assert_eq!((street.wechat.taken().len(), street.wechat.calls("template/send")), (2, 2));
    }

    async fn s9_members_come_along_silently_and_nobody_is_lost(host) {
        let street = Street::set(host).await;
        for (person, member) in [("ann", "m1"), ("bob", "m2"), ("cat", "m3")] {
            street.joins(person, member, SHARED).await;
        }
        let path = "/v1/merchants/bos-1/official-accounts/move";
        street.admin.get(path).await.refused("not-found");
        let to = json!({"from": SHARED, "to": PRIVATE});
        let moved = street.admin.post(path, to.clone()).await.good();
        assert_eq!(street.admin.post(path, to).await.good(), moved, "once");
        let report = async |query: &str| street.admin.get(&format!("{path}{query}")).await.good();
        let first = report("").await;
        assert_eq!((&first["members"], &first["came_along"]), (&json!(3), &json!(0)));
        // Ann has the old link, Bob the new one: both are led by WeChat twice, and are who they were.
        for (person, link, member) in [("ann", SHARED, "m1"), ("bob", PRIVATE, "m2")] {
            let mut browser = Browser::of(person);
            let (stop, at_wechat) = browser.enter(&street.host, &format!("/w/{link}/bos-1/shop?item=7")).await;
            assert_eq!((at_wechat, stop.query("app_id").as_deref(), stop.query("item").as_deref()), (2, Some(PRIVATE), Some("7")));
            let visitor = street.exchange("bos-1", &stop.query("code").unwrap()).await.good();
            assert_eq!(visitor, json!({"app_id": PRIVATE, "open_id": open_id(PRIVATE, person), "member_id": member}));
            let (_, at_wechat) = browser.enter(&street.host, &format!("/w/{link}/bos-1/shop")).await;
            assert_eq!(at_wechat, 1, "known by now");
        }
        let visitor = street.visitor("nobody", PRIVATE, "bos-1").await;
        assert!(visitor.get("member_id").is_none(), "{visitor}");
        let second = report("").await;
        assert_eq!((&second["members"], &second["came_along"]), (&json!(3), &json!(2)));
        let waits = report("?came_along=false").await;
        assert_eq!(waits["items"], json!([{"member_id": "m3"}]));
        let page = report("?came_along=true&limit=1").await;
        assert_eq!((&page["items"][0]["member_id"], &page["next"]), (&json!("m1"), &json!("m1")));
        assert!(page["items"][0]["came_along_at"].is_string(), "{page}");
        assert_eq!(street.fans("").await.len(), 5, "the old bindings stay");
        let told = street.told("fan.bound").await;
        assert_eq!(told.iter().filter(|told| told["moved"] == true).count(), 2);
        // Cat has not come along, and is reached all the same.
        assert_eq!(street.send(json!({"member_id": "m3"})).await.good()["app_id"], SHARED);
        assert_eq!(street.send(json!({"member_id": "m1"})).await.good()["app_id"], PRIVATE);
        // When WeChat says nothing of the old account, the visitor comes in all the same.
        street.wechat.fault("oauth2/access_token", Fault::Refuse(40029));
        let mut cat = Browser::of("cat");
        let at_wechat = cat.open(&format!("{}/w/{PRIVATE}/bos-1/shop", street.host.url)).await.to;
        let back = cat.open(&at_wechat).await.to.replacen("http://berth.test", &street.host.url, 1);
        assert_eq!(cat.open(&back).await.status, 409);
        for (from, to) in [(SHARED, SHARED), (PRIVATE, "wxaaaaaaaaaaaaaaaa")] {
            let refused = street.admin.post(path, json!({"from": from, "to": to})).await;
            assert!(["invalid-field", "not-found"].contains(&refused.kind().as_str()), "{}", refused.kind());
        }
        street.admin.post("/v1/merchants/bos-2/official-accounts/move", json!({"from": SHARED, "to": PRIVATE})).await.refused("not-found");
    }

    async fn s1_s2_an_account_of_the_third_party_platform_needs_no_secret(host) {
        let stage = Stage::set(host).await;
        let app_id = "wxqqqqqqqqqqqqqqqq";
        stage.wechat.account(app_id, false, &[2, 4, 7]);
        stage.wechat.official(app_id, "a secret that nobody tells");
        let new = json!({"app_id": app_id, "name": "Ours", "merchant": "bos-1"});
        stage.admin.post(ACCOUNTS, new.clone()).await.refused("invalid-field");
        let run = stage.begin(json!({"kind": "wechat_official_account", "endpoint_app": {"id": stage.cid}})).await;
        let visit = stage.wechat.agree(&stage.host, &text(&run["url"]), app_id).await;
        stage.wechat.come_back(&stage.host, &visit).await;
        stage.reaches(&text(&run["id"]), "bound").await;
        stage.admin.post("/v1/merchants", json!({"name": "Other", "id": "bos-2"})).await.good();
        let others = json!({"app_id": app_id, "name": "Theirs", "merchant": "bos-2"});
        stage.admin.post(ACCOUNTS, others).await.refused("invalid-field");
        assert_eq!(stage.admin.post(ACCOUNTS, new).await.good()["through"], "platform");
        stage.admin.put("/v1/merchants/bos-1/entry-pages/shop", json!({"url": "https://bos-1.example/"})).await.good();
        let mut browser = Browser::of("ann");
        let link = format!("/w/{app_id}/bos-1/shop");
        let at_wechat = browser.open(&format!("{}{link}", stage.host.url)).await.to;
        assert!(at_wechat.contains(&format!("component_appid={PLATFORM}#wechat_redirect")), "{at_wechat}");
        let (stop, _) = browser.enter(&stage.host, &link).await;
        let code = stop.query("code").unwrap();
        let fan = format!("/v1/merchants/bos-1/fans/m1/{app_id}");
        assert_eq!(stage.admin.put(&fan, json!({"code": code})).await.good()["open_id"], open_id(app_id, "ann"));
        let template = json!({"template_id": template_of(app_id)});
        stage.admin.put(&format!("{ACCOUNTS}/{app_id}/templates/paid"), template).await.good();
        let sent = stage.admin.post("/v1/merchants/bos-1/template-messages", message(json!({}))).await.good();
        assert_eq!((&sent["state"], &sent["app_id"]), (&json!("sent"), &json!(app_id)), "{sent}");
        assert_eq!(stage.wechat.calls("stable_token"), 0);
    }

    async fn s1_s5_an_account_acts_by_no_grant_that_was_given_for_another_merchant(host) {
        let stage = Stage::set(host).await;
        let (app_id, kind) = ("wxqqqqqqqqqqqqqqqq", "wechat_official_account");
        stage.wechat.account(app_id, false, &[2, 4, 7]);
        stage.wechat.official(app_id, "a secret that nobody tells");
        let run = stage.begin(json!({"kind": kind, "endpoint_app": {"id": stage.cid}})).await;
        let visit = stage.wechat.agree(&stage.host, &text(&run["url"]), app_id).await;
        stage.wechat.come_back(&stage.host, &visit).await;
        let channel = text(&stage.reaches(&text(&run["id"]), "bound").await["channel"]);
        stage.admin.post(ACCOUNTS, json!({"app_id": app_id, "name": "Ours", "merchant": "bos-1"})).await.good();
        stage.admin.put("/v1/merchants/bos-1/entry-pages/shop", json!({"url": "https://bos-1.example/"})).await.good();
        let template = json!({"template_id": template_of(app_id)});
        stage.admin.put(&format!("{ACCOUNTS}/{app_id}/templates/paid"), template).await.good();
        let link = format!("/w/{app_id}/bos-1/shop");
        let (stop, _) = Browser::of("ann").enter(&stage.host, &link).await;
        let code = stop.query("code").unwrap();
        stage.admin.put(&format!("/v1/merchants/bos-1/fans/m1/{app_id}"), json!({"code": code})).await.good();
        // The merchant gives it up, and its owner has it authorised for another one.
        stage.admin.delete(&format!("/v1/channels/{channel}/endpoint-app")).await.good();
        stage.admin.delete(&format!("/v1/channels/{channel}")).await.good();
        stage.admin.post("/v1/merchants", json!({"name": "Other", "id": "bos-2"})).await.good();
        let buy = json!({"id": "m-3", "merchant": "bos-2", "instance": "pi-3", "product": "mall", "kind": "purchase", "at": "2026-01-01T00:00:00Z"});
        stage.admin.post("/v1/fulfilments", buy).await.good();
        let theirs = json!({"new": {"name": "Theirs", "products": ["pi-3"]}});
        let run = stage.begin(json!({"merchant": "bos-2", "kind": kind, "endpoint_app": theirs})).await;
        let visit = stage.wechat.agree(&stage.host, &text(&run["url"]), app_id).await;
        stage.wechat.come_back(&stage.host, &visit).await;
        stage.reaches(&text(&run["id"]), "bound").await;
        let refused = stage.admin.post("/v1/merchants/bos-1/template-messages", message(json!({}))).await.good();
        assert_eq!(refused["state"], "refused", "{refused}");
        assert!(stage.wechat.taken().is_empty(), "nobody hears of the first merchant by it");
        let (stop, _) = Browser::of("bob").enter(&stage.host, &link).await;
        assert_eq!(stop.status, 410, "{stop:?}");
    }

    async fn i8_f85_no_secret_token_code_or_open_id_is_found_in_events_answers_kept_or_the_database(host) {
        let street = Street::set(host).await;
        street.joins("ann", "m1", SHARED).await;
        street.joins("ann", "m1", PRIVATE).await;
        let code = street.visit("bob", SHARED, "bos-1").await;
        let mut browser = Browser::of("cat");
        let to = browser.open(&format!("{}/w/{SHARED}/bos-1/shop", street.host.url)).await.to;
        let state = to.split("&state=").nth(1).unwrap().split(['&', '#']).next().unwrap().to_owned();
        street.send_with("k", json!({})).await.good();
        let request = street.admin.request("POST", "/v1/merchants/bos-1/visitors").header("Idempotency-Key", "v");
        let exchanged = street.visit("dan", SHARED, "bos-1").await;
        let dan = Answer::of(request.json(&json!({"code": exchanged})), "exchange".into()).await.good();
        let mut shown = street.admin.get("/v1/events?limit=1000").await.good().to_string();
        shown += &street.admin.get(ACCOUNTS).await.good().to_string();
        shown += &street.admin.get("/v1/merchants/bos-1/template-messages").await.good().to_string();
        let pool = street.host.pool().await;
        let mut stored = String::new();
        for sql in [
            "SELECT COALESCE(secret_sealed, '') || COALESCE(access_sealed, '') FROM official_account",
            "SELECT open_id_sha256 || open_id_sealed || COALESCE(member_id, '') FROM fan",
            "SELECT state_sha256 || browser_sha256 || query FROM entry",
            "SELECT code_sha256 || fan_id FROM visit_code",
            "SELECT CAST(tried AS TEXT) || fingerprint || COALESCE(wechat_id, '') FROM template_message",
            "SELECT CAST(data AS TEXT) FROM event",
            "SELECT COALESCE(CAST(response AS TEXT), '') FROM idempotency",
        ] {
            stored.extend(pool.texts(sql).await);
        }
        pool.close().await;
        for file in ["berth.db", "berth.db-wal"] {
            let bytes = std::fs::read(street.host.folder().join(file)).unwrap_or_default();
            stored += &String::from_utf8_lossy(&bytes);
        }
        assert!(stored.contains("v1."), "sealed secrets are there");
        let own = [code, exchanged, state, text(&dan["open_id"])];
        for secret in street.wechat.secrets().into_iter().chain(street.wechat.open_ids()).chain(own) {
            assert!(!shown.contains(&secret), "{secret} is shown");
            assert!(!stored.contains(&secret), "{secret} is stored in plain text");
        }
    }
}
