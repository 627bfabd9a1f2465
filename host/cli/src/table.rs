//! Tables and cards of fields, aligned by the columns of the terminal.

use comfy_table::{
    Attribute, Color, ColumnConstraint::LowerBoundary, ContentArrangement, Table as Grid, Width, presets::NOTHING,
};

use super::paint::{Ink, Paint, clean};

/// The gap between two columns.
const GAP: u16 = 2;

/// A text and its role. Foreign text is made safe for the terminal when a cell is made.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    ink: Ink,
    /// What a table shows on a terminal, where columns are few.
    short: Option<String>,
}

impl Cell {
    pub fn new(ink: Ink, text: impl AsRef<str>) -> Self {
        Self { text: clean(text.as_ref()), ink, short: None }
    }

    /// An id or a heading.
    pub fn strong(text: impl ToString) -> Self {
        Self::new(Ink::Strong, text.to_string())
    }

    pub fn of(text: impl ToString) -> Self {
        Self::new(Ink::Plain, text.to_string())
    }

    /// This cell with a shorter text for tables on a terminal.
    pub(crate) fn shortly(self, text: String) -> Self {
        Self { short: Some(text), ..self }
    }

    /// The text, or `-` for `None`.
    pub fn any(text: Option<impl ToString>) -> Self {
        text.map_or_else(|| "-".into(), Self::of)
    }

    pub(crate) fn render(&self, paint: &Paint) -> String {
        paint.ink(self.ink, &self.text)
    }

    fn laid(&self) -> comfy_table::Cell {
        let cell = comfy_table::Cell::new(&self.text);
        match self.ink {
            Ink::Plain => cell,
            Ink::Strong => cell.add_attribute(Attribute::Bold),
            Ink::Good => cell.fg(Color::DarkGreen),
            Ink::Warn => cell.fg(Color::DarkYellow),
            Ink::Bad => cell.fg(Color::DarkRed),
            Ink::Faint => cell.add_attribute(Attribute::Dim),
        }
    }
}

/// Fits rows into the terminal. Text that does not fit goes on in the next line. Columns with strong text, which people
/// copy, are narrowed last.
fn lay_out<const N: usize>(rows: &[[Cell; N]], paint: &Paint) -> String {
    let mut grid = Grid::new();
    grid.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled).style_text_only();
    if paint.styled {
        grid.enforce_styling()
    } else {
        grid.force_no_tty()
    };
    grid.add_rows(rows.iter().map(|row| row.iter().map(Cell::laid)));
    grid.column_iter_mut().for_each(|column| _ = column.set_padding((0, GAP)));
    if let Some(last) = grid.column_mut(N - 1) {
        last.set_padding((0, 0));
    }
    if let Some(width) = paint.width {
        grid.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        let strong = |index: usize| rows.iter().any(|row| row[index].ink == Ink::Strong);
        let widths = grid.column_max_content_widths();
        for (index, column) in grid.column_iter_mut().enumerate().filter(|(index, _)| strong(*index)) {
            let whole = widths.get(index).map_or(0, |content| content + column.padding_width());
            column.set_constraint(LowerBoundary(Width::Fixed(whole.min(width / 2))));
        }
    }
    grid.trim_fmt()
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

/// Rows below a head.
pub struct Table<const N: usize> {
    rows: Vec<[Cell; N]>,
}

impl<const N: usize> Table<N> {
    pub fn new(head: [&str; N]) -> Self {
        Self { rows: vec![head.map(|title| Cell::new(Ink::Faint, title))] }
    }

    pub fn row(&mut self, cells: [Cell; N]) {
        self.rows.push(cells);
    }

    /// The text of the table, without a line break at its end.
    pub(crate) fn render(&self, paint: &Paint) -> String {
        if paint.width.is_none() {
            return lay_out(&self.rows, paint);
        }
        let short =
            |cell: &Cell| Cell { text: cell.short.clone().unwrap_or_else(|| cell.text.clone()), ..cell.clone() };
        lay_out(&self.rows.iter().map(|row| row.each_ref().map(short)).collect::<Vec<_>>(), paint)
    }
}

/// The fields of an object, one per line.
#[derive(Default)]
pub(crate) struct Card {
    fields: Vec<[Cell; 2]>,
}

impl Card {
    pub fn field(mut self, name: &str, value: impl Into<Cell>) -> Self {
        self.fields.push([Cell::new(Ink::Faint, name), value.into()]);
        self
    }

    /// Adds a field if it has a value.
    pub fn maybe(self, name: &str, value: Option<impl Into<Cell>>) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    /// The text of the card, without a line break at its end.
    pub(crate) fn render(&self, paint: &Paint) -> String {
        lay_out(&self.fields, paint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use berth_base::clock::Millis;

    #[test]
    fn columns_align_by_terminal_width() {
        let mut table = Table::new(["ID", "NAME", "STATE"]);
        table.row([Cell::strong("mp-one"), "灰度".into(), "online".into()]);
        table.row([Cell::strong("mp-two-longer"), "b".into(), Cell::any(None::<String>)]);
        assert_eq!(
            table.render(&Paint::plain()),
            "ID             NAME  STATE\nmp-one         灰度  online\nmp-two-longer  b     -"
        );
    }

    #[test]
    fn colours_do_not_disturb_the_columns() {
        let mut table = Table::new(["A", "B"]);
        table.row([Cell::strong("x"), "y".into()]);
        let styled = table.render(&Paint { styled: true, ..Paint::plain() });
        assert_eq!(console::strip_ansi_codes(&styled), table.render(&Paint::plain()));
    }

    #[test]
    fn a_card_leaves_out_what_is_not_there() {
        let card = Card::default().field("id", "mp-one").maybe("note", None::<&str>).field("created", "now");
        assert_eq!(card.render(&Paint::plain()), "id       mp-one\ncreated  now");
    }

    #[test]
    fn a_table_fits_the_terminal_and_keeps_ids_whole() {
        let id = "gt_01KAV3T0Q2M4S6V8X0Z2B4D6F8";
        let mut table = Table::new(["ID", "AT", "NAME", "WHY"]);
        let why = "The receiver answered 503 for an hour, and its certificate ran out yesterday.";
        table.row([Cell::strong(id), "2026-01-31T08:00:00Z (2 h ago)".into(), "灰度发布".into(), why.into()]);
        let text = table.render(&Paint { width: Some(80), ..Paint::plain() });
        assert!(text.lines().all(|line| console::measure_text_width(line) <= 80), "{text}");
        assert!(text.contains(id), "{text}");
        for word in why.split(' ').chain(["灰度发布", "(2 h ago)"]) {
            assert!(text.contains(word), "{word} in\n{text}");
        }
        let mut timed = Table::new(["ID", "AT"]);
        let paint = Paint { width: Some(80), now: Millis(7_200_000), ..Paint::plain() };
        timed.row([Cell::strong(id), paint.when(Millis(0))]);
        assert!(timed.render(&paint).ends_with("  2 h ago"), "{}", timed.render(&paint));
        assert!(timed.render(&Paint { width: None, ..paint }).ends_with("1970-01-01T00:00:00Z (2 h ago)"));
        assert!(
            table.render(&Paint::plain()).lines().last().is_some_and(|line| line.ends_with(why)),
            "one line a row for programs"
        );
    }
}
