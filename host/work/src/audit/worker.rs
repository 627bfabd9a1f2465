//! The automatic part of audits: a worker claims an audit that waits, asks the policies, and records what they said. It
//! renews its lease on the audit while it lives. When it dies, the lease runs out after a few seconds and another
//! worker starts the audit over (F51).
//!
//! A host has several workers. Teams take turns, and each has one worker of a host at the most, so that policies that
//! take long hold up the versions of their own team only (F77).

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use berth_judge::{AUDITS_AT_ONCE, Subject};
use berth_model::{
    audit::{Audit, AuditState, Decision, Evaluation, Gate, OutcomeKind, Supplies, failed_open, gate},
    policy::{self, Finding},
};
use futures_util::future::{join, join_all};
use tracing::Instrument;

use super::{
    ask::{Terms, ask, open},
    decide,
    supply::supplies,
};
use berth_base::{error::Result, ids::AuditId};
use berth_model::event::{AuditChecked, AuditWaits, kind};
use berth_package::PackageName;
use berth_store::{Db, Lease, Tx, policy::PolicyBindingRow};

use crate::{
    audit::Audits,
    beat, event,
    policy::{asked, registry::auditors},
};

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

/// How long the policies of one audit may take together. Those that the platform has bound are asked first and those of
/// the MiniApp last, so that it is the latter that find it used up.
const BUDGET: Duration = Duration::from_secs(600);

/// Judges the audits that wait, several at once, for ever. Errors are logged and tried again.
pub async fn run(audits: Arc<Audits>) {
    let trouble = "it could not be seen whether audits wait; trying again";
    let workers = (0..AUDITS_AT_ONCE).map(|_| work(&audits));
    join(beat::look(LOOK, &audits.wake, trouble, || is_waiting(&audits.db)), join_all(workers)).await;
}

/// Whether an audit waits: also one that another host was asked for, or whose worker has died. Most of the time none does, and to see that
/// takes no lock.
async fn is_waiting(db: &Db) -> Result<bool> {
    db.read().await?.has_waiting_audit(db.now()).await
}

/// One worker, which judges one audit after the other.
async fn work(audits: &Audits) {
    loop {
        match next(audits).await {
            Ok(true) => {}
            Ok(false) => audits.wake.notified().await,
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
    if !is_waiting(db).await? {
        return Ok(false);
    }
    let mut tx = db.begin().await?;
    let claimed = tx.claim_audit(&Lease::of(db, LEASE_SECONDS)).await?;
    tx.commit().await?;
    let Some(id) = claimed else { return Ok(false) };
    audits.wake.notify_one(); // there may be more than this one
    let judged = tokio::select! {
        judged = judge(audits, &id) => judged,
        () = renew(db, &id) => Ok(()),
    };
    match &judged {
        Ok(()) => give_back(db, &id).await?,
        Err(_) => postpone(db, &id).await?,
    }
    judged.map(|()| true)
}

/// Renews the lease for ever; ends only when another worker has it.
async fn renew(db: &Db, id: &AuditId) {
    loop {
        tokio::time::sleep(RENEW).await;
        match keep(db, id).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(?error, audit = %id, "the lease of an audit could not be renewed"),
        }
    }
}

async fn keep(db: &Db, id: &AuditId) -> Result<bool> {
    let mut tx = db.begin().await?;
    let ours = tx.keep_audit(id, &Lease::of(db, LEASE_SECONDS)).await?;
    tx.commit().await?;
    Ok(ours)
}

async fn give_back(db: &Db, id: &AuditId) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.release_audit(id, db.host()).await?;
    tx.commit().await
}

/// Keeps an audit that met an error from being claimed for a while, so that a short outage does not use up its
/// attempts.
async fn postpone(db: &Db, id: &AuditId) -> Result<()> {
    let mut tx = db.begin().await?;
    let attempts = tx.audit(id).await?.map_or(1, |row| row.attempts);
    tx.postpone_audit(id, &Lease::of(db, PAUSE_SECONDS * attempts)).await?;
    tx.commit().await
}

#[tracing::instrument(name = "audit.judge", skip_all, fields(audit = %id))]
async fn judge(audits: &Audits, id: &AuditId) -> Result<()> {
    let mut tx = audits.db.read().await?;
    let mut audit = decide::required(&mut tx, id).await?;
    let attempts = tx.audit(id).await?.map_or(0, |row| row.attempts);
    let host_apps: Vec<_> = audit.items.iter().map(|item| item.host_app.clone()).collect();
    let bindings = auditors(&mut tx, &audit.mini_app, &host_apps).await?;
    let supplies = supplies(&mut tx, &audit.mini_app, &host_apps).await?;
    drop(tx);
    if attempts > MAX_ATTEMPTS {
        let reason =
            format!("The audit broke off {MAX_ATTEMPTS} times. The host's log says why; submit the version again.");
        return record(&audits.db, &mut audit, &[], Gate::Rejected(reason)).await;
    }
    let name = PackageName { mini_app_id: audit.mini_app.clone(), version: audit.version.clone() };
    let subject = Arc::new(open(audits, name, &audit.sha256).await?);
    let (start, mut evaluations) = (Instant::now(), Vec::with_capacity(bindings.len()));
    for binding in &bindings {
        if !still_waits(&mut audits.db.read().await?, id).await? {
            return Ok(()); // withdrawn meanwhile, or judged by another host
        }
        let left = BUDGET.saturating_sub(start.elapsed());
        evaluations.push(evaluate(audits, binding, &supplies, subject.clone(), left).await);
    }
    let gate = gate(&evaluations);
    let open = if gate == Gate::Open { failed_open(&evaluations) } else { Vec::new() };
    record(&audits.db, &mut audit, &evaluations, gate).await?;
    if !open.is_empty() {
        audits.failed_open.fetch_add(open.len() as u64, Ordering::Relaxed);
        tracing::warn!(audit = %id, policies = ?open, "policies gave no verdict, and the version went on without them");
    }
    Ok(())
}

/// Asks one policy, which has `left` of the audit's budget, and its own deadline at the most. The evaluation tells with
/// which config it judged, what the host supplied included (D8).
async fn evaluate(
    audits: &Audits,
    binding: &PolicyBindingRow,
    supplies: &Supplies,
    subject: Arc<Subject>,
    left: Duration,
) -> Evaluation {
    let blank = Evaluation {
        binding: Some(binding.id.clone()),
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
    if left.is_zero() {
        return blank.over_budget(BUDGET);
    }
    let tally = audits.policies.board.of(&binding.id, &binding.digest);
    let terms = Terms { digest: &binding.digest, config: &binding.config.0, limits: &binding.limits.0 };
    let span = asked::span(&binding.name, &binding.version, &binding.id);
    match ask(&audits.policies, terms, supplies, subject, left).instrument(span.clone()).await {
        Ok((config, asked)) => {
            asked::tell(&span, &asked);
            tally.note(&asked, audits.db.now());
            Evaluation { config, ..blank }.answered(asked)
        }
        Err(error) => {
            let failed = policy::Evaluation::<Vec<Finding>>::failed(error.detail.clone());
            asked::tell(&span, &failed);
            tally.note(&failed, audits.db.now());
            blank.unasked(&error)
        }
    }
}

/// Whether the policies are still to judge.
async fn still_waits(tx: &mut Tx, id: &AuditId) -> Result<bool> {
    Ok(tx.audit(id).await?.is_some_and(|row| row.state == AuditState::Checking))
}

async fn record(db: &Db, audit: &mut Audit, evaluations: &[Evaluation], gate: Gate) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.hold_mini_app(&audit.mini_app).await?;
    if !still_waits(&mut tx, &audit.id).await? {
        return Ok(());
    }
    tx.replace_evaluations(&audit.id, evaluations).await?;
    match gate {
        Gate::Open => {
            tx.open_for_decisions(&audit.id).await?;
            let failed_open = failed_open(evaluations);
            let data = AuditChecked { audit: audit.id.clone(), version: audit.version.clone(), failed_open };
            tx.tell(kind::AUDIT_CHECKED, &audit.mini_app, event::BERTH, &data).for_mini_app(&audit.mini_app);
            for host_app in audit.items.iter().map(|item| item.host_app.clone()) {
                let (id, mini_app, version) = (audit.id.clone(), audit.mini_app.clone(), audit.version.clone());
                let data = AuditWaits { audit: id, mini_app, version, host_app };
                tx.tell(kind::BINDING_AUDIT_WAITS, &audit.mini_app, event::BERTH, &data).for_host_app(&data.host_app);
            }
        }
        Gate::Rejected(reason) => {
            decide::close(&mut tx, audit, Decision::Rejected, &reason, event::BERTH).await?;
        }
    }
    tx.commit().await
}
