//! Words of a message, and when it says the words that somebody looks for.
//!
//! A word is a run of letters and digits, in lower case. Chinese, Japanese and Korean are written without spaces, so that
//! each of their characters is a word of its own. What somebody types between two spaces is a phrase: its words must
//! stand one after the other. `支付 timeout` finds messages with 支 before 付, and with `timeout`.

/// The words of a text, in their order.
pub fn tokens(text: &str) -> impl Iterator<Item = String> + '_ {
    let mut rest = text.chars().peekable();
    std::iter::from_fn(move || {
        while rest.next_if(|c| !c.is_alphanumeric()).is_some() {}
        let first = rest.next()?;
        let mut word: String = first.to_lowercase().collect();
        if !is_a_word(first) {
            while let Some(next) = rest.next_if(|c| c.is_alphanumeric() && !is_a_word(*c)) {
                word.extend(next.to_lowercase());
            }
        }
        Some(word)
    })
}

/// Whether the character is a word by itself: Han, Kana, Hangul and Bopomofo.
fn is_a_word(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Words that must stand one after the other.
pub type Phrase = Vec<String>;

/// The phrases that somebody looks for, as typed.
pub fn phrases(typed: &str) -> Vec<Phrase> {
    typed.split_whitespace().map(|one| tokens(one).collect::<Phrase>()).filter(|phrase| !phrase.is_empty()).collect()
}

/// Whether a text says all of the phrases.
pub fn is_said(text: &str, phrases: &[Phrase]) -> bool {
    if phrases.is_empty() {
        return true;
    }
    let words: Vec<_> = tokens(text).collect();
    phrases.iter().all(|phrase| words.windows(phrase.len()).any(|window| window == phrase.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d4_words_are_found_whole_and_in_any_case() {
        let text = "POST /v1/Pay-Orders timed out: 用户支付失败 (code=E_504, Ärger)";
        for said in [
            "timed",
            "TIMED OUT",
            "out timed",
            "pay-orders",
            "/v1/pay",
            "支付",
            "用户 失败",
            "e_504",
            "ärger",
            "",
            "  ",
            "()",
        ] {
            assert!(is_said(text, &phrases(said)), "{said}");
        }
        for unsaid in ["time", "orders-pay", "付支", "50", "timed nothing", "pay orders2"] {
            assert!(!is_said(text, &phrases(unsaid)), "{unsaid}");
        }
    }
}
