//! The keys that sign ID tokens, as others see them.

use berth_base::clock::Millis;
use serde::{Deserialize, Serialize};

/// The public half of a key (RFC 7517).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Jwk {
    /// The kind of key: always `EC`.
    pub kty: String,
    /// The curve: always `P-256`.
    pub crv: String,
    /// What it is for: always `sig`, signatures.
    pub r#use: String,
    /// How it signs: always `ES256`.
    pub alg: String,
    /// Its name, which ID tokens say.
    pub kid: String,
    /// One coordinate of the point, as base64url.
    pub x: String,
    /// The other one.
    pub y: String,
}

/// The keys by which ID tokens are verified: the one that signs, and former ones until their tokens have ended.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Jwks {
    /// The keys, the one that signs first.
    pub keys: Vec<Jwk>,
}

/// Another key signs ID tokens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct OidcKeyRotated {
    /// Name of the key that signs now.
    pub kid: String,
    /// Name of the one that signed before; absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<String>,
    /// Until when the former one is still served; absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_ends_at: Option<Millis>,
}
