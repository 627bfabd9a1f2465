//! `berth pack`: makes an .apkg from a folder.

use std::{
    io::Seek as _,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Value, json};

use super::{
    failure::{Done, Failure},
    paint::{Ink, Paint, bytes},
    session::Session,
    table::Cell,
};
use crate::files;
use berth_base::{
    ids::{Digest, MiniAppId},
    version::VersionNumber,
};
use berth_package::{self as package, LeftOut, ManifestKind, PackOptions, PackReport, PackageName};

/// The arguments of `berth pack`.
#[derive(Args, Debug)]
#[command(after_help = "\
Id and version come from the options, else from berth.json in the folder ({\"id\": \"mp-shop\", \"version\": \"1.2.0\"}),
else from a W3C manifest.json (app_id, version.name), else from the folder itself when it is called ID/VERSION, such as packages/coffee/1.1.0.
The version may also be that of a package.json in the folder.

Examples:
  berth pack shop/
  berth pack shop/ --id mp-shop --version 1.2.0 -o out/")]
pub struct Pack {
    /// The folder of the mini-program
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// The file or folder to write to; the folder here when absent
    #[arg(short, long, value_name = "OUT")]
    pub out: Option<PathBuf>,
    /// The MiniApp's id
    #[arg(long)]
    pub id: Option<MiniAppId>,
    /// The version, MAJOR.MINOR.PATCH
    #[arg(long = "version", value_name = "V")]
    pub number: Option<VersionNumber>,
    /// Include source maps
    #[arg(long)]
    pub source_maps: bool,
}

pub fn run(args: Pack, session: &mut Session) -> Done {
    if !args.dir.is_dir() {
        return Err(Failure::usage(format!("{} is not a folder.", args.dir.display())));
    }
    let name = name(&args)?;
    let out = out_path(args.out.as_deref(), &name)?;
    let options = PackOptions { source_maps: args.source_maps, name: Some(name.clone()), ..PackOptions::default() };
    let report = write(&args.dir, &out, &options)?;
    let sha256 = files::digest(&out)?;
    let document = json!({"file": out, "name": name.to_string(), "sha256": sha256, "report": report});
    let text = view(&report, &out, &sha256, &session.out.paint);
    session.out.done(&document, text)?;
    session.out.next(format!("berth push {} --submit --wait", super::paint::word(&out.display().to_string())));
    Ok(())
}

/// The name that the package of a folder has; `None` when the folder does not say enough.
pub(crate) fn name_of(dir: &Path) -> Result<Option<PackageName>, Failure> {
    Ok(match Described::read(dir)? {
        Described { id: Some(id), version: Some(version) } => {
            Some(PackageName { mini_app_id: id.parse()?, version: version.parse()? })
        }
        _ => None,
    })
}

/// Packs into a file that appears only when it is complete.
fn write(dir: &Path, out: &Path, options: &PackOptions) -> Result<PackReport, Failure> {
    let unwritable = |error: std::io::Error| Failure::file("write", out, &error);
    // Beside `out` may be what is packed, so nothing is made there before it was read.
    let mut packed = tempfile::tempfile().map_err(unwritable)?;
    let report = package::pack(dir, &mut packed, options).map_err(refused)?;
    let mut file = tempfile::NamedTempFile::new_in(files::parent(out)).map_err(unwritable)?;
    packed.rewind().and_then(|()| std::io::copy(&mut packed, &mut file)).map_err(unwritable)?;
    readable(&file).map_err(unwritable)?;
    file.persist(out).map_err(|error| unwritable(error.error))?;
    Ok(report)
}

/// Makes a package as readable as other files, as it is no secret.
pub fn readable(file: &tempfile::NamedTempFile) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))
}

/// The refusal by a rule of packages, as a host would give it.
pub fn refused(error: berth_base::error::Error) -> Failure {
    let detail = match &error.source {
        Some(source) => format!("{} ({source:#})", error.detail),
        None => error.detail,
    };
    Failure::refused(error.code.slug(), detail)
}

fn out_path(out: Option<&Path>, name: &PackageName) -> Result<PathBuf, Failure> {
    let expected = name.to_string();
    let Some(out) = out else { return Ok(expected.into()) };
    if out.is_dir() || out.as_os_str().as_encoded_bytes().ends_with(b"/") {
        std::fs::create_dir_all(out).map_err(|error| Failure::file("make", out, &error))?;
        return Ok(out.join(expected));
    }
    if out.file_name().is_some_and(|file| file == expected.as_str()) {
        return Ok(out.to_owned());
    }
    Err(Failure::usage(format!(
        "A package is named after its id and version, so -o must be a folder (its name ends in /, or it exists), or end in {expected}."
    )))
}

fn name(args: &Pack) -> Result<PackageName, Failure> {
    let described = Described::read(&args.dir)?;
    let id = args.id.clone().map(Ok).or_else(|| described.id.map(|id| id.parse())).transpose()?;
    let version =
        args.number.clone().map(Ok).or_else(|| described.version.map(|version| version.parse())).transpose()?;
    match (id, version) {
        (Some(mini_app_id), Some(version)) => Ok(PackageName { mini_app_id, version }),
        (Some(_), None) => Err(unknown("version of the package is", "--version 1.2.0")),
        (None, Some(_)) => Err(unknown("id of the package is", "--id mp-shop")),
        (None, None) => Err(unknown("id and the version of the package are", "--id mp-shop --version 1.0.0")),
    }
}

fn unknown(what: &str, options: &str) -> Failure {
    Failure::usage(format!(
        "The {what} not known. Have `berth init DIR --id mp-shop` write berth.json into the folder, or give {options}."
    ))
}

/// The id and the version that a folder states.
#[derive(Default)]
pub(crate) struct Described {
    pub id: Option<String>,
    pub version: Option<String>,
}

impl Described {
    /// Reads what the files and the name of the folder say.
    pub fn read(dir: &Path) -> Result<Self, Failure> {
        let own = load(dir, "berth.json")?;
        let w3c = w3c(dir)?;
        let text =
            |document: &Value, pointer: &str| document.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        // Not from project.config.json: its appid is the id of another platform.
        let folder = dir.canonicalize().ok().and_then(|dir| PackageName::of_folder(&dir));
        let (folder_id, folder_version) = folder.map(|it| (it.mini_app_id.to_string(), it.version.to_string())).unzip();
        Ok(Self {
            id: text(&own, "/id").or_else(|| text(&w3c, "/app_id")).or(folder_id),
            version: text(&own, "/version")
                .or_else(|| text(&w3c, "/version/name"))
                .or(folder_version)
                .or_else(|| npm_version(dir)),
        })
    }
}

/// The `manifest.json` of a W3C MiniApp; null when there is none, or one of another kind, such as uni-app's, which may
/// contain comments.
fn w3c(dir: &Path) -> Result<Value, Failure> {
    let path = dir.join("manifest.json");
    if !path.is_file() || !files::read_text(&path)?.contains("\"app_id\"") {
        return Ok(Value::Null);
    }
    files::read_json(&path)
}

/// The version in `package.json`, if it is a valid one. As the file is npm's, nothing in it is refused.
fn npm_version(dir: &Path) -> Option<String> {
    let npm = load(dir, "package.json").ok()?;
    let version = npm.get("version")?.as_str()?;
    version.parse::<VersionNumber>().ok().map(|version| version.to_string())
}

/// A JSON file of the folder; null when it does not exist.
fn load(dir: &Path, file: &str) -> Result<Value, Failure> {
    let path = dir.join(file);
    if path.is_file() { files::read_json(&path) } else { Ok(Value::Null) }
}

fn view(report: &PackReport, out: &Path, sha256: &Digest, paint: &Paint) -> String {
    let mut lines: Vec<_> =
        left_out(&report.left_out).iter().map(|line| Cell::new(Ink::Faint, line).render(paint)).collect();
    for warning in &report.warnings {
        lines.push(Cell::new(Ink::Warn, format!("warning   {warning}")).render(paint));
    }
    let files = report.included.len();
    let out = Cell::strong(out.display()).render(paint);
    lines.push(format!("{out}  {} in {files} files  {}  sha256 {sha256}", bytes(report.bytes), what(report)));
    lines.join("\n")
}

/// How many files that stay behind for one reason are told one by one.
const TOLD: usize = 3;

/// What stays behind, and why: a line for each file, and one for all where many share the reason.
fn left_out(left: &[LeftOut]) -> Vec<String> {
    let mut by_reason: Vec<(&str, Vec<&str>)> = Vec::new();
    for LeftOut { path, reason } in left {
        match by_reason.iter_mut().find(|(known, _)| known == reason) {
            Some((_, paths)) => paths.push(path),
            None => by_reason.push((reason, vec![path])),
        }
    }
    let lines = by_reason.into_iter().flat_map(|(reason, paths)| match paths.len() {
        ..=TOLD => paths.iter().map(|path| format!("left out  {path}  {reason}")).collect(),
        many => vec![format!("left out  {many} files, such as {} (--json names all)  {reason}", paths[0])],
    });
    lines.collect()
}

/// What was packed, in words, such as `WeChat mini-program, built by Taro`.
pub(crate) fn what(report: &PackReport) -> String {
    let dialect = report.dialect.map(|dialect| format!("{} ", dialect.name())).unwrap_or_default();
    let kind = if report.kind == ManifestKind::Game { "game" } else { "mini-program" };
    let built_by = report.built_by.map(|framework| format!(", built by {}", framework.name())).unwrap_or_default();
    format!("{dialect}{kind}{built_by}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_behind_for_one_reason_is_told_in_one_line_when_it_is_much() {
        let left = |path: &str, reason: &str| LeftOut { path: path.into(), reason: reason.into() };
        let types = (1..=4).map(|number| left(&format!("{number}.d.ts"), "is a type declaration"));
        let all: Vec<_> = types.chain([left("a.map", "is a source map")]).collect();
        assert_eq!(
            left_out(&all),
            [
                "left out  4 files, such as 1.d.ts (--json names all)  is a type declaration",
                "left out  a.map  is a source map"
            ]
        );
    }

    fn named(files: &[(&str, &str)]) -> Option<String> {
        let dir = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            std::fs::write(dir.path().join(path), text).expect("a file");
        }
        name_of(dir.path()).expect("a description that can be read").map(|name| name.to_string())
    }

    #[test]
    fn f27_a_manifest_of_another_kind_with_comments_does_not_keep_a_folder_from_its_name() {
        let own = ("berth.json", r#"{"id": "shop", "version": "1.2.0"}"#);
        let uni_app = ("manifest.json", "{ // basics\n \"appid\": \"__UNI__1\", \"version\": {\"name\": \"9.9.9\"} }");
        assert_eq!(named(&[own, uni_app]).as_deref(), Some("shop_1.2.0.apkg"));
        assert_eq!(named(&[uni_app]), None);
    }

    #[test]
    fn a_w3c_manifest_names_its_package_with_dots() {
        let w3c = ("manifest.json", r#"{"app_id": "org.example.miniapp", "version": {"name": "1.0.0"}}"#);
        assert_eq!(named(&[w3c]).as_deref(), Some("org.example.miniapp_1.0.0.apkg"));
    }

    #[test]
    fn a_folder_that_is_packed_into_itself_gives_the_same_bytes_again() {
        let dir = tempfile::tempdir().expect("a folder");
        for (path, text) in [("app.json", r#"{"pages": ["a"]}"#), ("a.js", "Page({})"), ("a.wxml", "<view/>")] {
            std::fs::write(dir.path().join(path), text).expect("a file");
        }
        let out = dir.path().join("shop_1.0.0.apkg");
        let packed = || {
            let report = write(dir.path(), &out, &PackOptions::default()).expect("a package");
            let left_out: Vec<_> = report.left_out.into_iter().map(|left| left.path).collect();
            (std::fs::read(&out).expect("a package"), left_out)
        };
        let (first, left_out) = packed();
        assert_eq!(left_out, [""; 0], "nor is a file of Berth's own told");
        assert_eq!(packed(), (first, vec!["shop_1.0.0.apkg".to_owned()]));
    }
}
