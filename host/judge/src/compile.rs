//! Compiles uploads to machine code. Compiling foreign wasm may take as much time and memory as its author likes, so it
//! happens in a child process with limits, which can be killed.

use std::{path::PathBuf, process::Stdio, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::{io::AsyncReadExt as _, process::Command};

use super::{
    cache::{Cache, Compiled},
    gate, settings,
};
use berth_base::error::{Code, Error, Result};

/// How uploads are compiled.
#[derive(Clone, Debug)]
pub enum Compiler {
    /// In a child process, as a host does. The child calls [`super::compile_child_main`], which reads the job from the
    /// last argument.
    Child {
        /// The program to start, usually the host's own.
        program: PathBuf,
        /// The arguments before the job, such as `compile-policy`.
        arguments: Vec<String>,
    },
    /// In this process, without limits: for an author's own policy on the author's own machine (`berth policy test`).
    InProcess,
}

/// How much compiling one upload may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CompileLimits {
    /// Bytes that the wasm may have.
    pub wasm_bytes: u64,
    /// Seconds of CPU time, of all threads together.
    pub cpu_seconds: u64,
    /// Seconds of elapsed time.
    pub wall_seconds: u64,
    /// Bytes of address space.
    pub memory_bytes: u64,
    /// Bytes that the machine code may have.
    pub code_bytes: u64,
}

impl Default for CompileLimits {
    /// Enough for a JavaScript engine or a Python interpreter (12 to 20 MB of wasm, which take 24 s), with room to
    /// spare.
    fn default() -> Self {
        Self { wasm_bytes: 32 << 20, cpu_seconds: 120, wall_seconds: 180, memory_bytes: 4 << 30, code_bytes: 256 << 20 }
    }
}

/// The job of a child process.
#[derive(Serialize, Deserialize)]
pub(super) struct Job {
    pub input: PathBuf,
    pub output: PathBuf,
    pub limits: CompileLimits,
}

/// What a child process reports when it refuses the wasm. Any other end of it is a failure to compile.
#[derive(Serialize, Deserialize)]
pub(super) struct Refusal {
    pub detail: String,
    pub fields: serde_json::Map<String, serde_json::Value>,
}

/// The exit code of a child process that refuses the wasm.
pub(super) const REFUSED: u8 = 2;

/// How many bytes of a refusal the parent reads.
const MAX_REFUSAL: u64 = 64 * 1024;

/// Compiles an upload in this process: admits it, makes a component of it, and compiles that.
pub(super) fn compile(wasm: &[u8]) -> Result<Compiled> {
    let (component, kind) = gate::admit(wasm)?;
    let engine = settings::compiler().map_err(internal)?;
    let code = engine.precompile_component(&component).map_err(|e| gate::refuse(format_args!("{e:#}.")))?;
    Ok(Compiled { kind, code })
}

/// The error `internal` of a wasmtime error, which is no `std` error.
pub(super) fn internal(error: wasmtime::Error) -> Error {
    Error::internal(anyhow::anyhow!("{error:?}"))
}

impl Compiler {
    /// A compiler that starts the program of this process, which must understand the subcommand `compile-policy`.
    pub fn this_program() -> Result<Self> {
        let program = std::env::current_exe().map_err(Error::internal)?;
        Ok(Self::Child { program, arguments: vec!["compile-policy".into()] })
    }

    /// Compiles an upload.
    pub(super) async fn run(&self, wasm: Vec<u8>, limits: &CompileLimits, cache: &Cache) -> Result<Compiled> {
        check_size(&wasm, limits)?;
        gate::glance(&wasm)?;
        match self {
            Self::InProcess => tokio::task::spawn_blocking(move || compile(&wasm)).await.map_err(|_| gave_up())?,
            Self::Child { program, arguments } => {
                let work = cache.workplace().map_err(Error::internal)?;
                let job =
                    Job { input: work.path().join("wasm"), output: work.path().join("code"), limits: limits.clone() };
                tokio::fs::write(&job.input, &wasm).await.map_err(Error::internal)?;
                drop(wasm);
                delegate(Command::new(program).args(arguments), &job).await?;
                let bytes = tokio::fs::read(&job.output).await.map_err(Error::internal)?;
                Compiled::from_bytes(&bytes).ok_or_else(gave_up)
            }
        }
    }
}

fn check_size(wasm: &[u8], limits: &CompileLimits) -> Result<()> {
    if wasm.len() as u64 <= limits.wasm_bytes {
        return Ok(());
    }
    let text = format!(
        "The wasm has {} bytes, the limit is {}, and nothing raises it. Build it for release, and strip it.",
        wasm.len(),
        limits.wasm_bytes
    );
    Err(Error::new(Code::BodyTooLarge, text).with("limit", limits.wasm_bytes))
}

/// Runs a child process until it ends, or kills it when its time is over. It inherits neither environment nor input.
async fn delegate(command: &mut Command, job: &Job) -> Result<()> {
    let task = serde_json::to_string(job).map_err(Error::internal)?;
    let mut child = command
        .arg(task)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(Error::internal)?;
    let ended = async {
        let mut said = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            stderr.take(MAX_REFUSAL).read_to_end(&mut said).await?;
        }
        Ok::<_, std::io::Error>((child.wait().await?, said))
    };
    match tokio::time::timeout(Duration::from_secs(job.limits.wall_seconds), ended).await {
        Err(_) => Err(too_long(&job.limits)),
        Ok(Err(e)) => Err(Error::internal(e)),
        Ok(Ok((status, _))) if status.success() => Ok(()),
        Ok(Ok((status, said))) if status.code() == Some(REFUSED.into()) => Err(refusal(&said)),
        Ok(Ok((status, said))) => {
            tracing::info!(%status, said = %String::from_utf8_lossy(&said), "a policy could not be compiled");
            Err(too_much(&job.limits))
        }
    }
}

fn refusal(said: &[u8]) -> Error {
    match serde_json::from_slice::<Refusal>(said) {
        Ok(Refusal { detail, fields }) => Error { fields, ..Error::new(Code::PolicyInvalid, detail) },
        Err(_) => gave_up(),
    }
}

fn gave_up() -> Error {
    Error::new(Code::PolicyCompile, "The compiler gave up on this wasm. Check it with `wasm-tools validate`.")
}

fn too_long(limits: &CompileLimits) -> Error {
    let text = format!(
        "Compiling the policy did not end within {} s. If the machine was busy or asleep, try again; otherwise make the policy smaller.",
        limits.wall_seconds
    );
    Error::new(Code::PolicyCompile, text).with("limits", limits)
}

fn too_much(limits: &CompileLimits) -> Error {
    let text = format!(
        "Compiling the policy took more than {} s of CPU, {} bytes of memory or {} bytes of code, or broke the compiler. Make it smaller.",
        limits.cpu_seconds, limits.memory_bytes, limits.code_bytes
    );
    Error::new(Code::PolicyCompile, text).with("limits", limits)
}
