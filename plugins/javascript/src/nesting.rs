//! Determines how deep a script is nested, without parsing it.

/// The deepest nesting of brackets outside strings. It is an estimate that only has to tell thousands from dozens:
/// regular expressions, comments and templates are read as code.
pub fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'(' | b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' | b'\'' => skip_string(&mut bytes, byte),
            _ => {}
        }
    }
    deepest
}

/// Skips to the closing quote or to the end of the line, at which an apostrophe in a comment ends.
fn skip_string(bytes: &mut std::str::Bytes<'_>, quote: u8) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => _ = bytes.next(),
            b'\n' => return,
            _ if byte == quote => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_nest_and_strings_do_not() {
        assert_eq!(depth("a(b[c{d}])(e)"), 3);
        assert_eq!(depth(r#"a("((((", '\'((((') // don't (((("#), 1);
        assert_eq!(depth(")))((("), 3);
    }
}
