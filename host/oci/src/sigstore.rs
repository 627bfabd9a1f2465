//! Signatures without a key of one's own, as a Sigstore makes them: a certificate names who has signed, a public log has seen it. All
//! is verified offline by <https://docs.sigstore.dev/about/security/> and the specification of clients that stands behind it.

mod crypto;

use berth_base::{
    error::{Error, Result},
    ids::Digest,
};
use berth_model::policy::registry::Identity;
use bytes::Bytes;
use sigstore_verify::{
    VerificationPolicy, Verifier,
    trust_root::{SigstoreInstance, TrustedRoot},
    types::{Artifact, Bundle, Sha256Hash},
};

/// Why a signature is not good, in words.
type Wrong = String;

/// Whose certificates name who has signed, and in which logs they must stand.
pub struct Sigstore {
    verifier: Verifier,
    policy: VerificationPolicy,
}

/// A signature with the certificate of who has made it.
#[derive(Clone, Debug)]
pub struct Certified {
    bundle: Box<Bundle>,
    of: Signed,
}

/// What such a signature is of.
#[derive(Clone, Debug)]
pub(crate) enum Signed {
    /// These bytes.
    Bytes(Bytes),
    /// A statement that names this SHA-256.
    Statement(Digest),
}

impl Certified {
    /// Reads a bundle that is about this policy.
    pub(crate) fn read(bundle: &[u8], of: Signed) -> Result<Self, Wrong> {
        let bundle = serde_json::from_slice(bundle).map_err(|error| format!("its bundle cannot be read: {error}"))?;
        Ok(Self { bundle: Box::new(bundle), of })
    }
}

impl Sigstore {
    /// The public one, as its roots were when this program was built.
    ///
    /// # Errors
    /// `internal`, if they cannot be read.
    pub fn public() -> Result<Self> {
        let root = TrustedRoot::from_embedded(SigstoreInstance::PublicGood).map_err(Error::internal)?;
        Self::of(&root).map_err(Error::internal)
    }

    /// One whose roots are these, in the form of `trusted_root.json`.
    ///
    /// # Errors
    /// `invalid-field` for `sigstore-root`.
    pub fn read(json: &str) -> Result<Self> {
        let refuse = |why: &dyn std::fmt::Display| {
            Error::parameter("sigstore-root", format!("is no trusted_root.json of a Sigstore that can be used: {why}."))
        };
        let root = TrustedRoot::from_json(json).map_err(|error| refuse(&error))?;
        if root.certificate_authorities.is_empty() {
            return Err(refuse(&"it has no certificateAuthorities"));
        }
        Self::of(&root).map_err(|error| refuse(&error))
    }

    /// Everything that the roots make verifiable is required. A Sigstore of an organisation may have no log of certificates, or
    /// time stamps in place of a log of signatures.
    fn of(root: &TrustedRoot) -> sigstore_verify::Result<Self> {
        crypto::install();
        let mut policy = VerificationPolicy::any_identity();
        if root.ctlogs.is_empty() {
            policy = policy.skip_sct();
        }
        if root.tlogs.is_empty() {
            policy = policy.skip_tlog_unsafe();
        }
        Ok(Self { verifier: Verifier::new(root)?, policy })
    }

    /// Who has made this signature.
    ///
    /// # Errors
    /// Why it is not good, in words.
    pub fn signer(&self, certified: &Certified) -> Result<Identity, Wrong> {
        let verify = |artifact: Artifact<'_>| self.verifier.verify(artifact, &certified.bundle, &self.policy);
        let verified = match &certified.of {
            Signed::Bytes(wasm) => crypto::verifying(wasm, || verify(Artifact::from_blob(wasm))),
            Signed::Statement(digest) => {
                let digest = Sha256Hash::from_hex(digest.as_str()).map_err(|error| error.to_string())?;
                verify(Artifact::from_digest(digest))
            }
        };
        let verified = verified.map_err(|error| format!("its certificate proves nothing: {error}"))?;
        match (verified.issuer(), verified.identity()) {
            (Some(issuer), Some(subject)) => Ok(Identity { issuer: issuer.into(), subject: subject.to_string() }),
            _ => Err("its certificate names nobody".into()),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A signature of a package, which the public Sigstore has certified for a workflow of prefix-dev/sigstore-example at GitHub, with
    /// the promise of its log and a time stamp.
    const BUNDLE: &[u8] = include_bytes!("sigstore/public.sigstore.json");
    const PACKAGE: &str = "54303491a8418fbed24344b513546182c29b43bf282ceb433af65e2299f9271f";
    const ISSUER: &str = "https://token.actions.githubusercontent.com";
    const SUBJECT: &str =
        "https://github.com/prefix-dev/sigstore-example/.github/workflows/action.yaml@refs/heads/main";

    fn signer(bundle: &[u8], digest: &Digest) -> Result<Identity, Wrong> {
        Sigstore::public().unwrap().signer(&Certified::read(bundle, Signed::Statement(digest.clone()))?)
    }

    #[test]
    fn g23_what_the_public_sigstore_has_certified_tells_who_signed() {
        let signer = signer(BUNDLE, &PACKAGE.parse().unwrap()).unwrap();
        assert_eq!((signer.issuer.as_str(), signer.subject.as_str()), (ISSUER, SUBJECT));
    }

    #[test]
    fn g23_a_bundle_that_was_tampered_with_tells_nobody() {
        assert!(signer(BUNDLE, &Digest::of(b"another package")).is_err());
        let changes: [(&str, Value); 5] = [
            ("/verificationMaterial/tlogEntries", json!([])),
            ("/verificationMaterial/tlogEntries/0/inclusionProof/hashes", json!([])),
            ("/verificationMaterial/tlogEntries/0/integratedTime", json!("1756728840")),
            ("/dsseEnvelope/signatures/0/sig", json!("MEUCIQ==")),
            ("/dsseEnvelope/payload", json!("e30=")),
        ];
        for (place, value) in changes {
            let mut bundle: Value = serde_json::from_slice(BUNDLE).unwrap();
            *bundle.pointer_mut(place).unwrap() = value;
            assert!(signer(bundle.to_string().as_bytes(), &PACKAGE.parse().unwrap()).is_err(), "{place}");
        }
    }

    #[test]
    fn g23_roots_that_certify_nothing_are_refused() {
        for bad in ["", "{}", r#"{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#] {
            let refused = Sigstore::read(bad).err().unwrap();
            assert!(refused.detail.contains("sigstore-root"), "{}", refused.detail);
        }
    }
}
