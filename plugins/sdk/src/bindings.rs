//! The Rust bindings of `wit/`.
//!
//! One binding serves all three worlds, because a crate can export macros of one name only once. [`crate::auditor!`]
//! and the like choose what a policy exports, and [`worlds`] tells the host which world that is.

#![allow(missing_docs, clippy::all, reason = "generated")]

wit_bindgen::generate!({
    inline: "
        package berth:sdk;
        world every {
            import berth:policy/log@1.0.0;
            import berth:policy/contents@1.0.0;
            import berth:policy/cohort@1.0.0;
            export berth:policy/about@1.0.0;
            export berth:policy/configure@1.0.0;
            export berth:policy/audit@1.0.0;
            export berth:policy/gray@1.0.0;
            export berth:policy/watch@1.0.0;
        }
    ",
    path: "../../wit",
    generate_all,
    pub_export_macro: true,
    disable_custom_section_link_helpers: true,
    additional_derives: [PartialEq],
});

/// The worlds, encoded for a custom section of the wasm.
pub mod worlds {
    pub const AUDITOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/auditor"));
    pub const GRAYSCALE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/grayscale"));
    pub const GUARD: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guard"));

    /// `section` as an array, which a static in a link section must be.
    pub const fn array<const N: usize>(section: &[u8]) -> [u8; N] {
        let mut array = [0; N];
        array.copy_from_slice(section);
        array
    }
}
