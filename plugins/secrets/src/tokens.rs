//! Finds secrets that are recognised by their form.

use berth_policy::Finding;

use crate::{
    randomness::{is_placeholder, is_random},
    rules::{is_words, masked},
};

/// The forms of known tokens: their owner, their prefix, and how many characters may follow it.
const TOKENS: [(&str, &str, usize, usize); 19] = [
    ("GitHub token", "ghp_", 36, 36),
    ("GitHub token", "gho_", 36, 36),
    ("GitHub token", "ghu_", 36, 36),
    ("GitHub token", "ghs_", 36, 36),
    ("GitHub token", "ghr_", 36, 76),
    ("GitHub token", "github_pat_", 82, 82),
    ("GitLab token", "glpat-", 20, 20),
    ("Slack token", "xoxb-", 40, 80),
    ("Slack token", "xoxp-", 40, 80),
    ("Slack token", "xoxa-", 40, 80),
    ("Slack token", "xoxr-", 40, 80),
    ("Slack token", "xoxs-", 40, 80),
    ("Stripe key", "sk_live_", 24, 99),
    ("Stripe key", "rk_live_", 24, 99),
    ("OpenAI key", "sk-proj-", 40, 200),
    ("Anthropic key", "sk-ant-", 40, 200),
    ("key of a model service", "sk-", 32, 100),
    ("npm token", "npm_", 36, 36),
    ("Slack webhook", "https://hooks.slack.com/services/T", 30, 60),
];

/// The secrets of Berth itself: their name and their prefix.
const OWN: [(&str, &str); 3] = [
    ("MiniApp's AppSecret", "berth_secret_"),
    ("MiniApp's server token", "berth_server_"),
    ("token of Berth", "berth_"),
];

/// How many characters follow the prefix of Berth's own secrets.
const OWN_LENGTH: usize = 32;

/// The characters of Berth's own secrets, which are never words: i, l, o and u are not among them.
const OWN_CHARACTERS: &str = "0123456789abcdefghjkmnpqrstvwxyz";

/// A token of a known form.
pub fn token(text: &str) -> Option<Finding> {
    let (what, found) = foreign(text).or_else(|| own(text))?;
    Some(
        Finding::error("access-token", format!("A {what} lies in the package: {}.", masked(found)))
            .fix("Revoke it now, and keep the new one on your server only."),
    )
}

fn foreign(text: &str) -> Option<(&'static str, &str)> {
    TOKENS.iter().find_map(|(what, prefix, shortest, longest)| {
        let fits = |(_, secret): &(&str, &str)| {
            (*shortest..=*longest).contains(&secret.len()) && is_random(secret) && !is_words(secret)
        };
        words_after(text, prefix, *longest).find(fits).map(|(token, _)| (*what, token))
    })
}

fn own(text: &str) -> Option<(&'static str, &str)> {
    let fits = |(_, secret): &(&str, &str)| {
        secret.len() == OWN_LENGTH && secret.chars().all(|c| OWN_CHARACTERS.contains(c)) && is_random(secret)
    };
    OWN.iter()
        .find_map(|(what, prefix)| words_after(text, prefix, OWN_LENGTH).find(fits).map(|(token, _)| (*what, token)))
}

/// The words of the text that begin with the prefix, each with what follows the prefix. Of a word that is longer than
/// `longest` no more than one character too many is read.
fn words_after<'t>(text: &'t str, prefix: &str, longest: usize) -> impl Iterator<Item = (&'t str, &'t str)> {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-/".contains(&byte);
    let joined = move |start: usize| text[..start].ends_with(|c: char| c.is_ascii_alphanumeric());
    text.match_indices(prefix).filter(move |(start, _)| !joined(*start)).map(move |(start, found)| {
        let from = start + found.len();
        let end = from + text[from..].bytes().take(longest + 1).take_while(|byte| part(*byte)).count();
        (&text[start..end], &text[from..end])
    })
}

/// A JSON web token, `eyJ….eyJ….signature`: two JSON objects in base64, and a signature.
pub fn web_token(text: &str) -> Option<Finding> {
    let token = text.match_indices(".eyJ").find_map(|(dot, _)| signed_around(text, dot))?;
    Some(
        Finding::warning("json-web-token", format!("A JSON web token lies in the package: {}.", masked(token)))
            .fix("Let the server give each user a token; revoke this one unless everybody may have it."),
    )
}

/// The token whose first two parts meet at a dot.
fn signed_around(text: &str, dot: usize) -> Option<&str> {
    let other = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-';
    let header = text[..dot].rsplit(other).next()?;
    let header = &header[header.find("eyJ")?..];
    let (claims, rest) = text[dot + 1..].split_once('.')?;
    let signature = rest.split(other).next()?;
    let signed = header.len() >= 16 && !claims.contains(other) && signature.len() >= 20 && is_random(signature);
    let (start, end) = (dot - header.len(), dot + 1 + claims.len() + 1 + signature.len());
    signed.then(|| &text[start..end])
}

/// An address with a password, such as `mysql://name:password@host`.
pub fn connection(text: &str) -> Option<Finding> {
    let mut parts = text.match_indices("://").map(|(at, found)| (&text[..at], &text[at + found.len()..]));
    let password = parts.find_map(|(before, rest)| password_in(before, rest))?;
    Some(
        Finding::error("connection-string", format!("An address holds a password: {}.", masked(password)))
            .fix("Change the password now, and connect from your server only."),
    )
}

/// The password in an address, of which a part stands before `://` and the rest behind it.
fn password_in<'t>(before: &str, rest: &'t str) -> Option<&'t str> {
    let authority = rest.split(['/', '?', '#', ' ', '"', '\'', '`', '\n', '<']).next()?;
    let (user, host) = authority.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    let plain = password.len() >= 6 && !password.contains(['$', '{', '%', '<', '*', '[']) && !is_placeholder(password);
    let real = !["password", "passwd", "pass", "pwd", "user"].iter().any(|word| password.eq_ignore_ascii_case(word));
    let has_scheme = before.ends_with(|c: char| c.is_ascii_alphanumeric());
    (has_scheme && !host.is_empty() && plain && real).then_some(password)
}
