//! Recognises what polyfills of timers do with code: `typeof f == "function" ? f : Function(f)`, in the ways in which
//! they are written. It runs only if a timer is given a text, which is an error where that is done.

use berth_policy_javascript::ast::{
    Argument, AssignmentTarget, BinaryExpression, BinaryOperator, ConditionalExpression, Expression, IfStatement,
    LogicalExpression, Statement, UnaryOperator,
};

/// The offset of the call in `f : Function(f)` or `Function(f) : f`.
pub fn in_conditional(conditional: &ConditionalExpression<'_>) -> Option<u32> {
    let (one, other) = (&conditional.consequent, &conditional.alternate);
    let pair = |name: &Expression<'_>, made: &Expression<'_>| {
        let Expression::Identifier(name) = name else { return None };
        made_of(made).filter(|(of, _)| *of == name.name.as_str()).map(|(_, at)| at)
    };
    pair(one, other).or_else(|| pair(other, one))
}

/// The offset of the call in `if (typeof f !== "function") f = new Function("" + f)`.
pub fn in_if(statement: &IfStatement<'_>) -> Option<u32> {
    let body = match &statement.consequent {
        Statement::BlockStatement(block) => block.body.first()?,
        body => body,
    };
    let Statement::ExpressionStatement(body) = body else { return None };
    assigned(&statement.test, &body.expression)
}

/// The offset of the call in `typeof f !== "function" && (f = new Function("" + f))`.
pub fn in_logical(logical: &LogicalExpression<'_>) -> Option<u32> {
    assigned(&logical.left, &logical.right)
}

fn assigned(test: &Expression<'_>, body: &Expression<'_>) -> Option<u32> {
    let Expression::AssignmentExpression(assignment) = body else { return None };
    let AssignmentTarget::AssignmentTargetIdentifier(name) = &assignment.left else { return None };
    let (of, at) = made_of(&assignment.right)?;
    (of == name.name.as_str() && asks_type(test, of)).then_some(at)
}

/// Whether `typeof f` is on either side of the comparison.
fn asks_type(test: &Expression<'_>, name: &str) -> bool {
    let Expression::BinaryExpression(comparison) = test else { return false };
    [&comparison.left, &comparison.right].into_iter().any(|side| {
        matches!(side, Expression::UnaryExpression(unary)
            if unary.operator == UnaryOperator::Typeof && identifier(&unary.argument) == Some(name))
    })
}

/// The only variable of which a constructor makes code, and the offset of the call.
fn made_of<'x>(made: &'x Expression<'_>) -> Option<(&'x str, u32)> {
    let (callee, arguments, at) = match made {
        Expression::CallExpression(call) => (&call.callee, &call.arguments, call.span.start),
        Expression::NewExpression(new) => (&new.callee, &new.arguments, new.span.start),
        _ => return None,
    };
    let [only] = arguments.as_slice() else { return None };
    identifier(callee)?;
    Some((as_text(only)?, at))
}

/// The variable in `f` or `"" + f`.
fn as_text<'x>(argument: &'x Argument<'_>) -> Option<&'x str> {
    match argument.as_expression()? {
        Expression::BinaryExpression(sum) if is_empty_sum(sum) => identifier(&sum.right),
        expression => identifier(expression),
    }
}

fn is_empty_sum(sum: &BinaryExpression<'_>) -> bool {
    sum.operator == BinaryOperator::Addition && sum.left.is_specific_string_literal("")
}

fn identifier<'x>(expression: &'x Expression<'_>) -> Option<&'x str> {
    match expression {
        Expression::Identifier(identifier) => Some(identifier.name.as_str()),
        _ => None,
    }
}
