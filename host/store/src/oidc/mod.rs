//! Unified authentication: clients, sign-ons, codes, access tokens, and the keys that sign ID tokens. Of what is secret,
//! only hashes and sealed texts are kept.

mod client;
mod code;
mod key;
mod sign_on;
mod token;
mod tool;

pub use key::{ABOUT_SIGNING_KEY, SigningKey};
pub use token::AccessTokenRow;
pub use tool::ToolSecretRow;
