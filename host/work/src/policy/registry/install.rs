//! Installs policies. The built-in ones are inspected like all others.

use std::{sync::Arc, time::Duration};

use berth_base::{
    error::{Code, Error, Result},
    ids::Digest,
    sql::is_unique_violation,
    text,
};
use berth_judge::{Policy, builtin, metadata};
use berth_model::{
    access::{Action, Caller, Scope, TokenScope},
    event::kind,
    policy::{
        PolicyKind,
        registry::{
            InstalledPolicy, Level, Mode, NewPolicyBinding, OnError, PolicyOrigin, PolicyQuery, PolicyScope,
            PolicyUpload, SignedWhat, Signer, TrustScope,
        },
    },
};
use berth_oci::{of_blob, sign_file};
use berth_store::{Db, Tx};
use bytes::Bytes;
use futures_util::Stream;

use super::{
    binding::{attach, fit},
    trust::{self, Makers},
};
use crate::{event, policy::registry::Policies};

/// Size of a policy in bytes, at most. Components made by JavaScript and Python toolchains have 12 to 20 MB.
pub const MAX_POLICY_BYTES: u64 = 64 << 20;

/// How long a host that starts waits for the blob store, at most, to see whether it has the built-in policies still.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the bytes of a policy from a caller who may install it.
///
/// # Errors
/// `missing-grant`; `body-too-large` above [`MAX_POLICY_BYTES`]; the error of the body.
pub async fn receive(policies: &Policies, caller: &Caller, body: impl Stream<Item = Result<Bytes>>) -> Result<Bytes> {
    caller.require(Action::Administer, &Scope::Platform)?;
    let spooled = policies.blobs.spool(body, MAX_POLICY_BYTES).await?;
    Ok(std::fs::read(spooled.file.path()).map_err(Error::internal)?.into())
}

/// What is known of a policy besides its bytes.
#[derive(Default)]
pub(super) struct Shipped {
    /// Where it came from.
    pub origin: Option<PolicyOrigin>,
    /// The trusted keys that have signed it.
    pub signers: Vec<Signer>,
    /// How many signatures are about it, whoever has made them.
    pub signatures: usize,
    /// Why others are not.
    pub wrong: Vec<String>,
    /// What could not be read of what is attached to it.
    pub unread: Vec<String>,
}

/// Installs a policy after it was inspected, compiled, and asked to describe itself. Installing the same bytes again adds
/// the signatures that are new, and heals the stored bytes if they are damaged (F57). Only admins of the platform may.
///
/// # Errors
/// `policy-exists` when other bytes are installed under the same name and version; `policy-invalid` and
/// `policy-compile` for what is not a usable policy; `policy-signature-wrong` when no key of the platform has made the signature;
/// `policy-unsigned` when the platform requires one; `missing-grant`.
#[tracing::instrument(name = "policy.install", skip_all)]
pub async fn install(
    policies: &Policies,
    caller: &Caller,
    wasm: Bytes,
    upload: &PolicyUpload,
) -> Result<InstalledPolicy> {
    caller.require(Action::Administer, &Scope::Platform)?;
    let shipped = match &upload.signature {
        None => Shipped::default(),
        Some(signature) => {
            let signers = makers(policies, signature, &wasm).await?;
            Shipped { signatures: signers.len(), signers, ..Shipped::default() }
        }
    };
    install_shipped(policies, caller.account.as_str(), wasm, shipped).await
}

pub(super) async fn install_shipped(
    policies: &Policies,
    actor: &str,
    wasm: Bytes,
    shipped: Shipped,
) -> Result<InstalledPolicy> {
    let digest = Digest::of(&wasm);
    let mut tx = policies.db.read().await?;
    let known = tx.policy(&digest).await?;
    require_signed(&mut tx, known.as_ref(), &shipped).await?;
    drop(tx);
    if known.is_some() {
        policies.blobs.heal(wasm).await?;
        return shipped_again(policies, actor, &digest, shipped).await;
    }
    let row = take_in(policies, actor, wasm.clone()).await?;
    let mut tx = policies.db.begin().await?;
    // Asked again: while it was compiled, somebody may have begun to require signatures.
    let signed_by = require_signed(&mut tx, None, &shipped).await?;
    let row = InstalledPolicy { origin: shipped.origin.clone(), signed_by, ..row };
    if tx.policy_version(&row.name, &row.version).await?.is_some_and(|other| other.digest != row.digest) {
        return Err(exists(&row));
    }
    if !add(&mut tx, actor, &row).await? {
        drop(tx);
        return shipped_again(policies, actor, &row.digest, shipped).await;
    }
    tx.commit().await?;
    policies.blobs.keep_bytes_still(wasm).await?;
    Ok(row)
}

/// Makes sure that it is signed as the platform requires, and tells who has signed it, now or before.
async fn require_signed(tx: &mut Tx, known: Option<&InstalledPolicy>, shipped: &Shipped) -> Result<Vec<Signer>> {
    let signed_by = trust::joined(known.map_or(&[], |known| &known.signed_by), &shipped.signers);
    if known.is_none_or(|known| known.installed_by != event::BERTH) {
        let required = trust::require(tx, &TrustScope::platform(), None, &signed_by, shipped.origin.as_ref()).await;
        required.map_err(|error| explained(error, shipped))?;
    }
    Ok(signed_by)
}

/// The keys of the platform that have made a signature that is given with a file. If there is none, something is not as it seems.
/// Keys of teams make none good: whoever administers one could vouch for a stranger.
async fn makers(policies: &Policies, signature: &str, wasm: &Bytes) -> Result<Vec<Signer>> {
    let wrong = |text: &str| {
        let text = format!("{text} Make it by `{}`.", sign_file());
        Error::new(Code::PolicySignatureWrong, text).next(sign_file())
    };
    let of_no_use = |why: String| wrong(&format!("The signature is of no use: {why}."));
    let proofs = of_blob(signature, wasm).map_err(of_no_use)?;
    let keys = policies.db.read().await?.trusted_keys(&TrustScope::platform()).await?;
    let Makers { signers, wrong: bad } = trust::makers(policies, keys, SignedWhat::Policy, proofs).await?;
    if let (true, Some(why)) = (signers.is_empty(), bad.into_iter().next()) {
        return Err(of_no_use(why));
    }
    if signers.is_empty() {
        return Err(wrong(
            "No key that the platform trusts has made this signature of these bytes. `berth policy trust list` shows the keys. If \
             the file was built once more, it has to be signed once more. Signatures by keys of a team or a host app come with a \
             registry.",
        ));
    }
    Ok(signers)
}

/// A refusal of what is not signed, which tells of signatures that were found and are of no use, and of what could not be read.
fn explained(error: Error, shipped: &Shipped) -> Error {
    let found = match (shipped.signatures, shipped.wrong.first(), shipped.unread.first()) {
        (0, None, None) => return error,
        (0, None, Some(why)) => {
            let detail = format!("What is attached to it could not be read: {why} {}", error.detail);
            return Error { detail, ..error };
        }
        (0, Some(why), _) => format!("A signature was found, and it is of no use: {why}."),
        (signatures, ..) => format!(
            "{} found, and no key that is trusted here has made one.",
            text::count(signatures as i64, "signature was", "signatures were")
        ),
    };
    Error { code: Code::PolicySignatureWrong, detail: format!("{found} {}", error.detail), ..error }
}

/// Notes what is new of a policy that is installed.
async fn shipped_again(policies: &Policies, actor: &str, digest: &Digest, shipped: Shipped) -> Result<InstalledPolicy> {
    let mut tx = policies.db.begin().await?;
    let known = tx.hold_policy(digest).await?.ok_or_else(|| Error::not_found("policy", digest))?;
    let signed_by = require_signed(&mut tx, Some(&known), &shipped).await?;
    let row = InstalledPolicy { origin: shipped.origin.or_else(|| known.origin.clone()), signed_by, ..known.clone() };
    if (&row.origin, &row.signed_by) == (&known.origin, &known.signed_by) {
        return Ok(known);
    }
    tx.update_policy_shipping(&row.digest, row.origin.as_ref(), &row.signed_by).await?;
    tx.tell(kind::POLICY_SHIPPED, &row.digest, actor, &row).was(Some(&known));
    tx.commit().await?;
    Ok(row)
}

fn exists(row: &InstalledPolicy) -> Error {
    let InstalledPolicy { name, version, .. } = row;
    let text =
        format!("{name} {version} is installed with other bytes. Raise the policy's version and build it again.");
    Error::new(Code::PolicyExists, text).with("policy", format!("{name}@{version}"))
}

/// Lets a policy pass the gate and keeps its bytes; nothing is installed yet.
async fn take_in(policies: &Policies, actor: &str, wasm: Bytes) -> Result<InstalledPolicy> {
    let policy = policies.engine.inspect(wasm.to_vec()).await?;
    policies.remember(&policy);
    policies.blobs.keep_bytes(wasm.clone()).await?;
    Ok(row_of(&policies.db, actor, &policy, &wasm))
}

/// Whether it was new: another host may have been faster.
async fn add(tx: &mut Tx, actor: &str, row: &InstalledPolicy) -> Result<bool> {
    let new = match tx.insert_policy(row).await {
        Err(error) if is_unique_violation(&error) => return Err(exists(row)),
        inserted => inserted?,
    };
    if new {
        tx.tell(kind::POLICY_INSTALLED, &row.digest, actor, row);
    }
    Ok(new)
}

fn row_of(db: &Db, actor: &str, policy: &Arc<Policy>, wasm: &[u8]) -> InstalledPolicy {
    let described = policy.description();
    InstalledPolicy {
        digest: policy.digest().clone(),
        kind: policy.kind(),
        name: described.name.clone(),
        version: described.version.to_string(),
        summary: described.summary.clone(),
        config_schema: described.config_schema.clone(),
        size: wasm.len() as u64,
        metadata: metadata(wasm),
        origin: None,
        signed_by: Vec::new(),
        installed_by: actor.to_owned(),
        installed_at: db.now(),
        places: None,
    }
}

/// The installed policies, newest first; every account may list them.
pub async fn list(db: &Db, caller: &Caller, query: &PolicyQuery) -> Result<Vec<InstalledPolicy>> {
    caller.require_scope(TokenScope::Read)?;
    let mut tx = db.read().await?;
    let rows = tx.policies().await?;
    let places = if query.places { Some(tx.places_of_policies(caller).await?) } else { None };
    let wanted = rows.into_iter().filter(|row| query.kind.is_none_or(|kind| kind == row.kind));
    let count = |row: &InstalledPolicy| Some(places.as_ref()?.get(&row.digest).copied().unwrap_or_default());
    let counted = wanted.map(|row| InstalledPolicy { places: count(&row), ..row });
    Ok(counted.map(|row| trust::shown_to(caller, row)).collect())
}

/// One policy, named by its digest, by `NAME@VERSION`, or by its name, which means the newest version. `not-found` when
/// there is none.
pub async fn get(db: &Db, caller: &Caller, which: &str) -> Result<InstalledPolicy> {
    caller.require_scope(TokenScope::Read)?;
    Ok(trust::shown_to(caller, db.read().await?.require_policy(which).await?))
}

/// One policy, for a caller who may read its bytes: admins and viewers of the platform. Whoever is judged by it need not know how.
pub async fn bytes_of(db: &Db, caller: &Caller, which: &str) -> Result<InstalledPolicy> {
    caller.require(Action::Read, &Scope::Platform)?;
    db.read().await?.require_policy(which).await
}

/// Uninstalls a policy that is not bound anywhere. The records of past audits stay. Only admins of the platform may.
///
/// # Errors
/// `policy-in-use` while it is bound; `not-found`; `missing-grant`.
#[tracing::instrument(name = "policy.remove", skip_all, fields(policy = %digest))]
pub async fn remove(policies: &Policies, caller: &Caller, digest: &Digest) -> Result<()> {
    caller.require(Action::Administer, &Scope::Platform)?;
    let mut tx = policies.db.begin().await?;
    let row = tx.policy(digest).await?.ok_or_else(|| Error::not_found("policy", digest))?;
    let (bound, in_tasks) = tx.bindings_of_policy(digest).await?;
    if bound > 0 {
        let places = text::count(bound, "place", "places");
        let record = " Grayscale tasks keep theirs for ever, as a record.";
        let tasks = if in_tasks > 0 { record } else { "" };
        let text =
            format!("{} {} is bound in {places}. Unbind or rebind it there first.{tasks}", row.name, row.version);
        return Err(Error::new(Code::PolicyInUse, text));
    }
    tx.delete_policy(digest).await?;
    tx.tell(kind::POLICY_REMOVED, digest, caller.account.as_str(), &row);
    tx.commit().await?;
    policies.forget(digest);
    Ok(())
}

/// Installs the built-in policies of this binary that are missing. A new auditor is bound to the platform, and bindings made
/// by Berth move to the build that this binary has; bindings that an admin has changed stay as they are. What the blob store
/// has lost of them is put there again.
pub async fn ensure_builtins(policies: &Policies) -> Result<()> {
    for builtin in builtin::ALL {
        ensure(policies, builtin.name, Bytes::from_static(builtin.wasm)).await?;
    }
    heal_builtins(policies).await;
    Ok(())
}

/// Puts the bytes of built-in policies into the blob store again that it has lost (F57). One that does not answer, or
/// cannot be written, keeps no host from starting (F56).
async fn heal_builtins(policies: &Policies) {
    let heal = async {
        for builtin in builtin::ALL {
            policies.blobs.keep_bytes_still(Bytes::from_static(builtin.wasm)).await?;
        }
        Ok::<_, Error>(())
    };
    match tokio::time::timeout(PATIENCE, heal).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(?error, "built-in policies may be missing in the blob store"),
        Err(_) => tracing::warn!("the blob store does not say in time whether it has the built-in policies"),
    }
}

/// Installs a built-in policy, unless it is there, and moves Berth's own bindings to it. An older binary that runs again
/// finds its build installed, and the bindings at the newer one.
pub(super) async fn ensure(policies: &Policies, name: &str, wasm: Bytes) -> Result<()> {
    let digest = Digest::of(&wasm);
    let mut tx = policies.db.read().await?;
    let is_there = tx.policy(&digest).await?.is_some();
    let is_first = tx.newest_policy(name).await?.is_none();
    let others = tx.own_bindings_of_others(name, &digest, event::BERTH).await?;
    drop(tx);
    if !is_there {
        return ensure_new(policies, wasm, is_first, others).await;
    }
    if others.is_empty() {
        return Ok(());
    }
    let mut tx = policies.db.begin().await?;
    move_bindings(&mut tx, others, &digest).await?;
    tx.commit().await
}

/// Installs and binds in one transaction: a host that dies in between, or two that start at once, leave no auditor
/// unbound or bound twice.
async fn ensure_new(policies: &Policies, wasm: Bytes, is_first: bool, others: Vec<Digest>) -> Result<()> {
    let row = take_in(policies, event::BERTH, wasm).await?;
    let new = platform_binding(&row);
    if row.kind == PolicyKind::Auditor {
        fit(policies, &row, &new, &[PolicyKind::Auditor]).await?;
    }
    let mut tx = policies.db.begin().await?;
    let added = add(&mut tx, event::BERTH, &row).await?;
    move_bindings(&mut tx, others, &row.digest).await?;
    if added && is_first && row.kind == PolicyKind::Auditor {
        attach(&mut tx, event::BERTH, Level::Platform, PolicyScope::platform(), new, row).await?;
    }
    tx.commit().await
}

/// Moves Berth's own bindings from other builds of a policy to this one. Another host may have been faster.
async fn move_bindings(tx: &mut Tx, others: Vec<Digest>, to: &Digest) -> Result<()> {
    for from in others {
        if tx.move_own_bindings(&from, to, event::BERTH).await? > 0 {
            let data = event::PolicyReplaced { from, to: to.clone() };
            tx.tell(kind::POLICY_REPLACED, to, event::BERTH, &data);
        }
    }
    Ok(())
}

fn platform_binding(policy: &InstalledPolicy) -> NewPolicyBinding {
    NewPolicyBinding {
        policy: policy.digest.to_string(),
        config: serde_json::json!({}),
        mode: Mode::Enforce,
        on_error: OnError::Closed,
        limits: Default::default(),
        watch: None,
        name: None,
    }
}
