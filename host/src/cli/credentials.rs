//! What `berth login` stores: a token for each server, one of them current, in a file that only its owner reads.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

use etcetera::base_strategy::{BaseStrategy, Xdg};
use serde::{Deserialize, Serialize};

use super::{failure::Failure, files};

/// The stored servers.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Credentials {
    /// The server that commands talk to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// By address.
    #[serde(default)]
    pub servers: BTreeMap<String, Login>,
}

/// A login on one server.
#[derive(Clone, Deserialize, Serialize)]
pub struct Login {
    /// The secret.
    pub token: String,
    /// Whose it is, for people.
    #[serde(default)]
    pub account: String,
}

impl std::fmt::Debug for Login {
    /// Without the secret (I8).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({})", self.account)
    }
}

/// `$XDG_CONFIG_HOME/berth/credentials.json`, or the same under `~/.config`.
pub fn default_path() -> Option<PathBuf> {
    Some(Xdg::new().ok()?.config_dir().join("berth/credentials.json"))
}

impl Credentials {
    /// Reads them; none when there is no file.
    pub fn load(path: &Path) -> Result<Self, Failure> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = files::read_text(path)?;
        serde_json::from_str(&text).map_err(|error| {
            Failure::usage(format!("{} is damaged ({error}). Remove it and log in again.", path.display()))
        })
    }

    /// Writes them, whole or not at all, readable by the owner only.
    pub fn save(&self, path: &Path) -> Result<(), Failure> {
        let unwritable = |error: std::io::Error| Failure::file("write", path, &error);
        let folder = files::parent(path);
        std::fs::create_dir_all(folder).map_err(unwritable)?;
        // A temporary file is created with mode 0600 and keeps it.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        writeln!(file, "{text}").and_then(|()| file.as_file().sync_all()).map_err(unwritable)?;
        file.persist(path).map_err(|error| unwritable(error.error))?;
        Ok(())
    }

    /// The token for `server`.
    pub fn token(&self, server: &str) -> Option<&str> {
        self.servers.get(server).map(|login| login.token.as_str())
    }
}
