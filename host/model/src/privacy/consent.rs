//! Consents of users to agreements (D12). What a user has said stays on record: a withdrawal follows the consent that it
//! takes back.

use berth_base::{clock::Millis, ids::MiniAppId, text::text_enum};
use serde::{Deserialize, Serialize};

use super::PrivacyRuntime;
use crate::user::OpenId;

/// A user agrees to an agreement.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgreeToPrivacy {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// The account that is logged in to the host app.
    pub account: String,
    /// The version whose text the user was shown.
    pub version: i64,
}

/// A user takes the consent to an agreement back.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawPrivacy {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// The account that is logged in to the host app.
    pub account: String,
}

/// Whose consents to list.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PrivacyConsentQuery {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// The account that is logged in to the host app.
    pub account: String,
}

text_enum! {
    /// What a user has said to an agreement.
    PrivacyConsentStep {
        /// Yes.
        Agreed = "agreed",
        /// Not any more.
        Withdrawn = "withdrawn",
    }
}

/// What a user has said, and when.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct PrivacyConsentRecord {
    /// What was said.
    pub step: PrivacyConsentStep,
    /// The version of the agreement.
    pub version: i64,
    /// When it was said.
    pub at: Millis,
}

/// Where a user stands with the agreement of a MiniApp.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PrivacyConsents {
    /// Whether the user is to be asked before the MiniApp gets personal information.
    pub needs_consent: bool,
    /// The version that the user agrees to; absent when to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_version: Option<i64>,
    /// The version that holds; absent when none is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Everything that the user has said, oldest first.
    pub records: Vec<PrivacyConsentRecord>,
}

/// Where the user stands who has said this, oldest first.
pub fn consents(holds: Option<&PrivacyRuntime>, records: Vec<PrivacyConsentRecord>) -> PrivacyConsents {
    let last = records.last().filter(|last| last.step == PrivacyConsentStep::Agreed);
    let agreed_version = last.map(|last| last.version);
    PrivacyConsents {
        needs_consent: holds.is_some_and(|holds| holds.asks(agreed_version)),
        agreed_version,
        version: holds.map(|holds| holds.version),
        records,
    }
}

/// The server of a MiniApp asks whether a user agrees.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckPrivacyConsent {
    /// The user.
    pub open_id: OpenId,
}

/// Whether a user agrees.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PrivacyChecked {
    /// Whether the user is to be asked before the MiniApp gets personal information.
    pub needs_consent: bool,
    /// The version that the user agrees to; absent when to none, and when there is no such user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_version: Option<i64>,
}

impl From<PrivacyConsents> for PrivacyChecked {
    fn from(all: PrivacyConsents) -> Self {
        Self { needs_consent: all.needs_consent, agreed_version: all.agreed_version }
    }
}
