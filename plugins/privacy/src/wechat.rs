//! What the manifest and the scripts of a WeChat mini-program say of privacy themselves.

use berth_policy::{Finding, serde_json::Value};
use berth_policy_layout::{Kind, Layout};

use crate::{Declared, Said, catalogue::Catalogue};

const CHECK: &str = "__usePrivacyCheck__";
const REQUIRED: &str = "requiredPrivateInfos";

/// The findings that only WeChat's dialect has.
pub fn findings(catalogue: &Catalogue, layout: &Layout, said: &Said, declared: &Declared) -> Vec<Finding> {
    if layout.dialect.name != "WeChat" || layout.kind == Kind::Plugin {
        return Vec::new();
    }
    let mut findings = required(catalogue, layout, said, declared);
    // The markup of a bundle is in its scripts, so that no button can be seen.
    findings.extend(no_button(said).filter(|_| !layout.is_bundled()));
    findings.extend(check_off(layout, said));
    findings
}

/// The APIs that `requiredPrivateInfos` names, that no use has told of, and that the agreement does not declare.
fn required(catalogue: &Catalogue, layout: &Layout, said: &Said, declared: &Declared) -> Vec<Finding> {
    let Some(version) = declared.version else { return Vec::new() };
    let named = layout.manifest.members.get(REQUIRED).and_then(Value::as_array).into_iter().flatten();
    let finding = |api: &str| {
        let (kind, _) = catalogue.of_api(api)?;
        let kind = &catalogue.kind(kind).kind;
        let is_told = said.uses.iter().any(|placed| placed.one.api == api);
        let is_declared =
            declared.names_api(api) || declared.collected.iter().any(|item| item.kind == *kind && item.apis.is_empty());
        if is_told || is_declared {
            return None;
        }
        let text =
            format!("{REQUIRED} names {api}, and version {version} of the privacy agreement does not declare {kind}.");
        let fix = "Declare it in the agreement, or remove it from app.json.";
        Some(Finding::warning("required-not-declared", text).at(layout.manifest.place_of(api)).fix(fix))
    };
    named.filter_map(Value::as_str).filter_map(finding).collect()
}

/// Who listens for `onNeedPrivacyAuthorization` shows a dialog of their own, in which users agree by a button.
fn no_button(said: &Said) -> Option<Finding> {
    let place = said.listens.clone().filter(|_| !said.may_agree)?;
    let text = "onNeedPrivacyAuthorization is listened to, and no button has the open-type agreePrivacyAuthorization: users \
                cannot agree.";
    let fix = "Add <button id=\"agree\" open-type=\"agreePrivacyAuthorization\"> to the dialog that is shown.";
    Some(Finding::warning("no-agree-button", text).at(place).fix(fix))
}

fn check_off(layout: &Layout, said: &Said) -> Option<Finding> {
    let off = layout.manifest.members.get(CHECK).and_then(Value::as_bool) == Some(false);
    if !off || said.uses.is_empty() {
        return None;
    }
    let text = format!("{CHECK} is false: host apps ask users for their consent all the same.");
    Some(
        Finding::note("privacy-check-off", text)
            .at(layout.manifest.place_of(CHECK))
            .fix("Remove it, or set it to true."),
    )
}
