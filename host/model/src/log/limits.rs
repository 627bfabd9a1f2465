//! How much a day takes: of all MiniApps in bytes, of each in entries. Whoever exceeds a limit is told which.

use std::collections::HashMap;

use berth_base::ids::MiniAppId;

use super::{Arrived, LogId, Refusal};

/// What a day may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayLimits {
    /// Entries of one MiniApp.
    pub mini_app_entries: u64,
    /// Bytes of all entries together.
    pub bytes: u64,
}

/// What a day has taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Entries of each MiniApp.
    pub entries: HashMap<MiniAppId, u64>,
    /// Bytes of all entries together.
    pub bytes: u64,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is stored under this id.
    Kept(LogId),
    /// A limit of the day was reached.
    Refused(Refusal),
}

/// Admits entries in their order, as far as the limits of the day allow: `None` for one that is kept, and counted in
/// `usage`.
pub fn admit(usage: &mut Usage, limits: &DayLimits, entries: &[Arrived]) -> Vec<Option<Refusal>> {
    let mut one = |entry: &Arrived| {
        let bytes = entry.bytes();
        if usage.bytes + bytes > limits.bytes {
            return Some(Refusal::DayFull);
        }
        let own = usage.entries.entry(entry.mini_app.clone()).or_default();
        if *own >= limits.mini_app_entries {
            return Some(Refusal::MiniAppDayFull);
        }
        *own += 1;
        usage.bytes += bytes;
        None
    };
    entries.iter().map(&mut one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::entry::tests::arrived;

    #[test]
    fn d4_a_day_takes_what_its_limits_allow_and_each_mini_app_its_share() {
        let entries: Vec<_> =
            ["shop", "shop", "shop", "tea", "tea"].iter().map(|id| arrived(id, "a message")).collect();
        let bytes = entries[0].bytes();
        let small = entries[3].bytes();
        assert_eq!(small + 1, bytes, "the id counts");
        let refused = |mini_app_entries, bytes| {
            let mut usage = Usage::default();
            let found = admit(&mut usage, &DayLimits { mini_app_entries, bytes }, &entries);
            let kept = found.iter().filter(|one| one.is_none()).count() as u64;
            assert_eq!(usage.entries.values().sum::<u64>(), kept);
            found
        };
        use Refusal::{DayFull, MiniAppDayFull};
        assert_eq!(refused(3, 1 << 20), [None; 5]);
        assert_eq!(refused(2, 1 << 20), [None, None, Some(MiniAppDayFull), None, None]);
        assert_eq!(refused(0, 1 << 20), [Some(MiniAppDayFull); 5]);
        assert_eq!(refused(9, bytes * 2), [None, None, Some(DayFull), Some(DayFull), Some(DayFull)]);
        assert_eq!(refused(9, bytes * 2 + small), [None, None, Some(DayFull), None, Some(DayFull)]);
    }
}
