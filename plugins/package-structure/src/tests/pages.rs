use super::*;

#[test]
fn a_dialect_that_is_not_known_is_said_and_only_what_all_have_in_common_is_judged() {
    let package = in_dialect(good(), "qxml")
        .with("pages/me/me.json", r#"{"usingComponents": {"no": "/no"}}"#)
        .with("pages/me/me.qxml", "<image src='no.png'/>")
        .with("pages/me/me.js", "require('./no')");
    let finding = only(&package);
    assert_eq!((&*finding.rule, finding.severity), ("unknown-dialect", Severity::Warning));
    assert!(finding.message.contains(".qxml") && finding.fix.unwrap_or_default().contains("Alipay (.axml)"));
    assert_eq!(rules(&package.clone().without("pages/me/me.js")), ["unknown-dialect", "page-without-script"]);
    assert_eq!(rules(&package.without("pages/me/me.qxml")), ["unknown-dialect", "page-without-markup"]);
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
    for manifest in
        [r#"{"pages": ["pages/me/me", "pages/me/me"]}"#, r#"{"pages": ["pages/me/me", "/pages/me/me", "pages/me/me"]}"#]
    {
        assert_eq!(rules(&declaring(manifest)), ["page-declared-twice"], "{manifest}");
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
    // Each is told once, however many there are.
    let many = [r#"{"root": "shop"}"#; 1_000].join(", ");
    let manifest = format!(r#"{{"pages": ["pages/me/me"], "subpackages": [{{"root": "shop/cart"}}, {many}]}}"#);
    let findings = audit(&declaring(&manifest).without("shop/list/list.js"));
    assert_eq!(findings.len(), 1_000, "one lies in another, and all but the first of the others have its root");
}

#[test]
fn a_page_of_the_main_package_is_outside_of_subpackages() {
    let manifest = r#"{"pages": ["pages/me/me", "shop/list/list"], "subpackages": [{"root": "shop", "pages": []}]}"#;
    assert_eq!(rules(&declaring(manifest)), ["page-in-subpackage"]);
}

#[test]
fn f31_pages_and_components_that_are_not_built_are_errors() {
    let source = good().without("pages/me/me.js").with("pages/me/me.ts", "Page({})");
    assert_eq!(rules(&source), ["page-not-built", "sources"]);
    assert_eq!(rules(&good().with("pages/me/me.less", "a {}")), ["page-not-built", "sources"]);
    assert_eq!(rules(&good().with("pages/me/me.less", "a {}").with("pages/me/me.wxss", "a {}")), ["sources"]);
    let unbuilt = component(using(r#"{"one": "./nav"}"#), "pages/me/nav").without("pages/me/nav.js");
    assert_eq!(rules(&unbuilt.clone().with("pages/me/nav.ts", "x")), ["sources", "component-not-built"]);
    assert_eq!(rules(&unbuilt), ["component-without-script"]);
}

/// Seen in projects that WeChat's tool compiles as it uploads: no build writes a folder, and pages with scripts and markup
/// were said not to be built.
#[test]
fn what_is_not_compiled_is_told_with_how_it_is_compiled_in_its_place() {
    let told = |package: &MemoryPackage| {
        let finding =
            audit(package).into_iter().find(|finding| finding.rule.ends_with("-not-built")).expect("a finding");
        (finding.message, finding.fix.unwrap_or_default())
    };
    let (message, fix) = told(&good().with("pages/me/me.scss", "a {}"));
    assert_eq!(
        message,
        "The page pages/me/me has no compiled style sheet: there is pages/me/me.scss, which no device reads."
    );
    assert!(fix.starts_with("Compile it beside its source (sass pages/me/me.scss pages/me/me.wxss), or pack"), "{fix}");
    assert!(fix.contains("useCompilerPlugins"), "{fix}");
    let both = good().without("pages/me/me.js").with("pages/me/me.ts", "").with("pages/me/me.less", "");
    let (message, fix) = told(&both.with("shop/list/list.less", ""));
    assert!(
        message.starts_with("2 pages have no compiled script or style sheet: pages/me/me, shop/list/list."),
        "{message}"
    );
    assert!(message.ends_with("Of the first, there are pages/me/me.ts and pages/me/me.less, which no device reads."));
    assert!(fix.contains("(tsc; lessc pages/me/me.less pages/me/me.wxss)"), "{fix}");
    let alipay = in_dialect(good().with("pages/me/me.styl", ""), "axml");
    let (_, fix) = told(&alipay);
    assert!(fix.contains("stylus pages/me/me.styl -o pages/me/me.acss") && !fix.contains("WeChat"), "{fix}");
    let (message, fix) =
        told(&good().without("pages/me/me.js").without("pages/me/me.wxml").with("pages/me/me.vue", ""));
    assert!(message.starts_with("The page pages/me/me is not built: there is pages/me/me.vue"), "{message}");
    assert_eq!(fix, "Build the project, and pack the folder that the build writes.");
    let (message, fix) = told(&component(using(r#"{"one": "./nav"}"#), "pages/me/nav").with("pages/me/nav.less", ""));
    assert!(message.starts_with("The component pages/me/nav has no compiled style sheet: there is"), "{message}");
    assert!(fix.contains("lessc"), "{fix}");
}

#[test]
fn f31_pages_that_miss_for_one_reason_are_one_error() {
    let pages: Vec<_> = (0..124).map(|page| format!("\"pages/p{page}/p\"")).collect();
    let finding = only(&declaring(&format!(r#"{{"pages": ["pages/me/me", {}]}}"#, pages.join(", "))));
    assert!(finding.message.starts_with("124 pages have no files: pages/p0/p, "), "{finding:?}");
    assert!(finding.message.contains(" and 119 more. "), "{finding:?}");
}

#[test]
fn slashes_are_judged_alike_everywhere() {
    let manifest = r##"{"pages": ["/pages/index/index", "pages/me/me"], "subPackages": [{"root": "/shop/", "pages": ["/list/list"]}],
        "entryPagePath": "/pages/me/me", "tabBar": {"list": [{"pagePath": "/pages/me/me", "iconPath": "./img/home.png"},
        {"pagePath": "pages/index/index"}]}}"##;
    assert_eq!(audit(&declaring(manifest)), []);
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
