//! The findings about code that is made at run time.

use std::collections::BTreeSet;

use berth_policy::{Finding, Severity};
use berth_policy_javascript::ast::Argument;

use crate::constants;

/// The rule about code that `eval` runs.
pub const EVAL_CALL: &str = "eval-call";
/// The rule about code that the constructor of functions makes.
pub const FUNCTION_CONSTRUCTOR: &str = "function-constructor";

pub fn eval() -> Finding {
    Finding::error(EVAL_CALL, "eval runs a text as code, which nobody can have audited.")
        .fix("Write the code out; read data with JSON.parse.")
}

/// The finding about a module that webpack puts into a text.
pub fn modules() -> Finding {
    Finding::error(EVAL_CALL, MODULES)
        .fix("Build for production: for webpack, another devtool than those whose name begins with eval.")
}

/// What is said of such a module.
const MODULES: &str = "The build has put modules into texts, which eval runs.";

/// Merges the notes about such modules into one, as one setting of the build causes them.
pub fn together(findings: Vec<Finding>) -> Vec<Finding> {
    let is_module = |finding: &Finding| finding.severity == Severity::Note && finding.message.starts_with(MODULES);
    let (modules, mut others): (Vec<_>, Vec<_>) = findings.into_iter().partition(is_module);
    let paths: BTreeSet<_> = modules.iter().filter_map(|finding| finding.place.as_ref()).map(|at| &at.path).collect();
    let message = match paths.len() {
        0 | 1 => MODULES.to_owned(),
        2 => format!("{MODULES} So it has in one more file."),
        files => format!("{MODULES} So it has in {} more files.", files - 1),
    };
    others.extend(modules.into_iter().next().map(|first| Finding { message, ..first }));
    others
}

pub fn eval_reference() -> Finding {
    Finding::note("eval-reference", "eval is passed on as a value; whoever gets it can run a text as code.")
        .fix("Remove it, unless a library only looks at it.")
}

/// The finding of a function made of these arguments: a warning for the code of well-known libraries, else an error.
pub fn made(arguments: &[Argument<'_>]) -> Finding {
    let Some((code, parameters)) = arguments.split_last() else { return not_constant() };
    let code = code.as_expression().map(constants::skeleton).unwrap_or_default();
    let parameters: Vec<_> =
        parameters.iter().filter_map(|parameter| constants::text(parameter.as_expression()?)).collect();
    let severity = if constants::is_library(&code, &parameters) { Severity::Warning } else { Severity::Error };
    Finding { severity, ..not_constant() }
}

pub fn not_constant() -> Finding {
    let message =
        "The Function constructor makes code of a text that exists only at run time, which nobody can have audited.";
    Finding::error(FUNCTION_CONSTRUCTOR, message).fix("Write the function out; compile templates when you build.")
}

pub fn string_timer(timer: &str) -> Finding {
    Finding::error("string-timer", format!("{timer} is given a text, which it runs as code."))
        .fix("Give it a function: setTimeout(() => { … }, 100).")
}

pub fn dynamic_import() -> Finding {
    Finding::warning("dynamic-import", "import() is given a path that is not constant.")
        .fix("Write the path as a constant, so that what is loaded is known.")
}

pub fn script_element() -> Finding {
    Finding::warning(
        "script-element",
        "A script is loaded by an element or by importScripts, from outside of the package.",
    )
    .fix("Put the script into the package; a mini-program has no document, so the branch may as well go.")
}
