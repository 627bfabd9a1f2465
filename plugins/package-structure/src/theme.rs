//! The theme: `@name` in the manifest stands for the values that the theme has for it in light and in dark.

use berth_policy::{
    Finding,
    serde_json::{self, Map, Value},
};

use crate::{Subject, app::named};

/// The file with the variables if `themeLocation` is absent.
const USUAL: &str = "theme.json";

/// The modes of the theme with their variables; none when there is no theme or it cannot be read.
#[derive(Default)]
pub struct Theme {
    modes: Map<String, Value>,
}

/// Reports a theme that `themeLocation` names and that does not exist or cannot be read.
pub fn check(subject: &Subject<'_>) -> Option<Finding> {
    let path = named(subject.layout.manifest.members.get("themeLocation"))?;
    let reason = if !subject.layout.has(&path) {
        "does not exist".to_owned()
    } else {
        let read = serde_json::from_str::<Map<String, Value>>(&subject.text(&path));
        format!("cannot be read: {}", read.err()?)
    };
    let fix = subject
        .remedy(std::slice::from_ref(&path), "Add the file, with the members light and dark, or remove themeLocation.");
    let place = subject.layout.manifest.place_of("themeLocation");
    Some(Finding::error("theme-missing", format!("The theme {path} {reason}.")).at(place).fix(fix))
}

impl Theme {
    /// Reads the theme of the package.
    pub fn of(subject: &Subject<'_>) -> Self {
        let path = named(subject.layout.manifest.members.get("themeLocation")).unwrap_or(USUAL.into());
        Self { modes: serde_json::from_str(&subject.text(&path)).unwrap_or_default() }
    }

    /// The different values of a variable in all modes.
    pub fn pictures(&self, variable: &str) -> Vec<&str> {
        let said = self.modes.values().filter_map(|mode| mode.get(variable)?.as_str());
        let mut pictures: Vec<_> = said.collect();
        pictures.sort_unstable();
        pictures.dedup();
        pictures
    }
}
