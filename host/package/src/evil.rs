//! Archives made record by record, in which tests can give any field a wrong value.

use std::io::Write;

/// The parts of an archive. Offsets and counts are computed unless they are set.
#[derive(Clone, Default)]
pub(crate) struct Evil {
    pub entries: Vec<Item>,
    /// Bytes before the first local header, which offsets do not count.
    pub before: Vec<u8>,
    /// Bytes between the last entry and the central directory.
    pub before_directory: Vec<u8>,
    /// Bytes between the central directory and the end records.
    pub before_end: Vec<u8>,
    pub comment: Vec<u8>,
    pub after: Vec<u8>,
    pub count: Option<u16>,
    pub directory_at: Option<u32>,
    pub directory_len: Option<u32>,
    pub disk: u16,
    pub zip64: Option<Zip64>,
}

/// The zip64 end record and its locator.
#[derive(Clone, Default)]
pub(crate) struct Zip64 {
    pub entries: Option<u64>,
    pub directory_at: Option<u64>,
    pub locator_shift: u64,
    pub disks: Option<u32>,
    /// Leaves the true numbers in the old end record.
    pub unsaturated: bool,
}

/// One entry: the contents of its two headers, and the bytes that follow the local one.
#[derive(Clone)]
pub struct Item {
    pub local: Header,
    pub central: Header,
    pub data: Vec<u8>,
    /// Bytes after the data: a descriptor, or rubbish.
    pub after: Vec<u8>,
    pub in_file: bool,
    pub in_directory: bool,
    /// Stated in place of the true offset of the local header.
    pub at: Option<u32>,
}

/// The fields of a header.
#[derive(Clone, Default)]
pub struct Header {
    pub name: Vec<u8>,
    pub made_by: u16,
    pub needed: u16,
    pub flags: u16,
    pub method: u16,
    pub crc: u32,
    pub packed: u32,
    pub size: u32,
    pub extra: Vec<u8>,
    pub comment: Vec<u8>,
    pub attributes: u32,
}

/// Compresses bytes with raw deflate.
pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("to memory");
    encoder.finish().expect("to memory")
}

/// An extra field with this id and data.
pub fn extra(id: u16, data: &[u8]) -> Vec<u8> {
    [&id.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
}

/// 64-bit numbers as zip64 fields hold them.
pub(crate) fn u64s(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

impl Item {
    /// A correct stored file.
    pub fn stored(name: &str, bytes: &[u8]) -> Self {
        Self::raw(name, bytes, 0, bytes.to_vec())
    }

    /// A correct deflated file.
    pub(crate) fn deflated(name: &str, bytes: &[u8]) -> Self {
        Self::raw(name, bytes, 8, deflate(bytes))
    }

    fn raw(name: &str, bytes: &[u8], method: u16, data: Vec<u8>) -> Self {
        let header = Header {
            name: name.into(),
            made_by: 0x0314,
            needed: 20,
            flags: if name.is_ascii() { 0 } else { 1 << 11 },
            method,
            crc: crc32fast::hash(bytes),
            packed: data.len() as u32,
            size: bytes.len() as u32,
            attributes: 0o100644 << 16,
            ..Header::default()
        };
        Self {
            local: header.clone(),
            central: header,
            data,
            after: vec![],
            in_file: true,
            in_directory: true,
            at: None,
        }
    }

    /// A correct folder.
    pub fn folder(name: &str) -> Self {
        Self::stored(name, b"").both(|header| header.attributes = 0o040755 << 16 | 0x10)
    }

    /// Changes both headers.
    pub fn both(mut self, change: impl Fn(&mut Header)) -> Self {
        change(&mut self.local);
        change(&mut self.central);
        self
    }

    /// Changes the local header.
    pub fn local(mut self, change: impl Fn(&mut Header)) -> Self {
        change(&mut self.local);
        self
    }

    /// Changes the central header.
    pub(crate) fn central(mut self, change: impl Fn(&mut Header)) -> Self {
        change(&mut self.central);
        self
    }

    /// Moves the CRC and the sizes to a descriptor after the data, with or without a signature, and with sizes of 8 or
    /// 4 bytes.
    pub fn streamed(mut self, signed: bool, wide: bool) -> Self {
        let Header { crc, packed, size, .. } = self.central;
        self = self.both(|header| header.flags |= 1 << 3);
        (self.local.crc, self.local.packed, self.local.size) = (0, 0, 0);
        self.after = if signed { b"PK\x07\x08".to_vec() } else { vec![] };
        self.after.extend(crc.to_le_bytes());
        match wide {
            true => self.after.extend(u64s(&[packed.into(), size.into()])),
            false => self.after.extend([packed.to_le_bytes(), size.to_le_bytes()].concat()),
        }
        self
    }
}

impl Header {
    fn shared(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for field in [self.needed, self.flags, self.method, 0, 0x21] {
            out.extend(field.to_le_bytes());
        }
        for field in [self.crc, self.packed, self.size] {
            out.extend(field.to_le_bytes());
        }
        for len in [self.name.len(), self.extra.len()] {
            out.extend((len as u16).to_le_bytes());
        }
        out
    }

    fn write_local(&self, out: &mut Vec<u8>) {
        out.extend(b"PK\x03\x04");
        out.extend(self.shared());
        out.extend([&self.name[..], &self.extra].concat());
    }

    fn write_central(&self, at: u32, out: &mut Vec<u8>) {
        out.extend(b"PK\x01\x02");
        out.extend(self.made_by.to_le_bytes());
        out.extend(self.shared());
        for field in [self.comment.len() as u16, 0, 0] {
            out.extend(field.to_le_bytes());
        }
        out.extend([self.attributes.to_le_bytes(), at.to_le_bytes()].concat());
        out.extend([&self.name[..], &self.extra, &self.comment].concat());
    }
}

impl Evil {
    /// An archive of these entries.
    pub fn of(entries: impl IntoIterator<Item = Item>) -> Self {
        Self { entries: entries.into_iter().collect(), ..Self::default() }
    }

    /// The bytes of the archive.
    pub fn build(&self) -> Vec<u8> {
        let (mut files, mut directory) = (Vec::new(), Vec::new());
        for item in &self.entries {
            let at = item.at.unwrap_or(files.len() as u32);
            if item.in_file {
                item.local.write_local(&mut files);
                files.extend([&item.data[..], &item.after].concat());
            }
            if item.in_directory {
                item.central.write_central(at, &mut directory);
            }
        }
        files.extend(&self.before_directory);
        let end = self.end(files.len() as u64, directory.len() as u64);
        [&self.before[..], &files, &directory, &self.before_end, &end, &self.comment, &self.after].concat()
    }

    fn end(&self, at: u64, len: u64) -> Vec<u8> {
        let count = self.entries.iter().filter(|item| item.in_directory).count() as u64;
        let mut out = self.zip64.as_ref().map(|zip64| zip64.build(count, at, len)).unwrap_or_default();
        let saturated = self.zip64.as_ref().is_some_and(|zip64| !zip64.unsaturated);
        let count = self.count.unwrap_or(if saturated { u16::MAX } else { count as u16 });
        let len = self.directory_len.unwrap_or(if saturated { u32::MAX } else { len as u32 });
        let at = self.directory_at.unwrap_or(if saturated { u32::MAX } else { at as u32 });
        out.extend(b"PK\x05\x06");
        for field in [self.disk, self.disk, count, count] {
            out.extend(field.to_le_bytes());
        }
        out.extend([len.to_le_bytes(), at.to_le_bytes()].concat());
        out.extend((self.comment.len() as u16).to_le_bytes());
        out
    }
}

impl Zip64 {
    fn build(&self, count: u64, at: u64, len: u64) -> Vec<u8> {
        let count = self.entries.unwrap_or(count);
        let mut out = b"PK\x06\x06".to_vec();
        out.extend(44u64.to_le_bytes());
        out.extend([45u16.to_le_bytes(), 45u16.to_le_bytes()].concat());
        out.extend([0; 8]);
        out.extend(u64s(&[count, count, len, self.directory_at.unwrap_or(at)]));
        out.extend(b"PK\x06\x07");
        out.extend(0u32.to_le_bytes());
        out.extend((at + len).wrapping_add(self.locator_shift).to_le_bytes());
        out.extend(self.disks.unwrap_or(1).to_le_bytes());
        out
    }
}
