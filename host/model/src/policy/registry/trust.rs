//! Whose signatures of policies are trusted, at which level, and where they are required.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth_base::{
    clock::Millis,
    error::{Error, Result},
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
        /// By a key that a Sigstore has certified for an identity, and that nobody keeps.
        Identity = "identity",
    }
}

/// Who signs without a key of their own: somebody, or a workflow, that a provider of identities vouches for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SigningIdentity)]
pub struct Identity {
    /// The provider, such as `https://token.actions.githubusercontent.com`.
    pub issuer: String,
    /// An email address, or the address of a workflow. Of one that is trusted, all that begin so where it ends in `*`:
    /// `https://github.com/acme/policies/.github/workflows/release.yml@*`.
    pub subject: String,
}

/// How many characters an issuer or a subject has at most.
const MOST_OF_AN_IDENTITY: usize = 500;

impl Identity {
    /// Checks one that is to be trusted.
    ///
    /// # Errors
    /// `invalid-field` for `identity.issuer` or `identity.subject`.
    pub fn check(&self) -> Result<()> {
        let is_address = |text: &str| ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme));
        let is_said = |text: &str| {
            !text.is_empty()
                && text.chars().count() <= MOST_OF_AN_IDENTITY
                && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        if !is_said(&self.issuer) || !is_address(&self.issuer) {
            let rule = "must be the address of who vouches, such as https://token.actions.githubusercontent.com.";
            return Err(Error::field("identity.issuer", rule));
        }
        if !is_said(&self.subject) {
            let rule = "must be an email address or the address of a workflow, without blanks.";
            return Err(Error::field("identity.subject", rule));
        }
        match self.subject.split_once('*') {
            Some((beginning, rest)) if !rest.is_empty() || !names_a_place(beginning) => Err(Error::field(
                "identity.subject",
                "may have one * only: at the end, behind a / or an @, and behind whose it is, as in https://github.com/acme/*.",
            )),
            _ => Ok(()),
        }
    }

    /// Whether this one, which is trusted, is who has signed.
    pub fn covers(&self, signer: &Self) -> bool {
        let is_so = match self.subject.strip_suffix('*') {
            Some(beginning) => signer.subject.len() > beginning.len() && signer.subject.starts_with(beginning),
            None => self.subject == signer.subject,
        };
        self.issuer == signer.issuer && is_so
    }

    /// The SHA-256 of both, by which it is told from others as a key is.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(format!("{}\n{}", self.issuer, self.subject).as_bytes())
    }
}

/// Whether an address tells more than a host that many share, and ends where a name does.
fn names_a_place(beginning: &str) -> bool {
    let path = beginning.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
    beginning.ends_with(['/', '@'])
        && path.is_some_and(|path| path.split('/').next().is_some_and(|one| !one.is_empty()))
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
    /// SHA-256 of the key as DER; of an identity, of its issuer and subject.
    pub fingerprint: Digest,
    /// The public key in PEM; absent of an identity.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Whose signatures are trusted by their certificates; absent of a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The account that trusts it.
    pub added_by: String,
    /// Since when it is trusted.
    pub added_at: Millis,
}

/// A key to trust, or an identity.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTrustedKey {
    /// Where it is to be trusted.
    pub scope: TrustScope,
    /// A name for people, at most 64 characters.
    pub name: String,
    /// The public key in PEM: of P-256, as cosign makes it, or of Ed25519.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// In place of a key: who signs without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
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
    /// SHA-256 of the key as DER; of an identity, of its issuer and subject as they are trusted.
    pub fingerprint: Digest,
    /// Whom the certificate names; absent when a key has signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
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
        let is_said = |text: &&str| text.chars().all(|c| !c.is_control() || c.is_whitespace());
        let text = std::str::from_utf8(file).ok().filter(is_said);
        Self { signature: Some(text.map_or_else(|| STANDARD.encode(file), |text| text.trim().to_owned())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GITHUB: &str = "https://token.actions.githubusercontent.com";

    fn identity(issuer: &str, subject: &str) -> Identity {
        Identity { issuer: issuer.into(), subject: subject.into() }
    }

    #[test]
    fn g23_an_identity_is_trusted_as_it_is_or_by_its_beginning() {
        let workflow = "https://github.com/acme/policies/.github/workflows/release.yml@refs/tags/v1.0.0";
        for (trusted, is_so) in [
            (workflow, true),
            ("https://github.com/acme/policies/.github/workflows/release.yml@*", true),
            ("https://github.com/acme/*", true),
            ("https://github.com/acme/policies/.github/workflows/release.yml@refs/tags/v1.0.0/*", false),
            ("https://github.com/acme/policies/", false),
            ("https://github.com/acme-evil/*", false),
            ("ann@acme.example", false),
        ] {
            assert_eq!(identity(GITHUB, trusted).covers(&identity(GITHUB, workflow)), is_so, "{trusted}");
            let elsewhere = identity("https://gitlab.com", workflow);
            assert!(!identity(GITHUB, trusted).covers(&elsewhere), "another provider vouches for something else");
        }
    }

    #[test]
    fn g23_an_identity_that_anybody_could_have_is_refused() {
        for good in ["ann@acme.example", "https://github.com/acme/*", "https://ci.acme.example/build@*"] {
            assert!(identity(GITHUB, good).check().is_ok(), "{good}");
        }
        for bad in [
            "",
            "*",
            "https://*",
            "https://github.com/*",
            "https://github.com/acme*",
            "https://github.com//*",
            "*@acme.example",
            "https://github.com/*/policies",
            "ann @acme.example",
            "a\nb",
        ] {
            assert!(identity(GITHUB, bad).check().is_err(), "{bad}");
        }
        for bad in ["", "accounts.google.com", "https://a b"] {
            assert!(identity(bad, "ann@acme.example").check().is_err(), "{bad}");
        }
    }

    #[test]
    fn g23_a_signature_is_text_as_it_is_and_bytes_in_base64() {
        let read = |file: &[u8]| PolicyUpload::signed_by(file).signature;
        assert_eq!(read(b"MEUCIQ==\n").as_deref(), Some("MEUCIQ=="));
        assert_eq!(read(&[0x30, 0x45, 0x02, 0xff]).as_deref(), Some("MEUC/w=="));
        assert_eq!(read(&[0x30, 0x45, 0x02, 0x21]).as_deref(), Some("MEUCIQ=="), "bytes that are characters, too");
        let bundle = "{\"checkpoint\": \"log\\n1\\n\\n— log wNI9ag==\"}";
        assert_eq!(read(bundle.as_bytes()).as_deref(), Some(bundle), "a log signs behind a dash");
    }
}
