//! Comments cite the numbers of `tests/RULES.md`. Those who read the description of the API do not have that page, so it
//! goes without them.

/// The text without the parentheses in which only numbers of rules stand.
pub(crate) fn numberless(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(" (") {
        let inside = &rest[start + 2..];
        let cited = inside.find(')').filter(|end| inside[..*end].split([',', '–']).all(|one| is_number(one.trim())));
        kept.push_str(&rest[..cited.map_or(start + 2, |_| start)]);
        rest = cited.map_or(inside, |end| &inside[end + 1..]);
    }
    kept + rest
}

/// Whether this is the number of a rule, such as `V12`.
fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_uppercase());
    text.len() == digits.len() + 1 && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_of_rules_are_left_out() {
        for (text, expected) in [
            ("Publish (V7, V8). Then (see below) rest.", "Publish. Then (see below) rest."),
            ("It holds (A1–A4), in all (I1)", "It holds, in all"),
            ("Bytes (at most 256) of UTF8 (E)", "Bytes (at most 256) of UTF8 (E)"),
            ("An open one (V7", "An open one (V7"),
            ("An open one (as here, and then (G4)", "An open one (as here, and then"),
        ] {
            assert_eq!(numberless(text), expected);
        }
    }
}
