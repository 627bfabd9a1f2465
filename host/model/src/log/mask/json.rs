//! Places of JSON in a text, found where they stand, so that nothing else of the text changes.
//!
//! The reader takes more than JSON: escapes are not judged, so that a lone surrogate hides nothing, and a document may
//! be cut off. A document may stand behind words, too.

use std::borrow::Cow;

use super::spans::{MASKED, Span, mark};

/// How deep a document may be.
const MAX_DEPTH: usize = 128;

/// A place that a rule names.
#[derive(Clone, Debug)]
pub enum Place {
    /// Members with this name, in lower case.
    Key(String),
    /// The parts of a pointer.
    Pointer(Vec<String>),
}

/// Why a document was not read to its end.
enum Stop {
    /// The text ends before.
    End,
    /// It is not JSON here.
    Broken,
}

/// Pointers that may still lead somewhere: the rule, and the parts that are left.
type Open<'p> = Vec<(usize, &'p [String])>;

struct Reader<'t, 'p> {
    text: &'t str,
    at: usize,
    keys: Vec<(usize, &'p str)>,
    spans: Vec<Span>,
}

/// The places in all documents of a text. From a document on that cannot be read, all is masked if a rule is a pointer.
pub fn places(text: &str, places: &[(usize, Place)]) -> Vec<Span> {
    let (mut keys, mut open) = (Vec::new(), Open::new());
    for (rule, place) in places {
        match place {
            Place::Key(name) => keys.push((*rule, name.as_str())),
            Place::Pointer(parts) => open.push((*rule, parts)),
        }
    }
    let mut reader = Reader { text, at: 0, keys, spans: Vec::new() };
    while let Some(start) = reader.next_document() {
        let Err(Stop::Broken) = reader.value(0, None, &open) else { continue };
        if let Some((rule, _)) = open.first().filter(|_| begins_document(text, start)) {
            reader.spans.push(Span { start, end: text.len(), with: MASKED.into(), rule: *rule });
            break;
        }
        reader.at = reader.at.max(start + 1);
    }
    reader.spans
}

/// Whether what stands here looks like JSON: an object at the beginning of the text, a quote in a brace, or a quote, a
/// brace or a bracket in a bracket.
fn begins_document(text: &str, start: usize) -> bool {
    let (before, rest) = text.split_at(start);
    let inside = rest.get(1..).unwrap_or_default().trim_start();
    match rest.starts_with('{') {
        true => before.trim().is_empty() || inside.starts_with('"'),
        false => inside.starts_with(['"', '{', '[']) && mark(inside).is_none(),
    }
}

impl<'p> Reader<'_, 'p> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, is: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&is) {
            self.at += 1;
        }
    }

    fn skip_space(&mut self) -> Result<u8, Stop> {
        self.skip(|byte| byte.is_ascii_whitespace());
        self.peek().ok_or(Stop::End)
    }

    fn next_document(&mut self) -> Option<usize> {
        self.skip(|byte| byte != b'{' && byte != b'[');
        self.peek().map(|_| self.at)
    }

    /// Goes behind a mark that stands here in place of a value.
    fn mark(&mut self) -> bool {
        let found = self.text.get(self.at..).and_then(mark);
        self.at += found.map_or(0, str::len);
        found.is_some()
    }

    /// Reads a value, and takes it out if a rule names it.
    fn value(&mut self, depth: usize, named: Option<usize>, open: &Open<'p>) -> Result<(), Stop> {
        let first = self.skip_space()?;
        let start = self.at;
        let read = match first {
            _ if depth > MAX_DEPTH => Err(Stop::Broken),
            _ if self.mark() => Ok(()),
            b'{' => self.members(depth, open),
            b'[' => self.items(depth, open),
            b'"' => self.string(),
            _ => self.scalar(),
        };
        let by_pointer = open.iter().find(|(_, rest)| rest.is_empty()).map(|(rule, _)| *rule);
        if let Some(rule) = [named, by_pointer].into_iter().flatten().min() {
            self.take(start, first, rule, read.is_ok());
        }
        read
    }

    fn take(&mut self, start: usize, first: u8, rule: usize, is_whole: bool) {
        let end = if is_whole { self.at } else { self.text.len() };
        let (start, end, with) = match first {
            b'"' => (start + 1, end - usize::from(is_whole), MASKED.into()),
            _ => (start, end, Cow::Owned(format!("\"{MASKED}\""))),
        };
        self.spans.push(Span { start, end, with, rule });
    }

    fn members(&mut self, depth: usize, open: &Open<'p>) -> Result<(), Stop> {
        self.at += 1;
        loop {
            match self.skip_space()? {
                b'}' => break,
                b',' => self.at += 1,
                b'"' => {
                    let start = self.at;
                    self.string()?;
                    let name = name(self.text.get(start..self.at).unwrap_or_default());
                    if self.skip_space()? != b':' {
                        return Err(Stop::Broken);
                    }
                    self.at += 1;
                    let lower = name.to_lowercase();
                    let named = self.keys.iter().find(|(_, key)| *key == lower).map(|(rule, _)| *rule);
                    self.value(depth + 1, named, &below(open, &name))?;
                }
                _ => return Err(Stop::Broken),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn items(&mut self, depth: usize, open: &Open<'p>) -> Result<(), Stop> {
        self.at += 1;
        let mut place = 0usize;
        loop {
            match self.skip_space()? {
                b']' => break,
                b',' => {
                    self.at += 1;
                    place += 1;
                }
                _ => {
                    let below = if open.is_empty() { Open::new() } else { below(open, &place.to_string()) };
                    self.value(depth + 1, None, &below)?;
                    if ![b',', b']'].contains(&self.skip_space()?) {
                        return Err(Stop::Broken);
                    }
                }
            }
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<(), Stop> {
        self.at += 1;
        loop {
            match self.peek().ok_or(Stop::End)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Ok(())
    }

    fn scalar(&mut self) -> Result<(), Stop> {
        let start = self.at;
        self.skip(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        let word = self.text.get(start..self.at).unwrap_or_default();
        let is_number = word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && word.parse::<f64>().is_ok();
        match word {
            "true" | "false" | "null" => Ok(()),
            _ if is_number => Ok(()),
            _ if self.at == self.text.len() && !word.is_empty() => Err(Stop::End),
            _ => {
                self.at = start;
                Err(Stop::Broken)
            }
        }
    }
}

/// The name of a member, from what stands there in quotes.
fn name(quoted: &str) -> Cow<'_, str> {
    let own = || quoted.trim_matches('"');
    match quoted.contains('\\') {
        true => serde_json::from_str(quoted).map_or_else(|_| own().into(), Cow::Owned),
        false => own().into(),
    }
}

/// The pointers that lead on through a member or an item.
fn below<'p>(open: &Open<'p>, name: &str) -> Open<'p> {
    let through = |(rule, parts): &(usize, &'p [String])| {
        let (first, rest) = parts.split_first()?;
        (first == "*" || first == name).then_some((*rule, rest))
    };
    open.iter().filter_map(through).collect()
}
