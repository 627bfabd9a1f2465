//! The last words of a policy that panics. Wasm by itself would only say `unreachable`.

use std::{any::Any, panic};

use crate::bindings::berth::policy::log;

/// Has a panic of this instance told to the host, which then ends the evaluation: with the message and the place in the
/// source.
pub fn tell_the_host() {
    panic::set_hook(Box::new(|info| {
        let message = message(info.payload());
        log::fatal(&match info.location() {
            Some(place) => format!("it panicked at {place}: {message}"),
            None => format!("it panicked: {message}"),
        });
    }));
}

fn message(payload: &dyn Any) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("it gave no message")
}
