//! The `app.json` of WeChat-style mini-programs. Members that are not known here are accepted; policies may report
//! them.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{super::refusal, APP_JSON, Facts, Subpackage, declared, page_path};
use berth_base::error::{Error, Result};

/// How many pages a mini-program may have, with those of its subpackages.
const MOST_PAGES: usize = 2000;

/// The interfaces whose use a mini-program must declare.
const PRIVATE_INFOS: &[&str] = &[
    "chooseAddress",
    "chooseLocation",
    "choosePoi",
    "getFuzzyLocation",
    "getLocation",
    "onLocationChange",
    "startLocationUpdate",
    "startLocationUpdateBackground",
];

/// Reads the facts of an `app.json`.
pub fn read(members: &Map<String, Value>) -> Result<Facts> {
    let mut facts = Facts { warnings: warnings(members), ..Facts::default() };
    let own = strings(members, "pages")?.into_iter().map(|page| page_path("", page));
    let mut pages = own.collect::<Result<Vec<_>, _>>().map_err(|why| wrong("pages", &why))?;
    if pages.is_empty() {
        return Err(wrong("pages", "must list at least one page"));
    }
    for item in subpackage_items(members)? {
        let subpackage = subpackage(item)?;
        pages.extend_from_slice(&subpackage.pages);
        facts.subpackages.push(subpackage);
    }
    add_pages(&mut facts, pages)?;
    check_tab_bar(members)?;
    facts.id = declared(APP_JSON, members, "mini_app_id").or_else(|| declared(APP_JSON, members, "app_id"));
    facts.version = declared(APP_JSON, members, "version");
    Ok(facts)
}

/// Adds each page once, in the order of the manifest.
fn add_pages(facts: &mut Facts, pages: Vec<String>) -> Result<()> {
    if pages.len() > MOST_PAGES {
        return Err(wrong("pages", &format!("and those of subpackages are {}; {MOST_PAGES} are allowed", pages.len())));
    }
    let mut seen = HashSet::new();
    for page in pages {
        if seen.insert(page.clone()) {
            facts.pages.push(page);
        } else {
            facts.warnings.push(format!("{APP_JSON}: the page {page:?} is listed twice."));
        }
    }
    Ok(())
}

/// The list of subpackages. Both spellings are in use; a manifest with both is refused, as it could be read in two
/// ways.
fn subpackage_items(members: &Map<String, Value>) -> Result<&[Value]> {
    match (members.get("subPackages"), members.get("subpackages")) {
        (Some(_), Some(_)) => Err(wrong("subPackages", "stands beside \"subpackages\": keep one of the two spellings")),
        (None, None) => Ok(&[]),
        (Some(list), None) | (None, Some(list)) => {
            list.as_array().map(Vec::as_slice).ok_or_else(|| wrong("subPackages", "must be a list"))
        }
    }
}

fn subpackage(item: &Value) -> Result<Subpackage> {
    let item = item.as_object().ok_or_else(|| wrong("subPackages", "must hold objects with root and pages"))?;
    let root =
        item.get("root").and_then(Value::as_str).ok_or_else(|| wrong("subPackages[].root", "must be a folder"))?;
    let root = page_path("", root).map_err(|why| wrong("subPackages[].root", &why))?;
    let join = |page| page_path(&root, page).map_err(|why| wrong("subPackages[].pages", &why));
    let pages = strings(item, "pages")?.into_iter().map(join).collect::<Result<_>>()?;
    let name = item.get("name").and_then(Value::as_str).map(Into::into);
    let independent = item.get("independent").and_then(Value::as_bool).unwrap_or(false);
    Ok(Subpackage { root, name, independent, pages })
}

fn check_tab_bar(members: &Map<String, Value>) -> Result<()> {
    let Some(list) = members.get("tabBar").and_then(|bar| bar.get("list")) else { return Ok(()) };
    let items = list.as_array().ok_or_else(|| wrong("tabBar.list", "must be a list"))?;
    let complete = items.iter().all(|item| item.get("pagePath").is_some_and(Value::is_string));
    if complete { Ok(()) } else { Err(wrong("tabBar.list[].pagePath", "must name a page in every item")) }
}

/// The member `name` as a list of strings; empty when it is absent.
fn strings<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Vec<&'a str>> {
    let Some(value) = members.get(name) else { return Ok(Vec::new()) };
    let list = value.as_array().and_then(|list| list.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    list.ok_or_else(|| wrong(name, "must be a list of strings"))
}

fn warnings(members: &Map<String, Value>) -> Vec<String> {
    let odd = [odd_workers(members), odd_loading(members), odd_preload(members), odd_private_infos(members)];
    odd.into_iter().flatten().map(|warning| format!("{APP_JSON}: {warning}")).collect()
}

fn odd_workers(members: &Map<String, Value>) -> Option<String> {
    let workers = members.get("workers")?;
    let fine = workers.is_string() || workers.get("path").is_some_and(Value::is_string);
    (!fine).then(|| "workers is neither a folder nor {path, isSubpackage}.".into())
}

fn odd_loading(members: &Map<String, Value>) -> Option<String> {
    let loading = members.get("lazyCodeLoading")?;
    // The second is Alipay's.
    let fine = loading == "requiredComponents" || loading == "renderedComponents";
    (!fine).then(|| "lazyCodeLoading knows only \"requiredComponents\" and \"renderedComponents\".".into())
}

fn odd_preload(members: &Map<String, Value>) -> Option<String> {
    let rules = members.get("preloadRule")?.as_object();
    let known = |rule: &Value| rule.get("network").is_none_or(|network| network == "all" || network == "wifi");
    let fine = rules.is_some_and(|rules| rules.values().all(known));
    (!fine).then(|| "preloadRule maps pages to rules whose network is \"all\" or \"wifi\".".into())
}

fn odd_private_infos(members: &Map<String, Value>) -> Option<String> {
    let infos = members.get("requiredPrivateInfos")?.as_array();
    let known = |info: &Value| info.as_str().is_some_and(|info| PRIVATE_INFOS.contains(&info));
    let fine = infos.is_some_and(|infos| infos.iter().all(known));
    (!fine).then(|| format!("requiredPrivateInfos knows only {}.", PRIVATE_INFOS.join(", ")))
}

fn wrong(member: &str, rule: &str) -> Error {
    refusal::manifest("manifest-shape", APP_JSON, format!("{member} {rule}.")).with("member", member)
}
