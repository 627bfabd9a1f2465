//! Checks what scripts import, beginning with those that a device loads by itself.

use std::collections::{BTreeMap, HashSet};

use berth_policy::{
    Finding, Place,
    serde_json::{self, Value},
    text::Lines,
};
use berth_policy_javascript::{Import, Source, When, imports, texts, with_program};
use berth_policy_layout::modules::{Target, entries, resolve};

use crate::{
    Reference, Subject,
    gaps::{self, Lost, Sort, listed},
    unbuilt,
};

const SORT: Sort = Sort {
    rule: "script-missing",
    does: "asks for the script",
    fix: "Add the script, or correct the path.",
    endings: &[".js"],
};
/// How many bytes a script may have to be read here. The policies that judge code report larger ones.
const MAX_BYTES: usize = 8 << 20;

/// What the scripts of a package name.
#[derive(Default)]
pub struct Scripts {
    /// Findings about what does not exist.
    pub findings: Vec<Finding>,
    /// The files that exist.
    pub references: Vec<Reference>,
    /// Texts that may be paths of pages, each with its first place.
    pub paths: BTreeMap<String, Place>,
}

impl Scripts {
    /// Reads the scripts that a device loads, except those in npm packages.
    pub fn of(subject: &Subject<'_>) -> Self {
        let mut scripts = Self::default();
        let mut queue = entries(&subject.layout, &subject.components);
        let mut seen: HashSet<String> = queue.iter().cloned().collect();
        let (mut lost, mut unbuilt) = (Vec::new(), Vec::new());
        let npm = dependencies(subject);
        while let Some(path) = queue.pop() {
            if subject.layout.is_npm(&path) || path.ends_with(".json") {
                continue;
            }
            for (import, place) in scripts.read(subject, &path) {
                match resolve(&subject.layout, &path, &import.text) {
                    Target::File(to) => {
                        if seen.insert(to.clone()) {
                            queue.push(to.clone());
                        }
                        // An independent subpackage may use what others hold, if it loads that apart.
                        if !import.apart {
                            scripts.references.push(Reference { from: place, to });
                        }
                    }
                    Target::Missing(target) if import.when < When::Perhaps => {
                        let (npm, meant) = npm_package(subject, &npm, &import.text);
                        lost.push(Lost { place, written: import.text, target, npm, meant });
                    }
                    Target::Unbuilt(source) if import.when < When::Perhaps => unbuilt.push((source, place)),
                    Target::Npm(name) if import.when == When::Always => {
                        lost.push(Lost {
                            place,
                            target: name.clone(),
                            written: import.text,
                            npm: Some(name),
                            meant: None,
                        });
                    }
                    _ => {}
                }
            }
        }
        lost.sort_by(|a, b| (&a.place.path, a.place.line).cmp(&(&b.place.path, b.place.line)));
        scripts.findings = gaps::findings(subject, &SORT, lost);
        scripts.findings.extend(not_built(subject, unbuilt));
        scripts
    }

    /// The imports of a script. A script that does not parse has none; the policies that judge code report it.
    fn read(&mut self, subject: &Subject<'_>, path: &str) -> Vec<(Import, Place)> {
        let source = Source { path: path.into(), text: subject.text(path) };
        if source.text.len() > MAX_BYTES {
            return Vec::new();
        }
        let (imports, texts) = with_program(&source, |program| (imports(program), texts(program))).unwrap_or_default();
        let lines = Lines::of(&source.text);
        for (at, text) in texts.into_iter().filter(|(_, text)| text.contains('/')) {
            self.paths.entry(text).or_insert_with(|| lines.place(path, at as usize));
        }
        let placed = |import: Import| {
            let place = lines.place(path, import.offset as usize);
            (import, place)
        };
        imports.into_iter().map(placed).collect()
    }
}

/// The npm packages that the project depends on, when its `package.json` was packed.
fn dependencies(subject: &Subject<'_>) -> HashSet<String> {
    let npm: Value = serde_json::from_str(&subject.text("package.json")).unwrap_or_default();
    let names = npm.get("dependencies").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.clone());
    names.collect()
}

/// The npm package that is written as a file beside, `./dayjs`: first, if it is not there; second, if it is. Devices may
/// look for it as they do for a name alone: a sample of WeChat's own relies on that.
fn npm_package(subject: &Subject<'_>, dependencies: &HashSet<String>, text: &str) -> (Option<String>, Option<String>) {
    let bare = text.strip_prefix("./").filter(|bare| !subject.layout.is_npm(bare));
    let Some(name) = bare.and_then(|bare| subject.layout.npm_name(bare)) else { return (None, None) };
    match () {
        () if subject.layout.has_npm(&name) => (None, Some(name)),
        () if dependencies.contains(&name) => (Some(name), None),
        () => (None, None),
    }
}

/// One finding for all sources that were not built.
fn not_built(subject: &Subject<'_>, mut unbuilt: Vec<(String, Place)>) -> Option<Finding> {
    unbuilt.sort_by(|a, b| (&a.0, &a.1.path, a.1.line).cmp(&(&b.0, &b.1.path, b.1.line)));
    unbuilt.dedup_by(|a, b| a.0 == b.0);
    let (_, place) = unbuilt.first()?.clone();
    let sources: Vec<_> = unbuilt.into_iter().map(|(source, _)| source).collect();
    let message = format!(
        "{} asks for scripts that are not compiled; no device reads their sources: {}.",
        place.path,
        listed(&sources)
    );
    Some(Finding::error("script-not-built", message).at(place).fix(unbuilt::remedy(subject, &sources)))
}
