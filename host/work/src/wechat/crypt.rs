//! WeChat's message encryption: signed, AES-256-CBC, padded to 32 bytes. Errors have the codes of WeChat's own
//! libraries.

use std::fmt;

use aes::{
    Aes256,
    cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit},
};
use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::wechat::xml;
use berth_base::{
    clock::Millis,
    error::{Error, Result},
    secret::Secret,
};

/// Plaintexts are padded to a multiple of this many bytes, so padding has 1 to 32 bytes.
const PAD: usize = 32;
/// Bytes before the message: 16 random ones and the length.
const HEAD: usize = 16 + 4;
/// Seconds that a push may be early or late by this host's clock.
pub(crate) const TOLERANCE: i64 = 300;

/// Base64 that ignores trailing bits: the 43 characters of a key are 258 bits, and the last two are not always zero.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a message is refused. The numbers are those of WeChat's own libraries, and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptError {
    /// The signature is not that of the message.
    #[error("-40001: the signature is not that of the message")]
    Signature = -40001,
    /// The XML cannot be read.
    #[error("-40002: the XML cannot be read")]
    Xml = -40002,
    /// The message is for another app id.
    #[error("-40005: the message is for another app id")]
    AppId = -40005,
    /// The message is not a whole number of cipher blocks.
    #[error("-40007: the message cannot be decrypted")]
    Decrypt = -40007,
    /// The padding or the length of the decrypted message is impossible.
    #[error("-40008: the decrypted message has an impossible length or padding")]
    Buffer = -40008,
    /// The message is not base64.
    #[error("-40010: the message is not base64")]
    Base64 = -40010,
    /// The message was signed too long ago, or in the future. WeChat's libraries do not check this.
    #[error("-40012: the timestamp is too far from now")]
    Stale = -40012,
}

impl CryptError {
    /// WeChat's number of the error.
    pub fn code(self) -> i32 {
        self as i32
    }
}

/// The query of a push: who signed it, and when.
#[derive(Clone, Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Envelope {
    /// Seconds since the epoch, by WeChat's clock.
    pub timestamp: String,
    /// A random text, which is part of what is signed.
    pub nonce: String,
    /// SHA-1 of the token, the timestamp, the nonce and the encrypted text, in lower-case hexadecimal characters.
    pub msg_signature: String,
}

/// The keys of one receiver of encrypted messages. `Debug` does not show them.
pub struct Crypt {
    token: Secret,
    key: Zeroizing<[u8; 32]>,
    app_id: String,
}

impl fmt::Debug for Crypt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crypt").field("app_id", &self.app_id).finish_non_exhaustive()
    }
}

impl Crypt {
    /// The keys of the receiver `app_id`: its token and its EncodingAESKey.
    ///
    /// # Errors
    /// `invalid-field` when the key is not 43 characters of base64.
    pub fn new(token: Secret, encoding_aes_key: &Secret, app_id: &str) -> Result<Self> {
        let wrong = || Error::parameter("wechat-aes-key", "an EncodingAESKey is 43 letters and digits.");
        let text = Some(encoding_aes_key.expose()).filter(|text| text.len() == 43).ok_or_else(wrong)?;
        let bytes = Zeroizing::new(LENIENT.decode(text).map_err(|_| wrong())?);
        let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| wrong())?;
        Ok(Self { token, key: Zeroizing::new(key), app_id: app_id.to_owned() })
    }

    /// Reads a push: checks its signature and its time, decrypts it, and reads the XML inside.
    ///
    /// # Errors
    /// See [`CryptError`]. Nothing is decrypted before the signature is checked.
    pub fn read(&self, envelope: &Envelope, body: &str, now: Millis) -> Result<xml::Fields, CryptError> {
        let outer = xml::fields(body).map_err(|_| CryptError::Xml)?;
        let encrypted = outer.get("Encrypt").ok_or(CryptError::Xml)?;
        xml::fields(&self.open(envelope, encrypted, now)?).map_err(|_| CryptError::Xml)
    }

    /// The text in an encrypted one, such as that by which WeCom tries an address: checks its signature and its time, and decrypts
    /// it.
    ///
    /// # Errors
    /// See [`CryptError`]. Nothing is decrypted before the signature is checked.
    pub fn open(&self, envelope: &Envelope, encrypted: &str, now: Millis) -> Result<String, CryptError> {
        self.verify(envelope, encrypted)?;
        let at: i64 = envelope.timestamp.parse().map_err(|_| CryptError::Stale)?;
        if (now.0 / 1000).abs_diff(at) > TOLERANCE.unsigned_abs() {
            return Err(CryptError::Stale);
        }
        String::from_utf8(self.decrypt(encrypted)?).map_err(|_| CryptError::Xml)
    }

    /// Checks that the text was signed with the token. The comparison takes constant time.
    fn verify(&self, envelope: &Envelope, encrypted: &str) -> Result<(), CryptError> {
        let expected = self.sign(&envelope.timestamp, &envelope.nonce, encrypted);
        let same = expected.as_bytes().ct_eq(envelope.msg_signature.as_bytes());
        if same.into() { Ok(()) } else { Err(CryptError::Signature) }
    }

    /// The signature of an encrypted text, with the timestamp and the nonce of its push.
    pub fn sign(&self, timestamp: &str, nonce: &str, encrypted: &str) -> String {
        let mut parts = [self.token.expose(), timestamp, nonce, encrypted];
        parts.sort_unstable();
        hex::encode(Sha1::digest(parts.concat()))
    }

    /// The message in an encrypted text.
    fn decrypt(&self, encrypted: &str) -> Result<Vec<u8>, CryptError> {
        let mut bytes = LENIENT.decode(encrypted).map_err(|_| CryptError::Base64)?;
        let (blocks, rest) = Block::<Aes256>::slice_as_chunks_mut(&mut bytes);
        if blocks.is_empty() || !rest.is_empty() {
            return Err(CryptError::Decrypt);
        }
        cbc::Decryptor::<Aes256>::new((&*self.key).into(), (&self.iv()).into()).decrypt_blocks(blocks);
        let text = unpadded(&bytes).ok_or(CryptError::Buffer)?;
        let (head, rest) = text.split_at_checked(HEAD).ok_or(CryptError::Buffer)?;
        let length = u32::from_be_bytes(head[16..].try_into().map_err(|_| CryptError::Buffer)?);
        let (message, receiver) = rest.split_at_checked(length as usize).ok_or(CryptError::Buffer)?;
        if receiver != self.app_id.as_bytes() {
            return Err(CryptError::AppId);
        }
        Ok(message.to_vec())
    }

    /// Encrypts `message` as WeChat does, with 16 random bytes.
    pub fn encrypt(&self, random: [u8; 16], message: &[u8]) -> String {
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
        let mut bytes = [&random, &length[..], message, self.app_id.as_bytes()].concat();
        let pad = PAD - bytes.len() % PAD;
        bytes.resize(bytes.len() + pad, pad as u8);
        let (blocks, _) = Block::<Aes256>::slice_as_chunks_mut(&mut bytes);
        cbc::Encryptor::<Aes256>::new((&*self.key).into(), (&self.iv()).into()).encrypt_blocks(blocks);
        LENIENT.encode(bytes)
    }

    fn iv(&self) -> [u8; 16] {
        let mut iv = [0; 16];
        iv.copy_from_slice(&self.key[..16]);
        iv
    }
}

/// The bytes without their padding: 1 to 32 bytes, each of which is their number. `None` when the padding is wrong.
fn unpadded(bytes: &[u8]) -> Option<&[u8]> {
    let pad = usize::from(*bytes.last()?);
    let (text, padding) = bytes.split_at_checked(bytes.len().checked_sub(pad)?)?;
    let right = (1..=PAD).contains(&pad) && padding.iter().all(|byte| usize::from(*byte) == pad);
    right.then_some(text)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests;
