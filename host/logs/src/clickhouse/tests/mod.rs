//! The store on ClickHouse: what several hosts do to each other, and what becomes of entries when the server fails. Most of
//! it is tried on a real server; where one cannot be made to misbehave, a stand-in does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

mod faults;
mod hosts;
mod stand_in;
