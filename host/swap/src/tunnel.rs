//! Tunnels: connections that went on with another protocol, such as WebSocket, and are open long after the answer that began them.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, sleep_until},
};

/// How many bytes of a tunnel are read at a time.
pub(crate) const CHUNK: usize = 16 << 10;
/// After how long a tunnel is ended on which nothing passes in either direction. Those who use a WebSocket ping each other every
/// minute or so. One that is silent for so long has mostly lost its client without a word, and would keep its place for ever.
const QUIET: Duration = Duration::from_secs(3600);

/// What the requests of a connection share, and a tunnel keeps that one of them begins.
#[derive(Clone)]
pub(crate) struct Connected {
    /// The place among the connections that may be open, given back with the last clone.
    _place: Arc<Option<OwnedSemaphorePermit>>,
    /// Told, by the end of its sender, that the proxy stops.
    stopping: watch::Receiver<()>,
    quiet: Duration,
}

impl Connected {
    pub(crate) fn new(place: Option<OwnedSemaphorePermit>, stopping: watch::Receiver<()>) -> Self {
        Self { _place: Arc::new(place), stopping, quiet: QUIET }
    }

    /// Does the work of a tunnel until it has ended, nothing has passed for long, or the proxy stops: tunnels have no end of
    /// their own that could be waited for, and whoever needs another one connects anew.
    pub(crate) async fn carry(mut self, passed: &Passed, work: impl Future<Output = ()>) {
        tokio::select! {
            () = work => {}
            () = passed.quiet_for(self.quiet) => {}
            _ = self.stopping.changed() => {}
        }
    }
}

/// When something passed last.
pub(crate) struct Passed(Mutex<Instant>);

impl Passed {
    pub(crate) fn now() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    /// Notes that something passes.
    pub(crate) fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ready when nothing has passed for this long.
    async fn quiet_for(&self, quiet: Duration) {
        loop {
            let until = self.last() + quiet;
            if Instant::now() >= until {
                return;
            }
            sleep_until(until).await;
        }
    }
}

/// Hands bytes on as they come, both ways, until both sides have ended it, or one has failed.
pub(crate) async fn hand_both_ways(
    client: impl AsyncRead + AsyncWrite,
    server: impl AsyncRead + AsyncWrite,
    passed: &Passed,
) {
    let ((from_client, to_client), (from_server, to_server)) = (split(client), split(server));
    let there = hand_bytes(from_client, to_server, passed);
    // There is nobody to tell of an error.
    let _ = tokio::try_join!(there, hand_bytes(from_server, to_client, passed));
}

async fn hand_bytes(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    passed: &Passed,
) -> io::Result<()> {
    let mut some = vec![0; CHUNK];
    loop {
        let count = from.read(&mut some).await?;
        passed.note();
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&some[..count]).await?;
        to.flush().await?;
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use tokio::{
        io::{DuplexStream, duplex},
        sync::Semaphore,
        task::JoinHandle,
        time::{sleep, timeout},
    };

    use super::*;

    /// A tunnel with a client and a server at its ends, which is ended when it is quiet for a second.
    struct Open {
        places: Arc<Semaphore>,
        running: watch::Sender<()>,
        client: DuplexStream,
        server: DuplexStream,
        carried: JoinHandle<()>,
    }

    async fn open() -> Open {
        let (places, (running, stopping)) = (Arc::new(Semaphore::new(1)), watch::channel(()));
        let place = places.clone().acquire_owned().await.unwrap();
        let connected = Connected { quiet: Duration::from_secs(1), ..Connected::new(Some(place), stopping) };
        let ((client, near), (far, server)) = (duplex(64), duplex(64));
        let carried = tokio::spawn(async move {
            let passed = Passed::now();
            connected.carry(&passed, hand_both_ways(near, far, &passed)).await;
        });
        Open { places, running, client, server, carried }
    }

    /// Waits until the tunnel has ended, which both sides and the places then know.
    async fn ended(open: &mut Open) {
        timeout(Duration::from_secs(30), &mut open.carried).await.unwrap().unwrap();
        assert_eq!((open.client.read(&mut [0]).await.unwrap(), open.server.read(&mut [0]).await.unwrap()), (0, 0));
        assert_eq!(open.places.available_permits(), 1);
    }

    #[tokio::test]
    async fn u9_a_tunnel_keeps_its_place_until_nothing_has_passed_for_long() {
        let mut open = open().await;
        for _ in 0..6 {
            sleep(Duration::from_millis(250)).await;
            open.client.write_all(b"?").await.unwrap();
            assert_eq!(open.server.read_u8().await.unwrap(), b'?');
            open.server.write_all(b"!").await.unwrap();
            assert_eq!(open.client.read_u8().await.unwrap(), b'!');
            assert_eq!(open.places.available_permits(), 0);
        }
        ended(&mut open).await;
    }

    #[tokio::test]
    async fn u9_a_tunnel_ends_when_both_sides_have_ended_it_and_when_the_proxy_stops() {
        let mut by_hand = open().await;
        by_hand.client.write_all(b"bye").await.unwrap();
        by_hand.client.shutdown().await.unwrap();
        let mut heard = Vec::new();
        by_hand.server.read_to_end(&mut heard).await.unwrap();
        assert_eq!((heard.as_slice(), by_hand.places.available_permits()), (&b"bye"[..], 0), "the server may go on");
        by_hand.server.shutdown().await.unwrap();
        ended(&mut by_hand).await;
        let Open { places, running, client, server, carried } = open().await;
        drop(running);
        let (unused, _) = watch::channel(());
        ended(&mut Open { places, running: unused, client, server, carried }).await;
    }
}
