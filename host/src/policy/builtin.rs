//! The first-party policies, built from `plugins/` and carried inside the binary. They take the same door as
//! everybody's: core modules with an embedded WIT section, which the host turns into components.

/// A first-party policy.
#[derive(Clone, Copy)]
pub struct Builtin {
    /// Its name, the one that it describes itself with.
    pub name: &'static str,
    /// The core module.
    pub wasm: &'static [u8],
}

/// All first-party policies.
pub const ALL: &[Builtin] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

#[cfg(test)]
mod tests {
    use wasmparser::{Parser, Payload};

    use super::*;

    /// What a component imports by name: interfaces of `berth:policy`.
    fn imports(component: &[u8]) -> Vec<String> {
        let mut names = Vec::new();
        for payload in Parser::new(0).parse_all(component) {
            match payload.expect("a valid component") {
                Payload::ComponentImportSection(section) => {
                    names.extend(section.into_iter().map(|import| import.expect("an import").name.name.to_owned()));
                }
                // What lies inside imports from the component, not from the host.
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => break,
                _ => {}
            }
        }
        names
    }

    fn component(builtin: &Builtin) -> Vec<u8> {
        let encoder =
            wit_component::ComponentEncoder::default().validate(true).module(builtin.wasm).expect(builtin.name);
        encoder.encode().expect(builtin.name)
    }

    #[test]
    fn f45_every_builtin_is_a_component_that_imports_only_what_its_world_has() {
        for builtin in ALL {
            let allowed: &[&str] = match builtin.name {
                "standard-conditions" | "percentage" => &["berth:policy/log@1.0.0", "berth:policy/cohort@1.0.0"],
                _ => &["berth:policy/log@1.0.0", "berth:policy/contents@1.0.0"],
            };
            let imports = imports(&component(builtin));
            assert!(imports.iter().all(|import| allowed.contains(&import.as_str())), "{}: {imports:?}", builtin.name);
        }
    }

    #[test]
    fn policies_that_decide_about_devices_are_small() {
        let big = |builtin: &&Builtin| {
            ["standard-conditions", "percentage"].contains(&builtin.name) && builtin.wasm.len() > 160 << 10
        };
        assert!(!ALL.iter().any(|builtin| big(&builtin)));
    }
}
