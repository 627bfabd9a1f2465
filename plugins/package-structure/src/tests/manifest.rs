use super::*;

#[test]
fn tabs_lead_to_pages_of_the_main_package() {
    let tab = |path: &str| {
        declaring(&format!(
            r#"{{"pages": ["pages/me/me"], "subpackages": [{{"root": "shop/", "pages": ["list/list"]}}], "tabBar": {{"list": [{{"pagePath": "{path}"}}]}}}}"#
        ))
    };
    assert_eq!(rules(&tab("pages/me/me")), [""; 0]);
    assert!(only(&tab("pages/index/index")).message.contains("is not declared"));
    assert!(only(&tab("shop/list/list")).message.contains("is a page of a subpackage"));
}

#[test]
fn tabs_of_alipay_are_looked_at_too() {
    let items = GOOD.replacen("\"list\"", "\"items\"", 1).replacen("iconPath", "icon", 1);
    let alipay = |manifest: &str| in_dialect(declaring(manifest), "axml");
    assert_eq!(audit(&alipay(&items)), []);
    assert_eq!(rules(&alipay(&items.replacen("img/home.png", "img/no.png", 1))), ["tab-icon-missing"]);
    let page = items.replacen(r#"{"pagePath": "pages/me/me""#, r#"{"pagePath": "shop/list/list""#, 1);
    assert_eq!(rules(&alipay(&page)), ["tab-page-undeclared"]);
    assert_eq!(audit(&declaring(&page)), [], "WeChat has no items");
}

#[test]
fn tab_icons_exist() {
    let finding = only(
        &good()
            .without("img/home.png")
            .with("img/Home.png", "x")
            .with("app.json", GOOD.replace("\"/img/", "\"https://cdn/")),
    );
    assert_eq!(finding.rule, "tab-icon-missing");
    assert!(finding.fix.is_some_and(|fix| fix.contains("img/Home.png")));
}

#[test]
fn icons_of_a_folder_that_is_not_there_are_one_error() {
    let finding = only(&declaring(&GOOD.replace("img/home.png", "static/home.png")));
    assert_eq!(
        finding.message,
        "app.json shows in the tab bar the icon static/home.png, but the package has no folder static. One more use leads there."
    );
}

/// The good package with a variable as the icon of its first tab, and a theme.
fn themed(theme: &str) -> MemoryPackage {
    let manifest =
        GOOD.replacen("img/home.png", "@homeIcon", 1).replacen('{', r#"{"themeLocation": "my.theme.json","#, 1);
    declaring(&manifest).with("my.theme.json", theme)
}

#[test]
fn tab_icons_may_be_variables_of_the_theme() {
    let both = r#"{"light": {"homeIcon": "img/home.png"}, "dark": {"homeIcon": "/img/night.png"}}"#;
    assert_eq!(audit(&themed(both).with("img/night.png", "png")), []);
    let finding = only(&themed(both));
    assert!(finding.message.contains("/img/night.png"), "{finding:?}");
    assert_eq!(finding.place.map(|place| (place.path, place.line)), Some(("app.json".into(), 6)));
}

#[test]
fn a_variable_that_no_theme_defines_is_an_error() {
    let finding = only(&themed(r#"{"light": {"other": "img/home.png"}}"#));
    assert_eq!((&*finding.rule, finding.severity), ("tab-icon-missing", Severity::Error));
    assert!(finding.message.contains("@homeIcon"), "{finding:?}");
}

#[test]
fn a_theme_that_is_not_there_or_cannot_be_read_is_one_error() {
    for package in [themed("[]"), themed(""), themed("{}").without("my.theme.json")] {
        let finding = only(&package);
        assert_eq!((&*finding.rule, finding.severity), ("theme-missing", Severity::Error));
    }
}

#[test]
fn a_slip_of_the_pen_is_a_note_and_members_of_tools_are_none() {
    let tools = r#"{"pages": ["pages/me/me"], "window": {}, "myTool": 1, "_x": 2, "__usePrivacyCheck__": true,
        "agent": {}, "uniStatistics": {}, "groupIdList": [], "dynamicLib": {}}"#;
    assert_eq!(audit(&declaring(tools)), []);
    let finding = only(&declaring(r#"{"pages": ["pages/me/me"], "tabbar": {}, "usingComponent": {}}"#));
    assert_eq!(finding.severity, Severity::Note);
    assert!(finding.message.contains("tabbar for tabBar, usingComponent for usingComponents"), "{}", finding.message);
}

#[test]
fn the_app_has_its_script() {
    let finding = only(&good().without("app.js"));
    assert_eq!((&*finding.rule, finding.severity), ("app-without-script", Severity::Error));
    let source = audit(&good().without("app.js").with("app.ts", "App({})")).remove(0);
    assert!(source.message.contains("app.ts is a source") && source.fix.unwrap_or_default().contains("(tsc)"));
}

/// The good package with additional members in its manifest.
fn asking(members: &str) -> MemoryPackage {
    declaring(&GOOD.replacen('{', &format!("{{{members},"), 1))
}

#[test]
fn bars_that_the_manifest_asks_for_are_components_of_the_package() {
    let custom = declaring(&GOOD.replacen("\"list\"", "\"custom\": true, \"list\"", 1));
    assert_eq!(rules(&custom.clone().without("img/home.png").with("img/home.png", "x")), ["bar-missing"]);
    assert_eq!(audit(&component(custom.clone(), "custom-tab-bar/index")), []);
    // A page with a tab that uses a component may draw the bar by it.
    let drawn = component(custom.clone(), "parts/bar");
    let drawn = |json: &str| only(&drawn.clone().with(json, r#"{"usingComponents": {"bar": "/parts/bar"}}"#)).severity;
    assert_eq!(drawn("pages/me/me.json"), Severity::Warning);
    assert_eq!(drawn("shop/list/list.json"), Severity::Error);
    let part = component(custom.clone(), "parts/bar").with("custom-tab-bar/index.json", "{}");
    assert_eq!(only(&part.with("custom-tab-bar/index.js", "")).severity, Severity::Error);
    let app = asking(r#""appBar": {}"#);
    assert_eq!(rules(&app), ["bar-missing"]);
    assert_eq!(audit(&component(app, "app-bar/index")), []);
}

#[test]
fn workers_lie_in_their_folder_however_it_is_written() {
    for workers in [r#""workers""#, r#""/workers/""#, r#"{"path": "workers", "isSubpackage": true}"#] {
        let package = asking(&format!(r#""workers": {workers}"#));
        assert_eq!(rules(&package), ["workers-missing"], "{workers}");
        assert_eq!(audit(&package.with("workers/a.js", "x")), [], "{workers}");
    }
}

#[test]
fn what_is_loaded_ahead_is_declared() {
    let rule =
        |page: &str, package: &str| asking(&format!(r#""preloadRule": {{"{page}": {{"packages": ["{package}"]}}}}"#));
    for (page, package) in [("pages/me/me", "shop"), ("/pages/me/me", "/shop/"), ("shop/list/list", "__APP__")] {
        assert_eq!(audit(&rule(page, package)), [], "{page} {package}");
    }
    assert_eq!(rules(&rule("pages/me/me", "mall")), ["preload-undeclared"]);
    assert_eq!(rules(&rule("pages/you/you", "shop")), ["preload-undeclared"]);
}

#[test]
fn games_have_a_script_and_no_pages() {
    let game = MemoryPackage::default()
        .with(
            "game.json",
            r#"{"subpackages": [{"name": "stage", "root": "stage/"}, {"name": "one", "root": "one.js"}]}"#,
        )
        .with("game.js", "require('./lib/a')")
        .with("lib/a.js", "")
        .with("stage/game.js", "")
        .with("one.js", "");
    assert_eq!(audit(&game), []);
    assert_eq!(rules(&game.clone().without("game.js")), ["app-without-script"]);
    assert_eq!(rules(&game.clone().without("stage/game.js").without("one.js")), ["subpackage-without-script"; 2]);
    assert_eq!(rules(&game.without("lib/a.js")), ["script-missing"]);
}

#[test]
fn plugins_that_no_host_app_can_have_are_told() {
    let asking = |version: &str, provider: &str| {
        asking(&format!(r#""plugins": {{"mine": {{"version": "{version}", "provider": "{provider}"}}}}"#))
    };
    for (version, provider, told) in [
        ("dev", "wx1", "in the version dev, which exists only in the developer tool"),
        ("dev-0a1b2c", "wx1", "in the version dev-0a1b2c"),
        ("1.0.0", "{{currentPluginId}}", "with the provider {{currentPluginId}}, a placeholder"),
        ("${version}", "wx1", "with the version ${version}, a placeholder"),
    ] {
        let finding = only(&asking(version, provider));
        assert_eq!((&*finding.rule, finding.severity), ("plugin-unpublished", Severity::Warning));
        assert!(finding.message.contains(told), "{finding:?}");
    }
    for version in ["1.0.0", "*", "latest", "develop-tools"] {
        assert_eq!(audit(&asking(version, "wx1")), [], "{version}");
    }
    let plugins = r#"{"root": "shop", "plugins": {"mine": {"version": "dev", "provider": "wx1"}},"#;
    let inside = declaring(&GOOD.replacen(r#"{"root": "shop","#, plugins, 1));
    assert_eq!(rules(&inside), ["plugin-unpublished"]);
}

#[test]
fn a_plugin_is_told_what_can_be_published() {
    let finding = only(&MemoryPackage::default().with("plugin.json", r#"{"main": "index.js"}"#));
    assert_eq!((&*finding.rule, finding.severity), ("plugin", Severity::Error));
    assert!(finding.fix.is_some_and(|fix| fix.contains("game.json")));
}
