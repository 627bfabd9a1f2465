//! What an auditor is told of the settings and the privacy agreement of a MiniApp (D8, D14): members of its config that its schema marks by a format, which
//! the host fills in for each audit.
//!
//! The interface of policies is frozen and records in it never change, and a function of the host would leave no trace.
//! A member of the config is kept with the evaluation like the rest of it (V6), so that everybody sees what a version was
//! compared with, and `berth audit --policy NAME=CONFIG` and the cases of a policy can give it by hand.

use std::collections::BTreeMap;

use berth_base::ids::HostAppId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    privacy::DeclaredPrivacy,
    settings::{ApiName, Domains},
};

/// The format of a member that takes [`ServerDomains`].
const SERVER_DOMAINS: &str = "server-domains";
/// The format of a member that takes [`Supplies::sensitive_apis`].
const SENSITIVE_APIS: &str = "sensitive-apis";
/// The format of a member that takes [`Supplies::privacy`].
const PRIVACY: &str = "privacy";

/// The formats of members of configs that a host fills in for each audit.
pub const SUPPLIED: [&str; 3] = [SERVER_DOMAINS, SENSITIVE_APIS, PRIVACY];

/// What a host knows about the settings of a MiniApp whose version is audited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supplies {
    /// The domains, and where they are not verified.
    pub server_domains: ServerDomains,
    /// The sensitive APIs of each host app that decides.
    pub sensitive_apis: BTreeMap<HostAppId, GrantedApis>,
    /// The privacy agreement that holds.
    pub privacy: DeclaredPrivacy,
}

/// The domains of a MiniApp, and the host apps that verify them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct ServerDomains {
    /// The domains by kind.
    pub domains: Domains,
    /// The host apps that decide on the version and verify domains.
    pub verified_in: Vec<HostAppId>,
    /// The host apps that decide on the version and skip the verification.
    pub skipped_in: Vec<HostAppId>,
}

/// The sensitive APIs of one host app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct GrantedApis {
    /// All of them, ascending.
    pub sensitive: Vec<ApiName>,
    /// Those that are granted to the MiniApp, ascending.
    pub granted: Vec<ApiName>,
}

/// The config with what its schema asks for. What the config has already stays.
pub fn supplied(config: &Value, schema: Option<&Value>, supplies: &Supplies) -> Value {
    let mut config = config.clone();
    let properties = schema.and_then(|schema| schema.get("properties")?.as_object());
    let Some(members) = config.as_object_mut() else { return config };
    for (name, property) in properties.into_iter().flatten().filter(|(name, _)| !name.is_empty()) {
        let value = match property.get("format").and_then(Value::as_str) {
            Some(SERVER_DOMAINS) => serde_json::to_value(&supplies.server_domains),
            Some(SENSITIVE_APIS) => serde_json::to_value(&supplies.sensitive_apis),
            Some(PRIVACY) => serde_json::to_value(&supplies.privacy),
            _ => continue,
        };
        if let (Ok(value), false) = (value, members.contains_key(name)) {
            members.insert(name.clone(), value);
        }
    }
    config
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn d8_a_config_gets_what_its_schema_asks_for_and_keeps_what_it_has() {
        let schema = json!({"properties": {
            "known": {"type": "object", "format": "server-domains"},
            "apis": {"type": "object", "format": "sensitive-apis"},
            "declared": {"type": "object", "format": "privacy"},
            "severity": {"type": "string"},
        }});
        let host_app: HostAppId = "mall".parse().expect("an id");
        let supplies = Supplies {
            server_domains: ServerDomains { skipped_in: vec![host_app.clone()], ..ServerDomains::default() },
            sensitive_apis: BTreeMap::from([(host_app, GrantedApis::default())]),
            privacy: DeclaredPrivacy::of(7, &[]),
        };
        let config = supplied(&json!({"severity": "error", "apis": {}}), Some(&schema), &supplies);
        assert_eq!(config["known"]["skipped_in"], json!(["mall"]));
        assert_eq!(config["declared"], json!({"version": 7, "collected": []}));
        assert_eq!((&config["apis"], &config["severity"]), (&json!({}), &json!("error")));
        assert_eq!(supplied(&json!({}), Some(&json!({"properties": {"a": {}}})), &supplies), json!({}));
        assert_eq!(supplied(&json!({}), None, &supplies), json!({}));
    }
}
