//! Builds the first-party policies, which the host's binary contains.
//!
//! A second cargo builds the crates under `plugins/` for wasm into `target/policies`, which debug, release and test
//! builds of the host share. Cargo knows what is up to date there, so nothing is compiled twice.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use wasm_encoder::{CustomSection, Section};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The first-party policies. Their crates are called `berth-policy-{name}`.
const POLICIES: [&str; 11] = [
    "package-structure",
    "size-limits",
    "dynamic-code",
    "secrets",
    "server-domains",
    "sensitive-apis",
    "privacy",
    "standard-conditions",
    "percentage",
    "expression",
    "error-rate",
];

/// An example of the SDK, which only tests use: it panics.
const BREAKS: &str = "breaks";

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "policy";

/// Variables that the outer cargo sets for its own compilers and that must not reach the inner one.
const FOREIGN: [&str; 9] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_DIR",
    "CARGO_MAKEFLAGS",
    "TARGET",
];

fn main() -> Result<()> {
    let workspace = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    for input in ["plugins", "wit", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", workspace.join(input).display());
    }
    let target_dir = target_dir()?.join("policies");
    build(&workspace, &target_dir)?;
    let built = target_dir.join(TARGET).join(PROFILE);
    println!(
        "cargo::rustc-env=BERTH_BREAKING_POLICY={}",
        built.join("examples").join(format!("{BREAKS}.wasm")).display()
    );
    let packages = packages(&workspace)?;
    for policy in POLICIES {
        fs::write(out(policy)?, labelled(&built, &packages, policy)?)?;
    }
    list()
}

/// What cargo knows of the crates of the workspace.
fn packages(workspace: &Path) -> Result<Vec<Value>> {
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo.current_dir(workspace).args(["metadata", "--no-deps", "--format-version", "1", "--locked"]);
    let mut told: Value = serde_json::from_slice(&cargo.output()?.stdout)?;
    Ok(serde_json::from_value(told["packages"].take())?)
}

/// A policy with the sections that say whose it is, as `berth policy build` writes them.
fn labelled(built: &Path, packages: &[Value], policy: &str) -> Result<Vec<u8>> {
    let name = format!("berth-policy-{policy}");
    let package = packages.iter().find(|package| package["name"] == *name).ok_or("a policy is no crate")?;
    let mut wasm = fs::read(built.join(format!("{}.wasm", name.replace('-', "_"))))?;
    let text = |member: &str| package[member].as_str().map(str::to_owned);
    let authors: Vec<_> = package["authors"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let said = [
        ("authors", Some(authors.join(", "))),
        ("description", text("description")),
        ("licenses", text("license")),
        ("source", text("repository")),
        ("homepage", text("homepage")),
        ("version", text("version")),
    ];
    for (name, text) in said.into_iter().filter_map(|(name, text)| Some((name, text?))) {
        CustomSection { name: name.into(), data: text.into_bytes().into() }.append_to(&mut wasm);
    }
    Ok(wasm)
}

/// Where a policy lies that the binary contains.
fn out(policy: &str) -> Result<PathBuf> {
    Ok(PathBuf::from(env::var("OUT_DIR")?).join(format!("{policy}.wasm")))
}

/// The target folder of the outer cargo: `OUT_DIR` is `{target}/{profile}/build/berth-judge-{hash}/out`.
fn target_dir() -> Result<PathBuf> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    Ok(out.ancestors().nth(4).ok_or("OUT_DIR is not where cargo puts it")?.to_owned())
}

fn build(workspace: &Path, target_dir: &Path) -> Result<()> {
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo.current_dir(workspace).args(["build", "--lib", "--target", TARGET, "--profile", PROFILE, "--locked"]);
    cargo.arg("--target-dir").arg(target_dir);
    cargo.args(["--example", BREAKS, "-p", "berth-policy"]);
    for policy in POLICIES {
        cargo.arg("-p").arg(format!("berth-policy-{policy}"));
    }
    FOREIGN.iter().for_each(|name| _ = cargo.env_remove(name));
    let output = cargo.output()?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let advice = if stderr.contains("target may not be installed") {
        format!("The wasm target is missing. Run: rustup target add {TARGET}")
    } else {
        "The policies under plugins/ do not build.".into()
    };
    Err(format!("{advice}\n\n{stderr}").into())
}

/// Writes the array of policies that the module `builtin` includes.
fn list() -> Result<()> {
    let mut entries = String::new();
    for name in POLICIES {
        entries += &format!("    Builtin {{ name: {name:?}, wasm: include_bytes!({:?}) }},\n", out(name)?);
    }
    let out = PathBuf::from(env::var("OUT_DIR")?).join("builtin.rs");
    Ok(fs::write(out, format!("&[\n{entries}]\n"))?)
}
