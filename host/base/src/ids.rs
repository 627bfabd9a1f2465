//! Ids: newtypes over text. Generated ones are a prefix, which says what they identify, and a ULID, by which they sort
//! by age.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};

use crate::{
    clock::{Millis, Random},
    error::{Code, Error, Result},
};

/// A fresh `{prefix}_{ulid}`: 26 lower-case base32 characters, of which the first ten are the time.
fn generate(prefix: &str, now: Millis, random: &dyn Random) -> String {
    let mut bytes = [0u8; 16];
    random.fill(&mut bytes);
    written(prefix, now, u128::from_be_bytes(bytes))
}

fn written(prefix: &str, at: Millis, rest: u128) -> String {
    let ulid = ulid::Ulid::from_parts(at.since_epoch(), rest);
    format!("{prefix}_{}", ulid.to_string().to_lowercase())
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String")]
        #[cfg_attr(feature = "sql", derive(sqlx::Type), sqlx(transparent))]
        pub struct $name(String);

        // `into = "String"` would copy the text for each answer.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str { &self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String { id.0 }
        }

        impl TryFrom<String> for $name {
            type Error = Error;
            fn try_from(text: String) -> Result<Self> { text.parse() }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str { &self.0 }
        }
    };
}

macro_rules! prefixed_id {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $what:literal;)*) => {$(
        text_id!($(#[$doc])* $name);

        impl $name {
            /// A fresh id: the prefix, the time `now`, and 80 random bits.
            pub fn generate(now: Millis, random: &dyn Random) -> Self {
                Self(generate($prefix, now, random))
            }

            /// The least id of this moment: ids of before are below it.
            pub fn least_of(at: Millis) -> Self {
                Self(written($prefix, at, 0))
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                let ulid = text.strip_prefix(concat!($prefix, "_")).unwrap_or_default();
                if ulid.len() == 26 && ulid.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
                    return Ok(Self(text.into()));
                }
                Err(Error::new(Code::InvalidId, format!(
                    "{text:?} is not the id of {}: expected {}_ and 26 characters.", $what, $prefix)))
            }
        }
    )*};
}

prefixed_id! {
    /// A team that owns MiniApps.
    TeamId = "team", "a team";
    /// A person or a program that has an account.
    UserId = "usr", "an account";
    /// The public part of an API token.
    TokenId = "tok", "a token";
    /// An invitation of a person.
    InvitationId = "inv", "an invitation";
    /// One uploaded package of a MiniApp.
    VersionId = "ver", "a version";
    /// One audit of one version.
    AuditId = "aud", "an audit";
    /// One entry of the release history.
    ReleaseId = "rel", "a release";
    /// A grayscale task.
    GrayTaskId = "gray", "a grayscale task";
    /// An uploaded list of devices or accounts.
    CohortId = "coh", "a list";
    /// A binding of a policy to a scope.
    PolicyBindingId = "pb", "a policy binding";
    /// A key whose signatures of policies are trusted.
    TrustedKeyId = "tk", "a trusted key";
    /// An event.
    EventId = "evt", "an event";
    /// An act: one request that was made to change something.
    ActId = "act", "an act";
    /// An endpoint application (CID).
    EndpointAppId = "cid", "an endpoint application";
    /// A channel: a place where users reach an endpoint application.
    ChannelId = "chn", "a channel";
    /// One run of authorising a channel.
    AuthorisationId = "auth", "an authorisation of a channel";
    /// A permit that a MiniApp has or applies for in a host app.
    PermitId = "prm", "a permit";
    /// A webhook: a receiver of events.
    WebhookId = "wh", "a webhook";
    /// An attempt to deliver an event to a webhook.
    AttemptId = "try", "an attempt";
    /// A member of a workspace: a User in SCIM.
    MemberId = "mem", "a member";
    /// A department or a tag of a workspace: a Group in SCIM.
    GroupId = "grp", "a department or a tag";
    /// An application of a workspace.
    ApplicationId = "wapp", "an application";
    /// An external contact of a workspace.
    ContactId = "ext", "an external contact";
    /// A template of a MiniApp for subscription messages.
    MessageTemplateId = "tmpl", "a message template";
    /// A subscription message to a user.
    UserMessageId = "msg", "a message";
    /// A fan: a visitor of an official account, whom a merchant knows there.
    FanId = "fan", "a fan";
    /// A template message to a fan.
    TemplateMessageId = "tmsg", "a template message";
    /// What the browser of a user has with this host by unified authentication.
    SignOnId = "so", "a sign-on";
    /// A login entry: a provider at which users of a MiniApp log in.
    LoginEntryId = "le", "a login entry";
    /// One run of a user who logs in at a login entry.
    AuthorisedLoginId = "al", "an authorised login";
    /// That a user of a MiniApp is somebody at a login entry.
    LoginBindingId = "lb", "a login binding";
    /// A secret of a webhook.
    WebhookSecretId = "whs", "a secret of a webhook";
}

/// Whether `text` is a slug of 3 to 63 characters, as ids that people may choose are.
fn is_slug(text: &str) -> bool {
    (3..=63).contains(&text.len()) && is_slug_part(text)
}

fn is_slug_part(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Whether `text` is a slug, or several with dots between, as W3C MiniApps are called (`org.example.miniapp`). The
/// first one must not be a device name of Windows: packages are files whose name begins with the id, and a file `con.…`
/// cannot exist there.
fn is_dotted_slug(text: &str) -> bool {
    let is_device = text.split_once('.').is_some_and(|(first, _)| crate::text::is_windows_device(first));
    (3..=63).contains(&text.len()) && text.split('.').all(is_slug_part) && !is_device
}

macro_rules! slug_id {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $what:literal, $is:ident, $characters:literal;)*) => {$(
        text_id!($(#[$doc])* $name);

        impl $name {
            /// A fresh id: the prefix and 16 base32 characters (80 random bits).
            pub fn generate(random: &dyn Random) -> Self {
                let mut bytes = [0u8; 16];
                random.fill(&mut bytes);
                let ulid = ulid::Ulid::from(u128::from_be_bytes(bytes)).to_string().to_lowercase();
                Self(format!("{}{}", $prefix, &ulid[10..]))
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                if $is(text) { return Ok(Self(text.into())); }
                Err(Error::new(Code::InvalidId, format!(
                    "{text:?} is not a {} id: 3 to 63 characters of a-z, 0-9 {}.", $what, $characters)))
            }
        }
    )*};
}

slug_id! {
    /// A MiniApp, such as `coffee` or `org.example.coffee`. The id never contains an underscore, so that the name of a
    /// package splits in one way only.
    MiniAppId = "mp", "MiniApp", is_dotted_slug,
        "and '-', with single dots between parts, each part beginning with a letter or digit, the first no device of Windows such as con";
    /// A host app.
    HostAppId = "ha", "host app", is_slug, "and '-', the first a letter or digit";
    /// A merchant (BosID). The id may have been given by the order system that sends fulfilment messages.
    MerchantId = "bos", "merchant", is_slug, "and '-', the first a letter or digit";
    /// A node of a merchant's organisation (VID).
    OrgNodeId = "vid", "organisation node", is_slug, "and '-', the first a letter or digit";
    /// A workspace.
    WorkspaceId = "ws", "workspace", is_slug, "and '-', the first a letter or digit";
}

macro_rules! foreign_id {
    ($($(#[$doc:meta])* $name:ident ($what:literal, $max:literal);)*) => {$(
        text_id!($(#[$doc])* $name);

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                let plain = |b: u8| b.is_ascii_alphanumeric() || b"._:-".contains(&b);
                if (1..=$max).contains(&text.len()) && text.bytes().all(plain) { return Ok(Self(text.into())); }
                Err(Error::new(Code::InvalidId, format!(
                    "{text:?} is not a {}: 1 to {} letters, digits, '.', '_', ':' and '-'.", $what, $max)))
            }
        }
    )*};
}

foreign_id! {
    /// A product instance, by the id that the order system gave it.
    InstanceId ("product instance id", 64);
    /// A product that merchants buy, such as `mall` or `crm`.
    ProductCode ("product code", 64);
    /// A fulfilment message, by the id that its sender gave it.
    MessageId ("message id", 128);
    /// A member of a merchant, by the id that the merchant's own system has for them.
    ShopMemberId ("member id", 128);
    /// The name of a page of a merchant to which entry links lead, such as `shop`.
    EntryPageName ("name of an entry page", 64);
    /// The name of a login entry of a MiniApp, such as `shop`.
    LoginEntryName ("name of a login entry", 64);
    /// The name of a template of an official account, such as `order-paid`.
    AccountTemplateName ("name of a template", 64);
}

text_id! {
    /// The app id of an account at WeChat: `wx` and 16 lower-case letters or digits.
    WechatAppId
}

impl FromStr for WechatAppId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.strip_prefix("wx") {
            Some(rest) if rest.len() == 16 && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) => {
                Ok(Self(text.into()))
            }
            _ => Err(Error::new(
                Code::InvalidId,
                format!("{text:?} is not a WeChat appid: wx and 16 lower-case letters or digits."),
            )),
        }
    }
}

/// A SHA-256, as 64 lower-case hexadecimal characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String")]
#[cfg_attr(feature = "sql", derive(sqlx::Type), sqlx(transparent))]
pub struct Digest(String);

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Digest {
    /// The SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(hex::encode(sha2::Sha256::digest(bytes)))
    }

    /// The digest that has these 32 bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(hex::encode(bytes))
    }

    /// The digest as 64 hexadecimal characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 32 bytes of the digest.
    pub fn to_bytes(&self) -> [u8; 32] {
        let mut bytes = [0u8; 32];
        // Cannot fail: every constructor checks the 64 hexadecimal characters.
        let _ = hex::decode_to_slice(&self.0, &mut bytes);
        bytes
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.strip_prefix("sha256:").unwrap_or(text);
        if text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return Ok(Self(text.into()));
        }
        Err(Error::new(Code::InvalidId, format!("{text:?} is not a SHA-256: expected 64 characters of 0-9 and a-f.")))
    }
}

impl TryFrom<String> for Digest {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_mini_app_may_hold_dots_between_its_parts() {
        for id in
            ["coffee", "org.example.miniapp", "a.b", "1.0", "mp0123456789abcdef", "a-b.c-d", "con", "acon.example"]
        {
            assert_eq!(id.parse::<MiniAppId>().expect(id).as_str(), id);
        }
        let long = format!("{}.{}", "a".repeat(31), "b".repeat(32));
        for id in [
            "",
            "ab",
            ".ab",
            "ab.",
            "a..b",
            "a_b",
            "a.b_c",
            "A.b",
            "a.-b",
            "-ab",
            "a/b",
            "...",
            "con.example",
            "lpt1.example",
            &long,
        ] {
            let error = id.parse::<MiniAppId>().expect_err(id);
            assert_eq!(error.code, Code::InvalidId);
            assert!(error.detail.contains("3 to 63 characters") && error.detail.contains("single dots"), "{error}");
        }
    }

    #[test]
    fn the_ids_of_others_hold_no_dots() {
        for id in ["org.example", "a.b"] {
            assert!(
                id.parse::<HostAppId>().is_err()
                    && id.parse::<MerchantId>().is_err()
                    && id.parse::<OrgNodeId>().is_err()
            );
        }
        assert!("super-app".parse::<HostAppId>().is_ok());
    }
}
