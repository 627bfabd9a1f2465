//! Who is waiting for whom in a connection, and until when.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

use super::Patience;

/// What a client has to take within [`Patience::write_stall`], in bytes. Control frames must not count as progress.
const WORTHWHILE: usize = 1024;

/// What is going on in a connection.
pub struct Activity(Mutex<State>);

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
pub struct Look {
    /// That moment; past: now.
    pub when: Instant,
    /// Whether to let the protocol say goodbye first.
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
        }))
    }
}

impl Activity {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Looks at the state, and on to the end that it leads to.
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

    /// The socket took this many bytes.
    pub fn wrote(&self, bytes: usize) {
        self.change(|state| {
            state.blocked = false;
            state.trickle += bytes;
            if state.trickle >= WORTHWHILE {
                state.trickle = 0;
                state.moved = Instant::now();
            }
        });
    }

    /// The socket takes nothing for now. The clock runs since the last progress, or a trickle would set it back for ever.
    pub fn blocked(&self) {
        self.change(|state| state.blocked = true);
    }
}

/// One request and its answer, from head to last byte.
pub struct Turn {
    activity: Arc<Activity>,
    handed: bool,
}

impl Turn {
    /// A head has arrived.
    pub fn begin(activity: Arc<Activity>) -> Self {
        activity.change(|state| {
            state.in_flight += 1;
            state.served = true;
        });
        Self { activity, handed: false }
    }

    /// The handler has answered: from here on the client is asked to take `body`.
    pub fn answered(mut self, body: Body) -> WatchedBody {
        self.pass(false);
        WatchedBody { body, turn: self }
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
pub struct WatchedBody {
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
