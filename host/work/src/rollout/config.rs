//! Settings of gray tasks.

use berth_store::admission::MOST_FAILURES;

/// Settings of gray tasks. All hosts of one database should have the same.
#[derive(Clone, Debug, clap::Args)]
pub struct GrayConfig {
    /// After how many failures of a version, reported by a device, gray tasks do not offer the version to the device any
    /// more when it has another one; 0 for never.
    #[arg(long, env = "BERTH_GRAY_MAX_FAILURES", default_value_t = 3, value_name = "COUNT",
          value_parser = clap::value_parser!(u8).range(0..=i64::from(MOST_FAILURES)))]
    pub gray_max_failures: u8,
}

impl Default for GrayConfig {
    /// The defaults of the command line.
    fn default() -> Self {
        Self { gray_max_failures: 3 }
    }
}
