//! The record of the devices that ask, in the console, and grayscale policies that are tried on it.

use std::time::Duration;

use berth_tests::{
    browser::{Browser, Page},
    on_both,
    scene::{Scene, person, text},
};
use serde_json::json;

const RECORD: &str = "/ui/mini-apps/coffee/record";

/// A day and a time that are so many days from now, as a field has them in UTC.
fn in_days(scene: &Scene, days: i64) -> String {
    scene.host.app.db.now().plus_seconds(days * 86_400).to_string()[..16].to_owned()
}

/// Begins a record of all devices by the form.
async fn begin(scene: &Scene, browser: &Browser) -> Page {
    let end = in_days(scene, 7);
    let fields = [("ends_at", end.as_str()), ("percent", "100"), ("attributes", "city\r\nmodel\r\n")];
    let page = browser.send(&format!("{RECORD}/begin"), &fields).await;
    scene.host.settled().await;
    page
}

/// So many devices ask, every second of them an iPhone, and are recorded.
async fn ask(scene: &Scene, devices: u64) {
    let device = scene.host.device(&scene.key);
    for number in 0..devices {
        let platform = if number % 2 == 0 { "ios" } else { "android" };
        let check = json!({"host_app": "super-app", "guid": format!("device-{number}"), "platform": platform, "network": "wifi",
            "attributes": {"city": "Suzhou"}, "apps": [{"mini_app": "coffee", "version": "1.0.0"}]});
        device.post("/v1/check", check).await.good();
    }
    for _ in 0..200 {
        let record = scene.admin.get("/v1/mini-apps/coffee/check-record").await.good();
        if record["devices"].as_u64() >= Some(devices) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{devices} devices were not recorded");
}

/// The first link of a page that has this in its address.
fn link(page: &Page, part: &str) -> String {
    let found = page.links().into_iter().find(|link| link.contains(part));
    found.unwrap_or_else(|| panic!("no link with {part} in {}: {}", page.address, page.html))
}

/// The address of a replay of a policy on the record of `coffee`.
fn replay(policy: &str, fields: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("scope", "mini_app:coffee").extend_pairs(fields);
    format!("/ui/policies/{policy}/replay?{}", query.finish())
}

on_both! {
    async fn g25_a_record_is_begun_seen_and_ended_in_the_console_by_who_may(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let page = browser.get("/ui/mini-apps/coffee/gray").await;
        let page = browser.get(&link(&page, "/record")).await;
        assert!(page.says("Nothing is recorded.") && page.faults().is_empty(), "{:?} {}", page.faults(), page.html);
        let form = browser.get(&link(&page, "/record/begin")).await;
        assert!(form.says("Not kept Guid, device id, account and address.") && form.faults().is_empty(), "{:?}", form.faults());
        let days = in_days(&scene, 31);
        for (field, value) in [("percent", "half"), ("percent", "NaN"), ("percent", "101"), ("ends_at", ""), ("ends_at", &days)] {
            let week = in_days(&scene, 7);
            let mut fields = vec![("ends_at", week.as_str()), ("percent", "5"), ("attributes", "city")];
            fields.iter_mut().filter(|(name, _)| *name == field).for_each(|(_, typed)| *typed = value);
            let page = browser.send(&format!("{RECORD}/begin"), &fields).await;
            assert!(page.html.contains(&format!("id=\"{field}-wrong\"")), "{field} {value}: {}", page.html);
            assert!(page.html.contains("city</textarea>") && page.faults().is_empty(), "{:?}", page.faults());
        }
        let page = begin(&scene, &browser).await;
        assert_eq!(page.address, RECORD, "{}", page.html);
        assert!(page.says("From now on devices are recorded as they ask.") && page.says("city, model"), "{}", page.html);
        ask(&scene, 3).await;
        let page = browser.get(RECORD).await;
        assert!(page.says("3 devices each as it asked last, of 3 checks") && page.says("100 % of the devices"), "{}", page.html);
        let again = browser.get(&format!("{RECORD}/begin")).await;
        assert!(again.says("whose 3 devices are forgotten") && again.html.contains("city\nmodel</textarea>"), "{}", again.html);

        // The team sees it; its admins and those of the platform change it.
        let (account, token) = person(&scene.admin, "Dora", json!({})).await;
        scene.admin.put(&format!("/v1/teams/{}/members/{account}", scene.team), json!({"role": "operator"})).await.good();
        let dora = Browser::signed_in(&scene.host, &token).await;
        let page = dora.get(RECORD).await;
        assert!(page.says("3 devices") && !page.links().iter().any(|link| link.contains("/record/")), "{:?}", page.links());
        assert!(!page.links().iter().any(|link| link.contains("/replay")), "{:?}", page.links());
        assert_eq!(dora.get(&format!("{RECORD}/begin")).await.status, 403);

        let page = browser.get(&format!("{RECORD}/end")).await;
        assert!(page.says("the 3 devices that were recorded are forgotten at once"), "{}", page.html);
        let page = browser.send(&format!("{RECORD}/end"), &[]).await;
        assert!(page.says("Nothing is recorded any more.") && page.says("Nothing is recorded."), "{}", page.html);
        assert_eq!(scene.admin.get("/v1/mini-apps/coffee/check-record").await.good()["recording"], false);
    }

    async fn g26_a_grayscale_policy_is_tried_on_recorded_devices_in_the_console(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let page = browser.get("/ui/policies/expression").await;
        let form = browser.get(&link(&page, "/replay")).await;
        assert!(form.says("Try it on recorded devices: expression") && form.faults().is_empty(), "{:?}", form.faults());
        let ios = [("config.admit", "device.platform == 'ios'")];
        let page = browser.get(&replay("expression", &ios)).await;
        assert!(page.says("Nothing is recorded of the devices that ask for Coffee") && page.faults().is_empty(), "{}", page.html);
        assert!(!page.html.contains("role=\"alert\""), "{}", page.html);
        browser.get(&link(&page, "/record/begin")).await;
        begin(&scene, &browser).await;
        let page = browser.get(&replay("expression", &ios)).await;
        assert!(page.says("No device is in the record yet.") && link(&page, "/record") == RECORD, "{}", page.html);
        ask(&scene, 40).await;

        let page = browser.get(&link(&browser.get(RECORD).await, "place=mini_app")).await;
        assert!(page.html.contains("<option value=\"mini_app:coffee\" selected>"), "{}", page.html);
        let page = browser.get(&replay("expression", &ios)).await;
        for said in ["Of 40 recorded devices it admits 20 (50 %).", "Newly refused", "20 · 50 %", "refuses: The expression is false"] {
            assert!(page.says(said), "{said}: {}", page.html);
        }
        assert!(page.says("super-app android, wifi, has 1.0.0, city: Suzhou") && page.faults().is_empty(), "{:?} {}", page.faults(), page.html);
        assert_eq!(page.html.matches("Suzhou").count(), 5, "a few of them are shown");
        let command = page.commands().pop().unwrap();
        assert!(command.starts_with("berth policy replay expression@") && command.ends_with("--scope app:coffee"), "{command}");

        // Two configs of one policy, and what is wrong with either stands beside its own field.
        let digest = text(&scene.admin.get("/v1/policies/percentage").await.good()["digest"]);
        let twice = |new: &'static str, old: &'static str| {
            let fields = [("config.percent", new), ("config.bucket_key", "a"), ("against", &digest), ("against_config.percent", old),
                ("against_config.bucket_key", "a")];
            replay("percentage", &fields)
        };
        let page = browser.get(&twice("100", "0")).await;
        assert!(page.says("it admits 40 (100 %)") && page.says("Newly admitted") && page.says("40 · 100 %"), "{}", page.html);
        assert!(page.says("refuses:") && page.commands()[0].contains("--against-config"), "{}", page.html);
        let page = browser.get(&twice("50", "50")).await;
        assert!(page.says("Nothing changes for any of them."), "{}", page.html);
        for (new, old, wrong) in [("200", "50", "config.percent"), ("50", "200", "against_config.percent")] {
            let page = browser.get(&twice(new, old)).await;
            let marks: Vec<_> = ["config.percent", "against_config.percent"]
                .into_iter().filter(|name| page.html.contains(&format!("id=\"{name}-wrong\""))).collect();
            assert_eq!(marks, [wrong], "{}", page.html);
        }
    }

    async fn g26_what_an_edit_of_a_task_would_change_is_asked_from_its_page(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        begin(&scene, &browser).await;
        ask(&scene, 40).await;
        let policy = json!({"policy": "percentage", "config": {"percent": 0}});
        let task = scene.gray("1.1.0", json!({"policies": [policy]})).await.good();
        // Who runs gray tasks may ask about their policies, and about nothing else.
        let (account, token) = person(&scene.admin, "Olga", json!({})).await;
        scene.admin.put(&format!("/v1/teams/{}/members/{account}", scene.team), json!({"role": "operator"})).await.good();
        let olga = Browser::signed_in(&scene.host, &token).await;
        let page = olga.get(&format!("/ui/gray/{}", text(&task["id"]))).await;
        let page = olga.get(&link(&page, "/replay?binding=")).await;
        assert!(page.says("Gray task · canary") && page.faults().is_empty(), "{:?} {}", page.faults(), page.html);
        assert!(!page.html.contains("mini_app:coffee"), "{}", page.html);
        let binding = text(&task["policies"][0]["binding"]);
        let selected = |value: &str| format!("<option value=\"{value}\" selected>");
        assert!(page.html.contains(&selected(&binding)) && page.html.contains("name=\"config.percent\" value=\"0\""), "{}", page.html);
        // Untouched, it compares the binding with itself.
        let page = olga.get(&page.questions()[0]).await;
        assert!(page.says("it admits 0 (0 %)") && page.says("Nothing changes for any of them."), "{}", page.html);
        let scope = format!("gray_task:{}", text(&task["id"]));
        let fields = [("scope", scope.as_str()), ("config.percent", "100"), ("against", &binding)];
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let page = olga.get(&format!("/ui/policies/percentage/replay?{query}")).await;
        assert!(page.says("it admits 40 (100 %)") && page.says("Newly admitted"), "{}", page.html);
        let command = page.commands().pop().unwrap();
        assert!(command.contains(&format!("--against {binding}")) && command.contains("--scope gray-task:"), "{command}");
        let task = scene.admin.get(&format!("/v1/gray-tasks/{}", text(&task["id"]))).await.good();
        assert_eq!(task["policies"][0]["config"], json!({"percent": 0}), "nothing is stored");
    }

    async fn g26_more_devices_are_counted_page_by_page(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        begin(&scene, &browser).await;
        ask(&scene, 6).await;
        // As an address has it after the first thousand, of which nobody is left here.
        let so_far = [("config.admit", "true"), ("counted", "1000.400.1000.0.0.0"), ("cursor", &"0".repeat(32))];
        let page = browser.get(&replay("expression", &so_far)).await;
        assert!(page.says("Of 1,006 recorded devices it admits 406 (40 %)."), "{}", page.html);
    }
}
