//! Audits: the judgement of one version, first by policies, then by one person per bound host app (V4–V6).

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
    /// Where an audit is.
    AuditState {
        /// Policies are judging.
        Checking = "checking",
        /// People are deciding.
        Deciding = "deciding",
        /// All host apps approved.
        Approved = "approved",
        /// A policy or a host app rejected.
        Rejected = "rejected",
        /// The team took the version back.
        Withdrawn = "withdrawn",
    }
}

text_enum! {
    /// What a host app decided.
    Decision {
        /// The version may go online.
        Approved = "approved",
        /// It may not.
        Rejected = "rejected",
    }
}

/// The audit of one version.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Audit {
    /// Unique for ever.
    pub id: AuditId,
    /// Whose version it is.
    pub mini_app: MiniAppId,
    /// The version.
    pub version: VersionNumber,
    /// Where it is.
    pub state: AuditState,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// SHA-256 of the judged package.
    pub sha256: Digest,
    /// The account that submitted it.
    pub submitted_by: String,
    /// When it was submitted.
    pub created_at: Millis,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Millis>,
    /// One for each host app that the MiniApp was bound to when it was submitted.
    pub items: Vec<AuditItem>,
    /// What the policies said.
    pub evaluations: Vec<Evaluation>,
}

/// One host app's part of an audit.
#[derive(Clone, Debug, Deserialize, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct AuditItem {
    /// The host app.
    #[sqlx(rename = "host_app_id")]
    pub host_app: HostAppId,
    /// Its decision; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The account that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Millis>,
}

/// A row of `audit`, with the version's number.
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

/// A row with what belongs to it.
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

/// An audit, for its team and for the host apps that decide in it.
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

/// Whether the caller belongs to the team or to a host app that decides.
async fn readable(tx: &mut Tx, caller: &Caller, audit: &Audit) -> Result<bool> {
    if audit.items.iter().any(|item| caller.knows(&Scope::HostApp(item.host_app.clone()))) {
        return Ok(true);
    }
    let team = tx.mini_app(&audit.mini_app).await?.map(|mini_app| mini_app.scope());
    Ok(team.is_some_and(|team| caller.knows(&team)))
}

/// The audits of one version, newest first (V6).
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

/// The newest audit of one version.
pub async fn latest(tx: &mut Tx, version: &VersionId) -> Result<Option<Audit>> {
    match tx.audits_of(version).await?.into_iter().next() {
        Some(row) => Ok(Some(whole(tx, row).await?)),
        None => Ok(None),
    }
}

/// The audits that wait for a host app's decision, oldest first.
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
