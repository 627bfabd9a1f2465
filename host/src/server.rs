//! A running host: opens its parts, starts its workers, serves, drains.

use std::{path::Path, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{
    net::TcpListener,
    sync::Notify,
    task::{JoinError, JoinSet},
};

use crate::{
    access::{IssuedToken, NewAccount, NewToken, Role, Scope},
    api::{
        backlog::BacklogFigures,
        edge::EdgeDeps,
        figures::Figures,
        health::ReadyCheck,
        metrics::Metrics,
        router::router,
        serve::{DrainReport, serve},
    },
    app::App,
    audit,
    blob::{self, Blobs},
    check::{self, Live},
    clock::{Clock, Random, SystemClock, SystemRandom},
    config::Config,
    endpoint::{
        self, authorisation,
        intake::{Intake, IntakeQueue},
    },
    error::{Error, Result},
    event::{
        self,
        deliver::{self, Sender, guard::Guard},
        relay, retain,
        stream::Streams,
    },
    policy::{
        Compiler, Engine, EngineConfig,
        registry::{Policies, ensure_builtins},
    },
    rollout::{self, AdmitQueue, Admitter, MarkQueue, Marker},
    seal::{self, KeySource, Seal},
    store::{Backend, Db, Tx},
    unbroken::Unbroken,
    wechat::Platform,
};

/// Time and randomness.
pub struct Nature {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

impl Default for Nature {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) }
    }
}

/// A host that is open and does nothing yet.
pub struct Host {
    /// Its parts.
    pub app: Arc<App>,
    admissions: AdmitQueue,
    fulfilments: IntakeQueue,
    marks: MarkQueue,
}

/// Opens the database, the blob store and the policy engine, installs the built-in policies and loads the index.
pub async fn open(config: Config, compiler: Compiler, nature: Nature) -> Result<Host> {
    let host = assemble(config, compiler, nature).await?;
    ensure_builtins(&host.app).await?;
    check::refresh(&host.app).await?;
    Ok(host)
}

/// Opens the parts, for who only looks after the data.
pub async fn assemble(config: Config, compiler: Compiler, nature: Nature) -> Result<Host> {
    private_folder(&config.storage.data_dir)?;
    let db = Db::open(&config.storage.db, &config.storage.data_dir).await?;
    let blobs = Blobs::open(&config.storage.blobs, &config.storage.data_dir, &config.storage.cache())?;
    let wechat = Platform::open(&config.wechat, config.public_url.as_deref())?;
    seal::require_keys(&db, &config.storage.seal, &config.storage.data_dir).await?;
    let seal = Seal::load(&config.storage.seal, &config.storage.data_dir, nature.random.clone())?;
    if let Some(warning) = seal_warning(&seal, &db) {
        tracing::warn!("{warning}");
    }
    let engine = Engine::new(EngineConfig::new(config.storage.cache().join("policies"), compiler))?;
    let mut host_id = [0u8; 8];
    nature.random.fill(&mut host_id);
    let policies = Policies::new(engine, blobs.clone());
    let (admitter, admissions) = Admitter::new();
    let (intake, fulfilments) = Intake::new();
    let (marker, marks) = Marker::new();
    let sender = Sender::new(Guard::new(&config.webhooks.allow), config.webhooks.timeout)?;
    let app = App {
        config,
        streams: Streams::default(),
        sender,
        host_id: hex::encode(host_id),
        judges: Arc::new(policies.clone()),
        policies,
        db,
        blobs,
        seal,
        wechat,
        clock: nature.clock,
        random: nature.random,
        audits_wake: Notify::new(),
        authorisations_wake: Notify::new(),
        unbroken: Unbroken::default(),
        live: Live::default(),
        admitter,
        intake,
        marker,
    };
    Ok(Host { app: Arc::new(app), admissions, fulfilments, marks })
}

/// What is wrong with keys of this host's own beside a database that several hosts may share.
pub fn seal_warning(seal: &Seal, db: &Db) -> Option<String> {
    let (KeySource::OwnFile(file), Backend::Postgres(_)) = (seal.source(), db.backend()) else { return None };
    Some(format!(
        "Secrets in the database are sealed with {}, which other hosts do not have. Give all hosts the same key by \
         BERTH_SECRET_KEYS or --secret-key-file.",
        file.display()
    ))
}

/// The data folder holds packages that are not public yet.
fn private_folder(folder: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| {
        let text =
            format!("The data folder {} cannot be created: {error}. Choose another with --data-dir.", folder.display());
        Error::new(crate::error::Code::Unavailable, text)
    })
}

/// Creates the first admin of an empty installation, and a token for it.
pub async fn first_admin(app: &App) -> Result<Option<IssuedToken>> {
    let mut tx = app.db.begin().await?;
    tx.hold_events().await?; // two hosts may start at once
    if !tx.members(&Scope::Platform).await?.is_empty() {
        return Ok(None);
    }
    let issued = admin_token_in(&mut tx, app).await?;
    tx.commit().await?;
    Ok(Some(issued))
}

/// A new token for the first admin of the platform: for whoever has the host's machine.
pub async fn admin_token(app: &App) -> Result<IssuedToken> {
    let mut tx = app.db.begin().await?;
    let issued = admin_token_in(&mut tx, app).await?;
    tx.commit().await?;
    Ok(issued)
}

async fn admin_token_in(tx: &mut Tx, app: &App) -> Result<IssuedToken> {
    let account = match tx.members(&Scope::Platform).await?.into_iter().next() {
        Some(admin) => admin.account,
        None => {
            let account = tx.create_account(app, event::BERTH, &NewAccount { name: "admin".into() }).await?;
            tx.grant(app, event::BERTH, &account.id, &Scope::Platform, Role::Admin).await?;
            account.id
        }
    };
    let new = NewToken { name: "admin".into(), scopes: None, expires_at: None };
    let issued = tx.issue_token(app, &account, new).await?;
    tx.emit(event::new(app, "token.issued", &issued.token.id, event::BERTH, &issued.token));
    Ok(issued)
}

impl Host {
    /// Starts the workers. They end when the set is dropped.
    fn start(self) -> (Arc<App>, JoinSet<()>) {
        let Self { app, admissions, fulfilments, marks } = self;
        let mut workers = JoinSet::new();
        workers.spawn(audit::run_worker(app.clone()));
        workers.spawn(check::run_follower(app.clone()));
        workers.spawn(admissions.run(app.clone()));
        workers.spawn(fulfilments.run(app.clone()));
        workers.spawn(marks.run(app.clone()));
        workers.spawn(rollout::run_ticker(app.clone()));
        workers.spawn(authorisation::run(app.clone()));
        workers.spawn(authorisation::run_renewer(app.clone()));
        workers.spawn(endpoint::ticker::run(app.clone()));
        workers.spawn(blob::run_collector(app.clone()));
        workers.spawn(endpoint::listen::run(app.clone()));
        workers.spawn(deliver::run(app.clone()));
        workers.spawn(relay::run(app.clone()));
        workers.spawn(retain::run(app.clone()));
        (app, workers)
    }

    /// Serves until `stop`, then drains.
    ///
    /// # Errors
    /// `internal` when a worker died, which is a defect: the host drains, too, so that whoever watches over the process
    /// starts it anew. Half a host that goes on answering would be worse.
    pub async fn run(self, listener: TcpListener, stop: impl Future<Output = ()>) -> Result<DrainReport> {
        let (app, mut workers) = self.start();
        let metrics = Arc::new(Metrics::default());
        metrics.register_collector(Figures(app.clone()));
        metrics.register_backlog(BacklogFigures::new(app.clone()));
        let ready: Vec<Box<dyn ReadyCheck>> =
            vec![Box::new(DatabaseReady(app.db.clone())), Box::new(IndexReady(app.live.clone()))];
        let deps = EdgeDeps { metrics: metrics.clone(), random: app.random.clone(), ready: Arc::new(ready) };
        // Streams have no end of their own that draining could wait for.
        let mut death = None;
        let stop = async {
            tokio::select! {
                () = stop => {}
                error = first_death(&mut workers) => death = Some(error),
            }
            app.streams.end();
        };
        let report = serve(listener, router(app.clone(), deps), &app.config.http, metrics, stop).await;
        // First the workers, who would complain about a database that is closed under them.
        workers.shutdown().await;
        // What is being asked of WeChat may be answered once only: a call and its storing are waited for.
        let patience = Duration::from_secs(app.config.wechat.wechat_timeout.saturating_add(5));
        if !app.unbroken.end(patience).await {
            tracing::warn!("WeChat has not answered; the authorisation of a channel may have to be started again");
        }
        if let Err(error) = deliver::release(&app).await {
            tracing::warn!(?error, "the leases could not be given back; other hosts wait until they end");
        }
        app.db.close().await;
        death.map_or(Ok(report), |error| Err(Error::internal(error)))
    }
}

/// Waits for a worker that panics; those that have nothing to do on this host end by themselves.
async fn first_death(workers: &mut JoinSet<()>) -> JoinError {
    while let Some(ended) = workers.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a worker died; the host stops");
            return error;
        }
    }
    std::future::pending().await
}

struct DatabaseReady(Db);

impl ReadyCheck for DatabaseReady {
    fn name(&self) -> &'static str {
        "database"
    }

    fn check(&self) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async {
            self.0.read().await?.last_event().await?;
            Ok(())
        })
    }
}

struct IndexReady(Live);

impl ReadyCheck for IndexReady {
    fn name(&self) -> &'static str {
        "release-index"
    }

    fn check(&self) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async { if self.0.is_ready() { Ok(()) } else { Err(anyhow::anyhow!("not loaded yet")) } })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_worker_that_dies_is_noticed_and_one_that_has_nothing_to_do_is_not() {
        let mut workers = JoinSet::new();
        workers.spawn(async {});
        let waiting = tokio::time::timeout(Duration::from_millis(50), first_death(&mut workers)).await;
        assert!(waiting.is_err(), "a worker that ended by itself is no death");
        workers.spawn(std::future::pending());
        workers.spawn(async { std::panic::resume_unwind(Box::new("a defect")) });
        assert!(first_death(&mut workers).await.is_panic());
    }
}
