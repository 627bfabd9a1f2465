//! One rule of `packOptions`. Rules match files by their path from the root of the mini-program, and ignore case.

use std::cell::{Cell, RefCell};

use fancy_regex::Regex;
use serde_json::Value;

use super::pattern::{self, Glob};

/// A rule that was read.
pub(crate) struct Matcher {
    /// The place of the rule, such as `project.config.json: packOptions.ignore[0]`.
    pub place: String,
    /// The rule as it is shown to people, such as `suffix ".md"`.
    pub shown: String,
    test: Test,
    used: Cell<bool>,
    failed: RefCell<Option<String>>,
}

enum Test {
    File(String),
    Folder(String),
    Suffix(String),
    Prefix(String),
    Regexp(Box<Regex>),
    Glob(Box<Glob>),
    /// A text in place of a rule: the path of a file or of a folder, or a glob.
    Text(String, Option<Box<Glob>>),
}

impl Matcher {
    /// Reads a rule; `None` for null. The error says why it cannot be read.
    pub fn read(place: String, rule: &Value) -> Result<Option<Self>, String> {
        let (shown, test) = match rule {
            Value::Null => return Ok(None),
            Value::String(text) => (format!("{text:?}"), text_test(text)),
            rule => {
                let member = |name| rule.get(name).and_then(Value::as_str);
                let (Some(kind), Some(value)) = (member("type"), member("value")) else {
                    return Err(format!("{place} cannot be read: a rule is {{\"type\": …, \"value\": …}}."));
                };
                (format!("{kind} {value:?}"), test(kind, value))
            }
        };
        let test = test.map_err(|why| format!("{place} ({shown}) cannot be read and is not used: {why}."))?;
        Ok(Some(Self { place, shown, test, used: Cell::new(false), failed: RefCell::new(None) }))
    }

    /// Whether the rule matches the file at `path`, which must be in lower case.
    pub(crate) fn names_file(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.note(match &self.test {
            Test::File(file) => path == file,
            Test::Folder(folder) => is_within(path, folder),
            Test::Suffix(suffix) => name.ends_with(suffix),
            Test::Prefix(prefix) => name.starts_with(prefix),
            Test::Regexp(regex) => self.finds(regex, path) || self.finds(regex, &format!("/{path}")),
            Test::Glob(glob) => glob.is_match(path) || glob.is_match(&format!("/{path}")),
            Test::Text(text, glob) => {
                path == text || is_within(path, text) || glob.as_ref().is_some_and(|glob| glob.is_match(path))
            }
        })
    }

    /// Whether the rule matches the whole folder at `path`, which must be in lower case.
    pub(crate) fn names_folder(&self, path: &str) -> bool {
        self.note(match &self.test {
            Test::Folder(folder) | Test::Text(folder, _) => path == folder,
            _ => false,
        })
    }

    /// The warning about the rule after all files were seen, if any: that it took too long, or matched nothing.
    pub fn warning(&self) -> Option<String> {
        let Self { place, shown, .. } = self;
        if let Some(path) = &*self.failed.borrow() {
            return Some(format!(
                "{place} ({shown}) takes too long on {path:?}, and is not used there. Write it simpler."
            ));
        }
        (!self.used.get())
            .then(|| format!("{place} ({shown}) matches nothing that could go into the package.{}", self.hint()))
    }

    /// A hint why the rule may match nothing.
    fn hint(&self) -> &'static str {
        match &self.test {
            Test::File(path) | Test::Folder(path) if path.starts_with("./") => " Write the path without ./.",
            Test::Prefix(value) | Test::Suffix(value) if value.contains('/') => {
                " A prefix or suffix is compared with the file's own name: use a folder or a regexp."
            }
            _ => "",
        }
    }

    fn note(&self, found: bool) -> bool {
        self.used.set(self.used.get() || found);
        found
    }

    fn finds(&self, regex: &Regex, path: &str) -> bool {
        regex.is_match(path).unwrap_or_else(|_| {
            self.failed.borrow_mut().get_or_insert_with(|| path.to_owned());
            false
        })
    }
}

/// Reads the test of a rule. The vendors' tools turn values into lower case first, even those of regular expressions.
fn test(kind: &str, value: &str) -> Result<Test, String> {
    if value.is_empty() {
        return Err("it has no value".into());
    }
    let value = value.to_lowercase();
    match kind {
        "file" => Ok(Test::File(rooted(&value))),
        "folder" => Ok(Test::Folder(rooted(&value))),
        "suffix" => Ok(Test::Suffix(value)),
        "prefix" => Ok(Test::Prefix(value)),
        "regexp" => Ok(Test::Regexp(Box::new(pattern::regexp(&value)?))),
        "glob" => Ok(Test::Glob(Box::new(Glob::new(&value)?))),
        _ => Err("the types are file, folder, suffix, prefix, regexp and glob".into()),
    }
}

fn text_test(text: &str) -> Result<Test, String> {
    let text = text.to_lowercase();
    match rooted(&text) {
        path if path.is_empty() => Err("it is empty".into()),
        path => Ok(Test::Text(path, Glob::new(&text).ok().map(Box::new))),
    }
}

/// A path from the root, which may be written with a slash at either end, and with backslashes.
fn rooted(value: &str) -> String {
    let value = value.replace('\\', "/");
    let value = value.strip_prefix('/').unwrap_or(&value);
    value.strip_suffix('/').unwrap_or(value).into()
}

fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(rule: Value) -> Result<Option<Matcher>, String> {
        Matcher::read("packOptions.ignore[3]".into(), &rule)
    }

    #[test]
    fn each_type_of_rule_matches_as_the_vendors_tools_match() {
        for (kind, value, path, expected) in [
            ("file", "/a/b.js", "a/b.js", true),
            ("file", "A\\B.js", "a/b.js", true),
            ("file", "b.js", "a/b.js", false),
            ("folder", "docs/", "docs/x/y.md", true),
            ("folder", "/Docs", "docs/x", true),
            ("folder", "docs", "docs2/x", false),
            ("folder", "./docs", "docs/x", false),
            ("suffix", ".MD", "a/b.md", true),
            ("suffix", "b.md", "a/b.md", true),
            ("suffix", "a/b.md", "a/b.md", false),
            ("prefix", "test_", "a/test_a.js", true),
            ("prefix", "a/", "a/test_a.js", false),
            ("regexp", "\\.(LESS|scss)$", "a/b.scss", true),
            ("regexp", "^/a/", "a/b.scss", true),
            ("regexp", "^a/", "a/b.scss", true),
            ("glob", "/mock/*.json", "mock/a.json", true),
            ("glob", "MOCK/*.json", "mock/a.json", true),
        ] {
            let matcher = read(json!({"type": kind, "value": value})).expect("a rule").expect("a rule");
            assert_eq!(matcher.names_file(path), expected, "{kind} {value} {path}");
        }
    }

    #[test]
    fn a_plain_text_is_a_file_a_folder_or_a_glob_and_null_is_nothing() {
        for (text, path) in
            [("docs", "docs/a"), ("/docs/", "docs/a"), ("a.js", "a.js"), ("*.md", "a.md"), ("b/**", "b/c/d")]
        {
            assert!(read(json!(text)).expect("a rule").expect("a rule").names_file(path), "{text}");
        }
        assert!(read(Value::Null).expect("nothing").is_none());
    }

    #[test]
    fn a_rule_that_cannot_be_read_is_named_with_its_index() {
        for rule in [
            json!({"type": "regex", "value": "a"}),
            json!({"type": "regexp", "value": "("}),
            json!({"type": "glob", "value": "["}),
            json!({"type": "folder", "value": ""}),
            json!({"value": "a"}),
            json!(""),
            json!(7),
        ] {
            let why = read(rule.clone()).err().expect("a reason");
            assert!(why.contains("packOptions.ignore[3]") && why.contains("cannot be read"), "{rule}: {why}");
        }
    }

    #[test]
    fn a_rule_that_matches_nothing_warns() {
        let matcher = read(json!({"type": "suffix", "value": ".md"})).expect("a rule").expect("a rule");
        assert!(!matcher.names_file("a.js"));
        let warning = matcher.warning().expect("a warning");
        assert!(warning.contains("packOptions.ignore[3] (suffix \".md\") matches nothing"), "{warning}");
        assert!(matcher.names_file("a.md") && matcher.warning().is_none());
    }

    #[test]
    fn a_rule_that_takes_too_long_warns_and_matches_nothing() {
        let matcher = read(json!({"type": "regexp", "value": "^(?:(a+)\\1?)+$"})).expect("a rule").expect("a rule");
        let path = format!("{}!", "a".repeat(100));
        assert!(!matcher.names_file(&path) && matcher.warning().expect("a warning").contains("takes too long"));
    }
}
