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
/// learn what a language can do, or set up a runtime of their own that was loaded before.
pub fn is_idiom(arguments: &[String]) -> bool {
    let Some((code, parameters)) = arguments.split_last() else { return true };
    let code: String = code.replace("\"use strict\";", "").split_whitespace().collect();
    let code = code.trim_end_matches(';');
    match parameters {
        [] => HARMLESS.contains(&code),
        [runtime] => code == format!("regeneratorRuntime={runtime}"),
        _ => false,
    }
}

/// Without white space and the last semicolon.
const HARMLESS: [&str; 9] = [
    "",
    "debugger",
    "returnthis",
    "return(this)",
    "returnglobalThis",
    "returnthis||self",
    "returnfunction*(){}",
    "returnasyncfunction(){}",
    "returnasyncfunction*(){}()",
];

/// The constant parts of a text, with `…` for what is put in between.
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

/// What get-intrinsic, function-bind and core-js, which are inside of countless bundles, give to the constructor. What
/// they put in are names and numbers of parameters; that only they do so cannot be known, so people should look.
pub const LIBRARIES: [&str; 4] = [
    "\"use strict\"; return (…).constructor;",
    "return function (…){ return binder.apply(this,arguments); }",
    "return new C(…)",
    "return require(\"…\")",
];
