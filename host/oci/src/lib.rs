//! Policies in OCI registries: how one is named there, what stands there for it, who may read it, who has signed it, and a small
//! client that brings it and takes it.
//!
//! The client is our own because it must connect where a [`Dial`] permits, name by name and redirect by redirect, and read no more
//! than a bound: the crate `oci-client` makes its connections itself.

mod challenge;
mod client;
mod commands;
mod key;
mod login;
mod manifest;
mod reference;
mod signature;
mod sigstore;

pub use client::{Dial, Pulled, Registry, Signatures};
pub use commands::{sign_artefact, sign_file};
pub use key::PublicKey;
pub use login::{Login, Logins};
pub use manifest::{About, Descriptor, Manifest, WASM_LAYER};
pub use reference::Reference;
pub use signature::{Proof, Subject, of_blob};
pub use sigstore::{Certified, Sigstore};
