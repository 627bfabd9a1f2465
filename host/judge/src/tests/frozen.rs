//! `berth:policy@1.0.0` does not change any more, and what comes after it breaks nothing that was built against it.
//! `wit/README.md` says what may be added. The folder `frozen` has each version that was released, without comments;
//! `grown` has a 1.1.0 that nobody released.

use std::collections::BTreeSet;

use wasmtime::component::{Component, Linker, Val};
use wit_component::WitPrinter;
use wit_parser::{PackageId, Resolve};

use crate::{builtin, gate, testing::*};
use berth_base::error::Code;

const FROZEN: &str = include_str!("frozen/berth-policy-1.0.0.wit");
const GROWN: &str = include_str!("grown/unreleased.wit");

/// The package in a normal form: without comments, and in one layout.
fn form(resolve: &Resolve, package: PackageId) -> String {
    let mut printer = WitPrinter::default();
    printer.emit_docs(false).print(resolve, package, &[]).unwrap();
    printer.output.to_string()
}

fn form_of(text: &str) -> String {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("test.wit", text).unwrap();
    form(&resolve, package)
}

fn ours() -> String {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit")).unwrap();
    form(&resolve, package)
}

fn version(form: &str) -> &str {
    form.lines().next().unwrap().strip_prefix("package berth:policy@").unwrap().trim_end_matches(';')
}

#[test]
fn version_1_0_0_is_frozen() {
    let ours = ours();
    assert!(
        version(&ours) != "1.0.0" || ours == FROZEN,
        "berth:policy@1.0.0 is frozen: policies that were built against it are out there. What is new goes into a 1.1.0, or \
         a 2.0.0, as `wit/README.md` says under Versions. Comments may change.\n{ours}"
    );
}

/// The items of a package in normal form: each with the blocks that it is in. Records, variants and enums are one item
/// with all that is in them, as none of it may change.
fn items(form: &str) -> BTreeSet<String> {
    const CLOSED: [&str; 4] = ["record ", "variant ", "enum ", "flags "];
    let (mut items, mut blocks) = (BTreeSet::new(), Vec::new());
    let mut lines = form.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("package "));
    while let Some(line) = lines.next() {
        let mut item = line.to_owned();
        if CLOSED.iter().any(|word| line.starts_with(word)) {
            while !item.ends_with('}') {
                item = item + " " + lines.next().unwrap();
            }
        } else if line.ends_with('{') {
            blocks.push(line.trim_end_matches(" {"));
            continue;
        } else if line == "}" {
            blocks.pop();
            continue;
        }
        items.insert(format!("{}: {item}", blocks.join(" ")));
    }
    items
}

/// What in `newer` would break a policy that was built against `older`: what is not there any more, or is different, and
/// what every policy of a world would have to export besides.
fn breaks(older: &str, newer: &str) -> Vec<String> {
    let [older, newer] = [older, newer].map(items);
    let worlds: BTreeSet<_> =
        older.iter().filter_map(|item| item.split_once(": export ")).map(|(world, _)| world).collect();
    let demanded = newer
        .difference(&older)
        .filter(|item| item.split_once(": export ").is_some_and(|(world, _)| worlds.contains(world)));
    older.difference(&newer).chain(demanded).cloned().collect()
}

#[test]
fn what_has_grown_breaks_nothing_that_was_built_before() {
    for newer in [ours(), form_of(GROWN)] {
        assert_eq!(breaks(FROZEN, &newer), Vec::<String>::new(), "see `wit/README.md`, Versions");
    }
    assert!(items(&form_of(GROWN)).len() > items(FROZEN).len() + 3);
}

#[test]
fn what_would_break_a_policy_is_recognised() {
    for (old, new, told) in [
        ("record place {", "record place { added: string,", "interface audit: record place {"),
        ("carry-on,", "carry-on, wait,", "interface watch: variant advice {"),
        ("enum level {", "enum level { error,", "interface log: enum level {"),
        ("contains: func(", "holds: func(", "interface cohort: contains: func("),
        ("-> bool", "-> u32", "interface cohort: contains: func("),
        ("size: func() -> u64;", "", "interface contents resource archive: size: func() -> u64;"),
        ("import cohort;", "", "world grayscale: import cohort;"),
        ("export watch;", "export watch; export cohort;", "world guard: export cohort;"),
    ] {
        assert!(FROZEN.contains(old), "{old}");
        let broken = breaks(FROZEN, &form_of(&FROZEN.replacen(old, new, 1)));
        assert!(broken.iter().any(|item| item.starts_with(told)), "{old} → {new}: {broken:?}");
    }
}

/// A guard that was built against 1.0.0 with the SDK.
fn guard() -> &'static [u8] {
    builtin::ALL.iter().find(|builtin| builtin.name == "error-rate").unwrap().wasm
}

/// A host that provides the grown interfaces, and nothing else.
fn grown_host(engine: &wasmtime::Engine) -> Linker<()> {
    let mut linker = Linker::new(engine);
    let mut log = linker.instance("berth:policy/log@1.1.0").unwrap();
    for function in ["write", "fatal"] {
        log.func_new(function, |_, _, _, _| Ok(())).unwrap();
    }
    linker
}

#[test]
fn a_policy_that_was_built_against_1_0_0_judges_on_a_host_of_1_1_0() {
    let engine = wasmtime::Engine::default();
    let component = Component::from_binary(&engine, &gate::admit(guard()).unwrap().0).unwrap();
    let mut store = wasmtime::Store::new(&engine, ());
    let instance = grown_host(&engine).instantiate(&mut store, &component).unwrap();
    let mut ask = |interface: &str, function: &str, argument: Val| {
        let interface = instance.get_export_index(&mut store, None, interface).unwrap();
        let function = instance.get_export_index(&mut store, Some(&interface), function).unwrap();
        let function = instance.get_func(&mut store, function).unwrap();
        let mut results = [Val::Bool(false)];
        function.call(&mut store, &[argument], &mut results).unwrap();
        results[0].clone()
    };
    assert_eq!(ask("berth:policy/configure@1.1.0", "configure", Val::String("{}".into())), Val::Result(Ok(None)));
    let text = |text: &str| Val::String(text.into());
    let health = [
        ("task-id", text("gray_1")),
        ("mini-app-id", text("mp-shop")),
        ("version", text("1.1.0")),
        ("since", Val::U64(0)),
        ("now", Val::U64(300_000)),
        ("gray", Val::List(Vec::new())),
        ("online", Val::List(Vec::new())),
    ];
    let health = Val::Record(health.map(|(name, value)| (name.to_owned(), value)).into());
    let advice = Val::Variant("carry-on".into(), None);
    assert_eq!(ask("berth:policy/watch@1.1.0", "judge", health), Val::Result(Ok(Some(Box::new(advice)))));
}

/// A guard that was built against another version. The numbers are as long, so that the binary stays whole.
fn built_against(number: &str) -> Vec<u8> {
    let (ours, theirs) = (b"@1.0.0", format!("@{number}"));
    let mut wasm = guard().to_vec();
    while let Some(at) = wasm.windows(ours.len()).position(|bytes| bytes == ours) {
        wasm[at..at + ours.len()].copy_from_slice(theirs.as_bytes());
    }
    wasm
}

#[tokio::test]
async fn f44_a_policy_for_a_newer_interface_is_refused_with_both_versions() {
    for number in ["1.1.0", "2.0.0"] {
        let refusal = Lab::new().refusal(built_against(number)).await;
        assert_eq!((refusal.code, &refusal.fields["found"]), (Code::PolicyInvalid, &"other-interface-version".into()));
        for told in [format!("berth:policy@{number}"), "berth:policy@1.0.0".into()] {
            assert!(refusal.detail.contains(&told), "{refusal}");
        }
    }
}
