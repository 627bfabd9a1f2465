//! Policies: sandboxed wasm components that judge versions, choose devices and watch releases. This crate alone uses
//! wasmtime, and shows none of its types.
//!
//! An upload is checked, compiled once by its digest in a child process, and kept as machine code. Every evaluation runs
//! under a deadline and limits of memory, tables, stack, output and log: of auditors and guards on a fresh instance, of
//! grayscale policies on one that may have judged before. It ends in one of four [`Outcome`]s, of which only one is a
//! judgement.

pub mod builtin;
mod cache;
mod child;
mod compile;
mod configured;
mod deep;
mod description;
mod engine;
mod foreign;
mod gate;
mod guest;
mod installed;
mod lists;
mod metadata;
mod patience;
mod pulse;
mod resting;
mod run;
mod schema;
mod settings;
mod slots;
mod subject;
mod system;
mod worlds;

#[cfg(any(test, feature = "testing"))]
#[allow(
    missing_docs,
    clippy::expect_used,
    clippy::new_without_default,
    reason = "a part of tests, which may fail loudly"
)]
pub mod testing;
#[cfg(test)]
mod tests;

pub use child::compile_child_main;
pub use compile::{CompileLimits, Compiler};
pub use configured::{BoundAuditor, BoundGrayscale, BoundGuard};
pub use engine::{AUDITS_AT_ONCE, Engine, EngineConfig, GUARDS_AT_ONCE, PoolUsage};
pub use gate::{admit, exports, imports};
pub use installed::Policy;
pub use lists::named_lists;
pub use metadata::{metadata, with_metadata};
pub use patience::say_if_slow;
pub use subject::Subject;

use berth_model::policy::{
    Advice, Cohorts, Contents, Description, Evaluation, Finding, GrayDevice, GrayTask, GrayVerdict, Health, Limit,
    Limits, LogLevel, LogLine, Outcome, PackageFile, PolicyKind, PolicyMetadata, ReadError,
};
