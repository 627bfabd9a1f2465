//! Secret texts, such as passwords and tokens, that the host was given.

use std::{convert::Infallible, fmt, str::FromStr};

use zeroize::Zeroizing;

use crate::clock::Random;

/// The characters of generated secrets: none of them looks like another one.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A fresh secret of 160 random bits: the prefix, by which people and scanners recognise its kind, and 32 characters.
pub fn generate(prefix: &str, random: &dyn Random) -> String {
    let mut bytes = [0u8; 32];
    random.fill(&mut bytes);
    format!("{prefix}{}", letters(&bytes))
}

/// Random bytes as text: a character for each, which has five bits of it. Upper and lower case make no difference, so
/// that no database confuses two of them.
pub fn letters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

/// Whether `text` may be the result of [`letters`].
pub fn is_letters(text: &str) -> bool {
    text.bytes().all(|byte| ALPHABET.contains(&byte))
}

/// A secret text. It is wiped from memory when it is dropped, and `Debug` does not show it.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text in plain.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.to_owned().into())
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
