//! Settings of the host: one struct for each concern. Each setting is a flag or an environment variable.

use std::path::PathBuf;

use berth_logs::LogConfig;
use berth_package::Limits;
use berth_store::{DbConfig, blob::BlobConfig, seal::SealConfig};

use crate::{
    access::{ProviderConfig, SessionConfig},
    act::ActConfig,
    endpoint::fulfilment::listen::ListenConfig,
    event::{deliver::WebhookConfig, retain::EventConfig},
    log::LogExportConfig,
    nats::NatsConfig,
    policy::registry::RegistryConfig,
    rollout::GrayConfig,
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

    /// The address by which others reach this host, such as https://berth.example: events name it as their source, and
    /// WeChat sends merchants back to it.
    #[arg(long, env = "BERTH_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// How long people stay signed in.
    #[command(flatten)]
    pub sessions: SessionConfig,

    /// Where people may sign in besides.
    #[command(flatten)]
    pub provider: ProviderConfig,

    /// Limits of packages.
    #[command(flatten)]
    pub package: Limits,

    /// Settings of gray tasks.
    #[command(flatten)]
    pub gray: GrayConfig,

    /// How events are delivered to webhooks.
    #[command(flatten)]
    pub webhooks: WebhookConfig,

    /// The registries from which policies are pulled.
    #[command(flatten)]
    pub registries: RegistryConfig,

    /// How long events are kept.
    #[command(flatten)]
    pub events: EventConfig,

    /// How long acts are kept.
    #[command(flatten)]
    pub acts: ActConfig,

    /// The NATS server to which events are published.
    #[command(flatten)]
    pub nats: NatsConfig,

    /// Where fulfilment messages come from, in addition to the API.
    #[command(flatten)]
    pub listen_to: ListenConfig,

    /// Settings of real-time logs.
    #[command(flatten)]
    pub logs: LogConfig,

    /// Where real-time logs are exported to.
    #[command(flatten)]
    pub log_export: LogExportConfig,

    /// Settings of WeChat's third-party platform.
    #[command(flatten)]
    pub wechat: WechatConfig,
}

impl Config {
    /// The defaults, for a host whose data is in `storage` and which listens on any free port of loopback.
    pub fn with_defaults(storage: Storage) -> Self {
        Self {
            storage,
            public_url: None,
            sessions: SessionConfig::default(),
            provider: ProviderConfig::default(),
            package: Limits::default(),
            gray: GrayConfig::default(),
            webhooks: WebhookConfig::default(),
            registries: RegistryConfig::default(),
            events: EventConfig::default(),
            acts: ActConfig::default(),
            nats: NatsConfig::default(),
            listen_to: ListenConfig::default(),
            logs: LogConfig::default(),
            log_export: LogExportConfig::default(),
            wechat: WechatConfig::default(),
        }
    }
}
