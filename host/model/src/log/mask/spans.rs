//! What is taken out of a text: spans of the text as it came, put together and replaced once.

use std::{borrow::Cow, cmp::Reverse};

/// What stands for what a rule takes out that has no name of its own.
pub const MASKED: &str = "[masked]";

/// A part of a text that is taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
    /// What stands there instead.
    pub with: Cow<'static, str>,
    /// The place of the rule among the rules, from 1; 0 is a mark that stands there already.
    pub rule: usize,
}

/// The mark that a text begins with, if it does.
pub fn mark(text: &str) -> Option<&'static str> {
    [MASKED, "[phone]", "[id-card]", "[email]", "[bank-card]"].into_iter().find(|mark| text.starts_with(mark))
}

/// The marks that stand in a text already. A match within one changes nothing, so that masking twice is masking once.
pub fn marks(text: &str) -> impl Iterator<Item = Span> {
    text.match_indices('[').filter_map(|(start, _)| {
        let mark = mark(text.get(start..)?)?;
        Some(Span { start, end: start + mark.len(), with: mark.into(), rule: 0 })
    })
}

/// Spans in their order, of which none overlap. Those that do become one, as do those that touch and read the same; the widest names it, and of equals the rule
/// that comes first.
pub fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|span| span.start < span.end);
    spans.sort_by_key(|span| (span.start, Reverse(span.end), span.rule));
    let (mut merged, mut widest) = (Vec::<Span>::new(), 0);
    for span in spans {
        let width = span.end - span.start;
        match merged.last_mut() {
            Some(last) if span.start < last.end || (span.start == last.end && span.with == last.with) => {
                last.end = last.end.max(span.end);
                if (Reverse(width), span.rule) < (Reverse(widest), last.rule) {
                    (last.with, last.rule, widest) = (span.with, span.rule, width);
                }
            }
            _ => {
                widest = width;
                merged.push(span);
            }
        }
    }
    merged
}

/// How many bytes the text has when these spans are replaced.
pub fn length(text: &str, spans: &[Span]) -> usize {
    spans.iter().fold(text.len(), |length, span| length + span.with.len() - (span.end - span.start))
}

/// The text with these spans replaced.
pub fn replaced(text: &str, spans: &[Span]) -> String {
    let (mut out, mut from) = (String::with_capacity(length(text, spans)), 0);
    for span in spans {
        out.push_str(text.get(from..span.start).unwrap_or_default());
        out.push_str(&span.with);
        from = span.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}
