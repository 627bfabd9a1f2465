//! Encryption at rest: secrets that the host needs in plain text later, such as tokens and signing secrets, are stored
//! sealed (I8).
//!
//! A sealed text is `v1.{key id}.{base64url of nonce and ciphertext}`, encrypted with XChaCha20-Poly1305. What it is
//! about (such as `webhook:wh_…`) is associated data, so that a text that was moved to another row cannot be opened.

pub mod keys;
pub mod rotate;

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

pub use berth_base::secret::Secret;
pub use keys::{KeySource, SealConfig, SecretKey};
pub use rotate::{Inspection, Rotation, inspect, require_keys, rotate};

use berth_base::{
    clock::Random,
    error::{Code, Error, Result},
};

const FORMAT: &str = "v1";
/// Length of a nonce in bytes, enough for random nonces never to repeat.
const NONCE: usize = 24;

/// The keys of this host. The first one seals, and all of them open.
pub struct Seal {
    first: Key,
    older: Vec<Key>,
    source: KeySource,
    random: Arc<dyn Random>,
}

struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
}

impl Key {
    fn new(secret: &SecretKey) -> Self {
        Self { id: secret.id(), cipher: XChaCha20Poly1305::new(secret.bytes().into()) }
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let older: Vec<_> = self.older.iter().map(|key| &key.id).collect();
        f.debug_struct("Seal").field("first", &self.first.id).field("older", &older).finish_non_exhaustive()
    }
}

impl Seal {
    /// Seals with the key `first`; opens with it and with the `older` ones.
    pub fn new(first: &SecretKey, older: &[SecretKey], source: KeySource, random: Arc<dyn Random>) -> Self {
        Self { first: Key::new(first), older: older.iter().map(Key::new).collect(), source, random }
    }

    /// Seals with a random key that is not kept, for a database whose keys are not loaded yet.
    pub fn passing(random: Arc<dyn Random>) -> Self {
        Self::new(&SecretKey::generate(&*random), &[], KeySource::Given, random)
    }

    /// Where the keys come from.
    pub fn source(&self) -> &KeySource {
        &self.source
    }

    /// The public name of the key that seals.
    pub fn key_id(&self) -> &str {
        &self.first.id
    }

    /// Seals `plain`. `about` says which row the secret belongs to, as kind and id, such as `webhook:wh_…`.
    ///
    /// # Errors
    /// `internal` when the cipher cannot encrypt it, which happens only to texts beyond 256 GiB.
    pub fn seal(&self, plain: &[u8], about: &str) -> Result<String> {
        let mut nonce = [0u8; NONCE];
        self.random.fill(&mut nonce);
        let payload = Payload { msg: plain, aad: about.as_bytes() };
        let sealed = self.first.cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| Error::internal(anyhow::anyhow!("the secret of {about} cannot be sealed")))?;
        Ok(format!("{FORMAT}.{}.{}", self.first.id, URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat())))
    }

    /// Opens a text that [`Seal::seal`] has made with the same `about`.
    ///
    /// # Errors
    /// `secret-sealed` when this host does not have the key, or the text was changed or moved.
    pub fn open(&self, sealed: &str, about: &str) -> Result<Vec<u8>> {
        let (id, body) = parts(sealed).ok_or_else(|| unopenable(about, "it has not the form of a sealed secret"))?;
        let key = self.keys().find(|key| key.id == id).ok_or_else(|| {
            unopenable(about, &format!("it was sealed with the key {id}, which this host does not have"))
        })?;
        let bytes = URL_SAFE_NO_PAD.decode(body).ok().filter(|bytes| bytes.len() > NONCE);
        let bytes = bytes.ok_or_else(|| unopenable(about, "it is damaged"))?;
        let (nonce, sealed) = bytes.split_at(NONCE);
        let nonce = XNonce::try_from(nonce).map_err(Error::internal)?;
        let opened = key.cipher.decrypt(&nonce, Payload { msg: sealed, aad: about.as_bytes() });
        opened.map_err(|_| unopenable(about, "it was changed, or it belongs to something else"))
    }

    /// Like [`Seal::open`], for secrets that are text.
    ///
    /// # Errors
    /// As for [`Seal::open`].
    pub fn open_text(&self, sealed: &str, about: &str) -> Result<String> {
        String::from_utf8(self.open(sealed, about)?).map_err(|_| unopenable(about, "it is not text"))
    }

    /// Whether the text was sealed with the first key, so that rotation has nothing to do.
    fn is_current(&self, sealed: &str) -> bool {
        parts(sealed).is_some_and(|(id, _)| id == self.first.id)
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.first).chain(&self.older)
    }
}

/// The key id and the body of a sealed text.
fn parts(sealed: &str) -> Option<(&str, &str)> {
    sealed.strip_prefix(FORMAT)?.strip_prefix('.')?.split_once('.')
}

fn unopenable(about: &str, why: &str) -> Error {
    let advice =
        "Give the host all keys that it ever had, by --secret-keys or --secret-key-file; `berth doctor` checks.";
    Error::new(Code::SecretSealed, format!("The stored secret of {about} cannot be opened: {why}. {advice}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use berth_base::clock::SystemRandom;

    fn key(byte: u8) -> SecretKey {
        SecretKey::from_bytes([byte; 32])
    }

    fn seal(first: u8, older: &[u8]) -> Seal {
        let older: Vec<_> = older.iter().copied().map(key).collect();
        Seal::new(&key(first), &older, KeySource::Given, Arc::new(SystemRandom))
    }

    #[test]
    fn i8_what_is_sealed_opens_and_does_not_show() {
        let (seal, plain) = (seal(1, &[]), b"whsec_canary");
        let sealed = seal.seal(plain, "webhook:1").unwrap();
        assert!(sealed.starts_with(&format!("v1.{}.", seal.key_id())) && !sealed.contains("canary"));
        assert_eq!(seal.open(&sealed, "webhook:1").unwrap(), plain);
        assert_ne!(sealed, seal.seal(plain, "webhook:1").unwrap(), "a nonce is used once");
    }

    #[test]
    fn i8_a_sealed_text_opens_in_its_own_row_only() {
        let seal = seal(1, &[]);
        let sealed = seal.seal(b"s", "webhook:1").unwrap();
        assert_eq!(seal.open(&sealed, "webhook:2").unwrap_err().code, Code::SecretSealed);
    }

    #[test]
    fn i8_no_changed_bit_goes_unnoticed() {
        let seal = seal(1, &[]);
        let sealed = seal.seal(b"secret", "a").unwrap();
        let body = sealed.rfind('.').unwrap() + 1;
        for at in body..sealed.len() {
            let mut bent = sealed.clone().into_bytes();
            bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
            assert!(seal.open(&String::from_utf8(bent).unwrap(), "a").is_err(), "character {at}");
        }
        for cut in [0, 2, 3, body, body + 10, sealed.len() - 1] {
            assert!(seal.open(&sealed[..cut], "a").is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn f99_older_keys_open_and_the_first_one_seals() {
        let old = seal(1, &[]).seal(b"s", "a").unwrap();
        let rotated = seal(2, &[1]);
        assert_eq!(rotated.open(&old, "a").unwrap(), b"s");
        assert!(!rotated.is_current(&old));
        let new = rotated.seal(b"s", "a").unwrap();
        assert!(rotated.is_current(&new));
        let said = seal(1, &[]).open(&new, "a").unwrap_err().detail;
        assert!(said.contains(rotated.key_id()) && said.contains("--secret-keys"), "{said}");
    }

    #[test]
    fn i8_keys_do_not_show_in_debug() {
        let shown = format!("{:?} {:?}", seal(7, &[8]), key(7));
        assert!(!shown.contains("7, 7") && !shown.contains(&*key(7).to_base64()), "{shown}");
    }
}
