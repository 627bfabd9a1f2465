//! The app on a person's phone that shows codes (RFC 6238), written apart from the host's own.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// The code that an app with this key, as a QR code or a page has it, shows at a moment.
pub fn code(key: &str, seconds: i64) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String = key.chars().map(|letter| format!("{:05b}", LETTERS.find(letter).unwrap())).collect();
    let key: Vec<u8> =
        (0..bits.len() / 8).map(|at| u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).unwrap()).collect();
    let mac = Hmac::<Sha1>::new_from_slice(&key).unwrap().chain_update((seconds / 30).to_be_bytes()).finalize();
    let mac = mac.into_bytes();
    let from = usize::from(mac[19] & 0xf);
    let word = u32::from_be_bytes(mac[from..from + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}
