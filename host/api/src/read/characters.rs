//! Halves of characters in JSON: `"\ud83d"` is what JavaScript writes of a text that it has cut within an emoji. It is JSON by
//! its grammar (RFC 8259, section 8.2) and no text.

use std::borrow::Cow;

/// Length of an escape such as `\ud83d`.
const ESCAPE: usize = 6;

/// A JSON text with U+FFFD in place of each half of a character.
pub fn whole_characters(json: &str) -> Cow<'_, str> {
    let (mut whole, mut rest) = (String::new(), json);
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        let (taken, is_half) = match (unit(escape), escape.get(ESCAPE..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (2 * ESCAPE, false),
            (Some(0xd800..=0xdfff), _) => (ESCAPE, true),
            // The escaped character cannot begin an escape.
            _ => (1 + escape[1..].chars().next().map_or(0, char::len_utf8), false),
        };
        whole.push_str(before);
        whole.push_str(if is_half { r"\ufffd" } else { &escape[..taken] });
        rest = &escape[taken..];
    }
    if whole.is_empty() {
        return Cow::Borrowed(json);
    }
    whole.push_str(rest);
    Cow::Owned(whole)
}

/// The UTF-16 unit that a text begins with as an escape.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_a_character_becomes_the_replacement_character_and_all_else_stays() {
        for (json, text) in [
            (r#""cut \ud83d""#, "cut \u{fffd}"),
            (r#""\ude00 first""#, "\u{fffd} first"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
            (r#""\uD83D\uDE00""#, "\u{1f600}"),
            (r#""\\ud83d \n \u00e9 é""#, "\\ud83d \n é é"),
        ] {
            assert_eq!(serde_json::from_str::<String>(&whole_characters(json)).unwrap(), text, "{json}");
        }
        assert!(matches!(whole_characters("{\"a\": 1}"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn what_is_whole_stays_as_it_is(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(&whole_characters(&json), &json);
        }

        #[test]
        fn no_text_of_escapes_is_refused(units in prop::collection::vec(any::<u16>(), 0..20)) {
            let escapes: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let read: String = serde_json::from_str(&whole_characters(&format!("\"{escapes}\""))).unwrap();
            prop_assert_eq!(read, String::from_utf16_lossy(&units));
        }

        #[test]
        fn any_text_is_taken(text in any::<String>()) {
            whole_characters(&text);
        }
    }
}
