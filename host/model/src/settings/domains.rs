//! The domains of a MiniApp by kind, changed as a set (D1).

use std::collections::BTreeSet;

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::MiniAppId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Domain, DomainKind};

/// How many domains of one kind a MiniApp may have.
const MOST_OF_A_KIND: usize = 200;
/// How many faults one refusal lists.
const MOST_FAULTS: usize = 20;

/// The domains with which a MiniApp may communicate, by kind, each list ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Domains {
    /// For requests: `https://`.
    pub request: Vec<Domain>,
    /// For uploads of files: `https://`.
    pub upload: Vec<Domain>,
    /// For downloads of files: `https://`.
    pub download: Vec<Domain>,
    /// For WebSockets: `wss://`.
    pub socket: Vec<Domain>,
    /// For UDP: `udp://`; without a port for all ports.
    pub udp: Vec<Domain>,
    /// For TCP: `tcp://`; without a port for all ports.
    pub tcp: Vec<Domain>,
    /// Business domains, whose pages a web-view may show: `https://`.
    pub business: Vec<Domain>,
}

impl Domains {
    /// The domains of one kind.
    pub fn of(&self, kind: DomainKind) -> &[Domain] {
        match kind {
            DomainKind::Request => &self.request,
            DomainKind::Upload => &self.upload,
            DomainKind::Download => &self.download,
            DomainKind::Socket => &self.socket,
            DomainKind::Udp => &self.udp,
            DomainKind::Tcp => &self.tcp,
            DomainKind::Business => &self.business,
        }
    }

    fn of_mut(&mut self, kind: DomainKind) -> &mut Vec<Domain> {
        match kind {
            DomainKind::Request => &mut self.request,
            DomainKind::Upload => &mut self.upload,
            DomainKind::Download => &mut self.download,
            DomainKind::Socket => &mut self.socket,
            DomainKind::Udp => &mut self.udp,
            DomainKind::Tcp => &mut self.tcp,
            DomainKind::Business => &mut self.business,
        }
    }

    /// How many domains there are, of all kinds together.
    pub fn count(&self) -> usize {
        DomainKind::ALL.iter().map(|kind| self.of(*kind).len()).sum()
    }

    /// How `self` becomes `after`: the kinds that differ, each with what comes and what goes.
    pub fn changes(&self, after: &Self) -> Vec<DomainChange> {
        let less = |all: &[Domain], without: &[Domain]| {
            let without: BTreeSet<_> = without.iter().collect();
            all.iter().filter(|domain| !without.contains(domain)).cloned().collect::<Vec<_>>()
        };
        let change = |kind: &DomainKind| {
            let (old, new) = (self.of(*kind), after.of(*kind));
            DomainChange { kind: *kind, added: less(new, old), removed: less(old, new) }
        };
        let changes = DomainKind::ALL.iter().map(change);
        changes.filter(|change| !change.added.is_empty() || !change.removed.is_empty()).collect()
    }
}

/// The domains of a MiniApp, to be set: they take the place of all that it has. A kind that is left out has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SetDomains {
    /// For requests, such as `https://api.example.com`; at most 200, as of every kind.
    pub request: Vec<String>,
    /// For uploads of files, such as `https://files.example.com`.
    pub upload: Vec<String>,
    /// For downloads of files, such as `https://files.example.com:8443`.
    pub download: Vec<String>,
    /// For WebSockets, such as `wss://push.example.com`.
    pub socket: Vec<String>,
    /// For UDP, such as `udp://game.example.com:9000`.
    pub udp: Vec<String>,
    /// For TCP, such as `tcp://game.example.com`.
    pub tcp: Vec<String>,
    /// Business domains, such as `https://www.example.com`.
    pub business: Vec<String>,
}

impl From<Domains> for SetDomains {
    fn from(domains: Domains) -> Self {
        let texts = |domains: Vec<Domain>| domains.iter().map(ToString::to_string).collect();
        Self {
            request: texts(domains.request),
            upload: texts(domains.upload),
            download: texts(domains.download),
            socket: texts(domains.socket),
            udp: texts(domains.udp),
            tcp: texts(domains.tcp),
            business: texts(domains.business),
        }
    }
}

impl SetDomains {
    /// The texts of one kind.
    pub fn of(&self, kind: DomainKind) -> &[String] {
        match kind {
            DomainKind::Request => &self.request,
            DomainKind::Upload => &self.upload,
            DomainKind::Download => &self.download,
            DomainKind::Socket => &self.socket,
            DomainKind::Udp => &self.udp,
            DomainKind::Tcp => &self.tcp,
            DomainKind::Business => &self.business,
        }
    }

    /// The texts of one kind, to be changed.
    pub fn of_mut(&mut self, kind: DomainKind) -> &mut Vec<String> {
        match kind {
            DomainKind::Request => &mut self.request,
            DomainKind::Upload => &mut self.upload,
            DomainKind::Download => &mut self.download,
            DomainKind::Socket => &mut self.socket,
            DomainKind::Udp => &mut self.udp,
            DomainKind::Tcp => &mut self.tcp,
            DomainKind::Business => &mut self.business,
        }
    }

    /// Reads all of them.
    ///
    /// # Errors
    /// `invalid-field` for the first that breaks a rule; `errors` lists up to twenty with their places.
    pub fn read(&self) -> Result<Domains> {
        let (mut domains, mut faults) = (Domains::default(), Vec::new());
        for kind in DomainKind::ALL {
            *domains.of_mut(*kind) = read_kind(*kind, self.of(*kind), &mut faults);
        }
        match faults.first() {
            None => Ok(domains),
            Some((field, rule)) => {
                let listed: Vec<Value> = faults.iter().take(MOST_FAULTS).map(fault).collect();
                Err(Error::field(field, rule).with("errors", listed))
            }
        }
    }
}

fn fault((field, rule): &(String, String)) -> Value {
    json!({"pointer": format!("/{}", field.replace('.', "/")), "rule": rule})
}

fn read_kind(kind: DomainKind, texts: &[String], faults: &mut Vec<(String, String)>) -> Vec<Domain> {
    if texts.len() > MOST_OF_A_KIND {
        let rule = format!("at most {MOST_OF_A_KIND} domains of a kind, not {}.", texts.len());
        faults.push((kind.to_string(), rule));
        return Vec::new();
    }
    let mut read: Vec<(Domain, usize)> = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let known = |domain: &Domain| read.iter().find(|(known, _)| known == domain).map(|(_, first)| *first);
        let fresh = Domain::read(kind, text).and_then(|domain| match known(&domain) {
            Some(first) => Err(format!("{domain} is there already, at /{kind}/{first}.")),
            None => Ok(domain),
        });
        match fresh {
            Ok(domain) => read.push((domain, index)),
            Err(rule) => faults.push((format!("{kind}.{index}"), rule)),
        }
    }
    let mut domains: Vec<_> = read.into_iter().map(|(domain, _)| domain).collect();
    domains.sort_unstable();
    domains
}

/// What a set of domains changed of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct DomainChange {
    /// The kind.
    pub kind: DomainKind,
    /// The domains that came.
    pub added: Vec<Domain>,
    /// The domains that went.
    pub removed: Vec<Domain>,
}

/// The domains of a MiniApp, with who set them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct DomainSettings {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Its domains by kind.
    pub domains: Domains,
    /// When they were set; absent when they never were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Millis>,
    /// Id of the account that set them; absent when they never were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
}

/// The domains of a MiniApp were changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct DomainsChanged {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// What came and what went, by kind.
    pub changes: Vec<DomainChange>,
    /// The domains as they are now.
    pub domains: Domains,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use super::*;

    fn set(json: Value) -> SetDomains {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn d1_all_faults_are_told_with_their_places() {
        let set = set(json!({
            "request": ["https://a.example.com", "http://b.example.com", "https://A.example.com:443"],
            "socket": ["https://a.example.com"],
        }));
        let refused = set.read().unwrap_err();
        assert_eq!(refused.fields["pointer"], "/request/1");
        let places: Vec<_> = refused.fields["errors"].as_array().unwrap().iter().map(|one| &one["pointer"]).collect();
        assert_eq!(places, ["/request/1", "/request/2", "/socket/0"]);
        let twice = refused.fields["errors"][1]["rule"].as_str().unwrap();
        assert!(twice.contains("there already, at /request/0"), "{twice}");
    }

    #[test]
    fn d1_there_are_200_of_a_kind_and_not_more() {
        let many = |count: usize| {
            let all: Vec<_> = (0..count).map(|number| format!("https://a{number}.example.com")).collect();
            set(json!({"request": all, "upload": all})).read()
        };
        assert_eq!(many(200).unwrap().count(), 400);
        assert_eq!(many(201).unwrap_err().fields["pointer"], "/request");
    }

    #[test]
    fn d1_a_change_tells_what_came_and_what_went() {
        let before = set(json!({"request": ["https://b.example.com", "https://a.example.com"]})).read().unwrap();
        let after = set(json!({"request": ["https://a.example.com"], "tcp": ["tcp://c.example.com"]})).read().unwrap();
        assert_eq!(before.request[0].as_str(), "https://a.example.com", "in order");
        let told = serde_json::to_value(before.changes(&after)).unwrap();
        let expected = json!([
            {"kind": "request", "added": [], "removed": ["https://b.example.com"]},
            {"kind": "tcp", "added": ["tcp://c.example.com"], "removed": []},
        ]);
        assert_eq!(told, expected);
        assert_eq!(after.changes(&after), []);
    }
}
