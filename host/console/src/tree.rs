//! Trees, piece by piece, as templates write them.

use std::collections::{BTreeMap, BTreeSet};

/// A piece of a tree, in the order in which it is written.
pub enum Piece<'a, T> {
    /// One that has none below it.
    Leaf(&'a T),
    /// One below which the next pieces are.
    Begin(&'a T),
    /// The end of what is below the last one that was begun.
    End,
}

/// The tree of `all`, with siblings in the order in which they come. Whose parent is not among them stands at the top.
pub fn pieces<'a, T>(
    all: impl IntoIterator<Item = &'a T>,
    id: impl Fn(&'a T) -> &'a str,
    parent: impl Fn(&'a T) -> Option<&'a str>,
) -> Vec<Piece<'a, T>> {
    let all: Vec<&T> = all.into_iter().collect();
    let known: BTreeSet<&str> = all.iter().map(|one| id(one)).collect();
    let mut below: BTreeMap<&str, Vec<&T>> = BTreeMap::new();
    for one in all {
        let parent = parent(one).filter(|parent| known.contains(parent));
        below.entry(parent.unwrap_or_default()).or_default().push(one);
    }
    let mut pieces = Vec::new();
    write(&below, "", &id, &mut pieces);
    pieces
}

/// The tree of what has its parts within it.
pub fn nested<'a, T>(root: &'a T, parts: &impl Fn(&'a T) -> &'a [T]) -> Vec<Piece<'a, T>> {
    let within = parts(root);
    if within.is_empty() {
        return vec![Piece::Leaf(root)];
    }
    let within = within.iter().flat_map(|part| nested(part, parts));
    std::iter::once(Piece::Begin(root)).chain(within).chain([Piece::End]).collect()
}

fn write<'a, T>(
    below: &BTreeMap<&str, Vec<&'a T>>,
    parent: &str,
    id: &impl Fn(&'a T) -> &'a str,
    pieces: &mut Vec<Piece<'a, T>>,
) {
    for one in below.get(parent).into_iter().flatten() {
        if below.contains_key(id(one)) {
            pieces.push(Piece::Begin(one));
            write(below, id(one), id, pieces);
            pieces.push(Piece::End);
        } else {
            pieces.push(Piece::Leaf(one));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_something_stands_between_its_begin_and_its_end() {
        let all = [("b", None), ("a", Some("b")), ("c", Some("a")), ("d", Some("gone"))];
        let pieces = pieces(&all, |one| one.0, |one| one.1);
        let written: Vec<_> = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Leaf(one) => one.0.to_owned(),
                Piece::Begin(one) => format!("{}(", one.0),
                Piece::End => ")".to_owned(),
            })
            .collect();
        assert_eq!(written.concat(), "b(a(c))d");
    }
}
