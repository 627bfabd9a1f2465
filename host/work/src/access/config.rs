//! Settings of how people get in.

use std::time::Duration;

use berth_base::clock::duration;
use berth_model::access::RequireSecondFactor;

/// Settings of sessions. The times hold for sessions that are started from then on, and the rest at once.
#[derive(Clone, Debug, clap::Args)]
pub struct SessionConfig {
    /// After how long a session ends, however much it is used.
    #[arg(long = "session-life", env = "BERTH_SESSION_LIFE", default_value = "336h", value_parser = a_minute_or_more, value_name = "TIME")]
    pub session_life: Duration,
    /// After how long a session ends that nobody uses; at least a minute.
    #[arg(long = "session-idle", env = "BERTH_SESSION_IDLE", default_value = "12h", value_parser = a_minute_or_more, value_name = "TIME")]
    pub session_idle: Duration,
    /// Who has to have a second factor, to sign in by a password: off (nobody has to), admins (of the platform or of any other
    /// place) or all. Whoever has none sets it up before anything else. Without a word it is all.
    #[arg(long, env = "BERTH_REQUIRE_SECOND_FACTOR", default_value = "off", num_args = 0..=1, default_missing_value = "all", value_name = "WHO")]
    pub require_second_factor: RequireSecondFactor,
}

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Default for SessionConfig {
    /// The defaults of the command line.
    fn default() -> Self {
        Self { session_life: 14 * DAY, session_idle: DAY / 2, require_second_factor: RequireSecondFactor::Off }
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
        let SessionConfig { session_life, session_idle, .. } = SessionConfig::default();
        assert_eq!((a_minute_or_more("336h"), a_minute_or_more("12h")), (Ok(session_life), Ok(session_idle)));
        assert!(a_minute_or_more("59s").is_err() && a_minute_or_more("soon").is_err());
    }
}
