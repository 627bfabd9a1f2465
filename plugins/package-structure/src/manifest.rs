//! Finds members of `app.json` that are probably misspelt.

use berth_policy::Finding;

use crate::Subject;

/// How many characters of a misspelt name may differ from the right one.
const MAX_SLIP: usize = 2;
/// How many characters a name must have: shorter ones cannot be told from other words.
const MIN_LENGTH: usize = 5;

/// The members of WeChat's `app.json`, those that Alipay, Douyin, uni-app and Taro write, and those with which Berth's
/// packages declare their id and version.
const KNOWN: &[&str] = &[
    "$schema",
    "__usePrivacyCheck__",
    "adapteByMiniprogram",
    "agent",
    "allowsBounceVertical",
    "appBar",
    "appLaunchInfo",
    "app_id",
    "appid",
    "behavior",
    "chatTools",
    "chatType",
    "cloud",
    "color",
    "componentFramework",
    "componentPlaceholder",
    "components",
    "convertRpxToVw",
    "darkmode",
    "debug",
    "debugOptions",
    "description",
    "deviceOrientation",
    "dynamicLib",
    "embeddedAppIdList",
    "enableIdKeyboard",
    "enablePassiveEvent",
    "entranceDeclare",
    "entryPagePath",
    "frameset",
    "functionalPages",
    "global",
    "groupIdList",
    "halfPage",
    "handleWebviewPreload",
    "icons",
    "industrySDK",
    "lazyCodeLoading",
    "libVersion",
    "miniApp",
    "mini_app_id",
    "multiSelectSupportedMaterials",
    "name",
    "navigateToMiniProgramAppIdList",
    "networkTimeout",
    "openDataContext",
    "openLocationPagePath",
    "pageOrientation",
    "pages",
    "permission",
    "plugins",
    "preloadRule",
    "renderer",
    "rendererOptions",
    "requiredBackgroundModes",
    "requiredPrivateInfos",
    "resizable",
    "resolveAlias",
    "serviceProviderTicket",
    "singlePage",
    "sitemapLocation",
    "static",
    "style",
    "subPackages",
    "subpackages",
    "supportedMaterials",
    "tabBar",
    "themeLocation",
    "ttNavigateToMiniAppIdList",
    "uniStatistics",
    "useDynamicPlugins",
    "useExtendedLib",
    "usePrivacyCheck",
    "usingComponents",
    "version",
    "visualEffectInBackground",
    "window",
    "workers",
];

/// One note about all misspelt members. Tools add members of their own, so an unknown member alone is not reported, but
/// one whose name is nearly that of a known one, which is absent, was meant to have an effect and has none. Only
/// `app.json` is checked, as a W3C manifest may have any members.
pub fn check(subject: &Subject<'_>) -> Option<Finding> {
    let manifest = &subject.layout.manifest;
    if manifest.path != "app.json" {
        return None;
    }
    let slips: Vec<_> = manifest.members.keys().filter_map(|key| Some((key, meant(key)?))).collect();
    let slips: Vec<_> = slips.into_iter().filter(|(_, meant)| !manifest.members.contains_key(*meant)).collect();
    let (first, _) = slips.first()?;
    let told: Vec<_> = slips.iter().map(|(key, meant)| format!("{key} for {meant}")).collect();
    let message = format!("app.json has members that look like slips of the pen: {}.", told.join(", "));
    let finding = Finding::note("unknown-member", message).at(manifest.place_of(first));
    Some(finding.fix("Correct the names; if a tool of yours reads them, nothing has to be done."))
}

/// The known name for which an unknown one was probably meant.
fn meant(key: &str) -> Option<&'static str> {
    if KNOWN.contains(&key) || key.starts_with('_') || key.len() < MIN_LENGTH {
        return None;
    }
    let length = key.chars().count();
    let alike = |known: &str| known.len() >= MIN_LENGTH && known.len().abs_diff(length) <= MAX_SLIP;
    let close = |known: &&&str| known.eq_ignore_ascii_case(key) || alike(known) && distance(known, key) <= MAX_SLIP;
    KNOWN.iter().find(close).copied()
}

/// The number of characters to insert, delete or replace to make one text the other (Levenshtein distance).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, c) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, d) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(c != *d);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}
