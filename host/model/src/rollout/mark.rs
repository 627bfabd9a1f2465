//! Marks record what became of an admitted device: it downloaded the package, it runs the version, the version failed
//! (G8). Only the first mark of each kind is kept for a device.
//!
//! A background worker writes marks in batches, so that requests do not wait for them. They are telemetry: when a host
//! is killed, the marks of its last moments are lost.

use berth_base::text::text_enum;

text_enum! {
    /// What became of a device that a gray task has admitted.
    Mark {
        /// The device fetched the package.
        Downloaded = "downloaded",
        /// The device runs the version.
        Running = "running",
        /// The version failed on the device.
        Failed = "failed",
    }
}

impl Mark {
    /// The bit of this mark in a set of marks.
    pub fn bit(self) -> u8 {
        1 << self as u8
    }
}
