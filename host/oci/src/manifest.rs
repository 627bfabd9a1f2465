//! What stands in a registry for a policy: a manifest with one layer, the wasm, as the CNCF's layout of wasm artefacts has it.

use std::collections::BTreeMap;

use berth_base::{
    error::{Code, Error, Result},
    ids::Digest,
};
use berth_model::policy::PolicyMetadata;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The media type of a manifest.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of a list of manifests.
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The media type of the config of a wasm artefact.
pub(crate) const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// The media type of the layer with the wasm.
pub const WASM_LAYER: &str = "application/wasm";
/// The media type that older tools give to the layer with the wasm.
const OLD_WASM_LAYER: &str = "application/vnd.wasm.content.layer.v1+wasm";

/// What a manifest says of some bytes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What they are.
    pub media_type: String,
    /// `sha256:` and their SHA-256.
    pub digest: String,
    /// How many they are.
    pub size: u64,
    /// What the manifest that it leads to is, in a list of manifests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Remarks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// Describes bytes.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.into(),
            digest: format!("sha256:{}", Digest::of(bytes)),
            size: bytes.len() as u64,
            artifact_type: None,
            annotations: BTreeMap::new(),
        }
    }

    /// The SHA-256 of the bytes.
    ///
    /// # Errors
    /// `registry-wrong` for another digest.
    pub fn sha256(&self) -> Result<Digest> {
        let hex = self.digest.strip_prefix("sha256:").and_then(|hex| hex.parse().ok());
        hex.ok_or_else(|| wrong("The manifest has a digest that is no SHA-256."))
    }
}

/// A manifest.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    schema_version: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    /// What the artefact is; absent when its config says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// What the artefact says of itself.
    pub config: Descriptor,
    /// What is in it.
    pub layers: Vec<Descriptor>,
    /// Remarks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A list of manifests.
#[derive(Debug, Deserialize)]
pub(crate) struct Index {
    #[serde(default)]
    pub manifests: Vec<Descriptor>,
}

/// What a policy says of itself, for its manifest.
pub struct About<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// What it does, in one sentence.
    pub summary: &'a str,
    /// What its makers say of it.
    pub metadata: &'a PolicyMetadata,
    /// What its component imports.
    pub imports: &'a [String],
    /// What its component exports.
    pub exports: &'a [String],
    /// When it was published, as RFC 3339 has it.
    pub created: &'a str,
}

impl Manifest {
    /// The manifest of a policy, and the bytes of its config.
    pub fn of(wasm: &[u8], about: &About) -> (Self, Vec<u8>) {
        let layer = Descriptor::of(WASM_LAYER, wasm);
        let config = json!({
            "created": about.created,
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [layer.digest],
            "component": {"imports": about.imports, "exports": about.exports},
        });
        let config = config.to_string().into_bytes();
        let manifest = Self {
            schema_version: 2,
            media_type: Some(MANIFEST.into()),
            artifact_type: None,
            config: Descriptor::of(WASM_CONFIG, &config),
            layers: vec![layer],
            annotations: annotations(about),
        };
        (manifest, config)
    }

    /// Reads a manifest that was served as `served`.
    ///
    /// # Errors
    /// `registry-wrong` for what is no manifest of one artefact.
    pub fn read(bytes: &[u8], served: &str) -> Result<Self> {
        let served = served.split(';').next().unwrap_or_default().trim();
        if served == INDEX || served.contains("manifest.list") {
            return Err(wrong("The reference leads to a list of manifests. Name one of them by its digest."));
        }
        let unreadable = |_| wrong("What the registry gave is no manifest of an OCI artefact.");
        serde_json::from_slice(bytes).map_err(unreadable)
    }

    /// The one layer that is wasm. What else the artefact says of itself does not matter: tools differ, and what counts is
    /// whether the wasm is a policy.
    ///
    /// # Errors
    /// `registry-wrong` when there is none, or more than one.
    pub fn wasm(&self) -> Result<&Descriptor> {
        let is_wasm = |layer: &&Descriptor| [WASM_LAYER, OLD_WASM_LAYER].contains(&layer.media_type.as_str());
        let mut found = self.layers.iter().filter(is_wasm);
        match (found.next(), found.next()) {
            (Some(layer), None) => Ok(layer),
            (Some(_), Some(_)) => Err(wrong("The artefact has several layers of wasm, and a policy is one.")),
            (None, _) => {
                let types: Vec<_> = self.layers.iter().map(|layer| layer.media_type.as_str()).take(5).collect();
                let text = format!(
                    "The artefact has no layer of type {WASM_LAYER}; it has {}. `berth policy publish`, wkg and oras make one: \
                     oras push REGISTRY/NAME:TAG FILE.wasm:{WASM_LAYER}.",
                    if types.is_empty() { "none at all".into() } else { types.join(", ") }
                );
                Err(wrong(&text).with("config", &self.config.media_type).with("layers", types))
            }
        }
    }
}

/// The remarks on an artefact, of which registries and hubs show what they know.
fn annotations(about: &About) -> BTreeMap<String, String> {
    let PolicyMetadata { authors, description, licenses, source, homepage, revision, version: _ } = about.metadata;
    let said = [
        ("title", Some(about.name)),
        ("version", Some(about.version)),
        ("description", Some(description.as_deref().unwrap_or(about.summary))),
        ("created", Some(about.created)),
        ("authors", authors.as_deref()),
        ("licenses", licenses.as_deref()),
        ("source", source.as_deref()),
        ("url", homepage.as_deref()),
        ("revision", revision.as_deref()),
    ];
    let one = |(key, text): (&str, Option<&str>)| Some((format!("org.opencontainers.image.{key}"), text?.to_owned()));
    said.into_iter().filter_map(one).collect()
}

/// The error of a registry that does not answer as it should.
pub(crate) fn wrong(text: &str) -> Error {
    Error::new(Code::RegistryWrong, text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn g22_a_policy_is_an_artefact_of_wasm() {
        let about = About {
            name: "no-eval",
            version: "1.0.0",
            summary: "Finds eval.",
            metadata: &PolicyMetadata { licenses: Some("MIT".into()), ..PolicyMetadata::default() },
            imports: &[],
            exports: &[],
            created: "2026-01-01T00:00:00Z",
        };
        let (manifest, config) = Manifest::of(b"wasm", &about);
        let written = serde_json::to_vec(&manifest).unwrap();
        let read = Manifest::read(&written, MANIFEST).unwrap();
        assert_eq!(read.config.media_type, "application/vnd.wasm.config.v0+json");
        assert_eq!(read.config.sha256().unwrap(), Digest::of(&config));
        assert_eq!(read.wasm().unwrap().sha256().unwrap(), Digest::of(b"wasm"));
        let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
        let said = |key: &str| read.annotations.get(&format!("org.opencontainers.image.{key}")).map(String::as_str);
        assert_eq!((said("licenses"), said("description"), said("source")), (Some("MIT"), Some("Finds eval."), None));
        assert_eq!(config["layerDigests"], json!([read.layers[0].digest]));
    }

    #[test]
    fn g22_what_is_no_artefact_of_wasm_is_refused() {
        let of = |layers: &[&str]| {
            let layers: Vec<_> = layers.iter().map(|kind| Descriptor::of(kind, b"x")).collect();
            let text = json!({"schemaVersion": 2, "config": Descriptor::of("application/vnd.oci.empty.v1+json", b"{}"), "layers": layers});
            Manifest::read(text.to_string().as_bytes(), MANIFEST).unwrap()
        };
        for layers in [&[][..], &["application/vnd.oci.image.layer.v1.tar+gzip"], &[WASM_LAYER, WASM_LAYER]] {
            assert_eq!(of(layers).wasm().unwrap_err().code, Code::RegistryWrong, "{layers:?}");
        }
        assert!(of(&["text/plain", WASM_LAYER]).wasm().is_ok() && of(&[OLD_WASM_LAYER]).wasm().is_ok());
        assert!(Manifest::read(b"{}", INDEX).is_err() && Manifest::read(b"<html>", MANIFEST).is_err());
    }
}
