//! What `berth login` stores: a token for each server, one of which is current, in a file that only its owner can read.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

use etcetera::base_strategy::{BaseStrategy, Xdg};
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::files;

/// The stored logins.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Credentials {
    /// The address of the server that commands talk to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// The logins by the address of the server.
    #[serde(default)]
    pub servers: BTreeMap<String, Login>,
}

/// A login on one server.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Login {
    pub token: String,
    /// The name of the account, for people.
    #[serde(default)]
    pub account: String,
}

impl std::fmt::Debug for Login {
    /// Does not show the token (I8).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({})", self.account)
    }
}

/// `$XDG_CONFIG_HOME/berth/credentials.json`, or the same under `~/.config`. `None` when there is no home folder.
pub(crate) fn default_path() -> Option<PathBuf> {
    Some(Xdg::new().ok()?.config_dir().join("berth/credentials.json"))
}

/// `$XDG_CACHE_HOME/berth`, or the same under `~/.cache`. `None` when there is no home folder.
pub(crate) fn default_cache() -> Option<PathBuf> {
    Some(Xdg::new().ok()?.cache_dir().join("berth"))
}

impl Credentials {
    /// Reads the stored logins; there are none when the file does not exist.
    pub fn load(path: &Path) -> Result<Self, Failure> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = files::read_text(path)?;
        serde_json::from_str(&text).map_err(|error| {
            Failure::usage(format!("{} is damaged ({error}). Remove it and log in again.", path.display()))
        })
    }

    /// Writes the file, completely or not at all, readable by its owner only.
    pub(crate) fn save(&self, path: &Path) -> Result<(), Failure> {
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

    pub fn token(&self, server: &str) -> Option<&str> {
        self.servers.get(server).map(|login| login.token.as_str())
    }
}
