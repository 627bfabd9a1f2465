//! Ids of entries: they sort by arrival, and hold its time.

use std::{fmt, str::FromStr};

use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
};
use serde::{Deserialize, Serialize};

/// How many ids there are in a millisecond.
const IN_A_MILLISECOND: i64 = 1 << 20;
const DAY_MILLIS: i64 = 86_400_000;

/// Id of an entry: 16 hexadecimal characters. Later entries have greater ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LogId(pub i64);

impl LogId {
    /// The smallest id of a moment.
    pub fn at(moment: Millis) -> Self {
        Self(moment.0.clamp(0, i64::MAX / IN_A_MILLISECOND - 1) * IN_A_MILLISECOND)
    }

    /// When the entry arrived.
    pub fn received_at(self) -> Millis {
        Millis(self.0 / IN_A_MILLISECOND)
    }

    /// The first of the ids that entries get which arrive at `now`, after one that has this id.
    pub fn following(self, now: Millis) -> Self {
        Self::at(now).max(Self(self.0 + 1))
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl From<LogId> for String {
    fn from(id: LogId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for LogId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl FromStr for LogId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let plain = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let number = i64::from_str_radix(text, 16).ok().filter(|_| plain);
        number.map(Self).ok_or_else(|| {
            let text = format!("{text:?} is not the id of an entry of the log: expected 16 characters of 0-9 and a-f.");
            Error::new(Code::InvalidId, text)
        })
    }
}

impl utoipa::PartialSchema for LogId {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        String::schema()
    }
}

impl utoipa::ToSchema for LogId {}

/// A day of arrivals, in UTC: the days since 1970. Logs are kept, and dropped, by the day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

impl Day {
    /// The day of a moment.
    pub fn of(moment: Millis) -> Self {
        Self(moment.0.div_euclid(DAY_MILLIS))
    }

    /// The smallest id of the day.
    pub fn first(self) -> LogId {
        LogId::at(Millis(self.0 * DAY_MILLIS))
    }

    /// The smallest id of the day after.
    pub fn end(self) -> LogId {
        Self(self.0 + 1).first()
    }

    /// Milliseconds of `moment` until the day after.
    pub fn left(self, moment: Millis) -> i64 {
        (self.0 + 1) * DAY_MILLIS - moment.0
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Millis(self.0 * DAY_MILLIS).to_string().get(..10).unwrap_or_default())
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Day {
    type Err = Error;

    /// From `2030-01-31`.
    fn from_str(text: &str) -> Result<Self> {
        let noon = format!("{text}T12:00:00Z").parse().map(Self::of);
        let exact = noon.ok().filter(|day| day.to_string() == text);
        exact.ok_or_else(|| Error::parameter("day", "expected such as 2030-01-31."))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::testing::DAWN;

    #[test]
    fn d4_an_id_holds_the_time_of_its_arrival_and_sorts_by_it() {
        let first = LogId::default().following(DAWN);
        assert_eq!((first.received_at(), Day::of(DAWN).first() <= first), (DAWN, true));
        assert!(first.following(DAWN) > first && first.following(Millis(DAWN.0 - 5000)) > first, "a clock set back");
        assert!(LogId::at(Millis(DAWN.0 + 1)) > first.following(DAWN));
        assert_eq!(first.to_string().parse::<LogId>().unwrap(), first);
        assert!(first.to_string() < LogId::at(Millis(DAWN.0 + 1)).to_string(), "texts sort alike");
        for wrong in ["", "7", "+00000000000000f", "00000000000000FF", "g000000000000000", "ffffffffffffffff"] {
            assert!(wrong.parse::<LogId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn d4_a_day_reads_as_its_date() {
        let day = Day::of(DAWN);
        assert_eq!((day.to_string().as_str(), day.to_string().parse::<Day>().unwrap()), ("2030-03-17", day));
        assert_eq!((Day::of(day.end().received_at()), Day::of(Millis(-1))), (Day(day.0 + 1), Day(-1)));
        assert_eq!(day.left(day.first().received_at()), DAY_MILLIS);
        for wrong in ["2030-3-17", "2030-02-30", "today", "", "2030-03-17.db"] {
            assert!(wrong.parse::<Day>().is_err(), "{wrong}");
        }
    }
}
