use berth_policy::{Severity, testing::MemoryPackage};

use super::*;

const GOOD: &str = r##"{
  "pages": ["pages/index/index", "pages/me/me"],
  "subPackages": [{"root": "shop", "pages": ["list/list"]}],
  "entryPagePath": "pages/index/index",
  "tabBar": {"list": [
    {"pagePath": "pages/index/index", "text": "Home", "iconPath": "img/home.png", "selectedIconPath": "/img/home.png"},
    {"pagePath": "pages/me/me", "text": "Me"}
  ]}
}"##;

fn page(package: MemoryPackage, page: &str) -> MemoryPackage {
    package.with(&format!("{page}.js"), "Page({})").with(&format!("{page}.wxml"), "<view/>")
}

fn good() -> MemoryPackage {
    let package = MemoryPackage::default().with("app.json", GOOD).with("app.js", "App({})").with("img/home.png", "png");
    ["pages/index/index", "pages/me/me", "shop/list/list"].into_iter().fold(package, page)
}

fn audit(package: &MemoryPackage) -> Vec<Finding> {
    PackageStructure.audit(package).expect("audits")
}

fn rules(package: &MemoryPackage) -> Vec<String> {
    audit(package).into_iter().map(|finding| finding.rule).collect()
}

fn only(package: &MemoryPackage) -> Finding {
    let mut findings = audit(package);
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

/// The good package with another manifest.
fn declaring(manifest: &str) -> MemoryPackage {
    good().with("app.json", manifest)
}

#[test]
fn a_good_package_passes() {
    assert_eq!(audit(&good()), []);
}

#[test]
fn f31_a_listed_page_without_files_is_an_error_at_its_line() {
    let finding = only(&good().without("pages/me/me.js").without("pages/me/me.wxml"));
    assert_eq!((&*finding.rule, finding.severity), ("page-missing", Severity::Error));
    assert_eq!(finding.place, Some(Place { path: "app.json".into(), line: 2, column: 34 }));
}

#[test]
fn f31_a_page_needs_both_script_and_markup() {
    assert_eq!(rules(&good().without("shop/list/list.js")), ["page-without-script"]);
    assert_eq!(rules(&good().without("shop/list/list.wxml")), ["page-without-markup"]);
}

#[test]
fn f31_a_page_of_a_subpackage_is_pointed_at_as_it_was_written() {
    let finding = only(&good().without("shop/list/list.js"));
    assert_eq!(finding.place.map(|place| (place.line, place.column)), Some((3, 46)));
}

/// The package with the markup of another dialect.
fn in_dialect(package: MemoryPackage, ending: &str) -> MemoryPackage {
    ["pages/index/index", "pages/me/me", "shop/list/list"].into_iter().fold(package, |package, page| {
        package.without(&format!("{page}.wxml")).with(&format!("{page}.{ending}"), "<view/>")
    })
}

#[test]
fn f31_other_dialects_and_built_pages_count() {
    let bare = || good().without("pages/me/me.js").without("pages/me/me.wxml");
    for extension in ["axml", "ttml", "swan", "qml"] {
        let package = in_dialect(good(), extension);
        assert_eq!(rules(&package), [""; 0], "{extension}");
        let finding = only(&package.without(&format!("pages/me/me.{extension}")));
        assert!(finding.message.contains(&format!("pages/me/me.{extension}")), "{finding:?}");
    }
    assert_eq!(rules(&bare().with("app-service.js", "x").with("page-frame.html", "x")), [""; 0]);
    assert_eq!(rules(&bare().with("shop/app-service.js", "x").with("page-frame.html", "x")), ["page-without-script"]);
}

#[test]
fn f31_a_w3c_manifest_may_name_the_file() {
    let package = MemoryPackage::default().with("manifest.json", r#"{"pages": ["pages/a.html"], "other": 1}"#);
    assert_eq!(rules(&package), ["page-missing"]);
    assert_eq!(rules(&package.with("pages/a.html", "x")), [""; 0]);
}

#[test]
fn f31_a_slip_of_case_is_told() {
    let finding = only(&good().without("pages/me/me.js").with("pages/me/Me.js", "x"));
    assert_eq!(
        finding.fix.as_deref(),
        Some("The file is called pages/me/Me.js; paths are case-sensitive, so write both alike.")
    );
}

#[test]
fn a_package_without_pages_or_manifest_is_an_error() {
    assert_eq!(rules(&declaring("{}")), ["no-pages"]);
    assert_eq!(rules(&declaring("{ // no")), ["manifest-unreadable"]);
    assert_eq!(rules(&declaring("[]")), ["manifest-unreadable"]);
}

#[test]
fn a_page_declared_twice_is_a_warning() {
    assert_eq!(rules(&declaring(r#"{"pages": ["pages/me/me", "pages/me/me"]}"#)), ["page-declared-twice"]);
}

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

/// The good package with a variable for the icon of its first tab, and a theme.
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
fn the_entry_page_is_one_of_the_pages() {
    assert_eq!(
        rules(&declaring(r#"{"pages": ["pages/me/me"], "entryPagePath": "pages/no"}"#)),
        ["entry-page-undeclared"]
    );
}

#[test]
fn subpackages_lie_side_by_side() {
    let roots = |a: &str, b: &str| {
        let manifest =
            format!(r#"{{"pages": ["pages/me/me"], "subpackages": [{{"root": "{a}"}}, {{"root": "{b}"}}]}}"#);
        declaring(&manifest).without("shop/list/list.js")
    };
    assert_eq!(rules(&roots("shop", "shopping")), [""; 0]);
    assert_eq!(
        only(&roots("shop/cart", "shop")).message,
        "The subpackage shop/cart lies inside of the subpackage shop."
    );
    assert_eq!(only(&roots("shop", "/shop/")).message, "Two subpackages have the root shop.");
}

#[test]
fn a_page_of_the_main_package_is_outside_of_subpackages() {
    let manifest = r#"{"pages": ["pages/me/me", "shop/list/list"], "subpackages": [{"root": "shop", "pages": []}]}"#;
    assert_eq!(rules(&declaring(manifest)), ["page-in-subpackage"]);
}

#[test]
fn left_overs_are_pointed_out_once_a_sort() {
    let package = good()
        .with("app.js.map", "{}")
        .with("pages/me/me.js.map", "{}")
        .with(".git/HEAD", "x")
        .with("project.private.config.json", "{}")
        .with("node_modules/a/index.js", "x")
        .with("img/.DS_Store", "x");
    let findings = audit(&package);
    let told: Vec<_> = findings.iter().map(|f| (&*f.rule, f.severity)).collect();
    let warning = |rule| (rule, Severity::Warning);
    let expected = ["source-map", "version-control", "private-settings", "installed-packages"].map(warning);
    assert_eq!(told, [&expected[..], &[("editor-files", Severity::Note)]].concat());
    assert!(findings[0].message.ends_with("app.js.map and one more."), "{}", findings[0].message);
}

#[test]
fn names_that_only_look_like_left_overs_pass() {
    let package = good()
        .with("img/map.png", "x")
        .with("miniprogram_npm/a/index.js", "x")
        .with("img/.github.png", "x")
        .with("env.js", "x");
    assert_eq!(audit(&package), []);
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

/// The good package, whose page `me` uses components.
fn using(components: &str) -> MemoryPackage {
    good().with("pages/me/me.json", format!(r#"{{"usingComponents": {components}}}"#))
}

fn component(package: MemoryPackage, stem: &str) -> MemoryPackage {
    let package = package.with(&format!("{stem}.js"), "Component({})").with(&format!("{stem}.wxml"), "<view/>");
    package.with(&format!("{stem}.json"), r#"{"component": true}"#)
}

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
fn f31_pages_and_components_that_are_not_built_are_errors() {
    let source = good().without("pages/me/me.js").with("pages/me/me.ts", "Page({})");
    assert_eq!(rules(&source), ["page-not-built"]);
    assert_eq!(rules(&good().with("pages/me/me.less", "a {}")), ["page-not-built", "sources"]);
    assert_eq!(rules(&good().with("pages/me/me.less", "a {}").with("pages/me/me.wxss", "a {}")), ["sources"]);
    let unbuilt = component(using(r#"{"one": "./nav"}"#), "pages/me/nav").without("pages/me/nav.js");
    assert_eq!(rules(&unbuilt.clone().with("pages/me/nav.ts", "x")), ["component-not-built"]);
    assert_eq!(rules(&unbuilt), ["component-without-script"]);
}

#[test]
fn f31_pages_that_miss_for_one_reason_are_one_error() {
    let pages: Vec<_> = (0..124).map(|page| format!("\"pages/p{page}/p\"")).collect();
    let finding = only(&declaring(&format!(r#"{{"pages": ["pages/me/me", {}]}}"#, pages.join(", "))));
    assert!(finding.message.starts_with("124 pages have no files: pages/p0/p, "), "{finding:?}");
    assert!(finding.message.contains(" and 119 more. "), "{finding:?}");
}

#[test]
fn json_that_cannot_be_read_is_an_error_at_its_place_and_hides_no_component_that_can_be_seen() {
    let text = "{\n  \"usingComponents\": {\"one\": \"./nowhere\"}, // why\n}";
    let finding = only(&good().with("pages/me/me.json", "{\n  oops"));
    assert_eq!((&*finding.rule, finding.severity), ("json-unreadable", Severity::Error));
    assert_eq!(finding.place.map(|place| (place.path, place.line)), Some(("pages/me/me.json".into(), 2)));
    assert_eq!(rules(&good().with("pages/me/me.json", text)), ["json-unreadable", "component-missing"]);
    let nested = component(using(r#"{"one": "./nav"}"#), "pages/me/nav").with("pages/me/nav.json", "");
    assert_eq!(rules(&nested), ["json-unreadable"]);
    let alipay = in_dialect(good().with("pages/me/me.json", "{} // why"), "axml");
    assert_eq!(only(&alipay).severity, Severity::Warning);
}

#[test]
fn the_app_has_its_script() {
    let finding = only(&good().without("app.js"));
    assert_eq!((&*finding.rule, finding.severity), ("app-without-script", Severity::Error));
    assert!(only(&good().without("app.js").with("app.ts", "App({})")).message.contains("app.ts is a source"));
}

/// The good package with more members in its manifest.
fn asking(members: &str) -> MemoryPackage {
    declaring(&GOOD.replacen('{', &format!("{{{members},"), 1))
}

#[test]
fn bars_that_the_manifest_asks_for_are_components_of_the_package() {
    let custom = declaring(&GOOD.replacen("\"list\"", "\"custom\": true, \"list\"", 1));
    assert_eq!(rules(&custom.clone().without("img/home.png").with("img/home.png", "x")), ["bar-missing"]);
    assert_eq!(audit(&component(custom, "custom-tab-bar/index")), []);
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
fn slashes_are_judged_alike_everywhere() {
    let manifest = r##"{"pages": ["/pages/index/index", "pages/me/me"], "subPackages": [{"root": "/shop/", "pages": ["/list/list"]}],
        "entryPagePath": "/pages/me/me", "tabBar": {"list": [{"pagePath": "/pages/me/me", "iconPath": "./img/home.png"},
        {"pagePath": "pages/index/index"}]}}"##;
    assert_eq!(audit(&declaring(manifest)), []);
}

#[test]
fn scripts_that_are_asked_for_are_there() {
    let script = |text: &str| good().with("pages/me/me.js", text);
    for text in
        ["require('./no')", "import x from '../no'", "export * from '/no'", "Page({ f() { require('./no.js') } })"]
    {
        let finding = only(&script(text));
        assert_eq!((&*finding.rule, finding.severity), ("script-missing", Severity::Error), "{text}");
    }
    assert_eq!(rules(&script("import x from 'dayjs'")), ["script-missing"]);
    for text in [
        "try { require('./no') } catch (e) {}",
        "if (process.env.X) require('./no')",
        "Page({ f() { require('crypto') } })",
        "(function (require) { require('./no') })(load)",
        "// require('./no')",
        "require('./' + name)",
    ] {
        assert_eq!(audit(&script(text)), [], "{text}");
    }
}

#[test]
fn scripts_that_nothing_loads_are_not_judged_and_those_that_something_loads_are() {
    let idle = good().with("lib/a.js", "require('./no')");
    assert_eq!(audit(&idle), []);
    let finding = only(&idle.with("app.js", "require('./lib/a')"));
    assert_eq!(finding.place.map(|place| place.path), Some("lib/a.js".into()));
}

#[test]
fn scripts_that_are_not_built_are_one_error() {
    let package = good().with("app.js", "import './lib/a'; import './lib/b'").with("lib/a.ts", "").with("lib/b.ts", "");
    let finding = only(&package);
    assert_eq!(finding.rule, "script-not-built");
    assert!(finding.message.ends_with("lib/a.ts, lib/b.ts."), "{finding:?}");
}

#[test]
fn markup_style_sheets_scripts_and_pictures_that_markup_names_are_there() {
    let markup = |text: &str| good().with("pages/me/me.wxml", text);
    for (text, rule, file) in [
        ("<import src='../no.wxml'/>", "template-missing", "pages/no.wxml"),
        ("<include src='/no.wxml'/>", "template-missing", "no.wxml"),
        ("<wxs src='./no.wxs' module='m'/>", "script-missing", "pages/me/no.wxs"),
        ("<image src='/img/no.png'/>", "image-missing", "img/no.png"),
        ("<view><cover-image mode='x' src=\"no.png\"></cover-image></view>", "image-missing", "pages/me/no.png"),
    ] {
        let finding = only(&markup(text));
        assert_eq!((&*finding.rule, finding.severity), (rule, Severity::Error), "{text}");
        assert_eq!(audit(&markup(text).with(file, "x")), [], "{text}");
    }
    for text in [
        "<image src='{{url}}.png'/>",
        "<image src='https://cdn/a.png'/>",
        "<image src='//cdn/a.png'/>",
        "<!-- <image src='/no.png'/> -->",
        "<my-image src='/no.png'/>",
        "<image src='/api/picture?id=1'/>",
    ] {
        assert_eq!(audit(&markup(text)), [], "{text}");
    }
    let style = good().with("pages/me/me.wxss", "@import '../../no.wxss';");
    assert_eq!(rules(&style), ["style-missing"]);
    assert_eq!(audit(&style.with("no.wxss", "")), []);
}

#[test]
fn pictures_of_a_template_are_looked_for_from_the_page_that_imports_it() {
    let package = good()
        .with("pages/me/me.wxml", "<import src='../../parts/t.wxml'/>")
        .with("parts/t.wxml", "<image src='a.png'/>");
    assert_eq!(rules(&package), ["image-missing"]);
    assert_eq!(audit(&package.clone().with("pages/me/a.png", "x")), []);
    assert_eq!(audit(&package.with("parts/a.png", "x")), []);
}

#[test]
fn a_page_of_a_subpackage_that_is_led_to_and_not_declared_is_an_error() {
    let package = page(good(), "shop/more/more");
    let finding = only(&package);
    assert_eq!((&*finding.rule, finding.severity), ("page-undeclared", Severity::Warning));
    for link in ["wx.navigateTo({ url: '/shop/more/more' })", "go(`../../shop/more/more?id=${id}`)"] {
        let finding = only(&package.clone().with("pages/me/me.js", link));
        assert_eq!((&*finding.rule, finding.severity), ("page-undeclared", Severity::Error), "{link}");
    }
    let linked = package.with("pages/me/me.wxml", "<navigator url='/shop/more/more?a=1'/>");
    assert_eq!(only(&linked).severity, Severity::Error);
}

#[test]
fn an_independent_subpackage_uses_nothing_of_the_main_package() {
    let manifest = GOOD.replacen(r#""root": "shop","#, r#""root": "shop", "independent": true,"#, 1);
    let package = good().with("app.json", manifest).with("lib/a.js", "x");
    assert_eq!(audit(&package), []);
    for (path, text) in [
        ("shop/list/list.js", "require('../../lib/a')"),
        ("shop/list/list.wxml", "<image src='/img/home.png'/>"),
        ("shop/list/list.wxss", "@import '../../app.wxss';"),
        ("shop/list/list.json", r#"{"usingComponents": {"nav": "/parts/nav"}}"#),
    ] {
        let package = component(package.clone(), "parts/nav").with("app.wxss", "").with(path, text);
        let finding = only(&package);
        assert_eq!((&*finding.rule, finding.severity), ("independent-uses-others", Severity::Warning), "{path}");
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
fn a_plugin_is_told_what_can_be_published() {
    let finding = only(&MemoryPackage::default().with("plugin.json", r#"{"main": "index.js"}"#));
    assert_eq!((&*finding.rule, finding.severity), ("plugin", Severity::Error));
    assert!(finding.fix.is_some_and(|fix| fix.contains("game.json")));
}
