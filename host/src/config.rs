//! Settings of the host: one struct for each concern. Each setting is a flag or an environment variable.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use crate::{
    api::serve::ServeConfig,
    blob::BlobConfig,
    endpoint::listen::ListenConfig,
    event::{deliver::WebhookConfig, retain::EventConfig},
    nats::NatsConfig,
    package::Limits,
    seal::SealConfig,
    store::DbConfig,
    wechat::WechatConfig,
};

/// Where a host keeps what it must not lose.
#[derive(Clone, Debug, clap::Args)]
pub struct Storage {
    /// Where everything lives that is not elsewhere by --database-url and --blob-url.
    #[arg(long, env = "BERTH_DATA_DIR", default_value = "berth-data", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Where compiled policies and copies of blobs are kept between starts; by default the folder `cache` in the data folder.
    #[arg(long, env = "BERTH_CACHE_DIR", value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,

    /// Settings of the database.
    #[command(flatten)]
    pub db: DbConfig,

    /// Settings of the blob store.
    #[command(flatten)]
    pub blobs: BlobConfig,

    /// The keys that seal stored secrets.
    #[command(flatten)]
    pub seal: SealConfig,
}

impl Storage {
    /// Settings that keep everything in one folder.
    pub fn in_folder(data_dir: PathBuf) -> Self {
        let (db, blobs, seal) = (DbConfig::default(), BlobConfig::default(), SealConfig::default());
        Self { data_dir, cache_dir: None, db, blobs, seal }
    }

    /// The folder for compiled policies and copies of blobs.
    pub fn cache(&self) -> PathBuf {
        self.cache_dir.clone().unwrap_or_else(|| self.data_dir.join("cache"))
    }
}

/// All settings of `berth serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct Config {
    /// Where data is kept.
    #[command(flatten)]
    pub storage: Storage,

    /// Where to listen. Put a TLS proxy before anything but loopback.
    #[arg(long, env = "BERTH_LISTEN", default_value = DEFAULT_LISTEN, value_name = "ADDR")]
    pub listen: SocketAddr,

    /// The address by which others reach this host, such as https://berth.example: events name it as their source, and
    /// WeChat sends merchants back to it.
    #[arg(long, env = "BERTH_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// Limits of packages.
    #[command(flatten)]
    pub package: Limits,

    /// Limits of the HTTP listener.
    #[command(flatten)]
    pub http: ServeConfig,

    /// How events are delivered to webhooks.
    #[command(flatten)]
    pub webhooks: WebhookConfig,

    /// How long events are kept.
    #[command(flatten)]
    pub events: EventConfig,

    /// The NATS server to which events are published.
    #[command(flatten)]
    pub nats: NatsConfig,

    /// Where fulfilment messages come from, in addition to the API.
    #[command(flatten)]
    pub listen_to: ListenConfig,

    /// Settings of WeChat's third-party platform.
    #[command(flatten)]
    pub wechat: WechatConfig,
}

/// The address at which a host listens by default.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:7070";

impl Config {
    /// The defaults, for a host whose data is in `storage` and which listens on any free port of loopback.
    pub fn with_defaults(storage: Storage) -> Self {
        Self {
            storage,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_url: None,
            package: Limits::default(),
            http: ServeConfig::default(),
            webhooks: WebhookConfig::default(),
            events: EventConfig::default(),
            nats: NatsConfig::default(),
            listen_to: ListenConfig::default(),
            wechat: WechatConfig::default(),
        }
    }
}

/// Reads a positive duration as settings have it, such as `10s`, `300ms`, `2m` or `24h`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let rule = "expected a time such as 10s, 300ms or 2m";
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| rule)?;
    Duration::try_from(parsed).ok().filter(|time| !time.is_zero()).ok_or_else(|| rule.into())
}
