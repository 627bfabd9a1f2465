//! Checks the files of pages.

use std::collections::{BTreeSet, HashSet};

use berth_policy::{Finding, Place, Severity};
use berth_policy_layout::Lack;

use crate::{
    Subject,
    gaps::listed,
    unbuilt::{self, Unbuilt},
};

/// What to do about markup that a dialect may not accept.
pub const FOREIGN: &str = "See that it works on a device, or convert the markup to the dialect's own.";

/// Pages that lack the same, about which there is the same to do.
struct Group {
    rule: &'static str,
    lack: &'static str,
    fix: String,
    pages: Vec<String>,
}

/// Reports declared pages that lack files, and pages that are declared twice.
pub fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let pages = &subject.layout.pages;
    let mut seen = HashSet::new();
    let (first, repeated): (Vec<&String>, Vec<&String>) = pages.iter().partition(|page| seen.insert(*page));
    let (mut groups, mut unbuilt) = (Vec::<Group>::new(), Vec::new());
    for page in first {
        let Some(lack) = subject.layout.lack(page) else { continue };
        if let Lack::Built(sources) = lack {
            unbuilt.push(Unbuilt { stem: page.clone(), sources, place: place(subject, page) });
            continue;
        }
        let group = group(subject, page, &lack);
        match groups.iter_mut().find(|have| have.rule == group.rule && have.fix == group.fix) {
            Some(have) => have.pages.extend(group.pages),
            None => groups.push(group),
        }
    }
    let none = pages.is_empty().then(|| no_pages(subject));
    let missing = groups.iter().map(|group| group.finding(subject));
    let repeated: BTreeSet<&String> = repeated.into_iter().collect();
    let twice = repeated.into_iter().map(|page| twice(subject, page));
    none.into_iter().chain(missing).chain(unbuilt::findings(subject, "page", unbuilt)).chain(twice).collect()
}

fn no_pages(subject: &Subject<'_>) -> Finding {
    Finding::error("no-pages", "The manifest declares no page.")
        .at(subject.layout.manifest.place_of("pages"))
        .fix("List the paths of the pages under \"pages\".")
}

fn twice(subject: &Subject<'_>, page: &str) -> Finding {
    Finding::warning("page-declared-twice", format!("The page {page} is declared more than once."))
        .at(place(subject, page))
        .fix("Remove the repetition.")
}

fn group(subject: &Subject<'_>, page: &str, lack: &Lack) -> Group {
    let markup = subject.layout.markup();
    let file = |ending: &str| format!("{page}.{ending}");
    let add = "Add the file, or remove the page from the manifest.";
    let (rule, lack, fix) = match lack {
        Lack::Script => ("page-without-script", "has no script", subject.remedy(&[file("js")], add)),
        Lack::Markup => ("page-without-markup", "has no markup", subject.remedy(&[file(markup)], add)),
        Lack::Foreign(_) => ("page-without-markup", "has foreign markup", FOREIGN.into()),
        Lack::Everything | Lack::Built(_) => {
            ("page-missing", "has no files", subject.remedy(&[file("js"), file(markup)], add))
        }
    };
    Group { rule, lack, fix, pages: vec![page.to_owned()] }
}

impl Group {
    fn finding(&self, subject: &Subject<'_>) -> Finding {
        let first = &self.pages[0];
        let message = match self.pages.len() {
            1 => format!("The page {first} {}: {}.", self.lack, self.why(subject, first)),
            count => {
                let lack = self.lack.replacen("has ", "have ", 1);
                format!("{count} pages {lack}: {}. Of the first, {}.", listed(&self.pages), self.why(subject, first))
            }
        };
        let severity = if self.fix == FOREIGN { Severity::Warning } else { Severity::Error };
        Finding::new(severity, self.rule, message).at(place(subject, first)).fix(&*self.fix)
    }

    fn why(&self, subject: &Subject<'_>, page: &str) -> String {
        let dialect = subject.layout.dialect;
        let (markup, name) = (subject.layout.markup(), dialect.name);
        match subject.layout.lack(page) {
            Some(Lack::Foreign(path)) => format!("there is {path}, and the package is {name}'s"),
            Some(Lack::Markup) => format!("there is no {page}.{markup} (the package is {name}'s)"),
            Some(Lack::Script) => format!("there is no {page}.js"),
            _ => format!("there is no {page}.js and no {page}.{markup}"),
        }
    }
}

/// The place where the manifest names the page. Inside a subpackage it is written relative to the subpackage's root.
fn place(subject: &Subject<'_>, page: &str) -> Place {
    let root = subject.layout.subpackages.iter().find(|sub| sub.pages.iter().any(|have| have == page));
    let written = root.and_then(|sub| page.strip_prefix(&*sub.root)).map_or(page, |rest| rest.trim_start_matches('/'));
    subject.layout.manifest.place_of(written)
}
