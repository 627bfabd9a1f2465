//! `berth init`: writes `berth.json`, from which `berth pack` knows how the package of a folder is called.

use std::{io::Write, path::PathBuf};

use clap::Args;
use serde_json::json;

use super::{
    failure::{Done, Failure},
    pack::Described,
    session::Session,
};
use berth_base::{ids::MiniAppId, version::VersionNumber};

/// The version of a folder that says none.
const FIRST: &str = "1.0.0";

/// The arguments of `berth init`.
#[derive(Args, Debug)]
#[command(after_help = "\
Writes {\"id\": \"mp-shop\", \"version\": \"1.0.0\"} into the folder. What the options do not say comes from where `berth pack`
would take it: a W3C manifest.json, a folder called ID/VERSION, the version of package.json.

Examples:
  berth init shop/ --id mp-shop
  berth init --id mp-shop --version 2.1.0")]
pub struct Init {
    /// The folder of the mini-program
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// The MiniApp's id
    #[arg(long)]
    pub id: Option<MiniAppId>,
    /// The version, MAJOR.MINOR.PATCH; 1.0.0 when nothing says another one
    #[arg(long = "version", value_name = "V")]
    pub number: Option<VersionNumber>,
}

pub fn run(args: Init, session: &mut Session) -> Done {
    let dir = &args.dir;
    if !dir.is_dir() {
        return Err(Failure::usage(format!("{} is not a folder.", dir.display())));
    }
    let path = dir.join("berth.json");
    if path.exists() {
        return Err(Failure::usage(format!("There is a {} already. Edit it.", path.display())));
    }
    let described = Described::read(dir)?;
    let id = match (args.id, described.id) {
        (Some(id), _) => id,
        (None, Some(id)) => id.parse()?,
        (None, None) => {
            let advice = "Give the id of the MiniApp with --id; `berth app list` shows those that are there.";
            return Err(Failure::usage(advice));
        }
    };
    let version = match (args.number, described.version) {
        (Some(version), _) => version,
        (None, version) => version.as_deref().unwrap_or(FIRST).parse()?,
    };
    let text = format!("{{\n  \"id\": \"{id}\",\n  \"version\": \"{version}\"\n}}\n");
    let written = std::fs::File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Failure::file("write", &path, &error))?;
    let document = json!({"file": path, "id": id, "version": version});
    session.out.done(&document, format!("{} names {id} {version}.", path.display()))?;
    session.out.next(format!("berth pack {}", super::paint::word(&dir.display().to_string())));
    Ok(())
}
