//! All black-box tests, linked once. Their names begin with the number of the rule, invariant or fault that they prove.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test may fail loudly")]

mod access;
mod downloads;
mod gray;
mod gray_policies;
mod intruders;
mod policies;
mod releases;
mod s3;
mod samples;
mod versions;
mod wechat;
