//! Policies written by hand in WebAssembly text, which do what no toolchain would make of source code.

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// What differs between the worlds: the imports, and the function that judges.
struct Shape {
    world: &'static str,
    imports: &'static str,
    export: &'static str,
    params: &'static str,
}

const AUDITOR: Shape = Shape {
    world: "auditor",
    imports: r#"(import "berth:policy/contents@VERSION" "[resource-drop]archive" (func $drop (param i32)))
  (import "berth:policy/log@VERSION" "write" (func $log (param i32 i32 i32)))"#,
    export: "audit@VERSION#audit",
    params: "i32",
};

const GRAYSCALE: Shape = Shape {
    world: "grayscale",
    imports: r#"(import "berth:policy/log@VERSION" "write" (func $log (param i32 i32 i32)))"#,
    export: "gray@VERSION#decide",
    params: "i32",
};

const GUARD: Shape = Shape {
    world: "guard",
    imports: r#"(import "berth:policy/log@VERSION" "write" (func $log (param i32 i32 i32)))"#,
    export: "watch@VERSION#judge",
    params: "i32 i32 i32 i32 i32 i32 i64 i64 i32 i32 i32 i32",
};

/// What a policy does when it is asked to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Says yes: admits the device, finds nothing, or lets the release go on.
    Agrees,
    /// Traps, as a policy that panics does.
    Traps,
    /// Runs without an end, until the host stops it.
    Loops,
    /// Answers with far more data than is allowed.
    Bombs,
}

impl Manner {
    /// The version that the policy says it has. It differs for each manner, so that each makes another version of the
    /// policy.
    fn version(self) -> &'static str {
        match self {
            Self::Traps => "1.0.0",
            Self::Agrees => "1.1.0",
            Self::Loops => "1.2.0",
            Self::Bombs => "1.3.0",
        }
    }

    /// The body of the function that judges. The answer lies at address 80, where zeros mean yes. The list or text of
    /// `Bombs` has about 8 MB.
    fn body(self, shape: &Shape) -> String {
        let drop = if shape.world == "auditor" { "(call $drop (local.get 0))" } else { "" };
        let act = match self {
            Self::Agrees => "",
            Self::Traps => "unreachable",
            Self::Loops => "(loop $again (br $again))",
            Self::Bombs if shape.world == "auditor" => {
                "(i32.store (i32.const 84) (i32.const 8192)) (i32.store (i32.const 88) (i32.const 150000))"
            }
            Self::Bombs => {
                "(i32.store8 (i32.const 84) (i32.const 1)) (i32.store (i32.const 88) (i32.const 8192))
                 (i32.store (i32.const 92) (i32.const 8000000))"
            }
        };
        format!("{drop} {act} (i32.const 80)")
    }
}

/// Makes an auditor that judges in this manner.
pub fn auditor(name: &str, manner: Manner) -> Vec<u8> {
    guest(&AUDITOR, name, manner)
}

/// Makes a grayscale policy that judges in this manner.
pub fn grayscale(name: &str, manner: Manner) -> Vec<u8> {
    guest(&GRAYSCALE, name, manner)
}

/// Makes a guard that judges in this manner.
pub fn guard(name: &str, manner: Manner) -> Vec<u8> {
    guest(&GUARD, name, manner)
}

/// Makes a core module with a section that names its world, as policy toolchains make it.
fn guest(shape: &Shape, name: &str, manner: Manner) -> Vec<u8> {
    let mut module = wat::parse_str(text(shape, name, manner)).unwrap();
    let mut resolve = Resolve::default();
    let package = resolve.push_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit")).unwrap().0;
    let world = resolve.select_world(&[package], Some(shape.world)).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    module
}

/// Writes the module as text. Its `describe` answers with the name, the version, a summary and an empty schema; their
/// addresses and lengths lie at address 16.
fn text(shape: &Shape, name: &str, manner: Manner) -> String {
    let Shape { imports, export, params, .. } = shape;
    let strings = [(256, name.len() as u32), (400, 5), (416, 4), (1024, 0)];
    let table: String = strings
        .iter()
        .flat_map(|(at, len)| [*at, *len])
        .flat_map(u32::to_le_bytes)
        .map(|b| format!("\\{b:02x}"))
        .collect();
    let pages = if manner == Manner::Bombs { 160 } else { 2 };
    let text = format!(
        r#"(module {imports}
  (memory (export "memory") {pages})
  (global $heap (mut i32) (i32.const 8192))
  (data (i32.const 16) "{table}") (data (i32.const 256) "{name}") (data (i32.const 400) "{}") (data (i32.const 416) "Test")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.get $heap)
    (global.set $heap (i32.and (i32.add (i32.add (global.get $heap) (local.get 3)) (i32.const 15)) (i32.const -16))))
  (func (export "berth:policy/about@VERSION#describe") (result i32) (i32.const 16))
  (func (export "berth:policy/configure@VERSION#configure") (param i32 i32) (result i32) (i32.const 64))
  (func (export "berth:policy/{export}") (param {params}) (result i32) {}))"#,
        manner.version(),
        manner.body(shape)
    );
    text.replace("@VERSION", concat!("@", berth_model::interface_version!()))
}
