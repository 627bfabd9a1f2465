//! Finds private keys.

use berth_policy::Finding;

use crate::randomness::{entropy, is_random};

/// How the bare base64 of a private key goes on after its first characters, which are its length, and how many these
/// are at most: RSA and elliptic curves in PKCS #8, and RSA in PKCS #1.
const BARE: [(&str, usize); 3] = [("IBADANBgkqhkiG9w0BAQEFAASC", 16), ("AgEAMBMGByqGSM49AgEG", 8), ("IBAAK", 10)];
/// How many characters of base64 a key has at least.
const SHORTEST: usize = 64;
/// How many characters a line of a key in PEM has at least. Usually they are 64, but some wrap earlier.
const SHORTEST_LINE: usize = 40;

/// A key that is in one text, as PEM with content or as bare base64. Libraries have the first line of PEM alone, to
/// compare with.
pub fn whole(text: &str) -> Option<Finding> {
    pem(text).or_else(|| bare(text))
}

fn pem(text: &str) -> Option<Finding> {
    let (kind, body) = begun(text)?;
    let body = body.split("-----").next().unwrap_or_default();
    let content: String = body.chars().filter(|c| is_base64(*c)).collect();
    (content.len() >= SHORTEST && entropy(&content) > 4.0).then(|| told(kind, content.len()))
}

/// The kind of the key that the first line of PEM names, and what follows that line.
fn begun(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (kind, body) = rest.split_once("PRIVATE KEY-----")?;
    (kind.len() <= 12).then_some((kind, body))
}

fn bare(text: &str) -> Option<Finding> {
    let is_key = |(mark, before): &(&str, usize)| {
        let at = text.find(mark)?;
        let start = text[..at].rfind(|c| !is_base64(c)).map_or(0, |before| before + 1);
        let length = text[start..].find(|c| !is_base64(c)).unwrap_or(text.len() - start);
        let key = &text[start..start + length];
        (key.starts_with("MI") && at - start <= *before && length >= SHORTEST && entropy(key) > 4.0).then_some(length)
    };
    BARE.iter().find_map(is_key).map(|length| told("", length))
}

/// A key in PEM whose lines are texts of their own, as in an array or in a comment.
pub fn spread(text: &str) -> Option<(u32, Finding)> {
    let (kind, body) = begun(text)?;
    let body = body.split("-----").next().unwrap_or_default();
    let mut lines = body.split(|c| !is_base64(c)).filter(|line| line.len() >= SHORTEST_LINE && is_random(line));
    let first = lines.next()?;
    let length = first.len() + lines.map(str::len).sum::<usize>();
    let at = text.find("-----BEGIN ").unwrap_or(0);
    (length >= SHORTEST).then(|| (at as u32, told(kind, length)))
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/=".contains(c)
}

fn told(kind: &str, length: usize) -> Finding {
    Finding::error("private-key", format!("A {kind}PRIVATE KEY lies in the package ({length} characters)."))
        .fix("Replace the key now, and keep the new one on your server only.")
}
