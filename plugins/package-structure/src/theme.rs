//! The theme: `@name` in the manifest stands for what `themeLocation` names says in light and in dark.

use berth_policy::{
    Finding,
    serde_json::{self, Map, Value},
};

use crate::{Subject, app::named};

/// Where variables are defined when the manifest does not say.
const USUAL: &str = "theme.json";

/// The modes, each with its variables; none when there is no theme or it cannot be read.
#[derive(Default)]
pub struct Theme {
    modes: Map<String, Value>,
}

/// What `themeLocation` names is there and can be read.
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
    /// Reads the theme that the manifest names.
    pub fn of(subject: &Subject<'_>) -> Self {
        let path = named(subject.layout.manifest.members.get("themeLocation")).unwrap_or(USUAL.into());
        Self { modes: serde_json::from_str(&subject.text(&path)).unwrap_or_default() }
    }

    /// What a variable stands for, each text once.
    pub fn pictures(&self, variable: &str) -> Vec<&str> {
        let said = self.modes.values().filter_map(|mode| mode.get(variable)?.as_str());
        let mut pictures: Vec<_> = said.collect();
        pictures.sort_unstable();
        pictures.dedup();
        pictures
    }
}
