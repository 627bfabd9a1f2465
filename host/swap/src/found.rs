//! OpenIDs that were found in a text, and how others are put in their places.

use std::ops::Range;

use berth_model::user::OpenId;

/// An OpenID in a text, and where it stands there, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) at: Range<usize>,
    pub(crate) open_id: OpenId,
}

/// The text with others in the places of what was found.
pub(crate) fn replaced<'a>(text: &str, found: &[Found], other: impl Fn(&OpenId) -> &'a str) -> String {
    let mut found: Vec<_> = found.iter().collect();
    found.sort_by_key(|one| one.at.start);
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for one in found {
        // Two places may mean the same.
        if one.at.start >= from {
            out.push_str(&text[from..one.at.start]);
            out.push_str(other(&one.open_id));
            from = one.at.end;
        }
    }
    out.push_str(&text[from..]);
    out
}
