//! The look of answers for people: colours, states, times. Nothing is printed here.

use berth_base::clock::Millis;

use super::{names::Names, table::Cell};

/// The settings of the look of answers.
#[derive(Clone)]
pub struct Paint {
    /// Whether to use colours.
    pub styled: bool,
    /// The columns that tables have to fit into; `None` when the output is read by a program or a file.
    pub width: Option<u16>,
    /// The present time, for relative times.
    pub now: Millis,
    /// The names of accounts.
    pub names: Names,
}

/// The role of a piece of text, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Plain,
    /// A heading, or an id.
    Strong,
    /// All is well.
    Good,
    /// It waits, or somebody should look.
    Warn,
    /// It failed.
    Bad,
    /// It is less important.
    Faint,
}

impl Paint {
    /// What a program reads: without colours, of any width.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self { styled: false, width: None, now: Millis(0), names: Names::default() }
    }

    /// An account by its name; by its id when the name is not known.
    pub(crate) fn who(&self, id: impl AsRef<str>) -> Cell {
        Cell::of(self.names.of(id.as_ref()))
    }

    /// As [`Paint::who`]; `-` for `None`.
    pub(crate) fn who_any(&self, id: Option<impl AsRef<str>>) -> Cell {
        id.map_or_else(|| "-".into(), |id| self.who(id))
    }

    /// `text` in the colour of `ink`.
    pub(crate) fn ink(&self, ink: Ink, text: &str) -> String {
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

    /// A time, such as `2026-01-31T08:00:00Z (2 h ago)`; in a table on a terminal, which is narrow, `2 h ago`.
    pub fn when(&self, at: Millis) -> Cell {
        let relative = relative(at, self.now);
        Cell::from(format!("{} ({relative})", seconds(at))).shortly(relative)
    }

    /// As [`Paint::when`]; `-` for `None`.
    pub(crate) fn when_any(&self, at: Option<Millis>) -> Cell {
        at.map_or_else(|| "-".into(), |at| self.when(at))
    }
}

/// A time as RFC 3339 in whole seconds.
fn seconds(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.to_string(), |at| format!("{at:.0}"))
}

/// By how many seconds the clock of a host may be ahead of this machine's, so that what has just happened is not said to
/// be in the future.
const AHEAD: i64 = 2;

/// A time relative to `now`: `2 h ago`, `in 3 d`, `now`. It is rounded to the largest unit that fits, so that seven
/// days are still seven a second later. jiff rounds to a given unit, but does not choose one.
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
        Some(_) if (1..=AHEAD).contains(&ahead) => "now".into(),
        Some(index) if ahead > 0 => format!("in {} {}", rounded(UNITS[index].0), UNITS[index].1),
        Some(index) => format!("{} {} ago", rounded(UNITS[index].0), UNITS[index].1),
    }
}

/// The word of a state, in the colour of its meaning.
pub fn state(word: &str) -> Cell {
    let ink = match word {
        "online" | "approved" | "authorised" | "bound" | "delivering" | "current" | "verdict" | "pass" | "active"
        | "applied" => Ink::Good,
        "auditing" | "checking" | "deciding" | "pending" | "started" | "granted" | "choosing" | "suspended"
        | "update" | "warning" | "parked" | "expired" => Ink::Warn,
        "rejected" | "removed" | "unauthorised" | "failed" | "trapped" | "limited" | "error" | "unknown" => Ink::Bad,
        "historical" | "ended" | "abandoned" | "withdrawn" | "note" | "deleted" | "unsubscribed" | "corrected"
        | "discarded" => Ink::Faint,
        _ => Ink::Plain,
    };
    Cell::new(ink, word)
}

/// A text of the API, where an empty one is as good as none.
pub fn said(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// A text as one word of a command line for a shell.
pub fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Ids in one line, or `none` when there are none.
pub fn several(ids: &[impl ToString], none: &str) -> String {
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    if ids.is_empty() { none.to_owned() } else { ids.join(", ") }
}

/// A size in words, such as `1.4 MiB`.
pub fn bytes(size: u64) -> String {
    indicatif::BinaryBytes(size).to_string()
}

/// Makes foreign text safe for the terminal: control characters, which could move the cursor or hide text, become `�`.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if is_unsafe(c) { '\u{fffd}' } else { c }).collect()
}

/// As [`clean`], for text with several lines.
pub(crate) fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

/// Whether the character is a control character, or a mark that reorders text (F18).
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
            (2, "now"),
            (-2, "2 s ago"),
            (3, "in 3 s"),
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
        let paint = |styled| Paint { styled, ..Paint::plain() }.ink(Ink::Bad, "no");
        assert_eq!(paint(false), "no");
        assert_eq!(paint(true), "\u{1b}[31mno\u{1b}[0m");
    }

    #[test]
    fn f28_text_of_others_cannot_steer_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\u{202e}c\n"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}");
    }
}
