//! Admits devices by host app, platform, network and lists (G4).
//!
//! ```json
//! {
//!   "host_apps": [{"id": "ha-shop", "min_version": "3.2", "max_version": "3.9"}],
//!   "platforms": [{"platform": "android", "min_os": "12"}, {"platform": "ios"}],
//!   "networks":  ["wifi", "5g"],
//!   "objects":   [{"kind": "guid", "values": ["g-1"]}, {"kind": "account", "cohort": "coh_…"}]
//! }
//! ```
//!
//! The four conditions are ANDed, and the alternatives of one condition are ORed. An empty or absent condition never
//! restricts. Ranges include both ends. Versions are compared numerically, and missing parts are 0. The names of
//! platforms and networks are compared without regard to case. A device that states no readable version is outside
//! every range, and one that states no account is in no list of accounts.

mod objects;
mod range;

use berth_policy::{Description, Device, Grayscale, Policy, Task, Verdict, serde::Deserialize};

use objects::ObjectList;
use range::{Range, VersionText};

/// The policy, which is its config.
#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", deny_unknown_fields, default)]
#[derive(Default)]
pub struct StandardConditions {
    host_apps: Vec<HostApp>,
    platforms: Vec<Platform>,
    networks: Vec<String>,
    objects: Vec<ObjectList>,
}

#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", deny_unknown_fields)]
struct HostApp {
    id: String,
    min_version: Option<VersionText>,
    max_version: Option<VersionText>,
}

#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", deny_unknown_fields)]
struct Platform {
    platform: String,
    min_os: Option<VersionText>,
    max_os: Option<VersionText>,
}

/// The result of a condition; the error says in words why it does not hold.
type Condition = Result<(), String>;

impl StandardConditions {
    fn host_app(&self, device: &Device) -> Condition {
        let range = |app: &HostApp| Range::new(app.min_version.clone(), app.max_version.clone());
        let named = self.host_apps.iter().filter(|app| app.id == device.host_app).map(range);
        if self.host_apps.is_empty() {
            return Ok(());
        }
        range::one_holds(named, &device.host_version).map_err(|reason| match reason {
            None => format!("The host app {} is not one of the task's.", told(&device.host_app)),
            Some(reason) => format!("The version of the host app {} does not fit: {reason}.", device.host_app),
        })
    }

    fn platform(&self, device: &Device) -> Condition {
        let range = |platform: &Platform| Range::new(platform.min_os.clone(), platform.max_os.clone());
        let same = |platform: &&Platform| platform.platform.eq_ignore_ascii_case(&device.platform);
        if self.platforms.is_empty() {
            return Ok(());
        }
        let named = self.platforms.iter().filter(same).map(range);
        range::one_holds(named, &device.os_version).map_err(|reason| match reason {
            None => format!("The platform {} is not one of the task's.", told(&device.platform)),
            Some(reason) => format!("The OS version of {} does not fit: {reason}.", device.platform),
        })
    }

    fn network(&self, device: &Device) -> Condition {
        let holds = self.networks.is_empty() || self.networks.iter().any(|n| n.eq_ignore_ascii_case(&device.network));
        let refusal = || {
            format!("The network {} is not one of the task's ({}).", told(&device.network), self.networks.join(", "))
        };
        holds.then_some(()).ok_or_else(refusal)
    }

    fn object(&self, device: &Device) -> Condition {
        let holds = self.objects.is_empty() || self.objects.iter().any(|list| list.contains(device));
        holds
            .then_some(())
            .ok_or_else(|| format!("The device is in none of the task's lists ({}).", objects::kinds(&self.objects)))
    }
}

/// The text that a device sent, or that it sent none.
fn told(text: &str) -> &str {
    if text.is_empty() { "(not told)" } else { text }
}

impl Policy for StandardConditions {
    type Config = Self;

    const DESCRIPTION: Description = Description {
        name: "standard-conditions",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Admits devices by host app, platform, network and lists of devices or accounts.",
        config_schema: include_str!("../config.schema.json"),
    };

    fn configure(config: Self) -> Result<Self, String> {
        for app in &config.host_apps {
            Range::check(&app.min_version, &app.max_version)
                .map_err(|reason| format!("host_apps: {}: {reason}", app.id))?;
        }
        for platform in &config.platforms {
            let Platform { platform, min_os, max_os } = platform;
            Range::check(min_os, max_os).map_err(|reason| format!("platforms: {platform}: {reason}"))?;
        }
        objects::check(&config.objects)?;
        Ok(config)
    }
}

impl Grayscale for StandardConditions {
    fn decide(&self, device: &Device, _: &Task) -> Result<Verdict, String> {
        let conditions = [Self::host_app, Self::platform, Self::network, Self::object];
        let unmet = conditions.iter().find_map(|condition| condition(self, device).err());
        Ok(unmet.map_or(Verdict::Admit, Verdict::Refuse))
    }
}

berth_policy::grayscale!(StandardConditions);

#[cfg(test)]
mod tests;
