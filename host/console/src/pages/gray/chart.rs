//! The chart of a gray task: how many devices had been offered the version by when, had downloaded it, had run it, and
//! had failed with it. All places are whole numbers, so that the same numbers always make the same picture.

use berth_base::clock::Millis;
use berth_model::rollout::Bucket;

/// The size of the picture, and the room for names around the lines.
const WIDTH: i64 = 720;
const HEIGHT: i64 = 240;
const LEFT: i64 = 56;
const RIGHT: i64 = 24;
const TOP: i64 = 32;
const BOTTOM: i64 = 28;

/// How far the names of the lines are apart.
const NAME_WIDTH: i64 = 160;

/// How long a stretch of time is taken to be when there is only one to tell by.
const A_MINUTE: i64 = 60_000;

/// What the lines count, in their order.
type Counts = [u64; 4];

/// A line of the chart.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// The class that gives it colour and dashes.
    pub class: &'static str,
    pub name: &'static str,
    /// Where its name stands.
    pub name_at: i64,
    /// Its points, as SVG has them.
    pub points: String,
}

/// A height, and the count that it stands for.
#[derive(Debug, PartialEq, Eq)]
pub struct Level {
    pub y: i64,
    pub count: u64,
}

/// A place in time.
#[derive(Debug, PartialEq, Eq)]
pub struct Moment {
    pub x: i64,
    pub at: Millis,
    /// How the name of the moment is set against it.
    pub anchor: &'static str,
}

/// A chart that is ready to be written.
pub struct Chart {
    pub width: i64,
    pub height: i64,
    pub left: i64,
    pub right: i64,
    pub lines: Vec<Line>,
    pub levels: Vec<Level>,
    pub moments: Vec<Moment>,
    /// The numbers of the lines: what was counted by when.
    pub rows: Vec<(Millis, Counts)>,
}

impl Chart {
    /// What was counted in the end.
    pub fn last(&self) -> Counts {
        self.rows.last().map_or([0; 4], |(_, counts)| *counts)
    }
}

/// Draws what happened in stretches of time, oldest first; `None` when nothing did. The stretches are of one length, and
/// those in which nothing happened are left out.
pub fn draw(buckets: &[Bucket], names: [&'static str; 4]) -> Option<Chart> {
    let (first, last) = (buckets.first()?.from, buckets.last()?.from);
    let apart = buckets.windows(2).map(|pair| pair[1].from.0 - pair[0].from.0).filter(|apart| *apart > 0);
    let stretch = apart.min().unwrap_or(A_MINUTE);
    let rows = sums(buckets, stretch);
    let top = level_above(rows.iter().flat_map(|(_, counts)| counts).copied().max().unwrap_or(0));
    let end = Millis(last.0.saturating_add(stretch));
    let span = (end.0 - first.0).max(1);
    let x = |at: Millis| LEFT + scaled(at.0 - first.0, WIDTH - LEFT - RIGHT, span);
    let y = |count: u64| HEIGHT - BOTTOM - scaled(count as i64, HEIGHT - TOP - BOTTOM, top as i64);
    let line = |at: usize| Line {
        class: ["s1", "s2", "s3", "s4"][at],
        name: names[at],
        name_at: LEFT + NAME_WIDTH * at as i64,
        points: points(buckets, &rows, |at, count| (x(at), y(count)), at),
    };
    let middle = Millis(first.0 + span / 2);
    let moments = [(first, "start"), (middle, "middle"), (end, "end")];
    let levels = [0, top / 2, top].into_iter().skip(usize::from(top < 2));
    Some(Chart {
        width: WIDTH,
        height: HEIGHT,
        left: LEFT,
        right: WIDTH - RIGHT,
        lines: (0..names.len()).map(line).collect(),
        levels: levels.map(|count| Level { y: y(count), count }).collect(),
        moments: moments.into_iter().map(|(at, anchor)| Moment { x: x(at), at, anchor }).collect(),
        rows,
    })
}

/// What had happened by the end of each stretch.
fn sums(buckets: &[Bucket], stretch: i64) -> Vec<(Millis, Counts)> {
    let add = |sum: &mut Counts, bucket: &Bucket| {
        let more = [bucket.offered, bucket.downloaded, bucket.running, bucket.failed];
        *sum = std::array::from_fn(|at| sum[at] + more[at]);
        Some((Millis(bucket.from.0.saturating_add(stretch)), *sum))
    };
    buckets.iter().scan([0; 4], add).collect()
}

/// The points of one line: it is level where nothing happened, and rises in each stretch.
fn points(
    buckets: &[Bucket],
    rows: &[(Millis, Counts)],
    place: impl Fn(Millis, u64) -> (i64, i64),
    of: usize,
) -> String {
    let before = std::iter::once(0).chain(rows.iter().map(|(_, counts)| counts[of]));
    let rises = buckets.iter().zip(before).zip(rows);
    let mut points: Vec<_> = rises
        .flat_map(|((bucket, before), (end, counts))| [place(bucket.from, before), place(*end, counts[of])])
        .collect();
    points.dedup();
    points.iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
}

fn scaled(part: i64, length: i64, whole: i64) -> i64 {
    (i128::from(part) * i128::from(length) / i128::from(whole.max(1))) as i64
}

/// The next number of the row 1, 2, 4, 10, 20, 40, 100 and so on: all but the first have a whole half to name.
fn level_above(count: u64) -> u64 {
    let mut ten = 1_u64;
    loop {
        if let Some(level) = [1, 2, 4].into_iter().map(|one| ten.saturating_mul(one)).find(|level| *level >= count) {
            return level;
        }
        ten = ten.saturating_mul(10);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["offered", "downloaded", "running", "failed"];

    fn bucket(from: i64, [offered, downloaded, running, failed]: Counts) -> Bucket {
        Bucket { from: Millis(from), offered, downloaded, running, failed }
    }

    #[test]
    fn lines_rise_in_stretches_and_are_level_between_them() {
        let buckets = [bucket(0, [4, 0, 0, 0]), bucket(10, [2, 4, 0, 0]), bucket(30, [4, 0, 4, 1])];
        let chart = draw(&buckets, NAMES).unwrap();
        // 40 units of time are 640 wide, 10 devices are 180 high.
        assert_eq!(chart.lines[0].points, "56,212 216,140 376,104 536,104 696,32");
        assert_eq!(chart.lines[1].points, "56,212 216,212 376,140 536,140 696,140");
        assert_eq!(chart.lines[3].class, "s4");
        assert_eq!(chart.last(), [10, 4, 4, 1]);
        assert_eq!(
            chart.levels.iter().map(|level| (level.y, level.count)).collect::<Vec<_>>(),
            [(212, 0), (122, 5), (32, 10)]
        );
        assert_eq!(
            chart.moments.iter().map(|moment| (moment.x, moment.at.0)).collect::<Vec<_>>(),
            [(56, 0), (376, 20), (696, 40)]
        );
    }

    #[test]
    fn one_stretch_is_as_wide_as_the_chart() {
        let chart = draw(&[bucket(5, [1, 0, 0, 0])], NAMES).unwrap();
        assert_eq!(chart.lines[0].points, "56,212 696,32");
        assert_eq!(chart.lines[1].points, "56,212 696,212");
        assert_eq!(chart.levels.iter().map(|level| level.count).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert!(draw(&[], NAMES).is_none());
    }

    #[test]
    fn levels_are_round() {
        assert_eq!([0, 1, 3, 5, 11, 41, 1_000_001].map(level_above), [1, 1, 4, 10, 20, 100, 2_000_000]);
    }
}
