//! Determines which file a script means by `require` or `import`, and which scripts a device loads.

use std::collections::{HashMap, HashSet};

use crate::{Kind, Layout, components::Components, path};

/// What may follow the text of an import in the path of the file.
const CANDIDATES: [&str; 9] = ["", ".js", "/index.js", ".mjs", ".cjs", ".json", "/index.json", ".wxs", ".sjs"];

/// What an import leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// This file.
    File(String),
    /// Something that need not be in the package, or that cannot be told.
    Elsewhere,
    /// This source, which must be built before a device can run it.
    Unbuilt(String),
    /// Nothing. This is the path that was looked for.
    Missing(String),
    /// An npm package with this name, which the package does not contain.
    Npm(String),
}

/// What the script `from` means by the text of an import.
pub fn resolve(layout: &Layout, from: &str, text: &str) -> Target {
    let text = layout.aliased(text);
    if text.is_empty() || text.contains(':') {
        return Target::Elsewhere;
    }
    let find = |stem: String| module(layout, &stem);
    let folder = path::folder(from);
    if text.starts_with('/') {
        // The vendors do not document a slash in front, and older runtimes skip it: the path is then relative.
        let places = layout.absolute(from, &text).chain([path::join(folder, &text)]);
        let found = places.into_iter().find_map(find);
        return found.map_or_else(|| missing(layout, path::clean(&text)), Target::File);
    }
    let near = path::join(folder, &text);
    if let Some(found) = find(near.clone()) {
        return Target::File(found);
    }
    if text.starts_with('.') {
        return missing(layout, near);
    }
    package(layout, folder, &text)
}

/// The file that a path without or with its extension means. A folder means what its `package.json` names, or else its
/// `index`.
fn module(layout: &Layout, stem: &str) -> Option<String> {
    let named = layout.main_of(stem).into_iter().map(str::to_owned);
    named
        .chain([stem.to_owned()])
        .find_map(|stem| CANDIDATES.iter().map(|ending| format!("{stem}{ending}")).find(|path| layout.has(path)))
}

fn missing(layout: &Layout, stem: String) -> Target {
    let bare = stem.strip_suffix(".js").unwrap_or(&stem);
    let places = [bare.to_owned(), path::join(bare, "index")];
    let source = places.iter().find_map(|stem| layout.with_ending(stem, &["ts", "tsx", "jsx", "mts"]));
    let named = if path::ending(&stem).is_empty() { format!("{stem}.js") } else { stem };
    source.map_or(Target::Missing(named), Target::Unbuilt)
}

/// Resolves a name without a leading dot, which is a path from the root or that of an npm package.
fn package(layout: &Layout, folder: &str, text: &str) -> Target {
    let find = |stem: String| module(layout, &stem);
    let mut places = std::iter::once(path::clean(text)).chain(layout.npm_paths(folder, text));
    if let Some(found) = places.find_map(find) {
        return Target::File(found);
    }
    match layout.npm_name(text) {
        Some(name) if !layout.has_npm(&name) && !layout.has_folder(&name) => Target::Npm(name),
        _ => Target::Elsewhere,
    }
}

/// The scripts that a device loads by itself: those of the app, of pages and components, and of workers.
pub fn entries(layout: &Layout, components: &Components) -> Vec<String> {
    let own = if layout.kind == Kind::Game { "game" } else { "app" };
    let stems = components.stems.iter().map(String::as_str).chain([own]);
    let mut entries: Vec<_> = stems.filter_map(|stem| layout.with_ending(stem, &["js", "mjs", "cjs"])).collect();
    if let Some(workers) = workers(layout) {
        let scripts = layout.paths().iter().filter(|path| path::is_in(path, &workers) && path::ending(path) == "js");
        entries.extend(scripts.cloned());
    }
    if layout.kind == Kind::Game {
        let roots = layout.subpackages.iter().map(|sub| {
            if path::ending(&sub.root) == "js" { sub.root.clone() } else { path::join(&sub.root, "game.js") }
        });
        entries.extend(roots.filter(|path| layout.has(path)));
    }
    entries
}

/// The folder of the workers, which the manifest states as a text or as an object.
pub fn workers(layout: &Layout) -> Option<String> {
    let workers = layout.manifest.members.get("workers")?;
    workers.as_str().or_else(|| workers.get("path")?.as_str()).map(path::clean)
}

/// The scripts that a device loads: the entries, and from file to file what they import by the texts in `imports`.
pub fn loaded(layout: &Layout, entries: Vec<String>, imports: &HashMap<String, Vec<String>>) -> HashSet<String> {
    let mut loaded: HashSet<String> = entries.iter().cloned().collect();
    let mut queue = entries;
    while let Some(path) = queue.pop() {
        for text in imports.get(&path).into_iter().flatten() {
            if let Target::File(next) = resolve(layout, &path, text)
                && loaded.insert(next.clone())
            {
                queue.push(next);
            }
        }
    }
    loaded
}
