//! The commands that sign, as refusals and the command line name them.

use crate::reference::Reference;

/// The command that signs a file.
pub fn sign_file() -> &'static str {
    "cosign sign-blob --key cosign.key --tlog-upload=false --output-signature FILE.sig FILE.wasm"
}

/// The command that signs an artefact in its registry.
pub fn sign_artefact(reference: &Reference) -> String {
    format!("cosign sign --key cosign.key --tlog-upload=false {}", reference.bare())
}
