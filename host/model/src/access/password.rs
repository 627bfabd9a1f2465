//! What sign-in names and passwords may be (P3, P5).
//!
//! As NIST SP 800-63B has it: what counts is the length, and that others do not try it first. No kinds of characters are
//! demanded, and no password expires. Its hash is made in `berth-work`.

use berth_base::{
    error::{Code, Error, Result},
    ids::UserId,
    secret::Secret,
    text,
};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// How many characters a password has at least.
pub const SHORTEST_PASSWORD: usize = 12;
/// How many characters a password has at most.
pub const LONGEST_PASSWORD: usize = 128;
/// How many bytes are looked at of what is said to be a password.
const MOST_BYTES: usize = 4096;
/// The number of characters that make no good password when they are repeated.
const REPEATED: usize = 6;

/// Sets the password of the caller's account, and with it all other sessions of the account end.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The password until now; needed when there is one.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub current: Option<Secret>,
    /// The name to sign in by from now on; needed when there is none yet.
    #[serde(default)]
    pub sign_in_name: Option<String>,
    /// The password from now on: 12 to 128 characters, whatever they are, and none of those that are tried first.
    #[schema(value_type = String)]
    pub new: Secret,
}

/// The password of an account was set.
#[derive(Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct PasswordChanged {
    pub account: UserId,
    /// Whether the account had none before.
    pub first: bool,
}

/// A sign-in name in the form in which names are compared: no two differ by case or by the way in which they are written.
pub fn folded_name(name: &str) -> String {
    name.trim().nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// Checks a sign-in name, and answers the form in which it is stored.
///
/// # Errors
/// `invalid-field` for the member `sign_in_name`, with the rule that it breaks.
pub fn sign_in_name(name: &str) -> Result<String> {
    const FIELD: &str = "sign_in_name";
    let name = text::visible_name(FIELD, &folded_name(name), 64)?;
    let length = name.chars().count();
    if length < 3 {
        return Err(Error::field(FIELD, format!("must have 3 to 64 characters, has {length}.")));
    }
    match name.contains(char::is_whitespace) {
        true => Err(Error::field(FIELD, "must not contain spaces.")),
        false => Ok(name),
    }
}

/// A password in the form that is hashed, which is the same on every keyboard (NFKC).
///
/// # Errors
/// `invalid-field` for more than any password has, which is not worth a hash.
pub fn normalised(field: &str, password: &Secret) -> Result<Secret> {
    let password = password.expose();
    if password.len() > MOST_BYTES {
        return Err(Error::field(field, format!("must have at most {LONGEST_PASSWORD} characters.")));
    }
    Ok(password.nfkc().collect::<String>().into())
}

/// Checks a password that is to be set, and answers the form that is hashed.
///
/// # Errors
/// `password-refused` for the member `field`, with the `rule` that it breaks: `length`, `common` or `name`.
pub fn new_password(field: &str, password: &Secret, sign_in_name: &str) -> Result<Secret> {
    let refused = |rule: &str, detail: String| {
        let pointer = format!("/{field}");
        Error::new(Code::PasswordRefused, detail).with("field", field).with("pointer", pointer).with("rule", rule)
    };
    let password = normalised(field, password)?;
    let length = password.expose().chars().count();
    if !(SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&length) {
        let rule =
            format!("A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters, this one has {length}.");
        return Err(refused("length", format!("{rule} Several words are easier to keep in mind than signs.")));
    }
    let folded = folded_name(password.expose());
    if folded == sign_in_name {
        return Err(refused("name", "The sign-in name itself is no password. Take another one.".into()));
    }
    if COMMON.contains(&folded.as_str()) || is_repeated(&folded) {
        return Err(refused("common", "This is one of the passwords that are tried first. Take another one.".into()));
    }
    Ok(password)
}

/// Whether the same few characters come again and again.
fn is_repeated(text: &str) -> bool {
    let all: Vec<char> = text.chars().collect();
    (1..=REPEATED).any(|period| all.iter().zip(all.iter().skip(period)).all(|(one, later)| one == later))
}

/// Those of 12 and more characters that head the lists of passwords that were found elsewhere. Shorter ones are refused for
/// their length, and repetitions by [`is_repeated`].
#[rustfmt::skip]
const COMMON: &[&str] = &[
    "123456789012", "1234567890123", "12345678901234", "123456789012345", "1234567890123456", "0123456789012", "012345678910",
    "123456789101", "1234567891011", "12345678910111", "123456789123", "1234567890987", "987654321098", "9876543210987",
    "098765432109", "111222333444", "112233445566", "11223344556677", "1122334455667788", "123123123456", "123456654321",
    "12345678987654321", "1234554321234", "147258369147", "147258369000", "159753456852", "1234567890ab", "1234567890abc",
    "123456789abc", "123456789abcd", "123456789qwe", "1234567890qwe", "1234567890qwer", "12345qwertyu", "123456qwerty",
    "1234qwerasdf", "1234qwerasdfzxcv", "12qwaszx34er", "1a2b3c4d5e6f", "a1b2c3d4e5f6", "1q2w3e4r5t6y", "1q2w3e4r5t6y7u",
    "1q2w3e4r5t6y7u8i", "1qaz2wsx3edc", "1qaz2wsx3edc4rfv", "1qazxsw23edc", "zaq12wsxcde3", "zaq1xsw2cde3", "q1w2e3r4t5y6",
    "q1w2e3r4t5y6u7i8", "qazwsxedcrfv", "qazwsxedcrfvtgb", "qweasdzxc123", "qwer1234asdf", "qwerasdfzxcv", "qwertyuiop12",
    "qwertyuiop123", "qwertyuiop1234", "qwertyuiop[]", "qwertyuiopas", "qwertyuiopasdfghjkl", "qwertyuiopasdfghjklzxcvbnm",
    "qwerty123456", "qwerty1234567", "qwerty12345678", "qwerty123456789", "qwertyqwerty123", "asdfghjkl123", "asdfghjkl1234",
    "asdfghjklzxcvbnm", "zxcvbnm12345", "zxcvbnm123456", "poiuytrewq123", "abcdefghijkl", "abcdefghijklm", "abcdefghijklmnop",
    "abcdefghijklmnopqrstuvwxyz", "abcdefg12345", "abcdefg1234567", "abcd1234efgh", "abc123456789", "abcd12345678",
    "abcdef123456", "aa12345678900", "a12345678900", "woaini123456", "woaini1314520", "woaini5201314", "5201314woaini",
    "password1234", "password12345", "password123456", "password1234567", "password12345678", "password123456789",
    "passwordpassword", "password@123", "password@1234", "p@ssw0rd1234", "p@ssword1234", "p@ssw0rd12345", "passw0rd1234",
    "passw0rd12345", "mypassword12", "mypassword123", "mypassword1234", "changeme1234", "changeme12345", "changemenow1",
    "letmein12345", "letmein123456", "letmeinplease", "welcome12345", "welcome123456", "administrator", "administrator1",
    "administrator123", "admin1234567", "admin12345678", "admin123456789", "admin@123456", "root12345678", "test12345678",
    "user12345678", "iloveyou1234", "iloveyou12345", "iloveyouforever", "iloveyousomuch", "correcthorsebatterystaple",
    "trustno1trustno1", "liverpool123", "chelsea12345", "manchesterunited", "princess1234", "sunshine1234", "football1234",
    "baseball1234", "superman1234", "spiderman123", "dragon123456", "monkey123456", "master123456", "michael12345",
    "computer1234", "internet1234", "samsung12345", "starwars1234", "blink182blink182", "whatever1234", "secret123456",
    "unknown12345", "default12345", "temporary123", "temporary1234", "berth1234567",
];

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn p5_a_sign_in_name_is_the_same_however_it_is_written() {
        for (typed, stored) in [
            (" Ann@Example.COM ", "ann@example.com"),
            ("Ｚｏë", "zoë"),
            ("Zoe\u{308}", "zoë"),
            ("张伟三", "张伟三"),
            ("O'Neil-2", "o'neil-2"),
        ] {
            assert_eq!(sign_in_name(typed).unwrap(), stored, "{typed}");
        }
        for wrong in ["", "ab", "a b c", "a\u{200b}bc", "a\u{0}bc", "a\tbc", &"a".repeat(65)] {
            assert_eq!(sign_in_name(wrong).unwrap_err().fields["pointer"], "/sign_in_name", "{wrong:?}");
        }
    }

    fn rule(password: &str) -> Option<String> {
        let refused = new_password("new", &password.to_owned().into(), "ann@example.com").err()?;
        assert_eq!((refused.code, &refused.fields["pointer"]), (Code::PasswordRefused, &"/new".into()));
        refused.fields["rule"].as_str().map(str::to_owned)
    }

    #[test]
    fn p3_a_password_is_long_and_not_one_that_is_tried_first() {
        for good in ["correct pony pile", "   spaces count   ", "密码要长一点才行啊对不对", "\0\u{1}\u{2}any character"]
        {
            assert_eq!(rule(good), None, "{good:?}");
        }
        let (long, too_long) = ("ab1".repeat(42) + "zz", "ab1".repeat(43));
        assert_eq!((long.len(), too_long.len()), (128, 129));
        for (bad, why) in [
            ("", "length"),
            ("short enough", ""),
            ("short", "length"),
            ("e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}", "length"),
            (long.as_str(), ""),
            (too_long.as_str(), "length"),
            ("Password1234", "common"),
            ("aaaaaaaaaaaaaaa", "common"),
            ("123456123456", "common"),
            ("ａｄｍｉｎｉｓｔｒａｔｏｒ", "common"),
            ("ANN@example.com", "name"),
        ] {
            assert_eq!(rule(bad).unwrap_or_default(), why, "{bad:?}");
        }
    }

    #[test]
    fn p3_a_password_is_the_same_on_every_keyboard() {
        let hashed = |password: &str| normalised("new", &password.to_owned().into()).unwrap().expose().to_owned();
        assert_eq!(hashed("cafe\u{301} au lait"), hashed("café au lait"));
        assert_ne!(hashed("Café au lait"), hashed("café au lait"), "case counts");
        assert!(normalised("new", &"a".repeat(4097).into()).is_err());
    }

    #[test]
    fn p3_the_list_holds_only_what_no_other_rule_refuses() {
        let longer: Vec<_> = COMMON.iter().filter(|one| one.chars().count() < SHORTEST_PASSWORD).collect();
        let repeated: Vec<_> = COMMON.iter().filter(|one| is_repeated(one)).collect();
        assert_eq!((longer, repeated), (vec![], vec![]));
        assert!(COMMON.iter().all(|one| folded_name(one) == **one));
    }
}
