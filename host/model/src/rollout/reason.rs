//! The reasons of failures, as they are grouped (G8).

/// How many bytes of the first line count.
const LONGEST: usize = 256;

/// The reason in what a device says about a failure: its first line, with single spaces. What differs from device to
/// device is replaced by `…`, so that equal failures are one reason: numbers of four digits and more, addresses and ids.
/// Short numbers stay, because they may be status codes.
pub fn reason(detail: &str) -> String {
    let line = detail.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line = &line[..line.floor_char_boundary(LONGEST)];
    line.split(|c: char| c.is_whitespace() || c == '\0')
        .map(without_ids)
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The word with `…` in place of each id in it.
fn without_ids(word: &str) -> String {
    let mut told = String::with_capacity(word.len());
    for part in word.split_inclusive(|c: char| !is_of_id(c)) {
        let id = part.trim_end_matches(|c: char| !is_of_id(c));
        told.push_str(if is_id(id) { "…" } else { id });
        told.push_str(&part[id.len()..]);
    }
    told
}

fn is_of_id(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

/// Whether this is a long number, an address in memory, a hash or a UUID.
fn is_id(text: &str) -> bool {
    let hex = text.strip_prefix("0x");
    let digits = hex.unwrap_or(text);
    let all = |is: fn(char) -> bool| digits.chars().all(|c| is(c) || c == '-');
    let some_digit = digits.chars().any(|c| c.is_ascii_digit());
    match digits.len() {
        0..4 => false,
        4..8 if hex.is_none() => all(|c| c.is_ascii_digit()) && some_digit,
        _ => all(|c| c.is_ascii_hexdigit()) && some_digit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g8_what_differs_from_device_to_device_is_left_out_of_a_reason() {
        for (detail, expected) in [
            ("", ""),
            ("  \n  ", ""),
            ("TypeError: x is\tundefined\n    at app.js:10:7", "TypeError: x is undefined"),
            ("timeout after 12034 ms", "timeout after … ms"),
            ("status 404", "status 404"),
            ("status 500, try 2", "status 500, try 2"),
            ("segfault at 0x7ffe12 in libfoo.so", "segfault at … in libfoo.so"),
            ("no file 123e4567-e89b-12d3-a456-426614174000.js", "no file ….js"),
            ("sha256 9f86d081884c7d65 differs", "sha256 … differs"),
            ("e-commerce deadbeef page2", "e-commerce deadbeef page2"),
            ("页面 3 崩溃", "页面 3 崩溃"),
        ] {
            assert_eq!(reason(detail), expected, "{detail:?}");
        }
        assert_eq!(reason("nul\0in a text"), "nul in a text");
        assert_eq!(reason(&"é".repeat(200)), "é".repeat(128), "as much as fits into 256 bytes");
    }
}
