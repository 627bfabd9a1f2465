//! Finds code that is made at run time, which nobody can have audited.
//!
//! | rule | severity | what |
//! |---|---|---|
//! | `eval-call` | error, warning | `eval(…)`, also as `(0, eval)(…)`, `window["eval"](…)`, `Browser.window.eval(…)`, `eval.call(…)` or through a variable; a warning in an engine of games and in Mock.js |
//! | `function-constructor` | error | `Function(…)` and `new Function(…)` of code that is not constant, also through `root.Function`, `f.constructor` and `[]["filter"]["constructor"]`; a warning where a well-known library does it |
//! | `constant-function` | note, warning, error | the same of constant code, which is judged by what it does itself; so is that of `eval-call` |
//! | `string-timer` | error | `setTimeout` and `setInterval` with a text in place of a function |
//! | `dynamic-import` | warning | `import(…)` of a path that is not constant |
//! | `web-assembly` | warning | WebAssembly from bytes or from a path that is not constant |
//! | `script-element` | warning, note | script elements and `importScripts`; a note in webpack's loader of chunks |
//! | `eval-reference` | note | `eval` passed on as a value |
//! | `unparsable` | error, warning | a script that no device can run: an error when the app loads it |
//!
//! Modules that a build has put into texts for `eval`, as webpack does for development, are one note. What follows a
//! `return`, or a condition that is false in every run, is not looked at.
//!
//! Only the global names count: a method `eval` of an object, or a function of that name which the script declares,
//! is not meant; nor is `Function` as a type, in `instanceof` or in `Function.prototype`. But a member called `window` is the
//! global object whatever it belongs to, as engines keep it so.

mod calls;
mod constants;
mod findings;
mod globals;
mod inner;
mod polyfill;
mod shapes;

use std::{cell::RefCell, collections::HashMap};

use berth_policy::{Auditor, Description, Finding, Package, Policy, Severity, serde::Deserialize};
use berth_policy_javascript::{Found, Source, When, each_file, imports, is_script, with_program};
use berth_policy_layout::{
    Layout,
    components::Components,
    modules::{entries, loaded},
};

/// The policy, which is its config.
#[derive(Deserialize)]
#[serde(crate = "berth_policy::serde", deny_unknown_fields, default)]
pub struct DynamicCode {
    max_file_bytes: u64,
}

impl Default for DynamicCode {
    fn default() -> Self {
        Self { max_file_bytes: 8 << 20 }
    }
}

impl Policy for DynamicCode {
    type Config = Self;

    const DESCRIPTION: Description = Description {
        name: "dynamic-code",
        version: env!("CARGO_PKG_VERSION"),
        summary: "Finds code that is made at run time: eval, the Function constructor, timers with text and their like.",
        config_schema: include_str!("../config.schema.json"),
    };

    fn configure(config: Self) -> Result<Self, String> {
        Ok(config)
    }
}

/// The texts with which each script imports others, by its path.
type Imports = HashMap<String, Vec<String>>;

impl Auditor for DynamicCode {
    fn audit(&self, package: &dyn Package) -> Result<Vec<Finding>, String> {
        let imports = RefCell::new(Imports::new());
        let judge = |source: &Source| judge(source, &imports);
        let mut findings = each_file(package, self.max_file_bytes, is_script, judge)?;
        worsen(package, &imports.into_inner(), &mut findings);
        Ok(findings::together(findings))
    }
}

fn judge(source: &Source, all: &RefCell<Imports>) -> Found {
    let judged = with_program(source, |program| (calls::find(program), imports(program)));
    let (found, imports) = match judged {
        Ok(judged) => judged,
        Err(told) => return told,
    };
    let certain = imports.into_iter().filter(|import| import.when < When::Perhaps).map(|import| import.text);
    all.borrow_mut().insert(source.path.clone(), certain.collect());
    found
}

/// Makes an error of a script that does not parse if a device loads it, as that breaks the app. Others do no harm.
fn worsen(package: &dyn Package, imports: &Imports, findings: &mut [Finding]) {
    let mut broken: Vec<_> = findings.iter_mut().filter(|finding| finding.rule == "unparsable").collect();
    if broken.is_empty() {
        return;
    }
    let Ok(layout) = Layout::of(package) else { return };
    let loaded = loaded(&layout, entries(&layout, &Components::of(&layout, package)), imports);
    for finding in &mut broken {
        if finding.place.as_ref().is_some_and(|place| loaded.contains(&place.path)) {
            finding.severity = Severity::Error;
        }
    }
}

berth_policy::auditor!(DynamicCode);

#[cfg(test)]
mod tests;
