//! What devices and auditors are told of the agreement of a MiniApp.

use berth_base::{
    clock::Millis,
    ids::{Digest, MiniAppId},
};
use serde::{Deserialize, Serialize};

use super::{Collected, PersonalKind};
use crate::settings::ApiName;

/// The agreement of a MiniApp that holds, as checks tell it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PrivacyRuntime {
    /// SHA-256 of the text in both languages; it changes whenever the version does.
    pub digest: Digest,
    /// From which day on the version holds, such as `2030-01-31`.
    pub effective_on: String,
    /// The version from which on a consent counts: a user who has consented to an earlier one is asked again.
    pub needs_consent_since: i64,
    /// When the version was published.
    pub published_at: Millis,
    /// Where its text is, relative to the host; `language` and `format` choose. It never changes.
    pub url: String,
    /// The version.
    pub version: i64,
}

impl PrivacyRuntime {
    /// Where the text of a version is.
    pub fn url_of(mini_app: &MiniAppId, version: i64) -> String {
        format!("/v1/mini-apps/{mini_app}/privacy/text?version={version}")
    }

    /// Whether a user who has consented to this version, or to none, is to be asked.
    pub fn asks(&self, agreed: Option<i64>) -> bool {
        agreed.is_none_or(|version| version < self.needs_consent_since)
    }

    /// What it means, in a sentence.
    pub fn in_words(&self) -> String {
        let Self { version, needs_consent_since: since, .. } = self;
        format!(
            "Version {version} of the privacy agreement holds; users who have consented to {since} or later are not asked."
        )
    }
}

/// What an auditor compares code with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct DeclaredPrivacy {
    /// The version of the agreement; `None` when none is published.
    pub version: Option<i64>,
    /// What it says is collected.
    pub collected: Vec<DeclaredInfo>,
}

/// One item of an agreement.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct DeclaredInfo {
    /// The kind.
    pub kind: PersonalKind,
    /// The APIs; all of the kind when empty.
    pub apis: Vec<ApiName>,
}

impl DeclaredPrivacy {
    /// What version `version` declares.
    pub fn of(version: i64, collected: &[Collected]) -> Self {
        let one = |one: &Collected| DeclaredInfo { kind: one.kind, apis: one.apis.clone() };
        Self { version: Some(version), collected: collected.iter().map(one).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{DAWN, shop};

    #[test]
    fn d11_who_has_consented_since_the_last_new_thing_is_not_asked() {
        let told = PrivacyRuntime {
            digest: Digest::of(b""),
            effective_on: "2030-01-31".into(),
            needs_consent_since: 3,
            published_at: DAWN,
            url: PrivacyRuntime::url_of(&shop(), 4),
            version: 4,
        };
        let asked = [None, Some(1), Some(2), Some(3), Some(4)].map(|agreed| told.asks(agreed));
        assert_eq!(asked, [true, true, true, false, false]);
    }
}
