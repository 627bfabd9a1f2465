//! The pages of merchants in the console.

use berth_tests::{
    Database, Host,
    browser::Browser,
    merchant::Merchant,
    on_both,
    scene::{Scene, person},
};
use serde_json::json;

on_both! {
    async fn e3_e7_a_merchant_sees_which_endpoint_application_holds_which_product(host) {
        let scene = Scene::set(host).await;
        let merchant = Merchant::new(&scene.admin, "brew").await;
        merchant.buys("pi-crm", "crm").await;
        merchant.buys("pi-mall", "mall").await;
        let expired = json!({"expires_at": "2026-01-02T00:00:00Z"});
        merchant.said("purchase", "pi-old", "guide", "2026-01-01T00:00:00Z", expired).await;
        let shop = merchant.endpoint("Shop", &["pi-mall", "pi-old"]).await;
        merchant.channel("wechat_mini_program", "wxb11529c136998cb6", &shop).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let page = browser.get("/ui/merchants/brew").await;
        assert!(page.faults().is_empty(), "{:?}", page.faults());
        for cell in [
            format!("/ui/merchants/brew/endpoint-apps/{shop}?product=pi-crm#products\" class=\"blank\">"),
            format!("/ui/merchants/brew/endpoint-apps/{shop}?product=pi-mall#products\" class=\"badge ok\">"),
            format!("/ui/merchants/brew/endpoint-apps/{shop}?product=pi-old#products\" class=\"badge warn\">"),
        ] {
            assert!(page.html.contains(&cell), "{cell}: {}", page.html);
        }
        assert!(page.says("in it, active") && page.says("in it, expired") && page.says("not in it"), "{}", page.html);
        assert!(page.says("wxb11529c136998cb6 WeChat mini-program"), "{}", page.html);
        // A blank cell leads to the form in which its product is chosen.
        let form = browser.get(&format!("/ui/merchants/brew/endpoint-apps/{shop}?product=pi-crm")).await;
        assert!(form.html.contains("<option value=\"pi-crm\" selected>"), "{}", form.html);
        // Nobody chooses for the default one, and who looks on changes nothing.
        let default = merchant.default_endpoint().await;
        assert!(!page.html.contains(&format!("{default}?product=")), "{}", page.html);
        let (viewer, token) = person(&scene.admin, "Vera", json!({})).await;
        scene.admin.put(&format!("/v1/merchants/brew/members/{viewer}"), json!({"role": "viewer"})).await.good();
        let seen = Browser::signed_in(&scene.host, &token).await.get("/ui/merchants/brew").await;
        assert!(seen.says("in it, active") && !seen.html.contains("?product="), "{}", seen.html);
    }
}

#[tokio::test]
async fn e7_the_page_of_a_merchant_stays_small_with_hundreds_of_products() {
    let scene = Scene::set(Host::start(Database::Sqlite).await).await;
    let merchant = Merchant::new(&scene.admin, "brew").await;
    let products: Vec<_> = (100..400).map(|number| format!("pi-mall-{number}")).collect();
    for product in &products {
        merchant.buys(product, "mall").await;
    }
    for number in 0..30 {
        let shop =
            merchant.endpoint(&format!("Shop {number}"), &[&products[number], &products[0], &products[299]]).await;
        for channel in 0..3 {
            merchant.channel("h5", &format!("https://shop-{number}.example.com/{channel}"), &shop).await;
        }
    }
    let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
    let mut page = browser.get("/ui/merchants/brew").await;
    assert!(page.says("10 product instances that were not given up are shown at once"), "{}", page.html);
    let mut columns = 0;
    loop {
        assert!(page.html.len() < 100_000 && page.faults().is_empty(), "{} {:?}", page.html.len(), page.faults());
        columns += page.html.matches("<code class=\"meta\">pi-mall-").count() - 50;
        let more = page.links().into_iter().find(|link| link.starts_with("/ui/merchants/brew?columns="));
        let Some(more) = more else { break };
        page = browser.get(&more).await;
    }
    assert_eq!(columns, 300, "each is a column once");
    let rows = page.links().into_iter().find(|link| link.contains("apps=cid_")).unwrap();
    assert!(browser.get(&rows).await.says("Shop 29"), "the other endpoint applications are on the next page");
}
