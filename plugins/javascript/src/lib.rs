//! Parses the scripts of a package for auditors.
//!
//! What all such auditors have to get right is implemented here once: which files are read, what happens to those that
//! are too big, nested too deeply or do not parse (a warning, never a failure), and how an offset becomes a line and a
//! column.

mod alike;
mod calls;
mod imports;
mod known;
mod nesting;
mod texts;

use berth_policy::{File, Finding, Package, Place, package::unreadable, text::Lines};
use oxc_allocator::Allocator;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::SourceType;

pub use alike::{About, Alike, in_more};
pub use calls::{Call, Member, calls};
pub use imports::{Import, When, imports};
pub use known::{Text, Value, Values, exports};
pub use oxc_allocator::ArenaVec;
pub use oxc_ast::ast;
pub use oxc_ast_visit as visit;
pub use oxc_semantic as semantic;
pub use oxc_span as span;
pub use texts::texts;

/// How deep brackets in a script may be nested. Real bundles stay below 200. The parser recurses: at this depth it
/// needs up to 1 MiB of wasm stack. The stack of 8 MiB suffices for an `else if` chain or a sum of 20,000 parts, which
/// have no brackets.
const MAX_NESTING: usize = 400;
/// How many findings of one rule and severity in one file are listed one by one.
const MAX_ALIKE: usize = 20;

/// A file that is being audited.
pub struct Source {
    /// The path in the package.
    pub path: String,
    /// The content as text.
    pub text: String,
}

/// The findings of a file, with their byte offsets.
pub type Found = Vec<(u32, Finding)>;

/// Whether a path names a script: `.js`, `.mjs`, `.cjs` or `.wxs`.
pub fn is_script(path: &str) -> bool {
    [".js", ".mjs", ".cjs", ".wxs"].iter().any(|extension| path.ends_with(extension))
}

/// Judges every file that `wanted` chooses, one after the other. A file above `max_bytes` is not judged; a warning says
/// so. The error says which file could not be read.
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

/// The findings in the order of the text and with places, but at most [`MAX_ALIKE`] (and one that says there are more)
/// of one rule and severity.
fn told(source: &Source, mut found: Found) -> Vec<Finding> {
    if found.is_empty() {
        return Vec::new();
    }
    found.sort_by_key(|(offset, _)| *offset);
    let lines = Lines::of(&source.text);
    let mut findings: Vec<Finding> = Vec::new();
    for (offset, finding) in found {
        // A grave finding is not lost behind slight ones.
        let alike = |have: &&Finding| have.rule == finding.rule && have.severity == finding.severity;
        match findings.iter().filter(alike).count() {
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

/// Parses a script and passes its program on. The error has the finding about a script that cannot be examined:
/// `unparsable` when it does not parse, `not-examined` when it is nested too deeply.
///
/// A text is parsed as a module only if it can be nothing else. A `return` outside a function is allowed, because
/// runtimes of mini-programs wrap every file into a function. Parentheses leave no trace in the tree.
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

/// Parses JSON and passes its value on. `None` when the text does not parse or is nested too deeply, which other
/// policies report.
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
