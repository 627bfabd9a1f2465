//! Encryption at rest: what the host must know in plain text later is stored sealed (I8), XChaCha20-Poly1305 under a key in
//! the data folder.

use std::{io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

use crate::{
    clock::Random,
    error::{Code, Error, Result},
};

const NONCE: usize = 24;

/// The key of this host.
pub struct Seal(XChaCha20Poly1305);

impl Seal {
    /// The key in the file `secret.key` of the data folder; makes one when there is none.
    pub fn own(data_dir: &Path, random: &dyn Random) -> Result<Self> {
        let file = data_dir.join("secret.key");
        let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file);
        if let Ok(mut made) = made {
            let mut key = [0u8; 32];
            random.fill(&mut key);
            made.write_all(&key).and_then(|()| made.sync_all()).map_err(Error::internal)?;
        }
        let key = std::fs::read(&file).map_err(Error::internal)?;
        XChaCha20Poly1305::new_from_slice(&key).map(Self).map_err(Error::internal)
    }

    /// Seals `plain`, which is about `about`: the kind and id of the row.
    pub fn seal(&self, random: &dyn Random, plain: &[u8], about: &str) -> Result<String> {
        let mut nonce = [0u8; NONCE];
        random.fill(&mut nonce);
        let sealed = self.0.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: about.as_bytes() });
        let sealed = sealed.map_err(|_| Error::internal(anyhow::anyhow!("a secret cannot be sealed")))?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Opens what [`Seal::seal`] made, with the same `about`.
    pub fn open(&self, sealed: &str, about: &str) -> Result<Vec<u8>> {
        let damaged = || Error::new(Code::Unavailable, format!("The stored secret of {about} cannot be opened."));
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok().filter(|bytes| bytes.len() > NONCE).ok_or_else(damaged)?;
        let (nonce, sealed) = bytes.split_at(NONCE);
        let nonce = XNonce::try_from(nonce).map_err(|_| damaged())?;
        self.0.decrypt(&nonce, Payload { msg: sealed, aad: about.as_bytes() }).map_err(|_| damaged())
    }
}
