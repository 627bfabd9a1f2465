//! What a name says of the text that it is given.

/// What is expected under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// An AppSecret, or another secret of that kind.
    Secret,
    /// A secret key, whose name says so more clearly.
    SecretKey,
    /// A password.
    Password,
}

/// Ends of names, in lower case without separators: `APP_SECRET` and `wxAppSecret` both end in `appsecret`.
const SECRET_KEYS: [&str; 23] = [
    "aeskey",
    "deskey",
    "signkey",
    "signaturekey",
    "mchkey",
    "merchantkey",
    "partnerkey",
    "paykey",
    "apiv3key",
    "apikeyv3",
    "encryptkey",
    "encryptionkey",
    "hmackey",
    "masterkey",
    "secretaccesskey",
    "accesskeysecret",
    "secretkey",
    "accesssecret",
    "clientsecret",
    "apisecret",
    "appsecretkey",
    "signingkey",
    "aessecret",
];
const PASSWORDS: [&str; 4] = ["password", "passwd", "pwd", "passphrase"];

/// What the name means, if it means anything.
pub fn meaning(name: &str) -> Option<Meaning> {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    match () {
        () if ends(&SECRET_KEYS) => Some(Meaning::SecretKey),
        () if name.ends_with("secret") => Some(Meaning::Secret),
        () if ends(&PASSWORDS) => Some(Meaning::Password),
        () => None,
    }
}
