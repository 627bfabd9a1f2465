//! Records that disagree, are missing, or leave gaps (F1–F3, F8–F15, F19–F21).

use super::*;
use crate::evil::{Zip64, extra};

#[test]
fn an_honest_archive_is_accepted() {
    let archive = accepted(honest());
    let names: Vec<_> = archive.files().iter().map(|file| file.path.as_str()).collect();
    assert_eq!(names, ["app.json", "pages/a.js"]);
    assert_eq!(archive.files()[1].sha256, berth_base::ids::Digest::of(b"Page({})").to_bytes());
}

#[test]
fn f1_two_central_entries_of_one_name_are_refused() {
    refused(Evil::of([Item::stored("a", b"1"), Item::stored("a", b"2")]), "duplicate-entry");
    let twice = Item { in_file: false, at: Some(0), ..Item::stored("a", b"1") };
    refused(Evil::of([Item::stored("a", b"1"), twice]), "overlap");
}

#[test]
fn f2_a_local_header_that_says_something_else_is_refused() {
    refused(first(|item| item.local(|h| h.name = b"app.jsoN".to_vec())), "local-central-mismatch");
    refused(first(|item| item.local(|h| h.crc += 1)), "local-central-mismatch");
    refused(first(|item| item.local(|h| h.size += 1)), "local-central-mismatch");
    refused(first(|item| item.local(|h| h.packed = 0)), "local-central-mismatch");
    refused(first(|item| item.local(|h| h.method = 0)), "local-central-mismatch");
    refused(first(|item| item.local(|h| h.flags = 1 << 11)), "local-central-mismatch");
    let error = open(first(|item| item.local(|h| h.name = b"app.jsoN".to_vec())).build()).err().expect("a refusal");
    assert_eq!(error.fields["path"], "app.json");
    assert!(error.detail.contains("app.jsoN"), "{error}");
}

#[test]
fn f3_an_entry_in_one_place_only_is_refused() {
    let hidden = |item: Item| Item { in_directory: false, ..item };
    refused(first(hidden), "leading-bytes");
    let mut evil = honest();
    evil.entries.push(hidden(Item::stored("z", b"hidden")));
    refused(evil, "gap");
    let ghost = Item { in_file: false, at: Some(0), ..Item::stored("ghost", b"") };
    refused(Evil::of([ghost, Item::stored("a", b"1")]), "local-central-mismatch");
    refused(Evil::of([Item { in_file: false, ..Item::stored("ghost", b"") }]), "local-header");
}

#[test]
fn f8_counts_that_lie_are_refused_before_anything_is_allocated() {
    for (count, expected) in
        [(1, "directory-count"), (3, "directory-count"), (9_999, "directory-count"), (65_534, "entries")]
    {
        refused(Evil { count: Some(count), ..honest() }, expected);
    }
    let zip64 = |entries| Evil { zip64: Some(Zip64 { entries: Some(entries), ..Zip64::default() }), ..honest() };
    refused(zip64(u64::MAX), "entries");
    refused(zip64(3), "directory-count");
    let many = (0..10_001).map(|i| Item::stored(&format!("f{i}"), b""));
    refused(Evil::of(many), "entries");
}

#[test]
fn f9_a_second_end_record_is_refused_wherever_it_hides() {
    let whole = Evil::of([Item::stored("b", b"other")]).build();
    refused(Evil { comment: whole, ..honest() }, "two-end-records");
    refused(
        Evil { comment: b"see PK\x05\x06 and more text to fill the record".to_vec(), ..honest() },
        "two-end-records",
    );
    let twice = [honest().build(), honest().build()].concat();
    assert!(open(twice).is_err());
    accepted(Evil { comment: b"0123456789abcdef commit of the build".to_vec(), ..honest() });
}

/// A whole archive that, followed by `after` bytes, ends with the file that it is put into: its end record counts them
/// as a comment.
fn whole(after: u16) -> Vec<u8> {
    let mut bytes = Evil::of([Item::stored("app.json", b"{\"pages\":[\"evil\"]}")]).build();
    let at = bytes.len() - 2;
    bytes[at..].copy_from_slice(&after.to_le_bytes());
    bytes
}

#[test]
fn f9_a_second_archive_in_a_comment_or_an_extra_field_is_refused() {
    for hidden in [whole(0), whole(22), b"PK\x05\x06".to_vec(), b"PK\x06\x06".to_vec(), b"see PK\x03\x04".to_vec()] {
        let expected = if hidden == whole(22) { "two-end-records" } else { "hidden-archive" };
        let mut commented = honest();
        commented.entries[1].central.comment = hidden.clone();
        refused(commented, expected);
        let field = extra(0x4242, &hidden);
        refused(first(|item| item.central(|h| h.extra = field.clone())), "hidden-archive");
        refused(first(|item| item.local(|h| h.extra = field.clone())), "hidden-archive");
    }
    refused(Evil { comment: b"PK\x03\x04 and so on".to_vec(), ..honest() }, "hidden-archive");
    let mut commented = honest();
    commented.entries[1].central.comment = b"packed by PK-Zip; PK\x01 is no record".to_vec();
    accepted(commented);
}

#[test]
fn f10_bytes_before_between_and_after_are_refused() {
    refused(Evil { before: b"#!/bin/sh\n".to_vec(), ..honest() }, "directory-extent");
    refused(Evil { before_directory: vec![0], ..honest() }, "gap");
    refused(Evil { before_end: vec![0], ..honest() }, "directory-extent");
    refused(Evil { after: vec![0], ..honest() }, "trailing-bytes");
    refused(Evil { after: vec![0; 70_000], ..honest() }, "no-end-record");
    refused(first(|item| Item { after: vec![1, 2, 3], ..item }), "gap");
    // Shifted offsets, so that everything but the first bytes agrees.
    let mut shifted = Evil { before: vec![0; 4], ..honest() };
    let directory_at =
        shifted.entries.iter().map(|item| 30 + item.local.name.len() + item.data.len()).sum::<usize>() + 4;
    shifted.entries[0].at = Some(4);
    shifted.entries[1].at = Some(4 + 30 + 8 + shifted.entries[0].data.len() as u32);
    shifted.directory_at = Some(directory_at as u32);
    refused(shifted, "leading-bytes");
}

#[test]
fn f11_a_unicode_path_field_must_repeat_the_name() {
    let unicode = |version: u8, crc_of: &[u8], name: &str| {
        extra(0x7075, &[&[version][..], &crc32fast::hash(crc_of).to_le_bytes(), name.as_bytes()].concat())
    };
    accepted(first(|item| item.both(|h| h.extra = unicode(1, b"app.json", "app.json"))));
    for field in [
        unicode(1, b"app.json", "evil.json"),
        unicode(1, b"other", "app.json"),
        unicode(2, b"app.json", "app.json"),
        extra(0x7075, b"1"),
    ] {
        refused(first(|item| item.central(|h| h.extra = field.clone())), "unicode-path");
        refused(first(|item| item.local(|h| h.extra = field.clone())), "unicode-path");
    }
    let right = unicode(1, b"app.json", "app.json");
    refused(first(|item| item.both(|h| h.extra = [right.clone(), right.clone()].concat())), "extra-field");
    refused(first(|item| item.both(|h| h.extra = vec![1, 2, 200, 0])), "extra-field");
    refused(first(|item| item.both(|h| h.extra = vec![1, 2])), "extra-field");
}

#[test]
fn f11_up_to_three_zero_bytes_pad_extra_fields() {
    let time = extra(0x5455, &[1, 0, 0, 0, 0]);
    for padding in 1..=4 {
        let padded = [time.clone(), vec![0; padding]].concat();
        accepted(first(|item| item.local(|h| h.extra = vec![0; padding])));
        accepted(first(|item| item.both(|h| h.extra = padded.clone())));
    }
    for tail in [&[0, 0, 1][..], &[1], &[0, 9]] {
        refused(first(|item| item.local(|h| h.extra = tail.to_vec())), "extra-field");
    }
}

#[test]
fn f12_valid_data_descriptors_are_accepted_in_all_four_forms() {
    for (signed, wide) in [(true, false), (false, false), (true, true), (false, true)] {
        let archive = accepted(Evil::of([
            Item::deflated("a", b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").streamed(signed, wide),
            Item::stored("b", b"b").streamed(signed, wide),
        ]));
        assert_eq!(&*archive.read_whole("b").expect("b"), b"b");
    }
}

#[test]
fn f12_wrong_data_descriptors_are_refused() {
    for byte in 0..16 {
        let mut item = Item::deflated("a", b"some text").streamed(true, false);
        item.after[byte] ^= 1;
        refused(Evil::of([item, Item::stored("b", b"b")]), "data-descriptor");
    }
    for len in [0, 4, 11, 13, 15, 17] {
        let mut item = Item::deflated("a", b"some text").streamed(true, false);
        item.after.resize(len, 0);
        refused(Evil::of([item]), "data-descriptor");
    }
    let item = Item::deflated("a", b"some text").streamed(true, false).local(|h| h.size = 5);
    refused(Evil::of([item]), "local-central-mismatch");
    let unannounced = Item { after: Item::stored("a", b"x").streamed(true, false).after, ..Item::stored("a", b"x") };
    refused(Evil::of([unannounced]), "gap");
}

#[test]
fn f14_encryption_on_either_side_is_refused() {
    for bit in [0, 6, 13] {
        refused(first(|item| item.both(|h| h.flags |= 1 << bit)), "encrypted");
        refused(first(|item| item.central(|h| h.flags |= 1 << bit)), "encrypted");
        refused(first(|item| item.local(|h| h.flags |= 1 << bit)), "local-central-mismatch");
    }
    refused(first(|item| item.both(|h| h.flags |= 1 << 5)), "flags");
}

#[test]
fn f15_only_stored_and_deflated_are_accepted() {
    for method in [1, 6, 9, 12, 14, 93, 95, 99] {
        refused(first(|item| item.both(|h| h.method = method)), "method");
    }
    refused(first(|item| item.both(|h| h.needed = 63)), "version-needed");
}

#[test]
fn f15_the_upper_byte_of_the_version_is_the_system_that_the_packer_ran_on() {
    for system in [0, 3, 19] {
        accepted(first(|item| item.both(|h| h.needed = system << 8 | 10)));
        refused(first(|item| item.central(|h| h.needed = system << 8 | 63)), "version-needed");
        refused(first(|item| item.local(|h| h.needed = system << 8 | 63)), "version-needed");
    }
    refused(first(|item| item.both(|h| h.needed = 2 << 8 | 20)), "version-needed");
    let error = open(first(|item| item.both(|h| h.needed = 63)).build()).err().expect("a refusal");
    assert!(error.detail.contains("6.3") && error.detail.contains("4.5"), "{error}");
}

#[test]
fn f19_links_devices_and_false_folders_are_refused() {
    for kind in [0o120777u32, 0o020666, 0o060660, 0o010644, 0o140755, 0o040755] {
        refused(first(|item| item.both(|h| h.attributes = kind << 16)), "file-type");
        // A link is a link even when the entry claims to come from DOS.
        refused(first(|item| item.both(|h| (h.attributes, h.made_by) = (kind << 16, 20))), "file-type");
    }
    refused(first(|item| item.both(|h| h.attributes = 0x10)), "file-type");
    refused(Evil::of([Item::folder("a/").both(|h| h.attributes = 0o100644 << 16)]), "file-type");
    accepted(first(|item| item.both(|h| (h.attributes, h.made_by) = (0x20, 20))));
}

#[test]
fn f20_a_folder_is_empty_and_not_a_file_too() {
    accepted(Evil::of([Item::folder("a/"), Item::stored("a/b", b"1")]));
    accepted(Evil::of([Item::deflated("a/", b"").both(|h| h.attributes = 0x10)]));
    refused(Evil::of([Item::stored("a/", b"1").both(|h| h.attributes = 0)]), "folder-content");
    refused(Evil::of([Item::stored("a", b"1"), Item::stored("a/b", b"1")]), "file-and-folder");
    refused(Evil::of([Item::folder("a/"), Item::stored("a", b"1")]), "file-and-folder");
}

#[test]
fn f21_a_file_that_is_also_a_tar_is_refused() {
    let mut bytes = vec![b' '; 600];
    let at = 257 - 30 - "app.js".len();
    bytes[at..at + 5].copy_from_slice(b"ustar");
    refused(Evil::of([Item::stored("app.js", &bytes)]), "polyglot");
}

#[test]
fn f21_nothing_and_rubbish_are_refused() {
    for bytes in [vec![], vec![0], b"PK".to_vec(), b"PK\x03\x04".to_vec(), vec![b'x'; 100_000]] {
        assert_eq!(open(bytes).err().expect("a refusal").fields["rule"], "no-end-record");
    }
    assert!(open(b"PK\x05\x06".to_vec()).is_err());
    assert_eq!(
        accepted(Evil::default()).files().len(),
        0,
        "an empty archive is an archive; its manifest is missed later"
    );
}

#[test]
fn several_disks_are_refused() {
    refused(Evil { disk: 1, ..honest() }, "several-disks");
}
