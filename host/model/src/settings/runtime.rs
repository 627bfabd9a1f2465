//! What of the settings of a MiniApp reaches devices (D1–D3). Made when something changes, for every host app and every
//! end of a permit at once, so that a check only chooses.

use std::collections::{BTreeMap, BTreeSet};

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{Digest, HostAppId},
    text,
};
use serde::{Deserialize, Serialize};

use super::{ApiName, Domain, Domains, PermitKind};
use crate::finished::Finished;

/// With which domains a MiniApp may communicate in one host app. A kind that is absent has no domains.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct DomainsRuntime {
    /// What is verified and what it is verified against.
    #[serde(flatten)]
    pub verified: VerifiedDomains,
    /// SHA-256 of the canonical JSON (RFC 8785) of the other members; it changes whenever one of them does.
    pub digest: Digest,
}

/// The domains by kind, and whether they are verified at all. All of it is ASCII and the members ascend, so that its plain
/// serialisation is canonical.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct VerifiedDomains {
    /// Business domains, whose pages a web-view may show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub business: Vec<Domain>,
    /// For downloads of files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub download: Vec<Domain>,
    /// For requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request: Vec<Domain>,
    /// Whether the host app lets the MiniApp communicate with any domain (D2).
    pub skip: bool,
    /// When the verification begins again, if it is skipped until then; absent for without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_until: Option<Millis>,
    /// For WebSockets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub socket: Vec<Domain>,
    /// For TCP; without a port for all ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tcp: Vec<Domain>,
    /// For UDP; without a port for all ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub udp: Vec<Domain>,
    /// For uploads of files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upload: Vec<Domain>,
}

impl DomainsRuntime {
    /// Whether any domain is set, or the verification is skipped.
    pub fn says_anything(&self) -> bool {
        self.verified != VerifiedDomains::default()
    }

    /// What it means, in a sentence.
    pub fn in_words(&self) -> String {
        let VerifiedDomains { business, download, request, skip, skip_until, socket, tcp, udp, upload } =
            &self.verified;
        let kinds = [business, download, request, socket, tcp, udp, upload];
        let count = text::count(kinds.map(Vec::len).iter().sum::<usize>() as i64, "domain", "domains");
        match (skip, skip_until) {
            (false, _) => format!("It may communicate with {count}."),
            (true, None) => {
                format!("It may communicate with any domain, as the host app skips the verification; {count} set.")
            }
            (true, Some(until)) => {
                format!(
                    "It may communicate with any domain until {until}, as the host app skips the verification; {count} set."
                )
            }
        }
    }

    fn finished(domains: &Domains, skip: Option<Option<Millis>>) -> Result<Finished<Self>> {
        let domains = domains.clone();
        let verified = VerifiedDomains {
            business: domains.business,
            download: domains.download,
            request: domains.request,
            skip: skip.is_some(),
            skip_until: skip.flatten(),
            socket: domains.socket,
            tcp: domains.tcp,
            udp: domains.udp,
            upload: domains.upload,
        };
        let digest = Digest::of(&serde_json::to_vec(&verified).map_err(Error::internal)?);
        Finished::of(Self { verified, digest })
    }
}

/// An approved permit of a MiniApp, as far as devices need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// The host app in which it holds.
    pub host_app: HostAppId,
    /// What it allows.
    pub kind: PermitKind,
    /// The API that may be called, if it is for one.
    pub api: Option<ApiName>,
    /// When it ends; `None` for never.
    pub until: Option<Millis>,
}

/// What checks tell of the settings of one MiniApp, in every host app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppSettings {
    verified: Finished<DomainsRuntime>,
    permitted: BTreeMap<HostAppId, Permitted>,
}

/// What one host app permits, by when it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Permitted {
    skip: Option<Until<Finished<DomainsRuntime>>>,
    /// The granted APIs in each span of time, in the order of time. The last span ends when all permits have ended.
    apis: Vec<Until<Finished<Vec<ApiName>>>>,
}

/// A value with the moment at which it ends to hold; `None` for never.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Until<T> {
    end: Option<Millis>,
    value: T,
}

impl<T> Until<T> {
    fn at(&self, now: Millis) -> Option<&T> {
        self.end.is_none_or(|end| now < end).then_some(&self.value)
    }
}

impl AppSettings {
    /// From the domains of a MiniApp and its approved permits.
    ///
    /// # Errors
    /// `internal` when something cannot be serialised.
    pub fn of(domains: &Domains, permits: &[InForce]) -> Result<Self> {
        let mut settings = Self { verified: DomainsRuntime::finished(domains, None)?, permitted: BTreeMap::new() };
        let host_apps: BTreeSet<_> = permits.iter().map(|permit| &permit.host_app).collect();
        for host_app in host_apps {
            let own: Vec<_> = permits.iter().filter(|permit| permit.host_app == *host_app).collect();
            settings.permitted.insert(host_app.clone(), Permitted::of(domains, &own)?);
        }
        Ok(settings)
    }

    /// The domains with which the MiniApp may communicate in a host app at `now`.
    pub fn domains(&self, host_app: &HostAppId, now: Millis) -> &Finished<DomainsRuntime> {
        let skip = self.permitted.get(host_app).and_then(|permitted| permitted.skip.as_ref()?.at(now));
        skip.unwrap_or(&self.verified)
    }

    /// The APIs that a host app has granted to the MiniApp at `now`; `None` when there are none.
    pub fn granted_apis(&self, host_app: &HostAppId, now: Millis) -> Option<&Finished<Vec<ApiName>>> {
        self.permitted.get(host_app)?.apis.iter().find_map(|span| span.at(now))
    }
}

impl Permitted {
    fn of(domains: &Domains, permits: &[&InForce]) -> Result<Self> {
        let skip = permits.iter().find(|permit| permit.kind == PermitKind::SkipDomains);
        let skip = skip.map(|permit| {
            let value = DomainsRuntime::finished(domains, Some(permit.until))?;
            Ok::<_, Error>(Until { end: permit.until, value })
        });
        Ok(Self { skip: skip.transpose()?, apis: spans(permits)? })
    }
}

/// The granted APIs from now to the first end, from there to the second one, and so on.
fn spans(permits: &[&InForce]) -> Result<Vec<Until<Finished<Vec<ApiName>>>>> {
    let ends: BTreeSet<_> =
        permits.iter().filter(|permit| permit.api.is_some()).map(|permit| Ends(permit.until)).collect();
    let mut spans = Vec::with_capacity(ends.len());
    for end in ends {
        let lasts = permits.iter().filter(|permit| Ends(permit.until) >= end);
        let apis: BTreeSet<_> = lasts.filter_map(|permit| permit.api.clone()).collect();
        spans.push(Until { end: end.0, value: Finished::of(apis.into_iter().collect())? });
    }
    Ok(spans)
}

/// The end of a permit, of which never is the last.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Ends(Option<Millis>);

impl Ord for Ends {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |ends: &Self| (ends.0.is_none(), ends.0);
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Ends {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{DAWN, mall};

    fn domains() -> Domains {
        serde_json::from_value(json!({"request": ["https://a.example.com"], "tcp": ["tcp://b.example.com:9"]})).unwrap()
    }

    fn at(seconds: i64) -> Millis {
        DAWN.plus_seconds(seconds)
    }

    fn skip(until: Option<Millis>) -> InForce {
        InForce { host_app: mall(), kind: PermitKind::SkipDomains, api: None, until }
    }

    fn call(api: &str, until: Option<Millis>) -> InForce {
        InForce { host_app: mall(), kind: PermitKind::SensitiveApi, api: Some(api.parse().unwrap()), until }
    }

    #[test]
    fn d1_d7_the_digest_is_that_of_the_canonical_rest() {
        let settings = AppSettings::of(&domains(), &[]).unwrap();
        let told = settings.domains(&mall(), DAWN);
        let rest = r#"{"request":["https://a.example.com"],"skip":false,"tcp":["tcp://b.example.com:9"]}"#;
        assert_eq!(told.digest, Digest::of(rest.as_bytes()));
        let json = serde_json::to_value(told).unwrap();
        assert_eq!(json["request"], json!(["https://a.example.com"]), "the kinds stand beside the digest");
        assert!(json.get("business").is_none());
        assert_eq!(serde_json::from_value::<Finished<DomainsRuntime>>(json).unwrap(), *told);
    }

    #[test]
    fn d2_d7_skipping_holds_in_its_host_app_and_until_its_end() {
        let settings = AppSettings::of(&domains(), &[skip(Some(at(60)))]).unwrap();
        let told = |host_app: &HostAppId, seconds| settings.domains(host_app, at(seconds)).verified.clone();
        assert_eq!((told(&mall(), 59).skip, told(&mall(), 59).skip_until), (true, Some(at(60))));
        assert!(!told(&mall(), 60).skip);
        assert!(!told(&"other".parse().unwrap(), 0).skip);
        assert_ne!(settings.domains(&mall(), at(59)).digest, settings.domains(&mall(), at(60)).digest);
        let for_ever = AppSettings::of(&domains(), &[skip(None)]).unwrap();
        assert!(for_ever.domains(&mall(), Millis(i64::MAX)).verified.skip);
    }

    #[test]
    fn d3_d7_granted_apis_end_one_after_the_other() {
        let permits =
            [call("scanCode", Some(at(20))), call("getLocation", None), call("chooseImage", Some(at(10))), skip(None)];
        let settings = AppSettings::of(&domains(), &permits).unwrap();
        let told = |seconds| {
            let apis = settings.granted_apis(&mall(), at(seconds)).map(|apis| (**apis).clone());
            apis.unwrap_or_default().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(told(9), ["chooseImage", "getLocation", "scanCode"]);
        assert_eq!(told(10), ["getLocation", "scanCode"]);
        assert_eq!(told(20), ["getLocation"]);
        let short = AppSettings::of(&domains(), &[call("scanCode", Some(at(20)))]).unwrap();
        assert_eq!(short.granted_apis(&mall(), at(20)), None);
        assert_eq!(short.granted_apis(&"other".parse().unwrap(), at(0)), None);
    }
}
