//! Finds pages that exist but are not declared, which a device refuses to open.

use std::collections::{BTreeMap, HashSet};

use berth_policy::{Finding, Place};
use berth_policy_layout::path;

use crate::{Subject, gaps::listed, markup::Markup, scripts::Scripts};

/// Reports each undeclared page that something leads to, and with one warning all others in subpackages.
pub fn check(subject: &Subject<'_>, scripts: &Scripts, markup: &Markup) -> Vec<Finding> {
    let undeclared = undeclared(subject);
    if undeclared.is_empty() {
        return Vec::new();
    }
    let mut linked = BTreeMap::<String, Place>::new();
    for (written, place) in scripts.paths.iter().chain(markup.links.iter().map(|(written, place)| (written, place))) {
        for stem in targets(written, &place.path) {
            if undeclared.contains(&stem) {
                linked.entry(stem).or_insert_with(|| place.clone());
            }
        }
    }
    let idle: Vec<_> = undeclared.iter().filter(|stem| !linked.contains_key(*stem)).cloned().collect();
    linked.iter().map(|(stem, place)| dead_link(subject, stem, place)).chain(left(subject, idle)).collect()
}

/// The files that look like pages and are neither declared nor used as components.
fn undeclared(subject: &Subject<'_>) -> HashSet<String> {
    let layout = &subject.layout;
    let ending = format!(".{}", layout.dialect.markup);
    let known: HashSet<&str> = subject.components.stems.iter().map(String::as_str).collect();
    let stems = layout.paths().iter().filter_map(|path| path.strip_suffix(&*ending));
    let lonely =
        stems.filter(|stem| !known.contains(stem) && !layout.is_npm(stem) && layout.has(&format!("{stem}.js")));
    lonely.filter(|stem| subject.text(&format!("{stem}.js")).contains("Page(")).map(str::to_owned).collect()
}

/// The pages that a text may lead to: from the root, or from the file that contains it.
fn targets(written: &str, file: &str) -> Vec<String> {
    let path = written.split(['?', '#']).next().unwrap_or_default();
    if path.starts_with('/') {
        return vec![path::clean(path)];
    }
    vec![path::clean(path), path::join(path::folder(file), path)]
}

fn dead_link(subject: &Subject<'_>, stem: &str, place: &Place) -> Finding {
    let message = format!("{} leads to the page {stem}, which is there and not declared.", place.path);
    let finding = match subject.layout.subpackage_of(stem) {
        Some(_) => Finding::error("page-undeclared", message),
        None => Finding::warning("page-undeclared", message),
    };
    finding.at(place.clone()).fix("List the page in the manifest, or remove the way to it.")
}

fn left(subject: &Subject<'_>, mut idle: Vec<String>) -> Option<Finding> {
    idle.retain(|stem| subject.layout.subpackage_of(stem).is_some());
    idle.sort();
    let first = idle.first()?;
    let message = format!("Pages of subpackages are not declared, so that nobody can open them: {}.", listed(&idle));
    let place = Place::file(&format!("{first}.js"));
    Some(
        Finding::warning("page-undeclared", message).at(place).fix("List them in the manifest, or remove their files."),
    )
}
