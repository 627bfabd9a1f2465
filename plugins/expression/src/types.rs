//! The types of CEL, as far as they are known before an expression runs.

use std::fmt;

/// What is known of a value before an expression runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Bool,
    Int,
    Double,
    Text,
    List,
    Map,
    Null,
    Any,
}

impl Type {
    /// Whether a value of this type may be one of the other.
    pub fn fits(self, other: Self) -> bool {
        self == other || self == Self::Any || other == Self::Any
    }

    /// Whether it can be calculated with.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Double)
    }

    /// Whether `==` may ever hold between the two.
    pub fn may_equal(self, other: Self) -> bool {
        self.fits(other) || (self.is_number() && other.is_number())
    }

    /// What is known of a value that is of one of two types.
    pub fn or(self, other: Self) -> Self {
        if self == other { self } else { Self::Any }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "true or false",
            Self::Int => "a whole number",
            Self::Double => "a number with decimals",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Null => "null",
            Self::Any => "a value",
        })
    }
}
