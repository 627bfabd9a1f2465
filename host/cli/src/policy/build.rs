//! `berth policy build`: makes the component that a host takes from a folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use berth_judge::with_metadata;
use berth_model::policy::PolicyMetadata;
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use super::{local::Local, makers};
use crate::policy::local;
use crate::{
    failure::{Done, Failure},
    files,
    paint::clean,
    session::Session,
};

/// The arguments of `berth policy build`.
#[derive(Args, Debug)]
#[command(after_help = "\
A Rust crate is built by cargo. A folder in another language says in berth-policy.json how it is built:
  {\"output\": \"NAME.wasm\", \"build\": [\"node\", \"build.mjs\"], \"needs\": \"npm install\"}

What Cargo.toml, package.json or pyproject.toml says of authors, description, licence, repository, homepage and version becomes a
part of the policy, and berth policy inspect shows it.

Examples:
  berth policy build wifi-only
  berth policy build wifi-only --revision \"$(git rev-parse HEAD)\"")]
pub struct Build {
    /// The folder of the policy
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// The revision of the source from which it is built, such as a commit. The bytes of the policy then change with it
    #[arg(long)]
    pub revision: Option<String>,
}

const TARGET: &str = "wasm32-unknown-unknown";

/// How to build a folder that is not a Rust crate.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    /// The file that the build makes, relative to the folder.
    output: PathBuf,
    /// The program and its arguments, which are run in the folder.
    build: Vec<String>,
    /// The command that installs the tools of the build.
    needs: Option<String>,
}

pub async fn run(args: Build, session: &mut Session) -> Done {
    let dir = &args.dir;
    let (wasm, out, told) = if dir.join("berth-policy.json").is_file() {
        let (wasm, out) = by_recipe(dir)?;
        (wasm, Some(out), makers::of_folder(dir)?)
    } else if dir.join("Cargo.toml").is_file() {
        (by_cargo(dir)?, None, makers::of_crate(dir)?)
    } else {
        return Err(Failure::usage(format!(
            "{} holds no policy: there is neither a Cargo.toml nor a berth-policy.json. Make one with `berth policy new`.",
            dir.display()
        )));
    };
    let (component, _) = berth_judge::admit(&wasm)?;
    let metadata = PolicyMetadata { revision: args.revision, ..told.metadata }.or(berth_judge::metadata(&wasm));
    let opened = Local::of(with_metadata(component.into_owned(), &metadata), session).await?;
    told.left_out.iter().chain(&other_version(&opened)).for_each(|remark| session.out.note(clean(remark)));
    let out = out.unwrap_or_else(|| dir.join(format!("{}.wasm", opened.policy.description().name)));
    fs::write(&out, &opened.wasm).map_err(|error| Failure::file("write", &out, &error))?;
    local::show(&opened, &out, session)
}

/// That the folder names another version than the policy itself, whose own counts.
fn other_version(opened: &Local) -> Option<String> {
    let (said, own) = (opened.metadata.version.as_deref()?, opened.policy.description().version.to_string());
    (said != own)
        .then(|| format!("The policy says that it is version {own}, which counts, and its folder says {said}."))
}

fn by_recipe(dir: &Path) -> Result<(Vec<u8>, PathBuf), Failure> {
    let path = dir.join("berth-policy.json");
    let recipe: Recipe = serde_json::from_value(files::read_json(&path)?)
        .map_err(|error| Failure::usage(format!("{}: {error}.", path.display())))?;
    let [program, arguments @ ..] = recipe.build.as_slice() else {
        return Err(Failure::usage(format!("{}: `build` names no program.", path.display())));
    };
    let place = dir.display();
    let cure = recipe.needs.map(|needs| format!(" Run `{needs}` in that folder.")).unwrap_or_default();
    // Said before node says it in fifteen lines of its own.
    if let Some(package) = missing_package(dir) {
        return Err(broken(format!("The tools of {place} are not installed: {package} is missing.{cure}")));
    }
    let out = dir.join(&recipe.output);
    let line = recipe.build.join(" ");
    // Stdout is for our answer.
    match Command::new(program).args(arguments).current_dir(dir).stdout(Stdio::null()).status() {
        Ok(status) if status.success() => {}
        Ok(status) if status.code() == Some(NO_SUCH_COMMAND) => {
            return Err(broken(format!("`{line}` in {place} found a tool missing ({status}).{cure}")));
        }
        Ok(status) => return Err(broken(format!("`{line}` in {place} failed ({status}); it says why above."))),
        Err(error) => return Err(broken(format!("Cannot run `{line}` in {place}: {error}.{cure}"))),
    }
    let wasm = fs::read(&out).map_err(|error| Failure::file("read", &out, &error))?;
    Ok((wasm, out))
}

/// What shells exit with, and what stands in for a tool and does not find it, such as pyenv's shims.
const NO_SUCH_COMMAND: i32 = 127;

/// The first package that `package.json` names and node would not find from this folder.
pub(crate) fn missing_package(dir: &Path) -> Option<String> {
    let manifest = files::read_json(&dir.join("package.json")).ok()?;
    let dir = dir.canonicalize().ok()?;
    let is_there = |name: &str| dir.ancestors().any(|above| above.join("node_modules").join(name).is_dir());
    let named = ["dependencies", "devDependencies"].into_iter().filter_map(|kind| manifest[kind].as_object());
    named.flat_map(|packages| packages.keys()).find(|name| !is_there(name)).cloned()
}

fn broken(detail: String) -> Failure {
    Failure::refused("policy-build", detail)
}

fn by_cargo(dir: &Path) -> Result<Vec<u8>, Failure> {
    require_target(dir)?;
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--lib", "--release", "--target", TARGET, "--message-format=json-render-diagnostics"]);
    let built = cargo.current_dir(dir).stderr(Stdio::inherit()).output().map_err(|error| no_rust("cargo", &error))?;
    if !built.status.success() {
        return Err(broken(format!("The crate in {} does not build; cargo says why above.", dir.display())));
    }
    let manifest = dir.join("Cargo.toml").canonicalize().map_err(|error| Failure::file("read", dir, &error))?;
    let artifact = artifact(&String::from_utf8_lossy(&built.stdout), &manifest).ok_or_else(|| {
        broken("The crate makes no wasm: Cargo.toml must say `[lib] crate-type = [\"cdylib\", \"rlib\"]`.".into())
    })?;
    fs::read(&artifact).map_err(|error| Failure::file("read", &artifact, &error))
}

/// The wasm file of the crate with this manifest, as cargo's messages name it.
pub(crate) fn artifact(messages: &str, manifest: &Path) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut own = messages.filter(|message| {
        message["reason"] == "compiler-artifact" && message["manifest_path"].as_str().map(Path::new) == Some(manifest)
    });
    own.find_map(|message| {
        let files = message["filenames"].as_array()?;
        files.iter().filter_map(Value::as_str).find(|file| file.ends_with(".wasm")).map(PathBuf::from)
    })
}

/// Fails in words of its own when the wasm target is not installed, as cargo would print pages.
fn require_target(dir: &Path) -> Done {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", TARGET]).current_dir(dir);
    let asked = rustc.output().map_err(|error| no_rust("rustc", &error))?;
    let libraries = String::from_utf8_lossy(&asked.stdout);
    if asked.status.success() && Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    Err(broken(format!("The Rust toolchain cannot build for wasm yet. Run: rustup target add {TARGET}")))
}

fn no_rust(program: &str, error: &std::io::Error) -> Failure {
    broken(format!("Cannot run {program}: {error}. Install Rust from https://rustup.rs."))
}
