//! Cases: what a policy is asked, and what it should answer.
//!
//! A file has one case or a list of cases. Members that a case leaves out have harmless defaults. An unknown member is
//! a mistake, which is reported with its place.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use berth_model::policy::{LimitOverrides, PolicyKind};

use crate::{failure::Failure, files};

/// A case as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What the case shows, in words.
    pub name: String,
    /// The policy's config.
    #[serde(default = "no_config")]
    pub config: Value,
    /// Limits in place of the defaults of the policy's kind, as a binding may have them.
    #[serde(default)]
    pub limits: LimitOverrides,
    /// The expected answer; `berth policy bench` needs none.
    pub expect: Option<Expect>,
    /// For grayscale policies: the device that asks.
    pub device: Option<Map<String, Value>>,
    /// For grayscale policies: the task.
    pub task: Option<Map<String, Value>>,
    /// For grayscale policies: the lists of the host.
    pub cohorts: Option<BTreeMap<String, BTreeSet<String>>>,
    /// For auditors: a folder or an .apkg, relative to the file of the case.
    pub package: Option<PathBuf>,
    /// For auditors: the files of a package, as paths with texts.
    pub files: Option<BTreeMap<String, String>>,
    /// For guards: the health of the release.
    pub health: Option<Map<String, Value>>,
    /// The file that has the case.
    #[serde(skip)]
    pub file: PathBuf,
}

fn no_config() -> Value {
    json!({})
}

/// The answer to a case, or the one that is expected.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(untagged)]
pub(crate) enum Expect {
    /// `admit`, `refuse`, `carry-on`, `suspend`, `end`, or why there was no verdict: `failed`, `trapped`, `limited`,
    /// `bad-config`.
    Word(String),
    /// The rules of an auditor's findings, each as often as it was found, in any order.
    Rules(Vec<String>),
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Rules(rules) if rules.is_empty() => f.write_str("no findings"),
            Self::Rules(rules) => f.write_str(&rules.join(", ")),
        }
    }
}

/// The answer when the policy refuses the config of a case.
pub(crate) const BAD_CONFIG: &str = "bad-config";
const NO_VERDICT: [&str; 4] = ["failed", "trapped", "limited", BAD_CONFIG];

impl Expect {
    fn check(&mut self, kind: PolicyKind) -> Result<(), String> {
        let words: &[&str] = match kind {
            PolicyKind::Auditor => &[],
            PolicyKind::Grayscale => &["admit", "refuse"],
            PolicyKind::Guard => &["carry-on", "suspend", "end"],
        };
        match self {
            Self::Rules(rules) if kind == PolicyKind::Auditor => {
                rules.sort();
                Ok(())
            }
            Self::Word(word) if words.iter().chain(&NO_VERDICT).any(|known| known == word) => Ok(()),
            _ => {
                let list = if words.is_empty() { "a list of rules" } else { &words.join(", ") };
                Err(format!("`expect` of a policy of kind {kind} is {list}, or {}", NO_VERDICT.join(", ")))
            }
        }
    }
}

/// All cases of one file, or of all files in a folder in the order of their names.
pub fn load(path: &Path, kind: PolicyKind) -> Result<Vec<Case>, Failure> {
    if !path.exists() {
        return Err(Failure::usage(format!(
            "There are no cases at {}. Write some there (`berth policy test --help` shows their form), or name others by --cases.",
            path.display()
        )));
    }
    let mut paths = if path.is_dir() { json_files(path)? } else { vec![path.to_owned()] };
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let found = parse(&files::read_text(&path)?, kind)
            .map_err(|reason| Failure::usage(format!("{}: {reason}.", path.display())))?;
        cases.extend(found.into_iter().map(|case| Case { file: path.clone(), ..case }));
    }
    if cases.is_empty() {
        return Err(Failure::usage(format!("There are no cases in {}.", path.display())));
    }
    Ok(cases)
}

fn json_files(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error: std::io::Error| Failure::file("read", dir, &error);
    let entries = fs::read_dir(dir).map_err(unreadable)?.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    let paths = entries.into_iter().map(|entry| entry.path());
    Ok(paths.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect())
}

/// The cases in one file. The error says what is wrong, and where.
pub fn parse(text: &str, kind: PolicyKind) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> =
        if text.trim_start().starts_with('[') { typed(text)? } else { vec![typed::<Case>(text)?] };
    for case in &mut cases {
        let name = case.name.clone();
        check(case, kind).map_err(|reason| format!("case {name:?}: {reason}"))?;
    }
    Ok(cases)
}

fn typed<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        if path == "." { error.inner().to_string() } else { format!("at {path}: {}", error.inner()) }
    })?;
    reader.end().map_err(|error| error.to_string())?;
    Ok(value)
}

fn check(case: &mut Case, kind: PolicyKind) -> Result<(), String> {
    let given = [
        ("device", case.device.is_some(), PolicyKind::Grayscale),
        ("task", case.task.is_some(), PolicyKind::Grayscale),
        ("cohorts", case.cohorts.is_some(), PolicyKind::Grayscale),
        ("package", case.package.is_some(), PolicyKind::Auditor),
        ("files", case.files.is_some(), PolicyKind::Auditor),
        ("health", case.health.is_some(), PolicyKind::Guard),
    ];
    if let Some((name, _, of)) = given.iter().find(|(_, there, of)| *there && *of != kind) {
        return Err(format!("`{name}` belongs to policies of kind {of}, and this one is of kind {kind}"));
    }
    if case.package.is_some() && case.files.is_some() {
        return Err("give either `package` or `files`".into());
    }
    case.limits.apply(kind).map_err(|error| error.detail)?;
    case.expect.as_mut().map_or(Ok(()), |expect| expect.check(kind))
}

/// A record of `wit/`: `base`, which has all members, with those that a case gives.
pub fn record<T: DeserializeOwned>(what: &str, base: Value, given: Option<&Map<String, Value>>) -> Result<T, String> {
    let mut members = base;
    for (name, value) in given.into_iter().flatten() {
        let known = members.as_object().is_some_and(|members| members.contains_key(name));
        if !known {
            return Err(format!("`{what}` has no member `{name}`"));
        }
        members[name] = value.clone();
    }
    serde_path_to_error::deserialize(members).map_err(|error| format!("at {what}.{}: {}", error.path(), error.inner()))
}
