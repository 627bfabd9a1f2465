//! A running host: opens its parts, starts its workers, serves, drains.

use std::{path::Path, sync::Arc};

use futures_util::future::BoxFuture;
use tokio::{net::TcpListener, sync::Notify, task::JoinSet};

use crate::{
    access::{IssuedToken, NewAccount, NewToken, Role, Scope},
    api::{
        edge::EdgeDeps,
        health::ReadyCheck,
        metrics::Metrics,
        router::router,
        serve::{DrainReport, serve},
    },
    app::App,
    audit,
    blob::Blobs,
    clock::{Clock, Random, SystemClock, SystemRandom},
    config::Config,
    error::{Error, Result},
    event,
    policy::{
        Compiler, Engine, EngineConfig,
        registry::{Policies, ensure_builtins},
    },
    store::{Db, Tx},
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

/// Opens the database, the blob store and the policy engine, and installs the built-in policies.
pub async fn open(config: Config, compiler: Compiler, nature: Nature) -> Result<Arc<App>> {
    private_folder(&config.data_dir)?;
    let db = Db::open(&config.db, &config.data_dir).await?;
    let blobs = Blobs::open(&config.blobs, &config.data_dir, &config.cache())?;
    let engine = Engine::new(EngineConfig::new(config.cache().join("policies"), compiler))?;
    let mut host_id = [0u8; 8];
    nature.random.fill(&mut host_id);
    let app = App {
        config,
        host_id: hex::encode(host_id),
        policies: Policies::new(engine, blobs.clone()),
        db,
        blobs,
        clock: nature.clock,
        random: nature.random,
        audits_wake: Notify::new(),
    };
    ensure_builtins(&app).await?;
    Ok(Arc::new(app))
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

/// The workers of a host. They end when the set is dropped.
pub fn workers(app: &Arc<App>) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    workers.spawn(audit::run_worker(app.clone()));
    workers
}

/// Serves until `stop`, then drains.
pub async fn run(app: Arc<App>, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) -> DrainReport {
    let metrics = Arc::new(Metrics::default());
    let ready: Vec<Box<dyn ReadyCheck>> = vec![Box::new(DatabaseReady(app.db.clone()))];
    let deps = EdgeDeps { metrics: metrics.clone(), random: app.random.clone(), ready: Arc::new(ready) };
    let _workers = workers(&app);
    let config = app.config.http.clone();
    let report = serve(listener, router(app.clone(), deps), &config, metrics, stop).await;
    app.db.close().await;
    report
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
