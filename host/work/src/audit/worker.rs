//! The automatic part of audits: a worker claims an audit that waits, asks the policies, and records what they said. It
//! renews its lease on the audit while it lives. When it dies, the lease runs out after a few seconds and another
//! worker starts the audit over (F51).

use std::{sync::Arc, time::Duration};

use berth_judge::Subject;
use berth_model::audit::{Audit, Decision, Evaluation, Gate, OutcomeKind, gate};

use super::decide;
use berth_base::{
    error::{Error, Result},
    ids::AuditId,
};
use berth_model::event::{AuditChecked, kind};
use berth_package::{Archive, PackageName};
use berth_store::{Db, Lease, policy::PolicyBindingRow};

use crate::{audit::Audits, event, policy::registry::auditors};

/// How long a lease lasts: an audit whose worker has not renewed its lease for this time may be claimed by another one.
const LEASE_SECONDS: i64 = 8;

/// How often a worker renews its lease.
const RENEW: Duration = Duration::from_secs(2);

/// How long an audit waits after an error of the database or the blob store, multiplied by the attempts so far.
const PAUSE_SECONDS: i64 = 60;

/// How often a host looks for audits that no worker has a lease on.
const LOOK: Duration = Duration::from_secs(2);

/// An audit that is claimed more often than this is rejected (it fails closed), because it seems to kill its workers.
const MAX_ATTEMPTS: i64 = 3;

/// Judges the audits that wait, one after the other, for ever. Errors are logged and tried again.
pub async fn run(audits: Arc<Audits>) {
    loop {
        match next(&audits).await {
            Ok(true) => {}
            Ok(false) => {
                let _ = tokio::time::timeout(LOOK, audits.wake.notified()).await;
            }
            Err(error) => {
                tracing::error!(?error, "an audit could not be carried on");
                tokio::time::sleep(LOOK).await;
            }
        }
    }
}

/// Claims one audit and judges it. Returns `false` when none waits.
#[tracing::instrument(name = "audits.next", skip_all)]
async fn next(audits: &Audits) -> Result<bool> {
    let db = &audits.db;
    let mut tx = db.begin().await?;
    let claimed = tx.claim_audit(&Lease::of(db, LEASE_SECONDS)).await?;
    tx.commit().await?;
    let Some(id) = claimed else { return Ok(false) };
    let judged = tokio::select! {
        judged = judge(audits, &id) => judged,
        () = renew(db, &id) => Ok(()),
    };
    if judged.is_err() {
        postpone(db, &id).await?;
    }
    judged.map(|()| true)
}

/// Renews the lease for ever; ends only when another worker has it.
async fn renew(db: &Db, id: &AuditId) {
    loop {
        tokio::time::sleep(RENEW).await;
        match keep(db, id, LEASE_SECONDS).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(?error, audit = %id, "the lease of an audit could not be renewed"),
        }
    }
}

async fn keep(db: &Db, id: &AuditId, seconds: i64) -> Result<bool> {
    let mut tx = db.begin().await?;
    let ours = tx.keep_audit(id, &Lease::of(db, seconds)).await?;
    tx.commit().await?;
    Ok(ours)
}

/// Keeps an audit that met an error from being claimed for a while, so that a short outage does not use up its
/// attempts.
async fn postpone(db: &Db, id: &AuditId) -> Result<()> {
    let attempts = db.read().await?.audit(id).await?.map_or(1, |row| row.attempts);
    keep(db, id, PAUSE_SECONDS * attempts).await.map(drop)
}

#[tracing::instrument(name = "audit.judge", skip_all, fields(audit = %id))]
async fn judge(audits: &Audits, id: &AuditId) -> Result<()> {
    let mut tx = audits.db.read().await?;
    let audit = decide::required(&mut tx, id).await?;
    let attempts = tx.audit(id).await?.map_or(0, |row| row.attempts);
    let host_apps: Vec<_> = audit.items.iter().map(|item| item.host_app.clone()).collect();
    let bindings = auditors(&mut tx, &audit.mini_app, &host_apps).await?;
    drop(tx);
    if attempts > MAX_ATTEMPTS {
        let reason =
            format!("The audit broke off {MAX_ATTEMPTS} times. The host's log says why; submit the version again.");
        return record(&audits.db, &audit, &[], Gate::Rejected(reason)).await;
    }
    let subject = Arc::new(open(audits, &audit).await?);
    let mut evaluations = Vec::with_capacity(bindings.len());
    for binding in &bindings {
        evaluations.push(evaluate(audits, binding, subject.clone()).await);
    }
    let gate = gate(&evaluations);
    record(&audits.db, &audit, &evaluations, gate).await
}

async fn open(audits: &Audits, audit: &Audit) -> Result<Subject> {
    let file = audits.blobs.file(&audit.sha256).await?;
    let limits = audits.limits.clone();
    let name = PackageName { mini_app_id: audit.mini_app.clone(), version: audit.version.clone() };
    let open = move || Subject::of(Archive::open(file, &limits)?, &name);
    tokio::task::spawn_blocking(open).await.map_err(Error::internal)?
}

async fn evaluate(audits: &Audits, binding: &PolicyBindingRow, subject: Arc<Subject>) -> Evaluation {
    let blank = Evaluation {
        policy: binding.name.clone(),
        policy_version: binding.version.clone(),
        digest: binding.digest.clone(),
        config: binding.config.0.clone(),
        mode: binding.mode,
        on_error: binding.on_error,
        outcome: OutcomeKind::Failed,
        detail: String::new(),
        findings: Vec::new(),
        log: Vec::new(),
        micros: 0,
        evaluated_at: audits.db.now(),
    };
    let bound = async {
        let policy = audits.policies.load(&binding.digest).await?;
        policy.bind_auditor(&binding.config.0, binding.limits.0.apply(binding.kind)?)
    };
    match bound.await {
        Ok(bound) => blank.answered(bound.audit(subject).await),
        Err(error) => blank.unasked(&error),
    }
}

async fn record(db: &Db, audit: &Audit, evaluations: &[Evaluation], gate: Gate) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.hold_mini_app(&audit.mini_app).await?;
    let still_waits =
        tx.audit(&audit.id).await?.is_some_and(|row| row.state == berth_model::audit::AuditState::Checking);
    if !still_waits {
        return Ok(()); // withdrawn meanwhile, or judged by another host
    }
    tx.replace_evaluations(&audit.id, evaluations).await?;
    match gate {
        Gate::Open => {
            tx.open_for_decisions(&audit.id).await?;
            let data = AuditChecked { audit: audit.id.clone(), version: audit.version.clone() };
            tx.tell(kind::AUDIT_CHECKED, &audit.mini_app, event::BERTH, &data).for_mini_app(&audit.mini_app);
        }
        Gate::Rejected(reason) => {
            decide::close(&mut tx, audit, Decision::Rejected, &reason, event::BERTH).await?;
        }
    }
    tx.commit().await
}
