//! How large an expression may be. What an evaluation may use is limited by the host.

/// The length of an expression in bytes. The schema has the same bound, in characters.
pub const LENGTH: usize = 4096;

/// How deep an expression may nest: its brackets as they are written, and its operators as they are evaluated.
pub const DEPTH: usize = 48;

/// How many nodes each operand of `&&` may have, with what macros such as `exists` become.
pub const NODES: usize = 2_000;

/// How deep loops (`all`, `exists`, `map`, `filter`) may nest.
pub const LOOPS: usize = 2;

/// The compiled size of a regular expression in bytes.
pub const REGEX: usize = 32 << 10;

/// How many characters of an operand a reason has.
const TOLD: usize = 300;

/// The refusal of an expression that nests deeper than [`DEPTH`].
pub fn too_deep() -> String {
    format!("it nests deeper than {DEPTH} levels; a list with in is often shorter")
}

/// A text on one line, cut to what a reason has room for.
pub fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(TOLD) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
