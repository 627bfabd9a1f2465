//! `berth audit`, which asks no host.

use super::Desk;

const APP: &str = r#"{"pages": ["pages/index"]}"#;

/// A folder with a mini-program of one page, and other files.
fn folder(desk: &Desk, files: &[(&str, &str)]) -> String {
    for (path, text) in
        [("app.json", APP), ("app.js", ""), ("pages/index.js", "Page({})"), ("pages/index.wxml", "<view/>")]
    {
        desk.write(&format!("shop/{path}"), text);
    }
    for (path, text) in files {
        desk.write(&format!("shop/{path}"), text);
    }
    desk.arg("shop")
}

#[tokio::test]
async fn v5_a_folder_is_audited_here_as_a_host_would() {
    let desk = Desk::bare();
    let shop = folder(&desk, &[]);
    let ran = desk.run(&format!("audit {shop} --json")).await.good();
    let judged = ran.json();
    assert_eq!(judged["rejected"], false);
    let policies: Vec<_> = judged["evaluations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["policy"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        policies.contains(&"package-structure".to_owned()) && !policies.contains(&"percentage".to_owned()),
        "{policies:?}"
    );

    let shop = folder(&desk, &[("app.json", r#"{"pages": ["pages/index", "pages/gone"]}"#)]);
    let ran = desk.run(&format!("audit {shop}")).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("error package-structure/page-missing"), "{}", ran.out);
    assert!(
        ran.err.contains("would-be-rejected") && ran.err.contains("package-structure found 1 error"),
        "{}",
        ran.err
    );
}

#[tokio::test]
async fn what_was_packed_and_what_is_unusual_about_it_is_told() {
    let desk = Desk::bare();
    let ran = desk.run(&format!("audit {}", folder(&desk, &[]))).await.good();
    assert!(ran.err.contains("shop: WeChat mini-program"), "{}", ran.err);
    let page = [("app.json", APP), ("app.js", ""), ("pages/index.js", "Page({})"), ("pages/index.qxml", "<view/>")];
    for (path, text) in page {
        desk.write(&format!("strange/{path}"), text);
    }
    let ran = desk.run(&format!("audit {}", desk.arg("strange"))).await.good();
    assert!(ran.err.contains("warning: The markup of the first page is .qxml"), "{}", ran.err);
    assert!(ran.out.contains("warning package-structure/unknown-dialect"), "{}", ran.out);
}

#[tokio::test]
async fn d14_what_a_host_will_ask_the_privacy_agreement_for_is_said_before_it_rejects() {
    let desk = Desk::bare();
    let files = [("berth.json", r#"{"id": "mp-shop", "version": "1.2.0"}"#), ("pages/index.js", "wx.getLocation()")];
    let ran = desk.run(&format!("audit {}", folder(&desk, &files))).await.good();
    let told = "warning privacy/agreement-needed No agreement is known here; a host rejects this until the privacy \
                agreement declares location.";
    assert!(ran.out.contains(told), "{}", ran.out);
    assert!(ran.out.contains("berth privacy declare mp-shop --kind location --purpose …"), "{}", ran.out);
}

#[tokio::test]
async fn v5_an_apkg_is_audited_with_the_configs_that_are_given_and_as_sarif() {
    let desk = Desk::bare();
    let shop = folder(&desk, &[]);
    let out = desk.folder.path().display().to_string();
    desk.run(&format!("pack {shop} --id mp-shop --version 1.2.0 -o {out}")).await.good();
    let apkg = desk.arg("mp-shop_1.2.0.apkg");
    desk.run(&format!("audit {apkg}")).await.good();
    let ran = desk.run(&format!(r#"audit {apkg} --sarif --policy size-limits={{"main_bytes":1}}"#)).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    let sarif: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let run =
        sarif["runs"].as_array().unwrap().iter().find(|run| run["tool"]["driver"]["name"] == "size-limits").unwrap();
    assert_eq!(run["results"][0]["level"], "error");
    let ran = desk.run(&format!(r#"audit {apkg} --policy size-limits={{"nonsense":1}}"#)).await;
    assert_eq!(ran.code, 2, "{}", ran.err);
}

#[tokio::test]
async fn auditors_are_compiled_once_and_kept_where_only_their_owner_writes() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::bare();
    let shop = folder(&desk, &[]);
    let kept = || {
        let entries = std::fs::read_dir(desk.path("cache/policies")).unwrap().map(|entry| entry.unwrap());
        let mut kept: Vec<_> =
            entries.map(|one| (one.file_name(), one.metadata().unwrap().modified().unwrap())).collect();
        kept.sort();
        kept
    };
    desk.run(&format!("audit {shop}")).await.good();
    let first = kept();
    assert!(first.len() >= 4, "{first:?}");
    let mode = std::fs::metadata(desk.path("cache/policies")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    desk.run(&format!("audit {shop}")).await.good();
    assert_eq!(kept(), first, "nothing was compiled again");
    let auditor = berth_judge::builtin::ALL.iter().find(|one| one.name == "package-structure").unwrap();
    let file = desk.write("auditor.wasm", auditor.wasm);
    desk.run(&format!("policy inspect {file}")).await.good();
    assert_eq!(kept(), first, "no command compiles what another one has");

    // A folder in which others can write is not used: its files would run as code.
    std::fs::set_permissions(desk.path("cache/policies"), PermissionsExt::from_mode(0o777)).unwrap();
    std::fs::remove_file(desk.path("cache/policies").join(&first[0].0)).unwrap();
    desk.run(&format!("audit {shop}")).await.good();
    assert_eq!(kept().len(), first.len() - 1);
}

#[tokio::test]
async fn v2_what_a_host_would_not_take_is_refused_before_any_auditor() {
    let desk = Desk::bare();
    let shop = folder(&desk, &[("app.json", "{}")]);
    let ran = desk.run(&format!("audit {shop}")).await;
    assert!(ran.code == 1 && ran.err.contains("package-manifest"), "{} {}", ran.code, ran.err);
    let ran = desk.run(&format!("audit {}", desk.arg("nothing"))).await;
    assert_eq!(ran.code, 2, "{}", ran.err);
}
