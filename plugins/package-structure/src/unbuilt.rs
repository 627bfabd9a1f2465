//! What exists only as sources: pages, components and scripts that something has yet to compile.

use std::collections::HashSet;

use berth_policy::{Finding, Place};
use berth_policy_layout::path;

use crate::{Subject, gaps::listed};

/// Extensions of sources of style sheets, with the commands that compile them one by one.
const STYLES: [(&str, &str); 4] = [("scss", "sass"), ("sass", "sass"), ("less", "lessc"), ("styl", "stylus")];
/// Extensions of sources of scripts that are compiled one by one.
const SCRIPTS: [&str; 2] = ["ts", "mts"];

/// A page or a component of which parts exist only as sources.
pub struct Unbuilt {
    /// Its path without file extension.
    pub stem: String,
    /// The sources.
    pub sources: Vec<String>,
    /// Where it is named.
    pub place: Place,
}

/// One finding for all of which a framework makes a folder of its own, and one for those whose sources are compiled in
/// their places. `what` they are is `page` or `component`.
pub fn findings(subject: &Subject<'_>, what: &str, unbuilt: Vec<Unbuilt>) -> Vec<Finding> {
    let (compiled, built): (Vec<_>, Vec<_>) = unbuilt.into_iter().partition(|one| are_alone(&one.sources));
    [compiled, built].iter().filter_map(|alike| finding(subject, what, alike)).collect()
}

fn finding(subject: &Subject<'_>, what: &str, alike: &[Unbuilt]) -> Option<Finding> {
    let first = alike.first()?;
    let lack = lack(alike);
    let are = if first.sources.len() == 1 { "is" } else { "are" };
    let there = format!("there {are} {}, which no device reads", first.sources.join(" and "));
    let message = match alike.len() {
        1 => format!("The {what} {} {lack}: {there}.", first.stem),
        count => {
            let stems: Vec<_> = alike.iter().map(|one| one.stem.clone()).collect();
            format!("{count} {what}s {lack}: {}. Of the first, {there}.", listed(&stems))
        }
    };
    let finding = Finding::error(&format!("{what}-not-built"), message).at(first.place.clone());
    let sources: Vec<_> = alike.iter().flat_map(|one| one.sources.clone()).collect();
    Some(finding.fix(remedy(subject, &sources)))
}

/// What they lack, in words: what stands there already is not said to be missing.
fn lack(alike: &[Unbuilt]) -> String {
    let many = alike.len() > 1;
    let any = |is: fn(&str) -> bool| alike.iter().flat_map(|one| &one.sources).any(|source| is(source));
    let parts = match (alike.iter().all(|one| are_alone(&one.sources)), any(is_script), any(is_style)) {
        (true, true, true) => "script or style sheet",
        (true, true, false) => "script",
        (true, false, true) => "style sheet",
        _ => return if many { "are not built" } else { "is not built" }.into(),
    };
    format!("{} no compiled {parts}", if many { "have" } else { "has" })
}

/// What to do about sources of which there is nothing that a device reads, with a command for each kind of them. WeChat's tool compiles some as it uploads, so
/// that such a project has no folder that a build writes.
pub fn remedy(subject: &Subject<'_>, sources: &[String]) -> String {
    if !are_alone(sources) {
        return "Build the project, and pack the folder that the build writes.".into();
    }
    let dialect = subject.layout.dialect;
    let mut seen = HashSet::new();
    let first_of_each = sources.iter().filter(|source| seen.insert(path::ending(source)));
    let commands: Vec<_> = first_of_each.filter_map(|source| command(source, dialect.style)).collect();
    let own = if dialect.name == "WeChat" {
        " WeChat's developer tool (useCompilerPlugins) compiles only what it uploads itself."
    } else {
        ""
    };
    format!("Compile it beside its source ({}), or pack the folder that a build writes.{own}", commands.join("; "))
}

/// Whether each of the sources is compiled by itself, into a file beside it.
fn are_alone(sources: &[String]) -> bool {
    sources.iter().all(|source| is_script(source) || is_style(source))
}

fn is_script(source: &str) -> bool {
    SCRIPTS.iter().any(|ending| ends(source, ending))
}

fn is_style(source: &str) -> bool {
    STYLES.iter().any(|(ending, _)| ends(source, ending))
}

fn ends(source: &str, ending: &str) -> bool {
    source.strip_suffix(ending).is_some_and(|stem| stem.ends_with('.'))
}

/// The command that compiles a source, with `style` as the extension of style sheets.
fn command(source: &str, style: &str) -> Option<String> {
    if is_script(source) {
        return Some("tsc".into());
    }
    let (ending, command) = STYLES.iter().find(|(ending, _)| ends(source, ending))?;
    let sheet = format!("{}{style}", source.strip_suffix(ending)?);
    let to = if *command == "stylus" { "-o " } else { "" };
    Some(format!("{command} {source} {to}{sheet}"))
}
