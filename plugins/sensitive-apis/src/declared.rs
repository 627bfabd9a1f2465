//! What the manifest of a WeChat mini-program has to declare of the APIs that are called.

use berth_policy::{Finding, serde_json::Value};
use berth_policy_javascript::in_more;
use berth_policy_layout::{Kind, Layout};

use crate::uses::Uses;

/// The APIs that `requiredPrivateInfos` has to name.
const PRIVATE: [&str; 8] = [
    "getFuzzyLocation",
    "getLocation",
    "onLocationChange",
    "startLocationUpdate",
    "startLocationUpdateBackground",
    "choosePoi",
    "chooseLocation",
    "chooseAddress",
];
/// Those of them that read the precise location, which cannot be declared together with the rough one.
const PRECISE: [&str; 4] = ["getLocation", "onLocationChange", "startLocationUpdate", "startLocationUpdateBackground"];
const ROUGH: &str = "getFuzzyLocation";
const BACKGROUND: &str = "startLocationUpdateBackground";

/// The findings about declarations. Only WeChat asks for them.
pub fn findings(layout: &Layout, uses: &Uses) -> Vec<Finding> {
    if layout.dialect.name != "WeChat" || layout.kind != Kind::App {
        return Vec::new();
    }
    let declared = texts(layout, "requiredPrivateInfos");
    let mut findings = Vec::new();
    for api in PRIVATE {
        let is_declared = declared.iter().any(|one| one == api);
        match (uses.of(api), is_declared) {
            (Some(place), false) => findings.push(not_declared(api, uses.others(api)).at(place.clone())),
            (None, true) if !uses.mentions(api) => findings.push(unused(api).at(layout.manifest.place_of(api))),
            _ => {}
        }
    }
    findings.extend(clash(layout, &declared));
    findings.extend(purposes(layout, uses));
    findings.extend(background(layout, uses));
    findings
}

fn not_declared(api: &str, others: usize) -> Finding {
    let text = format!("{api} is called and not declared, so that the call fails.{}", in_more(others));
    Finding::warning("api-not-declared", text)
        .fix(format!("Add it to app.json: \"requiredPrivateInfos\": [\"{api}\"]."))
}

fn unused(api: &str) -> Finding {
    let text = format!("{api} is declared in requiredPrivateInfos, and no script calls it.");
    Finding::note("declared-unused", text).fix("Remove it, unless code that is loaded at run time needs it.")
}

fn clash(layout: &Layout, declared: &[String]) -> Option<Finding> {
    let has = |api: &str| declared.iter().any(|one| one == api);
    let precise = PRECISE.into_iter().find(|api| has(api)).filter(|_| has(ROUGH))?;
    let text = format!("requiredPrivateInfos has {ROUGH} and {precise}, which exclude each other.");
    let finding = Finding::warning("declarations-clash", text).at(layout.manifest.place_of(ROUGH));
    Some(finding.fix("Declare the rough location or the precise one."))
}

fn purposes(layout: &Layout, uses: &Uses) -> Vec<Finding> {
    let of = |api: &'static str, scope: &'static str| uses.of(api).map(|place| (api, scope, place));
    let precise = PRECISE.into_iter().find_map(|api| of(api, "scope.userLocation"));
    let asked = precise.into_iter().chain(of(ROUGH, "scope.userFuzzyLocation"));
    let lacks = |scope: &str| {
        let said = layout
            .manifest
            .members
            .get("permission")
            .and_then(|permission| permission.get(scope)?.get("desc")?.as_str());
        said.is_none_or(|said| said.trim().is_empty())
    };
    let finding = |(api, scope, place): (&str, &str, &berth_policy::Place)| {
        let text = format!("{api} asks the user, and app.json does not say what for.");
        let member = format!("\"permission\": {{\"{scope}\": {{\"desc\": \"…\"}}}}");
        Finding::warning("purpose-missing", text).at(place.clone()).fix(format!("Add it to app.json: {member}."))
    };
    asked.filter(|(_, scope, _)| lacks(scope)).map(finding).collect()
}

fn background(layout: &Layout, uses: &Uses) -> Option<Finding> {
    let place = uses.of(BACKGROUND)?;
    let has = texts(layout, "requiredBackgroundModes").iter().any(|mode| mode == "location");
    let text = format!("{BACKGROUND} is called, and app.json does not ask to run in the background for the location.");
    let fix = "Add it to app.json: \"requiredBackgroundModes\": [\"location\"].";
    (!has).then(|| Finding::warning("background-missing", text).at(place.clone()).fix(fix))
}

fn texts(layout: &Layout, member: &str) -> Vec<String> {
    let all = layout.manifest.members.get(member).and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|one| one.as_str().map(str::to_owned)).collect()
}
