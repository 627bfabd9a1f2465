//! Checks where subpackages lie, and what they use of one another.

use berth_policy::{Finding, Severity, manifest::Subpackage};

use crate::{Reference, Subject, gaps::listed};

/// Reports subpackages that overlap or contain pages of the main package, and components of other subpackages without a
/// placeholder.
pub fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let subpackages = &subject.layout.subpackages;
    let nested = subpackages.iter().enumerate().filter_map(|(at, sub)| overlap(subpackages, at, sub));
    let nested = nested.map(|(root, finding)| finding.at(subject.layout.manifest.place_of(root)));
    let inside = subject.layout.manifest.pages().into_iter().filter_map(|page| {
        let sub = subject.layout.subpackage_of(&page)?;
        let message = format!("The page {page} of the main package lies inside of the subpackage {}.", sub.root);
        let finding = Finding::error("page-in-subpackage", message).at(subject.layout.manifest.place_of(&page));
        Some(finding.fix("Declare it as a page of the subpackage, or move it out of the folder."))
    });
    nested.chain(inside).chain(without_placeholder(subject)).collect()
}

/// The root of a subpackage, and its finding, if it lies in the folder of another one, or has that of one before it.
fn overlap<'s>(all: &[Subpackage], at: usize, sub: &'s Subpackage) -> Option<(&'s str, Finding)> {
    let root = &*sub.root;
    let message = match all.iter().find(|other| other.holds(root)) {
        Some(outer) => format!("The subpackage {root} lies inside of the subpackage {}.", outer.root),
        None if all[..at].iter().any(|other| other.root == root) => format!("Two subpackages have the root {root}."),
        None => return None,
    };
    let finding = Finding::error("subpackages-overlap", message).fix("Give each subpackage a folder of its own.");
    Some((root, finding))
}

/// Reports components of another subpackage without a placeholder: they are missing until that subpackage is loaded.
fn without_placeholder(subject: &Subject<'_>) -> Option<Finding> {
    let layout = &subject.layout;
    let root = |path: &str| layout.subpackage_of(path).map(|sub| &sub.root);
    let bare = subject.components.found.iter().filter(|(used, stem)| {
        let away = root(stem).is_some_and(|root_of| root(&used.json) != Some(root_of));
        away && !used.has_placeholder && !used.tag.is_empty()
    });
    let uses: Vec<_> = bare.map(|(used, _)| used).collect();
    let first = uses.first()?;
    let told: Vec<_> = uses.iter().map(|used| format!("{} in {}", used.tag, used.json)).collect();
    let message =
        format!("Components of another subpackage are used and nothing stands in for them: {}.", listed(&told));
    let finding = Finding::new(Severity::Warning, "placeholder-missing", message).at(first.place.clone());
    Some(finding.fix("Name under componentPlaceholder what is shown until the subpackage is loaded, such as view."))
}

/// Reports what independent subpackages use from outside: it is missing when they start without the main package.
pub fn independent(subject: &Subject<'_>, references: &[&Reference]) -> Vec<Finding> {
    let components: Vec<_> = subject
        .components
        .found
        .iter()
        .filter(|(used, _)| used.json != subject.layout.manifest.path && !used.has_placeholder)
        .map(|(used, stem)| Reference { from: used.place.clone(), to: stem.clone() })
        .collect();
    let references: Vec<_> = references.iter().copied().chain(&components).collect();
    let independent = subject.layout.subpackages.iter().filter(|sub| sub.independent);
    independent.filter_map(|sub| outward(sub, &references)).collect()
}

fn outward(sub: &Subpackage, references: &[&Reference]) -> Option<Finding> {
    let leaves = |reference: &&&Reference| sub.holds(&reference.from.path) && !sub.holds(&reference.to);
    let leaving: Vec<_> = references.iter().filter(leaves).collect();
    let first = leaving.first()?;
    let mut told: Vec<_> = leaving.iter().map(|reference| reference.to.clone()).collect();
    told.sort();
    told.dedup();
    let message = format!(
        "The subpackage {} is independent and uses what is not there when it starts alone: {}.",
        sub.root,
        listed(&told)
    );
    let finding = Finding::warning("independent-uses-others", message).at(first.from.clone());
    Some(finding.fix("Put copies into the subpackage, or take \"independent\" away."))
}
