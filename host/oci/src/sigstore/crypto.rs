//! What the library that verifies needs of cryptography, by the one that the host has already.

use std::cell::RefCell;

use bytes::Bytes;
use ring::{
    digest::{self, Context, SHA256, SHA384, SHA512},
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519,
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
        RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
    },
};
use sigstore_verify::{
    crypto::{CryptoProvider, Error, HashContext, Result, SigningScheme, install_default_provider},
    types::HashAlgorithm,
};

/// Lets the library verify by `ring`, once and for all.
pub(super) fn install() {
    // Fails only when it is installed already.
    let _ = install_default_provider(&Ring);
}

thread_local! {
    /// What the signature is of that this thread verifies.
    static MESSAGE: RefCell<Option<Bytes>> = const { RefCell::new(None) };
}

/// Verifies a signature of this message. The library asks by its digest, and `ring` verifies whole messages alone.
pub(super) fn verifying<T>(message: &Bytes, verify: impl FnOnce() -> T) -> T {
    MESSAGE.set(Some(message.clone()));
    let verified = verify();
    MESSAGE.set(None);
    verified
}

#[derive(Debug)]
struct Ring;

struct Hashing(Context);

impl HashContext for Hashing {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self: Box<Self>) -> Vec<u8> {
        self.0.finish().as_ref().to_vec()
    }
}

impl CryptoProvider for Ring {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>> {
        Ok(Box::new(Hashing(Context::new(hashing(algorithm)?))))
    }

    fn verify_raw(&self, scheme: SigningScheme, key: &[u8], data: &[u8], signature: &[u8]) -> Result<()> {
        let verified = UnparsedPublicKey::new(algorithm(scheme)?, key).verify(data, signature);
        verified.map_err(|_| Error::Verification(format!("the signature by {} is wrong", scheme.name())))
    }

    /// Verifies the message that is at hand, if this is its digest.
    fn verify_prehashed(&self, scheme: SigningScheme, key: &[u8], digest: &[u8], signature: &[u8]) -> Result<()> {
        let unknown = || Error::UnsupportedAlgorithm(format!("{} of a digest", scheme.name()));
        let hashing = hashing(scheme.hash_algorithm().ok_or_else(unknown)?)?;
        let message = MESSAGE.with_borrow(Clone::clone).ok_or_else(unknown)?;
        if digest::digest(hashing, &message).as_ref() != digest {
            return Err(unknown());
        }
        self.verify_raw(scheme, key, &message, signature)
    }
}

fn hashing(algorithm: HashAlgorithm) -> Result<&'static digest::Algorithm> {
    Ok(match algorithm {
        HashAlgorithm::Sha2256 => &SHA256,
        HashAlgorithm::Sha2384 => &SHA384,
        HashAlgorithm::Sha2512 => &SHA512,
        other => return Err(Error::UnsupportedAlgorithm(other.to_string())),
    })
}

fn algorithm(scheme: SigningScheme) -> Result<&'static dyn VerificationAlgorithm> {
    Ok(match scheme {
        SigningScheme::EcdsaP256Sha256 => &ECDSA_P256_SHA256_ASN1,
        SigningScheme::EcdsaP256Sha384 => &ECDSA_P256_SHA384_ASN1,
        SigningScheme::EcdsaP384Sha256 => &ECDSA_P384_SHA256_ASN1,
        SigningScheme::EcdsaP384Sha384 => &ECDSA_P384_SHA384_ASN1,
        SigningScheme::Ed25519 => &ED25519,
        SigningScheme::RsaPssSha256 => &RSA_PSS_2048_8192_SHA256,
        SigningScheme::RsaPssSha384 => &RSA_PSS_2048_8192_SHA384,
        SigningScheme::RsaPssSha512 => &RSA_PSS_2048_8192_SHA512,
        SigningScheme::RsaPkcs1Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        SigningScheme::RsaPkcs1Sha384 => &RSA_PKCS1_2048_8192_SHA384,
        SigningScheme::RsaPkcs1Sha512 => &RSA_PKCS1_2048_8192_SHA512,
        other => return Err(Error::UnsupportedAlgorithm(other.name().into())),
    })
}
