//! Admits devices on good networks, and everybody on a list.

use berth_policy::{Description, Device, Grayscale, Policy, Task, Verdict, cohort, serde::Deserialize};

/// The policy, which is its config.
#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", deny_unknown_fields, default)]
pub struct {{Type}} {
    networks: Vec<String>,
    always: Option<String>,
}

impl Default for {{Type}} {
    fn default() -> Self {
        Self { networks: vec!["wifi".into()], always: None }
    }
}

impl Policy for {{Type}} {
    type Config = Self;

    const DESCRIPTION: Description = Description {
        name: "{{name}}",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Admits devices on good networks, and everybody on a list.",
        config_schema: include_str!("../config.schema.json"),
    };

    fn configure(config: Self) -> Result<Self, String> {
        Ok(config)
    }
}

impl Grayscale for {{Type}} {
    fn decide(&self, device: &Device, _task: &Task) -> Result<Verdict, String> {
        let listed = |list: &String| cohort::contains(list, &device.guid);
        if self.always.as_ref().is_some_and(listed) || self.networks.contains(&device.network) {
            return Ok(Verdict::Admit);
        }
        Ok(Verdict::Refuse(format!("the network {:?} is none of {}", device.network, self.networks.join(", "))))
    }
}

berth_policy::grayscale!({{Type}});

#[cfg(test)]
mod tests {
    use super::*;
    use berth_policy::testing::{device, task};

    #[test]
    fn a_device_on_wifi_is_admitted() {
        let policy = {{Type}}::from_json("{}").unwrap();
        assert_eq!(policy.decide(&device(), &task()), Ok(Verdict::Admit));
    }
}
