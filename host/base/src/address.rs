//! Addresses that are put together from what people and other systems say.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All characters but the unreserved ones of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Escapes a segment of a path or a value in a query.
pub fn escape(text: impl std::fmt::Display) -> String {
    utf8_percent_encode(&text.to_string(), SEGMENT).to_string()
}
