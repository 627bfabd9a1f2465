//! Values of members by their name, in whatever looks like a member: `password=…`, `"password": {…}`, `\"password\":\"…\"`,
//! `--password …`.
//!
//! A leak is worse than a word too much that is masked: where the end of a value is not sure, it is the farther one.

use regex::{Captures, Regex};

use super::spans::{MASKED, Span, mark};

/// A name, ready to be searched.
#[derive(Clone, Debug)]
pub struct Key {
    regex: Regex,
    /// Whether its values are headers, which reach to the end of the line.
    is_header: bool,
}

/// The expression that finds a name and its sign, or the name as a flag of a command.
pub fn expression(name: &str) -> String {
    let (name, sign) = (regex::escape(name), r"(=>|->|:=|==|[:=：＝]|%3[ADad])");
    format!(r#"(?i){name}(\\*["'])?(?:\[[^\[\]\s]{{0,32}}\])*\s*{sign}\s*|--(?:[a-z0-9-]{{0,32}}-)?{name}[ \t]+"#)
}

/// What is known of a member when its value is looked at.
struct Member<'t> {
    text: &'t str,
    /// The quote behind the name with its backslashes; empty without one.
    quote: &'t str,
    /// Whether it stands within quotes, which end it.
    in_quotes: bool,
    /// Whether it is a parameter of an address or a form.
    in_query: bool,
    /// Whether it is a flag of a command, whose value is one word.
    is_flag: bool,
    /// Whether another member may follow after a space, as in `a=1 b=2`.
    in_pairs: bool,
}

impl Key {
    /// The name, with the expression that finds it.
    pub fn new(name: &str, regex: Regex) -> Self {
        let name = name.to_lowercase();
        Self { regex, is_header: name.ends_with("authorization") || name.ends_with("cookie") }
    }

    /// The values that stand in a text.
    pub fn spans(&self, text: &str, rule: usize) -> Vec<Span> {
        let (mut spans, mut at, mut quotes) = (Vec::new(), 0, Quotes { text, at: 0, open: false });
        while let Some(found) = self.regex.captures_at(text, at) {
            let whole = found.get_match();
            let member = Member::of(text, &found, quotes.open_at(whole.start()));
            let span = member.value(whole.end(), self.is_header, rule);
            at = span.end.max(whole.end());
            spans.push(span);
        }
        spans
    }
}

/// Whether a place stands within double quotes of its line, for places in their order.
struct Quotes<'t> {
    text: &'t str,
    at: usize,
    open: bool,
}

impl Quotes<'_> {
    fn open_at(&mut self, place: usize) -> bool {
        let bytes = self.text.as_bytes();
        while self.at < place {
            match bytes[self.at] {
                b'\\' => self.at += 1,
                b'"' => self.open = !self.open,
                b'\n' => self.open = false,
                _ => {}
            }
            self.at += 1;
        }
        self.open
    }
}

impl<'t> Member<'t> {
    fn of(text: &'t str, found: &Captures<'t>, in_quotes: bool) -> Self {
        let quote = found.get(1).map_or("", |quote| quote.as_str());
        let before = found.get_match().start().checked_sub(1).and_then(|at| text.as_bytes().get(at));
        let in_query = before.is_some_and(|byte| b"?&".contains(byte));
        let sign = found.get(2).map(|sign| sign.as_str());
        // The quote before a name of its own does not count.
        let in_quotes = in_quotes && quote.is_empty();
        Self { text, quote, in_quotes, in_query, is_flag: sign.is_none(), in_pairs: sign == Some("=") }
    }

    fn value(&self, start: usize, is_header: bool, rule: usize) -> Span {
        let rest = self.text.get(start..).unwrap_or_default();
        let slashes = rest.bytes().take_while(|byte| *byte == b'\\').count();
        let masked = |start, end| Span { start, end, with: MASKED.into(), rule };
        let in_own = |end| Span { start, end, with: format!("{0}{MASKED}{0}", self.quote).into(), rule };
        match rest.as_bytes().get(slashes) {
            _ if is_header && self.quote.is_empty() => masked(start, self.plain_end(start, true)),
            Some(quote @ (b'"' | b'\'')) if !(self.in_quotes && *quote == b'"' && slashes == 0) => {
                let inside = start + slashes + 1;
                masked(inside, string_end(self.text, inside, *quote, slashes).0)
            }
            Some(b'{' | b'[') if slashes == 0 && mark(rest).is_none() => {
                let end = balanced_end(self.text, start, self.quote.len().saturating_sub(1));
                let goes_on = self.quote.is_empty() && !self.ends_at(end, false);
                in_own(if goes_on { self.plain_end(end, false) } else { end })
            }
            _ => in_own(self.plain_end(start, false)),
        }
    }

    /// Where a value without quotes ends that begins here or before.
    fn plain_end(&self, start: usize, is_header: bool) -> usize {
        let rest = self.text.get(start..).unwrap_or_default();
        let places = rest.char_indices().map(|(at, _)| start + at);
        let end = places.into_iter().find(|at| self.ends_at(*at, is_header)).unwrap_or(self.text.len());
        let value = self.text.get(start..end).unwrap_or_default();
        start + value.trim_end().len()
    }

    /// Whether a value without quotes ends before what stands here.
    fn ends_at(&self, at: usize, is_header: bool) -> bool {
        let rest = self.text.get(at..).unwrap_or_default();
        let mut own = rest.chars();
        let Some(c) = own.next() else { return true };
        let after = own.as_str();
        let is_last = after.chars().next().is_none_or(char::is_whitespace);
        match c {
            '\n' | '\r' => true,
            '"' if self.in_quotes => !self.text.get(..at).is_some_and(|text| text.ends_with('\\')),
            _ if is_header => false,
            '&' => true,
            '#' => self.in_query,
            '"' => self.in_query || !self.quote.is_empty(),
            ',' | '}' | ']' if !self.quote.is_empty() => true,
            '\\' => !self.quote.is_empty(),
            ',' | ';' => is_last,
            c if c.is_whitespace() => self.in_query || self.is_flag || (self.in_pairs && begins_pair(after)),
            _ => false,
        }
    }
}

/// Whether a name with an equals sign stands here, as in `user=ann`.
fn begins_pair(rest: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || "._-".contains(c);
    let behind = rest.chars().take(65).position(|c| !is_name(c)).filter(|length| *length > 0);
    rest.starts_with(char::is_alphabetic) && behind.is_some_and(|length| rest.chars().nth(length) == Some('='))
}

/// Where what stands in quotes ends, and where the text goes on behind them. A quote of JSON within JSON has
/// backslashes: as many as the one it began with, or those and pairs of what they escape.
fn string_end(text: &str, inside: usize, quote: u8, slashes: usize) -> (usize, usize) {
    let mut run = 0;
    for (at, byte) in text.bytes().enumerate().skip(inside) {
        match byte {
            b'\\' => run += 1,
            _ if byte == quote && run % (2 * (slashes + 1)) == slashes => return (at - slashes, at + 1),
            // The quotes end around it.
            b'"' if run < slashes => return (at - run, at - run),
            _ => run = 0,
        }
    }
    (text.len(), text.len())
}

/// Where the bracket closes that opens here; strings in it have as many backslashes before their quotes, or more.
fn balanced_end(text: &str, start: usize, slashes: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut run) = (start, 0usize, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => run += 1,
            b'"' if run < slashes => return at - run,
            b'"' | b'\'' => {
                at = string_end(text, at + 1, *byte, run).1;
                run = 0;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if *byte != b'\\' {
            run = 0;
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}
