//! Drafts, and the versions that are made of them.

use berth_base::{
    clock::Millis,
    ids::{Digest, MiniAppId},
};
use serde::{Deserialize, Serialize};

use super::{Language, PrivacyAgreement, PrivacyChange, PrivacyFault, PrivacyRuntime, TextFormat};

/// The draft of an agreement.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PrivacyDraft {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// What it says.
    pub agreement: PrivacyAgreement,
    /// What it still lacks to be published.
    pub missing: Vec<PrivacyFault>,
    /// When it was changed; absent when it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Millis>,
    /// Id of the account that changed it; absent when it never was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
}

/// The draft of an agreement was changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PrivacyDraftChanged {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// How it differs from the draft before.
    pub changes: Vec<PrivacyChange>,
}

/// Publishes the draft.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrivacyVersion {
    /// What is to be said with it; at most 500 characters. Users do not read it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Whether users have to consent anew even if nothing in the agreement asks for it. What asks for it is not overruled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renew: bool,
}

/// A version of an agreement, without what it says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct PrivacyHead {
    /// Its number, from 1 on without gaps.
    pub version: i64,
    /// From which day on it holds, such as `2030-01-31`.
    pub effective_on: String,
    /// SHA-256 of the canonical JSON (RFC 8785) of its Markdown texts, `{"en": …, "zh": …}`.
    pub digest: Digest,
    /// Whether users have to consent anew.
    pub renews: bool,
    /// The last version for which users had to consent anew.
    pub needs_consent_since: i64,
    /// What was said with it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// When it was published.
    pub published_at: Millis,
    /// Id of the account that published it.
    pub published_by: String,
}

impl PrivacyHead {
    /// What checks tell of it.
    pub fn runtime(self, mini_app: &MiniAppId) -> PrivacyRuntime {
        PrivacyRuntime {
            digest: self.digest,
            effective_on: self.effective_on,
            needs_consent_since: self.needs_consent_since,
            published_at: self.published_at,
            url: PrivacyRuntime::url_of(mini_app, self.version),
            version: self.version,
        }
    }
}

/// A version of an agreement.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PrivacyVersion {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// When it was published, and by whom.
    #[serde(flatten)]
    pub head: PrivacyHead,
    /// What it says.
    pub agreement: PrivacyAgreement,
    /// How it differs from the version before.
    pub changes: Vec<PrivacyChange>,
}

/// A version of an agreement was published.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PrivacyPublished {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// The version.
    #[serde(flatten)]
    pub head: PrivacyHead,
    /// How it differs from the version before, and which changes ask users to consent anew.
    pub changes: Vec<PrivacyChange>,
}

/// Between which versions to look.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PrivacyChangesQuery {
    /// The earlier version; the one that holds when absent, and nothing when there is none.
    #[serde(default)]
    pub from: Option<i64>,
    /// The later version; the draft when absent.
    #[serde(default)]
    pub to: Option<i64>,
}

/// How an agreement differs from another one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PrivacyChanges {
    /// The earlier version; absent for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    /// The later version; absent for the draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
    /// Whether users have to consent anew for these changes.
    pub renews: bool,
    /// The changes, in the order of the text.
    pub changes: Vec<PrivacyChange>,
}

/// Which text.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PrivacyTextQuery {
    /// The version; the one that holds when absent.
    #[serde(default)]
    pub version: Option<i64>,
    /// The language; English when absent.
    #[serde(default)]
    pub language: Option<Language>,
    /// The format; HTML when absent.
    #[serde(default)]
    pub format: Option<TextFormat>,
}

/// Which text of a draft.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PrivacyDraftTextQuery {
    /// The language; English when absent.
    #[serde(default)]
    pub language: Option<Language>,
    /// The format; HTML when absent.
    #[serde(default)]
    pub format: Option<TextFormat>,
}
