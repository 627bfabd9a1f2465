//! Texts in statements: the one place where what people typed becomes a part of SQL.

use std::fmt::Write;

use berth_model::log::tokens;

/// The literal of a text. Everything that a parser could take for the end of it, or for the begin of an escape, is escaped;
/// so are signs below the space, which no log of a server should have to show.
pub fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('\'');
    for c in text.chars() {
        match c {
            '\'' => literal.push_str("\\'"),
            '\\' => literal.push_str("\\\\"),
            '\0'..='\x1f' | '\x7f' => {
                let _ = write!(literal, "\\x{:02X}", c as u32);
            }
            c => literal.push(c),
        }
    }
    literal.push('\'');
    literal
}

/// The pattern of `LIKE` for whatever has this text somewhere.
pub fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// The words of a text in their order, each between two spaces. Words have no space in them, so that a phrase is found by
/// looking for it as a text.
pub fn words(text: &str) -> String {
    spaced(tokens(text))
}

/// A phrase, as it stands in what [`words`] made of a text that says it.
pub fn phrase(words: &[String]) -> String {
    spaced(words.iter())
}

fn spaced(words: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut spaced = String::from(" ");
    for word in words {
        spaced.push_str(word.as_ref());
        spaced.push(' ');
    }
    spaced
}

#[cfg(test)]
mod tests {
    use berth_model::log::{is_said, phrases};
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    /// What a server reads from the begin of a statement: the text of a literal, and what follows it. The rules are those
    /// of ClickHouse: a backslash makes the next sign a part of the text, two quotes are one.
    fn read(statement: &str) -> Option<(String, &str)> {
        let mut rest = statement.strip_prefix('\'')?;
        let mut text = String::new();
        loop {
            let c = rest.chars().next()?;
            rest = &rest[c.len_utf8()..];
            match c {
                '\'' if rest.starts_with('\'') => {
                    rest = &rest[1..];
                    text.push('\'');
                }
                '\'' => return Some((text, rest)),
                '\\' => {
                    let escaped = rest.chars().next()?;
                    rest = &rest[escaped.len_utf8()..];
                    match escaped {
                        'x' => {
                            let code = u8::from_str_radix(rest.get(..2)?, 16).ok()?;
                            rest = &rest[2..];
                            text.push(char::from(code));
                        }
                        '\\' | '\'' => text.push(escaped),
                        _ => return None,
                    }
                }
                c => text.push(c),
            }
        }
    }

    proptest! {
        #[test]
        fn d15_a_literal_is_read_as_its_text_whatever_the_text_is(
            text in "(\\PC|['\\\\\"`;%_{}?\n\0-]){0,40}", after in "[ ');a-z]{0,5}"
        ) {
            // A quote right after a literal would go on with it, and no statement has one there.
            let after = format!(" {after}");
            let statement = format!("{}{after}", literal(&text));
            prop_assert_eq!(read(&statement), Some((text, after.as_str())));
        }

        #[test]
        fn d15_a_phrase_is_found_as_a_text_where_the_pure_rule_finds_it(
            message in "[a-cA-C支付İ .,-]{0,14}", typed in "[a-c支İ-]{1,4}( [a-c付]{1,2})?"
        ) {
            let said = phrases(&typed).iter().all(|one| words(&message).contains(&phrase(one)));
            prop_assert_eq!(said, is_said(&message, &phrases(&typed)));
            prop_assert!(!words(&message).contains("  ") || tokens(&message).next().is_none());
        }
    }

    #[test]
    fn d15_literals_and_patterns_escape_what_would_end_or_bend_them() {
        assert_eq!(literal("it's \\ 100%\n支"), "'it\\'s \\\\ 100%\\x0A支'");
        assert_eq!(pattern("50%_\\x"), "%50\\%\\_\\\\x%");
        assert_eq!(words("Pay-Orders 支付!"), " pay orders 支 付 ");
        assert_eq!(words("!"), " ");
    }
}
