//! The health of a gray task as guards are told it (G13): how many devices first did something in each window, for the
//! version in grayscale and for the one that everybody else gets.
//!
//! Each device counts once for each thing that it can do, in the window in which it did it first. So the windows add up to
//! distinct devices, and a window that is over does not change.

use serde::{Deserialize, Serialize};

use crate::policy::Window;

/// As many windows as a guard is told at most. Of a task that goes on for longer, the first one has all that came before.
const MOST_WINDOWS: u64 = 10_000;

/// How many bystanders are noted for each device that a task admits: more would hardly make a comparison sharper (Ury,
/// "Efficiency of case-control studies with multiple controls per case", Biometrics 1975).
const BESIDE_EACH: u64 = 4;

/// As many bystanders as a task has at most.
const MOST_BYSTANDERS: u64 = 50_000;

/// How many devices that get the online version a task with a guard takes note of once it has admitted so many. They come
/// at the pace of its own devices, so that both have had the same time to fail.
pub fn bystanders_for(admitted: u64) -> u64 {
    admitted.saturating_mul(BESIDE_EACH).min(MOST_BYSTANDERS)
}

/// What a device did for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// It asked, and was told to run the version.
    Asked,
    /// It downloaded the version.
    Downloaded,
    /// It tried the version: it was seen to run it, or reported that it failed.
    Tried,
    /// It reported that the version failed.
    Failed,
}

/// How many devices did something first in the window of this number, counted from 0.
pub type Firsts = (First, i64, u64);

/// The first `windows` windows of `minutes` minutes each, oldest first. What happened outside of them is left out.
pub fn windows(minutes: u32, windows: u64, firsts: impl IntoIterator<Item = Firsts>) -> Vec<Window> {
    let merged = windows.saturating_sub(MOST_WINDOWS);
    let mut all = vec![Window { minutes, ..Window::default() }; (windows - merged) as usize];
    if let Some(first) = all.first_mut() {
        first.minutes = u32::try_from(u64::from(minutes) * (merged + 1)).unwrap_or(u32::MAX);
    }
    for (what, number, count) in firsts {
        let at = u64::try_from(number).ok().filter(|number| *number < windows);
        let place = at.map(|number| number.saturating_sub(merged) as usize);
        let Some(window) = place.and_then(|place| all.get_mut(place)) else { continue };
        *match what {
            First::Asked => &mut window.checks,
            First::Downloaded => &mut window.downloads,
            First::Tried => &mut window.tried,
            First::Failed => &mut window.failed,
        } += count;
    }
    all
}

/// All of these windows as one.
pub fn total(windows: &[Window]) -> Window {
    windows.iter().fold(Window::default(), |sum, one| Window {
        minutes: sum.minutes.saturating_add(one.minutes),
        checks: sum.checks + one.checks,
        downloads: sum.downloads + one.downloads,
        tried: sum.tried + one.tried,
        failed: sum.failed + one.failed,
    })
}

/// One stretch of time: the version in grayscale, beside the one that everybody else gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Beside {
    /// The devices of the task.
    pub gray: Window,
    /// Devices that asked meanwhile and got the online version.
    pub online: Window,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(minutes: u32, [checks, downloads, tried, failed]: [u64; 4]) -> Window {
        Window { minutes, checks, downloads, tried, failed }
    }

    #[test]
    fn g13_each_first_counts_in_its_window_and_the_windows_add_up() {
        let firsts = [
            (First::Asked, 0, 10),
            (First::Downloaded, 0, 8),
            (First::Tried, 0, 5),
            (First::Tried, 1, 3),
            (First::Failed, 1, 2),
            (First::Asked, 1, 4),
        ];
        let both = windows(5, 2, firsts);
        assert_eq!(both, [window(5, [10, 8, 5, 0]), window(5, [4, 0, 3, 2])]);
        assert_eq!(total(&both), window(10, [14, 8, 8, 2]));
        assert_eq!(total(&[]), Window::default());
    }

    #[test]
    fn g13_a_window_that_is_not_over_does_not_count_and_one_without_news_is_there() {
        for (number, there) in [(-1, 0), (0, 1), (2, 1), (3, 0), (i64::MAX, 0)] {
            let three = windows(1, 3, [(First::Failed, number, 1)]);
            assert_eq!((three.len(), total(&three).failed), (3, there), "window {number}");
        }
        assert!(windows(5, 0, [(First::Asked, 0, 1)]).is_empty());
    }

    #[test]
    fn g13_bystanders_come_at_the_pace_of_the_tasks_own_devices() {
        assert_eq!([0, 1, 100, 1 << 60].map(bystanders_for), [0, 4, 400, MOST_BYSTANDERS]);
    }

    #[test]
    fn g13_a_very_long_task_has_its_oldest_windows_in_one() {
        let firsts = [(First::Asked, 0, 1), (First::Asked, 2, 2), (First::Asked, 3, 4), (First::Asked, 10_001, 8)];
        let all = windows(1, MOST_WINDOWS + 2, firsts);
        assert_eq!(all.len() as u64, MOST_WINDOWS);
        assert_eq!((all[0].minutes, all[0].checks), (3, 3));
        assert_eq!((all[1].minutes, all[1].checks), (1, 4));
        assert_eq!((total(&all).minutes, total(&all).checks), (10_002, 15));
    }
}
