//! Which expressions mean a global name.

use std::{borrow::Cow, collections::HashMap};

use berth_policy_javascript::{
    ast::{BindingPattern, Expression, IdentifierReference, MemberExpression, Program, VariableDeclarator},
    semantic::{Scoping, SemanticBuilder, SymbolId},
    visit::{Visit, walk},
};

use crate::constants;

/// Names of the global object.
const GLOBAL_OBJECTS: [&str; 5] = ["globalThis", "window", "self", "global", "frames"];
/// What all of them are called here.
const GLOBAL_OBJECT: &str = "globalThis";

/// Knows the scopes of a program, and the variables that only give a global another name.
pub struct Globals {
    scoping: Scoping,
    aliases: HashMap<SymbolId, String>,
}

impl Globals {
    /// Looks through a program.
    pub fn of<'a>(program: &'a Program<'a>) -> Self {
        let scoping = SemanticBuilder::new_compiler().build(program).semantic.into_scoping();
        let mut globals = Self { scoping, aliases: HashMap::new() };
        globals.visit_program(program);
        globals
    }

    /// The global name that an expression means, written `eval`, `window.eval`, `window["ev" + "al"]`, `(0, eval)` or
    /// as a variable that is nothing else; `globalThis` for every name of the global object.
    pub fn name<'x>(&'x self, expression: &'x Expression<'_>) -> Option<Cow<'x, str>> {
        match expression {
            Expression::Identifier(identifier) => self.identifier(identifier).map(Cow::Borrowed),
            Expression::SequenceExpression(sequence) => self.name(sequence.expressions.last()?),
            Expression::ChainExpression(chain) => self.member(chain.expression.member_expression()?),
            _ => self.member(expression.as_member_expression()?),
        }
    }

    /// The same of an identifier.
    pub fn identifier<'x>(&'x self, identifier: &'x IdentifierReference<'_>) -> Option<&'x str> {
        match self.scoping.get_reference(identifier.reference_id()).symbol_id() {
            Some(symbol) => self.aliases.get(&symbol).map(String::as_str),
            None if GLOBAL_OBJECTS.contains(&identifier.name.as_str()) => Some(GLOBAL_OBJECT),
            None => Some(identifier.name.as_str()),
        }
    }

    fn member<'x>(&'x self, member: &'x MemberExpression<'_>) -> Option<Cow<'x, str>> {
        let name = property(member)?;
        if name == "constructor" && is_function(member.object()) {
            return Some("Function".into());
        }
        let global = self.name(member.object())? == GLOBAL_OBJECT;
        let name = if GLOBAL_OBJECTS.contains(&&*name) { GLOBAL_OBJECT.into() } else { name };
        global.then_some(name)
    }
}

/// The name of a member, if it is a constant.
pub fn property<'x>(member: &'x MemberExpression<'_>) -> Option<Cow<'x, str>> {
    match member {
        MemberExpression::StaticMemberExpression(member) => Some(member.property.name.as_str().into()),
        MemberExpression::ComputedMemberExpression(member) => constants::text(&member.expression).map(Cow::Owned),
        MemberExpression::PrivateFieldExpression(_) => None,
    }
}

/// Functions, and constructors as far as they can be told: the constructor of both is `Function`.
fn is_function(expression: &Expression<'_>) -> bool {
    let constructor = |member: &MemberExpression<'_>| property(member).is_some_and(|name| name == "constructor");
    expression.is_function() || expression.as_member_expression().is_some_and(constructor)
}

impl<'a> Visit<'a> for Globals {
    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        if let (BindingPattern::BindingIdentifier(variable), Some(init)) = (&declarator.id, &declarator.init) {
            let symbol = variable.symbol_id();
            let name = self.name(init).filter(|_| !self.scoping.symbol_is_mutated(symbol)).map(Cow::into_owned);
            name.map(|name| self.aliases.insert(symbol, name));
        }
        walk::walk_variable_declarator(self, declarator);
    }
}
