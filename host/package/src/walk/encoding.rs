//! The encoding of names. All readers must see the same letters, so names beyond ASCII must be UTF-8, be flagged as
//! such, and come from a system whose names no reader translates.

use super::super::refusal;
use berth_base::error::{Error, Result};

/// The systems (APPNOTE 4.4.2) whose names Info-ZIP translates from a code page, even when they are flagged as UTF-8.
const TRANSLATED: [(u8, &str); 3] = [(0, "DOS or Windows"), (6, "OS/2"), (11, "Windows NT")];

/// The name as text. A unicode-path field does not replace the flag, as Python before 3.12 does not read it.
pub fn decode(name: &[u8], flagged: bool, made_by: u8) -> Result<&str> {
    let text = std::str::from_utf8(name).map_err(|_| not_utf8(name))?;
    if text.is_ascii() {
        return Ok(text);
    }
    if !flagged {
        return Err(not_flagged(name));
    }
    match TRANSLATED.iter().find(|(system, _)| *system == made_by) {
        Some((_, system)) => Err(translated(name, system)),
        None => Ok(text),
    }
}

fn not_utf8(name: &[u8]) -> Error {
    let why = "the name is in another encoding than UTF-8, most likely the code page of the system that packed it. \
               Pack with UTF-8 names (7-Zip: -mcu=on; WinRAR, Bandizip: the option \"Unicode names\"), or with berth pack.";
    refuse("not-utf8", name, why)
}

fn not_flagged(name: &[u8]) -> Error {
    let why = "the name is in UTF-8 but not marked as such (bit 11 of the flags), so that some readers see other letters. \
               Let the packer set the mark (7-Zip: -mcu=on; libraries: \"UTF-8\", \"EFS\" or \"language encoding\"), or use berth pack.";
    refuse("not-flagged", name, why)
}

fn translated(name: &[u8], system: &str) -> Error {
    let why = format!(
        "the name is in UTF-8, but the entry says that it was made by {system}, whose names Info-ZIP's unzip translates \
         to other letters. Let the packer say Unix (JSZip: platform: \"UNIX\"), use berth pack, or name the file in ASCII."
    );
    refuse("made-by", name, &why)
}

fn refuse(cause: &str, name: &[u8], why: &str) -> Error {
    refusal::path("name-encoding", name, why).with("cause", cause)
}
