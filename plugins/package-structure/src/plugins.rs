//! Checks the plugins that the manifest asks for.

use berth_policy::{Finding, Severity, serde_json::Value};

use crate::Subject;

/// Reports plugins that no host app can have: in the version that exists only in the developer tool of who makes it, or with a
/// placeholder that a tool was to fill in.
pub fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let members = &subject.layout.manifest.members;
    let subpackages = ["subPackages", "subpackages"].iter().filter_map(|key| members.get(*key)?.as_array()).flatten();
    let lists = subpackages.map(|sub| sub.get("plugins")).chain([members.get("plugins")]);
    let asked = lists.flatten().filter_map(Value::as_object).flatten();
    asked.flat_map(|(name, plugin)| finding(subject, name, plugin)).collect()
}

fn finding(subject: &Subject<'_>, name: &str, plugin: &Value) -> Option<Finding> {
    let text = |member: &str| plugin.get(member).and_then(Value::as_str);
    let placeholder =
        ["version", "provider"].into_iter().find_map(|member| Some((member, text(member).filter(is_placeholder)?)));
    let why = match (placeholder, text("version").filter(|version| is_in_development(version))) {
        (Some((member, written)), _) => {
            format!("with the {member} {written}, a placeholder that a tool was to fill in")
        }
        (None, Some(version)) => {
            format!("in the version {version}, which exists only in the developer tool of who makes the plugin")
        }
        (None, None) => return None,
    };
    let message = format!("The manifest asks for the plugin {name} {why}, so that no host app can have it.");
    let finding = Finding::new(Severity::Warning, "plugin-unpublished", message);
    let fix = "Name the provider and a version of the plugin that is published, or remove it from plugins.";
    Some(finding.at(subject.layout.manifest.place_of(name)).fix(fix))
}

fn is_placeholder(written: &&str) -> bool {
    ["{{", "${", "<%"].iter().any(|start| written.contains(start))
}

/// `dev`, or a build of it that was shared for tests: `dev-` and its digest.
fn is_in_development(version: &str) -> bool {
    version == "dev" || version.starts_with("dev-")
}
