mod functions;

use berth_policy::{Severity, testing::MemoryPackage};

use super::*;

fn audit(script: &str) -> Vec<Finding> {
    let package = MemoryPackage::default().with("app.json", "{}").with("a.js", script);
    DynamicCode::default().audit(&package).expect("audits")
}

/// The finding of a script that must have exactly one.
fn only(script: &str) -> Finding {
    let mut findings = audit(script);
    assert_eq!(findings.len(), 1, "{script}\n{findings:#?}");
    findings.remove(0)
}

fn each_is(rule: &str, severity: Severity, scripts: &[&str]) {
    for script in scripts {
        let finding = only(script);
        assert_eq!((&*finding.rule, finding.severity), (rule, severity), "{script}");
        assert!(finding.fix.is_some() && finding.place.is_some(), "{script}");
    }
}

fn each_passes(scripts: &[&str]) {
    for script in scripts {
        assert_eq!(audit(script), [], "{script}");
    }
}

#[test]
fn eval_is_found_however_it_is_written() {
    each_is(
        "eval-call",
        Severity::Error,
        &[
            "eval(code)",
            "eval?.(code)",
            "(0, eval)(code)",
            "globalThis.eval(code)",
            "window['eval'](code)",
            "self[`eval`](code)",
            "window['ev' + 'al'](code)",
            "window.self.globalThis?.eval(code)",
            "eval.call(null, code)",
            "eval.apply(null, [code])",
            "var e = eval; e(code)",
            "const g = window; g.eval(code)",
            "const indirect = (0, eval); function run(x) { return indirect(x) }",
            "Reflect.apply(eval, null, [code])",
            "\\u0065val(code)",
            "export default () => eval(code)",
            "Browser.window.eval('return ' + t)",
            "Laya.code = 'eva' + 'l'; run = s => Browser.window[Laya.code](s)",
            "class Laya { static run(s) { return w.window[Laya.code](s) } static code = 'eval' }",
            "var names = { run: 'eval' }; window[names.run](code)",
            "const key = 'ev' + 'al'; window[key](code)",
            "Laya.Browser.window['eval'](code)",
            "this.window?.eval?.(code)",
            "frame.contentWindow.eval(code); frame.contentWindow.document",
            "(0, document.defaultView.eval)(code)",
            "(function (window, document) { window.eval(code) })(window, document)",
            "!function (e, t) { var n = e; n.eval(t) }(self, code)",
            "(w => w.eval(code))(globalThis)",
            "(function (w) { w.eval(code) }).call(this, typeof window === 'undefined' ? global : window)",
            "const { eval: run } = window; run(code)",
            "(({ eval: run }) => run(code))(window)",
            "const run = Browser.window.eval; run(code)",
            "window.eval.call(null, code)",
            "Reflect.apply(window.eval, null, [code])",
            "eval.apply(null, codes)",
        ],
    );
}

#[test]
fn another_eval_is_not_meant() {
    each_passes(&[
        "calculator.eval('1 + 1')",
        "this.eval(x); my.parser['eval'](x)",
        "function eval2(x) {} eval2(code)",
        "function run(eval) { return eval(1) }",
        "import { eval as e } from './math'; e(1)",
        "class A { eval() {} run() { return this.eval() } }",
        "({ eval: function (x) { return x } })",
        "typeof eval === 'function'",
        "fn === eval",
        "// eval(code)",
        "'eval(code)'",
        "function f(window) { window.eval(code) }",
        "let e = eval; e = other; e(code)",
        "(function (window) { window.eval(code) })(calculator)",
        "(function (w) { w = other; w.eval(code) })(window)",
        "(function (a, w) { w.eval(code) })(window, calculator)",
        "(function (...w) { w.eval(code) })(window)",
        "const { eval: run } = calculator; run(code)",
        "typeof window.eval === 'function'",
        "window.eval = polyfill",
        "windows.eval(code); this.windowed.eval(code)",
        "Laya.code = 'eval'; other.code = 'focus'; window[Laya.code](s)",
        "Laya.code = 'eval'; Laya.code += s; window[Laya.code](s)",
        "let key = 'eval'; key = other; window[key](code)",
        "window[key](code); window[names.run](code)",
    ]);
}

#[test]
fn what_an_engine_of_games_or_a_known_library_does_is_for_people_to_look_at() {
    let engines = [
        "Laya._evcode = 'eva' + 'l'; Laya._runScript = function (script) { return Browser.window[Laya._evcode](script); }",
        "class L { static _runScript(t) { return i.window[L._evcode](t) } } L._evcode = 'eval'",
        "D.createShaderCondition = function (t) { var e = '(function() {return ' + t + ';})'; return Browser.window.eval(e) }",
        "class L { static changeDefinition(t, e) { window.Laya[t] = e; var i = t + \"=classObj\"; window.eval(i) } }",
        "class L { static changeDefinition(name, c) { Laya[name] = c; var str = name + '=classObj'; window['eval'](str) } }",
        "goog.loadModuleFromSource_=function(a){return eval(a),{}}",
        "goog.loadModuleFromSource_=function(a){eval(a);return{}}",
        "w.evaluateJS = function (t) { var e = this.webview.contentWindow; if (e) try { e.eval(t) } catch (e) {} }",
        "p.parse = function (codeText) { var className = \"$exmlClass\" + count++, geval = eval; return geval(codeText) }",
        "e.prototype.$parseCode = function (t, e) { var i = e ? e : \"$exmlClass\"+r++, n = eval, o = n(t); return o }",
        "gen = function (s) { var p = []; try { p = eval('(function(){ return [].splice.call(arguments, 0 ) })(' + s + ')') } \
         catch (e) { p = JSON.parse('[' + s + ']') } return p }",
    ];
    each_is("eval-call", Severity::Warning, &engines);
    let said =
        ["function f(c) { /* L._evcode]( */ return eval(c) }", "function f(c) { // L._evcode](\n return eval(c) }"];
    each_is("eval-call", Severity::Error, &said);
}

#[test]
fn modules_that_a_build_put_into_texts_are_one_note() {
    let module = "eval(\"require('a')//# sourceURL=webpack:///a.js?\");\n";
    let package = MemoryPackage::default()
        .with("app.json", "{}")
        .with("a.js", module.repeat(30))
        .with("b.js", module)
        .with("c.js", "eval('eval(x)//# sourceURL=webpack:///c.js?')");
    let findings = DynamicCode::default().audit(&package).expect("audits");
    let told: Vec<_> = findings.iter().map(|finding| (finding.severity, &*finding.message)).collect();
    let note = "The build has put modules into texts, which eval runs. So it has in one more file.";
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!((told[0].0, told[1]), (Severity::Error, (Severity::Note, note)));
}

#[test]
fn a_grave_finding_is_not_lost_behind_many_slight_ones() {
    let findings = audit(&format!("{}eval(x)", "eval('1');".repeat(30)));
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    assert_eq!((findings.len(), errors), (22, 1), "{findings:#?}");
}

#[test]
fn eval_passed_on_is_a_note() {
    each_is(
        "eval-reference",
        Severity::Note,
        &["run(eval)", "var table = { '%eval%': eval }", "list.map(eval)", "run(Browser.window.eval)"],
    );
}

#[test]
fn the_loader_of_webpack_is_a_note() {
    let loaders = [
        "r.e = function (id) { var s = document.createElement('script'); s.timeout = 120; s.src = p + id + '.js' }",
        "l = (url) => { var s = document.createElement('script'); s.setAttribute('data-webpack', x); s.src = url }",
    ];
    each_is("script-element", Severity::Note, &loaders);
    let beside = "function a() { s.timeout = 120 } function b() { document.createElement('script').src = x }";
    each_is("script-element", Severity::Warning, &[beside]);
}

#[test]
fn what_follows_a_return_never_runs() {
    each_passes(&["function f(o) { g(o); return o; eval(o) }", "function f() { throw x; new Function(y) }"]);
    each_is(
        "eval-call",
        Severity::Error,
        &["function f() { if (x) return; eval(y) }", "function f() { return g(); function g() { eval(y) } }"],
    );
}

#[test]
fn a_script_that_the_app_loads_and_no_device_can_run_is_an_error() {
    let package = MemoryPackage::default()
        .with("app.json", r#"{"pages": ["pages/a/a"]}"#)
        .with("app.js", "require('./lib/used')")
        .with("pages/a/a.js", "Page({")
        .with("pages/a/a.wxml", "")
        .with("lib/used.js", "var = 1")
        .with("lib/idle.js", "function {");
    let findings = DynamicCode::default().audit(&package).expect("audits");
    let told: Vec<_> =
        findings.iter().map(|f| (f.place.as_ref().map_or("", |place| &place.path), f.severity)).collect();
    assert_eq!(
        told,
        [("lib/idle.js", Severity::Warning), ("lib/used.js", Severity::Error), ("pages/a/a.js", Severity::Error)]
    );
}

#[test]
fn timers_take_functions() {
    let texts = [
        "setTimeout('go()', 1)",
        "window.setInterval(`go()`, 1)",
        "setTimeout('go(' + n + ')', 1)",
        "setTimeout(`go(${n})`)",
    ];
    each_is("string-timer", Severity::Error, &texts);
    each_passes(&[
        "setTimeout(go, 1)",
        "setTimeout(() => 'x', 1)",
        "this.setTimeout('x')",
        "setTimeout(a + b, 1)",
        "clock.setTimeout('x', 1)",
    ]);
}

#[test]
fn imports_have_constant_paths() {
    each_is("dynamic-import", Severity::Warning, &["import(path)", "import('./' + page)", "import(`./${page}.js`)"]);
    each_passes(&["import('./a.js')", "import(`./a.js`)", "import a from './a.js'", "import('./' + 'a.js')"]);
}

#[test]
fn web_assembly_has_constant_paths() {
    let bytes = [
        "WebAssembly.instantiate(bytes)",
        "new WebAssembly.Module(bytes)",
        "new WebAssembly.Module(new Uint8Array([0, 97, kind]))",
        "new WebAssembly.Module(new Uint8Array([...head, 1]))",
        "new WebAssembly.Module(new Uint8Array(size))",
        "(function (Uint8Array) { new WebAssembly.Module(new Uint8Array([0, 97])) })",
        "WXWebAssembly.instantiate(path)",
        "window.WebAssembly.compile(b)",
    ];
    each_is("web-assembly", Severity::Warning, &bytes);
    each_passes(&[
        "WXWebAssembly.instantiate('/wasm/a.wasm', {})",
        "typeof WebAssembly",
        "new WebAssembly.Memory({ initial: 1 })",
        "new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([0, 97, 115, 109])), {}).exports",
    ]);
}

#[test]
fn scripts_are_not_loaded_by_elements() {
    let elements = [
        "document.createElement('script')",
        "window.document.createElement('SCRIPT')",
        "document.write('<script src=\"' + url + '\"></' + 'script>')",
        "importScripts(url)",
    ];
    each_is("script-element", Severity::Warning, &elements);
    each_passes(&[
        "document.createElement('canvas')",
        "'onload' in document.createElement('script')",
        "document.write('<p>')",
        "importScripts('a.js')",
    ]);
}

#[test]
fn a_finding_tells_line_and_column_in_characters() {
    let place = only("// 中文\nvar 名 = '值'; eval(code)").place.expect("place");
    assert_eq!((&*place.path, place.line, place.column), ("a.js", 2, 14));
}

#[test]
fn what_does_not_parse_is_a_warning_at_its_place() {
    let finding = only("var a = 1;\neval(code");
    assert_eq!((&*finding.rule, finding.severity), ("unparsable", Severity::Warning));
    assert_eq!(finding.place.map(|place| place.line), Some(2));
}

#[test]
fn f36_what_nests_too_deeply_is_a_warning() {
    let script = format!("eval({}1{})", "[".repeat(50_000), "]".repeat(50_000));
    let finding = only(&script);
    assert_eq!((&*finding.rule, finding.severity), ("not-examined", Severity::Warning));
}

#[test]
fn what_is_too_big_is_a_warning() {
    let package = MemoryPackage::default().with("a.js", "eval(code)");
    let findings = DynamicCode::from_json(r#"{"max_file_bytes": 5}"#).expect("config").audit(&package).expect("audits");
    assert_eq!(findings[0].rule, "not-examined");
}

#[test]
fn many_findings_of_one_kind_are_cut_short() {
    let findings = audit(&"eval(x);\n".repeat(500));
    assert_eq!(findings.len(), 21);
    assert!(findings[20].message.ends_with("which are not listed."));
}

/// Only time tells: if the function were searched for each call, or the sum put together for each part, this would take
/// minutes.
#[test]
fn f38_many_calls_in_one_function_and_many_parts_of_one_sum_are_looked_at_once() {
    let calls = "eval(x); new Function(x); document.createElement('script');".repeat(10_000);
    let findings = audit(&format!("function f() {{ {calls} }}"));
    assert_eq!(findings.len(), 3 * 21);
    let part = format!(" + x + '{}'", "a".repeat(4_000));
    each_is("function-constructor", Severity::Error, &[&format!("Function(''{})", part.repeat(500))]);
}

#[test]
fn files_of_mini_programs_parse() {
    each_passes(&[
        "\u{feff}Page({ data: {}, onLoad() { setTimeout(() => {}, 1) } })",
        "if (x) return; setTimeout(f)",
        "<!-- old\nsetTimeout(f)",
        "#!/usr/bin/env node\nsetTimeout(f)",
        "with (a) { setTimeout(f) }",
        "var let_ = 1, yield_ = 2, await = 3; setTimeout(f)",
        "async function a() { for await (const x of y) import('./a') }",
        "/[/](/.test(x); setTimeout(f)",
    ]);
}

#[test]
fn only_scripts_are_read() {
    let package =
        MemoryPackage::default().with("a.txt", "eval(code)").with("a.wxs", "eval(code)").with("b.mjs", "eval(code)");
    let findings = DynamicCode::default().audit(&package).expect("audits");
    let paths: Vec<_> = findings.iter().filter_map(|finding| Some(&*finding.place.as_ref()?.path)).collect();
    assert_eq!(paths, ["a.wxs", "b.mjs"]);
}
