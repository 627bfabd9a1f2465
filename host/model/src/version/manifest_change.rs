//! What changed in the manifests of two versions, member by member.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many members are told at most.
const MOST: usize = 500;

/// How many characters of a value are told.
const MOST_CHARACTERS: usize = 300;

/// A member of the manifest that is not the same in two versions.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ManifestChange {
    /// Where it is, as a JSON pointer: `/permission/scope.userLocation/desc`. A subpackage is named by its root:
    /// `/subPackages/shop/independent`.
    pub member: String,
    /// Its value in the version to begin with, as JSON, at most 300 characters of it; absent when that has no such member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Its value in the version that is compared with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What changed from one manifest to another, by member, at most 500 members. Pages are left out, which a comparison tells
/// by themselves.
pub fn changes(before: &Value, after: &Value) -> Vec<ManifestChange> {
    let (mut from, to) = (members(before), members(after));
    let mut changes: Vec<ManifestChange> = Vec::new();
    for (member, after) in to {
        let before = from.remove(&member);
        if before.as_ref() != Some(&after) {
            changes.push(ManifestChange { member, before: before.map(shortened), after: Some(shortened(after)) });
        }
    }
    let gone = from.into_iter().map(|(member, before)| ManifestChange {
        member,
        before: Some(shortened(before)),
        after: None,
    });
    changes.extend(gone);
    changes.sort_by(|a, b| a.member.cmp(&b.member));
    changes.truncate(MOST);
    changes
}

/// The innermost members of a manifest by their pointers.
fn members(manifest: &Value) -> BTreeMap<String, String> {
    let mut members = BTreeMap::new();
    for (name, value) in manifest.as_object().into_iter().flatten().filter(|(name, _)| *name != "pages") {
        match (name.as_str(), value) {
            // Both spellings mean the same, and the order means nothing.
            ("subPackages" | "subpackages", Value::Array(all)) => {
                all.iter().for_each(|one| add(&subpackage(one), one, &mut members));
            }
            _ => add(&below("", name), value, &mut members),
        }
    }
    members
}

/// A subpackage is known by its root.
fn subpackage(one: &Value) -> String {
    below("/subPackages", one["root"].as_str().unwrap_or_default().trim_matches('/'))
}

/// Adds a value, or the values in it. Lists are told as wholes, since they have no names for what is in them.
fn add(pointer: &str, value: &Value, members: &mut BTreeMap<String, String>) {
    let is_told_elsewhere = |name: &str| pointer.starts_with("/subPackages/") && (name == "pages" || name == "root");
    let within = value.as_object().into_iter().flatten().filter(|(name, _)| !is_told_elsewhere(name));
    let within: Vec<_> = within.collect();
    if within.is_empty() {
        let text = if value.is_object() { "{}".into() } else { value.to_string() };
        members.insert(pointer.to_owned(), text);
    }
    within.into_iter().for_each(|(name, value)| add(&below(pointer, name), value, members));
}

/// The pointer of a member (RFC 6901).
fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn shortened(value: String) -> String {
    match value.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn v13_each_member_of_a_manifest_that_is_not_the_same_is_told_with_both_values() {
        let before = json!({
            "pages": ["pages/a"], "window": {"navigationBarTitleText": "Tea", "color": "#fff"},
            "permission": {"scope.userLocation": {"desc": "to find a shop"}},
            "subPackages": [{"root": "shop/", "pages": ["a"]}, {"root": "old", "pages": []}],
        });
        let after = json!({
            "pages": ["pages/b"], "window": {"navigationBarTitleText": "Coffee", "color": "#fff"},
            "plugins": {"map/x": {"version": "1.0.0"}}, "requiredPrivateInfos": ["getLocation"],
            "subpackages": [{"root": "shop", "pages": ["b"], "independent": true}],
        });
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
        let told: Vec<_> = changes(&before, &after)
            .iter()
            .map(|one| format!("{} {} {}", one.member, text(&one.before), text(&one.after)))
            .collect();
        assert_eq!(
            told,
            [
                "/permission/scope.userLocation/desc \"to find a shop\" -",
                "/plugins/map~1x/version - \"1.0.0\"",
                "/requiredPrivateInfos - [\"getLocation\"]",
                "/subPackages/old {} -",
                "/subPackages/shop {} -",
                "/subPackages/shop/independent - true",
                "/window/navigationBarTitleText \"Tea\" \"Coffee\"",
            ]
        );
        assert_eq!(changes(&before, &before), []);
    }

    #[test]
    fn a_long_value_is_shortened_and_what_is_no_manifest_has_no_members() {
        let told = changes(&json!(null), &json!({"name": "咖".repeat(400)}));
        assert_eq!(told[0].after.as_ref().map(|value| value.chars().count()), Some(MOST_CHARACTERS + 1));
    }
}
