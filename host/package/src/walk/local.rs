//! Local headers and data descriptors (APPNOTE 4.3.7, 4.3.9). They must say the same as the central directory, and
//! together with the data they must fill the file from its first byte to the directory.

use super::{
    super::{
        refusal,
        source::{Source, u16_at, u32_at, u64_at},
    },
    Entry,
    central::{self, Header},
    extra, hidden,
    zip64::{self, Narrow},
};
use berth_base::error::{Error, Result};

const SIGNATURE: &[u8; 4] = b"PK\x03\x04";
const HEADER_LEN: u64 = 30;
const DESCRIPTOR: &[u8; 4] = b"PK\x07\x08";

/// Finds the data of every entry, in the order of the file.
pub(crate) fn locate(source: &Source, mut headers: Vec<Header>, directory_at: u64) -> Result<Vec<Entry>> {
    headers.sort_by_key(|header| header.local_at);
    if headers.first().map_or(directory_at, |first| first.local_at) != 0 {
        return Err(refusal::archive("leading-bytes", "Bytes precede the first entry. Pack it again."));
    }
    let ends: Vec<u64> = headers.iter().skip(1).map(|next| next.local_at).chain([directory_at]).collect();
    headers.into_iter().zip(ends).map(|(header, end)| locate_one(source, header, end)).collect()
}

/// Finds the data of one entry. `end` is the offset of the next record.
fn locate_one(source: &Source, header: Header, end: u64) -> Result<Entry> {
    let name = header.name();
    let data_at = check_header(source, &header, name.as_bytes())?;
    let data_end = data_at.checked_add(header.packed).filter(|at| *at <= end);
    let data_end = data_end
        .ok_or_else(|| refusal::entry("overlap", name.as_bytes(), "it overlaps what follows it. Pack it again."))?;
    check_gap(source, &header, name.as_bytes(), data_end, end)?;
    let Header { path, is_folder, method, crc32, packed, size, .. } = header;
    Ok(Entry { path, is_folder, method, crc32, packed, size, data_at })
}

/// Compares a local header with its central one, and returns the offset of the data.
fn check_header(source: &Source, header: &Header, name: &[u8]) -> Result<u64> {
    let fixed: [u8; HEADER_LEN as usize] = source.array(header.local_at)?;
    if !fixed.starts_with(SIGNATURE) {
        return Err(refusal::entry(
            "local-header",
            name,
            "there is no local header where the directory says. Pack it again.",
        ));
    }
    let [name_len, extra_len] = [26, 28].map(|field| usize::from(u16_at(&fixed, field)));
    let variable = source.vec(header.local_at + HEADER_LEN, name_len + extra_len)?;
    let (local_name, extra) = variable.split_at(name_len);
    if local_name != name {
        return Err(disagree(name, &format!("the local header calls it {:?}", refusal::shown(local_name))));
    }
    check_facts(&fixed, header, name)?;
    hidden::check("extra field", extra, name)?;
    extra::check_unicode_path(extra, name)?;
    check_sizes(&fixed, extra, header, name)?;
    Ok(header.local_at + HEADER_LEN + variable.len() as u64)
}

fn check_facts(fixed: &[u8], header: &Header, name: &[u8]) -> Result<()> {
    central::check_needed([fixed[4], fixed[5]], name)?;
    if u16_at(fixed, 6) != header.flags {
        return Err(disagree(name, "the flags differ"));
    }
    if central::method(u16_at(fixed, 8), name)? != header.method {
        return Err(disagree(name, "the methods differ"));
    }
    Ok(())
}

/// Checks that the CRC and the sizes are those of the central directory. They may be zero when a descriptor follows.
fn check_sizes(fixed: &[u8], extra: &[u8], header: &Header, name: &[u8]) -> Result<()> {
    let [size, packed] = local_sizes(fixed, extra, header, name)?;
    let later = header.has_descriptor();
    let agrees = |local: u64, central: u64| local == central || later && local == 0;
    if !agrees(u32_at(fixed, 14).into(), header.crc32.into()) {
        return Err(disagree(name, "the CRCs differ"));
    }
    if !agrees(packed, header.packed) || !agrees(size, header.size) {
        return Err(disagree(name, "the sizes differ"));
    }
    Ok(())
}

/// The inflated and the packed size. A local zip64 field has both even if only one has moved. Some packers also repeat
/// the offset of the header there, which then must be right.
fn local_sizes(fixed: &[u8], extra: &[u8], header: &Header, name: &[u8]) -> Result<[u64; 2]> {
    let [size, packed] = [22, 18].map(|field| Narrow::of(u32_at(fixed, field)));
    let field = extra::find(extra, extra::ZIP64, name)?;
    if field.is_some_and(|field| field.len() < 16) {
        return Err(zip64::wrong(name));
    }
    let [size, packed, _] =
        zip64::widen([size, packed, Narrow::Here(header.local_at)], field).ok_or_else(|| zip64::wrong(name))?;
    Ok([size, packed])
}

/// Checks that between the data and the next record there is a descriptor if one was announced, and nothing otherwise.
fn check_gap(source: &Source, header: &Header, name: &[u8], data_end: u64, end: u64) -> Result<()> {
    let gap = end - data_end;
    if !header.has_descriptor() {
        return if gap == 0 {
            Ok(())
        } else {
            Err(refusal::entry("gap", name, "unknown bytes follow it. Pack it again."))
        };
    }
    // With or without a signature, with sizes of four or of eight bytes: all four forms are in use.
    if ![12, 16, 20, 24].contains(&gap) {
        return Err(wrong_descriptor(name));
    }
    let bytes = source.vec(data_end, gap as usize)?;
    if descriptor_says(&bytes, header) { Ok(()) } else { Err(wrong_descriptor(name)) }
}

fn descriptor_says(bytes: &[u8], header: &Header) -> bool {
    let signed = matches!(bytes.len(), 16 | 24);
    let fields = if signed { &bytes[4..] } else { bytes };
    let (packed, size) = match fields.len() {
        12 => (u32_at(fields, 4).into(), u32_at(fields, 8).into()),
        _ => (u64_at(fields, 4), u64_at(fields, 12)),
    };
    (!signed || bytes.starts_with(DESCRIPTOR))
        && u32_at(fields, 0) == header.crc32
        && packed == header.packed
        && size == header.size
}

fn wrong_descriptor(name: &[u8]) -> Error {
    refusal::entry("data-descriptor", name, "the record after its data is missing or says other sizes. Pack it again.")
}

fn disagree(name: &[u8], how: &str) -> Error {
    let detail = format!("its local header and the central directory disagree: {how}. Pack it again.");
    refusal::entry("local-central-mismatch", name, detail)
}
