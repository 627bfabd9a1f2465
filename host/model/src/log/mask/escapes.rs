//! Reads what was encoded: percent-encoding, `\u0040`, `\x40`, `\u{40}`, `\100`, `\@`.
//!
//! A text is read from its beginning, and whatever is an escape at the end of what was read becomes what it stands for.
//! So escapes that stand for parts of other escapes are read in one pass, in whatever order they were made.
//!
//! A quote keeps a backslash before it, `\u0022` reads `\"`, and a backslash reads `\\`: the reading of JSON is JSON with
//! the same members, and what stands in quotes ends where it did.

use super::decoded::How;

/// The start and the end of a part of a text.
type Place = (usize, usize);

/// What an escape stands for.
enum Stands {
    Byte(u8),
    /// A character, or one half of one that has two in UTF-16.
    Code(u32),
}

/// What was read so far.
pub struct Reader {
    how: How,
    bytes: Vec<u8>,
    places: Vec<Place>,
}

impl Reader {
    /// Reads a text. The bytes may be no UTF-8.
    pub fn read(text: &str, how: How) -> (Vec<u8>, Vec<Place>) {
        let raw = text.as_bytes();
        let mut reader = Self::with_room(how, raw.len());
        let mut at = 0;
        while let Some(byte) = raw.get(at) {
            let (byte, end) = match (how, byte) {
                (How::PercentOnce, b'%') => hex(raw, at + 1, 2).map_or((b'%', at + 1), |byte| (byte as u8, at + 3)),
                (how, b'+') if how.is_percent() && is_space(raw, at) => (b' ', at + 1),
                (_, byte) => (*byte, at + 1),
            };
            reader.push(byte, (at, end));
            at = end;
        }
        let reader = match how {
            How::PercentOnce | How::Percent => reader,
            How::Escapes => reader.without_short_escapes(),
            // What those stand for may be a part of what is percent-encoded.
            How::All => reader.without_short_escapes().again(),
        };
        (reader.bytes, reader.places)
    }

    fn again(self) -> Self {
        let mut reader = Self::with_room(self.how, self.bytes.len());
        self.bytes.into_iter().zip(self.places).for_each(|(byte, place)| reader.push(byte, place));
        reader
    }

    fn with_room(how: How, length: usize) -> Self {
        Self { how, bytes: Vec::with_capacity(length), places: Vec::with_capacity(length) }
    }

    fn put(&mut self, byte: u8, place: Place) {
        self.bytes.push(byte);
        self.places.push(place);
    }

    /// Reads a byte, and the escapes that it completes.
    fn push(&mut self, byte: u8, place: Place) {
        self.put(byte, place);
        while let Some((start, stands)) = self.escape() {
            match stands {
                Stands::Byte(byte) => {
                    let place = self.take(start, place.1);
                    self.put(byte, place);
                }
                Stands::Code(code) => {
                    // All backslashes before it go: within JSON within JSON there is more than one.
                    let slashes = self.bytes[..=start].iter().rev().take_while(|byte| **byte == b'\\').count();
                    let place = self.take(start + 1 - slashes, place.1);
                    self.put_code(code, slashes, place);
                }
            }
        }
    }

    /// Takes back what was read from `start` on. Returns where it stands.
    fn take(&mut self, start: usize, end: usize) -> Place {
        let place = (self.places[start].0, end);
        self.bytes.truncate(start);
        self.places.truncate(start);
        place
    }

    /// The escape that ends what was read: where it begins, and what it stands for.
    fn escape(&self) -> Option<(usize, Stands)> {
        let last = self.bytes.last()?;
        if self.how.is_escapes() && *last == b'}' {
            return self.in_braces();
        }
        let hex = |mark: &[u8], digits: usize| {
            let start = self.bytes.len().checked_sub(mark.len() + digits)?;
            let value = || hex(&self.bytes, start + mark.len(), digits);
            self.bytes[start..].starts_with(mark).then(value)?.map(|value| (start, value))
        };
        let is_percent = matches!(self.how, How::Percent | How::All);
        let percent =
            || Some(hex(b"%", 2).filter(|_| is_percent)?).map(|(start, value)| (start, Stands::Byte(value as u8)));
        let escaped = || hex(b"\\u", 4).or_else(|| hex(b"\\x", 2)).filter(|_| self.how.is_escapes());
        percent().or_else(|| escaped().map(|(start, code)| (start, Stands::Code(code))))
    }

    /// `\u{…}`, with as many zeros in front as there may be.
    fn in_braces(&self) -> Option<(usize, Stands)> {
        let before = self.bytes.strip_suffix(b"}")?;
        let digits = before.iter().rev().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let start = before[..before.len() - digits].strip_suffix(b"\\u{")?.len();
        let digits = std::str::from_utf8(&before[start + 3..]).ok().filter(|digits| !digits.is_empty())?;
        let digits = digits.trim_start_matches('0');
        let code = if digits.is_empty() { Some(0) } else { u32::from_str_radix(digits, 16).ok() };
        Some((start, Stands::Code(code.unwrap_or(u32::MAX))))
    }

    /// Puts a character that had as many backslashes before its escape.
    fn put_code(&mut self, code: u32, slashes: usize, place: Place) {
        let (code, place) = self.joined(code, place);
        match code {
            0x22 | 0x27 => {
                (0..slashes_of_quote(slashes)).for_each(|_| self.put(b'\\', place));
                self.put(code as u8, place);
            }
            0x5c => self.put_all(b"\\\\", place),
            // Half a character, in three bytes that are no UTF-8.
            0xd800..=0xdfff => self.put_all(&[0xed, continued(code >> 6), continued(code)], place),
            code => {
                let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                self.put_all(c.encode_utf8(&mut [0; 4]).as_bytes(), place);
            }
        }
    }

    fn put_all(&mut self, bytes: &[u8], place: Place) {
        bytes.iter().for_each(|byte| self.put(*byte, place));
    }

    /// A second half of a character with the first, if what was read ends with one.
    fn joined(&mut self, code: u32, place: Place) -> (u32, Place) {
        match self.first_half() {
            Some(first) if (0xdc00..=0xdfff).contains(&code) => {
                let place = self.take(self.bytes.len() - 3, place.1);
                (0x1_0000 + (first << 10) + (code - 0xdc00), place)
            }
            _ => (code, place),
        }
    }

    /// The ten bits of the first half of a character, if what was read ends with one.
    fn first_half(&self) -> Option<u32> {
        match self.bytes.last_chunk()? {
            [0xed, high @ 0xa0..=0xaf, low] => Some(u32::from(high & 0xf) << 6 | u32::from(low & 0x3f)),
            _ => None,
        }
    }

    /// Reads escapes of one character and of octal digits: `\t`, `\@`, `\100`. Those of quotes and backslashes stay.
    fn without_short_escapes(self) -> Self {
        let mut read = Self::with_room(self.how, self.bytes.len());
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at) {
            let slashes = self.bytes[at..].iter().take_while(|byte| **byte == b'\\').count();
            let behind = at + slashes;
            let Some((code, length)) = short_escape(&self.bytes[behind..]).filter(|_| slashes > 0) else {
                let end = at + slashes.max(1);
                (at..end).for_each(|at| read.put(*byte, self.places[at]));
                at = end;
                continue;
            };
            let end = behind + length;
            let place = (self.places[at].0, self.places[end - 1].1);
            code.into_iter().for_each(|code| read.put_code(code, 1, place));
            at = end;
        }
        read
    }
}

/// How many backslashes a quote has whose escape has so many: within JSON within JSON it has three, and so on.
fn slashes_of_quote(slashes: usize) -> usize {
    match slashes % 2 {
        0 if slashes > 0 => 2 * slashes_of_quote(slashes / 2) + 1,
        _ => slashes,
    }
}

/// What stands behind a backslash, and in how many bytes: nothing where a line goes on in the next. `None` if the
/// backslash stays.
fn short_escape(rest: &[u8]) -> Option<(Option<u32>, usize)> {
    let code = |code: u8| Some((Some(u32::from(code)), 1));
    match *rest.first()? {
        b'"' | b'\'' | b'u' | b'x' | 0x80.. => None,
        b'\r' if rest.get(1) == Some(&b'\n') => Some((None, 2)),
        b'\r' | b'\n' => Some((None, 1)),
        b't' => code(b'\t'),
        b'n' => code(b'\n'),
        b'r' => code(b'\r'),
        b'b' => code(8),
        b'f' => code(12),
        b'v' => code(11),
        b'0'..=b'7' => Some(octal(rest)),
        byte => code(byte),
    }
}

/// The number of up to three octal digits that is at most 255, and how many they are.
fn octal(rest: &[u8]) -> (Option<u32>, usize) {
    let digits = rest.iter().take(3).map_while(|byte| char::from(*byte).to_digit(8));
    let (value, length) = digits.fold((0, 0), |(value, length), digit| match value * 8 + digit {
        longer @ 0..=255 => (longer, length + 1),
        _ => (value, length),
    });
    (Some(value), length)
}

/// A byte that goes on with a character of several.
fn continued(bits: u32) -> u8 {
    0x80 | (bits & 0x3f) as u8
}

/// The number that hexadecimal digits are.
fn hex(raw: &[u8], at: usize, digits: usize) -> Option<u32> {
    let digits = raw.get(at..at + digits)?.iter();
    digits.map(|byte| char::from(*byte).to_digit(16)).try_fold(0, |number, digit| Some(number * 16 + digit?))
}

/// Whether a plus sign between two digits, as forms write a space.
fn is_space(raw: &[u8], at: usize) -> bool {
    let is_digit = |at: Option<usize>| at.and_then(|at| raw.get(at)).is_some_and(u8::is_ascii_digit);
    is_digit(at.checked_sub(1)) && is_digit(Some(at + 1))
}
