//! Compares the sensitive APIs that code and markup call with those that host apps have granted (D3, D8), and with what
//! the manifest declares.
//!
//! | rule | severity | what |
//! |---|---|---|
//! | `api-not-granted` | `severity` of the config, a warning unless it says otherwise | a call of an API that a host app has marked as sensitive and not granted |
//! | `api-not-declared` | warning | WeChat: one of the eight APIs of location and address is called, and `requiredPrivateInfos` has it not |
//! | `purpose-missing` | warning | WeChat: the location is read, and `permission` does not say what for |
//! | `background-missing` | warning | WeChat: the location is followed in the background, and `requiredBackgroundModes` has no `location` |
//! | `declarations-clash` | warning | WeChat: the rough location is declared together with the precise one |
//! | `declared-unused` | note | WeChat: `requiredPrivateInfos` has an API that is not called |
//!
//! Each is told once for each API, at the first place, with the number of the others. A call of an object that is not known to be the platform's is a note, and only when it has the callbacks of such calls.
//! An API that is passed on (`promisify(wx.getLocation)`) counts as called, and so does `open-type` of a button.

mod declared;
mod uses;

use std::{cell::RefCell, collections::BTreeMap};

use berth_policy::{Auditor, Description, Finding, Package, Policy, Severity, serde::Deserialize};
use berth_policy_javascript::{Alike, Source, each_file, is_script};
use berth_policy_layout::{Layout, asks::is_markup};

use uses::{Use, Uses, in_markup, in_script};

/// The policy, which is its config.
#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", deny_unknown_fields, default)]
pub struct SensitiveApis {
    host_apps: BTreeMap<String, Granted>,
    severity: Level,
    max_file_bytes: u64,
}

/// What one host app says.
#[derive(Default, Deserialize)]
#[serde(crate = "berth_policy::serde", default)]
struct Granted {
    sensitive: Vec<String>,
    granted: Vec<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(crate = "berth_policy::serde", rename_all = "lowercase")]
enum Level {
    Note,
    Warning,
    Error,
}

impl Default for SensitiveApis {
    fn default() -> Self {
        Self { host_apps: BTreeMap::new(), severity: Level::Warning, max_file_bytes: 8 << 20 }
    }
}

impl Policy for SensitiveApis {
    type Config = Self;

    const DESCRIPTION: Description = Description {
        name: "sensitive-apis",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Compares the sensitive APIs that code calls with those that host apps have granted and the manifest declares.",
        config_schema: include_str!("../config.schema.json"),
    };

    fn configure(config: Self) -> Result<Self, String> {
        Ok(config)
    }
}

impl Auditor for SensitiveApis {
    fn audit(&self, package: &dyn Package) -> Result<Vec<Finding>, String> {
        let layout = Layout::of(package)?;
        let (uses, alike) = (RefCell::new(Uses::default()), RefCell::new(Alike::default()));
        let mini_app = package.mini_app_id();
        let note = |source: &Source, own: Vec<Use>| {
            uses.borrow_mut().note(source, &own);
            let found = own.into_iter().filter_map(|one| Some((one.offset, self.finding(&one, &mini_app)?, one.api)));
            let about = found.map(|(offset, finding, api)| (offset, api, finding));
            alike.borrow_mut().add_all(source, about.collect());
            Vec::new()
        };
        let mut findings =
            each_file(package, self.max_file_bytes, is_script, |source| note(source, in_script(source)))?;
        findings.extend(each_file(package, self.max_file_bytes, is_markup, |source| note(source, in_markup(source)))?);
        findings.extend(alike.into_inner().findings());
        findings.extend(declared::findings(&layout, &uses.into_inner()));
        Ok(findings)
    }
}

impl SensitiveApis {
    /// What is to be said of a call, if a host app has not granted it.
    fn finding(&self, one: &Use, mini_app: &str) -> Option<Finding> {
        let Use { api, what, certain, .. } = one;
        let has = |list: &[String]| list.iter().any(|one| one == api);
        let lacks = |(_, one): &(&String, &Granted)| has(&one.sensitive) && !has(&one.granted);
        let host_apps: Vec<_> = self.host_apps.iter().filter(lacks).map(|(id, _)| id.as_str()).collect();
        let first = host_apps.first()?;
        let severity = match self.severity {
            _ if !certain => Severity::Note,
            Level::Note => Severity::Note,
            Level::Warning => Severity::Warning,
            Level::Error => Severity::Error,
        };
        let text = format!("{what} is sensitive in {}, which has not granted it to {mini_app}.", host_apps.join(", "));
        let command = format!("berth permit apply {mini_app} --host-app {first} --api {api} --reason …");
        Some(Finding::new(severity, "api-not-granted", text).fix(format!("Apply for it: {command}")))
    }
}

berth_policy::auditor!(SensitiveApis);

#[cfg(test)]
mod tests;
