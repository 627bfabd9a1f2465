//! The files in which vendors' tools keep the settings of a project, and what those say about packing.

use std::{fs, io, path::Path};

use serde_json::{Map, Value};

use super::{dialect::Dialect, matcher::Matcher, refuse, unreadable};
use berth_base::error::Result;

/// The project files, their dialects, and their members that name the folder of the mini-program.
const FILES: [(&str, Dialect, &[&str]); 3] = [
    ("project.config.json", Dialect::WeChat, &["miniprogramRoot"]),
    ("mini.project.json", Dialect::Alipay, &["miniprogramRoot"]),
    ("project.swan.json", Dialect::Baidu, &["smartProgramRoot", "miniprogramRoot"]),
];

/// Members that name folders whose content runs on a server.
const SERVER_ROOTS: [&str; 6] = [
    "cloudfunctionRoot",
    "cloudfunctionTemplateRoot",
    "cloudcontainerRoot",
    "cloudbaseRoot",
    "qcloudRoot",
    "jsserverRoot",
];

/// Values of `compileType` for plugins.
const PLUGINS: [&str; 4] = ["plugin", "gameplugin", "miniprogramplugin", "minigameplugin"];

/// The content of one project file.
pub struct Config {
    /// The name of the file.
    pub file: &'static str,
    /// The dialect that the file stands for.
    pub dialect: Dialect,
    roots: &'static [&'static str],
    members: Map<String, Value>,
}

impl Config {
    /// All project files in `dir`. A project that is built for several vendors has several.
    pub fn read_all(dir: &Path) -> Result<Vec<Self>> {
        let read = |(file, dialect, roots)| Self::read(dir, file, dialect, roots).transpose();
        FILES.into_iter().filter_map(read).collect()
    }

    fn read(dir: &Path, file: &'static str, dialect: Dialect, roots: &'static [&'static str]) -> Result<Option<Self>> {
        let path = dir.join(file);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(&path, error)),
        };
        let members = serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(&text));
        let members: Map<String, Value> =
            members.map_err(|error| refuse("project-config", file, format!("{error}. Mend it, or remove it.")))?;
        let dialect = own_dialect(&members).unwrap_or(dialect);
        Ok(Some(Self { file, dialect, roots, members }))
    }

    /// The member that names the folder of the mini-program, and that folder, relative to the project. `None` when
    /// there is none, or it is the project itself.
    pub fn root(&self) -> Result<Option<(&'static str, String)>> {
        for member in self.roots {
            if let Some(folder) = self.folder(member) {
                let folder = folder.map_err(|why| refuse("project-config", self.file, why))?;
                return Ok(Some((member, folder)));
            }
        }
        Ok(None)
    }

    /// The members that name folders whose content runs on a server, and those folders, relative to the project.
    pub(crate) fn server_roots(&self) -> Vec<(&'static str, String)> {
        let roots = SERVER_ROOTS.into_iter();
        roots.filter_map(|member| Some((member, self.folder(member)?.ok()?))).collect()
    }

    /// The `compileType`, if it is that of a plugin.
    pub fn plugin(&self) -> Option<&str> {
        let kind = self.members.get("compileType")?.as_str()?;
        PLUGINS.contains(&kind.to_lowercase().as_str()).then_some(kind)
    }

    /// The rules of one list of `packOptions`. Rules that cannot be read become warnings.
    pub fn rules(&self, list: &str, warnings: &mut Vec<String>) -> Vec<Matcher> {
        let place = format!("{}: packOptions.{list}", self.file);
        let options = self.members.get("packOptions").unwrap_or(&Value::Null);
        let rules = match (options, options.get(list)) {
            (Value::Null | Value::Object(_), None | Some(Value::Null)) => return Vec::new(),
            (_, Some(Value::Array(rules))) => rules,
            _ => {
                warnings.push(format!("{place} cannot be read and is not used: it is no list."));
                return Vec::new();
            }
        };
        let read = rules.iter().enumerate().map(|(at, rule)| Matcher::read(format!("{place}[{at}]"), rule));
        let rules = read.filter_map(|rule| rule.map_err(|warning| warnings.push(warning)).ok().flatten());
        rules.collect()
    }

    /// The folder that a member names, without what the tools ignore: slashes at the ends, `./`, backslashes. `None`
    /// when it names the project itself, or is not a text.
    fn folder(&self, member: &str) -> Option<Result<String, String>> {
        let value = self.members.get(member)?.as_str()?;
        let slashed = value.replace('\\', "/");
        let parts: Vec<_> = slashed.split('/').map(str::trim).filter(|part| !["", "."].contains(part)).collect();
        if parts.contains(&"..") {
            return Some(Err(format!("{member} {value:?} leads out of the project.")));
        }
        (!parts.is_empty()).then(|| Ok(parts.join("/")))
    }
}

/// The dialect of a `project.config.json`, which several vendors use: Douyin and QQ are told by their ids.
fn own_dialect(members: &Map<String, Value>) -> Option<Dialect> {
    let id = members.get("appid").and_then(Value::as_str).unwrap_or_default();
    match members {
        _ if members.contains_key("qqappid") => Some(Dialect::Qq),
        _ if id.starts_with("tt") => Some(Dialect::Douyin),
        _ => None,
    }
}
