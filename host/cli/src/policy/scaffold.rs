//! The content of a new policy's folder. The binary contains the SDK and `wit/`, so that a policy can be built without
//! a registry and fits the host that made it.

use std::{fmt, str::FromStr};

use include_dir::{Dir, DirEntry, include_dir};

use super::new::{Language, World};

static SDK: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../plugins/sdk");
static WIT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../wit");

/// The name of a policy: kebab-case, begins with a letter, 2 to 64 characters. It is also a valid name of a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyName(String);

impl PolicyName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the policy's type: `WifiOnly` for `wifi-only`.
    fn type_name(&self) -> String {
        let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
        self.0.split('-').map(capital).collect()
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names that would mean something else to cargo or the compiler: keywords, and names that the template uses.
const TAKEN: [&str; 16] = [
    "std",
    "core",
    "alloc",
    "test",
    "self",
    "super",
    "crate",
    "berth-policy",
    "build",
    "deps",
    "policy",
    "auditor",
    "grayscale",
    "guard",
    "device",
    "task",
];

impl FromStr for PolicyName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let kebab = text.split('-').all(word) && text.starts_with(|first: char| first.is_ascii_lowercase());
        if !kebab || !(2..=64).contains(&text.len()) {
            return Err(format!(
                "{text:?} is not a name for a policy: expected 2 to 64 of a-z, 0-9 and '-', a letter first, such as wifi-only"
            ));
        }
        if TAKEN.contains(&text) || is_keyword(text) {
            return Err(format!("{text:?} means something else in Rust or in a policy: choose a name of two words"));
        }
        Ok(Self(text.to_owned()))
    }
}

fn is_keyword(text: &str) -> bool {
    const KEYWORDS: &str = "as async await become box break const continue do dyn else enum extern false final fn for \
        gen if impl in let loop macro match mod move mut override priv pub ref return static struct trait true try type \
        typeof union unsafe unsized use virtual where while yield";
    KEYWORDS.split_whitespace().any(|keyword| keyword == text)
}

/// A path in the folder, and the text of the file.
pub(crate) type TextFile = (String, String);

macro_rules! template {
    ($path:literal) => {
        include_str!(concat!("templates/", $path))
    };
}

/// The templates of a kind: the config schema, the cases, and the policy in Rust, JavaScript and Python.
fn kind_templates(kind: World) -> [&'static str; 5] {
    match kind {
        World::Auditor => [
            template!("cases/auditor.schema.json"),
            template!("cases/auditor.json"),
            template!("rust/auditor/lib.rs"),
            template!("javascript/auditor/policy.js"),
            template!("python/auditor/policy.py"),
        ],
        World::Grayscale => [
            template!("cases/grayscale.schema.json"),
            template!("cases/grayscale.json"),
            template!("rust/grayscale/lib.rs"),
            template!("javascript/grayscale/policy.js"),
            template!("python/grayscale/policy.py"),
        ],
        World::Guard => [
            template!("cases/guard.schema.json"),
            template!("cases/guard.json"),
            template!("rust/guard/lib.rs"),
            template!("javascript/guard/policy.js"),
            template!("python/guard/policy.py"),
        ],
    }
}

/// All files of the folder.
pub fn files(name: &PolicyName, kind: World, lang: Language) -> Vec<TextFile> {
    let [schema, cases, rust, javascript, python] = kind_templates(kind);
    let own = match lang {
        Language::Rust => vec![
            ("Cargo.toml", template!("rust/Cargo.toml")),
            ("src/lib.rs", rust),
            ("config.schema.json", schema),
            ("README.md", template!("rust/README.md")),
            (".gitignore", template!("rust/gitignore")),
        ],
        Language::Javascript => vec![
            ("package.json", template!("javascript/package.json")),
            ("build.mjs", template!("javascript/build.mjs")),
            ("berth-policy.json", template!("javascript/berth-policy.json")),
            ("policy.js", javascript),
            ("berth/entry.js", template!("javascript/berth/entry.js")),
            ("berth/ambient.js", template!("javascript/berth/ambient.js")),
            ("berth/console.js", template!("javascript/berth/console.js")),
            ("berth/shape.js", template!("javascript/berth/shape.js")),
            ("README.md", template!("javascript/README.md")),
            (".gitignore", template!("javascript/gitignore")),
        ],
        Language::Python => vec![
            ("requirements.txt", template!("python/requirements.txt")),
            ("pyproject.toml", template!("python/pyproject.toml")),
            ("berth-policy.json", template!("python/berth-policy.json")),
            ("policy.py", python),
            ("berth_entry.py", template!("python/berth_entry.py")),
            ("berth_ambient.py", template!("python/berth_ambient.py")),
            ("berth_host.py", template!("python/berth_host.py")),
            ("berth_shape.py", template!("python/berth_shape.py")),
            ("README.md", template!("python/README.md")),
            (".gitignore", template!("python/gitignore")),
        ],
    };
    let fill = |text: &str| filled(text, name, kind, schema);
    let mut files: Vec<TextFile> = own.into_iter().map(|(path, text)| (path.to_owned(), fill(text))).collect();
    files.push(("cases/examples.json".into(), with_room(cases, kind, lang)));
    files.extend(tree(&WIT, "wit"));
    if lang == Language::Rust {
        let sdk = tree(&SDK, "vendor/berth-policy");
        files.extend(sdk.into_iter().map(|(path, text)| {
            let text = if path.ends_with("/Cargo.toml") { standalone(&text) } else { text };
            (path, text)
        }));
    }
    files
}

fn filled(text: &str, name: &PolicyName, kind: World, schema: &str) -> String {
    let (world, next) = match kind {
        World::Auditor => ("auditor", format!("berth policy bind {name} --scope platform --mode shadow")),
        World::Grayscale => {
            ("grayscale", format!("berth gray create APP --name canary --version V --for 7d --policy {name}"))
        }
        World::Guard => ("guard", format!("berth gray create APP --name canary --version V --for 7d --guard {name}")),
    };
    // The interface that the world exports besides the common ones, its class in Python, and its function.
    let (interface, class, function) = match kind {
        World::Auditor => ("audit", "Audit", "audit"),
        World::Grayscale => ("gray", "Gray", "decide"),
        World::Guard => ("watch", "Watch", "judge"),
    };
    text.replace("{{name}}", name.as_str())
        .replace("{{interface}}", interface)
        .replace("{{Interface}}", class)
        .replace("{{function}}", function)
        .replace("{{Type}}", &name.type_name())
        .replace("{{kind}}", world)
        .replace("{{world}}", world)
        .replace("{{use}}", &next)
        .replace("{{schema}}", schema.trim_end())
}

/// Adds larger limits to the cases of grayscale policies with an interpreter, which needs more time and memory than the
/// default limits allow.
fn with_room(cases: &str, kind: World, lang: Language) -> String {
    if lang == Language::Rust || kind != World::Grayscale {
        return cases.to_owned();
    }
    let limits = r#""limits": { "deadline_ms": 100, "memory_bytes": 67108864, "table_elements": 50000 },"#;
    cases.replace("\n    \"expect\"", &format!("\n    {limits}\n    \"expect\""))
}

/// All files below a folder that the binary contains.
fn tree(dir: &Dir<'_>, under: &str) -> Vec<TextFile> {
    let one = |entry: &DirEntry<'_>| match entry {
        DirEntry::Dir(dir) => tree(dir, under),
        DirEntry::File(file) => {
            let path = format!("{under}/{}", file.path().display());
            file.contents_utf8().map(|text| (path, text.to_owned())).into_iter().collect()
        }
    };
    dir.entries().iter().flat_map(one).collect()
}

/// The SDK's manifest, with what it inherits from the workspace written out.
fn standalone(manifest: &str) -> String {
    let inherited = |line: &str| {
        Some(match line.strip_suffix(".workspace = true")? {
            "version" => format!("version = {:?}", env!("CARGO_PKG_VERSION")),
            "edition" => "edition = \"2024\"".to_owned(),
            "rust-version" => format!("rust-version = {:?}", env!("CARGO_PKG_RUST_VERSION")),
            "license" => "license = \"Apache-2.0\"".to_owned(),
            _ => "publish = false".to_owned(),
        })
    };
    let lines = manifest.replace("[lints]\nworkspace = true\n\n", "");
    lines.lines().map(|line| inherited(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
}
