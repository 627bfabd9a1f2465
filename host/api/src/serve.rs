//! The listener: accepts connections up to a limit, serves each by [`connection::run`], and drains them when it is told
//! to stop.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto::Builder,
};
use ipnet::IpNet;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout, timeout_at},
};

use crate::{
    activity::Patience,
    client_ip::TrustedProxies,
    connection::{self, End, Shared},
    front::Front,
    limits::Pace,
    metrics::Metrics,
    throttle::DeviceLimits,
};
use berth_base::clock::duration;

/// Limits of the HTTP listener. Times are written like `10s`, `300ms` or `2m`.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeConfig {
    /// Most connections at a time; never more than half of the file descriptors that the process may open.
    #[arg(long = "http-max-connections", env = "BERTH_HTTP_MAX_CONNECTIONS", default_value_t = 4096)]
    pub max_connections: usize,
    /// Time from a connection to its first complete request head.
    #[arg(long = "http-first-request", env = "BERTH_HTTP_FIRST_REQUEST", default_value = "10s", value_parser = duration)]
    pub first_request: Duration,
    /// Time that a connection may stay open without a request.
    #[arg(long = "http-idle", env = "BERTH_HTTP_IDLE", default_value = "30s", value_parser = duration)]
    pub idle: Duration,
    /// Time to wait for the next part of a request body.
    #[arg(long = "http-body-idle", env = "BERTH_HTTP_BODY_IDLE", default_value = "15s", value_parser = duration)]
    pub body_idle: Duration,
    /// Lowest average rate of a request body, in bytes a second, after the first 20 seconds; 0 for none.
    #[arg(long = "http-body-min-rate", env = "BERTH_HTTP_BODY_MIN_RATE", default_value_t = 512)]
    pub body_min_rate: u64,
    /// Time in which a client has to take 1 KiB of an answer.
    #[arg(long = "http-write-stall", env = "BERTH_HTTP_WRITE_STALL", default_value = "60s", value_parser = duration)]
    pub write_stall: Duration,
    /// Time that requests in flight have to finish after the signal to stop.
    #[arg(long = "http-drain", env = "BERTH_HTTP_DRAIN", default_value = "20s", value_parser = duration)]
    pub drain: Duration,
    /// Most header fields of a request.
    #[arg(long = "http-max-headers", env = "BERTH_HTTP_MAX_HEADERS", default_value_t = 100)]
    pub max_headers: usize,
    /// Largest request head, in bytes (at least 8192).
    #[arg(long = "http-max-head-bytes", env = "BERTH_HTTP_MAX_HEAD_BYTES", default_value_t = 64 * 1024)]
    pub max_head_bytes: u32,
    /// Most concurrent streams of one HTTP/2 connection.
    #[arg(long = "http-max-streams", env = "BERTH_HTTP_MAX_STREAMS", default_value_t = 100)]
    pub max_streams: u32,
    /// Networks whose X-Forwarded-For is believed, such as 10.0.0.0/8, and which have no limits of their own; none by
    /// default.
    #[arg(long = "trusted-proxy", env = "BERTH_HTTP_TRUSTED_PROXY", value_delimiter = ',')]
    pub trusted_proxy: Vec<IpNet>,
    /// What devices may ask for.
    #[command(flatten)]
    pub devices: DeviceLimits,
}

impl Default for ServeConfig {
    /// The defaults of the command line.
    fn default() -> Self {
        Self {
            max_connections: 4096,
            first_request: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            body_idle: Duration::from_secs(15),
            body_min_rate: 512,
            write_stall: Duration::from_secs(60),
            drain: Duration::from_secs(20),
            max_headers: 100,
            max_head_bytes: 64 * 1024,
            max_streams: 100,
            trusted_proxy: Vec::new(),
            devices: DeviceLimits::default(),
        }
    }
}

/// How much waiting for a body must have happened before its rate is considered.
const RATE_GRACE: Duration = Duration::from_secs(20);
/// How long a client gets to read the last answer before the socket is reset.
const LINGER: Duration = Duration::from_secs(1);
/// How many connections may be refused with an answer at a time. Above this number they are dropped without one.
const REFUSALS: usize = 64;
/// How many unsent bytes the kernel may hold for one connection. This limits memory, and makes slow clients visible.
const UNSENT: u32 = 128 * 1024;

impl ServeConfig {
    fn patience(&self) -> Patience {
        let Self { first_request, idle, write_stall, .. } = *self;
        Patience { first_request, idle, write_stall, linger: LINGER.min(idle) }
    }

    fn pace(&self) -> Pace {
        Pace { idle: self.body_idle, min_rate: self.body_min_rate, grace: RATE_GRACE }
    }

    fn builder(&self) -> Builder<TokioExecutor> {
        let mut builder = Builder::new(TokioExecutor::new());
        // No header timer here: the watchdog of the connection covers heads of both protocols.
        let head = self.max_head_bytes.max(8192);
        builder.http1().header_read_timeout(None).max_headers(self.max_headers).max_buf_size(head as usize);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.max_streams)
            .max_header_list_size(head)
            .max_pending_accept_reset_streams(20)
            .max_local_error_reset_streams(64)
            .max_send_buf_size(UNSENT as usize)
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(20));
        builder
    }

    /// The number of connections that may be open: also at most half of the file descriptors, because files and the
    /// database need some.
    fn cap(&self) -> usize {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let half = limit.map_or(usize::MAX, |limit| usize::try_from(limit / 2).unwrap_or(usize::MAX));
        self.max_connections.min(half).max(1)
    }
}

/// What happened to the connections that were open when the signal to stop came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrainReport {
    /// How many ended in time.
    pub finished: usize,
    /// How many were cut at the deadline.
    pub cut: usize,
}

/// Serves until `shutdown` is ready, then lets requests in flight finish. Returns after [`ServeConfig::drain`] at the
/// latest.
pub async fn serve(
    listener: TcpListener,
    front: impl Into<Front>,
    config: &ServeConfig,
    metrics: Arc<Metrics>,
    shutdown: impl Future<Output = ()>,
) -> DrainReport {
    let mut server = Server::new(front.into(), config, metrics);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = server.tasks.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => server.admit(stream, peer),
                Err(error) => pause_after(&error).await,
            },
        }
    }
    drop(listener);
    server.drain(config.drain).await
}

/// Waits for SIGTERM or Ctrl-C; to be given to [`serve`].
pub async fn stop_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}

struct Server {
    shared: Arc<Shared>,
    metrics: Arc<Metrics>,
    slots: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    draining: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Server {
    fn new(front: Front, config: &ServeConfig, metrics: Arc<Metrics>) -> Self {
        let shared = Shared {
            builder: config.builder(),
            front,
            patience: config.patience(),
            pace: config.pace(),
            proxies: TrustedProxies(config.trusted_proxy.clone()),
        };
        Self {
            shared: Arc::new(shared),
            metrics,
            slots: Arc::new(Semaphore::new(config.cap())),
            refusals: Arc::new(Semaphore::new(REFUSALS)),
            draining: watch::Sender::new(false),
            tasks: JoinSet::new(),
        }
    }

    fn admit(&mut self, stream: TcpStream, peer: SocketAddr) {
        let Ok(slot) = self.slots.clone().try_acquire_owned() else { return self.refuse(stream) };
        tune(&stream);
        self.metrics.accepted.inc();
        let open = OpenConnection::new(self.metrics.clone());
        let (shared, draining) = (self.shared.clone(), self.draining.subscribe());
        self.tasks.spawn(async move {
            let _slot = slot;
            if connection::run(stream, peer, shared, draining).await == End::Cut {
                open.0.cut.inc();
            }
        });
    }

    fn refuse(&mut self, stream: TcpStream) {
        self.metrics.refused.inc();
        if let Ok(permit) = self.refusals.clone().try_acquire_owned() {
            self.tasks.spawn(async move {
                let _permit = permit;
                let _ = timeout(LINGER, say_busy(stream)).await;
            });
        }
    }

    async fn drain(mut self, patience: Duration) -> DrainReport {
        let deadline = Instant::now() + patience;
        self.draining.send_replace(true);
        let mut report = DrainReport::default();
        while let Ok(Some(_)) = timeout_at(deadline, self.tasks.join_next()).await {
            report.finished += 1;
        }
        report.cut = self.tasks.len();
        self.tasks.shutdown().await;
        tracing::info!(finished = report.finished, cut = report.cut, "drained");
        report
    }
}

/// Counts an open connection as long as it exists, even if its task is aborted.
struct OpenConnection(Arc<Metrics>);

impl OpenConnection {
    fn new(metrics: Arc<Metrics>) -> Self {
        metrics.connections.inc();
        Self(metrics)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}

/// Makes small answers leave at once, and limits what waits in the kernel. A socket works without these options too, so
/// failures are ignored.
fn tune(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT);
}

/// Refuses a connection with an HTTP/1.1 answer, then waits until the client has read it.
async fn say_busy(mut stream: TcpStream) -> io::Result<()> {
    let body = r#"{"type":"/problems/unavailable","title":"The host cannot do this now","status":503,"detail":"Too many connections are open. Try again in a moment."}"#;
    let head = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\nconnection: close";
    stream.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await?;
    stream.shutdown().await?;
    let mut scrap = [0u8; 1024];
    while stream.read(&mut scrap).await? > 0 {}
    Ok(())
}

/// Waits a moment after an error that would recur at once (no descriptors, no memory), so that the loop does not spin.
/// A client that left before it was accepted is no reason to wait.
async fn pause_after(error: &io::Error) {
    if let Some(pause) = pause_for(error) {
        tracing::error!(%error, "cannot accept connections");
        sleep(pause).await;
    }
}

fn pause_for(error: &io::Error) -> Option<Duration> {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    let harmless = matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted);
    (!harmless).then_some(Duration::from_millis(100))
}

#[cfg(test)]
mod tests;
