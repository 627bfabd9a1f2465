//! Whatever the bytes are, there is never a panic and never an internal failure.

use proptest::prelude::*;

use super::*;
use crate::{Manifest, evil::Zip64};
use berth_base::error::Code;

/// An archive with one of everything that archives may have.
fn varied() -> Vec<u8> {
    let evil = Evil::of([
        Item::deflated("app.json", b"{\"pages\":[\"pages/a\"]}").streamed(true, false),
        Item::folder("pages/"),
        Item::stored("pages/a.js", b"Page({})"),
        Item::stored("图.png", b"\x89PNG"),
    ]);
    Evil { zip64: Some(Zip64::default()), comment: b"made by hand".to_vec(), ..evil }.build()
}

/// Opens the archive and, if it is accepted, reads everything in it.
fn try_everything(bytes: Vec<u8>) {
    match open(bytes) {
        Ok(archive) => {
            let _ = Manifest::read(&archive);
            archive
                .files()
                .iter()
                .for_each(|file| drop(archive.read_whole(&file.path).expect("what was opened can be read")));
        }
        Err(error) => {
            assert_ne!(error.code, Code::Internal, "{error:?}");
            assert!(error.fields.contains_key("rule"), "{error:?}");
        }
    }
}

#[test]
fn f21_an_archive_cut_at_any_offset_is_refused() {
    let bytes = varied();
    assert!(open(bytes.clone()).is_ok());
    for len in 0..bytes.len() {
        let error = open(bytes[..len].to_vec()).err().expect("a refusal");
        assert_ne!(error.code, Code::Internal, "{len}: {error:?}");
    }
}

#[test]
fn f21_any_single_bit_may_flip_without_a_panic() {
    let bytes = varied();
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        try_everything(bytes);
    }
}

proptest! {
    #[test]
    fn f21_any_bytes_may_change_without_a_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)) {
        let mut bytes = varied();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        try_everything(bytes);
    }

    #[test]
    fn f21_rubbish_before_an_end_record_is_no_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300), entries in 0u16..4, at in 0u32..300) {
        let directory_len = (bytes.len() as u32).saturating_sub(at);
        bytes.extend(b"PK\x05\x06\0\0\0\0");
        bytes.extend([entries.to_le_bytes(), entries.to_le_bytes()].concat());
        bytes.extend([directory_len.to_le_bytes(), at.to_le_bytes()].concat());
        bytes.extend([0, 0]);
        try_everything(bytes);
    }

    #[test]
    fn what_is_packed_is_read_back(files in prop::collection::btree_map("x[a-z]{1,8}(/x[a-z]{1,8}){0,3}\\.js", prop::collection::vec(any::<u8>(), 0..2000), 0..12)) {
        let archive = accepted(Evil::of(files.iter().map(|(name, bytes)| Item::deflated(name, bytes))));
        prop_assert_eq!(archive.files().len(), files.len());
        for (name, bytes) in &files {
            prop_assert_eq!(&*archive.read_whole(name).expect(name), &bytes[..]);
        }
    }
}
