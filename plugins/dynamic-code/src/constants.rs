//! The texts of expressions, as far as they are known before the script runs.

use berth_policy_javascript::ast::{Argument, BinaryOperator, Expression};

/// The text of a constant: a literal, a template without substitutions, or a sum of these. `None` for other
/// expressions.
pub fn text(expression: &Expression<'_>) -> Option<String> {
    match expression {
        Expression::StringLiteral(literal) => Some(literal.value.to_string()),
        Expression::TemplateLiteral(template) => Some(template.single_quasi()?.to_string()),
        Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
            Some(text(&sum.left)? + &text(&sum.right)?)
        }
        _ => None,
    }
}

/// Whether the expression is certainly a text, constant or not.
pub fn is_text(expression: &Expression<'_>) -> bool {
    match expression {
        Expression::StringLiteral(_) | Expression::TemplateLiteral(_) => true,
        Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
            is_text(&sum.left) || is_text(&sum.right)
        }
        _ => false,
    }
}

/// The texts of all arguments, if all are constants.
pub fn texts(arguments: &[Argument<'_>]) -> Option<Vec<String>> {
    arguments.iter().map(|argument| text(argument.as_expression()?)).collect()
}

/// The constant parts of a text, with `…` in place of the others.
pub fn skeleton(expression: &Expression<'_>) -> String {
    match expression {
        Expression::StringLiteral(literal) => literal.value.to_string(),
        Expression::TemplateLiteral(template) => {
            template.quasis.iter().map(|part| part.value.raw.as_str()).collect::<Vec<_>>().join("…")
        }
        Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
            (skeleton(&sum.left) + &skeleton(&sum.right)).replace("……", "…")
        }
        _ => "…".into(),
    }
}

/// The code that get-intrinsic, function-bind, core-js and lodash give to the constructor, which countless bundles
/// contain. What they put into it are names and numbers of parameters, or a template of the app's own. As that cannot
/// be known for certain, people should look.
const LIBRARIES: [&str; 4] = [
    "\"use strict\"; return (…).constructor;",
    "return function (…){ return binder.apply(this,arguments); }",
    "return require(\"…\")",
    "…return …",
];

/// Whether code with gaps, made into a function with these parameters, is code of a well-known library.
pub fn is_library(code: &str, parameters: &[String]) -> bool {
    LIBRARIES.contains(&code) || constructs_parameter(code, parameters) || only_comments(code)
}

/// Whether all gaps are inside a comment. MobX stops the debugger in a function whose comment says what happened.
fn only_comments(code: &str) -> bool {
    let Some((before, rest)) = code.split_once("/*") else { return false };
    let Some((_, after)) = rest.rsplit_once("*/") else { return false };
    !before.contains('…') && !after.contains('…')
}

/// Whether the code is `return new C(…)` with `C` as a parameter: it constructs what it is given.
fn constructs_parameter(code: &str, parameters: &[String]) -> bool {
    let class = code.strip_prefix("return new ").and_then(|rest| rest.strip_suffix("(…)"));
    class.is_some_and(|class| parameters.iter().flat_map(|list| list.split(',')).any(|name| name.trim() == class))
}
