//! Signed tokens. The format is that of the crate `jsonwebtoken`; the signatures are those of `ring`, which is here for TLS
//! already, in place of the libraries that the crate could bring along.

use berth_base::error::{Error, Result};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::ErrorKind,
    signature::{Error as SignatureError, Signer, Verifier},
};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, KeyPair as _,
        RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
        VerificationAlgorithm,
    },
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
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

/// A public key by which another issuer signs, as its JWKS has it.
#[derive(Clone, Debug, Deserialize)]
pub struct ForeignKey {
    kty: String,
    kid: Option<String>,
    r#use: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl ForeignKey {
    fn decoding(&self, algorithm: Algorithm) -> Option<DecodingKey> {
        match (algorithm, self.kty.as_str(), self.crv.as_deref()) {
            (Algorithm::RS256 | Algorithm::PS256, "RSA", _) => {
                DecodingKey::from_rsa_components(self.n.as_deref()?, self.e.as_deref()?).ok()
            }
            (Algorithm::ES256, "EC", Some("P-256")) => {
                DecodingKey::from_ec_components(self.x.as_deref()?, self.y.as_deref()?).ok()
            }
            (Algorithm::EdDSA, "OKP", Some("Ed25519")) => DecodingKey::from_ed_components(self.x.as_deref()?).ok(),
            _ => None,
        }
    }

    /// Whether a token whose header says this may have been signed by it.
    fn fits(&self, header: &Header) -> bool {
        let same_name = header.kid.is_none() || self.kid == header.kid;
        let same_algorithm = self.alg.as_deref().is_none_or(|alg| alg == format!("{:?}", header.alg));
        same_name && same_algorithm && self.r#use.as_deref() != Some("enc")
    }
}

/// What becomes of a token of another issuer.
#[derive(Debug, PartialEq, Eq)]
pub enum Foreign<T> {
    /// It is signed by one of the keys, and says this.
    Signed(T),
    /// None of the keys fits it: the issuer may have another one by now.
    NoKey,
    /// It is no token, forged, or signed as nobody here accepts it.
    Bad,
}

/// Reads a token that another issuer has signed. The header says which of its keys to try, and never which algorithm is good:
/// `RS256`, `PS256`, `ES256` and `EdDSA` are, each with a key of its own kind (F90). Whom it is for and until when is not looked at.
pub fn read_foreign<T: DeserializeOwned + Clone>(token: &str, keys: &[ForeignKey]) -> Foreign<T> {
    install();
    let Ok(header) = jsonwebtoken::decode_header(token) else { return Foreign::Bad };
    let mut validation = Validation::new(header.alg);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let fitting = keys.iter().filter(|key| key.fits(&header)).filter_map(|key| key.decoding(header.alg));
    let mut tried = false;
    for key in fitting {
        tried = true;
        if let Ok(read) = jsonwebtoken::decode::<T>(token, &key, &validation) {
            return Foreign::Signed(read.claims);
        }
    }
    let accepted = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];
    let is_accepted = accepted.contains(&header.alg);
    if tried || !is_accepted { Foreign::Bad } else { Foreign::NoKey }
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
                curve(&ECDSA_P256_SHA256_FIXED, Algorithm::ES256, key)
            }
            Algorithm::EdDSA if key.family() == AlgorithmFamily::Ed => curve(&ED25519, Algorithm::EdDSA, key),
            Algorithm::RS256 => rsa(&RSA_PKCS1_2048_8192_SHA256, Algorithm::RS256, key),
            Algorithm::PS256 => rsa(&RSA_PSS_2048_8192_SHA256, Algorithm::PS256, key),
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

/// Verifies by a point on an elliptic curve.
struct CurveVerifier {
    curve: &'static dyn VerificationAlgorithm,
    algorithm: Algorithm,
    key: Vec<u8>,
}

fn curve(
    curve: &'static dyn VerificationAlgorithm,
    algorithm: Algorithm,
    key: &DecodingKey,
) -> std::result::Result<Box<dyn JwtVerifier>, jsonwebtoken::errors::Error> {
    Ok(Box::new(CurveVerifier { curve, algorithm, key: key.try_get_as_bytes()?.to_vec() }))
}

impl Verifier<Vec<u8>> for CurveVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), SignatureError> {
        let key = UnparsedPublicKey::new(self.curve, &self.key);
        key.verify(message, signature).map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for CurveVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// Verifies by RSA: other issuers sign by it, this one does not.
struct RsaVerifier {
    parameters: &'static RsaParameters,
    algorithm: Algorithm,
    key: RsaPublicKeyComponents<Vec<u8>>,
}

fn rsa(
    parameters: &'static RsaParameters,
    algorithm: Algorithm,
    key: &DecodingKey,
) -> std::result::Result<Box<dyn JwtVerifier>, jsonwebtoken::errors::Error> {
    let DecodingKeyKind::RsaModulusExponent { n, e } = key.kind() else {
        return Err(ErrorKind::InvalidKeyFormat.into());
    };
    // ring takes numbers without leading zeros, which some issuers write.
    let number = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    let key = RsaPublicKeyComponents { n: number(n), e: number(e) };
    Ok(Box::new(RsaVerifier { parameters, algorithm, key }))
}

impl Verifier<Vec<u8>> for RsaVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), SignatureError> {
        self.key.verify(self.parameters, message, signature).map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for RsaVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
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

    // A key of the library jose, a token that it has signed by RS256, and one by HS256 with the modulus as the secret.
    const N: &str = "v7q38lEtPhhPofJ3-T7CBwcaLCVy70pJdJqDkmrDePuesuOuoVqLT2LhOUUZrjhXU3vU-saLzzQNURquL-84nQD21s3VI_uh2FJk\
         Rcn9vGYWFOfhspTFyR6cFyKA1Gsp9I4wBi6qrYLrR4VpbaS7uFXLkNMq9b-E15QB8UmsG6C_z9ONctixna8j2X9YXK2BTo1RYfbz\
         crqpE6Q9H4jBqfpOc3QT6Di7Q46bKCNuilcyzAtxirpSI24lWNoRzjDmAWZAzOVCPcZ7bjroofbrdcW6rgU-5c7JQZvHW6fZPQj_\
         k4yzcLFjzbSJdIW-5VgpD-ZOPygK5XemJ9z14E7NeQ";
    const SIGNED: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.eyJzdWIiOiJhbm4ifQ.bdgoQVE5wwIAMK1gOOrDoW6gqyaAntwnKHWF5eSQGFWBV\
         dJzLEl-L9L8PSZjQLlDESIxEZVA9VaRdbhB4Nkcwx2EaQpvLvhFUBHPwyS7l2YhJX2XnRo73L4VYViAOSmPAbD6nwr9Hlv33DVnx\
         jb8JYvk5QiV5xWmwfUvYlp50gIN3y6D3jAosBGzHtQ0W8s7qQ3XNvM4jXBjctV48D_B7gJuG_Cpj4AoNbAv4cjpNz2Pv8XUo3kvK\
         J5OQbC3T8m3AvvWwpvQlqorblRIPzNBBBq_HskRihxtt2jaPsMRrorNxD7tYk6XGrpP_lUyqJA1mSLq1KEjMPA3i2h9opIHkA";
    const CONFUSED: &str =
        "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.eyJzdWIiOiJhbm4ifQ.bLRT-6nmBQq-LOPKzVWM1elWr-Wq7ISXPJ8SMHW4kwA";

    #[test]
    fn u20_f90_a_token_of_another_issuer_is_read_by_a_key_of_its_own_kind_only() {
        let key = |json: Value| serde_json::from_value::<ForeignKey>(json).unwrap();
        let rsa = |kid: &str| key(json!({"kty": "RSA", "kid": kid, "n": N, "e": "AQAB"}));
        let read = |token: &str, keys: &[ForeignKey]| read_foreign::<Value>(token, keys);
        let ann = Foreign::Signed(json!({"sub": "ann"}));
        assert_eq!(read(SIGNED, &[rsa("k1")]), ann);
        assert_eq!(read(SIGNED, &[rsa("k2")]), Foreign::NoKey);
        assert_eq!(read(SIGNED, &[]), Foreign::NoKey);
        for other in [json!({"alg": "PS256"}), json!({"use": "enc"})] {
            let mut whole = json!({"kty": "RSA", "kid": "k1", "n": N, "e": "AQAB"});
            whole.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
            assert_eq!(read(SIGNED, &[key(whole)]), Foreign::NoKey);
        }
        assert_eq!(read(CONFUSED, &[rsa("k1")]), Foreign::Bad, "the modulus is no shared secret");
        let (front, _) = SIGNED.rsplit_once('.').unwrap();
        for forged in [format!("{front}."), format!("{front}.AAAA"), front.to_owned(), String::new()] {
            assert_eq!(read(&forged, &[rsa("k1")]), Foreign::Bad, "{forged}");
        }
        // By ES256, as this host signs itself.
        let pkcs8 = generate().unwrap();
        let point = public(&pkcs8).unwrap();
        let at = |from: usize| URL_SAFE_NO_PAD.encode(&point[from..from + 32]);
        let ec = key(json!({"kty": "EC", "crv": "P-256", "kid": "k1", "x": at(1), "y": at(33)}));
        let token = sign("k1", &pkcs8, &json!({"sub": "ann"})).unwrap();
        assert_eq!(read(&token, &[rsa("k1"), ec]), ann, "of two keys of one name, the one of the right kind");
        assert_eq!(read(&token, &[rsa("k1")]), Foreign::NoKey);
    }

    #[test]
    fn u20_p17_f90_a_token_by_ed25519_is_read_as_rfc_8037_signs_it() {
        // The key of appendix A.2, and the claims signed by the private half of A.1.
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let key = |x: &str| ForeignKey {
            x: Some(x.into()),
            ..serde_json::from_value(json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1"})).unwrap()
        };
        let d = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&d).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()), x);
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let front = format!("{}.{}", part(json!({"alg": "EdDSA", "kid": "k1"})), part(json!({"sub": "ann"})));
        let token = format!("{front}.{}", URL_SAFE_NO_PAD.encode(pair.sign(front.as_bytes())));
        let read = |key: ForeignKey| read_foreign::<Value>(&token, &[key]);
        assert_eq!(read(key(x)), Foreign::Signed(json!({"sub": "ann"})));
        assert_eq!(read(key(&URL_SAFE_NO_PAD.encode([7; 32]))), Foreign::Bad);
        let ec = json!({"kty": "EC", "crv": "P-256", "kid": "k1", "x": x, "y": x});
        assert_eq!(read(serde_json::from_value(ec).unwrap()), Foreign::NoKey);
    }
}
