//! All settings of `berth serve`: those of the host, and those of its HTTP listener.

use std::net::SocketAddr;

use berth_api::serve::ServeConfig;
use berth_work::config::Config;

/// All settings of `berth serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct Settings {
    /// Where to listen. Put a TLS proxy before anything but loopback.
    #[arg(long, env = "BERTH_LISTEN", default_value = DEFAULT_LISTEN, value_name = "ADDR")]
    pub listen: SocketAddr,

    /// What the host does.
    #[command(flatten)]
    pub host: Config,

    /// Limits of the HTTP listener.
    #[command(flatten)]
    pub http: ServeConfig,
}

/// The address at which a host listens by default.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:7070";
