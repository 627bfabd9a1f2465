#![expect(clippy::unwrap_used, reason = "tests say what they expect by unwrapping")]

mod bench;
mod child;
mod config;
mod faults;
mod frozen;
mod gate;
mod resting;
mod smith;
mod verdicts;
