//! Settings of how people get in.

use std::time::Duration;

use berth_base::clock::duration;

/// Settings of sessions. They hold for sessions that are started from then on.
#[derive(Clone, Debug, clap::Args)]
pub struct SessionConfig {
    /// After how long a session ends, however much it is used.
    #[arg(long = "session-life", env = "BERTH_SESSION_LIFE", default_value = "336h", value_parser = a_minute_or_more, value_name = "TIME")]
    pub life: Duration,
    /// After how long a session ends that nobody uses; at least a minute.
    #[arg(long = "session-idle", env = "BERTH_SESSION_IDLE", default_value = "12h", value_parser = a_minute_or_more, value_name = "TIME")]
    pub idle: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Default for SessionConfig {
    /// The defaults of the command line.
    fn default() -> Self {
        Self { life: 14 * DAY, idle: DAY / 2 }
    }
}

/// When somebody uses a session is noted to the minute, so that a shorter time would mean nothing.
fn a_minute_or_more(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    if time < Duration::from_secs(60) { Err("expected a minute or more".into()) } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_command_line_and_a_session_lasts_a_minute_at_least() {
        let SessionConfig { life, idle } = SessionConfig::default();
        assert_eq!((a_minute_or_more("336h"), a_minute_or_more("12h")), (Ok(life), Ok(idle)));
        assert!(a_minute_or_more("59s").is_err() && a_minute_or_more("soon").is_err());
    }
}
