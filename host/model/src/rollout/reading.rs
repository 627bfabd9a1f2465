//! How the lines of an uploaded list are read (G17). A list has one guid, device id or account on each line. What people
//! upload instead is often a table: with several columns, quotes, a heading, separators at the ends of lines. Each such
//! line would become a member that no device is, and nobody would learn of it. So it is told, line by line, and refused,
//! unless the uploader names the column to take, or says that lines are members as they are.

use std::{borrow::Cow, fmt};

use berth_base::error::{Code, Error, Result};
use serde::{Deserialize, Serialize};

use super::Cohort;

/// How many lines that look wrong are told one by one.
const MOST_TOLD: usize = 10;
/// How many members are shown as they were read.
const MOST_SHOWN: usize = 3;
/// How many characters of a line are shown.
const MOST_QUOTED: usize = 80;

const SEPARATORS: [char; 3] = ['\t', ';', ','];
const QUOTES: [char; 8] = ['"', '\'', '`', '“', '”', '‘', '’', '„'];
/// What headings say, in lower case and without anything but letters and digits.
const HEADINGS: [&str; 24] = [
    "guid",
    "guids",
    "deviceguid",
    "device",
    "devices",
    "deviceid",
    "deviceids",
    "id",
    "uuid",
    "uid",
    "account",
    "accounts",
    "accountid",
    "user",
    "users",
    "userid",
    "username",
    "openid",
    "unionid",
    "name",
    "email",
    "phone",
    "设备",
    "账号",
];

/// An uploaded list, and how its file was read.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct UploadedCohort {
    /// The list.
    #[serde(flatten)]
    pub cohort: Cohort,
    /// How its file was read.
    pub read: Reading,
}

/// How the file of a list was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Reading {
    /// Number of the column that was taken, from 1; absent when lines were taken as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// The heading of the column, which is no member; absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heading: Option<String>,
    /// The first members, at most 3, as they were read.
    pub first: Vec<String>,
    /// Lines that look like something else than one member, at most 10; there are some only when lines were to be taken
    /// as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<OddLine>,
    /// How many further lines look so.
    #[serde(default)]
    pub more_odd: u64,
}

/// A line that looks like something else than one member.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct OddLine {
    /// Number of the line, from 1.
    pub line: u64,
    /// What it looks like.
    pub why: String,
    /// The line, at most 80 characters of it.
    pub text: String,
}

impl fmt::Display for OddLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {} ({})", self.line, self.why, self.text)
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// By its number, from 1.
    Number(usize),
    /// By its heading, which the first line has.
    Heading(String),
}

impl std::str::FromStr for Column {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim().parse() {
            Ok(0) => Err(Error::field("column", "columns are counted from 1.")),
            Ok(number) => Ok(Self::Number(number)),
            Err(_) if text.trim().is_empty() => Err(Error::field("column", "give a number from 1, or a heading.")),
            Err(_) => Ok(Self::Heading(text.trim().to_owned())),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Heading(heading) => heading.fmt(f),
        }
    }
}

/// What of each line is the member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Take {
    /// The line, which must look like one member.
    #[default]
    Lines,
    /// The line, whatever it looks like.
    AsIs,
    /// A column of a table, whose separator is a tab, a semicolon or a comma.
    Column(Column),
}

impl Take {
    /// What the parameters of an upload ask for.
    ///
    /// # Errors
    /// `invalid-field` for both at once, and for a column that is none.
    pub fn of(column: Option<&str>, as_is: bool) -> Result<Self> {
        match (column, as_is) {
            (Some(_), true) => Err(Error::field("as_is", "either a column is taken, or lines are taken as they are.")),
            (Some(column), false) => column.parse().map(Self::Column),
            (None, true) => Ok(Self::AsIs),
            (None, false) => Ok(Self::Lines),
        }
    }
}

/// Reads the lines of a list, one after the other.
pub struct Reader {
    take: Take,
    /// Whether a line that is not blank was read.
    begun: bool,
    /// The separator and the place of the column, once the first line is known.
    table: Option<(Option<char>, usize)>,
    reading: Reading,
}

impl Reader {
    /// A reader before its first line.
    pub fn new(take: Take) -> Self {
        Self { take, begun: false, table: None, reading: Reading::default() }
    }

    /// Whether lines are rows of a table, and so may be longer than a member.
    pub fn takes_column(&self) -> bool {
        matches!(self.take, Take::Column(_))
    }

    /// The member of a line that is not blank and has no spaces around it: empty when its column is blank, `None` when
    /// the line has none, as it is the heading or looks wrong.
    ///
    /// # Errors
    /// `cohort-invalid` when the table has no such column.
    pub fn member<'l>(&mut self, line: u64, text: &'l str) -> Result<Option<Cow<'l, str>>> {
        let is_first = !std::mem::replace(&mut self.begun, true);
        let member = match self.take.clone() {
            Take::Column(column) => self.cell(line, text, &column, is_first)?,
            take => {
                let why = oddity(text, is_first);
                let is_odd = why.is_some();
                self.note(line, text, why);
                (take == Take::AsIs || !is_odd).then_some(Cow::Borrowed(text))
            }
        };
        if let Some(member) = member.as_ref().filter(|member| !member.is_empty())
            && self.reading.first.len() < MOST_SHOWN
        {
            self.reading.first.push(shortened(member));
        }
        Ok(member)
    }

    fn cell<'l>(&mut self, line: u64, text: &'l str, column: &Column, is_first: bool) -> Result<Option<Cow<'l, str>>> {
        let (separator, place) = match self.table {
            Some(table) => table,
            None => *self.table.insert(find(line, text, column)?),
        };
        self.reading.column = Some(place as u64 + 1);
        let Some(mut cells) = cells(text, separator) else {
            self.note(line, text, Some("a quote that does not end"));
            return Ok(None);
        };
        if place >= cells.len() {
            self.note(line, text, Some("too few columns"));
            return Ok(None);
        }
        let cell = cells.swap_remove(place);
        let is_heading = is_first && (matches!(column, Column::Heading(_)) || says_heading(&cell));
        if is_heading {
            self.reading.heading = Some(shortened(&cell));
            return Ok(None);
        }
        Ok(Some(cell))
    }

    fn note(&mut self, line: u64, text: &str, why: Option<&str>) {
        let Some(why) = why else { return };
        if self.reading.odd.len() == MOST_TOLD {
            self.reading.more_odd += 1;
        } else {
            self.reading.odd.push(OddLine { line, why: why.into(), text: shortened(text) });
        }
    }

    /// How the lines were read.
    ///
    /// # Errors
    /// `cohort-invalid` when lines look wrong and were not to be taken as they are, with these lines.
    pub fn finish(&mut self) -> Result<Reading> {
        let Reading { odd, more_odd, .. } = &self.reading;
        if odd.is_empty() || self.take == Take::AsIs {
            return Ok(std::mem::take(&mut self.reading));
        }
        let told: Vec<_> = odd.iter().map(ToString::to_string).collect();
        let more = if *more_odd > 0 { format!("; and {more_odd} more") } else { String::new() };
        let cure = match &self.take {
            Take::Column(column) => format!("Mend them, so that each has the column {column}."),
            _ => "A list has one guid, device id or account on each line. To take a column of a table, name it: \
                  column=1 or column=HEADING. To take every line as it is: as_is=true."
                .into(),
        };
        let detail = format!("These lines look wrong: {}{more}. {cure}", told.join("; "));
        Err(Error::new(Code::CohortInvalid, detail).with("lines", odd).with("more", more_odd))
    }
}

/// What a line looks like, when it does not look like one member.
fn oddity(text: &str, is_first: bool) -> Option<&'static str> {
    let last = text.chars().next_back().filter(|last| SEPARATORS.contains(last));
    let inner = text.trim_end_matches(SEPARATORS);
    if inner.contains(SEPARATORS) {
        return Some("several columns");
    }
    if last.is_some() {
        return Some("a separator at its end");
    }
    if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
        return Some("quotes");
    }
    (is_first && says_heading(text)).then_some("a heading")
}

fn says_heading(text: &str) -> bool {
    let plain: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    HEADINGS.contains(&plain.as_str())
}

/// The separator of a table and the place of the column in it, from its first line.
fn find(line: u64, text: &str, column: &Column) -> Result<(Option<char>, usize)> {
    let count = |separator: &char| text.matches(*separator).count();
    let separator = SEPARATORS.into_iter().filter(|one| count(one) > 0).max_by_key(count);
    let heading = match column {
        Column::Number(number) => return Ok((separator, number - 1)),
        Column::Heading(heading) => heading,
    };
    let cells = cells(text, separator).unwrap_or_default();
    let plain = |text: &str| text.trim().to_lowercase();
    let place = cells.iter().position(|cell| plain(cell) == plain(heading));
    place.map(|place| (separator, place)).ok_or_else(|| {
        let headings: Vec<_> = cells.iter().map(|cell| shortened(cell)).collect();
        let detail = format!("Line {line} has no heading {heading}. Its columns are: {}.", headings.join(", "));
        Error::new(Code::CohortInvalid, detail).with("line", line)
    })
}

/// The cells of a row by RFC 4180, trimmed; `None` when a quote does not end on the line.
fn cells(row: &str, separator: Option<char>) -> Option<Vec<Cow<'_, str>>> {
    let Some(separator) = separator else { return Some(vec![cell(row)?]) };
    let (mut cells, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, c) in row.char_indices() {
        if c == '"' {
            quoted = !quoted;
        } else if c == separator && !quoted {
            cells.push(cell(&row[start..at])?);
            start = at + c.len_utf8();
        }
    }
    cells.push(cell(&row[start..])?);
    Some(cells)
}

fn cell(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    let Some(inner) = text.strip_prefix('"') else { return Some(Cow::Borrowed(text)) };
    let inner = inner.strip_suffix('"')?;
    // What is left must be pairs of quotes, each for one.
    let plain = inner.replace("\"\"", "\u{0}");
    (!plain.contains('"')).then(|| Cow::Owned(plain.replace('\u{0}', "\"").trim().to_owned()))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_QUOTED) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(take: Take, text: &str) -> Result<(Vec<String>, Reading)> {
        let mut reader = Reader::new(take);
        let mut members = Vec::new();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            members.extend(reader.member(at as u64 + 1, line.trim())?.map(Cow::into_owned));
        }
        Ok((members, reader.finish()?))
    }

    fn column(text: &str) -> Take {
        Take::Column(text.parse().expect("column"))
    }

    #[test]
    fn g17_a_plain_list_is_what_it_is() {
        let (members, reading) = read(Take::Lines, "a-1\nann@example.org\n灰度 3\no'hara\n").expect("plain");
        assert_eq!(members, ["a-1", "ann@example.org", "灰度 3", "o'hara"]);
        assert_eq!(reading.first, ["a-1", "ann@example.org", "灰度 3"]);
        assert_eq!((reading.column, reading.odd.len()), (None, 0));
    }

    #[test]
    fn g17_lines_of_a_table_are_told_one_by_one() {
        let refused = read(Take::Lines, "Device-ID\nb,\n\n\"c\"\nd;x\ne\tx\nfine\n'f'\n").expect_err("refused");
        let why = |line: &serde_json::Value| format!("{} {}", line["line"], line["why"].as_str().unwrap_or_default());
        let lines: Vec<_> = refused.fields["lines"].as_array().expect("lines").iter().map(why).collect();
        let expected = [
            "1 a heading",
            "2 a separator at its end",
            "4 quotes",
            "5 several columns",
            "6 several columns",
            "8 quotes",
        ];
        assert_eq!(lines, expected);
        assert!(refused.detail.contains("line 2: a separator at its end (b,)"), "{}", refused.detail);
        assert!(refused.detail.contains("column=1") && refused.detail.contains("as_is=true"), "{}", refused.detail);
    }

    #[test]
    fn g17_a_heading_stands_on_the_first_line_only() {
        assert!(read(Take::Lines, "\n\nguid\na\n").is_err());
        assert!(read(Take::Lines, "a\nguid\n").is_ok());
    }

    #[test]
    fn g17_many_wrong_lines_are_counted() {
        let table = "a,b\n".repeat(1000);
        let refused = read(Take::Lines, &table).expect_err("refused");
        assert!(
            refused.detail.contains("line 10: ") && refused.detail.contains("; and 990 more. "),
            "{}",
            refused.detail
        );
        let (members, reading) = read(Take::AsIs, &table).expect("as it is");
        assert_eq!((members.len(), reading.odd.len(), reading.more_odd), (1000, 10, 990));
    }

    #[test]
    fn g17_a_column_is_taken_by_number_or_heading() {
        let table = "Name;GUID;note\nAnn;g-1;\n\"B; or\"\"b\"\"\";\"g-2\";x\nEmpty; ;\n";
        for take in [column("2"), column("guid")] {
            let (members, reading) = read(take, table).expect("column");
            assert_eq!(members, ["g-1", "g-2", ""]);
            assert_eq!((reading.column, reading.heading.as_deref()), (Some(2), Some("GUID")));
        }
        let (members, _) = read(column("name"), table).expect("column");
        assert_eq!(members, ["Ann", "B; or\"b\"", "Empty"]);
        let (members, reading) = read(column("1"), "g-1\n\"g-2\"\n").expect("one column");
        assert_eq!((members, reading.heading), (vec!["g-1".to_owned(), "g-2".to_owned()], None));
    }

    #[test]
    fn g17_a_column_that_is_not_there_is_told() {
        let none = read(column("phone"), "name,guid\nAnn,g-1\n").expect_err("none");
        assert!(none.detail.contains("Its columns are: name, guid."), "{}", none.detail);
        let short = read(column("2"), "a,b\nc\n\"d,e\n").expect_err("short");
        assert!(short.detail.contains("line 2: too few columns (c)"), "{}", short.detail);
        assert!(short.detail.contains("line 3: a quote that does not end"), "{}", short.detail);
        assert!("0".parse::<Column>().is_err() && " ".parse::<Column>().is_err());
        assert!(Take::of(Some("1"), true).is_err());
    }

    proptest! {
        #[test]
        fn g17_every_column_comes_out_as_it_was(
            rows in prop::collection::vec(prop::collection::vec("[a-z\",; \t']{0,6}", 3), 1..6),
            separator in 0usize..3, at in 0usize..3,
        ) {
            let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let line = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(&SEPARATORS[separator].to_string());
            for row in &rows {
                let line = line(row);
                let parsed = cells(&line, Some(SEPARATORS[separator])).expect("cells");
                prop_assert_eq!(&parsed[at], row[at].trim());
            }
        }

        #[test]
        fn g17_no_line_makes_the_reader_panic(lines in prop::collection::vec(".{0,12}", 0..6), number in 1usize..4) {
            for take in [Take::Lines, Take::AsIs, Take::Column(Column::Number(number)), column("guid")] {
                let _ = read(take, &lines.join("\n"));
            }
        }
    }
}
