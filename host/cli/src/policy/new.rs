//! `berth policy new`: makes a folder in which a policy can be written, built and tested without anything else of
//! Berth.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::scaffold::PolicyName;
use crate::policy::scaffold;
use crate::{
    failure::{Done, Failure},
    session::Session,
};

/// The arguments of `berth policy new`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  berth policy new wifi-only --kind grayscale
  berth policy new no-source-maps --kind auditor --lang javascript --dir policies/no-source-maps")]
pub struct New {
    /// The name of the policy in kebab-case, such as wifi-only
    pub name: PolicyName,
    /// What it judges: auditor (versions), grayscale (devices) or guard (running releases)
    #[arg(long)]
    pub kind: World,
    /// The language
    #[arg(long, default_value = "rust")]
    pub lang: Language,
    /// The folder to make; one called NAME when absent
    #[arg(long)]
    pub dir: Option<PathBuf>,
}

/// The worlds of `wit/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum World {
    /// Judges versions
    Auditor,
    /// Decides which devices get a gray version
    Grayscale,
    /// Watches grayscale releases
    Guard,
}

/// The languages for which there is a template. A policy can be written in any language that makes components.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Small and fast: microseconds per call
    Rust,
    /// Contains a JavaScript engine
    Javascript,
    /// Contains a Python interpreter
    Python,
}

pub fn run(args: New, session: &mut Session) -> Done {
    let dir = args.dir.unwrap_or_else(|| PathBuf::from(args.name.as_str()));
    refuse_filled(&dir)?;
    let files = scaffold::files(&args.name, args.kind, args.lang);
    for (path, text) in &files {
        write(&dir.join(path), text)?;
    }
    let document = json!({"dir": dir, "files": files.iter().map(|(path, _)| path).collect::<Vec<_>>()});
    session.out.done(&document, next_steps(&dir, &args.name, args.lang))
}

/// Refuses a folder that is not empty, as its content is somebody's work.
fn refuse_filled(dir: &Path) -> Done {
    match fs::read_dir(dir).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Err(Failure::usage(format!("{} is not empty. Give another --dir.", dir.display()))),
        Ok(false) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::usage(format!("Cannot use {} as a folder: {error}.", dir.display()))),
    }
}

fn write(path: &Path, text: &str) -> Done {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| Failure::usage(format!("Cannot write {}: {error}.", path.display())))
}

fn next_steps(dir: &Path, name: &PolicyName, lang: Language) -> String {
    let tools = match lang {
        Language::Rust => "",
        Language::Javascript => "  npm install\n",
        Language::Python => "  pip install -r requirements.txt\n",
    };
    format!(
        "{dir} is made. Next:\n  cd {dir}\n{tools}  berth policy build\n  berth policy test {name}.wasm",
        dir = dir.display()
    )
}
