//! Decides what is left out of a package: what no mini-program needs at run time, what runs on a server, and what the
//! project's `packOptions` say.

use super::{matcher::Matcher, npm::Npm, project::Config};

/// Files of tools that are left out wherever they are, by name, with the reason.
const TOOL_FILES: &[(&str, &str)] = &[
    ("berth.json", "says how the package is called"),
    ("project.config.json", "belongs to the developer tools"),
    ("project.private.config.json", "belongs to the developer tools, and is private"),
    ("mini.project.json", "belongs to the developer tools"),
    ("project.swan.json", "belongs to the developer tools"),
    ("package-lock.json", "belongs to npm"),
    ("yarn.lock", "belongs to yarn"),
    ("pnpm-lock.yaml", "belongs to pnpm"),
    ("Thumbs.db", "belongs to the file manager"),
    ("desktop.ini", "belongs to the file manager"),
];

/// Folders that no rule can include.
const REPOSITORIES: &[&str] = &[".git", ".svn", ".hg"];

/// Endings of the copies that editors make.
const EDITOR_SUFFIXES: &[&str] = &["~", ".swp", ".swo", ".bak", ".orig", ".rej", ".tmp"];

/// The rules for packing one project.
pub struct Rules {
    pub ignore: Vec<Matcher>,
    pub include: Vec<Matcher>,
    /// Folders below the root whose content runs on a server, in lower case, with the reason why they are left out.
    pub server: Vec<(String, String)>,
    pub npm: Npm,
    pub source_maps: bool,
}

/// What happens to a folder.
pub enum Folder {
    In,
    /// Its content is left out, except what `packOptions.include` names.
    Behind(String),
    /// It is left out, whatever the rules say.
    Shut(String),
}

impl Rules {
    /// Reads the rules of `packOptions`. Rules that cannot be read become warnings.
    pub fn read(config: Option<&Config>, source_maps: bool) -> (Self, Vec<String>) {
        let mut warnings = Vec::new();
        let mut list = |name| config.map(|config| config.rules(name, &mut warnings)).unwrap_or_default();
        let (ignore, include) = (list("ignore"), list("include"));
        (Self { ignore, include, server: Vec::new(), npm: Npm::LeftOut, source_maps }, warnings)
    }

    /// What happens to the folder at `path`.
    pub fn folder(&self, path: &str) -> Folder {
        let lower = path.to_lowercase();
        // All are asked, so that each knows whether it ever matched.
        let ignored = self.ignore.iter().filter(|rule| rule.names_folder(&lower)).map(reason).collect::<Vec<_>>();
        for rule in &self.include {
            rule.names_folder(&lower);
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        if let Some((_, reason)) = self.server.iter().find(|(folder, _)| *folder == lower) {
            return Folder::Shut(reason.clone());
        }
        if let Some(reason) = self.npm.reason(path) {
            return Folder::Shut(ignored.into_iter().next().unwrap_or(reason));
        }
        match ignored.into_iter().next() {
            Some(reason) => Folder::Behind(reason),
            None if REPOSITORIES.contains(&name) => Folder::Shut("is hidden".into()),
            None if name.starts_with('.') && self.include.is_empty() => Folder::Shut("is hidden".into()),
            None if name.starts_with('.') => Folder::Behind("is hidden".into()),
            None => Folder::In,
        }
    }

    /// Why the file at `path` is left out; `None` when it is packed. `behind` is the reason when its folder is left
    /// out.
    pub fn file(&self, path: &str, behind: Option<&str>) -> Option<String> {
        let lower = path.to_lowercase();
        let ignored = self.ignore.iter().filter(|rule| rule.names_file(&lower)).map(reason).collect::<Vec<_>>();
        if self.include.iter().filter(|rule| rule.names_file(&lower)).count() > 0 {
            return None;
        }
        let built_in = || built_in(path.rsplit('/').next().unwrap_or(path), self.source_maps).map(Into::into);
        behind.map(Into::into).or_else(|| ignored.into_iter().next()).or_else(built_in)
    }

    /// The warnings about rules after all files were seen.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.ignore.iter().chain(&self.include).filter_map(Matcher::warning)
    }
}

fn reason(rule: &Matcher) -> String {
    format!("packOptions.ignore: {}", rule.shown)
}

fn built_in(name: &str, source_maps: bool) -> Option<&'static str> {
    if name.starts_with('.') {
        return Some("is hidden");
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
    // `berth pack .` puts it beside the files that it packs.
    if name.ends_with(".apkg") {
        return Some("is a package itself");
    }
    if EDITOR_SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) || (name.starts_with('#') && name.ends_with('#')) {
        return Some("is an editor's copy");
    }
    TOOL_FILES.iter().find(|(tool, _)| *tool == name).map(|(_, reason)| *reason)
}

/// Whether the file is a `README.md` or the like, in any language, which component libraries have for each component.
/// Licences are packed.
fn is_manual(name: &str) -> bool {
    name.ends_with(".md") && ["README", "CHANGELOG", "CONTRIBUTING"].iter().any(|start| name.starts_with(start))
}
