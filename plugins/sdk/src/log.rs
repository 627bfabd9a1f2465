//! The log of a policy, which is kept with the evaluation. When it exceeds the host's limit of lines or bytes, the
//! evaluation ends without a verdict.

use crate::bindings::berth::policy::log::Level;

/// Writes a line for the developer of the policy.
pub fn debug(message: impl AsRef<str>) {
    write(Level::Debug, message.as_ref());
}

/// Writes a line for whoever reads the evaluation.
pub fn info(message: impl AsRef<str>) {
    write(Level::Info, message.as_ref());
}

/// Writes a line about something that is not as the policy expects.
pub fn warn(message: impl AsRef<str>) {
    write(Level::Warn, message.as_ref());
}

#[cfg(target_arch = "wasm32")]
fn write(level: Level, message: &str) {
    crate::bindings::berth::policy::log::write(level, message);
}

/// Does nothing, as there is no host in a native test.
#[cfg(not(target_arch = "wasm32"))]
fn write(_: Level, _: &str) {}
