//! What a text is known to be before the script runs.

use berth_policy_javascript::ast::{Argument, BinaryOperator, Expression};

/// The text of a constant: a literal, a template without substitutions, or a sum of these.
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

/// Whether code that a Function constructor is given is one of the idioms by which libraries find the global object,
/// or set up a runtime of their own that was loaded before.
pub fn is_idiom(arguments: &[String]) -> bool {
    let Some((code, parameters)) = arguments.split_last() else { return true };
    let code = code.split_whitespace().collect::<Vec<_>>().join(" ");
    let code =
        code.trim_start_matches("\"use strict\";").trim_start_matches("'use strict';").trim().trim_end_matches(';');
    match parameters {
        [] => {
            ["", "return this", "return globalThis", "return (this)", "return this || self", "debugger"].contains(&code)
        }
        [runtime] => code == format!("regeneratorRuntime = {runtime}"),
        _ => false,
    }
}
