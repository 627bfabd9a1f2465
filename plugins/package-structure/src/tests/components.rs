use super::*;

#[test]
fn a_component_without_files_is_an_error_at_its_line() {
    let package = good().with("pages/me/me.json", "{\n  \"usingComponents\": {\"nav\": \"../../parts/nav\"}\n}");
    let finding = only(&package);
    assert_eq!((&*finding.rule, finding.severity), ("component-missing", Severity::Error));
    assert_eq!(
        finding.message,
        "pages/me/me.json uses the component ../../parts/nav, but the package has no folder parts."
    );
    assert_eq!(finding.place, Some(Place { path: "pages/me/me.json".into(), line: 2, column: 30 }));
    assert_eq!(audit(&component(package, "parts/nav")), []);
}

#[test]
fn components_are_found_where_wechat_looks() {
    for (written, file) in [
        ("nav", "pages/me/nav"),
        ("./nav", "pages/me/nav"),
        ("../nav/nav", "pages/nav/nav"),
        ("/parts/nav", "parts/nav"),
        ("/parts/nav", "parts/nav/index"),
        ("/parts/nav/", "parts/nav/index"),
        ("../../parts/nav?async=1", "parts/nav"),
        ("@vant/weapp/button", "miniprogram_npm/@vant/weapp/button/index"),
        ("@vant/weapp/button/index", "pages/miniprogram_npm/@vant/weapp/button/index"),
        ("tool", "miniprogram_npm/tool/index"),
    ] {
        let package = using(&format!(r#"{{"one": "{written}"}}"#));
        assert_eq!(rules(&package), ["component-missing"], "{written}");
        assert_eq!(audit(&component(package, file)), [], "{written} is {file}");
    }
}

#[test]
fn components_may_be_absolute_from_their_subpackage_and_by_alias() {
    let package = good().with("shop/list/list.json", r#"{"usingComponents": {"one": "/parts/nav", "two": "@/nav"}}"#);
    let alias = GOOD.replacen('{', r#"{"resolveAlias": {"@/*": "/shop/parts/*"},"#, 1);
    assert_eq!(audit(&component(package.with("app.json", alias), "shop/parts/nav")), []);
}

#[test]
fn components_of_components_are_followed_and_may_use_each_other() {
    let nested = |uses: &str| format!(r#"{{"component": true, "usingComponents": {{"next": "{uses}"}}}}"#);
    let package = using(r#"{"one": "one"}"#)
        .with("pages/me/one.json", nested("./two"))
        .with("pages/me/one.js", "")
        .with("pages/me/one.wxml", "")
        .with("pages/me/two.js", "")
        .with("pages/me/two.wxml", "")
        .with("pages/me/two.json", nested("./one"))
        .with("parts/unused.json", nested("./nowhere"));
    assert_eq!(audit(&package), []);
    let finding = only(&package.with("pages/me/two.json", nested("./three")));
    assert!(finding.message.starts_with("pages/me/two.json uses the component ./three"), "{finding:?}");
}

#[test]
fn a_default_of_a_generic_is_a_component_and_a_placeholder_is_a_name() {
    let generic = r#"{"componentGenerics": {"item": {"default": "./item"}, "other": true},
        "usingComponents": {"slow": "/parts/slow"}, "componentPlaceholder": {"slow": "view"}}"#;
    let package = component(good().with("pages/me/me.json", generic), "parts/slow");
    assert!(only(&package).message.contains("./item"));
    assert_eq!(audit(&component(package, "pages/me/item")), []);
}

#[test]
fn an_npm_package_that_was_not_built_is_told_once() {
    let manifest = GOOD.replacen(
        '{',
        r#"{"usingComponents": {"a": "@vant/weapp/button/index", "b": "@vant/weapp/cell/index"},"#,
        1,
    );
    let package = using(r#"{"c": "@vant/weapp/icon/index"}"#).with("app.json", manifest);
    let finding = only(&package);
    assert_eq!(
        finding.message,
        "app.json uses the component @vant/weapp/button/index, but the package does not hold the npm package @vant/weapp. 2 more uses lead there."
    );
    assert!(finding.fix.is_some_and(|fix| fix.contains("Build npm")));
    let finding = only(&using(r#"{"one": "../../miniprogram_npm/tool"}"#));
    assert!(finding.message.ends_with("does not hold the npm package tool."), "{finding:?}");
}

/// Seen in a mini-program of Baidu's that was moved from WeChat.
#[test]
fn a_folder_of_npm_that_was_not_built_is_told_alike_whatever_names_it() {
    let path = "../../miniprogram_npm/@vant/weapp";
    let files = [
        ("pages/me/me.json", format!(r#"{{"usingComponents": {{"a": "{path}/button/index"}}}}"#), "component-missing"),
        ("pages/me/me.js", format!("import toast from '{path}/toast/toast'"), "script-missing"),
        ("pages/me/me.css", format!("@import '{path}/common/index.css';"), "style-missing"),
        ("pages/me/me.swan", format!("<import src='{path}/t.swan'/>"), "template-missing"),
        ("pages/me/me.swan", format!("<image src='{path}/a.png'/>"), "image-missing"),
    ];
    for (file, text, rule) in files {
        let finding = only(&in_dialect(good(), "swan").with(file, text));
        assert_eq!((&*finding.rule, finding.severity), (rule, Severity::Error));
        assert!(finding.message.ends_with("but the package does not hold the npm package @vant/weapp."), "{finding:?}");
        let fix = finding.fix.unwrap_or_default();
        assert!(
            fix.starts_with("miniprogram_npm is what a build of npm writes") && !fix.contains("npm install"),
            "{fix}"
        );
    }
}

#[test]
fn npm_packages_are_told_one_by_one_only_if_there_are_any() {
    let package = using(r#"{"a": "@vant/weapp/button/index", "b": "tool/index"}"#);
    let finding = only(&package);
    assert!(finding.message.ends_with("does not hold the npm packages @vant/weapp, tool. One more use leads there."));
    assert_eq!(audit(&package.with("miniprogram_npm/dayjs/index.js", "")).len(), 2);
}

#[test]
fn what_the_host_or_a_plugin_provides_is_not_looked_for() {
    let provided = using(r#"{"a": "plugin://maps/map", "b": "weui-miniprogram/cell/cell", "c": "dynamicLib://x/y"}"#);
    let manifest = GOOD.replacen('{', r#"{"useExtendedLib": {"weui": true},"#, 1);
    assert_eq!(audit(&provided.with("app.json", manifest)), []);
}

#[test]
fn uses_that_miss_the_same_folder_are_one_finding() {
    let finding = only(&using(r#"{"one": "../../dist/one/index", "two": "/dist/two/index", "three": "/dist/three"}"#));
    assert!(finding.message.ends_with("has no folder dist. 2 more uses lead there."), "{finding:?}");
    let finding = only(&using(r#"{"one": "./nav", "two": "/pages/me/nav"}"#));
    assert!(finding.message.ends_with("has no pages/me/nav.json. One more use leads there."), "{finding:?}");
}

#[test]
fn a_slip_of_case_in_a_component_is_told() {
    let finding = only(&component(using(r#"{"one": "./Nav"}"#), "pages/me/nav"));
    assert!(finding.fix.is_some_and(|fix| fix.starts_with("The file is called pages/me/nav.json")));
}

#[test]
fn components_of_bundles_are_not_judged() {
    let package = using(r#"{"one": "./nav"}"#);
    assert_eq!(audit(&package.with("app-service.js", "x").with("page-frame.html", "x")), []);
}

#[test]
fn components_of_other_dialects_have_their_files() {
    for ending in ["axml", "ttml", "swan", "qml"] {
        let package = in_dialect(using(r#"{"one": "./nav"}"#), ending);
        assert_eq!(rules(&package), ["component-missing"], "{ending}");
        let there = package.with("pages/me/nav.json", "{}").with("pages/me/nav.js", "x");
        assert_eq!(rules(&there), ["component-without-markup"], "{ending}");
        assert_eq!(rules(&there.with(&format!("pages/me/nav.{ending}"), "x")), [""; 0], "{ending}");
    }
}

/// Seen in a mini-program of Douyin that uses 26 components of a library for WeChat.
#[test]
fn components_that_were_moved_or_not_built_together_are_one_finding() {
    let package = using(r#"{"one": "./one", "two": "./two"}"#);
    let parts = |package: MemoryPackage, script: &str| {
        ["pages/me/one", "pages/me/two"].into_iter().fold(package, |package, stem| {
            package
                .with(&format!("{stem}.json"), "{}")
                .with(&format!("{stem}.{script}"), "")
                .with(&format!("{stem}.wxml"), "")
        })
    };
    let moved = only(&parts(in_dialect(package.clone(), "ttml"), "js"));
    assert_eq!(moved.severity, Severity::Warning);
    assert_eq!(moved.message, "2 components have foreign markup; the package is Douyin's: pages/me/one, pages/me/two.");
    let unbuilt = audit(&parts(package, "ts")).pop().expect("a finding");
    assert_eq!((&*unbuilt.rule, unbuilt.severity), ("component-not-built", Severity::Error));
    assert!(
        unbuilt.message.starts_with("2 components have no compiled script: pages/me/one, pages/me/two."),
        "{unbuilt:?}"
    );
}

#[test]
fn alipay_reads_npm_packages_where_npm_installs_them() {
    let package = in_dialect(using(r#"{"one": "antd-mini/es/Button/index"}"#), "axml");
    let finding = only(&package);
    assert!(finding.fix.is_some_and(|fix| fix.contains("npm install")));
    let stem = "node_modules/antd-mini/es/Button/index";
    let installed = package.with(&format!("{stem}.json"), "{}").with(&format!("{stem}.js"), "x");
    assert_eq!(audit(&installed.with(&format!("{stem}.axml"), "x")), []);
}

#[test]
fn json_that_cannot_be_read_is_an_error_at_its_place_and_hides_no_component_that_can_be_seen() {
    let text = "{\n  \"usingComponents\": {\"one\": \"./nowhere\"}, // why\n}";
    let finding = only(&good().with("pages/me/me.json", "{\n  oops"));
    assert_eq!((&*finding.rule, finding.severity), ("json-unreadable", Severity::Error));
    assert_eq!(finding.place.map(|place| (place.path, place.line)), Some(("pages/me/me.json".into(), 2)));
    assert_eq!(rules(&good().with("pages/me/me.json", text)), ["json-unreadable", "component-missing"]);
    for (text, line, column) in [
        ("{\"a\": \"中文\", oops}", 1, 13),
        ("{\r\n  \"名\": \"é\" oops\r\n}", 2, 12),
        ("{\"a\": \"中文", 1, 9),
        ("中", 1, 1),
    ] {
        let place = only(&good().with("pages/me/me.json", text)).place;
        assert_eq!(place, Some(Place { path: "pages/me/me.json".into(), line, column }), "{text}");
    }
    let nested = component(using(r#"{"one": "./nav"}"#), "pages/me/nav").with("pages/me/nav.json", "");
    assert_eq!(rules(&nested), ["json-unreadable"]);
    for text in ["{} // why", "", " \n"] {
        let alipay = in_dialect(good().with("pages/me/me.json", text), "axml");
        assert_eq!(only(&alipay).severity, Severity::Warning, "{text:?}");
    }
}

#[test]
fn what_another_subpackage_has_is_stood_in_for() {
    let bare = r#"{"usingComponents": {"nav": "/shop/nav"}}"#;
    let package = component(good(), "shop/nav").with("pages/me/me.json", bare);
    assert_eq!(rules(&package), ["placeholder-missing"]);
    let stood_in = bare.replacen('{', r#"{"componentPlaceholder": {"nav": "view"}, "#, 1);
    assert_eq!(audit(&package.with("pages/me/me.json", stood_in)), []);
}
