//! A text as it reads without its percent-encoding and without the escapes of JSON and JavaScript, with the places where
//! each part of it stands in the text as it came. Parameters of pages and addresses are written so, and texts within JSON
//! within JSON; addresses within addresses more than once.

use super::{escapes::Reader, spans::Span};

/// A reading of a text.
pub struct Decoded {
    /// What it reads.
    pub text: String,
    /// Where the text has what each byte of the reading stands for.
    places: Vec<(usize, usize)>,
}

/// What is decoded for a reading.
#[derive(Clone, Copy)]
pub enum How {
    /// Percent-encoding, once.
    PercentOnce,
    /// Percent-encoding, as often as it was encoded.
    Percent,
    /// Escapes, as often as it was escaped.
    Escapes,
    /// Both, in whatever order they were made.
    All,
}

impl How {
    pub fn is_percent(self) -> bool {
        !matches!(self, Self::Escapes)
    }

    pub fn is_escapes(self) -> bool {
        matches!(self, Self::Escapes | Self::All)
    }

    /// Whether a text may read otherwise so.
    fn concerns(self, text: &str) -> bool {
        let (percent, escapes) = (text.contains(['%', '+']), text.contains('\\'));
        match self {
            Self::PercentOnce | Self::Percent => percent,
            Self::Escapes => escapes,
            Self::All => percent || escapes,
        }
    }
}

/// The readings of a text that differ from it, at most four. One alone does not do: what is not meant as an encoding may
/// look like one, as in `50%13812345678`, and eats a part of what follows.
pub fn readings(text: &str) -> Vec<Decoded> {
    let mut readings: Vec<Decoded> = Vec::new();
    for how in [How::PercentOnce, How::Percent, How::Escapes, How::All].into_iter().filter(|how| how.concerns(text)) {
        let reading = Decoded::of(text, how);
        if reading.text != text && readings.iter().all(|other| other.text != reading.text) {
            readings.push(reading);
        }
    }
    readings
}

impl Decoded {
    /// Reads a text in one pass. `%2540` reads `%40` when it is decoded once, else `@`.
    fn of(text: &str, how: How) -> Self {
        let (bytes, places) = Reader::read(text, how);
        Self::characters(&bytes, &places)
    }

    /// The characters that bytes are; U+FFFD for those that are none.
    fn characters(bytes: &[u8], raw: &[(usize, usize)]) -> Self {
        let (mut text, mut places, mut at) = (String::with_capacity(bytes.len()), Vec::with_capacity(bytes.len()), 0);
        for chunk in bytes.utf8_chunks() {
            let broken = at + chunk.valid().len();
            text.push_str(chunk.valid());
            places.extend_from_slice(&raw[at..broken]);
            at = broken + chunk.invalid().len();
            if at > broken {
                text.push(char::REPLACEMENT_CHARACTER);
                places.extend([(raw[broken].0, raw[at - 1].1); char::REPLACEMENT_CHARACTER.len_utf8()]);
            }
        }
        Self { text, places }
    }

    /// The span of the text that a span of the reading is.
    pub fn back(&self, span: Span) -> Span {
        let end = span.end.checked_sub(1).and_then(|last| self.places.get(last)).map_or(0, |place| place.1);
        let start = self.places.get(span.start).map_or(end, |place| place.0);
        Span { start, end, ..span }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn d4_a_text_is_read_once_and_as_often_as_it_was_encoded() {
        for (text, expected) in [
            ("plain 100 % 50%, %zz %4", &[][..]),
            ("a%40b", &["a@b"]),
            ("a%2540b", &["a%40b", "a@b"]),
            ("a%25252540b%2", &["a%252540b%2", "a@b%2"]),
            ("%E7%94%A8 %e7%94", &["用 \u{fffd}"]),
            ("%25zz", &["%zz"]),
            ("138+1234+5678 a+b +1", &["138 1234 5678 a+b +1"]),
            ("50%2513812345678", &["50%13812345678", "50\u{13}812345678"]),
            ("%2%35%34%30", &["%2540", "@"]),
            (r"a\u0040b\x41\u{000042}\u{110000} \u12 \u{} \xg", &["a@bAB\u{fffd} \\u12 \\u{} \\xg"]),
            (r"\ud83d\ude00 \ud83d. \ude00", &["😀 \u{fffd}\u{fffd}\u{fffd}. \u{fffd}\u{fffd}\u{fffd}"]),
            (r"\t\@\/\101\0\8\477", &["\t@/A\08\u{27}7".replace('\'', "\\'").as_str()]),
            ("a\\\nb\\\r\nc", &["abc"]),
            (r#"\u0022 \" \\u0022 \\\u0022 \\\\u0022 \u005c" \\\u0040"#, &[r#"\" \" \\\" \\\" \\\\\\\" \\" @"#]),
            (r"\u002540 \u005cu0040", &["%40 @", "@ @"]),
            ("%5Cu0040", &["\\u0040", "@"]),
            (r"50%\u00313812345678", &["50%13812345678", "50\u{13}812345678"]),
        ] {
            let read: Vec<_> = readings(text).into_iter().map(|reading| reading.text).collect();
            assert_eq!(read, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn d4_each_place_of_a_reading_leads_back_to_what_it_stands_for(text in r"(%[2-7][0-9A-F]|%25|%C3%A9|\\u00[2-7][0-9a-f]|\\x4[0-9]|\\u\{1f600\}|\\{1,3}[t@7用]|[a-z0-9+用]){0,20}") {
            for reading in readings(&text) {
                let whole = reading.back(Span { start: 0, end: reading.text.len(), with: "".into(), rule: 1 });
                prop_assert_eq!((whole.start, whole.end), (0, text.len()));
                let (mut at, mut last) = (0, 0);
                for (start, c) in reading.text.char_indices() {
                    let span = reading.back(Span { start, end: start + c.len_utf8(), with: "".into(), rule: 1 });
                    prop_assert!(span.start == at || span.start == last, "parts stand one after the other, or are one");
                    let own = text.get(span.start..span.end).unwrap();
                    prop_assert!(own.starts_with(['%', '\\']) || own == "+" || own.chars().eq([c]), "{own} reads {c}");
                    (at, last) = (span.end, span.start);
                }
            }
        }
    }
}
