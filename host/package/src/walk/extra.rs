//! Extra fields: `id u16, length u16, data`, one after the other (APPNOTE 4.5.1).

use super::super::{
    refusal,
    source::{u16_at, u32_at},
};
use berth_base::error::Result;

/// Sizes and offsets beyond 4 GiB (APPNOTE 4.5.3).
pub(crate) const ZIP64: u16 = 0x0001;
/// The name in UTF-8, and the CRC of the name that it replaces (APPNOTE 4.6.9).
const UNICODE_PATH: u16 = 0x7075;

/// The data of the field `id`. Fields that are longer than the room for them, and a field that occurs twice, are
/// refused. Up to three zero bytes at the end are padding, with which packers align the data: they are too few for a
/// field, and all readers skip them.
pub fn find<'a>(extra: &'a [u8], id: u16, name: &[u8]) -> Result<Option<&'a [u8]>> {
    let mut rest = extra;
    let mut found = None;
    while !is_padding(rest) {
        let (field, data, after) = split(rest).ok_or_else(|| {
            refusal::entry("extra-field", name, "an extra field is longer than the room for it. Pack it again.")
        })?;
        if field == id && found.replace(data).is_some() {
            return Err(refusal::entry("extra-field", name, "an extra field is there twice. Pack it again."));
        }
        rest = after;
    }
    Ok(found)
}

fn is_padding(rest: &[u8]) -> bool {
    rest.len() < 4 && rest.iter().all(|byte| *byte == 0)
}

fn split(extra: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (head, rest) = extra.split_at_checked(4)?;
    let (data, rest) = rest.split_at_checked(u16_at(head, 2).into())?;
    Some((u16_at(head, 0), data, rest))
}

/// Refuses a unicode-path field that does not repeat the name, as readers that use it would see another entry.
pub(crate) fn check_unicode_path(extra: &[u8], name: &[u8]) -> Result<()> {
    let Some(data) = find(extra, UNICODE_PATH, name)? else { return Ok(()) };
    if data.len() >= 5 && data[0] == 1 && u32_at(data, 1) == crc32fast::hash(name) && &data[5..] == name {
        return Ok(());
    }
    Err(refusal::entry("unicode-path", name, "its unicode-path field says another name. Pack it again."))
}
