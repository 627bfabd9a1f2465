//! Public keys that people trust, and whether one has signed something.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth_base::{
    error::{Error, Result},
    ids::Digest,
};
use berth_model::policy::registry::Algorithm;
use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey, VerificationAlgorithm};

/// What stands before the point in the SubjectPublicKeyInfo of a key of P-256. The point is not compressed.
const P256: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
/// What stands before the key in the SubjectPublicKeyInfo of Ed25519.
const EDWARDS: &str = "302a300506032b6570032100";

/// A public key of P-256 or Ed25519.
#[derive(Clone)]
pub struct PublicKey {
    /// How it signs.
    pub algorithm: Algorithm,
    verifies: &'static dyn VerificationAlgorithm,
    info: Vec<u8>,
    bare: Vec<u8>,
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm, self.fingerprint())
    }
}

impl PublicKey {
    /// Reads a key in PEM, as `cosign generate-key-pair` and `openssl pkey -pubout` write it.
    ///
    /// # Errors
    /// `invalid-field` for `key`. Of a private key nothing is repeated.
    pub fn read(pem: &str) -> Result<Self> {
        let refuse = |why: &str| Error::field("key", why);
        if pem.contains("PRIVATE KEY") {
            return Err(refuse(
                "is the private key, which nobody but its owner may have. Give the public one: cosign.pub.",
            ));
        }
        let body = pem
            .split_once("-----BEGIN PUBLIC KEY-----")
            .and_then(|(_, rest)| rest.split_once("-----END PUBLIC KEY-----"));
        let (body, _) =
            body.ok_or_else(|| refuse("must be a public key in PEM, which begins with -----BEGIN PUBLIC KEY-----."))?;
        let body: String = body.split_whitespace().collect();
        let info = STANDARD.decode(body).map_err(|_| refuse("is no PEM: its base64 is damaged."))?;
        Self::of(info).ok_or_else(|| {
            refuse("must be a key of P-256 (cosign generate-key-pair) or Ed25519 (openssl genpkey -algorithm ed25519).")
        })
    }

    fn of(info: Vec<u8>) -> Option<Self> {
        let [p256, edwards] = [P256, EDWARDS].map(|prefix| hex::decode(prefix).unwrap_or_default());
        let (algorithm, verifies, bare): (_, &dyn VerificationAlgorithm, _) =
            match (info.strip_prefix(&p256[..]), info.strip_prefix(&edwards[..])) {
                (Some(point), _) if point.len() == 65 && point[0] == 4 => {
                    (Algorithm::EcdsaP256, &ECDSA_P256_SHA256_ASN1, point.to_vec())
                }
                (_, Some(key)) if key.len() == 32 => (Algorithm::Ed25519, &ED25519, key.to_vec()),
                _ => return None,
            };
        Some(Self { algorithm, verifies, info, bare })
    }

    /// The SHA-256 of the key as DER, which names it.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.info)
    }

    /// The key in PEM, always written the same.
    pub fn pem(&self) -> String {
        let text = STANDARD.encode(&self.info);
        let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// Whether this key has signed the message.
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(self.verifies, &self.bare).verify(message, signature).is_ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
pub(crate) mod tests {
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
    };

    use super::*;

    fn pem(prefix: &str, bare: &[u8]) -> String {
        let info = [hex::decode(prefix).unwrap(), bare.to_vec()].concat();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(info))
    }

    /// A key of P-256 in PEM, and what signs with it.
    pub fn p256() -> (PublicKey, impl Fn(&[u8]) -> Vec<u8>) {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, made.as_ref(), &random).unwrap();
        let public = PublicKey::read(&pem(P256, pair.public_key().as_ref())).unwrap();
        (public, move |message: &[u8]| pair.sign(&random, message).unwrap().as_ref().to_vec())
    }

    fn ed25519() -> (PublicKey, impl Fn(&[u8]) -> Vec<u8>) {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(made.as_ref()).unwrap();
        let public = PublicKey::read(&pem(EDWARDS, pair.public_key().as_ref())).unwrap();
        (public, move |message: &[u8]| pair.sign(message).as_ref().to_vec())
    }

    #[test]
    fn g23_a_key_knows_what_it_has_signed() {
        let ((one, sign), (other, other_sign)) = (p256(), ed25519());
        assert_eq!((one.algorithm, other.algorithm), (Algorithm::EcdsaP256, Algorithm::Ed25519));
        assert!(one.has_signed(b"wasm", &sign(b"wasm")) && other.has_signed(b"wasm", &other_sign(b"wasm")));
        assert!(!one.has_signed(b"wasm2", &sign(b"wasm")) && !one.has_signed(b"wasm", &other_sign(b"wasm")));
        assert!(!one.has_signed(b"wasm", b"") && !other.has_signed(b"wasm", &[0; 64]));
        assert_eq!(PublicKey::read(&one.pem()).unwrap().fingerprint(), one.fingerprint());
    }

    #[test]
    fn g23_what_is_no_public_key_is_refused() {
        let cut = pem(P256, &[4; 64]);
        let compressed = pem(P256, &[2; 65]);
        for bad in
            ["", "ssh-ed25519 AAAA", "-----BEGIN PUBLIC KEY-----\n%\n-----END PUBLIC KEY-----", &cut, &compressed]
        {
            assert!(PublicKey::read(bad).is_err(), "{bad}");
        }
        let private = PublicKey::read("-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\nc2VjcmV0").unwrap_err();
        assert!(private.detail.contains("private key") && !private.detail.contains("c2VjcmV0"));
    }
}
