//! Asks guests, under their limits, and determines the outcome.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use cpu_time::ThreadTime;
use wasmtime::{
    Result, Trap, UpdateDeadline,
    component::{Component, InstancePre, Linker},
};

use super::{
    Evaluation, Limit, Limits, Outcome,
    guest::{Exceeded, Grant, Guest},
    pulse::{Pulse, TICK},
    worlds::{Store, World},
};

/// A policy that is ready to run: linked, and its exports looked up.
pub struct Program<W: World> {
    instance: InstancePre<Guest>,
    indices: W::Indices,
    pulse: Arc<Pulse>,
}

impl<W: World> Program<W> {
    /// Links a component of this world.
    pub fn link(linker: &Linker<Guest>, component: &Component, pulse: Arc<Pulse>) -> Result<Self> {
        let instance = linker.instantiate_pre(component)?;
        let indices = W::indices(&instance)?;
        Ok(Self { instance, indices, pulse })
    }

    /// A guest that was not asked yet, with room for these limits.
    pub fn fresh(&self, limits: &Limits) -> Life<W> {
        let mut store = Store::new(self.instance.engine(), Guest::new(limits));
        store.limiter(|guest| &mut guest.meter);
        store.set_hostcall_fuel(usize::try_from(limits.output_bytes).unwrap_or(usize::MAX));
        Life { store, world: None }
    }

    /// Asks a guest, which is configured first when it is fresh and there is a config. The limits are for both together.
    /// What follows an evaluation without a verdict is not known, so the guest is not to be asked again then.
    pub fn ask<V>(
        &self,
        life: &mut Life<W>,
        grant: Grant,
        limits: &Limits,
        config: Option<&str>,
        call: impl FnOnce(&W, &mut Store) -> Result<Result<V, String>>,
    ) -> Evaluation<V> {
        let start = Instant::now();
        let _beat = self.pulse.hold();
        life.store.data_mut().begin(grant, limits);
        watch(&mut life.store, limits);
        let outcome = outcome(self.enter(life, config, call));
        let guest = life.store.data_mut();
        Evaluation { outcome, elapsed: start.elapsed(), peak_memory: guest.meter.memory(), log: guest.end() }
    }

    /// Asks a fresh guest once.
    pub fn run<V>(
        &self,
        grant: Grant,
        limits: &Limits,
        config: Option<&str>,
        call: impl FnOnce(&W, &mut Store) -> Result<Result<V, String>>,
    ) -> Evaluation<V> {
        self.ask(&mut self.fresh(limits), grant, limits, config, call)
    }

    fn enter<V>(
        &self,
        life: &mut Life<W>,
        config: Option<&str>,
        call: impl FnOnce(&W, &mut Store) -> Result<Result<V, String>>,
    ) -> Result<Result<V, String>> {
        let Life { store, world } = life;
        let world = match world {
            Some(world) => world,
            None => {
                let instance = self.instance.instantiate(&mut *store)?;
                let entered = W::attach(&self.indices, store, &instance).map_err(|e| Misfit(format!("{e:#}")))?;
                if let Some(config) = config
                    && let Err(message) = entered.configure(store, config)?
                {
                    return Ok(Err(message));
                }
                world.insert(entered)
            }
        };
        call(world, store)
    }
}

/// A guest from its first question to its last.
pub struct Life<W> {
    store: Store,
    /// What can be asked, once the guest is instantiated and configured.
    world: Option<W>,
}

/// An export has another type than in `wit/`.
#[derive(Debug)]
struct Misfit(String);

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an export does not fit this host's wit/: {}", self.0)
    }
}

impl std::error::Error for Misfit {}

/// Ends the guest when it has used up its CPU time. Epochs measure elapsed time, in which a guest may only have waited
/// for a processor: at each deadline it gets the CPU time that is left, until its elapsed time exceeds its patience.
///
/// To read the CPU time of a thread takes a system call, and most guests end within a tick. So the first reading is at the
/// first tick, when the guest can have used no more than one.
fn watch(store: &mut Store, limits: &Limits) {
    let (wall, mut began) = (Instant::now(), None);
    let (deadline, patience) = (limits.deadline(), limits.patience());
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        // Calls are synchronous: whoever runs the guest is the thread that is here now.
        let now = ThreadTime::now().as_duration();
        let began = *began.get_or_insert_with(|| now.saturating_sub(wall.elapsed().min(TICK)));
        let left = deadline.saturating_sub(now.saturating_sub(began));
        if left.is_zero() || wall.elapsed() >= patience {
            return Err(Exceeded(Limit::Deadline).into());
        }
        Ok(UpdateDeadline::Continue(ticks(left)))
    });
}

/// The number of ticks in `time`. One is added, as the current tick may end at once.
fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(TICK.as_nanos())).unwrap_or(u64::MAX - 1) + 1
}

fn outcome<V>(result: Result<Result<V, String>>) -> Outcome<V> {
    match result {
        Ok(Ok(verdict)) => Outcome::Verdict(verdict),
        Ok(Err(message)) => Outcome::Failed { message },
        Err(error) => match limit(&error) {
            Some(limit) => Outcome::Limited(limit),
            None => Outcome::Trapped { reason: reason(&error) },
        },
    }
}

/// The limit that an error stands for, told by its type; `None` when it stands for none.
fn limit(error: &wasmtime::Error) -> Option<Limit> {
    if let Some(Exceeded(limit)) = error.downcast_ref() {
        return Some(*limit);
    }
    if error.is::<wasmtime::PoolConcurrencyLimitError>() {
        return Some(Limit::Capacity);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => Some(Limit::Stack),
        _ => is_output(error).then_some(Limit::Output),
    }
}

/// Whether the guest passed more to the host than it may. wasmtime does not export the type of this error, so it is
/// recognised by the name of the type, which its derived `Debug` prints; tests fail when that changes (F38).
fn is_output(error: &wasmtime::Error) -> bool {
    format!("{:?}", error.root_cause()) == "HostcallFuelExhausted"
}

/// Why the guest trapped: the innermost cause, without the backtrace.
fn reason(error: &wasmtime::Error) -> String {
    error.root_cause().to_string()
}
