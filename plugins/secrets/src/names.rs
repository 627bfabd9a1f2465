//! What a name says about the text that is assigned to it.

/// What is expected under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// An AppSecret or a similar secret.
    Secret,
    /// A secret key, which the name says more clearly.
    SecretKey,
    /// A password.
    Password,
}

/// The endings of names of secret keys, in lower case without separators: `AES_KEY` and `wxAesKey` both end with
/// `aeskey`.
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
/// Names of secret keys whose words are Chinese, written by their sounds or initials: the key of the merchant (shanghu), of
/// payments (zhifu), a secret key (miyao), a private key (siyao). As initials end other words, such as `push_key`, these are
/// whole names.
const WHOLE_SECRET_KEYS: [&str; 9] =
    ["shkey", "shanghukey", "wxshkey", "zfkey", "zhifukey", "miyao", "siyao", "shanghumiyao", "zhifumiyao"];
const PASSWORDS: [&str; 4] = ["password", "passwd", "pwd", "passphrase"];

/// The meaning of a name; `None` when it has none.
pub fn meaning(name: &str) -> Option<Meaning> {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    match () {
        () if ends(&SECRET_KEYS) || WHOLE_SECRET_KEYS.contains(&&*name) => Some(Meaning::SecretKey),
        () if name.ends_with("secret") => Some(Meaning::Secret),
        () if ends(&PASSWORDS) => Some(Meaning::Password),
        () => None,
    }
}
