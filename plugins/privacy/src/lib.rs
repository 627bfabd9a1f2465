//! Compares the personal information that code and markup use with what the privacy agreement of the MiniApp declares (D14).
//!
//! | rule | severity | what |
//! |---|---|---|
//! | `not-declared` | `severity` of the config, an error unless it says otherwise | a use of a kind of information, or by an API, that the agreement that holds does not declare |
//! | `no-agreement` | `without_agreement` of the config, an error unless it says otherwise | a kind that is used while no agreement is published, once at its first use |
//! | `declared-unused` | note | the agreement declares a kind that nothing uses |
//! | `required-not-declared` | warning | WeChat: `requiredPrivateInfos` names an API that the agreement does not declare |
//! | `no-agree-button` | warning | WeChat: `onNeedPrivacyAuthorization` is listened to, and no button has the `open-type` `agreePrivacyAuthorization` |
//! | `privacy-check-off` | note | WeChat: `__usePrivacyCheck__` is false |
//! | `uses` | note | what is used, where nothing is known of an agreement: `berth audit` without a host |
//! | `agreement-needed` | warning, or a note when a host would only warn | once behind all `uses`: what a host asks for, and by which commands it is declared |
//!
//! One kind, or one API of a kind, is one finding, at its first place with the number of the others.
//!
//! What is used: calls of APIs in all dialects, APIs that are passed on, `authorize` of a scope, `open-type` of buttons, and
//! components such as `<camera>`. Only a warning are APIs that add something and read nothing (`saveImageToPhotosAlbum`),
//! buttons that scripts make, what an `open-type` chooses among by an expression, and what stands in a script or component
//! that nothing loads; only a note is a method of another object that has the name of an API. Whether an API is there may be
//! asked without using it.

mod catalogue;
mod uses;
mod wechat;

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap, HashSet},
};

use berth_policy::{Auditor, Description, Finding, Package, Place, Policy, Severity, serde::Deserialize, text::Lines};
use berth_policy_javascript::{Alike, Source, each_file, is_script};
use berth_policy_layout::{
    Layout,
    asks::is_markup,
    components::Components,
    modules::{entries, loaded},
    path,
};

use catalogue::Catalogue;
use uses::{Surely, Use, in_markup, in_script};

/// The policy, which is its config.
#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", deny_unknown_fields, default)]
pub struct Privacy {
    declared: Option<Declared>,
    severity: Level,
    without_agreement: Level,
    max_file_bytes: u64,
}

/// What the agreement that holds declares.
#[derive(Default, Deserialize)]
#[serde(crate = "berth_policy::serde", default)]
struct Declared {
    version: Option<i64>,
    collected: Vec<Item>,
}

/// One item of an agreement.
#[derive(Default, Deserialize)]
#[serde(crate = "berth_policy::serde", default)]
struct Item {
    kind: String,
    apis: Vec<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(crate = "berth_policy::serde", rename_all = "lowercase")]
enum Level {
    Note,
    Warning,
    Error,
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::Note => Self::Note,
            Level::Warning => Self::Warning,
            Level::Error => Self::Error,
        }
    }
}

impl Default for Privacy {
    fn default() -> Self {
        Self { declared: None, severity: Level::Error, without_agreement: Level::Error, max_file_bytes: 8 << 20 }
    }
}

impl Policy for Privacy {
    type Config = Self;

    const DESCRIPTION: Description = Description {
        name: "privacy",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Compares the personal information that code uses with what the privacy agreement declares.",
        config_schema: include_str!("../config.schema.json"),
    };

    fn configure(config: Self) -> Result<Self, String> {
        Ok(config)
    }
}

/// A use with its place, and whether a device comes to it.
struct Placed {
    one: Use,
    place: Place,
    loaded: bool,
}

/// What all files say together.
#[derive(Default)]
struct Said {
    uses: Vec<Placed>,
    imports: HashMap<String, Vec<String>>,
    listens: Option<Place>,
    may_agree: bool,
}

impl Said {
    fn note(&mut self, source: &Source, uses: Vec<Use>) {
        if uses.is_empty() {
            return;
        }
        let lines = Lines::of(&source.text);
        let placed = |one: Use| Placed { place: lines.place(&source.path, one.offset as usize), one, loaded: true };
        self.uses.extend(uses.into_iter().map(placed));
    }
}

impl Auditor for Privacy {
    fn audit(&self, package: &dyn Package) -> Result<Vec<Finding>, String> {
        let (catalogue, layout) = (Catalogue::read()?, Layout::of(package)?);
        let said = RefCell::new(Said::default());
        let mut findings = each_file(package, self.max_file_bytes, is_script, |source| {
            let script = in_script(&catalogue, source);
            let mut said = said.borrow_mut();
            if let Some(at) = script.listens.filter(|_| said.listens.is_none()) {
                said.listens = Some(Lines::of(&source.text).place(&source.path, at as usize));
            }
            said.imports.insert(source.path.clone(), script.imports);
            said.note(source, script.uses);
            Vec::new()
        })?;
        findings.extend(each_file(package, self.max_file_bytes, is_markup, |source| {
            let markup = in_markup(&catalogue, source);
            let mut said = said.borrow_mut();
            said.may_agree |= markup.may_agree;
            said.note(source, markup.uses);
            Vec::new()
        })?);
        let mut said = said.into_inner();
        mark_unloaded(package, &layout, &mut said);
        findings.extend(self.judge(&catalogue, &layout, &package.mini_app_id(), &said));
        Ok(findings)
    }
}

/// Marks what stands in scripts and components that nothing loads, such as parts of a library that are not used.
fn mark_unloaded(package: &dyn Package, layout: &Layout, said: &mut Said) {
    let components = Components::of(layout, package);
    if layout.is_bundled() || said.uses.is_empty() || !components.unreadable.is_empty() {
        return;
    }
    let scripts = loaded(layout, entries(layout, &components), &said.imports);
    let stems: HashSet<_> = components.stems.iter().map(String::as_str).collect();
    for placed in &mut said.uses {
        let file = &placed.place.path;
        let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem);
        placed.loaded = if is_script(file) {
            scripts.contains(file)
        } else {
            // Markup with a script is a component; without one it is a template, which others may import.
            stems.contains(stem) || layout.with_ending(stem, &["js"]).is_none() || path::ending(file) == "html"
        };
    }
}

impl Privacy {
    fn judge(&self, catalogue: &Catalogue, layout: &Layout, mini_app: &str, said: &Said) -> Vec<Finding> {
        let Some(declared) = &self.declared else { return self.told(catalogue, layout, mini_app, said) };
        let mut findings = match declared.version {
            Some(version) => self.undeclared(catalogue, mini_app, said, declared, version),
            None => self.without(catalogue, mini_app, said),
        };
        if declared.version.is_some() {
            findings.extend(unused(catalogue, layout, said, declared));
        }
        findings.extend(wechat::findings(catalogue, layout, said, declared));
        findings
    }

    /// What the agreement does not declare, API for API.
    fn undeclared(
        &self,
        catalogue: &Catalogue,
        mini_app: &str,
        said: &Said,
        declared: &Declared,
        version: i64,
    ) -> Vec<Finding> {
        let lacking = said.uses.iter().filter(|placed| !declared.covers(catalogue, &placed.one));
        let finding = |placed: &Placed| {
            let (kind, what) = (catalogue.kind(placed.one.kind), &placed.one.what);
            let (name, word) = (&kind.name, &kind.kind);
            let text =
                format!("{what} uses “{name}”, which version {version} of the privacy agreement does not declare.");
            let fix = format!("Declare it and publish: berth privacy declare {mini_app} --kind {word} --purpose …");
            Finding::new(severity(placed, self.severity), "not-declared", text).at(placed.place.clone()).fix(fix)
        };
        let mut alike = Alike::default();
        for placed in lacking {
            let about = format!("{} {}", placed.one.kind, placed.one.api);
            alike.add(about, finding(placed));
        }
        alike.findings().collect()
    }

    /// The kinds that are used while there is no agreement, each at its gravest use.
    fn without(&self, catalogue: &Catalogue, mini_app: &str, said: &Said) -> Vec<Finding> {
        let finding = |(placed, others): (&Placed, usize)| {
            let (name, what) = (&catalogue.kind(placed.one.kind).name, &placed.one.what);
            let more = match others {
                0 => String::new(),
                1 => ", as does one more place".into(),
                others => format!(", as do {others} more places"),
            };
            let text = format!("{what} uses “{name}”{more}, and {mini_app} has published no privacy agreement.");
            let fix = format!(
                "Say what it is for, and publish: berth privacy about {mini_app}, berth privacy declare {mini_app}, berth privacy publish {mini_app}."
            );
            let severity = severity(placed, self.without_agreement);
            Finding::new(severity, "no-agreement", text).at(placed.place.clone()).fix(fix)
        };
        first_of_each(said).into_iter().map(finding).collect()
    }

    /// What is used, where nothing is known of an agreement, and what a host will ask for.
    fn told(&self, catalogue: &Catalogue, layout: &Layout, mini_app: &str, said: &Said) -> Vec<Finding> {
        let certain = |placed: &&Placed| placed.one.surely > Surely::Perhaps;
        let uses: Vec<_> = first_of_each(said).into_iter().map(|(placed, _)| placed).filter(certain).collect();
        let finding = |placed: &&Placed| {
            let (kind, what) = (catalogue.kind(placed.one.kind), &placed.one.what);
            let has = if self.rejects(placed) { "has" } else { "may have" };
            let text = format!("{what} uses “{}”: the privacy agreement {has} to declare {}.", kind.name, kind.kind);
            Finding::note("uses", text).at(placed.place.clone())
        };
        let needed = self.needed(catalogue, mini_app, &uses);
        let needed = needed.map(|finding| finding.at(Place::file(&layout.manifest.path)));
        uses.iter().map(finding).chain(needed).collect()
    }

    /// Says what a host will ask for before it does, and by which commands it gets that.
    fn needed(&self, catalogue: &Catalogue, mini_app: &str, uses: &[&Placed]) -> Option<Finding> {
        let (must, may): (Vec<&Placed>, Vec<&Placed>) = uses.iter().partition(|placed| self.rejects(placed));
        let word = |placed: &&Placed| &*catalogue.kind(placed.one.kind).kind;
        let words = |some: &[&Placed]| some.iter().map(word).collect::<Vec<_>>().join(", ");
        let kind = word(must.first().or(may.first())?);
        let rejects = format!("rejects this until the privacy agreement declares {}", words(&must));
        let warns = format!("warns until the privacy agreement declares {}", words(&may));
        let (severity, asks) = match (must.as_slice(), may.as_slice()) {
            ([], _) => (Severity::Note, warns),
            (_, []) => (Severity::Warning, rejects),
            _ => (Severity::Warning, format!("{rejects}, and {warns}")),
        };
        let each = if uses.len() > 1 { " (and so for each of these)" } else { "" };
        let fix = format!(
            "Unless it is declared already: berth privacy about {mini_app}, berth privacy declare {mini_app} --kind {kind} \
             --purpose …{each}, berth privacy publish {mini_app}."
        );
        Some(Finding::new(severity, "agreement-needed", format!("No agreement is known here; a host {asks}.")).fix(fix))
    }

    /// Whether a host rejects a use that no agreement declares.
    fn rejects(&self, placed: &Placed) -> bool {
        severity(placed, self.without_agreement) == Severity::Error
    }
}

/// How serious a use is.
fn severity(placed: &Placed, level: Level) -> Severity {
    match (placed.one.surely, placed.loaded, level) {
        (Surely::Perhaps, ..) | (_, _, Level::Note) => Severity::Note,
        (Surely::Mostly, ..) | (_, false, _) => Severity::Warning,
        (Surely::Yes, true, level) => level.into(),
    }
}

/// The gravest use of each kind, the first one among equals, and how many more there are.
fn first_of_each(said: &Said) -> Vec<(&Placed, usize)> {
    let mut first = BTreeMap::<usize, (&Placed, usize)>::new();
    let weight = |placed: &Placed| (placed.one.surely, placed.loaded);
    for placed in &said.uses {
        match first.get_mut(&placed.one.kind) {
            None => drop(first.insert(placed.one.kind, (placed, 0))),
            Some((known, others)) => {
                *others += 1;
                if weight(placed) > weight(known) {
                    *known = placed;
                }
            }
        }
    }
    first.into_values().collect()
}

/// What the agreement declares and nothing uses, as far as uses can be seen.
fn unused(catalogue: &Catalogue, layout: &Layout, said: &Said, declared: &Declared) -> Vec<Finding> {
    // The markup of a bundle is in its scripts, so that no component can be seen.
    if layout.is_bundled() {
        return Vec::new();
    }
    let used = |item: &Item| {
        said.uses.iter().any(|placed| {
            let one = &placed.one;
            catalogue.kind(one.kind).kind == item.kind
                && (item.apis.is_empty() || one.api.is_empty() || item.apis.contains(&one.api))
        })
    };
    let idle = declared.collected.iter().filter(|item| catalogue.can_be_seen(&item.kind) && !used(item));
    let finding = |item: &Item| {
        let by = if item.apis.is_empty() { String::new() } else { format!(" by {}", item.apis.join(", ")) };
        let text = format!("The privacy agreement declares {}{by}, and no script and no component uses it.", item.kind);
        Finding::note("declared-unused", text)
            .at(Place::file(&layout.manifest.path))
            .fix("Leave it out of the agreement, unless it is collected in another way.")
    };
    idle.map(finding).collect()
}

impl Declared {
    /// Whether a use is declared: the kind as a whole, or for the API by which it is used.
    fn covers(&self, catalogue: &Catalogue, one: &Use) -> bool {
        let kind = &catalogue.kind(one.kind).kind;
        let covers = |item: &Item| {
            let named = item.apis.contains(&one.api);
            // A component, or the request for a scope, is covered by whatever of its kind is declared.
            item.kind == *kind && (item.apis.is_empty() || one.api.is_empty() || named)
        };
        self.collected.iter().any(covers) || self.names_api(&one.api)
    }

    /// Whether an item of any kind names the API.
    fn names_api(&self, api: &str) -> bool {
        !api.is_empty() && self.collected.iter().any(|item| item.apis.iter().any(|one| one == api))
    }
}

berth_policy::auditor!(Privacy);

#[cfg(test)]
mod tests;
