//! When a delivery is tried again: by the schedule of Standard Webhooks 1.0, or later when the receiver asks for it.

use berth_base::clock::Millis;

/// Seconds to wait after the first failure, the second, and so on. An event that fails once more after the last wait is
/// dead.
const WAITS: [i64; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// The longest wait, in seconds, that a receiver can ask for.
const LONGEST_RETRY_AFTER: i64 = 86_400;

/// When to try again after `failures` failures; never, when all tries are used up. `jitter` from 0 to 1 makes the wait up
/// to a tenth longer, so that what failed together does not come back together. What the receiver asks for in
/// `Retry-After` (seconds) counts when it is longer.
pub(crate) fn next_try(failures: u64, now: Millis, jitter: f64, retry_after: Option<i64>) -> Option<Millis> {
    let wait = *WAITS.get(usize::try_from(failures.checked_sub(1)?).ok()?)?;
    let asked = retry_after.unwrap_or(0).clamp(0, LONGEST_RETRY_AFTER);
    let spread = (wait as f64 * 100.0 * jitter.clamp(0.0, 1.0)) as i64;
    Some(Millis(now.0 + (wait.max(asked)) * 1000 + spread))
}

/// The seconds that a `Retry-After` header asks for, as a number or as a date; `None` when it is neither. A date is
/// never early: a part of a second counts as a whole one.
pub(crate) fn retry_after(header: &str, now: Millis) -> Option<i64> {
    if let Ok(seconds) = header.trim().parse::<i64>() {
        return (seconds >= 0).then(|| seconds.min(LONGEST_RETRY_AFTER));
    }
    let at = jiff::fmt::rfc2822::parse(header.trim()).ok()?.timestamp().as_millisecond();
    Some(at.saturating_sub(now.0).saturating_add(999).div_euclid(1000).clamp(0, LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_900_000_000_000);

    #[test]
    fn a_delivery_is_tried_ten_times_over_three_days_and_then_dead() {
        let waits: Vec<_> = (1..=10).map(|failures| next_try(failures, NOW, 0.0, None)).collect();
        let seconds: Vec<_> = waits.iter().flatten().map(|at| (at.0 - NOW.0) / 1000).collect();
        assert_eq!(seconds, [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]);
        assert_eq!(waits[9], None);
    }

    #[test]
    fn waits_are_spread_by_at_most_a_tenth() {
        assert_eq!(next_try(1, NOW, 1.0, None), Some(Millis(NOW.0 + 5500)));
        assert_eq!(next_try(2, NOW, 0.5, None), Some(Millis(NOW.0 + 315_000)));
    }

    #[test]
    fn f98_retry_after_is_honoured_and_bounded() {
        assert_eq!(retry_after("120", NOW), Some(120));
        assert_eq!(retry_after("Sun, 17 Mar 2030 17:48:40 GMT", NOW), Some(120));
        assert_eq!(retry_after("Sun, 17 Mar 2030 17:48:40 GMT", Millis(NOW.0 + 1)), Some(120), "never early");
        assert_eq!(retry_after("Sun, 17 Mar 2030 17:48:40 GMT", Millis(NOW.0 + 119_999)), Some(1), "never early");
        assert_eq!(retry_after("Sun, 17 Mar 2030 17:40:00 GMT", NOW), Some(0));
        assert_eq!(retry_after("999999999", NOW), Some(86_400));
        assert_eq!(retry_after("-5", NOW), None);
        assert_eq!(retry_after("soon", NOW), None);
        assert_eq!(next_try(1, NOW, 0.0, Some(120)), Some(NOW.plus_seconds(120)));
        assert_eq!(next_try(2, NOW, 0.0, Some(120)), Some(NOW.plus_seconds(300)));
    }
}
