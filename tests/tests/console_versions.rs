//! The pages of versions in the console: their files, what changed since another one, and their audits.

use std::{fs, path::Path, process::Command};

use berth_tests::{
    Database, Host,
    browser::Browser,
    on_both, packed_folder,
    scene::{Scene, text},
};

/// Uploads coffee as it is after `change`.
async fn push_changed(scene: &Scene, number: &str, change: impl FnOnce(&Path)) {
    let work = tempfile::tempdir().unwrap();
    let copy = work.path().join("coffee");
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../packages/coffee/1.0.0");
    assert!(Command::new("cp").args(["-r", sample]).arg(&copy).status().unwrap().success());
    change(&copy);
    let name = format!("coffee_{number}.apkg");
    scene.admin.push(&name, packed_folder(&copy, &name)).await.good();
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Adds to the manifest, and to the script of the first page.
fn changed(folder: &Path, manifest: &str, script: &str) {
    let app = folder.join("app.json");
    let text = fs::read_to_string(&app).unwrap();
    fs::write(app, text.replacen('{', &format!("{{{manifest},"), 1)).unwrap();
    let index = folder.join("pages/index/index.js");
    let text = fs::read_to_string(&index).unwrap();
    fs::write(index, format!("{script}\n{text}")).unwrap();
}

on_both! {
    async fn v13_a_comparison_tells_the_manifest_and_what_the_auditors_say_of_one_alone(host) {
        let scene = Scene::set(host).await;
        push_changed(&scene, "1.0.0", |folder| {
            changed(folder, r#""networkTimeout": {"request": 1000}"#, "wx.request({url: 'https://old.example.com/'});");
        }).await;
        let audit = scene.submit("1.0.0").await;
        scene.decide(&audit, true, "").await.good();
        scene.publish("1.0.0").await.good();
        push_changed(&scene, "1.1.0", |folder| {
            changed(folder, r#""networkTimeout": {"request": 9000}"#, "wx.request({url: 'https://new.example.com/'});");
            write(folder, "pages/index/more.js", "module.exports = 1;");
        }).await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let compare = "/ui/mini-apps/coffee/compare?from=1.0.0&to=1.1.0";
        let early = browser.get(compare).await;
        assert!(early.says("Policies have not judged both versions"), "{}", early.html);
        let audit = scene.submit("1.1.0").await;
        let page = browser.get(compare).await;
        assert!(page.faults().is_empty(), "{:?}", page.faults());
        for part in ["1 added, 0 removed, 2 changed", "/networkTimeout/request 1000 9000", "Unpacked"] {
            assert!(page.says(part), "{part}: {}", page.html);
        }
        let sections = page.html.split("<h3>").collect::<Vec<_>>();
        let section = |what: &str| sections.iter().find(|part| part.contains(what)).unwrap().to_string();
        assert!(section("</span> added").contains("new.example.com"), "{}", page.html);
        assert!(section("</span> removed").contains("old.example.com"), "{}", page.html);
        // The same over HTTP, and from where it is decided.
        let told = scene.admin.get("/v1/mini-apps/coffee/compare?from=1.0.0&to=1.1.0").await.good();
        assert_eq!(told["manifest"][0]["member"], "/networkTimeout/request");
        assert_eq!(told["findings"]["added"][0]["policy"], "server-domains", "{told}");
        let audit = browser.get(&format!("/ui/audits/{}", text(&audit["id"]))).await;
        assert!(audit.links().contains(&compare.to_owned()), "{:?}", audit.links());
    }

    async fn v5_findings_are_shown_by_severity_and_policy_and_are_a_file(host) {
        let scene = Scene::set(host).await;
        scene.submit_script("1.0.0", "eval(location.hash);\nwx.request({url: 'https://new.example.com/'});").await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let findings = "/ui/mini-apps/coffee/versions/1.0.0/findings";
        let all = browser.get(findings).await;
        assert!(all.says("new.example.com") && all.html.contains(">dynamic-code</code>"), "{}", all.html);
        let some = browser.get(&format!("{findings}?severity=warning&policy=server-domains")).await;
        assert!(some.faults().is_empty() && some.says("new.example.com"), "{:?} {}", some.faults(), some.html);
        assert!(!some.html.contains(">dynamic-code</code>"), "{}", some.html);
        assert!(some.links().contains(&format!("{findings}?policy=server-domains")), "{:?}", some.links());
        let file = browser.get(&format!("{findings}.sarif")).await;
        assert_eq!(file.headers["content-type"], "application/sarif+json");
        assert!(file.html.contains("\"2.1.0\""), "{}", file.html);
    }

    async fn v6_the_audits_before_are_on_the_page_of_a_version(host) {
        let scene = Scene::set(host).await;
        scene.push("1.0.0", "1.0.0").await.good();
        let first = scene.submit("1.0.0").await;
        let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
        let version = "/ui/mini-apps/coffee/versions/1.0.0";
        assert!(!browser.get(version).await.says("Earlier audits"));
        scene.admin.send("POST", "/v1/mini-apps/coffee/versions/1.0.0/withdraw", None).await.good();
        let second = scene.submit("1.0.0").await;
        scene.decide(&second, false, "It is too bitter.").await.good();
        scene.admin.send("POST", "/v1/mini-apps/coffee/versions/1.0.0/submit", None).await.good();
        let page = browser.get(version).await;
        assert!(page.faults().is_empty() && page.says("Earlier audits"), "{:?} {}", page.faults(), page.html);
        assert!(page.says("super-app: rejected,") && page.says("It is too bitter."), "{}", page.html);
        let links = page.links();
        let place = |audit: &serde_json::Value| {
            let address = format!("/ui/audits/{}", text(&audit["id"]));
            links.iter().position(|link| *link == address).unwrap()
        };
        assert!(place(&second) < place(&first), "the newest is first: {links:?}");
    }
}

#[tokio::test]
async fn f77_v5_the_files_of_a_large_package_are_read_folder_by_folder() {
    let scene = Scene::set(Host::start(Database::Sqlite).await).await;
    push_changed(&scene, "1.0.0", |folder| {
        for number in 0..5500 {
            write(folder, &format!("assets/{number:04}.txt"), "a");
        }
        for number in 0..3500 {
            write(folder, &format!("lib/{:03}/deep/{number:04}.js", number / 10), "1;");
        }
        write(folder, "pages/index/extra.js", "var page = 1;\neval(location.hash);");
        changed(folder, r#""debug": false"#, "require('./extra');");
    })
    .await;
    scene.submit("1.0.0").await;
    let browser = Browser::signed_in(&scene.host, &scene.host.admin_token).await;
    let files = "/ui/mini-apps/coffee/versions/1.0.0/files";
    let get = async |query: &str| {
        let page = browser.get(&format!("{files}{query}")).await;
        assert!(page.status == 200 && page.faults().is_empty(), "{query}: {:?}", page.faults());
        assert!(page.html.len() < 100_000, "{query}: {} bytes", page.html.len());
        page
    };
    let root = get("").await;
    assert!(root.html.contains("<details open><summary>pages <span class=\"badge bad\">1"), "{}", root.html);
    assert!(root.links().iter().any(|link| link.ends_with("path=pages%2Findex%2Fextra.js")), "it has the finding");
    assert!(root.says("assets 5,500 files, 5.5 kB") || root.says("assets/ 5,500 files, 5.5 kB"), "{}", root.html);
    let file = get("?path=lib%2F349%2Fdeep%2F3499.js").await;
    assert!(file.html.contains("3499.js\" aria-current=\"page\""), "the open file is in the tree: {}", file.html);
    assert!(file.links().contains(&format!("{files}?in=lib%2F349")), "each folder above it has an address");
    let mut folder = get("?in=assets").await;
    let mut seen = folder.html.matches("<tr><th scope=\"row\"").count();
    while let Some(next) = folder.html.contains("rel=\"next\"").then(|| folder.links()) {
        let next = next.into_iter().rfind(|link| link.contains("&page=")).unwrap();
        folder = get(next.strip_prefix(files).unwrap()).await;
        seen += folder.html.matches("<tr><th scope=\"row\"").count();
    }
    assert_eq!(seen, 5500, "every file is on one page of its folder");
    assert!(get("?in=no%2Fsuch").await.says("The package has no such folder."));
}
