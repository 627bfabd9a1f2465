//! Operators: what they take, and what comes of them.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr, operators},
};

use super::{Check, Checked, calls::versions, fault};
use crate::types::Type;

const COMPARISONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

impl Check<'_> {
    pub(super) fn call(&mut self, place: &mut Expr, mut call: CallExpr) -> Checked {
        let name = call.func_name.clone();
        match (name.as_str(), call.target.is_some()) {
            ("semver", _) => {
                fault("semver(…) is compared with another one: semver(device.host_version) >= semver('8.2')")
            }
            ("bucket", false) => self.bucket(place, &call.args),
            ("in_list", false) => self.in_list(place, call.args),
            ("matches", true) => self.matches(place, call),
            (operators::INDEX, false) => self.index(place, call),
            _ => {
                let of = match (sign(&name), &mut call.args[..]) {
                    (Some(sign), [left, right]) if COMPARISONS.contains(&sign) => match versions(sign, left, right)? {
                        Some(versions) => {
                            call = versions;
                            call.args[1..3].iter_mut().try_for_each(|text| self.expect("semver", text, Type::Text))?;
                            Type::Bool
                        }
                        None => self.compare(sign, left, right)?,
                    },
                    (Some(sign), [left, right]) => self.calculate(sign, left, right)?,
                    _ => self.operator(&mut call)?,
                };
                *place = Expr::Call(call);
                Ok(of)
            }
        }
    }

    fn operator(&mut self, call: &mut CallExpr) -> Checked {
        match (call.func_name.as_str(), &mut call.args[..]) {
            (name @ (operators::LOGICAL_AND | operators::LOGICAL_OR), operands) => {
                let sign = if name == operators::LOGICAL_AND { "&&" } else { "||" };
                operands.iter_mut().try_for_each(|operand| self.expect(sign, operand, Type::Bool))?;
                Ok(Type::Bool)
            }
            (operators::LOGICAL_NOT, [operand]) => self.expect("!", operand, Type::Bool).map(|()| Type::Bool),
            (operators::NOT_STRICTLY_FALSE, [operand]) => self.walk(operand).map(|_| Type::Bool),
            (operators::CONDITIONAL, [condition, then, other]) => {
                self.expect("?", condition, Type::Bool)?;
                Ok(self.walk(then)?.or(self.walk(other)?))
            }
            (operators::NEGATE, [operand]) => match self.walk(operand)? {
                of if of.is_number() || of == Type::Any => Ok(of),
                of => fault(format!("- is for numbers, and not for {of}")),
            },
            (operators::IN, [element, container]) => {
                self.walk(element)?;
                match self.walk(container)? {
                    Type::List | Type::Map | Type::Any => Ok(Type::Bool),
                    of => fault(format!("in is for lists and maps, and not for {of}; contains looks into a text")),
                }
            }
            _ => self.known(call),
        }
    }

    fn compare(&mut self, sign: &str, left: &mut IdedExpr, right: &mut IdedExpr) -> Checked {
        let (left, right) = (self.walk(left)?, self.walk(right)?);
        if !left.may_equal(right) {
            let hint =
                if [left, right].contains(&Type::Null) { "; has(…) says whether the device told it" } else { "" };
            return fault(format!("{sign} compares {left} with {right}, which are never the same{hint}"));
        }
        let ordered = |of| matches!(of, Type::Bool | Type::Int | Type::Double | Type::Text | Type::Any);
        if matches!(sign, "==" | "!=") || (ordered(left) && ordered(right)) {
            return Ok(Type::Bool);
        }
        fault(format!("{sign} is not for {left}"))
    }

    fn calculate(&mut self, sign: &str, left: &mut IdedExpr, right: &mut IdedExpr) -> Checked {
        let (left, right) = (self.walk(left)?, self.walk(right)?);
        let takes = |of: Type| match of {
            Type::Int | Type::Any => true,
            Type::Double => sign != "%",
            Type::Text | Type::List => sign == "+",
            _ => false,
        };
        if !(takes(left) && takes(right)) {
            let wrong = if takes(left) { right } else { left };
            return fault(format!("{sign} is not for {wrong}"));
        }
        if !left.fits(right) {
            return fault(format!(
                "{sign} takes two of a kind, and these are {left} and {right}; int(…) and double(…) convert"
            ));
        }
        Ok(left.or(right))
    }
}

/// The sign of an operator with two operands that compares or calculates.
fn sign(name: &str) -> Option<&'static str> {
    Some(match name {
        operators::EQUALS => "==",
        operators::NOT_EQUALS => "!=",
        operators::LESS => "<",
        operators::LESS_EQUALS => "<=",
        operators::GREATER => ">",
        operators::GREATER_EQUALS => ">=",
        operators::ADD => "+",
        operators::SUBSTRACT => "-",
        operators::MULTIPLY => "*",
        operators::DIVIDE => "/",
        operators::MODULO => "%",
        _ => return None,
    })
}
