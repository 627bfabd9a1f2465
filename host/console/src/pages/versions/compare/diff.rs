//! Two texts as the lines that differ.

use std::time::{Duration, Instant};

use similar::{Algorithm, ChangeTag, TextDiff};

/// How many lines around a change are shown.
const AROUND: usize = 3;
/// How long is looked for the shortest difference; what was found by then is shown.
const LONGEST: Duration = Duration::from_millis(200);
/// How many lines are shown at most.
const MOST_LINES: usize = 5_000;

/// A line of a difference.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number: in the newer text, or in the older one for a line that is gone.
    pub number: usize,
    /// `plus`, `minus` or nothing: its class, which is also what it means.
    pub class: &'static str,
    /// What stands before it.
    pub sign: &'static str,
    pub text: String,
}

/// The lines that differ, with some around them.
pub fn lines(before: &str, after: &str) -> Vec<Line> {
    let diff =
        TextDiff::configure().algorithm(Algorithm::Myers).deadline(Instant::now() + LONGEST).diff_lines(before, after);
    let groups = diff.grouped_ops(AROUND);
    let changes = groups.iter().flatten().flat_map(|op| diff.iter_changes(op));
    let line = |change: similar::Change<&str>| {
        let (class, sign) = match change.tag() {
            ChangeTag::Insert => ("plus", "+"),
            ChangeTag::Delete => ("minus", "−"),
            ChangeTag::Equal => ("", " "),
        };
        let number = change.new_index().or(change.old_index()).unwrap_or(0) + 1;
        Line { number, class, sign, text: change.value().trim_end_matches(['\n', '\r']).to_owned() }
    };
    changes.take(MOST_LINES).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_shown_with_the_lines_around_it() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\n";
        let shown = lines(before, &before.replace("e\n", "E\n"));
        let shown: Vec<_> = shown.iter().map(|line| format!("{}{}{}", line.number, line.sign, line.text)).collect();
        assert_eq!(shown, ["2 b", "3 c", "4 d", "5−e", "5+E", "6 f", "7 g", "8 h"]);
        assert_eq!(lines(before, before), []);
    }
}
