//! Checks what style sheets import.

use std::collections::HashSet;

use berth_policy::{Finding, text::Lines};
use berth_policy_layout::{path, scanner::style_imports};

use crate::{
    Reference, Subject,
    gaps::{self, Lost, Sort},
};

const SORT: Sort = Sort {
    rule: "style-missing",
    does: "imports the style sheet",
    fix: "Add the file, or correct the path.",
    endings: &[],
};

/// Follows the style sheets of the app, of pages and of components, and reports imports that do not exist. The
/// references are the imports that do.
pub fn check(subject: &Subject<'_>) -> (Vec<Finding>, Vec<Reference>) {
    let ending = subject.layout.dialect.style;
    let stems = subject.components.stems.iter().map(String::as_str).chain(["app"]);
    let mut queue: Vec<_> =
        stems.map(|stem| format!("{stem}.{ending}")).filter(|path| subject.layout.has(path)).collect();
    let mut seen: HashSet<String> = queue.iter().cloned().collect();
    let (mut lost, mut references) = (Vec::new(), Vec::new());
    while let Some(file) = queue.pop() {
        let text = subject.text(&file);
        let lines = Lines::of(&text);
        let imports = style_imports(&text).into_iter().filter(|(written, _)| is_ours(written));
        for (written, at) in imports {
            let place = lines.place(&file, at);
            match find(subject, &file, written) {
                Some(to) => {
                    if seen.insert(to.clone()) {
                        queue.push(to.clone());
                    }
                    references.push(Reference { from: place, to });
                }
                None => lost.push(Lost {
                    place,
                    written: written.into(),
                    target: target(&file, written),
                    npm: None,
                    meant: None,
                }),
            }
        }
    }
    (gaps::findings(subject, &SORT, lost), references)
}

/// Whether the text is a path in the package, and not an address or a path that a build has to translate.
fn is_ours(written: &str) -> bool {
    !written.contains(':') && !written.starts_with("//") && !written.starts_with('~')
}

fn target(file: &str, written: &str) -> String {
    if written.starts_with('/') { path::clean(written) } else { path::join(path::folder(file), written) }
}

fn find(subject: &Subject<'_>, file: &str, written: &str) -> Option<String> {
    let layout = &subject.layout;
    let style = layout.dialect.style;
    let own = layout.absolute(file, written).filter(|_| written.starts_with('/'));
    let npm = layout.dialect.npm.iter().map(|npm| path::join(npm, written));
    let places = std::iter::once(target(file, written)).chain(own).chain([path::clean(written)]).chain(npm);
    // Who takes WeChat's style sheets takes their names, too.
    let own = |stem: &str| {
        stem.strip_suffix(".wxss").map(|bare| format!("{bare}.{style}")).unwrap_or_else(|| format!("{stem}.{style}"))
    };
    places.flat_map(|stem| [own(&stem), stem]).find(|path| layout.has(path))
}
