//! One connection: HTTP/1 or HTTP/2 over a socket, and a watchdog that ends it when the client is too slow.
//!
//! hyper watches heads of HTTP/1 only. Here three rules hold for both protocols, whatever shape the slowness has:
//! without a request it is closed after [`Patience::first_request`] or [`Patience::idle`]; with an answer that the
//! client does not take it is cut after [`Patience::write_stall`]; a slow body fails by its [`Pace`]. How long a
//! handler takes is the handler's affair.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
    http::{
        HeaderValue, Request, Response, Version,
        header::{CONNECTION, TRANSFER_ENCODING},
    },
};
use hyper::{
    body::{Body as HttpBody, Frame, Incoming, SizeHint},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
    time::{Instant, Sleep, sleep, sleep_until},
};
use tower::ServiceExt;

use crate::api::{
    limits::{Pace, PacedBody},
    serve::TrustedProxies,
};

/// How long a connection may be without progress.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From the connection to the end of its first request's head.
    pub first_request: Duration,
    /// From the end of an answer to the end of the next request's head.
    pub idle: Duration,
    /// For [`WORTHWHILE`] bytes of an answer to be taken.
    pub write_stall: Duration,
    /// After the last answer, for the client to read it before the socket is reset.
    pub linger: Duration,
}

/// What a client has to take within [`Patience::write_stall`], in bytes. Control frames must not count as progress.
const WORTHWHILE: usize = 1024;

/// What all connections share.
pub struct Shared {
    /// The HTTP settings.
    pub builder: Builder<TokioExecutor>,
    /// The wrapped routes.
    pub router: Router,
    /// How long a connection may be without progress.
    pub patience: Patience,
    /// How slow a request body may be.
    pub pace: Pace,
    /// Whose word about the client's address is taken.
    pub proxies: TrustedProxies,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// In agreement, or by the client.
    Done,
    /// By us: the client was too slow or silent.
    Cut,
}

/// Serves one connection until it ends; `draining` turning true lets it finish what is in flight.
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
        tokio::select! {
            _ = connection.as_mut() => return End::Done,
            () = told_to_drain(&mut draining), if !drained => {
                drained = true;
                connection.as_mut().graceful_shutdown();
            }
            () = sleep_until(look.when) => match activity.look(&shared.patience) {
                Look { when, .. } if when > Instant::now() => {}
                Look { polite: true, .. } => {
                    connection.as_mut().graceful_shutdown();
                    let _ = tokio::time::timeout(shared.patience.linger, connection).await;
                    return End::Cut;
                }
                Look { .. } => return End::Cut,
            },
        }
    }
}

/// Also when nobody is left to tell.
async fn told_to_drain(draining: &mut watch::Receiver<bool>) {
    let _ = draining.wait_for(|now| *now).await;
}

async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    shared: Arc<Shared>,
    turn: Turn,
) -> Result<Response<WatchedBody>, Infallible> {
    let close_after = is_chunked_http1(&request);
    let client = shared.proxies.client(peer.ip(), request.headers());
    let mut request = request.map(|body| Body::new(PacedBody::new(body, shared.pace)));
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(client);
    let Ok(mut response) = shared.router.clone().oneshot(request).await;
    if close_after {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| WatchedBody { body, turn }))
}

/// hyper follows Transfer-Encoding and drops a Content-Length beside it before we can see it. RFC 9112 §6.1 wants the
/// connection closed after such a request, so that nothing behind it is taken for a request: closing it after every
/// chunked one is the way to be sure.
fn is_chunked_http1(request: &Request<Incoming>) -> bool {
    request.version() <= Version::HTTP_11 && request.headers().contains_key(TRANSFER_ENCODING)
}

/// What is going on in a connection.
struct Activity(Mutex<State>);

struct State {
    /// Requests whose answer is not complete.
    in_flight: usize,
    /// Parts of answers that were handed to the connection and not asked beyond yet.
    handed: usize,
    /// The socket takes no more.
    blocked: bool,
    /// Bytes written since `moved`.
    trickle: usize,
    /// Whether there was a request at all.
    served: bool,
    /// When the last request ended, or the connection began.
    rested: Instant,
    /// When the client last took something.
    moved: Instant,
}

/// When to end the connection if nothing changes, and how.
struct Look {
    when: Instant,
    polite: bool,
}

impl Default for Activity {
    fn default() -> Self {
        let now = Instant::now();
        Self(Mutex::new(State {
            in_flight: 0,
            handed: 0,
            blocked: false,
            trickle: 0,
            served: false,
            rested: now,
            moved: now,
        }))
    }
}

impl Activity {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn look(&self, patience: &Patience) -> Look {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.handed > 0 || state.blocked {
            return Look { when: state.moved + patience.write_stall, polite: false };
        }
        if state.in_flight > 0 {
            // A handler is at work: look again later.
            return Look { when: Instant::now() + patience.idle.min(patience.write_stall), polite: true };
        }
        let patience = if state.served { patience.idle } else { patience.first_request };
        Look { when: state.rested + patience, polite: true }
    }

    fn wrote(&self, bytes: usize) {
        self.change(|state| {
            state.blocked = false;
            state.trickle += bytes;
            if state.trickle >= WORTHWHILE {
                state.trickle = 0;
                state.moved = Instant::now();
            }
        });
    }

    fn blocked(&self) {
        self.change(|state| {
            if !state.blocked && state.handed == 0 {
                state.moved = Instant::now();
            }
            state.blocked = true;
        });
    }
}

/// One request and its answer, from head to last byte.
struct Turn {
    activity: Arc<Activity>,
    handed: bool,
}

impl Turn {
    fn begin(activity: Arc<Activity>) -> Self {
        activity.change(|state| {
            state.in_flight += 1;
            state.served = true;
        });
        Self { activity, handed: false }
    }

    /// The ball is with the client (`handed`) or with us.
    fn pass(&mut self, handed: bool) {
        self.activity.change(|state| {
            match (self.handed, handed) {
                (false, true) => state.handed += 1,
                (true, false) => state.handed -= 1,
                _ => {}
            }
            state.moved = Instant::now();
        });
        self.handed = handed;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.pass(false);
        self.activity.change(|state| {
            state.in_flight -= 1;
            state.rested = Instant::now();
        });
    }
}

/// The body of an answer that tells whose turn it is.
struct WatchedBody {
    body: Body,
    turn: Turn,
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        self.turn.pass(matches!(polled, Poll::Ready(Some(_))));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The socket: reports what it takes, and lingers before it is closed.
struct WatchedIo {
    stream: TcpStream,
    activity: Arc<Activity>,
    linger: Duration,
    closing: Option<Pin<Box<Sleep>>>,
}

impl WatchedIo {
    fn new(stream: TcpStream, activity: Arc<Activity>, linger: Duration) -> Self {
        Self { stream, activity, linger, closing: None }
    }

    fn note(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &polled {
            Poll::Ready(Ok(bytes)) => self.activity.wrote(*bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.activity.blocked(),
        }
        polled
    }

    /// Reads and forgets until the client closes or the time is over.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let linger = self.linger;
        let over = self.closing.get_or_insert_with(|| Box::pin(sleep(linger)));
        if over.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut scrap = [0u8; 4096];
        loop {
            let mut scrap = ReadBuf::new(&mut scrap);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut scrap));
            if read.is_err() || scrap.filled().is_empty() {
                return Poll::Ready(());
            }
        }
    }
}

impl AsyncRead for WatchedIo {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for WatchedIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Says that we are done, then waits for the client: closing a socket with unread bytes resets it, and the client
    /// would lose the very answer that told it to stop sending.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closing.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        }
        ready!(self.poll_linger(cx));
        Poll::Ready(Ok(()))
    }
}
