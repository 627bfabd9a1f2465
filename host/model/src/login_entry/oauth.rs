//! What this host says to providers, and what they say of themselves.

use berth_base::error::{Error, Result};
use serde::Deserialize;
use url::Url;

use super::Client;

/// What a provider says of itself (OpenID Connect Discovery, RFC 8414), as far as it matters here.
#[derive(Clone, Debug, Deserialize)]
pub struct Metadata {
    /// Its issuer; absent of a provider whose addresses were registered.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Where browsers are sent.
    pub authorization_endpoint: String,
    /// Where a code is exchanged.
    pub token_endpoint: String,
    /// Where the keys are that sign its ID tokens.
    #[serde(default)]
    pub jwks_uri: Option<String>,
    /// What tells of who has logged in.
    #[serde(default)]
    pub userinfo_endpoint: Option<String>,
    /// Where people log out of it (OpenID Connect RP-Initiated Logout).
    #[serde(default)]
    pub end_session_endpoint: Option<String>,
    /// Whether its answers name it (RFC 9207).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Whether an answer that names this issuer, or none, is the provider's (RFC 9207).
    pub fn is_answer_of(&self, iss: Option<&str>) -> bool {
        match (iss, &self.issuer) {
            (Some(iss), Some(issuer)) => iss == issuer,
            (None, _) => !self.authorization_response_iss_parameter_supported,
            (Some(_), None) => true,
        }
    }
}

/// What a browser is sent to a provider with.
pub struct AskedFor<'a> {
    /// Where it comes back to.
    pub redirect_uri: &'a str,
    /// What it brings back.
    pub state: &'a str,
    /// What the exchange has to fit, by S256.
    pub code_challenge: &'a str,
    /// What the ID token has to repeat.
    pub nonce: &'a str,
    /// How many seconds ago the person may have logged in at most, where that matters; 0 has them log in anew.
    pub max_age: Option<i64>,
}

/// The address to which a browser is sent: the one at the provider, with what is asked for.
///
/// # Errors
/// `internal` when the endpoint is no address, which it was when it was looked at.
pub fn authorise_address(client: &Client, metadata: &Metadata, asked: &AskedFor<'_>) -> Result<String> {
    let mut url: Url = metadata.authorization_endpoint.parse().map_err(Error::internal)?;
    let mut pairs = url.query_pairs_mut();
    pairs
        .append_pair("response_type", "code")
        .append_pair("client_id", &client.client_id)
        .append_pair("redirect_uri", asked.redirect_uri)
        .append_pair("state", asked.state)
        .append_pair("code_challenge", asked.code_challenge)
        .append_pair("code_challenge_method", "S256");
    if !client.scope.is_empty() {
        pairs.append_pair("scope", &client.scope);
    }
    if metadata.issuer.is_some() {
        pairs.append_pair("nonce", asked.nonce);
    }
    if let Some(seconds) = asked.max_age {
        pairs.append_pair("max_age", &seconds.to_string());
    }
    if asked.max_age == Some(0) {
        pairs.append_pair("prompt", "login");
    }
    drop(pairs);
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u20_an_answer_of_another_issuer_is_none_of_the_providers() {
        let metadata = |issuer: Option<&str>, says: bool| Metadata {
            issuer: issuer.map(str::to_owned),
            authorization_endpoint: "https://a.example/".into(),
            token_endpoint: "https://a.example/t".into(),
            jwks_uri: None,
            userinfo_endpoint: None,
            end_session_endpoint: None,
            authorization_response_iss_parameter_supported: says,
        };
        let a = Some("https://a.example");
        assert!(metadata(a, true).is_answer_of(a) && metadata(a, false).is_answer_of(a));
        assert!(metadata(a, false).is_answer_of(None));
        assert!(!metadata(a, true).is_answer_of(None), "who says that it names itself does");
        assert!(!metadata(a, false).is_answer_of(Some("https://b.example")));
        assert!(metadata(None, false).is_answer_of(a), "nobody has said who it is");
    }
}
