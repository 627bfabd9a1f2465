//! Checks an expression before it runs, and prepares what only this policy knows.
//!
//! Variables, members and functions must exist, and operands must fit; what is known only when it runs is [`Type::Any`]. What
//! is prepared: a member of `device` or `task` becomes one variable (see [`crate::facts`]), `has(…)` a comparison with the empty
//! text, and `semver`, `bucket`, `in_list` and `matches` what [`crate::functions`] has for them. They take texts that are written
//! out, so that a version, a list or a regular expression that cannot be is refused here.

mod calls;
mod names;
mod operators;
mod written;

use std::{collections::BTreeMap, mem};

use cel::{
    IdedExpr,
    common::ast::{ComprehensionExpr, EntryExpr, Expr},
};

use crate::{bounds, facts::NOW, functions::Functions, types::Type};

/// What is wrong with an expression, and the word that is wrong, when it is one.
#[derive(Debug)]
pub struct Fault {
    pub word: Option<String>,
    pub says: String,
}

type Checked = Result<Type, Fault>;

fn fault<T>(says: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { word: None, says: says.into() })
}

fn wrong_word<T>(word: &str, says: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { word: Some(word.into()), says: says.into() })
}

/// Checks one expression.
pub struct Check<'c> {
    lists: &'c BTreeMap<String, String>,
    functions: &'c mut Functions,
    /// The variables of loops, the innermost last.
    scope: Vec<(String, Type)>,
    loops: usize,
    depth: usize,
    /// The facts that the expression reads, in the order of their first use.
    pub facts: Vec<String>,
}

impl<'c> Check<'c> {
    pub fn new(lists: &'c BTreeMap<String, String>, functions: &'c mut Functions) -> Self {
        Self { lists, functions, scope: Vec::new(), loops: 0, depth: 0, facts: Vec::new() }
    }

    /// Checks that the expression can be true or false.
    pub fn condition(&mut self, expr: &mut IdedExpr) -> Result<(), Fault> {
        let result = self.walk(expr)?;
        if result.fits(Type::Bool) {
            return Ok(());
        }
        fault(format!("the result is {result}, and must be true or false"))
    }

    fn walk(&mut self, expr: &mut IdedExpr) -> Checked {
        if self.depth == bounds::DEPTH {
            return fault(bounds::too_deep());
        }
        self.depth += 1;
        let of = self.node(expr);
        self.depth -= 1;
        of
    }

    fn node(&mut self, expr: &mut IdedExpr) -> Checked {
        match &mut expr.expr {
            Expr::Literal(literal) => Ok(written::of_literal(literal)),
            Expr::Ident(name) => {
                let name = mem::take(name);
                self.variable(&mut expr.expr, name)
            }
            Expr::Select(select) => {
                let select = mem::take(select);
                self.select(&mut expr.expr, select)
            }
            Expr::Call(call) => {
                let call = mem::take(call);
                self.call(&mut expr.expr, call)
            }
            Expr::Comprehension(comprehension) => self.each(comprehension),
            Expr::List(list) => {
                for element in &mut list.elements {
                    self.walk(element)?;
                }
                Ok(Type::List)
            }
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        self.walk(&mut entry.key)?;
                        self.walk(&mut entry.value)?;
                    }
                }
                Ok(Type::Map)
            }
            Expr::Struct(message) => {
                let name = message.type_name.clone();
                wrong_word(&name, format!("{name} {{…}} makes a message, and there are none here"))
            }
            Expr::Unspecified => fault("a part of it is missing"),
        }
    }

    /// Checks that an operand or an argument has a type.
    fn expect(&mut self, what: &str, operand: &mut IdedExpr, expected: Type) -> Result<(), Fault> {
        let of = self.walk(operand)?;
        if of.fits(expected) {
            return Ok(());
        }
        fault(format!("{what} takes {expected}, and this is {of}"))
    }

    /// A loop, which a macro such as `exists` became.
    fn each(&mut self, each: &mut ComprehensionExpr) -> Checked {
        let range = self.walk(&mut each.iter_range)?;
        if !matches!(range, Type::List | Type::Map | Type::Any) {
            return fault(format!("all, exists, map and filter are for lists and maps, and not for {range}"));
        }
        if ["device", "task", NOW].contains(&each.iter_var.as_str()) {
            return wrong_word(&each.iter_var, format!("{} is a variable already: take another name", each.iter_var));
        }
        if self.loops == bounds::LOOPS {
            return fault(format!("loops nest {} deep at most", bounds::LOOPS));
        }
        let result = self.walk(&mut each.accu_init)?;
        self.loops += 1;
        self.scope.push((each.accu_var.clone(), result));
        let (key, value) = if range == Type::Map { (Type::Text, Type::Any) } else { (Type::Any, Type::Any) };
        self.scope.push((each.iter_var.clone(), key));
        self.scope.extend(each.iter_var2.clone().map(|variable| (variable, value)));
        self.walk(&mut each.loop_cond)?;
        self.walk(&mut each.loop_step)?;
        let result = self.walk(&mut each.result)?;
        self.scope.truncate(self.scope.len() - 2 - usize::from(each.iter_var2.is_some()));
        self.loops -= 1;
        Ok(result)
    }
}
