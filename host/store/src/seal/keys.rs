//! The keys that seal secrets: from settings, from a file, or made by the host itself.

use std::{
    fmt,
    io::Write,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::Seal;
use berth_base::{
    clock::Random,
    error::{Code, Error, Result},
    ids::Digest,
};

/// Name of the key file that a host makes in its data folder.
const OWN_FILE: &str = "secret.key";

/// A key of 32 bytes. It is wiped from memory when dropped, and never shown.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<[u8; 32]>);

impl SecretKey {
    /// The key with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new random key.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0u8; 32]);
        random.fill(&mut *bytes);
        Self(bytes)
    }

    /// A public name of the key: 12 hexadecimal characters of a hash, which is used for nothing else.
    pub fn id(&self) -> String {
        let named = Zeroizing::new([b"berth secret key ".as_slice(), &*self.0].concat());
        Digest::of(&named).as_str()[..12].to_owned()
    }

    /// The bytes of the key.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(*self.0))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.id())
    }
}

impl FromStr for SecretKey {
    type Err = Error;

    /// Reads the base64 of 32 bytes. The error does not repeat the text, because a key with a typing error is nearly a
    /// key.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            let rule = "a secret key is the base64 of 32 bytes. A host that is new may have one of `openssl rand -base64 32`; one \
                        with data needs the key that it had.";
            Error::parameter("secret-keys", rule)
        };
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| wrong())?);
        let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| wrong())?;
        Ok(Self::from_bytes(bytes))
    }
}

/// The keys that seal secrets in the database.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct SealConfig {
    /// Keys that seal the secrets in the database, comma separated, each the base64 of 32 bytes: the first one seals, all
    /// open. Hosts that share a database need the same ones. By default the file secret.key in the data folder, made at
    /// the first start.
    #[arg(
        long,
        env = "BERTH_SECRET_KEYS",
        value_name = "KEYS",
        value_delimiter = ',',
        hide_env_values = true,
        conflicts_with = "secret_key_file"
    )]
    pub secret_keys: Vec<SecretKey>,

    /// A file with such keys, one a line.
    #[arg(long, env = "BERTH_SECRET_KEY_FILE", value_name = "FILE")]
    pub secret_key_file: Option<PathBuf>,
}

impl SealConfig {
    /// Path of the key file that the host makes for itself; `None` when settings give other keys.
    pub fn own_file(&self, data_dir: &Path) -> Option<PathBuf> {
        (self.secret_keys.is_empty() && self.secret_key_file.is_none()).then(|| data_dir.join(OWN_FILE))
    }
}

/// Where the keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// From the settings, or from a file that the settings name.
    Given,
    /// From the file that the host has made for itself.
    OwnFile(PathBuf),
}

impl Seal {
    /// Loads the keys that the settings give, or those in the host's own file in `data_dir`, which is made if it does
    /// not exist.
    ///
    /// # Errors
    /// `invalid-field` when a key has the wrong form or there is none; `unavailable` when a file cannot be read or
    /// made.
    pub fn load(config: &SealConfig, data_dir: &Path, random: Arc<dyn Random>) -> Result<Self> {
        let own = data_dir.join(OWN_FILE);
        let (keys, source) = match (&config.secret_keys[..], &config.secret_key_file) {
            ([], Some(file)) => (read(file)?, KeySource::Given),
            ([], None) => (own_keys(&own, &*random)?, KeySource::OwnFile(own)),
            (keys, _) => (keys.to_vec(), KeySource::Given),
        };
        let none =
            || Error::parameter("secret-key-file", "the file holds no key. Write one with `openssl rand -base64 32`.");
        let (first, older) = keys.split_first().ok_or_else(none)?;
        Ok(Self::new(first, older, source, random))
    }
}

/// Why the file from which the settings have the keys gives none, as the second half of a sentence; `None` when it gives
/// some, or the keys come from the settings themselves.
pub(super) fn lost(config: &SealConfig, data_dir: &Path) -> Option<String> {
    let own = config.own_file(data_dir);
    let file = own.as_deref().or(config.secret_key_file.as_deref())?;
    let name = file.display();
    if !file.exists() {
        return Some(format!("{name} is missing"));
    }
    match read(file) {
        Ok(keys) if keys.is_empty() => Some(format!("{name} holds no key")),
        Ok(_) => None,
        Err(error) if error.code == Code::Unavailable => Some(format!("{name} cannot be read")),
        Err(_) => Some(format!("{name} holds a line that is no key")),
    }
}

fn own_keys(file: &Path, random: &dyn Random) -> Result<Vec<SecretKey>> {
    if !file.exists() {
        make(file, &SecretKey::generate(random)).map_err(|error| cannot("made", file, error))?;
    }
    read(file)
}

/// Makes the key file as a whole or not at all, readable by its owner only. If another host is first, its file stays.
fn make(file: &Path, key: &SecretKey) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(new, "{}", *key.to_base64())?;
    new.as_file().sync_all()?;
    match new.persist_noclobber(file) {
        Err(lost) if lost.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(lost) => Err(lost.error),
        Ok(_) => std::fs::File::open(folder)?.sync_all(),
    }
}

fn read(file: &Path) -> Result<Vec<SecretKey>> {
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(|error| cannot("read", file, error))?);
    text.lines().filter(|line| !line.trim().is_empty()).map(str::parse).collect()
}

fn cannot(what: &str, file: &Path, error: std::io::Error) -> Error {
    let detail = format!("The key file {} cannot be {what}: {error}.", file.display());
    Error::new(Code::Unavailable, detail)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use berth_base::clock::SystemRandom;

    #[test]
    fn i8_the_first_start_makes_a_key_file_for_its_owner_only_and_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let load = || Seal::load(&SealConfig::default(), folder.path(), Arc::new(SystemRandom)).unwrap();
        let sealed = load().seal(b"s", "a").unwrap();
        assert_eq!(load().open(&sealed, "a").unwrap(), b"s");
        let mode = std::fs::metadata(folder.path().join(OWN_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn f99_the_first_line_of_a_key_file_seals_and_all_open() {
        let folder = tempfile::tempdir().unwrap();
        let keys = [SecretKey::from_bytes([1; 32]), SecretKey::from_bytes([2; 32])];
        let file = folder.path().join("keys");
        std::fs::write(&file, format!("{}\n\n{}\n", *keys[0].to_base64(), *keys[1].to_base64())).unwrap();
        let config = SealConfig { secret_keys: vec![], secret_key_file: Some(file) };
        let seal = Seal::load(&config, folder.path(), Arc::new(SystemRandom)).unwrap();
        assert_eq!((seal.key_id(), seal.source()), (&*keys[0].id(), &KeySource::Given));
        let older = Seal::new(&keys[1], &[], KeySource::Given, Arc::new(SystemRandom)).seal(b"s", "a").unwrap();
        assert_eq!(seal.open(&older, "a").unwrap(), b"s");
        assert!(!folder.path().join(OWN_FILE).exists(), "no key is made where one is given");
    }

    #[test]
    fn i8_a_key_of_the_wrong_length_is_refused_and_not_repeated() {
        for text in ["", "c2hvcnQ=", "not base64 at all, canary"] {
            let said = text.parse::<SecretKey>().unwrap_err().to_string();
            assert!(said.contains("openssl rand") && !said.contains("canary"), "{said}");
        }
    }
}
