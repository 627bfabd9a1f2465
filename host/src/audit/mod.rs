//! Audits: the judgement of a version, first by policies, then by one person for each bound host app (V4–V6).

mod decide;
mod desk;
mod evaluation;
mod pure;
mod sarif;
mod subject;
mod worker;

use serde::{Deserialize, Serialize};

pub use decide::{Decide, decide, submit, withdraw};
pub use desk::Audits;
pub use evaluation::{Evaluation, OutcomeKind};
pub use pure::{Gate, gate, tally};
pub use sarif::sarif;
pub use subject::Subject;
pub use worker::run as run_worker;

use crate::{
    access::{Action, Caller, Scope},
    clock::Millis,
    error::{Error, Result},
    host_app,
    ids::{AuditId, Digest, HostAppId, MiniAppId, VersionId},
    mini_app,
    store::{Db, Tx},
    text::text_enum,
    version::VersionNumber,
};

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
    /// What the policies said; empty until all of them have been asked.
    pub evaluations: Vec<Evaluation>,
}

/// The part of one host app in an audit.
#[derive(Clone, Debug, Deserialize, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct AuditItem {
    /// Id of the host app.
    #[sqlx(rename = "host_app_id")]
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

/// A row of `audit`, joined with the number of its version.
#[derive(Clone, Debug, sqlx::FromRow)]
#[allow(missing_docs, reason = "the columns are documented in Audit")]
pub struct AuditRow {
    pub id: AuditId,
    pub mini_app_id: MiniAppId,
    pub version_id: VersionId,
    pub number: VersionNumber,
    pub state: AuditState,
    pub sha256: Digest,
    pub reason: String,
    pub submitted_by: String,
    pub created_at: Millis,
    pub closed_at: Option<Millis>,
    pub attempts: i64,
}

/// Adds the items and evaluations of an audit to its row.
pub async fn whole(tx: &mut Tx, row: AuditRow) -> Result<Audit> {
    let items = tx.audit_items(&row.id).await?;
    let evaluations = tx.evaluations(&row.id).await?;
    Ok(Audit {
        id: row.id,
        mini_app: row.mini_app_id,
        version: row.number,
        state: row.state,
        reason: row.reason,
        sha256: row.sha256,
        submitted_by: row.submitted_by,
        created_at: row.created_at,
        closed_at: row.closed_at,
        items,
        evaluations,
    })
}

/// One audit, for members of the MiniApp's team and of the host apps that decide in it; for all others `not-found`.
pub async fn get(db: &Db, caller: &Caller, id: &AuditId) -> Result<Audit> {
    caller.require_scope(crate::access::TokenScope::Read)?;
    let mut tx = db.read().await?;
    let row = tx.audit(id).await?.ok_or_else(|| Error::not_found("audit", id))?;
    let audit = whole(&mut tx, row).await?;
    if readable(&mut tx, caller, &audit).await? {
        return Ok(audit);
    }
    Err(Error::not_found("audit", id))
}

/// Whether the caller has a role in the MiniApp's team or in a host app that decides in the audit.
async fn readable(tx: &mut Tx, caller: &Caller, audit: &Audit) -> Result<bool> {
    if audit.items.iter().any(|item| caller.knows(&Scope::HostApp(item.host_app.clone()))) {
        return Ok(true);
    }
    let team = tx.mini_app(&audit.mini_app).await?.map(|mini_app| mini_app.scope());
    Ok(team.is_some_and(|team| caller.knows(&team)))
}

/// All audits of a version, newest first (V6), for a caller who may read the MiniApp.
pub async fn of_version(db: &Db, caller: &Caller, mini_app: &MiniAppId, number: &VersionNumber) -> Result<Vec<Audit>> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, mini_app, Action::Read).await?;
    let version = tx.require_version(mini_app, number).await?;
    let rows = tx.audits_of(&version.id).await?;
    let mut audits = Vec::with_capacity(rows.len());
    for row in rows {
        audits.push(whole(&mut tx, row).await?);
    }
    Ok(audits)
}

/// The newest audit of a version; `None` when it was never submitted.
pub async fn latest(tx: &mut Tx, version: &VersionId) -> Result<Option<Audit>> {
    match tx.audits_of(version).await?.into_iter().next() {
        Some(row) => Ok(Some(whole(tx, row).await?)),
        None => Ok(None),
    }
}

/// The audits that wait for the decision of a host app, oldest first, at most 200, for a caller who may read it.
pub async fn waiting_for(db: &Db, caller: &Caller, host_app: &HostAppId) -> Result<Vec<Audit>> {
    let mut tx = db.read().await?;
    host_app::authorise(&mut tx, caller, host_app, Action::Read).await?;
    let rows = tx.audits_waiting_for(host_app).await?;
    let mut audits = Vec::with_capacity(rows.len());
    for row in rows {
        audits.push(whole(&mut tx, row).await?);
    }
    Ok(audits)
}
