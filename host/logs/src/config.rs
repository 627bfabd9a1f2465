//! Settings of real-time logs.

use std::time::Duration;

use berth_base::clock::duration;
use berth_model::log::DayLimits;

/// Settings of real-time logs.
#[derive(Clone, Debug, clap::Args)]
pub struct LogConfig {
    /// Where logs are kept: postgres://… for a PostgreSQL database, http(s)://user:password@host:8123/database for a
    /// ClickHouse server. When not given: in the data folder, or in the host's own PostgreSQL, with connections of their own.
    #[arg(long, env = "BERTH_LOG_URL", hide_env_values = true, value_name = "URL")]
    pub log_url: Option<String>,

    /// Number of connections to the log store for reading.
    #[arg(long, env = "BERTH_LOG_CONNECTIONS", default_value_t = CONNECTIONS, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub log_connections: u32,

    /// Days of logs that are kept, today included.
    #[arg(long, env = "BERTH_LOG_KEEP_DAYS", default_value_t = KEEP_DAYS, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub log_keep_days: u32,

    /// How many MiB of logs are kept; the oldest days go first.
    #[arg(long, env = "BERTH_LOG_KEEP_MIB", default_value_t = KEEP_MIB, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..))]
    pub log_keep_mib: u64,

    /// How many bytes an entry has, at most.
    #[arg(long, env = "BERTH_LOG_ENTRY_BYTES", default_value_t = ENTRY_BYTES, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(256..=1 << 20))]
    pub log_entry_bytes: u64,

    /// How many entries of one MiniApp are kept of a day, at most.
    #[arg(long, env = "BERTH_LOG_DAY_ENTRIES", default_value_t = DAY_ENTRIES, value_name = "COUNT")]
    pub log_day_entries: u64,

    /// How many MiB of entries, of all MiniApps together, are taken on a day, at most.
    #[arg(long, env = "BERTH_LOG_DAY_MIB", default_value_t = DAY_MIB, value_name = "MIB")]
    pub log_day_mib: u64,

    /// How many MiB of entries may wait to be written; further ones are refused with 503 until there is room.
    #[arg(long, env = "BERTH_LOG_QUEUE_MIB", default_value_t = QUEUE_MIB, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub log_queue_mib: u32,

    /// How long a search looks before it answers with what it has found, and where to go on.
    #[arg(long, env = "BERTH_LOG_SEARCH", default_value = "2s", value_parser = duration, value_name = "TIME")]
    pub log_search: Duration,

    /// How long entries settle in ClickHouse before they are followed: 1 second to 1 minute. An entry that is not stored
    /// within two thirds of it is refused with 503; the rest is how much the clocks of hosts may differ.
    #[arg(long, env = "BERTH_LOG_SETTLE", default_value = "3s", value_parser = settle, value_name = "TIME")]
    pub log_settle: Duration,
}

fn settle(text: &str) -> Result<Duration, String> {
    let known = duration(text)?;
    let allowed = Duration::from_secs(1)..=Duration::from_secs(60);
    Some(known).filter(|time| allowed.contains(time)).ok_or_else(|| "expected 1s to 60s".to_owned())
}

const CONNECTIONS: u32 = 4;
const KEEP_DAYS: u32 = 7;
const KEEP_MIB: u64 = 20 << 10;
const ENTRY_BYTES: u64 = 16 << 10;
const DAY_ENTRIES: u64 = 5_000_000;
const DAY_MIB: u64 = 8 << 10;
const QUEUE_MIB: u32 = 64;

impl Default for LogConfig {
    /// The defaults of the command line.
    fn default() -> Self {
        Self {
            log_url: None,
            log_connections: CONNECTIONS,
            log_keep_days: KEEP_DAYS,
            log_keep_mib: KEEP_MIB,
            log_entry_bytes: ENTRY_BYTES,
            log_day_entries: DAY_ENTRIES,
            log_day_mib: DAY_MIB,
            log_queue_mib: QUEUE_MIB,
            log_search: Duration::from_secs(2),
            log_settle: Duration::from_secs(3),
        }
    }
}

impl LogConfig {
    /// What a day may take.
    pub fn day_limits(&self) -> DayLimits {
        DayLimits { mini_app_entries: self.log_day_entries, bytes: self.log_day_mib.saturating_mul(1 << 20) }
    }

    /// How many bytes are kept.
    pub fn keep_bytes(&self) -> u64 {
        self.log_keep_mib.saturating_mul(1 << 20)
    }
}
