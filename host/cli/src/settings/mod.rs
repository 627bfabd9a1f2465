//! The development settings of MiniApps: domains, permits in host apps, sensitive APIs of host apps.

pub mod domains;
pub mod permit;
pub mod sensitive;

use berth_base::error::Error;

use super::failure::Failure;

/// Reads a word as the host would, with its words for what is wrong.
fn typed<T: std::str::FromStr<Err = Error>>(text: &str) -> Result<T, Failure> {
    text.parse().map_err(|error: Error| Failure::usage(error.detail))
}
