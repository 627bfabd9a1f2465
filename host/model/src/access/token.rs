//! API tokens. A secret is shown once, stored as its SHA-256, and valid until it expires or is revoked.

use berth_base::{
    clock::{Millis, Random},
    ids::{TokenId, UserId},
    secret,
};
use serde::{Deserialize, Serialize};

use super::TokenScope;

/// A token to issue.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What the token is for, 1 to 64 characters, such as `ci` or `laptop`.
    pub name: String,
    /// What the token may be used for; everything that the caller's own token may be used for when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<TokenScope>>,
    /// When the token stops being valid; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
}

/// A token to issue.
// Flattening NewToken in would let unknown members pass, and a misspelt `scopes` would give them all (F82).
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueToken {
    /// Id of the account that the token is for; the caller's own when absent. Only admins of the platform issue tokens
    /// for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<UserId>,
    /// What the token is for, 1 to 64 characters, such as `ci` or `laptop`.
    pub name: String,
    /// What the token may be used for; everything that the caller's own token may be used for when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<TokenScope>>,
    /// When the token stops being valid; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
}

/// An API token, without its secret.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
#[allow(missing_docs, reason = "the fields are those of NewToken")]
pub struct Token {
    pub id: TokenId,
    #[cfg_attr(feature = "sql", sqlx(rename = "account_id"))]
    pub account: UserId,
    pub name: String,
    #[cfg_attr(feature = "sql", sqlx(json))]
    pub scopes: Vec<TokenScope>,
    pub created_at: Millis,
    pub expires_at: Option<Millis>,
    pub revoked_at: Option<Millis>,
}

/// A new token with its secret, which is shown only now.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct IssuedToken {
    /// The token; its fields are part of this object.
    #[serde(flatten)]
    pub token: Token,
    /// The secret: `berth_` and 32 characters. It is not stored and cannot be shown again.
    pub secret: String,
}

/// A secret with 160 random bits, without letters that look like digits.
pub fn new_secret(random: &dyn Random) -> String {
    secret::generate("berth_", random)
}
