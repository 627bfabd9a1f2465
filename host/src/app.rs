//! Everything that an operation may need, in one place.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::{
    blob::Blobs,
    check::{Live, judge::Judges},
    clock::{Clock, Random},
    config::Config,
    endpoint::intake::Intake,
    event::{deliver::Sender, stream::Streams},
    policy::registry::Policies,
    rollout::{Admitter, Marker},
    seal::Seal,
    store::Db,
    unbroken::Unbroken,
    wechat::Platform,
};

/// The running host. Operations take it by reference; it has no state of its own beside its parts.
pub struct App {
    /// Settings.
    pub config: Config,
    /// Which of the hosts that share the database this one is: new at every start.
    pub host_id: String,
    /// The database.
    pub db: Db,
    /// The packages, policies and lists.
    pub blobs: Blobs,
    /// The loaded policies.
    pub policies: Policies,
    /// The keys of stored secrets.
    pub seal: Seal,
    /// WeChat's third-party platform, when this host has one.
    pub wechat: Option<Platform>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The streams of events that are open.
    pub streams: Streams,
    /// Sends messages to receivers outside.
    pub sender: Sender,
    /// Rung when an audit waits for its policies.
    pub audits_wake: Notify,
    /// Work that neither a client that goes away nor the host's end breaks off.
    pub unbroken: Unbroken,
    /// Rung when an authorisation of a channel has something to do.
    pub authorisations_wake: Notify,
    /// What checks are answered from; `check::run_follower` keeps it current.
    pub live: Live,
    /// Where checks have devices admitted; its queue is served by `rollout::AdmitQueue::run`.
    pub admitter: Admitter,
    /// Where what became of devices is noted; its queue is served by `rollout::MarkQueue::run`.
    pub marker: Marker,
    /// Where fulfilment messages are handed in; its queue is served by `endpoint::intake::IntakeQueue::run`.
    pub intake: Intake,
    /// The policies of grayscale tasks.
    pub judges: Arc<dyn Judges>,
}
