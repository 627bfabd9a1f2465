//! What an agreement says.

use std::collections::BTreeSet;

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    text,
};
use serde::{Deserialize, Serialize};

use super::{PersonalKind, Words};
use crate::{log::Day, settings::ApiName};

/// How many items of one list an agreement has at most.
const MOST: usize = 100;
/// How many days anything can be kept.
const MOST_DAYS: u32 = 36_500;
const SHORT: usize = 128;
const PURPOSE: usize = 500;
const SUPPLEMENT: usize = 10_000;

/// What the developer of a MiniApp tells its users about their personal information. A draft may lack anything; what is
/// published is complete.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PrivacyAgreement {
    /// Who the developer is, at most 128 characters in each language.
    pub developer: Words,
    /// Where users reach the developer.
    pub contact: PrivacyContact,
    /// From which day on it holds, such as `2030-01-31`; the day of publication when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_on: Option<String>,
    /// For how many days information is kept; for as long as its purpose takes when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// What is collected and why, in the order in which users read it; at most 100.
    pub collected: Vec<Collected>,
    /// The SDKs of third parties that are in the MiniApp; at most 100.
    pub sdks: Vec<PrivacySdk>,
    /// What else is to be said, at most 10,000 characters; an empty line begins a paragraph.
    #[serde(skip_serializing_if = "Words::is_empty")]
    pub supplement: Words,
}

/// Where users reach the developer; at least one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PrivacyContact {
    /// An e-mail address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// A phone number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub phone: String,
    /// A postal address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// An address on the web, `https://`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub web: String,
}

/// Something that is collected, and why.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Collected {
    /// The kind.
    pub kind: PersonalKind,
    /// What it is, for the kind `other` alone; at most 128 characters.
    #[serde(default, skip_serializing_if = "Words::is_empty")]
    pub name: Words,
    /// The APIs for which this holds, such as `getLocation`; all that use the kind when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apis: Vec<ApiName>,
    /// What for, in the developer's words; at most 500 characters.
    #[serde(default)]
    pub purpose: Words,
}

/// An SDK of a third party.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PrivacySdk {
    /// Its name, which no other one has.
    pub name: String,
    /// Who provides it.
    #[serde(default)]
    pub provider: String,
    /// What for, in the developer's words; at most 500 characters.
    #[serde(default)]
    pub purpose: Words,
    /// What it collects.
    #[serde(default)]
    pub collects: Vec<PersonalKind>,
    /// Where its own privacy policy is, `https://`; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub policy_url: String,
}

/// What an agreement lacks, or what in it breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PrivacyFault {
    /// The place in the agreement, as a JSON pointer.
    pub pointer: String,
    /// What has to be there.
    pub rule: String,
}

fn fault(field: &str, rule: &str) -> PrivacyFault {
    PrivacyFault { pointer: format!("/{}", field.replace('.', "/")), rule: rule.to_owned() }
}

impl PrivacyAgreement {
    /// The agreement in the form in which it is kept. It may lack anything.
    ///
    /// # Errors
    /// `invalid-field` for the first member that breaks a rule.
    pub fn checked(self) -> Result<Self> {
        let Self { developer, contact, effective_on, retention_days, collected, sdks, supplement } = self;
        if let Some(day) = &effective_on {
            day.parse::<Day>().map_err(|_| Error::field("effective_on", "must be a day such as 2030-01-31."))?;
        }
        if retention_days.is_some_and(|days| !(1..=MOST_DAYS).contains(&days)) {
            return Err(Error::field("retention_days", format!("must be 1 to {MOST_DAYS}.")));
        }
        Ok(Self {
            developer: developer.checked("developer", SHORT)?,
            contact: contact.checked()?,
            effective_on,
            retention_days,
            collected: checked_collected(collected)?,
            sdks: checked_sdks(sdks)?,
            supplement: supplement.checked("supplement", SUPPLEMENT)?,
        })
    }

    /// What it still lacks to be published at `now`; nothing when it is complete.
    pub fn missing(&self, now: Millis) -> Vec<PrivacyFault> {
        let mut missing = Vec::new();
        if self.developer.is_empty() {
            missing.push(fault("developer", "say who the developer is."));
        }
        if self.contact == PrivacyContact::default() {
            missing.push(fault("contact", "say where users reach the developer: email, phone, address or web."));
        }
        for (index, one) in self.collected.iter().enumerate() {
            if one.purpose.is_empty() {
                missing.push(fault(&format!("collected.{index}.purpose"), "say what for."));
            }
            if one.kind == PersonalKind::Other && one.name.is_empty() {
                missing.push(fault(&format!("collected.{index}.name"), "say what it is, as the kind is other."));
            }
        }
        for (index, sdk) in self.sdks.iter().enumerate() {
            if sdk.provider.is_empty() {
                missing.push(fault(&format!("sdks.{index}.provider"), "say who provides it."));
            }
            if sdk.purpose.is_empty() {
                missing.push(fault(&format!("sdks.{index}.purpose"), "say what for."));
            }
        }
        if self.effective_day(now) < Day(Day::of(now).0 - 1) {
            missing.push(fault("effective_on", "the day has passed; leave it out for the day of publication."));
        }
        missing
    }

    /// From which day on it holds when it is published at `now`.
    pub fn effective_day(&self, now: Millis) -> Day {
        self.effective_on.as_ref().and_then(|day| day.parse().ok()).unwrap_or(Day::of(now))
    }
}

impl PrivacyContact {
    fn checked(self) -> Result<Self> {
        let Self { email, phone, address, web } = self;
        let email = line("contact.email", &email, SHORT)?;
        if !email.is_empty() && !email.split_once('@').is_some_and(|(who, at)| !who.is_empty() && at.contains('.')) {
            return Err(Error::field("contact.email", "must be an e-mail address, such as privacy@example.com."));
        }
        Ok(Self {
            email,
            phone: line("contact.phone", &phone, 32)?,
            address: line("contact.address", &address, 256)?,
            web: web_address("contact.web", &web)?,
        })
    }

    /// All of it in one line.
    pub fn in_words(&self) -> String {
        let all = [&self.email, &self.phone, &self.address, &self.web];
        all.into_iter().filter(|one| !one.is_empty()).map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// A text of one line, which may be empty.
fn line(field: &str, text: &str, max: usize) -> Result<String> {
    if text.trim().is_empty() { Ok(String::new()) } else { text::name(field, text, max) }
}

fn web_address(field: &str, text: &str) -> Result<String> {
    let text = line(field, text, 512)?;
    let is_web = |text: &str| url::Url::parse(text).is_ok_and(|url| url.scheme() == "https" && url.has_host());
    if text.is_empty() || is_web(&text) {
        return Ok(text);
    }
    Err(Error::field(field, "must be an address that begins with https://."))
}

fn few(field: &str, length: usize) -> Result<()> {
    if length <= MOST { Ok(()) } else { Err(Error::field(field, format!("at most {MOST}, not {length}."))) }
}

fn checked_collected(collected: Vec<Collected>) -> Result<Vec<Collected>> {
    few("collected", collected.len())?;
    let mut checked: Vec<Collected> = Vec::with_capacity(collected.len());
    for (index, mut one) in collected.into_iter().enumerate() {
        let at = |member: &str| format!("collected.{index}.{member}");
        one.name = one.name.checked(&at("name"), SHORT)?;
        one.purpose = one.purpose.checked(&at("purpose"), PURPOSE)?;
        if one.kind != PersonalKind::Other && !one.name.is_empty() {
            return Err(Error::field(&at("name"), "only the kind other has a name; the others have theirs."));
        }
        few(&at("apis"), one.apis.len())?;
        one.apis = one.apis.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let clash = |known: &Collected| known.is_of_the_same(&one) && known.shares_apis_with(&one);
        if let Some(known) = checked.iter().position(clash) {
            let rule = format!("what it says of is at /collected/{known} already; name other APIs, or one item.");
            return Err(Error::field(&at("kind"), rule));
        }
        checked.push(one);
    }
    Ok(checked)
}

fn checked_sdks(sdks: Vec<PrivacySdk>) -> Result<Vec<PrivacySdk>> {
    few("sdks", sdks.len())?;
    let mut checked: Vec<PrivacySdk> = Vec::with_capacity(sdks.len());
    for (index, sdk) in sdks.into_iter().enumerate() {
        let at = |member: &str| format!("sdks.{index}.{member}");
        let name = text::name(&at("name"), &sdk.name, SHORT)?;
        if checked.iter().any(|known| known.name == name) {
            return Err(Error::field(&at("name"), "is there already."));
        }
        checked.push(PrivacySdk {
            name,
            provider: line(&at("provider"), &sdk.provider, SHORT)?,
            purpose: sdk.purpose.checked(&at("purpose"), PURPOSE)?,
            collects: sdk.collects.into_iter().collect::<BTreeSet<_>>().into_iter().collect(),
            policy_url: web_address(&at("policy_url"), &sdk.policy_url)?,
        });
    }
    Ok(checked)
}

impl Collected {
    /// Whether both say something of the same information.
    pub fn is_of_the_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.name == other.name
    }

    fn shares_apis_with(&self, other: &Self) -> bool {
        self.apis.is_empty() && other.apis.is_empty() || self.apis.iter().any(|api| other.apis.contains(api))
    }

    /// Whether it holds for every API for which `other` does.
    pub fn covers(&self, other: &Self) -> bool {
        let has_each = || other.apis.iter().all(|api| self.apis.contains(api));
        self.apis.is_empty() || !other.apis.is_empty() && has_each()
    }

    /// What it is, in words.
    pub fn what(&self) -> Words {
        if self.kind == PersonalKind::Other && !self.name.is_empty() {
            return self.name.clone();
        }
        let name = self.kind.name();
        Words { en: name.en, zh: name.zh }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::DAWN;

    fn read(json: Value) -> Result<PrivacyAgreement> {
        serde_json::from_value::<PrivacyAgreement>(json).unwrap().checked()
    }

    #[test]
    fn d5_what_breaks_a_rule_is_told_with_its_place() {
        for (json, pointer) in [
            (json!({"effective_on": "31.1.2030"}), "/effective_on"),
            (json!({"effective_on": "2030-02-30"}), "/effective_on"),
            (json!({"retention_days": 0}), "/retention_days"),
            (json!({"developer": {"en": "a".repeat(129)}}), "/developer/en"),
            (json!({"contact": {"email": "nobody"}}), "/contact/email"),
            (json!({"contact": {"web": "javascript:alert(1)"}}), "/contact/web"),
            (json!({"contact": {"phone": "1\u{202e}2"}}), "/contact/phone"),
            (json!({"collected": [{"kind": "email", "purpose": {"zh": "a".repeat(501)}}]}), "/collected/0/purpose/zh"),
            (json!({"collected": [{"kind": "email", "name": {"en": "mail"}}]}), "/collected/0/name"),
            (json!({"collected": [{"kind": "location"}, {"kind": "location"}]}), "/collected/1/kind"),
            (
                json!({"collected": [{"kind": "location", "apis": ["getLocation"]}, {"kind": "location", "apis": ["choosePoi", "getLocation"]}]}),
                "/collected/1/kind",
            ),
            (json!({"sdks": [{"name": "Maps"}, {"name": " Maps "}]}), "/sdks/1/name"),
            (json!({"sdks": [{"name": "Maps", "policy_url": "http://a.example.com"}]}), "/sdks/0/policy_url"),
            (json!({"collected": vec![json!({"kind": "other"}); 101]}), "/collected"),
        ] {
            assert_eq!(read(json).unwrap_err().fields["pointer"], pointer);
        }
        let two = json!({"collected": [{"kind": "location", "apis": ["getLocation"]}, {"kind": "location"}]});
        assert_eq!(read(two).unwrap().collected.len(), 2, "one purpose for one API, another one for all others");
    }

    #[test]
    fn d5_a_draft_may_lack_what_an_agreement_needs_and_all_of_it_is_told() {
        let draft =
            read(json!({"collected": [{"kind": "other"}], "sdks": [{"name": "Maps"}], "effective_on": "2020-01-01"}));
        let missing: Vec<_> = draft.unwrap().missing(DAWN).into_iter().map(|one| one.pointer).collect();
        let all = [
            "/developer",
            "/contact",
            "/collected/0/purpose",
            "/collected/0/name",
            "/sdks/0/provider",
            "/sdks/0/purpose",
            "/effective_on",
        ];
        assert_eq!(missing, all);
        let whole = json!({"developer": {"zh": "咖啡公司"}, "contact": {"email": "privacy@example.com"}});
        assert_eq!(read(whole).unwrap().missing(DAWN), [], "a MiniApp may collect nothing");
    }
}
