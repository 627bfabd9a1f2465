//! What is signed when a policy is: its bytes, or a statement that names the artefact. Everything that tools write comes down to a
//! [`Proof`] that is about this policy and nothing else: a message and a signature of it, whose key is sought afterwards, or a signature
//! with the certificate of who has made it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use berth_base::ids::Digest;

use crate::sigstore::{Certified, Signed};

/// What a statement says that it is when cosign signs an artefact. Other statements, such as the findings of a scanner, are signed by
/// the same keys, and approve of nothing.
const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";
/// What the payload of cosign's older signatures says that it is.
const SIMPLE: &str = "cosign container image signature";
const STATEMENT: &str = "application/vnd.in-toto+json";

/// How many signatures of one artefact are looked at, wherever they stand.
pub(crate) const MOST_SIGNATURES: usize = 32;

/// What is signed.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The bytes of the policy.
    pub wasm: &'a Bytes,
    /// The SHA-256 of its manifest in a registry.
    pub manifest: Option<&'a Digest>,
}

/// That somebody has signed the policy.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Whoever has the key to this signature.
    Keyed {
        /// What is signed. It is the policy, or names it.
        message: Bytes,
        /// The signature.
        signature: Vec<u8>,
    },
    /// Whom a certificate names.
    Certified(Certified),
}

/// Why there is no proof, in words.
pub(crate) type Wrong = String;

/// The proofs in a text that goes with a file: base64 of a signature of its bytes, as `cosign sign-blob` writes it, or a Sigstore
/// bundle.
///
/// # Errors
/// Why it is neither, or is about something else.
pub fn of_blob(text: &str, wasm: &Bytes) -> Result<Vec<Proof>, Wrong> {
    let text = text.trim();
    if text.starts_with('{') {
        return of_bundle(text.as_bytes(), Subject { wasm, manifest: None });
    }
    let signature = STANDARD.decode(text).map_err(|_| "it is neither base64 nor a Sigstore bundle".to_owned())?;
    Ok(vec![Proof::Keyed { message: wasm.clone(), signature }])
}

#[derive(Deserialize)]
struct SimpleSigning {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    r#type: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

/// The proof in a payload that names the artefact by its manifest, and the signature beside it, as cosign keeps them under a tag.
///
/// # Errors
/// Why it is not one, or is about another artefact.
pub(crate) fn of_payload(payload: &[u8], signature: &str, manifest: &Digest) -> Result<Proof, Wrong> {
    let read: SimpleSigning = serde_json::from_slice(payload).map_err(|_| "its payload is not cosign's".to_owned())?;
    if read.critical.r#type != SIMPLE {
        return Err(format!("its payload is of type {:?}", read.critical.r#type));
    }
    if read.critical.image.digest != format!("sha256:{manifest}") {
        return Err("it is about another artefact".into());
    }
    let signature = STANDARD.decode(signature.trim()).map_err(|_| "it is no base64".to_owned())?;
    Ok(Proof::Keyed { message: Bytes::copy_from_slice(payload), signature })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    #[serde(default)]
    verification_material: VerificationMaterial,
    message_signature: Option<MessageSignature>,
    dsse_envelope: Option<Envelope>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VerificationMaterial {
    certificate: Option<IgnoredAny>,
    x509_certificate_chain: Option<IgnoredAny>,
}

impl VerificationMaterial {
    fn has_certificate(&self) -> bool {
        self.certificate.is_some() || self.x509_certificate_chain.is_some()
    }
}

#[derive(Deserialize)]
struct MessageSignature {
    signature: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<MessageSignatureOf>,
}

#[derive(Deserialize)]
struct MessageSignatureOf {
    sig: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    predicate_type: String,
    subject: Vec<StatementSubject>,
}

#[derive(Deserialize)]
struct StatementSubject {
    digest: Value,
}

/// The proofs in a Sigstore bundle: of the bytes of the policy, or of a statement by which cosign signs its artefact. Of a key that has
/// signed nothing is taken from the bundle; a certificate is, and has to be verified.
///
/// # Errors
/// Why there is none, or it is about something else.
pub(crate) fn of_bundle(text: &[u8], subject: Subject) -> Result<Vec<Proof>, Wrong> {
    let bundle: Bundle = serde_json::from_slice(text).map_err(|_| "it is no Sigstore bundle".to_owned())?;
    if !bundle.media_type.starts_with("application/vnd.dev.sigstore.bundle") {
        return Err(format!("it is of type {:?}, and no Sigstore bundle", bundle.media_type));
    }
    let certified = |of| Ok(vec![Proof::Certified(Certified::read(text, of)?)]);
    let is_certified = bundle.verification_material.has_certificate();
    match (bundle.message_signature, bundle.dsse_envelope) {
        (Some(_), None) if is_certified => certified(Signed::Bytes(subject.wasm.clone())),
        (Some(of_bytes), None) => {
            let signature = decoded(&of_bytes.signature)?;
            Ok(vec![Proof::Keyed { message: subject.wasm.clone(), signature }])
        }
        (None, Some(envelope)) => {
            let (named, payload) = stated(&envelope, subject)?;
            if is_certified { certified(Signed::Statement(named)) } else { of_envelope(&envelope, &payload) }
        }
        _ => Err("the bundle holds no signature".into()),
    }
}

/// The statement in an envelope, when it is a signature of this policy, and the SHA-256 by which it names it.
fn stated(envelope: &Envelope, subject: Subject) -> Result<(Digest, Vec<u8>), Wrong> {
    if envelope.payload_type != STATEMENT {
        return Err(format!("the bundle is about {:?}, and no statement", envelope.payload_type));
    }
    let payload = decoded(&envelope.payload)?;
    let statement: Statement =
        serde_json::from_slice(&payload).map_err(|_| "its statement cannot be read".to_owned())?;
    if statement.predicate_type != SIGNED {
        return Err(format!("it states {:?}, which is no signature of the artefact", statement.predicate_type));
    }
    let names = |one: &StatementSubject, own: &Digest| one.digest["sha256"].as_str() == Some(own.as_str());
    let mut own = [Some(Digest::of(subject.wasm)), subject.manifest.cloned()].into_iter().flatten();
    let named = own.find(|own| statement.subject.iter().any(|one| names(one, own)));
    Ok((named.ok_or("it is about another artefact")?, payload))
}

fn of_envelope(envelope: &Envelope, payload: &[u8]) -> Result<Vec<Proof>, Wrong> {
    let message = Bytes::from(encoded_for_signing(&envelope.payload_type, payload));
    let proof = |one: &MessageSignatureOf| Ok(Proof::Keyed { message: message.clone(), signature: decoded(&one.sig)? });
    if envelope.signatures.is_empty() {
        return Err("the bundle holds no signature".into());
    }
    envelope.signatures.iter().take(MOST_SIGNATURES).map(proof).collect()
}

/// The pre-authentication encoding of DSSE, which is what is signed.
fn encoded_for_signing(kind: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

fn decoded(text: &str) -> Result<Vec<u8>, Wrong> {
    STANDARD.decode(text.trim()).map_err(|_| "its base64 is damaged".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{PublicKey, key::tests::p256};

    const WASM: Bytes = Bytes::from_static(b"wasm");

    fn manifest() -> Digest {
        Digest::of(b"manifest")
    }

    fn is_by(key: &PublicKey, proof: &Proof) -> bool {
        matches!(proof, Proof::Keyed { message, signature } if key.has_signed(message, signature))
    }

    fn statement(predicate: &str, digest: &Digest) -> String {
        json!({"_type": "https://in-toto.io/Statement/v1", "predicateType": predicate,
            "subject": [{"digest": {"sha256": digest}}], "predicate": {}})
        .to_string()
    }

    fn envelope(kind: &str, payload: &str, signature: &[u8]) -> String {
        json!({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {"publicKey": {"hint": "x"}},
            "dsseEnvelope": {"payload": STANDARD.encode(payload), "payloadType": kind, "signatures": [{"sig": STANDARD.encode(signature)}]}})
        .to_string()
    }

    #[test]
    fn g23_a_signature_of_the_bytes_is_a_proof() {
        let (key, sign) = p256();
        let signature = sign(&WASM);
        let bundle = json!({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "messageSignature": {"signature": STANDARD.encode(&signature)}});
        for text in [format!("{}\n", STANDARD.encode(&signature)), bundle.to_string()] {
            let proofs = of_blob(&text, &WASM).unwrap();
            assert!(is_by(&key, &proofs[0]));
            assert!(!is_by(&key, &of_blob(&text, &Bytes::from_static(b"other")).unwrap()[0]));
        }
        assert!(of_blob("not base64!", &WASM).is_err() && of_blob("{}", &WASM).is_err());
    }

    #[test]
    fn g23_a_payload_proves_the_artefact_that_it_names_and_no_other() {
        let (key, sign) = p256();
        let payload = |kind: &str, digest: &Digest| {
            json!({"critical": {"identity": {"docker-reference": "a"}, "image": {"docker-manifest-digest": format!("sha256:{digest}")},
                "type": kind}, "optional": null}).to_string()
        };
        let good = payload(SIMPLE, &manifest());
        let signature = STANDARD.encode(sign(good.as_bytes()));
        let proof = of_payload(good.as_bytes(), &signature, &manifest()).unwrap();
        assert!(is_by(&key, &proof));
        for bad in
            [payload(SIMPLE, &Digest::of(b"other")), payload("atomic container signature", &manifest()), "{}".into()]
        {
            assert!(of_payload(bad.as_bytes(), &signature, &manifest()).is_err(), "{bad}");
        }
    }

    #[test]
    fn g23_a_bundle_proves_what_its_statement_names_and_only_if_it_is_a_signature() {
        let (key, sign) = p256();
        let subject = Subject { wasm: &WASM, manifest: Some(&manifest()) };
        for digest in [manifest(), Digest::of(&WASM)] {
            let payload = statement(SIGNED, &digest);
            let signature = sign(&encoded_for_signing(STATEMENT, payload.as_bytes()));
            let proofs = of_bundle(envelope(STATEMENT, &payload, &signature).as_bytes(), subject).unwrap();
            assert!(is_by(&key, &proofs[0]));
        }
        let scan = statement("https://cosign.sigstore.dev/attestation/vuln/v1", &manifest());
        let other = statement(SIGNED, &Digest::of(b"other"));
        for (kind, payload) in
            [(STATEMENT, &scan), (STATEMENT, &other), ("text/plain", &statement(SIGNED, &manifest()))]
        {
            assert!(of_bundle(envelope(kind, payload, b"x").as_bytes(), subject).is_err(), "{payload}");
        }
    }

    #[test]
    fn g23_what_is_signed_in_an_envelope_is_as_dsse_says() {
        let expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(encoded_for_signing("http://example.com/HelloWorld", b"hello world"), expected);
    }
}
