//! stub
pub struct Builtin {
    pub name: &'static str,
    pub wasm: &'static [u8],
}
pub const ALL: &[Builtin] = &[];
