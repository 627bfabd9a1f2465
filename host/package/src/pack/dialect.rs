//! The dialect of a mini-program. The formats of the vendors are alike, and differ in file extensions, roots and the
//! folder of npm packages.

use std::{fs, path::Path};

use serde::Serialize;
use serde_json::Value;

use super::super::manifest::{APP_JSON, GAME_JSON, W3C};

/// The vendor for whose tools and runtime a mini-program is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// WeChat: `.wxml`, `.wxss`.
    WeChat,
    /// Alipay: `.axml`, `.acss`.
    Alipay,
    /// Douyin: `.ttml`, `.ttss`.
    Douyin,
    /// Baidu: `.swan`, `.css`.
    Baidu,
    /// QQ: `.qml`, `.qss`.
    Qq,
    /// A W3C MiniApp: `manifest.json`.
    W3c,
}

/// The file extensions of markup and of style, by dialect.
const ENDINGS: [(Dialect, &str, &str); 5] = [
    (Dialect::WeChat, "wxml", "wxss"),
    (Dialect::Alipay, "axml", "acss"),
    (Dialect::Douyin, "ttml", "ttss"),
    (Dialect::Baidu, "swan", "css"),
    (Dialect::Qq, "qml", "qss"),
];

impl Dialect {
    /// The name that people know the vendor by.
    pub fn name(self) -> &'static str {
        match self {
            Self::WeChat => "WeChat",
            Self::Alipay => "Alipay",
            Self::Douyin => "Douyin",
            Self::Baidu => "Baidu",
            Self::Qq => "QQ",
            Self::W3c => "W3C",
        }
    }

    /// The dialect of the mini-program in `root`, told by the markup of its first page and by its style; `None` when
    /// neither tells.
    pub fn of(root: &Path) -> Option<Self> {
        if !root.join(APP_JSON).is_file() {
            return (!root.join(GAME_JSON).is_file() && root.join(W3C).is_file()).then_some(Self::W3c);
        }
        let page = first_page(root);
        let has_page = |ending: &str| page.as_ref().is_some_and(|page| root.join(format!("{page}.{ending}")).is_file());
        let has_style = |ending: &str| root.join(format!("app.{ending}")).is_file();
        let by_page = ENDINGS.into_iter().find(|(_, markup, _)| has_page(markup));
        let by_style = || ENDINGS.into_iter().find(|(.., style)| has_style(style));
        // Mini-programs that were moved from WeChat keep its markup, and have the style sheet of the new vendor.
        let moved = || by_style().filter(|(dialect, ..)| *dialect != Self::Baidu);
        let found = match by_page {
            Some((Self::WeChat, ..)) => moved().or(by_page),
            by_page => by_page.or_else(by_style),
        };
        found.map(|(dialect, ..)| dialect)
    }
}

fn first_page(root: &Path) -> Option<String> {
    let app: Value = serde_json::from_slice(&fs::read(root.join(APP_JSON)).ok()?).ok()?;
    Some(app.pointer("/pages/0")?.as_str()?.trim_matches('/').to_owned())
}

/// A framework with which a mini-program is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Framework {
    /// uni-app.
    #[serde(rename = "uni-app")]
    UniApp,
    /// Taro.
    #[serde(rename = "taro")]
    Taro,
}

impl Framework {
    /// The name that people know the framework by.
    pub fn name(self) -> &'static str {
        match self {
            Self::UniApp => "uni-app",
            Self::Taro => "Taro",
        }
    }

    /// The framework whose build made `root`, told by files that builds contain; `None` when there are none of these.
    pub(crate) fn that_built(root: &Path) -> Option<Self> {
        let has = |path: &str| root.join(path).is_file();
        if has("common/vendor.js") && ["common/runtime.js", "common/main.js", "common/assets.js"].into_iter().any(has) {
            return Some(Self::UniApp);
        }
        let shared = ENDINGS.into_iter().any(|(_, markup, _)| has(&format!("base.{markup}")));
        (has("taro.js") && has("app.js") || shared && has("comp.js")).then_some(Self::Taro)
    }

    /// The framework of the source in `dir`, which is no mini-program until it is built; `None` when it is no such
    /// source.
    pub(crate) fn of_source(dir: &Path) -> Option<Self> {
        let has = |path: &str| dir.join(path).is_file();
        if ["pages.json", "src/pages.json"].into_iter().any(has) {
            return Some(Self::UniApp);
        }
        ["src/app.config.ts", "src/app.config.js"].into_iter().any(has).then_some(Self::Taro)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        dir
    }

    #[test]
    fn a_dialect_is_known_by_its_first_page_or_its_style() {
        let app = ("app.json", r#"{"pages":["/pages/a"]}"#);
        for (dialect, markup, style) in ENDINGS {
            assert_eq!(Dialect::of(folder(&[app, (&format!("pages/a.{markup}"), "")]).path()), Some(dialect));
            assert_eq!(Dialect::of(folder(&[app, (&format!("app.{style}"), "")]).path()), Some(dialect));
        }
        for (style, dialect) in [("qss", Dialect::Qq), ("ttss", Dialect::Douyin), ("css", Dialect::WeChat)] {
            let moved = folder(&[app, ("pages/a.wxml", ""), (&format!("app.{style}"), "")]);
            assert_eq!(Dialect::of(moved.path()), Some(dialect));
        }
        assert_eq!(Dialect::of(folder(&[app, ("pages/a.qml", ""), ("app.wxss", "")]).path()), Some(Dialect::Qq));
        assert_eq!(Dialect::of(folder(&[app]).path()), None);
        assert_eq!(Dialect::of(folder(&[("manifest.json", "{}")]).path()), Some(Dialect::W3c));
    }

    #[test]
    fn builds_and_sources_of_frameworks_are_known() {
        let built = |files: &[&str]| {
            let files: Vec<_> = files.iter().map(|file| (*file, "")).collect();
            Framework::that_built(folder(&files).path())
        };
        assert_eq!(built(&["common/vendor.js", "common/runtime.js"]), Some(Framework::UniApp));
        assert_eq!(built(&["taro.js", "app.js"]), Some(Framework::Taro));
        assert_eq!(built(&["base.wxml", "comp.js"]), Some(Framework::Taro));
        assert_eq!(built(&["app.js"]), None);
        assert_eq!(Framework::of_source(folder(&[("src/pages.json", "{}")]).path()), Some(Framework::UniApp));
        assert_eq!(Framework::of_source(folder(&[("src/app.config.ts", "")]).path()), Some(Framework::Taro));
    }
}
