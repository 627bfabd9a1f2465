//! The rules by which a text is a secret.

use berth_policy::Finding;

use crate::{
    keys,
    names::{Meaning, meaning},
    randomness::{entropy, is_placeholder, is_random},
    tokens,
};

/// Judges a text, together with the name that it is assigned to if there is one.
pub fn judge(name: Option<&str>, text: &str) -> Option<Finding> {
    by_form(text).or_else(|| by_name(name?, text))
}

/// The first four characters and the length: enough to find the secret, and not enough to use it.
pub fn masked(secret: &str) -> String {
    let shown: String = secret.chars().take(4).collect();
    format!("{shown}… ({} characters)", secret.chars().count())
}

fn by_form(text: &str) -> Option<Finding> {
    keys::whole(text)
        .or_else(|| tokens::token(text))
        .or_else(|| key_id(text))
        .or_else(|| secret_in_address(text))
        .or_else(|| tokens::connection(text))
        .or_else(|| tokens::web_token(text))
}

fn by_name(name: &str, text: &str) -> Option<Finding> {
    match meaning(name)? {
        Meaning::Secret | Meaning::SecretKey if is_hex_secret(text) => Some(app_secret(name, text)),
        Meaning::Secret | Meaning::SecretKey if is_key(text) => Some(secret_key(name, text)),
        Meaning::Password if is_password(text) => Some(password(name, text)),
        _ => None,
    }
}

/// Whether the text has the form of the AppSecrets of WeChat and of others: 32, 40 or 64 hexadecimal characters, all of
/// one case.
fn is_hex_secret(text: &str) -> bool {
    let lower = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let upper = text.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte));
    matches!(text.len(), 32 | 40 | 64) && (lower || upper) && is_random(text)
}

fn is_key(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte);
    (16..=128).contains(&text.len()) && text.bytes().all(plain) && is_random(text) && !is_words(text)
}

/// Whether the text consists of words joined by separators or by capitals, which have long runs of small letters.
pub fn is_words(text: &str) -> bool {
    let parts = text.split(|c: char| !c.is_ascii_lowercase());
    let joined = text.contains(['-', '_']) && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    joined && !hexadecimal || parts.filter(|part| part.len() >= 5).map(str::len).sum::<usize>() * 2 > text.len()
}

/// Whether the text looks like a password that somebody typed: digits, and letters of both cases or a sign. Texts with
/// other signs are more often patterns, paths, addresses or words for people.
fn is_password(text: &str) -> bool {
    let signs = b"!@#$%^&*_-+=.?~";
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || signs.contains(&byte);
    let has = |what: fn(u8) -> bool| text.bytes().any(what);
    let mixed = has(|byte| byte.is_ascii_uppercase()) && has(|byte| byte.is_ascii_lowercase());
    let sign = text.bytes().any(|byte| signs[..8].contains(&byte));
    (8..=64).contains(&text.len())
        && text.bytes().all(fits)
        && has(|byte| byte.is_ascii_digit())
        && has(|byte| byte.is_ascii_alphabetic())
        && (mixed || sign)
        && entropy(text) >= 2.7
        && !is_placeholder(text)
        && !is_label(text)
}

/// Whether the text is the name of a field, of a translation or of a class: words with a number, such as
/// `errorPassword2` or `login.pwd-2`.
fn is_label(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words = ["password", "passwd", "pwd", "login", "input", "form", "error", "icon", "user"];
    words.iter().any(|word| lower.contains(word))
        || is_words(text) && !text.bytes().any(|byte| b"!@#$%^&*".contains(&byte))
}

fn app_secret(name: &str, text: &str) -> Finding {
    Finding::error("app-secret", format!("{name} holds what looks like an AppSecret: {}.", masked(text)))
        .fix("Reset the secret now, and keep the new one on your server only.")
}

fn secret_key(name: &str, text: &str) -> Finding {
    Finding::error("secret-key", format!("{name} holds what looks like a secret key: {}.", masked(text)))
        .fix("Revoke the key now, and sign on your server or with temporary keys from it.")
}

fn password(name: &str, text: &str) -> Finding {
    Finding::warning("password", format!("{name} holds what looks like a password: {}.", masked(text)))
        .fix("Change the password, and let the server ask for it.")
}

/// The forms of key ids: the cloud, the prefix and the lengths. A key id is the whole of its text.
const KEY_IDS: [(&str, &str, &[usize]); 4] = [
    ("AWS", "AKIA", &[20]),
    ("AWS", "ASIA", &[20]),
    ("Alibaba Cloud", "LTAI", &[16, 20, 24]),
    ("Tencent Cloud", "AKID", &[36]),
];

fn key_id(text: &str) -> Option<Finding> {
    let fits = |(cloud, prefix, lengths): &&(&str, &str, &[usize])| {
        let plain = |byte: u8| {
            byte.is_ascii_uppercase() || byte.is_ascii_digit() || (*cloud != "AWS" && byte.is_ascii_lowercase())
        };
        text.starts_with(prefix) && lengths.contains(&text.len()) && text.bytes().all(plain)
    };
    let (cloud, ..) = KEY_IDS.iter().find(fits)?;
    let random = entropy(&text[4..]) >= 2.8 && !is_placeholder(text);
    random.then(|| {
        Finding::warning("cloud-key-id", format!("A key id of {cloud} lies in the package: {}.", masked(text)))
            .fix("Look whether its secret is here too; a mini-program should use temporary keys from your server.")
    })
}

/// A secret in an address such as `https://api.weixin.qq.com/sns/jscode2session?appid=…&secret=…`.
fn secret_in_address(text: &str) -> Option<Finding> {
    let given = text.split("secret=").skip(1);
    let mut words = given.filter_map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric()).next());
    words.find(|word| is_hex_secret(word)).map(|secret| app_secret("An address", secret))
}
