//! Why a SCIM request is refused (RFC 7644, §3.12). The reasons are codes of ours, too, with a page each.

use berth_base::error::{Code, Error};

/// The `scimType` of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the RFC")]
pub enum Reason {
    InvalidFilter,
    Uniqueness,
    Mutability,
    InvalidSyntax,
    InvalidPath,
    NoTarget,
    InvalidValue,
}

impl Reason {
    const ALL: [Self; 7] = [
        Self::InvalidFilter,
        Self::Uniqueness,
        Self::Mutability,
        Self::InvalidSyntax,
        Self::InvalidPath,
        Self::NoTarget,
        Self::InvalidValue,
    ];

    /// The code of ours.
    pub fn code(self) -> Code {
        match self {
            Self::InvalidFilter => Code::ScimFilter,
            Self::Uniqueness => Code::ScimUniqueness,
            Self::Mutability => Code::ScimMutability,
            Self::InvalidSyntax => Code::ScimSyntax,
            Self::InvalidPath => Code::ScimPath,
            Self::NoTarget => Code::ScimNoTarget,
            Self::InvalidValue => Code::ScimValue,
        }
    }

    /// The word of the RFC.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
        }
    }

    /// What the RFC calls a code; `None` when it has no word for it.
    pub fn of(code: Code) -> Option<Self> {
        match code {
            Code::InvalidField | Code::InvalidId | Code::InvalidCursor => Some(Self::InvalidValue),
            Code::BadRequest => Some(Self::InvalidSyntax),
            other => Self::ALL.into_iter().find(|one| one.code() == other),
        }
    }
}

/// A refusal with a word of the RFC.
pub fn refuse(reason: Reason, detail: impl Into<String>) -> Error {
    Error::new(reason.code(), detail)
}

/// The refusal of a value: `at` names the attribute.
pub(crate) fn unfit(at: &str, rule: impl std::fmt::Display) -> Error {
    refuse(Reason::InvalidValue, format!("{at}: {rule}")).with("attribute", at)
}
