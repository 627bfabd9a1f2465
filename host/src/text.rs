//! Rules for text that people type.

use crate::error::{Error, Result};

/// A name: trimmed, 1 to `max` characters (Unicode scalar values), without control characters.
pub fn name(field: &str, text: &str, max: usize) -> Result<String> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > max {
        return Err(Error::field(field, format!("must have 1 to {max} characters, has {length}.")));
    }
    no_control(field, text)?;
    Ok(text.to_owned())
}

/// Free text of at most `max` characters; line breaks and tabs are welcome, other control characters are not.
pub fn prose(field: &str, text: &str, max: usize) -> Result<String> {
    let length = text.chars().count();
    if length > max {
        return Err(Error::field(field, format!("must have at most {max} characters, has {length}.")));
    }
    no_control(field, &text.replace(['\n', '\r', '\t'], ""))?;
    Ok(text.to_owned())
}

fn no_control(field: &str, text: &str) -> Result<()> {
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(Error::field(field, format!("must not contain the control character U+{:04X}.", c as u32))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g2_a_name_has_1_to_20_unicode_scalar_values() {
        assert_eq!(name("name", " 灰度 ", 20).expect("short"), "灰度");
        assert!(name("name", &"灰".repeat(20), 20).is_ok());
        assert!(name("name", &"灰".repeat(21), 20).is_err());
        assert!(name("name", "   ", 20).is_err());
        assert!(name("name", "a\u{0}b", 20).is_err());
    }
}
