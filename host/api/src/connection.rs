//! Serves one connection, HTTP/1 or HTTP/2 over a socket, and ends it when the client is too slow.
//!
//! hyper watches only the heads of HTTP/1 requests. Here three rules hold for both protocols. A connection without a
//! request is closed after [`Patience::first_request`] or [`Patience::idle`]. A connection whose client does not take
//! the answer is cut after [`Patience::write_stall`]. A slow request body fails by its [`Pace`]. The time that handlers
//! take is not limited here.

mod io;

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::http::{Request, Response};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    activity::{Activity, Look, Patience, Turn, WatchedBody},
    client_ip::TrustedProxies,
    connection::io::WatchedIo,
    front::Front,
    limits::{Pace, PacedBody},
};

/// The things that all connections share.
pub struct Shared {
    /// The HTTP settings.
    pub builder: Builder<TokioExecutor>,
    /// What answers requests.
    pub front: Front,
    /// How long a connection may be without progress.
    pub patience: Patience,
    /// How slow a request body may be.
    pub pace: Pace,
    /// The proxies whose word about the client's address is accepted.
    pub proxies: TrustedProxies,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Regularly, or because the client closed it.
    Done,
    /// Cut by the host, because the client was too slow or silent.
    Cut,
}

/// A connection is looked at no more often than this, however little patience is set.
const MOMENT: Duration = Duration::from_millis(10);

/// Serves one connection until it ends. When `draining` becomes true, requests in flight finish and no others are
/// accepted.
pub async fn run(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>, mut draining: watch::Receiver<bool>) -> End {
    let activity = Arc::new(Activity::default());
    let io = TokioIo::new(WatchedIo::new(stream, activity.clone(), shared.patience.linger));
    let service = service_fn({
        let (activity, shared) = (activity.clone(), shared.clone());
        move |request| answer(request, peer, shared.clone(), Turn::begin(activity.clone()))
    });
    let mut connection = std::pin::pin!(shared.builder.serve_connection(io, service));
    let mut drained = false;
    loop {
        let look = activity.look(&shared.patience);
        // A body that is waited for from now on is due no sooner than the latter.
        let rounds = Instant::now() + shared.pace.idle.max(MOMENT);
        let next = activity.next_due().map_or(rounds, |due| due.min(rounds));
        tokio::select! {
            _ = connection.as_mut() => return End::Done,
            () = told_to_drain(&mut draining), if !drained => {
                drained = true;
                connection.as_mut().graceful_shutdown();
            }
            () = sleep_until(look.when.min(next)) => {
                activity.wake_overdue();
                match activity.look(&shared.patience) {
                    Look { when, .. } if when > Instant::now() => {}
                    Look { polite: true, .. } => {
                        connection.as_mut().graceful_shutdown();
                        let _ = timeout(shared.patience.linger, connection).await;
                        return End::Cut;
                    }
                    Look { .. } => return End::Cut,
                }
            }
        }
    }
}

/// Waits until `draining` is true, or nobody is left who could set it.
async fn told_to_drain(draining: &mut watch::Receiver<bool>) {
    let _ = draining.wait_for(|now| *now).await;
}

async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    shared: Arc<Shared>,
    turn: Turn,
) -> Result<Response<WatchedBody>, Infallible> {
    let client = shared.proxies.client(peer.ip(), request.headers());
    let request = request.map(|body| PacedBody::new(body, shared.pace, turn.activity().clone()));
    let response = shared.front.answer(request, peer, client).await;
    Ok(response.map(|body| turn.answered(body)))
}
