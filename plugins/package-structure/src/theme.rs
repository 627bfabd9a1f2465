//! The variables of a theme: `@name` in the manifest stands for what `themeLocation` names says in light and in dark.

use berth_policy::{
    Package,
    manifest::Manifest,
    serde_json::{self, Map, Value},
};

/// Where variables are defined when the manifest does not say.
const USUAL: &str = "theme.json";

/// The modes, each with its variables; none when there is no theme or it cannot be read.
#[derive(Default)]
pub(crate) struct Theme {
    modes: Map<String, Value>,
}

impl Theme {
    /// Reads the theme that a manifest names.
    pub(crate) fn of(package: &dyn Package, manifest: &Manifest) -> Self {
        let path = manifest.members.get("themeLocation").and_then(Value::as_str).unwrap_or(USUAL);
        let path = path.trim_start_matches("./").trim_start_matches('/');
        let text = package.read_text(path).unwrap_or_default();
        Self { modes: serde_json::from_str(&text).unwrap_or_default() }
    }

    /// What a variable stands for, each text once.
    pub(crate) fn pictures(&self, variable: &str) -> Vec<&str> {
        let said = self.modes.values().filter_map(|mode| mode.get(variable)?.as_str());
        let mut pictures: Vec<_> = said.collect();
        pictures.sort_unstable();
        pictures.dedup();
        pictures
    }
}
