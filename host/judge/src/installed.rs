//! A policy that is compiled and loaded.

use std::{sync::Arc, time::Instant};

use serde_json::Value;
use tokio::sync::Semaphore;

use super::{
    Description, Evaluation, Limit, Limits, Outcome, PolicyKind, deep,
    description::RawDescription,
    gate,
    guest::Grant,
    resting::Resting,
    run::Program,
    schema::ConfigSchema,
    slots::Slots,
    worlds::{Store, World, auditor::Auditor, grayscale::Grayscale, guard::Guard},
};
use berth_base::{
    error::{Code, Error, Result},
    ids::Digest,
};

/// A compiled policy. It is immutable: to upgrade, another one is loaded and the `Arc` is swapped, while calls of the
/// old one run to their end.
pub struct Policy {
    digest: Digest,
    description: Description,
    schema: ConfigSchema,
    pub(super) judge: Judge,
    pub(super) seats: Arc<Seats>,
}

/// The program of a policy, by its kind.
pub(super) enum Judge {
    Auditor(Arc<Program<Auditor>>),
    Grayscale(Arc<Program<Grayscale>>),
    Guard(Arc<Program<Guard>>),
}

/// The places for evaluations, which all policies of an engine share.
pub(super) struct Seats {
    pub grayscale: Slots,
    pub resting: Resting,
    pub audit: Arc<Semaphore>,
}

macro_rules! each {
    ($judge:expr, $program:ident => $do:expr) => {
        match $judge {
            Judge::Auditor($program) => $do,
            Judge::Grayscale($program) => $do,
            Judge::Guard($program) => $do,
        }
    };
}

impl Judge {
    fn kind(&self) -> PolicyKind {
        match self {
            Self::Auditor(_) => PolicyKind::Auditor,
            Self::Grayscale(_) => PolicyKind::Grayscale,
            Self::Guard(_) => PolicyKind::Guard,
        }
    }

    /// Makes a call that all worlds have.
    fn run<V>(&self, seats: &Seats, limits: &Limits, config: Option<&str>, call: impl Call<V>) -> Evaluation<V> {
        let start = Instant::now();
        // Grayscale instances come from the pool, whoever asks for them.
        let seat = match self {
            Self::Grayscale(_) => seats.grayscale.take(limits.patience()).map(Some),
            Self::Auditor(_) | Self::Guard(_) => Some(None),
        };
        match seat {
            Some(_seat) => each!(self, program => program.run(Grant::None, limits, config, |w, s| call.on(w, s))),
            None => Evaluation::without_run(Outcome::Limited(Limit::Capacity), start.elapsed()),
        }
    }
}

/// A call of one of the functions that every world exports.
trait Call<V> {
    fn on<W: World>(self, world: &W, store: &mut Store) -> wasmtime::Result<Result<V, String>>;
}

struct Describe;

impl Call<RawDescription> for Describe {
    fn on<W: World>(self, world: &W, store: &mut Store) -> wasmtime::Result<Result<RawDescription, String>> {
        world.describe(store).map(Ok)
    }
}

/// No call besides `configure`, which is made before every call.
struct Configure;

impl Call<()> for Configure {
    fn on<W: World>(self, _: &W, _: &mut Store) -> wasmtime::Result<Result<(), String>> {
        Ok(Ok(()))
    }
}

impl Policy {
    /// Asks a linked program for its description and checks it. Blocks.
    pub(super) fn prepare(digest: Digest, judge: Judge, seats: Arc<Seats>) -> Result<Self> {
        let limits = Limits::of_installation(judge.kind());
        let described = judge.run(&seats, &limits, None, Describe).outcome;
        let (description, schema) = match described {
            Outcome::Verdict(raw) => raw.check()?,
            Outcome::Limited(Limit::Capacity) => return Err(busy()),
            other @ Outcome::Limited(limit) => {
                let told = "Nothing raises it: leave the work to configure() and the judgement.";
                let refusal = gate::refuse(format_args!("describe() hit its {limit} limit. {told}"));
                return Err(refusal.with("outcome", other.as_str()));
            }
            other => {
                let trouble = other.trouble().unwrap_or_default();
                return Err(
                    gate::refuse(format_args!("describe() gave no answer. {trouble}")).with("outcome", other.as_str())
                );
            }
        };
        Ok(Self { digest, description, schema, judge, seats })
    }

    /// The SHA-256 of the wasm that was uploaded, which identifies the policy.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What the policy judges.
    pub fn kind(&self) -> PolicyKind {
        self.judge.kind()
    }

    /// The policy's own description.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Checks a config: against the policy's schema, then by the policy itself, which must accept it within the limits.
    ///
    /// # Errors
    /// `policy-config` with the reason; `unavailable` when no instance became free.
    pub async fn check_config(self: &Arc<Self>, config: &Value, limits: &Limits) -> Result<()> {
        self.schema.check(config)?;
        let (policy, limits, config) = (self.clone(), limits.clone(), config.to_string());
        let trial = move || policy.judge.run(&policy.seats, &limits, Some(&config), Configure).outcome;
        match deep::apart(trial).await? {
            Outcome::Verdict(()) => Ok(()),
            Outcome::Limited(Limit::Capacity) => Err(busy()),
            other => {
                let trouble = other.trouble().unwrap_or_default();
                Err(Error::new(Code::PolicyConfig, format!("The policy does not accept this config. {trouble}"))
                    .with("outcome", other.as_str()))
            }
        }
    }
}

fn busy() -> Error {
    Error::new(Code::Unavailable, "All instances for policies are busy. Try again in a moment.")
}
