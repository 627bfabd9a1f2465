//! The components that pages use: each leads to files of the package, as WeChat would look for them.
//!
//! A path is relative to the JSON that names it, or absolute from the root; a name that is neither is looked for in
//! the `miniprogram_npm` folders from there up to the root. A folder stands for its `index`. What the host or a plugin
//! provides (`plugin://…`, `useExtendedLib`) is not ours to find.

use std::collections::{BTreeMap, HashSet, VecDeque};

use berth_policy::{
    Finding, Package, Place,
    serde_json::{self, Map, Value},
    text::Lines,
};

use crate::Subject;

/// Any of them makes a component. Sources that a build would compile count too.
const EXTENSIONS: [&str; 7] = ["json", "js", "ts", "wxml", "vue", "jsx", "tsx"];
const NPM: &str = "miniprogram_npm";
/// What names a library that `useExtendedLib` provides.
const EXTENDED: [(&str, &str); 3] =
    [("weui", "weui-miniprogram"), ("kbone", "miniprogram-element"), ("kbone", "kbone-ui")];

/// A use of a component.
struct Use {
    /// The file that names it.
    json: String,
    /// What is written there.
    path: String,
    place: Place,
}

impl Use {
    fn folder(&self) -> &str {
        self.json.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

/// Every component that a page uses, or a component that it uses, has files.
pub fn check(subject: &Subject, package: &dyn Package) -> Vec<Finding> {
    // Other dialects look elsewhere, and builds that bundle everything keep no JSON of components.
    let is_wechat = subject.manifest.path == "app.json" && subject.paths.iter().any(|path| path.ends_with(".wxml"));
    if !is_wechat || subject.has("app-service.js") {
        return Vec::new();
    }
    let mut gaps = BTreeMap::<Gap, Vec<Use>>::new();
    for used in lost(subject, package) {
        gaps.entry(Gap::of(subject, &used)).or_default().push(used);
    }
    gaps.into_iter().map(|(gap, uses)| gap.finding(subject, &uses)).collect()
}

/// The uses that lead nowhere, from the pages on.
fn lost(subject: &Subject, package: &dyn Package) -> Vec<Use> {
    let pages = subject.manifest.all_pages().into_iter().map(|page| format!("{}.json", page.trim_start_matches('/')));
    let mut queue: VecDeque<String> = std::iter::once("app.json".to_owned()).chain(pages).collect();
    let mut seen: HashSet<String> = queue.iter().cloned().collect();
    let mut lost = Vec::new();
    while let Some(json) = queue.pop_front() {
        for used in uses(subject, package, &json) {
            match find(subject, &used) {
                None => lost.push(used),
                Some(stem) => {
                    let next = format!("{stem}.json");
                    if seen.insert(next.clone()) {
                        queue.push_back(next);
                    }
                }
            }
        }
    }
    lost
}

/// What a JSON uses. One that is not there, or cannot be read, uses nothing.
fn uses(subject: &Subject, package: &dyn Package, json: &str) -> Vec<Use> {
    let text = if subject.has(json) { package.read_text(json).unwrap_or_default() } else { String::new() };
    let members: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    let named = members.get("usingComponents").and_then(Value::as_object).into_iter().flat_map(Map::values);
    let generics = members.get("componentGenerics").and_then(Value::as_object).into_iter().flat_map(Map::values);
    let defaults = generics.filter_map(|generic| generic.get("default"));
    let paths: Vec<_> = named.chain(defaults).filter_map(Value::as_str).filter(|path| is_ours(subject, path)).collect();
    if paths.is_empty() {
        return Vec::new();
    }
    let lines = Lines::of(&text);
    let place = |path: &str| lines.place(json, text.find(&format!("\"{path}\"")).unwrap_or(0));
    paths.into_iter().map(|path| Use { json: json.into(), path: path.into(), place: place(path) }).collect()
}

/// Whether the package has to bring it.
fn is_ours(subject: &Subject, path: &str) -> bool {
    let extended = subject.manifest.members.get("useExtendedLib");
    let provided = |(library, name): &(&str, &str)| {
        let on = extended.and_then(|libraries| libraries.get(library)).is_some_and(|on| *on != Value::Bool(false));
        on && path.split('/').next() == Some(name)
    };
    !path.is_empty() && !path.contains("://") && !EXTENDED.iter().any(provided)
}

/// The files of a component, without their extension.
fn find(subject: &Subject, used: &Use) -> Option<String> {
    let path = aliased(subject, used.path.split('?').next().unwrap_or_default());
    let folder = used.folder();
    let is_there = |stem: &String| EXTENSIONS.iter().any(|extension| subject.has(&format!("{stem}.{extension}")));
    let with_index = |stem: String| [stem.clone(), join(&stem, "index")].into_iter().find(is_there);
    if let Some(absolute) = path.strip_prefix('/') {
        let roots = subject.manifest.subpackages().into_iter().map(|sub| sub.root).filter(|root| is_in(folder, root));
        return std::iter::once(String::new()).chain(roots).find_map(|root| with_index(join(&root, absolute)));
    }
    // A path without a dot is sometimes meant from the root; whether it works is for the developer tool to say.
    let relative = with_index(join(folder, &path)).or_else(|| with_index(join("", &path)));
    relative.or_else(|| upwards(folder).find_map(|folder| with_index(join(&join(folder, NPM), &path))))
}

/// The folder, the one around it, and so on up to the root.
fn upwards(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |folder| match folder.rsplit_once('/') {
        Some((above, _)) => Some(above),
        None => (!folder.is_empty()).then_some(""),
    })
}

fn is_in(folder: &str, root: &str) -> bool {
    folder.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// `folder/path` without `.` and `..`; what climbs out of the root stays there.
fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The path with `resolveAlias` of the manifest applied: `{"@/*": "/components/*"}`.
fn aliased(subject: &Subject, path: &str) -> String {
    let aliases = subject.manifest.members.get("resolveAlias").and_then(Value::as_object);
    let apply = |(from, to): (&String, &Value)| match from.strip_suffix('*') {
        Some(prefix) => Some(to.as_str()?.trim_end_matches('*').to_owned() + path.strip_prefix(prefix)?),
        None => (from == path).then(|| to.as_str().map(str::to_owned))?,
    };
    let target = aliases.into_iter().flatten().find_map(apply);
    // An alias leads to a path from the root.
    target.map_or_else(
        || path.to_owned(),
        |target| format!("/{}", target.trim_start_matches("./").trim_start_matches('/')),
    )
}

/// What is not there. Whatever leads to it is one finding: its uses may be many, and what is to be done is one thing.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    /// The path of a component, without extension.
    Component(String),
    Folder(String),
    /// A package that was not built into `miniprogram_npm`.
    Npm(String),
}

impl Gap {
    fn of(subject: &Subject, used: &Use) -> Self {
        let target = target(subject, used);
        if let Some(name) = npm_package(subject, &used.path, &target) {
            return Self::Npm(name);
        }
        let folders = target.match_indices('/').map(|(at, _)| &target[..at]);
        let missing = folders.into_iter().find(|folder| !subject.paths.iter().any(|have| is_in(have, folder)));
        missing.map_or_else(|| Self::Component(target.clone()), |folder| Self::Folder(folder.into()))
    }

    fn finding(&self, subject: &Subject, uses: &[Use]) -> Finding {
        let missing = match self {
            Self::Component(stem) => format!("has no {stem}.json"),
            Self::Folder(folder) => format!("has no folder {folder}"),
            Self::Npm(name) => format!("does not hold the npm package {name}"),
        };
        let first = &uses[0];
        let others = match uses.len() - 1 {
            0 => String::new(),
            1 => " One more use leads there.".into(),
            count => format!(" {count} more uses lead there."),
        };
        let message = format!("{} uses the component {}, but the package {missing}.{others}", first.json, first.path);
        Finding::error("component-missing", message).at(first.place.clone()).fix(self.remedy(subject, first))
    }

    fn remedy(&self, subject: &Subject, used: &Use) -> String {
        if let Self::Npm(_) = self {
            let fix =
                "Build npm in the developer tool (Tools, Build npm), which writes miniprogram_npm, and pack again.";
            return fix.into();
        }
        let target = target(subject, used);
        let files = [format!("{target}.json"), format!("{target}/index.json")];
        match files.iter().find_map(|path| subject.other_case(path)) {
            Some(path) => format!("The file is called {path}; paths are case-sensitive, so write both alike."),
            None => "Add the component, correct its path, or remove it from the JSON.".into(),
        }
    }
}

/// Where a path leads that is no npm package's.
fn target(subject: &Subject, used: &Use) -> String {
    let path = aliased(subject, &used.path);
    if path.starts_with('/') { join("", &path) } else { join(used.folder(), &path) }
}

/// The npm package that a path means, when it is not there: `@vant/weapp` of `@vant/weapp/button`.
fn npm_package(subject: &Subject, path: &str, target: &str) -> Option<String> {
    let inside = target.split_once(&format!("{NPM}/")).map(|(_, inside)| inside);
    let bare = (!path.starts_with(['.', '/', '~']) && !path.starts_with("@/")).then_some(path);
    let parts: Vec<_> = inside.or(bare)?.split('/').collect();
    let name = parts.get(..if parts[0].starts_with('@') { 2 } else { 1 })?.join("/");
    let ours = inside.is_none() && subject.paths.iter().any(|have| is_in(have, parts[0]));
    let built = subject.paths.iter().any(|have| have.contains(&format!("{NPM}/{name}/")));
    (!ours && !built).then_some(name)
}
