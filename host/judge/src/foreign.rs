//! Recognises uploads that are something else than a policy for this host, so that the refusal says what they are and
//! how to come to a policy. Nothing here decides: the gate refuses what it does not take, and asks here for the words.

use wasmparser::{Parser, Payload};

/// How to build a policy in each language, for refusals of what was built in another way.
pub const BUILD: &str = "Rust: `berth policy build`, or a `cdylib` crate with the SDK `berth-policy`, built for \
    wasm32-unknown-unknown. JavaScript: componentize-js. Python: componentize-py with --stub-wasi. \
    `berth policy new` makes a folder for each.";

/// What an upload is that is no policy: a stable word for programs, and what to tell people.
#[derive(Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The kind of file, such as `git-lfs-pointer`.
    pub found: &'static str,
    /// What it is, and what to do.
    pub told: String,
}

fn foreign(found: &'static str, told: impl Into<String>) -> Foreign {
    Foreign { found, told: told.into() }
}

/// How many bytes at the beginning are looked at.
const HEAD: usize = 512;
/// Where the machine code begins in a file of the host's own cache, after a digest and a byte.
const CODE_IN_CACHE: usize = 33;
const ELF: &[u8] = b"\x7fELF";

/// What bytes are that do not begin as wasm does.
pub fn bytes(upload: &[u8]) -> Foreign {
    let starts = |magic: &[u8]| upload.starts_with(magic);
    if upload.is_empty() {
        foreign("empty", "it is empty. Upload the .wasm file that `berth policy build` makes.")
    } else if starts(ELF) || upload.get(CODE_IN_CACHE..).is_some_and(|code| code.starts_with(ELF)) {
        machine_code()
    } else if starts(b"\0asm") {
        foreign("broken-wasm", "it begins as wasm does, but breaks off or has another format. Build or copy it again.")
    } else if starts(b"PK\x03\x04") {
        foreign("zip", "it is a zip archive, such as a package. A policy is one .wasm file.")
    } else if starts(b"\x1f\x8b") || starts(b"\x28\xb5\x2f\xfd") {
        foreign("compressed", "it is compressed. Unpack it, and upload the .wasm file that is inside.")
    } else {
        text(upload).unwrap_or_else(|| {
            let told =
                "it does not start as a wasm binary does. Upload the .wasm file that `berth policy build` makes.";
            foreign("no-wasm", told)
        })
    }
}

/// Wasm that was compiled already, such as wasmtime's `.cwasm` files.
pub(crate) fn machine_code() -> Foreign {
    foreign("machine-code", "it is already compiled to machine code. Upload the wasm itself.")
}

/// Wasm that ends in the middle of something.
pub(crate) fn cut_off(error: &wasmparser::BinaryReaderError) -> Foreign {
    foreign("broken-wasm", format!("the file is cut off ({error}). Fetch or build it again."))
}

fn text(upload: &[u8]) -> Option<Foreign> {
    let head = readable(&upload[..upload.len().min(HEAD)])?.trim_start_matches('\u{feff}').trim_start();
    let starts = |word: &str| head.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    Some(if starts("version https://git-lfs.github.com/") {
        let told = "it is a pointer of Git LFS, not the file that it stands for. Run `git lfs pull` in the repository, \
            and upload the file that is there then.";
        foreign("git-lfs-pointer", told)
    } else if starts("<!doctype") || starts("<html") || starts("<?xml") {
        let told = "it is a page of HTML or XML, perhaps an answer that was saved in place of the file. Open it to see \
            what it says, and fetch the .wasm file again.";
        foreign("html", told)
    } else if starts("(module") || starts("(component") {
        foreign(
            "wasm-text",
            "it is WebAssembly in its text form. Make the binary: `wasm-tools parse FILE -o policy.wasm`.",
        )
    } else {
        foreign(
            "text",
            format!("it is text, perhaps the source of a policy. Build it, and upload the .wasm file. {BUILD}"),
        )
    })
}

/// The bytes as text, without a character that was cut at the end; `None` when they are none.
fn readable(head: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let prints = |c: char| !c.is_control() || c.is_ascii_whitespace();
    (!text.is_empty() && text.chars().all(prints)).then_some(text)
}

/// What a core module is of which no component can be made; `None` when only the encoder's own words help.
pub fn module(wasm: &[u8]) -> Option<Foreign> {
    let (mut imports, mut tells_its_world) = (Vec::new(), false);
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.ok()? {
            Payload::ImportSection(section) => {
                imports.extend(section.into_imports().filter_map(Result::ok).map(|import| import.module.to_owned()));
            }
            Payload::CustomSection(section) => tells_its_world |= section.name().starts_with("component-type"),
            _ => {}
        }
    }
    let imports = |name: &str| imports.iter().any(|import| import.starts_with(name));
    if imports("wasi_snapshot_preview1") || imports("wasi_unstable") {
        let told = format!("it was built for wasm32-wasip1, and no policy has that system interface. {BUILD}");
        Some(foreign("wasip1", told))
    } else if imports("__wbindgen") || imports("wbg") {
        let told = format!("it was built with wasm-bindgen for web pages, and imports what only they have. {BUILD}");
        Some(foreign("wasm-bindgen", told))
    } else if !tells_its_world {
        Some(no_world())
    } else {
        None
    }
}

fn no_world() -> Foreign {
    let told = "it is wasm that was not built for a world of wit/, so it has no function that a host could ask.";
    foreign("no-world", format!("{told} {BUILD}"))
}

const PACKAGE: &str = "berth:policy/";
const VERSION: &str = berth_model::interface_version!();

/// What a component is that exports no world of this host, or imports what its world does not have.
pub fn component<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Foreign> {
    let (mut program, mut empty) = (None, true);
    for name in names {
        empty = false;
        if let Some(interface) = name.strip_prefix(PACKAGE) {
            let version = interface.split_once('@').map_or("no version", |(_, version)| version);
            if version != VERSION {
                return Some(other_version(version));
            }
        }
        if name.starts_with("wasi:cli/run@") || name.starts_with("wasi:http/incoming-handler@") {
            program = Some(name);
        }
    }
    match program {
        Some(name) => {
            let told = format!(
                "it is a program for WASI, such as wasm32-wasip2 makes, and no policy: it exports {name}. {BUILD}"
            );
            Some(foreign("wasi-program", told))
        }
        None => empty.then(no_world),
    }
}

fn other_version(version: &str) -> Foreign {
    let told = format!(
        "it was built for berth:policy@{version}, and this host takes berth:policy@{VERSION}. Build it against this \
         host's wit/, which `berth policy new` writes. Rust: use the SDK of this host, too. JavaScript: `witPath` of \
         componentize-js. Python: `-d` of componentize-py."
    );
    foreign("other-interface-version", told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f43_what_is_no_wasm_is_told_for_what_it_is() {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2145\nsize 12345\n";
        let cached = [&[7; CODE_IN_CACHE], ELF].concat();
        let cut = [b"export const caf".as_slice(), &"é".as_bytes()[..1]].concat();
        let seen: [(&[u8], &str); 14] = [
            (b"", "empty"),
            (b"\x7fELF\x02\x01", "machine-code"),
            (&cached, "machine-code"),
            (b"\0asm\x07\0", "broken-wasm"),
            (b"PK\x03\x04\x14", "zip"),
            (b"\x1f\x8b\x08\0", "compressed"),
            (pointer.as_bytes(), "git-lfs-pointer"),
            ("\u{feff}\n<!DOCTYPE html><title>404".as_bytes(), "html"),
            (b"<HTML>", "html"),
            (b"(component)", "wasm-text"),
            (b"fn main() {}", "text"),
            (&cut, "text"),
            (b"\x01\x02\x03", "no-wasm"),
            (b"\xff\xfe<\0h\0", "no-wasm"),
        ];
        for (upload, found) in seen {
            assert_eq!(bytes(upload).found, found, "{upload:?}");
        }
        assert!(bytes(pointer.as_bytes()).told.contains("git lfs pull"));
    }

    #[test]
    fn f44_components_for_something_else_are_told_apart() {
        let found = |names: &[&str]| component(names.iter().copied()).map(|foreign| foreign.found);
        assert_eq!(found(&["berth:policy/gray@0.9.0"]), Some("other-interface-version"));
        assert_eq!(found(&["berth:policy/gray"]), Some("other-interface-version"));
        assert_eq!(found(&["wasi:io/streams@0.2.6", "wasi:cli/run@0.2.6"]), Some("wasi-program"));
        assert_eq!(found(&["berth:policy/gray@1.0.0", "berth:policy/watch@1.0.0"]), None);
    }
}
