use super::*;

#[test]
fn the_function_constructor_is_found_however_it_is_written() {
    each_is(
        "function-constructor",
        Severity::Error,
        &[
            "new Function(code)",
            "Function('a', 'return ' + code)()",
            "new Function(`return ${code}`)",
            "window.Function(code)",
            "Function.call(null, code)",
            "Function.apply(null, [code])",
            "var F = Function; new F(code)",
            "(function () {}).constructor(code)",
            "[].constructor.constructor(code)()",
            "''['constructor']['constructor'](code)()",
            "Reflect.construct(Function, [code])",
            "new Function(...parts)",
            "function f() {} f.constructor(code)",
            "const f = () => 1; f['constructor'](code)",
            "class A {} new A.constructor(code)",
            "[]['filter']['constructor'](code)()",
            "''.sub.constructor(code)",
            "var F = [].map.constructor; F(code)",
            "Object.constructor(code)",
            "var root = self || this; root.Function(code)",
            "var root = typeof global == 'object' && global || self; new root.Function(code)",
            "var root = window || Function.prototype; root.Function(code)",
            "new Browser.window.Function(code)",
            "(function (w) { return w.Function(code) })(self)",
            "const { Function: F } = globalThis; new F(code)",
            "const AsyncFunction = Object.getPrototypeOf(async function () {}).constructor; new AsyncFunction(code)",
            "Reflect.getPrototypeOf(function* () {}).constructor(code)",
            "(async () => {}).__proto__.constructor(code)",
            "Function.prototype.constructor(code)",
        ],
    );
}

#[test]
fn function_as_a_type_is_not_meant() {
    each_passes(&[
        "x instanceof Function",
        "Function.prototype.call.apply(f, x)",
        "var props = { onTap: Function, other: { type: Function } }",
        "f.constructor === Function",
        "Function.prototype.bind.call(f, x)",
        "Function.toString.call(f)",
        "Function.bind.apply(Parent, args)",
        "function Function2() {} new Function2(x)",
        "function f(Function) { return new Function(code) }",
        "this.constructor(x); new this.constructor(x)",
        "x.constructor(y); new x.constructor(y); var C = x.constructor; new C(y)",
        "[].length.constructor(x)",
        "root.Function(x)",
        "Reflect.construct(Date, [], f)",
        "new (Object.getPrototypeOf(this).constructor)(x); Object.getPrototypeOf(x).constructor(y)",
        "const A = Object.getPrototypeOf(async function () {}).constructor; x instanceof A",
        "B.prototype.constructor(x); x.__proto__.constructor(y); Function.prototype.call(f)",
    ]);
}

#[test]
fn constant_code_is_judged_by_what_it_does() {
    let notes = [
        "Function('return this')()",
        "new Function(\"return this;\")()",
        "window || new Function(' return this ')()",
        "Function('r', 'regeneratorRuntime = r')(runtime)",
        "new Function('')",
        "Function('return function*() {}')()",
    ];
    each_is("constant-function", Severity::Note, &notes);
    let harmless =
        ["new Function('a', 'return a + 1')", "Function('wx.login()')()", "Function('return function () {}')()"];
    each_is("constant-function", Severity::Note, &harmless);
    each_is("eval-call", Severity::Note, &["eval('1 + 1')", "eval(\"require('crypto')\")", "window.eval('this')"]);
    let of_members = [
        "Browser.window.eval('1 + 1')",
        "eval.call(null, 'this')",
        "window.eval.apply(window, ['1 + 1'])",
        "Reflect.apply(eval, null, ['1 + 1'])",
    ];
    each_is("eval-call", Severity::Note, &of_members);
    let replaced =
        ["eval('quire'.replace(/^/, 're'))(name)", "eval('re'.replace(/$/, 'quire'))", "eval('a'.replace('a', 'b'))"];
    each_is("eval-call", Severity::Note, &replaced);
    let unknown = ["eval('a'.replace(/[a]/, 'b'))", "eval('a'.replace(/^/, '$&'))", "eval(x.replace(/^/, 're'))"];
    each_is("eval-call", Severity::Error, &unknown);
    let grave = [
        "new Function('x', 'return eval(x)')",
        "Function('return Function(\"a\", x)')()",
        "Function('setTimeout(\"a()\" + b)')",
    ];
    each_is("constant-function", Severity::Error, &grave);
    each_is(
        "eval-call",
        Severity::Error,
        &["eval('eval(x)')", "Browser.window.eval('eval(x)')", "eval('new Function(\"eval(x)\")')"],
    );
    each_is("constant-function", Severity::Warning, &["Function('no code at all')", "Function('import(path)')"]);
}

#[test]
fn what_well_known_libraries_do_is_for_people_to_look_at() {
    let libraries = [
        "var $Function = Function; $Function('\"use strict\"; return (' + expressionSyntax + ').constructor;')()",
        "Function('binder', 'return function (' + joiny(boundArgs, ',') + '){ return binder.apply(this,arguments); }')(binder)",
        "$f = Function; f = Function('C,a', 'return new C(' + join(list, ',') + ')')",
        "new Function(\"debugger;\\n/*\\nTracing '\" + name + \"' of \" + other + \"\\n*/\\n\")()",
        "f[n] = Function('F,a', 'return new F(' + n.join(',') + ')')",
        "Function(keys, url + 'return ' + source).apply(undefined, values)",
        "function t(s) { s += \"__p+='\"; s += 'return __p;\\n'; return new Function(x.variable || 'obj', '_', s) }",
        "function g(t) { var i = 'var a=it.array;for(it.i=0;it.i<a.length;++it.i){var c=a[it.i];' + t + '}'; Function('it', i) }",
        "function h() { var n = flatten(['return (function(R){', code, 'return o;', '})']); this.r = Function('O', 'F', n)(o, f) }",
        "S.getFuncModule = function (t) { var i = js.getClassName(t); r = t === Function('return ' + i)(); this.funcModuleCache[i] = i }",
        "C.prototype.clsRef = function (n) { var r; if (r = t === Function('return ' + n)()) return this.funcModuleCache[n] = n; return C(t) }",
        "m.tryCatchFunctor_EDITOR = function (t) { return Function(\"target\",\"try {\\n  target.\" + t + \"();} catch (e) {}\") }",
        "function c(s) { log('--- codegen ---\\n' + s); return Function.apply(null, names.concat('return ' + s)) }",
        "function v(e) { try { new Function(`return ${e}`) } catch (x) { m = 'avoid using JavaScript keyword as property name: ' + e } }",
        "function compile(t) { const code = made(t); return new Function(\"Vue\", code)(runtime) }",
        "p.onLoad = function (text) { return new Function('require','exports',text) }",
        "function parse(d) { if (window.JSON && window.JSON.parse) return window.JSON.parse(d); return ok ? s : Function('Invalid JSON: ' + d)() }",
        "function c(s) { log('codegen: ' + s); s = 'return ' + s; return Function(s)() }",
        "function c(s) { log('codegen: ' + s); s = 'return ' + s; return Function.apply(null, names).apply(null, values) }",
    ];
    each_is("function-constructor", Severity::Warning, &libraries);
    each_is("eval-call", Severity::Note, &["g = this || (1, eval)('this')"]);
}

#[test]
fn a_branch_that_never_runs_is_not_looked_at() {
    each_passes(&[
        "if (!true) { var f = function (n) { return new Function(n) } }",
        "if (false) eval(x); else go()",
        "if (!0) go(); else eval(x)",
        "'production' !== 'production' && eval(x)",
        "!1 && eval(x); 1 || eval(x)",
        "var y = 'a' === 'b' ? eval(x) : 1",
    ]);
    let others = ["if (true) eval(x)", "if (!false) { eval(x) }", "1 && eval(x)", "0 || eval(x)", "if (y) eval(x)"];
    each_is("eval-call", Severity::Error, &others);
}

#[test]
fn a_stand_in_for_json_never_runs() {
    each_passes(&[
        "x = typeof JSON !== 'undefined' && JSON.parse ? JSON.parse(s) : new Function('return (' + s + ');')()",
        "x = \"undefined\" != typeof JSON && JSON.parse ? JSON.parse(s) : new Function(\"return (\" + s + \");\")()",
    ]);
    let others = [
        "x = typeof JSON === 'undefined' && JSON.parse ? 1 : new Function(s)()",
        "x = typeof JSON !== 'undefined' && JSON.nothing ? 1 : new Function(s)()",
        "x = typeof JSON !== 'undefined' && JSON.parse ? new Function(s)() : 1",
        "function f(JSON) { return typeof JSON !== 'undefined' && JSON.parse ? 1 : new Function(s)() }",
    ];
    each_is("function-constructor", Severity::Error, &others);
}

#[test]
fn a_library_is_not_what_only_looks_like_one() {
    let others = ["Function('C', 'return new D(' + x + ')')", "Function('a', 'return ' + x)", "Function(a, '_', b)"];
    each_is("function-constructor", Severity::Error, &others);
}

#[test]
fn stand_ins_for_timers_are_notes() {
    let stand_ins = [
        "var g = typeof f == 'function' ? f : Function(f)",
        "var g = isCallable(f) ? f : new Function('' + f)",
        "if (typeof f !== 'function') { f = new Function('' + f) }",
        "typeof f != 'function' && (f = Function(f))",
    ];
    each_is("function-constructor", Severity::Note, &stand_ins);
    let others = [
        "var g = typeof f == 'function' ? h : Function(f)",
        "if (x) { f = new Function('' + f) }",
        "typeof f != 'function' && (f = Function(g))",
    ];
    each_is("function-constructor", Severity::Error, &others);
}
