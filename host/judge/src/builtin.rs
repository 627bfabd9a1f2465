//! The first-party policies, built from `plugins/` and contained in the binary. They are admitted as every upload is:
//! as core modules with an embedded WIT section, of which the host makes components.

use berth_base::ids::Digest;

/// A first-party policy.
#[derive(Clone, Copy)]
pub struct Builtin {
    /// The name of the policy, the same as in its own description.
    pub name: &'static str,
    /// The core module, with its embedded WIT section.
    pub wasm: &'static [u8],
}

/// Every first-party policy.
pub const ALL: &[Builtin] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// A guard that panics, built with the SDK.
#[cfg(test)]
pub(crate) const BREAKS: &[u8] = include_bytes!(env!("BERTH_BREAKING_POLICY"));

/// What is said while a policy is compiled, which takes long: its name and place among the first-party ones.
pub(crate) fn compiling(digest: &Digest) -> String {
    match ALL.iter().position(|builtin| Digest::of(builtin.wasm) == *digest) {
        Some(at) => format!("compiling policy {} of {}: {}", at + 1, ALL.len(), ALL[at].name),
        None => format!("compiling policy {digest}"),
    }
}

#[cfg(test)]
mod tests {
    use wasmparser::{Parser, Payload};
    use wasmtime::{
        Engine, Store,
        component::{Component, Linker, Val},
    };

    use super::*;
    use berth_model::interface;

    /// The names of a component's imports: interfaces of `berth:policy`.
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
        let mut encoder =
            wit_component::ComponentEncoder::default().validate(true).module(builtin.wasm).expect(builtin.name);
        encoder.encode().expect(builtin.name)
    }

    #[test]
    fn f45_every_builtin_is_a_component_that_imports_only_what_its_world_has() {
        for builtin in ALL {
            let allowed: &[&str] = match builtin.name {
                "error-rate" => &[interface!("log")],
                "standard-conditions" | "percentage" | "expression" => &[interface!("log"), interface!("cohort")],
                _ => &[interface!("log"), interface!("contents")],
            };
            let imports = imports(&component(builtin));
            assert!(imports.iter().all(|import| allowed.contains(&import.as_str())), "{}: {imports:?}", builtin.name);
        }
    }

    /// The texts of a policy's description, from an instance that can call nothing.
    fn description(builtin: &Builtin) -> Vec<String> {
        let engine = Engine::default();
        let component = Component::from_binary(&engine, &component(builtin)).expect(builtin.name);
        let mut linker = Linker::<()>::new(&engine);
        linker.define_unknown_imports_as_traps(&component).expect("a linker");
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &component).expect("an instance");
        let about = instance.get_export_index(&mut store, None, interface!("about")).expect("about");
        let describe = instance.get_export_index(&mut store, Some(&about), "describe").expect("describe");
        let describe = instance.get_func(&mut store, describe).expect("a function");
        let mut results = [Val::Bool(false)];
        describe.call(&mut store, &[], &mut results).expect("a description");
        let Val::Record(fields) = &results[0] else { unreachable!("a description is a record") };
        fields
            .iter()
            .filter_map(|(_, value)| if let Val::String(text) = value { Some(text.clone()) } else { None })
            .collect()
    }

    #[test]
    fn every_builtin_describes_itself_by_its_name_and_with_a_valid_schema() {
        for builtin in ALL {
            let [name, version, summary, schema] = &description(builtin)[..] else { unreachable!("four texts") };
            assert_eq!(name, builtin.name);
            assert!(version.parse::<berth_base::version::VersionNumber>().is_ok() && summary.ends_with('.'), "{name}");
            if !schema.is_empty() {
                let schema = serde_json::from_str(schema).expect(name);
                assert!(jsonschema::meta::is_valid(&schema) && jsonschema::validator_for(&schema).is_ok(), "{name}");
            }
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
