//! The SDK for writing Berth's policies in Rust.
//!
//! A policy is a type with two traits: [`Policy`] describes it and makes it from its config, and the trait of its world
//! ([`Auditor`], [`Grayscale`] or [`Guard`]) has the one function that judges. A macro with the name of the world
//! exports it.
//!
//! ```
//! use berth_policy::{Auditor, Description, Finding, Package, Place, Policy, serde::Deserialize};
//!
//! /// Wants a licence in every package.
//! struct Licence {
//!     file: String,
//! }
//!
//! #[derive(Deserialize)]
//! #[serde(crate = "berth_policy::serde", deny_unknown_fields)]
//! struct Config {
//!     file: Option<String>,
//! }
//!
//! impl Policy for Licence {
//!     type Config = Config;
//!
//!     const DESCRIPTION: Description = Description {
//!         name: "licence",
//!         version: "1.0.0",
//!         summary: "Wants a licence in every package.",
//!         config_schema: r#"{
//!             "type": "object", "additionalProperties": false,
//!             "properties": {"file": {"type": "string", "title": "Path of the licence", "default": "LICENSE"}}
//!         }"#,
//!     };
//!
//!     fn configure(config: Config) -> Result<Self, String> {
//!         Ok(Self { file: config.file.unwrap_or("LICENSE".into()) })
//!     }
//! }
//!
//! impl Auditor for Licence {
//!     fn audit(&self, package: &dyn Package) -> Result<Vec<Finding>, String> {
//!         let found = package.files().iter().any(|file| file.path == self.file);
//!         let missing = || {
//!             Finding::error("no-licence", format!("There is no {}.", self.file))
//!                 .at(Place::file(&package.manifest_path()))
//!                 .fix(format!("Add {} to the package.", self.file))
//!         };
//!         Ok(if found { vec![] } else { vec![missing()] })
//!     }
//! }
//!
//! berth_policy::auditor!(Licence);
//!
//! // Natively the crate is an ordinary library, so a test needs no host:
//! use berth_policy::testing::MemoryPackage;
//! let policy = Licence::from_json("{}").unwrap();
//! let findings = policy.audit(&MemoryPackage::default().with("app.json", "{}")).unwrap();
//! assert_eq!(findings[0].rule, "no-licence");
//! ```
//!
//! In `Cargo.toml`, set `crate-type = ["cdylib", "rlib"]`. Then `cargo build --release --target wasm32-unknown-unknown`
//! makes the file that `berth policy push` takes.
//!
//! A policy has no clock, no randomness, no network and no files. It reads only what its world gives it, and the same
//! input always has the same answer.

#[doc(hidden)]
pub mod bindings;

#[cfg(target_arch = "wasm32")]
mod arena;
mod audit;
pub mod bucket;
mod export;
mod gray;
pub mod log;
pub mod manifest;
pub mod package;
#[cfg(target_arch = "wasm32")]
mod panic;
mod policy;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod text;
pub mod version;
mod watch;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub use arena::Arena;
pub use audit::{Auditor, Finding, Place, Severity};
pub use gray::{Attribute, Device, Grayscale, Task, Verdict, cohort};
pub use package::{File, Package, ReadError};
pub use policy::{Description, NoConfig, Policy};
#[doc(hidden)]
pub use policy::{Exported, Exports, Slot};
pub use serde;
pub use serde_json;
pub use watch::{Advice, Guard, Health, Window};
