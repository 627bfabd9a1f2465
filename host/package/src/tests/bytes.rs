//! Faults in the data of entries (F4–F7, F23).

use std::sync::{Arc, RwLock};

use super::*;
use crate::{MAX_READ, ReadAt, ReadError, evil::deflate};

#[test]
fn f4_full_overlap_is_refused_before_inflating() {
    let kernel = Item::deflated("bomb0", &vec![0; 10 << 20]);
    let more = (1..500).map(|i| Item { in_file: false, at: Some(0), ..Item::deflated(&format!("bomb{i}"), b"") });
    let more = more.map(|item| {
        let Item { central, .. } = &kernel;
        item.central(|h| (h.crc, h.packed, h.size) = (central.crc, central.packed, central.size))
    });
    refused(Evil::of(std::iter::once(kernel.clone()).chain(more)), "overlap");
}

#[test]
fn f5_quoted_overlap_is_refused() {
    let inner = Item::deflated("inner", &vec![0; 1000]);
    let quoted = Evil::of([inner.clone()]).build();
    let quoted = &quoted[..30 + 5 + inner.data.len()];
    let outer = Item::stored("outer", quoted);
    let inner = Item { in_file: false, at: Some(30 + 5), ..inner };
    refused(Evil::of([outer, inner]), "overlap");
}

#[test]
fn f5_declared_sizes_are_capped() {
    let huge = |size| first(|item| item.both(|h| h.size = size));
    refused(huge(u32::MAX - 1), "file-bytes");
    refused(huge(20 << 20), "ratio");
    let limits = Limits { max_total_bytes: 10, ..Limits::default() };
    let error = Archive::open(honest().build(), &limits).err().expect("a refusal");
    assert_eq!((error.fields["rule"].as_str(), error.fields["limit"].as_u64()), (Some("total-bytes"), Some(10)));
    let limits = Limits { max_bytes: 10, ..Limits::default() };
    assert_eq!(Archive::open(honest().build(), &limits).err().expect("a refusal").fields["rule"], "package-bytes");
}

#[test]
fn f6_inflating_stops_one_byte_after_the_declared_size() {
    let data = deflate(&vec![0; 5 << 20]);
    let lie = |size: u32| Item {
        data: data.clone(),
        ..Item::deflated("a", b"").both(|h| (h.packed, h.size) = (data.len() as u32, size))
    };
    refused(Evil::of([lie(10)]), "size-lie");
    refused(Evil::of([lie(0)]), "size-lie");
    let short = Item::deflated("a", b"hello").both(|h| h.size = 6);
    refused(Evil::of([short]), "size-lie");
}

#[test]
fn f7_a_bomb_is_refused_by_its_ratio_and_nested_archives_stay_closed() {
    refused(Evil::of([Item::deflated("bomb", &vec![0; 5 << 20])]), "ratio");
    let nested = Evil::of([Item::stored("../escape", b"x")]).build();
    let archive = accepted(Evil::of([Item::stored("inner.zip", &nested)]));
    assert_eq!(archive.files().len(), 1);
}

#[test]
fn damaged_data_are_refused() {
    refused(first(|item| item.both(|h| h.crc ^= 1)), "crc");
    let mut stored = Item::stored("a", b"hello");
    stored.data[0] ^= 1;
    refused(Evil::of([stored]), "crc");
    let cut = |item: Item, keep: usize| {
        let data = item.data[..keep].to_vec();
        Item { data, ..item }.both(|h| h.packed = keep as u32)
    };
    refused(Evil::of([cut(Item::deflated("a", b"hello world, hello"), 5)]), "deflate");
    refused(Evil::of([cut(Item::deflated("a", b""), 0)]), "deflate");
    let tail = Item::deflated("a", b"hello");
    let tail = Item { data: [&tail.data[..], b"hidden"].concat(), ..tail }.both(|h| h.packed += 6);
    refused(Evil::of([tail]), "deflate-tail");
}

#[test]
fn reads_are_bounded_and_end_with_the_file() {
    let text: Vec<u8> = (0..200_000u32).flat_map(|i| (i * 7919).to_le_bytes()).collect();
    let archive = accepted(Evil::of([Item::deflated("a/b", &text), Item::stored("empty", b"")]));
    assert_eq!(archive.read("a/b", 3, 10).expect("a piece"), text[3..13]);
    assert_eq!(archive.read("a/b", text.len() as u64 - 2, 10).expect("the end"), text[text.len() - 2..]);
    for offset in [text.len() as u64, u64::MAX] {
        assert_eq!(archive.read("a/b", offset, 10).expect("nothing"), b"");
    }
    assert_eq!(archive.read("empty", 0, MAX_READ).expect("nothing"), b"");
    assert!(matches!(archive.read("a/b", 0, MAX_READ + 1), Err(ReadError::TooLong(MAX_READ))));
    for path in ["a", "a/", "A/b", "../a/b", ""] {
        assert!(matches!(archive.read(path, 0, 1), Err(ReadError::NoSuchFile)), "{path:?}");
    }
}

/// Bytes that change while an archive is open.
#[derive(Clone)]
struct Rotting(Arc<RwLock<Vec<u8>>>);

impl ReadAt for Rotting {
    fn size(&self) -> std::io::Result<u64> {
        self.0.read().expect("a lock").size()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<()> {
        self.0.read().expect("a lock").read_exact_at(buf, offset)
    }
}

#[test]
fn f23_a_changed_byte_is_never_served() {
    let bytes = honest().build();
    let data = 30 + "app.json".len()..30 + "app.json".len() + honest().entries[0].data.len();
    for at in data {
        let rotting = Rotting(Arc::new(RwLock::new(bytes.clone())));
        let archive = Archive::open(rotting.clone(), &Limits::default()).expect("still whole");
        rotting.0.write().expect("a lock")[at] ^= 0x20;
        assert!(matches!(archive.read("app.json", 0, 10), Err(ReadError::Damaged)), "byte {at}");
    }
    let rotting = Rotting(Arc::new(RwLock::new(bytes)));
    let archive = Archive::open(rotting.clone(), &Limits::default()).expect("still whole");
    rotting.0.write().expect("a lock").clear();
    assert!(matches!(archive.read("pages/a.js", 0, 1), Err(ReadError::Damaged)), "a file cut short");
}

#[test]
fn readers_of_several_threads_do_not_disturb_each_other() {
    let files: Vec<_> = (0..20u8).map(|i| (format!("f{i}"), vec![i; 1000])).collect();
    let archive = accepted(Evil::of(files.iter().map(|(name, bytes)| Item::deflated(name, bytes))));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                files.iter().for_each(|(name, bytes)| assert_eq!(archive.read(name, 0, 2000).expect(name), *bytes))
            });
        }
    });
}
