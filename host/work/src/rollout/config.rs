//! Settings of gray tasks.

use berth_store::admission::MOST_FAILURES;

const RECORD_DEVICES: u32 = 10_000;

/// Settings of gray tasks. All hosts of one database should have the same.
#[derive(Clone, Debug, clap::Args)]
pub struct GrayConfig {
    /// After how many failures of a version, reported by a device, gray tasks do not offer the version to the device any
    /// more when it has another one; 0 for never.
    #[arg(long, env = "BERTH_GRAY_MAX_FAILURES", default_value_t = 3, value_name = "COUNT",
          value_parser = clap::value_parser!(u8).range(0..=i64::from(MOST_FAILURES)))]
    pub gray_max_failures: u8,
    /// How many devices the record of the checks of one MiniApp has at most; beyond that those that asked longest ago go.
    #[arg(long, env = "BERTH_GRAY_RECORD_DEVICES", default_value_t = RECORD_DEVICES, value_name = "COUNT",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub gray_record_devices: u32,
}

impl Default for GrayConfig {
    /// The defaults of the command line.
    fn default() -> Self {
        Self { gray_max_failures: 3, gray_record_devices: RECORD_DEVICES }
    }
}
