//! What is known of texts before a script runs: constants of the script, and what other scripts export.

use std::{cell::Cell, collections::HashMap, fmt, rc::Rc};

use oxc_ast::ast::{
    Argument, AssignmentExpression, AssignmentOperator, AssignmentTarget, BinaryOperator, BindingPattern,
    CallExpression, Declaration, ExportDefaultDeclarationKind, Expression, ImportDeclaration,
    ImportDeclarationSpecifier, MemberExpression, ObjectPropertyKind, Program, Statement, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::{Scoping, SemanticBuilder, SymbolId};

use crate::calls::name_of;

/// How many values one expression may have.
const MOST: usize = 8;
/// How many bytes of a text are kept: more than any origin has. So nothing that a script says of itself makes texts that
/// grow without bound.
const MOST_BYTES: usize = 512;
/// How deep an expression is followed.
const MOST_DEEP: usize = 200;

/// A text as far as it is known: its beginning, and whether that is all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The beginning.
    pub known: String,
    /// Whether nothing follows.
    pub whole: bool,
}

impl Text {
    /// This text, which is whole, with another one behind it.
    fn then(&self, next: &Self) -> Self {
        Self::cut(format!("{}{}", self.known, next.known), next.whole)
    }

    /// The text, or as much of it as is kept.
    fn cut(mut known: String, whole: bool) -> Self {
        let fits = known.len() <= MOST_BYTES;
        if !fits {
            known.truncate(known.floor_char_boundary(MOST_BYTES));
        }
        Self { known, whole: whole && fits }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.known, if self.whole { "" } else { "…" })
    }
}

/// A value: texts that it can be, or an object of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// One of these texts.
    Texts(Vec<Text>),
    /// An object.
    Object(Rc<HashMap<String, Value>>),
}

/// Finds what the script exports that a text names.
type Find<'v> = dyn Fn(&str) -> Option<&'v Value> + 'v;

/// What scripts export, by the text with which a script names another one.
pub struct Values<'v> {
    find: Box<Find<'v>>,
}

impl<'v> Values<'v> {
    /// Where nothing is known of other scripts.
    pub fn none() -> Self {
        Self { find: Box::new(|_| None) }
    }

    /// Where `find` knows what the script exports that is named so.
    pub fn by(find: impl Fn(&str) -> Option<&'v Value> + 'v) -> Self {
        Self { find: Box::new(find) }
    }
}

/// What a script exports, as far as it is constant; `None` when nothing is.
pub fn exports(program: &Program<'_>) -> Option<Value> {
    let scoping = SemanticBuilder::new_compiler().build(program).semantic.into_scoping();
    let known = Known::of(program, &scoping, &Values::none());
    let mut exports = HashMap::new();
    for statement in &program.body {
        known.exported(statement, &mut exports);
    }
    let alone = exports.remove("module.exports");
    match alone {
        Some(alone) => Some(alone),
        None if exports.is_empty() => None,
        None => Some(Value::Object(Rc::new(exports))),
    }
}

/// The constants of a program.
pub struct Known<'s> {
    scoping: &'s Scoping,
    values: HashMap<SymbolId, Value>,
    depth: Cell<usize>,
}

impl<'s> Known<'s> {
    /// Finds the variables whose values are known: those that are never changed, and those of whose texts all are known.
    pub fn of<'a>(program: &'a Program<'a>, scoping: &'s Scoping, others: &Values<'_>) -> Self {
        let known = Self { scoping, values: HashMap::new(), depth: Cell::new(0) };
        let mut finder = Constants { known, others, given: HashMap::new() };
        finder.visit_program(program);
        finder.known
    }

    /// What the expression can be as a text; empty when nothing is known of it.
    pub fn texts(&self, expression: &Expression<'_>) -> Vec<Text> {
        match self.value(expression) {
            Some(Value::Texts(texts)) => texts,
            _ => Vec::new(),
        }
    }

    fn value(&self, expression: &Expression<'_>) -> Option<Value> {
        let depth = self.depth.get();
        if depth >= MOST_DEEP {
            return None;
        }
        self.depth.set(depth + 1);
        let value = self.found(expression);
        self.depth.set(depth);
        value
    }

    fn found(&self, expression: &Expression<'_>) -> Option<Value> {
        match expression {
            Expression::ObjectExpression(object) => {
                let member = |property: &ObjectPropertyKind<'_>| {
                    let ObjectPropertyKind::ObjectProperty(property) = property else { return None };
                    Some((name_of(&property.key)?, self.value(&property.value)?))
                };
                Some(Value::Object(Rc::new(object.properties.iter().filter_map(member).collect())))
            }
            Expression::Identifier(identifier) => {
                let symbol = self.scoping.get_reference(identifier.reference_id()).symbol_id()?;
                self.values.get(&symbol).cloned()
            }
            Expression::ConditionalExpression(either) => self.either(&either.consequent, &either.alternate),
            Expression::LogicalExpression(either) => self.either(&either.left, &either.right),
            Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
                let (left, right) = (self.texts(&sum.left), self.texts(&sum.right));
                some(joined(left, &right))
            }
            Expression::StringLiteral(literal) => whole(&literal.value),
            Expression::NumericLiteral(number) => whole(&number.value.to_string()),
            Expression::TemplateLiteral(template) => {
                let mut texts = vec![Text { known: String::new(), whole: true }];
                for (index, part) in template.quasis.iter().enumerate() {
                    let cooked = part.value.cooked.as_ref().map(|text| text.to_string()).unwrap_or_default();
                    texts = joined(texts, &[Text { known: cooked, whole: true }]);
                    if let Some(expression) = template.expressions.get(index) {
                        texts = joined(texts, &self.texts(expression));
                    }
                }
                some(texts)
            }
            _ => self.member(expression.as_member_expression()?),
        }
    }

    fn either(&self, one: &Expression<'_>, other: &Expression<'_>) -> Option<Value> {
        match (self.value(one), self.value(other)) {
            (Some(Value::Texts(mut texts)), Some(Value::Texts(more))) => {
                texts.extend(more);
                texts.truncate(MOST);
                some(texts)
            }
            (one, other) => one.or(other),
        }
    }

    fn member(&self, member: &MemberExpression<'_>) -> Option<Value> {
        let name = member.static_property_name()?;
        match self.value(member.object())? {
            Value::Object(members) => members.get(name).cloned().or_else(|| members.get("default")?.get(name)),
            Value::Texts(_) => None,
        }
    }

    fn exported(&self, statement: &Statement<'_>, exports: &mut HashMap<String, Value>) {
        match statement {
            Statement::ExpressionStatement(statement) => {
                let Expression::AssignmentExpression(assignment) = &statement.expression else { return };
                let Some(target) = assignment.left.as_member_expression() else { return };
                if let (Some(name), Some(value)) = (export_name(target), self.value(&assignment.right)) {
                    exports.insert(name, value);
                }
            }
            Statement::ExportDeclaration(export) => {
                let Declaration::VariableDeclaration(variables) = &export.declaration else { return };
                for one in &variables.declarations {
                    if let (BindingPattern::BindingIdentifier(name), Some(value)) =
                        (&one.id, one.init.as_ref().and_then(|init| self.value(init)))
                    {
                        exports.insert(name.name.to_string(), value);
                    }
                }
            }
            Statement::ExportDefaultDeclaration(export) => {
                let value = match &export.declaration {
                    ExportDefaultDeclarationKind::ObjectExpression(_)
                    | ExportDefaultDeclarationKind::Identifier(_)
                    | ExportDefaultDeclarationKind::StringLiteral(_) => {
                        export.declaration.as_expression().and_then(|expression| self.value(expression))
                    }
                    _ => None,
                };
                exports.extend(value.map(|value| ("default".to_owned(), value)));
            }
            _ => {}
        }
    }
}

impl Value {
    /// A member of an object.
    fn get(&self, name: &str) -> Option<Value> {
        match self {
            Self::Object(members) => members.get(name).cloned(),
            Self::Texts(_) => None,
        }
    }
}

fn whole(text: &str) -> Option<Value> {
    Some(Value::Texts(vec![Text::cut(text.to_owned(), true)]))
}

fn some(texts: Vec<Text>) -> Option<Value> {
    (!texts.is_empty()).then_some(Value::Texts(texts))
}

/// Each of the first texts with each of the others behind it. Behind what is not whole nothing is known.
fn joined(firsts: Vec<Text>, seconds: &[Text]) -> Vec<Text> {
    let mut all = Vec::new();
    for first in firsts {
        match seconds {
            _ if !first.whole => all.push(first),
            [] => all.push(Text { whole: false, ..first }),
            _ => all.extend(seconds.iter().map(|second| first.then(second))),
        }
    }
    all.truncate(MOST);
    all
}

/// The name under which an assignment exports: `module.exports`, or `host` of `exports.host`.
fn export_name(target: &MemberExpression<'_>) -> Option<String> {
    let name = target.static_property_name()?;
    match target.object() {
        Expression::Identifier(object) if object.name == "module" && name == "exports" => Some("module.exports".into()),
        Expression::Identifier(object) if object.name == "exports" => Some(name.to_owned()),
        Expression::StaticMemberExpression(inner) => {
            let Expression::Identifier(object) = &inner.object else { return None };
            (object.name == "module" && inner.property.name == "exports").then(|| name.to_owned())
        }
        _ => None,
    }
}

struct Constants<'s, 'o, 'v> {
    known: Known<'s>,
    others: &'o Values<'v>,
    /// What variables that change are given, by their symbols.
    given: HashMap<SymbolId, Given>,
}

/// What a variable that changes is given, in whichever order.
#[derive(Default)]
struct Given {
    texts: Vec<Text>,
    /// Whether it was declared with nothing or with a text, and how many texts it is given later.
    is_declared: bool,
    later: usize,
    /// How often the script writes it, once that is counted.
    writes: Option<usize>,
    /// Whether something is put behind what it has.
    grows: bool,
}

impl Constants<'_, '_, '_> {
    /// What the script exports that `require(…)` names.
    fn required(&self, call: &CallExpression<'_>) -> Option<Value> {
        match (&call.callee, call.arguments.as_slice()) {
            (Expression::Identifier(callee), [Argument::StringLiteral(text)]) if callee.name == "require" => {
                (self.others.find)(&text.value).cloned()
            }
            _ => None,
        }
    }

    fn init(&self, init: &Expression<'_>) -> Option<Value> {
        match init {
            Expression::CallExpression(call) => self.required(call),
            Expression::StaticMemberExpression(member) => match &member.object {
                Expression::CallExpression(call) => self.required(call)?.get(&member.property.name),
                _ => self.known.value(init),
            },
            _ => self.known.value(init),
        }
    }

    /// Notes that a variable that changes is given one of these texts. Once all that it is given is known, it is one of these.
    /// An empty text stands for nothing yet.
    fn give(&mut self, symbol: SymbolId, texts: Vec<Text>, note: impl Fn(&mut Given)) {
        let given = self.given.entry(symbol).or_default();
        given.texts.extend(texts.into_iter().filter(|text| !text.known.is_empty() || !text.whole));
        note(given);
        let scoping = self.known.scoping;
        let count = || scoping.get_resolved_references(symbol).filter(|one| one.is_write()).count();
        let writes = *given.writes.get_or_insert_with(count);
        if given.is_declared && given.later == writes {
            let whole = |text: &Text| text.whole && !given.grows;
            let mut texts: Vec<_> =
                given.texts.iter().map(|text| Text { whole: whole(text), known: text.known.clone() }).collect();
            texts.truncate(MOST);
            self.known.values.extend(some(texts).map(|value| (symbol, value)));
        }
    }

    fn bind(&mut self, pattern: &BindingPattern<'_>, value: Value) {
        match pattern {
            BindingPattern::BindingIdentifier(variable) => {
                let symbol = variable.symbol_id();
                if !self.known.scoping.symbol_is_mutated(symbol) {
                    self.known.values.insert(symbol, value);
                }
            }
            BindingPattern::ObjectPattern(object) => {
                for property in &object.properties {
                    let member = name_of(&property.key).and_then(|name| value.get(&name));
                    if let Some(member) = member {
                        self.bind(&property.value, member);
                    }
                }
            }
            _ => {}
        }
    }
}

impl<'a> Visit<'a> for Constants<'_, '_, '_> {
    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        let value = declarator.init.as_ref().map(|init| self.init(init));
        if let BindingPattern::BindingIdentifier(variable) = &declarator.id
            && self.known.scoping.symbol_is_mutated(variable.symbol_id())
        {
            match value {
                None => self.give(variable.symbol_id(), Vec::new(), |given| given.is_declared = true),
                Some(Some(Value::Texts(texts))) => {
                    self.give(variable.symbol_id(), texts, |given| given.is_declared = true);
                }
                Some(_) => {}
            }
        } else if let Some(value) = value.flatten() {
            self.bind(&declarator.id, value);
        }
        walk::walk_variable_declarator(self, declarator);
    }

    fn visit_assignment_expression(&mut self, assignment: &AssignmentExpression<'a>) {
        if let AssignmentTarget::AssignmentTargetIdentifier(variable) = &assignment.left
            && let Some(symbol) = self.known.scoping.get_reference(variable.reference_id()).symbol_id()
        {
            match assignment.operator {
                AssignmentOperator::Assign => match self.known.texts(&assignment.right) {
                    texts if texts.is_empty() => {}
                    texts => self.give(symbol, texts, |given| given.later += 1),
                },
                AssignmentOperator::Addition => self.give(symbol, Vec::new(), |given| {
                    given.later += 1;
                    given.grows = true;
                }),
                _ => {}
            }
        }
        walk::walk_assignment_expression(self, assignment);
    }

    fn visit_import_declaration(&mut self, import: &ImportDeclaration<'a>) {
        let Some(value) = (self.others.find)(&import.source.value).cloned() else { return };
        for specifier in import.specifiers.iter().flatten() {
            let part = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(named) => value.get(named.imported.name().as_str()),
                ImportDeclarationSpecifier::ImportDefaultSpecifier(_) => {
                    Some(value.get("default").unwrap_or_else(|| value.clone()))
                }
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(_) => Some(value.clone()),
            };
            if let Some(part) = part {
                self.known.values.insert(specifier.local().symbol_id(), part);
            }
        }
    }
}
