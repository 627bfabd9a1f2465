//! Estimates how many bytes minifying would leave out.

use berth_policy::{File, Package};

/// Extensions of what tools minify.
const ENDINGS: [&str; 14] =
    ["js", "wxs", "sjs", "wxss", "acss", "ttss", "qss", "jxss", "css", "wxml", "axml", "ttml", "swan", "qml"];
/// How many bytes a file may have to be read. Larger ones are mostly bundles, which are minified or have other reasons to be
/// large.
const MAX_BYTES: u64 = 4 << 20;

/// The bytes of a file that are indentation, ends of lines and lines of comments. Texts within scripts may count, too, and
/// shorter names do not: it is an estimate.
pub fn of(package: &dyn Package, file: &File) -> u64 {
    let ending = file.path.rsplit('.').next().unwrap_or_default();
    if file.size > MAX_BYTES || !ENDINGS.contains(&ending) {
        return 0;
    }
    package.read_text(&file.path).map_or(0, |text| text.lines().map(in_line).sum())
}

fn in_line(line: &str) -> u64 {
    let kept = line.trim();
    let is_comment = ["//", "/*", "* ", "*/", "<!--"].iter().any(|start| kept.starts_with(start));
    let left_out = if is_comment { line.len() } else { line.len() - kept.len() };
    left_out as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indentation_ends_of_lines_and_comments_are_slack() {
        for (line, bytes) in [("a()", 1), ("    a()  ", 7), ("// a", 5), (" * b", 5), ("", 1), ("<!-- c -->", 11)] {
            assert_eq!(in_line(line), bytes, "{line}");
        }
    }
}
