//! The running host, in its parts.

use std::sync::Arc;

use crate::{
    audit::Audits,
    blob::Blobs,
    check::judge::Judges,
    check::{AdmitQueue, Admitter, Checks, Follower, Live, MarkQueue, Marker, Shelf},
    config::Config,
    endpoint::{authorisation::Channels, intake::Intake, intake::IntakeQueue},
    error::Result,
    event::outbox::Outbox,
    policy::{Engine, registry::Policies},
    store::Db,
};

/// The parts of a host. Whoever serves a request takes from here what its operation uses; operations know their own part
/// only.
pub struct App {
    /// Settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// The packages, policies and lists.
    pub blobs: Blobs,
    /// The installed policies.
    pub policies: Policies,
    /// The policies of grayscale tasks.
    pub judges: Arc<dyn Judges>,
    /// Answers checks.
    pub checks: Checks,
    /// Keeps the index of checks current.
    pub follower: Arc<Follower>,
    /// Judges versions.
    pub audits: Arc<Audits>,
    /// Where fulfilment messages are handed in.
    pub intake: Intake,
    /// Authorises channels.
    pub channels: Arc<Channels>,
    /// Carries events outside.
    pub outbox: Arc<Outbox>,
}

/// The queues that workers of the host serve.
pub struct Queues {
    /// Devices that wait to be admitted.
    pub admissions: AdmitQueue,
    /// Fulfilment messages that wait to be stored.
    pub fulfilments: IntakeQueue,
    /// What became of devices.
    pub marks: MarkQueue,
}

impl App {
    /// Puts the parts together, for the binary and for tests.
    ///
    /// # Errors
    /// Those of [`Channels::new`] and [`Outbox::new`].
    pub fn assemble(
        config: Config,
        db: Db,
        blobs: Blobs,
        engine: Engine,
        judges: impl FnOnce(&Policies) -> Arc<dyn Judges>,
    ) -> Result<(Self, Queues)> {
        let policies = Policies::new(db.clone(), engine, blobs.clone());
        let judges = judges(&policies);
        let (admitter, admissions) = Admitter::new();
        let (intake, fulfilments) = Intake::new();
        let (marker, marks) = Marker::new();
        let live = Live::default();
        let follower = Follower {
            db: db.clone(),
            blobs: blobs.clone(),
            judges: judges.clone(),
            live: live.clone(),
            shelf: Shelf::default(),
        };
        let url = config.public_url.clone();
        let app = Self {
            follower: Arc::new(follower),
            checks: Checks { live, admitter, marker, clock: db.nature().clock.clone() },
            audits: Arc::new(Audits::new(policies.clone(), blobs.clone(), config.package.clone())),
            channels: Arc::new(Channels::new(db.clone(), &config.wechat, url.as_deref())?),
            outbox: Arc::new(Outbox::new(db.clone(), &config.webhooks, url, config.nats.clone())?),
            policies,
            judges,
            intake,
            blobs,
            db,
            config,
        };
        Ok((app, Queues { admissions, fulfilments, marks }))
    }
}
