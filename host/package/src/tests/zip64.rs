//! Numbers beyond 32 bits, and contradictions that these make possible (F9, F13).

use super::*;
use crate::evil::{Zip64, extra, u64s};

#[test]
fn f9_a_zip64_locator_must_lead_to_an_agreeing_record() {
    let zip64 = |zip64| Evil { zip64: Some(zip64), ..honest() };
    accepted(zip64(Zip64::default()));
    accepted(zip64(Zip64 { unsaturated: true, ..Zip64::default() }));
    refused(zip64(Zip64 { locator_shift: 1, ..Zip64::default() }), "zip64-locator");
    refused(zip64(Zip64 { locator_shift: u64::MAX - 200, ..Zip64::default() }), "zip64-locator");
    refused(zip64(Zip64 { disks: Some(2), ..Zip64::default() }), "several-disks");
    refused(zip64(Zip64 { directory_at: Some(0), ..Zip64::default() }), "directory-extent");
    refused(zip64(Zip64 { directory_at: Some(0), unsaturated: true, ..Zip64::default() }), "zip64-end-record");
    let all_set = |zip64| Evil { disk: u16::MAX, zip64: Some(zip64), ..honest() };
    accepted(all_set(Zip64::default()));
    accepted(all_set(Zip64 { unsaturated: true, ..Zip64::default() }));
    refused(Evil { disk: u16::MAX, ..honest() }, "zip64-missing");
    refused(Evil { disk: 1, zip64: Some(Zip64::default()), ..honest() }, "zip64-end-record");
    refused(Evil { count: Some(u16::MAX), ..honest() }, "zip64-missing");
    refused(Evil { directory_at: Some(u32::MAX), ..honest() }, "zip64-missing");
}

/// An entry whose sizes are moved to zip64 fields with these numbers.
fn zip64_item(local: &[u64], central: &[u64]) -> Item {
    let saturate = |h: &mut crate::evil::Header| (h.packed, h.size) = (u32::MAX, u32::MAX);
    let item = Item::stored("a", b"hello").both(saturate);
    item.local(|h| h.extra = extra(1, &u64s(local))).central(|h| h.extra = extra(1, &u64s(central)))
}

#[test]
fn f13_a_zip64_field_must_hold_what_is_missing() {
    accepted(Evil::of([zip64_item(&[5, 5], &[5, 5])]));
    for (local, central) in
        [(&[5, 5][..], &[5][..]), (&[5, 5], &[]), (&[5], &[5, 5]), (&[], &[5, 5]), (&[5, 5, 1], &[5, 5])]
    {
        refused(Evil::of([zip64_item(local, central)]), "zip64-field");
    }
    refused(Evil::of([zip64_item(&[5, 6], &[5, 5])]), "local-central-mismatch");
    refused(Evil::of([zip64_item(&[5, 5], &[5, u64::MAX])]), "stored-size");
    refused(Evil::of([zip64_item(&[5, 5], &[u64::MAX, u64::MAX])]), "local-central-mismatch");
    let twice = zip64_item(&[5, 5], &[5, 5]).central(|h| h.extra = h.extra.repeat(2));
    refused(Evil::of([twice]), "extra-field");
    let missing = Item::stored("a", b"hello").both(|h| h.size = u32::MAX);
    refused(Evil::of([missing]), "zip64-field");
}

#[test]
fn f13_surplus_numbers_of_a_zip64_field_are_accepted_when_they_are_right() {
    let disk = |disk: u32, numbers: &[u64]| extra(1, &[u64s(numbers), disk.to_le_bytes().to_vec()].concat());
    accepted(Evil::of([zip64_item(&[5, 5, 0], &[5, 5, 0])]));
    accepted(Evil::of([zip64_item(&[5, 5], &[5, 5]).central(|h| h.extra = disk(0, &[5, 5, 0]))]));
    refused(Evil::of([zip64_item(&[5, 5], &[5, 5]).central(|h| h.extra = disk(1, &[5, 5, 0]))]), "zip64-field");
    refused(Evil::of([zip64_item(&[5, 5], &[5, 5, 1])]), "zip64-field");
    refused(Evil::of([zip64_item(&[5, 5], &[5, 5, 0, 0])]), "zip64-field");
    for surplus in [&[5][..], &[5, 5], &[5, 5, 0]] {
        accepted(Evil::of([Item::stored("a", b"hello").central(|h| h.extra = extra(1, &u64s(surplus)))]));
    }
    for wrong in [&[6][..], &[5, 6], &[5, 5, 1]] {
        let item = Item::stored("a", b"hello").central(|h| h.extra = extra(1, &u64s(wrong)));
        refused(Evil::of([item]), "zip64-field");
        let item = Item::stored("a", b"hello").local(|h| h.extra = extra(1, &u64s(wrong)));
        refused(Evil::of([item]), "zip64-field");
    }
}

#[test]
fn f13_a_zip64_field_that_two_readers_read_differently_is_refused() {
    // Only the packed size moved: one reader takes the first number for it, another the second.
    let text = [b'a'; 100];
    let honest = Item::deflated("a", &text);
    let both = [text.len() as u64, honest.data.len() as u64];
    let item = honest.clone().central(|h| (h.packed, h.extra) = (u32::MAX, extra(1, &u64s(&both))));
    refused(Evil::of([item]), "zip64-field");
    let item = honest.clone().local(|h| (h.packed, h.extra) = (u32::MAX, extra(1, &u64s(&both))));
    refused(Evil::of([item]), "zip64-field");
    // Only the inflated size moved: both take the first.
    accepted(Evil::of([honest.both(|h| (h.size, h.extra) = (u32::MAX, extra(1, &u64s(&both))))]));
}
