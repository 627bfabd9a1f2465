//! Signed tokens. The format is that of the crate `jsonwebtoken`; the signatures are those of `ring`, which is here for TLS
//! already, in place of the libraries that the crate could bring along.

use berth_base::error::{Error, Result};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::ErrorKind,
    signature::{Error as SignatureError, Signer, Verifier},
};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

/// A new key pair of P-256, as PKCS #8. ring takes randomness from the system alone.
pub fn generate() -> Result<Zeroizing<Vec<u8>>> {
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    let made =
        made.map_err(|_| Error::internal(anyhow::anyhow!("no key could be made: the system has no randomness")))?;
    Ok(Zeroizing::new(made.as_ref().to_vec()))
}

/// The public half of a key pair: the uncompressed point, `04`, x and y.
pub fn public(pkcs8: &[u8]) -> Result<Vec<u8>> {
    Ok(pair(pkcs8).map_err(Error::internal)?.public_key().as_ref().to_vec())
}

fn pair(pkcs8: &[u8]) -> std::result::Result<EcdsaKeyPair, jsonwebtoken::errors::Error> {
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new());
    pair.map_err(|_| ErrorKind::InvalidEcdsaKey.into())
}

/// A JWT of these claims.
pub fn sign(kid: &str, pkcs8: &[u8], claims: &impl Serialize) -> Result<String> {
    install();
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_ec_der(pkcs8)).map_err(Error::internal)
}

/// The name of the key that a JWT says it was signed with.
pub fn kid(token: &str) -> Option<String> {
    jsonwebtoken::decode_header(token).ok()?.kid
}

/// The claims of a JWT that `issuer` has signed with this key, whenever that was.
pub fn verify<T: DeserializeOwned + Clone>(token: &str, public: &[u8], issuer: &str) -> Option<T> {
    install();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.set_required_spec_claims(&["iss"]);
    validation.set_issuer(&[issuer]);
    let read = jsonwebtoken::decode::<T>(token, &DecodingKey::from_ec_der(public), &validation);
    Some(read.ok()?.claims)
}

/// Lets the crate sign by ring. It fails when that is so already.
fn install() {
    static RING: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, key| match algorithm {
            Algorithm::ES256 if key.family() == AlgorithmFamily::Ec => Ok(Box::new(EcSigner(pair(key.as_bytes())?))),
            _ => Err(ErrorKind::InvalidAlgorithm.into()),
        },
        verifier_factory: |algorithm, key| match algorithm {
            Algorithm::ES256 if key.family() == AlgorithmFamily::Ec => {
                Ok(Box::new(EcVerifier(key.try_get_as_bytes()?.to_vec())))
            }
            _ => Err(ErrorKind::InvalidAlgorithm.into()),
        },
        // What makes JWKs is not used: ours are made in `keys`.
        key_utils: KeyUtils::new_unimplemented(),
    };
    let _ = RING.install_default();
}

struct EcSigner(EcdsaKeyPair);

impl Signer<Vec<u8>> for EcSigner {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, SignatureError> {
        let signed = self.0.sign(&SystemRandom::new(), message).map_err(|_| SignatureError::new())?;
        Ok(signed.as_ref().to_vec())
    }
}

impl JwtSigner for EcSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::ES256
    }
}

struct EcVerifier(Vec<u8>);

impl Verifier<Vec<u8>> for EcVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), SignatureError> {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.0);
        key.verify(message, signature).map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for EcVerifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::ES256
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn u16_a_token_is_read_as_signed_and_no_changed_one_is() {
        let (key, other) = (generate().unwrap(), generate().unwrap());
        let claims = json!({"iss": "https://a.example", "sub": "o1", "exp": 1});
        let token = sign("k1", &key, &claims).unwrap();
        assert_eq!(kid(&token).as_deref(), Some("k1"));
        let verify = |token: &str, key: &[u8], issuer| verify::<Value>(token, &public(key).unwrap(), issuer);
        assert_eq!(verify(&token, &key, "https://a.example"), Some(claims.clone()));
        assert_eq!(verify(&token, &other, "https://a.example"), None);
        assert_eq!(verify(&token, &key, "https://b.example"), None);
        let parts: Vec<_> = token.split('.').collect();
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let forged = part(json!({"iss": "https://a.example", "sub": "o2"}));
        assert_eq!(verify(&format!("{}.{forged}.{}", parts[0], parts[2]), &key, "https://a.example"), None);
        for header in [json!({"alg": "none", "kid": "k1"}), json!({"alg": "HS256", "kid": "k1"})] {
            assert_eq!(verify(&format!("{}.{}.", part(header), parts[1]), &key, "https://a.example"), None);
        }
        for none in ["", "a.b", "a.b.c", &token[1..]] {
            assert_eq!(verify(none, &key, "https://a.example"), None, "{none}");
        }
    }
}
