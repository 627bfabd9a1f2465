//! Whose signatures of policies are trusted, at which level, and where they are required.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth_base::{
    clock::Millis,
    ids::{Digest, TrustedKeyId},
    text::text_enum,
};
use serde::{Deserialize, Serialize};

use super::{Level, PolicyBinding};

text_enum! {
    /// How a key signs.
    #[schema(as = SigningAlgorithm)]
    Algorithm {
        /// ECDSA with P-256 and SHA-256, as cosign does.
        EcdsaP256 = "ecdsa-p256",
        /// Ed25519.
        Ed25519 = "ed25519",
    }
}

/// Where a key is trusted, and signatures are required: the platform, a host app, or a team with its MiniApps and gray tasks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TrustScope {
    /// The level.
    pub level: Level,
    /// Id of the host app or the team; absent for the platform.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
}

impl TrustScope {
    /// The whole installation.
    pub fn platform() -> Self {
        Self { level: Level::Platform, id: String::new() }
    }

    /// As it is said in a sentence.
    pub fn in_words(&self) -> String {
        match self.level {
            Level::Platform => "the platform".into(),
            Level::HostApp => format!("the host app {}", self.id),
            Level::Team => format!("the team {}", self.id),
        }
    }
}

/// A key whose signatures of policies are trusted.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct TrustedKey {
    /// Its id.
    pub id: TrustedKeyId,
    /// Where it is trusted.
    pub scope: TrustScope,
    /// Its name.
    pub name: String,
    /// How it signs.
    pub algorithm: Algorithm,
    /// SHA-256 of the key as DER.
    pub fingerprint: Digest,
    /// The public key in PEM.
    pub key: String,
    /// The account that trusts it.
    pub added_by: String,
    /// Since when it is trusted.
    pub added_at: Millis,
}

/// A key to trust.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTrustedKey {
    /// Where it is to be trusted.
    pub scope: TrustScope,
    /// A name for people, at most 64 characters.
    pub name: String,
    /// The public key in PEM: of P-256, as cosign makes it, or of Ed25519.
    pub key: String,
}

/// A key that is not trusted any more.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct RemovedKey {
    /// The key.
    pub key: TrustedKey,
    /// The bindings that go on, and whose policy has no signature that is required there any more.
    pub unsigned: Vec<PolicyBinding>,
}

/// Whether policies have to be signed.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct SigningRule {
    /// Where this holds.
    pub scope: TrustScope,
    /// Whether a policy needs a signature by a key of this scope, or of the platform, to be bound here; at the platform to be
    /// installed, too.
    pub required: bool,
    /// Who has required it, and since when; absent while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<String>,
    /// Since when it is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_at: Option<Millis>,
    /// The bindings that go on without such a signature, because they were made before, or because a key was removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsigned: Vec<PolicyBinding>,
}

/// Requires signatures, or does not any more.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSigningRule {
    /// Where.
    pub scope: TrustScope,
    /// Whether they are required.
    pub required: bool,
}

text_enum! {
    /// What a signature is of.
    SignedWhat {
        /// The bytes of the policy.
        Policy = "policy",
        /// A statement that names the artefact in the registry.
        Artefact = "artefact",
    }
}

/// A key that has signed a policy, as it was when the signature was verified. It is told also when the key is not trusted any more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Signer {
    /// The name of the key.
    pub name: String,
    /// SHA-256 of the key as DER.
    pub fingerprint: Digest,
    /// Where the key was trusted.
    pub scope: TrustScope,
    /// What it has signed.
    pub signed: SignedWhat,
    /// When the signature was verified.
    pub verified_at: Millis,
}

/// Where a policy came from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PolicyOrigin {
    /// The reference in a registry, as it was given: `oci://REGISTRY/NAME:TAG`, with `@sha256:…` if it was pinned.
    pub reference: String,
    /// SHA-256 of the manifest that it led to.
    pub manifest: Digest,
}

/// A policy to fetch from a registry.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyPull {
    /// Where it is: `oci://REGISTRY/NAME:TAG`, with `@sha256:…` to pin it.
    pub reference: String,
}

/// What goes with the bytes of a policy.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PolicyUpload {
    /// A signature of the bytes: base64 as `cosign sign-blob` writes it, or a Sigstore bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

impl PolicyUpload {
    /// What goes with a policy whose signature stands in a file: what the file has as bytes becomes base64.
    pub fn signed_by(file: &[u8]) -> Self {
        let is_text = file.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
        let text = if is_text { String::from_utf8_lossy(file).trim().to_owned() } else { STANDARD.encode(file) };
        Self { signature: Some(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g23_a_signature_is_text_as_it_is_and_bytes_in_base64() {
        let read = |file: &[u8]| PolicyUpload::signed_by(file).signature;
        assert_eq!(read(b"MEUCIQ==\n").as_deref(), Some("MEUCIQ=="));
        assert_eq!(read(&[0x30, 0x45, 0x02, 0xff]).as_deref(), Some("MEUC/w=="));
    }
}
