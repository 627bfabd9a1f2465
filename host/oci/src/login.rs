//! Who one is at a registry, as `docker login` and Kubernetes store it: `config.json` with `auths`.

use std::{collections::BTreeMap, io, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth_base::{
    error::{Error, Result},
    secret::Secret,
};
use serde::Deserialize;

/// A user name and a password or token.
pub struct Login {
    /// The user name.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// The logins of a file.
#[derive(Default, Deserialize)]
pub struct Logins {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default, rename = "credsStore")]
    store: String,
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
struct Entry {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

impl Logins {
    /// Reads a file; without one there are no logins.
    ///
    /// # Errors
    /// `invalid-field` for one that cannot be read. Nothing of what is in it is told.
    pub fn read(path: &Path) -> Result<Self> {
        let refuse = |why: String| Error::parameter("registry-auth", format!("{} {why}", path.display()));
        let text = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            read => read.map_err(|error| refuse(format!("cannot be read: {error}.")))?,
        };
        serde_json::from_slice(&text).map_err(|_| refuse("is no config.json as `docker login` writes it.".into()))
    }

    /// The login at a registry. Docker Hub's stands under an address of its own.
    pub fn at(&self, registry: &str) -> Option<Login> {
        let hub: &[&str] =
            if registry == "docker.io" { &["https://index.docker.io/v1/", "index.docker.io"] } else { &[] };
        let bare = |key: &str| {
            key.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/').to_owned()
        };
        let fits = |key: &str| bare(key) == registry || hub.contains(&key);
        self.auths.iter().find(|(key, _)| fits(key)).and_then(|(_, entry)| entry.login())
    }

    /// Whether the login may be kept by a program that this one does not ask.
    pub fn is_elsewhere(&self, registry: &str) -> bool {
        !self.store.is_empty() || self.helpers.contains_key(registry)
    }
}

impl Entry {
    fn login(&self) -> Option<Login> {
        if !self.username.is_empty() {
            return Some(Login { user: self.username.clone(), password: self.password.clone().into() });
        }
        let text = String::from_utf8(STANDARD.decode(self.auth.trim()).ok()?).ok()?;
        let (user, password) = text.split_once(':')?;
        Some(Login { user: user.into(), password: password.trim_end_matches('\0').to_owned().into() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn g22_logins_are_those_of_docker() {
        let text = r#"{"auths": {"registry.example:5000": {"auth": "YW5uOnNlOmNyZXQ="}, "https://index.docker.io/v1/":
            {"username": "bob", "password": "x"}, "empty.example": {}}, "credHelpers": {"ecr.example": "ecr-login"}}"#;
        let logins: Logins = serde_json::from_str(text).unwrap();
        let at =
            |registry: &str| logins.at(registry).map(|login| format!("{} {}", login.user, login.password.expose()));
        assert_eq!(at("registry.example:5000").unwrap(), "ann se:cret");
        assert_eq!(at("docker.io").unwrap(), "bob x");
        assert_eq!((at("empty.example"), at("registry.example")), (None, None));
        assert!(logins.is_elsewhere("ecr.example") && !logins.is_elsewhere("empty.example"));
    }

    #[test]
    fn g22_a_file_that_is_not_there_has_no_logins() {
        assert!(Logins::read(Path::new("/nowhere/config.json")).unwrap().at("a").is_none());
    }
}
