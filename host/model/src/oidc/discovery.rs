//! What this host says of itself to OpenID clients.

use serde::{Deserialize, Serialize};

/// The scope that every login has.
pub const SCOPE: &str = "openid";

/// Where the addresses are, and what is supported (OpenID Connect Discovery 1.0).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names are those of the specification")]
pub struct OpenIdConfiguration {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub userinfo_endpoint: String,
    pub jwks_uri: String,
    pub end_session_endpoint: String,
    pub scopes_supported: Vec<String>,
    pub response_types_supported: Vec<String>,
    pub response_modes_supported: Vec<String>,
    pub grant_types_supported: Vec<String>,
    pub subject_types_supported: Vec<String>,
    pub id_token_signing_alg_values_supported: Vec<String>,
    pub token_endpoint_auth_methods_supported: Vec<String>,
    pub code_challenge_methods_supported: Vec<String>,
    pub prompt_values_supported: Vec<String>,
    pub claims_supported: Vec<String>,
    pub claims_parameter_supported: bool,
    pub request_parameter_supported: bool,
    pub request_uri_parameter_supported: bool,
    pub authorization_response_iss_parameter_supported: bool,
}

impl OpenIdConfiguration {
    /// What the host at this address, which ends without a slash, says.
    pub fn of(issuer: &str) -> Self {
        let all = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: format!("{issuer}/oidc/authorize"),
            token_endpoint: format!("{issuer}/oidc/token"),
            userinfo_endpoint: format!("{issuer}/oidc/userinfo"),
            jwks_uri: format!("{issuer}/oidc/jwks"),
            end_session_endpoint: format!("{issuer}/oidc/end-session"),
            scopes_supported: all(&[SCOPE, "profile", "email", "departments", "offline_access"]),
            response_types_supported: all(&["code"]),
            response_modes_supported: all(&["query"]),
            grant_types_supported: all(&["authorization_code", "refresh_token"]),
            subject_types_supported: all(&["pairwise"]),
            // RS256 is optional for who answers by codes alone (OpenID Connect Core, §15.1), and no crate of ours makes RSA keys.
            id_token_signing_alg_values_supported: all(&["ES256"]),
            token_endpoint_auth_methods_supported: all(&["client_secret_basic", "client_secret_post"]),
            code_challenge_methods_supported: all(&["S256"]),
            prompt_values_supported: all(&["none", "login"]),
            claims_supported: all(&[
                "iss",
                "sub",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "nonce",
                "host_app",
                "union_id",
                "workspace",
                "name",
                "given_name",
                "family_name",
                "preferred_username",
                "email",
                "email_verified",
                "departments",
            ]),
            claims_parameter_supported: false,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
            authorization_response_iss_parameter_supported: true,
        }
    }
}
