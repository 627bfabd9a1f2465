//! Which uploads are admitted, and what comes from the cache.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::testing::*;
use crate::*;
use berth_base::{error::Code, ids::Digest};

#[tokio::test]
async fn every_kind_is_let_in_and_recognised() {
    let lab = Lab::new();
    for kind in PolicyKind::ALL.iter().copied() {
        let wasm = Guest::of(kind).wasm();
        let policy = lab.engine.inspect(wasm.clone()).await.unwrap();
        assert_eq!((policy.kind(), policy.digest()), (kind, &Digest::of(&wasm)));
        assert_eq!(policy.description().name, "by-hand");
    }
}

#[tokio::test]
async fn a_component_is_let_in_as_well_as_a_core_module() {
    let module = Guest::gray().wasm();
    let component = wit_component::ComponentEncoder::default().module(&module).unwrap().encode().unwrap();
    assert_eq!(Lab::new().engine.inspect(component).await.unwrap().kind(), PolicyKind::Grayscale);
}

#[tokio::test]
async fn f43_what_is_no_wasm_or_no_component_is_refused() {
    let lab = Lab::new();
    for bytes in [b"".to_vec(), b"PK\x03\x04".to_vec(), b"\0asm".to_vec(), wat::parse_str("(module)").unwrap()] {
        assert_eq!(lab.refusal(bytes).await.code, Code::PolicyInvalid);
    }
}

#[tokio::test]
async fn f43_a_truncated_upload_is_refused_wherever_it_ends() {
    let (lab, wasm) = (Lab::new(), Guest::gray().wasm());
    for end in (0..wasm.len()).step_by(7) {
        let refusal = lab.refusal(wasm[..end].to_vec()).await;
        assert_eq!(refusal.code, Code::PolicyInvalid, "at {end}: {refusal}");
    }
}

#[tokio::test]
async fn f44_an_older_interface_is_refused_with_what_is_expected() {
    let wit = "package berth:policy@0.9.0; interface gray { decide: func() -> bool; } world grayscale { export gray; }";
    let module = r#"(module (func (export "berth:policy/gray@0.9.0#decide") (result i32) (i32.const 1)))"#;
    let refusal = Lab::new().refusal(embedded(module, wit, "grayscale")).await;
    assert!(
        refusal.detail.contains("for berth:policy@0.9.0") && refusal.detail.contains("takes berth:policy@1.0.0"),
        "{refusal}"
    );
    assert_eq!(refusal.fields["found"], "other-interface-version");
    for language in ["Rust", "JavaScript", "Python"] {
        assert!(refusal.detail.contains(language), "{language}: {refusal}");
    }
}

/// A guest whose `judge` has the right name and another type.
#[tokio::test]
async fn f44_a_function_of_another_type_is_refused() {
    let wit = "package berth:policy@1.0.0;
        interface about { record description { name: string, version: string, summary: string, config-schema: string }
            describe: func() -> description; }
        interface configure { configure: func(config: string) -> result<_, string>; }
        interface watch { judge: func(a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32) -> tuple<u32, u32>; }
        world guard { export about; export configure; export watch; }";
    let guest = Guest { wit: Some((wit.into(), "guard".into())), ..Guest::guard() };
    let refusal = Lab::new().refusal(guest.wasm()).await;
    assert!(refusal.code == Code::PolicyInvalid && refusal.detail.contains("wit/"), "{refusal}");
}

#[tokio::test]
async fn f44_a_policy_of_two_worlds_or_of_none_is_refused() {
    let both = "interface gray { decide: func() -> u32; } world both { export gray; export about; export configure; export watch; }";
    let decide = r#"(func (export "berth:policy/gray@1.0.0#decide") (result i32) (i32.const 0))"#;
    let guest = Guest { wit: Some((ours() + both, "both".into())), ..Guest::guard().extra(decide) };
    let refusal = Lab::new().refusal(guest.wasm()).await;
    assert!(refusal.detail.contains("several worlds") && refusal.detail.contains("exactly one of"), "{refusal}");
    let wit = "package a:b; world nothing { }";
    let refusal = Lab::new().refusal(embedded("(module)", wit, "nothing")).await;
    assert!(refusal.detail.contains("exactly one of"), "{refusal}");
}

#[tokio::test]
async fn f44_a_policy_bound_as_another_kind_is_refused() {
    let policy = Lab::new().install(&Guest::gray()).await;
    let refusal = policy.bind_guard(&empty(), Limits::default_of(PolicyKind::Guard)).map(drop).unwrap_err();
    assert_eq!(refusal.code, Code::PolicyKind);
}

fn embedded(module: &str, wit: &str, world: &str) -> Vec<u8> {
    let mut module = wat::parse_str(module).unwrap();
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("test.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, wit_component::StringEncoding::UTF8).unwrap();
    module
}

/// The WIT text of the interfaces that a guard exports.
fn ours() -> String {
    let file = |name: &str| fs::read_to_string(format!("{}/../../wit/{name}.wit", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let text = (file("about") + &file("watch")).replace("package berth:policy@1.0.0;", "");
    format!("package berth:policy@1.0.0; {text}")
}

/// A guest of the guard world with one additional import.
fn importing(interface: &str, definition: &str, function: &str) -> Guest {
    let world = format!("world other {{ import {interface}; export about; export configure; export watch; }}");
    let imports = format!(r#"(import "{interface}" "{function}" (func $outside (result i32)))"#);
    Guest { wit: Some((format!("{} {world} {definition}", ours()), "other".into())), imports, ..Guest::guard() }
}

#[tokio::test]
async fn f44_a_policy_without_the_common_exports_is_refused() {
    let guest =
        Guest { wit: Some((ours() + " world bare { export watch; export about; }", "bare".into())), ..Guest::guard() };
    let refusal = Lab::new().refusal(guest.wasm()).await;
    assert!(refusal.detail.contains("berth:policy/configure@1.0.0"), "{refusal}");
}

fn wasi() -> Guest {
    let definition = "package wasi:cli@0.2.0 { interface terminal { resource output; is-open: func() -> bool; } }";
    importing("wasi:cli/terminal@0.2.0", definition, "is-open")
}

#[tokio::test]
async fn f45_an_unknown_import_is_refused_with_the_list_of_what_is_allowed() {
    let definition = "package evil:net@1.0.0 { interface sockets { connect: func() -> bool; } }";
    let refusal = Lab::new().refusal(importing("evil:net/sockets@1.0.0", definition, "connect").wasm()).await;
    assert!(
        refusal.detail.contains("evil:net/sockets@1.0.0") && refusal.detail.contains("berth:policy/log@1.0.0"),
        "{refusal}"
    );
    assert_eq!(refusal.fields["allowed"], serde_json::json!(["berth:policy/log@1.0.0"]));
}

#[tokio::test]
async fn f45_what_another_world_grants_is_refused() {
    let definition = "interface cohort { contains: func() -> bool; }";
    let guest = importing("cohort", definition, "contains").imports_as("berth:policy/cohort@1.0.0");
    let refusal = Lab::new().refusal(guest.wasm()).await;
    assert!(refusal.detail.contains("berth:policy/cohort@1.0.0"), "{refusal}");
}

impl Guest {
    fn imports_as(mut self, interface: &str) -> Self {
        self.imports = self.imports.replace(r#""cohort""#, &format!("{interface:?}"));
        self
    }
}

#[tokio::test]
async fn f45_a_core_module_that_imports_from_the_environment_is_refused() {
    let mut guest = Guest::guard();
    guest.imports = r#"(import "env" "open" (func $open (param i32) (result i32)))"#.into();
    assert_eq!(Lab::new().refusal(guest.wasm()).await.code, Code::PolicyInvalid);
}

#[tokio::test]
async fn f45_a_system_interface_may_be_imported_and_not_called() {
    let lab = Lab::new();
    let limits = || Limits::default_of(PolicyKind::Guard);
    let idle = lab.install(&wasi()).await.bind_guard(&empty(), limits()).unwrap();
    assert_eq!(idle.judge(Health::default()).await.outcome, Outcome::Verdict(Advice::CarryOn));
    let calls = wasi().call("(drop (call $outside)) (i32.const 80)");
    let caller = lab.install(&calls).await.bind_guard(&empty(), limits()).unwrap();
    let said = trap(caller.judge(Health::default()).await.outcome);
    assert!(said.contains("wasi:cli/terminal@0.2.0#is-open"), "{said}");
}

#[tokio::test]
async fn f44_what_other_toolchains_make_is_told_with_the_cure() {
    let lab = Lab::new();
    let core = |text: &str| wat::parse_str(text).unwrap();
    let interface = "package wasi:cli@0.2.6; interface run { run: func() -> result; } world command { export run; }";
    let run = r#"(module (func (export "wasi:cli/run@0.2.6#run") (result i32) (i32.const 0)))"#;
    let program = embedded(run, interface, "command");
    let program = wit_component::ComponentEncoder::default().module(&program).unwrap().encode().unwrap();
    for (upload, found) in [
        (
            core(
                r#"(module (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32))))"#,
            ),
            "wasip1",
        ),
        (
            core(r#"(module (import "__wbindgen_placeholder__" "__wbindgen_throw" (func (param i32 i32))))"#),
            "wasm-bindgen",
        ),
        (core("(module)"), "no-world"),
        (program, "wasi-program"),
        (b"version https://git-lfs.github.com/spec/v1\n".to_vec(), "git-lfs-pointer"),
    ] {
        let refusal = lab.refusal(upload).await;
        assert_eq!(
            (refusal.code, &refusal.fields["found"]),
            (Code::PolicyInvalid, &serde_json::json!(found)),
            "{refusal}"
        );
        assert!(found == "git-lfs-pointer" || refusal.detail.contains("wasm32-unknown-unknown"), "{refusal}");
    }
}

#[tokio::test]
async fn f43_a_file_that_is_cut_off_is_told_to_be_fetched_again() {
    let (lab, core) = (Lab::new(), Guest::gray().wasm());
    let component = wit_component::ComponentEncoder::default().module(&core).unwrap().encode().unwrap();
    for whole in [core, component] {
        let refusal = lab.refusal(whole[..whole.len() - 7].to_vec()).await;
        assert_eq!((refusal.code, &refusal.fields["found"]), (Code::PolicyInvalid, &serde_json::json!("broken-wasm")));
        assert!(refusal.detail.contains("the file is cut off (unexpected end"), "{refusal}");
        assert!(refusal.detail.ends_with("Fetch or build it again."), "{refusal}");
    }
}

#[tokio::test]
async fn f44_a_module_that_was_built_for_no_world_is_told_in_one_sentence() {
    let refusal = Lab::new().refusal(wat::parse_str("(module)").unwrap()).await;
    assert!(refusal.detail.contains("not built for a world of wit/"), "{refusal}");
    assert!(refusal.detail.contains("A policy exports exactly one of berth:policy/"), "{refusal}");
    assert!(!refusal.detail.contains("nothing."), "{refusal}");
}

#[tokio::test]
async fn f50_machine_code_is_never_taken_as_an_upload() {
    let lab = Lab::new();
    let compiled = crate::compile::compile(&Guest::gray().wasm()).unwrap();
    let refusal = lab.refusal(compiled.code.clone()).await;
    assert!(refusal.detail.contains("already compiled"), "{refusal}");
    assert_eq!(lab.refusal(compiled.to_bytes()).await.code, Code::PolicyInvalid);
    let digest = lab.install(&Guest::gray()).await.digest().clone();
    assert!(lab.engine.load(&digest, no_bytes()).await.is_ok());
    let cached = fs::read(compiled_file(&lab)).unwrap();
    assert_eq!(lab.refusal(cached).await.fields["found"], "machine-code");
}

#[tokio::test]
async fn an_upload_over_the_limit_is_refused() {
    let lab = Lab::with(|config| config.compile_limits.wasm_bytes = 100);
    assert_eq!(lab.refusal(Guest::gray().wasm()).await.code, Code::BodyTooLarge);
}

#[tokio::test]
async fn a_description_that_breaks_a_rule_is_refused() {
    for (guest, word) in [
        (Guest::gray().name("Not Kebab"), "name"),
        (Guest::gray().name(&"long-".repeat(20)), "name"),
        (Guest { schema: "[1]".into(), ..Guest::gray() }, "config-schema"),
        (Guest { schema: "{".into(), ..Guest::gray() }, "config-schema"),
        (Guest { schema: r#"{"type": 5}"#.into(), ..Guest::gray() }, "config-schema"),
        (Guest { schema: r#"{"$ref": "https://example.com/x.json"}"#.into(), ..Guest::gray() }, "config-schema"),
        (Guest { schema: r#"{"pattern": "(a"}"#.into(), ..Guest::gray() }, "config-schema"),
    ] {
        let refusal = Lab::new().refusal(guest.wasm()).await;
        assert!(refusal.code == Code::PolicyInvalid && refusal.detail.contains(word), "{refusal}");
    }
}

#[tokio::test]
async fn a_policy_that_cannot_describe_itself_is_refused_with_the_outcome() {
    let guest = Guest { describe: "unreachable".into(), ..Guest::gray() };
    let refusal = Lab::new().refusal(guest.wasm()).await;
    assert_eq!(refusal.fields["outcome"], "trapped");
}

#[tokio::test]
async fn concurrent_loads_compile_once() {
    let (lab, wasm, asked) = (Lab::new(), Guest::gray().wasm(), AtomicUsize::new(0));
    let digest = Digest::of(&wasm);
    let fetch = || async {
        asked.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        Ok(wasm.clone())
    };
    let loads = futures_util::future::join_all((0..16).map(|_| lab.engine.load(&digest, fetch()))).await;
    let policies: Vec<_> = loads.into_iter().map(Result::unwrap).collect();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(policies.iter().all(|policy| Arc::ptr_eq(policy, &policies[0])));
}

async fn no_bytes() -> berth_base::error::Result<Vec<u8>> {
    Err(berth_base::error::Error::new(Code::NotFound, "nobody has the bytes"))
}

fn compiled_file(lab: &Lab) -> std::path::PathBuf {
    let mut files = fs::read_dir(lab.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|e| e == "cwasm")).unwrap()
}

#[tokio::test]
async fn a_later_start_compiles_nothing() {
    let lab = Lab::new();
    let digest = lab.install(&Guest::gray()).await.digest().clone();
    let config = EngineConfig::new(lab.folder.path().into(), Compiler::InProcess);
    let policy = Engine::new(config).unwrap().load(&digest, no_bytes()).await.unwrap();
    assert_eq!(policy.digest(), &digest);
}

#[tokio::test]
async fn damaged_machine_code_is_never_run_but_compiled_again() {
    let lab = Lab::new();
    let wasm = Guest::gray().wasm();
    let digest = lab.engine.inspect(wasm.clone()).await.unwrap().digest().clone();
    let file = compiled_file(&lab);
    let whole = fs::read(&file).unwrap();
    let mut rotten = whole.clone();
    *rotten.last_mut().unwrap() ^= 1;
    for damaged in [rotten, whole[..20].to_vec(), vec![]] {
        fs::write(&file, damaged).unwrap();
        assert_eq!(lab.engine.load(&digest, no_bytes()).await.map(drop).unwrap_err().code, Code::NotFound);
    }
    lab.engine.load(&digest, async { Ok(wasm) }).await.unwrap();
    assert_eq!(fs::read(&file).unwrap().len(), whole.len());
}

#[tokio::test]
async fn bytes_of_another_digest_are_refused() {
    let digest = Digest::of(b"something else");
    let refusal = Lab::new().engine.load(&digest, async { Ok(Guest::gray().wasm()) }).await.map(drop).unwrap_err();
    assert!(refusal.detail.contains("damaged"), "{refusal}");
}

#[tokio::test]
async fn code_of_other_compilers_is_dropped_at_the_start() {
    let lab = Lab::new();
    let stale = lab.folder.path().join("00-0000000000000000.cwasm");
    fs::write(&stale, "old").unwrap();
    Engine::new(EngineConfig::new(lab.folder.path().into(), Compiler::InProcess)).unwrap();
    assert!(!stale.exists());
}

#[test]
fn one_compilation_serves_every_engine() {
    use crate::settings::{audit, compiler, fingerprint, grayscale};
    let [compiler, audit, gray] = [compiler(), audit(), grayscale(4)].map(|engine| fingerprint(&engine.unwrap()));
    assert_eq!((compiler, compiler), (audit, gray));
}
