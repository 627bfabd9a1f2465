//! What scripts name, from those that a device loads by itself on.

use std::collections::{HashMap, HashSet};

use berth_policy::{Finding, Place, text::Lines};
use berth_policy_javascript::{Import, Source, When, imports, texts, with_program};
use berth_policy_layout::modules::{Target, entries, resolve};

use crate::{
    Reference, Subject,
    gaps::{self, Lost, Sort},
};

const SORT: Sort = Sort {
    rule: "script-missing",
    does: "asks for the script",
    fix: "Add the script, or correct the path.",
    endings: &[".js"],
};
/// A script above this is not read; the policies that judge code say so.
const MAX_BYTES: usize = 8 << 20;

/// What the scripts of a package name.
#[derive(Default)]
pub struct Scripts {
    /// What is not there.
    pub findings: Vec<Finding>,
    /// What is there.
    pub references: Vec<Reference>,
    /// Texts that may be paths of pages, each with its first place.
    pub paths: HashMap<String, Place>,
}

impl Scripts {
    /// Reads the scripts that a device loads. Npm packages are left to those who made them.
    pub fn of(subject: &Subject<'_>) -> Self {
        let mut scripts = Self::default();
        let mut queue = entries(&subject.layout, &subject.components);
        let mut seen: HashSet<String> = queue.iter().cloned().collect();
        let mut lost = Vec::new();
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
                        scripts.references.push(Reference { from: place, to });
                    }
                    Target::Missing(target) if import.when < When::Perhaps => {
                        lost.push(Lost { place, written: import.text, target: format!("{target}.js"), npm: None });
                    }
                    Target::Npm(name) if import.when == When::Always => {
                        lost.push(Lost { place, target: name.clone(), written: import.text, npm: Some(name) });
                    }
                    _ => {}
                }
            }
        }
        lost.sort_by(|a, b| (&a.place.path, a.place.line).cmp(&(&b.place.path, b.place.line)));
        scripts.findings = gaps::findings(subject, &SORT, lost);
        scripts
    }

    /// What a script imports. One that does not parse imports nothing, and is told by who judges code.
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
