//! Members of `app.json` that nobody declared.

use berth_policy::{Finding, Place};

use crate::Subject;

/// The members of WeChat's `app.json`, those that Alipay, Douyin, uni-app and Taro write, and those of Berth, which
/// declare what the package is.
const KNOWN: &[&str] = &[
    "$schema",
    "adapteByMiniprogram",
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
    "embeddedAppIdList",
    "enableIdKeyboard",
    "enablePassiveEvent",
    "entranceDeclare",
    "entryPagePath",
    "frameset",
    "functionalPages",
    "global",
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
    "useDynamicPlugins",
    "useExtendedLib",
    "usePrivacyCheck",
    "usingComponents",
    "version",
    "visualEffectInBackground",
    "window",
    "workers",
];

/// One note for all of them. Only for `app.json`: a W3C manifest is open by design.
pub fn check(subject: &Subject) -> Vec<Finding> {
    let manifest = &subject.manifest;
    let unknown: Vec<_> = manifest.members.keys().map(String::as_str).filter(|key| !KNOWN.contains(key)).collect();
    if manifest.path != "app.json" || unknown.is_empty() {
        return Vec::new();
    }
    let place = unknown.first().map_or_else(|| Place::file(&manifest.path), |key| manifest.place_of(key));
    let finding =
        Finding::note("unknown-member", format!("app.json has members that are not known: {}.", unknown.join(", ")));
    vec![
        finding.at(place).fix("Nothing has to be done if a tool of yours reads them; else look for a slip of the pen."),
    ]
}
