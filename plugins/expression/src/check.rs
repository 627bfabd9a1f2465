//! Checks an expression before it runs, and prepares what only this policy knows.
//!
//! Variables, members and functions must exist, and operands must fit; what is known only when it runs is [`Type::Any`]. What
//! is prepared: a member of `device` or `task` becomes one variable (see [`crate::facts`]), `has(…)` a comparison with the empty
//! text, and `semver`, `bucket`, `in_list` and `matches` what [`crate::functions`] has for them. They take texts that are written
//! out, so that a version, a list or a regular expression that cannot be is refused here.

use std::{collections::BTreeMap, mem};

use berth_policy::version::Version;
use cel::{
    IdedExpr,
    common::{
        ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, SelectExpr, operators},
        types::{CelBool, CelInt, CelString},
    },
};

use crate::{
    bounds,
    facts::{self, BUCKET, BUCKET_OF_TASK, NOW},
    functions::{Functions, IN_LIST, KNOWN, MATCHES, Side, VERSIONS},
    types::Type,
};

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
            Expr::Literal(literal) => Ok(of_literal(literal)),
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

    fn fact(&mut self, place: &mut Expr, name: String, of: Type) -> Checked {
        if !self.facts.contains(&name) {
            self.facts.push(name.clone());
        }
        *place = Expr::Ident(name);
        Ok(of)
    }

    fn variable(&mut self, place: &mut Expr, name: String) -> Checked {
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

    fn select(&mut self, place: &mut Expr, mut select: SelectExpr) -> Checked {
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

    fn call(&mut self, place: &mut Expr, mut call: CallExpr) -> Checked {
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

    /// `[…]`: an attribute, or an element of a list or a map.
    fn index(&mut self, place: &mut Expr, mut call: CallExpr) -> Checked {
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

    /// Checks that an operand or an argument has a type.
    fn expect(&mut self, what: &str, operand: &mut IdedExpr, expected: Type) -> Result<(), Fault> {
        let of = self.walk(operand)?;
        if of.fits(expected) {
            return Ok(());
        }
        fault(format!("{what} takes {expected}, and this is {of}"))
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

    fn known(&mut self, call: &mut CallExpr) -> Checked {
        let name = call.func_name.clone();
        let is_member = call.target.is_some();
        let named: Vec<_> = KNOWN.iter().filter(|known| known.name == name).collect();
        let Some(signature) = named.iter().find(|known| known.member_of.is_some() == is_member) else {
            if MACROS.contains(&name.as_str()) {
                return wrong_word(&name, format!("{name} is written like this: {}", macro_form(&name)));
            }
            let own = matches!(name.as_str(), "bucket" | "in_list");
            if !named.is_empty() || own || name == "matches" {
                let form = if is_member { format!("{name}(text)") } else { format!("text.{name}(…)") };
                return wrong_word(&name, format!("{name} is called as {form}"));
            }
            return wrong_word(&name, format!("there is no function {name}; there are {}", all_functions()));
        };
        if call.args.len() != signature.args.len() {
            let (takes, given) = (signature.args.len(), call.args.len());
            return wrong_word(&name, format!("{name} takes {takes} arguments, and {given} are given"));
        }
        if let (Some(target), Some(of)) = (&mut call.target, signature.member_of) {
            self.expect(&name, target, of)?;
        }
        for (argument, of) in call.args.iter_mut().zip(signature.args) {
            self.expect(&name, argument, *of)?;
        }
        Ok(signature.result)
    }

    fn bucket(&mut self, place: &mut Expr, args: &[IdedExpr]) -> Checked {
        let [salt] = args else { return wrong_word("bucket", "bucket takes one text, such as bucket('wave-1')") };
        if is_task_id(salt) {
            return self.fact(place, BUCKET_OF_TASK.into(), Type::Double);
        }
        match written(salt) {
            Some(salt) if !salt.is_empty() => self.fact(place, format!("{BUCKET}{salt}"), Type::Double),
            _ => wrong_word(
                "bucket",
                "bucket takes a text that is written out, such as bucket('wave-1'), or bucket(task.id)",
            ),
        }
    }

    fn in_list(&mut self, place: &mut Expr, args: Vec<IdedExpr>) -> Checked {
        let Ok([list, mut key]) = <[IdedExpr; 2]>::try_from(args) else {
            return wrong_word("in_list", "in_list takes a list and a key, such as in_list('testers', device.guid)");
        };
        let Some(name) = written(&list) else {
            return wrong_word("in_list", "in_list takes the name of a list that is written out, such as 'testers'");
        };
        let Some(id) = self.lists.get(name) else {
            let says = format!("lists has no {name:?}: give its id, such as {{\"lists\": {{\"{name}\": \"coh_…\"}}}}");
            return wrong_word("in_list", says);
        };
        self.expect("in_list", &mut key, Type::Text)?;
        *place = call(IN_LIST, vec![text(id.clone()), key]);
        Ok(Type::Bool)
    }

    fn matches(&mut self, place: &mut Expr, written_call: CallExpr) -> Checked {
        let (Some(mut target), [pattern]) = (written_call.target, &written_call.args[..]) else {
            return wrong_word("matches", "matches takes one regular expression");
        };
        let Some(pattern) = written(pattern) else {
            return wrong_word("matches", "matches takes a regular expression that is written out, such as '^13[.]'");
        };
        let number = self.functions.regex(pattern).or_else(|says| wrong_word("matches", says))?;
        self.expect("matches", &mut target, Type::Text)?;
        *place = call(MATCHES, vec![*target, int(number)]);
        Ok(Type::Bool)
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

const COMPARISONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

const MACROS: [&str; 6] = ["has", "all", "exists", "exists_one", "map", "filter"];

fn macro_form(name: &str) -> &'static str {
    match name {
        "has" => "has(device.account)",
        "map" => "['a', 'b'].map(x, x + '1')",
        _ => "['a', 'b'].exists(x, x == device.network), and all, exists_one and filter alike",
    }
}

fn all_functions() -> String {
    let mut names: Vec<_> =
        ["semver", "bucket", "in_list", "matches"].into_iter().chain(KNOWN.iter().map(|k| k.name)).collect();
    names.extend(MACROS);
    names.sort_unstable();
    names.dedup();
    names.join(", ")
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

/// The comparison of two versions; `None` when the operands are none.
fn versions(sign: &'static str, left: &mut IdedExpr, right: &mut IdedExpr) -> Result<Option<CallExpr>, Fault> {
    match (is_semver(left), is_semver(right)) {
        (false, false) => return Ok(None),
        (true, true) => {}
        _ => return fault(format!("{sign} compares a version with what is none: write semver(…) on both sides")),
    }
    let (left, right) = (version(left)?, version(right)?);
    let side = match (written(&left), written(&right)) {
        (None, Some(_)) => Side::Right,
        (Some(_), None) => Side::Left,
        _ => Side::Neither,
    };
    let args = vec![text(sign.into()), left, right, int(side as i64)];
    Ok(Some(CallExpr { func_name: VERSIONS.into(), target: None, args }))
}

fn is_semver(expr: &IdedExpr) -> bool {
    matches!(&expr.expr, Expr::Call(call) if call.func_name == "semver" && call.target.is_none())
}

/// The text in `semver(…)`, which is a version if it is written out.
fn version(expr: &mut IdedExpr) -> Result<IdedExpr, Fault> {
    let args = match &mut expr.expr {
        Expr::Call(call) => mem::take(&mut call.args),
        _ => vec![],
    };
    let Ok([text]) = <[IdedExpr; 1]>::try_from(args) else { return wrong_word("semver", "semver takes one text") };
    if let Some(Err(says)) = written(&text).map(str::parse::<Version>) {
        return wrong_word("semver", format!("{:?} is not a version: {says}", written(&text).unwrap_or_default()));
    }
    Ok(text)
}

/// The text of a literal.
fn written(expr: &IdedExpr) -> Option<&str> {
    match &expr.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
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

fn is_task_id(expr: &IdedExpr) -> bool {
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

fn of_literal(literal: &LiteralValue) -> Type {
    match literal {
        LiteralValue::Boolean(_) => Type::Bool,
        LiteralValue::Int(_) => Type::Int,
        LiteralValue::Double(_) => Type::Double,
        LiteralValue::String(_) => Type::Text,
        LiteralValue::Null => Type::Null,
        LiteralValue::UInt(_) | LiteralValue::Bytes(_) => Type::Any,
    }
}

fn ided(expr: Expr) -> IdedExpr {
    IdedExpr { id: 0, expr }
}

fn text(text: String) -> IdedExpr {
    ided(Expr::Literal(LiteralValue::String(CelString::from(text))))
}

fn int(number: i64) -> IdedExpr {
    ided(Expr::Literal(LiteralValue::Int(CelInt::from(number))))
}

fn call(name: &str, args: Vec<IdedExpr>) -> Expr {
    Expr::Call(CallExpr { func_name: name.into(), target: None, args })
}
