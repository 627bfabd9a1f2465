//! Which days of logs are kept.

use serde::Serialize;

use super::Day;

/// A day of logs, and how much room it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DaySize {
    /// The day.
    #[serde(serialize_with = "as_text")]
    pub day: Day,
    /// Its size in bytes, with its indexes.
    pub bytes: u64,
}

fn as_text<S: serde::Serializer>(day: &Day, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}

/// The days to drop, oldest first: those before the last `keep_days` of which `today` is one, and then the oldest while
/// all together take more than `keep_bytes`. Today stays: what may come on a day has a limit of its own.
pub fn forgotten(days: &[DaySize], today: Day, keep_days: u32, keep_bytes: u64) -> Vec<Day> {
    let mut kept: Vec<_> = days.to_vec();
    kept.sort_by_key(|one| one.day);
    let oldest = Day(today.0 - i64::from(keep_days.max(1)) + 1);
    let mut total: u64 = kept.iter().filter(|one| one.day >= oldest).map(|one| one.bytes).sum();
    let mut gone = Vec::new();
    for one in kept {
        if one.day >= oldest {
            if total <= keep_bytes || one.day >= today {
                break;
            }
            total -= one.bytes;
        }
        gone.push(one.day);
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d4_old_days_go_and_then_the_oldest_while_there_is_no_room_but_never_today() {
        let days: Vec<_> = (1..=5).rev().map(|day| DaySize { day: Day(day), bytes: 10 }).collect();
        let cases: [(i64, u32, u64, &[i64]); 8] = [
            (5, 7, 100, &[]),
            (5, 3, 100, &[1, 2]),
            (5, 1, 100, &[1, 2, 3, 4]),
            (5, 7, 35, &[1, 2]),
            (5, 4, 20, &[1, 2, 3]),
            (5, 7, 5, &[1, 2, 3, 4]),
            (9, 3, 100, &[1, 2, 3, 4, 5]),
            (4, 7, 0, &[1, 2, 3]), // a clock that was set back
        ];
        for (today, keep_days, keep_bytes, expected) in cases {
            let gone: Vec<_> = forgotten(&days, Day(today), keep_days, keep_bytes).iter().map(|day| day.0).collect();
            assert_eq!(gone, expected, "{today} {keep_days} {keep_bytes}");
        }
    }
}
