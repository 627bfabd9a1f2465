//! The web console, as browsers see it: by HTTP, without a screen.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use berth_tests::{
    Answer, Database, Host,
    browser::{Browser, Page},
    guests,
    merchant::Merchant,
    on_both, packed,
    scene::{Scene, person, text},
    shell, there_is,
    tour::{all_pages, furnished, log, one_of_each, window},
};
use clap::Parser;
use reqwest::Method;
use serde_json::{Value, json};

on_both! {
    async fn f32_every_page_is_whole_in_both_languages_for_everybody(host) {
        let scene = furnished(host).await;
        let (developer, token) = person(&scene.admin, "Dora", json!({})).await;
        let path = format!("/v1/teams/{}/members/{developer}", scene.team);
        scene.admin.put(&path, json!({"role": "developer"})).await.good();
        let (auditor, auditors) = person(&scene.admin, "Audrey", json!({})).await;
        scene.admin.put(&format!("/v1/host-apps/super-app/members/{auditor}"), json!({"role": "auditor"})).await.good();
        let (_, nobody) = person(&scene.admin, "Nobody", json!({})).await;
        let visitors =
            [("admin", &scene.host.admin_token), ("developer", &token), ("auditor", &auditors), ("nobody", &nobody)];
        for (who, token) in visitors {
            for language in ["en", "zh-CN"] {
                let browser = Browser::signed_in(&scene.host, token).await;
                browser.keep("berth_language", language);
                let pages = all_pages(&browser).await;
                let mut forms = BTreeSet::new();
                for page in &pages {
                    assert_eq!(page.status, 200, "{who} {language} {}: {}", page.address, page.html);
                    let faults = page.faults();
                    assert!(faults.is_empty(), "{who} {language} {}: {faults:?}", page.address);
                    assert!(page.html.contains(&format!("<html lang=\"{language}\"")), "{}", page.address);
                    assert!(page.html.len() < 100_000, "{} has {} bytes", page.address, page.html.len());
                    forms.extend(page.posts());
                }
                for form in forms {
                    let alone = form.split('?').next().unwrap();
                    let status = browser.request(Method::DELETE, alone).send().await.unwrap().status();
                    assert_eq!(status, 405, "a form leads to {form}");
                    // Who signs in again after a form was sent comes to its address, and so does who changes the language.
                    let page = browser.get(&form).await;
                    assert_eq!(page.status, 200, "who asks for the address of a form, {form}, comes to {}", page.address);
                }
                let least = if who == "admin" { 40 } else { 6 };
                assert!(pages.len() >= least, "{who} sees {} pages", pages.len());
                // Questions are asked on the way, too: an auditor is tried on versions, a grayscale policy on devices.
                for answer in ["<th scope=\"row\" data-name=\"", "<dl class=\"funnel\">"] {
                    let is_answered = |page: &Page| page.address.contains("/replay?") && page.html.contains(answer);
                    assert!(who != "admin" || pages.iter().any(is_answered), "no page of a replay has {answer}");
                }
            }
        }
    }
}

/// The roles of which each looks at all pages and presses what they offer.
const ROLES: [(&str, &str); 9] = [
    ("/v1/teams/TEAM/members", "viewer"),
    ("/v1/teams/TEAM/members", "developer"),
    ("/v1/teams/TEAM/members", "operator"),
    ("/v1/teams/TEAM/members", "admin"),
    ("/v1/host-apps/super-app/members", "auditor"),
    ("/v1/host-apps/super-app/members", "admin"),
    ("/v1/merchants/brew/members", "admin"),
    ("/v1/workspaces/acme/accounts", "admin"),
    ("/v1/platform/members", "viewer"),
];

on_both! {
    async fn the_members_of_every_place_are_found_by_links_alone(host) {
        let scene = furnished(host).await;
        let team = format!("/ui/teams/{}/members", scene.team);
        let everywhere = [
            &team,
            "/ui/platform/all/members",
            "/ui/host-apps/super-app/members",
            "/ui/merchants/brew/members",
            "/ui/workspaces/acme/accounts",
        ];
        let (leader, token) = person(&scene.admin, "Lea", json!({})).await;
        let path = format!("/v1/teams/{}/members/{leader}", scene.team);
        scene.admin.put(&path, json!({"role": "admin"})).await.good();
        for (token, places) in [(&scene.host.admin_token, &everywhere[..]), (&token, &everywhere[..1])] {
            let pages = all_pages(&Browser::signed_in(&scene.host, token).await).await;
            let found: BTreeSet<&str> = pages.iter().map(|page| page.address.as_str()).collect();
            let missing: Vec<_> = places.iter().filter(|place| !found.contains(**place)).collect();
            assert!(missing.is_empty(), "no link leads to {missing:?}");
            assert!(found.contains("/ui/accounts"), "who may invite has no way to invitations");
        }
    }
}

/// What somebody's acts that were refused were about, and why.
async fn refused_acts(scene: &Scene, account: &str) -> Vec<(String, String)> {
    let acts = scene.admin.get(&format!("/v1/acts?limit=200&actor={account}&outcome=refused")).await.good();
    let acts = acts["items"].as_array().unwrap().iter();
    acts.map(|act| (text(&act["operation"]), act["refused"].as_str().unwrap_or_default().to_owned())).collect()
}

/// Walks by links alone, as people do, and sends every form that is offered on the way.
#[tokio::test]
async fn f80_what_a_page_offers_is_allowed() {
    let scene = furnished(Host::start(Database::Sqlite).await).await;
    let session = |form: &String| form.starts_with("/ui/sign-out") || form.starts_with("/ui/taste");
    for (place, role) in ROLES {
        let (account, token) = person(&scene.admin, role, json!({})).await;
        let place = place.replace("TEAM", &scene.team);
        scene.admin.put(&format!("{place}/{account}"), json!({"role": role})).await.good();
        let browser = Browser::signed_in(&scene.host, &token).await;
        let offered: BTreeSet<_> = all_pages(&browser).await.iter().flat_map(Page::posts).collect();
        for form in offered.iter().filter(|form| !session(form)) {
            let page = browser.send(form, &[]).await;
            assert!(page.status < 500, "{place} {role} {form}: {}", page.html);
        }
        let refused = refused_acts(&scene, &account).await;
        // Sent empty, two forms ask for more than they are for: an invitation without a role, and another mask in place of a
        // sample that is tried.
        let asks_for_more = |operation: &str| ["access.invite", "logs.set_masks"].contains(&operation);
        let offered_in_vain = |(operation, why): &(String, String)| why == "missing-grant" && !asks_for_more(operation);
        assert!(!refused.iter().any(offered_in_vain), "{place} {role}: offered, and refused: {refused:?}");
    }
}

/// Everybody sends the forms that the admin of everything is offered and they are not, as the admin would send them.
#[tokio::test]
async fn f80_what_no_page_offers_is_not_allowed() {
    let scene = furnished(Host::start(Database::Sqlite).await).await;
    let admin = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
    let mut all = BTreeMap::new();
    for page in all_pages(&admin).await {
        all.extend(page.forms().into_iter().map(|(form, sent)| (form, (page.address.clone(), sent))));
    }
    // Either side may end a binding, and each does it from a page of its own.
    all.retain(|form, _| !form.contains("/bindings/"));
    for (place, role) in ROLES {
        let (account, token) = person(&scene.admin, role, json!({})).await;
        let place = place.replace("TEAM", &scene.team);
        scene.admin.put(&format!("{place}/{account}"), json!({"role": role})).await.good();
        let browser = Browser::signed_in(&scene.host, &token).await;
        let mut tried = 0;
        for (form, (address, sent)) in &all {
            if browser.get(address).await.posts().contains(form) {
                continue;
            }
            let page = browser.send(form, &fields(sent)).await;
            assert!(page.status < 500, "{place} {role} {form}: {}", page.html);
            tried += 1;
        }
        assert!(tried > 5, "{place} {role} is offered everything");
        let done = scene.admin.get(&format!("/v1/acts?limit=200&actor={account}&outcome=done")).await.good();
        let done: Vec<_> = done["items"].as_array().unwrap().iter().map(|act| text(&act["operation"])).collect();
        let unoffered: Vec<_> = done.iter().filter(|operation| *operation != "access.start").collect();
        assert!(unoffered.is_empty(), "{place} {role}: done, and offered nowhere: {unoffered:?}");
    }
}

#[tokio::test]
async fn commands_of_the_console_are_commands_of_berth() {
    let scene = furnished(Host::start(Database::Sqlite).await).await;
    let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
    let mut commands: BTreeSet<String> = BTreeSet::new();
    for page in all_pages(&browser).await {
        // What is piped into a command is none of ours, and neither is what no command does.
        let ours = page.commands().into_iter().filter(|line| !line.starts_with("curl http://"));
        commands.extend(ours.map(|line| line.rsplit(" | ").next().unwrap().to_owned()));
    }
    assert!(commands.len() > 10, "{commands:?}");
    let faults = commands.iter().filter_map(|command| {
        let read = berth::program::Cli::try_parse_from(shell_words(command));
        read.err().map(|error| format!("{command}: {error}"))
    });
    let faults: Vec<_> = faults.collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The words of a command line; capital words stand for what people write there.
fn shell_words(command: &str) -> Vec<String> {
    let stands_for = |word: String| match word.as_str() {
        "HOST_APP" => "super-app".to_owned(),
        "TEAM" => "team_01arz3ndektsv4rrffq69g5fav".to_owned(),
        "ENDPOINT_APP" => "cid_01arz3ndektsv4rrffq69g5fav".to_owned(),
        "OPEN_ID" => format!("o{}", "0".repeat(27)),
        _ => word.replace("app:MINI_APP", "app:coffee"),
    };
    shell::words(command).into_iter().map(stands_for).collect()
}

/// The fields of a form, as a browser sends them.
fn fields(of: &[(String, String)]) -> Vec<(&str, &str)> {
    of.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// More organisation nodes than a form lists.
const MANY_NODES: &str = "INSERT INTO org_node (id, merchant_id, parent_id, name, limited, created_at)
    WITH RECURSIVE counted (place) AS (SELECT 1 UNION ALL SELECT place + 1 FROM counted WHERE place < 2000)
    SELECT 'node-' || place, 'brew', NULL, 'Node', FALSE, 0 FROM counted RETURNING id";

on_both! {
    async fn people_come_in_by_an_invitation_and_by_a_password_and_leave(host) {
        let scene = Scene::set(host).await;
        let invitation = json!({"name": "Ann", "grant": {"scope": "team", "id": scene.team, "role": "developer"}});
        let code = text(&scene.admin.post("/v1/invitations", invitation).await.good()["code"]);
        let ann = Browser::new(&scene.host);
        let page = ann.get("/ui/mini-apps").await;
        assert_eq!(page.address, "/ui/sign-in?back=%2Fui%2Fmini-apps");
        let page = ann.get(&format!("/ui/invitation/{code}")).await;
        assert!(page.says("This link signs in as Ann.") && page.faults().is_empty(), "{:?}", page.faults());
        let short =
            ann.send(&format!("/ui/invitation/{code}"), &[("sign_in_name", "ann"), ("password", "short")]).await;
        assert!(short.html.contains("value=\"ann\"") && !short.html.contains("short\""), "{}", short.html);
        let phrase = "a horse that eats batteries";
        let page = ann.send(&format!("/ui/invitation/{code}"), &[("sign_in_name", "ann"), ("password", phrase)]).await;
        assert_eq!((page.address.as_str(), page.status), ("/ui", 200));
        assert_eq!(ann.get(&format!("/ui/invitation/{code}")).await.status, 404, "it works once");
        let page = ann.send("/ui/sign-out", &[]).await;
        assert_eq!(page.address, "/ui/sign-in");
        assert_eq!(ann.get("/ui/me").await.address, "/ui/sign-in?back=%2Fui%2Fme");
        let wrong = [("sign_in_name", "ann"), ("password", "a horse that eats nothing"), ("back", "/ui/mini-apps")];
        let page = ann.send("/ui/sign-in", &wrong).await;
        assert!(page.html.contains("value=\"ann\"") && !page.html.contains("eats nothing"), "{}", page.html);
        let page =
            ann.send("/ui/sign-in", &[("sign_in_name", "ANN"), ("password", phrase), ("back", "/ui/mini-apps")]).await;
        assert_eq!(page.address, "/ui/mini-apps");
        assert!(page.says("Coffee"));
    }
}

#[tokio::test]
async fn f89_other_sites_do_nothing_in_the_name_of_a_visitor() {
    let scene = Scene::set(Host::start(Database::Sqlite).await).await;
    let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
    {
        let mut request = browser.request(Method::POST, "/ui/mini-apps/coffee/shelf").build().unwrap();
        request.headers_mut().remove("sec-fetch-site");
        request.headers_mut().insert(name, value.parse().unwrap());
        let answer = reqwest::Client::new().execute(request).await.unwrap();
        assert_eq!(answer.status(), 403, "{name}: {value}");
    }
    assert_eq!(scene.admin.get("/v1/mini-apps/coffee").await.good()["on_shelf"], true);
}

on_both! {
    async fn a_first_version_goes_online_by_the_console_alone(host) {
        let scene = Scene::set(host).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let package = packed("coffee/1.0.0", "coffee_1.0.0.apkg");
        let none = browser
            .upload("/ui/mini-apps/coffee/upload", &[("submit", "on")], ("package", "dist.zip", package.clone()))
            .await;
        assert!(none.says("Write the version number into its field."), "{}", none.html);
        let fields = [("version", ""), ("submit", "on")];
        let file = ("package", "coffee_1.0.0.apkg", package);
        let page = browser.upload("/ui/mini-apps/coffee/upload", &fields, file.clone()).await;
        assert_eq!(page.address, "/ui/mini-apps/coffee/versions/1.0.0");
        assert!(page.says("1.0.0 was uploaded and submitted for audit."), "{}", page.html);
        let detail = scene.admin.get("/v1/mini-apps/coffee/versions/1.0.0").await.good();
        let audit = text(&scene.judged(&text(&detail["audit"]["id"])).await["id"]);
        let home = browser.get("/ui").await;
        assert!(home.says("Decide about Coffee 1.0.0"), "{}", home.html);
        let address = format!("/ui/audits/{audit}");
        let decide = format!("href=\"{address}\">Decide</a>");
        assert!(browser.get(&page.address).await.html.contains(&decide), "{}", page.html);
        let refused = browser.send(&address, &[("host_app", "super-app"), ("reject", "yes"), ("note", "")]).await;
        assert!(refused.html.contains("role=\"alert\""), "a rejection needs a note");
        assert!(refused.html.contains("href=\"/ui/problems/note-required\""), "{}", refused.html);
        let what = browser.get("/ui/problems/note-required").await;
        assert!(what.says("Write the reason into the note") && what.faults().is_empty(), "{}", what.html);
        let page = browser.send(&address, &[("host_app", "super-app"), ("approve", "yes"), ("note", "")]).await;
        assert!(page.says("Approved for super-app.") && page.says("To the version"), "{}", page.html);
        let version = "/ui/mini-apps/coffee/versions/1.0.0";
        assert!(!browser.get(version).await.html.contains(&decide), "there is nothing left to decide");
        let asked = browser.request(Method::GET, &format!("{version}/package")).header("accept-encoding", "gzip");
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.headers()["content-length"], file.2.len().to_string().as_str(), "it is not compressed again");
        let name = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert_eq!((answer.status().as_u16(), &*name), (200, "attachment; filename=\"coffee_1.0.0.apkg\""));
        assert!(answer.bytes().await.unwrap() == file.2, "it is the package as it was uploaded");
        let page = browser.upload("/ui/mini-apps/coffee/upload", &fields, file).await;
        assert!(page.address == version && page.says("1.0.0 was here before"), "{}", page.html);
        assert!(browser.get("/ui").await.says("Coffee 1.0.0 is approved and may be published"));
        let address = "/ui/mini-apps/coffee/versions/1.0.0/publish";
        assert!(browser.get(address).await.says("Devices in super-app get 1.0.0."));
        let page = browser.send(address, &[("note", "the first")]).await;
        assert!(page.says("1.0.0 is online.") && page.says("still online"), "{}", page.html);
        assert!(!browser.get("/ui/mini-apps/coffee").await.says("1.0.0 is online."), "it is said once");
        assert_eq!(scene.version_for("device-1").await, "1.0.0");
    }

    async fn v7_v9_the_console_offers_only_what_may_come_online(host) {
        let scene = Scene::set(host).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let act = |number: &str, act: &str| format!("/ui/mini-apps/coffee/versions/{number}/{act}");
        let gray = |number: &str| format!("/ui/mini-apps/coffee/gray/new?version={number}");
        let links = async |address: &str| browser.get(address).await.links();
        let of = |number: &str| format!("/ui/mini-apps/coffee/versions/{number}");
        scene.approved("0.9.0").await;
        let first = links(&of("0.9.0")).await;
        assert!(first.contains(&act("0.9.0", "publish")) && !first.contains(&gray("0.9.0")), "{first:?}");
        for number in ["1.0.0", "1.1.0", "1.2.0"] {
            scene.online(number).await;
        }
        for page in [of("0.9.0"), "/ui/mini-apps/coffee".into(), "/ui/mini-apps".into()] {
            let below = links(&page).await;
            assert!(!below.contains(&act("0.9.0", "publish")) && !below.contains(&gray("0.9.0")), "{page}: {below:?}");
        }
        let old = links(&of("1.0.0")).await;
        assert!(old.contains(&act("1.0.0", "rollback")) && !old.contains(&act("1.0.0", "publish")), "{old:?}");
        scene.roll_back("1.1.0").await.good();
        let older = links(&of("1.0.0")).await;
        assert!(!older.contains(&act("1.0.0", "rollback")), "no rollback follows another: {older:?}");
        let page = browser.get(&of("1.2.0")).await;
        assert!(page.says("Publish 1.2.0 again") && !page.links().contains(&act("1.2.0", "rollback")), "{}", page.html);
        assert!(page.links().contains(&act("1.2.0", "publish")), "{}", page.html);
        scene.approved("1.3.0").await;
        let next = links(&of("1.3.0")).await;
        assert!(next.contains(&act("1.3.0", "publish")) && next.contains(&gray("1.3.0")), "{next:?}");
        for page in ["/ui/mini-apps/coffee", "/ui/mini-apps"] {
            assert!(links(page).await.contains(&act("1.3.0", "publish")), "{page}");
        }
    }
}

/// What a link of a page that leads below this address leads to.
fn link_below(page: &Page, below: &str) -> Option<String> {
    page.links().into_iter().find(|link| link.starts_with(below))
}

on_both! {
    async fn a8_what_is_found_leads_to_its_own_page(host) {
        let scene = furnished(host).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let first = async |what: &str| {
            let list = scene.admin.get(&format!("/v1/{what}?merchant=brew")).await.good();
            (text(&list["items"][0]["id"]), text(&list["items"][0]["name"]))
        };
        for (what, place) in [("endpoint-apps", "endpoint-apps"), ("channels", "channels"), ("org-nodes", "nodes")] {
            let (id, name) = first(what).await;
            let link = link_below(&browser.get(&format!("/ui/search?q={id}")).await, "/ui/merchants/").expect(what);
            assert_eq!(link, format!("/ui/merchants/brew/{place}/{id}"));
            let page = browser.get(&link).await;
            assert!(page.status == 200 && page.html.contains(&format!("<h1>{name}")), "{}", page.html);
        }
        let products = browser.get("/ui/search?q=pi-mall").await;
        assert_eq!(link_below(&products, "/ui/merchants/").as_deref(), Some("/ui/merchants/brew#products"));
        assert_eq!(link_below(&browser.get("/ui/search?q=%231").await, "/ui/events/").as_deref(), Some("/ui/events/1"));
        assert_eq!(link_below(&browser.get("/ui/search?q=acm").await, "/ui/workspaces/").as_deref(), Some("/ui/workspaces/acme"));
    }

    async fn what_takes_something_away_is_told_on_a_page_before_it_is_done(host) {
        let scene = furnished(host).await;
        let admin = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let (dora, token) = person(&scene.admin, "Dora", json!({})).await;
        let browser = Browser::signed_in(&scene.host, &token).await;
        let tokens = scene.admin.get("/v1/tokens").await.good();
        let (mine, cid) = (text(&tokens["items"][0]["id"]), text(&scene.admin.get("/v1/endpoint-apps?merchant=brew").await.good()["items"][0]["id"]));
        let told = [
            (format!("/ui/accounts/{dora}/disable"), "Nobody can sign in to it any more"),
            (format!("/ui/me/tokens/{mine}/revoke"), "is refused from now on"),
            ("/ui/mini-apps/coffee/min-version".to_owned(), "does not open the MiniApp until it has updated"),
            (format!("/ui/merchants/brew/nodes/china/endpoint-apps/{cid}/unassign"), "may not be used at china"),
        ];
        for (address, effect) in told {
            let page = admin.get(&address).await;
            assert!(page.says(effect), "{address}: {}", page.html);
            assert_eq!(page.commands().len(), 1, "{address}");
        }
        assert_eq!(browser.get("/ui").await.status, 200, "asking disables nobody");
        admin.send(&format!("/ui/accounts/{dora}/disable"), &[]).await;
        assert_eq!(browser.get("/ui").await.address, "/ui/sign-in?back=%2Fui");
        admin.send(&format!("/ui/accounts/{dora}/enable"), &[]).await;
        let account = scene.admin.get(&format!("/v1/accounts/{dora}")).await.good();
        assert_eq!(account["disabled_at"], json!(null));
    }

    async fn v5_a_policy_decides_only_after_it_was_told_what_it_would_have_done(host) {
        let scene = furnished(host).await;
        let admin = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let shadow = json!({"policy": "size-limits", "scope": {"kind": "mini_app", "id": "coffee"}, "mode": "shadow"});
        let id = text(&scene.admin.post("/v1/policy-bindings", shadow).await.good()["id"]);
        let address = format!("/ui/policy-bindings/{id}");
        let mut typed = admin.get(&address).await.filled();
        typed.iter_mut().filter(|(name, _)| name == "mode").for_each(|(_, value)| *value = "enforce".into());
        let told = admin.send(&address, &fields(&typed)).await;
        assert!(told.says("decides at"), "{}", told.html);
        let mode = async || text(&scene.admin.get(&format!("/v1/policy-bindings/{id}")).await.good()["mode"]);
        assert_eq!(mode().await, "shadow");
        admin.send(&address, &fields(&told.filled())).await;
        assert_eq!(mode().await, "enforce");
    }
}

#[tokio::test]
async fn where_no_page_is_a_page_says_so() {
    let scene = Scene::set(Host::start(Database::Sqlite).await).await;
    let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
    for address in ["/ui/no-such-page", "/ui/", "/ui/mini-apps/coffee/no/such/page", "/ui/mini-apps/tea"] {
        let page = browser.get(address).await;
        assert_eq!((page.status, page.faults()), (404, Vec::new()), "{address}");
        assert!(page.links().contains(&"/ui/mini-apps".to_owned()), "{address}: the menu leads on");
    }
    let stranger = Browser::new(&scene.host);
    stranger.keep("berth_language", "zh-CN");
    assert!(stranger.get("/ui/no-such-page").await.says("内容不存在"));
    assert_eq!(stranger.get("/portal/acme/no/such/page").await.status, 404);
    scene.admin.get("/v1/no-such-address").await.refused("route-not-found");
}

#[tokio::test]
async fn f89_a_form_of_a_session_that_has_ended_is_held_and_sent_again() {
    let scene = Scene::set(Host::start(Database::Sqlite).await).await;
    let browser = Browser::new(&scene.host);
    let typed = [("name", "Tea & cake"), ("id", "tea"), ("team", scene.team.as_str()), ("password", "secret")];
    let held = browser.send("/ui/mini-apps/new", &typed).await;
    assert_eq!((held.status, held.faults()), (401, Vec::new()), "{}", held.html);
    assert_eq!(held.hidden("name").as_deref(), Some("Tea & cake"));
    assert!(!held.html.contains("secret"));
    assert_eq!(browser.send("/ui/sign-in", &[("token", &scene.host.admin_token)]).await.status, 200);
    let again: Vec<_> = typed[..3].to_vec();
    browser.send(&held.posts()[0], &again).await;
    assert_eq!(scene.admin.get("/v1/mini-apps/tea").await.good()["name"], "Tea & cake");
}

#[tokio::test]
async fn f28_what_people_write_is_text_on_every_page() {
    let scene = Scene::set(Host::start(Database::Sqlite).await).await;
    let evil = "<img src=x onerror=alert(1)>\"'</title><script>alert(1)</script>";
    let name = &evil[..60];
    scene.admin.send("PATCH", "/v1/mini-apps/coffee", Some(&json!({"name": name, "description": evil}))).await.good();
    let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
    for page in all_pages(&browser).await {
        assert!(!page.html.contains("<img") && !page.html.contains("<script>"), "{}", page.address);
    }
    let searched = browser.get("/ui/search?q=%3Cscript%3Ealert%281%29%3C%2Fscript%3E").await;
    assert!(!searched.html.contains("<script>alert"));
}

#[tokio::test]
async fn f32_the_files_of_a_package_are_shown_as_text_alone() {
    let scene = Scene::set(Host::start(Database::Sqlite).await).await;
    scene.submit_script("1.0.0", "var page = '<script>alert(1)</script>';\neval(location.hash);").await;
    let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
    let page = browser.get("/ui/mini-apps/coffee/versions/1.0.0/files?path=pages%2Findex%2Fextra.js").await;
    assert!(
        page.says("var page = '<script>alert(1)</script>';") && !page.html.contains("<script>alert"),
        "{}",
        page.html
    );
    assert!(page.html.contains("id=\"L2\" class=\"marked\""), "the finding stands in its line: {}", page.html);
    assert!(page.faults().is_empty(), "{:?}", page.faults());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_can_be_read_by_everybody_in_a_real_browser() {
    let (Some(driver), Some(modules)) = (there_is("BERTH_TEST_BROWSER"), there_is("BERTH_TEST_NODE_MODULES")) else {
        return;
    };
    let axe = Path::new(&modules).join("axe-core/axe.min.js");
    let scene = furnished(Host::start(Database::Sqlite).await).await;
    let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
    let pages = all_pages(&browser).await;
    let mut pages: Vec<_> = one_of_each(&pages).into_iter().map(|page| page.address.clone()).collect();
    // Pages to which no link leads. Of those that are not there the browser says so, too.
    pages.extend(["/ui/no-such-page", "/ui/sign-in", "/portal/acme", "/ui/open/coffee"].map(str::to_owned));
    let window = window(&scene, &driver, 1280).await;
    let mut faults = Vec::new();
    for (language, theme) in [("en", "light"), ("zh-CN", "dark")] {
        window.keep("berth_language", language).await;
        window.keep("berth_theme", theme).await;
        for address in &pages {
            window.go(&format!("{}{address}", scene.host.url)).await;
            let mut complaints = window.complaints().await;
            complaints.retain(|complaint| !complaint.ends_with("(Not Found)"));
            let found = window.axe(&axe).await.into_iter().chain(complaints);
            faults.extend(found.map(|fault| format!("{language} {theme} {address}: {fault}")));
        }
    }
    window.close().await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_is_uploaded_and_a_page_renews_itself_in_a_real_browser() {
    let Some(driver) = there_is("BERTH_TEST_BROWSER") else { return };
    let scene = Scene::set(Host::start(Database::Sqlite).await).await;
    let window = window(&scene, &driver, 1280).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("coffee_1.0.0.apkg");
    std::fs::write(&file, packed("coffee/1.0.0", "coffee_1.0.0.apkg")).unwrap();
    window.go(&format!("{}/ui/mini-apps/coffee/upload", scene.host.url)).await;
    window.type_into("#package", file.to_str().unwrap()).await;
    window.click("main form button.primary").await;
    window.wait_for("return location.pathname === '/ui/mini-apps/coffee/versions/1.0.0'").await;
    window.wait_for("return document.getElementById('flash').innerText.includes('was uploaded and submitted')").await;
    let detail = scene.admin.get("/v1/mini-apps/coffee/versions/1.0.0").await.good();
    let audit = scene.judged(&text(&detail["audit"]["id"])).await;
    window.go(&format!("{}/ui/mini-apps/coffee", scene.host.url)).await;
    scene.decide(&audit, true, "").await.good();
    scene.publish("1.0.0").await.good();
    window.wait_for("return document.getElementById('overview').innerText.includes('published')").await;
    window.press_with_control('k').await;
    window.wait_for("return document.activeElement.id === 'q'").await;
    window.press("coffee\u{E007}").await;
    window.wait_for("return location.pathname === '/ui/search'").await;
    let complaints = window.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
    window.close().await;
}

on_both! {
    async fn d4_a_log_is_searched_and_masked_and_what_it_says_stays_text(host) {
        let scene = Scene::set(host).await;
        scene.host.settled().await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let settings = "/ui/mini-apps/coffee/logs/settings";
        let page = browser.send(settings, &[("kind", "phone"), ("text", "")]).await;
        assert!(page.says("The rule was added.") && page.says("Phone numbers"), "{}", page.html);
        let page = browser.send(settings, &[("kind", "pattern"), ("text", "(")]).await;
        assert!(page.html.contains("role=\"alert\"") && page.html.contains("value=\"(\""), "{}", page.html);
        let page = browser.send(settings, &[("sample", "call 13812345678")]).await;
        assert!(page.says("call [phone]") && page.faults().is_empty(), "{:?} {}", page.faults(), page.html);
        log(&scene, "<b>pay</b> timed out for 13812345678").await;
        for address in ["/ui/mini-apps/coffee/logs?level=warn&words=TIMED+pay", "/ui/host-apps/super-app/logs?guid=device-1"] {
            let page = browser.get(address).await;
            assert!(page.html.contains("timed out for [phone]") && !page.html.contains("<b>pay"), "{}", page.html);
            assert!(page.faults().is_empty(), "{:?}", page.faults());
        }
        let page = browser.get("/ui/mini-apps/coffee/logs?words=coupon").await;
        assert!(!page.html.contains("timed out"), "{}", page.html);
        let page = browser.get("/ui/mini-apps/coffee/logs?words=%21%21").await;
        assert!(page.html.contains("role=\"alert\"") && page.html.contains("value=\"!!\""), "{}", page.html);
        let take = format!("{settings}/take");
        assert!(browser.get(&format!("{take}?rule=phone")).await.says("From now on this is not masked: Phone numbers."));
        assert!(browser.send(&take, &[("rule", "phone")]).await.says("The rule was taken away."));
    }

    async fn g11_g12_g13_a_gray_task_rises_in_stages_asks_policies_and_another_is_made_like_it(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let install = scene.admin.request("POST", "/v1/policies").header("Content-Type", "application/wasm");
        let wasm = guests::grayscale("by-hand", guests::Manner::Agrees);
        Answer::of(install.body(wasm), "install".into()).await.good();
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let form = "/ui/mini-apps/coffee/gray/new";
        let first = browser.get(form).await;
        assert!(first.says("Suspend it if the version fails more often") && first.says("by-hand"), "{}", first.html);
        let end = "2099-01-01T00:00";
        let typed = |stages: &'static str| {
            [
                ("name", "in stages"), ("version", "1.1.0"), ("end", end), ("stages", stages), ("bucket_key", "spring"),
                ("policies", "error-rate"), ("config.error-rate.alpha", "0.05"), ("config.error-rate.then", "end"),
                ("window_minutes.error-rate", "10"), ("policies", "by-hand"), ("mode.by-hand", "shadow"),
                ("on_error.by-hand", "open"), ("limits.by-hand", r#"{"deadline_ms": 7}"#),
            ]
        };
        let refused = browser.send(form, &typed("0 10\na day 50")).await;
        assert!(refused.says("a day 50: expected hours and a share") && refused.faults().is_empty(), "{}", refused.html);
        assert!(refused.html.contains("value=\"0.05\"") && refused.html.contains("a day 50</textarea>"), "{}", refused.html);
        let page = browser.send(form, &typed("0h 10%\r\n24h 50%")).await;
        assert!(page.says("The gray task in stages was created.") && page.faults().is_empty(), "{}", page.html);
        let id = page.address.rsplit('/').next().unwrap().to_owned();
        let policies = async |id: &str| {
            let task = scene.admin.get(&format!("/v1/gray-tasks/{id}")).await.good();
            let one = |policy: &Value| {
                let mut policy = policy.clone();
                policy.as_object_mut().unwrap().retain(|name, _| name != "binding" && name != "digest");
                policy
            };
            (task["name"].clone(), task["policies"].as_array().unwrap().iter().map(one).collect::<Vec<_>>())
        };
        let stages = json!([{"after_hours": 0, "percent": 10}, {"after_hours": 24, "percent": 50}]);
        let (_, asked) = policies(&id).await;
        assert_eq!(asked[0]["config"], json!({"stages": stages, "bucket_key": "spring"}));
        assert_eq!(asked[1]["config"], json!({"alpha": 0.05, "then": "end"}));
        assert_eq!(asked[1]["watch"], json!({"window_minutes": 10, "min_devices": 50}));
        let third = (&asked[2]["policy"], &asked[2]["mode"], &asked[2]["on_error"], &asked[2]["limits"]);
        assert_eq!(third, (&json!("by-hand"), &json!("shadow"), &json!("open"), &json!({"deadline_ms": 7})));
        let like = browser.get(&format!("{form}?like={id}")).await;
        assert!(like.faults().is_empty(), "{:?}", like.faults());
        let again = like.filled();
        let page = browser.send(form, &again.iter().map(|(name, value)| (&**name, &**value)).collect::<Vec<_>>()).await;
        assert!(page.says("was created."), "{}", page.html);
        let other = page.address.rsplit('/').next().unwrap().to_owned();
        assert_ne!(other, id);
        assert_eq!(policies(&other).await, policies(&id).await, "all that the form says is said again");
        let page = browser.send(&format!("/ui/gray/{id}/edit"), &[("name", "in stages"), ("end", end), ("stages", "0 20\n24 60"), ("bucket_key", "spring")]).await;
        assert!(page.address.ends_with(&id) && page.says("60 % after 24 hours"), "{}", page.html);
        assert_eq!(policies(&id).await.1[0]["config"]["stages"][1]["percent"], 60);
    }

    async fn g8_a_gray_task_is_found_from_home_and_shown_to_a_device_that_gets_it(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let share = json!([{"policy": "percentage", "config": {"percent": 20}}]);
        let ios = json!([{"platform": "ios", "min_os": "17"}]);
        let task = scene.gray("1.1.0", json!({"policies": share, "platforms": ios})).await.good();
        scene.host.settled().await;
        let id = text(&task["id"]);
        let link = format!("href=\"/ui/gray/{id}\"");
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        for (address, is_there) in [("/ui", true), ("/ui/gray", true), ("/ui/gray?state=delivering", true), ("/ui/gray?state=ended", false)] {
            let page = browser.get(address).await;
            assert!(page.html.contains(&link) == is_there && page.faults().is_empty(), "{address} {:?} {}", page.faults(), page.html);
        }
        let page = browser.get(&format!("/ui/mini-apps/coffee/check?gets={id}")).await;
        assert!(page.says("It fetches 1.1.0 and runs it.") && page.says("canary") && page.faults().is_empty(), "{}", page.html);
        assert!(page.address.contains("guid=phone-") && page.address.contains("os_version=17"), "{}", page.address);
        let rare = json!({"name": "nobody", "policies": [{"policy": "percentage", "config": {"percent": 0}}]});
        let nobody = text(&scene.gray("1.1.0", rare).await.good()["id"]);
        scene.host.settled().await;
        let page = browser.get(&format!("/ui/mini-apps/coffee/check?gets={nobody}")).await;
        assert!(page.says("None of the devices that were made up gets it.") && page.faults().is_empty(), "{}", page.html);
        scene.admin.post("/v1/mini-apps", json!({"name": "Tea", "id": "tea"})).await.good();
        let page = browser.get(&format!("/ui/mini-apps/tea/check?gets={id}")).await;
        assert!(page.says("There is nothing here"), "the task of another MiniApp: {}", page.html);
        for task in [&id, &nobody] {
            scene.admin.post(&format!("/v1/gray-tasks/{task}/end"), json!({})).await.good();
        }
        scene.host.settled().await;
        assert!(!browser.get("/ui").await.html.contains(&link));
        let page = browser.get(&format!("/ui/mini-apps/coffee/check?gets={id}")).await;
        assert!(page.says("It fetches 1.0.0 and runs it."), "nobody gets it any more: {}", page.html);
    }

    async fn the_form_of_a_gray_task_unfolds_what_was_said_and_tells_what_is_wrong_at_its_field(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let form = "/ui/mini-apps/coffee/gray/new";
        let is_open = |page: &Page, said: &str| {
            let until = page.html.find(&format!(">{said}</summary>")).expect("a part of the form");
            page.html[..until].rfind("<details").is_some_and(|at| page.html[at..until].starts_with("<details open>"))
        };
        let parts = ["… on these systems", "… on these networks", "… and as other policies judge", "Settings of error-rate"];
        let first = browser.get(form).await;
        assert!(parts.iter().all(|part| !is_open(&first, part)), "{}", first.html);
        let typed = [
            ("name", "wide"), ("version", "1.1.0"), ("end", "2099-01-01T00:00"), ("percent", "200"), ("policies", "error-rate"),
            ("mode.error-rate", "enforce"), ("os_min.android", "10"),
        ];
        let refused = browser.send(form, &typed).await;
        let wrong = "id=\"percent-wrong\" lang=\"en\">200 is greater than the maximum of 100</p>";
        assert!(refused.html.contains(wrong) && refused.faults().is_empty(), "{:?} {}", refused.faults(), refused.html);
        assert_eq!(parts.map(|part| is_open(&refused, part)), [true, false, false, false], "{}", refused.html);
        let mut typed = typed.to_vec();
        typed[3] = ("percent", "20");
        typed.push(("config.error-rate.alpha", "7"));
        let refused = browser.send(form, &typed).await;
        assert!(refused.html.contains("id=\"config.error-rate.alpha-wrong\"") && is_open(&refused, parts[3]), "{}", refused.html);
        typed.pop();
        let made = browser.send(form, &typed).await;
        assert!(made.says("was created.") && made.says("android"), "a range that is typed is meant: {}", made.html);
    }

    async fn g24_an_expression_over_policies_is_typed_copied_edited_and_shown_with_what_came_of_it(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let named = |name: &str, admit: &str| json!({"name": name, "policy": "expression", "config": {"admit": admit}});
        let share = json!({"policy": "percentage", "config": {"percent": 0}});
        let policies = json!([share, named("ios", "device.platform == 'ios'"), named("tablets", "device.network == 'wifi'")]);
        let admits = json!({"any": ["percentage", {"all": ["ios", {"not": "tablets"}]}]});
        let task = scene.gray("1.1.0", json!({"policies": policies, "admits": admits})).await.good();
        let id = text(&task["id"]);
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let page = browser.get(&format!("/ui/gray/{id}")).await;
        let sentence = "A device gets it for which this holds: percentage or (ios and not tablets).";
        assert!(page.says(sentence) && page.faults().is_empty(), "{}", page.html);
        let version = browser.get("/ui/mini-apps/coffee/versions/1.1.0").await;
        assert!(version.html.contains(&format!("href=\"/ui/gray/{id}\"")), "{}", version.html);
        let form = "/ui/mini-apps/coffee/gray/new";
        let like = browser.get(&format!("{form}?like={id}")).await;
        assert!(like.faults().is_empty() && like.says("ios (expression "), "{:?} {}", like.faults(), like.html);
        let again = like.filled();
        let with = |fields: &[(String, String)], admits: &str| {
            let other = |(name, value): &(String, String)| (name.clone(), if name == "admits" { admits.into() } else { value.clone() });
            fields.iter().map(other).collect::<Vec<(String, String)>>()
        };
        let send = async |address: &str, fields: Vec<(String, String)>| {
            browser.send(address, &fields.iter().map(|(name, value)| (&**name, &**value)).collect::<Vec<_>>()).await
        };
        let wrong = send(form, with(&again, "ios or")).await;
        assert!(wrong.says("column 7: the name of a policy is missing") && wrong.html.contains("id=\"admits-wrong\""), "{}", wrong.html);
        let wrong = send(form, with(&again, "ios or tablets")).await;
        assert!(wrong.says("percentage is never named") && wrong.faults().is_empty(), "{}", wrong.html);
        let page = send(form, again).await;
        let other = page.address.rsplit('/').next().unwrap().to_owned();
        assert!(page.says("was created.") && other != id, "{}", page.html);
        let other = scene.admin.get(&format!("/v1/gray-tasks/{other}")).await.good();
        assert_eq!(other["admits"], task["admits"]);
        let said = |task: &Value| {
            let one = |policy: &Value| (policy["name"].clone(), policy["policy"].clone(), policy["config"].clone());
            task["policies"].as_array().unwrap().iter().map(one).collect::<Vec<_>>()
        };
        assert_eq!(said(&other), said(&task), "policies keep their names");
        scene.move_task(&other, "end").await.good();
        let asked = "/ui/mini-apps/coffee/check?host_app=super-app&guid=a&platform=android&network=wifi";
        let page = browser.get(asked).await;
        for part in ["percentage or (ios and not tablets) does not hold.", "any of", "all of", "not asked"] {
            assert!(page.says(part) && page.faults().is_empty(), "{part}: {:?} {}", page.faults(), page.html);
        }
        let edit = format!("/ui/gray/{id}/edit");
        let first = browser.get(&edit).await;
        assert!(first.says("The names are percentage, ios, tablets."), "{}", first.html);
        let narrow = send(&edit, with(&first.filled(), "percentage and ios and not tablets")).await;
        assert!(narrow.says("devices that percentage admits and ios, tablets refuse"), "{}", narrow.html);
        let page = send(&edit, with(&first.filled(), "percentage or ios or not tablets")).await;
        assert!(page.address.ends_with(&id) && page.says("admits: percentage or (ios and not tablets) → percentage or ios or not tablets"), "{}", page.html);
    }

    async fn v5_a_policy_is_bound_by_fields_for_what_it_takes(host) {
        let scene = Scene::set(host).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let page = browser.get("/ui/policies/size-limits").await;
        assert!(page.says("Each subpackage") && page.says("Default: 31457280."), "{}", page.html);
        let bind = format!("{}/bind", page.address);
        let typed = |most: &'static str| {
            [("scope", "mini_app:coffee"), ("mode", "shadow"), ("on_error", "closed"), ("config.main_bytes", most)]
        };
        let refused = browser.send(&bind, &typed("two")).await;
        assert!(refused.html.contains("id=\"config.main_bytes-wrong\"") && refused.html.contains("value=\"two\""), "{}", refused.html);
        let refused = browser.send(&bind, &typed("0")).await;
        assert!(refused.html.contains("id=\"config.main_bytes-wrong\""), "what the schema says is said beside the field: {}", refused.html);
        assert!(browser.send(&bind, &typed("4096")).await.says("The policy is bound."));
        let bindings = scene.admin.get("/v1/policy-bindings?policy=size-limits&scope_kind=mini_app&scope_id=coffee").await.good();
        assert_eq!(bindings["items"][0]["config"], json!({"main_bytes": 4096}));
        let change = format!("/ui/policy-bindings/{}", text(&bindings["items"][0]["id"]));
        assert!(browser.get(&change).await.html.contains("value=\"4096\""));
        let typed = [("mode", "shadow"), ("on_error", "open"), ("config.main_bytes", ""), ("config.file_count", "7")];
        assert!(browser.send(&change, &typed).await.faults().is_empty());
        let bindings = scene.admin.get("/v1/policy-bindings?policy=size-limits&scope_kind=mini_app&scope_id=coffee").await.good();
        assert_eq!(bindings["items"][0]["config"], json!({"file_count": 7}));
    }

    async fn g20_an_auditor_is_tried_on_stored_versions_in_the_console(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let page = browser.get("/ui/policies/size-limits").await;
        let replay = page.links().into_iter().find(|link| link.ends_with("/replay")).expect("a way to try it");
        let page = browser.get(&replay).await;
        assert!(page.says("Nothing is stored") && page.faults().is_empty(), "{:?} {}", page.faults(), page.html);
        let page = browser.get(&format!("{replay}?scope=mini_app%3Acoffee&versions=newest&config.main_bytes=two")).await;
        assert!(page.html.contains("id=\"config.main_bytes-wrong\"") && page.html.contains("value=\"two\""), "{}", page.html);
        let page = browser.get(&format!("{replay}?scope=mini_app%3Acoffee&versions=newest&config.main_bytes=64")).await;
        assert!(page.says("would be rejected") && page.says("coffee 1.0.0") && page.faults().is_empty(), "{:?} {}", page.faults(), page.html);
        let page = browser.get(&format!("{replay}?scope=mini_app%3Acoffee&versions=submitted")).await;
        assert!(page.says("What it says") && !page.says("would be rejected"), "{}", page.html);
    }

    async fn m2_a_message_template_is_chosen_line_by_line_and_removed(host) {
        let scene = Scene::set(host).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        assert!(browser.get("/ui/mini-apps/coffee/messages/new?search=shipped").await.says("Order shipped"));
        let address = "/ui/mini-apps/coffee/messages/new/order-shipped";
        let twice = browser.send(address, &[("keyword1", "2"), ("keyword2", "2")]).await;
        assert!(twice.html.contains("role=\"alert\"") && twice.html.contains("aria-invalid"), "{}", twice.html);
        let page = browser.send(address, &[("keyword1", "2"), ("keyword2", "1"), ("keyword3", "")]).await;
        assert!(page.says("The template was added.") && page.says("thing2"), "{}", page.html);
        assert!(page.faults().is_empty(), "{:?}", page.faults());
        let remove = format!("{}/remove", page.address);
        assert!(browser.get(&remove).await.says("must be asked anew"));
        assert!(browser.send(&remove, &[]).await.says("The template was removed."));
    }

    async fn who_users_are_has_pages_for_teams_merchants_and_host_apps(host) {
        let scene = Scene::set(host).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let identity = "/ui/mini-apps/coffee/identity";
        let page = browser.send(&format!("{identity}/union"), &[("on", "on")]).await;
        assert!(page.says("The MiniApp is told union ids from now on."), "{}", page.html);
        let fields = |uri| [("redirect_uris", uri), ("post_logout_redirect_uris", "")];
        let page = browser.send(identity, &fields("http://shop.example.com/back")).await;
        assert!(page.html.contains("role=\"alert\"") && page.html.contains("aria-invalid"), "{}", page.html);
        let page = browser.send(identity, &fields("https://shop.example.com/back")).await;
        assert!(page.says("The addresses were saved.") && page.faults().is_empty(), "{:?}", page.faults());
        let page = browser.send(&format!("{identity}/partners"), &[("partner", "nobody"), ("way", "to_us")]).await;
        assert!(page.html.contains("role=\"alert\"") && page.html.contains("value=\"nobody\""), "{}", page.html);
        scene.admin.post("/v1/merchants", json!({"name": "Shop", "id": "bos-shop"})).await.good();
        let entry = [("page", "shop"), ("url", "https://shop.example.com/welcome")];
        let page = browser.send("/ui/merchants/bos-shop/official-accounts/entry-pages", &entry).await;
        assert!(page.says("The page was registered."), "{}", page.html);
        for address in [
            "/ui/mini-apps/coffee/login-entries/new",
            "/ui/merchants/bos-shop/official-accounts",
            "/ui/merchants/bos-shop/fans",
            "/ui/merchants/bos-shop/template-messages",
            "/ui/official-accounts",
            "/ui/official-accounts/new",
            "/ui/log-masks",
            "/ui/host-apps/super-app/logins",
        ] {
            let page = browser.get(address).await;
            assert!(page.status == 200 && page.faults().is_empty(), "{address}: {:?} {}", page.faults(), page.html);
        }
        let whose = [("account", "alice"), ("mini_app", "coffee")];
        let page = browser.send("/ui/host-apps/super-app/logins", &whose).await;
        assert!(page.html.contains("value=\"alice\"") && page.faults().is_empty(), "{:?}", page.faults());
        assert!(!page.address.contains("alice"), "{}", page.address);
        let end = "/ui/host-apps/super-app/logins/end-sign-ons";
        let told = browser.send(end, &whose).await;
        assert!(told.says("is signed on in no browser any more") && told.faults().is_empty(), "{}", told.html);
        let page = browser.send(end, &self::fields(&told.filled())).await;
        assert!(page.html.contains("value=\"alice\"") && !page.address.contains("alice"), "{}", page.address);
        assert!(page.says("0 sign-ons were ended."), "{}", page.html);
    }

    async fn a_merchant_buys_groups_and_connects_in_the_console_and_moves_a_channel(host) {
        let scene = Scene::set(host).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        scene.admin.post("/v1/merchants", json!({"name": "Brew", "id": "brew"})).await.good();
        let new = "/ui/merchants/brew/endpoint-apps/new";
        let page = browser.get(new).await;
        assert!(page.says("has no product instances") && page.says("| berth fulfil -"), "{}", page.html);
        assert!(page.faults().is_empty() && !page.posts().iter().any(|form| form == new), "{}", page.html);
        let page = browser.get("/ui/merchants/brew").await;
        assert!(page.says("\"merchant\": \"brew\"") && page.faults().is_empty(), "{:?} {}", page.faults(), page.html);

        let buy = "/ui/merchants/brew/purchase";
        let at = browser.get(buy).await.filled().into_iter().find(|(name, _)| name == "at").unwrap().1;
        let purchase = [("at", &*at), ("product", "mall"), ("instance", "not one"), ("name", "Mall"), ("expires_at", "")];
        let page = browser.send(buy, &purchase).await;
        assert!(page.html.contains("value=\"not one\"") && page.html.contains("aria-invalid"), "{}", page.html);
        let purchase = [("at", &*at), ("product", "mall"), ("instance", "brew-mall"), ("name", "Mall"), ("expires_at", "")];
        for _ in 0..2 {
            let page = browser.send(buy, &purchase).await;
            assert_eq!(page.address, "/ui/merchants/brew", "{}", page.html);
            assert!(page.says("The message was applied.") && page.says("brew-mall"), "{}", page.html);
        }
        scene.admin.post("/v1/merchants", json!({"name": "Tea", "id": "tea"})).await.good();
        let page = browser.send("/ui/merchants/tea/purchase", &purchase).await;
        assert!(page.address.starts_with("/ui/fulfilments/") && page.says("Replay"), "{} {}", page.address, page.html);

        let mut apps = Vec::new();
        for name in ["Shop", "Club"] {
            let page = browser.send(new, &[("name", name), ("products", "brew-mall")]).await;
            assert!(page.says("holds at least one product: add another one"), "{}", page.html);
            apps.push(page.address.rsplit('/').next().unwrap().to_owned());
        }
        let page = browser.send(new, &[("name", "shop"), ("products", "brew-mall")]).await;
        assert!(page.html.contains("role=\"alert\"") && page.html.contains("aria-invalid"), "{}", page.html);

        let connect = "/ui/merchants/brew/channels/connect";
        let page = browser.send(connect, &[("kind", ""), ("app_id", ""), ("channel_name", "")]).await;
        assert!(page.says("Choose a kind") && page.html.contains("role=\"alert\""), "{}", page.html);
        let page = browser.send(connect, &[("kind", "wechat_mini_program"), ("app_id", ""), ("channel_name", "")]).await;
        assert!(page.says("Fill in the appid") && !page.says("--wechat-app-id"), "{}", page.html);
        let wechat = |app: &str| {
            let fields = [("kind", "wechat_mini_program"), ("app_id", "wxb11529c136998cb6"), ("channel_name", "In WeChat"),
                ("endpoint_app", app)];
            fields.map(|(name, value)| (name, value.to_owned()))
        };
        let begin = async |app: &str| {
            let fields = wechat(app);
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            browser.send(connect, &fields).await
        };
        let page = begin(&apps[0]).await;
        assert!(page.says("The channel is connected") && page.says("Shop") && !page.says(&apps[0]), "{}", page.html);
        begin(&apps[1]).await;
        let page = begin(&apps[1]).await;
        assert!(page.says("In WeChat is bound to Shop") && page.says("Move it here"), "{}", page.html);
        assert!(!page.says("Begin again") && page.faults().is_empty(), "{:?} {}", page.faults(), page.html);
        let run = page.address;
        let list = browser.get("/ui/merchants/brew/channels").await;
        assert_eq!(list.html.matches("/dismiss\"").count(), 1, "the first one gave way: {}", list.html);
        let page = browser.send(&format!("{run}/move"), &[]).await;
        assert!(page.says("The channel was moved, and is connected.") && page.says("Club"), "{}", page.html);
        let page = begin(&apps[0]).await;
        let page = browser.send(&format!("{}/dismiss", page.address), &[]).await;
        assert_eq!(page.address, "/ui/merchants/brew/channels");
        assert!(!page.says("Being connected"), "{}", page.html);
    }

    async fn a6_the_key_of_a_host_app_is_replaced_in_the_console_and_its_bundle_is_downloaded(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let page = browser.get("/ui/host-apps/super-app/key").await;
        assert!(page.says("The old key works for 90 more days") && page.faults().is_empty(), "{:?}", page.faults());
        let page = browser.send("/ui/host-apps/super-app/key", &[]).await;
        assert!(page.says("This is the new key.") && page.says("Former keys (1)") && page.says(&scene.key), "{}", page.html);
        assert_eq!(scene.version_for("device-1").await, "1.0.0", "the old key works");
        let former = format!("/ui/host-apps/super-app/former-keys/{}", scene.key);
        assert!(page.links().contains(&former) && browser.get(&former).await.faults().is_empty());
        let page = browser.send(&former, &[("ends_at", "2099-01-01T00:00")]).await;
        assert!(page.html.contains("value=\"2099-01-01T00:00\"") && page.html.contains("role=\"alert\""), "{}", page.html);
        let page = browser.send(&former, &[("ends_at", "")]).await;
        assert!(page.says("has ended"), "{}", page.html);
        let asked = json!({"host_app": "super-app", "guid": "d", "apps": [{"mini_app": "coffee"}]});
        scene.host.settled().await;
        scene.host.device(&scene.key).post("/v1/check", asked).await.refused("invalid-host-app-key");
        let answer = browser.request(Method::POST, "/ui/host-apps/super-app/bundle").send().await.unwrap();
        let name = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert_eq!((answer.status().as_u16(), &*name), (200, "attachment; filename=\"super-app-bundle.zip\""));
        assert!(answer.bytes().await.unwrap().starts_with(b"PK"));
    }

    async fn a_host_app_shows_what_waits_and_pages_of_what_it_runs(host) {
        let scene = Scene::set(host).await;
        let path = "/v1/host-apps/super-app/bindings";
        for number in 10..70 {
            scene.admin.post("/v1/mini-apps", json!({"name": "Other", "id": format!("other-{number}"), "team": scene.team})).await.good();
            scene.admin.put(&format!("{path}/other-{number}"), json!(null)).await.good();
        }
        assert_eq!(scene.admin.get(path).await.good()["items"].as_array().unwrap().len(), 61, "all, when nothing is said");
        let first = scene.admin.get(&format!("{path}?limit=40&state=active")).await.good();
        let second = scene.admin.get(&format!("{path}?limit=40&cursor={}", text(&first["next"]))).await.good();
        assert_eq!((second["items"].as_array().unwrap().len(), second.get("next")), (21, None));
        let waiting = scene.admin.get(&format!("{path}?state=waits_for_team")).await.good();
        assert_eq!(waiting["items"], json!([]));
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let page = browser.get("/ui/host-apps/super-app").await;
        assert!(page.says("coffee") && !page.says("other-69") && page.faults().is_empty(), "{}", page.html);
        let next = page.links().into_iter().find(|link| link.contains("cursor=")).expect("a next page");
        assert!(browser.get(&next).await.says("other-69"));
    }

    async fn i9_host_apps_come_in_pages(host) {
        let scene = Scene::set(host).await;
        for number in 0..50 {
            scene.admin.post("/v1/host-apps", json!({"name": "Other", "id": format!("host-{number:02}")})).await.good();
        }
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let page = browser.get("/ui/host-apps").await;
        assert!(page.says("host-49") && !page.says("super-app") && page.faults().is_empty(), "{}", page.html);
        let next = page.links().into_iter().find(|link| link.contains("cursor=")).expect("a next page");
        assert!(browser.get(&next).await.says("super-app"));
    }

    async fn p23_no_address_of_the_console_holds_the_account_of_a_user(host) {
        let scene = Scene::set(host).await;
        scene.host.settled().await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        for (address, more) in [
            ("/ui/host-apps/super-app/logs", ("level", "error")),
            ("/ui/mini-apps/coffee/check", ("host_app", "super-app")),
        ] {
            let fields = [("account", "alice"), ("guid", "device-1"), more];
            let page = browser.send(address, &fields).await;
            assert!(page.address == address && page.html.contains("value=\"alice\""), "{} {}", page.address, page.html);
            assert!(page.faults().is_empty(), "{:?}", page.faults());
            assert!(!page.links().iter().any(|link| link.contains("alice")), "{:?}", page.links());
            let page = browser.send(address, &fields[1..]).await;
            assert!(page.address.contains("?guid=device-1"), "a question about nobody can be passed on: {}", page.address);
            let page = browser.get(&format!("{address}?account=alice")).await;
            assert!(!page.html.contains("value=\"alice\""), "{}", page.html);
        }
    }

    async fn p24_a_form_that_was_overtaken_shows_what_is_there_now_and_can_be_sent(host) {
        let scene = furnished(host).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let draft = "/v1/mini-apps/coffee/privacy/draft";
        let sdk = |purpose: &'static str| [("name", "Maps"), ("provider", "Map Company"), ("purpose_en", purpose)];
        let address = "/ui/mini-apps/coffee/privacy/sdks?at=0";
        let form = browser.get(address).await;
        let hidden = |page: &Page, name: &str| page.hidden(name).unwrap_or_default();
        let (tag, was) = (hidden(&form, "tag"), hidden(&form, "was"));
        // Somebody else puts another SDK before it, and says more of what it is for.
        let mut other = scene.admin.get(draft).await.good()["agreement"].take();
        other["sdks"][0]["purpose"]["en"] = json!("to draw big maps");
        let ads = json!({"name": "Ads", "provider": "Ad Company", "purpose": {"en": "to earn"}});
        other["sdks"].as_array_mut().unwrap().insert(0, ads);
        scene.admin.put(draft, other).await.good();
        let stale = [("tag", tag.as_str()), ("was", was.as_str())];
        let page = browser.send(address, &[&sdk("to draw small maps")[..], &stale].concat()).await;
        assert!(page.html.contains("role=\"alert\"") && page.says("There now: to draw big maps"), "{}", page.html);
        assert!(page.html.contains("sdks?at=1") && page.html.contains("to draw small maps"), "{}", page.html);
        assert!(page.faults().is_empty(), "{:?}", page.faults());
        let (tag, was) = (hidden(&page, "tag"), hidden(&page, "was"));
        let fresh = [("tag", tag.as_str()), ("was", was.as_str())];
        let page = browser
            .send("/ui/mini-apps/coffee/privacy/sdks?at=1", &[&sdk("to draw small maps")[..], &fresh].concat())
            .await;
        assert_eq!(page.address, "/ui/mini-apps/coffee/privacy", "{}", page.html);
        let now = scene.admin.get(draft).await.good()["agreement"].take();
        assert_eq!((&now["sdks"][0]["name"], &now["sdks"][1]["purpose"]["en"]), (&json!("Ads"), &json!("to draw small maps")));
    }

    async fn p24_w2_an_older_page_gives_nobody_what_was_taken_away_meanwhile(host) {
        let scene = furnished(host).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let (item, access) = ("/ui/workspaces/acme/apps/coffee", "/v1/workspaces/acme/mini-apps/coffee/access");
        let mut form = browser.get(item).await.filled();
        let before = scene.admin.get(access).await.good();
        // Somebody else takes it from those with the tag, while it is given to everyone here.
        scene.admin.put(access, json!({"departments": before["departments"]})).await.good();
        form.push(("everyone".into(), "on".into()));
        let page = browser.send(&format!("{item}/access"), &fields(&form)).await;
        assert!(page.html.contains("role=\"alert\"") && page.says("There now: Sales"), "{}", page.html);
        assert!(page.faults().is_empty(), "{:?}", page.faults());
        let now = scene.admin.get(access).await.good();
        assert_eq!((&now["everyone"], &now["tags"]), (&json!(false), &json!([])), "nothing is stored");
        let again = page.filled();
        let sends = |name: &str| again.iter().any(|(sent, _)| sent == name);
        assert!(sends("everyone") && sends("departments") && !sends("tags"), "{again:?}");
        let page = browser.send(&format!("{item}/access"), &fields(&again)).await;
        assert_eq!(page.address, item, "{}", page.html);
        let now = scene.admin.get(access).await.good();
        assert_eq!((&now["everyone"], &now["tags"]), (&json!(true), &json!([])));
        assert_eq!(now["departments"], before["departments"]);
    }

    async fn p24_u11_an_older_page_registers_no_address_again_that_was_taken_out_meanwhile(host) {
        let scene = furnished(host).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let tools = scene.admin.get("/v1/workspaces/acme/applications").await.good();
        let tool = text(&tools["items"][0]["id"]);
        let of_tool = format!("/ui/workspaces/acme/apps/{tool}");
        let form_of_tool = format!("{of_tool}/client");
        let client_of_tool = format!("/v1/workspaces/acme/applications/{tool}/oidc-client");
        let identity = "/ui/mini-apps/coffee/identity";
        for (page, form, client) in [
            (identity, identity, "/v1/mini-apps/coffee/oidc-client"),
            (&*of_tool, &*form_of_tool, &*client_of_tool),
        ] {
            let (kept, taken) = ("https://shop.example.com/back", "https://old.example.com/back");
            scene.admin.put(client, json!({"redirect_uris": [kept, taken]})).await.good();
            let tag = browser.get(page).await.hidden("client_tag").unwrap();
            scene.admin.put(client, json!({"redirect_uris": [kept]})).await.good();
            let typed = format!("{kept}\r\n{taken}");
            let send = async |tag: &str| {
                let fields = [("client_tag", tag), ("redirect_uris", &*typed), ("post_logout_redirect_uris", "")];
                browser.send(form, &fields).await
            };
            let late = send(&tag).await;
            let there = format!("There now: {kept}");
            assert!(late.html.contains("role=\"alert\"") && late.says(&there), "{page}: {}", late.html);
            assert!(late.faults().is_empty(), "{page}: {:?}", late.faults());
            assert_eq!(scene.admin.get(client).await.good()["redirect_uris"], json!([kept]), "nothing is stored");
            let tag = late.hidden("client_tag").unwrap();
            assert_eq!(send(&tag).await.address, page);
            let now = scene.admin.get(client).await.good();
            assert_eq!(now["redirect_uris"].as_array().unwrap().len(), 2, "{page}: {now}");
        }
    }

    async fn p24_v10_an_older_page_puts_no_account_on_trial_again(host) {
        let scene = Scene::set(host).await;
        scene.push("1.0.0", "1.0.0").await.good();
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let (address, path) = ("/ui/mini-apps/coffee/trial", "/v1/mini-apps/coffee/trial");
        let entry = "pages/index/index?from=trial";
        let trial = |accounts: Value| json!({"version": "1.0.0", "entry_path": entry, "accounts": accounts});
        scene.admin.put(path, trial(json!(["alice", "bob"]))).await.good();
        let form = browser.get(address).await.filled();
        assert!(form.contains(&("entry_path".into(), entry.into())), "{form:?}");
        scene.admin.put(path, trial(json!(["bob"]))).await.good();
        let page = browser.send(address, &fields(&form)).await;
        assert!(page.html.contains("role=\"alert\"") && page.says("There now: bob"), "{}", page.html);
        assert!(page.faults().is_empty(), "{:?}", page.faults());
        assert_eq!(scene.admin.get(path).await.good()["accounts"], json!(["bob"]), "nothing is stored");
        let page = browser.send(address, &fields(&page.filled())).await;
        assert!(page.says("The trial was set."), "{}", page.html);
        assert_eq!(scene.admin.get(path).await.good(), trial(json!(["alice", "bob"])));
    }

    async fn d6_the_end_of_a_permit_that_nobody_has_touched_in_the_form_stays_as_somebody_else_has_set_it(host) {
        let scene = furnished(host).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let permits = "/v1/mini-apps/coffee/permits?kind=sensitive_api";
        let permit = async || scene.admin.get(permits).await.good()["items"][0].clone();
        let id = text(&permit().await["id"]);
        let form = format!("/ui/permits/{id}/approve");
        let set = async |until: &str| {
            scene.admin.post(&format!("/v1/permits/{id}/approve"), json!({"until": until})).await.good()["until"].clone()
        };
        set("2098-01-01T00:00:00Z").await;
        let mut touched = browser.get(&form).await.filled();
        let untouched = touched.clone();
        let later = set("2099-01-01T00:00:00Z").await;
        let page = browser.send(&form, &fields(&untouched)).await;
        assert_eq!(page.address, format!("/ui/permits/{id}"), "{}", page.html);
        assert_eq!(permit().await["until"], later);
        touched.iter_mut().find(|(name, _)| name == "until").expect("a field for the end").1 = "2097-06-01T00:00".into();
        browser.send(&form, &fields(&touched)).await;
        let until = text(&permit().await["until"]);
        assert!(until.starts_with("2097-"), "{until}");
    }

    async fn e9_a_node_stays_below_one_that_its_form_has_no_room_for(host) {
        let scene = Scene::set(host).await;
        let merchant = Merchant::new(&scene.admin, "brew").await;
        let pool = scene.host.pool().await;
        assert_eq!(pool.texts(MANY_NODES).await.len(), 2_000);
        pool.close().await;
        merchant.node("zhejiang", None, &[]).await;
        merchant.node("zhejiang-shop", Some("zhejiang"), &[]).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let node = "/ui/merchants/brew/nodes/zhejiang-shop";
        let form = browser.get(node).await;
        let above = "<option value=\"zhejiang\" selected>zhejiang (zhejiang)</option>";
        assert!(form.html.contains(above) && form.faults().is_empty(), "{:?}", form.faults());
        let page = browser.send(node, &fields(&form.filled())).await;
        assert_eq!(page.address, node, "{}", page.html);
        assert_eq!(scene.admin.get("/v1/org-nodes/zhejiang-shop").await.good()["parent"], "zhejiang");
        let new = browser.get("/ui/merchants/brew/nodes/new?parent=zhejiang").await;
        assert!(new.html.contains(above) && new.faults().is_empty(), "{:?}", new.faults());
    }

    async fn a2_v7_the_console_offers_no_release_off_the_shelf_and_no_audit_of_a_pre_release(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.online("1.1.0").await;
        scene.approved("1.2.0").await;
        scene.push("1.0.0", "1.3.0-rc.1").await.good();
        let task = text(&scene.gray("1.2.0", json!({})).await.good()["id"]);
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let of = |number: &str| format!("/ui/mini-apps/coffee/versions/{number}");
        let pages = [
            of("1.0.0"), of("1.2.0"), format!("/ui/gray/{task}"), "/ui/mini-apps/coffee".into(), "/ui/mini-apps".into(),
            "/ui/mini-apps/coffee/gray".into(), "/ui/mini-apps/coffee/releases".into(), "/ui".into(),
        ];
        let is_refused = |link: &String| {
            let acts = ["/publish", "/rollback", "/submit", "/gray/new", "/gray/new?version=1.2.0"];
            acts.iter().any(|act| link.ends_with(act))
        };
        let offers = async || {
            let mut offers = BTreeSet::new();
            for page in &pages {
                offers.extend(browser.get(page).await.links().into_iter().filter(is_refused));
            }
            offers
        };
        let shelve = async |on: bool| scene.admin.post("/v1/mini-apps/coffee/shelf", json!({"on": on})).await.good();
        let on = offers().await;
        for offered in [format!("{}/publish", of("1.2.0")), format!("{}/rollback", of("1.0.0"))] {
            assert!(on.contains(&offered), "{offered}: {on:?}");
        }
        shelve(false).await;
        let off = offers().await;
        assert!(off.is_empty(), "{off:?}");
        shelve(true).await;
        assert_eq!(offers().await, on);
        let early = browser.get(&of("1.3.0-rc.1")).await.links();
        assert!(early.contains(&format!("{}/delete", of("1.3.0-rc.1"))), "{early:?}");
        assert!(!early.iter().any(is_refused), "{early:?}");
    }

    async fn a_member_keeps_what_the_form_does_not_show_and_a_department_what_its_tags_give(host) {
        let scene = furnished(host).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let people = scene.admin.get("/scim/v2/acme/Users").await.good();
        let ann = text(&people["Resources"][0]["id"]);
        let at = format!("/scim/v2/acme/Users/{ann}");
        let emails = json!([{"value": "ann@acme.example", "type": "work", "primary": true}, {"value": "ann@home.example", "type": "home"}]);
        let phones = json!([{"value": "+86 10 1234", "type": "work"}]);
        let patch = |path: &str, value: &serde_json::Value| json!({"op": "replace", "path": path, "value": value});
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [patch("emails", &emails), patch("phoneNumbers", &phones)]});
        scene.admin.send("PATCH", &at, Some(&body)).await.good();
        let page = browser.get(&format!("/ui/workspaces/acme/members/{ann}")).await;
        let shown = page.filled().into_iter().find(|(name, _)| name == "name");
        assert_eq!(shown, Some(("name".into(), "ann@acme.example".into())), "{}", page.html);
        let fields = [("user_name", "ann@acme.example"), ("name", "ann@acme.example"), ("email", "ann@new.example")];
        let page = browser.send(&format!("/ui/workspaces/acme/members/{ann}"), &fields).await;
        assert!(page.html.contains("ann@new.example") && page.faults().is_empty(), "{:?} {}", page.faults(), page.html);
        let now = scene.admin.get(&at).await.good();
        assert_eq!(now["emails"][0], json!({"value": "ann@new.example", "type": "work", "primary": true}));
        assert_eq!((&now["emails"][1], &now["phoneNumbers"]), (&emails[1], &phones));
        // The tag is given something that the departments are not.
        let groups = scene.admin.get("/v1/workspaces/acme/groups").await.good();
        let id = |name: &str| text(&groups["items"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap()["id"]);
        let access = json!({"tags": [id("On call")]});
        scene.admin.put("/v1/workspaces/acme/mini-apps/coffee/access", access).await.good();
        let page = browser.get(&format!("/ui/workspaces/acme/departments/{}/move", id("Team"))).await;
        assert!(page.says("Whoever may open this only by it cannot any more: Coffee."), "{}", page.html);
        let page = browser.get(&format!("/ui/workspaces/acme/departments/{}/remove", id("Sales"))).await;
        assert!(page.says("Whoever may open this only by it cannot any more: Coffee."), "{}", page.html);
    }

    async fn acts_are_found_by_any_place_and_a_field_says_what_it_cannot_read(host) {
        let scene = Scene::set(host).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        for address in ["/ui/acts?place=mini_app%3Acoffee", "/ui/acts?mini_app=coffee"] {
            let page = browser.get(address).await;
            assert!(page.html.contains("value=\"mini_app:coffee\"") && page.faults().is_empty(), "{:?}", page.faults());
        }
        for address in ["/ui/acts?place=coffee", "/ui/acts?from=yesterday"] {
            let page = browser.get(address).await;
            assert!(page.html.contains("class=\"wrong\"") && page.html.contains("aria-invalid"), "{}", page.html);
        }
    }

    async fn a_mini_app_that_is_refused_goes_on_with_the_team_that_was_made(host) {
        let scene = Scene::set(host).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let fields = [("name", "Tea"), ("id", "coffee"), ("team", ""), ("team_name", "Tea team")];
        let page = browser.send("/ui/mini-apps/new", &fields).await;
        assert!(page.says("The team Tea team was made, and the MiniApp was not."), "{}", page.html);
        let teams = scene.admin.get("/v1/teams").await.good();
        let made = teams["items"].as_array().unwrap().iter().find(|team| team["name"] == "Tea team").unwrap();
        let team = text(&made["id"]);
        assert!(page.html.contains(&format!("<option value=\"{team}\" selected>")), "{}", page.html);
        let page = browser.send("/ui/mini-apps/new", &[("name", "Tea"), ("id", "tea"), ("team", &team)]).await;
        assert_eq!(page.address, "/ui/mini-apps/tea", "{}", page.html);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d4_a_log_grows_while_somebody_looks_in_a_real_browser() {
    let Some(driver) = there_is("BERTH_TEST_BROWSER") else { return };
    let scene = Scene::set(Host::start(Database::Sqlite).await).await;
    scene.host.settled().await;
    let window = window(&scene, &driver, 1280).await;
    window.go(&format!("{}/ui/mini-apps/coffee/logs", scene.host.url)).await;
    window.wait_for("return !document.querySelector('[data-pause]').hidden").await;
    log(&scene, "first <img src=x onerror=alert(1)>\rid: 9").await;
    window.wait_for("return document.querySelectorAll('.log li').length === 1").await;
    assert_eq!(window.run("return document.querySelectorAll('.log img').length").await, json!(0));
    window.click("[data-pause]").await;
    log(&scene, "second").await;
    window.click("[data-pause]").await;
    window.wait_for("return document.querySelector('.log li').textContent.includes('second')").await;
    assert_eq!(window.run("return document.querySelectorAll('.log li').length").await, json!(2), "nothing comes twice");
    let complaints = window.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
    window.close().await;
}
