//! Are the declared pages there, and is there nothing that should not be?
//!
//! - Every page of the main package and of the subpackages has its files: a script and a markup (`.js` with `.wxml`,
//!   `.axml` and their like) or one file that is both (`.html`, `.vue`). What a build bundles into `app-service.js` and
//!   `page-frame.html` counts as there (F31).
//! - Tabs lead to pages of the main package and their icons exist, in light and in dark where the theme says which; the entry page is one of the pages.
//! - Every component that a page uses, or a component that it uses, has its files; an npm package that was not built is
//!   told as such.
//! - Subpackages do not lie inside one another, and pages of the main package do not lie inside of them.
//! - Source maps, version control, private settings and other left-overs are pointed out.
//! - Unknown members of `app.json` are told in a note and never more: real packages carry them.

mod components;
mod manifest;
mod pages;
mod strays;
mod tabs;
mod theme;

use berth_policy::{Auditor, Description, Finding, NoConfig, Package, Place, Policy, manifest::Manifest};

/// The policy.
pub struct PackageStructure;

impl Policy for PackageStructure {
    type Config = NoConfig;

    const DESCRIPTION: Description = Description {
        name: "package-structure",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Checks that declared pages, components, tabs and icons exist, and points out files that should not be shipped.",
        config_schema: "",
    };

    fn configure(_: NoConfig) -> Result<Self, String> {
        Ok(Self)
    }
}

/// What the checks look at.
pub(crate) struct Subject {
    manifest: Manifest,
    theme: theme::Theme,
    /// All paths, in byte order.
    paths: Vec<String>,
}

impl Subject {
    fn has(&self, path: &str) -> bool {
        self.paths.binary_search_by(|have| have.as_str().cmp(path)).is_ok()
    }

    /// A path that differs from `path` only in case.
    fn other_case(&self, path: &str) -> Option<&str> {
        self.paths.iter().map(String::as_str).find(|have| have.eq_ignore_ascii_case(path))
    }
}

impl Auditor for PackageStructure {
    fn audit(&self, package: &dyn Package) -> Result<Vec<Finding>, String> {
        let mut paths: Vec<_> = package.files().into_iter().map(|file| file.path).collect();
        paths.sort();
        let manifest = match Manifest::of(package) {
            Ok(manifest) => manifest,
            Err(reason) => return Ok(vec![unreadable(&package.manifest_path(), &reason)]),
        };
        let theme = theme::Theme::of(package, &manifest);
        let subject = Subject { manifest, theme, paths };
        let checks = [pages::check, pages::subpackages, tabs::check, manifest::check, strays::check];
        let findings = checks.iter().flat_map(|check| check(&subject));
        Ok(findings.chain(components::check(&subject, package)).collect())
    }
}

fn unreadable(path: &str, reason: &str) -> Finding {
    Finding::error("manifest-unreadable", format!("{path} cannot be read: {reason}."))
        .at(Place::file(path))
        .fix("Make it a JSON object, without comments.")
}

berth_policy::auditor!(PackageStructure);

#[cfg(test)]
#[cfg(test)]
mod tests;
