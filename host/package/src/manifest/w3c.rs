//! The `manifest.json` of a W3C MiniApp, checked against the text of the specification: the published schema nests
//! `pages` and more inside `version` by mistake.

use serde_json::{Map, Value};

use super::{super::refusal, Declared, Facts, W3C, page_path};
use berth_base::{
    error::{Error, Result},
    version::VersionNumber,
};

const KNOWN: &[&str] = &[
    "$schema",
    "app_id",
    "color_scheme",
    "description",
    "device_type",
    "dir",
    "icons",
    "lang",
    "name",
    "pages",
    "platform_version",
    "req_permissions",
    "short_name",
    "version",
    "widgets",
    "window",
];

/// Reads the facts of a W3C manifest.
pub fn read(members: &Map<String, Value>) -> Result<Facts> {
    let id = text(members, "app_id", "app_id")?;
    text(members, "name", "name")?;
    check_icons(members)?;
    check_platform(members)?;
    let version = version(members)?;
    check_optional(members)?;
    let facts = Facts {
        pages: pages(members)?,
        id: Some(Declared { by: format!("{W3C}: app_id"), value: id.into() }),
        version: Some(Declared { by: format!("{W3C}: version.name"), value: version.into() }),
        warnings: warnings(members),
        ..Facts::default()
    };
    Ok(facts)
}

fn pages(members: &Map<String, Value>) -> Result<Vec<String>> {
    let list = list(members, "pages", "pages")?;
    let page = |page: &Value| {
        let page = page.as_str().ok_or_else(|| wrong("pages", "must hold paths"))?;
        page_path("", page).map_err(|why| wrong("pages", &why))
    };
    let pages = list.iter().map(page).collect::<Result<Vec<_>>>()?;
    if pages.is_empty() { Err(wrong("pages", "must list at least one page")) } else { Ok(pages) }
}

fn check_icons(members: &Map<String, Value>) -> Result<()> {
    let icons = list(members, "icons", "icons")?;
    let complete = !icons.is_empty()
        && icons.iter().all(|icon| icon.get("src").is_some_and(|src| src.as_str().is_some_and(|src| !src.is_empty())));
    if complete { Ok(()) } else { Err(wrong("icons", "must list at least one {src}")) }
}

fn check_platform(members: &Map<String, Value>) -> Result<()> {
    let platform = object(members, "platform_version")?;
    number(platform, "min_code", "platform_version.min_code")?;
    if platform.contains_key("target_code") {
        number(platform, "target_code", "platform_version.target_code")?;
    }
    match platform.get("release_type") {
        Some(value) if !value.is_string() => Err(wrong("platform_version.release_type", "must be text")),
        _ => Ok(()),
    }
}

/// Checks the version, `{code, name}`, and returns its name.
fn version(members: &Map<String, Value>) -> Result<&str> {
    let version = object(members, "version")?;
    number(version, "code", "version.code")?;
    let name = text(version, "name", "version.name")?;
    match name.parse::<VersionNumber>() {
        Ok(_) => Ok(name),
        Err(error) => Err(wrong("version.name", &format!("is wrong: {}", error.detail.trim_end_matches('.')))),
    }
}

/// Checks the shape of members that may be absent.
fn check_optional(members: &Map<String, Value>) -> Result<()> {
    if members.contains_key("device_type") && !list(members, "device_type", "device_type")?.iter().all(Value::is_string)
    {
        return Err(wrong("device_type", "must hold text"));
    }
    for permission in optional_objects(members, "req_permissions")? {
        text(permission, "name", "req_permissions[].name")?;
    }
    for widget in optional_objects(members, "widgets")? {
        text(widget, "name", "widgets[].name")?;
        text(widget, "path", "widgets[].path")?;
    }
    Ok(())
}

fn optional_objects<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Vec<&'a Map<String, Value>>> {
    if !members.contains_key(name) {
        return Ok(Vec::new());
    }
    let objects = list(members, name, name)?.iter().map(Value::as_object).collect::<Option<Vec<_>>>();
    objects.ok_or_else(|| wrong(name, "must hold objects"))
}

fn warnings(members: &Map<String, Value>) -> Vec<String> {
    let unknown = members.keys().filter(|key| !KNOWN.contains(&key.as_str()));
    unknown.map(|key| format!("{W3C}: the member {:?} is not known.", refusal::shown(key.as_bytes()))).collect()
}

fn text<'a>(members: &'a Map<String, Value>, name: &str, shown: &str) -> Result<&'a str> {
    members
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| wrong(shown, "is required and must be text"))
}

fn number(members: &Map<String, Value>, name: &str, shown: &str) -> Result<u64> {
    members.get(name).and_then(Value::as_u64).ok_or_else(|| wrong(shown, "is required and must be an integer from 0"))
}

fn list<'a>(members: &'a Map<String, Value>, name: &str, shown: &str) -> Result<&'a Vec<Value>> {
    members.get(name).and_then(Value::as_array).ok_or_else(|| wrong(shown, "is required and must be a list"))
}

fn object<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a Map<String, Value>> {
    members.get(name).and_then(Value::as_object).ok_or_else(|| wrong(name, "is required and must be an object"))
}

fn wrong(member: &str, rule: &str) -> Error {
    refusal::manifest("manifest-shape", W3C, format!("{member} {rule}.")).with("member", member)
}
