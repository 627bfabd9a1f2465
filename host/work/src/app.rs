//! The parts of a running host, and how they are put together.

use std::sync::Arc;

use berth_base::error::Result;
use berth_check::{AdmitQueue, Admitter, Checks, Live, MarkQueue, Marker, RecordQueue, Records, judge::Judges};
use berth_judge::Engine;
use berth_logs::LogStore;
use berth_store::{Db, blob::Blobs};

use crate::{
    access::{People, Provider},
    audit::Audits,
    check::{Follower, Preparing, Shelf},
    config::Config,
    download::Bundles,
    endpoint::{
        authorisation::Channels,
        fulfilment::intake::{Intake, IntakeQueue},
    },
    event::outbox::Outbox,
    log::{LogExport, LogQueue, Logs},
    login_entry::LoginEntries,
    member_portal::MemberProviders,
    official_account::OfficialAccounts,
    outbound::Guard,
    policy::registry::{Policies, Registries},
    rollout::Guards,
    workspace::directory::Directories,
};

/// The parts of a host. The API takes from here what an operation needs; operations do not know the whole.
pub struct App {
    /// The settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// Lets people in.
    pub people: People,
    /// The store of packages, policies and uploaded lists.
    pub blobs: Blobs,
    /// Limits the bundles that are made and sent at a time.
    pub bundles: Bundles,
    /// The installed policies.
    pub policies: Policies,
    /// The registries from which policies are pulled.
    pub registries: Registries,
    /// Checks the policies of gray tasks and makes them ready to judge.
    pub judges: Arc<dyn Judges>,
    /// Answers checks.
    pub checks: Checks,
    /// Keeps the index of checks current.
    pub follower: Arc<Follower>,
    /// Judges the versions under audit.
    pub audits: Arc<Audits>,
    /// Asks the guards of gray tasks.
    pub guards: Arc<Guards>,
    /// Takes in fulfilment messages.
    pub intake: Intake,
    /// Authorises channels.
    pub channels: Arc<Channels>,
    /// Lets visitors of official accounts in, and sends messages by them.
    pub official_accounts: Arc<OfficialAccounts>,
    /// Logs users in at providers of merchants.
    pub login_entries: Arc<LoginEntries>,
    /// Pulls address books of workspaces.
    pub directories: Arc<Directories>,
    /// Signs members of workspaces in at the providers of their organisations.
    pub member_providers: Arc<MemberProviders>,
    /// Delivers events to webhooks and NATS.
    pub outbox: Arc<Outbox>,
    /// Takes in real-time logs, and reads them.
    pub logs: Arc<Logs>,
    /// Exports real-time logs.
    pub log_export: Arc<LogExport>,
}

/// The queues of a host, each to be served by a worker.
pub struct Queues {
    /// Devices that wait for admission to gray tasks.
    pub admissions: AdmitQueue,
    /// Fulfilment messages that wait to be stored.
    pub fulfilments: IntakeQueue,
    /// Entries of logs that wait to be stored.
    pub logs: LogQueue,
    /// Marks of devices that wait to be stored.
    pub marks: MarkQueue,
    /// Devices that wait to be recorded.
    pub records: RecordQueue,
}

impl App {
    /// Puts the parts together, for the binary and for tests. `judges` makes the judges of gray tasks from the
    /// installed policies.
    ///
    /// # Errors
    /// Those of [`RegistryConfig::sigstore`](crate::policy::registry::RegistryConfig::sigstore), [`Provider::open`], [`Channels::new`],
    /// [`OfficialAccounts::new`], [`LoginEntries::new`], [`Directories::new`], [`MemberProviders::new`], [`Outbox::new`] and [`LogExport::new`].
    pub fn assemble(
        config: Config,
        db: Db,
        blobs: Blobs,
        engine: Engine,
        logs: Arc<dyn LogStore>,
        judges: impl FnOnce(&Policies) -> Arc<dyn Judges>,
    ) -> Result<(Self, Queues)> {
        let policies = Policies::new(db.clone(), engine, blobs.clone(), config.registries.sigstore()?);
        let judges = judges(&policies);
        let (admitter, admissions) = Admitter::new();
        let (intake, fulfilments) = Intake::new();
        let (marker, marks) = Marker::new();
        let (noted, records) = Records::new();
        let (logs, log_queue) = Logs::new(config.logs.clone(), logs, db.nature().clock.clone());
        let live = Live::default();
        let follower = Follower {
            db: db.clone(),
            blobs: blobs.clone(),
            judges: judges.clone(),
            live: live.clone(),
            shelf: Arc::new(Shelf::default()),
            preparing: Preparing::default(),
            max_failures: config.gray.gray_max_failures,
        };
        let url = config.public_url.clone();
        let channels = Arc::new(Channels::new(db.clone(), &config.wechat, url.as_deref())?);
        let provider = Provider::open(&config.provider, Guard::new(&config.webhooks.allow), url.as_deref())?;
        let app = Self {
            people: People::new(db.clone(), config.sessions.clone(), url.clone(), provider),
            follower: Arc::new(follower),
            checks: Checks { live, admitter, marker, records: noted, clock: db.nature().clock.clone() },
            guards: Arc::new(Guards::new(policies.clone())),
            audits: Arc::new(Audits::new(policies.clone(), blobs.clone(), config.package.clone())),
            official_accounts: Arc::new(OfficialAccounts::new(channels.clone(), &config.wechat, url.as_deref())?),
            login_entries: Arc::new(LoginEntries::new(db.clone(), Guard::new(&config.webhooks.allow), url.as_deref())?),
            directories: Arc::new(Directories::new(db.clone(), Guard::new(&config.webhooks.allow), url.as_deref())?),
            registries: Registries::new(config.registries.clone(), Guard::new(&config.webhooks.allow))?,
            member_providers: Arc::new(MemberProviders::new(
                db.clone(),
                Guard::new(&config.webhooks.allow),
                url.as_deref(),
            )?),
            channels,
            outbox: Arc::new(Outbox::new(db.clone(), &config.webhooks, url, config.nats.clone())?),
            logs: Arc::new(logs),
            log_export: Arc::new(LogExport::new(&config.log_export)?),
            bundles: Bundles::default(),
            policies,
            judges,
            intake,
            blobs,
            db,
            config,
        };
        Ok((app, Queues { admissions, fulfilments, logs: log_queue, marks, records }))
    }
}
