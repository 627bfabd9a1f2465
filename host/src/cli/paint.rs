//! How answers look to people: colours, states, times. Nothing here prints.

use crate::clock::Millis;

use super::table::Cell;

/// The look of this run.
#[derive(Clone, Copy)]
pub struct Paint {
    /// Whether colours are welcome.
    pub styled: bool,
    /// Columns of the terminal that tables have to fit; none when a program or a file reads them.
    pub width: Option<u16>,
    /// Now, for relative times.
    pub now: Millis,
}

/// A role that a piece of text plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// As it is.
    Plain,
    /// A heading, an id.
    Strong,
    /// It is as it should be.
    Good,
    /// It waits, or wants a look.
    Warn,
    /// It failed.
    Bad,
    /// Less important.
    Faint,
}

impl Paint {
    /// `text` in `ink`.
    pub fn ink(&self, ink: Ink, text: &str) -> String {
        let style = console::Style::new().force_styling(self.styled);
        let style = match ink {
            Ink::Plain => return text.to_owned(),
            Ink::Strong => style.bold(),
            Ink::Good => style.green(),
            Ink::Warn => style.yellow(),
            Ink::Bad => style.red(),
            Ink::Faint => style.dim(),
        };
        style.apply_to(text).to_string()
    }

    /// `2026-01-31T08:00:00Z (2 h ago)`.
    pub fn when(&self, at: Millis) -> Cell {
        Cell::from(format!("{} ({})", seconds(at), relative(at, self.now)))
    }

    /// As [`Paint::when`], `-` for never.
    pub fn when_any(&self, at: Option<Millis>) -> Cell {
        at.map_or_else(|| "-".into(), |at| self.when(at))
    }
}

/// RFC 3339 in whole seconds.
fn seconds(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.to_string(), |at| format!("{at:.0}"))
}

/// `2 h ago`, `in 3 d`, `now`: the largest unit that fits, to the nearest, so that seven days are still seven when a
/// second of them is over. jiff rounds to a unit that it is told, and the choice of the unit is what this is.
fn relative(at: Millis, now: Millis) -> String {
    const UNITS: [(i64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let ahead = (at.0 - now.0) / 1000;
    let distance = ahead.abs();
    let rounded = |unit: i64| (distance + unit / 2) / unit;
    // 59 min 40 s are an hour, so a unit fits as soon as the smaller one would be rounded up to it.
    let fits = |index: usize| match UNITS.get(index + 1) {
        Some((smaller, _)) => rounded(*smaller) * smaller >= UNITS[index].0,
        None => distance >= 1,
    };
    match (0..UNITS.len()).find(|index| fits(*index)) {
        None => "now".into(),
        Some(index) if ahead > 0 => format!("in {} {}", rounded(UNITS[index].0), UNITS[index].1),
        Some(index) => format!("{} {} ago", rounded(UNITS[index].0), UNITS[index].1),
    }
}

/// A state's word in the colour of what it means.
pub fn state(word: &str) -> Cell {
    let ink = match word {
        "online" | "approved" | "authorised" | "bound" | "delivering" | "current" | "verdict" | "pass" | "active"
        | "applied" => Ink::Good,
        "auditing" | "checking" | "deciding" | "pending" | "started" | "granted" | "choosing" | "suspended"
        | "update" | "warning" | "parked" | "expired" => Ink::Warn,
        "rejected" | "removed" | "unauthorised" | "failed" | "trapped" | "limited" | "error" | "unknown" => Ink::Bad,
        "historical" | "ended" | "abandoned" | "withdrawn" | "note" | "deleted" | "unsubscribed" | "corrected" => {
            Ink::Faint
        }
        _ => Ink::Plain,
    };
    Cell::new(ink, word)
}

/// Ids in one line, or what stands for none.
pub fn several(ids: &[impl ToString], none: &str) -> String {
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    if ids.is_empty() { none.to_owned() } else { ids.join(", ") }
}

/// `1.4 MiB`.
pub fn bytes(size: u64) -> String {
    indicatif::BinaryBytes(size).to_string()
}

/// Text of others on our terminal: control characters, which could move the cursor or hide text, become `�`.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if is_unsafe(c) { '\u{fffd}' } else { c }).collect()
}

/// As [`clean`], for text of several lines.
pub fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

/// Controls, and the marks that reorder text (F18).
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_relative_in_the_largest_unit_that_fits() {
        let now = Millis(1_000_000_000);
        let cases = [
            (0, "now"),
            (59, "in 59 s"),
            (-60, "1 min ago"),
            (89, "in 1 min"),
            (3_580, "in 1 h"),
            (7_200, "in 2 h"),
            (86_399, "in 1 d"),
            (7 * 86_400 - 5, "in 7 d"),
            (-86_400 * 3, "3 d ago"),
        ];
        for (seconds, words) in cases {
            assert_eq!(relative(now.plus_seconds(seconds), now), words);
        }
    }

    #[test]
    fn colours_appear_only_when_welcome() {
        let paint = |styled| Paint { styled, width: None, now: Millis(0) }.ink(Ink::Bad, "no");
        assert_eq!(paint(false), "no");
        assert_eq!(paint(true), "\u{1b}[31mno\u{1b}[0m");
    }

    #[test]
    fn f28_text_of_others_cannot_steer_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\u{202e}c\n"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}");
    }
}
