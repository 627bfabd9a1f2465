//! Says in words why a host could not be reached.

use std::{error::Error, io};

use super::failure::Failure;

/// The failure of a call that got no answer.
pub fn explain(base: &str, error: &reqwest::Error) -> Failure {
    Failure::Unreachable(format!("Cannot reach {base}: {}", reason(error)))
}

/// The failure when something else than Berth answered.
pub(crate) fn not_berth(base: &str) -> Failure {
    Failure::Unreachable(format!("What answers at {base} is not a Berth host. Check the server address."))
}

/// Whether it is useless to try again.
pub(crate) fn is_final(error: &reqwest::Error) -> bool {
    error.is_builder() || tls(error).is_some()
}

fn reason(error: &reqwest::Error) -> String {
    if let Some(tls) = tls(error) {
        return in_words(tls);
    }
    if error.is_timeout() {
        return "it did not answer in time. Is the host overloaded, or the address wrong?".into();
    }
    match causes(error).find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => {
            "nothing listens there. Is the host running (`berth serve`), and is the port right?".into()
        }
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof) => {
            "it closed the connection without an answer.".into()
        }
        _ => format!("{}.", causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)),
    }
}

fn in_words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(why) => format!(
            "its TLS certificate is not accepted ({why:?}). Check the address; if your company signs its own certificates, install its CA on this machine."
        ),
        rustls::Error::InvalidMessage(_) => "it does not speak TLS there. Try http:// instead of https://.".into(),
        other => format!("TLS failed: {other}."),
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error))
}

/// The error behind `error`. `source` does not show the error that an `io::Error` wraps.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
}

fn tls(error: &reqwest::Error) -> Option<&rustls::Error> {
    causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>())
}
