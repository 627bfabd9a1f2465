//! Tells whether a text looks random, as a secret does, or written, as everything else does.

/// The Shannon entropy of a text in bits per character.
pub fn entropy(text: &str) -> f64 {
    let mut counts = [0u32; 256];
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let length = text.len() as f64;
    let part = |count: u32| {
        let share = f64::from(count) / length;
        -share * share.log2()
    };
    counts.into_iter().filter(|count| *count > 0).map(part).sum()
}

/// Whether the text is random enough for its alphabet. Of texts with 32 random hexadecimal characters one in a million
/// has less than 2.9 bits per character, and of those with 40 random base64 characters less than 4.2.
pub fn is_random(text: &str) -> bool {
    let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let enough = if hexadecimal { 2.9 } else { 3.5 };
    entropy(text) >= enough && has_digit_and_letter(text) && !has_run(text) && !is_placeholder(text)
}

fn has_digit_and_letter(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Whether the text has five consecutive characters that count up, or six that are equal: `12345`, `abcde`, `000000`.
fn has_run(text: &str) -> bool {
    let bytes = text.as_bytes();
    let up = |five: &[u8]| five.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1));
    let equal = |six: &[u8]| six.windows(2).all(|pair| pair[1] == pair[0]);
    bytes.windows(5).any(up) || bytes.windows(6).any(equal)
}

/// Whether the text contains a word that no secret contains.
pub fn is_placeholder(text: &str) -> bool {
    const WORDS: [&str; 15] = [
        "example",
        "sample",
        "placeholder",
        "your",
        "xxxx",
        "test",
        "demo",
        "dummy",
        "fake",
        "mock",
        "changeme",
        "replace",
        "secret",
        "deadbeef",
        "todo",
    ];
    let lower = text.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}
