//! Finds calls that make code at run time.

use std::{cell::OnceCell, collections::HashSet};

use berth_policy::{Finding, Severity};
use berth_policy_javascript::{
    ArenaVec, Found,
    ast::{
        Argument, ArrayExpressionElement, ArrowFunctionExpression, AssignmentExpression, BinaryExpression,
        BinaryOperator, CallExpression, ConditionalExpression, Expression, Function, IdentifierReference, IfStatement,
        ImportExpression, LogicalExpression, LogicalOperator, MemberExpression, NewExpression, Program, Statement,
        UnaryExpression, UnaryOperator, VariableDeclarator,
    },
    semantic::ScopeFlags,
    span::{GetSpan, Span},
    visit::{Visit, walk},
};

use crate::{
    constants,
    findings::{
        EVAL_CALL, FUNCTION_CONSTRUCTOR, dynamic_import, eval, eval_reference, made, modules, not_constant,
        script_element, string_timer,
    },
    globals::Globals,
    inner,
    polyfill::{in_conditional, in_if, in_logical},
    shapes::{is_defined, is_script, member, writes_script},
};

/// All findings of a program.
pub fn find(program: &Program<'_>) -> Found {
    find_in(program, 0)
}

/// All findings of a program that lies inside `depth` texts of other programs.
pub fn find_in(program: &Program<'_>, depth: usize) -> Found {
    let mut finder = Finder {
        globals: Globals::of(program),
        code: without_comments(program),
        depth,
        found: Found::new(),
        settled: HashSet::new(),
        asked: HashSet::new(),
        polyfills: HashSet::new(),
        functions: Vec::new(),
    };
    finder.visit_program(program);
    finder.found
}

/// Texts that occur in webpack's loader of chunks, which makes a script element.
const LOADER: [&str; 4] = ["ChunkLoadError", "data-webpack", "timeout = 120", "timeout=120"];

/// The mark of a text into which webpack puts a module for development, with `devtool: "eval"`.
const MODULE: &str = "//# sourceURL=";

/// The text of a program with spaces in place of its comments: code is not a library's because a comment says so.
fn without_comments(program: &Program<'_>) -> String {
    let (text, mut code, mut end) = (program.source_text, String::new(), 0);
    for comment in &program.comments {
        let span = comment.span.start as usize..comment.span.end as usize;
        code.push_str(&text[end..span.start]);
        code.extend(std::iter::repeat_n(' ', span.len()));
        end = span.end;
    }
    code.push_str(&text[end..]);
    code
}

struct Finder {
    globals: Globals,
    /// The text without comments; what is where in the program is at the same place here.
    code: String,
    depth: usize,
    found: Found,
    /// The offsets of what may be `eval` and was judged together with its surroundings.
    settled: HashSet<u32>,
    /// The offsets of calls whose result is only looked at, so that they run no code.
    asked: HashSet<u32>,
    /// The offsets of calls with which a polyfill of timers makes a function of a text that it was given.
    polyfills: HashSet<u32>,
    /// The functions around the present place, the innermost last.
    functions: Vec<Around>,
}

/// A function, and what its text tells. That is looked for once, however many calls are in it.
struct Around {
    span: Span,
    makes_code: OnceCell<bool>,
    evals: OnceCell<bool>,
    loads: OnceCell<bool>,
}

impl Around {
    fn of(span: Span) -> Self {
        Self { span, makes_code: OnceCell::new(), evals: OnceCell::new(), loads: OnceCell::new() }
    }
}

impl<'a> Visit<'a> for Finder {
    /// Skips what follows a `return`, which never runs: some libraries put an `eval` there to keep an engine from
    /// optimising.
    fn visit_statements(&mut self, statements: &ArenaVec<'a, Statement<'a>>) {
        let mut ended = false;
        for statement in statements {
            if !ended || matches!(statement, Statement::FunctionDeclaration(_)) {
                self.visit_statement(statement);
            }
            ended |= matches!(statement, Statement::ReturnStatement(_) | Statement::ThrowStatement(_));
        }
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        self.settle(&call.callee);
        let finding = self.call(&call.callee, &call.arguments).filter(|_| !self.asked.contains(&call.span.start));
        let finding = finding.map(|finding| self.softened(call.span.start, finding));
        // `Reflect.apply(eval, …)` has been judged as a whole.
        if let (Some(_), Some(first)) = (&finding, call.arguments.first().and_then(Argument::as_expression)) {
            self.settle(first);
        }
        self.found.extend(finding.map(|finding| (call.span.start, finding)));
        walk::walk_call_expression(self, call);
    }

    fn visit_new_expression(&mut self, new: &NewExpression<'a>) {
        let finding = match self.globals.name(&new.callee).as_deref() {
            Some("Function") => {
                let found = Some(self.function(&new.arguments)).filter(|_| !self.asked.contains(&new.span.start));
                found.map(|finding| self.softened(new.span.start, finding))
            }
            _ => self.web_assembly(&new.callee, &["Module"], &new.arguments),
        };
        self.found.extend(finding.map(|finding| (new.span.start, finding)));
        walk::walk_new_expression(self, new);
    }

    fn visit_import_expression(&mut self, import: &ImportExpression<'a>) {
        if constants::text(&import.source).is_none() {
            self.found.push((import.span.start, dynamic_import()));
        }
        walk::walk_import_expression(self, import);
    }

    fn visit_unary_expression(&mut self, unary: &UnaryExpression<'a>) {
        if unary.operator == UnaryOperator::Typeof {
            self.settle(&unary.argument);
        }
        walk::walk_unary_expression(self, unary);
    }

    /// Every engine has `JSON.parse`, so the branch without it never runs; ECharts has such a branch.
    fn visit_conditional_expression(&mut self, conditional: &ConditionalExpression<'a>) {
        if self.is_json_there(&conditional.test) {
            self.asked.insert(conditional.alternate.span().start);
        }
        self.polyfills.extend(in_conditional(conditional));
        match constants::truth(&conditional.test) {
            Some(true) => self.visit_expression(&conditional.consequent),
            Some(false) => self.visit_expression(&conditional.alternate),
            None => walk::walk_conditional_expression(self, conditional),
        }
    }

    /// Skips the branch that never runs: bundles of bluebird keep what is for servers below `if (!true)`.
    fn visit_if_statement(&mut self, statement: &IfStatement<'a>) {
        self.polyfills.extend(in_if(statement));
        match (constants::truth(&statement.test), &statement.alternate) {
            (Some(true), _) => self.visit_statement(&statement.consequent),
            (Some(false), Some(alternate)) => self.visit_statement(alternate),
            (Some(false), None) => {}
            (None, _) => walk::walk_if_statement(self, statement),
        }
    }

    fn visit_logical_expression(&mut self, logical: &LogicalExpression<'a>) {
        self.polyfills.extend(in_logical(logical));
        match (logical.operator, constants::truth(&logical.left)) {
            (LogicalOperator::And, Some(false)) | (LogicalOperator::Or, Some(true)) => {}
            _ => walk::walk_logical_expression(self, logical),
        }
    }

    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        self.functions.push(Around::of(function.span));
        walk::walk_function(self, function, flags);
        self.functions.pop();
    }

    fn visit_arrow_function_expression(&mut self, function: &ArrowFunctionExpression<'a>) {
        self.functions.push(Around::of(function.span));
        walk::walk_arrow_function_expression(self, function);
        self.functions.pop();
    }

    /// Comparing makes no code, and `"async" in document.createElement("script")` only asks what a browser can do.
    fn visit_binary_expression(&mut self, binary: &BinaryExpression<'a>) {
        self.settle(&binary.left);
        self.settle(&binary.right);
        if binary.operator == BinaryOperator::In {
            self.asked.insert(binary.right.span().start);
        }
        walk::walk_binary_expression(self, binary);
    }

    /// A variable that only gives `eval` another name is no finding, as its calls are found.
    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        if let Some(init) = &declarator.init {
            self.settle(init);
        }
        walk::walk_variable_declarator(self, declarator);
    }

    fn visit_identifier_reference(&mut self, identifier: &IdentifierReference<'a>) {
        let is_eval = identifier.name == "eval" && self.globals.identifier(identifier) == Some("eval");
        self.passed_on(is_eval, identifier.span.start);
    }

    fn visit_member_expression(&mut self, member: &MemberExpression<'a>) {
        self.passed_on(self.globals.member(member).as_deref() == Some("eval"), member.span().start);
        walk::walk_member_expression(self, member);
    }

    /// What `eval` is replaced by is not `eval`.
    fn visit_assignment_expression(&mut self, assignment: &AssignmentExpression<'a>) {
        if let Some(member) = assignment.left.as_member_expression() {
            self.settled.insert(member.span().start);
        }
        walk::walk_assignment_expression(self, assignment);
    }
}

impl Finder {
    /// Whether the test is `typeof JSON !== "undefined" && JSON.parse`.
    fn is_json_there(&self, test: &Expression<'_>) -> bool {
        let Expression::LogicalExpression(both) = test else { return false };
        let json = |expression: &Expression<'_>| self.globals.name(expression).as_deref() == Some("JSON");
        let parse = |member: &MemberExpression<'_>| {
            json(member.object()) && self.globals.property(member).as_deref() == Some("parse")
        };
        both.operator == LogicalOperator::And
            && matches!(&both.left, Expression::BinaryExpression(left) if is_defined(left, json))
            && member(&both.right).is_some_and(parse)
    }

    /// Notes `eval` as passed on, unless it was judged where it stands.
    fn passed_on(&mut self, is_eval: bool, at: u32) {
        if is_eval && !self.settled.contains(&at) {
            self.found.push((at, eval_reference()));
        }
    }

    /// Notes that the expression, if it is `eval`, was judged where it stands.
    fn settle(&mut self, expression: &Expression<'_>) {
        match expression {
            Expression::Identifier(identifier) => _ = self.settled.insert(identifier.span.start),
            Expression::SequenceExpression(sequence) => {
                sequence.expressions.last().into_iter().for_each(|e| self.settle(e))
            }
            Expression::StaticMemberExpression(member)
                if matches!(&*member.property.name, "call" | "apply" | "bind") =>
            {
                self.settle(&member.object);
            }
            _ => self.settled.extend(member(expression).map(|member| member.span().start)),
        }
    }

    fn call(&self, callee: &Expression<'_>, arguments: &[Argument<'_>]) -> Option<Finding> {
        let first = arguments.first().and_then(Argument::as_expression);
        match self.globals.name(callee).as_deref() {
            Some("eval" | "execScript") => Some(self.eval_of(first)),
            Some("Function") => Some(self.function(arguments)),
            Some("importScripts") if constants::texts(arguments).is_none() => Some(script_element()),
            Some(timer @ ("setTimeout" | "setInterval" | "setImmediate")) if first.is_some_and(constants::is_text) => {
                Some(string_timer(timer))
            }
            Some(_) => None,
            None => self.method(callee, first, arguments),
        }
    }

    /// Judges a method of a global object: `eval.call`, `Reflect.construct`, `document.write`.
    fn method(
        &self,
        callee: &Expression<'_>,
        first: Option<&Expression<'_>>,
        arguments: &[Argument<'_>],
    ) -> Option<Finding> {
        let member = member(callee)?;
        let (object, method) = (self.globals.name(member.object())?, self.globals.property(member)?);
        match (&*object, &*method) {
            ("eval", "call") => Some(self.eval_of(arguments.get(1).and_then(Argument::as_expression))),
            ("eval", "apply") => Some(self.eval_of(arguments.get(1).and_then(first_of))),
            ("eval", "bind") => Some(eval()),
            ("Function", "call" | "bind") if arguments.len() > 1 => Some(self.function(&arguments[1..])),
            ("Function", "apply") if arguments.len() > 1 => Some(not_constant()),
            ("Reflect", "apply" | "construct") => self.reflected(first?, arguments),
            ("document", "createElement") => is_script(first?).then(|| self.script_element()),
            ("document", "write" | "writeln") => writes_script(first?).then(script_element),
            _ => self.web_assembly(
                callee,
                &["instantiate", "compile", "instantiateStreaming", "compileStreaming"],
                arguments,
            ),
        }
    }

    /// The finding of a call of `eval`. Code that is constant is judged by what it does itself.
    fn eval_of(&self, code: Option<&Expression<'_>>) -> Finding {
        match code.and_then(constants::text) {
            Some(code) => {
                let severity = inner::severity(&code, self.depth);
                let module = severity != Severity::Error && code.contains(MODULE);
                Finding { severity, ..if module { modules() } else { eval() } }
            }
            None => eval(),
        }
    }

    fn function(&self, arguments: &[Argument<'_>]) -> Finding {
        let Some(mut parameters) = constants::texts(arguments) else { return made(arguments) };
        let body = parameters.pop().unwrap_or_default();
        let code = format!("(function ({}\n) {{\n{body}\n}})", parameters.join(","));
        let message = "The Function constructor makes code of a constant text.";
        Finding::new(inner::severity(&code, self.depth), "constant-function", message)
            .fix("Write the function out; for the global object there is globalThis.")
    }

    /// The finding with severity note if the call belongs to a polyfill of a function that every engine has. It runs
    /// only when a timer is given a text, which is reported where that happens. What a well-known library does is a
    /// warning.
    fn softened(&self, at: u32, finding: Finding) -> Finding {
        let library = || match &*finding.rule {
            FUNCTION_CONSTRUCTOR => self.is_in(|around| &around.makes_code, constants::is_in_library),
            EVAL_CALL => self.is_in(|around| &around.evals, constants::is_known_to_eval),
            _ => false,
        };
        let severity = match finding.severity {
            _ if self.polyfills.contains(&at) => Severity::Note,
            Severity::Error if library() => Severity::Warning,
            severity => severity,
        };
        Finding { severity, ..finding }
    }

    /// Whether the text of the innermost function around the present place is of a kind, by what is `known` of it or else by
    /// what it says.
    fn is_in(&self, known: fn(&Around) -> &OnceCell<bool>, is: impl Fn(&str) -> bool) -> bool {
        let text = |span: Span| self.code.get(span.start as usize..span.end as usize);
        self.functions.last().is_some_and(|around| *known(around).get_or_init(|| text(around.span).is_some_and(&is)))
    }

    /// The finding of a script element, which cannot work as a mini-program has no document. It is a note in the loader
    /// that webpack puts into every bundle.
    fn script_element(&self) -> Finding {
        let is_loader = |text: &str| LOADER.iter().any(|mark| text.contains(mark));
        let loader = self.is_in(|around| &around.loads, is_loader);
        let severity = if loader { Severity::Note } else { Severity::Warning };
        Finding { severity, ..script_element() }
    }

    fn reflected(&self, target: &Expression<'_>, arguments: &[Argument<'_>]) -> Option<Finding> {
        match &*self.globals.name(target)? {
            "eval" => Some(self.eval_of(arguments.get(2).and_then(first_of))),
            "Function" => Some(not_constant()),
            _ => None,
        }
    }

    /// The finding of WebAssembly from bytes or from a path that are not constant. What is constant is part of the
    /// package and is audited with it.
    fn web_assembly(&self, callee: &Expression<'_>, names: &[&str], arguments: &[Argument<'_>]) -> Option<Finding> {
        let member = member(callee)?;
        let ours = self.globals.name(member.object())?.ends_with("WebAssembly")
            && names.contains(&&*self.globals.property(member)?);
        let source = arguments.first().and_then(Argument::as_expression);
        let constant = source.is_some_and(|source| constants::text(source).is_some() || self.are_constant(source));
        (ours && !constant).then(|| {
            Finding::warning("web-assembly", "WebAssembly is loaded from bytes or from a path that are not constant.")
                .fix("Load it from a constant path in the package, so that it is audited with the rest.")
        })
    }

    /// Whether the bytes are written out, as `new Uint8Array([0, 97, …])` in the long.js of every protobuf.
    fn are_constant(&self, bytes: &Expression<'_>) -> bool {
        let Expression::NewExpression(new) = bytes else { return false };
        let [Argument::ArrayExpression(array)] = new.arguments.as_slice() else { return false };
        self.globals.name(&new.callee).as_deref() == Some("Uint8Array")
            && array.elements.iter().all(|element| matches!(element, ArrayExpressionElement::NumericLiteral(_)))
    }
}

/// The first of arguments that are given as a list: `[code]`.
fn first_of<'x, 'a>(list: &'x Argument<'a>) -> Option<&'x Expression<'a>> {
    let Argument::ArrayExpression(list) = list else { return None };
    list.elements.first()?.as_expression()
}
