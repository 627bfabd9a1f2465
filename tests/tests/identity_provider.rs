//! Signing in at the operator's identity provider, npm's oidc-provider (P16–P18).

use std::collections::BTreeSet;

use berth_base::clock::{ManualClock, Nature};
use berth_model::access::ProviderAccounts;
use berth_tests::{
    Answer, Api, Host, authenticator, browser::Browser as Pages, clock, login_provider::LoginProvider, on_both,
    scene::text, wechat::official::Browser,
};
use reqwest::Url;
use serde_json::{Value, json};

const SECRET: &str = "canary: client secret?&";
const PASSWORD: &str = "canary pony pile";
const BACK: &str = "/ui/sign-in/back";
const VISITS: &str = "/v1/sign-in-provider/visits";
const SESSIONS: &str = "/v1/sign-in-provider/sessions";
const LINK: &str = "/v1/me/provider-link";

/// A host with an identity provider.
struct Company {
    host: Host,
    admin: Api,
    provider: LoginProvider,
    clock: ManualClock,
}

impl Company {
    /// `None` when the library is not installed.
    async fn set(host: Host, accounts: ProviderAccounts) -> Option<Self> {
        let host = host.in_public(Nature::default()).await;
        let provider = LoginProvider::start(SECRET, &[format!("{}{BACK}", host.url)]).await?;
        let file = host.folder().join("client-secret");
        std::fs::write(&file, format!("{SECRET}\n")).unwrap();
        let (clock, nature) = clock();
        let issuer = provider.url.clone();
        let host = host.again_in(nature, |config| {
            let provider = &mut config.provider;
            provider.oidc_issuer = Some(issuer);
            provider.oidc_client_id = Some("berth".into());
            provider.oidc_client_secret_file = Some(file);
            provider.oidc_name = "Acme".into();
            provider.oidc_accounts = accounts;
        });
        let host = host.await;
        Some(Self { admin: host.admin(), host, provider, clock })
    }

    fn nobody(&self) -> Api {
        self.host.anonymous()
    }

    async fn begin(&self) -> Value {
        self.nobody().post(VISITS, json!({})).await.good()
    }

    /// Lets a person sign in at the provider, from the address to which a visit sends them. Returns where they are sent back to.
    async fn away(&self, person: &str, address: &str) -> Url {
        let mut browser = Browser::of(person);
        let mut stop = browser.open(address).await;
        for _ in 0..10 {
            if stop.to.contains(BACK) {
                return stop.to.parse().unwrap();
            }
            let to =
                if stop.to.starts_with('/') { format!("{}{}", self.provider.url, stop.to) } else { stop.to.clone() };
            stop = browser.open(&to).await;
        }
        panic!("{stop:?}");
    }

    /// What a browser tells after a person has been away on a visit.
    async fn came(&self, person: &str, visit: &Value) -> Value {
        let back = self.away(person, &text(&visit["address"])).await;
        let mut came = json!({"cookie": visit["cookie"]});
        for (name, value) in back.query_pairs().filter(|(name, _)| name != "error_description") {
            came[&*name] = json!(value);
        }
        assert_eq!(came["state"], visit["state"]);
        came
    }

    /// A person signs in at the provider.
    async fn sign_in(&self, person: &str) -> Answer {
        let came = self.came(person, &self.begin().await).await;
        self.nobody().post(SESSIONS, came).await
    }

    /// Somebody new, who has a password.
    async fn somebody(&self, name: &str) -> (String, Api) {
        let (account, api) = self.host.somebody(name).await;
        api.put("/v1/me/password", json!({"new": PASSWORD, "sign_in_name": format!("{name}@example.com")}))
            .await
            .good();
        (account, api)
    }

    /// Begins to link the account of a person, who knows the password.
    async fn begin_link(&self, api: &Api) -> Value {
        api.post(&format!("{LINK}/visits"), json!({"password": PASSWORD})).await.good()
    }

    /// The account of a person links to who they are at the provider.
    async fn link(&self, api: &Api, person: &str) -> Answer {
        let visit = self.begin_link(api).await;
        api.put(LINK, self.came(person, &visit).await).await
    }

    async fn unlink(&self, api: &Api) -> Answer {
        api.post(&format!("{LINK}/remove"), json!({"password": PASSWORD})).await
    }

    fn with(&self, started: &Value) -> Api {
        self.host.with_token(&text(&started["secret"]))
    }

    async fn told(&self, kind: &str) -> Vec<Value> {
        let events = self.admin.get("/v1/events?limit=1000").await.good();
        events["items"].as_array().unwrap().iter().filter(|one| one["type"] == kind).cloned().collect()
    }
}

on_both! {
    async fn p16_p18_a_newcomer_gets_an_account_without_roles_and_the_same_one_the_next_time(host) {
        let Some(acme) = Company::set(host, ProviderAccounts::Create).await else { return };
        let shown = acme.nobody().get("/v1/sign-in-provider").await.good();
        assert_eq!(shown, json!({"name": "Acme", "issuer": acme.provider.url}));
        acme.provider.control(json!({"claims": {"name": "Ann Lee"}})).await;
        let visit = acme.begin().await;
        let address: Url = text(&visit["address"]).parse().unwrap();
        let asked = |name: &str| address.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        assert_eq!(asked("code_challenge_method").as_deref(), Some("S256"));
        assert_eq!(asked("redirect_uri"), Some(format!("{}{BACK}", acme.host.url)));
        let answer = acme.nobody().post(SESSIONS, acme.came("ann", &visit).await).await;
        assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"));
        let ann = acme.with(&answer.good());
        let me = ann.get("/v1/me").await.good();
        assert_eq!((&me["account"]["name"], &me["grants"], &me["sign_in_name"]), (&json!("Ann Lee"), &json!([]), &Value::Null));
        let link = ann.get(LINK).await.good();
        assert_eq!((&link["issuer"], &link["subject"]), (&json!(acme.provider.url), &json!("ann")));
        // The name at the provider may change, the person does not.
        acme.provider.control(json!({"claims": {"name": "Ann Roe", "email": "bob@example.com"}})).await;
        let again = acme.with(&acme.sign_in("ann").await.good());
        assert_eq!(again.get("/v1/me").await.good()["account"], me["account"]);
        acme.provider.control(json!({})).await;
        let bob = acme.with(&acme.sign_in("bob").await.good()).get("/v1/me").await.good();
        assert_ne!(bob["account"]["id"], me["account"]["id"]);
        assert_eq!(bob["account"]["name"], "bob");
        let started = acme.told("session.started").await;
        assert_eq!(started.iter().filter(|one| one["data"]["by"] == "provider").count(), 3);
        assert_eq!(acme.told("provider_link.made").await.len(), 2);
        // Nobody gets out of the only way in.
        acme.unlink(&ann).await.refused("no-password");
    }

    async fn p17_an_account_is_linked_by_its_own_person_and_by_nothing_else(host) {
        let Some(acme) = Company::set(host, ProviderAccounts::LinkOnly).await else { return };
        let (account, ann) = acme.somebody("ann").await;
        acme.provider.control(json!({"claims": {"email": "ann@example.com", "email_verified": true}})).await;
        acme.sign_in("ann").await.refused("provider-not-linked");
        acme.provider.control(json!({})).await;
        ann.get(LINK).await.refused("not-found");
        let narrow = ann.post("/v1/tokens", json!({"name": "n", "scopes": ["read", "manage"]})).await.good();
        let narrow = acme.with(&narrow);
        narrow.post(&format!("{LINK}/visits"), json!({})).await.refused("missing-grant");
        acme.link(&ann, "ann").await.good();
        let started = acme.sign_in("ann").await.good();
        assert_eq!(started["session"]["account"], json!(account));
        // One person at the provider is one account.
        let (_, bob) = acme.somebody("bob").await;
        acme.link(&bob, "ann").await.refused("provider-subject-taken");
        bob.get(LINK).await.refused("not-found");
        // Another person takes the place of the one before.
        acme.link(&ann, "ann.lee").await.good();
        acme.with(&started).get("/v1/me").await.refused("invalid-token");
        acme.sign_in("ann").await.refused("provider-not-linked");
        acme.link(&bob, "ann").await.good();
        acme.unlink(&narrow).await.refused("missing-grant");
        acme.unlink(&ann).await.good();
        acme.unlink(&ann).await.refused("not-found");
        acme.sign_in("ann.lee").await.refused("provider-not-linked");
        let removed: Vec<_> = acme.told("provider_link.removed").await.iter().map(|one| one["data"]["subject"].clone()).collect();
        assert_eq!(removed, ["ann", "ann.lee"]);
    }

    async fn p17_p8_neither_the_second_factor_is_asked_for_nor_a_disabled_account_let_in(host) {
        let Some(acme) = Company::set(host, ProviderAccounts::LinkOnly).await else { return };
        let (account, ann) = acme.somebody("ann").await;
        let key = text(&ann.post("/v1/me/second-factor", json!({"password": PASSWORD})).await.good()["secret"]);
        let code = authenticator::code(&key, acme.host.app.db.now().0 / 1000);
        ann.post("/v1/me/second-factor/confirm", json!({"code": code})).await.good();
        acme.link(&ann, "ann").await.good();
        acme.sign_in("ann").await.good();
        acme.admin.post(&format!("/v1/accounts/{account}/disable"), json!(null)).await.good();
        acme.sign_in("ann").await.refused("account-disabled");
    }

    async fn p16_f90_what_a_provider_says_wrongly_lets_nobody_in(host) {
        let Some(acme) = Company::set(host, ProviderAccounts::Create).await else { return };
        for (how, why) in [
            (json!({"claims": {"nonce": "another"}}), "nonce"),
            (json!({"claims": {"nonce": null}}), "nonce"),
            (json!({"claims": {"aud": "another"}}), "another client"),
            (json!({"claims": {"azp": "another"}}), "another client"),
            (json!({"claims": {"aud": ["berth", "another"]}}), "several clients"),
            (json!({"claims": {"iss": "https://evil.example"}}), "another issuer"),
            (json!({"claims": {"exp": 1_000_000_000}}), "expired"),
            (json!({"claims": {"iat": 9_000_000_000_u64}}), "future"),
            (json!({"claims": {"sub": ""}}), "nobody"),
            (json!({"sign": "none"}), "not signed"),
            (json!({"sign": "hs256"}), "not signed"),
            (json!({"sign": "other"}), "not signed"),
        ] {
            acme.provider.control(how.clone()).await;
            let refused = acme.sign_in("ann").await.refused("login-provider-wrong");
            assert!(text(&refused["detail"]).contains(why), "{how}: {refused}");
        }
        acme.provider.control(json!({})).await;
        let visit = acme.begin().await;
        let came = acme.came("ann", &visit).await;
        acme.provider.control(json!({"down": true})).await;
        acme.nobody().post(SESSIONS, came).await.refused("login-provider-unreachable");
        acme.provider.control(json!({})).await;
        assert_eq!(acme.told("account.created").await.iter().filter(|one| one["data"]["name"] == "ann").count(), 0);
        acme.sign_in("ann").await.good();
    }

    async fn p16_f89_a_visit_ends_once_in_the_browser_in_which_it_began(host) {
        let Some(acme) = Company::set(host, ProviderAccounts::Create).await else { return };
        let nobody = acme.nobody();
        let end = async |came: &Value| nobody.post(SESSIONS, came.clone()).await;
        let with = |came: &Value, name: &str, value: Value| {
            let mut came = came.clone();
            came[name] = value;
            came
        };
        let came = acme.came("ann", &acme.begin().await).await;
        let other = acme.begin().await;
        end(&with(&came, "cookie", other["cookie"].clone())).await.refused("sign-in-over");
        end(&with(&came, "state", other["state"].clone())).await.refused("sign-in-over");
        end(&json!({"state": "guess", "cookie": "guess", "code": "guess"})).await.refused("sign-in-over");
        end(&came).await.good();
        end(&came).await.refused("sign-in-over");
        // Whoever puts their own code into somebody's answer gets nowhere: it was made for another verifier.
        let (eve, ann) = (acme.came("eve", &acme.begin().await).await, acme.came("ann", &acme.begin().await).await);
        end(&with(&ann, "code", eve["code"].clone())).await.refused("login-provider-wrong");
        end(&with(&eve, "iss", json!("https://evil.example"))).await.refused("login-provider-wrong");
        // Who says that it names itself does so (RFC 9207).
        let silent = acme.came("ann", &acme.begin().await).await;
        end(&with(&silent, "iss", Value::Null)).await.refused("login-provider-wrong");
        let declined = acme.came("", &acme.begin().await).await;
        assert_eq!(declined["error"], "access_denied");
        end(&declined).await.refused("provider-declined");
        let late = acme.came("ann", &acme.begin().await).await;
        acme.clock.advance_seconds(900);
        end(&late).await.refused("sign-in-over");
    }

    async fn p16_p17_f89_a_visit_is_for_what_it_was_begun(host) {
        let Some(acme) = Company::set(host, ProviderAccounts::Create).await else { return };
        let (_, ann) = acme.somebody("ann").await;
        let (_, bob) = acme.somebody("bob").await;
        let link = async || acme.begin_link(&ann).await;
        acme.nobody().post(SESSIONS, acme.came("ann", &link().await).await).await.refused("sign-in-over");
        bob.put(LINK, acme.came("ann", &link().await).await).await.refused("sign-in-over");
        ann.put(LINK, acme.came("ann", &acme.begin().await).await).await.refused("sign-in-over");
        acme.nobody().put(LINK, acme.came("ann", &link().await).await).await.refused("missing-token");
        ann.get(LINK).await.refused("not-found");
    }

    async fn p17_p6_an_invitation_is_accepted_at_the_provider(host) {
        let Some(acme) = Company::set(host, ProviderAccounts::LinkOnly).await else { return };
        let team = text(&acme.admin.post("/v1/teams", json!({"name": "Shop team"})).await.good()["id"]);
        let invite = async |name: &str| {
            let grant = json!({"scope": "team", "id": team, "role": "developer"});
            acme.admin.post("/v1/invitations", json!({"name": name, "grant": grant})).await.good()
        };
        let begin = async |issued: &Value| acme.nobody().post(VISITS, json!({"invitation": issued["code"]})).await;
        begin(&json!({"code": "guess"})).await.refused("invalid-invitation");
        let issued = invite("Ann").await;
        let (first, second) = (begin(&issued).await.good(), begin(&issued).await.good());
        let started = acme.nobody().post(SESSIONS, acme.came("ann", &first).await).await.good();
        let me = acme.with(&started).get("/v1/me").await.good();
        assert_eq!((&me["account"]["id"], &me["grants"][0]["role"]), (&issued["invitation"]["account"], &json!("developer")));
        acme.nobody().post(SESSIONS, acme.came("bob", &second).await).await.refused("invalid-invitation");
        assert_eq!(acme.sign_in("ann").await.good()["session"]["account"], me["account"]["id"]);
        // Ann has an account: another one's invitation is left as it is.
        let issued = invite("Bob").await;
        let wrong = acme.came("ann", &begin(&issued).await.good()).await;
        acme.nobody().post(SESSIONS, wrong).await.refused("provider-subject-taken");
        let right = acme.came("bob", &begin(&issued).await.good()).await;
        acme.nobody().post(SESSIONS, right).await.good();
        let issued = invite("Eve").await;
        let away = acme.came("eve", &begin(&issued).await.good()).await;
        acme.admin.delete(&format!("/v1/invitations/{}", text(&issued["invitation"]["id"]))).await.good();
        acme.nobody().post(SESSIONS, away).await.refused("sign-in-over");
        // Whoever gets in by one invitation ends all others to the account, also that of somebody who is away with it.
        let issued = invite("Fay").await;
        let account = json!({"account": issued["invitation"]["account"]});
        let second = acme.admin.post("/v1/invitations", account).await.good();
        let away = acme.came("eve", &begin(&issued).await.good()).await;
        let came = acme.came("fay", &begin(&second).await.good()).await;
        acme.nobody().post(SESSIONS, came).await.good();
        acme.nobody().post(SESSIONS, away).await.refused("sign-in-over");
        begin(&issued).await.refused("invalid-invitation");
    }

    async fn p16_p17_people_sign_in_link_and_accept_by_pages(host) {
        let Some(acme) = Company::set(host, ProviderAccounts::LinkOnly).await else { return };
        let url = acme.host.url.clone();
        let page = Pages::new(&acme.host).get("/ui/sign-in?back=%2Fui%2Fevents").await;
        assert!(page.says("Continue with Acme") && page.faults().is_empty(), "{:?}", page.faults());
        let leave = page.links().into_iter().find(|link| link.starts_with("/ui/sign-in/provider")).unwrap();

        // By an invitation.
        let ann = Pages::new(&acme.host);
        let code = text(&acme.admin.post("/v1/invitations", json!({"name": "Ann"})).await.good()["code"]);
        let page = ann.get(&format!("/ui/invitation/{code}")).await;
        assert!(page.says("Continue with Acme") && page.faults().is_empty(), "{:?}", page.faults());
        let page = ann.send(&format!("/ui/invitation/{code}/provider"), &[]).await;
        assert!(page.faults().is_empty(), "{:?}", page.faults());
        let on = page.headers["refresh"].to_str().unwrap().strip_prefix("0; url=").unwrap().to_owned();
        let back = acme.away("ann", &on).await;
        let back = format!("{}?{}", back.path(), back.query().unwrap());
        let page = Pages::new(&acme.host).get(&back).await;
        assert!(page.says("The visit of the identity provider is over"), "another browser: {}", page.html);
        assert_eq!(ann.get(&back).await.address, "/ui");
        let page = ann.get(&back).await;
        assert!(page.says("The visit of the identity provider is over") && page.faults().is_empty(), "{}", page.html);
        let page = ann.send("/ui/me/provider/unlink", &[("password", PASSWORD)]).await;
        assert!(page.says("The account has no password") && page.says("Linked since"), "{}", page.html);
        assert!(page.says("Set a password first") && !page.posts().contains(&"/ui/me/provider/unlink".into()), "{}", page.html);

        // By the link on the page, as a browser follows it all the way.
        let mut browser = Browser::of("ann");
        let mut stop = browser.open(&format!("{url}{leave}")).await;
        for _ in 0..10 {
            let base = if stop.to.starts_with("/ui") { &url } else { &acme.provider.url };
            if stop.to == "/ui/events" {
                break;
            }
            let to = if stop.to.starts_with('/') { format!("{base}{}", stop.to) } else { stop.to.clone() };
            stop = browser.open(&to).await;
        }
        assert_eq!((stop.status, stop.to.as_str()), (303, "/ui/events"));
        assert!(browser.open(&format!("{url}/ui/me")).await.page.contains("Linked since"));

        // By the page of one's own access.
        let (account, api) = acme.somebody("bob").await;
        let token = text(&api.post("/v1/tokens", json!({"name": "t"})).await.good()["secret"]);
        let bob = Pages::signed_in(&acme.host, &token).await;
        let page = bob.get("/ui/me").await;
        assert!(page.posts().contains(&"/ui/me/provider".into()) && page.faults().is_empty(), "{:?}", page.faults());
        let page = bob.send("/ui/me/provider", &[("password", "canary another pile")]).await;
        assert!(page.says("The sign-in name or the password is wrong") && page.says("Link with Acme"), "{}", page.html);
        let page = bob.send("/ui/me/provider", &[("password", PASSWORD)]).await;
        let on = page.headers["refresh"].to_str().unwrap().strip_prefix("0; url=").unwrap().to_owned();
        let back = acme.away("bob", &on).await;
        let page = bob.get(&format!("{}?{}", back.path(), back.query().unwrap())).await;
        assert_eq!(page.address, "/ui/me");
        assert!(page.says("The account is linked.") && page.says("Linked since"), "{}", page.html);
        // Admins see it, and take it away.
        let admin = Pages::signed_in(&acme.host, &acme.host.admin_token).await;
        let address = format!("/ui/accounts/{account}");
        assert!(admin.get("/ui/accounts").await.links().contains(&address));
        let page = admin.get(&address).await;
        assert!(page.says("Linked since") && page.says(&acme.provider.url) && page.faults().is_empty(), "{:?}", page.faults());
        let unlink = format!("{address}/provider-link");
        assert!(page.links().contains(&unlink));
        let page = admin.get(&unlink).await;
        assert!(page.says("Sessions that were started there end") && page.faults().is_empty(), "{:?}", page.faults());
        let page = admin.send(&unlink, &[]).await;
        assert!(page.address == address && page.says("Not linked"), "{}", page.html);
        let page = Pages::new(&acme.host).get(&format!("{BACK}?error=access_denied&state=guess")).await;
        assert!(page.says("The visit of the identity provider is over"), "{}", page.html);
    }

    async fn p19_f89_an_open_session_plants_no_way_in(host) {
        let Some(acme) = Company::set(host, ProviderAccounts::LinkOnly).await else { return };
        let (account, ann) = acme.somebody("ann").await;
        let begin = async |proof: Value| ann.post(&format!("{LINK}/visits"), proof).await;
        begin(json!({})).await.refused("invalid-field");
        begin(json!({"password": "canary another pile"})).await.refused("wrong-credentials");
        // Acts of one millisecond stand in no order.
        acme.clock.advance_seconds(1);
        begin(json!({"code": "000000"})).await.refused("not-found");
        let (_, bob) = acme.host.somebody("bob").await;
        bob.post(&format!("{LINK}/visits"), json!({"password": PASSWORD})).await.refused("no-password");
        // What was tried is in the log, for its own person as well.
        let tried = ann.get(&format!("/v1/acts?actor={account}&outcome=refused")).await.good();
        let wrong: Vec<_> = tried["items"].as_array().unwrap().iter().map(|act| act["refused"].clone()).collect();
        assert_eq!(wrong, ["not-found", "wrong-credentials"]);

        let key = text(&ann.post("/v1/me/second-factor", json!({"password": PASSWORD})).await.good()["secret"]);
        let code = || authenticator::code(&key, acme.host.app.db.now().0 / 1000);
        ann.post("/v1/me/second-factor/confirm", json!({"code": code()})).await.good();
        // A code that was used once is used up.
        acme.clock.advance_seconds(30);
        let visit = begin(json!({"code": code()})).await.good();
        begin(json!({"code": code()})).await.refused("wrong-credentials");
        ann.put(LINK, acme.came("ann", &visit).await).await.good();
        acme.clock.advance_seconds(30);
        let remove = async |proof: Value| ann.post(&format!("{LINK}/remove"), proof).await;
        remove(json!({})).await.refused("invalid-field");
        remove(json!({"password": "canary another pile"})).await.refused("wrong-credentials");
        let (here, there) = (acme.sign_in("ann").await.good(), acme.sign_in("ann").await.good());
        let (here, there) = (acme.with(&here), acme.with(&there));
        here.post(&format!("{LINK}/remove"), json!({"code": code()})).await.good();
        there.get("/v1/me").await.refused("invalid-token");
        here.get("/v1/me").await.good();
        acme.sign_in("ann").await.refused("provider-not-linked");
    }

    async fn p19_admins_see_who_is_linked_and_take_a_link_away(host) {
        let Some(acme) = Company::set(host, ProviderAccounts::Create).await else { return };
        let (account, ann) = acme.somebody("ann").await;
        acme.link(&ann, "ann").await.good();
        let bob = acme.sign_in("bob").await.good();
        let newcomer = text(&bob["session"]["account"]);
        let one = acme.admin.get(&format!("/v1/accounts/{account}")).await.good();
        assert_eq!((&one["id"], &one["sign_in_name"]), (&json!(account), &json!("ann@example.com")));
        assert_eq!((&one["provider_link"]["subject"], &one["second_factor"]), (&json!("ann"), &Value::Null));
        let linked = async |which: &str| {
            let all = acme.admin.get(&format!("/v1/accounts{which}")).await.good();
            let ids: BTreeSet<_> = all["items"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect();
            ids
        };
        assert_eq!(linked("?linked=true").await, BTreeSet::from([newcomer.clone(), account.clone()]));
        let (others, all) = (linked("?linked=false").await, linked("").await);
        assert!(!others.contains(&account) && others.len() + 2 == all.len());

        let path = |account: &str| format!("/v1/accounts/{account}/provider-link");
        ann.delete(&path(&account)).await.refused("missing-grant");
        let started = acme.with(&acme.sign_in("ann").await.good());
        acme.admin.delete(&path(&account)).await.good();
        acme.admin.delete(&path(&account)).await.refused("not-found");
        started.get("/v1/me").await.refused("invalid-token");
        ann.get("/v1/me").await.good();
        let removed = acme.told("provider_link.removed").await.remove(0);
        assert_ne!(removed["actor"], json!(account));
        let act = acme.admin.get(&format!("/v1/acts/{}", text(&removed["act"]))).await.good();
        assert_eq!(act["operation"], "access.unlink_of");
        // The last way in is taken away by who says so.
        let refused = acme.admin.delete(&path(&newcomer)).await.refused("last-way-in");
        assert!(text(&refused["detail"]).contains("even_last"), "{refused}");
        acme.with(&bob).get("/v1/me").await.good();
        acme.admin.delete(&format!("{}?even_last=true", path(&newcomer))).await.good();
        acme.with(&bob).get("/v1/me").await.refused("invalid-token");
        let invited = acme.admin.post("/v1/invitations", json!({"account": newcomer})).await.good();
        acme.nobody().post("/v1/invitations/accept", json!({"code": invited["code"]})).await.good();
        // One's own takes a proof.
        acme.admin.put("/v1/me/password", json!({"new": PASSWORD, "sign_in_name": "admin"})).await.good();
        acme.link(&acme.admin, "admin").await.good();
        let me = text(&acme.admin.get("/v1/me").await.good()["account"]["id"]);
        acme.admin.delete(&path(&me)).await.refused("missing-grant");
        acme.admin.get(LINK).await.good();
    }

    async fn p21_an_address_begins_a_limited_number_of_visits(host) {
        let Some(acme) = Company::set(host, ProviderAccounts::Create).await else { return };
        let host = acme.host.listening(|http| {
            http.trusted_proxy = vec!["127.0.0.0/8".parse().unwrap()];
            http.devices.visits = "2/1h".parse().unwrap();
        });
        let host = host.await;
        let begin = async |address: &str| {
            let request = host.anonymous().request("POST", VISITS).header("X-Forwarded-For", address);
            Answer::of(request.json(&json!({})), "visit".into()).await
        };
        begin("203.0.113.7").await.good();
        begin("203.0.113.7").await.good();
        let answer = begin("203.0.113.7").await;
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=1800).contains(&wait), "{wait}");
        answer.refused("too-many-requests");
        begin("203.0.113.8").await.good();
    }
}
