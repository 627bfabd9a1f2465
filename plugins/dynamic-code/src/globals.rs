//! Determines which expressions mean a global name.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use berth_policy_javascript::{
    ast::{
        Argument, AssignmentExpression, BindingIdentifier, BindingPattern, CallExpression, Class, Expression,
        FormalParameters, Function, IdentifierReference, MemberExpression, ObjectProperty, Program, PropertyDefinition,
        VariableDeclarator,
    },
    semantic::{ScopeFlags, Scoping, SemanticBuilder, SymbolId},
    visit::{Visit, walk},
};

use crate::constants;

/// The names of the global object.
const GLOBAL_OBJECTS: [&str; 5] = ["globalThis", "window", "self", "global", "frames"];
/// The name that stands for all of them here.
const GLOBAL_OBJECT: &str = "globalThis";
/// Members that are the global object whatever has them: Laya's engine keeps it as `Browser.window`, and frames and
/// documents have their own.
const WINDOWS: [&str; 4] = ["globalThis", "window", "contentWindow", "defaultView"];

/// Functions of the global object through which scripts get at a constructor.
const FUNCTIONS: [&str; 16] = [
    "Array",
    "Boolean",
    "Date",
    "Error",
    "Number",
    "Object",
    "Promise",
    "RegExp",
    "String",
    "Symbol",
    "Map",
    "Set",
    "isNaN",
    "parseFloat",
    "parseInt",
    "setTimeout",
];
/// Members of literals that are no functions.
const VALUES: [&str; 7] = ["length", "source", "flags", "global", "lastIndex", "__proto__", "constructor"];

/// The scopes of a program, the variables that only give a global another name, those that are functions, and what is
/// known of texts.
pub struct Globals {
    scoping: Scoping,
    aliases: HashMap<SymbolId, String>,
    functions: HashSet<SymbolId>,
    /// The texts of variables.
    texts: HashMap<SymbolId, String>,
    /// The texts of members, by their names; `None` for a name that stands for several values. Laya's engine keeps the
    /// name of `eval` so: `Laya._evcode = "eva" + "l"`.
    members: HashMap<String, Option<String>>,
}

impl Globals {
    /// Analyses a program.
    pub fn of<'a>(program: &'a Program<'a>) -> Self {
        let scoping = SemanticBuilder::new_compiler().build(program).semantic.into_scoping();
        let mut globals = Self {
            scoping,
            aliases: HashMap::new(),
            functions: HashSet::new(),
            texts: HashMap::new(),
            members: HashMap::new(),
        };
        globals.visit_program(program);
        globals
    }

    /// The global name that an expression means, written as `eval`, `window.eval`, `window["ev" + "al"]`, `(0, eval)`,
    /// `Browser.window.eval` or a variable with that value. All names of the global object are `globalThis`. `None` for other expressions.
    pub fn name<'x>(&'x self, expression: &'x Expression<'_>) -> Option<Cow<'x, str>> {
        match expression {
            Expression::Identifier(identifier) => self.identifier(identifier).map(Cow::Borrowed),
            Expression::SequenceExpression(sequence) => self.name(sequence.expressions.last()?),
            Expression::AssignmentExpression(assignment) => self.name(&assignment.right),
            Expression::LogicalExpression(either) => {
                [&either.left, &either.right].into_iter().find_map(|side| self.global_object(side))
            }
            Expression::ConditionalExpression(either) => {
                [&either.consequent, &either.alternate].into_iter().find_map(|side| self.global_object(side))
            }
            Expression::CallExpression(call) => self.returned(call),
            Expression::ChainExpression(chain) => self.member(chain.expression.member_expression()?),
            _ => self.member(expression.as_member_expression()?),
        }
    }

    /// The global name that an identifier means.
    pub fn identifier<'x>(&'x self, identifier: &'x IdentifierReference<'_>) -> Option<&'x str> {
        match self.scoping.get_reference(identifier.reference_id()).symbol_id() {
            Some(symbol) => self.aliases.get(&symbol).map(String::as_str),
            None if GLOBAL_OBJECTS.contains(&identifier.name.as_str()) => Some(GLOBAL_OBJECT),
            None => Some(identifier.name.as_str()),
        }
    }

    /// The global object, if the expression is one: `freeGlobal || freeSelf || Function("return this")()` is it in any
    /// case.
    fn global_object<'x>(&'x self, expression: &'x Expression<'_>) -> Option<Cow<'x, str>> {
        self.name(expression).filter(|name| name == GLOBAL_OBJECT)
    }

    /// The global object, if a call of constant code returns it.
    fn returned(&self, call: &CallExpression<'_>) -> Option<Cow<'static, str>> {
        let constant = |arguments: &[Argument<'_>]| constants::texts(arguments).map(|texts| texts.concat());
        let is_this = |code: String| matches!(code.trim().trim_end_matches(';'), "this" | "return this");
        let code = match &call.callee {
            Expression::CallExpression(made) if self.name(&made.callee)? == "Function" => constant(&made.arguments),
            Expression::NewExpression(made) if self.name(&made.callee)? == "Function" => constant(&made.arguments),
            callee if self.name(callee)? == "eval" => constant(&call.arguments),
            _ => None,
        };
        code.is_some_and(is_this).then_some(GLOBAL_OBJECT.into())
    }

    /// The global name that a member means.
    pub fn member<'x>(&'x self, member: &'x MemberExpression<'_>) -> Option<Cow<'x, str>> {
        let name = self.property(member)?;
        if name == "constructor" && self.is_function(member.object()) {
            return Some("Function".into());
        }
        if WINDOWS.contains(&&*name) {
            return Some(GLOBAL_OBJECT.into());
        }
        let global = self.name(member.object())? == GLOBAL_OBJECT;
        global.then(|| of_global_object(name))
    }

    /// The name of a member, if it is known.
    pub fn property<'x>(&'x self, member: &'x MemberExpression<'_>) -> Option<Cow<'x, str>> {
        match member {
            MemberExpression::StaticMemberExpression(member) => Some(member.property.name.as_str().into()),
            MemberExpression::ComputedMemberExpression(member) => self.text(&member.expression),
            MemberExpression::PrivateFieldExpression(_) => None,
        }
    }

    /// The text of a constant, or of a variable or a member that has no other value.
    fn text(&self, expression: &Expression<'_>) -> Option<Cow<'_, str>> {
        let known = match expression {
            Expression::Identifier(identifier) => {
                self.texts.get(&self.scoping.get_reference(identifier.reference_id()).symbol_id()?)
            }
            Expression::StaticMemberExpression(member) => {
                self.members.get(member.property.name.as_str()).and_then(Option::as_ref)
            }
            _ => return constants::text(expression).map(Cow::Owned),
        };
        known.map(|text| text.as_str().into())
    }

    /// Notes that a member with this name is given a value.
    fn add_member(&mut self, name: &str, value: Option<&Expression<'_>>) {
        let text = value.and_then(constants::text);
        match self.members.get_mut(name) {
            Some(known) if *known != text => *known = None,
            Some(_) => {}
            None => _ = self.members.insert(name.to_owned(), text),
        }
    }

    /// Whether the expression is certainly a function or a constructor: the constructor of all of them is `Function`.
    fn is_function(&self, expression: &Expression<'_>) -> bool {
        match expression {
            Expression::Identifier(identifier) => {
                match self.scoping.get_reference(identifier.reference_id()).symbol_id() {
                    Some(symbol) => self.functions.contains(&symbol),
                    None => FUNCTIONS.contains(&identifier.name.as_str()),
                }
            }
            Expression::ClassExpression(_) => true,
            Expression::CallExpression(call) => self.is_prototype(call),
            _ if expression.is_function() => true,
            _ => expression.as_member_expression().is_some_and(|member| self.is_method(member)),
        }
    }

    /// Whether the call returns what a function inherits from: `Object.getPrototypeOf(async function () {})`.
    fn is_prototype(&self, call: &CallExpression<'_>) -> bool {
        let Some(member) = call.callee.as_member_expression() else { return false };
        let of = call.arguments.first().and_then(Argument::as_expression);
        matches!(self.name(member.object()).as_deref(), Some("Object" | "Reflect"))
            && self.property(member).as_deref() == Some("getPrototypeOf")
            && of.is_some_and(|of| self.is_function(of))
    }

    /// Whether the member is a constructor, a method of a literal (`[]["filter"]`, `"".sub`), or what functions inherit from.
    fn is_method(&self, member: &MemberExpression<'_>) -> bool {
        let Some(name) = self.property(member) else { return false };
        match &*name {
            "prototype" => return self.name(member.object()).as_deref() == Some("Function"),
            "__proto__" => return self.is_function(member.object()),
            _ => {}
        }
        let literal = matches!(
            member.object(),
            Expression::ArrayExpression(_)
                | Expression::StringLiteral(_)
                | Expression::NumericLiteral(_)
                | Expression::RegExpLiteral(_)
                | Expression::TemplateLiteral(_)
        );
        name == "constructor" || literal && !VALUES.contains(&&*name)
    }

    /// Notes that a variable is another name for a global, unless it becomes something else later.
    fn add_alias(&mut self, variable: &BindingIdentifier<'_>, name: Option<String>) {
        let symbol = variable.symbol_id();
        let name = name.filter(|_| !self.scoping.symbol_is_mutated(symbol));
        self.aliases.extend(name.map(|name| (symbol, name)));
    }

    /// Notes the names that a variable, or the parts of a pattern, give to a value: `w = window`, `{ eval: e } = window`.
    fn add_aliases(&mut self, pattern: &BindingPattern<'_>, value: &Expression<'_>) {
        let name = self.name(value).map(Cow::into_owned);
        match pattern {
            BindingPattern::BindingIdentifier(variable) => self.add_alias(variable, name),
            BindingPattern::ObjectPattern(parts) if name.as_deref() == Some(GLOBAL_OBJECT) => {
                for part in &parts.properties {
                    let BindingPattern::BindingIdentifier(variable) = &part.value else { continue };
                    self.add_alias(variable, part.key.static_name().map(|name| of_global_object(name).into_owned()));
                }
            }
            _ => {}
        }
    }

    /// Notes the parameters of a function that is called where it stands: `(function (w) { … })(window)`.
    fn add_parameters(&mut self, callee: &Expression<'_>, arguments: &[Argument<'_>]) {
        let Some(parameters) = parameters(callee) else { return };
        for (parameter, argument) in parameters.items.iter().zip(arguments) {
            let Some(value) = argument.as_expression() else { return };
            self.add_aliases(&parameter.pattern, value);
        }
    }

    fn add_function(&mut self, name: Option<&BindingIdentifier<'_>>) {
        let symbol = name.map(BindingIdentifier::symbol_id).filter(|symbol| !self.scoping.symbol_is_mutated(*symbol));
        self.functions.extend(symbol);
    }
}

/// The global name of a member of the global object.
fn of_global_object(name: Cow<'_, str>) -> Cow<'_, str> {
    if GLOBAL_OBJECTS.contains(&&*name) { GLOBAL_OBJECT.into() } else { name }
}

/// The parameters of a function that is written out.
fn parameters<'x, 'a>(function: &'x Expression<'a>) -> Option<&'x FormalParameters<'a>> {
    match function {
        Expression::FunctionExpression(function) => Some(&function.params),
        Expression::ArrowFunctionExpression(function) => Some(&function.params),
        _ => None,
    }
}

impl<'a> Visit<'a> for Globals {
    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        if let Some(init) = &declarator.init {
            self.add_aliases(&declarator.id, init);
            if let BindingPattern::BindingIdentifier(variable) = &declarator.id {
                let symbol = variable.symbol_id();
                let text = constants::text(init).filter(|_| !self.scoping.symbol_is_mutated(symbol));
                self.texts.extend(text.map(|text| (symbol, text)));
                if self.is_function(init) {
                    self.add_function(Some(variable));
                }
            }
        }
        walk::walk_variable_declarator(self, declarator);
    }

    fn visit_assignment_expression(&mut self, assignment: &AssignmentExpression<'a>) {
        if let Some(MemberExpression::StaticMemberExpression(member)) = assignment.left.as_member_expression() {
            let value = Some(&assignment.right).filter(|_| assignment.operator.is_assign());
            self.add_member(&member.property.name, value);
        }
        walk::walk_assignment_expression(self, assignment);
    }

    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        if let Some(name) = property.key.static_name() {
            self.add_member(&name, Some(&property.value));
        }
        walk::walk_object_property(self, property);
    }

    fn visit_property_definition(&mut self, property: &PropertyDefinition<'a>) {
        if let Some(name) = property.key.static_name() {
            self.add_member(&name, property.value.as_ref());
        }
        walk::walk_property_definition(self, property);
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        match &call.callee {
            Expression::StaticMemberExpression(member) if member.property.name == "call" => {
                self.add_parameters(&member.object, call.arguments.get(1..).unwrap_or_default());
            }
            callee => self.add_parameters(callee, &call.arguments),
        }
        walk::walk_call_expression(self, call);
    }

    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        self.add_function(function.id.as_ref());
        walk::walk_function(self, function, flags);
    }

    fn visit_class(&mut self, class: &Class<'a>) {
        self.add_function(class.id.as_ref());
        walk::walk_class(self, class);
    }
}
