//! Names: variables, the members of `device` and `task`, and their attributes.

use std::mem;

use cel::{
    IdedExpr,
    common::{
        ast::{CallExpr, Expr, LiteralValue, SelectExpr, operators},
        types::CelBool,
    },
};

use super::{
    Check, Checked, fault,
    written::{call, ided, text, written},
    wrong_word,
};
use crate::{
    facts::{self, NOW},
    types::Type,
};

impl Check<'_> {
    pub(super) fn fact(&mut self, place: &mut Expr, name: String, of: Type) -> Checked {
        if !self.facts.contains(&name) {
            self.facts.push(name.clone());
        }
        *place = Expr::Ident(name);
        Ok(of)
    }

    pub(super) fn variable(&mut self, place: &mut Expr, name: String) -> Checked {
        if let Some((_, of)) = self.scope.iter().rev().find(|(variable, _)| *variable == name) {
            let of = *of;
            *place = Expr::Ident(name);
            return Ok(of);
        }
        match name.as_str() {
            NOW => self.fact(place, name, Type::Int),
            "device" => fault("device is read by its members, such as device.platform"),
            "task" => fault("task is read by its members, such as task.version"),
            _ => wrong_word(&name, format!("there is no variable {name}; there are device, task and now")),
        }
    }

    pub(super) fn select(&mut self, place: &mut Expr, mut select: SelectExpr) -> Checked {
        let test = select.test;
        let of = match path(&select.operand.expr, &select.field) {
            Some(path) => self.member(place, &path)?,
            None => {
                let of = self.walk(&mut select.operand)?;
                if !of.fits(Type::Map) {
                    return wrong_word(&select.field, format!("{of} has no member {}", select.field));
                }
                *place = Expr::Select(select);
                return Ok(if test { Type::Bool } else { Type::Any });
            }
        };
        if test {
            *place = match of {
                Type::Text => call(operators::NOT_EQUALS, vec![ided(mem::take(place)), text(String::new())]),
                _ => Expr::Literal(LiteralValue::Boolean(CelBool::from(true))),
            };
            return Ok(Type::Bool);
        }
        Ok(of)
    }

    /// A member of `device` or `task`, or an attribute.
    fn member(&mut self, place: &mut Expr, path: &[&str]) -> Checked {
        let (root, member) = (path[0], path[1]);
        let members = if root == "device" { facts::DEVICE } else { facts::TASK };
        let Some((_, of)) = members.iter().find(|(name, _)| *name == member) else {
            let names: Vec<_> = members.iter().map(|(name, _)| *name).collect();
            return wrong_word(member, format!("{root} has no {member}; it has {}", names.join(", ")));
        };
        match (path.len(), of) {
            (2, of) => self.fact(place, path.join("."), *of),
            (3, Type::Map) => self.fact(place, path.join("."), Type::Text),
            (3, of) => wrong_word(path[2], format!("{root}.{member} is {of} and has no member {}", path[2])),
            _ => wrong_word(path[3], format!("an attribute is a text and has no member {}", path[3])),
        }
    }

    /// `[…]`: an attribute, or an element of a list or a map.
    pub(super) fn index(&mut self, place: &mut Expr, mut call: CallExpr) -> Checked {
        let [operand, index] = &mut call.args[..] else { return fault("[…] takes one value") };
        if let Some(root) = attributes(operand) {
            let Some(name) = written(index) else {
                return fault("an attribute is named by a text that is written out: device.attributes['city']");
            };
            return self.member(place, &[root, "attributes", name]);
        }
        let of = self.walk(operand)?;
        self.walk(index)?;
        *place = Expr::Call(call);
        match of {
            Type::List | Type::Map | Type::Any => Ok(Type::Any),
            of => fault(format!("[…] is for lists and maps, and not for {of}")),
        }
    }
}

/// The segments of a member of `device` or `task`.
fn path<'e>(operand: &'e Expr, field: &'e str) -> Option<Vec<&'e str>> {
    let mut segments = vec![field];
    let mut operand = operand;
    loop {
        match operand {
            Expr::Ident(root) if root == "device" || root == "task" => {
                segments.push(root);
                segments.reverse();
                return Some(segments);
            }
            Expr::Select(select) if !select.test => {
                segments.push(&select.field);
                operand = &select.operand.expr;
            }
            _ => return None,
        }
    }
}

pub(super) fn is_task_id(expr: &IdedExpr) -> bool {
    let Expr::Select(select) = &expr.expr else { return false };
    path(&select.operand.expr, &select.field).as_deref() == Some(&["task", "id"])
}

/// Whose attributes these are.
fn attributes(expr: &IdedExpr) -> Option<&'static str> {
    let Expr::Select(select) = &expr.expr else { return None };
    match path(&select.operand.expr, &select.field)?[..] {
        ["device", "attributes"] => Some("device"),
        ["task", "attributes"] => Some("task"),
        _ => None,
    }
}
