//! Audits: the judgement of a version, first by policies, then by one person for each bound host app (V4–V6).

mod decide;
mod evaluation;
mod findings;
mod pure;
mod sarif;
mod summary;
mod supply;

pub use crate::policy::OutcomeKind;
pub use decide::Decide;
pub use evaluation::{Evaluation, MOST_FINDINGS};
pub use findings::{Findings, NamedFinding, NoVerdict};
pub use pure::{Gate, capped, failed_open, gate, objects, tally};
pub use sarif::sarif;
pub use summary::{BindingSummary, BindingSummaryQuery, Judged, RejectionExample, RuleCount, rejected_besides};
pub use supply::{GrantedApis, SUPPLIED, ServerDomains, Supplies, supplied};

use berth_base::{
    clock::Millis,
    ids::{AuditId, Digest, HostAppId, MiniAppId},
    page::PageQuery,
    text::text_enum,
    version::VersionNumber,
};
use serde::{Deserialize, Serialize};

text_enum! {
    /// The state of an audit.
    AuditState {
        /// Policies are judging.
        Checking = "checking",
        /// The policies have not rejected the version, and host apps are deciding.
        Deciding = "deciding",
        /// All host apps have approved the version.
        Approved = "approved",
        /// A policy or a host app has rejected the version.
        Rejected = "rejected",
        /// The team has withdrawn the version.
        Withdrawn = "withdrawn",
    }
}

/// Which audits of a host app to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Only those in this state, newest first; when absent those that wait for the decision of the host app, oldest first.
    #[serde(default)]
    pub state: Option<AuditState>,
    /// The `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many items a page has at most, 1 to 200; 200 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

impl AuditQuery {
    /// Which page of the list is asked for.
    pub fn page(&self) -> PageQuery {
        PageQuery { cursor: self.cursor.clone(), limit: Some(self.limit.unwrap_or(200)) }
    }
}

text_enum! {
    /// The decision of a host app in an audit.
    Decision {
        /// The host app approves: the version may go online.
        Approved = "approved",
        /// The host app rejects the version.
        Rejected = "rejected",
    }
}

/// The audit of a version. A version that is submitted again gets another audit.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Audit {
    /// Id of the audit.
    pub id: AuditId,
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Number of the version.
    pub version: VersionNumber,
    /// State of the audit.
    pub state: AuditState,
    /// Why the version was rejected; absent otherwise.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// SHA-256 of the package under audit.
    pub sha256: Digest,
    /// The account that submitted the version.
    pub submitted_by: String,
    /// When the version was submitted.
    pub created_at: Millis,
    /// When the audit ended; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Millis>,
    /// One item for each host app to which the MiniApp was bound when the version was submitted.
    pub items: Vec<AuditItem>,
    /// The policies that were to decide, gave no verdict and fail open: the version went on without their judgement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_open: Vec<String>,
    /// What the policies said; empty until all of them have been asked.
    pub evaluations: Vec<Evaluation>,
}

/// The part of one host app in an audit.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct AuditItem {
    /// Id of the host app.
    #[cfg_attr(feature = "sql", sqlx(rename = "host_app_id"))]
    pub host_app: HostAppId,
    /// Its decision; absent until there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// The note that came with the decision.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The account that decided; absent until there is a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When the host app decided; absent until there is a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Millis>,
}
