//! Finds code that is made at run time, which nobody can have audited.
//!
//! | rule | severity | what |
//! |---|---|---|
//! | `eval-call` | error | `eval(…)`, also as `(0, eval)(…)`, `window["eval"](…)`, `eval.call(…)` or through a variable |
//! | `function-constructor` | error | `Function(…)` and `new Function(…)` of code that is not constant, also through `….constructor.constructor` |
//! | `constant-function` | note, warning | the same of constant code: a note for known idioms such as `Function("return this")()` |
//! | `string-timer` | error | `setTimeout` and `setInterval` with a text in place of a function |
//! | `dynamic-import` | warning | `import(…)` of a path that is not constant |
//! | `web-assembly` | warning | WebAssembly from bytes or from a path that is not constant |
//! | `script-element` | warning | script elements and `importScripts` |
//! | `eval-reference` | note | `eval` passed on as a value |
//!
//! Only the global names count: a method `eval` of an object, or a function of that name which the script declares,
//! is not meant; nor is `Function` as a type, in `instanceof` or in `Function.prototype`.

mod calls;
mod constants;
mod globals;

use berth_policy::{Auditor, Description, Finding, Package, Policy, serde::Deserialize};
use berth_policy_javascript::{Found, Source, each_file, is_script, with_program};

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

impl Auditor for DynamicCode {
    fn audit(&self, package: &dyn Package) -> Result<Vec<Finding>, String> {
        each_file(package, self.max_file_bytes, is_script, judge)
    }
}

fn judge(source: &Source) -> Found {
    with_program(source, calls::find)
}

berth_policy::auditor!(DynamicCode);

#[cfg(test)]
mod tests;
