//! Denies the system interface. Toolchains of other languages import `wasi:*` whether the policy uses it or not. Such a
//! policy links, but a call ends the evaluation, with the name of what was called.

use std::fmt;

use wasmtime::{
    Engine, Result,
    component::{
        Component, Linker, LinkerInstance, ResourceType,
        types::{ComponentInstance, ComponentItem},
    },
};

use super::{gate::SYSTEM, guest::Guest};

/// A call of a function that no policy is granted.
#[derive(Clone, Debug)]
struct Denied(String);

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "it called {}, which no policy is granted. Build it without the system interface. Rust: for \
             wasm32-unknown-unknown, as `berth policy build` does. JavaScript: `disableFeatures` of componentize-js. \
             Python: `--stub-wasi` of componentize-py",
            self.0
        )
    }
}

impl std::error::Error for Denied {}

/// Links every system interface that the component imports to functions that fail.
pub(crate) fn deny(linker: &mut Linker<Guest>, engine: &Engine, component: &Component) -> Result<()> {
    for (name, import) in component.component_type().imports(engine) {
        if let (true, ComponentItem::ComponentInstance(interface)) = (name.starts_with(SYSTEM), import.ty) {
            deny_interface(&mut linker.instance(name)?, name, engine, &interface)?;
        }
    }
    Ok(())
}

struct Nothing;

fn deny_interface(
    linker: &mut LinkerInstance<'_, Guest>,
    name: &str,
    engine: &Engine,
    interface: &ComponentInstance,
) -> Result<()> {
    for (item, export) in interface.exports(engine) {
        match export.ty {
            ComponentItem::ComponentFunc(_) => {
                let denied = Denied(format!("{name}#{item}"));
                linker.func_new(item, move |_, _, _, _| Err(denied.clone().into()))?;
            }
            ComponentItem::Resource(_) => linker.resource(item, ResourceType::host::<Nothing>(), |_, _| Ok(()))?,
            _ => {}
        }
    }
    Ok(())
}
