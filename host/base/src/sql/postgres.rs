//! Connections to PostgreSQL that lose no time.

use sqlx::{
    Executor,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// A pool of connections to this server, which send at once what they are given. `settings` is what each begins with, as
/// statements.
pub fn postgres_pool(to: &PgConnectOptions, settings: &'static str) -> PgPoolOptions {
    let port = to.get_port();
    PgPoolOptions::new().after_connect(move |connection, _| {
        send_at_once(port);
        Box::pin(async move { connection.execute(settings).await.map(drop) })
    })
}

/// Has all TCP connections of this process to this port send at once what they are given. What cannot be set is only slower.
///
/// sqlx 0.9.0 leaves Nagle's algorithm on (transact-rs/sqlx#4335): of what does not fit into one segment, or into one record of
/// TLS, the rest waits until the server has acknowledged the first, which takes it 40 ms. A connection does not lend its socket, so
/// it is found among the open files of the process. This goes with the first sqlx that sets the option itself.
#[cfg(target_os = "linux")]
fn send_at_once(port: u16) {
    use std::{net::SocketAddr, os::fd::BorrowedFd};

    use rustix::net::{getpeername, sockopt::set_tcp_nodelay};

    for number in std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten() {
        let Some(number) = number.file_name().to_str().and_then(|number| number.parse().ok()) else { continue };
        // SAFETY: the number may be closed meanwhile, or given to another file. Then both calls fail, or the option is set of
        // another socket to this port: it is not read from, written to or closed here.
        let socket = unsafe { BorrowedFd::borrow_raw(number) };
        let peer = getpeername(socket).ok().flatten().and_then(|peer| SocketAddr::try_from(peer).ok());
        if peer.is_some_and(|peer| peer.port() == port) {
            let _ = set_tcp_nodelay(socket, true);
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn send_at_once(_: u16) {}

#[cfg(all(test, target_os = "linux"))]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn connections_to_a_port_send_at_once_and_others_are_left_alone() {
        let (database, other) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let connections = [&database, &other].map(|to| TcpStream::connect(to.local_addr().unwrap()).unwrap());
        send_at_once(database.local_addr().unwrap().port());
        assert_eq!(connections.map(|one| one.nodelay().unwrap()), [true, false]);
    }
}
