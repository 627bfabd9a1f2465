//! Checks uploads before anything is compiled: an upload must be a component of one of the worlds of `wit/`, or a core
//! module whose embedded WIT section names one.

use std::{borrow::Cow, fmt};

use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

use super::{
    PolicyKind,
    foreign::{self, Foreign},
};
use berth_base::error::{Code, Error, Result};

/// The namespace of the system interface, which toolchains of other languages import by default. A policy may import
/// it, but a call of it ends the evaluation.
pub const SYSTEM: &str = "wasi:";

const ABOUT: &str = berth_model::interface!("about");
const CONFIGURE: &str = berth_model::interface!("configure");

/// The error `policy-invalid` of an upload that is refused.
pub fn refuse(reason: impl fmt::Display) -> Error {
    Error::new(Code::PolicyInvalid, format!("The upload is not a policy: {reason}"))
}

/// Refuses bytes that are not wasm at all, without parsing them.
pub(crate) fn glance(wasm: &[u8]) -> Result<()> {
    if wasmtime::Engine::detect_precompiled(wasm).is_some() {
        return Err(recognised(&foreign::machine_code()));
    }
    if Parser::is_component(wasm) || Parser::is_core_wasm(wasm) {
        return Ok(());
    }
    Err(recognised(&foreign::bytes(wasm)))
}

/// Refuses what begins as wasm does, and cannot be read to its end.
fn unreadable(error: wasmparser::BinaryReaderError) -> Error {
    if error.message().starts_with("unexpected end") { recognised(&foreign::cut_off(&error)) } else { refuse(error) }
}

fn recognised(upload: &Foreign) -> Error {
    refuse(&upload.told).with("found", upload.found)
}

/// The component of an upload, and the kind of its policy.
///
/// # Errors
/// `policy-invalid` with the reason when the upload is not a policy.
pub fn admit(wasm: &[u8]) -> Result<(Cow<'_, [u8]>, PolicyKind)> {
    glance(wasm)?;
    let component = component(wasm)?;
    let kind = kind(&names(&component).map_err(unreadable)?)?;
    Ok((component, kind))
}

/// The names of what the component of an upload imports.
///
/// # Errors
/// `policy-invalid` with the reason when the upload is not a policy.
pub fn imports(wasm: &[u8]) -> Result<Vec<String>> {
    let (component, _) = admit(wasm)?;
    names(&component).map(|names| names.imports).map_err(unreadable)
}

/// The names of what the component of an upload exports.
///
/// # Errors
/// `policy-invalid` with the reason when the upload is not a policy.
pub fn exports(wasm: &[u8]) -> Result<Vec<String>> {
    let (component, _) = admit(wasm)?;
    names(&component).map(|names| names.exports).map_err(unreadable)
}

fn component(wasm: &[u8]) -> Result<Cow<'_, [u8]>> {
    if Parser::is_component(wasm) {
        return Ok(Cow::Borrowed(wasm));
    }
    // The encoder panics on a section that claims to be longer than the file (wit-component 0.254).
    Parser::new(0).parse_all(wasm).try_for_each(|payload| payload.map(drop)).map_err(unreadable)?;
    let encoded = ComponentEncoder::default().validate(true).module(wasm).and_then(|mut encoder| encoder.encode());
    encoded.map(Cow::Owned).map_err(|e| match foreign::module(wasm) {
        Some(known) => recognised(&known),
        None => refuse(format_args!(
            "it is a core module, and no component can be made of it: {e:#}. Build it against wit/. {}",
            foreign::BUILD
        )),
    })
}

#[derive(Default)]
struct Names {
    imports: Vec<String>,
    exports: Vec<String>,
}

/// The names of what the outermost component imports and exports.
fn names(component: &[u8]) -> Result<Names, wasmparser::BinaryReaderError> {
    let (mut names, mut depth) = (Names::default(), 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    names.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    names.exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

fn kind(names: &Names) -> Result<PolicyKind> {
    let has = |export: &str| names.exports.iter().any(|name| name == export);
    let kinds: Vec<_> = PolicyKind::ALL.iter().copied().filter(|kind| has(kind.interface())).collect();
    let &[kind] = kinds.as_slice() else { return Err(wrong_world(names, &kinds)) };
    if let Some(missing) = [ABOUT, CONFIGURE].into_iter().find(|name| !has(name)) {
        return Err(refuse(format_args!("it exports {} and not {missing}, as every world does.", kind.interface())));
    }
    let granted = |name: &String| kind.grants().contains(&name.as_str()) || name.starts_with(SYSTEM);
    match names.imports.iter().find(|name| !granted(name)) {
        None => Ok(kind),
        Some(import) => Err(ungranted(kind, import)),
    }
}

fn wrong_world(names: &Names, kinds: &[PolicyKind]) -> Error {
    let listed = |kinds: &[PolicyKind]| kinds.iter().map(|kind| kind.interface()).collect::<Vec<_>>().join(", ");
    let rule = format!("A policy exports exactly one of {}.", listed(PolicyKind::ALL));
    let known = foreign::component(names.exports.iter().chain(&names.imports).map(String::as_str));
    let told = match &known {
        Some(known) => format!("{} {rule}", known.told),
        None if !kinds.is_empty() => {
            format!("it exports several worlds: {}. {rule} Build one for each.", listed(kinds))
        }
        None if names.exports.is_empty() => format!("it exports nothing. {rule} {}", foreign::BUILD),
        None => format!("it exports {}. {rule} {}", names.exports.join(", "), foreign::BUILD),
    };
    let refusal = refuse(told).with("exports", &names.exports);
    known.into_iter().fold(refusal, |refusal, known| refusal.with("found", known.found))
}

fn ungranted(kind: PolicyKind, import: &str) -> Error {
    if let Some(known) = foreign::component([import]) {
        return recognised(&known).with("import", import);
    }
    refuse(format_args!("it imports {import}. A policy of kind {kind} may import {}.", kind.grants().join(", ")))
        .with("import", import)
        .with("allowed", kind.grants())
}
