//! The components that pages use, found as a device finds them.
//!
//! A path is relative to the JSON file that names it, or absolute from the root; a name that is neither is looked for
//! in the npm folders from there up to the root. A folder stands for its `index`. What the host or a plugin provides
//! (`plugin://…`, `dynamicLib://…`, `useExtendedLib`) need not be in the package.

use std::collections::{HashSet, VecDeque};

use berth_policy::{
    Package, Place,
    serde_json::{self, Map, Value},
    text::Lines,
};

use crate::{Layout, path};

/// File extensions that make a component, with those of sources that a build would compile.
const ENDINGS: [&str; 8] = ["json", "js", "ts", "mjs", "vue", "jsx", "tsx", "wpy"];
/// The libraries that `useExtendedLib` provides, and the names by which they are used.
const EXTENDED: [(&str, &str); 3] =
    [("weui", "weui-miniprogram"), ("kbone", "miniprogram-element"), ("kbone", "kbone-ui")];

/// A use of a component.
#[derive(Clone, Debug)]
pub struct Use {
    /// The JSON file that names the component.
    pub json: String,
    /// The tag that stands for the component; empty for the default of a generic.
    pub tag: String,
    /// The path as it is written.
    pub path: String,
    /// Where it is written.
    pub place: Place,
    /// Whether something is shown in its place until it is loaded (`componentPlaceholder`).
    pub has_placeholder: bool,
}

/// A JSON file of a page or component that cannot be read.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// Where reading failed.
    pub place: Place,
    /// Why it cannot be read, in words.
    pub reason: String,
    /// Whether it could be read but for comments and trailing commas, or is empty.
    pub lenient: bool,
}

/// The pages and components that are in use, beginning with the pages.
#[derive(Debug, Default)]
pub struct Components {
    /// The pages, the components, and the parts of a custom tab bar, as paths without file extension.
    pub stems: Vec<String>,
    /// The uses whose component exists, with its path without file extension.
    pub found: Vec<(Use, String)>,
    /// The uses whose component does not exist.
    pub lost: Vec<Use>,
    /// The JSON files that cannot be read. What they use is not known.
    pub unreadable: Vec<Unreadable>,
}

impl Components {
    /// Follows the uses from the manifest, from the pages, and from the bars that the manifest asks for.
    pub fn of(layout: &Layout, package: &dyn Package) -> Self {
        let bars = bars(layout).into_iter().map(|(_, stem)| stem.to_owned());
        let roots: Vec<String> = layout.pages.iter().cloned().chain(bars).collect();
        let mut components = Self::default();
        let mut seen: HashSet<String> = roots.iter().cloned().collect();
        let mut queue: VecDeque<String> = roots.into_iter().collect();
        components.look(layout, package, "app.json", &mut seen, &mut queue);
        while let Some(stem) = queue.pop_front() {
            components.look(layout, package, &format!("{stem}.json"), &mut seen, &mut queue);
            components.stems.push(stem);
        }
        components.stems.sort();
        components.stems.dedup();
        components
    }

    fn look(
        &mut self,
        layout: &Layout,
        package: &dyn Package,
        json: &str,
        seen: &mut HashSet<String>,
        queue: &mut VecDeque<String>,
    ) {
        if !layout.has(json) || json == "app.json" && layout.manifest.path != "app.json" {
            return;
        }
        let text = package.read_text(json).unwrap_or_default();
        let members = match read(json, &text) {
            Ok(members) => members,
            Err(unreadable) => {
                let members = unreadable.1;
                self.unreadable.push(unreadable.0);
                members
            }
        };
        for used in uses(layout, json, &text, &members) {
            match find(layout, &used) {
                None => self.lost.push(used),
                Some(stem) => {
                    if seen.insert(stem.clone()) {
                        queue.push_back(stem.clone());
                    }
                    self.found.push((used, stem));
                }
            }
        }
    }
}

/// The components that the manifest asks for without naming them: the member that asks, and the path without file
/// extension.
pub fn bars(layout: &Layout) -> Vec<(&'static str, &'static str)> {
    let members = &layout.manifest.members;
    let asks = |member: &str| members.get("tabBar").and_then(|bar| bar.get(member)) == Some(&Value::Bool(true));
    let custom = layout.dialect.custom_bar.filter(|(member, _)| asks(member));
    let app = members.contains_key("appBar") && layout.dialect.name == "WeChat";
    custom.into_iter().chain(app.then_some(("appBar", "app-bar/index"))).collect()
}

/// The members of a JSON file. The error also has the members that a lenient reader finds.
fn read(json: &str, text: &str) -> Result<Map<String, Value>, (Unreadable, Map<String, Value>)> {
    let strict = serde_json::from_str(text);
    let error = match strict {
        Ok(Value::Object(members)) => return Ok(members),
        Ok(_) => return Err((told(Place::file(json), "it is not a JSON object", false), Map::new())),
        Err(error) => error,
    };
    let place = Lines::of(text).place(json, offset(text, &error));
    if text.trim().is_empty() {
        return Err((told(place, "it is empty", true), Map::new()));
    }
    let reason = plain(&error);
    match serde_json::from_str(&without_comments(text)) {
        Ok(Value::Object(members)) => Err((told(place, &reason, true), members)),
        _ => Err((told(place, &reason, false), Map::new())),
    }
}

fn told(place: Place, reason: &str, lenient: bool) -> Unreadable {
    Unreadable { place, reason: reason.into(), lenient }
}

/// The byte at which reading failed. The columns of serde count bytes.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let line: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    text.floor_char_boundary(line + error.column().saturating_sub(1))
}

/// The message of serde without the place, which is reported separately.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// The JSON without comments and without commas before a closing bracket.
fn without_comments(text: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(next) = rest.chars().next() {
        let length = match next {
            '"' => string_length(rest),
            '/' if rest.starts_with("//") => return_or_end(rest, "\n", 0),
            '/' if rest.starts_with("/*") => return_or_end(rest, "*/", 2),
            next => next.len_utf8(),
        };
        let (part, after) = rest.split_at(length);
        if !part.starts_with("//") && !part.starts_with("/*") {
            if matches!(next, '}' | ']') {
                let end = kept.trim_end().trim_end_matches(',').len();
                kept.truncate(end);
            }
            kept.push_str(part);
        }
        rest = after;
    }
    kept
}

fn return_or_end(rest: &str, end: &str, length: usize) -> usize {
    rest.find(end).map_or(rest.len(), |at| at + length)
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The components that a JSON file uses and that the package must contain.
fn uses(layout: &Layout, json: &str, text: &str, members: &Map<String, Value>) -> Vec<Use> {
    let object = |name: &str| members.get(name).and_then(Value::as_object).into_iter().flatten();
    let named = object("usingComponents").map(|(tag, path)| (&**tag, path));
    let defaults = object("componentGenerics").filter_map(|(_, generic)| Some(("", generic.get("default")?)));
    let written = named.chain(defaults).filter_map(|(tag, path)| Some((tag, path.as_str()?)));
    let ours: Vec<_> = written.filter(|(_, path)| is_ours(layout, path)).collect();
    if ours.is_empty() {
        return Vec::new();
    }
    let placeholders = members.get("componentPlaceholder");
    let lines = Lines::of(text);
    let used = |(tag, path): (&str, &str)| Use {
        json: json.into(),
        tag: tag.into(),
        path: path.into(),
        place: lines.place(json, text.find(&format!("\"{path}\"")).unwrap_or(0)),
        has_placeholder: placeholders.is_some_and(|all| all.get(tag).is_some()),
    };
    ours.into_iter().map(used).collect()
}

/// Whether the package must contain the component.
fn is_ours(layout: &Layout, path: &str) -> bool {
    let extended = layout.manifest.members.get("useExtendedLib");
    let provided = |(library, name): &(&str, &str)| {
        let on = extended.and_then(|libraries| libraries.get(library)).is_some_and(|on| *on != Value::Bool(false));
        on && path.split('/').next() == Some(name)
    };
    !path.is_empty() && !path.contains("://") && !EXTENDED.iter().any(provided)
}

/// The path of a component's files, without file extension; `None` when there are none.
fn find(layout: &Layout, used: &Use) -> Option<String> {
    let path = layout.aliased(used.path.split('?').next().unwrap_or_default());
    let folder = path::folder(&used.json);
    let is_there = |stem: &String| {
        ENDINGS.iter().chain([&layout.markup(), &"wxml"]).any(|ending| layout.has(&format!("{stem}.{ending}")))
    };
    let with_index = |stem: String| [stem.clone(), path::join(&stem, "index")].into_iter().find(is_there);
    if path.starts_with('/') {
        return layout.absolute(&used.json, &path).find_map(with_index);
    }
    // A path without a dot is sometimes meant from the root; whether it works is for the developer tool to say.
    let near = with_index(path::join(folder, &path)).or_else(|| with_index(path::clean(&path)));
    near.or_else(|| layout.npm_paths(folder, &path).into_iter().find_map(with_index))
}

/// The path that a use leads to, unless it is that of an npm package.
pub fn target(layout: &Layout, used: &Use) -> String {
    let path = layout.aliased(&used.path);
    if path.starts_with('/') { path::clean(&path) } else { path::join(path::folder(&used.json), &path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_dangling_commas_are_left_out_and_strings_are_not() {
        let text = r#"{ // one
            "a": "//x,}", /* two */ "b": [1, 2,],
        }"#;
        let value: Value = serde_json::from_str(&without_comments(text)).expect("parses");
        assert_eq!(value, serde_json::json!({"a": "//x,}", "b": [1, 2]}));
    }
}
