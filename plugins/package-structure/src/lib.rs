//! Checks that everything a package names exists, and that there is nothing in it that should not be.
//!
//! - Every page, and every component that is used, has its files with the extensions of its dialect, and these are
//!   built (F31): a `.ts` or `.less` alone runs nowhere, and what is told is what lacks: a page whose style sheet alone is
//!   a source has its script. What a build bundles into `app-service.js` counts as existing.
//! - The JSON files of pages and components can be read.
//! - What the manifest asks for exists: `app.js`, tabs and their icons in light and in dark, a custom tab bar, workers,
//!   the theme, what is loaded ahead.
//! - What files name exists: scripts, templates, style sheets, pictures, npm packages; a missing npm package is told with how
//!   this vendor's packages get theirs.
//! - Plugins that the manifest asks for are published ones, and no placeholders.
//! - Subpackages do not lie inside one another, contain no pages of the main package and declare the pages that they
//!   have; independent ones use nothing from outside.
//! - Source maps, version control, private settings, sources of scripts and style sheets, and other left-overs are reported,
//!   and so are misspelt members of `app.json`.
//!
//! Of a dialect that is not known, that is said, and only what all dialects have in common is looked at.
//!
//! One cause is one finding, however many uses lead to it. What may run is never an error.

mod ahead;
mod app;
mod components;
mod games;
mod gaps;
mod json;
mod manifest;
mod markup;
mod pages;
mod plugins;
mod scripts;
mod strays;
mod styles;
mod subpackages;
mod tabs;
mod theme;
mod unbuilt;
mod undeclared;

use berth_policy::{Auditor, Description, Finding, NoConfig, Package, Place, Policy, log};
use berth_policy_layout::{Dialect, Kind, Layout, components::Components};

/// The policy. It has no config.
pub struct PackageStructure;

impl Policy for PackageStructure {
    type Config = NoConfig;

    const DESCRIPTION: Description = Description {
        name: "package-structure",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Checks that everything a package names is there and built, and points out files that should not be shipped.",
        config_schema: "",
    };

    fn configure(_: NoConfig) -> Result<Self, String> {
        Ok(Self)
    }
}

/// What the checks look at.
pub(crate) struct Subject<'p> {
    layout: Layout,
    components: Components,
    package: &'p dyn Package,
}

/// A file of the package that names another one, which exists.
pub(crate) struct Reference {
    from: Place,
    to: String,
}

impl<'p> Subject<'p> {
    fn of(layout: Layout, package: &'p dyn Package) -> Self {
        let components = Components::of(&layout, package);
        Self { layout, components, package }
    }

    /// The text of a file; empty when it cannot be read.
    fn text(&self, path: &str) -> String {
        self.package.read_text(path).unwrap_or_default()
    }

    /// What to do about a path that does not exist: correct its case, or else what `otherwise` says.
    fn remedy(&self, paths: &[String], otherwise: &str) -> String {
        match paths.iter().find_map(|path| self.layout.other_case(path)) {
            Some(path) => format!("The file is called {path}; paths are case-sensitive, so write both alike."),
            None => otherwise.into(),
        }
    }
}

impl Auditor for PackageStructure {
    fn audit(&self, package: &dyn Package) -> Result<Vec<Finding>, String> {
        let layout = match Layout::of(package) {
            Ok(layout) => layout,
            Err(reason) => return Ok(vec![unreadable(&package.manifest_path(), &reason)]),
        };
        log::info(format!("dialect: {}", layout.description()));
        let subject = Subject::of(layout, package);
        Ok(match subject.layout.kind {
            Kind::App => app(&subject),
            Kind::Game => games::check(&subject),
            Kind::Plugin => vec![plugin(&subject)],
        })
    }
}

fn app(subject: &Subject<'_>) -> Vec<Finding> {
    if let Some(markup) = &subject.layout.strange {
        return unknown(subject, markup);
    }
    let checks = [
        pages::check,
        subpackages::check,
        app::check,
        tabs::check,
        ahead::check,
        strays::check,
        json::check,
        components::check,
    ];
    let mut findings: Vec<_> = checks.iter().flat_map(|check| check(subject)).collect();
    findings.extend(plugins::check(subject));
    findings.extend(manifest::check(subject));
    // A bundle has no files of its own for its pages, and names nothing that could be looked for.
    if !subject.layout.is_bundled() {
        let scripts = scripts::Scripts::of(subject);
        let markup = markup::Markup::of(subject);
        let (styles, sheets) = styles::check(subject);
        let references: Vec<_> = [&scripts.references, &markup.references, &sheets].into_iter().flatten().collect();
        findings.extend(subpackages::independent(subject, &references));
        findings.extend(undeclared::check(subject, &scripts, &markup));
        findings.extend(scripts.findings);
        findings.extend(markup.findings);
        findings.extend(styles);
    }
    findings
}

/// Checks of a package in a dialect that is not known only what all dialects have in common.
fn unknown(subject: &Subject<'_>, markup: &str) -> Vec<Finding> {
    let message = format!(
        "The markup of the pages is .{markup}, which is that of no dialect that is known here, so nothing that depends \
         on it was looked at: what markup, style sheets and scripts name, components, subpackages."
    );
    let fix = format!(
        "Known are {}. Build the project for one of these, or see that the host app runs it.",
        Dialect::known()
    );
    let finding = Finding::warning("unknown-dialect", message).at(subject.layout.manifest.place_of("pages")).fix(fix);
    let checks = [pages::check, app::check, tabs::check, strays::check, json::check];
    std::iter::once(finding).chain(checks.iter().flat_map(|check| check(subject))).collect()
}

fn plugin(subject: &Subject<'_>) -> Finding {
    let message = "This is a plugin, which runs inside of a mini-program and not alone.";
    Finding::error("plugin", message).at(Place::file(&subject.layout.manifest.path)).fix(
        "Mini-programs (app.json, manifest.json) and games (game.json) can be published. Pack the mini-program that uses the plugin.",
    )
}

fn unreadable(path: &str, reason: &str) -> Finding {
    Finding::error("manifest-unreadable", format!("{path} cannot be read: {reason}."))
        .at(Place::file(path))
        .fix("Make it a JSON object, without comments.")
}

berth_policy::auditor!(PackageStructure);

#[cfg(test)]
mod tests;
