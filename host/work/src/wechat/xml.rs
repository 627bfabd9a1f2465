//! The XML of pushes: one level of elements with text. A real parser reads it, and never resolves what a document
//! defines.

use std::{borrow::Cow, collections::BTreeMap};

use quick_xml::{
    Reader,
    events::{BytesRef, Event},
};

/// The texts of the root's children, by name.
pub type Fields = BTreeMap<String, String>;

/// Why a document is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum XmlError {
    /// The document is not well-formed.
    #[error("it is not well-formed XML")]
    Malformed,
    /// The document has a document type, which could define entities (XXE, billion laughs).
    #[error("it has a DOCTYPE")]
    Doctype,
    /// The document refers to an entity that XML does not define.
    #[error("it refers to an entity that XML does not define")]
    Entity,
    /// The document has two elements with the same name, so that it is ambiguous.
    #[error("it has an element twice")]
    Twice,
}

/// Reads `<xml><A>…</A><B><![CDATA[…]]></B></xml>`. Elements that are nested deeper are skipped.
///
/// # Errors
/// See [`XmlError`].
pub fn fields(text: &str) -> Result<Fields, XmlError> {
    let mut reader = Reader::from_str(text);
    let mut walk = Walk::default();
    while !walk.step(reader.read_event().map_err(|_| XmlError::Malformed)?)? {}
    if walk.path.is_empty() && walk.rooted { Ok(walk.fields) } else { Err(XmlError::Malformed) }
}

#[derive(Default)]
struct Walk {
    path: Vec<String>,
    rooted: bool,
    fields: Fields,
    text: String,
}

impl Walk {
    /// Takes one event of the parser; true at the end of the document.
    fn step(&mut self, event: Event<'_>) -> Result<bool, XmlError> {
        match event {
            Event::Start(tag) => self.open(tag.name().as_ref())?,
            Event::Empty(tag) => {
                self.open(tag.name().as_ref())?;
                self.close()?;
            }
            Event::End(_) => self.close()?,
            Event::Text(text) => self.add(text.decode().ok())?,
            Event::CData(text) => self.add(text.decode().ok())?,
            Event::GeneralRef(reference) => {
                let resolved = resolve(&reference)?;
                self.add(Some(resolved.into()))?;
            }
            Event::DocType(_) => return Err(XmlError::Doctype),
            Event::Eof => return Ok(true),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        Ok(false)
    }

    fn open(&mut self, name: &[u8]) -> Result<(), XmlError> {
        if self.path.is_empty() && std::mem::replace(&mut self.rooted, true) {
            return Err(XmlError::Malformed); // a second root
        }
        self.path.push(String::from_utf8(name.to_vec()).map_err(|_| XmlError::Malformed)?);
        if self.path.len() == 2 {
            self.text.clear();
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let name = self.path.pop().ok_or(XmlError::Malformed)?;
        if self.path.len() == 1 && self.fields.insert(name, std::mem::take(&mut self.text)).is_some() {
            return Err(XmlError::Twice);
        }
        Ok(())
    }

    fn add(&mut self, text: Option<Cow<'_, str>>) -> Result<(), XmlError> {
        let text = text.ok_or(XmlError::Malformed)?;
        match self.path.len() {
            0 if !text.trim().is_empty() => return Err(XmlError::Malformed),
            2 => self.text.push_str(&text),
            _ => {}
        }
        Ok(())
    }
}

/// The text of a character reference, or of one of XML's own five entities.
fn resolve(reference: &BytesRef<'_>) -> Result<String, XmlError> {
    if let Some(character) = reference.resolve_char_ref().map_err(|_| XmlError::Entity)? {
        return Ok(character.into());
    }
    let name = reference.decode().map_err(|_| XmlError::Malformed)?;
    let known = match &*name {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "quot" => "\"",
        "apos" => "'",
        _ => return Err(XmlError::Entity),
    };
    Ok(known.into())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn f101_texts_are_read_as_they_are() {
        let text = "<?xml version='1.0'?>\n<xml><A><![CDATA[a <b> & c]]></A><B> x &amp; &#x4e2d;\n</B><C/><D><E>deep</E></D></xml>\n";
        let read = fields(text).unwrap();
        let read: Vec<_> = read.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(read, [("A", "a <b> & c"), ("B", " x & 中\n"), ("C", ""), ("D", "")]);
    }

    #[test]
    fn f101_a_doctype_is_refused_and_no_entity_is_resolved() {
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><xml><A>&a;</A></xml>";
        assert_eq!(fields(bomb), Err(XmlError::Doctype));
        let file = "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><xml><A>x</A></xml>";
        assert_eq!(fields(file), Err(XmlError::Doctype));
        assert_eq!(fields("<xml><A>&a;</A></xml>"), Err(XmlError::Entity));
    }

    #[test]
    fn f101_what_is_not_one_well_formed_document_is_refused() {
        let bad = [
            "",
            "text",
            "<xml>",
            "<xml><A></xml>",
            "<xml></A></xml>",
            "<xml/><xml/>",
            "<xml/>tail",
            "<xml><A>&</A></xml>",
        ];
        for text in bad {
            assert!(fields(text).is_err(), "{text}");
        }
        assert_eq!(fields("<xml><A>1</A><A>2</A></xml>"), Err(XmlError::Twice));
    }
}
