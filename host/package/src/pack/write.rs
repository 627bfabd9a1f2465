//! Writes archives whose bytes depend on their content only, not on when, where and by whom they are made.

use std::io::{Seek, Write};

use zip::{
    CompressionMethod, DateTime, System,
    write::{PreparedZipFile, SimpleFileOptions},
};

use berth_base::error::{Error, Result};

/// A ZIP writer that leaves nothing to chance: the date is 1980-01-01, the mode 0644, the system Unix, and there are no
/// extra fields. The caller must sort the files. Deflate is that of miniz_oxide (pure Rust, pinned by `Cargo.lock`), so
/// its output changes only with that crate.
pub struct ZipWriter<W: Write + Seek> {
    out: zip::ZipWriter<W>,
}

impl<W: Write + Seek> ZipWriter<W> {
    /// Begins an archive that is written to `out`.
    pub fn new(out: W) -> Self {
        Self { out: zip::ZipWriter::new(out) }
    }

    /// Adds a file. It is deflated if that makes it smaller, but no more than `max_ratio` times.
    pub fn add(&mut self, path: &str, bytes: &[u8], max_ratio: u64) -> Result<()> {
        let deflated = prepare(path, bytes, CompressionMethod::Deflated)?;
        let packed = deflated.compressed_size();
        let size = bytes.len() as u64;
        if packed < size && size <= packed.saturating_mul(max_ratio) {
            return self.out.add_prepared_file(deflated).map_err(Error::internal);
        }
        self.add_stored(path, bytes)
    }

    /// Adds a file without deflating it.
    pub fn add_stored(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        self.out.add_prepared_file(prepare(path, bytes, CompressionMethod::Stored)?).map_err(Error::internal)
    }

    /// Writes the central directory, and returns the underlying writer.
    pub fn finish(self) -> Result<W> {
        self.out.finish().map_err(Error::internal)
    }
}

fn prepare(path: &str, bytes: &[u8], method: CompressionMethod) -> Result<PreparedZipFile> {
    let level = (method == CompressionMethod::Deflated).then_some(9);
    let options = SimpleFileOptions::default()
        .compression_method(method)
        .compression_level(level)
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o644)
        .system(System::Unix);
    PreparedZipFile::from_data(path, options, bytes).map_err(Error::internal)
}
