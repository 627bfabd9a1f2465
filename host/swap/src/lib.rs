//! A reverse proxy that swaps OpenIDs (U4, U9): it stands in front of a merchant's server, where requests come with the OpenIDs
//! of a partner's MiniApp. It puts the merchant's own in their place, and on the way back the partner's again, so that the
//! merchant's code runs unchanged and never sees another OpenID than its own.
//!
//! The flow: [`proxy`] takes a request apart, [`place`] and [`json`] say where OpenIDs stand in it, [`swapper`] swaps them by
//! what it [remembers](remember) or by asking the host, and the request goes on with the swapped ones. Bodies in which none can
//! stand are streamed as they are. Of a WebSocket [`socket`] finds the messages, and [`tunnel`] says when it ends.

mod forward;
mod found;
mod json;
mod listen;
mod place;
mod proxy;
mod refusal;
mod remember;
mod settings;
mod socket;
mod swapper;
mod tunnel;

pub use listen::{Listener, listen};
pub use place::Place;
pub use settings::{Asker, SwapArgs};
