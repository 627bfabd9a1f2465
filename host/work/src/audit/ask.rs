//! How one auditor is asked about one package: in audits and in replays alike.

use std::{sync::Arc, time::Duration};

use berth_base::{
    error::{Error, Result},
    ids::Digest,
};
use berth_judge::Subject;
use berth_model::{
    audit::{Supplies, supplied},
    policy::{self, Finding, LimitOverrides, PolicyKind},
};
use berth_package::{Archive, PackageName};
use serde_json::Value;

use super::desk::Audits;
use crate::policy::registry::Policies;

/// An auditor as it is asked.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub digest: &'a Digest,
    pub config: &'a Value,
    pub limits: &'a LimitOverrides,
}

/// Opens the package of a version.
pub(super) async fn open(audits: &Audits, name: PackageName, sha256: &Digest) -> Result<Subject> {
    let file = audits.blobs.file(sha256).await?;
    let limits = audits.limits.clone();
    let open = move || Subject::of(Archive::open(file, &limits)?, &name);
    tokio::task::spawn_blocking(open).await.map_err(Error::internal)?
}

/// Asks one auditor, which has `left` of the time, and its own deadline at the most. Returns the config with which it judged,
/// what the host supplied included (D8), and its answer.
///
/// # Errors
/// When the policy cannot be loaded or bound.
pub(super) async fn ask(
    policies: &Policies,
    terms: Terms<'_>,
    supplies: &Supplies,
    subject: Arc<Subject>,
    left: Duration,
) -> Result<(Value, policy::Evaluation<Vec<Finding>>)> {
    let policy = policies.load(terms.digest).await?;
    let config = supplied(terms.config, policy.description().config_schema.as_ref(), supplies);
    let limits = terms.limits.apply(PolicyKind::Auditor)?.within(left);
    let asked = policy.bind_auditor(&config, limits)?.audit(subject).await;
    Ok((config, asked))
}
