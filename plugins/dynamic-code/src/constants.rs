//! The texts of expressions, as far as they are known before the script runs.

use berth_policy_javascript::ast::{
    Argument, BinaryExpression, BinaryOperator, CallExpression, Expression, UnaryOperator,
};

/// The text of a constant: a literal, a template without substitutions, a sum of these, or one of these with a part
/// replaced. `None` for other expressions.
pub fn text(expression: &Expression<'_>) -> Option<String> {
    match expression {
        Expression::StringLiteral(literal) => Some(literal.value.to_string()),
        Expression::TemplateLiteral(template) => Some(template.single_quasi()?.to_string()),
        Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
            Some(text(&sum.left)? + &text(&sum.right)?)
        }
        Expression::CallExpression(call) => replaced(call),
        _ => None,
    }
}

/// The text of `"quire".replace(/^/, "re")`, by which protobuf.js keeps bundlers from seeing a `require`.
fn replaced(call: &CallExpression<'_>) -> Option<String> {
    let Expression::StaticMemberExpression(callee) = &call.callee else { return None };
    let [pattern, by] = call.arguments.as_slice() else { return None };
    if callee.property.name != "replace" {
        return None;
    }
    let (text_of, by) = (text(&callee.object)?, text(by.as_expression()?)?);
    let at = match pattern.as_expression()? {
        Expression::RegExpLiteral(literal) => match literal.regex.pattern.text.as_str() {
            "^" => (0, 0),
            "$" => (text_of.len(), text_of.len()),
            _ => return None,
        },
        pattern => {
            let part = text(pattern)?;
            let from = text_of.find(&part)?;
            (from, from + part.len())
        }
    };
    (!by.contains('$')).then(|| format!("{}{by}{}", &text_of[..at.0], &text_of[at.1..]))
}

/// Whether the expression is true or false in every run: `!0`, `"production" === "development"`. `None` when that is
/// not known. Builds leave such conditions where a setting was asked for.
pub fn truth(expression: &Expression<'_>) -> Option<bool> {
    match expression {
        Expression::BooleanLiteral(literal) => Some(literal.value),
        Expression::NumericLiteral(literal) => Some(literal.value != 0.0),
        Expression::UnaryExpression(unary) if unary.operator == UnaryOperator::LogicalNot => {
            truth(&unary.argument).map(|truth| !truth)
        }
        Expression::BinaryExpression(comparison) => compared(comparison),
        _ => None,
    }
}

fn compared(comparison: &BinaryExpression<'_>) -> Option<bool> {
    let equal = || Some(text(&comparison.left)? == text(&comparison.right)?);
    match comparison.operator {
        BinaryOperator::Equality | BinaryOperator::StrictEquality => equal(),
        BinaryOperator::Inequality | BinaryOperator::StrictInequality => equal().map(|equal| !equal),
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
    let mut parts = String::new();
    add_parts(&mut parts, expression);
    parts
}

fn add_parts(parts: &mut String, expression: &Expression<'_>) {
    match expression {
        Expression::StringLiteral(literal) => parts.push_str(literal.value.as_str()),
        Expression::TemplateLiteral(template) => {
            for (at, part) in template.quasis.iter().enumerate() {
                if at > 0 {
                    add_gap(parts);
                }
                parts.push_str(part.value.raw.as_str());
            }
        }
        Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
            add_parts(parts, &sum.left);
            add_parts(parts, &sum.right);
        }
        _ => add_gap(parts),
    }
}

/// Adds a gap, unless there is one: two side by side are one.
fn add_gap(parts: &mut String) {
    if !parts.ends_with('…') {
        parts.push('…');
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

/// Texts of functions in which well-known libraries make code of variables: templates of underscore; the scheduler of
/// components, the maker of instances, the table of classes and the guards of calls of the Cocos engine, which every game built
/// with it contains; the codecs of protobuf.js; the compiler of Vue's full build; the modules of Egret; and jQuery's reader of JSON
/// for browsers that have none.
const IN_LIBRARIES: [&[&str]; 13] = [
    &["__p+='", "return __p;"],
    &["var a=it.array;", "for(it.i=0;it.i<a.length;++it.i){"],
    &["return (function(R){", "return o;"],
    &["funcModuleCache"],
    &["Function(\"target\",\"try {"],
    &["_FUNC_(_U_ARGS_)"],
    &["codegen: ", "return "],
    &["--- codegen ---", "return "],
    &["avoid using JavaScript keyword as property name"],
    &["new Function(\"Vue\","],
    &["Function('require','exports',"],
    &["Function('require', 'exports',"],
    &["Invalid JSON: ", "JSON.parse"],
];

/// Whether a function that makes code is one of a well-known library.
pub fn is_in_library(function: &str) -> bool {
    IN_LIBRARIES.iter().any(|marks| marks.iter().all(|mark| function.contains(mark)))
}

/// Texts of functions in which engines of games and well-known libraries call `eval`: Laya's runs scripts that it has loaded,
/// conditions of its shaders, the names of its classes and, while it is developed, modules of its physics; Cocos' runs what a page
/// in a frame is to do, of which mini-games have none; Egret's parser of skins runs what it has made of them; and Mock.js reads the
/// parameters of its templates, by JSON where there is no `eval`.
const BY_EVAL: [&[&str]; 9] = [
    &["._evcode]("],
    &["(function() {return ", ".window.eval("],
    &["=classObj", ".eval("],
    &["=classObj", "['eval']("],
    &["return eval(a),{}"],
    &["eval(a);return{}"],
    &["webview.contentWindow", ".eval("],
    &["\"$exmlClass\""],
    &["[].splice.call(arguments, 0 )", "JSON.parse("],
];

/// Whether a function that calls `eval` is one of a well-known engine or library, which whatever is built with it contains.
pub fn is_known_to_eval(function: &str) -> bool {
    BY_EVAL.iter().any(|marks| marks.iter().all(|mark| function.contains(mark)))
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
