//! The identity provider at which people sign in, by OpenID Connect, and who they are there (P16–P18).
//!
//! A person is known by the issuer and the subject together, and by nothing else. An address of e-mail would not do: providers
//! let people choose it, and give it to somebody else once it is free.

use berth_base::{
    clock::Millis,
    ids::UserId,
    secret::Secret,
    text::{is_invisible, text_enum},
};
use serde::{Deserialize, Serialize};

/// For how many seconds a browser may be away at the provider.
pub const VISIT_SECONDS: i64 = 900;
/// How many characters the name of an account has at most.
const LONGEST_NAME: usize = 64;

text_enum! {
    /// What becomes of somebody who signs in at the provider and has no account here.
    ProviderAccounts {
        /// They get one, without any role.
        Create = "create",
        /// They are refused: who has an account links it, and all others are invited.
        LinkOnly = "link-only",
    }
}

/// The identity provider at which people may sign in.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct SignInProvider {
    /// Its name for people.
    pub name: String,
    /// Its issuer.
    pub issuer: String,
}

/// Sends a browser to the provider.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginProviderVisit {
    /// The code of an invitation that is accepted by it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub invitation: Option<Secret>,
}

/// Where a browser is sent, and what it has to keep. Both secrets are shown only now.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ProviderVisit {
    /// The address at the provider.
    pub address: String,
    /// What the browser brings back in the address.
    pub state: String,
    /// What the browser has to keep in a cookie for 15 minutes, so that nobody else can go on with the visit.
    pub cookie: String,
}

/// What a browser has brought back from the provider.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndProviderVisit {
    /// The `state` in the address.
    #[schema(value_type = String)]
    pub state: Secret,
    /// What the browser has kept.
    #[schema(value_type = String)]
    pub cookie: Secret,
    /// The provider's code; absent when it gave none.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub code: Option<Secret>,
    /// The provider's reason for giving none.
    #[serde(default)]
    pub error: Option<String>,
    /// Whom the answer says that it is of (RFC 9207).
    #[serde(default)]
    pub iss: Option<String>,
}

/// Who the person of an account is at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct ProviderLink {
    /// The issuer.
    pub issuer: String,
    /// Who they are there: the `sub` of its ID tokens.
    pub subject: String,
    /// Since when they may sign in by it.
    pub linked_at: Millis,
}

/// How the link of somebody's account is taken away.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UnlinkQuery {
    /// Whether to take it away even when the person has no password, and so could not sign in any more until they are invited.
    #[serde(default)]
    pub even_last: bool,
}

/// An account was linked to a person at the provider, or is not any more.
#[derive(Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ProviderLinkTold {
    pub account: UserId,
    pub issuer: String,
    pub subject: String,
}

/// The address of a host to which the provider sends browsers back, as it is registered there. Others reach the host at `base`.
pub fn provider_redirect_uri(base: &str) -> String {
    format!("{}/ui/sign-in/back", base.trim_end_matches('/'))
}

/// The name of the account of somebody who has none yet: what the provider calls them, as far as a name may say it, or else who
/// they are there.
pub fn newcomers_name(said: Option<&str>, subject: &str) -> String {
    let shown = |text: &str| {
        let shown: String = text.chars().filter(|c| !c.is_control() && !is_invisible(*c)).take(LONGEST_NAME).collect();
        Some(shown.trim().to_owned()).filter(|shown| shown.chars().any(char::is_alphanumeric))
    };
    said.and_then(shown).or_else(|| shown(subject)).unwrap_or_else(|| "Somebody".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p18_a_newcomer_is_called_as_the_provider_calls_them_if_that_is_a_name() {
        let long = "灰".repeat(99);
        for (said, name) in [
            (Some(" Ann Lee\u{202e}\u{0}"), "Ann Lee"),
            (Some(long.as_str()), &"灰".repeat(64)),
            (Some("\u{200b} \u{200d}"), "s1"),
            (Some(""), "s1"),
            (None, "s1"),
        ] {
            assert_eq!(newcomers_name(said, "s1"), name, "{said:?}");
        }
        assert_eq!(newcomers_name(None, "-"), "Somebody");
    }

    #[test]
    fn p16_a_browser_comes_back_to_the_host() {
        assert_eq!(provider_redirect_uri("https://berth.example/"), "https://berth.example/ui/sign-in/back");
    }
}
