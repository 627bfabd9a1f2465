//! Walks the records of a ZIP file, and accepts it only when they can be read in one way.
//!
//! ```text
//! offset 0                                                                                    end of file
//! │ (local header, data, [descriptor])… │ central headers… │ [zip64 end, zip64 locator] │ end, comment │
//! ```
//!
//! Field layouts are those of PKWARE's APPNOTE 6.3.10, whose section numbers the comments give.

mod central;
mod encoding;
mod end;
mod extra;
mod hidden;
mod local;
mod zip64;

use super::{
    limits::Limits,
    names::{Kind, Names},
    source::Source,
};
use berth_base::error::Result;

/// How an entry's bytes are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
}

/// One file whose records agree and whose name is allowed. That its data keep their word is [`super::unpack`]'s to check.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub path: String,
    pub method: Method,
    pub crc32: u32,
    /// Bytes in the archive.
    pub packed: u64,
    /// Bytes after inflating, as declared.
    pub size: u64,
    /// Where the packed bytes begin.
    pub data_at: u64,
    /// An entry whose name ends with a slash; it is empty.
    pub is_folder: bool,
}

/// All entries, folders among them. Nothing is inflated, and nothing is allocated by a number that was not checked.
pub(super) fn walk(source: &Source, limits: &Limits) -> Result<Vec<Entry>> {
    limits.check_bytes(source.len)?;
    let end = end::find(source)?;
    limits.check_entries(end.entries)?;
    let headers = central::read(source, &end, limits)?;
    let entries = local::locate(source, headers, end.directory_at)?;
    check_names(&entries)?;
    check_sizes(&entries, limits)?;
    Ok(entries)
}

/// Each name was checked by itself when it was read; here they are checked against each other.
fn check_names(entries: &[Entry]) -> Result<()> {
    let mut names = Names::default();
    for entry in entries {
        names.add(&entry.path, if entry.is_folder { Kind::Folder } else { Kind::File })?;
    }
    Ok(())
}

fn check_sizes(entries: &[Entry], limits: &Limits) -> Result<()> {
    let mut total = 0u64;
    for entry in entries {
        limits.check_file(&entry.path, entry.size, entry.packed)?;
        total = total.saturating_add(entry.size);
        limits.check_total(total)?;
    }
    Ok(())
}
