//! Subscription messages (M1–M9).

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use berth_base::clock::{ManualClock, Millis, Nature, SystemRandom};
use berth_tests::{
    Answer, Api, Database, Host, Pool, invariants, on_both,
    process::Installation,
    receiver::Receiver,
    scene::{Scene, Servers, text},
};
use serde_json::{Value, json};

const TEMPLATES: &str = "/v1/mini-apps/coffee/message-templates";
const SUBSCRIPTIONS: &str = "/v1/host-apps/super-app/subscriptions";

/// The scene, the server of the host app, the server of `coffee`, and alice's OpenID there.
struct Desk {
    scene: Scene,
    /// The server of the host app.
    app: Api,
    /// The server of the MiniApp.
    server: Api,
    alice: String,
}

impl Desk {
    async fn set(host: Host) -> Self {
        let scene = Scene::set(host).await;
        let Servers { app, server, secret } = scene.servers().await;
        let alice = open_id(&scene, &app, &secret, "alice").await;
        Self { scene, app, server, alice }
    }

    /// Adds a template with these keywords, and returns its id.
    async fn template(&self, public: &str, keywords: &[u8]) -> String {
        let new = json!({"template": public, "keywords": keywords});
        text(&self.scene.admin.post(TEMPLATES, new).await.good()["id"])
    }

    /// Alice answers for a template; returns what she allows now.
    async fn answer(&self, template: &str, accept: bool) -> i64 {
        let answers = json!([{"template": template, "accept": accept}]);
        let said = json!({"mini_app": "coffee", "account": "alice", "utc_offset": 480, "answers": answers});
        self.app.post(SUBSCRIPTIONS, said).await.good()["items"][0]["allowed"].as_i64().unwrap()
    }

    /// Sends alice "Latte" by a template of `order-paid` with the keyword 2.
    async fn send(&self, template: &str) -> Answer {
        self.server.post("/v1/messages", self.message(template)).await
    }

    fn message(&self, template: &str) -> Value {
        json!({"open_id": self.alice, "template": template, "data": {"thing2": "Latte"}})
    }

    async fn send_with(&self, key: &str, body: &Value) -> Answer {
        let request = self.server.request("POST", "/v1/messages").header("Idempotency-Key", key);
        Answer::of(request.json(body), format!("send {key}")).await
    }

    async fn count(&self) -> usize {
        self.scene.admin.get("/v1/mini-apps/coffee/messages").await.good()["items"].as_array().unwrap().len()
    }
}

async fn open_id(scene: &Scene, app: &Api, secret: &str, account: &str) -> String {
    let ask = json!({"mini_app": "coffee", "account": account});
    let code = text(&app.post("/v1/host-apps/super-app/login-codes", ask).await.good()["code"]);
    let exchange = json!({"mini_app": "coffee", "secret": secret, "code": code});
    text(&scene.host.anonymous().post("/v1/session", exchange).await.good()["open_id"])
}

fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect()
}

on_both! {
    async fn m1_the_library_is_searched_in_both_languages_by_kind_and_by_category(host) {
        let (_, anybody) = host.somebody("anybody").await;
        let all = anybody.get("/v1/message-library").await.good();
        assert!(ids(&all).len() >= 30, "{}", ids(&all).len());
        let found = async |query: &str| ids(&anybody.get(&format!("/v1/message-library?{query}")).await.good());
        assert_eq!(found("search=order%20shipped").await, ["order-shipped"]);
        assert_eq!(found("search=%E5%8F%91%E8%B4%A7").await, ["order-shipped"]); // 发货
        assert_eq!(found("kind=long_term&category=government").await.len(), 2);
        anybody.get("/v1/message-library?kind=weekly").await.refused("bad-request");
        host.anonymous().get("/v1/message-library").await.refused("missing-token");
        let one = &anybody.get("/v1/message-library?search=order-shipped").await.good()["items"][0];
        assert_eq!(one["title"], json!({"en": "Order shipped", "zh": "订单发货通知"}));
        assert_eq!((&one["keywords"][1]["field"], &one["keywords"][1]["type"]), (&json!("thing2"), &json!("thing")));
    }

    async fn m2_a_mini_app_has_a_public_template_once_with_the_same_keywords(host) {
        let desk = Desk::set(host).await;
        let admin = &desk.scene.admin;
        let add = async |keywords: Value| admin.post(TEMPLATES, json!({"template": "order-paid", "keywords": keywords})).await;
        let added = add(json!([2, 1])).await.good();
        assert_eq!(added["preview"]["en"], "Order paid\nGoods: Latte, large\nOrder number: SO20260131001");
        assert!(text(&added["preview"]["zh"]).starts_with("订单支付成功通知\n商品名称: "), "{added}");
        add(json!([2, 1])).await.refused("message-template-exists");
        add(json!([1, 2])).await.good();
        for wrong in [json!([]), json!([1, 2, 3, 4, 5, 1]), json!([1, 1]), json!([9])] {
            assert_eq!(add(wrong).await.refused("invalid-field")["pointer"], "/keywords");
        }
        let unknown = json!({"template": "nothing", "keywords": [1]});
        assert_eq!(admin.post(TEMPLATES, unknown).await.refused("not-found")["next"], "berth message library");
        let listed = admin.get(TEMPLATES).await.good();
        assert_eq!((ids(&listed).len(), &listed["items"][1]), (2, &added));
        admin.delete(&format!("{TEMPLATES}/{}", text(&added["id"]))).await.good();
        admin.delete(&format!("{TEMPLATES}/{}", text(&added["id"]))).await.refused("not-found");
        add(json!([2, 1])).await.good();
        let triples = (1..=6).flat_map(|a| (1..=6).flat_map(move |b| (1..=6).map(move |c| [a, b, c])));
        for [a, b, c] in triples.filter(|[a, b, c]| a != b && b != c && a != c).take(48) {
            admin.post(TEMPLATES, json!({"template": "order-shipped", "keywords": [a, b, c]})).await.good();
        }
        let more = admin.post(TEMPLATES, json!({"template": "order-shipped", "keywords": [1]})).await;
        assert_eq!(more.refused("message-template-limit")["limit"], 50);
    }

    async fn m3_a_one_time_consent_allows_one_message(host) {
        let desk = Desk::set(host).await;
        let template = desk.template("order-paid", &[2]).await;
        desk.send(&template).await.refused("message-no-consent");
        assert_eq!(desk.answer(&template, false).await, 0);
        assert_eq!([desk.answer(&template, true).await, desk.answer(&template, true).await], [1, 2]);
        assert_eq!(desk.answer(&template, false).await, 2, "what was allowed before stays allowed");
        desk.send(&template).await.good();
        desk.send(&template).await.good();
        desk.send(&template).await.refused("message-no-consent");
        assert_eq!(desk.count().await, 2);
    }

    async fn m3_of_64_sends_at_once_on_5_consents_5_win(host) {
        let desk = Arc::new(Desk::set(host).await);
        let template = desk.template("order-paid", &[2]).await;
        for _ in 0..5 {
            desk.answer(&template, true).await;
        }
        let sends: Vec<_> = (0..64).map(|_| {
            let (desk, template) = (desk.clone(), template.clone());
            tokio::spawn(async move { desk.send(&template).await })
        }).collect();
        let mut sent = 0;
        for one in sends {
            let answer = one.await.unwrap();
            match answer.status {
                201 => sent += 1,
                _ => drop(answer.refused("message-no-consent")),
            }
        }
        assert_eq!((sent, desk.count().await), (5, 5));
        let events = desk.scene.admin.get("/v1/events?host_app=super-app&limit=1000").await.good();
        let told = events["items"].as_array().unwrap().iter().filter(|one| one["type"] == "message.sent").count();
        assert_eq!(told, 5);
    }

    async fn m3_of_a_long_term_template_a_user_gets_5_messages_a_day_by_their_own_clock(host) {
        // 22:00 in China, two hours before midnight there.
        let clock = ManualClock::new("2030-01-31T14:00:00Z".parse::<Millis>().unwrap());
        let nature = Nature { clock: Arc::new(clock.clone()), random: Arc::new(SystemRandom) };
        let desk = Desk::set(host.again_in(nature, |_| ()).await).await;
        let template = desk.template("train-reminder", &[3]).await;
        let body = json!({"open_id": desk.alice, "template": template, "data": {"thing3": "Shanghai"}});
        let send = async || desk.server.post("/v1/messages", body.clone()).await;
        send().await.refused("message-no-consent");
        assert_eq!([desk.answer(&template, true).await, desk.answer(&template, true).await], [1, 1]);
        for _ in 0..5 {
            send().await.good();
        }
        assert_eq!(send().await.refused("message-quota")["limit"], 5);
        // To withdraw it and to agree again makes no new day.
        assert_eq!(desk.answer(&template, false).await, 0);
        send().await.refused("message-no-consent");
        assert_eq!(desk.answer(&template, true).await, 1);
        send().await.refused("message-quota");
        clock.advance_seconds(7199);
        send().await.refused("message-quota");
        let secret = desk.scene.admin.post("/v1/mini-apps/coffee/secret/reset", json!(null)).await.good();
        let proof = json!({"mini_app": "coffee", "secret": secret["secret"]});
        let token = desk.scene.host.anonymous().post("/v1/server-tokens", proof).await.good();
        let server = desk.scene.host.with_token(&text(&token["token"]));
        clock.advance_seconds(1);
        for _ in 0..5 {
            server.post("/v1/messages", body.clone()).await.good();
        }
        server.post("/v1/messages", body.clone()).await.refused("message-quota");
    }

    async fn m4_a_request_for_consent_names_3_templates_of_one_kind_and_titles_once(host) {
        let desk = Desk::set(host).await;
        let (paid, again) = (desk.template("order-paid", &[2]).await, desk.template("order-paid", &[1]).await);
        let (shipped, flight) = (desk.template("order-shipped", &[1]).await, desk.template("flight-changed", &[1]).await);
        let ask = async |templates: Value| {
            let body = json!({"mini_app": "coffee", "account": "alice", "templates": templates});
            desk.app.post("/v1/host-apps/super-app/subscription-requests", body).await
        };
        let request = ask(json!([paid, again, shipped])).await.good();
        let shown: Vec<_> = request["items"].as_array().unwrap().iter().map(|one| text(&one["template"])).collect();
        assert_eq!(shown, [paid.clone(), shipped.clone()]);
        assert_eq!(request["dropped"], json!([{"template": again, "same_title_as": paid}]));
        assert_eq!(request["items"][0]["preview"]["en"], "Order paid\nGoods: Latte, large");
        ask(json!([paid, flight])).await.refused("message-kinds-mixed");
        assert_eq!(ask(json!([])).await.refused("invalid-field")["pointer"], "/templates");
        ask(json!([paid, again, shipped, flight])).await.refused("invalid-field");
        ask(json!(["tmpl_00000000000000000000000000"])).await.refused("not-found");
        // The same holds for answers.
        let said = async |answers: Value| {
            let body = json!({"mini_app": "coffee", "account": "alice", "utc_offset": 0, "answers": answers});
            desk.app.post(SUBSCRIPTIONS, body).await
        };
        let yes = |template: &str| json!({"template": template, "accept": true});
        said(json!([yes(&paid), yes(&flight)])).await.refused("message-kinds-mixed");
        let recorded = said(json!([yes(&paid), yes(&again)])).await.good();
        assert_eq!((recorded["items"].as_array().unwrap().len(), &recorded["items"][0]["template"]), (1, &json!(paid)));
        let body = json!({"mini_app": "coffee", "account": "alice", "utc_offset": 900, "answers": [yes(&paid)]});
        assert_eq!(desk.app.post(SUBSCRIPTIONS, body).await.refused("invalid-field")["pointer"], "/utc_offset");
    }

    async fn m5_what_does_not_fit_is_refused_by_the_name_of_its_rule_and_uses_no_consent(host) {
        let desk = Desk::set(host).await;
        desk.scene.online("1.0.0").await;
        let template = desk.template("order-paid", &[2, 3]).await;
        desk.answer(&template, true).await;
        let send = async |data: Value, page: Option<&str>| {
            let body = json!({"open_id": desk.alice, "template": template, "data": data, "page": page});
            desk.server.post("/v1/messages", body).await
        };
        let good = json!({"thing2": "Latte", "amount3": "¥32.00"});
        for (data, pointer) in [
            (json!({"thing2": "Latte"}), "/data/amount3"),
            (json!({"thing2": "Latte", "amount3": "much"}), "/data/amount3"),
            (json!({"thing2": "x".repeat(21), "amount3": "1"}), "/data/thing2"),
            (json!({"thing2": "Latte", "amount3": "1", "thing5": "more"}), "/data/thing5"),
        ] {
            assert_eq!(send(data, None).await.refused("message-field")["pointer"], pointer);
        }
        assert_eq!(send(good.clone(), Some("pages/nowhere")).await.refused("invalid-field")["pointer"], "/page");
        let mut guessed = json!({"open_id": format!("o{}", "0".repeat(27)), "template": template, "data": good});
        desk.server.post("/v1/messages", guessed.clone()).await.refused("message-no-consent");
        guessed["template"] = json!("tmpl_00000000000000000000000000");
        desk.server.post("/v1/messages", guessed).await.refused("not-found");
        desk.scene.admin.post("/v1/mini-apps/coffee/shelf", json!({"on": false})).await.good();
        send(good.clone(), None).await.refused("package-off-shelf");
        desk.scene.admin.post("/v1/mini-apps/coffee/shelf", json!({"on": true})).await.good();
        assert_eq!(desk.count().await, 0);
        send(good, Some("pages/index/index?from=message")).await.good();
    }

    async fn m6_f91_a_message_is_sent_once_for_its_key_however_often_and_at_once_it_is_asked_for(host) {
        let desk = Arc::new(Desk::set(host).await);
        let template = desk.template("order-paid", &[2]).await;
        for _ in 0..9 {
            desk.answer(&template, true).await;
        }
        let body = desk.message(&template);
        let sends: Vec<_> = (0..64).map(|_| {
            let (desk, body) = (desk.clone(), body.clone());
            tokio::spawn(async move { desk.send_with("order-1", &body).await })
        }).collect();
        let mut seen = BTreeSet::new();
        for one in sends {
            let answer = one.await.unwrap();
            match answer.status {
                201 => drop(seen.insert(text(&answer.good()["id"]))),
                _ => drop(answer.refused("idempotency-in-progress")),
            }
        }
        assert_eq!((seen.len(), desk.count().await), (1, 1));
        assert_eq!(text(&desk.send_with("order-1", &body).await.good()["id"]), *seen.first().unwrap());
        let mut other = body.clone();
        other["data"]["thing2"] = json!("Mocha");
        desk.send_with("order-1", &other).await.refused("idempotency-mismatch");
        // The key is kept with the message, and so outlives a host that has forgotten the answer.
        run(&desk.scene.host, "DELETE FROM idempotency").await;
        assert_eq!(text(&desk.send_with("order-1", &body).await.good()["id"]), *seen.first().unwrap());
        desk.send_with("order-1", &other).await.refused("idempotency-mismatch");
        assert_eq!(desk.count().await, 1);
        desk.send_with("order-2", &body).await.good();
        assert_eq!(desk.count().await, 2);
    }

    async fn m7_the_host_app_alone_is_told_what_a_message_says_and_to_whom(host) {
        let desk = Desk::set(host).await;
        let (admin, receiver) = (&desk.scene.admin, Receiver::good().await);
        for (kind, id) in [("host_app", "super-app"), ("team", &*desk.scene.team)] {
            let scope = json!({"kind": kind, "id": id});
            let hook = json!({"url": format!("{}-{kind}", receiver.url), "scope": scope, "types": ["message.*"]});
            admin.post("/v1/webhooks", hook).await.good();
        }
        let template = desk.template("order-paid", &[2]).await;
        desk.answer(&template, true).await;
        let message = desk.send(&template).await.good();
        let id = text(&message["id"]);
        desk.app.post(&format!("/v1/host-apps/super-app/messages/{id}"), json!({"state": "opened"})).await.good();
        receiver.until(|arrived| arrived.len() >= 2).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let arrived = receiver.arrived();
        let got: Vec<_> = arrived.iter().map(|one| (one.path.ends_with("-team"), one.kind())).collect();
        assert_eq!(got.len(), 2, "{got:?}");
        assert!(got.contains(&(false, "message.sent".into())) && got.contains(&(true, "message.opened".into())), "{got:?}");
        let events = admin.get("/v1/events?host_app=super-app&limit=1000").await.good();
        let sent = events["items"].as_array().unwrap().iter().find(|one| one["type"] == "message.sent").unwrap();
        let data = &sent["data"];
        assert_eq!((&data["account"], &data["id"], &sent["actor"]), (&json!("alice"), &json!(id), &json!("coffee")));
        let line = json!({"field": "thing2", "name": {"en": "Goods", "zh": "商品名称"}, "value": "Latte"});
        assert_eq!(data["fields"], json!([line]));
        let theirs = admin.get("/v1/events?mini_app=coffee&limit=1000").await.good().to_string();
        let listed = admin.get("/v1/mini-apps/coffee/messages").await.good().to_string();
        for hidden in ["alice", "\"Latte\"", &desk.alice] {
            assert!(!theirs.contains(hidden) && !listed.contains(hidden), "{hidden}");
        }
        assert!(!events.to_string().contains(&desk.alice), "no event has an OpenID");
    }

    async fn m8_the_host_app_reports_what_became_of_its_messages_and_of_no_others(host) {
        let desk = Desk::set(host).await;
        let template = desk.template("order-paid", &[2]).await;
        for _ in 0..2 {
            desk.answer(&template, true).await;
        }
        let (first, second) = (desk.send(&template).await.good(), desk.send(&template).await.good());
        let report = async |message: &Value, state: &str| {
            let path = format!("/v1/host-apps/super-app/messages/{}", text(&message["id"]));
            desk.app.post(&path, json!({"state": state, "reason": "notifications are off"})).await
        };
        assert_eq!(report(&first, "shown").await.good()["state"], "shown");
        let opened = report(&first, "opened").await.good();
        assert_eq!(report(&first, "shown").await.good(), opened, "late, and nothing new");
        report(&first, "refused").await.refused("message-state");
        let refused = report(&second, "refused").await.good();
        assert_eq!((&refused["state"], &refused["reason"]), (&json!("refused"), &json!("notifications are off")));
        report(&second, "opened").await.refused("message-state");
        let shown = desk.server.get(&format!("/v1/messages/{}", text(&first["id"]))).await.good();
        assert_eq!((&shown, shown["opened_at"].is_string()), (&opened, true));
        desk.server.get("/v1/messages/msg_00000000000000000000000000").await.refused("not-found");
        // Another host app, and the server of another MiniApp.
        let admin = &desk.scene.admin;
        admin.post("/v1/host-apps", json!({"name": "Other", "id": "other-app"})).await.good();
        let path = format!("/v1/host-apps/other-app/messages/{}", text(&first["id"]));
        admin.post(&path, json!({"state": "opened"})).await.refused("not-found");
        admin.post("/v1/mini-apps", json!({"name": "Tea", "id": "tea", "team": desk.scene.team})).await.good();
        let tea = admin.post("/v1/mini-apps/tea/secret", json!(null)).await.good();
        let proof = json!({"mini_app": "tea", "secret": tea["secret"]});
        let token = text(&desk.scene.host.anonymous().post("/v1/server-tokens", proof).await.good()["token"]);
        let stranger = desk.scene.host.with_token(&token);
        stranger.get(&format!("/v1/messages/{}", text(&first["id"]))).await.refused("not-found");
        stranger.post("/v1/messages", desk.message(&template)).await.refused("not-found");
        let listed = admin.get("/v1/mini-apps/coffee/messages?limit=1").await.good();
        assert_eq!((ids(&listed), listed["next"].is_string()), (vec![text(&second["id"])], true));
    }

    async fn m9_a_user_sees_and_withdraws_what_they_allow(host) {
        let desk = Desk::set(host).await;
        let (paid, flight) = (desk.template("order-paid", &[2]).await, desk.template("flight-changed", &[1]).await);
        for template in [&paid, &paid, &flight] {
            desk.answer(template, true).await;
        }
        let allowed = async || {
            let list = desk.app.get(&format!("{SUBSCRIPTIONS}?mini_app=coffee&account=alice")).await.good();
            let of = |one: &Value| (text(&one["template"]), one["allowed"].as_i64().unwrap());
            list["items"].as_array().unwrap().iter().map(of).collect::<BTreeSet<_>>()
        };
        assert_eq!(allowed().await, BTreeSet::from([(paid.clone(), 2), (flight.clone(), 1)]));
        let withdraw = async |more: Value| {
            let mut body = json!({"mini_app": "coffee", "account": "alice"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            desk.app.post(&format!("{SUBSCRIPTIONS}/withdraw"), body).await
        };
        withdraw(json!({"template": paid})).await.good();
        desk.send(&paid).await.refused("message-no-consent");
        assert_eq!(allowed().await, BTreeSet::from([(flight.clone(), 1)]));
        withdraw(json!({})).await.good();
        assert_eq!(allowed().await, BTreeSet::new());
        // A template that is removed takes what was allowed for it along.
        desk.answer(&paid, true).await;
        desk.scene.admin.delete(&format!("{TEMPLATES}/{paid}")).await.good();
        desk.send(&paid).await.refused("not-found");
        assert_eq!(allowed().await, BTreeSet::new());
        // Whoever never logged in may agree: the host app knows its users.
        let answers = json!([{"template": flight, "accept": true}]);
        let said = json!({"mini_app": "coffee", "account": "bob", "utc_offset": -300, "answers": answers});
        assert_eq!(desk.app.post(SUBSCRIPTIONS, said.clone()).await.good()["items"][0]["allowed"], 1);
        // The public key of the host app is not enough.
        desk.scene.host.device(&desk.scene.key).post(SUBSCRIPTIONS, said).await.refused("missing-token");
    }
}

const KEYS: usize = 40;

/// Sends one message for each key, all at once, and notes nothing of the answers: the host may be killed meanwhile.
fn send_all(server: &Api, body: &Value) -> Vec<tokio::task::JoinHandle<Option<u16>>> {
    let send = |number: usize| {
        let request = server.request("POST", "/v1/messages").header("Idempotency-Key", format!("key-{number}"));
        let request = request.json(body);
        tokio::spawn(async move { request.send().await.ok().map(|answer| answer.status().as_u16()) })
    };
    (0..KEYS).map(send).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m6_f52_i6_a_host_that_is_killed_while_it_sends_sends_each_message_once() {
    for database in [Database::Sqlite, Database::Postgres] {
        if database == Database::Postgres && !berth_tests::postgres_is_there() {
            continue;
        }
        let mut installation = Installation::new(database).await;
        let mut process = installation.start().await;
        let admin = installation.admin(&process);
        let team = text(&admin.post("/v1/teams", json!({"name": "Team"})).await.good()["id"]);
        admin.post("/v1/mini-apps", json!({"name": "Coffee", "id": "coffee", "team": team})).await.good();
        admin.post("/v1/host-apps", json!({"name": "Super", "id": "super-app"})).await.good();
        admin.put("/v1/host-apps/super-app/bindings/coffee", json!(null)).await.good();
        let secret = text(&admin.post("/v1/mini-apps/coffee/secret", json!(null)).await.good()["secret"]);
        let ask = json!({"mini_app": "coffee", "account": "alice"});
        let code = admin.post("/v1/host-apps/super-app/login-codes", ask).await.good();
        let exchange = json!({"mini_app": "coffee", "secret": secret, "code": code["code"]});
        let open_id = admin.post("/v1/session", exchange).await.good()["open_id"].clone();
        let new = json!({"template": "order-paid", "keywords": [2]});
        let template = text(&admin.post(TEMPLATES, new).await.good()["id"]);
        let answers = json!([{"template": template, "accept": true}]);
        let said = json!({"mini_app": "coffee", "account": "alice", "utc_offset": 0, "answers": answers});
        for _ in 0..KEYS {
            admin.post(SUBSCRIPTIONS, said.clone()).await.good();
        }
        let proof = json!({"mini_app": "coffee", "secret": secret});
        let token = text(&admin.post("/v1/server-tokens", proof).await.good()["token"]);
        let body = json!({"open_id": open_id, "template": template, "data": {"thing2": "Latte"}});
        for millis in [15, 40, 90] {
            let sends = send_all(&process.with_token(&token), &body);
            tokio::time::sleep(Duration::from_millis(millis)).await;
            process.kill().await;
            for send in sends {
                send.await.unwrap();
            }
            process = installation.start().await;
            // As if the two minutes were over in which a key may belong to a host that works on it.
            let pool = installation.pool().await;
            forget_keys(&pool).await;
            invariants::hold(&pool).await;
            pool.close().await;
        }
        for send in send_all(&process.with_token(&token), &body) {
            assert_eq!(send.await.unwrap(), Some(201));
        }
        let pool = installation.pool().await;
        invariants::hold(&pool).await;
        assert_eq!(pool.number("SELECT COUNT(*) FROM message").await, KEYS as i64);
        assert_eq!(pool.number("SELECT MAX(allowed) FROM subscription").await, 0, "each consent was used once");
        pool.close().await;
    }
}

async fn forget_keys(pool: &Pool) {
    const SQL: &str = "DELETE FROM idempotency WHERE response IS NULL";
    match pool {
        Pool::Sqlite(pool) => drop(sqlx::query(SQL).execute(pool).await.unwrap()),
        Pool::Postgres(pool) => drop(sqlx::query(SQL).execute(pool).await.unwrap()),
    }
}

/// Runs a statement behind the back of the host.
async fn run(host: &Host, sql: &'static str) {
    match host.pool().await {
        Pool::Sqlite(pool) => drop(sqlx::query(sql).execute(&pool).await.unwrap()),
        Pool::Postgres(pool) => drop(sqlx::query(sql).execute(&pool).await.unwrap()),
    }
}
