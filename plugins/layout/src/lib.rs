//! The layout of a mini-program package: its dialect, its pages, its components, and which file a path means.
//!
//! All auditors that ask whether something exists or runs use this crate, so that all of them look where a device
//! would: it resolves slashes, file extensions, aliases, subpackages and npm folders.

pub mod asks;
pub mod components;
pub mod dialect;
pub mod modules;
pub mod path;
pub mod scanner;

use std::collections::{BTreeMap, BTreeSet};

use berth_policy::{
    Package,
    manifest::{Manifest, Subpackage},
    serde_json,
};

pub use dialect::{Dialect, Takes};

/// The file into which builds put all scripts. Pages of such a package have no scripts and JSON files of their own.
const BUNDLE: &str = "app-service.js";
const BUNDLED_SCRIPT: [&str; 2] = [BUNDLE, "service.js"];
/// The files into which builds put all markup.
const BUNDLED_MARKUP: [&str; 2] = ["page-frame.html", "page-frame.js"];
/// Extensions of sources that a build has to compile to a script before a device can run them.
const SCRIPT_SOURCES: [&str; 8] = ["ts", "tsx", "jsx", "mts", "vue", "wpy", "mpx", "coffee"];
/// Extensions of sources that a build has to compile to markup.
const MARKUP_SOURCES: [&str; 6] = ["pug", "tsx", "jsx", "vue", "wpy", "mpx"];
/// Extensions of sources that a build has to compile to style sheets.
const STYLE_SOURCES: [&str; 4] = ["less", "scss", "sass", "styl"];

/// The folder of npm packages that developer tools build, and the one into which npm installs them.
const BUILT_NPM: &str = "miniprogram_npm";
const INSTALLED_NPM: &str = "node_modules";

/// The kind of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A mini-program, which has pages.
    App,
    /// A mini-game, which has a `game.js` and draws everything itself.
    Game,
    /// A plugin for mini-programs, which cannot run alone.
    Plugin,
}

/// The layout of a package.
pub struct Layout {
    /// The manifest.
    pub manifest: Manifest,
    /// The dialect of the package; [`dialect::UNKNOWN`] when its markup is that of none that is known.
    pub dialect: &'static Dialect,
    /// The file extension of markup that is that of no known dialect, if that of the package is.
    pub strange: Option<String>,
    /// The kind of the package.
    pub kind: Kind,
    /// The subpackages that the manifest declares.
    pub subpackages: Vec<Subpackage>,
    /// All declared pages, without file extension. A page that is declared twice is there twice.
    pub pages: Vec<String>,
    paths: Vec<String>,
    folders: BTreeSet<String>,
    mains: BTreeMap<String, String>,
}

/// What a page or a component lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// It has no files at all.
    Everything,
    /// It has no script.
    Script,
    /// It has no markup.
    Markup,
    /// Its markup is that of WeChat, at this path, which the dialect may not accept.
    Foreign(String),
    /// Parts of it exist only as sources, at these paths.
    Built(Vec<String>),
}

impl Layout {
    /// Reads the layout of a package. The error says why its manifest cannot be read.
    pub fn of(package: &dyn Package) -> Result<Self, String> {
        let mut paths: Vec<_> = package.files().into_iter().map(|file| file.path).collect();
        paths.sort();
        let manifest = Manifest::of(package)?;
        let (subpackages, pages) = (manifest.subpackages(), manifest.all_pages());
        let strange = Dialect::strange(&manifest.path, &pages, &paths);
        let known = || Dialect::of(&manifest.path, &pages, &paths);
        let dialect = if strange.is_some() { &dialect::UNKNOWN } else { known() };
        let kind = match &*manifest.path {
            "game.json" => Kind::Game,
            "plugin.json" => Kind::Plugin,
            _ => Kind::App,
        };
        let folders = paths.iter().flat_map(|path| path::upwards(path::folder(path))).map(str::to_owned).collect();
        Ok(Self { manifest, dialect, strange, kind, subpackages, pages, mains: mains(package, &paths), paths, folders })
    }

    /// The paths of all files, sorted by their bytes.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Whether there is a file with exactly this path.
    pub fn has(&self, path: &str) -> bool {
        self.paths.binary_search_by(|have| have.as_str().cmp(path)).is_ok()
    }

    /// Whether there is a file in the folder or in a folder below it.
    pub fn has_folder(&self, folder: &str) -> bool {
        self.folders.contains(folder)
    }

    /// The path of the module that a folder means by its `package.json`. It may lack its extension.
    pub fn main_of(&self, folder: &str) -> Option<&str> {
        self.mains.get(folder).map(String::as_str)
    }

    /// The path of a file that differs from `path` only in case.
    pub fn other_case(&self, path: &str) -> Option<&str> {
        self.paths.iter().map(String::as_str).find(|have| *have != path && have.eq_ignore_ascii_case(path))
    }

    /// The file extension of its markup.
    pub fn markup(&self) -> &str {
        self.strange.as_deref().unwrap_or(self.dialect.markup)
    }

    /// The framework that built the package, as far as its files tell.
    pub fn builder(&self) -> Option<&'static str> {
        dialect::builder(&self.paths)
    }

    /// The dialect and the framework in words, such as `WeChat, built by Taro`. The files of a game tell no vendor, as there
    /// is no markup among them.
    pub fn description(&self) -> String {
        let what = if self.kind == Kind::Game { "a game" } else { self.dialect.name };
        let builder = self.builder().map(|builder| format!(", built by {builder}")).unwrap_or_default();
        format!("{what}{builder}")
    }

    /// Whether the package is one bundle, whose pages have no files of their own.
    pub fn is_bundled(&self) -> bool {
        self.has(BUNDLE)
    }

    /// Whether the path lies in a folder of npm packages.
    pub fn is_npm(&self, path: &str) -> bool {
        path::folder(path).split('/').any(|part| [BUILT_NPM, INSTALLED_NPM].contains(&part))
    }

    /// Whether the file is a source, of which a build makes what a device reads. Declarations of types are none, and neither
    /// is what the dialect reads as it is.
    pub fn is_source(&self, path: &str) -> bool {
        let ending = path::ending(path);
        let known = [&SCRIPT_SOURCES[..], &MARKUP_SOURCES, &STYLE_SOURCES].concat().contains(&ending);
        known && !path.ends_with(".d.ts") && !self.dialect.whole.contains(&ending)
    }

    /// The subpackage that contains the path; `None` for the main package.
    pub fn subpackage_of(&self, path: &str) -> Option<&Subpackage> {
        self.subpackages.iter().find(|sub| sub.holds(path))
    }

    /// The first existing file that is `stem` with one of these extensions.
    pub fn with_ending(&self, stem: &str, endings: &[&str]) -> Option<String> {
        endings.iter().map(|ending| format!("{stem}.{ending}")).find(|path| self.has(path))
    }

    /// What a page or a component lacks; `None` when it is complete. `stem` is its path without file extension.
    pub fn lack(&self, stem: &str) -> Option<Lack> {
        if self.is_document(stem) {
            return None;
        }
        let script = self.with_ending(stem, &["js", "mjs", "cjs"]).is_some() || self.bundles(stem, &BUNDLED_SCRIPT);
        let markup = self.markup_of(stem).is_some() || self.bundles(stem, &BUNDLED_MARKUP);
        let style = self.strange.is_some() || self.with_ending(stem, &[self.dialect.style, "css"]).is_some();
        let parts = [(script, &SCRIPT_SOURCES[..]), (markup, &MARKUP_SOURCES), (style, &STYLE_SOURCES)];
        let lacking = parts.into_iter().filter(|(has, _)| !has);
        let mut sources: Vec<_> = lacking.filter_map(|(_, endings)| self.with_ending(stem, endings)).collect();
        // One file may be the source of script and markup.
        sources.dedup();
        match (script, markup) {
            _ if !sources.is_empty() => Some(Lack::Built(sources)),
            (true, true) => self.foreign(stem).map(Lack::Foreign),
            (false, false) => Some(Lack::Everything),
            (false, true) => Some(Lack::Script),
            (true, false) => Some(Lack::Markup),
        }
    }

    /// The path of the markup of a page or component.
    pub fn markup_of(&self, stem: &str) -> Option<String> {
        let own = self.with_ending(stem, &[self.markup()]);
        own.or_else(|| self.with_ending(stem, &["wxml"]).filter(|_| self.dialect.takes_wechat != Takes::No))
    }

    fn foreign(&self, stem: &str) -> Option<String> {
        let markup = self.markup_of(stem).filter(|_| self.dialect.takes_wechat == Takes::Perhaps)?;
        (path::ending(&markup) != self.markup()).then_some(markup)
    }

    /// Whether a page is a single document, as pages of the W3C are. A manifest may name the file itself, and
    /// `pages/home/home` may be `pages/home.html`, as in the tests of the W3C.
    fn is_document(&self, stem: &str) -> bool {
        let whole = self.dialect.whole;
        let doubled = stem.rsplit_once('/').filter(|(folder, name)| folder.rsplit('/').next() == Some(*name));
        let near = doubled.map_or(stem, |(folder, _)| folder);
        !whole.is_empty() && (self.has(stem) || [stem, near].iter().any(|stem| self.with_ending(stem, whole).is_some()))
    }

    /// Whether there is a bundle in the root or in a folder above the page.
    fn bundles(&self, stem: &str, names: &[&str]) -> bool {
        path::upwards(path::folder(stem)).any(|folder| names.iter().any(|name| self.has(&path::join(folder, name))))
    }

    /// The paths that a path with a leading slash may mean: from the root of the package, and from the root of the
    /// subpackage that contains `from`.
    pub fn absolute(&self, from: &str, path: &str) -> impl Iterator<Item = String> {
        let own = self.subpackage_of(from).map(|sub| path::join(&sub.root, path));
        std::iter::once(path::clean(path)).chain(own)
    }

    /// The path with the `resolveAlias` of the manifest applied, such as `{"@/*": "/components/*"}`. An alias leads to
    /// a path from the root.
    pub fn aliased(&self, path: &str) -> String {
        let aliases = self.manifest.members.get("resolveAlias").and_then(|aliases| aliases.as_object());
        let apply = |(from, to): (&String, &berth_policy::serde_json::Value)| match from.strip_suffix('*') {
            Some(prefix) => Some(to.as_str()?.trim_end_matches('*').to_owned() + path.strip_prefix(prefix)?),
            None => (from == path).then(|| to.as_str().map(str::to_owned))?,
        };
        let target = aliases.into_iter().flatten().find_map(apply);
        target.map_or_else(|| path.to_owned(), |target| format!("/{}", path::clean(&target)))
    }

    /// The paths that a name may mean in npm folders, from `folder` up to the root.
    pub fn npm_paths(&self, folder: &str, name: &str) -> Vec<String> {
        let npm = |folder| self.dialect.npm.iter().map(move |npm| path::join(folder, npm));
        path::upwards(folder).flat_map(npm).map(|npm| path::join(&npm, name)).collect()
    }

    /// The name of the npm package that a path means: `@vant/weapp` of `@vant/weapp/button`. `None` for other paths.
    pub fn npm_name(&self, path: &str) -> Option<String> {
        let folders = [BUILT_NPM, INSTALLED_NPM].into_iter();
        let inside =
            folders.filter_map(|folder| path.rsplit_once(&format!("{folder}/"))).map(|(_, inside)| inside).next();
        let bare = (!path.starts_with(['.', '/', '~']) && !path.starts_with("@/")).then_some(path);
        let parts: Vec<_> = inside.or(bare)?.split('/').collect();
        Some(parts.get(..if parts[0].starts_with('@') { 2 } else { 1 })?.join("/"))
    }

    /// Whether there is a folder of npm packages at all.
    pub fn has_npm_folder(&self) -> bool {
        let named = |folder: &&String| self.dialect.npm.contains(&folder.rsplit('/').next().unwrap_or(folder));
        self.folders.iter().any(|folder| named(&folder))
    }

    /// Whether some npm folder contains the npm package.
    pub fn has_npm(&self, name: &str) -> bool {
        let ends = |folder: &&String| {
            let rest = folder.strip_suffix(name).and_then(|rest| rest.strip_suffix('/'));
            rest.is_some_and(|rest| [BUILT_NPM, INSTALLED_NPM].iter().any(|npm| rest.ends_with(npm)))
        };
        self.folders.iter().any(|folder| ends(&folder))
    }

    /// What to do so that the package holds the npm package to which `path` leads, in words. A path may name a folder that the
    /// vendor's tools do not write, as in a project that was moved from another vendor.
    pub fn npm_remedy(&self, path: &str) -> String {
        let Dialect { name, npm, npm_remedy, .. } = self.dialect;
        let names = |folder: &str| path.split('/').any(|part| part == folder);
        if names(INSTALLED_NPM) && !npm.contains(&INSTALLED_NPM) {
            return format!("Name the npm package alone: nothing is read from node_modules. {npm_remedy}");
        }
        if names(BUILT_NPM) && npm.contains(&INSTALLED_NPM) && !self.has_npm_folder() {
            return format!(
                "miniprogram_npm is what a build of npm writes, such as that of WeChat's developer tool, and it is not in the \
                 package. Put it in, with components in {name}'s own markup, and pack again."
            );
        }
        (*npm_remedy).into()
    }
}

/// The modules that folders mean by the `main` of their `package.json`. The one in the root describes the project.
fn mains(package: &dyn Package, paths: &[String]) -> BTreeMap<String, String> {
    let main = |path: &String| {
        let folder = path.strip_suffix("/package.json")?;
        let npm: serde_json::Value = serde_json::from_str(&package.read_text(path).ok()?).ok()?;
        Some((folder.to_owned(), path::join(folder, npm.get("main")?.as_str()?)))
    };
    paths.iter().filter_map(main).collect()
}

#[cfg(test)]
mod tests;
