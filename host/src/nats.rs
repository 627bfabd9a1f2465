//! The connection to NATS JetStream, for whoever publishes to it or listens to it.

use std::{path::PathBuf, time::Duration};

use async_nats::{ConnectOptions, jetstream};

use crate::error::{Code, Error, Result};

/// How long a connection, an answer or an acknowledgement may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which NATS to use.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct NatsConfig {
    /// A NATS server with JetStream, such as `nats://nats.example:4222`: every event is published to it.
    #[arg(long, env = "BERTH_NATS_URL", hide_env_values = true, value_name = "URL")]
    pub nats_url: Option<String>,

    /// A file with the credentials for it, as `nsc` makes it.
    #[arg(long, env = "BERTH_NATS_CREDENTIALS", value_name = "FILE", requires = "nats_url")]
    pub nats_credentials: Option<PathBuf>,
}

/// Connects. The connection mends itself afterwards; what is asked of it while it is lost fails after five seconds.
///
/// # Errors
/// `unavailable` when no server is configured, the server does not answer, or it does not know us.
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
