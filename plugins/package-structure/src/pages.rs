//! The files of pages, and the folders of subpackages.

use std::collections::HashSet;

use berth_policy::{Finding, manifest::Subpackage};

use crate::Subject;

/// A page in one file.
const WHOLE: [&str; 6] = ["html", "htm", "vue", "nvue", "ux", "uvue"];
const SCRIPT: [&str; 6] = ["js", "ts", "mjs", "cjs", "jsx", "tsx"];
/// WeChat, Alipay, Douyin, Baidu, QQ, Kuaishou, JD, Huawei, and those who followed them.
const MARKUP: [&str; 13] =
    ["wxml", "axml", "ttml", "swan", "qml", "ksml", "jxml", "hml", "xhsml", "fxml", "dsml", "pug", "jsx"];
/// What builds put all scripts into.
const BUNDLED_SCRIPT: [&str; 2] = ["app-service.js", "service.js"];
/// What builds put all markup into.
const BUNDLED_MARKUP: [&str; 2] = ["page-frame.html", "page-frame.js"];

/// Every declared page has its files.
pub fn check(subject: &Subject) -> Vec<Finding> {
    let pages = subject.manifest.all_pages();
    let mut findings = Vec::new();
    if pages.is_empty() {
        let finding =
            Finding::error("no-pages", "The manifest declares no page.").at(subject.manifest.place_of("pages"));
        findings.push(finding.fix("List the paths of the pages under \"pages\"."));
    }
    let mut seen = HashSet::new();
    for page in &pages {
        if seen.insert(page) {
            findings.extend(missing(subject, page));
        } else {
            findings.push(repeated(subject, page));
        }
    }
    findings
}

fn repeated(subject: &Subject, page: &str) -> Finding {
    Finding::warning("page-declared-twice", format!("The page {page} is declared more than once."))
        .at(place(subject, page))
        .fix("Remove the repetition.")
}

fn missing(subject: &Subject, page: &str) -> Option<Finding> {
    let stem = page.trim_start_matches('/');
    let has = |extensions: &[&str]| extensions.iter().any(|extension| subject.has(&format!("{stem}.{extension}")));
    // A W3C manifest may name the file itself.
    if subject.has(stem) || has(&WHOLE) {
        return None;
    }
    let script = has(&SCRIPT) || bundled(subject, stem, &BUNDLED_SCRIPT);
    let markup = has(&MARKUP) || bundled(subject, stem, &BUNDLED_MARKUP);
    let (rule, what, file) = match (script, markup) {
        (true, true) => return None,
        (false, false) => ("page-missing", "has no files", "js"),
        (false, true) => ("page-without-script", "has no script", "js"),
        (true, false) => ("page-without-markup", "has no markup", "wxml"),
    };
    let message = format!("The page {page} {what}: there is no {stem}.{file} or an equivalent.");
    Some(Finding::error(rule, message).at(place(subject, page)).fix(remedy(subject, stem, file)))
}

/// Whether a bundle lies in the root or in a folder above the page.
fn bundled(subject: &Subject, page: &str, names: &[&str]) -> bool {
    let folders = page.char_indices().filter(|(_, c)| *c == '/').map(|(at, _)| &page[..=at]);
    let mut folders = std::iter::once("").chain(folders);
    folders.any(|folder| names.iter().any(|name| subject.has(&format!("{folder}{name}"))))
}

fn remedy(subject: &Subject, stem: &str, extension: &str) -> String {
    match subject.other_case(&format!("{stem}.{extension}")) {
        Some(path) => format!("The file is called {path}; paths are case-sensitive, so write both alike."),
        None => "Add the file, or remove the page from the manifest.".into(),
    }
}

/// The page as the manifest wrote it: inside of a subpackage it is relative to the root.
fn place(subject: &Subject, page: &str) -> berth_policy::Place {
    let subpackages = subject.manifest.subpackages();
    let root = subpackages.iter().find(|sub| sub.pages.iter().any(|have| have == page));
    let written = root.and_then(|sub| page.strip_prefix(&*sub.root)).map_or(page, |rest| rest.trim_start_matches('/'));
    subject.manifest.place_of(written)
}

/// Subpackages lie side by side, and hold none of the main package's pages.
pub fn subpackages(subject: &Subject) -> Vec<Finding> {
    let subpackages = subject.manifest.subpackages();
    let each = subpackages.iter().enumerate();
    let nested =
        each.flat_map(|(at, sub)| subpackages.iter().skip(at + 1).filter_map(move |other| overlap(sub, other)));
    let inside = subject.manifest.pages().into_iter().filter_map(|page| {
        let sub = subpackages.iter().find(|sub| sub.holds(&page))?;
        let message = format!("The page {page} of the main package lies inside of the subpackage {}.", sub.root);
        let finding = Finding::error("page-in-subpackage", message).at(subject.manifest.place_of(&page));
        Some(finding.fix("Declare it as a page of the subpackage, or move it out of the folder."))
    });
    let nested = nested.map(|(root, finding)| finding.at(subject.manifest.place_of(&root)));
    nested.chain(inside).collect()
}

fn overlap(one: &Subpackage, other: &Subpackage) -> Option<(String, Finding)> {
    let (inner, outer) = match (one.holds(&other.root), other.holds(&one.root), one.root == other.root) {
        (true, _, _) | (_, _, true) => (&other.root, &one.root),
        (_, true, _) => (&one.root, &other.root),
        _ => return None,
    };
    let message = if inner == outer {
        format!("Two subpackages have the root {inner}.")
    } else {
        format!("The subpackage {inner} lies inside of the subpackage {outer}.")
    };
    Some((
        inner.clone(),
        Finding::error("subpackages-overlap", message).fix("Give each subpackage a folder of its own."),
    ))
}
