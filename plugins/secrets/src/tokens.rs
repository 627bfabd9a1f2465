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

/// The secrets of Berth itself: their name and their prefix. 32 characters follow.
const OWN: [(&str, &str); 3] = [
    ("MiniApp's AppSecret", "berth_secret_"),
    ("MiniApp's server token", "berth_server_"),
    ("token of Berth", "berth_"),
];

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
        let token = word_after(text, prefix)?;
        let secret = token.strip_prefix(prefix)?;
        ((*shortest..=*longest).contains(&secret.len()) && is_random(secret) && !is_words(secret))
            .then_some((*what, token))
    })
}

fn own(text: &str) -> Option<(&'static str, &str)> {
    OWN.iter().find_map(|(what, prefix)| {
        let token = word_after(text, prefix)?;
        let secret = token.strip_prefix(prefix)?;
        let fits = secret.len() == 32 && secret.chars().all(|c| OWN_CHARACTERS.contains(c));
        (fits && is_random(secret)).then_some((*what, token))
    })
}

/// The first word of the text that begins with the prefix.
fn word_after<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let start = text.find(prefix)?;
    let joined = text[..start].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric());
    let part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-/".contains(&byte);
    let rest = &text[start + prefix.len()..];
    let end = rest.bytes().position(|byte| !part(byte)).unwrap_or(rest.len());
    (!joined).then(|| &text[start..start + prefix.len() + end])
}

/// A JSON web token, `eyJ….eyJ….signature`: two JSON objects in base64, and a signature.
pub fn web_token(text: &str) -> Option<Finding> {
    let start = text.find("eyJ")?;
    let token = &text[start..];
    let part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let token = &token[..token.bytes().position(|byte| !part(byte)).unwrap_or(token.len())];
    let parts: Vec<_> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { return None };
    let signed = header.len() >= 16 && claims.starts_with("eyJ") && signature.len() >= 20 && is_random(signature);
    signed.then(|| {
        Finding::warning("json-web-token", format!("A JSON web token lies in the package: {}.", masked(token)))
            .fix("Let the server give each user a token; revoke this one unless everybody may have it.")
    })
}

/// An address with a password, such as `mysql://name:password@host`.
pub fn connection(text: &str) -> Option<Finding> {
    let (before, rest) = text.split_once("://")?;
    let scheme: String = before.chars().rev().take_while(char::is_ascii_alphanumeric).collect();
    let authority = rest.split(['/', '?', '#', ' ', '"', '\'', '`', '\n', '<']).next()?;
    let (user, host) = authority.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    let plain = password.len() >= 6 && !password.contains(['$', '{', '%', '<', '*', '[']) && !is_placeholder(password);
    let real = !["password", "passwd", "pass", "pwd", "user"].iter().any(|word| password.eq_ignore_ascii_case(word));
    (!scheme.is_empty() && !host.is_empty() && plain && real).then(|| {
        Finding::error("connection-string", format!("An address holds a password: {}.", masked(password)))
            .fix("Change the password now, and connect from your server only.")
    })
}
