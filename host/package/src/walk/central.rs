//! The central directory, which describes each entry (APPNOTE 4.3.12).

use super::{
    super::{
        limits::Limits,
        path, refusal,
        source::{Source, u16_at, u32_at},
    },
    Method, encoding,
    end::End,
    extra, hidden, zip64,
};
use berth_base::error::Result;

const SIGNATURE: &[u8; 4] = b"PK\x01\x02";
const HEADER_LEN: u64 = 46;

/// The CRC and the sizes follow the data, in a descriptor.
pub(crate) const FLAG_DESCRIPTOR: u16 = 1 << 3;
const FLAG_UTF8: u16 = 1 << 11;
const FLAG_LEVELS: u16 = 0b110;
/// Encryption of any kind.
const FLAG_ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;

/// The highest version of the format that common readers know: 4.5, which introduced zip64.
const MAX_NEEDED: u8 = 45;
/// The number of VMS among the systems of a version (APPNOTE 4.4.2).
const VMS: u8 = 2;

/// One header of the central directory.
pub struct Header {
    pub path: String,
    pub is_folder: bool,
    pub flags: u16,
    pub method: Method,
    pub crc32: u32,
    pub packed: u64,
    pub size: u64,
    /// The offset of the local header.
    pub local_at: u64,
}

impl Header {
    /// The name as it is in the archive: that of a folder ends with a slash.
    pub fn name(&self) -> String {
        format!("{}{}", self.path, if self.is_folder { "/" } else { "" })
    }

    pub(crate) fn has_descriptor(&self) -> bool {
        self.flags & FLAG_DESCRIPTOR != 0
    }
}

/// Reads all headers in the order of the directory, and checks that they fill it exactly.
pub fn read(source: &Source, end: &End, limits: &Limits) -> Result<Vec<Header>> {
    let mut at = end.directory_at;
    let mut headers = Vec::new();
    for _ in 0..end.entries {
        let (header, next) = read_one(source, at, end, limits)?;
        headers.push(header);
        at = next;
    }
    if at != end.directory_end {
        return Err(refusal::archive(
            "directory-count",
            "The central directory holds more than its declared entries. Pack it again.",
        ));
    }
    Ok(headers)
}

fn read_one(source: &Source, at: u64, end: &End, limits: &Limits) -> Result<(Header, u64)> {
    if end.directory_end - at < HEADER_LEN {
        return Err(refusal::archive(
            "directory-count",
            "The central directory holds fewer than its declared entries. Pack it again.",
        ));
    }
    let fixed: [u8; HEADER_LEN as usize] = source.array(at)?;
    if !fixed.starts_with(SIGNATURE) {
        return Err(refusal::archive("directory-entry", "The central directory is damaged. Pack it again."));
    }
    let [name, extra, comment] = [28, 30, 32].map(|field| usize::from(u16_at(&fixed, field)));
    let next = at + HEADER_LEN + (name + extra + comment) as u64;
    if next > end.directory_end {
        return Err(refusal::archive("directory-entry", "An entry reaches past the central directory. Pack it again."));
    }
    let variable = source.vec(at + HEADER_LEN, name + extra + comment)?;
    let (name, rest) = variable.split_at(name);
    let (extra, comment) = rest.split_at(extra);
    hidden::check("comment", comment, name)?;
    Ok((parse(&fixed, name, extra, limits)?, next))
}

fn parse(fixed: &[u8], name: &[u8], extra: &[u8], limits: &Limits) -> Result<Header> {
    let flags = u16_at(fixed, 8);
    check_flags(flags, name)?;
    check_needed([fixed[6], fixed[7]], name)?;
    hidden::check("extra field", extra, name)?;
    extra::check_unicode_path(extra, name)?;
    let (path, is_folder) = read_name(name, fixed, limits)?;
    check_mode(fixed, is_folder, name)?;
    let [size, packed, local_at] = wide(fixed, extra, name)?;
    let header = Header {
        path,
        is_folder,
        flags,
        method: method(u16_at(fixed, 10), name)?,
        crc32: u32_at(fixed, 16),
        packed,
        size,
        local_at,
    };
    check_content(&header, name)?;
    Ok(header)
}

fn check_flags(flags: u16, name: &[u8]) -> Result<()> {
    if flags & FLAG_ENCRYPTED != 0 {
        return Err(refusal::entry("encrypted", name, "it is encrypted. Pack it without a password."));
    }
    if flags & !(FLAG_LEVELS | FLAG_DESCRIPTOR | FLAG_UTF8) != 0 {
        return Err(refusal::entry(
            "flags",
            name,
            format!("it uses features that packages do not have (flags {flags:#06x}). Pack it again."),
        ));
    }
    Ok(())
}

/// Refuses entries that need a newer reader than common ones are. The version is the first byte. p7zip writes its own
/// system into the second one, which readers ignore, except for VMS: Info-ZIP then compares with another version.
pub(crate) fn check_needed([version, system]: [u8; 2], name: &[u8]) -> Result<()> {
    let refuse = |why: String| Err(refusal::entry("version-needed", name, why));
    match (version, system) {
        (_, VMS) => refuse("it needs a reader on VMS. Pack it on another system.".into()),
        (version, _) if version > MAX_NEEDED => {
            let [major, minor] = [version / 10, version % 10];
            refuse(format!(
                "it needs a reader of zip version {major}.{minor}; 4.5 is the highest known. Pack it again, with deflate and without encryption."
            ))
        }
        _ => Ok(()),
    }
}

/// The method with this number (APPNOTE 4.4.5).
pub fn method(number: u16, name: &[u8]) -> Result<Method> {
    match number {
        0 => Ok(Method::Stored),
        8 => Ok(Method::Deflated),
        other => Err(refusal::entry(
            "method",
            name,
            format!("it is packed by method {other}. Pack it with deflate, or stored."),
        )),
    }
}

/// The path, and whether it is that of a folder.
fn read_name(name: &[u8], fixed: &[u8], limits: &Limits) -> Result<(String, bool)> {
    let text = encoding::decode(name, u16_at(fixed, 8) & FLAG_UTF8 != 0, fixed[5])?;
    let (path, is_folder) = match text.strip_suffix('/') {
        Some(path) => (path, true),
        None => (text, false),
    };
    path::check(path, limits)?;
    Ok((path.into(), is_folder))
}

/// Refuses everything but plain files and folders. The upper half of the attributes is by convention a Unix mode,
/// whatever system made the entry, and the lowest byte has the attributes of DOS.
fn check_mode(fixed: &[u8], is_folder: bool, name: &[u8]) -> Result<()> {
    const DOS_FOLDER: u32 = 0x10;
    const DOS_VOLUME: u32 = 0x08;
    let attributes = u32_at(fixed, 38);
    let plain = match attributes >> 28 {
        0 => true,
        0o04 => is_folder,
        0o10 => !is_folder,
        _ => false,
    };
    let dos_plain = attributes & DOS_VOLUME == 0 && (is_folder || attributes & DOS_FOLDER == 0);
    if plain && dos_plain {
        return Ok(());
    }
    Err(refusal::entry(
        "file-type",
        name,
        "it is a link, a device, or not what its name says. Packages hold files and folders only.",
    ))
}

fn check_content(header: &Header, name: &[u8]) -> Result<()> {
    if header.is_folder && (header.size != 0 || header.crc32 != 0) {
        return Err(refusal::entry("folder-content", name, "it is a folder with content. Pack it again."));
    }
    if header.method == Method::Stored && header.packed != header.size {
        return Err(refusal::entry("stored-size", name, "it is stored, and yet has two sizes. Pack it again."));
    }
    Ok(())
}

/// The three numbers that may have moved to the zip64 field (APPNOTE 4.5.3).
fn wide(fixed: &[u8], extra: &[u8], name: &[u8]) -> Result<[u64; 3]> {
    if u16_at(fixed, 34) != 0 {
        return Err(refusal::entry("several-disks", name, "it lies on another disk. Pack everything into one file."));
    }
    let narrow = [24, 20, 42].map(|field| zip64::Narrow::of(u32_at(fixed, field)));
    zip64::widen(narrow, extra::find(extra, extra::ZIP64, name)?).ok_or_else(|| zip64::wrong(name))
}
