//! Real-time logs (D4): what SDKs send of MiniApps, what is kept of it, and what is asked.
//!
//! Entries are ordered by their arrival at the host, and a time of a query is that of the arrival: clocks of devices lie,
//! and one that says 1970 or 2099 must neither hide its entries nor keep a day for ever. What the device says stands
//! beside it, as `at`.

mod entry;
mod id;
mod limits;
mod mask;
mod otlp;
mod query;
mod retention;
mod sight;
mod words;

pub use entry::{Arrived, Batch, LogEntry, MAX_ENTRIES, NewEntry, NewLogs, Refusal, Refused, Sender, Taken};
pub use id::{Day, LogId};
pub use limits::{DayLimits, Fate, Usage, admit};
pub use mask::{LogMasks, Mask, MaskRule, MaskScope, SetLogMasks};
pub use otlp::{OtlpLogs, OtlpOutcome, otlp_logs, otlp_outcome, otlp_wait};
pub use query::{Filter, LogPage, LogQuery, LogStreamQuery, Span, page_path};
pub use retention::{DaySize, forgotten};
pub use words::{Phrase, is_said, phrases, tokens};

use berth_base::text::text_enum;

text_enum! {
    /// How serious an entry is, in this order.
    #[schema(as = EntryLevel)]
    Level {
        /// For whoever looks for a fault.
        Debug = "debug",
        /// What happened.
        Info = "info",
        /// What is not as it should be.
        Warn = "warn",
        /// What failed.
        Error = "error",
    }
}

impl Level {
    /// The place in the order, from 1, as stores keep it.
    pub fn rank(self) -> i16 {
        self as i16 + 1
    }

    /// The level with this rank; the highest for one that is not known.
    pub fn of_rank(rank: i16) -> Self {
        Self::ALL.iter().copied().find(|level| level.rank() == rank).unwrap_or(Self::Error)
    }

    /// This level and those above it.
    pub fn and_above(self) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |level| *level >= self)
    }
}
