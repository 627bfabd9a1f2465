//! Finds the numbers that files cite: in comments and documents within brackets, in tests at the beginning of their
//! names.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    PAGE,
    number::{Number, lines},
};

/// A cited number, or the words that stand in place of one.
type Cited = Result<Number, String>;

/// Finds the wrong citations of a file. Returns what is wrong with each, and its line.
pub(super) fn mistakes(defined: &[Number], extension: &str, text: &str) -> Vec<(usize, String)> {
    let mistake = |cited| match cited {
        Ok(number) if defined.contains(&number) => None,
        Ok(number) => Some(format!("{number} is not in {PAGE}")),
        Err(words) => Some(format!("numbers are cited as in (V8, A2) or (F92–F101), not as in {words:?}")),
    };
    cited(extension, text).into_iter().filter_map(|(at, cited)| Some((at, mistake(cited)?))).collect()
}

fn cited(extension: &str, text: &str) -> Vec<(usize, Cited)> {
    let said =
        lines(text).flat_map(|(at, line)| in_prose(prose(extension, line)).into_iter().map(move |one| (at, one)));
    let proved = if extension == "rs" { proved(text) } else { Vec::new() };
    said.chain(proved.into_iter().map(|(at, number)| (at, Ok(number)))).collect()
}

/// Returns the part of a line that is written for people: all of it in a document, and in a source what follows the
/// first mark of a comment or a text.
fn prose<'a>(extension: &str, line: &'a str) -> &'a str {
    let marks: &[&str] = match extension {
        "rs" | "wit" => &["//", "\""],
        "sql" => &["--"],
        "toml" | "sh" => &["#"],
        _ => return line,
    };
    let from = marks.iter().filter_map(|mark| line.find(mark)).min();
    from.map_or("", |from| &line[from..])
}

/// Finds citations in brackets that hold numbers and nothing else. A number after a word such as "rule" is an error: it
/// is meant as a citation, but is not written as one.
fn in_prose(line: &str) -> Vec<Cited> {
    static BRACKET: LazyLock<Regex> =
        LazyLock::new(|| pattern(r#"(?:^|[\s"'])\(([A-Z]\d{1,3}(?:(?:[\s,;&/–-]|\.\.|and|to)+[A-Z]?\d{1,3})*)\)"#));
    static WORDED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(?:rule|fault|invariant)s? [a-z]?\d+\b"));
    let bracketed = BRACKET.captures_iter(line).flat_map(|bracket| listed(&bracket[1]));
    bracketed.chain(WORDED.find_iter(line).map(|words| Err(words.as_str().to_owned()))).collect()
}

/// Reads a list such as `V8, A2` or `F92–F101`.
fn listed(list: &str) -> Vec<Cited> {
    let single = |part: &str| part.parse().map_err(|()| part.to_owned());
    list.split(", ").flat_map(|part| range(part).unwrap_or_else(|| vec![single(part)])).collect()
}

fn range(part: &str) -> Option<Vec<Cited>> {
    let (first, last) = part.split_once('–')?;
    let (first, last): (Number, Number) = (first.parse().ok()?, last.parse().ok()?);
    let between = (first.count..=last.count).map(|count| Ok(Number { count, ..first })).collect();
    (first.group == last.group && first < last).then_some(between)
}

/// Finds the numbers that the tests of a source prove, with their lines.
pub(super) fn proved(source: &str) -> Vec<(usize, Number)> {
    tests(source).into_iter().flat_map(|(at, name)| in_name(name).into_iter().map(move |number| (at, number))).collect()
}

/// Finds the names of the tests in a source, with their lines. Tests are functions below `#[…test…]`, and those in
/// `on_both!`, whose parameter has no type.
fn tests(source: &str) -> Vec<(usize, &str)> {
    static ATTRIBUTE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*#\[(?:\w+::)*test\b"));
    static FUNCTION: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"^\s*(?:async )?fn (?<name>\w+)\((?:(?<bare>\w+)\))?"));
    let (mut names, mut below) = (Vec::new(), false);
    for (at, line) in lines(source) {
        below |= ATTRIBUTE.is_match(line);
        let Some(function) = FUNCTION.captures(line) else { continue };
        let bare = function.name("bare").is_some_and(|parameter| parameter.as_str() != "self");
        names.extend(function.name("name").filter(|_| below || bare).map(|name| (at, name.as_str())));
        below = false;
    }
    names
}

/// The numbers that the name of a test begins with, such as A2 and O3 in `a2_o3_off_the_shelf`.
fn in_name(name: &str) -> Vec<Number> {
    let number = |part: &str| part.to_uppercase().parse().ok().filter(|_| part != part.to_uppercase());
    name.split('_').map_while(number).collect()
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a file cites, in one line, with `?` for words in place of a number.
    fn all(extension: &str, text: &str) -> String {
        let cited = cited(extension, text).into_iter();
        let cited = cited.map(|(_, one)| one.map_or("?".to_owned(), |number| number.to_string()));
        cited.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn numbers_in_brackets_are_citations() {
        let table = [
            ("rs", "/// Exact under the cap (G7, I3), and cheap.", "G7 I3"),
            ("rs", "const SPAN: u8 = 1; // What is left (F6).", "F6"),
            ("rs", "    (\"a task has admitted more than its cap (I3)\", SQL),", "I3"),
            ("rs", "/// (E9). Whether it is limited (E4)", "E9 E4"),
            ("rs", "//! Webhooks (F98–F101).", "F98 F99 F100 F101"),
            ("rs", "//! Publishing (V7–V9, V12, I1).", "V7 V8 V9 V12 I1"),
            ("sql", "-- Whether user data is unified (E6).", "E6"),
            ("md", "A task ends by a publish (V8).", "V8"),
            ("sh", "start # (F63)", "F63"),
        ];
        for (extension, line, expected) in table {
            assert_eq!(all(extension, line), expected, "{line}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_is_none() {
        let table = [
            ("md", "V8 runs it, S3 keeps it, F5 loads it again and H5 is a page."),
            ("md", "Blobs are in S3 (an S3 of your own), by V8 (see E1)."),
            ("rs", "let net = Some(V4); let hex = 0xE1; call(E1);"),
            ("rs", "impl<A1, I2> Tuple for (A1, I2) {}"),
            ("rs", "let pair = (H5, \"https://shop.example/\");"),
            ("rs", "/// Calls `f(A1)`, and [`Number`](G1)."),
            ("sql", "SELECT MAX(V1) FROM t WHERE x IN (V1)"),
            ("rs", "/// The rule that 3 of 5 break, a fault of 12."),
        ];
        for (extension, line) in table {
            assert_eq!(all(extension, line), "", "{line}");
        }
    }

    #[test]
    fn other_ways_to_cite_are_told() {
        for list in ["F92–101", "F101–F92", "E1–F2", "E1-E11", "E1..E11", "E1 and E2", "E1; E2", "V08", "V1,V2"] {
            assert!(all("rs", &format!("// Compared ({list}).")).contains('?'), "{list}");
        }
        // Written so that they are not found here.
        for words in ["fault_77", "Rule_V2", "rules_E1", "invariant_I6"] {
            assert_eq!(all("md", &words.replace('_', " ")), "?", "{words}");
        }
    }

    #[test]
    fn tests_prove_what_their_names_begin_with() {
        let table = [
            ("#[test]\nfn g9_the_newest_wins() {", "G9"),
            ("#[tokio::test(start_paused = true)]\nasync fn a2_o3_off_the_shelf() {", "A2 O3"),
            ("#[test]\n#[ignore]\n/// Why.\nfn f101_pads(pad in 1..32) {", "F101"),
            ("    async fn i3_the_cap_is_exact(host) {", "I3"),
            ("#[test]\nfn g2_a_name_has_1_to_20_characters() {", "G2"),
            ("#[test]\nfn f22_unzip_extracts() {\n}\nfn f23_helper() {", "F22"),
            ("#[test]\nfn utf8_is_read() {", ""),
            ("fn u16_at(record: &[u8]) -> u16 {", ""),
            ("fn i64_of(self) -> i64 {", ""),
            ("#[cfg(test)]\nfn h2_hello() {", ""),
        ];
        for (source, expected) in table {
            assert_eq!(all("rs", source), expected, "{source}");
        }
    }

    #[test]
    fn what_is_not_defined_is_told_with_its_line() {
        let defined = ["G1", "G2"].map(|number| number.parse().unwrap());
        let told = |text: &str| mistakes(&defined, "rs", text).into_iter().map(|(at, what)| format!("{at} {what}"));
        let source = "//! Created (G1, G2).\n\n/// Guarded (G13).\n#[test]\nfn g1_k4_a_frozen_key() {}\n";
        let expected = ["3 G13 is not in tests/RULES.md", "5 K4 is not in tests/RULES.md"];
        assert_eq!(told(source).collect::<Vec<_>>(), expected);
        assert_eq!(told("//! Created (G1–G2).\n#[test]\nfn g2_a_name() {}").count(), 0);
    }
}
