//! Parts of expressions: those that are written out, and those that are made here.

use cel::{
    IdedExpr,
    common::{
        ast::{CallExpr, Expr, LiteralValue},
        types::{CelInt, CelString},
    },
};

use crate::types::Type;

/// The text of a literal.
pub(super) fn written(expr: &IdedExpr) -> Option<&str> {
    match &expr.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

pub(super) fn of_literal(literal: &LiteralValue) -> Type {
    match literal {
        LiteralValue::Boolean(_) => Type::Bool,
        LiteralValue::Int(_) => Type::Int,
        LiteralValue::Double(_) => Type::Double,
        LiteralValue::String(_) => Type::Text,
        LiteralValue::Null => Type::Null,
        LiteralValue::UInt(_) | LiteralValue::Bytes(_) => Type::Any,
    }
}

pub(super) fn ided(expr: Expr) -> IdedExpr {
    IdedExpr { id: 0, expr }
}

pub(super) fn text(text: String) -> IdedExpr {
    ided(Expr::Literal(LiteralValue::String(CelString::from(text))))
}

pub(super) fn int(number: i64) -> IdedExpr {
    ided(Expr::Literal(LiteralValue::Int(CelInt::from(number))))
}

pub(super) fn call(name: &str, args: Vec<IdedExpr>) -> Expr {
    Expr::Call(CallExpr { func_name: name.into(), target: None, args })
}
