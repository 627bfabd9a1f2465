//! A running host: opens its parts, starts its workers, serves, and drains.

use std::{path::Path, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{
    net::TcpListener,
    task::{JoinError, JoinSet},
};

use berth_api::{
    backlog::BacklogFigures,
    edge::{EdgeDeps, within_edge},
    figures::Figures,
    front::Front,
    health::ReadyCheck,
    metrics::Metrics,
    router::router,
    serve::{DrainReport, ServeConfig, serve},
    throttle::Throttle,
};
use berth_base::{
    clock::Nature,
    error::{Error, Result},
};
use berth_check::Live;
use berth_judge::{Compiler, Engine, EngineConfig};
use berth_store::{
    Backend, Db,
    blob::{self, Blobs},
    seal::KeySource,
};
use berth_work::{
    access, act,
    app::{App, Queues},
    audit, check,
    config::Config,
    endpoint::{self, authorisation},
    event::{deliver, relay, retain},
    forget, log, message, official_account,
    policy::registry::ensure_builtins,
    rollout, settings, workspace,
};

/// How long a host that stops waits for what its checks have noted to be written.
const PATIENCE: Duration = Duration::from_secs(5);

/// A host whose parts are open, and whose workers have not been started.
pub struct Host {
    /// The parts of the host.
    pub app: Arc<App>,
    queues: Queues,
}

/// Opens a host that is to serve: like [`assemble`], and installs the built-in policies and loads the index of checks.
pub async fn open(config: Config, compiler: Compiler, nature: Nature) -> Result<Host> {
    let host = assemble(config, compiler, nature).await?;
    ensure_builtins(&host.app.policies).await?;
    check::refresh(&host.app.follower).await?;
    host.app.logs.refresh_masks(&host.app.db).await?;
    Ok(host)
}

/// Opens the database, the blob store and the policy engine, without any change of the data but migrations. Enough for
/// commands that look after the data.
pub async fn assemble(config: Config, compiler: Compiler, nature: Nature) -> Result<Host> {
    private_folder(&config.storage.data_dir)?;
    let storage = &config.storage;
    let db =
        Db::open(&storage.db, &storage.data_dir, nature).await?.with_keys(&storage.seal, &storage.data_dir).await?;
    let blobs = Blobs::open(&config.storage.blobs, &config.storage.data_dir, &config.storage.cache())?;
    if let Some(warning) = seal_warning(&db) {
        tracing::warn!("{warning}");
    }
    let engine = Engine::new(EngineConfig::new(config.storage.cache().join("policies"), compiler))?;
    let url = config.storage.db.database_url.as_deref();
    let logs = berth_logs::open(&config.logs, url, &config.storage.data_dir, db.nature().clone()).await?;
    let (app, queues) = App::assemble(config, db, blobs, engine, logs, |policies| Arc::new(policies.clone()))?;
    Ok(Host { app: Arc::new(app), queues })
}

/// A warning when the database may be shared by several hosts but secrets are sealed with a key that only this host
/// has.
pub fn seal_warning(db: &Db) -> Option<String> {
    let (KeySource::OwnFile(file), Backend::Postgres(_)) = (db.seal().source(), db.backend()) else { return None };
    Some(format!(
        "Secrets in the database are sealed with {}, which other hosts do not have. Give all hosts the same key by \
         BERTH_SECRET_KEYS or --secret-key-file.",
        file.display()
    ))
}

/// Creates the data folder for its owner only, because it holds packages that are not public.
fn private_folder(folder: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| {
        let text =
            format!("The data folder {} cannot be created: {error}. Choose another with --data-dir.", folder.display());
        Error::new(berth_base::error::Code::Unavailable, text)
    })
}

impl Host {
    /// Starts the workers. They stop when the set is dropped.
    fn start(self) -> (Arc<App>, JoinSet<()>) {
        let Self { app, queues: Queues { admissions, fulfilments, logs, marks, records } } = self;
        let mut workers = JoinSet::new();
        let App { config, db, blobs, .. } = &*app;
        workers.spawn(audit::run_worker(app.audits.clone()));
        workers.spawn(check::run_follower(app.follower.clone()));
        workers.spawn(rollout::run_admissions(admissions, db.clone()));
        workers.spawn(fulfilments.run(db.clone()));
        workers.spawn(rollout::run_marks(marks, db.clone(), config.gray.gray_max_failures));
        workers.spawn(check::run_records(records, db.clone(), config.gray.gray_record_devices));
        workers.spawn(check::run_record_forgetter(db.clone()));
        workers.spawn(logs.run());
        workers.spawn(log::run_masks(app.logs.clone(), db.clone()));
        workers.spawn(log::run_retention(app.logs.clone()));
        workers.spawn(log::run_export(app.logs.clone(), app.log_export.clone(), db.clone()));
        workers.spawn(rollout::run_ticker(db.clone()));
        workers.spawn(rollout::run_guards(app.guards.clone()));
        workers.spawn(settings::run_ticker(db.clone()));
        workers.spawn(authorisation::run(app.channels.clone()));
        workers.spawn(authorisation::run_renewer(app.channels.clone()));
        workers.spawn(endpoint::ticker::run(db.clone()));
        workers.spawn(blob::run_collector(db.clone(), blobs.clone()));
        workers.spawn(endpoint::fulfilment::listen::run(
            app.intake.clone(),
            config.nats.clone(),
            config.listen_to.clone(),
        ));
        workers.spawn(deliver::run(app.outbox.clone()));
        workers.spawn(relay::run(app.outbox.clone()));
        workers.spawn(retain::run(db.clone(), config.events.clone()));
        workers.spawn(access::run_forgetter(db.clone()));
        workers.spawn(act::run_forgetter(db.clone(), config.acts.clone()));
        workers.spawn(forget::run(db.clone()));
        workers.spawn(official_account::run_forgetter(app.official_accounts.clone()));
        workers.spawn(message::run_forgetter(db.clone()));
        workers.spawn(workspace::directory::run(app.directories.clone()));
        (app, workers)
    }

    /// Starts the workers and serves until `stop` is ready, then drains.
    ///
    /// # Errors
    /// `internal` when a worker died, which is a defect: the host drains, too, so that whoever watches over the process
    /// starts it anew. Half a host that goes on answering would be worse.
    pub async fn run(
        self,
        listener: TcpListener,
        http: &ServeConfig,
        stop: impl Future<Output = ()>,
    ) -> Result<DrainReport> {
        let (app, mut workers) = self.start();
        let metrics = Arc::new(Metrics::default());
        let throttle = Arc::new(Throttle::new(&http.devices, http.trusted_proxy.clone()));
        throttle.register(&metrics);
        workers.spawn(throttle.clone().run_sweeper());
        metrics.register_collector(Figures(app.clone()));
        metrics.register_backlog(BacklogFigures::new(app.clone()));
        let ready: Vec<Box<dyn ReadyCheck>> =
            vec![Box::new(DatabaseReady(app.db.clone())), Box::new(IndexReady(app.checks.live.clone()))];
        let deps =
            EdgeDeps { metrics: metrics.clone(), random: app.db.nature().random.clone(), ready: Arc::new(ready) };
        // Streams have no end of their own that draining could wait for.
        let mut death = None;
        let stop = async {
            tokio::select! {
                () = stop => {}
                error = first_death(&mut workers) => death = Some(error),
            }
            app.outbox.streams.end();
        };
        let api = router(app.clone(), throttle.clone(), deps.clone());
        let clock = app.db.nature().clock.clone();
        let console = berth_console::Pages::over(api.clone(), app.config.public_url.clone(), clock);
        let elsewhere = within_edge(console.nowhere, deps.clone()).fallback_service(api);
        let whole = within_edge(console.routes, deps.clone()).fallback_service(elsewhere);
        let front = Front::new(app.clone(), throttle, deps, whole);
        let report = serve(listener, front, http, metrics, stop).await;
        wind_up(&app, workers).await;
        death.map_or(Ok(report), |error| Err(Error::internal(error)))
    }
}

/// Ends the workers of a host that takes no more requests, gives back what it had for itself, and closes its databases.
async fn wind_up(app: &App, mut workers: JoinSet<()>) {
    // What checks have noted of devices is in memory alone.
    if tokio::time::timeout(PATIENCE, app.checks.written()).await.is_err() {
        tracing::warn!("what checks noted last of devices could not be written and is lost");
    }
    // Then the workers, who would complain about a database that is closed under them.
    workers.shutdown().await;
    // What is being asked of WeChat may be answered once only: a call and its storing are waited for.
    let patience = Duration::from_secs(app.config.wechat.wechat_timeout.saturating_add(5));
    if !app.channels.unbroken.end(patience).await {
        tracing::warn!("WeChat has not answered; the authorisation of a channel may have to be started again");
    }
    let given_back = [
        ("webhooks", deliver::release(&app.db).await),
        ("guards", rollout::release_guards(&app.db).await),
        ("syncs of address books", workspace::directory::release(&app.db).await),
        ("the export of logs", log::release_export(&app.db).await),
    ];
    for (what, outcome) in given_back {
        if let Err(error) = outcome {
            tracing::warn!(?error, "the leases of {what} could not be given back; other hosts wait until they end");
        }
    }
    app.logs.store.close().await;
    app.db.close().await;
}

/// Waits until a worker panics. Workers that have nothing to do on this host may end regularly.
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
