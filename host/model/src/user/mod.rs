//! Users: accounts of a host app in a MiniApp. The host app's server vouches for them by a login code, which the MiniApp's
//! server exchanges for the user's OpenID and a session key (K5–K7).

mod open_id;
mod union;

pub use open_id::{OpenId, UnionId};
pub use union::{SetUnion, Union};

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{HostAppId, MiniAppId},
    secret::Secret,
    text::short,
};
use serde::{Deserialize, Serialize};

/// The first characters of a login code.
pub const LOGIN_CODE: &str = "berth_code_";
/// For how many seconds a login code can be exchanged.
pub const LOGIN_CODE_SECONDS: i64 = 300;

/// A user: an account of a host app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The host app, whose word it is that this is the user.
    pub host_app: HostAppId,
    /// Id of the account there.
    pub account: String,
}

/// Asks for a login code.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskLoginCode {
    /// Id of the MiniApp that the user is to be logged in to.
    pub mini_app: MiniAppId,
    /// Id of the account that is logged in to the host app, which must never come to mean another user; at most 256
    /// bytes. MiniApps do not learn it.
    pub account: String,
}

impl User {
    /// The user of a host app who has this account.
    ///
    /// # Errors
    /// `invalid-field` when the account says nothing or is too long.
    pub fn of(host_app: &HostAppId, account: &str) -> Result<Self> {
        if account.trim().is_empty() {
            return Err(Error::field("account", "must name the account that is logged in to the host app."));
        }
        short("account", account)?;
        Ok(Self { host_app: host_app.clone(), account: account.to_owned() })
    }
}

/// A login code, which the host app hands to the MiniApp, and that to its server.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct LoginCode {
    /// Id of the MiniApp, whose server alone can exchange it.
    pub mini_app: MiniAppId,
    /// Id of the host app that vouches for the user.
    pub host_app: HostAppId,
    /// The code: `berth_code_` and 32 characters. It is not stored and can be exchanged once.
    pub code: String,
    /// When it stops being valid: five minutes after it was issued.
    pub expires_at: Millis,
}

/// Exchanges a login code.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenSession {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Its AppSecret.
    #[schema(value_type = String)]
    pub secret: Secret,
    /// The login code, as it came from the MiniApp.
    #[schema(value_type = String)]
    pub code: Secret,
}

/// A user who is logged in to a MiniApp.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct UserSession {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Id of the host app that the user comes from.
    pub host_app: HostAppId,
    /// The user, by a name that this MiniApp has for them and no other one.
    pub open_id: OpenId,
    /// The user, by a name that all MiniApps of the team have for them that are told union ids; absent when this one is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub union_id: Option<UnionId>,
    /// The key that the MiniApp's server shares with this host for the user, until the user logs in again: the base64 of
    /// 16 random bytes. It must not leave the server.
    pub session_key: String,
}

/// Asks whether a session key is the user's present one.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckSession {
    /// The user.
    pub open_id: OpenId,
    /// Proof of the session key without sending it: the HMAC-SHA256 of the OpenID with the text of the session key as the
    /// key, as 64 hexadecimal characters.
    pub signature: String,
}

/// Whether a session key is the user's present one.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct SessionChecked {
    /// Whether it is. If not, the user has logged in again since, or the session was ended.
    pub current: bool,
}

/// Ends a session.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndSession {
    /// The user.
    pub open_id: OpenId,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn k5_a_user_is_named_by_an_account() {
        let ask = |account: &str| User::of(&"mall".parse().unwrap(), account);
        for good in ["alice", "用户", &"a".repeat(256)] {
            assert!(ask(good).is_ok(), "{good}");
        }
        for bad in ["", " ", "a\0b", &"a".repeat(257)] {
            assert_eq!(ask(bad).unwrap_err().fields["pointer"], "/account", "{bad:?}");
        }
    }
}
