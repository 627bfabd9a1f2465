//! AppSecrets: an admin of the team generates, resets and freezes the one of a MiniApp, and its server proves by it that it
//! is that (K1–K4). For calls to this host it gets a server token for it (K8).
//!
//! Every request reads the rows anew, so that a reset or a freeze holds on every host from the moment on in which it was
//! answered (F86). Events tell of these changes. What is done with a secret tells of none: every login would be one.

mod manage;
mod prove;
mod server_token;

pub use berth_model::app_secret::*;
pub use manage::{freeze, generate, get, reset, unfreeze};
pub use prove::{Proved, prove};
pub use server_token::{authenticate, issue_server_token};
