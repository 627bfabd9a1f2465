//! Aligned tables and cards of fields, measured in terminal columns.

use super::paint::{Ink, Paint, clean};

/// A piece of text and its role. Text of others is made safe on the way in.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    ink: Ink,
}

impl Cell {
    /// `text` in `ink`.
    pub fn new(ink: Ink, text: impl AsRef<str>) -> Self {
        Self { text: clean(text.as_ref()), ink }
    }

    /// An id or a heading.
    pub fn strong(text: impl ToString) -> Self {
        Self::new(Ink::Strong, text.to_string())
    }

    /// Anything that can be written.
    pub fn of(text: impl ToString) -> Self {
        Self::new(Ink::Plain, text.to_string())
    }

    /// The text, or `-`.
    pub fn any(text: Option<impl ToString>) -> Self {
        text.map_or_else(|| "-".into(), Self::of)
    }

    /// The text in its ink.
    pub fn render(&self, paint: &Paint) -> String {
        paint.ink(self.ink, &self.text)
    }

    fn width(&self) -> usize {
        console::measure_text_width(&self.text)
    }

    fn padded(&self, width: usize, paint: &Paint) -> String {
        let space = " ".repeat(width.saturating_sub(self.width()));
        format!("{}{space}", paint.ink(self.ink, &self.text))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(Ink::Plain, text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(Ink::Plain, text)
    }
}

/// Rows under a head.
pub struct Table<const N: usize> {
    rows: Vec<[Cell; N]>,
}

impl<const N: usize> Table<N> {
    /// An empty one.
    pub fn new(head: [&str; N]) -> Self {
        Self { rows: vec![head.map(|title| Cell::new(Ink::Faint, title))] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: [Cell; N]) {
        self.rows.push(cells);
    }

    /// The text, without a trailing line break.
    pub fn render(&self, paint: &Paint) -> String {
        let widths: [usize; N] =
            std::array::from_fn(|column| self.rows.iter().map(|row| row[column].width()).max().unwrap_or(0));
        let line = |row: &[Cell; N]| {
            let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| cell.padded(width, paint)).collect();
            cells.join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// The fields of one thing, one a line.
#[derive(Default)]
pub struct Card {
    fields: Vec<(String, Cell)>,
}

impl Card {
    /// Adds a field.
    pub fn field(mut self, name: &str, value: impl Into<Cell>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a field when there is something to say.
    pub fn maybe(self, name: &str, value: Option<impl Into<Cell>>) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    /// The text, without a trailing line break.
    pub fn render(&self, paint: &Paint) -> String {
        let width = self.fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let line = |(name, cell): &(String, Cell)| {
            format!("{}  {}", Cell::new(Ink::Faint, name).padded(width, paint), cell.padded(0, paint))
                .trim_end()
                .to_owned()
        };
        self.fields.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;

    const PLAIN: Paint = Paint { styled: false, now: Millis(0) };

    #[test]
    fn columns_align_by_terminal_width() {
        let mut table = Table::new(["ID", "NAME", "STATE"]);
        table.row([Cell::strong("mp-one"), "灰度".into(), "online".into()]);
        table.row([Cell::strong("mp-two-longer"), "b".into(), Cell::any(None::<String>)]);
        assert_eq!(
            table.render(&PLAIN),
            "ID             NAME  STATE\nmp-one         灰度  online\nmp-two-longer  b     -"
        );
    }

    #[test]
    fn colours_do_not_disturb_the_columns() {
        let mut table = Table::new(["A", "B"]);
        table.row([Cell::strong("x"), "y".into()]);
        let styled = table.render(&Paint { styled: true, now: Millis(0) });
        assert_eq!(console::strip_ansi_codes(&styled), table.render(&PLAIN));
    }

    #[test]
    fn a_card_leaves_out_what_is_not_there() {
        let card = Card::default().field("id", "mp-one").maybe("note", None::<&str>).field("created", "now");
        assert_eq!(card.render(&PLAIN), "id       mp-one\ncreated  now");
    }
}
