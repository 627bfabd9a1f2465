//! Unified authentication: clients, sign-ons, codes, access tokens, and the keys that sign ID tokens. Of what is secret,
//! only hashes and sealed texts are kept.

mod client;
mod code;
mod key;
mod sign_on;
mod token;

pub use key::{ABOUT_SIGNING_KEY, SigningKey};
pub use token::AccessTokenRow;
