//! Settings of the host: one struct for each concern, each setting by flag or by environment.

use std::{net::SocketAddr, path::PathBuf};

use crate::{api::serve::ServeConfig, blob::BlobConfig, package::Limits, store::DbConfig};

/// All settings of `berth serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct Config {
    /// Where everything lives that is not elsewhere by --database-url and --blob-url.
    #[arg(long, env = "BERTH_DATA_DIR", default_value = "berth-data", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Where compiled policies and copies of blobs are kept between starts; by default the folder `cache` in the data folder.
    #[arg(long, env = "BERTH_CACHE_DIR", value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,

    /// Where to listen. Put a TLS proxy before anything but loopback.
    #[arg(long, env = "BERTH_LISTEN", default_value = "127.0.0.1:7070", value_name = "ADDR")]
    pub listen: SocketAddr,

    #[command(flatten)]
    /// The database.
    pub db: DbConfig,

    #[command(flatten)]
    /// The blob store.
    pub blobs: BlobConfig,

    #[command(flatten)]
    /// Limits of packages.
    pub package: Limits,

    #[command(flatten)]
    /// Limits of the HTTP listener.
    pub http: ServeConfig,
}

impl Config {
    /// Where compiled policies and copies of blobs are kept between starts.
    pub fn cache(&self) -> PathBuf {
        self.cache_dir.clone().unwrap_or_else(|| self.data_dir.join("cache"))
    }
}
