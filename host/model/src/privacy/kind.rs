//! The kinds of personal information, with the APIs and components that use each. The auditor `privacy` reads the same file.

use std::sync::LazyLock;

use berth_base::{
    error::{Error, Result},
    text::text_enum,
};
use serde::{Deserialize, Serialize};

use crate::settings::{ApiName, LocalName};

text_enum! {
    /// A kind of personal information.
    PersonalKind {
        /// Nickname and picture.
        UserInfo = "user_info",
        /// The phone number.
        PhoneNumber = "phone_number",
        /// Where the user is, or a place that the user chooses.
        Location = "location",
        /// A postal address.
        Address = "address",
        /// Photos and videos that the user takes or chooses.
        Photos = "photos",
        /// The photo album, to which something is added.
        Album = "album",
        /// The camera.
        Camera = "camera",
        /// The microphone.
        Microphone = "microphone",
        /// Files that the user chooses.
        Files = "files",
        /// The clipboard.
        Clipboard = "clipboard",
        /// Contacts of the phone.
        Contacts = "contacts",
        /// The calendar, to which something is added.
        Calendar = "calendar",
        /// Bluetooth, and devices that are near.
        Bluetooth = "bluetooth",
        /// Wi-Fi networks that are near.
        Wifi = "wifi",
        /// Accelerometer, compass, gyroscope and the like.
        Motion = "motion",
        /// Steps and sport.
        Sport = "sport",
        /// Invoices and invoice titles.
        Invoice = "invoice",
        /// A licence plate.
        LicencePlate = "licence_plate",
        /// The face, and other biometrics.
        Biometrics = "biometrics",
        /// Model, system and network of the device.
        DeviceInfo = "device_info",
        /// The number of an identity document.
        IdentityNumber = "identity_number",
        /// An e-mail address.
        Email = "email",
        /// Orders and payments.
        Order = "order",
        /// What users publish.
        Content = "content",
        /// A record of what users do.
        OperationLog = "operation_log",
        /// Anything else, which the agreement names.
        Other = "other",
    }
}

/// A kind of personal information, with what uses it in any dialect.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct KindOfInfo {
    /// The kind.
    pub kind: PersonalKind,
    /// What people call it.
    pub name: LocalName,
    /// The APIs, and values of `open-type` of buttons, by which a MiniApp gets such information, ascending.
    pub reads: Vec<ApiName>,
    /// The APIs by which a MiniApp only adds to it, ascending.
    pub writes: Vec<ApiName>,
    /// APIs that have to do with it and need no declaration, ascending.
    pub free: Vec<ApiName>,
    /// The components that use it.
    pub components: Vec<ComponentUse>,
    /// The scopes of `authorize` that ask for it, ascending.
    pub scopes: Vec<String>,
}

/// A component that uses personal information.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ComponentUse {
    /// The tag, such as `camera`.
    pub tag: String,
    /// The attribute that makes the difference; empty when the component always uses it.
    pub attribute: String,
    /// The value of the attribute.
    pub value: String,
}

/// A kind as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    kind: PersonalKind,
    en: String,
    zh: String,
    reads: Vec<ApiName>,
    writes: Vec<ApiName>,
    free: Vec<ApiName>,
    tags: Vec<(String, String, String)>,
    scopes: Vec<String>,
}

impl From<Written> for KindOfInfo {
    fn from(written: Written) -> Self {
        let Written { kind, en, zh, reads, writes, free, tags, scopes } = written;
        let component = |(tag, attribute, value)| ComponentUse { tag, attribute, value };
        let components = tags.into_iter().map(component).collect();
        Self { kind, name: LocalName { en, zh }, reads, writes, free, components, scopes }
    }
}

static KINDS: LazyLock<serde_json::Result<Vec<KindOfInfo>>> = LazyLock::new(|| {
    let written: Vec<Written> = serde_json::from_str(include_str!("kinds.json"))?;
    Ok(written.into_iter().map(KindOfInfo::from).collect())
});

/// All kinds, in the order in which an agreement shows them.
///
/// # Errors
/// `internal` when the file in the binary cannot be read, which a test rules out.
pub fn kinds() -> Result<&'static [KindOfInfo]> {
    KINDS.as_deref().map_err(|error| Error::internal(unreadable(error)))
}

fn unreadable(error: &serde_json::Error) -> std::io::Error {
    std::io::Error::other(format!("kinds.json: {error}"))
}

impl PersonalKind {
    /// What people call it.
    pub fn name(self) -> LocalName {
        let known = kinds().ok().and_then(|kinds| kinds.iter().find(|one| one.kind == self));
        let word = || LocalName { en: self.to_string(), zh: self.to_string() };
        known.map_or_else(word, |one| one.name.clone())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn d9_every_kind_is_in_the_file_with_names_in_both_languages_and_no_api_is_of_two() {
        let kinds = kinds().unwrap();
        assert!(kinds.iter().map(|one| one.kind).eq(PersonalKind::ALL.iter().copied()));
        let mut seen = BTreeSet::new();
        for KindOfInfo { kind, name, reads, writes, free, scopes, .. } in kinds {
            assert!(name.en.is_ascii() && !name.zh.is_ascii(), "{kind}");
            for list in [reads, writes, free] {
                assert!(list.is_sorted(), "{kind}");
                assert!(list.iter().all(|api| seen.insert(api)), "{kind}");
            }
            assert!(scopes.is_sorted(), "{kind}");
        }
    }

    #[test]
    fn d9_what_wechat_and_tcmpp_count_as_personal_is_of_some_kind() {
        let known: BTreeSet<_> =
            kinds().unwrap().iter().flat_map(|one| [&one.reads, &one.writes, &one.free]).flatten().collect();
        let impersonal = ["makePhoneCall"]; // opens the dialler, and tells the MiniApp nothing
        for preset in crate::settings::Preset::all() {
            for one in preset.apis.iter().filter(|one| !impersonal.contains(&one.api.as_str())) {
                assert!(known.contains(&one.api), "{}", one.api);
            }
        }
    }
}
