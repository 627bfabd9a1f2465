//! A policy's own words, kept with the evaluation. The host bounds them in lines and in bytes.

use crate::bindings::berth::policy::log::Level;

/// For whoever develops the policy.
pub fn debug(message: impl AsRef<str>) {
    write(Level::Debug, message.as_ref());
}

/// For whoever reads the evaluation.
pub fn info(message: impl AsRef<str>) {
    write(Level::Info, message.as_ref());
}

/// Something is not as it should be.
pub fn warn(message: impl AsRef<str>) {
    write(Level::Warn, message.as_ref());
}

#[cfg(target_arch = "wasm32")]
fn write(level: Level, message: &str) {
    crate::bindings::berth::policy::log::write(level, message);
}

/// There is no host in a native test.
#[cfg(not(target_arch = "wasm32"))]
fn write(_: Level, _: &str) {}
