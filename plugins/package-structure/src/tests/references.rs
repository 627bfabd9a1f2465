use super::*;

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
fn scripts_that_are_loaded_apart_are_looked_at_and_may_be_absent() {
    for script in ["require.async('../../shop/a')", "require('../../shop/a', use, failed)"] {
        let package = good().with("pages/me/me.js", script);
        assert_eq!(audit(&package), [], "{script}");
        let finding = only(&package.with("shop/a.js", "require('./no')"));
        assert_eq!(finding.place.map(|place| place.path), Some("shop/a.js".into()), "{script}");
    }
}

/// Seen twenty times in one sample of WeChat's.
#[test]
fn npm_packages_that_are_written_as_files_are_one_finding() {
    let package = good()
        .with("package.json", r#"{"dependencies": {"dayjs": "1", "@vant/weapp": "1"}}"#)
        .with("app.js", "import d from './dayjs'; import t from '@vant/weapp/toast'")
        .with("pages/me/me.js", "import d from './dayjs'; import t from './@vant/weapp/toast'");
    let finding = only(&package);
    assert_eq!((&*finding.rule, finding.severity), ("script-missing", Severity::Error));
    assert!(finding.message.contains("npm packages @vant/weapp, dayjs. 3 more uses"), "{}", finding.message);
    assert_eq!(rules(&package.with("package.json", "{}")).len(), 4, "nothing says that they are npm's");
    let built = good()
        .with("miniprogram_npm/dayjs/index.js", "")
        .with("app.js", "import d from './dayjs'")
        .with("pages/me/me.js", "import d from './dayjs'");
    let finding = only(&built);
    assert_eq!(finding.severity, Severity::Warning);
    assert!(finding.message.contains("probably meant: the npm package dayjs. One more use"), "{}", finding.message);
    assert!(finding.fix.unwrap_or_default().contains("without ./"));
}

#[test]
fn scripts_that_are_not_built_are_one_error() {
    let package = good().with("app.js", "import './lib/a'; import './lib/b'").with("lib/a.ts", "").with("lib/b.ts", "");
    let finding = audit(&package).pop().expect("a finding");
    assert_eq!(finding.rule, "script-not-built");
    assert!(finding.message.ends_with("lib/a.ts, lib/b.ts."), "{finding:?}");
    assert!(finding.fix.unwrap_or_default().contains("(tsc)"));
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
fn f36_templates_that_import_one_another_are_followed_to_the_end() {
    let import = |number: usize| format!("<import src='/parts/{number}.wxml'/>");
    let package = (0..9_000).fold(good().with("pages/me/me.wxml", import(0)), |package, number| {
        package.with(&format!("parts/{number}.wxml"), import(number + 1))
    });
    assert_eq!(only(&package).place.map(|place| place.path), Some("parts/8999.wxml".into()));
    assert_eq!(audit(&package.with("parts/9000.wxml", import(0))), []);
}

#[test]
fn an_independent_subpackage_uses_nothing_of_the_main_package() {
    let manifest = GOOD.replacen(r#""root": "shop","#, r#""root": "shop", "independent": true,"#, 1);
    let package = good().with("app.json", manifest).with("lib/a.js", "x");
    assert_eq!(audit(&package), []);
    assert_eq!(audit(&package.clone().with("shop/list/list.js", "require.async('../../lib/a').then(f)")), []);
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
