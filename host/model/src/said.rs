//! Members of a request in which `null` says something.

use serde::{Deserialize, Deserializer};

/// Reads a member that was sent, so that `null` is another value than an absent member.
pub(crate) fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
