//! The form of a gray task in the console.

use berth_tests::{browser::Browser, on_both, scene::Scene};

on_both! {
    async fn g8_a_gray_task_says_what_it_would_do_and_its_form_is_an_address(host) {
        let scene = Scene::set(host).await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let form = "/ui/mini-apps/coffee/gray/new";
        let page = browser.get(form).await;
        let preset = page.links().into_iter().find(|link| link.contains("percent=1")).unwrap();
        let page = browser.get(&preset).await;
        assert!(page.faults().is_empty(), "{:?}", page.faults());
        for part in ["Gives 1.1.0 from", "Share of the devices: 1 %", "Guard error-rate: watches", "There is no cap."] {
            assert!(page.says(part), "{part}: {}", page.html);
        }
        // The form is asked what it says: the question is an address, which somebody else opens.
        let with = |page: &berth_tests::browser::Page, more: &[(&str, &str)]| {
            let mut fields = page.filled();
            fields.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
            fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            fields
        };
        let send = async |fields: &[(String, String)]| {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            browser.send(form, &fields).await
        };
        let asked = with(&page, &[("name", "canary"), ("max_users", "100"), ("platforms", "android"), ("preview", "yes")]);
        let page = send(&asked).await;
        assert!(page.address.contains("max_users=100") && !page.address.contains("preview="), "{}", page.address);
        assert!(!page.address.contains("config.expression"), "policies that are not asked are not in it: {}", page.address);
        let other = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let page = other.get(page.address.split('#').next().unwrap()).await;
        for part in ["Platform: android", "At most 100 devices get it", "Link to the form"] {
            assert!(page.says(part), "{part}: {}", page.html);
        }
        assert!(page.html.contains("name=\"name\" type=\"text\" value=\"canary\""), "{}", page.html);
        // Devices and accounts stand in no address, whoever writes it.
        let named = send(&with(&page, &[("typed.account", "ann"), ("preview", "yes")])).await;
        assert_eq!(named.address, form);
        assert!(named.says("they stand in no address") && named.html.contains(">ann</textarea>"), "{}", named.html);
        let written = other.get(&format!("{form}?percent=1&typed.account=ann")).await;
        assert!(!written.html.contains(">ann</textarea>"), "{}", written.html);
        let wrong = other.get(&format!("{form}?version=1.1.0&percent=ten")).await;
        assert!(wrong.html.contains("id=\"percent-wrong\"") && wrong.faults().is_empty(), "{}", wrong.html);
        let made = send(&with(&page, &[])).await;
        assert!(made.address.starts_with("/ui/gray/gray_"), "{}", made.html);
    }
}
