//! Policies.

pub mod builtin;
