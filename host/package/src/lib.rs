//! Packages: the `.apkg` of one version of a mini-program.
//!
//! # The format, for a newcomer
//!
//! An `.apkg` is an ordinary ZIP archive of files, stored or deflated, named `{mini_app_id}_{version}.apkg`
//! ([`PackageName`]). At its root lies a manifest: the `app.json` of WeChat-style mini-programs, the
//! `game.json` of their games, the `manifest.json` of a W3C MiniApp ([`Manifest`]). Everything else is the mini-program's own.
//!
//! ```text
//! coffee_1.0.0.apkg
//! ├── app.json                  {"pages": ["pages/index/index", …], "subPackages": […]}
//! ├── app.js, app.wxss
//! └── pages/index/index.{js,json,wxml,wxss}
//! ```
//!
//! # What makes one acceptable
//!
//! ZIP says most things twice, and readers that believe different copies see different files. So an archive is
//! accepted only when there is one way to read it: [`Archive::open`]
//!
//! 1. walks every record itself (`walk`): end records, central directory, local headers and data descriptors must
//!    agree in everything, and must cover the file without a byte between, before or after them;
//! 2. checks every name (`path`, `names`): relative, NFC, writable on every system, and unambiguous among all others;
//! 3. inflates every file once under the [`Limits`], while checking its size and CRC and taking its SHA-256.
//!
//! What it accepts is extracted to the same files by Python's zipfile, Info-ZIP's unzip and yauzl. What it refuses, it
//! refuses with an [`Error`](berth_base::error::Error) whose `rule` member is stable, whose `path` member names the
//! entry, and whose detail says what to fix. The easy way to an acceptable package is [`pack()`]: it makes the same
//! bytes from the same folder, and never a package that would be refused.

mod archive;
mod cache;
mod limits;
mod manifest;
mod name;
mod names;
mod pack;
mod path;
mod refusal;
mod source;
mod unpack;
mod walk;

#[cfg(test)]
mod evil;
#[cfg(test)]
pub(crate) mod tests;

pub use archive::{Archive, FileEntry, MAX_READ, ReadError};
pub use limits::Limits;
pub use manifest::{Kind as ManifestKind, Manifest, Subpackage};
pub use name::PackageName;
pub use pack::{Dialect, Framework, Included, LeftOut, PackOptions, PackReport, ZipWriter, look_for, pack};
pub use source::ReadAt;
