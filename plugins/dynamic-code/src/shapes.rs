//! Shapes of expressions by which calls are recognised.

use berth_policy_javascript::ast::{BinaryExpression, BinaryOperator, Expression, MemberExpression, UnaryOperator};

use crate::constants;

pub fn member<'x, 'a>(callee: &'x Expression<'a>) -> Option<&'x MemberExpression<'a>> {
    match callee {
        Expression::ChainExpression(chain) => chain.expression.member_expression(),
        _ => callee.as_member_expression(),
    }
}

/// Whether the expression is `typeof x !== "undefined"`, in either order.
pub fn is_defined(binary: &BinaryExpression<'_>, x: impl Fn(&Expression<'_>) -> bool) -> bool {
    let unequal = matches!(binary.operator, BinaryOperator::Inequality | BinaryOperator::StrictInequality);
    let is_typeof = |side: &Expression<'_>| matches!(side, Expression::UnaryExpression(unary) if unary.operator == UnaryOperator::Typeof && x(&unary.argument));
    let undefined = |side: &Expression<'_>| side.is_specific_string_literal("undefined");
    let (left, right) = (&binary.left, &binary.right);
    unequal && (is_typeof(left) && undefined(right) || undefined(left) && is_typeof(right))
}

pub fn is_script(tag: &Expression<'_>) -> bool {
    constants::text(tag).is_some_and(|tag| tag.eq_ignore_ascii_case("script"))
}

pub fn writes_script(markup: &Expression<'_>) -> bool {
    match markup {
        Expression::BinaryExpression(sum) => writes_script(&sum.left) || writes_script(&sum.right),
        Expression::TemplateLiteral(template) => template.quasis.iter().any(|part| part.value.raw.contains("<script")),
        _ => constants::text(markup).is_some_and(|text| text.contains("<script")),
    }
}
