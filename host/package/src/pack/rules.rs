//! What stays behind: what no mini-program needs at run time, and what the project's `packOptions` say.

use globset::{GlobBuilder, GlobMatcher};
use regex::Regex;

use super::{
    refuse,
    root::{PackRule, PackRules},
};
use berth_base::error::{Error, Result};

/// Files that belong to tools, by name, anywhere.
const TOOL_FILES: &[(&str, &str)] = &[
    ("project.config.json", "belongs to the developer tools"),
    ("project.private.config.json", "belongs to the developer tools, and is private"),
    ("package-lock.json", "belongs to npm"),
    ("yarn.lock", "belongs to yarn"),
    ("pnpm-lock.yaml", "belongs to pnpm"),
    ("Thumbs.db", "belongs to the file manager"),
    ("desktop.ini", "belongs to the file manager"),
];

/// Endings of files that editors leave.
const EDITOR_SUFFIXES: &[&str] = &["~", ".swp", ".swo", ".bak", ".orig", ".rej", ".tmp"];

/// The rules of one run.
pub struct Rules {
    ignore: Vec<Matcher>,
    include: Vec<Matcher>,
    source_maps: bool,
}

impl Rules {
    pub fn new(project: &PackRules, source_maps: bool) -> Result<Self> {
        let compile = |rules: &[PackRule]| rules.iter().map(Matcher::new).collect::<Result<Vec<_>>>();
        Ok(Self { ignore: compile(&project.ignore)?, include: compile(&project.include)?, source_maps })
    }

    /// Why the file or folder at `path` stays behind. What `packOptions.include` names never does.
    pub fn reason(&self, path: &str, is_folder: bool) -> Option<String> {
        if self.includes(path) {
            return None;
        }
        if let Some(rule) = self.ignore.iter().find(|rule| rule.matches(path)) {
            return Some(format!("packOptions.ignore: {}", rule.shown));
        }
        built_in(path.rsplit('/').next().unwrap_or(path), is_folder, self.source_maps).map(Into::into)
    }

    /// Whether `packOptions.include` names this path.
    pub fn includes(&self, path: &str) -> bool {
        self.include.iter().any(|rule| rule.matches(path))
    }

    /// Whether something in a folder that stays behind may be included nevertheless.
    pub fn may_include(&self) -> bool {
        !self.include.is_empty()
    }
}

fn built_in(name: &str, is_folder: bool, source_maps: bool) -> Option<&'static str> {
    if name.starts_with('.') {
        return Some("is hidden");
    }
    if is_folder {
        return (name == "node_modules").then_some("is npm's; mini-programs run from miniprogram_npm");
    }
    if name.ends_with(".map") && !source_maps {
        return Some("is a source map");
    }
    if name.ends_with(".d.ts") {
        return Some("is a type declaration, which nothing reads at run time");
    }
    if is_manual(name) {
        return Some("is documentation");
    }
    if EDITOR_SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) || (name.starts_with('#') && name.ends_with('#')) {
        return Some("is an editor's copy");
    }
    TOOL_FILES.iter().find(|(tool, _)| *tool == name).map(|(_, reason)| *reason)
}

/// `README.md` and its like, in any language: component libraries bring one for each component. Licences stay.
fn is_manual(name: &str) -> bool {
    name.ends_with(".md") && ["README", "CHANGELOG", "CONTRIBUTING"].iter().any(|start| name.starts_with(start))
}

/// One compiled rule of `packOptions`. Values are relative to the mini-program's root, with or without `/` or `./`.
struct Matcher {
    shown: String,
    test: Test,
}

enum Test {
    File(String),
    Folder(String),
    Suffix(String),
    Prefix(String),
    Regexp(Regex),
    Glob(GlobMatcher),
}

impl Matcher {
    fn new(rule: &PackRule) -> Result<Self> {
        let PackRule { kind, value } = rule;
        let path = value.trim_start_matches("./").trim_matches('/').to_owned();
        let test = match kind.as_str() {
            "file" => Test::File(path),
            "folder" => Test::Folder(path),
            "suffix" => Test::Suffix(value.clone()),
            "prefix" => Test::Prefix(value.trim_start_matches("./").trim_start_matches('/').into()),
            "regexp" => Test::Regexp(Regex::new(value).map_err(|error| wrong(rule, &error.to_string()))?),
            "glob" => Test::Glob(glob(&path).map_err(|error| wrong(rule, &error.to_string()))?),
            _ => return Err(wrong(rule, "the types are file, folder, suffix, prefix, regexp and glob")),
        };
        Ok(Self { shown: format!("{kind} {value:?}"), test })
    }

    fn matches(&self, path: &str) -> bool {
        match &self.test {
            Test::File(file) => path == file,
            Test::Folder(folder) => {
                path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            Test::Suffix(suffix) => path.ends_with(suffix),
            Test::Prefix(prefix) => path.starts_with(prefix),
            Test::Regexp(regex) => regex.is_match(path),
            Test::Glob(glob) => glob.is_match(path),
        }
    }
}

/// `*` stays within a folder, `**` does not.
fn glob(value: &str) -> Result<GlobMatcher, globset::Error> {
    Ok(GlobBuilder::new(value).literal_separator(true).build()?.compile_matcher())
}

fn wrong(rule: &PackRule, why: &str) -> Error {
    refuse("project-config", "project.config.json", format!("packOptions: {} {:?}: {why}.", rule.kind, rule.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(kind: &str, value: &str, path: &str) -> bool {
        Matcher::new(&PackRule { kind: kind.into(), value: value.into() }).expect("a rule").matches(path)
    }

    #[test]
    fn each_type_of_pack_rule_matches_as_documented() {
        for (kind, value, path, expected) in [
            ("file", "/a/b.js", "a/b.js", true),
            ("file", "b.js", "a/b.js", false),
            ("folder", "docs/", "docs/x/y.md", true),
            ("folder", "./docs", "docs", true),
            ("folder", "docs", "docs2/x", false),
            ("suffix", ".md", "a/b.md", true),
            ("prefix", "test_", "test_a.js", true),
            ("prefix", "test_", "a/test_a.js", false),
            ("regexp", "\\.(less|scss)$", "a/b.scss", true),
            ("glob", "mock/*.json", "mock/a.json", true),
            ("glob", "mock/*.json", "mock/a/b.json", false),
            ("glob", "**/*.test.js", "a/b/c.test.js", true),
        ] {
            assert_eq!(matches(kind, value, path), expected, "{kind} {value} {path}");
        }
    }

    #[test]
    fn a_wrong_pack_rule_is_named() {
        for (kind, value) in [("regex", "a"), ("regexp", "("), ("glob", "[")] {
            let error = Matcher::new(&PackRule { kind: kind.into(), value: value.into() }).err().expect("a refusal");
            assert!(error.detail.contains(kind) && error.detail.contains("packOptions"), "{error}");
        }
    }
}
