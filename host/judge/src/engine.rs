//! The engine: admits uploads, compiles each once by its digest, and keeps the policies that are in use in memory.

use std::{
    collections::HashMap,
    future::Future,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::Semaphore;
use wasmtime::component::{Component, Linker};

use super::{
    CompileLimits, Compiler, Policy, PolicyKind, builtin,
    cache::{Cache, Compiled},
    compile::internal,
    deep, gate,
    guest::Guest,
    installed::{Judge, Seats},
    patience::say_if_slow,
    pulse::Pulse,
    resting::Resting,
    run::Program,
    settings,
    slots::Slots,
    system,
    worlds::{World, auditor::Auditor, grayscale::Grayscale, guard::Guard},
};
use berth_base::{
    error::{Code, Error, Result},
    ids::Digest,
};

/// How many versions a host judges at the same time. Each evaluation has a thread, which competes with checks for
/// processors, and may take much memory.
pub const AUDITS_AT_ONCE: usize = 4;

/// How many guards of gray tasks a host asks at the same time.
pub const GUARDS_AT_ONCE: usize = 2;

/// How many evaluations may run besides those of audits and of gray tasks: those of replays.
const REPLAYS_AT_ONCE: usize = 2;

/// How many instances of grayscale policies wait for further questions, besides those that judge.
const RESTING: u32 = 32;

/// The settings of an [`Engine`].
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// The folder of compiled policies. Nobody but the host may be able to write there, as its files run as machine
    /// code.
    pub cache_dir: PathBuf,
    /// How uploads are compiled.
    pub compiler: Compiler,
    /// How much compiling one upload may use.
    pub compile_limits: CompileLimits,
    /// How many grayscale evaluations may run at the same time; further ones wait.
    pub grayscale_slots: u32,
    /// How many audits and guards may run at the same time; further ones wait.
    pub audit_slots: usize,
}

impl EngineConfig {
    /// The defaults: 64 grayscale evaluations at the same time; [`AUDITS_AT_ONCE`] audits, [`GUARDS_AT_ONCE`] guards, and
    /// those of a replay besides.
    pub fn new(cache_dir: PathBuf, compiler: Compiler) -> Self {
        Self {
            cache_dir,
            compiler,
            compile_limits: CompileLimits::default(),
            grayscale_slots: 64,
            audit_slots: AUDITS_AT_ONCE + GUARDS_AT_ONCE + REPLAYS_AT_ONCE,
        }
    }
}

/// Compiles policies and makes them ready to run. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    config: EngineConfig,
    grayscale: wasmtime::Engine,
    audit: wasmtime::Engine,
    cache: Cache,
    /// Lets one compilation run at a time, as it uses all processors by itself.
    compiling: Semaphore,
    seats: Arc<Seats>,
    pulse: Arc<Pulse>,
    known: Mutex<HashMap<Digest, Arc<Known>>>,
}

/// A policy that is loaded or being loaded. Whoever holds the lock loads it; others wait for the result.
type Known = tokio::sync::Mutex<Weak<Policy>>;

/// How much of the pool for grayscale policies is in use, for metrics.
#[derive(Clone, Copy, Debug)]
pub struct PoolUsage {
    /// The instances that run.
    pub instances: usize,
    /// The instances that wait to be asked again.
    pub resting: usize,
    /// The linear memories that are in use.
    pub memories: usize,
    /// How many instances may run at the same time.
    pub slots: u32,
}

impl Engine {
    /// Opens the cache of compiled policies and starts the thread that enforces deadlines.
    ///
    /// # Errors
    /// `internal` when the folder cannot be opened, or wasmtime refuses the settings.
    pub fn new(config: EngineConfig) -> Result<Self> {
        let places = config.grayscale_slots.saturating_add(RESTING);
        let grayscale = settings::grayscale(places).map_err(internal)?;
        let audit = settings::audit().map_err(internal)?;
        let cache = Cache::open(&config.cache_dir, settings::fingerprint(&grayscale)).map_err(Error::internal)?;
        let pulse = Pulse::start(vec![grayscale.clone(), audit.clone()]).map_err(Error::internal)?;
        let seats = Seats {
            grayscale: Slots::new(config.grayscale_slots),
            resting: Resting::new(RESTING as usize),
            audit: Arc::new(Semaphore::new(config.audit_slots)),
        };
        Ok(Self(Arc::new(Inner {
            config,
            grayscale,
            audit,
            cache,
            compiling: Semaphore::new(1),
            seats: Arc::new(seats),
            pulse: Arc::new(pulse),
            known: Mutex::default(),
        })))
    }

    /// Admits an upload: refuses what is not a policy, compiles what is, and asks the policy for its description. Only
    /// the compiled code is kept, where [`Engine::load`] finds it.
    ///
    /// # Errors
    /// `policy-invalid`, `policy-compile`, and `body-too-large` for wasm over the limit.
    pub async fn inspect(&self, wasm: Vec<u8>) -> Result<Arc<Policy>> {
        let (digest, wasm) = apart(move || Ok((Digest::of(&wasm), wasm))).await?;
        self.load(&digest, async { Ok(wasm) }).await
    }

    /// The policy with this digest: from memory, from the cache, or compiled from the bytes that `wasm` gives, which is
    /// awaited only then. Concurrent calls compile it once.
    ///
    /// # Errors
    /// Those of `wasm` and of [`Engine::inspect`]; `policy-invalid` also when the bytes have another digest.
    pub async fn load(&self, digest: &Digest, wasm: impl Future<Output = Result<Vec<u8>>>) -> Result<Arc<Policy>> {
        let known = self.known(digest);
        let mut known = known.lock().await;
        if let Some(policy) = known.upgrade() {
            return Ok(policy);
        }
        let policy = Arc::new(self.open(digest, wasm).await?);
        *known = Arc::downgrade(&policy);
        Ok(policy)
    }

    /// How much of the pool for grayscale policies is in use.
    pub fn pool_usage(&self) -> PoolUsage {
        let metrics = self.0.grayscale.pooling_allocator_metrics();
        let living = metrics.as_ref().map_or(0, |m| m.component_instances() as usize);
        let resting = self.0.seats.resting.count();
        PoolUsage {
            instances: living.saturating_sub(resting),
            resting,
            memories: metrics.as_ref().map_or(0, |m| m.memories()),
            slots: self.0.config.grayscale_slots,
        }
    }

    fn known(&self, digest: &Digest) -> Arc<Known> {
        let mut all = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        // What nobody uses or loads any more is forgotten here, so that the map stays as small as the set in use.
        all.retain(|_, known| Arc::strong_count(known) > 1 || known.try_lock().is_ok_and(|p| p.strong_count() > 0));
        all.entry(digest.clone()).or_default().clone()
    }

    async fn open(&self, digest: &Digest, wasm: impl Future<Output = Result<Vec<u8>>>) -> Result<Policy> {
        let (engine, id) = (self.clone(), digest.clone());
        if let Some(policy) = apart(move || engine.revive(&id).transpose()).await? {
            return Ok(policy);
        }
        let compiled = self.compile(digest, wasm.await?).await?;
        let (engine, id) = (self.clone(), digest.clone());
        apart(move || engine.keep(&id, &compiled)).await
    }

    async fn compile(&self, digest: &Digest, wasm: Vec<u8>) -> Result<Compiled> {
        let id = digest.clone();
        let wasm = apart(move || if Digest::of(&wasm) == id { Ok(wasm) } else { Err(damaged(&id)) }).await?;
        let _turn = self.0.compiling.acquire().await.map_err(Error::internal)?;
        let Inner { config, cache, .. } = &*self.0;
        let work = config.compiler.run(wasm, &config.compile_limits, cache);
        say_if_slow(work, || tracing::info!(target: "berth::compiling", "{}", builtin::compiling(digest))).await
    }

    /// The policy from the code of an earlier compilation; `None` when there is no code that this wasmtime can load.
    fn revive(&self, digest: &Digest) -> Option<Result<Policy>> {
        let compiled = self.0.cache.read(digest)?;
        match self.component(&compiled) {
            Ok(component) => Some(self.prepare(digest, compiled.kind, &component)),
            Err(e) => {
                tracing::warn!(policy = %digest, "a compiled policy does not load and is compiled again: {e:#}");
                None
            }
        }
    }

    /// The policy from code that was just compiled. The code is cached once the policy has proved to be usable.
    fn keep(&self, digest: &Digest, compiled: &Compiled) -> Result<Policy> {
        let component = self.component(compiled).map_err(|e| gate::refuse(format_args!("{e:#}.")))?;
        let policy = self.prepare(digest, compiled.kind, &component)?;
        self.0.cache.write(digest, compiled).map_err(Error::internal)?;
        Ok(policy)
    }

    fn engine(&self, kind: PolicyKind) -> &wasmtime::Engine {
        match kind {
            PolicyKind::Grayscale => &self.0.grayscale,
            PolicyKind::Auditor | PolicyKind::Guard => &self.0.audit,
        }
    }

    fn component(&self, compiled: &Compiled) -> wasmtime::Result<Component> {
        // SAFETY: the code was made by this very compiler from checked wasm, in our child or process, or read from our
        // own folder and found intact, under a name that holds the compiler's fingerprint. No upload comes here.
        let component = unsafe { Component::deserialize(self.engine(compiled.kind), &compiled.code) }?;
        component.initialize_copy_on_write_image()?;
        Ok(component)
    }

    fn prepare(&self, digest: &Digest, kind: PolicyKind, component: &Component) -> Result<Policy> {
        Policy::prepare(digest.clone(), self.judge(kind, component)?, self.0.seats.clone())
    }

    fn judge(&self, kind: PolicyKind, component: &Component) -> Result<Judge> {
        Ok(match kind {
            PolicyKind::Auditor => Judge::Auditor(self.link::<Auditor>(kind, component)?),
            PolicyKind::Grayscale => Judge::Grayscale(self.link::<Grayscale>(kind, component)?),
            PolicyKind::Guard => Judge::Guard(self.link::<Guard>(kind, component)?),
        })
    }

    fn link<W: World>(&self, kind: PolicyKind, component: &Component) -> Result<Arc<Program<W>>> {
        let engine = self.engine(kind);
        let mut linker = Linker::<Guest>::new(engine);
        W::grant(&mut linker).and_then(|()| system::deny(&mut linker, engine, component)).map_err(internal)?;
        let program = Program::link(&linker, component, self.0.pulse.clone());
        program.map(Arc::new).map_err(|e| gate::refuse(format_args!("it does not fit this host's wit/: {e:#}.")))
    }
}

/// Runs blocking work (disk, hashing, guests) away from the threads that serve requests.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    deep::apart(work).await?
}

fn damaged(digest: &Digest) -> Error {
    let text = format!("The stored wasm of policy {digest} is damaged: it has another digest. Upload it again.");
    Error::new(Code::PolicyInvalid, text)
}
