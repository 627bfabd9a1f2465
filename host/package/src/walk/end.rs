//! The end records of the file, which say where the central directory is.

use super::{
    super::{
        refusal,
        source::{Source, u16_at, u32_at, u64_at},
    },
    hidden,
};
use berth_base::error::{Error, Result};

const END: &[u8; 4] = b"PK\x05\x06";
const END_LEN: u64 = 22;
const END64: &[u8; 4] = b"PK\x06\x06";
const END64_LEN: u64 = 56;
const LOCATOR: &[u8; 4] = b"PK\x06\x07";
const LOCATOR_LEN: u64 = 20;

/// Where the central directory is, and how many entries it has.
#[derive(Debug, PartialEq, Eq)]
pub struct End {
    pub entries: u64,
    pub directory_at: u64,
    pub directory_len: u64,
    /// The offset of the first end record, at which the directory must end.
    pub directory_end: u64,
}

/// Finds the only end record, and its zip64 record when there is one.
pub fn find(source: &Source) -> Result<End> {
    let at = position(source)?;
    check_comment(source, at)?;
    let stated = Stated::read(source, at)?;
    let end = match locator(source, at)? {
        Some(end64_at) => read_zip64(source, end64_at, &stated)?,
        None => stated.alone(at)?,
    };
    check_extent(&end)?;
    check_not_tar(source)?;
    Ok(end)
}

/// The offset of the only end record. Readers search for it backwards and differ in which one they accept, so a second
/// signature that could be one is refused.
fn position(source: &Source) -> Result<u64> {
    let window = source.len.min(END_LEN + u64::from(u16::MAX));
    let tail = source.vec(source.len - window, window as usize)?;
    let signatures = tail.windows(4).enumerate().filter(|(_, four)| four == END).map(|(at, _)| at);
    let signatures: Vec<usize> = signatures.collect();
    let complete: Vec<usize> = signatures.iter().copied().filter(|at| reaches_end(&tail[*at..])).collect();
    let refuse = |rule, detail: &str| Err(refusal::archive(rule, detail));
    match (complete.as_slice(), signatures.last()) {
        ([one], Some(last)) if one == last => Ok(source.len - window + *one as u64),
        ([], None) => {
            refuse("no-end-record", "This is no zip archive, or its end is missing. Upload the whole package.")
        }
        ([], Some(_)) => {
            refuse("trailing-bytes", "Bytes follow the end of the archive, or are missing there. Pack it again.")
        }
        _ => refuse("two-end-records", "The archive has two ends and can be read in two ways. Pack it again."),
    }
}

/// Refuses a comment of the archive that contains another archive.
fn check_comment(source: &Source, end_at: u64) -> Result<()> {
    let at = end_at + END_LEN;
    if hidden::holds_record(&source.vec(at, (source.len - at) as usize)?) {
        let detail = "The comment of the archive holds records of another archive. Pack it again, without a comment.";
        return Err(refusal::archive("hidden-archive", detail));
    }
    Ok(())
}

/// Whether an end record that begins here ends, with its comment, exactly at the end of the file.
fn reaches_end(rest: &[u8]) -> bool {
    let fixed = END_LEN as usize;
    rest.len() >= fixed && rest.len() == fixed + usize::from(u16_at(rest, 20))
}

/// What the end record states (APPNOTE 4.3.16).
struct Stated {
    /// The number of the disk with this record, and of that with the directory.
    disks: [u16; 2],
    entries: u64,
    directory_len: u64,
    directory_at: u64,
}

impl Stated {
    fn read(source: &Source, at: u64) -> Result<Self> {
        let record: [u8; END_LEN as usize] = source.array(at)?;
        let here = u16_at(&record, 8);
        let stated = Self {
            disks: [u16_at(&record, 4), u16_at(&record, 6)],
            entries: u16_at(&record, 10).into(),
            directory_len: u32_at(&record, 12).into(),
            directory_at: u32_at(&record, 16).into(),
        };
        if u64::from(here) != stated.entries {
            return Err(several_disks());
        }
        Ok(stated)
    }

    /// The position of the directory, when no zip64 record precedes the end record at `at`.
    fn alone(&self, at: u64) -> Result<End> {
        if self.is_saturated() {
            let detail = "The end record refers to a zip64 record that is not there. Pack it again.";
            return Err(refusal::archive("zip64-missing", detail));
        }
        if self.disks != [0, 0] {
            return Err(several_disks());
        }
        let Self { entries, directory_len, directory_at, .. } = *self;
        Ok(End { entries, directory_at, directory_len, directory_end: at })
    }

    fn is_saturated(&self) -> bool {
        self.disks.contains(&u16::MAX)
            || self.entries == u64::from(u16::MAX)
            || self.directory_len == u64::from(u32::MAX)
            || self.directory_at == u64::from(u32::MAX)
    }

    /// Whether each field has the same value as the zip64 record, or refers to it.
    fn agrees(&self, entries: u64, directory_len: u64, directory_at: u64) -> bool {
        let agrees = |stated: u64, actual: u64, saturated: u64| stated == actual || stated == saturated;
        self.disks.iter().all(|disk| agrees((*disk).into(), 0, u16::MAX.into()))
            && agrees(self.entries, entries, u16::MAX.into())
            && agrees(self.directory_len, directory_len, u32::MAX.into())
            && agrees(self.directory_at, directory_at, u32::MAX.into())
    }
}

/// The offset of the zip64 end record; `None` when no locator precedes the end record (APPNOTE 4.3.15).
fn locator(source: &Source, end_at: u64) -> Result<Option<u64>> {
    let Some(at) = end_at.checked_sub(LOCATOR_LEN) else { return Ok(None) };
    let record: [u8; LOCATOR_LEN as usize] = source.array(at)?;
    if !record.starts_with(LOCATOR) {
        return Ok(None);
    }
    if u32_at(&record, 4) != 0 || u32_at(&record, 16) != 1 {
        return Err(several_disks());
    }
    let end64_at = u64_at(&record, 8);
    // Some readers follow the locator and some look right before it: both must find the same record.
    if end64_at.checked_add(END64_LEN) != Some(at) {
        return Err(refusal::archive(
            "zip64-locator",
            "The zip64 locator does not point right before itself. Pack it again.",
        ));
    }
    Ok(Some(end64_at))
}

/// Reads the zip64 end record (APPNOTE 4.3.14).
fn read_zip64(source: &Source, at: u64, stated: &Stated) -> Result<End> {
    let record: [u8; END64_LEN as usize] = source.array(at)?;
    let wrong = |detail: &str| refusal::archive("zip64-end-record", detail);
    if !record.starts_with(END64) || u64_at(&record, 4) != END64_LEN - 12 {
        return Err(wrong("The zip64 end record is not there, or has an unusual length. Pack it again."));
    }
    let (here, entries) = (u64_at(&record, 24), u64_at(&record, 32));
    if u32_at(&record, 16) != 0 || u32_at(&record, 20) != 0 || here != entries {
        return Err(several_disks());
    }
    let (directory_len, directory_at) = (u64_at(&record, 40), u64_at(&record, 48));
    if !stated.agrees(entries, directory_len, directory_at) {
        return Err(wrong("The two end records disagree. Pack it again."));
    }
    Ok(End { entries, directory_at, directory_len, directory_end: at })
}

fn check_extent(end: &End) -> Result<()> {
    if end.directory_at.checked_add(end.directory_len) == Some(end.directory_end) {
        return Ok(());
    }
    let detail = "The central directory does not reach from where it says to the end record: bytes were put before the archive, or between. Pack it again.";
    Err(refusal::archive("directory-extent", detail))
}

/// Refuses a file that is a zip and also a tar archive.
fn check_not_tar(source: &Source) -> Result<()> {
    if source.len >= 512 && source.array::<5>(257)? == *b"ustar" {
        return Err(refusal::archive("polyglot", "The file is a tar archive, too. Pack it again."));
    }
    Ok(())
}

fn several_disks() -> Error {
    refusal::archive("several-disks", "The archive claims to be one of several. Pack it as one file.")
}
