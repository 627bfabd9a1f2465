//! Marks record what became of an admitted device: it downloaded the package, it runs the version, the version failed
//! (G8). For each device the time of the first mark of each kind is kept, and whether it runs the version or the version
//! failed on it: a device is in one of these states, that of the last mark. Failures are also kept one by one, as a device
//! on which the version fails too often is not offered it any more (G15).
//!
//! A background worker writes marks in batches, so that requests do not wait for them. They are telemetry: when a host
//! is killed, the marks of its last moments are lost.

use berth_base::text::text_enum;

text_enum! {
    /// What became of a device that a gray task has admitted.
    Mark {
        /// The device fetched the package: the last byte of it was sent.
        Downloaded = "downloaded",
        /// The device runs the version.
        Running = "running",
        /// The version failed on the device. Each such report counts (G15).
        Failed = "failed",
    }
}

impl Mark {
    /// The bit of this mark in a set of marks.
    pub fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The column of the time at which a device got its first mark of this kind.
    pub fn column(self) -> &'static str {
        match self {
            Self::Downloaded => "downloaded_at",
            Self::Running => "running_at",
            Self::Failed => "failed_at",
        }
    }
}
