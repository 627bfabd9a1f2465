//! The dialects of mini-programs: the extensions of their files, and the folders of their npm packages.

use std::collections::BTreeMap;

use crate::path;

/// A vendor of a kind of mini-programs, and how these differ from others.
#[derive(Debug, PartialEq, Eq)]
pub struct Dialect {
    /// The name that people know.
    pub name: &'static str,
    /// The file extension of markup, such as `wxml`.
    pub markup: &'static str,
    /// The file extension of style sheets, such as `wxss`.
    pub style: &'static str,
    /// The folders of npm packages, the usual one first.
    pub npm: &'static [&'static str],
    /// How to get npm packages into the package, in words.
    pub npm_remedy: &'static str,
    /// The file extensions of pages and components that consist of one file.
    pub whole: &'static [&'static str],
    /// Whether its tools accept JSON with comments and trailing commas.
    pub lenient_json: bool,
    /// Whether it accepts the markup and style sheets of WeChat besides its own.
    pub takes_wechat: Takes,
    /// The member of `tabBar` that asks for a custom bar, and the path of the component that is then the bar.
    pub custom_bar: Option<(&'static str, &'static str)>,
}

/// What is known about something that no documentation mentions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// It works: real packages rely on it.
    Yes,
    /// It may work.
    Perhaps,
    /// It does not work.
    No,
}

const BUILT: &[&str] = &["miniprogram_npm"];
const INSTALLED: &[&str] = &["node_modules", "miniprogram_npm"];
const BUILD: &str = "Build npm in the developer tool (Tools, Build npm), which writes miniprogram_npm, and pack again.";
/// Source: developer.open-douyin.com, "npm support" of the developer tool.
const BUILD_IN_PANEL: &str =
    "Build npm in the developer tool (the panel NPM), which writes miniprogram_npm, and pack again.";
/// Of the tools of these vendors it is not documented whether they build npm.
const PUT: &str =
    "Build npm in the developer tool if it does that, or copy it, so that miniprogram_npm holds it, and pack again.";
const INSTALL: &str =
    "List it under dependencies in package.json, run npm install, so that node_modules holds it, and pack again.";
/// Packing leaves node_modules behind but for Alipay, so that installing alone does not help.
const COPY: &str = "Copy what is used of it into the project, or have a bundler put it into the scripts, and pack again; \
                    berth pack leaves node_modules behind.";

const fn built(name: &'static str, markup: &'static str, style: &'static str) -> Dialect {
    Dialect {
        name,
        markup,
        style,
        npm: BUILT,
        npm_remedy: BUILD,
        whole: &[],
        lenient_json: false,
        takes_wechat: Takes::No,
        custom_bar: Some(("custom", "custom-tab-bar/index")),
    }
}

const fn installed(name: &'static str, markup: &'static str, style: &'static str) -> Dialect {
    let npm_remedy = COPY;
    Dialect { npm: INSTALLED, npm_remedy, lenient_json: true, custom_bar: None, ..built(name, markup, style) }
}

const fn cousin(name: &'static str, markup: &'static str, style: &'static str) -> Dialect {
    let npm_remedy = PUT;
    Dialect { npm_remedy, lenient_json: true, takes_wechat: Takes::Perhaps, ..built(name, markup, style) }
}

/// The dialect of most packages, and of those whose dialect cannot be told.
pub const WECHAT: Dialect = built("WeChat", "wxml", "wxss");
/// The dialect of MiniApps of the W3C, which have a `manifest.json`.
pub const W3C: Dialect = Dialect { whole: &["html", "htm", "ux", "vue", "hml"], ..installed("W3C", "html", "css") };

/// Stands for every dialect that is not known. Nothing is said about it that one of the known ones says of itself.
pub const UNKNOWN: Dialect = Dialect {
    npm: INSTALLED,
    npm_remedy: COPY,
    lenient_json: true,
    custom_bar: None,
    ..built("an unknown dialect", "", "css")
};

/// All dialects that are recognised.
const DIALECTS: [Dialect; 9] = [
    WECHAT,
    Dialect {
        npm_remedy: INSTALL,
        custom_bar: Some(("customize", "customize-tab-bar/index")),
        ..installed("Alipay", "axml", "acss")
    },
    Dialect { npm_remedy: BUILD_IN_PANEL, ..cousin("Douyin", "ttml", "ttss") },
    installed("Baidu", "swan", "css"),
    Dialect { takes_wechat: Takes::Yes, ..built("QQ", "qml", "qss") },
    cousin("Kuaishou", "ksml", "css"),
    cousin("JD", "jxml", "jxss"),
    cousin("Xiaohongshu", "xhsml", "css"),
    W3C,
];

impl Dialect {
    /// The dialect of a package: that in which most of its pages have markup, as far as the style sheet of the app does
    /// not name another one; or else by any markup in it. Packages that were moved from WeChat to a vendor who takes its
    /// markup keep much of it.
    pub fn of(manifest: &str, pages: &[String], paths: &[String]) -> &'static Dialect {
        if manifest == "manifest.json" {
            return &DIALECTS[DIALECTS.len() - 1];
        }
        let mini = || DIALECTS.iter().rev().skip(1).rev();
        let has = |path: &str| paths.binary_search_by(|have| have.as_str().cmp(path)).is_ok();
        let declared = |dialect: &&Dialect| pages.iter().map(|page| dialect.votes(page, has)).sum::<usize>();
        let styled = |dialect: &&Dialect| if dialect.styles_app(has) { pages.len() + 1 } else { 0 };
        let told = |dialect: &&Dialect| match declared(dialect) {
            0 => 0,
            declared => declared + styled(dialect),
        };
        let held = |dialect: &&Dialect| paths.iter().filter(|path| path::ending(path) == dialect.markup).count();
        most(mini(), told).or_else(|| most(mini(), held)).unwrap_or(&DIALECTS[0])
    }

    /// The file extension of markup that most pages have, when it is that of no dialect that is known and no page has
    /// markup of one that is: `qxml`, of a vendor whose dialect is like WeChat's.
    pub fn strange(manifest: &str, pages: &[String], paths: &[String]) -> Option<String> {
        if manifest != "app.json" {
            return None;
        }
        let mut counts = BTreeMap::<&str, usize>::new();
        for ending in pages.iter().flat_map(|page| endings(page, paths)).filter(|ending| is_markup_like(ending)) {
            *counts.entry(ending).or_default() += 1;
        }
        let known = |ending: &str| DIALECTS.iter().any(|dialect| dialect.markup == ending);
        if counts.keys().any(|ending| known(ending)) {
            return None;
        }
        let (ending, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
        (count * 2 >= pages.len()).then(|| ending.to_owned())
    }

    /// The dialects that are known, with the extensions of their markup, in words.
    pub fn known() -> String {
        let told = DIALECTS.iter().map(|dialect| format!("{} (.{})", dialect.name, dialect.markup));
        told.collect::<Vec<_>>().join(", ")
    }

    /// How much the markup of a page speaks for the dialect: its own for two, and that of WeChat, if it takes it, for
    /// one.
    fn votes(&self, page: &str, has: impl Fn(&str) -> bool) -> usize {
        match () {
            () if has(&format!("{page}.{}", self.markup)) => 2,
            () if self.takes_wechat != Takes::No && has(&format!("{page}.wxml")) => 1,
            () => 0,
        }
    }

    /// Whether the app has a style sheet in the dialect, whose extension is nobody else's.
    fn styles_app(&self, has: impl Fn(&str) -> bool) -> bool {
        self.style != "css" && has(&format!("app.{}", self.style))
    }
}

/// The extensions of the files of a page. `paths` are sorted.
fn endings<'p>(page: &str, paths: &'p [String]) -> impl Iterator<Item = &'p str> {
    let stem = format!("{page}.");
    let first = paths.partition_point(|path| *path < stem);
    let rest = paths[first..].iter().map_while(move |path| path.strip_prefix(&*stem));
    rest.filter(|rest| !rest.contains(['/', '.']))
}

/// Whether files with this extension are probably markup of mini-programs. All vendors named theirs after WeChat's.
fn is_markup_like(ending: &str) -> bool {
    ending == "swan" || ending.ends_with("ml") && !["html", "xhtml", "yml", "yaml", "toml"].contains(&ending)
}

/// The first dialect with the highest count; `None` when all counts are 0.
fn most<'d>(dialects: impl Iterator<Item = &'d Dialect>, count: impl Fn(&&'d Dialect) -> usize) -> Option<&'d Dialect> {
    let mut best = (0, None);
    for dialect in dialects {
        let counted = count(&dialect);
        if counted > best.0 {
            best = (counted, Some(dialect));
        }
    }
    best.1
}

/// The framework that built a package, as far as its files tell.
pub fn builder(paths: &[String]) -> Option<&'static str> {
    let has = |path: &str| paths.binary_search_by(|have| have.as_str().cmp(path)).is_ok();
    // mpvue's webpack keeps its loader in manifest.js; uni-app, which began as a copy of it, in runtime.js.
    let is_mpvue = |folder: &str| has(&format!("{folder}/vendor.js")) && has(&format!("{folder}/manifest.js"));
    if ["common", "static/js"].into_iter().any(is_mpvue) {
        return Some("mpvue");
    }
    let taro = ["taro.js", "comp.js"].into_iter().any(has);
    let uni = ["common/vendor.js", "common/runtime.js", "app-config-service.js"].into_iter().any(has);
    taro.then_some("Taro").or(uni.then_some("uni-app"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(manifest: &str, pages: &[&str], paths: &[&str]) -> &'static str {
        let mut paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
        paths.sort();
        let pages: Vec<_> = pages.iter().map(|page| (*page).to_owned()).collect();
        Dialect::of(manifest, &pages, &paths).name
    }

    #[test]
    fn a_dialect_is_told_by_its_pages() {
        for (ending, dialect) in
            [("wxml", "WeChat"), ("axml", "Alipay"), ("ttml", "Douyin"), ("swan", "Baidu"), ("qml", "QQ")]
        {
            let page = format!("pages/a.{ending}");
            assert_eq!(name("app.json", &["pages/a"], &["lib/x.wxml", "lib/y.wxml", &page]), dialect);
        }
        assert_eq!(name("manifest.json", &["pages/a"], &["pages/a.html"]), "W3C");
    }

    /// Seen in mini-programs of Douyin and QQ that were moved from WeChat page by page.
    #[test]
    fn wechats_markup_in_the_majority_does_not_outvote_the_style_of_the_app() {
        let pages = ["a", "b", "c"];
        let moved = |style: &str, own: &str| {
            let own = format!("a.{own}");
            name("app.json", &pages, &[&format!("app.{style}"), &own, "b.wxml", "c.wxml"])
        };
        assert_eq!(moved("ttss", "ttml"), "Douyin");
        assert_eq!(moved("qss", "qml"), "QQ");
        assert_eq!(moved("qss", "wxml"), "QQ");
        assert_eq!(moved("wxss", "qml"), "WeChat");
        assert_eq!(moved("wxss", "swan"), "WeChat");
        assert_eq!(name("app.json", &pages, &["app.wxss", "a.qml", "b.qml", "c.qml"]), "QQ");
        assert_eq!(name("app.json", &pages, &["app.ttss", "app.wxss", "a.ttml", "a.wxml"]), "WeChat");
    }

    #[test]
    fn without_pages_any_markup_tells_and_wechat_is_the_guess() {
        assert_eq!(name("app.json", &["pages/a"], &["other/a.swan"]), "Baidu");
        assert_eq!(name("app.json", &["pages/a"], &["a.txt"]), "WeChat");
    }

    #[test]
    fn a_dialect_that_is_not_known_is_told_by_its_markup() {
        let strange = |manifest: &str, paths: &[&str]| {
            let mut paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
            paths.sort();
            Dialect::strange(manifest, &["a".to_owned(), "b".to_owned()], &paths)
        };
        assert_eq!(strange("app.json", &["a.js", "a.qxml", "b.js"]).as_deref(), Some("qxml"));
        assert_eq!(strange("app.json", &["a.tyml", "b.tyml", "c.wxml"]).as_deref(), Some("tyml"));
        for (manifest, paths) in [
            ("app.json", &["a.qxml", "b.wxml"][..]),
            ("app.json", &["a.qxml", "b.swan"]),
            ("app.json", &["a.js", "b.html", "c.qxml"]),
            ("app.json", &["a.b.qxml", "ab.qxml"]),
            ("manifest.json", &["a.qxml", "b.qxml"]),
        ] {
            assert_eq!(strange(manifest, paths), None, "{manifest} {paths:?}");
        }
        assert!(Dialect::known().starts_with("WeChat (.wxml), Alipay (.axml)"), "{}", Dialect::known());
    }

    #[test]
    fn builds_of_frameworks_are_told() {
        let told = |paths: &[&str]| builder(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>());
        assert_eq!(told(&["app.js", "common/main.js", "common/runtime.js"]), Some("uni-app"));
        assert_eq!(told(&["app.js", "common/vendor.js"]), Some("uni-app"));
        assert_eq!(told(&["app.js", "taro.js"]), Some("Taro"));
        assert_eq!(told(&["app.js", "common/manifest.js", "common/vendor.js"]), Some("mpvue"));
        assert_eq!(told(&["app.js", "static/js/manifest.js", "static/js/vendor.js"]), Some("mpvue"));
        assert_eq!(told(&["app.js"]), None);
    }
}
