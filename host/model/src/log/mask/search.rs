//! Searches with regular expressions whose work is bounded.
//!
//! One search is linear, but as many searches as there are matches may each look at the whole rest of the text. How far
//! one looked is not known, so it counts for all that it could have looked at.

use regex::Regex;

/// What searches may look at besides, in bytes, for texts that are short.
const SHORT: usize = 128 << 10;
/// How often searches may look at the whole text.
const TIMES: usize = 64;

/// The bytes that searches may still look at in one text, after the first search of each rule.
#[derive(Debug)]
pub struct Budget {
    left: usize,
    /// What was looked at, at most.
    pub looked: usize,
}

impl Budget {
    /// For a text of this length.
    pub fn of(length: usize) -> Self {
        Self { left: TIMES * length + SHORT, looked: 0 }
    }

    /// Whether another search may look at as many bytes.
    fn allows(&mut self, bytes: usize) -> bool {
        let rest = self.left.checked_sub(bytes);
        self.left = rest.unwrap_or(self.left);
        rest.is_some()
    }
}

/// What an expression finds, as places, before `end`. Where the budget is used up, `end` becomes where it had to stop.
pub fn all(regex: &Regex, text: &str, end: &mut usize, budget: &mut Budget) -> Vec<(usize, usize)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < *end {
        if at > 0 && !budget.allows(text.len() - at) {
            *end = at;
            break;
        }
        budget.looked += text.len() - at;
        let Some(one) = regex.find_at(text, at) else { break };
        found.push((one.start(), one.end()));
        let next = text.get(one.end()..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        at = if one.is_empty() { one.end() + next } else { one.end() };
    }
    found
}
