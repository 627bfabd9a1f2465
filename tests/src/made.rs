//! Packages that are made on the spot, each with bytes of its own.

use std::io::Cursor;

use berth_package::ZipWriter;

/// A small, valid package. Each seed gives other bytes.
pub fn package(seed: u64) -> Vec<u8> {
    with_noise(seed, 0)
}

/// A valid package with a file of this many bytes that cannot be compressed.
pub fn with_noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_stored("app.js", b"App({})\n").unwrap();
    zip.add_stored("app.json", br#"{"pages": ["pages/index/index"]}"#).unwrap();
    zip.add_stored("pages/index/index.js", format!("Page({{ data: {{ seed: {seed} }} }})\n").as_bytes()).unwrap();
    zip.add_stored("pages/index/index.wxml", b"<view>{{seed}}</view>\n").unwrap();
    if bytes > 0 {
        zip.add_stored("assets/noise.bin", &noise(seed, bytes)).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Random-looking bytes, always the same for the same seed (xorshift).
pub fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(bytes)
    .collect()
}
