//! Tracks whether a connection waits for the client or for the host, and until when.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

/// How long a connection may be without progress.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From the connection to the end of the head of its first request.
    pub first_request: Duration,
    /// From the end of an answer to the end of the head of the next request.
    pub idle: Duration,
    /// For the client to take 1 KiB of an answer.
    pub write_stall: Duration,
    /// After the last answer, for the client to read it before the socket is reset.
    pub linger: Duration,
}

/// How many bytes a client must take within [`Patience::write_stall`]. Smaller amounts, such as control frames, do not
/// count as progress.
const WORTHWHILE: usize = 1024;

/// The state of a connection.
pub(crate) struct Activity(Mutex<State>);

struct State {
    /// Number of requests whose answer is not complete.
    in_flight: usize,
    /// Number of answers of which a part was handed to the connection and the next part was not asked for yet.
    handed: usize,
    /// Whether the socket accepts no more bytes for now.
    blocked: bool,
    /// Bytes that were written since `moved`.
    trickle: usize,
    /// Whether there was a request at all.
    served: bool,
    /// When the last request ended, or the connection began.
    rested: Instant,
    /// When the client last made progress.
    moved: Instant,
    /// The bodies of requests whose next part has not come yet.
    bodies: Vec<Awaited>,
    /// How many bodies have been waited for.
    numbered: u64,
}

/// A body whose next part is due. Most parts come at once, and a timer of its own for each would cost a check more than to
/// decide it, so that the one timer of the connection watches over all.
struct Awaited {
    number: u64,
    due: Instant,
    reader: Waker,
}

/// When and how to end the connection if nothing changes.
pub struct Look {
    /// When to end it; a time in the past means now.
    pub when: Instant,
    /// Whether to end it as the protocol prescribes, rather than to cut it.
    pub polite: bool,
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
            bodies: Vec::new(),
            numbered: 0,
        }))
    }
}

impl Activity {
    fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// When and how the connection is to end if the present state lasts.
    pub fn look(&self, patience: &Patience) -> Look {
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

    /// When the next part of a body is due, of those that are waited for.
    pub fn next_due(&self) -> Option<Instant> {
        self.with(|state| state.bodies.iter().map(|body| body.due).min())
    }

    /// Wakes the readers of bodies whose next part is overdue, and forgets these bodies.
    pub fn wake_overdue(&self) {
        let now = Instant::now();
        let overdue: Vec<_> = self.with(|state| state.bodies.extract_if(.., |body| body.due <= now).collect());
        overdue.into_iter().for_each(|body| body.reader.wake());
    }

    /// Wakes the reader of a body when `due` is over and nothing has come. The number names the body from now on.
    pub fn await_body(&self, due: Instant, reader: &Waker) -> u64 {
        self.with(|state| {
            state.numbered += 1;
            state.bodies.push(Awaited { number: state.numbered, due, reader: reader.clone() });
            state.numbered
        })
    }

    /// Has another waker wake the reader of a body.
    pub fn read_by(&self, number: u64, reader: &Waker) {
        let is_awaited = self.with(|state| {
            let mut awaited = state.bodies.iter_mut().filter(|body| body.number == number);
            awaited.next().map(|body| body.reader.clone_from(reader)).is_some()
        });
        if !is_awaited {
            // It was overdue a moment ago, and another waker was woken.
            reader.wake_by_ref();
        }
    }

    /// Notes that a body is waited for no more.
    pub fn body_came(&self, number: u64) {
        self.with(|state| state.bodies.retain(|body| body.number != number));
    }

    /// Notes that the socket has accepted this many bytes.
    pub fn wrote(&self, bytes: usize) {
        self.with(|state| {
            state.blocked = false;
            state.trickle += bytes;
            if state.trickle >= WORTHWHILE {
                state.trickle = 0;
                state.moved = Instant::now();
            }
        });
    }

    /// Notes that the socket accepts nothing for now. The deadline still counts from the last progress, because
    /// otherwise a trickle could postpone it for ever.
    pub(crate) fn blocked(&self) {
        self.with(|state| state.blocked = true);
    }
}

/// One request and its answer, from the head of the request to the last byte of the answer.
pub struct Turn {
    activity: Arc<Activity>,
    handed: bool,
}

impl Turn {
    /// Begins when the head of a request has arrived.
    pub fn begin(activity: Arc<Activity>) -> Self {
        activity.with(|state| {
            state.in_flight += 1;
            state.served = true;
        });
        Self { activity, handed: false }
    }

    /// The connection's own activity.
    pub fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// Notes that the handler has answered; from now on the client is expected to take `body`.
    pub fn answered(self, body: Body) -> WatchedBody {
        self.activity.with(|state| state.moved = Instant::now());
        WatchedBody { body, turn: self }
    }

    /// Notes whether the client (`handed`) or the host has to act next. The clock is read only when it is the client, who
    /// has taken what came before.
    fn pass(&mut self, handed: bool) {
        let before = std::mem::replace(&mut self.handed, handed);
        self.activity.with(|state| {
            state.handed -= usize::from(before);
            if handed {
                state.handed += 1;
                state.moved = Instant::now();
            }
        });
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.activity.with(|state| {
            state.handed -= usize::from(self.handed);
            state.in_flight -= 1;
            state.rested = Instant::now();
        });
    }
}

/// The body of an answer, which reports whether the client or the host has to act next.
pub(crate) struct WatchedBody {
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
