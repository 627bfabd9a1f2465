//! Refuses records in places that only some readers skip: to a reader that searches for signatures, an archive within a
//! comment is another archive.

use super::super::refusal;
use berth_base::error::Result;

/// The signatures of all kinds of records, without their `PK`.
const SIGNATURES: [&[u8; 2]; 6] = [b"\x01\x02", b"\x03\x04", b"\x05\x05", b"\x05\x06", b"\x06\x06", b"\x06\x07"];

/// Refuses an entry whose comment or extra field contains the beginning of a record.
pub fn check(place: &str, bytes: &[u8], name: &[u8]) -> Result<()> {
    if holds_record(bytes) {
        let why = format!("its {place} holds records of another archive. Pack it again, without comments.");
        return Err(refusal::entry("hidden-archive", name, why));
    }
    Ok(())
}

/// Whether a record begins anywhere in these bytes.
pub(crate) fn holds_record(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|four| four.starts_with(b"PK") && SIGNATURES.iter().any(|end| four.ends_with(*end)))
}
