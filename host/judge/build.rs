//! Builds the first-party policies, which the host's binary contains.
//!
//! A second cargo builds the crates under `plugins/` for wasm into `target/policies`, which debug, release and test
//! builds of the host share. Cargo knows what is up to date there, so nothing is compiled twice.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

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
    list(&built)
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
fn list(built: &Path) -> Result<()> {
    let entry = |name: &str| {
        let wasm = built.join(format!("berth_policy_{}.wasm", name.replace('-', "_")));
        format!("    Builtin {{ name: {name:?}, wasm: include_bytes!({wasm:?}) }},\n")
    };
    let entries: String = POLICIES.into_iter().map(entry).collect();
    let out = PathBuf::from(env::var("OUT_DIR")?).join("builtin.rs");
    Ok(fs::write(out, format!("&[\n{entries}]\n"))?)
}
