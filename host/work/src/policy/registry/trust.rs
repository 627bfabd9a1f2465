//! Which keys are trusted to sign policies, where policies have to be signed, and who has signed one (G23).
//!
//! A requirement of the platform is met by a key of the platform alone, so that nobody below weakens it. One of a host app or a team
//! is met by a key of its own, or of the platform. What comes with Berth is part of the program and needs no signature.

use berth_base::{
    error::{Code, Error, Result},
    ids::{Digest, GrayTaskId, HostAppId, MiniAppId, TeamId, TrustedKeyId},
    sql::is_unique_violation,
    text,
};
use berth_model::{
    access::{Action, Caller, Scope, TokenScope},
    event::kind,
    policy::registry::{
        Algorithm, Identity, InstalledPolicy, Level, NewTrustedKey, PolicyBinding, PolicyOrigin, PolicyScope,
        RemovedKey, ScopeKind, SetSigningRule, SignedWhat, Signer, SigningRule, TrustScope, TrustedKey,
    },
};
use berth_oci::{Proof, PublicKey, Reference, Sigstore, sign_artefact, sign_file};
use berth_store::{Db, Tx, trust::SignedBindingRow};
use tokio::sync::oneshot;

use super::Policies;
use crate::{event, host_app};

/// How many keys are trusted at one place, at most.
const MOST_KEYS: usize = 20;
/// How many keys are tried for one signature, at most.
const MOST_TRIED: usize = 500;

/// Checks that the caller may do `action` at this place. What the platform trusts and requires concerns all, who may know it.
async fn authorise(at: &TrustScope, tx: &mut Tx, caller: &Caller, action: Action) -> Result<()> {
    match at.level {
        Level::Platform if !at.id.is_empty() => Err(Error::field("scope.id", "the platform has no id; leave it out.")),
        Level::Platform if action == Action::Read => caller.require_scope(TokenScope::Read),
        Level::Platform => caller.require(action, &Scope::Platform),
        Level::HostApp => host_app::authorise(tx, caller, &at.id.parse::<HostAppId>()?, action).await.map(|_| ()),
        Level::Team => {
            let team: TeamId = at.id.parse()?;
            let scope = Scope::Team(team.clone());
            if !caller.knows(&scope) || tx.team(&team).await?.is_none() {
                return Err(Error::not_found("team", team));
            }
            caller.require(action, &scope)
        }
    }
}

/// What a key is known by.
struct Read {
    algorithm: Algorithm,
    fingerprint: Digest,
    pem: String,
}

fn read(new: &NewTrustedKey) -> Result<Read> {
    match &new.identity {
        None => {
            let key = PublicKey::read(&new.key)?;
            Ok(Read { algorithm: key.algorithm, fingerprint: key.fingerprint(), pem: key.pem() })
        }
        Some(_) if !new.key.is_empty() => Err(Error::field("key", "must be left out where an identity is given.")),
        Some(identity) => {
            identity.check()?;
            Ok(Read { algorithm: Algorithm::Identity, fingerprint: identity.fingerprint(), pem: String::new() })
        }
    }
}

/// Trusts a key, or an identity. Policies that it has signed are known as such when they are installed, or come once more.
///
/// # Errors
/// `invalid-field` for what is no public key or no identity, or one too many; `trusted-key-exists`; `not-found` and `missing-grant`.
#[tracing::instrument(name = "policy_key.trust", skip_all)]
pub async fn trust(db: &Db, caller: &Caller, new: NewTrustedKey) -> Result<TrustedKey> {
    let mut tx = db.begin().await?;
    authorise(&new.scope, &mut tx, caller, Action::Configure).await?;
    let Read { algorithm, fingerprint, pem } = read(&new)?;
    let key = TrustedKey {
        id: TrustedKeyId::generate(tx.now(), tx.random()),
        name: text::name("name", &new.name, 64)?,
        algorithm,
        fingerprint,
        key: pem,
        identity: new.identity,
        scope: new.scope,
        added_by: caller.account.to_string(),
        added_at: tx.now(),
    };
    if tx.trusted_keys(&key.scope).await?.len() >= MOST_KEYS {
        return Err(Error::field(
            "scope",
            format!("{} trusts {MOST_KEYS} keys, which is the most.", key.scope.in_words()),
        ));
    }
    match tx.insert_trusted_key(&key).await {
        Err(error) if is_unique_violation(&error) => {
            let text =
                format!("{} trusts this key already, or another one by the name {}.", key.scope.in_words(), key.name);
            return Err(Error::new(Code::TrustedKeyExists, text).with("fingerprint", &key.fingerprint));
        }
        inserted => inserted?,
    }
    tx.tell(kind::POLICY_KEY_TRUSTED, &key.id, caller.account.as_str(), &key);
    tx.commit().await?;
    Ok(key)
}

/// The keys that are trusted at a place.
pub async fn keys(db: &Db, caller: &Caller, scope: &TrustScope) -> Result<Vec<TrustedKey>> {
    let mut tx = db.read().await?;
    authorise(scope, &mut tx, caller, Action::Read).await?;
    tx.trusted_keys(scope).await
}

/// Trusts a key no more. What is bound goes on, and is told.
///
/// # Errors
/// `not-found` and `missing-grant`.
#[tracing::instrument(name = "policy_key.distrust", skip_all, fields(trusted_key = %id))]
pub async fn distrust(db: &Db, caller: &Caller, id: &TrustedKeyId) -> Result<RemovedKey> {
    let mut tx = db.begin().await?;
    let hidden = || Error::not_found("trusted key", id);
    let key = tx.trusted_key(id).await?.ok_or_else(hidden)?;
    match authorise(&key.scope, &mut tx, caller, Action::Configure).await {
        Err(error) if error.code == Code::NotFound => return Err(hidden()),
        authorised => authorised?,
    }
    if !tx.delete_trusted_key(id).await? {
        return Err(hidden());
    }
    let unsigned = unsigned_under_keys_of(&mut tx, &key.scope).await?;
    tx.tell(kind::POLICY_KEY_REMOVED, &key.id, caller.account.as_str(), &key);
    tx.commit().await?;
    Ok(RemovedKey { key, unsigned })
}

/// Whether signatures are required at a place, and what is bound without.
pub async fn rule(db: &Db, caller: &Caller, scope: TrustScope) -> Result<SigningRule> {
    let mut tx = db.read().await?;
    authorise(&scope, &mut tx, caller, Action::Read).await?;
    let may_see = match scope.level {
        Level::Platform => caller.can(Action::Read, &Scope::Platform),
        Level::HostApp | Level::Team => true,
    };
    let rule = told(&mut tx, scope).await?;
    Ok(if may_see { rule } else { SigningRule { unsigned: Vec::new(), ..rule } })
}

async fn told(tx: &mut Tx, scope: TrustScope) -> Result<SigningRule> {
    let (set_by, set_at) = tx.signing_rule(&scope).await?.unzip();
    let unsigned = unsigned_at(tx, &scope).await?;
    Ok(SigningRule { scope, required: set_at.is_some(), set_by, set_at, unsigned })
}

/// Requires signatures at a place, or does not any more. What is bound goes on, and is told.
///
/// # Errors
/// `invalid-field` when no key is trusted there that could sign; `not-found` and `missing-grant`.
#[tracing::instrument(name = "policy_signing.set", skip_all)]
pub async fn set_rule(db: &Db, caller: &Caller, set: SetSigningRule) -> Result<SigningRule> {
    let mut tx = db.begin().await?;
    authorise(&set.scope, &mut tx, caller, Action::Configure).await?;
    if set.required && good_keys(&mut tx, &set.scope).await?.is_empty() {
        let rule =
            "no key is trusted yet that could sign. Add one first: berth policy trust add NAME --key cosign.pub.";
        return Err(Error::field("required", rule));
    }
    let changed = match set.required {
        true => tx.insert_signing_rule(&set.scope, caller.account.as_str()).await?,
        false => tx.delete_signing_rule(&set.scope).await?,
    };
    if changed {
        let subject = if set.scope.id.is_empty() { "platform" } else { &set.scope.id };
        tx.tell(kind::POLICY_SIGNING_SET, &subject, caller.account.as_str(), &set);
    }
    let rule = told(&mut tx, set.scope).await?;
    tx.commit().await?;
    Ok(rule)
}

/// The keys that meet a requirement at this place.
async fn good_keys(tx: &mut Tx, scope: &TrustScope) -> Result<Vec<TrustedKey>> {
    let mut keys = tx.trusted_keys(scope).await?;
    if scope.level != Level::Platform {
        keys.extend(tx.trusted_keys(&TrustScope::platform()).await?);
    }
    Ok(keys)
}

fn signed_by_one_of(keys: &[TrustedKey], signers: &[Signer]) -> bool {
    signers.iter().any(|signer| keys.iter().any(|key| key.fingerprint == signer.fingerprint))
}

/// What is bound under a place and would be refused there, if signatures are required; nothing if they are not.
async fn unsigned_at(tx: &mut Tx, scope: &TrustScope) -> Result<Vec<PolicyBinding>> {
    if tx.signing_rule(scope).await?.is_none() {
        return Ok(Vec::new());
    }
    let keys = good_keys(tx, scope).await?;
    let bound = tx.bindings_under(scope, event::BERTH).await?;
    let unsigned = bound.into_iter().filter(|row| !signed_by_one_of(&keys, &row.signed_by));
    Ok(unsigned.map(|SignedBindingRow { binding, .. }| binding.into()).collect())
}

/// What goes on without a signature that is required, wherever a key of this place could have made it: one of the platform meets
/// every requirement.
async fn unsigned_under_keys_of(tx: &mut Tx, scope: &TrustScope) -> Result<Vec<PolicyBinding>> {
    let places = match scope.level {
        Level::Platform => tx.signing_rules().await?,
        Level::HostApp | Level::Team => vec![scope.clone()],
    };
    let mut all: Vec<PolicyBinding> = Vec::new();
    for place in places {
        for binding in unsigned_at(tx, &place).await? {
            if all.iter().all(|told| told.id != binding.id) {
                all.push(binding);
            }
        }
    }
    Ok(all)
}

/// Makes sure that a policy is signed as the place requires at which it is to be bound, or asked.
///
/// # Errors
/// `policy-unsigned`, with how it is signed.
pub(crate) async fn require_at(tx: &mut Tx, place: &PolicyScope, policy: &InstalledPolicy) -> Result<()> {
    if policy.installed_by == event::BERTH {
        return Ok(());
    }
    for scope in scopes_over(tx, place).await? {
        require(tx, &scope, Some(policy), &policy.signed_by, policy.origin.as_ref()).await?;
    }
    Ok(())
}

/// The places whose requirements hold at a place.
async fn scopes_over(tx: &mut Tx, place: &PolicyScope) -> Result<Vec<TrustScope>> {
    let team_of = async |tx: &mut Tx, id: &MiniAppId| {
        let owner = tx.mini_app(id).await?.ok_or_else(|| Error::not_found("MiniApp", id))?;
        Ok::<_, Error>(Some(TrustScope { level: Level::Team, id: owner.team.to_string() }))
    };
    let own = match place.kind {
        ScopeKind::Platform => None,
        ScopeKind::HostApp => Some(TrustScope { level: Level::HostApp, id: place.id.clone() }),
        ScopeKind::MiniApp => team_of(tx, &place.id.parse()?).await?,
        ScopeKind::GrayTask => {
            let id: GrayTaskId = place.id.parse()?;
            let owner = tx.mini_app_of_task(&id).await?.ok_or_else(|| Error::not_found("GrayTask", &id))?;
            team_of(tx, &owner).await?
        }
    };
    Ok([Some(TrustScope::platform()), own].into_iter().flatten().collect())
}

/// Makes sure that one of these has signed whom a place trusts, if it requires that.
///
/// # Errors
/// `policy-unsigned` when nobody has signed; `policy-signature-wrong` when others have.
pub(super) async fn require(
    tx: &mut Tx,
    scope: &TrustScope,
    policy: Option<&InstalledPolicy>,
    signers: &[Signer],
    origin: Option<&PolicyOrigin>,
) -> Result<()> {
    if tx.signing_rule(scope).await?.is_none() {
        return Ok(());
    }
    let keys = good_keys(tx, scope).await?;
    if signed_by_one_of(&keys, signers) {
        return Ok(());
    }
    let names: Vec<_> = keys.iter().map(|key| key.name.as_str()).collect();
    let names = if names.is_empty() { "none is left: add one".into() } else { names.join(", ") };
    let what = policy.map_or("this one".into(), |policy| format!("{} {}", policy.name, policy.version));
    let scope = scope.in_words();
    // Whose the others are is nothing to tell: another team's keys are its own business.
    let (code, found) = match signers.is_empty() {
        true => (Code::PolicyUnsigned, format!("{what} is not")),
        false => (Code::PolicySignatureWrong, format!("{what} is signed by a key that is not trusted here")),
    };
    let (sign, push) = how_to_sign(origin);
    let text = format!(
        "Policies for {scope} have to be signed by a key that it trusts ({names}), and {found}. Sign it: {sign} Then: {push}"
    );
    Err(Error::new(code, text).with("keys", keys.iter().map(|key| &key.fingerprint).collect::<Vec<_>>()).next(sign))
}

/// The commands that sign a policy and bring it here.
fn how_to_sign(origin: Option<&PolicyOrigin>) -> (String, String) {
    let reference =
        origin.and_then(|origin| Some(origin.reference.parse::<Reference>().ok()?.pinned(&origin.manifest)));
    match reference {
        Some(reference) => (sign_artefact(&reference), format!("berth policy push {reference}")),
        None => (sign_file().into(), "berth policy push FILE.wasm --signature FILE.sig".into()),
    }
}

/// Who has signed a policy, and why other signatures are of no use.
#[derive(Default)]
pub(super) struct Makers {
    /// Those who are trusted.
    pub signers: Vec<Signer>,
    /// Why others are not good, in words.
    pub wrong: Vec<String>,
}

/// Which of these keys have made these signatures: of each the first, the platform's before all others. Ends when nobody waits
/// for the answer any more: a policy has up to 64 MB, which are hashed for each key.
pub(super) async fn makers(
    policies: &Policies,
    mut keys: Vec<TrustedKey>,
    signed: SignedWhat,
    proofs: Vec<Proof>,
) -> Result<Makers> {
    if proofs.is_empty() {
        return Ok(Makers::default());
    }
    keys.sort_by_key(|key| key.scope.level != Level::Platform);
    let (now, sigstore) = (policies.db.now(), policies.sigstore.clone());
    let signer = move |key: &TrustedKey, identity: Option<Identity>| Signer {
        name: key.name.clone(),
        fingerprint: key.fingerprint.clone(),
        identity,
        scope: key.scope.clone(),
        signed,
        verified_at: now,
    };
    let (answer, found) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let trusted = Trusted::of(&keys);
        let mut makers = Makers::default();
        for proof in proofs {
            if answer.is_closed() {
                return;
            }
            match trusted.maker(&proof, &sigstore, || answer.is_closed()) {
                Ok(maker) => makers.signers.extend(maker.map(|(key, identity)| signer(key, identity))),
                Err(why) => makers.wrong.push(why),
            }
        }
        let _ = answer.send(makers);
    });
    found.await.map_err(Error::internal)
}

/// Who is trusted to sign.
struct Trusted<'a> {
    keys: Vec<(&'a TrustedKey, PublicKey)>,
    identities: Vec<(&'a TrustedKey, &'a Identity)>,
}

impl<'a> Trusted<'a> {
    fn of(all: &'a [TrustedKey]) -> Self {
        let key = |key: &'a TrustedKey| Some((key, PublicKey::read(&key.key).ok()?));
        let identity = |key: &'a TrustedKey| Some((key, key.identity.as_ref()?));
        let keyed = all.iter().filter(|key| key.identity.is_none()).take(MOST_TRIED);
        Self { keys: keyed.filter_map(key).collect(), identities: all.iter().filter_map(identity).collect() }
    }

    /// Who of them has made a signature, and whom its certificate names, if it has one.
    fn maker(
        &self,
        proof: &Proof,
        sigstore: &Sigstore,
        is_over: impl Fn() -> bool,
    ) -> Result<Option<(&'a TrustedKey, Option<Identity>)>, String> {
        match proof {
            Proof::Keyed { message, signature } => {
                let mut tried = self.keys.iter().take_while(|_| !is_over());
                let found = tried.find(|(_, public)| public.has_signed(message, signature));
                Ok(found.map(|(key, _)| (*key, None)))
            }
            Proof::Certified(certified) => {
                let signer = sigstore.signer(certified)?;
                let found = self.identities.iter().find(|(_, trusted)| trusted.covers(&signer));
                Ok(found.map(|(key, _)| (*key, Some(signer))))
            }
        }
    }
}

/// Leaves of the signers those that the caller may know: the keys of the platform, and of what the caller knows.
pub(super) fn shown_to(caller: &Caller, mut policy: InstalledPolicy) -> InstalledPolicy {
    policy.signed_by.retain(|signer| is_known_to(caller, &signer.scope));
    policy
}

fn is_known_to(caller: &Caller, scope: &TrustScope) -> bool {
    match scope.level {
        Level::Platform => true,
        Level::HostApp => scope.id.parse().is_ok_and(|id| caller.knows(&Scope::HostApp(id))),
        Level::Team => scope.id.parse().is_ok_and(|id| caller.knows(&Scope::Team(id))),
    }
}

/// All who have signed, those who were known before included; nobody twice.
pub(super) fn joined(known: &[Signer], found: &[Signer]) -> Vec<Signer> {
    let mut all = known.to_vec();
    for signer in found {
        let same = |one: &Signer| {
            (&one.fingerprint, &one.scope, one.signed) == (&signer.fingerprint, &signer.scope, signer.signed)
        };
        if !all.iter().any(same) {
            all.push(signer.clone());
        }
    }
    all
}
