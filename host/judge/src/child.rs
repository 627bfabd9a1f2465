//! The child process that compiles one uploaded policy.

use std::{fs, io::Write as _, process::ExitCode};

use rustix::process::{Resource, Rlimit, nice, setrlimit};

use super::compile::{CompileLimits, Job, REFUSED, Refusal, compile};
use berth_base::error::{Code, Error};

/// Compiles one policy: the main function of a child process, whose last argument is the job as JSON. The host starts
/// itself with a hidden subcommand to get here; the command is of no use to people.
pub fn compile_child_main() -> ExitCode {
    let Some(job) = std::env::args().next_back().and_then(|job| serde_json::from_str::<Job>(&job).ok()) else {
        return report("This command is the host's own: it takes a job as JSON.", ExitCode::FAILURE);
    };
    match restrict(&job.limits).and_then(|()| work(&job)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) if e.code == Code::PolicyInvalid => refuse(e),
        Err(e) => report(&format!("{e:?}"), ExitCode::FAILURE),
    }
}

/// Lowers the limits of this process for good, and its priority below that of everything that serves requests.
fn restrict(limits: &CompileLimits) -> Result<(), Error> {
    let most = |value| Rlimit { current: Some(value), maximum: Some(value) };
    for (resource, value) in [
        (Resource::Cpu, limits.cpu_seconds),
        (Resource::As, limits.memory_bytes),
        (Resource::Fsize, limits.code_bytes),
        (Resource::Core, 0),
    ] {
        setrlimit(resource, most(value)).map_err(Error::internal)?;
    }
    nice(10).map(drop).map_err(Error::internal)
}

fn work(job: &Job) -> Result<(), Error> {
    let wasm = fs::read(&job.input).map_err(Error::internal)?;
    let compiled = compile(&wasm)?;
    fs::write(&job.output, compiled.to_bytes()).map_err(Error::internal)
}

fn refuse(error: Error) -> ExitCode {
    let refusal = Refusal { detail: error.detail, fields: error.fields };
    report(&serde_json::to_string(&refusal).unwrap_or_default(), ExitCode::from(REFUSED))
}

fn report(text: &str, code: ExitCode) -> ExitCode {
    // Nobody to tell when it fails: the parent sees the exit code.
    let _ = std::io::stderr().write_all(text.as_bytes());
    code
}
