//! Zip64 fields (APPNOTE 4.5.3). They hold the numbers that do not fit into 32 bits, in this order: inflated size,
//! packed size, offset of the local header, number of the disk.

use super::super::{
    refusal,
    source::{u32_at, u64_at},
};
use berth_base::error::Error;

/// A number of a header that may have moved to the zip64 field.
#[derive(Clone, Copy)]
pub(crate) enum Narrow {
    /// The number is in the header.
    Here(u64),
    /// All bits in the header are set, so the number is in the zip64 field.
    Moved,
}

impl Narrow {
    pub fn of(field: u32) -> Self {
        if field == u32::MAX { Self::Moved } else { Self::Here(field.into()) }
    }
}

/// The numbers of a header, in the order of the zip64 field. By the specification the field has only the numbers that
/// moved. A field with more is accepted if it means the same to readers that follow the specification and to those that
/// expect each number in its fixed place. `None` when numbers are missing or the field is ambiguous.
pub fn widen(narrow: [Narrow; 3], field: Option<&[u8]>) -> Option<[u64; 3]> {
    let mut rest = field.unwrap_or_default();
    let mut wide = [0; 3];
    for (wide, narrow) in wide.iter_mut().zip(narrow) {
        *wide = match narrow {
            Narrow::Here(number) => number,
            Narrow::Moved => take(&mut rest)?,
        };
    }
    (rest.is_empty() || is_layout_of(wide, field.unwrap_or_default())).then_some(wide)
}

/// Whether the field has the first of all its possible numbers, with their true values.
fn is_layout_of(wide: [u64; 3], mut field: &[u8]) -> bool {
    wide.iter().all(|number| field.is_empty() || take(&mut field) == Some(*number))
        && (field.is_empty() || field.len() == 4 && u32_at(field, 0) == 0)
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let (eight, after) = rest.split_at_checked(8)?;
    *rest = after;
    Some(u64_at(eight, 0))
}

/// The error of a zip64 field that lacks a number or contradicts the header.
pub fn wrong(name: &[u8]) -> Error {
    let why = "its zip64 field lacks a number, or says another than the rest of the header. Pack it again.";
    refusal::entry("zip64-field", name, why)
}
