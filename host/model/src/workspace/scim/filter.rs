//! Filters (RFC 7644, §3.4.2.2): read from text, written as text, and asked about resources. Pure.

mod matches;
mod narrow;
mod parse;
#[cfg(test)]
mod tests;

pub use matches::{Known, Matcher, Wanted};
pub use narrow::Narrow;
pub use parse::Patched;

use std::{fmt, str::FromStr};

use berth_base::error::{Error, Result};
use serde_json::Value;

use super::path::AttributePath;

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the RFC")]
pub enum Operator {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Operator {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Eq, "eq"),
        (Self::Ne, "ne"),
        (Self::Co, "co"),
        (Self::Sw, "sw"),
        (Self::Ew, "ew"),
        (Self::Gt, "gt"),
        (Self::Ge, "ge"),
        (Self::Lt, "lt"),
        (Self::Le, "le"),
    ];

    fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(one, _)| *one == self).map_or("", |(_, text)| text)
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, text)| text.eq_ignore_ascii_case(word)).map(|(one, _)| *one)
    }
}

/// A filter, as it was written.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Both hold.
    And(Box<Filter>, Box<Filter>),
    /// One of both holds.
    Or(Box<Filter>, Box<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// The attribute has a value.
    Present(AttributePath),
    /// The attribute compares with the value like this.
    Compare(AttributePath, Operator, Value),
    /// One and the same value of the attribute satisfies the filter.
    Has(AttributePath, Box<Filter>),
}

impl FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        parse::filter(text)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(one, other) => write!(f, "({one}) and ({other})"),
            Self::Or(one, other) => write!(f, "({one}) or ({other})"),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Present(path) => write!(f, "{path} pr"),
            Self::Compare(path, operator, value) => write!(f, "{path} {} {value}", operator.as_str()),
            Self::Has(path, inner) => write!(f, "{path}[{inner}]"),
        }
    }
}

impl Filter {
    /// The attributes that the filter speaks of, without parts.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::And(one, other) | Self::Or(one, other) => [one.names(), other.names()].concat(),
            Self::Not(inner) => inner.names(),
            Self::Present(path) | Self::Compare(path, ..) | Self::Has(path, _) => vec![&path.name],
        }
    }

    /// How many comparisons a look at a resource, or at a value, takes, at most.
    pub fn comparisons(&self) -> usize {
        match self {
            Self::And(one, other) | Self::Or(one, other) => one.comparisons() + other.comparisons(),
            Self::Not(inner) | Self::Has(_, inner) => inner.comparisons(),
            Self::Present(_) | Self::Compare(..) => 1,
        }
    }
}
