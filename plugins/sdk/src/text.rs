//! Converts byte offsets to the lines and columns that people read.

use crate::audit::Place;

/// How many bytes lie between two offsets before which the characters are counted in advance. Without that, each place in
/// a script that is one long line would cost as much as reading the script.
const STEP: usize = 256;

/// The lines of a text. A line ends with `\n`, `\r\n` or `\r`.
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    /// How many characters begin before each multiple of [`STEP`].
    counts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Finds the lines of a text.
    pub fn of(text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let ends = |at: &usize| bytes[*at] == b'\n' || (bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
        let starts = std::iter::once(0).chain((0..bytes.len()).filter(ends).map(|at| at + 1)).collect();
        let sums = bytes.chunks(STEP).scan(0, |sum, chunk| {
            *sum += characters(chunk);
            Some(*sum)
        });
        Self { text, starts, counts: std::iter::once(0).chain(sums).collect() }
    }

    /// The place at a byte offset of the file `path`. Lines and columns begin with 1; columns count Unicode scalar
    /// values.
    pub fn place(&self, path: &str, offset: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |_| self.before(offset) - self.before(start));
        Place { path: path.into(), line: line as u32, column: column as u32 + 1 }
    }

    /// How many characters begin before an offset in the text.
    fn before(&self, offset: usize) -> usize {
        let step = offset / STEP;
        self.counts[step] + characters(&self.text.as_bytes()[step * STEP..offset])
    }
}

/// How many characters begin in a part of a text: each has one byte that continues no other.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_start_at_one_and_count_characters() {
        let lines = Lines::of("ab\r\n中x\ry\n");
        let place = |offset| {
            let place = lines.place("a.js", offset);
            (place.line, place.column)
        };
        assert_eq!(place(0), (1, 1));
        assert_eq!(place(1), (1, 2));
        assert_eq!(place(4), (2, 1));
        assert_eq!(place(7), (2, 2));
        assert_eq!(place(9), (3, 1));
        assert_eq!(place(11), (4, 1));
    }

    #[test]
    fn columns_are_counted_alike_wherever_they_are_in_a_long_line() {
        let text = "a中\u{301}😀é;".repeat(1_000) + "\r\nb";
        let lines = Lines::of(&text);
        for (count, (offset, _)) in text.char_indices().enumerate().filter(|(_, (_, c))| !"\n\rb".contains(*c)) {
            assert_eq!(lines.place("a.js", offset), Place { path: "a.js".into(), line: 1, column: count as u32 + 1 });
        }
        assert_eq!(lines.place("a.js", text.len()).column, 2);
        // Inside of a character, and behind the text.
        assert_eq!([2, text.len() + 1_000].map(|offset| lines.place("a.js", offset).column), [1, 1]);
        assert_eq!(Lines::of("").place("a.js", 0), Place::file("a.js"));
        assert_eq!(Lines::of(&"x".repeat(STEP)).place("a.js", STEP).column, STEP as u32 + 1);
    }

    #[test]
    fn f38_many_places_in_one_line_cost_no_more_than_in_many() {
        let text = "wx.getLocation();".repeat(200_000);
        let lines = Lines::of(&text);
        let columns = (0..text.len()).step_by(17).map(|offset| lines.place("a.js", offset).column as usize);
        assert!(columns.enumerate().all(|(call, column)| column == call * 17 + 1));
    }
}
