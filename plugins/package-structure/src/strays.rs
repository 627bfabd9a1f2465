//! Finds files that were left in the package by accident.

use berth_policy::{Finding, Place, Severity};
use berth_policy_layout::Layout;

use crate::Subject;

/// A kind of left-over files.
struct Stray {
    rule: &'static str,
    severity: Severity,
    what: &'static str,
    fix: &'static str,
    is: fn(&Layout, &str) -> bool,
}

const STRAYS: [Stray; 6] = [
    Stray {
        rule: "source-map",
        severity: Severity::Warning,
        what: "Source maps show your sources to everybody who has the package",
        fix: "Upload the maps to your error tracker and leave them out of the package.",
        is: |_, path| path.ends_with(".map"),
    },
    Stray {
        rule: "version-control",
        severity: Severity::Warning,
        what: "Version control shows your history to everybody who has the package",
        fix: "Pack the folder that the build writes.",
        is: |_, path| folder(path, ".git") || folder(path, ".svn") || folder(path, ".hg"),
    },
    Stray {
        rule: "private-settings",
        severity: Severity::Warning,
        what: "Private settings belong to one developer and often hold secrets",
        fix: "Leave them out of the package.",
        is: |_, path| {
            name(path) == "project.private.config.json" || name(path) == ".env" || name(path).starts_with(".env.")
        },
    },
    Stray {
        rule: "installed-packages",
        severity: Severity::Warning,
        what: "Installed packages are not read from node_modules on a device",
        fix: "Bundle what is used, or build it into miniprogram_npm.",
        // Alipay and others read npm packages from where npm installs them.
        is: |layout, path| folder(path, "node_modules") && !layout.dialect.npm.contains(&"node_modules"),
    },
    Stray {
        rule: "editor-files",
        severity: Severity::Note,
        what: "Files of editors and operating systems only make the package bigger",
        fix: "Leave them out of the package.",
        is: |_, path| {
            [".DS_Store", "Thumbs.db", "desktop.ini"].contains(&name(path)) || EDITORS.iter().any(|f| folder(path, f))
        },
    },
    Stray {
        rule: "sources",
        severity: Severity::Note,
        what: "No device reads sources; they only make the package bigger",
        fix: "Pack the folder that the build writes. What is compiled beside its source stays behind by packOptions.ignore of \
              the project file, such as {\"type\": \"suffix\", \"value\": \".ts\"}.",
        is: Layout::is_source,
    },
];

const EDITORS: [&str; 3] = [".idea", ".vscode", "__MACOSX"];

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn folder(path: &str, name: &str) -> bool {
    path.split('/').rev().skip(1).any(|part| part == name)
}

/// One finding for each kind, with the first path and the number of others.
pub fn check(subject: &Subject<'_>) -> Vec<Finding> {
    STRAYS.iter().filter_map(|stray| found(stray, subject)).collect()
}

fn found(stray: &Stray, subject: &Subject<'_>) -> Option<Finding> {
    let mut paths = subject.layout.paths().iter().filter(|path| (stray.is)(&subject.layout, path));
    let first = paths.next()?;
    let others = match paths.count() {
        0 => String::new(),
        1 => " and one more".into(),
        count => format!(" and {count} more"),
    };
    let finding = Finding::new(stray.severity, stray.rule, format!("{}: {first}{others}.", stray.what));
    Some(finding.at(Place::file(first)).fix(stray.fix))
}
