//! The dialects of mini-programs: what their files are called and where their packages lie.

use crate::path;

/// Those who made a sort of mini-programs, and how these differ from others.
#[derive(Debug, PartialEq, Eq)]
pub struct Dialect {
    /// As people call it.
    pub name: &'static str,
    /// The ending of markup: `wxml`.
    pub markup: &'static str,
    /// The ending of style sheets: `wxss`.
    pub style: &'static str,
    /// Where npm packages lie, the usual folder first.
    pub npm: &'static [&'static str],
    /// How npm packages come to lie there.
    pub npm_remedy: &'static str,
    /// Endings of a page or component in one file.
    pub whole: &'static [&'static str],
    /// Whether its tools take JSON with comments and dangling commas.
    pub lenient_json: bool,
    /// Whether it takes the markup and style sheets of WeChat beside its own.
    pub takes_wechat: Takes,
    /// Which bars are components of the package, by the member of `tabBar` that asks for them.
    pub custom_bar: Option<(&'static str, &'static str)>,
}

/// What is known of a thing that documentation does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// It does: real packages rely on it.
    Yes,
    /// It may.
    Perhaps,
    /// It does not.
    No,
}

const BUILT: &[&str] = &["miniprogram_npm"];
const INSTALLED: &[&str] = &["node_modules", "miniprogram_npm"];
const BUILD: &str = "Build npm in the developer tool (Tools, Build npm), which writes miniprogram_npm, and pack again.";
const INSTALL: &str = "Run npm install, so that node_modules holds it, and pack again.";

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
    let npm_remedy = INSTALL;
    Dialect { npm: INSTALLED, npm_remedy, lenient_json: true, custom_bar: None, ..built(name, markup, style) }
}

const fn cousin(name: &'static str, markup: &'static str, style: &'static str) -> Dialect {
    Dialect { lenient_json: true, takes_wechat: Takes::Perhaps, ..built(name, markup, style) }
}

/// The dialect of most packages, and of those that cannot be told.
pub const WECHAT: Dialect = built("WeChat", "wxml", "wxss");
/// The dialect of the W3C's MiniApps, which have a `manifest.json`.
pub const W3C: Dialect = Dialect { whole: &["html", "htm", "ux", "vue", "hml"], ..installed("W3C", "html", "css") };

/// All that are recognised.
const DIALECTS: [Dialect; 9] = [
    WECHAT,
    Dialect { custom_bar: Some(("customize", "customize-tab-bar/index")), ..installed("Alipay", "axml", "acss") },
    cousin("Douyin", "ttml", "ttss"),
    installed("Baidu", "swan", "css"),
    Dialect { takes_wechat: Takes::Yes, ..built("QQ", "qml", "qss") },
    cousin("Kuaishou", "ksml", "css"),
    cousin("JD", "jxml", "jxss"),
    cousin("Xiaohongshu", "xhsml", "css"),
    W3C,
];

impl Dialect {
    /// Recognises a package by the markup that most of its pages have, else by any markup that it holds.
    pub fn of(manifest: &str, pages: &[String], paths: &[String]) -> &'static Dialect {
        if manifest == "manifest.json" {
            return &DIALECTS[DIALECTS.len() - 1];
        }
        let mini = || DIALECTS.iter().rev().skip(1).rev();
        let page_has =
            |dialect: &Dialect, page: &String| paths.binary_search(&format!("{page}.{}", dialect.markup)).is_ok();
        let declared = |dialect: &&Dialect| pages.iter().filter(|page| page_has(dialect, page)).count();
        let held = |dialect: &&Dialect| paths.iter().filter(|path| path::ending(path) == dialect.markup).count();
        most(mini(), declared).or_else(|| most(mini(), held)).unwrap_or(&DIALECTS[0])
    }
}

/// The first of those with the highest count; none when all have none.
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

/// What built a package out of other sources, as far as its files tell.
pub fn builder(paths: &[String]) -> Option<&'static str> {
    let has = |path: &str| paths.binary_search_by(|have| have.as_str().cmp(path)).is_ok();
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

    #[test]
    fn without_pages_any_markup_tells_and_wechat_is_the_guess() {
        assert_eq!(name("app.json", &["pages/a"], &["other/a.swan"]), "Baidu");
        assert_eq!(name("app.json", &["pages/a"], &["a.txt"]), "WeChat");
    }

    #[test]
    fn builds_of_uni_app_and_taro_are_told() {
        let told = |paths: &[&str]| builder(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>());
        assert_eq!(told(&["app.js", "common/main.js", "common/runtime.js"]), Some("uni-app"));
        assert_eq!(told(&["app.js", "common/vendor.js"]), Some("uni-app"));
        assert_eq!(told(&["app.js", "taro.js"]), Some("Taro"));
        assert_eq!(told(&["app.js"]), None);
    }
}
