//! The scripts that a script names by `require` and `import`.

use std::collections::HashSet;

use oxc_ast::ast::{
    Argument, ArrowFunctionExpression, BindingIdentifier, CallExpression, ConditionalExpression, ExportAllDeclaration,
    ExportFromDeclaration, Expression, Function, IfStatement, ImportDeclaration, ImportExpression, LogicalExpression,
    Program, StringLiteral, SwitchStatement, TryStatement,
};
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::ScopeFlags;
use oxc_span::GetSpan;

/// One mention of another script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The byte offset of the text.
    pub offset: u32,
    /// The text as it is written.
    pub text: String,
    /// When the script loads the other one.
    pub when: When,
    /// Whether it need not be there yet, as what another subpackage holds: `require.async(…)`, `require(…, then)`.
    pub apart: bool,
}

/// When a script loads another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// As soon as it is loaded itself.
    Always,
    /// When one of its functions is called.
    Called,
    /// Only under a condition, or in a way that also works without the other script.
    Perhaps,
}

/// The imports of a program whose texts are constant.
///
/// A script that defines a `require` of its own, as every bundle does, imports nothing by it.
pub fn imports(program: &Program<'_>) -> Vec<Import> {
    let mut imports = Imports::default();
    imports.visit_program(program);
    if imports.has_own_require {
        imports.found.retain(|import| !import.by_require);
    }
    imports.found.into_iter().map(|found| found.import).collect()
}

#[derive(Default)]
struct Imports {
    found: Vec<Found>,
    functions: usize,
    /// The offsets of functions that are called where they are written.
    at_once: HashSet<u32>,
    conditions: usize,
    has_own_require: bool,
}

struct Found {
    import: Import,
    by_require: bool,
}

impl Imports {
    fn push(&mut self, literal: &StringLiteral<'_>, by_require: bool) {
        self.push_apart(literal, by_require, false);
    }

    fn push_apart(&mut self, literal: &StringLiteral<'_>, by_require: bool, apart: bool) {
        let when = match (self.conditions, self.functions) {
            (0, 0) => When::Always,
            (0, _) => When::Called,
            _ => When::Perhaps,
        };
        let import = Import { offset: literal.span.start, text: literal.value.to_string(), when, apart };
        self.found.push(Found { import, by_require });
    }

    fn on_condition(&mut self, walk: impl FnOnce(&mut Self)) {
        self.conditions += 1;
        walk(self);
        self.conditions -= 1;
    }
}

fn is_require(callee: &Expression<'_>) -> bool {
    matches!(callee, Expression::Identifier(name) if name.name == "require")
}

/// Whether it is `require.async`.
fn is_async(callee: &Expression<'_>) -> bool {
    matches!(callee, Expression::StaticMemberExpression(member)
        if member.property.name == "async" && is_require(&member.object))
}

impl<'a> Visit<'a> for Imports {
    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        match call.arguments.as_slice() {
            [Argument::StringLiteral(text)] if is_require(&call.callee) => self.push(text, true),
            [Argument::StringLiteral(text), ..] if is_require(&call.callee) || is_async(&call.callee) => {
                self.on_condition(|imports| imports.push_apart(text, true, true));
            }
            _ => {}
        }
        // A function that is called where it stands runs at once.
        if call.callee.is_function() {
            self.at_once.insert(call.callee.span().start);
        }
        walk::walk_call_expression(self, call);
    }

    fn visit_import_declaration(&mut self, import: &ImportDeclaration<'a>) {
        self.push(&import.source, false);
    }

    fn visit_export_all_declaration(&mut self, export: &ExportAllDeclaration<'a>) {
        self.push(&export.source, false);
    }

    fn visit_export_from_declaration(&mut self, export: &ExportFromDeclaration<'a>) {
        self.push(&export.source, false);
    }

    fn visit_import_expression(&mut self, import: &ImportExpression<'a>) {
        if let Expression::StringLiteral(text) = &import.source {
            self.on_condition(|imports| imports.push(text, false));
        }
        walk::walk_import_expression(self, import);
    }

    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        let later = usize::from(!self.at_once.contains(&function.span.start));
        self.functions += later;
        walk::walk_function(self, function, flags);
        self.functions -= later;
    }

    fn visit_arrow_function_expression(&mut self, function: &ArrowFunctionExpression<'a>) {
        let later = usize::from(!self.at_once.contains(&function.span.start));
        self.functions += later;
        walk::walk_arrow_function_expression(self, function);
        self.functions -= later;
    }

    fn visit_binding_identifier(&mut self, identifier: &BindingIdentifier<'a>) {
        self.has_own_require |= identifier.name == "require";
    }

    fn visit_try_statement(&mut self, statement: &TryStatement<'a>) {
        self.on_condition(|imports| walk::walk_try_statement(imports, statement));
    }

    fn visit_if_statement(&mut self, statement: &IfStatement<'a>) {
        self.on_condition(|imports| walk::walk_if_statement(imports, statement));
    }

    fn visit_switch_statement(&mut self, statement: &SwitchStatement<'a>) {
        self.on_condition(|imports| walk::walk_switch_statement(imports, statement));
    }

    fn visit_conditional_expression(&mut self, conditional: &ConditionalExpression<'a>) {
        self.on_condition(|imports| walk::walk_conditional_expression(imports, conditional));
    }

    fn visit_logical_expression(&mut self, logical: &LogicalExpression<'a>) {
        self.on_condition(|imports| walk::walk_logical_expression(imports, logical));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, with_program};

    fn told(script: &str) -> Vec<(String, When)> {
        let source = Source { path: "a.js".into(), text: script.into() };
        let imports = with_program(&source, imports).expect(script);
        imports.into_iter().map(|import| (import.text, import.when)).collect()
    }

    #[test]
    fn what_a_script_names_is_told_with_when_it_asks() {
        for (script, when) in [
            ("const a = require('./a')", When::Always),
            ("import a from './a'", When::Always),
            ("export * from './a'; export {}", When::Always),
            ("export { a } from './a'", When::Always),
            ("!function () { require('./a') }()", When::Always),
            ("Page({ onLoad() { require('./a') } })", When::Called),
            ("const f = () => require('./a')", When::Called),
            ("try { require('./a') } catch {}", When::Perhaps),
            ("if (x) require('./a')", When::Perhaps),
            ("x && require('./a')", When::Perhaps),
            ("const a = x ? require('./a') : null", When::Perhaps),
            ("import('./a')", When::Perhaps),
            ("require.async('./a').then(f)", When::Perhaps),
            ("require('./a', f, ({ errMsg }) => {})", When::Perhaps),
        ] {
            assert_eq!(told(script), [("./a".to_owned(), when)], "{script}");
        }
    }

    #[test]
    fn what_another_subpackage_may_hold_is_loaded_apart() {
        let source =
            Source { path: "a.js".into(), text: "require('./a'); require.async('./b'); require('./c', f)".into() };
        let imports = with_program(&source, imports).expect("a script");
        assert_eq!(imports.iter().map(|import| import.apart).collect::<Vec<_>>(), [false, true, true]);
    }

    #[test]
    fn bundles_and_texts_that_are_no_constants_name_nothing() {
        for script in [
            "({ 1: function (require, module) { require('./a') } })",
            "var require = load; require('./a')",
            "require('./' + name)",
            "require(`./${name}`)",
            "my.require('./a')",
            "my.require.async('./a')",
            "({ 1: function (require, module) { require('./a', 1); require.async('./b') } })",
        ] {
            assert_eq!(told(script), [], "{script}");
        }
    }
}
