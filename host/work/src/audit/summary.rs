//! What an auditor has said under one binding (G19).

use std::collections::BTreeSet;

use berth_base::{
    error::{Code, Error, Result},
    ids::PolicyBindingId,
};
use berth_model::{
    access::{Action, Caller},
    audit::{BindingSummary, BindingSummaryQuery, objects, rejected_besides},
    policy::PolicyKind,
};
use berth_store::{Db, policy::PolicyBindingRow};

use crate::policy::registry::at_place;

/// Sums up what an auditor has said since its binding is as it is, for a caller who may bind policies at its place, and
/// for those who read everything.
///
/// # Errors
/// `policy-kind` when the policy is no auditor; `invalid-field`; `not-found` and `missing-grant`.
pub async fn summary(
    db: &Db,
    caller: &Caller,
    id: &PolicyBindingId,
    query: &BindingSummaryQuery,
) -> Result<BindingSummary> {
    let mut tx = db.read().await?;
    let action = if caller.reads_everything() { Action::Read } else { Action::Configure };
    let binding = at_place(&mut tx, caller, id, action).await?;
    if binding.kind != PolicyKind::Auditor {
        return Err(not_kept(&binding));
    }
    let judged = tx.judged_under(&binding, query.limit()?).await?;
    let objecting = judged.iter().filter(|one| objects(&one.evaluation)).map(|one| one.audit_id.clone());
    let said = tx.evaluations(&objecting.collect::<Vec<_>>()).await?;
    let rejected = said.into_iter().filter(|(_, evaluations)| rejected_besides(id, evaluations));
    let rejected_anyway: BTreeSet<_> = rejected.map(|(audit, _)| audit).collect();
    let blank = BindingSummary {
        binding: binding.id,
        policy: binding.name,
        policy_version: binding.version,
        mode: binding.mode,
        since: binding.bound_at,
        versions: 0,
        rejected: 0,
        alone: 0,
        no_verdict: 0,
        rules: Vec::new(),
        examples: Vec::new(),
    };
    Ok(blank.over(&judged, &rejected_anyway))
}

/// The error for a policy whose judgements are not kept one by one.
fn not_kept(binding: &PolicyBindingRow) -> Error {
    let told = match binding.kind {
        PolicyKind::Auditor | PolicyKind::Grayscale => {
            "What grayscale policies say of devices is kept nowhere. Each host counts it: berth_policy_opinions_total on /metrics."
        }
        PolicyKind::Guard => "What guards say is in the moves of their task: berth gray progress.",
    };
    let text =
        format!("{} is a policy of kind {}, and audits have none of its words. {told}", binding.name, binding.kind);
    Error::new(Code::PolicyKind, text).with("kind", binding.kind)
}
