//! The sign-on of members to internal tools, by OpenID Connect (W6–W8).

use berth_base::clock::Nature;
use berth_tests::{
    Answer, Api, Database, Host, clock, http, on_both, run_node,
    scene::{Scene, text},
    there_is,
};
use reqwest::Url;
use serde_json::{Value, json};

use crate::oidc::{AFTER, BACK, Browser, CHALLENGE, PLAIN, claims, exchange_at, refused, user_info, visit};

const SIGN_IN: &str = "https://portal.acme.example/sign-in";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// A workspace whose department Sales has the tool Wiki. Ann is in Team, which is in Sales; Bob is in nothing.
struct Acme {
    host: Host,
    admin: Api,
    /// The server of the portal, which vouches.
    portal: Api,
    ann: String,
    bob: String,
    sales: String,
    wiki: String,
    secret: String,
}

/// A login code for a member, and the cookie of the browser in which it is good.
struct Vouched {
    code: String,
    cookie: String,
}

impl Acme {
    async fn found(host: Host) -> Self {
        Self::found_in(host, Nature::default()).await
    }

    async fn found_in(host: Host, nature: Nature) -> Self {
        let Scene { host, admin, .. } = Scene::set(host.in_public(nature).await).await;
        admin.post("/v1/workspaces", json!({"name": "Acme", "id": "acme"})).await.good();
        let (account, portal) = host.somebody("portal").await;
        admin.put(&format!("/v1/workspaces/acme/accounts/{account}"), json!({"role": "server"})).await.good();
        let scim = async |kind: &str, body: Value| {
            text(&admin.post(&format!("/scim/v2/acme/{kind}"), body).await.good()["id"])
        };
        let ann = json!({
            "schemas": [USER], "userName": "ann", "name": {"givenName": "Ann", "familyName": "Lee"},
            "emails": [{"value": "ann@acme.example", "primary": true}],
        });
        let ann = scim("Users", ann).await;
        let bob = scim("Users", json!({"schemas": [USER], "userName": "bob"})).await;
        let group = |name: &str, id: &str| json!({"schemas": [GROUP], "displayName": name, "members": [{"value": id}]});
        let team = scim("Groups", group("Team", &ann)).await;
        let sales = scim("Groups", group("Sales", &team)).await;
        let mut acme = Self { host, admin, portal, ann, bob, sales, wiki: String::new(), secret: String::new() };
        let sign_in = json!({"url": SIGN_IN, "help": "the IT desk, it@acme.example"});
        acme.admin.put("/v1/workspaces/acme/sign-in", sign_in).await.good();
        (acme.wiki, acme.secret) = acme.tool("Wiki").await;
        acme
    }

    /// Another tool of the department Sales: its id and its secret.
    async fn tool(&self, name: &str) -> (String, String) {
        let new = json!({"kind": "internal_tool", "name": name, "url": "https://tool.acme.example/"});
        let id = text(&self.admin.post("/v1/workspaces/acme/applications", new).await.good()["id"]);
        let at = format!("/v1/workspaces/acme/applications/{id}");
        self.admin.put(&format!("{at}/access"), json!({"departments": [self.sales]})).await.good();
        let set = json!({"redirect_uris": [BACK, PLAIN], "post_logout_redirect_uris": [AFTER]});
        self.admin.put(&format!("{at}/oidc-client"), set).await.good();
        let issued = self.admin.post(&format!("{at}/secret"), json!(null)).await.good();
        (id, text(&issued["secret"]))
    }

    /// Sends a browser to a tool's sign-on, with these parameters in place of the usual ones.
    async fn authorize(&self, tool: &str, changes: &[(&str, &str)], cookie: Option<&str>) -> Browser {
        let usual = [
            ("client_id", tool),
            ("redirect_uri", BACK),
            ("response_type", "code"),
            ("scope", "openid profile email departments offline_access"),
            ("state", "s 1"),
            ("nonce", "n1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let kept = usual.into_iter().filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
        let all: Vec<_> = kept.chain(changes.iter().copied()).collect();
        let url = Url::parse_with_params(&format!("{}/oidc/authorize", self.host.url), all).unwrap();
        visit(http().get(url), cookie).await
    }

    /// Has the portal vouch for a member in a browser that came to its sign-in page.
    async fn vouch(&self, tool: &str, member: &str) -> Vouched {
        let sent = self.authorize(tool, &[], None).await;
        let ask = json!({"application": tool, "member": member, "request": sent.told("request").unwrap()});
        let code = self.portal.post("/v1/workspaces/acme/login-codes", ask).await.good();
        Vouched { code: text(&code["code"]), cookie: sent.cookie().into() }
    }

    /// Sends a browser for which the portal has vouched back to a tool's sign-on.
    async fn come_back(&self, tool: &str, vouched: &Vouched, changes: &[(&str, &str)]) -> Browser {
        let changes = [changes, &[("login_code", &*vouched.code)]].concat();
        self.authorize(tool, &changes, Some(&vouched.cookie)).await
    }

    async fn sign_on(&self, tool: &str, member: &str) -> Browser {
        self.come_back(tool, &self.vouch(tool, member).await, &[]).await
    }

    /// The tokens of the tool Wiki for Ann.
    async fn tokens(&self) -> Value {
        let browser = self.sign_on(&self.wiki, &self.ann).await;
        exchange_at(&self.host, &self.wiki, &self.secret, &browser.code(), &[]).await.good()
    }

    async fn refresh(&self, secret: &str, tokens: &Value) -> Answer {
        let body = format!("grant_type=refresh_token&refresh_token={}", text(&tokens["refresh_token"]));
        let request = http().post(format!("{}/oidc/token", self.host.url)).basic_auth(&self.wiki, Some(secret));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        Answer::of(request, "refresh".into()).await
    }

    async fn give(&self, access: Value) {
        self.admin.put(&format!("/v1/workspaces/acme/applications/{}/access", self.wiki), access).await.good();
    }

    async fn set_active(&self, active: bool) {
        let operations = json!([{"op": "replace", "path": "active", "value": active}]);
        let patch = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
        self.admin.send("PATCH", &format!("/scim/v2/acme/Users/{}", self.ann), Some(&patch)).await.good();
    }
}

on_both! {
    async fn w6_w7_a_member_is_signed_on_to_a_tool_by_the_portal_and_to_the_next_one_by_the_browser(host) {
        let acme = Acme::found(host).await;
        // The tool sends the browser; nobody is signed on, so it goes to the portal.
        let sent = acme.authorize(&acme.wiki, &[], None).await;
        let to = sent.to.as_ref().unwrap().as_str();
        assert!(sent.status == 303 && to.starts_with(SIGN_IN) && sent.told("application").unwrap() == acme.wiki, "{to}");
        let ask = json!({"application": acme.wiki, "user_name": "ANN", "request": sent.told("request").unwrap()});
        let code = acme.portal.post("/v1/workspaces/acme/login-codes", ask).await.good();
        assert_eq!(code["member"], acme.ann);
        let open = text(&code["open"]);
        assert!(open.starts_with(&format!("{}/oidc/authorize?", acme.host.url)), "{open}");
        let browser = visit(http().get(&open), sent.cookie.as_deref()).await;
        assert!(browser.to.as_ref().unwrap().as_str().starts_with(BACK) && browser.told("state").as_deref() == Some("s 1"));
        assert!(browser.cookie().starts_with("berth-member-sign-on="), "{}", browser.cookie());
        let again = visit(http().get(&open), sent.cookie.as_deref()).await;
        assert_eq!(again.error(), "login_required", "a login code is used once");

        let tokens = exchange_at(&acme.host, &acme.wiki, &acme.secret, &browser.code(), &[]).await.good();
        let said = claims(&tokens);
        assert_eq!((&said["aud"], &said["nonce"], &said["workspace"]), (&json!(acme.wiki), &json!("n1"), &json!("acme")));
        assert_ne!(said["sub"], json!(acme.ann));
        let user = user_info(&acme.host, &tokens).await.good();
        let departments: Vec<_> = user["departments"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
        assert_eq!(departments, ["Sales", "Team"]);
        assert_eq!(
            (&user["sub"], &user["name"], &user["preferred_username"], &user["email"], &user["email_verified"]),
            (&said["sub"], &json!("Ann Lee"), &json!("ann"), &json!("ann@acme.example"), &json!(true))
        );
        refused(&exchange_at(&acme.host, &acme.wiki, &acme.secret, &browser.code(), &[]).await, 400, "invalid_grant");
        refused(&user_info(&acme.host, &tokens).await, 401, "invalid_token");

        let (crm, secret) = acme.tool("CRM").await;
        let silent = acme.authorize(&crm, &[("prompt", "none"), ("scope", "openid")], browser.cookie.as_deref()).await;
        let tokens = exchange_at(&acme.host, &crm, &secret, &silent.code(), &[]).await.good();
        assert_ne!(claims(&tokens)["sub"], said["sub"], "each tool has its own name for the member");
        let user = user_info(&acme.host, &tokens).await.good();
        assert_eq!((user.as_object().unwrap().len(), tokens.get("refresh_token")), (2, None), "what was not asked for: {user}");
    }

    async fn w7_who_may_not_open_a_tool_is_told_why_and_whom_to_ask(host) {
        let acme = Acme::found(host).await;
        let page = acme.sign_on(&acme.wiki, &acme.bob).await;
        assert!(page.status == 403 && page.to.is_none(), "{:?}", page.to);
        for words in ["Wiki", "not given to you", "the IT desk, it@acme.example", "error=access_denied"] {
            assert!(page.page.contains(words), "{words}: {}", page.page);
        }
        let vouched = acme.vouch(&acme.wiki, &acme.bob).await;
        let silent = acme.come_back(&acme.wiki, &vouched, &[("prompt", "none")]).await;
        assert_eq!(silent.error(), "access_denied");
        let all = acme.portal.get(&format!("/v1/workspaces/acme/portal?member={}&all=true", acme.bob)).await.good();
        assert_eq!(all["items"][0]["decision"], "not_given", "the portal decides the same");
        acme.give(json!({"members": [acme.bob]})).await;
        acme.sign_on(&acme.wiki, &acme.bob).await.code();
        let shown = acme.authorize(&acme.wiki, &[("redirect_uri", "https://evil.example.com/")], None).await;
        assert!(shown.status == 400 && shown.to.is_none());
    }

    async fn w5_w8_who_loses_access_or_leaves_loses_tokens_at_once(host) {
        let acme = Acme::found(host).await;
        let tokens = acme.tokens().await;
        let next = acme.refresh(&acme.secret, &tokens).await.good();
        assert_eq!(claims(&next)["sub"], claims(&tokens)["sub"]);
        user_info(&acme.host, &next).await.good();
        // A refresh token that is used twice ends all: one of the two uses was a thief's.
        refused(&acme.refresh(&acme.secret, &tokens).await, 400, "invalid_grant");
        refused(&user_info(&acme.host, &next).await, 401, "invalid_token");
        refused(&acme.refresh(&acme.secret, &next).await, 400, "invalid_grant");

        let tokens = acme.tokens().await;
        acme.give(json!({})).await;
        refused(&user_info(&acme.host, &tokens).await, 401, "invalid_token");
        refused(&acme.refresh(&acme.secret, &tokens).await, 400, "invalid_grant");
        acme.give(json!({"departments": [acme.sales]})).await;

        let browser = acme.sign_on(&acme.wiki, &acme.ann).await;
        let tokens = exchange_at(&acme.host, &acme.wiki, &acme.secret, &browser.code(), &[]).await.good();
        let waits = acme.authorize(&acme.wiki, &[], browser.cookie.as_deref()).await.code();
        acme.set_active(false).await;
        let ended = async || {
            refused(&user_info(&acme.host, &tokens).await, 401, "invalid_token");
            refused(&acme.refresh(&acme.secret, &tokens).await, 400, "invalid_grant");
            refused(&exchange_at(&acme.host, &acme.wiki, &acme.secret, &waits, &[]).await, 400, "invalid_grant");
            let silent = acme.authorize(&acme.wiki, &[("prompt", "none")], browser.cookie.as_deref()).await;
            assert_eq!(silent.error(), "login_required");
        };
        ended().await;
        let page = acme.sign_on(&acme.wiki, &acme.ann).await;
        assert!(page.status == 403 && page.page.contains("not active"), "{}", page.page);
        acme.set_active(true).await;
        ended().await;

        let tokens = acme.tokens().await;
        let at = format!("/v1/workspaces/acme/applications/{}/secret", acme.wiki);
        let secret = text(&acme.admin.post(&at, json!(null)).await.good()["secret"]);
        refused(&user_info(&acme.host, &tokens).await, 401, "invalid_token");
        refused(&acme.refresh(&acme.secret, &tokens).await, 401, "invalid_client");
        refused(&acme.refresh(&secret, &tokens).await, 400, "invalid_grant");

        let browser = acme.sign_on(&acme.wiki, &acme.ann).await;
        acme.admin.delete(&format!("/scim/v2/acme/Users/{}", acme.ann)).await.good();
        refused(&exchange_at(&acme.host, &acme.wiki, &secret, &browser.code(), &[]).await, 400, "invalid_grant");
    }

    async fn w6_only_internal_tools_sign_members_on_and_only_the_portal_vouches(host) {
        let acme = Acme::found(host).await;
        let new = json!({"kind": "link", "name": "News", "url": "https://news.acme.example/"});
        let link = text(&acme.admin.post("/v1/workspaces/acme/applications", new).await.good()["id"]);
        acme.admin.put(&format!("/v1/workspaces/acme/applications/{link}/oidc-client"), json!({})).await.refused("invalid-field");
        let codes = "/v1/workspaces/acme/login-codes";
        let sent = acme.authorize(&acme.wiki, &[], None).await;
        let request = sent.told("request").unwrap();
        let ask = json!({"application": acme.wiki, "member": acme.ann, "request": request});
        let (account, viewer) = acme.host.somebody("viewer").await;
        acme.admin.put(&format!("/v1/workspaces/acme/accounts/{account}"), json!({"role": "viewer"})).await.good();
        viewer.post(codes, ask.clone()).await.refused("missing-grant");
        for (changes, pointer) in [
            (json!({"user_name": "ann"}), "/member"),
            (json!({"member": null}), "/member"),
            (json!({"request": request.replace(&acme.wiki, "coffee")}), "/request"),
            (json!({"request": request.split("&browser=").next()}), "/request"),
            (json!({"request": format!("{request}0")}), "/request"),
        ] {
            let mut ask = ask.clone();
            ask.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            assert_eq!(acme.portal.post(codes, ask).await.refused("invalid-field")["pointer"], pointer, "{changes}");
        }
        // A login code is good for its tool alone.
        let (crm, _) = acme.tool("CRM").await;
        let vouched = acme.vouch(&crm, &acme.ann).await;
        assert_eq!(acme.come_back(&acme.wiki, &vouched, &[]).await.error(), "login_required");
        // The log of events knows no secret and no person.
        let events = acme.admin.get("/v1/events?workspace=acme&limit=1000").await.good();
        let told = events["items"].as_array().unwrap().iter().find(|event| event["type"] == "workspace.tool_secret_issued");
        assert_eq!(told.unwrap()["data"], json!({"workspace": "acme", "application": acme.wiki, "reset": false}));
        assert!(!events.to_string().contains("berth_tool_"));
    }

    async fn w6_f89_a_login_code_is_good_in_the_browser_alone_that_came_to_the_sign_in_page(host) {
        let acme = Acme::found(host).await;
        acme.give(json!({"members": [acme.ann, acme.bob]})).await;
        let ann = acme.sign_on(&acme.wiki, &acme.ann).await;
        // Bob has Ann's browser open an address with a login code of his own.
        let bob = acme.vouch(&acme.wiki, &acme.bob).await;
        let own = acme.authorize(&acme.wiki, &[("prompt", "login")], None).await;
        let anns = format!("{}; {}", ann.cookie(), own.cookie());
        for cookie in [None, ann.cookie.as_deref(), Some(anns.as_str())] {
            let sent = acme.authorize(&acme.wiki, &[("login_code", &bob.code)], cookie).await;
            assert_eq!((sent.error().as_str(), sent.cookie.as_deref()), ("login_required", cookie));
        }
        acme.authorize(&acme.wiki, &[("prompt", "none")], ann.cookie.as_deref()).await.code();
        acme.come_back(&acme.wiki, &bob, &[]).await.code();
        // A browser that is at two sign-in pages comes back from both.
        let first = acme.authorize(&acme.wiki, &[], None).await;
        let second = acme.authorize(&acme.wiki, &[("browser", "0".repeat(64).as_str())], first.cookie.as_deref()).await;
        assert_eq!((&second.cookie, second.told("request")), (&first.cookie, first.told("request")));
    }

    async fn w6_two_members_who_have_changed_browsers_hold_up_nobody(host) {
        let acme = Acme::found(host).await;
        acme.give(json!({"members": [acme.ann, acme.bob]})).await;
        for _ in 0..10 {
            let [ann, bob] = [acme.sign_on(&acme.wiki, &acme.ann).await, acme.sign_on(&acme.wiki, &acme.bob).await];
            let [of_ann, of_bob] = [acme.vouch(&acme.wiki, &acme.ann).await, acme.vouch(&acme.wiki, &acme.bob).await];
            let change = |held: &Browser, vouched: Vouched| {
                let cookie = format!("{}; {}", held.cookie(), vouched.cookie);
                Vouched { cookie, ..vouched }
            };
            let (first, second) = (change(&ann, of_bob), change(&bob, of_ann));
            let both = tokio::join!(acme.come_back(&acme.wiki, &first, &[]), acme.come_back(&acme.wiki, &second, &[]));
            assert!(both.0.code() != both.1.code());
        }
    }

    async fn w8_f77_a_login_keeps_a_bounded_number_of_tokens(host) {
        let acme = Acme::found(host).await;
        let first = acme.tokens().await;
        let mut last = acme.refresh(&acme.secret, &first).await.good();
        for _ in 0..110 {
            last = acme.refresh(&acme.secret, &last).await.good();
        }
        let pool = acme.host.pool().await;
        assert_eq!(crate::keys::rows(&pool, &["tool_token"]).await.len(), 200);
        pool.close().await;
        // The first one is forgotten: it is refused as one that there never was.
        refused(&acme.refresh(&acme.secret, &first).await, 400, "invalid_grant");
        user_info(&acme.host, &last).await.good();
    }

    async fn w6_f77_of_a_sign_on_a_bounded_number_of_codes_waits_and_exchanged_ones_are_remembered(host) {
        let (clock, nature) = clock();
        let acme = Acme::found_in(host, nature).await;
        let exchange = async |code: &str| exchange_at(&acme.host, &acme.wiki, &acme.secret, code, &[]).await;
        let browser = acme.sign_on(&acme.wiki, &acme.ann).await;
        let tokens = exchange(&browser.code()).await.good();
        let mut codes = Vec::new();
        for _ in 0..22 {
            codes.push(acme.authorize(&acme.wiki, &[], browser.cookie.as_deref()).await.code());
            clock.advance_seconds(1);
        }
        let pool = acme.host.pool().await;
        let kept = crate::keys::rows(&pool, &["tool_code"]).await.len();
        pool.close().await;
        assert_eq!(kept, 21, "20 that wait, and the one that was exchanged");
        refused(&exchange(&codes[1]).await, 400, "invalid_grant");
        exchange(&codes[2]).await.good();
        exchange(&codes[21]).await.good();
        user_info(&acme.host, &tokens).await.good();
        refused(&exchange(&browser.code()).await, 400, "invalid_grant");
        refused(&user_info(&acme.host, &tokens).await, 401, "invalid_token");
    }

    async fn w8_a_logout_by_a_tool_or_the_portal_ends_what_came_from_the_sign_on(host) {
        let acme = Acme::found(host).await;
        let browser = acme.sign_on(&acme.wiki, &acme.ann).await;
        let tokens = exchange_at(&acme.host, &acme.wiki, &acme.secret, &browser.code(), &[]).await.good();
        let out = async |hint: &[(&str, &str)]| {
            let mut asked = vec![("post_logout_redirect_uri", AFTER), ("client_id", &acme.wiki), ("state", "bye")];
            asked.extend(hint);
            let url = Url::parse_with_params(&format!("{}/oidc/end-session", acme.host.url), asked).unwrap();
            visit(http().get(url), browser.cookie.as_deref()).await
        };
        let asked = out(&[]).await;
        assert!(asked.status == 200 && asked.page.contains("Log out?"), "{}", asked.page);
        user_info(&acme.host, &tokens).await.good();
        let left = out(&[("id_token_hint", &text(&tokens["id_token"]))]).await;
        assert_eq!((left.status, left.told("state").as_deref()), (303, Some("bye")));
        refused(&user_info(&acme.host, &tokens).await, 401, "invalid_token");
        refused(&acme.refresh(&acme.secret, &tokens).await, 400, "invalid_grant");

        let tokens = acme.tokens().await;
        let ended = acme.portal.post("/v1/workspaces/acme/sign-ons/end", json!({"member": acme.ann})).await.good();
        assert_eq!(ended, json!({"ended": 1}));
        refused(&user_info(&acme.host, &tokens).await, 401, "invalid_token");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w6_w8_codes_tokens_and_sign_ons_end_by_the_clock() {
    let (clock, nature) = clock();
    let acme = Acme::found_in(Host::start(Database::Sqlite).await, nature).await;
    let vouched = acme.vouch(&acme.wiki, &acme.ann).await;
    clock.advance_seconds(300);
    assert_eq!(acme.come_back(&acme.wiki, &vouched, &[]).await.error(), "login_required");
    let browser = acme.sign_on(&acme.wiki, &acme.ann).await;
    clock.advance_seconds(60);
    refused(&exchange_at(&acme.host, &acme.wiki, &acme.secret, &browser.code(), &[]).await, 400, "invalid_grant");
    let tokens = acme.tokens().await;
    clock.advance_seconds(3600);
    refused(&user_info(&acme.host, &tokens).await, 401, "invalid_token");
    let tokens = acme.refresh(&acme.secret, &tokens).await.good();
    clock.advance_seconds(12 * 3600);
    let cookie = browser.cookie.as_deref();
    assert_eq!(acme.authorize(&acme.wiki, &[("prompt", "none")], cookie).await.error(), "login_required");
    let tokens = acme.refresh(&acme.secret, &tokens).await.good();
    clock.advance_seconds(14 * 24 * 3600);
    refused(&acme.refresh(&acme.secret, &tokens).await, 400, "invalid_grant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w6_w8_the_library_openid_client_signs_members_on_unmodified() {
    let Some(modules) = there_is("BERTH_TEST_NODE_MODULES") else { return };
    let acme = Acme::found(Host::start(Database::Sqlite).await).await;
    let ask = async |changes: Value| {
        let mut asked =
            json!({"issuer": acme.host.url, "client_id": acme.wiki, "secret": acme.secret, "redirect_uri": PLAIN});
        asked.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        run_node(&modules, "openid-client.cjs", &asked).await
    };
    let scope = "openid profile email departments offline_access";
    let vouched = async |member: &str, more: Value| {
        let Vouched { code, cookie } = acme.vouch(&acme.wiki, member).await;
        let mut asked = json!({"browser": cookie, "authorize": {"scope": scope, "login_code": code}});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asked
    };

    let said = ask(vouched(&acme.ann, json!({"refresh": true})).await).await;
    assert_eq!(said["user"]["email"], "ann@acme.example", "{said}");
    assert_eq!(
        (&said["refreshed"]["user"], &said["refreshed"]["claims"]["sub"]),
        (&said["user"], &said["claims"]["sub"])
    );
    assert_eq!(ask(vouched(&acme.bob, json!({})).await).await["failed"], json!({"error": "page", "status": 403}));

    let held = |said: &Value| {
        json!({"held": {"access_token": said["refreshed"]["access_token"],
        "refresh_token": said["refreshed"]["refresh_token"], "sub": said["claims"]["sub"]}})
    };
    let left = json!({"browser": said["browser"], "authorize": {"prompt": "none"}, "logout": AFTER});
    let left = ask(left).await;
    assert_eq!(left["logout"]["to"], format!("{AFTER}?state=bye"), "{left}");
    let over = ask(held(&said)).await;
    assert_eq!((&over["user"]["status"], &over["refresh"]["error"]), (&json!(401), &json!("invalid_grant")), "{over}");

    let said = ask(vouched(&acme.ann, json!({"refresh": true, "method": "post"})).await).await;
    assert!(said["refreshed"]["refresh_token"].is_string(), "{said}");
    acme.set_active(false).await;
    let over = ask(held(&said)).await;
    assert_eq!((&over["user"]["status"], &over["refresh"]["error"]), (&json!(401), &json!("invalid_grant")), "{over}");
    let silent = ask(json!({"browser": said["browser"], "authorize": {"prompt": "none"}})).await;
    assert_eq!(silent["failed"]["error"], "login_required", "{silent}");
}
