//! Checks what markup names: other markup, scripts, pictures, pages.

use std::collections::{BTreeMap, HashMap};

use berth_policy::{Finding, Place, text::Lines};
use berth_policy_layout::{
    Takes, path,
    scanner::{Tag, tags},
};

use crate::{
    Reference, Subject,
    gaps::{self, Lost, Sort},
};

const TEMPLATE: Sort = Sort {
    rule: "template-missing",
    does: "imports the markup",
    fix: "Add the file, or correct the path.",
    endings: &[],
};
const SCRIPT: Sort =
    Sort { rule: "script-missing", does: "uses the script", fix: "Add the file, or correct the path.", endings: &[] };
const IMAGE: Sort = Sort {
    rule: "image-missing",
    does: "shows the picture",
    fix: "Add the picture, or correct the path.",
    endings: &[],
};
/// Extensions of pictures that a device can show.
const PICTURES: [&str; 7] = ["png", "jpg", "jpeg", "gif", "webp", "svg", "bmp"];

/// What the markup of a package names.
#[derive(Default)]
pub struct Markup {
    /// Findings about what does not exist.
    pub findings: Vec<Finding>,
    /// The files that exist.
    pub references: Vec<Reference>,
    /// The pages that links lead to, as they are written.
    pub links: Vec<(String, Place)>,
}

/// One mention of a file.
struct Named {
    sort: Is,
    written: String,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Is {
    Template,
    Script,
    Image,
    Link,
}

impl Markup {
    /// Reads the markup of pages and components, and the markup that it imports.
    pub fn of(subject: &Subject<'_>) -> Self {
        let mut files = HashMap::new();
        let mut bases = BTreeMap::<String, Vec<String>>::new();
        for stem in &subject.components.stems {
            if let Some(file) = subject.layout.markup_of(stem) {
                visit(subject, file, path::folder(stem), &mut files, &mut bases);
            }
        }
        let mut markup = Self::default();
        let (mut templates, mut scripts, mut images) = (Vec::new(), Vec::new(), Vec::new());
        for (file, folders) in &bases {
            for named in files.get(file).into_iter().flatten() {
                let found = find(subject, file, folders, named);
                match (named.sort, found) {
                    (Is::Link, _) => markup.links.push((named.written.clone(), named.place.clone())),
                    (_, Some(to)) => markup.references.push(Reference { from: named.place.clone(), to }),
                    (Is::Template, None) => templates.push(lost(file, named)),
                    (Is::Script, None) => scripts.push(lost(file, named)),
                    (Is::Image, None) => images.push(lost(file, named)),
                }
            }
        }
        for (sort, lost) in [(TEMPLATE, templates), (SCRIPT, scripts), (IMAGE, images)] {
            markup.findings.extend(gaps::findings(subject, &sort, lost));
        }
        markup
    }
}

fn lost(file: &str, named: &Named) -> Lost {
    let written = &named.written;
    let target = if written.starts_with('/') { path::clean(written) } else { path::join(path::folder(file), written) };
    Lost { place: named.place.clone(), written: written.clone(), target, npm: None, meant: None }
}

/// Reads a file and what it imports, once for each folder whose page or component uses it, as pictures of a template
/// are looked for from there. Templates may import one another in chains of any length.
fn visit(
    subject: &Subject<'_>,
    file: String,
    base: &str,
    files: &mut HashMap<String, Vec<Named>>,
    bases: &mut BTreeMap<String, Vec<String>>,
) {
    let mut queue = vec![file];
    while let Some(file) = queue.pop() {
        let known = bases.entry(file.clone()).or_default();
        if !subject.layout.has(&file) || known.iter().any(|have| have == base) {
            continue;
        }
        known.push(base.to_owned());
        let named = files.entry(file.clone()).or_insert_with(|| read(subject, &file));
        let templates = named.iter().filter(|named| named.sort == Is::Template);
        queue.extend(templates.filter_map(|named| find(subject, &file, &[], named)));
    }
}

fn read(subject: &Subject<'_>, file: &str) -> Vec<Named> {
    let text = subject.text(file);
    let lines = Lines::of(&text);
    let named =
        |(sort, written, at): (Is, &str, usize)| Named { sort, written: written.into(), place: lines.place(file, at) };
    tags(&text).iter().filter_map(mention).filter(|(_, written, _)| is_ours(written)).map(named).collect()
}

/// What a tag names, with its byte offset.
fn mention<'t>(tag: &Tag<'t>) -> Option<(Is, &'t str, usize)> {
    let of = |sort, attribute| tag.constant(attribute).map(|(written, at)| (sort, written, at));
    match tag.name {
        "import" | "include" => of(Is::Template, "src"),
        "wxs" | "sjs" | "qs" | "filter" => of(Is::Script, "src"),
        "import-sjs" => of(Is::Script, "from").or_else(|| of(Is::Script, "src")),
        "navigator" => of(Is::Link, "url"),
        "image" | "cover-image" => of(Is::Image, "src").filter(|(_, written, _)| is_picture(written)),
        _ => None,
    }
}

fn is_picture(path: &str) -> bool {
    PICTURES.contains(&&*path::ending(path).to_ascii_lowercase())
}

/// Whether the text is a path in the package, and not an address, data or a path of a plugin.
fn is_ours(written: &str) -> bool {
    !written.contains(':') && !written.starts_with("//")
}

fn find(subject: &Subject<'_>, file: &str, bases: &[String], named: &Named) -> Option<String> {
    let layout = &subject.layout;
    let written = layout.aliased(&named.written);
    // Who takes WeChat's markup takes its names for files, too.
    let takes = layout.dialect.takes_wechat != Takes::No && named.sort == Is::Template;
    let written = if takes { written.strip_suffix(".wxml").unwrap_or(&written).to_owned() } else { written };
    let endings: &[&str] = match named.sort {
        Is::Template => &["", layout.dialect.markup, "wxml"],
        Is::Script => &["", "wxs", "sjs", "qs", "js", "filter.js"],
        Is::Image | Is::Link => &[""],
    };
    let is_there = |stem: String| {
        let paths =
            endings.iter().map(|ending| if ending.is_empty() { stem.clone() } else { format!("{stem}.{ending}") });
        paths.into_iter().find(|path| layout.has(path))
    };
    if written.starts_with('/') {
        return layout.absolute(file, &written).find_map(is_there);
    }
    let folders = std::iter::once(path::folder(file)).chain(bases.iter().map(String::as_str)).chain([""]);
    folders.map(|folder| path::join(folder, &written)).find_map(is_there)
}
