//! Counts how the bindings of policies run on this host. Counting takes no lock and no clock, so that checks do not feel it.

use std::{
    array::from_fn,
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use berth_base::{
    clock::Millis,
    error::Result,
    ids::{Digest, PolicyBindingId},
};
use berth_check::judge::Pair;
use berth_model::{
    access::{Action, Caller},
    check::Device,
    policy::{
        Evaluation, OutcomeKind,
        figures::{
            BOUNDS_MICROS, BindingFigures, Classes, Elapsed, Figures, MOST_TOLD, PolicyFigures, ShadowExample,
            ShadowFigures, Trouble,
        },
        registry::{InstalledPolicy, PolicyBinding, PolicyQuery},
    },
};

use super::registry::{self, Policies};

/// How many bindings are counted one by one. When there are more, those that nobody holds are only counted with their policy.
const MOST: usize = 4_096;
/// How many bindings are looked up at once.
const AT_ONCE: usize = 1_000;
/// How many devices are kept as examples of what a policy in shadow would have decided otherwise.
const EXAMPLES: usize = 4;

/// The counts of a host, by binding and version of the policy.
pub struct Board {
    since: Millis,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    tallies: HashMap<Key, Arc<Tally>>,
    /// What was counted of bindings that were forgotten, by the version of the policy.
    before: BTreeMap<Digest, Counts>,
}

type Key = (PolicyBindingId, Digest);

impl Board {
    /// A board on which nothing is counted yet.
    pub fn new(now: Millis) -> Self {
        Self { since: now, counted: Mutex::default() }
    }

    /// Where the evaluations of a binding are counted.
    pub fn of(&self, binding: &PolicyBindingId, digest: &Digest) -> Arc<Tally> {
        let mut counted = self.counted();
        if counted.tallies.len() >= MOST {
            counted.forget_resting();
        }
        counted.tallies.entry((binding.clone(), digest.clone())).or_default().clone()
    }

    /// What is counted of bindings, by the versions of their policies.
    fn all(&self) -> Vec<(Key, Figures)> {
        self.counted().tallies.iter().map(|(key, tally)| (key.clone(), tally.figures())).collect()
    }

    /// What is counted of versions of policies, of all bindings together.
    pub fn by_version(&self) -> BTreeMap<Digest, Counts> {
        let counted = self.counted();
        let mut all = counted.before.clone();
        for ((_, digest), tally) in &counted.tallies {
            all.entry(digest.clone()).or_default().add(&tally.counts());
        }
        all
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    /// Forgets the bindings that nobody holds now. Their counts stay with the version of the policy.
    fn forget_resting(&mut self) {
        let before = &mut self.before;
        self.tallies.retain(|(_, digest), tally| {
            let is_held = Arc::strong_count(tally) > 1;
            if !is_held {
                before.entry(digest.clone()).or_default().add(&tally.counts());
            }
            is_held
        });
    }
}

/// Counts at one moment.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    outcomes: [u64; OutcomeKind::ALL.len()],
    /// How many evaluations took how long.
    pub classes: Classes,
    /// How long all took together, in microseconds.
    pub sum_micros: u64,
    max_micros: u64,
    peak_memory: u64,
    /// What grayscale policies in shadow said beside what was decided.
    pub shadow: Paired,
}

/// How often a grayscale policy in shadow said what was decided, and how often it would have decided otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paired {
    same: u64,
    would_admit: u64,
    would_refuse: u64,
}

impl Paired {
    /// The counts, by the names that they have in figures.
    pub fn named(self) -> [(&'static str, u64); 3] {
        [("same", self.same), ("would_admit", self.would_admit), ("would_refuse", self.would_refuse)]
    }

    /// Whether a policy was never asked in shadow.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    fn add(&mut self, other: Self) {
        self.same += other.same;
        self.would_admit += other.would_admit;
        self.would_refuse += other.would_refuse;
    }
}

impl Counts {
    /// How many evaluations ended so.
    pub fn of(&self, kind: OutcomeKind) -> u64 {
        self.outcomes[place(kind)]
    }

    fn add(&mut self, other: &Self) {
        self.outcomes.iter_mut().zip(other.outcomes).for_each(|(sum, more)| *sum += more);
        self.classes.iter_mut().zip(other.classes).for_each(|(sum, more)| *sum += more);
        self.sum_micros += other.sum_micros;
        self.max_micros = self.max_micros.max(other.max_micros);
        self.peak_memory = self.peak_memory.max(other.peak_memory);
        self.shadow.add(other.shadow);
    }
}

/// The counts of one binding with one version of its policy.
#[derive(Default)]
pub struct Tally {
    outcomes: [AtomicU64; OutcomeKind::ALL.len()],
    classes: [AtomicU64; BOUNDS_MICROS.len() + 1],
    sum_micros: AtomicU64,
    max_micros: AtomicU64,
    peak_memory: AtomicU64,
    last_trouble: Mutex<Option<Trouble>>,
    shadow: Shadow,
}

/// How a grayscale policy in shadow stands beside what was decided.
#[derive(Default)]
struct Shadow {
    same: AtomicU64,
    would_admit: AtomicU64,
    would_refuse: AtomicU64,
    examples: Mutex<VecDeque<ShadowExample>>,
}

impl Shadow {
    fn note(&self, device: &Device, pair: Pair, now: Millis) {
        let counter = match pair {
            Pair { decided: false, shadow: true } => &self.would_admit,
            Pair { decided: true, shadow: false } => &self.would_refuse,
            _ => &self.same,
        };
        let count = counter.fetch_add(1, Relaxed) + 1;
        // Of many the examples are taken ever more seldom, so that checks do not wait for each other.
        if pair.decided != pair.shadow && count.is_power_of_two() {
            let mut examples = self.examples.lock().unwrap_or_else(PoisonError::into_inner);
            if examples.len() == EXAMPLES {
                examples.pop_front();
            }
            examples.push_back(example(device, pair, now));
        }
    }

    fn paired(&self) -> Paired {
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        Paired { same: read(&self.same), would_admit: read(&self.would_admit), would_refuse: read(&self.would_refuse) }
    }

    fn figures(&self) -> Option<ShadowFigures> {
        let Paired { same, would_admit, would_refuse } = self.paired();
        let examples = self.examples.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        let figures = ShadowFigures { same, would_admit, would_refuse, examples };
        Some(figures).filter(|figures| *figures != ShadowFigures::default())
    }
}

/// The device as an example, without what tells whose it is.
fn example(device: &Device, pair: Pair, now: Millis) -> ShadowExample {
    ShadowExample {
        at: now,
        would_admit: pair.shadow,
        host_app: device.host_app.clone(),
        host_version: device.host_version.clone(),
        platform: device.platform.clone(),
        os_version: device.os_version.clone(),
        network: device.network.clone(),
    }
}

impl Tally {
    /// Counts what a policy in shadow said of a device, beside what was decided.
    pub fn note_shadow(&self, device: &Device, pair: Pair, now: Millis) {
        self.shadow.note(device, pair, now);
    }

    /// Counts an evaluation that ended now.
    pub fn note<V>(&self, evaluation: &Evaluation<V>, now: Millis) {
        let Evaluation { outcome, elapsed, peak_memory, .. } = evaluation;
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        self.outcomes[place(outcome.kind())].fetch_add(1, Relaxed);
        self.classes[BOUNDS_MICROS.partition_point(|bound| *bound < micros)].fetch_add(1, Relaxed);
        self.sum_micros.fetch_add(micros, Relaxed);
        raise(&self.max_micros, micros);
        raise(&self.peak_memory, *peak_memory);
        if let Some(says) = outcome.trouble() {
            *self.last_trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(Trouble { at: now, says });
        }
    }

    fn counts(&self) -> Counts {
        Counts {
            outcomes: from_fn(|at| self.outcomes[at].load(Relaxed)),
            classes: from_fn(|at| self.classes[at].load(Relaxed)),
            sum_micros: self.sum_micros.load(Relaxed),
            max_micros: self.max_micros.load(Relaxed),
            peak_memory: self.peak_memory.load(Relaxed),
            shadow: self.shadow.paired(),
        }
    }

    /// What is counted so far.
    pub fn figures(&self) -> Figures {
        let counts = self.counts();
        Figures {
            evaluations: counts.classes.iter().sum(),
            verdicts: counts.of(OutcomeKind::Verdict),
            failed: counts.of(OutcomeKind::Failed),
            trapped: counts.of(OutcomeKind::Trapped),
            limited: counts.of(OutcomeKind::Limited),
            elapsed: Elapsed::of(&counts.classes, counts.sum_micros, counts.max_micros),
            peak_memory_bytes: counts.peak_memory,
            last_trouble: self.last_trouble.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            shadow: self.shadow.figures(),
        }
    }
}

/// Where an outcome is counted.
fn place(kind: OutcomeKind) -> usize {
    kind as usize
}

/// Makes a maximum as large as a value. It is seldom one, so that the place is seldom written.
fn raise(most: &AtomicU64, value: u64) {
    if most.load(Relaxed) < value {
        most.fetch_max(value, Relaxed);
    }
}

/// How the bindings of a policy, of which the caller may know, ran on this host. Why one had no verdict is for those who may read
/// what is at its place.
///
/// # Errors
/// `not-found` when no such policy is installed.
#[tracing::instrument(name = "policy.figures", skip_all, fields(policy = which))]
pub async fn figures(policies: &Policies, caller: &Caller, which: &str) -> Result<PolicyFigures> {
    let db = &policies.db;
    let InstalledPolicy { name: policy, kind, .. } = registry::get(db, caller, which).await?;
    let installed = registry::list(db, caller, &PolicyQuery::default()).await?;
    let installed: HashMap<_, _> = installed.iter().map(|one| (&one.digest, one)).collect();
    // A version that was taken away is nobody's any more, and may be one of this policy.
    let is_others = |digest: &Digest| installed.get(digest).is_some_and(|one| one.name != policy);
    let mut asked = policies.board.all();
    asked.retain(|((_, digest), figures)| figures.evaluations > 0 && !is_others(digest));
    asked.sort_by(|((a, x), one), ((b, y), other)| (other.evaluations, a, x).cmp(&(one.evaluations, b, y)));
    let ids: BTreeSet<_> = asked.iter().map(|((id, _), _)| id.clone()).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let mut tx = db.read().await?;
    let mut rows = HashMap::new();
    for some in ids.chunks(AT_ONCE) {
        let found = tx.policy_bindings_among(caller, &policy, some).await?;
        rows.extend(found.into_iter().map(|row| (row.id.clone(), row)));
    }
    asked.retain(|((id, _), _)| rows.contains_key(id));
    let others = asked.len().saturating_sub(MOST_TOLD) as u64;
    let mut told = Vec::new();
    for ((id, digest), mut figures) in asked.into_iter().take(MOST_TOLD) {
        let row = &rows[&id];
        // Its words may be about the package of another team: those of the platform's bindings are not for everybody.
        if registry::authorise_at(row, &mut tx, caller, Action::Read).await.is_err() {
            figures.last_trouble = None;
            figures.shadow = None;
        }
        let version = installed.get(&digest).map(|policy| policy.version.clone());
        told.push(binding_figures(row.clone().into(), version, digest, figures));
    }
    Ok(PolicyFigures { policy, kind, since: policies.board.since, bindings: told, others })
}

fn binding_figures(
    binding: PolicyBinding,
    policy_version: Option<String>,
    digest: Digest,
    figures: Figures,
) -> BindingFigures {
    BindingFigures {
        is_current: binding.digest == digest,
        binding: binding.id,
        policy_version,
        digest,
        scope: binding.scope,
        mode: binding.mode,
        on_error: binding.on_error,
        figures,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use berth_judge::testing::Guest;
    use berth_model::{
        policy::{Limit, Outcome, registry::PolicyUpload},
        testing::DAWN,
    };
    use serde_json::json;

    use super::*;
    use crate::testing::host;

    fn ended(outcome: Outcome<()>, micros: u64, peak_memory: u64) -> Evaluation<()> {
        Evaluation { outcome, log: Vec::new(), elapsed: Duration::from_micros(micros), peak_memory }
    }

    #[test]
    fn g21_evaluations_are_counted_by_how_they_ended_and_how_long_they_took() {
        let tally = Tally::default();
        assert_eq!(tally.figures(), Figures::default());
        tally.note(&ended(Outcome::Verdict(()), 7, 65_536), DAWN);
        tally.note(&ended(Outcome::Verdict(()), 9, 131_072), DAWN);
        tally.note(&ended(Outcome::Limited(Limit::Deadline), 50_000, 65_536), DAWN.plus_seconds(1));
        let figures = tally.figures();
        let counts = (figures.evaluations, figures.verdicts, figures.failed, figures.trapped, figures.limited);
        assert_eq!(counts, (3, 2, 0, 0, 1));
        assert_eq!(figures.peak_memory_bytes, 131_072);
        let elapsed = figures.elapsed.expect("some");
        assert_eq!((elapsed.p50_micros, elapsed.p99_micros, elapsed.max_micros), (10, 50_000, 50_000));
        let trouble = figures.last_trouble.expect("one");
        assert!(trouble.at == DAWN.plus_seconds(1) && trouble.says.contains("deadline"), "{trouble:?}");
    }

    #[test]
    fn g21_what_is_in_use_is_never_forgotten() {
        let board = Board::new(DAWN);
        let digest = Digest::of(b"policy");
        let id = |number: usize| format!("pb_{number:026}").parse::<PolicyBindingId>().expect("an id");
        let held = board.of(&id(0), &digest);
        held.note(&ended(Outcome::Verdict(()), 7, 0), DAWN);
        for number in 1..=2 * MOST {
            board.of(&id(number), &digest).note(&ended(Outcome::Verdict(()), 7, 0), DAWN);
        }
        let all = board.by_version();
        assert_eq!(all[&digest].of(OutcomeKind::Verdict), 2 * MOST as u64 + 1, "nothing that was counted is lost");
        assert!(board.all().len() <= MOST + 1);
        assert_eq!(board.of(&id(0), &digest).figures().verdicts, 1);
    }

    #[tokio::test]
    async fn g21_the_bindings_that_were_asked_most_are_told_and_the_others_counted() {
        let host = host().await;
        let platform = |policy: &str| serde_json::from_value(json!({"policy": policy, "scope": {"kind": "platform"}}));
        let mut bound = Vec::new();
        for name in ["no-maps", "no-ads"] {
            let wasm = Guest::auditor().name(name).wasm();
            registry::install(&host.app.policies, &host.caller, wasm.into(), &PolicyUpload::default())
                .await
                .expect("installed");
            let new = platform(name).expect("a binding");
            bound.push(registry::bind(&host.app.policies, &host.caller, new).await.expect("bound"));
        }
        let board = &host.app.policies.board;
        let ask = |binding: &PolicyBinding, digest: &Digest, times: usize| {
            let tally = board.of(&binding.id, digest);
            (0..times).for_each(|_| tally.note(&ended(Outcome::Verdict(()), 7, 0), DAWN));
        };
        // Versions that were taken away since.
        for number in 0..MOST_TOLD + 2 {
            ask(&bound[0], &Digest::of(format!("{number}").as_bytes()), 1);
        }
        ask(&bound[0], &bound[0].digest, 2);
        ask(&bound[1], &bound[1].digest, 9);
        let told = figures(&host.app.policies, &host.caller, "no-maps").await.expect("figures");
        assert_eq!((told.bindings.len(), told.others), (MOST_TOLD, 3));
        let most = &told.bindings[0];
        assert_eq!((&most.digest, most.figures.evaluations, most.is_current), (&bound[0].digest, 2, true));
        let other = figures(&host.app.policies, &host.caller, "no-ads").await.expect("figures");
        assert_eq!((other.bindings.len(), other.bindings[0].figures.evaluations, other.others), (1, 9, 0));
    }
}
