//! The scripts of a package, parsed, for auditors.
//!
//! What every such auditor has to get right is here once: which files are read, what happens to those that are too big,
//! nested too deeply or do not parse (a warning, never a failure), and how an offset becomes a line and a column.

mod imports;
mod nesting;
mod texts;

use berth_policy::{File, Finding, Package, Place, package::unreadable, text::Lines};
use oxc_allocator::Allocator;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::SourceType;

pub use imports::{Import, When, imports};
pub use oxc_allocator::ArenaVec;
pub use oxc_ast::ast;
pub use oxc_ast_visit as visit;
pub use oxc_semantic as semantic;
pub use oxc_span as span;
pub use texts::texts;

/// A script may nest as deep as this. Real bundles stay below 200. A parser recurses: this deep it needs up to 1 MiB of
/// wasm stack, and 8 MiB hold an `else if` chain or a sum of 20,000 parts, which have no brackets.
const MAX_NESTING: usize = 400;
/// Findings of one rule in one file that are told one by one.
const MAX_ALIKE: usize = 20;

/// A file under audit.
pub struct Source {
    /// Its path in the package.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// What is told of a file, at byte offsets.
pub type Found = Vec<(u32, Finding)>;

/// Whether a path names a script: `.js`, `.mjs`, `.cjs` or `.wxs`.
pub fn is_script(path: &str) -> bool {
    [".js", ".mjs", ".cjs", ".wxs"].iter().any(|extension| path.ends_with(extension))
}

/// Judges every file that `wanted` chooses, one after the other. Files above `max_bytes` are not judged, which is told
/// in a warning.
pub fn each_file(
    package: &dyn Package,
    max_bytes: u64,
    wanted: impl Fn(&str) -> bool,
    judge: impl Fn(&Source) -> Found,
) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    for file in package.files().into_iter().filter(|file| wanted(&file.path)) {
        if file.size > max_bytes {
            findings.push(too_big(&file, max_bytes));
            continue;
        }
        let text = package.read_text(&file.path).map_err(|error| unreadable(&file.path, error))?;
        let source = Source { path: file.path, text };
        findings.extend(told(&source, judge(&source)));
    }
    Ok(findings)
}

fn too_big(file: &File, max_bytes: u64) -> Finding {
    let message = format!("{} has {} bytes and was not examined; the limit is {max_bytes}.", file.path, file.size);
    Finding::warning("not-examined", message)
        .at(Place::file(&file.path))
        .fix("Split the file, or raise max_file_bytes.")
}

/// In the order of the text, with places, and not more than [`MAX_ALIKE`] of one rule.
fn told(source: &Source, mut found: Found) -> Vec<Finding> {
    if found.is_empty() {
        return Vec::new();
    }
    found.sort_by_key(|(offset, _)| *offset);
    let lines = Lines::of(&source.text);
    let mut findings: Vec<Finding> = Vec::new();
    for (offset, finding) in found {
        match findings.iter().filter(|have| have.rule == finding.rule).count() {
            MAX_ALIKE => findings.push(finding.at(lines.place(&source.path, offset as usize)).and_more()),
            0..MAX_ALIKE => findings.push(finding.at(lines.place(&source.path, offset as usize))),
            _ => {}
        }
    }
    findings
}

trait AndMore {
    fn and_more(self) -> Self;
}

impl AndMore for Finding {
    fn and_more(mut self) -> Self {
        self.message = format!("{} And more of the kind in this file, which are not listed.", self.message);
        self
    }
}

/// Parses a script and hands its program on. The error is what to tell of a script that cannot be examined: one that
/// does not parse is `unparsable`, one that nests too deeply `not-examined`.
///
/// A text is taken for a module if it can only be one; a `return` outside of a function is allowed, because
/// mini-program runtimes wrap every file into one. Parentheses leave no trace in the tree.
pub fn with_program<R>(source: &Source, judge: impl FnOnce(&ast::Program<'_>) -> R) -> Result<R, Found> {
    if nesting::depth(&source.text) > MAX_NESTING {
        return Err(too_deep(source));
    }
    let allocator = Allocator::default();
    let parsed =
        Parser::new(&allocator, &source.text, SourceType::unambiguous().with_jsx(true)).with_options(options()).parse();
    if !parsed.panicked {
        return Ok(judge(&parsed.program));
    }
    let first = parsed.diagnostics.iter().next();
    let offset = first.and_then(|error| error.labels.first()).map_or(0, |label| label.offset());
    Err(unparsable(source, offset, first.map_or_else(String::new, |error| error.to_string())))
}

/// Parses JSON and hands its value on. Nothing comes of what does not parse or nests too deeply, which is for others to
/// tell.
pub fn with_json<R>(source: &Source, judge: impl FnOnce(&ast::Expression<'_>) -> R) -> Option<R> {
    if nesting::depth(&source.text) > MAX_NESTING {
        return None;
    }
    let allocator = Allocator::default();
    let parser = Parser::new(&allocator, &source.text, SourceType::script()).with_options(options());
    parser.parse_expression().ok().map(|value| judge(&value))
}

fn options() -> ParseOptions {
    ParseOptions { allow_return_outside_function: true, preserve_parens: false, ..ParseOptions::default() }
}

fn unparsable(source: &Source, offset: u32, reason: String) -> Found {
    let message = format!("{} could not be parsed and was not examined: {reason}.", source.path);
    vec![(offset, Finding::warning("unparsable", message).fix("Correct the syntax; devices cannot run it either."))]
}

fn too_deep(source: &Source) -> Found {
    let message = format!("{} nests deeper than {MAX_NESTING} brackets and was not examined.", source.path);
    vec![(0, Finding::warning("not-examined", message).fix("Look at it by hand: nobody writes such a script."))]
}
