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
    /// Kuaishou: `.ksml`, `.css`.
    Kuaishou,
    /// JD: `.jxml`, `.jxss`.
    Jd,
    /// Xiaohongshu: `.xhsml`, `.css`.
    Xiaohongshu,
    /// A W3C MiniApp: `manifest.json`.
    W3c,
}

/// The file extensions of markup and of style, by dialect.
const ENDINGS: [(Dialect, &str, &str); 8] = [
    (Dialect::WeChat, "wxml", "wxss"),
    (Dialect::Alipay, "axml", "acss"),
    (Dialect::Douyin, "ttml", "ttss"),
    (Dialect::Baidu, "swan", "css"),
    (Dialect::Qq, "qml", "qss"),
    (Dialect::Kuaishou, "ksml", "css"),
    (Dialect::Jd, "jxml", "jxss"),
    (Dialect::Xiaohongshu, "xhsml", "css"),
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
            Self::Kuaishou => "Kuaishou",
            Self::Jd => "JD",
            Self::Xiaohongshu => "Xiaohongshu",
            Self::W3c => "W3C",
        }
    }

    /// The dialect of the mini-program in `root`, told by the markup of its first page and by its style; `None` when
    /// neither tells, or the markup is that of no dialect that is known.
    pub fn of(root: &Path) -> Option<Self> {
        if !root.join(APP_JSON).is_file() {
            return (!root.join(GAME_JSON).is_file() && root.join(W3C).is_file()).then_some(Self::W3c);
        }
        let has_style = |ending: &str| root.join(format!("app.{ending}")).is_file();
        // `app.css` is the style sheet of several vendors, and tells of none.
        let by_style = || ENDINGS.into_iter().find(|(.., style)| *style != "css" && has_style(style)).map(|it| it.0);
        match Self::of_page(root) {
            // Mini-programs that were moved from WeChat keep its markup, and have the style sheet of the new vendor.
            Some(Self::WeChat) => by_style().or(Some(Self::WeChat)),
            None if strange(root).is_none() => by_style(),
            by_page => by_page,
        }
    }

    /// The dialect of the markup of the first page.
    pub(super) fn of_page(root: &Path) -> Option<Self> {
        let page = first_page(root)?;
        let has_page = |markup: &str| root.join(format!("{page}.{markup}")).is_file();
        ENDINGS.into_iter().find(|(_, markup, _)| has_page(markup)).map(|it| it.0)
    }
}

/// The extension of the markup of the first page, when it is that of no dialect that is known. All vendors named theirs
/// after WeChat's.
pub(super) fn strange(root: &Path) -> Option<String> {
    let page = root.join(first_page(root)?);
    let name = format!("{}.", page.file_name()?.to_str()?);
    let entries = fs::read_dir(page.parent()?).ok()?.flatten().map(|entry| entry.file_name());
    let mut endings = entries.filter_map(|entry| Some(entry.to_str()?.strip_prefix(&name)?.to_owned()));
    endings.find(|ending| ending.ends_with("ml") && !ending.contains('.') && !NO_MARKUP.contains(&ending.as_str()))
}

/// The warning about markup of a dialect that is not known.
pub(super) fn unknown(markup: &str) -> String {
    let known = ENDINGS.map(|(dialect, markup, _)| format!("{} (.{markup})", dialect.name())).join(", ");
    format!(
        "The markup of the first page is .{markup}, which is that of no dialect that is known. Known are {known} and W3C \
         ({W3C}). See that the host app runs it, or build the project for one of these."
    )
}

/// Extensions that end as those of markup do.
const NO_MARKUP: [&str; 5] = ["html", "xhtml", "yml", "yaml", "toml"];

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
    /// mpvue.
    #[serde(rename = "mpvue")]
    Mpvue,
}

impl Framework {
    /// The name that people know the framework by.
    pub fn name(self) -> &'static str {
        match self {
            Self::UniApp => "uni-app",
            Self::Taro => "Taro",
            Self::Mpvue => "mpvue",
        }
    }

    /// The framework whose build made `root`, told by files that builds contain; `None` when there are none of these.
    pub(crate) fn that_built(root: &Path) -> Option<Self> {
        let has = |path: &str| root.join(path).is_file();
        // mpvue's webpack keeps its loader in manifest.js; uni-app, which began as a copy of it, in runtime.js.
        if ["common", "static/js"]
            .iter()
            .any(|folder| ["vendor.js", "manifest.js"].iter().all(|file| has(&format!("{folder}/{file}"))))
        {
            return Some(Self::Mpvue);
        }
        if has("common/vendor.js") && ["common/runtime.js", "common/main.js", "common/assets.js"].into_iter().any(has) {
            return Some(Self::UniApp);
        }
        let shared = ENDINGS.into_iter().any(|(_, markup, _)| has(&format!("base.{markup}")));
        (has("taro.js") && has("app.js") || shared && has("comp.js")).then_some(Self::Taro)
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
            let styled = Dialect::of(folder(&[app, (&format!("app.{style}"), "")]).path());
            assert_eq!(styled, (style != "css").then_some(dialect), "{style}");
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
    fn markup_that_is_not_known_is_told() {
        let of = |file: &str| strange(folder(&[("app.json", r#"{"pages":["pages/a"]}"#), (file, "")]).path());
        assert_eq!(of("pages/a.qxml").as_deref(), Some("qxml"));
        assert_eq!(["pages/a.html", "pages/a.js", "pages/a.b.qxml", "pages/ab.qxml"].map(of), [const { None }; 4]);
    }

    #[test]
    fn builds_of_frameworks_are_known() {
        let built = |files: &[&str]| {
            let files: Vec<_> = files.iter().map(|file| (*file, "")).collect();
            Framework::that_built(folder(&files).path())
        };
        assert_eq!(built(&["common/vendor.js", "common/runtime.js"]), Some(Framework::UniApp));
        assert_eq!(built(&["taro.js", "app.js"]), Some(Framework::Taro));
        assert_eq!(built(&["base.wxml", "comp.js"]), Some(Framework::Taro));
        assert_eq!(built(&["common/vendor.js", "common/manifest.js", "common/main.js"]), Some(Framework::Mpvue));
        assert_eq!(built(&["static/js/vendor.js", "static/js/manifest.js"]), Some(Framework::Mpvue));
        assert_eq!(built(&["app.js"]), None);
    }
}
