//! How much one evaluation may use. An evaluation that hits a limit ends, and reports the limit by its name.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::PolicyKind;
use berth_base::error::{Error, Result};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// The limit that an evaluation hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// CPU time, or four times as much elapsed time.
    Deadline,
    /// Bytes of all linear memories together.
    Memory,
    /// Elements of all tables together.
    Table,
    /// Depth of calls.
    Stack,
    /// Bytes that one call passes to the host.
    Output,
    /// Lines or bytes of the log.
    Log,
    /// No instance became free in time.
    Capacity,
}

impl Limit {
    /// The name of the limit in JSON, metrics and messages.
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

    /// The members of `limits` that raise it; none when no binding can.
    pub fn members(self) -> &'static [&'static str] {
        match self {
            Self::Deadline => &["deadline_ms"],
            Self::Memory => &["memory_bytes"],
            Self::Table => &["table_elements"],
            Self::Output => &["output_bytes"],
            Self::Log => &["log_lines", "log_bytes"],
            Self::Stack | Self::Capacity => &[],
        }
    }

    /// How to get along with it, in one sentence for people.
    pub fn cure(self) -> String {
        match self {
            Self::Stack => "It cannot be raised: let the policy call itself less deeply.".into(),
            Self::Capacity => "Try again in a moment.".into(),
            _ => format!(
                "To allow more, set {} in its `limits`: of a gray task by `berth gray edit TASK --limits`, of another \
                 binding by `berth policy edit`, or in the case of `berth policy test`.",
                self.members().iter().map(|member| format!("`{member}`")).collect::<Vec<_>>().join(" or ")
            ),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The limits of one evaluation, which are for `configure` and the judgement together, and of the instance it runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Limits {
    /// Milliseconds of CPU time. The elapsed time may be four times as long.
    pub deadline_ms: u64,
    /// Bytes of all linear memories together.
    pub memory_bytes: u64,
    /// Elements of all tables together.
    pub table_elements: u64,
    /// Bytes that one call may pass to the host: the judgement, or the arguments of one host call.
    pub output_bytes: u64,
    /// Lines that the log may have.
    pub log_lines: u64,
    /// Bytes that the log may have.
    pub log_bytes: u64,
    /// How many judgements one instance may give, one after another; 1 is a fresh instance for each. An instance that
    /// judges again remembers what the policy keeps in memory. Auditors and guards judge on fresh instances only.
    pub judgements_per_instance: u64,
}

impl Limits {
    /// The limits of a policy of this kind whose binding does not override them.
    pub fn default_of(kind: PolicyKind) -> Self {
        match kind {
            PolicyKind::Grayscale => Self {
                deadline_ms: 5,
                memory_bytes: 16 * MIB,
                table_elements: 20_000,
                output_bytes: 64 * KIB,
                log_lines: 100,
                log_bytes: 16 * KIB,
                judgements_per_instance: 1_000,
            },
            PolicyKind::Auditor => Self {
                deadline_ms: 20_000,
                memory_bytes: 256 * MIB,
                table_elements: 50_000,
                output_bytes: 4 * MIB,
                log_lines: 10_000,
                log_bytes: MIB,
                judgements_per_instance: 1,
            },
            PolicyKind::Guard => Self {
                deadline_ms: 1_000,
                memory_bytes: 64 * MIB,
                table_elements: 50_000,
                output_bytes: 256 * KIB,
                log_lines: 1_000,
                log_bytes: 128 * KIB,
                judgements_per_instance: 1,
            },
        }
    }

    /// The largest limits that a binding may ask for. For grayscale policies, memory and tables are those of a slot of
    /// the pool.
    pub fn largest_of(kind: PolicyKind) -> Self {
        match kind {
            PolicyKind::Grayscale => Self {
                deadline_ms: 1_000,
                memory_bytes: 128 * MIB,
                table_elements: 100_000,
                output_bytes: MIB,
                log_lines: 10_000,
                log_bytes: MIB,
                judgements_per_instance: 1_000_000,
            },
            PolicyKind::Auditor => Self {
                deadline_ms: 300_000,
                memory_bytes: 1024 * MIB,
                table_elements: 1_000_000,
                output_bytes: 32 * MIB,
                log_lines: 100_000,
                log_bytes: 16 * MIB,
                judgements_per_instance: 1,
            },
            PolicyKind::Guard => Self {
                deadline_ms: 20_000,
                memory_bytes: 256 * MIB,
                table_elements: 100_000,
                output_bytes: 4 * MIB,
                log_lines: 10_000,
                log_bytes: MIB,
                judgements_per_instance: 1,
            },
        }
    }

    /// The limits of a policy that is being installed: as much memory as it may ever ask for, and two seconds to
    /// describe itself.
    pub fn of_installation(kind: PolicyKind) -> Self {
        Self { deadline_ms: 2_000, output_bytes: 256 * KIB, ..Self::largest_of(kind) }
    }

    /// These limits with a deadline that is not after `left`.
    #[must_use]
    pub fn within(self, left: Duration) -> Self {
        let left = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1);
        Self { deadline_ms: self.deadline_ms.min(left), ..self }
    }

    /// The CPU time that an evaluation may use.
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }

    /// The elapsed time after which an evaluation ends, even when it waits for a processor or inside the host.
    pub fn patience(&self) -> Duration {
        self.deadline() * 4
    }
}

macro_rules! overrides {
    ($($field:ident),*) => {
        /// Overrides of the limits of one binding. Absent members keep the default of the policy's kind.
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
            /// The limits of a binding of a policy of this kind.
            ///
            /// # Errors
            /// `invalid-field` for a value that is 0 or over the largest one.
            pub fn apply(&self, kind: PolicyKind) -> Result<Limits> {
                let (default, largest) = (Limits::default_of(kind), Limits::largest_of(kind));
                Ok(Limits {
                    $($field: chosen(stringify!($field), self.$field, default.$field, largest.$field)?,)*
                })
            }
        }
    };
}

overrides!(deadline_ms, memory_bytes, table_elements, output_bytes, log_lines, log_bytes, judgements_per_instance);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_that_a_hit_limit_names_can_be_set() {
        let all =
            [Limit::Deadline, Limit::Memory, Limit::Table, Limit::Stack, Limit::Output, Limit::Log, Limit::Capacity];
        let mut named: Vec<_> = all.iter().flat_map(|limit| limit.members()).copied().collect();
        let limits = serde_json::to_value(Limits::default_of(PolicyKind::Auditor)).unwrap_or_default();
        let mut settable: Vec<_> =
            limits.as_object().into_iter().flat_map(|limits| limits.keys().map(String::as_str)).collect();
        // Nobody hits it: the next judgement is given by a fresh instance.
        settable.retain(|member| *member != "judgements_per_instance");
        named.sort_unstable();
        settable.sort_unstable();
        assert_eq!(named, settable);
        assert!(
            Limit::Log.cure().contains("`log_lines` or `log_bytes`")
                && Limit::Deadline.cure().contains("berth policy edit")
        );
    }
}
