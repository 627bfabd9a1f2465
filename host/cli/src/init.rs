//! `berth init`: writes `berth.json`, from which `berth pack` knows how the package of a folder is called.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Value, json};

use super::{
    failure::{Done, Failure},
    files,
    pack::{Described, refused},
    paint::{clean, word},
    session::Session,
};
use berth_base::{ids::MiniAppId, version::VersionNumber};

/// The version of a folder that says none.
const FIRST: &str = "1.0.0";

/// The arguments of `berth init`.
#[derive(Args, Debug)]
#[command(after_help = "\
Writes {\"id\": \"mp-shop\", \"version\": \"1.0.0\"} into the folder. What the options do not say comes from where `berth pack`
would take it: a W3C manifest.json, a folder called ID/VERSION, the version of package.json. Where there is a berth.json already,
--version writes the next version into it.

Examples:
  berth init shop/ --id mp-shop
  berth init shop/ --version 1.0.1")]
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
        return raise(&path, args, session);
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
    tell(&path, id.as_str(), &version, session)
}

/// Writes the next version into a file that is there, and leaves what else it says.
fn raise(path: &Path, args: Init, session: &mut Session) -> Done {
    let mut said = files::read_json(path)?;
    let id = said.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let other = args.id.filter(|given| given.as_str() != id);
    let (None, Some(version), Some(members)) = (other, args.number, said.as_object_mut()) else {
        let advice = "Give --version V for the next version, or edit it.";
        return Err(Failure::usage(format!("There is a {} already. {advice}", path.display())));
    };
    members.insert("version".into(), json!(version));
    let text = serde_json::to_string_pretty(&said).unwrap_or_default();
    std::fs::write(path, text + "\n").map_err(|error| Failure::file("write", path, &error))?;
    tell(path, &id, &version, session)
}

/// Says what the file says now, and what comes next: packing, where there is something to pack.
fn tell(path: &Path, id: &str, version: &VersionNumber, session: &mut Session) -> Done {
    let document = json!({"file": path, "id": id, "version": version});
    session.out.done(&document, format!("{} names {} {version}.", path.display(), clean(id)))?;
    let dir = files::parent(path);
    match berth_package::look_for(dir) {
        Ok(()) => session.out.next(format!("berth pack {}", word(&dir.display().to_string()))),
        Err(error) => session.out.note(format!("There is nothing to pack yet. {}", clean(&refused(error).to_string()))),
    }
    Ok(())
}
