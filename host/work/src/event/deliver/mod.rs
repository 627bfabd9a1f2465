//! Delivers events to webhooks: in order for each subject, at least once, and with the same id on every try.
//!
//! One dispatcher runs on each host. It holds the leases of webhooks (F96), reads the log once for all of them, asks
//! each webhook's [`plan::Desk`] what to send next, sends it, and writes the outcome for many webhooks in one
//! transaction.

mod attempts;
mod dispatch;
mod hook;
mod lanes;
mod lease;
pub mod plan;
mod reading;
mod recent;
mod rows;
pub mod schedule;
mod send;
mod write;

use std::time::Duration;

pub use dispatch::{release, run};
pub use hook::keys_of;
use ipnet::IpNet;
pub use send::{Message, Receipt, Sender};

use berth_base::clock::duration;

/// Settings of the delivery to webhooks.
#[derive(Clone, Debug, clap::Args)]
pub struct WebhookConfig {
    /// Networks that webhooks, login providers and registries of policies may be in although they are not public, such as 10.0.0.0/8, and without TLS
    #[arg(long = "webhook-allow", env = "BERTH_WEBHOOK_ALLOW", value_delimiter = ',', value_name = "CIDR")]
    pub allow: Vec<IpNet>,
    /// Time within which a receiver must answer
    #[arg(long = "webhook-timeout", env = "BERTH_WEBHOOK_TIMEOUT", default_value = "15s", value_parser = duration)]
    pub timeout: Duration,
    /// Most messages that are sent at the same time
    #[arg(long = "webhook-sends", env = "BERTH_WEBHOOK_SENDS", default_value_t = 256)]
    pub sends: usize,
}

impl Default for WebhookConfig {
    /// The defaults of the command line.
    fn default() -> Self {
        Self { allow: Vec::new(), timeout: Duration::from_secs(15), sends: 256 }
    }
}
