//! Findings about which there is the same to do wherever they are: they are told once.

use std::collections::HashMap;

use berth_policy::{Finding, text::Lines};

use crate::Source;

/// What was found in a file: the byte offset, what it is about, such as a domain, and the finding.
pub type About = (u32, String, Finding);

/// Findings of a whole package. Those of one rule and severity that are about the same are one finding, at the first place,
/// which tells how many more places there are.
#[derive(Default)]
pub struct Alike {
    known: HashMap<(String, u8, String), usize>,
    first: Vec<(Finding, usize)>,
}

impl Alike {
    /// Adds what was found in a file.
    pub fn add_all(&mut self, source: &Source, mut found: Vec<About>) {
        if found.is_empty() {
            return;
        }
        found.sort_by_key(|(offset, ..)| *offset);
        let lines = Lines::of(&source.text);
        for (offset, about, finding) in found {
            self.add(about, finding.at(lines.place(&source.path, offset as usize)));
        }
    }

    /// Adds a finding that has its place.
    pub fn add(&mut self, about: String, finding: Finding) {
        let key = (finding.rule.clone(), finding.severity as u8, about);
        match self.known.get(&key) {
            Some(at) => self.first[*at].1 += 1,
            None => {
                self.known.insert(key, self.first.len());
                self.first.push((finding, 0));
            }
        }
    }

    /// The findings, in the order in which the first of each came.
    pub fn findings(self) -> impl Iterator<Item = Finding> {
        self.first.into_iter().map(|(finding, others)| {
            let message = format!("{}{}", finding.message, in_more(others));
            Finding { message, ..finding }
        })
    }
}

/// A sentence about the places of which only the first is told; empty when there are no others.
pub fn in_more(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " The same in one more place.".into(),
        others => format!(" The same in {others} more places."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_the_same_is_told_once_at_its_first_place_with_the_number_of_the_others() {
        let source = Source { path: "a.js".into(), text: "one\ntwo\nthree\n".into() };
        let found = |offset, about: &str| (offset, about.to_owned(), Finding::note("rule", format!("It is {about}.")));
        let mut alike = Alike::default();
        alike.add_all(&source, vec![found(8, "a"), found(4, "a"), found(5, "b")]);
        alike.add_all(&source, vec![found(0, "a"), found(0, "c")]);
        alike.add("a".into(), Finding::warning("rule", "It is a, and graver."));
        let told: Vec<_> = alike.findings().map(|one| (one.message, one.place.map(|place| place.line))).collect();
        assert_eq!(
            told,
            [
                ("It is a. The same in 2 more places.".into(), Some(2)),
                ("It is b.".to_owned(), Some(2)),
                ("It is c.".into(), Some(1)),
                ("It is a, and graver.".into(), None),
            ]
        );
    }
}
