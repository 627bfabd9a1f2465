//! How much one evaluation may use. Limits are on from the first day; every one is reported by its name when hit.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::PolicyKind;
use berth_base::error::{Error, Result};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// What was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// CPU time, or four times as much of the wall's.
    Deadline,
    /// Bytes of all linear memories together.
    Memory,
    /// Elements of all tables together.
    Table,
    /// Depth of calls.
    Stack,
    /// Bytes that one call hands to the host.
    Output,
    /// Lines or bytes of the log.
    Log,
    /// The host had no free instance in time.
    Capacity,
}

impl Limit {
    /// The name in JSON, metrics and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::Table => "table",
            Self::Stack => "stack",
            Self::Output => "output",
            Self::Log => "log",
            Self::Capacity => "capacity",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The limits of one evaluation: `configure` and the judgement together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Limits {
    /// Milliseconds of CPU time; the wall's time may be four times as long.
    pub deadline_ms: u64,
    /// Bytes of all linear memories together.
    pub memory_bytes: u64,
    /// Elements of all tables together.
    pub table_elements: u64,
    /// Bytes that one call may hand to the host: the judgement, or the arguments of one host call.
    pub output_bytes: u64,
    /// Lines of log.
    pub log_lines: u64,
    /// Bytes of log.
    pub log_bytes: u64,
}

impl Limits {
    /// What a policy of this kind gets when its binding says nothing.
    pub fn default_of(kind: PolicyKind) -> Self {
        match kind {
            PolicyKind::Grayscale => Self {
                deadline_ms: 5,
                memory_bytes: 16 * MIB,
                table_elements: 20_000,
                output_bytes: 64 * KIB,
                log_lines: 100,
                log_bytes: 16 * KIB,
            },
            PolicyKind::Auditor => Self {
                deadline_ms: 20_000,
                memory_bytes: 256 * MIB,
                table_elements: 50_000,
                output_bytes: 4 * MIB,
                log_lines: 10_000,
                log_bytes: MIB,
            },
            PolicyKind::Guard => Self {
                deadline_ms: 1_000,
                memory_bytes: 64 * MIB,
                table_elements: 50_000,
                output_bytes: 256 * KIB,
                log_lines: 1_000,
                log_bytes: 128 * KIB,
            },
        }
    }

    /// The most that a binding may ask for. Memory and tables of grayscale policies are what a slot of the pool holds.
    pub fn largest_of(kind: PolicyKind) -> Self {
        match kind {
            PolicyKind::Grayscale => Self {
                deadline_ms: 1_000,
                memory_bytes: 128 * MIB,
                table_elements: 100_000,
                output_bytes: MIB,
                log_lines: 10_000,
                log_bytes: MIB,
            },
            PolicyKind::Auditor => Self {
                deadline_ms: 300_000,
                memory_bytes: 1024 * MIB,
                table_elements: 1_000_000,
                output_bytes: 32 * MIB,
                log_lines: 100_000,
                log_bytes: 16 * MIB,
            },
            PolicyKind::Guard => Self {
                deadline_ms: 20_000,
                memory_bytes: 256 * MIB,
                table_elements: 100_000,
                output_bytes: 4 * MIB,
                log_lines: 10_000,
                log_bytes: MIB,
            },
        }
    }

    /// What a policy gets while it is installed: all the memory it may ever ask for, two seconds to say who it is.
    pub(super) fn of_installation(kind: PolicyKind) -> Self {
        Self { deadline_ms: 2_000, output_bytes: 256 * KIB, ..Self::largest_of(kind) }
    }

    /// CPU time.
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }

    /// The wall's time: an evaluation that waits for the processor, or inside the host, ends here at last.
    pub fn patience(&self) -> Duration {
        self.deadline() * 4
    }
}

macro_rules! overrides {
    ($($field:ident),*) => {
        /// Limits of one binding, as JSON: what is absent keeps its default.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct LimitOverrides {
            $(
                #[doc = concat!("See [`Limits::", stringify!($field), "`].")]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $field: Option<u64>,
            )*
        }

        impl LimitOverrides {
            /// The limits of a binding; a value of 0 or over the cap is refused by its name.
            pub fn apply(&self, kind: PolicyKind) -> Result<Limits> {
                let (default, largest) = (Limits::default_of(kind), Limits::largest_of(kind));
                Ok(Limits {
                    $($field: chosen(stringify!($field), self.$field, default.$field, largest.$field)?,)*
                })
            }
        }
    };
}

overrides!(deadline_ms, memory_bytes, table_elements, output_bytes, log_lines, log_bytes);

fn chosen(name: &str, asked: Option<u64>, default: u64, largest: u64) -> Result<u64> {
    match asked {
        None => Ok(default),
        Some(value) if (1..=largest).contains(&value) => Ok(value),
        Some(value) => Err(Error::field(
            &format!("limits.{name}"),
            format_args!("{value} is outside 1 to {largest}; without it the limit is {default}."),
        )
        .with("limit", largest)),
    }
}
