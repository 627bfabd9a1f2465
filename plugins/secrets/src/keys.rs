//! Finds private keys.

use berth_policy::Finding;

use crate::randomness::{entropy, is_random};

/// How the bare base64 of a private key goes on after its first characters, which are its length, and how many these
/// are at most: RSA and elliptic curves in PKCS #8, and RSA in PKCS #1.
const BARE: [(&str, usize); 3] = [("IBADANBgkqhkiG9w0BAQEFAASC", 16), ("AgEAMBMGByqGSM49AgEG", 8), ("IBAAK", 10)];
/// How the first line of PEM begins.
const BEGIN: &str = "-----BEGIN ";
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
    begun(text).find_map(|(_, kind, body)| {
        let content: String = body.chars().filter(|c| is_base64(*c)).collect();
        (content.len() >= SHORTEST && entropy(&content) > 4.0).then(|| told(kind, content.len()))
    })
}

/// The private keys that begin in a text, before which others such as certificates may stand: the byte offset, the kind,
/// and what follows the first line of PEM up to its last one.
fn begun(text: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    let starts = text.match_indices(BEGIN).map(|(at, _)| at);
    starts.zip(text.split(BEGIN).skip(1)).filter_map(|(at, rest)| {
        let (kind, body) = rest.split_once("PRIVATE KEY-----")?;
        let body = body.split("-----").next().unwrap_or_default();
        (kind.len() <= 12).then_some((at, kind, body))
    })
}

fn bare(text: &str) -> Option<Finding> {
    let begins = |word: &str| BARE.iter().any(|(mark, before)| word.find(mark).is_some_and(|at| at <= *before));
    let is_key = |word: &&str| word.starts_with("MI") && word.len() >= SHORTEST && begins(word) && entropy(word) > 4.0;
    // What stands before a `=` is the name of the key, or all of it.
    text.split(|c| !is_base64(c) || c == '=').find(is_key).map(|key| told("", key.len()))
}

/// A key in PEM whose lines are texts of their own, as in an array or in a comment.
pub fn spread(text: &str) -> Option<(u32, Finding)> {
    begun(text).find_map(|(at, kind, body)| {
        let lines = body.split(|c| !is_base64(c)).filter(|line| line.len() >= SHORTEST_LINE && is_random(line));
        let length: usize = lines.map(str::len).sum();
        (length >= SHORTEST).then(|| (at as u32, told(kind, length)))
    })
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/=".contains(c)
}

fn told(kind: &str, length: usize) -> Finding {
    Finding::error("private-key", format!("A {kind}PRIVATE KEY lies in the package ({length} characters)."))
        .fix("Replace the key now, and keep the new one on your server only.")
}
