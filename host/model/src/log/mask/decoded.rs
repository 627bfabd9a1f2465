//! A text as it reads without its percent-encoding, with the places where each part of it stands in the text as it came.
//! Parameters of pages and addresses are written so, and addresses within addresses more than once.

use super::spans::Span;

/// A reading of a text.
pub struct Decoded {
    /// What it reads.
    pub text: String,
    /// Where the text has what each byte of the reading stands for.
    places: Vec<(usize, usize)>,
}

/// The readings of a text that differ from it, at most two: decoded once, and as often as it was encoded.
pub fn readings(text: &str) -> Vec<Decoded> {
    let mut readings: Vec<Decoded> = Vec::new();
    for wholly in [false, true] {
        let reading = Decoded::of(text, wholly);
        if reading.text != text && readings.iter().all(|other| other.text != reading.text) {
            readings.push(reading);
        }
    }
    readings
}

impl Decoded {
    /// Reads a text in one pass. `%2540` reads `%40`, and `@` if the text is decoded wholly.
    fn of(text: &str, wholly: bool) -> Self {
        let raw = text.as_bytes();
        let (mut bytes, mut places, mut at) = (Vec::with_capacity(raw.len()), Vec::with_capacity(raw.len()), 0);
        while let Some(byte) = raw.get(at) {
            let (byte, end) = match byte {
                b'%' => escape(raw, at, wholly).unwrap_or((b'%', at + 1)),
                b'+' if is_space(raw, at) => (b' ', at + 1),
                byte => (*byte, at + 1),
            };
            bytes.push(byte);
            places.push((at, end));
            at = end;
        }
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

/// The byte that an escape stands for which begins here, and where it ends.
fn escape(raw: &[u8], at: usize, wholly: bool) -> Option<(u8, usize)> {
    let mut digits = at + 1;
    let mut byte = hex(raw, digits)?;
    // A percent sign that is encoded itself: what follows it is the escape that it begins.
    while wholly && byte == b'%' {
        let Some(next) = hex(raw, digits + 2) else { break };
        (byte, digits) = (next, digits + 2);
    }
    Some((byte, digits + 2))
}

fn hex(raw: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| char::from(*raw.get(at)?).to_digit(16);
    Some((digit(at)? * 16 + digit(at + 1)?) as u8)
}

/// Whether a plus sign between two digits, as forms write a space.
fn is_space(raw: &[u8], at: usize) -> bool {
    let is_digit = |at: Option<usize>| at.and_then(|at| raw.get(at)).is_some_and(u8::is_ascii_digit);
    is_digit(at.checked_sub(1)) && is_digit(Some(at + 1))
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
        ] {
            let read: Vec<_> = readings(text).into_iter().map(|reading| reading.text).collect();
            assert_eq!(read, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn d4_each_place_of_a_reading_leads_back_to_what_it_stands_for(text in "(%[2-7][0-9A-F]|%25|%C3%A9|[a-z0-9+用]){0,20}") {
            for reading in readings(&text) {
                let whole = reading.back(Span { start: 0, end: reading.text.len(), with: "".into(), rule: 1 });
                prop_assert_eq!((whole.start, whole.end), (0, text.len()));
                let mut at = 0;
                for (start, c) in reading.text.char_indices() {
                    let span = reading.back(Span { start, end: start + c.len_utf8(), with: "".into(), rule: 1 });
                    prop_assert_eq!(span.start, at, "parts stand one after the other");
                    let own = text.get(span.start..span.end).unwrap();
                    prop_assert!(own.starts_with('%') || own == "+" || own.chars().eq([c]), "{own} reads {c}");
                    at = span.end;
                }
            }
        }
    }
}
