//! A second factor: codes of an app on the person's phone (RFC 6238), and recovery codes for who has lost it (P14, P15).
//!
//! HMAC-SHA-1, six digits, thirty seconds: every such app makes these codes, and many make no others whatever they are told.

use berth_base::{
    clock::{Millis, Random},
    ids::UserId,
    secret::{self, Secret},
    text::text_enum,
};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use sha1::Sha1;

use super::{Role, Scope, SessionBy};

/// How many recovery codes a person gets.
pub const RECOVERY_CODES: usize = 10;
/// For how many seconds a sign-in waits for the code, once the password was right.
pub const TICKET_SECONDS: i64 = 300;
/// How many wrong codes an account may have at once.
const WRONG_CODES: i64 = 10;
/// For how long one of them counts. So whoever guesses has 100 guesses a day, as with the passwords of a name.
const WRONG_MILLIS: i64 = 24 * 3_600_000 / 100;
/// For how long a code is shown.
const STEP_MILLIS: i64 = 30_000;
/// How many steps the clock of a phone may be early or late.
const SKEW: i64 = 1;
/// One more than the greatest code.
const CODES: u32 = 1_000_000;
/// The characters of RFC 4648, §6, in which apps take a key.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The key that a host and the app of a person share: 160 bits, written in Base32.
#[derive(Clone, Debug)]
pub struct FactorKey(Secret);

impl FactorKey {
    /// A fresh key.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0u8; 32];
        random.fill(&mut bytes);
        let text: String = bytes.iter().map(|byte| char::from(BASE32[usize::from(byte % 32)])).collect();
        Self(text.into())
    }

    /// The key that was written like this.
    pub fn written(text: Secret) -> Self {
        Self(text)
    }

    /// The key as people and apps take it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    fn bytes(&self) -> Vec<u8> {
        let values = self.0.expose().bytes().filter_map(|byte| BASE32.iter().position(|one| *one == byte));
        let (mut bytes, mut held, mut bits) = (Vec::with_capacity(20), 0_usize, 0);
        for value in values {
            held = (held << 5 | value) & 0xfff;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push((held >> bits & 0xff) as u8);
            }
        }
        bytes
    }

    /// The code of a step (RFC 4226, §5.3).
    fn code_at(&self, step: i64) -> Option<u32> {
        let mac = Hmac::<Sha1>::new_from_slice(&self.bytes()).ok()?.chain_update(step.to_be_bytes());
        let mac = mac.finalize().into_bytes();
        let from = usize::from(mac.last()? & 0xf);
        let word = mac.get(from..from + 4)?.try_into().ok()?;
        Some((u32::from_be_bytes(word) & 0x7fff_ffff) % CODES)
    }

    /// The step whose code this is, when it is of now and later than the step `used`: whoever sees a code being typed cannot use
    /// it once more.
    pub fn step_of(&self, code: u32, now: Millis, used: i64) -> Option<i64> {
        let now = now.0.div_euclid(STEP_MILLIS);
        (now - SKEW..=now + SKEW).filter(|step| *step > used).find(|step| self.code_at(*step) == Some(code))
    }

    /// The address that an app takes from a QR code: the key, of whom it is, and where.
    pub fn uri(&self, host: &str, name: &str) -> String {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let (issuer, name) = (encode(&format!("Berth {host}")), encode(name));
        format!("otpauth://totp/{issuer}:{name}?secret={}&issuer={issuer}", self.expose())
    }
}

/// What somebody typed as a code.
#[derive(Debug, PartialEq, Eq)]
pub enum TypedCode {
    /// One that an app shows.
    OfApp(u32),
    /// A recovery code, without what people put between its characters.
    Recovery(String),
}

impl TypedCode {
    /// Tells the two kinds apart: codes of an app have six digits, and no recovery code is that short.
    pub fn read(typed: &Secret) -> Self {
        let bare = bare(typed.expose());
        match bare.parse() {
            Ok(code) if bare.len() == 6 && bare.bytes().all(|byte| byte.is_ascii_digit()) => Self::OfApp(code),
            _ => Self::Recovery(bare),
        }
    }
}

/// The wrong codes of an account, as the moment from which on none of them counts any more. They are kept with the account: neither
/// another host nor a restart gives further tries (P20).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongCodes {
    /// That moment.
    pub until: Millis,
}

impl WrongCodes {
    /// How many seconds it takes until a code is looked at again; `None` when one is looked at now.
    pub fn wait(self, now: Millis) -> Option<u64> {
        let over = self.and_one(now).until.0 - now.0 - WRONG_CODES * WRONG_MILLIS;
        u64::try_from(over).ok().filter(|over| *over > 0).map(|over| over.div_ceil(1000))
    }

    /// With one more, of now.
    #[must_use]
    pub fn and_one(self, now: Millis) -> Self {
        Self { until: Millis(self.until.0.max(now.0) + WRONG_MILLIS) }
    }
}

text_enum! {
    /// Who has to have a second factor, to sign in by a password.
    RequireSecondFactor {
        /// Nobody: everybody decides for themselves.
        Off = "off",
        /// Whoever is an admin, of the platform or of any other place.
        Admins = "admins",
        /// Everybody.
        All = "all",
    }
}

impl RequireSecondFactor {
    /// Whether a session that was started so, of an account without a second factor and with these roles, is good for nothing but
    /// setting one up (P22). An invitation is what a password comes by. A token is a secret that nobody guesses, and has no person
    /// beside it; how people prove at an identity provider who they are is the provider's matter.
    pub fn holds(self, by: SessionBy, grants: &[(Scope, Role)]) -> bool {
        let is_asked = matches!(by, SessionBy::Password | SessionBy::Invitation);
        is_asked
            && match self {
                Self::Off => false,
                Self::Admins => grants.iter().any(|(_, role)| *role == Role::Admin),
                Self::All => true,
            }
    }
}

/// A code without spaces and hyphens, in lower case.
fn bare(typed: &str) -> String {
    typed.chars().filter(|c| !c.is_whitespace() && *c != '-').flat_map(char::to_lowercase).collect()
}

/// Fresh recovery codes, each of 80 random bits, written in groups of four characters.
pub fn new_recovery_codes(random: &dyn Random) -> Vec<String> {
    let code = || {
        let mut bytes = [0u8; 16];
        random.fill(&mut bytes);
        bytes.chunks(4).map(secret::letters).collect::<Vec<_>>().join("-")
    };
    std::iter::repeat_with(code).take(RECOVERY_CODES).collect()
}

/// A recovery code as it is hashed.
pub fn bare_recovery_code(code: &str) -> String {
    bare(code)
}

/// The second factor of an account.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct SecondFactor {
    /// Since when signing in takes a code.
    pub since: Millis,
    /// How many recovery codes are left.
    pub recovery_codes: u32,
}

/// Begins to set a second factor up.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUpSecondFactor {
    /// The password of the account.
    #[schema(value_type = String)]
    pub password: Secret,
}

/// The key for an app, which is shown only now. Nothing changes until a code of it confirms that the app has it.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct SecondFactorKey {
    /// The key in Base32, to be typed into the app.
    pub secret: String,
    /// The same as an address, to be shown as a QR code: `otpauth://totp/…`.
    pub uri: String,
}

/// Confirms a second factor by a code of the app.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmSecondFactor {
    /// The six digits that the app shows.
    #[schema(value_type = String)]
    pub code: Secret,
}

/// The codes that get in without the app. They are shown only now, and each is good once.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct RecoveryCodes {
    /// The codes.
    pub recovery_codes: Vec<String>,
}

/// The second factor of an account was set up or removed.
#[derive(Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the name says it")]
pub struct SecondFactorChanged {
    pub account: UserId,
}

/// Somebody signed in by a recovery code.
#[derive(Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the name says it")]
pub struct RecoveryCodeUsed {
    pub account: UserId,
    /// How many are left.
    pub left: u32,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use berth_base::clock::SystemRandom;

    use crate::access::ScopeKind;

    use super::*;

    /// The key of the test vectors: `12345678901234567890`.
    fn rfc() -> FactorKey {
        FactorKey::written("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned().into())
    }

    #[test]
    fn p14_codes_are_those_of_rfc_6238() {
        assert_eq!(rfc().bytes(), b"12345678901234567890");
        // Appendix B has eight digits, of which the last six are the code.
        for (seconds, code) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(rfc().code_at(seconds / 30), Some(code), "{seconds}");
        }
    }

    #[test]
    fn p14_a_code_is_good_around_its_time_and_once() {
        let at = |seconds: i64, used| rfc().step_of(287_082, Millis(seconds * 1000), used);
        assert_eq!([0, 29, 30, 59, 89].map(|seconds| at(seconds, -1)), [Some(1); 5]);
        assert_eq!((at(90, -1), at(-31, -1)), (None, None));
        assert_eq!((at(59, 0), at(59, 1), at(59, 2)), (Some(1), None, None));
        assert_eq!(rfc().step_of(287_083, Millis(59_000), -1), None);
    }

    #[test]
    fn p14_a_key_is_random_and_every_app_reads_it() {
        let (one, other) = (FactorKey::generate(&SystemRandom), FactorKey::generate(&SystemRandom));
        assert_ne!(one.expose(), other.expose());
        assert_eq!((one.expose().len(), one.bytes().len()), (32, 20));
        let uri = "otpauth://totp/Berth%20berth%2Eexample:ann%40example%2Ecom\
                   ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Berth%20berth%2Eexample";
        assert_eq!(rfc().uri("berth.example", "ann@example.com"), uri);
    }

    #[test]
    fn p14_p15_a_code_is_read_as_people_type_it() {
        let read = |typed: &str| TypedCode::read(&typed.to_owned().into());
        assert_eq!((read("287082"), read(" 005 924 ")), (TypedCode::OfApp(287_082), TypedCode::OfApp(5_924)));
        let recovery = |bare: &str| TypedCode::Recovery(bare.to_owned());
        assert_eq!(read("ABCD-ef01 2345-6789\n"), recovery("abcdef0123456789"));
        assert_eq!((read("28708"), read("+28708"), read("")), (recovery("28708"), recovery("+28708"), recovery("")));
    }

    #[test]
    fn p15_recovery_codes_are_ten_and_all_different() {
        let codes = new_recovery_codes(&SystemRandom);
        let different: std::collections::BTreeSet<_> = codes.iter().map(|code| bare_recovery_code(code)).collect();
        assert_eq!((codes.len(), different.len()), (RECOVERY_CODES, RECOVERY_CODES));
        assert!(codes.iter().all(|code| code.len() == 19 && secret::is_letters(&bare_recovery_code(code))));
    }

    #[test]
    fn p20_ten_wrong_codes_are_looked_at_and_then_a_hundred_a_day() {
        let now = Millis(1_000_000_000);
        let mut wrong = WrongCodes { until: Millis(0) };
        for _ in 0..10 {
            assert_eq!(wrong.wait(now), None);
            wrong = wrong.and_one(now);
        }
        assert_eq!(wrong.wait(now), Some(864));
        let after = |millis: i64| wrong.wait(Millis(now.0 + millis));
        assert_eq!([after(1), after(863_999), after(864_000)], [Some(864), Some(1), None]);
        let again = wrong.and_one(Millis(now.0 + 864_000));
        assert_eq!(again.wait(Millis(now.0 + 864_000)), Some(864));
        assert_eq!(wrong.and_one(Millis(now.0 + 90_000_000)).until, Millis(now.0 + 90_864_000), "the past is forgiven");
    }

    #[test]
    fn p22_who_has_to_have_a_second_factor() {
        let mall = Scope::parse(ScopeKind::HostApp, "mall").unwrap();
        let of = |role| vec![(mall.clone(), role)];
        let holds =
            |which: RequireSecondFactor, by| [of(Role::Admin), of(Role::Viewer)].map(|roles| which.holds(by, &roles));
        for (which, held) in [
            (RequireSecondFactor::Off, [false, false]),
            (RequireSecondFactor::Admins, [true, false]),
            (RequireSecondFactor::All, [true, true]),
        ] {
            for by in [SessionBy::Password, SessionBy::Invitation] {
                assert_eq!(holds(which, by), held, "{which} {by}");
            }
            for by in [SessionBy::Token, SessionBy::Provider] {
                assert_eq!(holds(which, by), [false, false], "{which} {by}");
            }
        }
    }
}
