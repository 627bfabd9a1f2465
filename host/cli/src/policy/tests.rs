#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use super::{
    bench::percentile,
    build::{artifact, missing_package},
    cases::{Expect, parse, record},
    new::{Language, World},
    scaffold::PolicyName,
    test::shown,
};
use crate::policy::scaffold;
use serde_json::json;

use berth_model::policy::{LogLevel, LogLine, PolicyKind};

use crate::tests::Desk;

fn refused(text: &str, kind: PolicyKind) -> String {
    parse(text, kind).unwrap_err()
}

#[test]
fn a_case_is_alone_in_its_file_or_in_a_list() {
    let one = r#"{"name": "a", "device": {"network": "4g"}, "expect": "refuse"}"#;
    assert_eq!(parse(one, PolicyKind::Grayscale).unwrap()[0].expect, Some(Expect::Word("refuse".into())));
    assert_eq!(parse(&format!(" [{one}, {one}]"), PolicyKind::Grayscale).unwrap().len(), 2);
}

#[test]
fn a_malformed_case_says_where() {
    let gray = PolicyKind::Grayscale;
    assert_eq!(
        refused("[{\"name\": \"a\"},\n {\"name\": 7}]", gray),
        "at [1].name: invalid type: integer `7`, expected a string at line 2 column 11"
    );
    assert!(refused("{\"name\": \"a\",\n \"expects\": \"admit\"}", gray).contains("unknown field `expects`"));
    assert!(refused("{\"name\": \"a\"", gray).contains("line 1 column 12"));
    assert!(refused("{\"name\": \"a\"} x", gray).contains("trailing characters"));
}

#[test]
fn a_case_that_belongs_to_another_kind_is_refused() {
    let case = r#"{"name": "a", "health": {}, "expect": "admit"}"#;
    assert_eq!(
        refused(case, PolicyKind::Grayscale),
        "case \"a\": `health` belongs to policies of kind guard, and this one is of kind grayscale"
    );
    let word = r#"{"name": "a", "expect": "admitted"}"#;
    assert!(refused(word, PolicyKind::Grayscale).contains("admit, refuse"));
    assert!(refused(word, PolicyKind::Auditor).contains("a list of rules"));
}

#[test]
fn a_misspelt_member_of_a_device_is_not_ignored() {
    let base = serde_json::json!({"guid": "g-1", "network": "wifi"});
    let given = serde_json::json!({"netwrok": "4g"});
    let read = record::<serde_json::Value>("device", base, given.as_object());
    assert_eq!(read.unwrap_err(), "`device` has no member `netwrok`");
}

#[test]
fn limits_of_a_case_are_those_that_a_binding_could_have() {
    let case = r#"{"name": "a", "limits": {"deadline_ms": 0}, "expect": "admit"}"#;
    assert!(
        refused(case, PolicyKind::Grayscale).contains("limits.deadline_ms")
            || refused(case, PolicyKind::Grayscale).contains("outside 1 to")
    );
}

#[test]
fn a_name_is_kebab_case_and_no_word_of_the_language() {
    for good in ["wifi-only", "no-eval", "a1", "size-limits-2"] {
        assert!(good.parse::<PolicyName>().is_ok(), "{good}");
    }
    for bad in ["", "a", "Wifi", "wifi_only", "-a", "a-", "a--b", "1st", "self", "std", "berth-policy", "../x", "é"] {
        assert!(bad.parse::<PolicyName>().is_err(), "{bad}");
    }
}

#[test]
fn every_scaffold_is_filled_in_and_its_cases_fit_its_kind() {
    let name: PolicyName = "wifi-only".parse().unwrap();
    let kinds = [
        (World::Auditor, PolicyKind::Auditor),
        (World::Grayscale, PolicyKind::Grayscale),
        (World::Guard, PolicyKind::Guard),
    ];
    for (world, kind) in kinds {
        for lang in [Language::Rust, Language::Javascript, Language::Python] {
            let files = scaffold::files(&name, world, lang);
            assert!(files.iter().all(|(_, text)| !text.contains("{{")), "{world:?} {lang:?}");
            let cases = &files.iter().find(|(path, _)| path == "cases/examples.json").unwrap().1;
            assert_eq!(parse(cases, kind).unwrap().len(), 4);
        }
    }
}

/// What is thrown and not caught is told by the file that the build begins with, which wraps the function of the world.
#[test]
fn f37_folders_for_javascript_and_python_build_what_tells_the_host_of_exceptions() {
    let name: PolicyName = "wifi-only".parse().unwrap();
    for (world, interface, class, function) in [
        (World::Auditor, "audit", "Audit", "audit"),
        (World::Grayscale, "gray", "Gray", "decide"),
        (World::Guard, "watch", "Watch", "judge"),
    ] {
        let holds = |lang, path: &str, part: &str| {
            let files = scaffold::files(&name, world, lang);
            let text = &files.iter().find(|file| file.0 == path).unwrap().1;
            assert!(text.contains(part), "{path} of {world:?} has no {part}");
        };
        let javascript = |path, part: &str| holds(Language::Javascript, path, part);
        javascript("build.mjs", r#"sourcePath: "berth/entry.js""#);
        javascript("berth/entry.js", r#"import "./ambient.js""#);
        javascript("berth/entry.js", &format!("export const {interface} = {{ {function}: guarded("));
        javascript("policy.js", &format!("export const {interface} = {{"));
        // The answer's shape is checked, and `console` writes to the log.
        javascript("berth/entry.js", r#"import { fault, shown } from "./shape.js""#);
        javascript("berth/shape.js", &format!("\n  {function}: "));
        javascript("berth/console.js", "berth:policy/log@1.0.0");
        let python = |path, part: &str| holds(Language::Python, path, part);
        python("berth-policy.json", r#""componentize", "berth_entry""#);
        python("berth_entry.py", "import berth_ambient");
        python("berth_entry.py", &format!("{function} = guarded(policy.{class}.{function})"));
        python("policy.py", &format!("class {class}("));
        python("berth_entry.py", "except BaseException as error:");
        python("berth_shape.py", &format!("\n    \"{function}\": "));
        python("berth_ambient.py", "sys.stdout, sys.stderr = OUT, ERR");
    }
}

/// Every function of `random` that draws from the generator without a seed is refused by what it is, not by its name.
#[test]
fn f37_python_refuses_the_hidden_generator_as_a_whole() {
    let files = scaffold::files(&"wifi-only".parse().unwrap(), World::Auditor, Language::Python);
    let text = &files.iter().find(|file| file.0 == "berth_ambient.py").unwrap().1;
    assert!(text.contains(r#"getattr(it, "__self__", None) is random._inst"#));
    assert!(!text.contains("gauss"));
}

#[test]
fn f39_a_long_log_is_shown_by_its_beginning_and_its_end() {
    let log = |lines: usize| -> Vec<LogLine> {
        (0..lines).map(|n| LogLine { level: LogLevel::Info, message: n.to_string() }).collect()
    };
    assert_eq!(shown(&log(20)).len(), 20);
    let cut = shown(&log(10_000));
    assert_eq!((cut.len(), cut[9].as_str(), cut[11].as_str()), (21, "log: 9", "log: 9990"));
    assert_eq!(cut[10], "… 9980 more lines of the log, which --json has …");
}

#[tokio::test]
async fn a_build_that_fails_names_its_tools_only_when_one_is_missing() {
    let desk = Desk::bare();
    let build = async |recipe: &str| {
        desk.write(
            "p/berth-policy.json",
            format!(r#"{{"output": "p.wasm", "build": {recipe}, "needs": "get-tools"}}"#),
        );
        desk.run(&format!("policy build {}", desk.arg("p"))).await.err
    };
    let threw = build(r#"["sh", "-c", "exit 1"]"#).await;
    assert!(threw.contains("it says why above") && !threw.contains("get-tools"), "{threw}");
    for missing in [r#"["sh", "-c", "exit 127"]"#, r#"["no-such-tool-at-all"]"#] {
        let said = build(missing).await;
        assert!(said.contains("Run `get-tools` in that folder."), "{said}");
    }
    desk.write("p/package.json", r#"{"devDependencies": {"@x/tool": "1"}}"#);
    let absent = build(r#"["sh", "-c", "exit 1"]"#).await;
    assert!(absent.contains("@x/tool is missing. Run `get-tools`"), "{absent}");
    desk.write("p/node_modules/@x/tool/package.json", "{}");
    assert_eq!(missing_package(&desk.path("p")), None);
}

/// A folder whose build is a copy of a policy that is there.
fn folder_of(desk: &Desk, wasm: &[u8]) {
    desk.write("p/made.wasm", wasm);
    desk.write("p/berth-policy.json", r#"{"output": "p.wasm", "build": ["cp", "made.wasm", "p.wasm"]}"#);
}

#[tokio::test]
async fn g27_a_build_puts_what_the_folder_says_into_the_policy() {
    let desk = Desk::bare();
    let percentage = berth_judge::builtin::ALL.iter().find(|one| one.name == "percentage").unwrap();
    folder_of(&desk, percentage.wasm);
    desk.write(
        "p/package.json",
        r#"{"version": "9.9.9", "author": "Ann", "license": "UNLICENSED", "repository": "coffee/percentage"}"#,
    );
    let built = desk.run(&format!("policy build {} --revision de978e17 --json", desk.arg("p"))).await.good();
    assert!(built.err.contains("\"UNLICENSED\" is no expression of SPDX"), "{}", built.err);
    assert!(built.err.contains("which counts, and its folder says 9.9.9"), "{}", built.err);
    let said = &built.json()["metadata"];
    assert_eq!((&said["authors"], &said["revision"]), (&json!("Ann"), &json!("de978e17")), "{said}");
    assert_eq!(said["licenses"], "Apache-2.0", "what the folder does not say stays as the wasm has it: {said}");
    let shown = desk.run(&format!("policy inspect {}", desk.arg("p/p.wasm"))).await.good().out;
    for line in ["licence", "Apache-2.0", "source", "https://github.com/coffee/percentage", "revision", "de978e17"] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}

#[tokio::test]
async fn a_new_rust_policy_stands_alone() {
    let desk = Desk::bare();
    let dir = desk.arg("wifi-only");
    desk.run(&format!("policy new wifi-only --kind grayscale --dir {dir}")).await.good();
    let read = |path: &str| std::fs::read_to_string(Path::new(&dir).join(path)).expect(path);
    assert!(read("Cargo.toml").contains("name = \"wifi-only\"") && read("Cargo.toml").contains("[workspace]"));
    assert!(read("src/lib.rs").contains("grayscale!(WifiOnly)"));
    // Nothing is inherited from our own workspace, and the SDK finds `wit/` where it looks for it.
    assert!(!read("vendor/berth-policy/Cargo.toml").contains("workspace"));
    assert!(read("vendor/berth-policy/build.rs").contains("\"../../wit\"") && read("wit/worlds.wit").contains("world"));
    for path in ["vendor/berth-policy/src/lib.rs", "config.schema.json", "README.md", ".gitignore"] {
        assert!(!read(path).is_empty(), "{path}");
    }
    let again = desk.run(&format!("policy new wifi-only --kind auditor --dir {dir}")).await;
    assert_eq!(again.code, 2);
    assert!(read("src/lib.rs").contains("grayscale!(WifiOnly)"), "the first one is untouched");
}

#[test]
fn the_wasm_of_the_crate_itself_is_taken() {
    let messages = r#"{"reason":"compiler-artifact","manifest_path":"/x/vendor/Cargo.toml","filenames":["/t/sdk.wasm"]}
not json
{"reason":"compiler-artifact","manifest_path":"/x/Cargo.toml","filenames":["/t/libp.rlib","/t/p.wasm"]}"#;
    assert_eq!(artifact(messages, Path::new("/x/Cargo.toml")).as_deref(), Some(Path::new("/t/p.wasm")));
    assert_eq!(artifact(messages, Path::new("/y/Cargo.toml")), None);
}

#[test]
fn percentiles_are_values_that_were_measured() {
    let sorted: Vec<u64> = (1..=100).collect();
    assert_eq!((percentile(&sorted, 50), percentile(&sorted, 99)), (50, 99));
    assert_eq!((percentile(&[7], 50), percentile(&[7], 99)), (7, 7));
}
