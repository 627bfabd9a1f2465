//! The patterns of `packOptions`, which the vendors' tools interpret as JavaScript does.

use fancy_regex::{Regex, RegexBuilder};
use globset::{GlobBuilder, GlobMatcher};

/// How many backtracking steps one match may take. Look-around and back-references can take exponentially many.
const MAX_STEPS: usize = 100_000;

/// A regular expression in the syntax of ECMAScript, which ignores case and whose `^` and `$` match at lines.
pub(crate) fn regexp(pattern: &str) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(&translated(pattern));
    builder.case_insensitive(true).multi_line(true).backtrack_limit(MAX_STEPS);
    builder.build().map_err(|error| format!("it is no regular expression ({error})").replace('\n', " "))
}

/// The pattern in the syntax of the engine used here, whose classes nest, whose `\d` and `\w` match all of Unicode, and
/// which refuses unknown escapes.
fn translated(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let (piece, len) = match (c, in_class) {
            ('\\', _) => escape(rest, in_class),
            ('[', false) if rest.starts_with("[^]") => (r"[\s\S]".into(), 3),
            ('[', false) if rest.starts_with("[]") => (r"[^\s\S]".into(), 2),
            ('[' | '&' | '~', true) | ('}', false) => (format!("\\{c}"), 1),
            ('{', false) => quantifier(rest),
            _ => (c.into(), c.len_utf8()),
        };
        in_class = if in_class { c != ']' } else { c == '[' && len == 1 };
        out.push_str(&piece);
        rest = &rest[len..];
    }
    out
}

/// Translates what begins with a brace: `{2}`, `{2,}`, `{2,3}`, or a brace that means itself.
fn quantifier(rest: &str) -> (String, usize) {
    let end = rest.find('}').unwrap_or_default();
    let counts = rest.get(1..end).unwrap_or_default();
    let is_count = counts.starts_with(|c: char| c.is_ascii_digit())
        && counts.matches(',').count() < 2
        && counts.bytes().all(|b| b.is_ascii_digit() || b == b',');
    if is_count { (rest[..=end].into(), end + 1) } else { (r"\{".into(), 1) }
}

/// Translates what begins with a backslash.
fn escape(rest: &str, in_class: bool) -> (String, usize) {
    let Some(c) = rest[1..].chars().next() else { return (r"\\".into(), 1) };
    let hex = |digits: usize| {
        let code = rest.get(2..2 + digits).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        code.map_or_else(|| (c.into(), 2), |code| (format!("\\x{{{code}}}"), 2 + digits))
    };
    let piece = match c {
        'd' if in_class => "0-9".into(),
        'w' if in_class => "0-9A-Za-z_".into(),
        'd' => "[0-9]".into(),
        'w' => "[0-9A-Za-z_]".into(),
        'b' if in_class => r"\x08".into(),
        '0' => r"\x00".into(),
        'u' => return hex(4),
        'x' => return hex(2),
        'b' | 's' | 'n' | 'r' | 't' | 'f' | 'v' | 'k' | '1'..='9' => format!("\\{c}"),
        c if c.is_ascii_punctuation() => format!("\\{c}"),
        c => c.into(),
    };
    (piece, 1 + c.len_utf8())
}

/// A glob as the library minimatch interprets it: `*` stays within a folder, `**` does not, neither matches hidden
/// names, and a leading `!` negates the whole.
pub(crate) struct Glob {
    matcher: GlobMatcher,
    negated: bool,
    finds_hidden: bool,
}

impl Glob {
    pub fn new(pattern: &str) -> Result<Self, String> {
        let pattern = slashed(pattern);
        let bare = pattern.trim_start_matches('!');
        if ["+(", "*(", "?(", "!(", "@(", ".."].iter().any(|group| bare.contains(group)) {
            return Err("globs with +(a|b) or {1..3} are not supported; write {a,b} or a regexp".into());
        }
        let built =
            GlobBuilder::new(bare).literal_separator(true).case_insensitive(true).backslash_escape(true).build();
        let matcher = built.map_err(|error| format!("it is no glob ({})", error.kind()))?.compile_matcher();
        let negated = (pattern.len() - bare.len()) % 2 == 1;
        Ok(Self { matcher, negated, finds_hidden: is_hidden(bare) })
    }

    pub fn is_match(&self, path: &str) -> bool {
        let found = (self.finds_hidden || !is_hidden(path)) && self.matcher.is_match(path);
        found != self.negated
    }
}

/// Replaces backslashes by slashes, as on Windows, except those that escape a special character.
fn slashed(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        let escapes = rest.peek().is_some_and(|next| "[]{}!\\".contains(*next));
        out.push(if c == '\\' && !escapes { '/' } else { c });
        if c == '\\' && escapes {
            out.extend(rest.next());
        }
    }
    out
}

fn is_hidden(path: &str) -> bool {
    path.trim_start_matches('/').starts_with('.') || path.contains("/.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(pattern: &str, path: &str) -> bool {
        regexp(pattern).expect(pattern).is_match(path).expect("few steps")
    }

    #[test]
    fn regular_expressions_are_those_of_javascript() {
        for (pattern, path, expected) in [
            (r"\.(less|scss)$", "a/b.scss", true),
            (r"^(?!keep/).*\.md$", "docs/a.md", true),
            (r"^(?!keep/).*\.md$", "keep/a.md", false),
            (r"(?<=mock)\d+", "mock12", true),
            (r"^\/docs\/", "/docs/a", true),
            (r"^[^/]+\.js$", "a.js", true),
            (r"^[[a]+$", "[a[", true),
            (r"a[&&b]c", "a&c", true),
            (r"^a{1,2}$", "aa", true),
            (r"^a{b}$", "a{b}", true),
            (r"^[^]+$", "anything", true),
            (r"\u9996\x61", "首a", true),
            (r"^\w+$", "首页", false),
            (r"^[\w-]+$", "a-b_c", true),
            (r"\-\_\@", "-_@", true),
            (r"(a)\1", "aa", true),
            (r"(?<x>a)\k<x>", "aa", true),
        ] {
            assert_eq!(finds(pattern, path), expected, "{pattern} {path}");
        }
        for pattern in ["(", "[", "*a", "(?<=a"] {
            assert!(regexp(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn globs_are_those_of_minimatch() {
        for (pattern, path, expected) in [
            ("mock/*.json", "mock/a.json", true),
            ("mock/*.json", "mock/a/b.json", false),
            ("**/*.test.js", "a/b/c.test.js", true),
            ("**/*.test.js", "c.test.js", true),
            ("docs/**", "docs/a/b", true),
            ("docs\\api\\*", "docs/api/b", true),
            ("raw/\\[a\\].js", "raw/[a].js", true),
            ("*.{md,txt}", "a.txt", true),
            ("**/*", "a/.env", false),
            ("**/.env", "a/.env", true),
            ("!keep/**", "a.js", true),
            ("!keep/**", "keep/a.js", false),
        ] {
            assert_eq!(Glob::new(pattern).expect(pattern).is_match(path), expected, "{pattern} {path}");
        }
        assert!(Glob::new("[").is_err() && Glob::new("+(a|b)").is_err() && Glob::new("{1..3}").is_err());
    }
}
