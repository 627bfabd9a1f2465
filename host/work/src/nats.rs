//! The connection to NATS JetStream, for all parts that publish to it or listen to it.

use std::{path::PathBuf, time::Duration};

use async_nats::{ConnectOptions, jetstream};

use berth_base::error::{Code, Error, Result};

/// How long connecting, a request or an acknowledgement may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The NATS server to use.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct NatsConfig {
    /// NATS server with JetStream to which every event is published, such as `nats://nats.example:4222`.
    #[arg(long, env = "BERTH_NATS_URL", hide_env_values = true, value_name = "URL")]
    pub nats_url: Option<String>,

    /// File with the credentials for the NATS server, as `nsc` makes it.
    #[arg(long, env = "BERTH_NATS_CREDENTIALS", value_name = "FILE", requires = "nats_url")]
    pub nats_credentials: Option<PathBuf>,
}

/// Connects to the configured server. A lost connection is re-established in the background; requests in the meantime
/// fail after five seconds.
///
/// # Errors
/// `unavailable` when no server is configured, the credentials cannot be read, or the server cannot be reached.
pub async fn connect(config: &NatsConfig) -> Result<jetstream::Context> {
    let Some(url) = &config.nats_url else {
        return Err(Error::new(Code::Unavailable, "No NATS server is configured. Set --nats-url."));
    };
    let options = ConnectOptions::new().name("berth").connection_timeout(PATIENCE).request_timeout(Some(PATIENCE));
    let options = match &config.nats_credentials {
        Some(file) => options.credentials_file(file).await.map_err(|error| {
            let text = format!("The NATS credentials in {} cannot be read: {error}.", file.display());
            Error::new(Code::Unavailable, text)
        })?,
        None => options,
    };
    let client = options.connect(url.as_str()).await.map_err(|error| {
        Error::new(Code::Unavailable, "The NATS server cannot be reached. Look at --nats-url.").caused_by(error)
    })?;
    Ok(jetstream::ContextBuilder::new().timeout(PATIENCE).build(client))
}
