//! Masks: what of personal data is taken out of messages before they are stored.
//!
//! What a rule takes out is replaced by its name in square brackets, such as `[phone]`, so that readers see what was
//! there and can search for it. All rules look at the text as it came, and at how it reads without percent-encoding and
//! escapes; what they find is put together and replaced once.
//! Where a text cannot be searched to its end, or read, the rest is masked: a rule leaves nothing out silently.

mod decoded;
mod digits;
mod escapes;
mod json;
mod key;
mod search;
mod spans;
#[cfg(test)]
mod tests;

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::MiniAppId,
    text::text_enum,
};
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use self::{
    digits::Digits,
    json::Place,
    key::Key,
    search::Budget,
    spans::{MASKED, Span},
};
use super::{Arrived, Refusal};

/// How many rules a place has, at most.
const MAX_RULES: usize = 50;
/// The length of a name, a pointer or a pattern in characters, at most.
const MAX_TEXT: usize = 200;
/// The memory of a compiled pattern in bytes, at most.
const MAX_COMPILED: usize = 1 << 20;

/// A rule that says what is masked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum MaskRule {
    /// Mobile phone numbers of China, and numbers in international form (`+44 20 7946 0958`).
    Phone,
    /// Identity card numbers of China, whose last character is checked.
    IdCard,
    /// Addresses of e-mail.
    Email,
    /// Numbers of bank cards, whose last digit is checked.
    BankCard,
    /// The value of a member with this name, in any case, wherever it stands: `"password": "…"`, `password=…`.
    Key {
        /// The name of the member.
        name: String,
    },
    /// The value at a place of a message that is JSON.
    Pointer {
        /// A JSON pointer, such as `/user/phone`; `*` stands for every member or item.
        pointer: String,
    },
    /// Whatever a regular expression finds, in the syntax of the Rust crate `regex`.
    Pattern {
        /// The expression.
        pattern: String,
    },
}

text_enum! {
    /// For which logs rules hold.
    MaskScope {
        /// For all logs of the host.
        Platform = "platform",
        /// For those of one MiniApp, besides those for all.
        MiniApp = "mini_app",
    }
}

/// The rules of a place.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct LogMasks {
    /// For which logs they hold.
    pub scope: MaskScope,
    /// The MiniApp; absent for the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mini_app: Option<MiniAppId>,
    /// The rules; every one is applied.
    pub rules: Vec<MaskRule>,
    /// Who set them; absent when nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<String>,
    /// When they were set; absent when nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_at: Option<Millis>,
}

/// The rules to set, in place of all those that are there.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLogMasks {
    /// The rules, at most 50; none of them to mask nothing.
    pub rules: Vec<MaskRule>,
}

impl SetLogMasks {
    /// Checks the rules.
    ///
    /// # Errors
    /// `invalid-field`, naming the rule that cannot be used.
    pub fn check(&self) -> Result<()> {
        if self.rules.len() > MAX_RULES {
            return Err(Error::field("rules", format!("at most {MAX_RULES}, these are {}.", self.rules.len())));
        }
        self.rules.iter().enumerate().try_for_each(|(at, rule)| {
            compile(rule).map(drop).map_err(|(member, why)| Error::field(&format!("rules.{at}{member}"), why))
        })
    }
}

/// Rules, ready to be applied.
#[derive(Clone, Debug, Default)]
pub struct Mask {
    /// Those that look at texts, each with its place among the rules.
    finders: Vec<(usize, Finder)>,
    /// Those that look at documents.
    places: Vec<(usize, Place)>,
}

#[derive(Clone, Debug)]
enum Finder {
    Phone,
    IdCard,
    BankCard,
    Email(Regex),
    Key(Key),
    Pattern(Regex),
}

/// What a rule becomes: what looks at texts, and at documents.
type Compiled = (Option<Finder>, Option<Place>);

type Wrong = (&'static str, String);

fn expression(pattern: &str) -> std::result::Result<Regex, Wrong> {
    let built = RegexBuilder::new(pattern).size_limit(MAX_COMPILED).build();
    built.map_err(|error| {
        let why = match error {
            regex::Error::CompiledTooBig(_) => "takes too much memory. Make it simpler.".to_owned(),
            error => format!("is no regular expression: {}.", error.to_string().lines().last().unwrap_or_default()),
        };
        (".pattern", why)
    })
}

fn short(member: &'static str, text: &str) -> std::result::Result<(), Wrong> {
    match text.chars().count() {
        1..=MAX_TEXT => Ok(()),
        length => Err((member, format!("must have 1 to {MAX_TEXT} characters, has {length}."))),
    }
}

fn compile(rule: &MaskRule) -> std::result::Result<Compiled, Wrong> {
    const EMAIL: &str = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}";
    Ok(match rule {
        MaskRule::Phone => (Some(Finder::Phone), None),
        MaskRule::IdCard => (Some(Finder::IdCard), None),
        MaskRule::BankCard => (Some(Finder::BankCard), None),
        MaskRule::Email => (Some(Finder::Email(expression(EMAIL)?)), None),
        MaskRule::Key { name } => {
            short(".name", name)?;
            let key = Key::new(name, expression(&key::expression(name))?);
            (Some(Finder::Key(key)), Some(Place::Key(name.to_lowercase())))
        }
        MaskRule::Pointer { pointer } => (None, Some(Place::Pointer(parts(pointer)?))),
        MaskRule::Pattern { pattern } => {
            short(".pattern", pattern)?;
            let regex = expression(pattern)?;
            if regex.is_match("") {
                return Err((".pattern", "matches nothing at all, so that it would mask everywhere.".into()));
            }
            (Some(Finder::Pattern(regex)), None)
        }
    })
}

fn parts(pointer: &str) -> std::result::Result<Vec<String>, Wrong> {
    short(".pointer", pointer)?;
    let Some(rest) = pointer.strip_prefix('/') else {
        return Err((".pointer", "must begin with /, such as /user/phone.".into()));
    };
    Ok(rest.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect())
}

impl Mask {
    /// Makes rules ready. One that cannot be used, which [`SetLogMasks::check`] would refuse, is left out.
    pub fn new<'a>(rules: impl IntoIterator<Item = &'a MaskRule>) -> Self {
        let mut mask = Self::default();
        let compiled = rules.into_iter().filter_map(|rule| compile(rule).ok());
        for (rule, (finder, place)) in (1..).zip(compiled) {
            mask.finders.extend(finder.map(|finder| (rule, finder)));
            mask.places.extend(place.map(|place| (rule, place)));
        }
        mask
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.finders.is_empty() && self.places.is_empty()
    }

    /// Masks the texts of an entry that a MiniApp writes: the message, the filter message and the page. `max_bytes` is
    /// what [`Arrived::bytes`] may be afterwards, in bytes.
    ///
    /// # Errors
    /// `TooLarge`, with the reason in words, when the entry would have more. It is as it was then, and must not be kept.
    pub fn apply(&self, entry: &mut Arrived, max_bytes: u64) -> std::result::Result<(), (Refusal, String)> {
        if self.is_empty() {
            return Ok(());
        }
        let spans = [&entry.message, &entry.filter_msg, &entry.page].map(|text| self.spans(text));
        let texts = [&mut entry.message, &mut entry.filter_msg, &mut entry.page];
        let before: usize = texts.iter().map(|text| text.len()).sum();
        let after: usize = texts.iter().zip(&spans).map(|(text, spans)| spans::length(text, spans)).sum();
        let (before, after) = (before as u64, after as u64);
        let bytes = Arrived::bytes(entry) - before + after;
        if after > before && bytes > max_bytes {
            let text = format!("Masked, the entry has {bytes} bytes; {max_bytes} are allowed. Say less, or cut it.");
            return Err((Refusal::TooLarge, text));
        }
        for (text, spans) in [&mut entry.message, &mut entry.filter_msg, &mut entry.page].into_iter().zip(&spans) {
            if !spans.is_empty() {
                *text = spans::replaced(text, spans);
            }
        }
        Ok(())
    }

    /// The text with what the rules find taken out; `None` when they find nothing.
    pub fn masked(&self, text: &str) -> Option<String> {
        Some(spans::replaced(text, &self.spans(text))).filter(|masked| masked != text)
    }

    /// What is taken out of a text.
    fn spans(&self, text: &str) -> Vec<Span> {
        self.spans_within(text, &mut Budget::of(text.len()))
    }

    fn spans_within(&self, text: &str, budget: &mut Budget) -> Vec<Span> {
        let mut found = self.found_in(text, budget);
        for reading in decoded::readings(text) {
            found.extend(self.found_in(&reading.text, budget).into_iter().map(|span| reading.back(span)));
        }
        if !found.is_empty() {
            found.extend(spans::marks(text));
        }
        spans::merged(found)
    }

    /// What the rules find in one reading of a text.
    fn found_in(&self, text: &str, budget: &mut Budget) -> Vec<Span> {
        let (mut found, mut end, digits) = (json::places(text, &self.places), text.len(), Digits::of(text));
        for (rule, finder) in &self.finders {
            let spans = |with: &'static str, places: Vec<(usize, usize)>| -> Vec<_> {
                let span = |(start, end)| Span { start, end, with: with.into(), rule: *rule };
                places.into_iter().map(span).collect()
            };
            found.extend(match finder {
                Finder::Phone => spans("[phone]", digits.phones()),
                Finder::IdCard => spans("[id-card]", digits.id_cards()),
                Finder::BankCard => spans("[bank-card]", digits.bank_cards()),
                Finder::Key(key) => key.spans(text, *rule),
                // Needs no budget: no address reaches behind the @ of the next.
                Finder::Email(regex) => {
                    spans("[email]", regex.find_iter(text).map(|one| (one.start(), one.end())).collect())
                }
                Finder::Pattern(regex) => spans(MASKED, search::all(regex, text, &mut end, budget)),
            });
        }
        if end < text.len() {
            found.push(Span { start: end, end: text.len(), with: MASKED.into(), rule: usize::MAX });
        }
        found
    }
}
