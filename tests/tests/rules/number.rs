//! The numbers of rules, invariants and faults.

use std::{fmt, str::FromStr};

/// The number of a rule, an invariant or a fault, such as G9, I3 or F84.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number {
    pub(super) group: char,
    pub(super) count: u16,
}

impl FromStr for Number {
    type Err = ();

    /// Takes exactly what [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, ()> {
        let group = text.chars().next().filter(char::is_ascii_uppercase).ok_or(())?;
        let number = Self { group, count: text[1..].parse().map_err(drop)? };
        (number.to_string() == text).then_some(number).ok_or(())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.group, self.count)
    }
}

/// Every line of a text with its number, counted from 1.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines())
}

#[test]
fn a_number_is_written_in_one_way() {
    for text in ["G9", "F101"] {
        assert_eq!(text.parse::<Number>().map(|number| number.to_string()).as_deref(), Ok(text));
    }
    for text in ["", "G", "9", "g9", "G09", "G+9", "G9a", "GG9", "É9", "F99999"] {
        assert_eq!(text.parse::<Number>(), Err(()), "{text:?}");
    }
}
