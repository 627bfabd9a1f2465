//! The types of the fields of messages, and what fits them: those of WeChat, so that templates and code move over.

use berth_base::text::{can_be_seen, text_enum, turns_direction};

text_enum! {
    /// The type of a field.
    MessageFieldType {
        /// Any text of 1 to 20 characters, of which one can be seen and none turns the direction of reading.
        Thing = "thing",
        /// A number of up to 32 digits, with a decimal point or without.
        Number = "number",
        /// Up to 32 letters.
        Letter = "letter",
        /// Up to 5 symbols.
        Symbol = "symbol",
        /// Up to 32 digits, letters and symbols.
        CharacterString = "character_string",
        /// A time of day, with a date before it or without: `15:01`, `2026-01-31 15:01`, `2026年1月31日 15:01`.
        Time = "time",
        /// A date, with a time after it or without: `2026-01-31`, `2026年1月31日`.
        Date = "date",
        /// A sign of a currency if wanted, and a number of up to 10 digits, with a decimal point or without: `¥32.00`, `32元`.
        Amount = "amount",
        /// Up to 17 digits and signs of a phone number: `+86-766-66888866`.
        PhoneNumber = "phone_number",
        /// The number of a car: up to 8 characters, the first and the last of which may be Chinese: `粤A8Z888挂`.
        CarNumber = "car_number",
        /// A name of up to 10 Chinese characters, or up to 20 letters and spaces.
        Name = "name",
        /// Up to 5 Chinese characters.
        Phrase = "phrase",
    }
}

fn is_chinese(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// Whether the text has 1 to `most` characters, all of which are `good`.
fn all(text: &str, most: usize, good: impl Fn(char) -> bool) -> bool {
    (1..=most).contains(&text.chars().count()) && text.chars().all(good)
}

fn is_number(text: &str, digits: usize) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole) && part.is_none_or(is_digits) && whole.len() + part.map_or(0, str::len) <= digits
}

/// Whether the text is a number with one or two digits that is at most `most`.
fn is_part(text: &str, least: u8, most: u8) -> bool {
    all(text, 2, |c| c.is_ascii_digit()) && text.parse().is_ok_and(|number: u8| (least..=most).contains(&number))
}

fn is_clock(text: &str) -> bool {
    let parts: Vec<_> = text.split(':').collect();
    matches!(parts[..], [_, _] | [_, _, _])
        && is_part(parts[0], 0, 23)
        && parts[1..].iter().all(|part| part.len() == 2 && is_part(part, 0, 59))
}

fn is_day(text: &str) -> bool {
    let chinese = text.strip_suffix('日').map(|text| text.replacen('年', "-", 1).replacen('月', "-", 1));
    let text = chinese.unwrap_or_else(|| text.replace('/', "-"));
    let parts: Vec<_> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let last = match month.trim_start_matches('0') {
        "2" => 29,
        "4" | "6" | "9" | "11" => 30,
        _ => 31,
    };
    year.len() == 4 && all(year, 4, |c| c.is_ascii_digit()) && is_part(month, 1, 12) && is_part(day, 1, last)
}

impl MessageFieldType {
    /// Whether a text fits. Texts have no spaces at their ends and no control characters.
    pub fn fits(self, text: &str) -> bool {
        let symbol = |c: char| c.is_ascii_punctuation();
        if text.trim() != text || text.chars().any(char::is_control) {
            return false;
        }
        match self {
            Self::Thing => all(text, 20, |c| !turns_direction(c)) && can_be_seen(text),
            Self::Number => is_number(text, 32),
            Self::Letter => all(text, 32, |c| c.is_ascii_alphabetic()),
            Self::Symbol => all(text, 5, symbol),
            Self::CharacterString => all(text, 32, |c| c.is_ascii_alphanumeric() || symbol(c)),
            Self::Time => {
                is_clock(text) || text.rsplit_once(' ').is_some_and(|(day, clock)| is_day(day) && is_clock(clock))
            }
            Self::Date => {
                is_day(text) || text.rsplit_once(' ').is_some_and(|(day, clock)| is_day(day) && is_clock(clock))
            }
            Self::Amount => is_amount(text),
            Self::PhoneNumber => {
                all(text, 17, |c| c.is_ascii_digit() || "+-() ".contains(c)) && text.chars().any(|c| c.is_ascii_digit())
            }
            Self::CarNumber => is_car_number(text),
            Self::Name => all(text, 10, |c| is_chinese(c) || c == '·') || all(text, 20, is_of_name),
            Self::Phrase => all(text, 5, is_chinese),
        }
    }

    /// What fits, in words.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Thing => "1 to 20 characters that can be seen, without direction marks",
            Self::Number => "a number of up to 32 digits",
            Self::Letter => "1 to 32 letters a-z",
            Self::Symbol => "1 to 5 symbols",
            Self::CharacterString => "1 to 32 digits, letters and symbols, without spaces",
            Self::Time => "a time such as 15:01 or 2026-01-31 15:01",
            Self::Date => "a date such as 2026-01-31",
            Self::Amount => "an amount of up to 10 digits such as ¥32.00 or 32元",
            Self::PhoneNumber => "1 to 17 digits and signs of a phone number",
            Self::CarNumber => "the number of a car, up to 8 characters",
            Self::Name => "up to 10 Chinese characters, or up to 20 letters and spaces",
            Self::Phrase => "1 to 5 Chinese characters",
        }
    }
}

fn is_amount(text: &str) -> bool {
    let text = text.strip_prefix(['¥', '￥', '$', '€', '£']).unwrap_or(text);
    is_number(text.strip_suffix('元').unwrap_or(text), 10)
}

fn is_car_number(text: &str) -> bool {
    let count = text.chars().count();
    let good =
        |(place, c): (usize, char)| c.is_ascii_alphanumeric() || is_chinese(c) && (place == 0 || place + 1 == count);
    (2..=8).contains(&count) && text.chars().enumerate().all(good)
}

fn is_of_name(c: char) -> bool {
    c.is_alphabetic() && !is_chinese(c) || c == ' ' || c == '.' || c == '-' || c == '\''
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m5_each_type_takes_what_its_rule_says_and_nothing_else() {
        use MessageFieldType::*;
        let cases: [(MessageFieldType, &[&str], &[&str]); 12] = [
            (
                Thing,
                &["Latte", "一杯拿铁，大杯", "👩‍👩‍👧", "12345678901234567890"],
                &["", " a", "a\n", "123456789012345678901", "\u{200b}\u{3164}", "gro\u{202e}.elpmaxe"],
            ),
            (
                Number,
                &["0", "20", "-3.5", "12345678901234567890123456789012"],
                &["", "1,000", "1.", ".5", "1e3", "１", "123456789012345678901234567890123"],
            ),
            (Letter, &["abc", "ABC"], &["", "a1", "é", "a b"]),
            (Symbol, &["*", "!?#"], &["", "a", "!!!!!!", "。"]),
            (CharacterString, &["SO-2026_01", "*6789"], &["", "a b", "订单", "123456789012345678901234567890123"]),
            (
                Time,
                &["15:01", "9:05:59", "2026-01-31 15:01", "2026年1月31日 15:01"],
                &["", "24:00", "15:1", "15", "2026-01-31", "2026-13-01 15:01", "15:01 "],
            ),
            (
                Date,
                &["2026-01-31", "2026/1/31", "2026年1月31日", "2026-02-29 08:00"],
                &["", "2026-02-30", "2026-04-31", "31.1.2026", "26-01-31", "2026-01", "tomorrow"],
            ),
            (Amount, &["32", "¥32.00", "32元", "$0.5"], &["", "¥", "32 元", "12345678901", "32.00.1"]),
            (
                PhoneNumber,
                &["13800000000", "+86-766-66888866", "(021) 12345678"],
                &["", "---", "phone", "123456789012345678"],
            ),
            (CarNumber, &["沪A12345", "粤A8Z888挂", "B1234"], &["", "A", "沪A沪2345", "沪A1234567"]),
            (
                Name,
                &["王小明", "Alice O'Neill", "阿凡提·买买提", "Zoë"],
                &["", "王小明王小明王小明王小", "Alice1", "abcdefghijklmnopqrstu", "王 Alice"],
            ),
            (Phrase, &["已受理", "通过"], &["", "六个汉字的话", "ok", "通过!"]),
        ];
        for (kind, good, bad) in cases {
            good.iter().for_each(|text| assert!(kind.fits(text), "{kind} {text:?}"));
            bad.iter().for_each(|text| assert!(!kind.fits(text), "{kind} {text:?}"));
        }
        assert_eq!(MessageFieldType::ALL.len(), 12, "a type without a case");
    }
}
