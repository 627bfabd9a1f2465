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
    unbuilt::{self, Unbuilt},
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
        match subject.layout.lack(stem) {
            None => {}
            Some(Lack::Built(sources)) => {
                unbuilt.push(Unbuilt { stem: stem.into(), sources, place: used.place.clone() });
            }
            Some(lack) => {
                let finding = lacking(subject, stem, used, &lack);
                match finding.severity {
                    Severity::Warning => moved.push((stem, finding)),
                    _ => findings.push(finding),
                }
            }
        }
    }
    findings.extend(unbuilt::findings(subject, "component", unbuilt));
    findings.extend(together(moved, subject));
    findings
}

/// One finding for all components with foreign markup.
fn together(alike: Vec<(&str, Finding)>, subject: &Subject<'_>) -> Option<Finding> {
    let stems: Vec<_> = alike.iter().map(|(stem, _)| (*stem).to_owned()).collect();
    let (_, first) = alike.into_iter().next()?;
    if stems.len() == 1 {
        return Some(first);
    }
    let (name, count) = (subject.layout.dialect.name, stems.len());
    let message = format!("{count} components have foreign markup; the package is {name}'s: {}.", listed(&stems));
    Some(Finding { message, ..first })
}

fn lost(subject: &Subject<'_>, used: &Use) -> Lost {
    let target = target(&subject.layout, used);
    let npm = npm_package(subject, &used.path);
    Lost { place: used.place.clone(), written: used.path.clone(), target: format!("{target}.json"), npm, meant: None }
}

/// The name of the npm package that a path means, if that is missing: `@vant/weapp` of `@vant/weapp/button`.
fn npm_package(subject: &Subject<'_>, path: &str) -> Option<String> {
    let layout = &subject.layout;
    let name = layout.npm_name(path)?;
    let first = name.split('/').next().unwrap_or_default();
    (!layout.has_npm(&name) && !layout.has_folder(first)).then_some(name)
}

fn lacking(subject: &Subject<'_>, stem: &str, used: &Use, lack: &Lack) -> Finding {
    let markup = subject.layout.markup();
    let severity = if matches!(lack, Lack::Foreign(_)) { Severity::Warning } else { Severity::Error };
    let (rule, what) = match lack {
        Lack::Foreign(path) => (
            "component-without-markup",
            format!("has foreign markup, {path}; the package is {}'s", subject.layout.dialect.name),
        ),
        Lack::Everything | Lack::Script | Lack::Built(_) => {
            ("component-without-script", format!("has no script: there is no {stem}.js"))
        }
        Lack::Markup => ("component-without-markup", format!("has no markup: there is no {stem}.{markup}")),
    };
    let message = format!("The component {stem} {what}. {} uses it.", used.json);
    let add = "Add the file, or remove the component from the JSON.";
    let fix = match lack {
        Lack::Foreign(_) => FOREIGN.into(),
        _ => subject.remedy(&[format!("{stem}.js"), format!("{stem}.{markup}")], add),
    };
    Finding::new(severity, rule, message).at(used.place.clone()).fix(fix)
}
