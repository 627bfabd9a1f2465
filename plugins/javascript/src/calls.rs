//! The calls of a platform's APIs: `wx.request(…)` and the like in every dialect, however they are written.

use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
};

use oxc_ast::ast::{
    Argument, BinaryExpression, BindingPattern, CallExpression, ConditionalExpression, Expression, FormalParameter,
    IdentifierReference, IfStatement, ImportDeclaration, ImportDeclarationSpecifier, LogicalExpression,
    LogicalOperator, MemberExpression, ObjectExpression, ObjectPropertyKind, Program, PropertyKey,
    StaticMemberExpression, UnaryExpression, UnaryOperator, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::{Scoping, SemanticBuilder, SymbolId};
use oxc_span::GetSpan;

use crate::known::{Known, Text, Values};

/// The objects by which platforms and frameworks offer their APIs.
const OBJECTS: [&str; 13] = ["wx", "my", "tt", "swan", "qq", "ks", "jd", "xhs", "dd", "uni", "Taro", "taro", "mpx"];
/// The modules whose exports are such an object.
const MODULES: [&str; 3] = ["@tarojs/taro", "@mpxjs/core", "@dcloudio/uni-app"];

/// The script of uni-app's builds that exports the object as `index`.
const VENDORS: [&str; 2] = ["common/vendor.js", "common/vendor"];
/// What the names of variables contain by which builds of Taro mean the object.
const TARO: &str = "tarojs_taro";

/// How deep an expression is followed, and how many characters of an object are told.
const MOST_DEEP: usize = 200;
const MOST_CHARACTERS: usize = 40;

/// One use of an API.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The name without the object: `request`, `cloud.callFunction`, `createTCPSocket.connect`.
    pub api: String,
    /// The object as it is written, such as `wx`.
    pub object: String,
    /// Whether the object is certainly the platform's. Of others only calls with an argument that `wanted` names are told.
    pub certain: bool,
    /// Whether it is called here, and not only mentioned.
    pub called: bool,
    /// The byte offset.
    pub offset: u32,
    /// Those members of the first argument that are wanted, with what is known of their values.
    pub members: HashMap<String, Member>,
}

/// A member of an argument.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The byte offset of the value.
    pub offset: u32,
    /// What the value can be, as far as it is known; empty when nothing is known.
    pub texts: Vec<Text>,
}

impl Call {
    /// The use as people know it, such as `wx.getLocation`.
    pub fn written(&self) -> String {
        let name = self.api.rsplit('.').next().unwrap_or(&self.api);
        if self.object.is_empty() { self.api.clone() } else { format!("{}.{name}", self.object) }
    }
}

/// All uses of APIs in a program. `values` says what other scripts export, `wanted` which members of arguments matter.
pub fn calls<'a>(program: &'a Program<'a>, values: &Values<'_>, wanted: &[&str]) -> Vec<Call> {
    let scoping = SemanticBuilder::new_compiler().build(program).semantic.into_scoping();
    let known = Known::of(program, &scoping, values);
    let mut finder = Finder {
        source: program.source_text,
        scoping: &scoping,
        known,
        wanted,
        apis: HashMap::new(),
        vendors: HashSet::new(),
        settled: HashSet::new(),
        found: Vec::new(),
        depth: Cell::new(0),
    };
    finder.visit_program(program);
    finder.found
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
enum Meaning {
    /// The object of a platform.
    Object,
    /// An API, by its name, or what a call of it returns.
    Api(String),
}

struct Finder<'s, 'w> {
    source: &'s str,
    scoping: &'s Scoping,
    known: Known<'s>,
    wanted: &'w [&'w str],
    /// The variables that stand for an object or an API.
    apis: HashMap<SymbolId, Meaning>,
    /// The variables that stand for what uni-app's builds share.
    vendors: HashSet<SymbolId>,
    /// The offsets of expressions that were told with their call.
    settled: HashSet<u32>,
    found: Vec<Call>,
    depth: Cell<usize>,
}

impl<'a> Visit<'a> for Finder<'_, '_> {
    fn visit_import_declaration(&mut self, import: &ImportDeclaration<'a>) {
        if !MODULES.contains(&import.source.value.as_str()) {
            return;
        }
        for specifier in import.specifiers.iter().flatten() {
            let meaning = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(named) => {
                    let name = named.imported.name();
                    if OBJECTS.contains(&name.as_str()) { Meaning::Object } else { Meaning::Api(name.to_string()) }
                }
                _ => Meaning::Object,
            };
            self.apis.insert(specifier.local().symbol_id(), meaning);
        }
    }

    /// Builds of uni-app hand the object to each module: `(function (uni) { … }).call(this, …)`.
    fn visit_formal_parameter(&mut self, parameter: &FormalParameter<'a>) {
        if let BindingPattern::BindingIdentifier(name) = &parameter.pattern
            && OBJECTS.contains(&name.name.as_str())
        {
            self.apis.insert(name.symbol_id(), Meaning::Object);
        }
        walk::walk_formal_parameter(self, parameter);
    }

    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        if let (BindingPattern::BindingIdentifier(variable), Some(Expression::CallExpression(call))) =
            (&declarator.id, &declarator.init)
            && required(call).is_some_and(|text| VENDORS.iter().any(|vendor| text.ends_with(vendor)))
        {
            self.vendors.insert(variable.symbol_id());
        }
        if let Some(meaning) = declarator.init.as_ref().and_then(|init| self.meaning(init)) {
            self.alias(&declarator.id, &meaning);
            declarator.init.iter().for_each(|init| self.settle(init));
        }
        walk::walk_variable_declarator(self, declarator);
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        self.settle(&call.callee);
        let certain = match self.meaning(&call.callee) {
            Some(Meaning::Api(api)) => Some((api, true)),
            Some(Meaning::Object) => None,
            None => method(&call.callee).map(|name| (name.to_owned(), false)),
        };
        if let Some((written, certain)) = certain {
            let api = strip_call(&written).to_owned();
            // `request.call(this, …)` has what `request(…)` has, behind the object.
            let own = usize::from(written.ends_with(".call"));
            let members = self.members(call.arguments.get(own..).unwrap_or_default());
            if certain || !members.is_empty() {
                let object = self.object(if api == written { &call.callee } else { held(&call.callee) });
                self.found.push(Call { api, object, certain, called: true, offset: call.callee.span().start, members });
            }
        }
        walk::walk_call_expression(self, call);
    }

    fn visit_if_statement(&mut self, statement: &IfStatement<'a>) {
        self.tested(&statement.test);
        walk::walk_if_statement(self, statement);
    }

    fn visit_conditional_expression(&mut self, expression: &ConditionalExpression<'a>) {
        self.tested(&expression.test);
        walk::walk_conditional_expression(self, expression);
    }

    fn visit_logical_expression(&mut self, expression: &LogicalExpression<'a>) {
        if expression.operator == LogicalOperator::And {
            self.tested(&expression.left);
        }
        walk::walk_logical_expression(self, expression);
    }

    fn visit_binary_expression(&mut self, expression: &BinaryExpression<'a>) {
        if expression.operator.is_equality() {
            self.tested(&expression.left);
            self.tested(&expression.right);
        }
        walk::walk_binary_expression(self, expression);
    }

    fn visit_unary_expression(&mut self, expression: &UnaryExpression<'a>) {
        if matches!(expression.operator, UnaryOperator::LogicalNot | UnaryOperator::Typeof) {
            self.tested(&expression.argument);
        }
        walk::walk_unary_expression(self, expression);
    }

    fn visit_static_member_expression(&mut self, member: &StaticMemberExpression<'a>) {
        let is_settled = self.settled.contains(&member.span.start);
        if let (false, Some(Meaning::Object)) = (is_settled, self.meaning(&member.object)) {
            let (api, offset) = (member.property.name.to_string(), member.span.start);
            let object = self.text(&member.object);
            self.found.push(Call { api, object, certain: true, called: false, offset, members: HashMap::new() });
        }
        walk::walk_static_member_expression(self, member);
    }
}

/// `request.call` and the like call `request`.
fn strip_call(api: &str) -> &str {
    [".call", ".apply", ".bind"].iter().find_map(|end| api.strip_suffix(end)).unwrap_or(api)
}

/// What is called by `call` and the like, which are members of it.
fn held<'x, 'a>(callee: &'x Expression<'a>) -> &'x Expression<'a> {
    callee.as_member_expression().map_or(callee, MemberExpression::object)
}

/// The name of the method that is called.
fn method<'x>(callee: &'x Expression<'_>) -> Option<&'x str> {
    match callee {
        Expression::StaticMemberExpression(member) => Some(member.property.name.as_str()),
        Expression::ChainExpression(chain) => chain.expression.member_expression()?.static_property_name(),
        _ => None,
    }
}

impl Finder<'_, '_> {
    fn text(&self, expression: &impl GetSpan) -> String {
        let span = expression.span();
        let text = self.source.get(span.start as usize..span.end as usize).unwrap_or_default();
        text.chars().take(MOST_CHARACTERS).collect()
    }

    /// What stands before the last dot of what is called, or nothing for a plain name.
    fn object(&self, callee: &Expression<'_>) -> String {
        callee.as_member_expression().map(|member| self.text(member.object())).unwrap_or_default()
    }

    fn settle(&mut self, expression: &Expression<'_>) {
        match expression {
            Expression::SequenceExpression(sequence) => {
                sequence.expressions.last().into_iter().for_each(|last| self.settle(last));
            }
            Expression::StaticMemberExpression(member) => {
                self.settled.insert(member.span.start);
                if ["call", "apply", "bind"].contains(&member.property.name.as_str()) {
                    self.settle(&member.object);
                }
            }
            Expression::ChainExpression(chain) => _ = self.settled.insert(chain.span.start),
            _ => {}
        }
    }

    /// Passes over an API that is only asked whether it is there, as in `if (wx.getLocation)`: that is no use of it.
    fn tested(&mut self, expression: &Expression<'_>) {
        match expression {
            Expression::StaticMemberExpression(_) | Expression::ChainExpression(_) => self.settle(expression),
            Expression::LogicalExpression(both) => {
                self.tested(&both.left);
                self.tested(&both.right);
            }
            _ => {}
        }
    }

    fn alias(&mut self, pattern: &BindingPattern<'_>, meaning: &Meaning) {
        match (pattern, meaning) {
            (BindingPattern::BindingIdentifier(variable), _) => {
                self.apis.insert(variable.symbol_id(), meaning.clone());
            }
            (BindingPattern::ObjectPattern(object), Meaning::Object) => {
                for property in &object.properties {
                    if let (Some(name), BindingPattern::BindingIdentifier(variable)) =
                        (property.key.static_name(), &property.value)
                    {
                        self.apis.insert(variable.symbol_id(), Meaning::Api(name.into_owned()));
                    }
                }
            }
            _ => {}
        }
    }

    fn meaning(&self, expression: &Expression<'_>) -> Option<Meaning> {
        let depth = self.depth.get();
        if depth >= MOST_DEEP {
            return None;
        }
        self.depth.set(depth + 1);
        let meaning = self.found_meaning(expression);
        self.depth.set(depth);
        meaning
    }

    fn found_meaning(&self, expression: &Expression<'_>) -> Option<Meaning> {
        match expression {
            Expression::Identifier(identifier) => self.identifier(identifier),
            Expression::SequenceExpression(sequence) => self.meaning(sequence.expressions.last()?),
            Expression::LogicalExpression(either) => self.meaning(&either.left).or_else(|| self.meaning(&either.right)),
            Expression::ConditionalExpression(either) => {
                self.meaning(&either.consequent).or_else(|| self.meaning(&either.alternate))
            }
            Expression::CallExpression(call) if is_require(call) => Some(Meaning::Object),
            Expression::CallExpression(call) => {
                let is_taro = matches!(&call.callee, Expression::Identifier(name) if name.name.contains(TARO));
                self.meaning(&call.callee).filter(|one| *one != Meaning::Object || is_taro)
            }
            Expression::ChainExpression(chain) => self.member(chain.expression.member_expression()?),
            Expression::AwaitExpression(awaited) => self.meaning(&awaited.argument),
            _ => self.member(expression.as_member_expression()?),
        }
    }

    fn member(&self, member: &MemberExpression<'_>) -> Option<Meaning> {
        let name = member.static_property_name()?;
        if let Expression::Identifier(global) = member.object()
            && ["globalThis", "global", "window", "self"].contains(&global.name.as_str())
        {
            return OBJECTS.contains(&name).then_some(Meaning::Object);
        }
        if name == "index" && self.is_vendor(member.object()) {
            return Some(Meaning::Object);
        }
        match self.meaning(member.object())? {
            Meaning::Object if ["default", "a"].contains(&name) => Some(Meaning::Object),
            Meaning::Object => Some(Meaning::Api(name.to_owned())),
            Meaning::Api(api) => Some(Meaning::Api(format!("{api}.{name}"))),
        }
    }

    fn is_vendor(&self, object: &Expression<'_>) -> bool {
        let Expression::Identifier(identifier) = object else { return false };
        let symbol = self.scoping.get_reference(identifier.reference_id()).symbol_id();
        symbol.is_some_and(|symbol| self.vendors.contains(&symbol))
    }

    fn identifier(&self, identifier: &IdentifierReference<'_>) -> Option<Meaning> {
        if identifier.name.contains(TARO) {
            return Some(Meaning::Object);
        }
        match self.scoping.get_reference(identifier.reference_id()).symbol_id() {
            Some(symbol) => self.apis.get(&symbol).cloned(),
            None => OBJECTS.contains(&identifier.name.as_str()).then_some(Meaning::Object),
        }
    }

    /// The wanted members of the first argument, which may be a variable with an object.
    fn members(&self, arguments: &[Argument<'_>]) -> HashMap<String, Member> {
        let Some(Argument::ObjectExpression(object)) = arguments.first() else { return HashMap::new() };
        self.members_of(object)
    }

    fn members_of(&self, object: &ObjectExpression<'_>) -> HashMap<String, Member> {
        let member = |property: &ObjectPropertyKind<'_>| {
            let ObjectPropertyKind::ObjectProperty(property) = property else { return None };
            let name = name_of(&property.key).filter(|name| self.wanted.contains(&&**name))?;
            let (offset, texts) = (property.value.span().start, self.known.texts(&property.value));
            Some((name, Member { offset, texts }))
        };
        object.properties.iter().filter_map(member).collect()
    }
}

/// The name of a member, if it is constant.
pub(crate) fn name_of(key: &PropertyKey<'_>) -> Option<String> {
    key.static_name().map(|name| name.into_owned())
}

/// Whether the call is `require("@tarojs/taro")` or the like.
fn is_require(call: &CallExpression<'_>) -> bool {
    required(call).is_some_and(|text| MODULES.contains(&text))
}

/// The text with which `require` is called.
fn required<'x>(call: &'x CallExpression<'_>) -> Option<&'x str> {
    match (&call.callee, call.arguments.as_slice()) {
        (Expression::Identifier(callee), [Argument::StringLiteral(text)]) if callee.name == "require" => {
            Some(text.value.as_str())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, with_program};

    fn told(script: &str) -> Vec<(String, bool, bool, Vec<String>)> {
        let source = Source { path: "a.js".into(), text: script.into() };
        let found = with_program(&source, |program| calls(program, &Values::none(), &["url"])).expect(script);
        let text = |call: &Call| call.members.get("url").map(|url| url.texts.iter().map(Text::to_string).collect());
        found.iter().map(|call| (call.api.clone(), call.certain, call.called, text(call).unwrap_or_default())).collect()
    }

    #[test]
    fn an_api_is_found_however_it_is_written() {
        for script in [
            "wx.request({ url: 'https://a' })",
            "my?.request({ url: 'https://a' })",
            "wx['request']({ 'url': 'https://a' })",
            "(0, tt.request)({ url: 'https://a' })",
            "globalThis.swan.request({ url: `https://a` })",
            "const api = wx; api.request({ url: 'https://a' })",
            "const { request: ask } = uni; ask({ url: 'https://a' })",
            "const ask = qq.request; ask({ url: 'https://a' })",
            "import Taro from '@tarojs/taro'; Taro.request({ url: 'https://a' })",
            "import { request } from '@tarojs/taro'; request({ url: 'https://a' })",
            "var taro = require('@tarojs/taro'); (0, taro.default.request)({ url: 'https://a' })",
            "const p = typeof wx !== 'undefined' ? wx : my; p.request({ url: 'https://a' })",
            "wx.request.call(wx, { url: 'https://a' })",
            "const base = 'https://a'; wx.request({ url: base })",
            "(function (uni) { uni.request({ url: 'https://a' }) }).call(this, n(1).default)",
            "const common_vendor = require('../../common/vendor.js'); common_vendor.index.request({ url: 'https://a' })",
            "_tarojs_taro__WEBPACK_IMPORTED_MODULE_1___default().request({ url: 'https://a' })",
            "_tarojs_taro__WEBPACK_IMPORTED_MODULE_1___default.a.request({ url: 'https://a' })",
            "const config = { host: { api: 'https://a' } }; wx.request({ url: config.host.api })",
        ] {
            assert_eq!(told(script), [("request".into(), true, true, vec!["https://a".into()])], "{script}");
        }
    }

    #[test]
    fn a_call_is_told_as_it_is_written_whatever_calls_it() {
        for (script, written) in [
            ("wx.login()", "wx.login"),
            ("wx.login.call(wx, {})", "wx.login"),
            ("wx.cloud.init.apply(null, a)", "wx.cloud.init"),
            ("wx.cloud.callFunction()", "wx.cloud.callFunction"),
            ("const ask = wx.login; ask.call(wx)", "login"),
            ("const { login } = wx; login()", "login"),
            ("promisify(wx.login)", "wx.login"),
            ("n.a.login({ url: '/a' })", "n.a.login"),
        ] {
            let source = Source { path: "a.js".into(), text: script.into() };
            let found = with_program(&source, |program| calls(program, &Values::none(), &["url"])).expect(script);
            assert_eq!(found.iter().map(Call::written).collect::<Vec<_>>(), [written], "{script}");
        }
    }

    #[test]
    fn what_is_partly_known_is_told_as_far_as_it_is() {
        for (script, texts) in [
            ("wx.request({ url: 'https://a/' + id })", vec!["https://a/…"]),
            ("wx.request({ url: `https://${host}/x` })", vec!["https://…"]),
            ("wx.request({ url: prod ? 'https://a' : 'https://b' })", vec!["https://a", "https://b"]),
            (
                "const b = prod ? 'https://a' : 'https://b'; wx.request({ url: b + '/x' })",
                vec!["https://a/x", "https://b/x"],
            ),
            ("wx.request({ url })", vec![]),
            ("let u = 'https://a'; u = other(); wx.request({ url: u })", vec![]),
        ] {
            let [(_, _, _, found)] = &told(script)[..] else { unreachable!("{script}") };
            assert_eq!(*found, texts, "{script}");
        }
    }

    #[test]
    fn f38_what_grows_without_bound_in_a_script_does_not_grow_here() {
        let levels = |line: &dyn Fn(usize) -> String| (1..60).map(line).collect::<Vec<_>>().join("\n");
        let texts = levels(&|level| format!("const t{level} = t{0} + t{0};", level - 1));
        let objects = levels(&|level| format!("const o{level} = {{ a: o{0}, b: o{0} }};", level - 1));
        let script =
            format!("const t0 = 'https://a/', o0 = {{}};\n{texts}\n{objects}\nwx.request({{ url: t59, o: o59 }})");
        assert_eq!(told(&script)[0].3[0].len(), 512 + "…".len());
        let sum = format!("wx.request({{ url: 'https://a/'{} }})", " + x".repeat(1_000));
        assert_eq!(told(&sum)[0].3, [""; 0], "too deep to be followed");
        let chain = format!("wx.login(){}", ".then(f)".repeat(300));
        assert!(!told(&chain).is_empty());
        let given = format!("let u; {} wx.request({{ url: u }})", "u = 'https://a';".repeat(20_000));
        assert_eq!(told(&given)[0].3, ["https://a"; 8]);
    }

    #[test]
    fn others_are_told_only_with_what_is_wanted_and_mentions_are_no_calls() {
        assert_eq!(
            told("axios.request({ url: 'https://a' })"),
            [("request".into(), false, true, vec!["https://a".into()])]
        );
        assert_eq!(told("class wx {} new wx().login(); this.login()"), []);
        assert_eq!(told("promisify(wx.login)"), [("login".into(), true, false, vec![])]);
        let socket = told("const s = wx.createTCPSocket(); s.connect({ url: 'x' })");
        assert_eq!(
            socket.iter().map(|call| &*call.0).collect::<Vec<_>>(),
            ["createTCPSocket", "createTCPSocket.connect"]
        );
        assert_eq!(told("wx.cloud.callFunction()")[0].0, "cloud.callFunction");
    }

    #[test]
    fn what_is_only_asked_for_is_no_use() {
        for script in [
            "if (wx.login) f()",
            "if (!wx.login || a) f()",
            "var can = !!wx.login",
            "if (typeof wx.login === 'function') f()",
            "a && wx.login !== undefined ? f() : g()",
        ] {
            assert_eq!(told(script), [], "{script}");
        }
        for script in
            ["wx.login && wx.login()", "if (wx.login) { wx.login() }", "f(wx.login || g)", "var ask = a && wx.login"]
        {
            assert_eq!(told(script).len(), 1, "{script}: {:?}", told(script));
        }
    }
}
