//! Words of the developer in two languages, and whether a change of them is more than a correction.

use berth_base::{error::Result, text};
use serde::{Deserialize, Serialize};

/// Words in one or both languages. Where a language is missing, the other one is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Words {
    /// In English; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub en: String,
    /// In Chinese; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub zh: String,
}

berth_base::text::text_enum! {
    /// A language of an agreement.
    Language {
        /// English.
        En = "en",
        /// Chinese.
        Zh = "zh",
    }
}

/// How words became other ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reworded {
    /// Not at all.
    Same,
    /// By a correction: a slip of the pen, punctuation, or a language that is left out.
    Corrected,
    /// They say something else, or may.
    Anew,
}

impl Words {
    /// The same words in both languages.
    pub fn same(text: &str) -> Self {
        Self { en: text.to_owned(), zh: text.to_owned() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.en.is_empty() && self.zh.is_empty()
    }

    /// The words in a language, or in the other one.
    pub fn in_language(&self, language: Language) -> &str {
        let (own, other) = match language {
            Language::En => (&self.en, &self.zh),
            Language::Zh => (&self.zh, &self.en),
        };
        if own.is_empty() { other } else { own }
    }

    /// The words trimmed, if they have a form that can be shown: at most `max` characters in each language.
    ///
    /// # Errors
    /// `invalid-field` for the member of `field` that breaks a rule.
    pub fn checked(&self, field: &str, max: usize) -> Result<Self> {
        let one = |language: &str, words: &str| match words.trim() {
            "" => Ok(String::new()),
            words => text::prose(&format!("{field}.{language}"), words, max),
        };
        Ok(Self { en: one("en", &self.en)?, zh: one("zh", &self.zh)? })
    }

    /// How they become `after`. Who read the one language has not agreed to what another one says, so a language that
    /// comes is something new, and one that goes is not.
    pub fn reworded(&self, after: &Self) -> Reworded {
        let one = |before: &str, after: &str| match (before, after) {
            _ if before == after => Reworded::Same,
            (_, "") => Reworded::Corrected,
            ("", _) => Reworded::Anew,
            _ if is_correction(before, after) => Reworded::Corrected,
            _ => Reworded::Anew,
        };
        if after.is_empty() && !self.is_empty() {
            return Reworded::Anew;
        }
        one(&self.en, &after.en).max(one(&self.zh, &after.zh))
    }
}

/// How many words may be corrected in a text that has as many words.
fn most_corrected(words: usize) -> usize {
    if words < 24 { 1 } else { 2 }
}

/// Below how many words no Chinese character can be corrected: in a short text each decides what is meant.
const FEW: usize = 24;
/// Below how many letters no word can be corrected: `sell` is not a slip for `tell`.
const SHORT: usize = 6;

/// Words that turn a sentence into its opposite, or limit it.
const NEGATIONS: [&str; 18] = [
    "no", "not", "never", "without", "except", "unless", "only", "none", "不", "非", "无", "未", "勿", "没", "禁",
    "除", "仅", "只",
];

/// Whether a text differs from another one by a slip of the pen only: in case, width, spaces and punctuation, or in a few
/// letters of long words. Numbers and negations are never slips. It errs on the side of asking users again.
fn is_correction(before: &str, after: &str) -> bool {
    let (before, after) = (tokens(before), tokens(after));
    if before.len() != after.len() {
        return false;
    }
    let mut differing = before.iter().zip(&after).filter(|(one, other)| one != other);
    let all_slips = differing.clone().all(|(one, other)| is_slip(one, other, before.len()));
    all_slips && differing.by_ref().count() <= most_corrected(before.len())
}

fn is_slip(one: &str, other: &str, words: usize) -> bool {
    let has_digit = |word: &str| word.chars().any(char::is_numeric);
    if [one, other].iter().any(|word| NEGATIONS.contains(word) || has_digit(word)) {
        return false;
    }
    let letters = |word: &str| word.chars().count();
    match (letters(one), letters(other)) {
        (1, 1) => words >= FEW && !one.is_ascii() && !other.is_ascii(),
        (a, b) if a.min(b) < SHORT => false,
        _ => strsim::osa_distance(one, other) <= 1,
    }
}

/// The words of a text in lower case and narrow letters: runs of letters and digits, and each character of a script that
/// writes no spaces. A point or comma between digits belongs to the number.
fn tokens(text: &str) -> Vec<String> {
    let text: Vec<char> = text.chars().map(narrow).flat_map(char::to_lowercase).collect();
    let (mut tokens, mut word) = (Vec::new(), String::new());
    for (at, &c) in text.iter().enumerate() {
        let digit = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(char::is_ascii_digit);
        let in_number = matches!(c, '.' | ',') && digit(at.checked_sub(1)) && digit(Some(at + 1));
        if is_ideograph(c) {
            tokens.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            tokens.push(c.to_string());
        } else if c.is_alphanumeric() || in_number {
            word.push(c);
        } else {
            tokens.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
    }
    tokens.extend((!word.is_empty()).then_some(word));
    tokens
}

fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        c => c,
    }
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn en(text: &str) -> Words {
        Words { en: text.into(), zh: String::new() }
    }

    #[test]
    fn d10_a_slip_of_the_pen_is_a_correction_and_nothing_else_is() {
        let long = "为了向您推荐附近的门店以及为您计算配送的费用和时间并显示在地图上";
        let typo = long.replace("地图", "地囤");
        for (before, after, expected) in [
            ("to find shops", "to find shops", Reworded::Same),
            ("to find shops", "To find shops.", Reworded::Corrected),
            ("to  find、shops", "to find, shops", Reworded::Corrected),
            ("ＡＢＣ地图", "abc 地图", Reworded::Corrected),
            ("to recieve orders", "to receive orders", Reworded::Corrected),
            (&typo, long, Reworded::Corrected),
            ("to find shops", "to sell shops", Reworded::Anew),
            ("to tell you", "to sell you", Reworded::Anew),
            ("to find shops", "to find shops and for advertising", Reworded::Anew),
            ("to find shops", "", Reworded::Anew),
            ("kept for 30 days", "kept for 90 days", Reworded::Anew),
            ("kept for 1.5 days", "kept for 15 days", Reworded::Anew),
            ("used for advertising", "not used for advertising", Reworded::Anew),
            ("用于登录", "用于广告", Reworded::Anew),
            ("用于推送", "用于推广", Reworded::Anew),
            (
                "为了向您推荐附近的门店以及为您计算配送的费用和时间但是不会公开",
                "为了向您推荐附近的门店以及为您计算配送的费用和时间但是均会公开",
                Reworded::Anew,
            ),
        ] {
            assert_eq!(en(before).reworded(&en(after)), expected, "{before} → {after}");
        }
    }

    #[test]
    fn d10_a_language_that_comes_is_new_and_one_that_goes_is_not() {
        let both = Words { en: "to find shops".into(), zh: "查找门店".into() };
        assert_eq!(en("to find shops").reworded(&both), Reworded::Anew);
        assert_eq!(both.reworded(&en("to find shops")), Reworded::Corrected);
    }

    proptest! {
        #[test]
        fn d10_words_are_themselves_whatever_their_case_and_spaces(text in "[a-z0-9 ]{0,30}[\\PC]{0,10}") {
            let shouted: String = text.chars().map(|c| c.to_ascii_uppercase()).collect();
            prop_assert_eq!(en(&text).reworded(&en(&text)), Reworded::Same);
            prop_assert!(en(&text).reworded(&en(&shouted)) <= Reworded::Corrected || text.is_empty());
        }
    }
}
