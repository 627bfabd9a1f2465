//! Checks mini-games, which have one script and no pages.

use berth_policy::{Finding, Place};
use berth_policy_layout::path;

use crate::{Subject, app, plugins, scripts::Scripts, strays, unbuilt};

/// Reports a missing `game.js`, missing subpackages and workers, and missing scripts that these import.
pub fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings: Vec<_> = script(subject).into_iter().chain(app::worker_folder(subject)).collect();
    findings.extend(subject.layout.subpackages.iter().filter_map(|sub| subpackage(subject, &sub.root)));
    findings.extend(plugins::check(subject));
    findings.extend(strays::check(subject));
    findings.extend(Scripts::of(subject).findings);
    findings
}

fn script(subject: &Subject<'_>) -> Option<Finding> {
    (!subject.layout.has("game.js")).then(|| {
        let source = subject.layout.with_ending("game", &["ts"]);
        let fix = source.map(|source| unbuilt::remedy(subject, &[source]));
        Finding::error("app-without-script", "There is no game.js, so the game cannot start.")
            .at(Place::file(&subject.layout.manifest.path))
            .fix(fix.unwrap_or_else(|| "Add game.js, or pack the folder that the build writes.".into()))
    })
}

/// Reports a subpackage of a game that is neither a script nor a folder with a `game.js`.
fn subpackage(subject: &Subject<'_>, root: &str) -> Option<Finding> {
    let script = if path::ending(root) == "js" { root.to_owned() } else { path::join(root, "game.js") };
    (!subject.layout.has(&script)).then(|| {
        Finding::error(
            "subpackage-without-script",
            format!("The subpackage {root} has no script: there is no {script}."),
        )
        .at(subject.layout.manifest.place_of(root))
        .fix("Add the script, or remove the subpackage from the manifest.")
    })
}
