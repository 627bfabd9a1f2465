//! The console on a phone.

use berth_tests::{
    Database, Host,
    browser::Browser,
    there_is,
    tour::{all_pages, furnished, window},
};

/// The width of a small phone, in pixels.
const PHONE: u32 = 360;

/// Tables and code may be scrolled in their own boxes; a page is only scrolled down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_is_wider_than_a_phone_in_a_real_browser() {
    let Some(driver) = there_is("BERTH_TEST_BROWSER") else { return };
    let scene = furnished(Host::start(Database::Sqlite).await).await;
    let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
    let mut pages: Vec<_> = all_pages(&browser).await.into_iter().map(|page| page.address).collect();
    pages.extend(["/ui/no-such-page", "/ui/sign-in", "/portal/acme"].map(str::to_owned));
    let window = window(&scene, &driver, PHONE).await;
    window.narrow_to(PHONE).await;
    let mut faults = Vec::new();
    for language in ["en", "zh-CN"] {
        window.keep("berth_language", language).await;
        for address in &pages {
            window.go(&format!("{}{address}", scene.host.url)).await;
            let out = window.stands_out().await;
            if !out.is_empty() {
                faults.push(format!("{language} {address}: {}", out.join(" | ")));
            }
        }
    }
    let log = window.complaints().await;
    window.close().await;
    // Two of the pages are not there.
    let complaints: Vec<_> = log.iter().filter(|line| !line.ends_with("(Not Found)")).collect();
    assert!(complaints.is_empty(), "the log of the browser: {complaints:?}");
    assert!(faults.is_empty(), "{} of {} pages:\n{}", faults.len(), 2 * pages.len(), faults.join("\n"));
}
