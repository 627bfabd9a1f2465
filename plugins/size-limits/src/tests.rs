use berth_policy::testing::MemoryPackage;

use super::*;

const APP: &str = r#"{"pages": ["pages/a/a"], "subPackages": [{"root": "/shop/", "pages": ["b"]}, {"root": "shopping", "pages": ["c"]}]}"#;

fn audit(config: &str, package: &MemoryPackage) -> Vec<Finding> {
    SizeLimits::from_json(config).expect(config).audit(package).expect("audits")
}

fn rules(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| &*finding.rule).collect()
}

fn package() -> MemoryPackage {
    MemoryPackage::default().with("app.json", APP).with("pages/a/a.js", "a".repeat(1000))
}

#[test]
fn games_have_the_limits_of_games() {
    let package = |manifest: &str, main: usize, sub: usize| {
        let files = MemoryPackage::default().with(manifest, r#"{"subpackages": [{"root": "levels"}]}"#);
        files.with("game.js", "x".repeat(main << 20)).with("levels/game.js", "x".repeat(sub << 20))
    };
    for (manifest, main, sub, expected) in [
        ("game.json", 3, 5, &[][..]),
        ("game.json", 5, 1, &["main-package-too-big"]),
        ("app.json", 3, 5, &["main-package-too-big", "subpackage-too-big"]),
    ] {
        assert_eq!(rules(&audit("{}", &package(manifest, main, sub))), expected, "{manifest} {main} {sub}");
    }
    let findings = audit(r#"{"subpackage_bytes": 4194304}"#, &package("game.json", 1, 5));
    assert_eq!(rules(&findings), ["subpackage-too-big"]);
}

#[test]
fn a_small_package_passes() {
    assert_eq!(audit("{}", &package()), []);
}

#[test]
fn a_part_may_be_as_big_as_its_limit_and_not_a_byte_bigger() {
    let fill = |size: usize| MemoryPackage::default().with("app.json", "{}").with("a.js", "a".repeat(size - 2));
    assert_eq!(audit("{}", &fill(2 << 20)), []);
    let findings = audit("{}", &fill((2 << 20) + 1));
    assert_eq!(rules(&findings), ["main-package-too-big"]);
    let told = "The main package has 2097153 bytes, 1 bytes over the limit of 2097152 bytes.";
    assert!(findings[0].message.starts_with(told), "{}", findings[0].message);
}

#[test]
fn a_subpackage_counts_for_itself_and_not_for_the_main_package() {
    let package = package().with("shop/b.js", "b".repeat(5000));
    let findings = audit(r#"{"main_bytes": 1200, "subpackage_bytes": 4096}"#, &package);
    assert_eq!(rules(&findings), ["subpackage-too-big"]);
    assert_eq!(
        findings[0].message,
        "The subpackage shop has 5000 bytes, 904 bytes over the limit of 4096 bytes. The biggest files: shop/b.js (4 KiB)."
    );
}

#[test]
fn a_folder_whose_name_only_begins_alike_is_another_one() {
    let package = package().with("shopping/c.js", "c".repeat(5000)).with("shop.js", "d".repeat(5000));
    let findings = audit(r#"{"main_bytes": 4096, "subpackage_bytes": 6000}"#, &package);
    assert_eq!(rules(&findings), ["main-package-too-big"]);
}

#[test]
fn workers_that_are_a_subpackage_count_for_themselves() {
    let with = |workers: &str| {
        let manifest = format!(r#"{{"pages": ["pages/a/a"], "workers": {workers}}}"#);
        MemoryPackage::default().with("app.json", manifest).with("workers/w.js", "w".repeat(5000))
    };
    let config = r#"{"main_bytes": 4096, "subpackage_bytes": 4500}"#;
    let own = audit(config, &with(r#"{"path": "/workers/", "isSubpackage": true}"#));
    assert_eq!(rules(&own), ["subpackage-too-big"]);
    for workers in [r#""workers""#, r#"{"path": "workers"}"#, r#"{"path": "workers", "isSubpackage": false}"#] {
        assert_eq!(rules(&audit(config, &with(workers))), ["main-package-too-big"], "{workers}");
    }
}

#[test]
fn all_together_have_a_limit() {
    let findings = audit(r#"{"total_bytes": 1024}"#, &package());
    assert_eq!(rules(&findings), ["total-too-big"]);
    assert!(findings[0].message.contains("pages/a/a.js (1000 bytes)"), "{}", findings[0].message);
}

#[test]
fn files_have_limits_when_asked_for() {
    let findings = audit(r#"{"file_bytes": 500, "file_count": 1}"#, &package());
    assert_eq!(rules(&findings), ["too-many-files", "file-too-big"]);
    assert_eq!(findings[1].place, Some(Place::file("pages/a/a.js")));
}

#[test]
fn a_manifest_that_cannot_be_read_does_not_hide_a_size() {
    let package = MemoryPackage::default().with("app.json", "{").with("a.js", "a".repeat(3 << 20));
    assert_eq!(rules(&audit("{}", &package)), ["main-package-too-big"]);
}

#[test]
fn sizes_read_as_people_say_them() {
    let text = |bytes| Bytes(bytes).to_string();
    assert_eq!([text(999), text(2048), text(MIB * 5 / 2)], ["999 bytes", "2 KiB", "2.5 MiB"]);
}

#[test]
fn what_minifying_would_leave_out_is_told_where_it_matters() {
    let fix = |path: &str, text: &str| {
        let package = package().with(path, text);
        audit(r#"{"main_bytes": 2000}"#, &package).remove(0).fix.unwrap_or_default()
    };
    let lines = "        call(a, b)\n".repeat(60);
    let enough = fix("b.js", &lines);
    assert!(enough.contains("which is enough") && enough.contains("minifyWXSS"), "{enough}");
    let more = fix("b.js", &format!("{lines}{}", "x".repeat(1500)));
    assert!(more.contains("not enough alone") && more.contains("subpackages"), "{more}");
    for (path, text) in [("b.js", "x".repeat(1500)), ("b.png", lines.clone())] {
        assert!(!fix(path, &text).contains("minify"), "{path}");
    }
}

/// Seen in a mini-program of Baidu's, which was told of the project file of WeChat.
#[test]
fn how_the_vendors_tool_minifies_is_told_of_the_vendor() {
    let lines = "        call(a, b)\n".repeat(200);
    let fix = |manifest: &str, page: &str| {
        let package =
            MemoryPackage::default().with(manifest, r#"{"pages": ["a"]}"#).with(page, "").with("b.js", &*lines);
        audit(r#"{"main_bytes": 2000}"#, &package).remove(0).fix.unwrap_or_default()
    };
    assert!(fix("app.json", "a.wxml").contains("WeChat's tool does so as it uploads (minified"));
    for (manifest, page, told) in [
        ("app.json", "a.swan", "Baidu's tool may do so"),
        ("app.json", "a.axml", "Alipay's tool may do so"),
        ("app.json", "a.qxml", "Tools of vendors may do so"),
        ("game.json", "game.js", "Tools of vendors may do so"),
    ] {
        let fix = fix(manifest, page);
        assert!(fix.contains(told) && !fix.contains("project.config.json"), "{fix}");
    }
}
