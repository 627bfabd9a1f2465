//! What the folder of a policy says of it and of who has made it, where each language says that: `Cargo.toml`, `package.json` or
//! `pyproject.toml`.

use std::{fmt, path::Path, process::Command};

use berth_model::policy::PolicyMetadata;
use reqwest::Url;
use serde_json::Value;

use crate::{failure::Failure, files};

/// What a folder says, and what of it is of no use, in words.
#[derive(Debug, Default, PartialEq)]
pub struct Told {
    pub metadata: PolicyMetadata,
    pub left_out: Vec<String>,
}

/// What a folder says whose own program builds the policy; nothing when it has no file of those.
pub fn of_folder(dir: &Path) -> Result<Told, Failure> {
    let is_there = |name: &str| dir.join(name).is_file();
    if is_there("package.json") {
        return Ok(of_npm(&files::read_json(&dir.join("package.json"))?));
    }
    if is_there("pyproject.toml") {
        let path = dir.join("pyproject.toml");
        let read = toml::from_str(&files::read_text(&path)?);
        let project = read.map_err(|error| Failure::usage(format!("{} is not TOML: {error}", path.display())))?;
        return Ok(of_python(&project));
    }
    if is_there("Cargo.toml") { of_crate(dir) } else { Ok(Told::default()) }
}

/// What a crate says. Cargo is asked, as a crate may take it from its workspace.
pub fn of_crate(dir: &Path) -> Result<Told, Failure> {
    let manifest = dir.join("Cargo.toml");
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]).arg(&manifest);
    let output = cargo.output().map_err(|error| Failure::file("ask cargo about", &manifest, &error))?;
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let own = manifest.canonicalize().map_err(|error| Failure::file("read", &manifest, &error))?;
    let is_own = |package: &&Value| package["manifest_path"].as_str().map(Path::new) == Some(&own);
    Ok(told["packages"].as_array().into_iter().flatten().find(is_own).map(of_cargo).unwrap_or_default())
}

fn of_cargo(package: &Value) -> Told {
    let mut told = Told::default();
    told.say("authors", "Cargo.toml", people(&[&package["authors"]]));
    told.say("description", "Cargo.toml", text(&package["description"]));
    told.licence("Cargo.toml", text(&package["license"]));
    told.address("source", "Cargo.toml", text(&package["repository"]));
    told.address("homepage", "Cargo.toml", text(&package["homepage"]));
    told.say("version", "Cargo.toml", text(&package["version"]));
    told
}

fn of_npm(package: &Value) -> Told {
    let mut told = Told::default();
    told.say("authors", "package.json", people(&[&package["author"], &package["contributors"]]));
    told.say("description", "package.json", text(&package["description"]));
    told.licence("package.json", text(&package["license"]));
    let repository = text(&package["repository"]).or_else(|| text(&package["repository"]["url"]));
    told.address("source", "package.json", repository.map(written_out));
    told.address("homepage", "package.json", text(&package["homepage"]));
    told.say("version", "package.json", text(&package["version"]));
    told
}

fn of_python(manifest: &Value) -> Told {
    let (mut told, project) = (Told::default(), &manifest["project"]);
    let url = |names: &[&str]| {
        let wanted = |(label, _): &(&String, &Value)| names.contains(&plain(label).as_str());
        project["urls"].as_object()?.iter().find(wanted).and_then(|(_, url)| text(url))
    };
    told.say("authors", "pyproject.toml", people(&[&project["authors"]]));
    told.say("description", "pyproject.toml", text(&project["description"]));
    told.licence("pyproject.toml", text(&project["license"]).or_else(|| text(&project["license"]["text"])));
    told.address("source", "pyproject.toml", url(&["source", "repository", "sourcecode", "github"]));
    told.address("homepage", "pyproject.toml", url(&["homepage"]));
    told.say("version", "pyproject.toml", text(&project["version"]));
    told
}

impl Told {
    fn say(&mut self, section: &str, file: &str, said: Option<String>) {
        let Some(said) = said else { return };
        self.metadata.take(section, said.as_bytes());
        if !self.metadata.sections().any(|(name, _)| name == section) {
            self.leave_out(file, format_args!("what it says under {section} is too long"));
        }
    }

    /// A licence that is none of SPDX would make other tools refuse the whole file.
    fn licence(&mut self, file: &str, said: Option<String>) {
        match said {
            Some(said) if !is_expression(&said) => {
                let why = format_args!("the licence {said:?} is no expression of SPDX, such as \"MIT OR Apache-2.0\"");
                self.leave_out(file, why);
            }
            said => self.say("licenses", file, said),
        }
    }

    fn address(&mut self, section: &str, file: &str, said: Option<String>) {
        let is_of_web = |url: &Url| ["https", "http"].contains(&url.scheme());
        match said {
            Some(said) if !Url::parse(&said).is_ok_and(|url| is_of_web(&url)) => {
                self.leave_out(
                    file,
                    format_args!("the {section} {said:?} is no address, such as https://git.example/coffee"),
                );
            }
            said => self.say(section, file, said),
        }
    }

    fn leave_out(&mut self, file: &str, why: fmt::Arguments<'_>) {
        self.left_out.push(format!("{file}: {why}. It is left out of the policy."));
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// People as languages name them: a text, a name with an address, or a list of either.
fn people(named: &[&Value]) -> Option<String> {
    let each = named.iter().flat_map(|one| one.as_array().map_or(std::slice::from_ref(*one), Vec::as_slice));
    let names: Vec<_> = each.filter_map(person).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn person(person: &Value) -> Option<String> {
    match (text(person), text(&person["name"]), text(&person["email"])) {
        (Some(text), ..) => Some(text),
        (_, Some(name), Some(email)) => Some(format!("{name} <{email}>")),
        (_, name, email) => name.or(email),
    }
}

/// Whether a licence has the form of an expression of SPDX: ids that AND, OR, WITH and brackets join. npm's `UNLICENSED` is none.
fn is_expression(licence: &str) -> bool {
    let spaced = licence.replace('(', " ( ").replace(')', " ) ");
    let (mut depth, mut wants_id) = (0, true);
    for word in spaced.split_whitespace() {
        match (word, wants_id) {
            ("(", true) => depth += 1,
            (")", false) if depth > 0 => depth -= 1,
            ("AND" | "OR" | "WITH", false) => wants_id = true,
            (id, true) if is_id(id) => wants_id = false,
            _ => return false,
        }
    }
    depth == 0 && !wants_id
}

fn is_id(word: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-.+:".contains(c);
    word.chars().all(fits) && !["AND", "OR", "WITH", "UNLICENSED"].contains(&word)
}

/// The address that npm's short forms stand for: `coffee/no-eval`, `github:coffee/no-eval`, `git+https://…`.
fn written_out(repository: String) -> String {
    const HOSTS: [(&str, &str); 3] = [
        ("github:", "https://github.com/"),
        ("gitlab:", "https://gitlab.com/"),
        ("bitbucket:", "https://bitbucket.org/"),
    ];
    if let Some(address) = repository.strip_prefix("git+") {
        return address.to_owned();
    }
    let short = HOSTS.iter().find_map(|(short, host)| Some(format!("{host}{}", repository.strip_prefix(short)?)));
    let is_bare = !repository.contains(':') && repository.split('/').count() == 2;
    short.unwrap_or_else(|| if is_bare { format!("https://github.com/{repository}") } else { repository })
}

/// A label of an address as Python compares them.
fn plain(label: &str) -> String {
    label.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ours() -> PolicyMetadata {
        PolicyMetadata {
            authors: Some("Ann <ann@example.com>, Bob".into()),
            description: Some("Finds eval.".into()),
            licenses: Some("MIT OR Apache-2.0".into()),
            source: Some("https://github.com/coffee/no-eval".into()),
            homepage: Some("https://coffee.example/".into()),
            revision: None,
            version: Some("0.1.0".into()),
        }
    }

    #[test]
    fn g27_each_language_says_it_where_it_always_does() {
        let cargo = json!({
            "authors": ["Ann <ann@example.com>", "Bob"], "description": "Finds eval.", "license": "MIT OR Apache-2.0",
            "repository": "https://github.com/coffee/no-eval", "homepage": "https://coffee.example/", "version": "0.1.0",
        });
        assert_eq!(of_cargo(&cargo), Told { metadata: ours(), left_out: Vec::new() });
        let npm = json!({
            "author": {"name": "Ann", "email": "ann@example.com"}, "contributors": ["Bob"], "description": "Finds eval.",
            "license": "MIT OR Apache-2.0", "repository": "github:coffee/no-eval", "homepage": "https://coffee.example/",
            "version": "0.1.0",
        });
        assert_eq!(of_npm(&npm), Told { metadata: ours(), left_out: Vec::new() });
        let python = r#"
            [project]
            name = "no-eval"
            version = "0.1.0"
            description = "Finds eval."
            license = "MIT OR Apache-2.0"
            authors = [{name = "Ann", email = "ann@example.com"}, {name = "Bob"}]
            [project.urls]
            "Source Code" = "https://github.com/coffee/no-eval"
            Homepage = "https://coffee.example/"
        "#;
        assert_eq!(of_python(&toml::from_str(python).expect("TOML")), Told { metadata: ours(), left_out: Vec::new() });
    }

    #[test]
    fn g27_npms_forms_of_a_repository_are_addresses() {
        let source = |repository: Value| of_npm(&json!({"repository": repository})).metadata.source;
        let github = Some("https://github.com/coffee/no-eval".to_owned());
        assert_eq!(source(json!("coffee/no-eval")), github);
        assert_eq!(source(json!({"type": "git", "url": "git+https://github.com/coffee/no-eval"})), github);
        assert_eq!(source(json!("gitlab:coffee/no-eval")).as_deref(), Some("https://gitlab.com/coffee/no-eval"));
        assert_eq!(source(json!("git@github.com:coffee/no-eval.git")), None);
    }

    #[test]
    fn g27_a_licence_is_an_expression_of_spdx() {
        for good in [
            "MIT",
            "Apache-2.0 OR MIT",
            "(MIT AND BSD-3-Clause) OR GPL-2.0+",
            "GPL-2.0 WITH Classpath-exception-2.0",
            "LicenseRef-own",
        ] {
            assert!(is_expression(good), "{good}");
        }
        for bad in [
            "",
            "UNLICENSED",
            "MIT OR",
            "OR MIT",
            "MIT Apache-2.0",
            "(MIT",
            "MIT)",
            "()",
            "MIT/Apache-2.0",
            "See LICENSE",
        ] {
            assert!(!is_expression(bad), "{bad}");
        }
    }

    #[test]
    fn g27_what_other_tools_would_choke_on_is_left_out_and_told() {
        let told = of_npm(&json!({
            "license": "SEE LICENSE IN terms.md", "homepage": "coffee", "author": "x".repeat(1_001), "description": " ",
        }));
        assert_eq!(told.metadata, PolicyMetadata::default());
        let [authors, licence, homepage] = &told.left_out[..] else { unreachable!("three: {told:?}") };
        assert!(authors.contains("under authors is too long"), "{authors}");
        assert!(
            licence.contains("package.json: the licence \"SEE LICENSE IN terms.md\" is no expression of SPDX"),
            "{licence}"
        );
        assert!(homepage.contains("the homepage \"coffee\" is no address"), "{homepage}");
        assert_eq!(of_python(&json!({})), Told::default());
    }
}
