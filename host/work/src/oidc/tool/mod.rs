//! Internal tools of workspaces as OpenID clients: members are signed on to them (W6–W8).
//!
//! How does a member prove who they are? The portal of the organisation knows it, by its own login. Its server vouches for the
//! member by a login code, as the server of a host app does for a user: the browser of somebody who is not signed on is sent to
//! the portal's sign-in page, and comes back with a code. From then on it has a sign-on, and opens further tools by that.
//!
//! Whether a member may open a tool is the decision of the portal (`workspace::opening`), made from the address book at the moment
//! when a code, a token or a claim is given. Nothing is kept that could differ from it, so whoever loses access has nothing that
//! still works; when a member is deactivated or leaves, what they had is deleted in the same transaction.

mod authorize;
mod clients;
mod exchange;
mod member;
mod prove;
mod vouch;

pub use clients::{get, issue_secret, set, set_sign_in, sign_in};
pub use exchange::exchange;
pub use prove::prove;
pub use vouch::{end_sign_ons, issue_login_code};

pub(crate) use authorize::begin_sign_on;
pub(super) use authorize::{authorize, held};
pub(super) use member::{is_of, member};
