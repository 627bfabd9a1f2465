//! When it is told that devices fell back from the version of a gray task (G15).

/// Whether it is told that so many devices fell back by now, `before` of them earlier: at the first one, the 10th, the
/// 100th and so on. The first says that something is wrong, each later one that it is ten times as bad; so a million
/// devices are seven events, and nobody has to guess beforehand how many are too many.
pub fn is_told(before: u64, now: u64) -> bool {
    before.checked_ilog10() < now.checked_ilog10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g15_a_million_devices_that_fall_back_are_seven_events() {
        let one_by_one = (0..1_000_000).filter(|before| is_told(*before, before + 1));
        let told: Vec<_> = one_by_one.map(|before| before + 1).collect();
        assert_eq!(told, [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]);
    }

    #[test]
    fn g15_devices_that_fall_back_together_are_told_once() {
        let cases = [
            (0, 0, false),
            (0, 1, true),
            (0, 250, true),
            (1, 9, false),
            (9, 12, true),
            (100, 100, false),
            (999, 1000, true),
        ];
        for (before, now, told) in cases {
            assert_eq!(is_told(before, now), told, "{before} {now}");
        }
    }
}
