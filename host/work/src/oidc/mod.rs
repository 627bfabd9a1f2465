//! Unified authentication: this host is the OpenID provider of the MiniApps (U2, U10–U18).
//!
//! How is the user known in a web-view? By the word of the host app's server, as at every login: it gets a login code, and
//! the host app opens `/oidc/authorize` with it. From then on the browser has a **sign-on**, by which other MiniApps of the
//! same host app get the user's OpenID in them without asking. Each has its own OpenID, so that they cannot compare notes.
//!
//! Internal tools of workspaces are clients of the same provider, for the members of the workspace: [`tool`].
//!
//! Refusals here are [`Refusal`]s, in the words of OAuth, as the clients of others read them; `redirects` and `sign_ons`
//! belong to the API of this host and refuse as it does.

mod authorize;
mod browser;
mod exchange;
mod issuer;
mod keys;
mod logout;
mod redirects;
mod sent;
mod sign_ons;
pub mod tool;
mod user_info;

pub use authorize::authorize;
pub use berth_model::oidc::*;
pub use browser::Browser;
pub use exchange::exchange;
pub use issuer::Issuer;
pub use keys::{jwks, rotate as rotate_key};
pub use logout::{LoggedOut, log_out};
pub use redirects::{get as client, set as set_client};
pub use sent::{Sent, Shown};
pub use sign_ons::end as end_sign_ons;
pub use user_info::{Told, user_info};
