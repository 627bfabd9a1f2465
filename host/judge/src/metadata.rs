//! What the makers of a policy say of it: custom sections at the top of the wasm, by the convention of `wasm-tools metadata`.
//!
//! The crate `wasm-metadata` refuses a whole file for a licence that it does not know. Here a section is a text and no more, so
//! that what somebody says of a policy never decides whether it runs.

use wasm_encoder::{CustomSection, Section};
use wasmparser::{Parser, Payload};

use super::PolicyMetadata;

/// What an upload says of itself, as far as it can be read.
pub fn metadata(wasm: &[u8]) -> PolicyMetadata {
    let (mut said, mut depth) = (PolicyMetadata::default(), 0);
    for payload in Parser::new(0).parse_all(wasm) {
        match payload {
            Ok(Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) => depth += 1,
            Ok(Payload::End(_)) => depth -= 1,
            Ok(Payload::CustomSection(section)) if depth == 0 => said.take(section.name(), section.data()),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    said
}

/// The wasm with sections that say this. Of a section that is there already the last one counts.
pub fn with_metadata(mut wasm: Vec<u8>, metadata: &PolicyMetadata) -> Vec<u8> {
    for (name, text) in metadata.sections() {
        CustomSection { name: name.into(), data: text.as_bytes().into() }.append_to(&mut wasm);
    }
    wasm
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{admit, builtin, testing::Guest};

    fn ours() -> PolicyMetadata {
        PolicyMetadata {
            authors: Some("Ann <ann@example.com>".into()),
            licenses: Some("Apache-2.0 OR MIT".into()),
            source: Some("https://git.example/coffee/no-eval".into()),
            revision: Some("de978e17".into()),
            ..PolicyMetadata::default()
        }
    }

    #[test]
    fn g27_what_is_written_is_read_of_modules_and_of_components() {
        let module = Guest::gray().wasm();
        let component = admit(&module).expect("a policy").0.into_owned();
        for wasm in [module, component] {
            assert_eq!(metadata(&wasm), PolicyMetadata::default());
            let told = with_metadata(wasm, &ours());
            assert_eq!(metadata(&told), ours());
            assert!(admit(&told).is_ok(), "it is the policy that it was");
            let newer = PolicyMetadata { licenses: Some("MIT".into()), ..PolicyMetadata::default() };
            assert_eq!(metadata(&with_metadata(told, &newer)), newer.or(ours()));
        }
    }

    #[test]
    fn g27_only_what_stands_at_the_top_is_said_of_the_policy() {
        let part = with_metadata(Guest::gray().wasm(), &ours());
        let whole = admit(&part).expect("a policy").0.into_owned();
        assert_eq!(metadata(&whole), PolicyMetadata::default(), "a library inside says nothing of the policy");
    }

    #[test]
    fn g27_hostile_sections_are_only_text_and_stop_nothing() {
        let mut wasm = Guest::gray().wasm();
        for (name, data) in
            [("licenses", &b"no licence at all"[..]), ("source", b"javascript:x"), ("authors", &[0xff; 40])]
        {
            CustomSection { name: name.into(), data: data.into() }.append_to(&mut wasm);
        }
        CustomSection { name: "description".into(), data: vec![b'x'; 1 << 20].into() }.append_to(&mut wasm);
        let said = metadata(&wasm);
        assert_eq!(
            said.sections().collect::<Vec<_>>(),
            [("licenses", "no licence at all"), ("source", "javascript:x")]
        );
        assert!(admit(&wasm).is_ok());
        assert_eq!(metadata(b"no wasm"), PolicyMetadata::default());
    }

    #[test]
    fn g27_every_builtin_says_whose_it_is_and_on_which_terms() {
        for builtin in builtin::ALL {
            let said = metadata(builtin.wasm);
            assert_eq!(said.licenses.as_deref(), Some("Apache-2.0"), "{}", builtin.name);
            assert!(said.authors.is_some() && said.description.is_some() && said.version.is_some(), "{}", builtin.name);
        }
    }
}
