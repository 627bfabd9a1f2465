//! Checks the components that pages use: each exists, has its files, and these are built.

use std::collections::BTreeMap;

use berth_policy::{Finding, Severity};
use berth_policy_layout::{
    Lack,
    components::{Use, target},
};

use crate::{
    Subject,
    gaps::{self, Lost, Sort, listed},
    pages::FOREIGN,
};

const SORT: Sort = Sort {
    rule: "component-missing",
    does: "uses the component",
    fix: "Add the component, correct its path, or remove it from the JSON.",
    endings: &[".json"],
};

/// Reports components that do not exist or lack files.
pub fn check(subject: &Subject<'_>) -> Vec<Finding> {
    // Builds that bundle everything keep no files of components.
    if subject.layout.is_bundled() || subject.layout.manifest.path != "app.json" {
        return Vec::new();
    }
    let lost = subject.components.lost.iter().map(|used| lost(subject, used)).collect();
    let mut findings = gaps::findings(subject, &SORT, lost);
    let used: BTreeMap<&str, &Use> =
        subject.components.found.iter().rev().map(|(used, stem)| (&**stem, used)).collect();
    let (mut moved, mut unbuilt) = (Vec::new(), Vec::new());
    for (stem, used) in used {
        let Some(finding) = lacking(subject, stem, used) else { continue };
        match &*finding.rule {
            "component-not-built" => unbuilt.push((stem, finding)),
            _ if finding.severity == Severity::Warning => moved.push((stem, finding)),
            _ => findings.push(finding),
        }
    }
    let foreign = format!("have foreign markup; the package is {}'s", subject.layout.dialect.name);
    findings.extend(together(unbuilt, "are not built; no device runs their sources"));
    findings.extend(together(moved, &foreign));
    findings
}

/// One finding for all components about which there is the same to do.
fn together(alike: Vec<(&str, Finding)>, what: &str) -> Option<Finding> {
    let stems: Vec<_> = alike.iter().map(|(stem, _)| (*stem).to_owned()).collect();
    let (_, first) = alike.into_iter().next()?;
    if stems.len() == 1 {
        return Some(first);
    }
    let message = format!("{} components {what}: {}.", stems.len(), listed(&stems));
    Some(Finding { message, ..first })
}

fn lost(subject: &Subject<'_>, used: &Use) -> Lost {
    let target = target(&subject.layout, used);
    let npm = npm_package(subject, &used.path, &target);
    Lost { place: used.place.clone(), written: used.path.clone(), target: format!("{target}.json"), npm, meant: None }
}

/// The name of the npm package that a path means, if that is missing: `@vant/weapp` of `@vant/weapp/button`.
fn npm_package(subject: &Subject<'_>, path: &str, target: &str) -> Option<String> {
    let layout = &subject.layout;
    let inside = layout.is_npm(&format!("{target}/"));
    let name = layout.npm_name(if inside { target } else { path })?;
    let first = name.split('/').next().unwrap_or_default();
    (!layout.has_npm(&name) && (inside || !layout.has_folder(first))).then_some(name)
}

fn lacking(subject: &Subject<'_>, stem: &str, used: &Use) -> Option<Finding> {
    let markup = subject.layout.markup();
    let lack = subject.layout.lack(stem)?;
    let severity = if matches!(lack, Lack::Foreign(_)) { Severity::Warning } else { Severity::Error };
    let (rule, what) = match &lack {
        Lack::Foreign(path) => (
            "component-without-markup",
            format!("has foreign markup, {path}; the package is {}'s", subject.layout.dialect.name),
        ),
        Lack::Everything | Lack::Script => {
            ("component-without-script", format!("has no script: there is no {stem}.js"))
        }
        Lack::Markup => ("component-without-markup", format!("has no markup: there is no {stem}.{markup}")),
        Lack::Built(source) => {
            ("component-not-built", format!("is not built: there is {source}, a source that no device runs"))
        }
    };
    let message = format!("The component {stem} {what}. {} uses it.", used.json);
    let add = "Add the file, or remove the component from the JSON.";
    let fix = match lack {
        Lack::Foreign(_) => FOREIGN.into(),
        Lack::Built(_) => "Build the project, and pack the folder that the build writes.".into(),
        _ => subject.remedy(&[format!("{stem}.js"), format!("{stem}.{markup}")], add),
    };
    Some(Finding::new(severity, rule, message).at(used.place.clone()).fix(fix))
}
