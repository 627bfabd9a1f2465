//! Inflates entries, and stops at their declared sizes.

use std::ops::Range;

use flate2::{Decompress, FlushDecompress, Status};

use super::{
    refusal,
    source::Source,
    walk::{Entry, Method},
};
use berth_base::error::{Error, Result};

/// How many bytes are read, and how many inflated, at a time.
const CHUNK: usize = 64 << 10;

/// The buffers of one thread, which are reused for all entries.
pub(super) struct Unpacker {
    inflater: Decompress,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Unpacker {
    pub fn new() -> Self {
        Self { inflater: Decompress::new(false), input: vec![0; CHUNK], output: vec![0; CHUNK] }
    }

    /// Passes the bytes of `entry` to `sink` in pieces, and checks that they have the declared size and CRC. What the
    /// sink got is valid only if this returns `Ok`.
    pub fn unpack(&mut self, source: &Source, entry: &Entry, sink: &mut dyn FnMut(&[u8])) -> Result<()> {
        let mut crc = crc32fast::Hasher::new();
        let mut both = |bytes: &[u8]| {
            crc.update(bytes);
            sink(bytes);
        };
        match entry.method {
            Method::Stored => self.copy(source, entry, &mut both)?,
            Method::Deflated => self.inflate(source, entry, &mut both)?,
        }
        if crc.finalize() == entry.crc32 {
            return Ok(());
        }
        Err(refusal::entry(
            "crc",
            entry.path.as_bytes(),
            "its bytes do not have the declared CRC: it is damaged. Upload it again.",
        ))
    }

    fn copy(&mut self, source: &Source, entry: &Entry, sink: &mut dyn FnMut(&[u8])) -> Result<()> {
        let mut done = 0;
        while done < entry.size {
            let piece = &mut self.input[..chunk(entry.size - done)];
            source.fill(piece, entry.data_at + done)?;
            sink(piece);
            done += piece.len() as u64;
        }
        Ok(())
    }

    fn inflate(&mut self, source: &Source, entry: &Entry, sink: &mut dyn FnMut(&[u8])) -> Result<()> {
        let Self { inflater, input, output } = self;
        let mut feed = Feed { source, entry, buffer: input, pending: 0..0, fetched: 0 };
        inflater.reset(false);
        loop {
            // One byte of room beyond the declared size shows a lie without inflating it.
            let room = chunk(entry.size + 1 - inflater.total_out());
            let before = (inflater.total_in(), inflater.total_out());
            let status = inflater.decompress(feed.bytes()?, &mut output[..room], FlushDecompress::None);
            let status = status.map_err(|_| damaged(entry))?;
            let (read, written) = (inflater.total_in() - before.0, inflater.total_out() - before.1);
            feed.pending.start += read as usize;
            if inflater.total_out() > entry.size {
                return Err(size_lie(entry, "more"));
            }
            sink(&output[..written as usize]);
            match status {
                Status::StreamEnd => return check_whole(inflater, entry),
                _ if read == 0 && written == 0 => return Err(damaged(entry)),
                _ => {}
            }
        }
    }
}

/// Reads the packed bytes of an entry in chunks.
struct Feed<'a> {
    source: &'a Source,
    entry: &'a Entry,
    buffer: &'a mut [u8],
    /// The part of the buffer that was not used yet.
    pending: Range<usize>,
    fetched: u64,
}

impl Feed<'_> {
    /// The next bytes; empty at the end.
    fn bytes(&mut self) -> Result<&[u8]> {
        if self.pending.is_empty() {
            self.pending = 0..chunk(self.entry.packed - self.fetched);
            self.source.fill(&mut self.buffer[self.pending.clone()], self.entry.data_at + self.fetched)?;
            self.fetched += self.pending.len() as u64;
        }
        Ok(&self.buffer[self.pending.clone()])
    }
}

fn check_whole(inflater: &Decompress, entry: &Entry) -> Result<()> {
    if inflater.total_out() != entry.size {
        return Err(size_lie(entry, &inflater.total_out().to_string()));
    }
    if inflater.total_in() != entry.packed {
        return Err(refusal::entry(
            "deflate-tail",
            entry.path.as_bytes(),
            "bytes follow its deflated data. Pack it again.",
        ));
    }
    Ok(())
}

fn size_lie(entry: &Entry, actual: &str) -> Error {
    let detail = format!("it is declared as {} bytes and inflates to {actual}. Pack it again.", entry.size);
    refusal::entry("size-lie", entry.path.as_bytes(), detail)
}

fn chunk(left: u64) -> usize {
    left.min(CHUNK as u64) as usize
}

fn damaged(entry: &Entry) -> Error {
    refusal::entry("deflate", entry.path.as_bytes(), "its deflated data are damaged. Upload it again.")
}
