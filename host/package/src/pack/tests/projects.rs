//! Finding the mini-program of a project, and its dialect.

use super::*;

#[test]
fn a_copied_project_file_whose_root_does_not_exist_packs_its_own_folder() {
    let config = ("project.config.json", r#"{"miniprogramRoot": "dist/"}"#);
    let (report, _) = pack_it(&project(&[config, ("app.json", APP)])).expect("a package");
    assert_eq!(included(&report), ["app.json"]);
    assert!(report.warnings[0].contains("miniprogramRoot \"dist\" does not exist"), "{:?}", report.warnings);
    refused(&project(&[config, ("app.json", APP), ("dist/x.js", "")]), "manifest-missing");
}

#[test]
fn each_dialect_has_its_project_file_and_its_root() {
    for (file, member, markup, dialect) in [
        ("project.config.json", "miniprogramRoot", "wxml", Dialect::WeChat),
        ("project.config.json", "miniprogramRoot", "ttml", Dialect::Douyin),
        ("project.config.json", "miniprogramRoot", "qml", Dialect::Qq),
        ("mini.project.json", "miniprogramRoot", "axml", Dialect::Alipay),
        ("project.swan.json", "smartProgramRoot", "swan", Dialect::Baidu),
    ] {
        let config = format!(r#"{{"{member}": "client\\app\\"}}"#);
        let page = format!("client/app/pages/index.{markup}");
        let dir = project(&[(file, &config), ("client/app/app.json", APP), (&page, "")]);
        let (report, _) = pack_it(&dir).expect("a package");
        assert_eq!((report.dialect, report.root), (Some(dialect), dir.path().join("client/app")));
    }
    let toutiao = ("project.config.json", r#"{"appid": "tt0123456789", "miniprogramRoot": 1}"#);
    assert_eq!(pack_it(&project(&[toutiao, ("app.json", APP)])).expect("a package").0.dialect, Some(Dialect::Douyin));
}

#[test]
fn builds_of_frameworks_are_found_and_named_and_their_sources_told() {
    let built = [("dist/build/mp-weixin/app.json", APP), ("dist/build/mp-weixin/common/vendor.js", "")];
    let main = ("dist/build/mp-weixin/common/runtime.js", "");
    let source = ("src/pages.json", "{}");
    let (report, _) = pack_it(&project(&[built[0], built[1], main, source])).expect("a package");
    assert_eq!(report.built_by, Some(Framework::UniApp));
    let error = refused(&project(&[built[0], ("dist/build/mp-alipay/app.json", APP)]), "manifest-missing");
    assert!(error.detail.contains("mp-weixin") && error.detail.contains("mp-alipay"), "{error}");
    let error = refused(&project(&[source]), "manifest-missing");
    assert!(error.detail.contains("uni-app") && error.detail.contains("build it"), "{error}");
    let error = refused(&project(&[("src/app.config.ts", "")]), "manifest-missing");
    assert!(error.detail.contains("Taro"), "{error}");
}

#[test]
fn a_dialect_that_is_not_known_is_said_whatever_the_project_file_or_the_style_is() {
    let config = ("project.config.json", "{}");
    for style in ["app.css", "app.wxss"] {
        let files = [config, ("app.json", APP), ("pages/index.qxml", ""), (style, "")];
        let (report, _) = pack_it(&project(&files)).expect("a package");
        assert_eq!(report.dialect, None);
        assert!(report.warnings[0].contains(".qxml") && report.warnings[0].contains("Alipay (.axml)"), "{report:?}");
    }
    let (report, _) = pack_it(&project(&[config, ("app.json", APP), ("pages/index.ksml", "")])).expect("a package");
    assert_eq!((report.dialect, report.warnings), (Some(Dialect::Kuaishou), vec![]));
}

#[test]
fn sources_of_frameworks_are_told_how_to_be_built_whether_they_can_be_packed_or_not() {
    let mpvue = ("package.json", r#"{"dependencies": {"mpvue": "2"}}"#);
    let (report, _) = pack_it(&project(&[mpvue, ("src/app.json", APP), ("src/pages/index.vue", "")])).expect("one");
    assert!(report.warnings[0].contains("mpvue") && report.warnings[0].contains("dist/wx"), "{report:?}");
    let built = [mpvue, ("src/app.json", APP), ("dist/app.json", APP), ("dist/pages/index.wxml", "")];
    assert_eq!(pack_it(&project(&built)).expect("a package").0.warnings, [""; 0]);
    let remax = ("package.json", r#"{"devDependencies": {"remax": "2"}}"#);
    let error = refused(&project(&[remax, ("src/app.json", "{}")]), "manifest-shape");
    assert!(error.detail.contains("npx remax build -t wechat"), "{error}");
}

#[test]
fn a_manifest_json_of_another_kind_is_told_for_what_it_is() {
    let quick = r#"{"package": "com.x", "minPlatformVersion": 1070}"#;
    for place in ["manifest.json", "src/manifest.json"] {
        let error = refused(&project(&[(place, quick), ("src/app.ux", "")]), "manifest-missing");
        assert!(error.detail.contains("quick app") && !error.detail.contains("No folder below"), "{error}");
    }
    let error = refused(&project(&[("phone/manifest.json", quick), ("readme.txt", "")]), "manifest-missing");
    assert!(error.detail.contains("/phone: manifest.json is that of a quick app"), "{error}");
    let game = quick.replacen('{', r#"{"type": "game", "#, 1);
    let error = refused(&project(&[("manifest.json", &game), ("main.js", "")]), "manifest-missing");
    assert!(error.detail.contains("quick game"), "{error}");
}

#[test]
fn a_game_is_packed_and_a_plugin_is_told_what_is_supported() {
    let (report, _) = pack_it(&project(&[("game.json", "{}"), ("game.js", "")])).expect("a package");
    assert_eq!((report.kind, report.dialect), (ManifestKind::Game, None));
    let config = r#"{"compileType": "plugin", "miniprogramRoot": "miniprogram/", "pluginRoot": "plugin/"}"#;
    let dir = project(&[("project.config.json", config), ("miniprogram/app.json", APP), ("plugin/plugin.json", "{}")]);
    let error = refused(&dir, "plugin");
    assert!(error.detail.contains("game.json") && error.detail.contains("miniprogram"), "{error}");
}

#[test]
fn a_manifest_of_uni_app_beside_the_manifest_is_a_warning() {
    let foreign = ("manifest.json", "{ /* basics */ \"appid\": \"__UNI__\", // id\n}");
    let (report, _) = pack_it(&project(&[("app.json", APP), foreign])).expect("a package");
    assert!(report.warnings[0].contains("manifest.json"), "{:?}", report.warnings);
}

#[test]
fn the_root_is_where_the_project_says_or_where_the_manifest_is() {
    let config = r#"{"miniprogramRoot": "./client/", "appid": "wx0123456789abcdef"}"#;
    for (files, root) in [
        (&[("project.config.json", config), ("client/app.json", APP), ("app.json", "not this one")][..], "client"),
        (&[("app.json", APP), ("src/app.json", "x")], ""),
        (&[("dist/app.json", APP), ("src/app.json", "x")], "dist"),
        (&[("src/app.json", APP)], "src"),
        (&[("miniprogram/app.json", APP), ("project.config.json", "{\"miniprogramRoot\": \"\"}")], "miniprogram"),
    ] {
        let dir = project(files);
        let (report, _) = pack_it(&dir).expect(root);
        assert_eq!(report.root.strip_prefix(dir.path()).expect("below"), Path::new(root));
    }
}

#[test]
fn a_missing_manifest_is_refused_with_the_places_that_have_one() {
    let error = refused(&project(&[("packages/shop/build/app.json", APP), ("x.js", "")]), "manifest-missing");
    assert!(error.detail.contains("miniprogram, dist, src") && error.detail.contains("packages/shop/build"), "{error}");
    let config = ("project.config.json", r#"{"miniprogramRoot": "dist/"}"#);
    let error = refused(&project(&[config, ("src/app.json", APP)]), "manifest-missing");
    assert!(error.detail.contains("miniprogramRoot") && error.detail.contains("src"), "{error}");
    let escape = ("project.config.json", r#"{"miniprogramRoot": "../other"}"#);
    refused(&project(&[escape, ("app.json", APP)]), "project-config");
    refused(&project(&[("project.config.json", "{"), ("app.json", APP)]), "project-config");
    let error = pack(Path::new("/no/such/folder"), &mut Vec::new(), &PackOptions::default()).expect_err("a refusal");
    assert!(error.detail.contains("/no/such/folder"), "{error}");
}
