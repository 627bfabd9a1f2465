//! The walls of the house: which crate may use which, and which heavy library stands in which crate. Cargo says it in each
//! `Cargo.toml`; here it is said once more, so that a new dependency is a decision. No circle of modules is in a crate.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use regex::Regex;
use walkdir::WalkDir;

/// The crates below `host/` in their order: each may use those before it that are named here, and no other.
const MAY_USE: [(&str, &[&str]); 14] = [
    ("base", &[]),
    ("package", &["base"]),
    ("model", &["base"]),
    ("judge", &["base", "package", "model"]),
    ("check", &["base", "model"]),
    // Databases for tests, behind a feature.
    ("store", &["base", "model", "test-database"]),
    ("logs", &["base", "model"]),
    ("oci", &["base", "model"]),
    ("work", &["base", "package", "model", "judge", "check", "store", "logs", "oci"]),
    ("api", &["base", "package", "model", "check", "store", "work"]),
    // The console is a client of the API, without a network between.
    ("console", &["base", "model"]),
    ("swap", &["base", "model"]),
    ("cli", &["base", "package", "model", "judge", "swap", "oci"]),
    (
        "berth",
        &[
            "base", "package", "model", "judge", "check", "store", "logs", "oci", "work", "api", "console", "swap",
            "cli",
        ],
    ),
];

/// Where a heavy library stands. Its types end there.
const STANDS_IN: [(&str, &[&str]); 9] = [
    // Logs have connections and statements of their own: they must not share those of checks (D4).
    ("sqlx", &["base", "model", "store", "logs"]),
    ("object_store", &["store"]),
    ("chacha20poly1305", &["store"]),
    ("wasmtime", &["judge"]),
    ("axum", &["api", "console"]),
    ("hyper", &["api", "swap"]),
    ("async-nats", &["work"]),
    ("imbl", &["check"]),
    ("zip", &["package", "cli"]),
];

fn host() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../host")
}

/// The names in the section `[dependencies]` of a crate.
fn dependencies(name: &str) -> BTreeSet<String> {
    let manifest = fs::read_to_string(host().join(name).join("Cargo.toml")).unwrap();
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    let name = |line: &str| line.split(['.', ' ', '=']).next().filter(|name| !name.is_empty()).map(str::to_owned);
    lines.filter(|line| !line.starts_with('#')).filter_map(name).collect()
}

#[test]
fn a_crate_uses_only_what_is_below_it() {
    let below = fs::read_dir(host()).unwrap().map(|entry| entry.unwrap());
    let crates: BTreeSet<_> = below
        .filter(|entry| entry.path().join("Cargo.toml").exists())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(crates, MAY_USE.iter().map(|(name, _)| (*name).to_owned()).collect());
    for (name, allowed) in MAY_USE {
        let own = dependencies(name).into_iter().filter_map(|one| one.strip_prefix("berth-").map(str::to_owned));
        let wrong: Vec<_> = own.filter(|one| !allowed.contains(&one.as_str())).collect();
        assert!(wrong.is_empty(), "{name} must not use {wrong:?}");
    }
}

/// The crates of others that cargo compiles for this, each with its version and features.
fn compiled(what: &[&str]) -> BTreeSet<String> {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut tree = Command::new(cargo);
    tree.current_dir(host())
        .args(["tree", "--locked", "--offline", "--prefix", "none", "--format", "{p} [{f}]"])
        .args(what);
    let told = tree.output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let lines = String::from_utf8(told.stdout).unwrap();
    let crates = lines.lines().map(|line| line.trim_end_matches(" (*)").replace(" (proc-macro)", ""));
    crates.filter(|line| !line.is_empty() && !line.starts_with("berth")).collect()
}

#[test]
fn what_is_compiled_for_make_run_serves_make_test() {
    let run = compiled(&["-p", "berth", "--edges", "normal,build"]);
    let test = compiled(&["--workspace", "--edges", "normal,build,dev"]);
    let again: Vec<_> = run.difference(&test).collect();
    let cure = "Turn on in host/judge/Cargo.toml, where others like them stand, the features that tests have them with";
    assert!(again.is_empty(), "make test compiles these once more, and all that use them: {again:?}. {cure}.");
}

/// What differs so little that the features are not worth a line.
const TWICE: [&str; 4] = ["cranelift-bitset", "pulley-interpreter", "wasmtime-internal-core", "winnow"];

#[test]
fn what_macros_are_compiled_with_is_what_the_host_is_compiled_with() {
    let all = compiled(&["-p", "berth", "--edges", "normal,build"]);
    let mut features = BTreeMap::<_, Vec<_>>::new();
    for (name, of) in all.iter().filter_map(|line| line.rsplit_once(' ')) {
        features.entry(name).or_default().push(of);
    }
    let twice = features.iter().filter(|(name, of)| of.len() > 1 && !TWICE.iter().any(|one| name.starts_with(one)));
    let twice: Vec<_> = twice.collect();
    let cure = "Turn on in host/judge/Cargo.toml, where others like them stand, the features that the other has";
    assert!(twice.is_empty(), "these are compiled for macros, and once more for the host: {twice:?}. {cure}.");
}

#[test]
fn a_heavy_library_stands_in_its_own_crate() {
    for (name, _) in MAY_USE {
        for (library, crates) in STANDS_IN {
            let uses = dependencies(name).contains(library);
            assert!(crates.contains(&name) || !uses, "{library} is for {crates:?}, and not for {name}");
        }
    }
}

/// What the sources of a crate say outside of tests, by the module at the top of the crate.
fn modules(name: &str) -> BTreeMap<String, String> {
    static COMMENT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"//[^\n]*").unwrap());
    let source = host().join(name).join("src");
    let mut modules = BTreeMap::<String, String>::new();
    for entry in WalkDir::new(&source).into_iter().map(|entry| entry.unwrap()) {
        let path = entry.path().strip_prefix(&source).unwrap().to_str().unwrap().to_owned();
        let is_test = path.contains("tests") || path.contains("testing") || path.contains("templates");
        if !path.ends_with(".rs") || is_test || path == "lib.rs" || path == "main.rs" {
            continue;
        }
        let text = fs::read_to_string(entry.path()).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let top = path.split(['/', '.']).next().unwrap().to_owned();
        modules.entry(top).or_default().push_str(&COMMENT.replace_all(text, ""));
    }
    modules
}

/// The modules at the top of the crate that a source names by `crate::a` or `crate::{a, b::{c, d}}`.
fn named(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for after in source.split("crate::").skip(1) {
        let Some(list) = after.strip_prefix('{') else {
            found.extend(after.split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned));
            continue;
        };
        let (mut depth, mut word, mut is_first) = (0, String::new(), true);
        for c in list.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => is_first = true,
                c if depth == 0 && is_first && (c.is_alphanumeric() || c == '_') => word.push(c),
                _ => {}
            }
            let ends = !c.is_alphanumeric() && c != '_';
            if ends && !word.is_empty() {
                found.insert(std::mem::take(&mut word));
                is_first = false;
            }
        }
        found.extend((!word.is_empty()).then_some(word));
    }
    found
}

#[test]
fn no_circle_of_modules_is_in_a_crate() {
    for (name, _) in MAY_USE {
        let sources = modules(name);
        let mut graph: BTreeMap<_, BTreeSet<_>> =
            sources.iter().map(|(module, source)| (module.clone(), named(source))).collect();
        for (module, uses) in &mut graph {
            uses.retain(|other| other != module && sources.contains_key(other));
        }
        // What uses nothing that is left is taken away, until only circles are left.
        while let Some(free) = graph.iter().find(|(_, uses)| uses.is_empty()).map(|(module, _)| module.clone()) {
            graph.remove(&free);
            graph.values_mut().for_each(|uses| uses.retain(|other| *other != free));
        }
        assert!(graph.is_empty(), "{name} has a circle among its modules: {graph:#?}");
    }
}

#[test]
fn what_a_source_names_is_found() {
    let source = "use crate::{access::{Action, Caller}, mini_app::authorise, rollout}; crate::event::BERTH";
    assert_eq!(named(source).into_iter().collect::<Vec<_>>(), ["access", "event", "mini_app", "rollout"]);
}

/// The guides of those who change Berth.
const GUIDES: [&str; 4] = ["README.md", "CONTRIBUTING.md", "plugins/README.md", "tests/RULES.md"];

static SOURCE_NAMED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"`([\w./-]+\.rs)`").unwrap());

#[test]
fn a_source_that_a_guide_names_is_there() {
    let root = host().parent().unwrap().to_owned();
    let walk = |folder: &str| WalkDir::new(root.join(folder)).into_iter().map(|entry| entry.unwrap().into_path());
    let sources: BTreeSet<_> = ["host", "plugins", "tests"].into_iter().flat_map(walk).collect();
    let missing = GUIDES.iter().flat_map(|guide| {
        let text = fs::read_to_string(root.join(guide)).unwrap();
        let named: Vec<_> = SOURCE_NAMED.captures_iter(&text).map(|found| found[1].to_owned()).collect();
        named.into_iter().map(move |source| (*guide, source))
    });
    // What CONTRIBUTING adds in its example, notes of a MiniApp, is the one thing that is not there.
    let missing = missing.filter(|(_, source)| !source.ends_with("note.rs") && !source.ends_with("notes.rs"));
    let missing: Vec<_> = missing.filter(|(_, source)| !sources.iter().any(|path| path.ends_with(source))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

static SCHEMA: LazyLock<Regex> = LazyLock::new(|| {
    let attributes = r"(?<attributes>(?:\s*(?://|#\[)[^\n]*\n)*)";
    let named = r"\s*(?:pub(?:\([a-z]+\))? )?(?:struct |enum )?(?<name>[A-Z]\w+)";
    Regex::new(&format!(r"(?:text_enum! \{{|ToSchema\)\])\n{attributes}{named}")).unwrap()
});

/// The names under which the types of a source stand in the API's document.
fn schemas(source: &str) -> Vec<String> {
    let name = |found: regex::Captures<'_>| {
        let other = found["attributes"].split_once("#[schema(as = ").and_then(|(_, rest)| rest.split_once(')'));
        other.map_or_else(|| found["name"].to_owned(), |(name, _)| name.to_owned())
    };
    SCHEMA.captures_iter(source).map(name).collect()
}

#[test]
fn two_types_do_not_describe_each_other_in_the_apis_document() {
    let walk = WalkDir::new(host()).into_iter().map(|entry| entry.unwrap().into_path());
    let mut places = BTreeMap::<String, Vec<PathBuf>>::new();
    for path in walk.filter(|path| path.extension().is_some_and(|extension| extension == "rs")) {
        let source = fs::read_to_string(&path).unwrap();
        for name in schemas(source.split("#[cfg(test)]").next().unwrap_or_default()) {
            places.entry(name).or_default().push(path.clone());
        }
    }
    assert!(places.len() > 300, "{}", places.len());
    let twice: Vec<_> = places.iter().filter(|(_, places)| places.len() > 1).collect();
    assert!(twice.is_empty(), "give one of each a name of its own, by #[schema(as = …)]: {twice:#?}");
}
