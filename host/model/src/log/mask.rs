//! Masks: what of personal data is taken out of messages before they are stored.
//!
//! What a rule takes out is replaced by its name in square brackets, such as `[phone]`, so that readers see what was
//! there and can search for it.

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::MiniAppId,
    text::text_enum,
};
use regex::{Captures, Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Arrived;

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
    texts: Vec<Finder>,
    places: Vec<Place>,
}

#[derive(Clone, Debug)]
struct Finder {
    regex: Regex,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Phone,
    IdCard,
    Email,
    BankCard,
    Key,
    Pattern,
}

/// A place in a JSON document.
#[derive(Clone, Debug)]
enum Place {
    Key(String),
    Pointer(Vec<String>),
}

enum Compiled {
    Text(Finder),
    Key(Finder, Place),
    Place(Place),
}

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

fn compile(rule: &MaskRule) -> std::result::Result<Compiled, Wrong> {
    let fixed = |pattern, kind| Ok(Compiled::Text(Finder { regex: expression(pattern)?, kind }));
    let short = |member, text: &str| match text.chars().count() {
        1..=MAX_TEXT => Ok(()),
        length => Err((member, format!("must have 1 to {MAX_TEXT} characters, has {length}."))),
    };
    match rule {
        MaskRule::Phone => fixed(r"\+[1-9](?:[ -]?[0-9]){7,14}|1[3-9][0-9](?:[ -]?[0-9]{4}){2}", Kind::Phone),
        MaskRule::IdCard => fixed(r"[1-9][0-9]{5}(?:18|19|20)[0-9]{9}[0-9Xx]", Kind::IdCard),
        MaskRule::Email => fixed(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}", Kind::Email),
        MaskRule::BankCard => fixed(r"[0-9](?:[ -]?[0-9]){12,18}", Kind::BankCard),
        MaskRule::Key { name } => {
            short(".name", name)?;
            let value = r#""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;&{}\[\]"']+"#;
            let pattern = format!(r#"(?i)(["']?{}["']?\s*[:=]\s*)({value})"#, regex::escape(name));
            Ok(Compiled::Key(Finder { regex: expression(&pattern)?, kind: Kind::Key }, Place::Key(name.to_lowercase())))
        }
        MaskRule::Pointer { pointer } => {
            short(".pointer", pointer)?;
            let Some(rest) = pointer.strip_prefix('/') else {
                return Err((".pointer", "must begin with /, such as /user/phone.".into()));
            };
            let parts = rest.split('/').map(|part| part.replace("~1", "/").replace("~0", "~"));
            Ok(Compiled::Place(Place::Pointer(parts.collect())))
        }
        MaskRule::Pattern { pattern } => {
            short(".pattern", pattern)?;
            let regex = expression(pattern)?;
            if regex.is_match("") {
                return Err((".pattern", "matches nothing at all, so that it would mask everywhere.".into()));
            }
            Ok(Compiled::Text(Finder { regex, kind: Kind::Pattern }))
        }
    }
}

impl Mask {
    /// Makes rules ready. One that cannot be used, which [`SetLogMasks::check`] would refuse, is left out.
    pub fn new<'a>(rules: impl IntoIterator<Item = &'a MaskRule>) -> Self {
        let mut mask = Self::default();
        for compiled in rules.into_iter().filter_map(|rule| compile(rule).ok()) {
            match compiled {
                Compiled::Text(finder) => mask.texts.push(finder),
                Compiled::Place(place) => mask.places.push(place),
                Compiled::Key(finder, place) => {
                    mask.texts.push(finder);
                    mask.places.push(place);
                }
            }
        }
        mask
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.places.is_empty()
    }

    /// Masks the texts of an entry that a MiniApp writes: the message, the filter message and the page.
    pub fn apply(&self, entry: &mut Arrived) {
        if self.is_empty() {
            return;
        }
        for text in [&mut entry.message, &mut entry.filter_msg, &mut entry.page] {
            if let Some(masked) = self.masked(text) {
                *text = masked;
            }
        }
    }

    /// The text with what the rules find taken out; `None` when they find nothing.
    pub fn masked(&self, text: &str) -> Option<String> {
        let mut masked = self.in_json(text);
        for finder in &self.texts {
            let before = masked.as_deref().unwrap_or(text);
            if let std::borrow::Cow::Owned(after) = finder.replaced(before) {
                masked = Some(after);
            }
        }
        masked.filter(|masked| masked != text)
    }

    /// The text with the places of the rules taken out, if it is a JSON document that has such places.
    fn in_json(&self, text: &str) -> Option<String> {
        if self.places.is_empty() || !text.trim_start().starts_with(['{', '[']) {
            return None;
        }
        let mut document: Value = serde_json::from_str(text).ok()?;
        let mut found = false;
        for place in &self.places {
            match place {
                Place::Key(name) => take_key(&mut document, name, &mut found),
                Place::Pointer(parts) => take_pointer(&mut document, parts, &mut found),
            }
        }
        found.then(|| document.to_string())
    }
}

const MASKED: &str = "[masked]";

fn take(value: &mut Value, found: &mut bool) {
    *value = Value::String(MASKED.into());
    *found = true;
}

fn take_key(value: &mut Value, name: &str, found: &mut bool) {
    match value {
        Value::Object(members) => {
            for (own, member) in members {
                if own.to_lowercase() == name { take(member, found) } else { take_key(member, name, found) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| take_key(item, name, found)),
        _ => {}
    }
}

fn take_pointer(value: &mut Value, parts: &[String], found: &mut bool) {
    let Some((first, rest)) = parts.split_first() else { return take(value, found) };
    match value {
        Value::Object(members) if first == "*" => members.values_mut().for_each(|one| take_pointer(one, rest, found)),
        Value::Object(members) => {
            if let Some(member) = members.get_mut(first) {
                take_pointer(member, rest, found);
            }
        }
        Value::Array(items) if first == "*" => items.iter_mut().for_each(|one| take_pointer(one, rest, found)),
        Value::Array(items) => {
            if let Some(item) = first.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
                take_pointer(item, rest, found);
            }
        }
        _ => {}
    }
}

impl Finder {
    fn replaced<'t>(&self, text: &'t str) -> std::borrow::Cow<'t, str> {
        self.regex.replace_all(text, |found: &Captures<'_>| {
            let whole = found.get_match();
            let stands_alone = || {
                let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
                let before = whole.start().checked_sub(1).and_then(|at| text.as_bytes().get(at));
                !digit(before) && !digit(text.as_bytes().get(whole.end()))
            };
            let name = match self.kind {
                Kind::Phone if stands_alone() => "[phone]",
                Kind::IdCard if stands_alone() && is_id_card(whole.as_str()) => "[id-card]",
                Kind::BankCard if stands_alone() && is_bank_card(whole.as_str()) => "[bank-card]",
                Kind::Email => "[email]",
                Kind::Pattern => MASKED,
                Kind::Key => return masked_value(found),
                Kind::Phone | Kind::IdCard | Kind::BankCard => whole.as_str(),
            };
            name.to_owned()
        })
    }
}

/// The name of a member and its sign, with the value masked in the quotes that it had.
fn masked_value(found: &Captures<'_>) -> String {
    let (name, value) = (&found[1], &found[2]);
    match value.chars().next().filter(|quote| ['"', '\''].contains(quote)) {
        Some(quote) => format!("{name}{quote}{MASKED}{quote}"),
        // What stands behind the name was masked already.
        None if value == "masked" => found[0].to_owned(),
        None => format!("{name}{MASKED}"),
    }
}

/// ISO 7064, MOD 11-2, and a month and a day that there are.
fn is_id_card(text: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let digits: Vec<_> = text.chars().take(17).filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    let check = text.chars().nth(17).map(|c| c.to_digit(10).unwrap_or(10));
    let number = |from: usize| text.get(from..from + 2).and_then(|part| part.parse::<u32>().ok()).unwrap_or_default();
    digits.len() == 17
        && check == Some((12 - sum % 11) % 11)
        && (1..=12).contains(&number(10))
        && (1..=31).contains(&number(12))
}

/// Luhn's check digit.
fn is_bank_card(text: &str) -> bool {
    let digits = text.chars().rev().filter_map(|c| c.to_digit(10)).enumerate();
    let sum: u32 = digits.map(|(at, digit)| if at % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit }).sum();
    sum > 0 && sum.is_multiple_of(10)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use serde_json::json;

    use super::*;

    fn masked(rules: Value, text: &str) -> String {
        let rules: SetLogMasks = serde_json::from_value(json!({"rules": rules})).unwrap();
        rules.check().unwrap();
        Mask::new(&rules.rules).masked(text).unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn d4_each_rule_masks_what_it_names_and_leaves_what_only_looks_like_it() {
        let cases = [
            ("phone", "call 13812345678, now", "call [phone], now"),
            ("phone", "电话13812345678或+44 20 7946 0958。", "电话[phone]或[phone]。"),
            ("phone", "138 1234 5678 and 138-1234-5678", "[phone] and [phone]"),
            ("phone", "order 913812345678, 138123456789, 12812345678", "order 913812345678, 138123456789, 12812345678"),
            ("id_card", "id=11010519491231002X;", "id=[id-card];"),
            ("id_card", "id=110105194912310021 110105194913310021", "id=110105194912310021 110105194913310021"),
            ("email", "to <Ann.B+x@mail.example.com>: sent", "to <[email]>: sent"),
            ("email", "a@b and @here and x@y.", "a@b and @here and x@y."),
            (
                "bank_card",
                "card 6222 0212 3456 7890 129 / 4111111111111111",
                "card 6222 0212 3456 7890 129 / [bank-card]",
            ),
            (
                "bank_card",
                "1900000000000 4111111111111112 0000000000000000",
                "1900000000000 4111111111111112 0000000000000000",
            ),
        ];
        for (kind, text, expected) in cases {
            assert_eq!(masked(json!([{"kind": kind}]), text), expected, "{kind}");
        }
    }

    #[test]
    fn d4_a_member_is_masked_by_its_name_in_json_and_in_what_looks_like_it() {
        let key = |text: &str| masked(json!([{"kind": "key", "name": "Password"}]), text);
        for (text, expected) in [
            (r#"{"a":1,"u":[{"PASSWORD":{"x":7}}]}"#, r#"{"a":1,"u":[{"PASSWORD":"[masked]"}]}"#),
            (r#"login {"password": "a\"b c", "n": 1}"#, r#"login {"password": "[masked]", "n": 1}"#),
            ("user=ann&password=s3cret&x=1", "user=ann&password=[masked]&x=1"),
            ("password: hush", "password: [masked]"),
            ("password='a b' ok", "password='[masked]' ok"),
            (r#"{"note":"the password is gone"}"#, r#"{"note":"the password is gone"}"#),
        ] {
            assert_eq!(key(text), expected);
            assert_eq!(key(expected), expected, "masking again changes nothing");
        }
    }

    #[test]
    fn d4_a_pointer_masks_a_place_of_a_message_that_is_json() {
        let at = |pointer: &str, text: &str| masked(json!([{"kind": "pointer", "pointer": pointer}]), text);
        assert_eq!(at("/user/phone", r#"{"user":{"phone":"1"},"x":2}"#), r#"{"user":{"phone":"[masked]"},"x":2}"#);
        assert_eq!(at("/*/id", r#"[{"id":1},{"id":2,"n":3}]"#), r#"[{"id":"[masked]"},{"id":"[masked]","n":3}]"#);
        assert_eq!(at("/1/a~1b", r#"[0,{"a/b":1}]"#), r#"[0,{"a/b":"[masked]"}]"#);
        for (pointer, text) in [("/user/x", r#"{"user": 7}"#), ("/a", "a=7"), ("/9", "[1 ,2]"), ("/a", "{\"a\"")] {
            assert_eq!(at(pointer, text), text, "as it was, to the byte");
        }
    }

    #[test]
    fn d4_rules_work_together_and_a_pattern_masks_what_it_finds() {
        let rules =
            json!([{"kind": "phone"}, {"kind": "pattern", "pattern": "ORD-[0-9]+"}, {"kind": "key", "name": "token"}]);
        assert_eq!(masked(rules, "ORD-77 token=abc 13812345678"), "[masked] token=[masked] [phone]");
    }

    #[test]
    fn d4_a_rule_that_cannot_be_used_is_refused_by_its_place() {
        for (rule, pointer) in [
            (json!({"kind": "pattern", "pattern": "("}), "/rules/1/pattern"),
            (json!({"kind": "pattern", "pattern": "a*"}), "/rules/1/pattern"),
            (json!({"kind": "pattern", "pattern": "\\w{999}{999}"}), "/rules/1/pattern"),
            (json!({"kind": "pointer", "pointer": "user"}), "/rules/1/pointer"),
            (json!({"kind": "key", "name": ""}), "/rules/1/name"),
            (json!({"kind": "key", "name": "x".repeat(201)}), "/rules/1/name"),
        ] {
            let set: SetLogMasks = serde_json::from_value(json!({"rules": [{"kind": "email"}, rule]})).unwrap();
            assert_eq!(set.check().unwrap_err().fields["pointer"], pointer, "{rule}");
        }
        let many = SetLogMasks { rules: vec![MaskRule::Email; 51] };
        assert_eq!(many.check().unwrap_err().fields["pointer"], "/rules");
    }
}
