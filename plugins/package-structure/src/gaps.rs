//! Findings about what files name and the package does not contain. All uses that lead to the same gap are one finding,
//! as there is one thing to do about it.

use std::collections::{BTreeMap, BTreeSet};

use berth_policy::{Finding, Place, Severity};

use crate::Subject;

/// Something that a file names and that does not exist.
pub struct Lost {
    /// The file that names it, and where.
    pub place: Place,
    /// The text as it is written.
    pub written: String,
    /// The path at which it would have to be.
    pub target: String,
    /// The npm package that a name alone means, if that is missing as a whole.
    pub npm: Option<String>,
    /// The npm package of the project that is probably meant, where the text says a file beside.
    pub meant: Option<String>,
}

/// How a kind of missing things is reported.
pub struct Sort {
    /// The name of the rule.
    pub rule: &'static str,
    /// What a file does with such a thing, such as `uses the component`.
    pub does: &'static str,
    /// What to do about it if there is no better advice.
    pub fix: &'static str,
    /// File extensions with which the target is looked for in another case.
    pub endings: &'static [&'static str],
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    File(String),
    Folder(String),
    Npm(String),
    /// All npm packages, as there is no folder of them.
    AllNpm,
    /// npm packages that are written as if they were files.
    Meant,
}

impl Gap {
    fn of(subject: &Subject<'_>, lost: &Lost) -> Self {
        if let Some(name) = &lost.npm {
            return if subject.layout.has_npm_folder() { Self::Npm(name.clone()) } else { Self::AllNpm };
        }
        if lost.meant.is_some() {
            return Self::Meant;
        }
        let mut folders = lost.target.match_indices('/').map(|(at, _)| &lost.target[..at]);
        let missing = folders.find(|folder| !subject.layout.has_folder(folder));
        missing.map_or_else(|| Self::File(lost.target.clone()), |folder| Self::Folder(folder.into()))
    }
}

impl Lost {
    /// Notes the npm package into whose folder the path leads, if that is missing as a whole.
    fn named(self, subject: &Subject<'_>) -> Self {
        let (layout, inside) = (&subject.layout, format!("{}/", self.target));
        let own = || layout.npm_name(&self.target).filter(|name| layout.is_npm(&inside) && !layout.has_npm(name));
        Self { npm: self.npm.clone().or_else(own), ..self }
    }
}

/// Makes one finding for each gap, at the first use that leads to it.
pub fn findings(subject: &Subject<'_>, sort: &Sort, lost: Vec<Lost>) -> Vec<Finding> {
    let mut gaps = BTreeMap::<Gap, Vec<Lost>>::new();
    for lost in lost.into_iter().map(|lost| lost.named(subject)) {
        gaps.entry(Gap::of(subject, &lost)).or_default().push(lost);
    }
    gaps.into_iter().map(|(gap, uses)| finding(subject, sort, &gap, &uses)).collect()
}

fn finding(subject: &Subject<'_>, sort: &Sort, gap: &Gap, uses: &[Lost]) -> Finding {
    let missing = match gap {
        Gap::File(path) => format!("has no {path}"),
        Gap::Meant => format!("has no {}; probably meant: the {}", uses[0].target, packages(uses, |lost| &lost.meant)),
        Gap::Folder(folder) => format!("has no folder {folder}"),
        Gap::Npm(_) | Gap::AllNpm => format!("does not hold the {}", packages(uses, |lost| &lost.npm)),
    };
    let first = &uses[0];
    let others = match uses.len() - 1 {
        0 => String::new(),
        1 => " One more use leads there.".into(),
        count => format!(" {count} more uses lead there."),
    };
    let message = format!("{} {} {}, but the package {missing}.{others}", first.place.path, sort.does, first.written);
    // It is not known that no device finds it there.
    let severity = if *gap == Gap::Meant { Severity::Warning } else { Severity::Error };
    Finding::new(severity, sort.rule, message).at(first.place.clone()).fix(remedy(subject, sort, gap, first))
}

/// The npm packages that uses name, in words.
fn packages(uses: &[Lost], of: fn(&Lost) -> &Option<String>) -> String {
    let names: BTreeSet<_> = uses.iter().filter_map(|lost| of(lost).clone()).collect();
    let plural = if names.len() == 1 { "" } else { "s" };
    format!("npm package{plural} {}", listed(&names.into_iter().collect::<Vec<_>>()))
}

fn remedy(subject: &Subject<'_>, sort: &Sort, gap: &Gap, first: &Lost) -> String {
    if let Gap::Npm(_) | Gap::AllNpm = gap {
        return subject.layout.npm_remedy(&first.written);
    }
    if let (Gap::Meant, Some(name)) = (gap, &first.meant) {
        return format!(
            "Write {name} without ./ in front, which means a file beside; a name alone means an npm package."
        );
    }
    let stem = sort.endings.iter().find_map(|ending| first.target.strip_suffix(ending)).unwrap_or(&first.target);
    let named = sort.endings.iter().flat_map(|ending| [format!("{stem}{ending}"), format!("{stem}/index{ending}")]);
    let paths: Vec<_> = std::iter::once(first.target.clone()).chain(named).collect();
    subject.remedy(&paths, sort.fix)
}

/// The first five items of a list, and how many more there are.
pub fn listed(items: &[String]) -> String {
    const TOLD: usize = 5;
    let told = items.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join(", ");
    match items.len().saturating_sub(TOLD) {
        0 => told,
        1 => format!("{told} and one more"),
        more => format!("{told} and {more} more"),
    }
}
