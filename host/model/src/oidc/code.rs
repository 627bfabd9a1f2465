//! Authorisation codes, and whether one is good for an exchange.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use berth_base::{
    clock::Millis,
    ids::{Digest, HostAppId, MiniAppId, SignOnId},
};

use super::Exchange;
use crate::user::User;

/// An authorisation code that was issued. The code itself is not kept.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct IssuedCode {
    /// The hash of the code.
    pub code_sha256: Digest,
    /// The MiniApp, whose server alone exchanges it.
    pub mini_app_id: MiniAppId,
    /// The host app of the user.
    pub host_app_id: HostAppId,
    /// The account there.
    pub account: String,
    /// The sign-on that it came from.
    pub sign_on_id: SignOnId,
    /// When the user was vouched for.
    pub signed_on_at: Millis,
    /// Where the browser went with it.
    pub redirect_uri: String,
    /// What the exchange has to fit (RFC 7636).
    pub code_challenge: String,
    /// What the ID token repeats.
    pub nonce: Option<String>,
    /// When it stops being good.
    pub expires_at: Millis,
    /// When it was exchanged, if it was.
    pub used_at: Option<Millis>,
}

/// What becomes of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The code is good for it.
    Good,
    /// The code was exchanged before: one of the two was not the MiniApp's own, so what the first gave ends too.
    Again,
    /// The code is not good for it, and stays as it is.
    Refused,
}

impl IssuedCode {
    /// Judges an exchange by the server of `client`, which has proved that it is that.
    pub fn judge(&self, client: &MiniAppId, exchange: &Exchange, now: Millis) -> Verdict {
        let fits = self.mini_app_id == *client;
        match self.used_at {
            _ if !fits => Verdict::Refused,
            Some(_) => Verdict::Again,
            None if self.expires_at <= now => Verdict::Refused,
            None if self.redirect_uri != exchange.redirect_uri => Verdict::Refused,
            None if self.code_challenge != challenge_of(exchange.code_verifier.expose()) => Verdict::Refused,
            None => Verdict::Good,
        }
    }

    /// The user.
    pub fn user(&self) -> User {
        User { host_app: self.host_app_id.clone(), account: self.account.clone() }
    }
}

/// The S256 of RFC 7636.
pub fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Digest::of(verifier.as_bytes()).to_bytes())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn u14_a_code_is_good_once_in_time_for_its_client_address_and_verifier() {
        // The example of RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let code = IssuedCode {
            code_sha256: Digest::of(b"code"),
            mini_app_id: "shop".parse().unwrap(),
            host_app_id: "mall".parse().unwrap(),
            account: "alice".into(),
            sign_on_id: format!("so_{}", "0".repeat(26)).parse().unwrap(),
            signed_on_at: Millis(0),
            redirect_uri: "https://a.example/".into(),
            code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into(),
            nonce: None,
            expires_at: Millis(60_000),
            used_at: None,
        };
        let used = IssuedCode { used_at: Some(Millis(1)), ..code.clone() };
        let judge = |code: &IssuedCode, client: &str, redirect_uri: &str, verifier: &str, now| {
            let exchange = Exchange {
                code: "code".to_owned().into(),
                redirect_uri: redirect_uri.into(),
                code_verifier: verifier.to_owned().into(),
            };
            code.judge(&client.parse().unwrap(), &exchange, Millis(now))
        };
        assert_eq!(judge(&code, "shop", "https://a.example/", verifier, 59_999), Verdict::Good);
        assert_eq!(judge(&code, "shop", "https://a.example/", verifier, 60_000), Verdict::Refused);
        assert_eq!(judge(&code, "shop", "https://a.example", verifier, 0), Verdict::Refused);
        assert_eq!(judge(&code, "shop", "https://a.example/", "other", 0), Verdict::Refused);
        assert_eq!(judge(&code, "shop2", "https://a.example/", verifier, 0), Verdict::Refused);
        assert_eq!(judge(&used, "shop", "https://a.example/", "other", 90_000), Verdict::Again);
        assert_eq!(judge(&used, "shop2", "https://a.example/", verifier, 2), Verdict::Refused, "others end nothing");
    }
}
