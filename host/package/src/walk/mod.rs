//! Reads the records of a ZIP file, and accepts it only if they can be read in one way.
//!
//! ```text
//! offset 0                                                                                    end of file
//! │ (local header, data, [descriptor])… │ central headers… │ [zip64 end, zip64 locator] │ end, comment │
//! ```
//!
//! The layouts of the fields are those of PKWARE's APPNOTE 6.3.10, to whose sections the comments refer.

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

/// How the bytes of an entry are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
}

/// A file whose records agree and whose name is allowed. Its data are checked later, by [`super::unpack`].
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub path: String,
    pub method: Method,
    pub crc32: u32,
    /// The number of its bytes in the archive.
    pub packed: u64,
    /// The number of its bytes after inflating, as declared.
    pub size: u64,
    /// The offset of its packed bytes.
    pub data_at: u64,
    /// Whether its name ends with a slash. Such an entry is empty.
    pub is_folder: bool,
}

/// Reads all entries, folders among them. Nothing is inflated, and no memory is allocated by a number that was not
/// checked.
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

/// Checks the names against each other. Each was checked by itself when it was read.
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
