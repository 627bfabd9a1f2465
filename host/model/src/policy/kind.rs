//! The kinds of policies, and how a policy describes itself.

use serde::{Deserialize, Serialize};

use berth_base::{text::text_enum, version::VersionNumber};

/// The version of the policy interface in `wit/` that this host takes.
#[macro_export]
macro_rules! interface_version {
    () => {
        "1.0.0"
    };
}

/// The name by which components import and export an interface of `wit/`, such as `interface!("log")`.
#[macro_export]
macro_rules! interface {
    ($name:literal) => {
        concat!("berth:policy/", $name, "@", $crate::interface_version!())
    };
}

text_enum! {
    /// What a policy judges, and so which world of `wit/` it implements.
    PolicyKind {
        /// World `auditor`: judges a version before people do.
        Auditor = "auditor",
        /// World `grayscale`: decides which devices get the version of a grayscale task.
        Grayscale = "grayscale",
        /// World `guard`: watches the health of a grayscale task.
        Guard = "guard",
    }
}

impl PolicyKind {
    /// The interface of `wit/` that this kind alone exports.
    pub fn interface(self) -> &'static str {
        match self {
            Self::Auditor => interface!("audit"),
            Self::Grayscale => interface!("gray"),
            Self::Guard => interface!("watch"),
        }
    }

    /// The interfaces that its world may import.
    pub fn grants(self) -> &'static [&'static str] {
        match self {
            Self::Auditor => &[interface!("log"), interface!("contents")],
            Self::Grayscale => &[interface!("log"), interface!("cohort")],
            Self::Guard => &[interface!("log")],
        }
    }
}

/// How a policy describes itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Description {
    /// The name of the policy: kebab-case, 1 to 64 characters.
    pub name: String,
    /// The version of the policy.
    pub version: VersionNumber,
    /// One sentence for the people who choose a policy, 1 to 300 characters.
    pub summary: String,
    /// The JSON Schema (2020-12) of the config; null when the policy takes none.
    pub config_schema: Option<serde_json::Value>,
}
