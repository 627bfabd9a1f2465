//! What is accepted and what is refused, one fault at a time.

mod bytes;
mod extract;
mod fuzz;
mod names;
mod records;
pub(crate) mod samples;
mod tools;
mod zip64;

use super::{
    Archive, Limits,
    evil::{Evil, Item},
};
use berth_base::error::Error;

/// Opens bytes under the default limits.
fn open(bytes: Vec<u8>) -> Result<Archive, Error> {
    Archive::open(bytes, &Limits::default())
}

/// The rule by which an archive is refused; `None` when it is accepted.
fn rule(evil: &Evil) -> Option<String> {
    let error = open(evil.build()).err()?;
    assert_ne!(error.code, berth_base::error::Code::Internal, "{error:?}");
    Some(error.fields["rule"].as_str().expect("a rule is text").into())
}

#[track_caller]
fn refused(evil: Evil, expected: &str) {
    assert_eq!(rule(&evil).as_deref(), Some(expected));
}

#[track_caller]
fn accepted(evil: Evil) -> Archive {
    open(evil.build()).expect("an archive that is fine")
}

/// A correct archive with two files, one deflated and one stored.
fn honest() -> Evil {
    Evil::of([Item::deflated("app.json", b"{\"pages\":[\"pages/a\"]}"), Item::stored("pages/a.js", b"Page({})")])
}

/// [`honest`] with its first entry changed.
fn first(change: impl FnOnce(Item) -> Item) -> Evil {
    let mut evil = honest();
    let item = evil.entries.remove(0);
    evil.entries.insert(0, change(item));
    evil
}
