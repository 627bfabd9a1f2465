//! The listener of the proxy.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use reqwest::{Client, redirect::Policy};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};

use berth_base::error::{Error, Result};

use crate::{Asker, SwapArgs, proxy::Proxy, tunnel::Connected};

/// How many connections may be open at a time, tunnels included.
const MOST_CONNECTIONS: usize = 4096;
/// How long a client may take to send the head of a request.
const HEAD: Duration = Duration::from_secs(10);
/// How long requests in flight have to finish after the signal to stop.
const DRAIN: Duration = Duration::from_secs(20);
/// How long it may take to connect to the server behind.
const CONNECT: Duration = Duration::from_secs(5);
/// The pause after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(50);

/// A proxy that listens.
pub struct Listener {
    socket: TcpListener,
    proxy: Arc<Proxy>,
}

/// Opens the proxy, and asks the host whether it would swap.
///
/// # Errors
/// `invalid-field` for the settings, and when the address cannot be listened on.
pub async fn listen(args: SwapArgs, asker: Asker) -> Result<(Listener, Option<String>)> {
    args.check()?;
    let client = Client::builder().redirect(Policy::none()).no_proxy().http1_only().connect_timeout(CONNECT);
    let http = client.tcp_nodelay(true).build().map_err(Error::internal)?;
    let socket = TcpListener::bind(args.listen)
        .await
        .map_err(|error| Error::parameter("listen", format!("cannot be listened on: {error}.")))?;
    let proxy = Proxy::new(args, asker, http);
    // A host that is down for a moment is no reason not to start: requests are refused until it is back.
    let doubt = proxy.swapper.try_out().await.err().map(|refusal| refusal.detail());
    Ok((Listener { socket, proxy: Arc::new(proxy) }, doubt))
}

impl Listener {
    /// The address at which it listens.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn address(&self) -> Result<SocketAddr> {
        self.socket.local_addr().map_err(Error::internal)
    }

    /// Serves until `stop` is ready, and then until the requests in flight are answered, at most 20 seconds. Tunnels end with
    /// `stop`.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let (graceful, permits) = (GracefulShutdown::new(), Arc::new(Semaphore::new(MOST_CONNECTIONS)));
        let (running, stopping) = watch::channel(());
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = async {
                let permit = permits.clone().acquire_owned().await;
                (self.socket.accept().await, permit)
            };
            let (accepted, permit) = tokio::select! {
                accepted = accepted => accepted,
                () = &mut stop => break,
            };
            match accepted {
                Ok((stream, peer)) => {
                    self.connection(&graceful, stream, peer, Connected::new(permit.ok(), stopping.clone()));
                }
                // Mostly there are no file descriptors left; they come back.
                Err(_) => sleep(PAUSE).await,
            }
        }
        drop(self.socket);
        drop(running);
        let drained = async move {
            graceful.shutdown().await;
            // A tunnel is none of the connections that were waited for, and is over when its place is back.
            let _ = permits.acquire_many(MOST_CONNECTIONS as u32).await;
        };
        let _ = timeout(DRAIN, drained).await;
    }

    fn connection(&self, graceful: &GracefulShutdown, stream: TcpStream, peer: SocketAddr, connected: Connected) {
        let _ = stream.set_nodelay(true);
        let proxy = self.proxy.clone();
        let service = service_fn(move |request| {
            let (proxy, connected) = (proxy.clone(), connected.clone());
            async move { Ok::<_, Infallible>(proxy.answer(peer.ip(), request, connected).await) }
        });
        let mut builder = Builder::new(TokioExecutor::new()).http1_only();
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let served = graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            // A client that goes away is no fault. With the connection its place is given back, unless it became a tunnel.
            let _ = served.await;
        });
    }
}
